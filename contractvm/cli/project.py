"""`contractvm new` and `contractvm build`: a project from a template, a contract from its source.

Never: writes over a file that it did not make.
"""

from __future__ import annotations

from pathlib import Path

import click

from contractvm.cli.files import read_bytes
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.output import hexed, number, show_json, show_pairs
from contractvm.cli.problem import say
from contractvm.crypto import keccak256
from sdk.build import build as build_contract
from sdk.new import LANGUAGES, create


@click.command(cls=Command)
@click.argument("folder", type=click.Path(path_type=Path), metavar="NAME")
@click.option("--lang", type=click.Choice(LANGUAGES), default="c", help="Language of the contract.  [default: c]")
@pass_settings
def new(settings: Settings, folder: Path, lang: str) -> None:
    """Start a contract project: source, test, README.

    Makes the folder NAME with a contract that counts, in C or WebAssembly text, and tests that pass.

    \b
    Examples:
      contractvm new vault && cd vault && pytest
      contractvm new lesson --lang wat
    """
    paths = create(folder, lang)
    if settings.json:
        show_json({"project": str(folder), "files": [str(path) for path in paths]})
        return
    for path in paths:
        click.echo(path)
    if not settings.quiet:
        say(f"its tests: cd {folder} && pytest    its deployment: contractvm deploy {paths[0]}", label="note")


@click.command(cls=Command)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where to write.  [default: build]",
)
@pass_settings
def build(settings: Settings, files: tuple[Path, ...], out: Path | None) -> None:
    """Compile .c or .wat to a contract's .wasm.

    Writes NAME.wasm, which is what gets deployed, and NAME.debug.wasm, the same with names. A .wasm is checked and
    made ready to deploy. The first .c takes a while: the compiler fills its cache.
    """
    built = []
    for file in files:
        read_bytes(file)
        artifact = build_contract(file)
        for warning in artifact.warnings:
            say(warning, label="warning")
        code, debug = artifact.write(out or Path("build"))
        built.append({"source": str(file), "code": str(code), "debug": str(debug), "bytes": len(artifact.code)})
        if not settings.json:
            if settings.quiet:
                click.echo(code)
            else:
                pairs = [("source", file), ("code", f"{code}, {number(len(artifact.code))} bytes"), ("names", debug)]
                show_pairs([*pairs, ("keccak256", hexed(keccak256(artifact.code)))])
    if settings.json:
        show_json({"built": built})
