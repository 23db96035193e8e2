"""`contractvm explain`: what a code of the compiler means, with a wrong and a right example.

Never: compiles.
"""

from __future__ import annotations

import difflib

import click

from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.output import show_json
from contractvm.cli.problem import Problem


@click.command(cls=Command)
@click.argument("code", metavar="[CODE]", default="")
@pass_settings
def explain(settings: Settings, code: str) -> None:
    """Explain a code of the Python compiler; list all.

    \b
    Example:
      contractvm explain CV031
    """
    from sdk.compiler.codes import table

    rows = table()
    if not code:
        if settings.json:
            show_json({"codes": {row.code: row.title for row in rows.values()}})
        else:
            for row in rows.values():
                click.echo(f"{click.style(row.code, fg='cyan')}  {row.title}")
        return
    found = rows.get(code.upper())
    if found is None:
        near = difflib.get_close_matches(code.upper(), rows, 1)
        guess = f"did you mean {near[0]}?" if near else "contractvm explain lists all"
        raise Problem(f"the compiler has no code {code!r}", guess)
    if settings.json:
        show_json(
            {"code": found.code, "title": found.title, "text": found.text, "wrong": found.wrong, "right": found.right}
        )
    else:
        click.echo(found)
