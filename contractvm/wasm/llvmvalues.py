"""What a function's translation knows of values: the operand stack, locals, memory, gas in its register.

LLVM turns stack slots into registers; what is known here it need not find out: values of locals between writes, how far
beyond an address memory was found to reach, comparisons whose only use is a branch.
Source: WebAssembly core specification, sections 4.4.5 (locals) and 4.4.7 (memory). Never: control.
"""

from __future__ import annotations

from dataclasses import field
from typing import Final

from contractvm.dataclass import dataclass
from contractvm.native.context import OUT_OF_GAS, REPLAY
from contractvm.native.glue import COLD, TYPES, Lines
from contractvm.native.translation import Refused
from contractvm.wasm.llvmlayout import kinds
from contractvm.wasm.llvmmodule import ModuleFacts
from contractvm.wasm.module import FuncType
from contractvm.wasm.sections import Control

REFUND_LIMIT: Final = 1 << 32
_NO_REFUND: Final = frozenset((0, OUT_OF_GAS, REPLAY))
MOST_FACTS: Final = 48
"""Facts carried into a block; more are forgotten, so that copying them stays cheap."""

Value = tuple[str, str]
"""Name or literal, and its type: "i32", "i64" (references too), or "i1" for a comparison."""


@dataclass(slots=True)
class Facts:
    """What holds at a point of the code, until a label that can be reached otherwise."""

    locals: dict[int, str] = field(default_factory=dict)
    """Values of locals."""
    wide: dict[str, str] = field(default_factory=dict)
    """Addresses by the i32 they were widened from."""
    reach: dict[str, int] = field(default_factory=dict)
    """Bytes beyond an address that are known to lie in memory."""

    def copy(self) -> Facts:
        if len(self.locals) + len(self.wide) > MOST_FACTS:
            return Facts()
        return Facts(dict(self.locals), dict(self.wide), dict(self.reach))


@dataclass(slots=True)
class Open:
    """A block that is being translated."""

    number: int
    control: Control
    facts: Facts
    slots: list[str]
    """Where what a branch to it carries is put."""
    parameters: list[Value]
    """Of an `if`: what its other arm starts with."""
    written: int = 0
    """Locals written since its start, as bits."""


class Values(Lines):
    """The part of a body that every instruction stands on."""

    def __init__(self, module: ModuleFacts, index: int) -> None:
        super().__init__()
        self.module = module
        self.index = index
        self.function = module.compiled.function(index)
        self.type: FuncType = module.compiled.module.signature(index)
        self.plan = module.compiled.plan(index)
        self.results = kinds(self.type.results)
        self.types = [TYPES[kind] for kind in kinds(self.type.params + self.function.locals)]
        self.stack: list[Value] = []
        self.facts = Facts()
        self.at = 0
        """The instruction being translated."""
        self.open: list[Open] = []
        """Blocks around it, the innermost last."""
        self.gas: str | None = None
        """The register that holds the gas, where it is known."""
        self.base: str | None = None
        self.size: str | None = None
        self.grows = module.grows[index]
        self.slots: list[str] = []
        """Allocations of the entry block."""
        self.cold: list[str] = []
        """Blocks that are hardly ever entered, to stand at the end."""

    def slot(self, type_: str) -> str:
        name = self.name()
        self.slots.append(f" {name} = alloca {type_}")
        return name

    def push(self, name: str, type_: str) -> None:
        self.stack.append((name, type_))

    def pop(self) -> str:
        """Take the top value as a number."""
        name, type_ = self.stack.pop()
        return self.number(name, type_)

    def number(self, name: str, type_: str) -> str:
        return self.value(f"zext i1 {name} to i32") if type_ == "i1" else name

    def condition(self) -> str:
        """Take the top value, an i32, as an i1."""
        name, type_ = self.stack.pop()
        return name if type_ == "i1" else self.value(f"icmp ne i32 {name}, 0")

    def take(self, count: int) -> list[str]:
        """Take the top values, the deepest first."""
        if not count:
            return []
        values = [self.number(*value) for value in self.stack[-count:]]
        del self.stack[-count:]
        return values

    def memory(self) -> tuple[str, str]:
        """The memory's first address and its size in bytes."""
        if self.base is None or self.size is None:
            self.base, self.size = self.value("load ptr, ptr %mb"), self.value("load i64, ptr %ms")
        return self.base, self.size

    def drop(self) -> None:
        self.stack.pop()

    def gas_register(self) -> str:
        if self.gas is None:
            self.gas = self.value("load i64, ptr %g")
        return self.gas

    def _word(self, code: int, at: int | None) -> int:
        """What `rt.trap` is told: code, place, and the gas to give back."""
        refund = self.plan.refund[at] if code not in _NO_REFUND and at is not None else 0
        if refund >= REFUND_LIMIT:
            raise Refused(f"function {self.index} has a run that costs {refund} milligas")
        return code | (0 if at is None else at + 1) << 8 | refund << 32

    def trap_if(self, condition: str, code: int, entry: bool = False, flags: int = 0) -> None:
        """Trap at the current instruction (or before the first one) when an i1 holds; `flags` go with the place."""
        go = f"ok{self.names}"
        self.names += 1
        self.do(f"br i1 {condition}, label %t{go}, label %{go}, {COLD}")
        self.cold += [
            f"t{go}:",
            f" store i64 {self._word(code, None if entry else self.at) | flags << 8}, ptr %tw",
            " br label %trap",
        ]
        self.label(go)

    def load_memory(self) -> None:
        """Take the memory's place and size from the context."""
        if self.module.uses_memory[self.index]:
            self.base, self.size = self.get("base", "ptr"), self.get("size")
            if self.grows:
                self.do(f"store ptr {self.base}, ptr %mb")
                self.do(f"store i64 {self.size}, ptr %ms")

    def eqz(self, type_: str) -> None:
        name, kind = self.stack.pop()
        self.push(self.value(f"xor i1 {name}, true" if kind == "i1" else f"icmp eq {type_} {name}, 0"), "i1")

    # Locals.

    def local_get(self, n: int) -> None:
        known = self.facts.locals.get(n)
        if known is None:
            known = self.facts.locals[n] = self.value(f"load {self.types[n]}, ptr %l{n}")
        self.push(known, self.types[n])

    def local_set(self, n: int) -> None:
        value = self.pop()
        self.do(f"store {self.types[n]} {value}, ptr %l{n}")
        self.facts.locals[n] = value
        self.open[-1].written |= 1 << n
