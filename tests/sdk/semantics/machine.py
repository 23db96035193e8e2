"""The world of the oracle: contracts with storage and money, calls between them, and what a call from outside gives.

A call copies the world before it runs and puts the copy back when it reverts. Follows docs/language.md, "Functions",
"Fields" and "Other contracts". Never: gas, re-entry, or code that is no contract of the language.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from contractvm.crypto import keccak256
from tests.sdk.semantics.abi import reason
from tests.sdk.semantics.expressions import evaluate
from tests.sdk.semantics.frame import Call, EntryPlace, Frame, Instance, item
from tests.sdk.semantics.source import Field, Method, Module, linearised, read
from tests.sdk.semantics.statements import run
from tests.sdk.semantics.values import (
    IllTyped,
    Mapping,
    Reverted,
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

    @classmethod
    def of(cls, text: str, root: Path) -> Machine:
        return cls(read(text, root))

    # From outside, with plain values

    def deploy(self, name: str, *arguments: Any, sender: bytes, value: int = 0) -> bytes:
        """Raises: Reverted."""
        return self.guarded(lambda: self.create(name, list(arguments), sender, value))

    def execute(self, address: bytes, function: str, *arguments: Any, sender: bytes, value: int = 0) -> Any:
        """A function or a getter by the source's name; returns a plain value. Raises: Reverted."""
        return self.message(sender, address, function, list(arguments), value)

    def message(self, sender: bytes, to: bytes, function: str, given: list[Any], value: int) -> Any:
        """A call of a contract, from outside or another."""
        return plain(self.guarded(lambda: self.enter(to, function, given, Call(sender, value))))

    def guarded(self, act: Callable[[], T]) -> T:
        """Do it, or put everything back."""
        before = self.saved()
        self.depth += 1
        try:
            return act()
        except Reverted:
            self.restore(before)
            raise
        finally:
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
        address = keccak256(b"oracle" + self.created.to_bytes(8, "big"))[12:]
        instance = Instance(name, linearised(self.module, name), address, {})
        instance.storage = {one.name: default(one.type) for one in fields(instance) if "Const" not in one.marks}
        self.instances[address] = instance
        constructor = instance.method("__init__")
        if constructor is not None:
            self.pay(constructor, sender, address, value)
            self.invoke(instance, constructor, converted(constructor, given), {}, Call(sender, value))
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
        self.pay(method, call.sender, address, call.value)
        return self.invoke(instance, method, converted(method, given), {}, call)

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
        instance = self.instances.get(to)
        if instance is None:
            self.balances[sender] = self.balances.get(sender, 0) - amount
            self.balances[to] = self.balances.get(to, 0) + amount
            return
        method = instance.method("receive") or instance.method("fallback")
        if method is None:
            raise reason("unknown function")

        def receive() -> None:
            self.pay(method, sender, to, amount)
            self.invoke(instance, method, [], {}, Call(sender, amount))

        self.guarded(receive)

    def log(self, address: bytes, event: str, values: tuple[Any, ...]) -> None:
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
