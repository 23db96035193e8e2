"""Lists and large arrays in storage: every item lies under the key and its index, a list's length under the key.

Source: `sdk.compiler.layout`; docs/language.md, "List and Array" for Panic 0x31. Never: evaluates a place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias

from contractvm.dataclass import dataclass
from contractvm.wasm.module import I32, I64
from sdk.compiler import layout
from sdk.compiler.back import slots, storage_entry, storage_values
from sdk.compiler.back.operand import Held
from sdk.compiler.back.storage_keys import FixedIndex, Index, Key
from sdk.compiler.back.writer import ALLOCATE, Writer
from sdk.compiler.types import Array, Int, List, Type

EMPTY: Final = 0x31
"""The panic of `pop` of an empty list."""
FULL: Final = 0x41
"""The panic of a list of 2^32 items."""
LENGTH: Final = Int(32)


@dataclass(frozen=True, slots=True)
class Entry:
    """A value that is one entry of storage."""

    w: Writer
    key: Key
    type: Type

    def load(self) -> None:
        storage_entry.load(self.w.b, self.key, self.type)

    def store(self) -> None:
        with self.w.spilled(self.type) as locals_:
            storage_entry.save(self.w.b, self.key, self.type, Held(locals_))

    def delete(self) -> None:
        storage_entry.remove(self.w.b, self.key)


@dataclass(frozen=True, slots=True)
class Items:
    """A list, or an array that is no entry."""

    w: Writer
    key: Key
    type: List | Array

    @contextmanager
    def item(self, index: int | FixedIndex) -> Iterator[Whole]:
        """The item at an index that is in range, an i64 in a local."""
        key = self.key.plus(index if isinstance(index, FixedIndex) else Index(index))
        yield whole(self.w, key, self.type.item)
        key.free()

    def length(self) -> None:
        """Push the length, an i64."""
        if isinstance(self.type, Array):
            self.w.b.i64(self.type.length)
        else:
            storage_entry.load(self.w.b, self.key, LENGTH)

    def _set_length(self, local: int) -> None:
        storage_entry.save(self.w.b, self.key, LENGTH, Held((local,)))

    def load(self) -> None:
        """Push a fresh object."""
        b, item = self.w.b, self.type.item
        with b.temporaries(I32, I32, I64, I64) as (header, place, at, count):
            self.length()
            b.set(count)
            if isinstance(self.type, List):
                with b.temporaries(I32) as (short,):
                    b.get(count)
                    b.op("i32.wrap_i64")
                    b.set(short)
                    storage_values.fresh_list(b, item, short, header, place)
            else:
                b.i32(slots.object_bytes(self.type))
                b.call(ALLOCATE)
                b.tee(header)
                b.set(place)

            def step() -> None:
                with self.item(at) as one:
                    one.load()
                slots.put(b, slots.slots(item), place)
                storage_values.advance(b, place, slots.size(item))

            b.i64(0)
            b.set(at)
            self._each(at, count, step)
            b.get(header)

    def store(self) -> None:
        """Pop an object; items that were there behind its end are removed."""
        b, item = self.w.b, self.type.item
        with b.temporaries(I32, I64, I64, I64) as (place, at, count, before):
            b.set(place)
            self.length()
            b.set(before)
            if isinstance(self.type, List):
                b.get(place)
                b.load("i64.load32_u", slots.LIST_LENGTH)
                b.set(count)
                self._set_length(count)
                b.get(place)
                b.load("i32.load", slots.LIST_ITEMS)
                b.set(place)
            else:
                b.get(before)
                b.set(count)

            def step() -> None:
                slots.load(b, slots.slots(item), place)
                with self.item(at) as one:
                    one.store()
                storage_values.advance(b, place, slots.size(item))

            b.i64(0)
            b.set(at)
            self._each(at, count, step)
            if isinstance(self.type, List):
                self._each(at, before, lambda: self._delete(at))

    def delete(self) -> None:
        b = self.w.b
        with b.temporaries(I64, I64) as (at, count):
            self.length()
            b.set(count)
            b.i64(0)
            b.set(at)
            self._each(at, count, lambda: self._delete(at))
            if isinstance(self.type, List):
                storage_entry.remove(b, self.key)

    def _delete(self, at: int) -> None:
        with self.item(at) as one:
            one.delete()

    def _each(self, at: int, count: int, step: Callable[[], None]) -> None:
        """Do a step while `at` is below `count`, both i64 in locals."""
        b = self.w.b
        with b.block() as done, b.loop() as again:
            b.get(at, count)
            b.op("i64.ge_u")
            b.br_if(done)
            step()
            b.get(at)
            b.i64(1)
            b.op("i64.add")
            b.set(at)
            b.br(again)

    def append(self, value: Callable[[], None]) -> None:
        """Put what `value` pushes behind the last item."""
        b = self.w.b
        with b.temporaries(I64) as (at,):
            value()
            self.length()
            b.set(at)
            with self.item(at) as one:
                one.store()
            b.get(at)
            b.i64(1)
            b.op("i64.add")
            b.tee(at)
            b.i64(32)
            b.do("i64.shr_u", "i64.eqz", "i32.eqz")
            self.w.panic_if(FULL)
            self._set_length(at)

    def pop(self) -> None:
        """Take the last item off and push it."""
        b = self.w.b
        with b.temporaries(I64) as (at,):
            self.length()
            b.tee(at)
            b.op("i64.eqz")
            self.w.panic_if(EMPTY)
            b.get(at)
            b.i64(1)
            b.op("i64.sub")
            b.set(at)
            self._set_length(at)
            with self.item(at) as one:
                one.load()
                one.delete()


Whole: TypeAlias = Entry | Items


def whole(w: Writer, key: Key, type_: Type) -> Whole:
    """What lies under a key."""
    if isinstance(type_, (List, Array)) and not layout.is_entry(type_):
        return Items(w, key, type_)
    return Entry(w, key, type_)
