"""The decorator of every fact in `contractvm` and `sdk`; `state`, which imports nothing of ours, has it.

Never: anything of its own.
"""

from __future__ import annotations

from state.dataclass import dataclass

__all__ = ["dataclass"]
