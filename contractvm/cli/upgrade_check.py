"""`contractvm upgrade-check`: which fields of storage a new version of a contract would read wrongly.

Never: looks at a chain, or at what code does with its fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from contractvm.cli.files import check_source, read_bytes
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.output import show_json
from contractvm.cli.problem import FAILED, Problem, say
from sdk.build import build
from sdk.upgrade import compare, fields_of


@click.command("upgrade-check", cls=Command)
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--contract", metavar="NAME", help="Which of several contracts in a Python file.")
@pass_settings
def upgrade_check(settings: Settings, old: Path, new: Path, contract: str | None) -> None:
    """Name the storage fields that an upgrade would break.

    OLD and NEW are Python contracts, or the X.layout.json that a build wrote. Ends with 1 if a field is incompatible:
    gone, of another type, or with keys that another one had.
    """
    before, after = layout_of(old, contract), layout_of(new, contract)
    problems = compare(before, after)
    added = [name for name in after if name not in before]
    if settings.json:
        found = [{"field": problem.field, "reason": problem.reason} for problem in problems]
        show_json({"compatible": not problems, "incompatible": found, "added": added})
    else:
        for problem in problems:
            click.echo(str(problem))
        for name in added:
            click.echo(f"{name}: new, a {after[name]['type']}")
        if not problems and not settings.quiet:
            say(f"{new} can take the place of {old}: all {len(before)} fields are read as they were kept", label="note")
    if problems:
        count = f"{len(problems)} field{'s'[: len(problems) != 1]}"
        say(f"{new} cannot take the place of {old}: {count} incompatible")
        click.get_current_context().exit(FAILED)


def layout_of(file: Path, contract: str | None) -> dict[str, Mapping[str, Any]]:
    """The fields of a contract by name. Raises: Problem, BuildError."""
    if file.suffix == ".json":
        try:
            layout = json.loads(read_bytes(file))
        except ValueError as error:
            raise Problem(f"{file}: {error}", "give a contract's .layout.json") from None
        if not isinstance(layout, dict):
            raise Problem(f"{file} is no storage layout", "give a contract's .layout.json")
        return fields_of(layout, str(file))
    check_source(file)
    made = build(file, contract).layout if file.suffix == ".py" else None
    if made is None:
        raise Problem(f"{file} has no storage layout: only Python contracts say what they keep where", "give a .py")
    return fields_of(made, str(file))
