"""`contractvm new`: a project from a template.

Never: writes over a file that it did not make.
"""

from __future__ import annotations

from pathlib import Path

import click

from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.output import show_json
from contractvm.cli.problem import say
from sdk.new import DEFAULT, LANGUAGES, create, source_of


@click.command(cls=Command)
@click.argument("folder", type=click.Path(path_type=Path), metavar="NAME")
@click.option(
    "--lang",
    type=click.Choice(list(LANGUAGES)),
    default=DEFAULT,
    help=f"Language of the contract.  [default: {DEFAULT}]",
)
@pass_settings
def new(settings: Settings, folder: Path, lang: str) -> None:
    """Start a contract project: source, test, README.

    Makes the folder NAME with a contract that counts, in Python, C, Rust or WebAssembly text, and tests that pass.

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
        source = source_of(folder, lang)
        say(f"its tests: cd {folder} && pytest    its deployment: contractvm deploy {source}", label="note")
