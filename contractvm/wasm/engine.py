"""The bare engine: load, link and run any module of the profile, metered, on a tier of choice.

What the contract machine, `contractvm run` and the specification's test suite stand on.
Source: WebAssembly core specification, section 7.1 (embedding). Never: knows of chains or contracts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MethodType
from typing import Any

from contractvm.errors import Fatal
from contractvm.host import Host
from contractvm.machine import PageBudget
from contractvm.native.translation import Refused
from contractvm.nesting import RaisedRecursionLimit
from contractvm.rules import Rules, bare_rules
from contractvm.wasm import interpreter, native, portable
from contractvm.wasm.choice import TIERS
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.decode import decode
from contractvm.wasm.externs import Extern, Func, HostFunction
from contractvm.wasm.foundry import foundry
from contractvm.wasm.instance import Imported, Instance, not_entered
from contractvm.wasm.interpreter import Trace
from contractvm.wasm.link import resolve
from contractvm.wasm.mapped import NativeCode
from contractvm.wasm.validate import validate
from gas.meter import Meter

__all__ = ["PLENTY", "TIERS", "Engine"]

PLENTY = 1 << 40
"""Whole gas when nobody sets a limit: years of work."""


class Engine:
    """Loads and instantiates modules under some rules, on one tier."""

    def __init__(
        self, rules: Rules | None = None, tier: str = "portable", *, count: bool = False, trace: Trace | None = None
    ) -> None:
        """`count` makes the portable tier count instructions too; a `trace` needs the reference tier.

        Raises: ValueError for an unknown tier or a trace on another tier.
        """
        if tier not in TIERS:
            raise ValueError(f"no tier {tier!r}; there are: {', '.join(TIERS)}")
        if count and tier == "native":
            raise ValueError("the native tier counts no instructions")
        if trace is not None and tier != "reference":
            raise ValueError("a trace needs the reference tier")
        self.rules = rules or bare_rules()
        self.tier = tier
        self.count = count
        self.trace = trace
        self.refusals: list[Refused] = []
        """Why modules run on the portable tier though the native one was asked for."""

    def load(self, data: bytes) -> Compiled:
        """Decode and validate. Raises: Malformed, Invalid."""
        module = decode(data, self.rules)
        validate(module, self.rules)
        return Compiled(module, self.rules, self.count, data)

    def instantiate(
        self,
        compiled: Compiled,
        imports: Mapping[tuple[str, str], Extern] | None = None,
        meter: Meter | None = None,
        budget: PageBudget | None = None,
    ) -> Instance:
        """Link, allocate, write the segments, run the start function.

        Raises: Unlinkable, Trap, OutOfGas; ValueError when a function of another instance is offered that is on
        another meter or tier, or that a contract could import.
        """
        module, meter = compiled.module, meter or Meter(PLENTY)
        served: list[Imported] = []
        for wanted in module.imports:
            extern = resolve(module, wanted, imports or {})
            if isinstance(extern, Func):
                self._check_linked(extern, meter)
            served.append(extern.fn if isinstance(extern, HostFunction) else extern)
        instance = Instance(compiled, served, meter, budget)
        if self.tier != "reference":
            self._prepare(instance)
        instance.initialize()
        start = compiled.module.start
        if start is not None:
            self.call(instance.function(start), [])
        return instance

    def _prepare(self, instance: Instance) -> None:
        """Let the tier run the instance: what cannot be had natively stays on the portable one."""
        if self.tier == "native":
            try:
                code = instance.compiled.native or foundry().make(instance.compiled)
            except Refused as refusal:
                self.refusals.append(refusal)
                portable.prepare(instance, native.entered)
            else:
                self._prepare_native(instance, code)
        else:
            portable.prepare(instance)

    def _prepare_native(self, instance: Instance, code: NativeCode) -> None:
        """Compiled contracts hand their host to what they import; the functions given here are bound to theirs."""
        if not self.rules.contract:
            native.offer(instance, code)
            return
        functions = [_after_host(instance.function(n).host) for n in range(len(instance.imported))]
        linkage = native.prepare(instance, code, functions)
        if code.layout.facts:
            linkage.serve(_one_host(instance))

    def _check_linked(self, function: Func, meter: Meter) -> None:
        """Raises: ValueError when this tier cannot call a function of another instance, or cannot price it."""
        other = function.instance
        if self.rules.contract:
            raise ValueError("under a contract's rules a module imports functions of the host alone")
        if other is not None and other.meter is not meter:
            raise ValueError("instances that link with one another must share a meter")
        if other is not None and (other.enter is not_entered) != (self.tier == "reference"):
            raise ValueError("instances that link with one another must be on one tier")

    def invoke(self, instance: Instance, name: str, operands: Sequence[Any] = ()) -> list[Any]:
        """Call an exported function. Operands and results are bit patterns, non-negative.

        Raises: KeyError when there is no such function, ValueError for the wrong number of operands, Trap, OutOfGas.
        """
        function = instance.exported_function(name)
        if len(operands) != len(function.type.params):
            raise ValueError(f"{name!r} takes {len(function.type.params)} operands, {len(operands)} given")
        return self.call(function, list(operands))

    def call(self, function: Func, operands: list[Any]) -> list[Any]:
        """Call a function with the rules' whole stack weight. Raises: Trap, OutOfGas."""
        weight = self.rules.limits.stack_weight
        with RaisedRecursionLimit():
            if self.tier == "reference":
                return interpreter.run(function, operands, weight, self.trace)
            if self.tier == "native":
                return native.run(function, operands, weight)
            return portable.run(function, operands, weight)


def _one_host(instance: Instance) -> Host:
    """The host whose frame a compiled contract reads. Raises: ValueError when its imports are not one host's."""
    hosts = [function.__self__ if isinstance(function, MethodType) else None for function in instance.imported]
    if isinstance(hosts[0], Host) and all(host is hosts[0] for host in hosts):
        return hosts[0]
    raise ValueError("a compiled contract reads facts of its frame: its imports must be functions of one Host")


def _after_host(function: Callable[..., Any] | None) -> Callable[..., Any]:
    """A bound function of the host, called with a host in front of its operands."""
    if function is None:
        raise Fatal("a contract's import is a function of the host")
    return lambda _, *operands: function(*operands)
