"""The world of the oracle: contracts with storage and money, calls between them, and what a call from outside gives.

A call copies the world before it runs and puts the copy back when it reverts; a static one must leave it as it was.
Follows docs/language.md, "Functions", "Fields" and "Other contracts". Never: gas, or code that is no contract of the
language.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from contractvm.crypto import keccak256
from tests.sdk.semantics import wire
from tests.sdk.semantics.abi import reason
from tests.sdk.semantics.expressions import evaluate
from tests.sdk.semantics.frame import Call, EntryPlace, Frame, Instance, item
from tests.sdk.semantics.source import Field, Method, Module, linearised, read
from tests.sdk.semantics.statements import run
from tests.sdk.semantics.values import (
    IllTyped,
    Mapping,
    NotLetIn,
    Reverted,
    TupleT,
    coerce,
    copied,
    default,
    from_plain,
    plain,
)

T = TypeVar("T")


@dataclass
class Log:
    address: bytes
    event: str
    values: tuple[Any, ...]


@dataclass
class Machine:
    """A world of contracts of one module."""

    module: Module
    instances: dict[bytes, Instance] = field(default_factory=dict)
    balances: dict[bytes, int] = field(default_factory=dict)
    logs: list[Log] = field(default_factory=list)
    timestamp: int = 0
    number: int = 0
    created: int = 0
    depth: int = 0
    static: bool = False
    """Whether nothing may change."""
    writes: int = 0
    """What did, or would have."""
    waiting: list[tuple[bytes, bool]] = field(default_factory=list)
    """Contracts that have called out, and whether they may be called meanwhile."""
    locked: list[bytes] = field(default_factory=list)
    """Contracts in which a nonreentrant function runs."""

    @classmethod
    def of(cls, text: str, root: Path) -> Machine:
        return cls(read(text, root))

    # From outside, with plain values

    def deploy(self, name: str, *arguments: Any, sender: bytes, value: int = 0) -> bytes:
        """Raises: Reverted."""
        return self.guarded(lambda: self.create(name, list(arguments), sender, value))

    def execute(self, address: bytes, function: str, *arguments: Any, sender: bytes, value: int = 0) -> Any:
        """A function or a getter by the source's name; returns a plain value. Raises: Reverted."""
        entry = next(
            one
            for one in wire.entries(self.instances[address].order)
            if one.name == function and len(one.types) == len(arguments)
        )
        data = entry.selector + wire.outputs(TupleT(entry.types), arguments)
        call = Call(sender, value, data, sender)

        def enter() -> Any:
            return self.enter(address, function, list(arguments), call)

        return plain(self.calling(enter, call, address, False, False))

    def raw(self, call: Call, to: bytes, kind: str, reentry: bool, storage: Instance) -> bytes:
        """A call as bytes, from outside or from `storage`, which a delegate call changes. Raises: Reverted."""
        if kind != "delegate" and call.value > self.balances.get(call.sender, 0):
            raise Reverted(b"")
        if to not in self.instances:
            return self.calling(lambda: self.nobody(call, to), call, to, reentry, kind == "static")
        if kind != "delegate":
            return self.calling(lambda: self.answer(self.instances[to], call), call, to, reentry, kind == "static")
        return self.guarded(lambda: self.delegated(storage, self.instances[to], call))

    def calling(self, act: Callable[[], T], call: Call, to: bytes, reentry: bool, static: bool) -> T:
        """What a contract waits for, unless the other is waiting itself and lets nobody in."""
        if any(address == to and not open_ for address, open_ in self.waiting):
            raise NotLetIn
        self.waiting.append((call.sender, reentry))
        try:
            return self.guarded(act, static)
        finally:
            self.waiting.pop()

    def nobody(self, call: Call, to: bytes) -> bytes:
        """An address without code takes money, and no input. Raises: Reverted."""
        if call.data or call.value > self.balances.get(call.sender, 0):
            raise Reverted(b"")
        self.balances[call.sender] = self.balances.get(call.sender, 0) - call.value
        self.balances[to] = self.balances.get(to, 0) + call.value
        return b""

    def delegated(self, storage: Instance, other: Instance, call: Call) -> bytes:
        """The other's code on the fields that are called the same in classes that are called the same."""
        mine = {(cls.name, name) for cls in storage.order for name in cls.fields}
        shared = [one.name for cls in other.order for one in cls.fields.values() if (cls.name, one.name) in mine]
        guest = Instance(other.name, other.order, storage.address, dict(other.storage))
        guest.storage = {one.name: default(one.type) for one in fields(guest) if "Const" not in one.marks}
        guest.storage |= {name: storage.storage[name] for name in shared if name in storage.storage}
        result = self.answer(guest, call, paid=True)
        storage.storage |= {name: guest.storage[name] for name in shared if name in guest.storage}
        return result

    def answer(self, instance: Instance, call: Call, paid: bool = False) -> bytes:
        """What a contract answers to an input. Raises: Reverted."""
        entry = wire.asked(instance, call.data)
        if entry is not None:
            method = instance.method(entry.name)
            if method is None:
                if call.value:
                    raise reason("not payable")
                return wire.outputs(
                    entry.returns, plain(self.getter(instance, entry.name, wire.given(entry.types, call.data[4:])))
                )
            if call.value and "payable" not in method.decorators:
                raise reason("not payable")
            values = wire.given(entry.types, call.data[4:])
            return wire.outputs(entry.returns, plain(self.run_external(instance, method, values, call, paid)))
        method = (instance.method("receive") if not call.data else None) or instance.method("fallback")
        if method is None:
            raise reason("not payable" if call.value and not self.takes_value(instance) else "unknown function")
        given = [call.data] if len(method.node.args.args) > 1 else []
        result = self.run_external(instance, method, given, call, paid)
        return bytes(result) if isinstance(result, bytes) else b""

    def takes_value(self, instance: Instance) -> bool:
        """Whether some function takes value: if none does, it is refused before anything is looked for."""
        methods = [method for cls in instance.order for name, method in cls.methods.items() if name != "__init__"]
        return any("payable" in method.decorators for method in methods)

    def run_external(self, instance: Instance, method: Method, given: list[Any], call: Call, paid: bool) -> Any:
        """A function that is entered from outside: with its money, and not again if it is nonreentrant."""
        if not paid:
            self.pay(method, call.sender, instance.address, call.value)
        nonreentrant = "nonreentrant" in method.decorators
        if nonreentrant and instance.address in self.locked:
            raise reason("reentrant call")
        before = list(self.locked)
        self.locked += [instance.address] if nonreentrant else []
        try:
            return self.invoke(instance, method, converted(method, given), {}, call)
        finally:
            self.locked = before

    def guarded(self, act: Callable[[], T], static: bool = False) -> T:
        """Do it, or put everything back. What changes something in a static call is undone without a reason."""
        before, outer, writes = self.saved(), self.static, self.writes
        self.depth += 1
        self.static = static or outer
        try:
            result = act()
            if self.static and self.writes != writes:
                raise Reverted(b"")
            return result
        except Reverted as refused:
            self.restore(before)
            if self.static and self.writes != writes:
                raise Reverted(b"") from refused
            raise
        finally:
            self.writes = writes if self.static else self.writes
            self.static = outer
            self.depth -= 1
            if self.depth == 0:
                self.forget_transient()

    def saved(self) -> tuple[Any, ...]:
        storages = {
            address: {name: copied(value) for name, value in instance.storage.items()}
            for address, instance in self.instances.items()
        }
        return dict(self.instances), storages, dict(self.balances), list(self.logs), self.created

    def restore(self, saved: tuple[Any, ...]) -> None:
        self.instances, storages, self.balances, self.logs, self.created = saved
        for address, storage in storages.items():
            self.instances[address].storage = storage

    def forget_transient(self) -> None:
        for instance in self.instances.values():
            for one in fields(instance):
                if "Transient" in one.marks:
                    instance.storage[one.name] = default(one.type)

    # Inside

    def create(self, name: str, given: list[Any], sender: bytes, value: int) -> bytes:
        """A new contract; arguments are plain. Raises: Reverted."""
        self.created += 1
        self.writes += 1
        address = keccak256(b"oracle" + self.created.to_bytes(8, "big"))[12:]
        instance = Instance(name, linearised(self.module, name), address, {})
        instance.storage = {one.name: default(one.type) for one in fields(instance) if "Const" not in one.marks}
        self.instances[address] = instance
        constructor = instance.method("__init__")
        if constructor is not None:
            self.pay(constructor, sender, address, value)
            self.waiting.append((sender, False))
            try:
                self.invoke(instance, constructor, converted(constructor, given), {}, Call(sender, value, b"", sender))
            finally:
                self.waiting.pop()
        elif value:
            raise reason("not payable")
        return address

    def enter(self, address: bytes, function: str, given: list[Any], call: Call) -> Any:
        """A contract's external function, or getter, with plain arguments."""
        instance = self.instances.get(address)
        if instance is None:
            raise Reverted(b"")
        method = instance.method(function)
        if method is None:
            if call.value:
                raise reason("not payable")
            return self.getter(instance, function, given)
        if "external" not in method.decorators:
            raise IllTyped(f"{function} is not external")
        return self.run_external(instance, method, given, call, paid=False)

    def pay(self, method: Method, sender: bytes, to: bytes, value: int) -> None:
        """Money that comes with a call. Raises: Reverted where none is taken, or there is none."""
        if value and "payable" not in method.decorators:
            raise reason("not payable")
        if value > self.balances.get(sender, 0):
            raise Reverted(b"")
        self.balances[sender] = self.balances.get(sender, 0) - value
        self.balances[to] = self.balances.get(to, 0) + value

    def invoke(self, instance: Instance, method: Method, given: list[Any], named: dict[str, Any], call: Call) -> Any:
        """A function of a contract, with values."""
        return run(Frame(self, instance, method, call), given, named)

    def getter(self, instance: Instance, name: str, keys: list[Any]) -> Any:
        """A public field, walked into with plain keys and indices."""
        found = next(one for one in fields(instance) if one.name == name and "Public" in one.marks)
        if "Const" in found.marks:
            assert found.value is not None
            nowhere = ast.parse("def getter() -> None: ...").body[0]
            assert isinstance(nowhere, ast.FunctionDef)
            owner = next(cls.name for cls in instance.order if name in cls.fields)
            frame = Frame(self, instance, Method(nowhere, self.module, owner), Call(bytes(20), 0))
            return coerce(evaluate(frame, found.value), found.type)
        value = instance.storage[name]
        for key in keys:
            if isinstance(value, Mapping):
                value = EntryPlace(value, from_plain(key, value.type.key)).get()
            else:
                value = item(value, key)
        return value

    def transfer(self, sender: bytes, to: bytes, amount: int) -> None:
        """`send`: runs the recipient, if it is a contract. Raises: Reverted."""
        if amount > self.balances.get(sender, 0):
            raise Reverted(b"")
        call = Call(sender, amount, b"", sender)
        self.raw(call, to, "call", False, self.instances.get(sender) or Instance("", [], sender, {}))

    def log(self, address: bytes, event: str, values: tuple[Any, ...]) -> None:
        self.writes += 1
        self.logs.append(Log(address, event, values))


def fields(instance: Instance) -> list[Field]:
    """Of all its classes."""
    return [one for cls in instance.order for one in cls.fields.values()]


def converted(method: Method, given: list[Any]) -> list[Any]:
    """Plain arguments as values of the parameters' types. Raises: Reverted for what is no such value."""
    parameters = [one for one in method.node.args.args if one.arg != "self"]
    values = []
    for parameter, argument in zip(parameters, given, strict=False):
        assert parameter.annotation is not None
        values.append(from_plain(argument, method.module.type(parameter.annotation)))
    return values
