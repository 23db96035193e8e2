"""How a test may write what an ABI calls otherwise, and what it may have meant.

`balance_of` finds `balanceOf`, `from_` finds `from`: the rule by which names of Python contracts become an ABI's.
Never: a name that the ABI does not have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_INNER = re.compile(r"(?<=[A-Za-z0-9])_+([A-Za-z0-9])")


def abi_name(name: str) -> str:
    """The ABI's form of a Python name: camelCase, without a trailing `_`; ALL_CAPS stay as they are."""
    stripped = name.rstrip("_") or name
    if stripped.upper() == stripped:
        return stripped
    return _INNER.sub(lambda match: match[1].upper(), stripped)


def find(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that is meant: itself, or what it becomes in an ABI."""
    known = set(names)
    if name in known:
        return name
    converted = abi_name(name)
    return converted if converted in known else None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """What to add to an error about an unknown name: the nearest known ones, else all, else that there are none."""
    from difflib import get_close_matches  # only who is wrong waits for it

    known = sorted(set(names))
    if not known:
        return "none is known"
    near = get_close_matches(abi_name(name), known, n=2, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(near)}?"
    shown = ", ".join(known[:12])
    return f"known: {shown}" + (" ..." if len(known) > 12 else "")
