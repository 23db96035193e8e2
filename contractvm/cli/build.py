"""`contractvm build`: contracts from their sources, with all that is known of them beside the code.

Never: writes over a file that it did not make.
"""

from __future__ import annotations

from pathlib import Path

import click

from contractvm.cli.files import check_source
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.output import hexed, number, show_json, show_pairs
from contractvm.cli.problem import Problem, say
from sdk.artifact import Artifact
from sdk.build import build as build_contract
from sdk.project import OUT, find


@click.command(cls=Command)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="X.wasm|DIR", help="What or where to write.")
@click.option("--contract", metavar="NAME", help="Which of several contracts in a Python file.")
@pass_settings
def build(settings: Settings, files: tuple[Path, ...], out: Path | None, contract: str | None) -> None:
    """Build contracts from .py, .c, Cargo.toml or .wat.

    Writes X.wasm, which is exactly what gets deployed, and beside it X.debug.wasm (the same with names), X.abi.json,
    X.gas.json, X.build.json and, of Python, X.layout.json. Without FILE it builds what `[tool.contractvm]` in
    pyproject.toml names. A .wasm is checked and made ready to deploy. The default folder is build.

    \b
    Examples:
      contractvm build token.py -o token.wasm
      contractvm build rust/Cargo.toml counter.c --out artifacts
    """
    if not files:
        project = find(Path())
        files, out = project.contracts, out or project.out
    to_file = out is not None and out.suffix == ".wasm"
    if to_file and len(files) > 1:
        raise Problem(f"{out} is one file, and there are {len(files)} sources", "name a folder with -o")
    built = []
    for file in files:
        check_source(file)
        artifact = build_contract(file, contract)
        for warning in artifact.warnings:
            say(warning, label="warning")
        if out is not None and to_file:
            paths = artifact.write(out.parent, out.stem)
        else:
            paths = artifact.write(out or Path(OUT))
        built.append(document(file, artifact, paths))
        if not settings.json:
            show(settings, file, artifact, paths)
    if settings.json:
        show_json({"built": built})


def document(file: Path, artifact: Artifact, paths: tuple[Path, ...]) -> dict[str, object]:
    """What was built, for programs: paths by kind."""
    kinds = {path.name.split(".", 1)[1].removesuffix(".json"): str(path) for path in paths}
    named = {"code": kinds.pop("wasm"), "debug": kinds.pop("debug.wasm"), **kinds}
    record = {"codeHash": hexed(artifact.hash), "bytes": len(artifact.code), "compiler": artifact.compiler}
    return {"source": str(file), "name": artifact.name, **named, **record}


def show(settings: Settings, file: Path, artifact: Artifact, paths: tuple[Path, ...]) -> None:
    """What was built, for people."""
    code, *others = paths
    if settings.quiet:
        click.echo(code)
        return
    show_pairs(
        [
            ("source", file),
            ("code", f"{code}, {number(len(artifact.code))} bytes"),
            ("keccak256", hexed(artifact.hash)),
            *([("compiler", artifact.compiler)] if artifact.compiler else []),
            ("beside it", "\n".join(path.name for path in others)),
        ]
    )
