"""The tiers that tests run on: every one the engine has, as far as this machine has what it needs.

A tier that is not here is skipped with its reason, never in silence. Never: decides for the engine what it can run.
"""

from __future__ import annotations

import importlib.util
import platform
import struct
import sys
from typing import TYPE_CHECKING

from contractvm.native.context import OFFSET
from contractvm.wasm.engine import TIERS
from contractvm.wasm.instance import Instance
from contractvm.wasm.native import native_linkage

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet
    from pytest import MarkDecorator

NATIVE = "native"
COUNTING = ("reference", "portable")
"""Tiers that can count instructions."""


def missing(tier: str) -> str | None:
    """Why a tier cannot be tried here; None when it can."""
    if tier != NATIVE:
        return None
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"):
        return f"the native tier is for Linux on x86-64 and aarch64, this is {sys.platform} on {platform.machine()}"
    if importlib.util.find_spec("llvmlite") is None:
        return "the native tier compiles with llvmlite, which is missing: pip install '.[native]'"
    return None


HERE = tuple(tier for tier in TIERS if missing(tier) is None)
"""Tiers that can be tried here, for tests that compare all of them."""


def hand_over(instance: Instance, milligas: int) -> None:
    """Let the native tier take so much gas at a time, if it runs the instance: it looks at signals after each slice."""
    linkage = native_linkage(instance)
    if linkage is not None:
        struct.pack_into("<Q", linkage.context, OFFSET["slice"], milligas)


def tier_parameters() -> list[ParameterSet]:
    """The engine's tiers as parameters; those that are not here are skipped with their reason.

    pytest is imported when asked, as processes without it read `HERE`.
    """
    import pytest

    reasons = {tier: missing(tier) for tier in TIERS}
    return [
        pytest.param(tier, marks=() if reason is None else pytest.mark.skip(reason=reason))
        for tier, reason in reasons.items()
    ]


def each_tier() -> MarkDecorator:
    """Parametrise a test over `tier`."""
    import pytest

    return pytest.mark.parametrize("tier", tier_parameters())
