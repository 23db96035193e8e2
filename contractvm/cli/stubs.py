"""`contractvm stubs`: types of a contract for mypy, from a source or a bare JSON ABI.

Never: writes over a file that it did not make, but an older stub.
"""

from __future__ import annotations

from pathlib import Path

import click

from contractvm.cli.files import check_source
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.output import show_json
from contractvm.cli.problem import Problem
from sdk.bindings import class_name, read_json, stub
from sdk.build import build


@click.command(cls=Command)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help="Where to write.  [default: beside]")
@pass_settings
def stubs(settings: Settings, files: tuple[Path, ...], out: Path | None) -> None:
    """Write a .pyi with the exact types of a contract's functions.

    FILE is a contract's source, a JSON ABI, or an artifact that has one under `abi`. The stub of token.py is
    token_abi.pyi, so that mypy goes on looking into token.py; a test imports its Token under TYPE_CHECKING.

    \b
    Examples:
      contractvm stubs token.py
      contractvm stubs build/token.abi.json -o token_abi.pyi
    """
    if out is not None and len(files) > 1:
        raise Problem("-o names one file", "give one FILE, or leave -o out")
    written = []
    for file in files:
        check_source(file)
        stem = file.name.split(".")[0]
        if file.suffix == ".json":
            name, interface = class_name(file), read_json(file)
        else:
            artifact = build(file)
            name = artifact.name if file.suffix == ".py" else class_name(Path(artifact.name))
            interface = artifact.interface
            stem = stem if file.suffix in (".py", ".c") else artifact.name
        if not interface.functions:
            raise Problem(f"{file} declares no functions", "give its JSON ABI")
        path = out or (file if file.is_dir() else file.parent) / f"{stem}_abi.pyi"
        if path.exists() and "made by `contractvm stubs`" not in path.read_text(encoding="utf-8", errors="replace"):
            raise Problem(f"{path} exists and is no stub of ours", "name another file with -o")
        path.write_text(stub(name, interface), encoding="utf-8")
        written.append({"source": str(file), "class": name, "stub": str(path)})
        if not settings.json:
            click.echo(path)
    if settings.json:
        show_json({"stubs": written})
