"""The names of the language: what `sdk` gives, what Python gives and the language has, what Python has beside that.

Source: docs/language.md. Never: says what a name means (the checker does), or how names become the ABI's.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from sdk.compiler import types
from sdk.compiler.types import Type

BASES = frozenset({"Contract", "Interface", "Struct", "Enum", "Event", "Error"})
"""What a class can be."""

DECORATORS = frozenset({"external", "view", "payable", "nonreentrant"})

WRAPPERS = frozenset({"Public", "Const", "Immutable", "Transient", "Indexed"})
"""What an annotation of a field can have around its type."""

GENERICS = frozenset({"Map", "List", "Array", "Literal", "tuple"})

SCALARS: Mapping[str, Type] = MappingProxyType(
    {
        **{f"u{bits}": types.Int(bits) for bits in range(8, 257, 8)},
        **{f"i{bits}": types.Int(bits, True) for bits in range(8, 257, 8)},
        **{f"bytes{size}": types.FixedBytes(size) for size in range(1, 33)},
        "bool": types.BOOL,
        "Address": types.ADDRESS,
        "Bytes": types.BYTES,
        "String": types.STRING,
    }
)
"""The types that are a name alone."""

FACTS = frozenset({"msg", "block", "tx", "chain"})

CONSTANTS = frozenset({"ETHER", "GWEI", "MINUTES", "HOURS", "DAYS", "ZERO_ADDRESS", "ZERO_BYTES32"})

FUNCTIONS = frozenset(
    [
        "Revert",
        "abi_decode",
        "abi_encode",
        "blake2b256",
        "create",
        "create2",
        "ecrecover",
        "ed25519_verify",
        "emit",
        "encode_call",
        "encode_packed",
        "interface_id",
        "keccak256",
        "max_value",
        "min_value",
        "raw_call",
        "raw_delegate_call",
        "raw_static_call",
        "ripemd160",
        "secp256k1_verify",
        "selector",
        "send",
        "sha256",
        "try_call",
        "try_raw_call",
        "try_raw_delegate_call",
        "try_raw_static_call",
        "try_send",
        "unchecked",
    ]
)

PYTHON = frozenset({"abs", "bool", "enumerate", "len", "max", "min", "pow", "range", "sum", "super", "tuple"})
"""The names of Python itself that the language has; they need no import."""

SDK = (
    BASES | DECORATORS | WRAPPERS | GENERICS | frozenset(SCALARS) | FACTS | CONSTANTS | FUNCTIONS
) - PYTHON  # fmt: skip
"""What `from sdk import` can name."""

INSTEAD: Mapping[str, str] = MappingProxyType(
    {
        "int": "say how wide it is: u256, u64, i256 ...",
        "float": "count in the smallest unit, as a whole number: wei, cents, seconds",
        "complex": "numbers are whole: u256, i256 ...",
        "str": "text is a String",
        "bytes": "bytes are Bytes, or bytes1 to bytes32 where the number is fixed",
        "bytearray": "bytes are Bytes",
        "list": "a list is List[T], an array of a fixed length Array[T, Literal[n]]",
        "dict": "a table is Map[K, V], as a field of the contract",
        "set": "a set is Map[T, bool], as a field of the contract",
        "frozenset": "a set is Map[T, bool], as a field of the contract",
        "object": "every value has a type of its own: u256, Address, Bytes ...",
        "Any": "every value has a type of its own: u256, Address, Bytes ...",
        "Optional": "there is no None: use the type's default, a bool beside it, or a Map and `in`",
        "Union": "a value has one type",
        "Final": "a constant is Const[T]",
        "ClassVar": "a constant is Const[T]",
        "None": "there is no None: use the type's default, a bool beside it, or a Map and `in`",
        "print": "emit an event, or look at the call with `contractvm call --trace`",
        "isinstance": "types are known when the contract is compiled",
        "type": "types are known when the contract is compiled",
        "getattr": "attributes are written out: self.name",
        "setattr": "attributes are written out: self.name = value",
        "hasattr": "attributes are written out: self.name",
        "sorted": "the keys of a Map come in order; sort a List with a loop",
        "reversed": "count down: for i in range(n, 0, -1)",
        "zip": "loop over an index: for i in range(len(xs))",
        "map": "write a loop",
        "filter": "write a loop",
        "any": "write a loop",
        "all": "write a loop",
        "iter": "write a loop",
        "next": "write a loop",
        "round": "numbers are whole: (a + b // 2) // b rounds a / b",
        "divmod": "write a // b and a % b",
        "hash": "hash bytes with keccak256(...) or sha256(...)",
        "id": "values have no identity",
        "input": "input comes as arguments of an @external function",
        "open": "a contract has no files: keep it in storage",
        "eval": "code is fixed when the contract is built",
        "exec": "code is fixed when the contract is built",
        "ord": "b[0] of Bytes is a u8",
        "chr": "build text off chain",
        "hex": "format numbers off chain",
        "repr": "format values off chain",
        "format": "format values off chain",
        "Exception": 'raise an Error of your own, or Revert("reason")',
        "ValueError": 'raise an Error of your own, or Revert("reason")',
        "NotImplementedError": "a contract's methods are all there: declare the function in an Interface",
        "self": "self is there in methods alone: pass what is needed as an argument",
        "staticmethod": "write a function of the module",
        "classmethod": "write a function of the module",
        "property": "write an @external @view method, or a Public field",
        "override": "a method overrides by its name alone",
        "abstractmethod": "declare the function in an Interface",
        "dataclass": "write class Name(Struct)",
        "uint256": "it is u256 here",
        "uint8": "it is u8 here",
        "int256": "it is i256 here",
        "address": "it is Address here",
        "string": "it is String here",
        "mapping": "it is Map[K, V] here",
        "require": 'write assert condition, "reason"',
        "revert": 'write raise Revert("reason")',
        "now": "it is block.timestamp",
    }
)
"""What to write for names that people try."""


def unknown_name(name: str, known: Iterable[str]) -> str:
    """What to say to someone who used a name that means nothing: the language's word for it, or one that is near."""
    if name in INSTEAD:
        return INSTEAD[name]
    candidates = list(known)
    if name in SDK and name not in candidates:
        return f"from sdk import {name}"
    near = difflib.get_close_matches(name, [*candidates, *SDK, *PYTHON], 1)
    return f"did you mean {near[0]}?" if near else "declare it, or import it from the module that does"
