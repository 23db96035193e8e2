"""A deployed contract as a test holds it: its functions are attributes, called as Python's are.

    token.balance_of(alice)                      # a view answers without a transaction
    token.transfer(bob, 5, sender=alice)         # a function that writes is sent; its decoded value comes back
    token.transfer.tx(bob, 5).gas_used           # the same, for the receipt
    token["mint(uint256)"](5)                    # by signature: an overload, or what no interface declares

Never: knows a function that its interface does not declare, but by its signature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contractvm.types import Address
from sdk.abi import ABIError, Function, Value
from sdk.interface import Interface
from sdk.testing.names import did_you_mean, find
from sdk.testing.receipt import Receipt

if TYPE_CHECKING:
    from sdk.testing.chain import MockChain


class UnknownFunction(ABIError, AttributeError):
    """A contract has no function of this name; the text says which it may have been."""


class Deployed:
    """A contract at an address. Of what is not a function it has `address`, `chain` and `interface`."""

    __slots__ = ("_bound", "address", "chain", "interface")

    def __init__(self, chain: MockChain, address: Address, interface: Interface) -> None:
        self.chain = chain
        self.address = address
        self.interface = interface
        self._bound: dict[str, Bound] = {}

    def __getattr__(self, name: str) -> Bound:
        if name.startswith("_"):
            raise AttributeError(name)
        bound = self._bound.get(name) or self._bind(name)
        self._bound[name] = bound
        return bound

    def __getitem__(self, function: str) -> Bound:
        """A function by signature, `f(uint256)(bool)`, or by name. Raises: UnknownFunction, ABIError."""
        if "(" not in function:
            return self._bind(function)
        wanted = Function.parse(function)
        declared = [known for known in map(Function.parse, self.interface.functions) if known.text == wanted.text]
        return Bound(self, wanted.name, (wanted if wanted.outputs or not declared else declared[0],))

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(Function.parse(text).name for text in self.interface.functions)})

    def __repr__(self) -> str:
        return self.chain.label_of(self.address)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Deployed) and (other.address, other.chain) == (self.address, self.chain)

    def __hash__(self) -> int:
        return hash(self.address)

    def _bind(self, name: str) -> Bound:
        declared = [Function.parse(text) for text in self.interface.functions]
        found = find(name, (function.name for function in declared))
        if found is None:
            hint = did_you_mean(name, (function.name for function in declared))
            raise UnknownFunction(f"{self!r} has no function {name!r}; {hint}. By signature: c['{name}(types)'](...)")
        return Bound(self, found, tuple(function for function in declared if function.name == found))


class Bound:
    """A function of a contract, with its overloads."""

    __slots__ = ("_contract", "_name", "_overloads")

    def __init__(self, contract: Deployed, name: str, overloads: tuple[Function, ...]) -> None:
        self._contract = contract
        self._name = name
        self._overloads = overloads

    def __repr__(self) -> str:
        return f"{self._contract!r}.{self._name}"

    def __call__(
        self, *arguments: Value, sender: Value = None, value: int = 0, gas: int | None = None, **named: Value
    ) -> Any:
        """Call a view, or send a transaction to a function that writes; return the decoded value.

        Raises: ABIError, CallFailed, Rejected.
        """
        __tracebackhide__ = True  # for pytest: a failure is the test's
        function, arguments = self._choose(arguments, named)
        chain, contract = self._contract.chain, self._contract
        if function.reads_only:
            return chain.invoke_view(contract, function, arguments, sender, value, gas)
        return chain.invoke(contract, function, arguments, sender, value, gas).value

    def tx(
        self, *arguments: Value, sender: Value = None, value: int = 0, gas: int | None = None, **named: Value
    ) -> Receipt:
        """Send a transaction, whatever the function is; return its receipt. Raises: ABIError, CallFailed, Rejected."""
        __tracebackhide__ = True  # for pytest: a failure is the test's
        function, arguments = self._choose(arguments, named)
        return self._contract.chain.invoke(self._contract, function, arguments, sender, value, gas)

    def call(
        self, *arguments: Value, sender: Value = None, value: int = 0, gas: int | None = None, **named: Value
    ) -> Any:
        """Run the function, whatever it is, and keep nothing; return the value. Raises: ABIError, CallFailed."""
        __tracebackhide__ = True  # for pytest: a failure is the test's
        function, arguments = self._choose(arguments, named)
        return self._contract.chain.invoke_view(self._contract, function, arguments, sender, value, gas)

    @property
    def function(self) -> Function:
        """What the ABI says of it. Raises: ABIError when it is overloaded."""
        if len(self._overloads) > 1:
            choices = " or ".join(f"c[{function.text!r}]" for function in self._overloads)
            raise ABIError(f"{self!r} is overloaded; write {choices}")
        return self._overloads[0]

    def encode(self, *arguments: Value, **named: Value) -> bytes:
        """The input of such a call: selector and arguments. Raises: ABIError."""
        __tracebackhide__ = True  # for pytest: a failure is the test's
        function, arguments = self._choose(arguments, named)
        return function.encode(*arguments)

    def _choose(self, arguments: tuple[Value, ...], named: dict[str, Value]) -> tuple[Function, tuple[Value, ...]]:
        """The overload that takes these arguments, in its order. Raises: ABIError."""
        overloads = self._overloads
        if len(overloads) == 1 and not named and len(arguments) == len(overloads[0].inputs):
            return overloads[0], arguments
        problems: list[str] = []
        fitting: list[tuple[Function, tuple[Value, ...]]] = []
        for function in overloads:
            try:
                ordered = _ordered(function, arguments, named)
                if len(overloads) > 1:
                    function.encode(*ordered)
            except ABIError as problem:
                problems.append(str(problem))
            else:
                fitting.append((function, ordered))
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            choices = " or ".join(f"c[{function.text!r}]" for function, _ in fitting)
            raise ABIError(f"{self!r}: these arguments fit several functions; write {choices}")
        raise ABIError("; ".join(problems))


def _ordered(function: Function, arguments: tuple[Value, ...], named: dict[str, Value]) -> tuple[Value, ...]:
    """Positional and named arguments in the function's order. Raises: ABIError, saying what it takes."""
    names = [parameter.name for parameter in function.inputs]
    rest = dict.fromkeys(names[len(arguments) :])
    given: dict[str, Value] = {}
    for name, value in named.items():
        found = find(name, rest)
        if found is None:
            what = "is given twice" if find(name, names) else f"is unknown; {did_you_mean(name, names)}"
            raise ABIError(f"{_shape(function)}: argument {name!r} {what}")
        given[found] = value
    if len(arguments) + len(given) != len(names):
        count = len(arguments) + len(given)
        raise ABIError(f"{_shape(function)} takes {len(names)} argument{'s'[: len(names) != 1]}, {count} given")
    return (*arguments, *(given[name] for name in rest))


def _shape(function: Function) -> str:
    """A function as its author wrote it: `transfer(address to, uint256 amount)`."""
    return f"{function.name}({', '.join(parameter.text for parameter in function.inputs)})"
