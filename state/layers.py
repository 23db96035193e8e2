"""What snapshots of a store in memory keep of the past: layers of old values, one for each moment that somebody holds.

A layer saves what keys held before they were first written after its moment; the layers of later moments follow it.
When nobody holds a moment any more, but an earlier one, its layer is joined to the one before: old values are kept
once, and keys that came and went in between not at all. The store's lock guards every change.
"""

from collections.abc import Callable
from typing import Final
from weakref import ref

MISSING: Final = b"missing"
"""Stands for a key that a layer does not have; told from a value of the same bytes by identity."""


class Holder:
    """What the snapshots of one moment share, and a layer knows whether it is still there."""

    __slots__ = ("__weakref__", "layer")

    def __init__(self, layer: "Layer") -> None:
        self.layer = layer


class Layer:
    """What the keys written since one moment held before; `next` is the layer of the next moment."""

    __slots__ = ("__weakref__", "_holder", "_older", "next", "saved")

    def __init__(self, older: "Layer | None") -> None:
        """Follow the youngest layer, if there is one."""
        self.saved: dict[bytes, bytes | None] = {}
        self.next: Layer | None = None
        self._holder: ref[Holder] | None = None
        self._older = None if older is None else ref(older)
        if older is not None:
            older.next = self

    def hold(self) -> Holder:
        """Return what keeps this layer, shared by whoever holds its moment."""
        holder = None if self._holder is None else self._holder()
        if holder is None:
            holder = Holder(self)
            self._holder = ref(holder)
        return holder

    def held(self) -> bool:
        """Return whether somebody holds its moment, and not only an earlier one."""
        return self._holder is not None and self._holder() is not None

    def older(self) -> "Layer | None":
        """Return the layer before, None when nobody holds that or an earlier one."""
        return None if self._older is None else self._older()

    def join(self, layer: "Layer", absent: Callable[[bytes], bool]) -> None:
        """Take over what the next layer saved, and follow on with the one after it.

        Args:
            layer: the next one, whose moment nobody holds.
            absent: whether a key is not in the store now.
        """
        saved, after = self.saved, layer.next
        for key, value in layer.saved.items():
            first = saved.setdefault(key, value)
            if first is None and absent(key) and not _saves(after, key):
                del saved[key]  # it was not there then, and is not now
        self.next = after
        if after is not None:
            after._older = ref(self)


def _saves(layer: Layer | None, key: bytes) -> bool:
    while layer is not None:
        if key in layer.saved:
            return True
        layer = layer.next
    return False
