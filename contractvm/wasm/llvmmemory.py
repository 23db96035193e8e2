"""LLVM IR of loads and stores, with one bounds check for several accesses where that says the same.

An address is checked once for all that one run accesses off it: the first check asks for the farthest. Where it fails,
the run's own order decides which access traps, and what was stored before it; `replay` finds out, so that neither the
trap nor its gas nor memory differs from the other tiers. Accesses at constant addresses in what every instance starts
with, and those that an earlier check vouches for, are not checked.
Source: WebAssembly core specification, section 4.4.7. Never: a check that is left out because it probably holds.
"""

from __future__ import annotations

from typing import Final

from contractvm.dataclass import dataclass
from contractvm.native.context import MEMORY as TRAP_MEMORY
from contractvm.native.context import REPLAY, REPLAY_WORDS, SPILL, WORD
from contractvm.native.glue import COLD, CONTEXT, MEMORY
from contractvm.wasm import llvmops
from contractvm.wasm.llvmmodule import ModuleFacts
from contractvm.wasm.llvmvalues import Value, Values
from contractvm.wasm.replay import SPAN, header, locals_read

COALESCE: Final = 2
"""Checks off one address that are worth being one."""


@dataclass(slots=True)
class Check:
    """A check whose text is written when its run has been read: at line `hole`, for instruction `at`.

    `reach` bytes beyond the address must lie in memory, whose size is the value `size`.
    """

    at: int
    hole: int
    reach: int
    size: str


@dataclass(slots=True)
class Group:
    """The checks of one run off one address; `stack` is what the operand stack held before the first access."""

    wide: str
    checks: list[Check]
    stack: list[Value]


class Memory(Values):
    """The part of a body that accesses memory."""

    def __init__(self, module: ModuleFacts, index: int) -> None:
        super().__init__(module, index)
        self.groups: dict[str, Group] = {}
        """Checks of the run being read, by address."""

    def access(self, name: str, width: int, load: bool, offset: int) -> None:
        """A load or a store."""
        type_, how = name[:3], name.split(".")[1]
        before = list(self.stack) if len(self.stack) < REPLAY_WORDS else []
        stored = "" if load else self.pop()
        pointer = self._address(self.pop(), offset, width, before)
        narrow = f"i{8 * width}"
        if load:
            value = self.value(f"load {narrow}, ptr {pointer}, align 1, {MEMORY}")
            if narrow != type_:
                value = self.value(f"{'sext' if how.endswith('_s') else 'zext'} {narrow} {value} to {type_}")
            self.push(value, type_)
            return
        if narrow != type_:
            stored = self.value(f"trunc {type_} {stored} to {narrow}")
        self.do(f"store {narrow} {stored}, ptr {pointer}, align 1, {MEMORY}")

    def _address(self, pointer: str, offset: int, width: int, before: list[Value]) -> str:
        """Where `width` bytes at a wasm address are; that they lie in memory is checked here or was before."""
        base, size = self.memory()
        known = llvmops.constant(pointer)
        if known is not None:
            at = (known & 0xFFFF_FFFF) + offset
            if at + width > self.module.least_bytes:
                self.trap_if(self.value(f"icmp ult i64 {size}, {at + width}"), TRAP_MEMORY)
            return self.value(f"getelementptr i8, ptr {base}, i64 {at}")
        facts, reach = self.facts, offset + width
        wide = facts.wide.get(pointer)
        if wide is None:
            wide = facts.wide[pointer] = self.value(f"zext i32 {pointer} to i64")
        if facts.reach.get(pointer, 0) < reach:
            facts.reach[pointer] = reach
            group = self.groups.get(pointer)
            if group is None or self.at - group.checks[0].at > SPAN:
                if group is not None:
                    self._write(group)
                group = self.groups[pointer] = Group(wide, [], before)
            group.checks.append(Check(self.at, len(self.out), reach, size))
            self.out.append("")
        at_ = self.value(f"add nuw nsw i64 {wide}, {offset}") if offset else wide
        return self.value(f"getelementptr i8, ptr {base}, i64 {at_}")

    def settle(self) -> None:
        """Write the checks of the run that has ended."""
        for group in self.groups.values():
            self._write(group)
        self.groups.clear()

    def _write(self, group: Group) -> None:
        checks = group.checks
        saved = self._saved(group) if len(checks) >= COALESCE else None
        if saved is None:
            for check in checks:
                self._check(group, check, check.reach, [f" store i64 {self._word(TRAP_MEMORY, check.at)}, ptr %tw"])
        else:
            self._check(group, checks[0], checks[-1].reach, saved)

    def _check(self, group: Group, check: Check, reach: int, failing: list[str]) -> None:
        """Write a check into its hole, and what is done when it fails."""
        end, beyond, go = self.name(), self.name(), f"m{check.hole}"
        compared = f"icmp ugt i64 {end}"
        if reach == 1:
            end, compared = "", f"icmp uge i64 {group.wide}"  # saves the addition
        self.out[check.hole] = (
            (f" {end} = add nuw nsw i64 {group.wide}, {reach}\n" if end else "")
            + f" {beyond} = {compared}, {check.size}\n"
            + f" br i1 {beyond}, label %t{go}, label %{go}, {COLD}\n"
            + f"{go}:"
        )
        self.cold += [f"t{go}:", *failing, " br label %trap"]

    def _saved(self, group: Group) -> list[str] | None:
        """The text that leaves what `replay` needs when a group's one check fails; None when that is too much."""
        first, last = group.checks[0], group.checks[-1]
        if not group.stack or not self.module.numbers_only:
            return None
        locals_ = locals_read(self.function.code, first.at, last.at)
        if 1 + len(group.stack) + len(locals_) > REPLAY_WORDS:
            return None
        lines: list[str] = []
        values = [("i64", str(header(last.at, len(group.stack))))]
        values += [(type_, value) for value, type_ in group.stack]
        for n in locals_:
            name = self.name()
            lines.append(f" {name} = load {self.types[n]}, ptr %l{n}")
            values.append((self.types[n], name))
        for n, (type_, value) in enumerate(values):
            if type_ != "i64":
                wide = self.name()
                lines.append(f" {wide} = zext {type_} {value} to i64")
                value = wide
            slot = self.name()
            lines.append(f" {slot} = getelementptr i8, ptr %ctx, i64 {SPILL + WORD * n}")
            lines.append(f" store i64 {value}, ptr {slot}, {CONTEXT}")
        lines.append(f" store i64 {self._word(REPLAY, first.at)}, ptr %tw")
        return lines
