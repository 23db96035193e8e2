"""How results are printed: aligned label and value for people, one JSON object for programs, the value alone for -q.

Data goes to standard output; notes go to standard error by way of `problem.say`. Never: rounds an
amount or a gas figure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

import click


def show_json(document: Mapping[str, object]) -> None:
    """One object on one line: numbers beyond 53 bits stay whole, as Python and jq 1.7 read them."""
    click.echo(json.dumps(document))


def show_pairs(pairs: Iterable[tuple[str, object]], indent: str = "") -> None:
    """Label and value, values aligned."""
    rows = [(label, str(value)) for label, value in pairs]
    width = max((len(label) for label, _ in rows), default=0)
    for label, value in rows:
        first, *rest = value.split("\n")
        click.echo(f"{indent}{click.style(label.ljust(width), fg='cyan')}  {first}".rstrip())
        for line in rest:
            click.echo(f"{indent}{' ' * width}  {line}")


def show_table(header: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[int] = ()) -> None:
    """Columns padded to their widest cell; those numbered in `right` lean right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max([len(title), *(len(row[i]) for row in cells)]) for i, title in enumerate(header)]

    def line(row: Sequence[str]) -> str:
        return "  ".join(
            c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        )

    click.secho(line(header).rstrip(), bold=True)
    for row in cells:
        click.echo(line(row).rstrip())


def number(value: int) -> str:
    """Digits grouped by thousands."""
    return f"{value:,}"


def seconds(value: float) -> str:
    """A duration with a unit in which it reads well."""
    for unit, scale in (("s", 1), ("ms", 1_000), ("us", 1_000_000)):
        if value * scale >= 1:
            return f"{value * scale:.3g} {unit}"
    return f"{value * 1e9:.0f} ns"


def readable(data: bytes) -> str:
    """Hex, and the text beside it where it is text."""
    plain = data.decode("ascii", errors="replace")
    is_text = len(data) > 1 and plain.isprintable() and "\ufffd" not in plain
    return f"0x{data.hex()} {plain!r}" if is_text else f"0x{data.hex()}"


def hexed(data: bytes | None) -> str | None:
    """`0x` and hex; None stays None."""
    return None if data is None else "0x" + data.hex()
