"""Runs WebAssembly specification scripts: `python -m tests.spec PACK.zip [--tier T]`.

A pack is a zip of folders, one a script, each with `commands.json` (the form `wast2json` writes) beside the modules it
names. Source: WebAssembly/spec, `interpreter/README.md`, "Scripts", for what each command means.
"""
