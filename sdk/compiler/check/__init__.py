"""From declarations to the typed tree: names, types, flow, aliases, effects; every rule of the language.

`check_contract` is the door; `python -m sdk.compiler.check FILE` prints the tree.
Source: docs/language.md. Never: parses, or generates code.
"""

from __future__ import annotations

from sdk.compiler.check.program import check_contract

__all__ = ["check_contract"]
