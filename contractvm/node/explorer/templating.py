"""Templates, with what they may use. Everything is escaped unless it is markup of ours.

Never: a template from anywhere but this package.
"""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from contractvm.node.explorer import text


def environment() -> Environment:
    """The templates of the explorer."""
    made = Environment(
        loader=PackageLoader("contractvm.node.explorer"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    filters: dict[str, Any] = {
        "hexed": text.hexed,
        "short": text.short,
        "checksum": text.checksum,
        "commas": text.commas,
        "ether": text.ether,
        "about": text.about,
        "gwei": text.gwei,
        "when": text.when,
        "ago": text.ago,
        "tame": text.tame,
        "mark": text.mark,
        "hexrow": lambda row: bytes(row).hex(" ", 4),
    }
    made.filters.update(filters)
    made.globals.update({"percent": text.percent, "plural": text.plural})
    return made
