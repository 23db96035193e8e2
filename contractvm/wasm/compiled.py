"""A module made ready to run: decoded once, analysed function by function when first needed, shared by its instances.

Never: state of an instance. What is kept here is a function of the code and the rules alone.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from contractvm.dataclass import dataclass
from contractvm.errors import Place
from contractvm.rules import Rules
from contractvm.wasm.beginning import Beginning, beginning
from contractvm.wasm.module import TYPE_NAMES, Function, FuncType, Module
from contractvm.wasm.sections import Plan, plan, prices

if TYPE_CHECKING:
    from contractvm.wasm.flat import Flat
    from contractvm.wasm.mapped import NativeCode
    from contractvm.wasm.pygen import Generated


def signature_key(type_: FuncType) -> str:
    """A short text that two function types share exactly when they are equal: what `call_indirect` compares."""
    return ",".join(TYPE_NAMES[t] for t in type_.params) + ">" + ",".join(TYPE_NAMES[t] for t in type_.results)


@dataclass(frozen=True, slots=True)
class DynamicPrices:
    """Milligas for what depends on operands."""

    page: int
    byte: int
    entry: int

    @classmethod
    def of(cls, rules: Rules) -> DynamicPrices:
        milli = rules.schedule.milli
        return cls(milli("wasm.page"), milli("wasm.bulk_byte"), milli("wasm.table_entry"))


@dataclass(slots=True)
class Compiled:
    """A valid module under some rules, with what the tiers derived from it so far."""

    module: Module
    rules: Rules
    count: bool = False
    """Whether the portable tier's code also counts instructions."""
    code: bytes = b""
    """The module's bytes, where it may be compiled."""
    price: dict[int, int] = field(default_factory=dict)
    dynamic: DynamicPrices = field(init=False)
    plans: dict[int, Plan] = field(default_factory=dict)
    flat: dict[int, Flat] = field(default_factory=dict)
    """The reference tier's form of each function met."""
    generated: dict[int, Generated] = field(default_factory=dict)
    """The portable tier's form of each function met."""
    namespace: dict[str, object] = field(default_factory=dict)
    """Globals of the portable tier's functions."""
    native: NativeCode | None = None
    """The native tier's form of the module, when it is ready."""
    asked: bool = False
    """Whether the native form was looked for, and is not to be again."""
    ordered: bool = False
    """Whether its compilation was asked for, or is known to be in vain."""
    heat: int = 0
    """Milligas used on the portable tier while the native form was not there."""
    beginning: Beginning = field(init=False)
    keys: list[str] = field(default_factory=list)
    """`signature_key` of every type."""

    def __post_init__(self) -> None:
        self.price = prices(self.rules)
        self.dynamic = DynamicPrices.of(self.rules)
        self.beginning = beginning(self.module)
        self.keys = [signature_key(type_) for type_ in self.module.types]

    def plan(self, function: int) -> Plan:
        """The analysis of a defined function, by its index in the whole index space."""
        found = self.plans.get(function)
        if found is None:
            found = self.plans[function] = plan(self.module, function, self.price)
        return found

    def function(self, index: int) -> Function:
        """A defined function, by its index in the whole index space."""
        return self.module.functions[index - self.module.imported_functions]

    def place(self, index: int, at: int | None) -> Place:
        """Where instruction `at` of a defined function is in the module; for None, the function's first byte."""
        function = self.function(index)
        offset = function.offset if at is None else function.code.offsets[at]
        return Place(offset, index, self.module.names.get(index))
