"""From a typed tree to a cheaper one that means the same.

`optimise` is the door; each pass is a module. Never: generates code, or reports anything.
"""

from __future__ import annotations

from sdk.compiler.optimise.passes import optimise

__all__ = ["optimise"]
