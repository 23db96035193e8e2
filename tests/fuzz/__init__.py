"""Differential fuzzing of the wasm engine: `python -m tests.fuzz [--cases N] [--seed S] [--tier T]`.

Modules are generated from THE TABLE (`contractvm.wasm.opcodes.OPS`), run on every tier and on wasmtime, and compared.
Everything follows from one integer seed. Findings are shrunk and kept in `corpus/`, which `make test` replays.
"""
