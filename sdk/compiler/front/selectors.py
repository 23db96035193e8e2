"""Looks for functions of a finished contract that callers could not tell apart.

Source: docs/language.md, "The ABI"; Solidity, "Contract ABI Specification", "Function Selector". Never: makes entries.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from contractvm.crypto import keccak256
from contractvm.dataclass import dataclass
from sdk.compiler.diagnostics import Reporter
from sdk.compiler.front.abi_names import camel_case, getter_parameters
from sdk.compiler.front.declared import ContractDecl, FunctionDecl, FunctionKind
from sdk.compiler.symbols import Span
from sdk.compiler.types import abi_name


@dataclass(frozen=True, slots=True)
class Callable:
    """One signature that a contract answers to."""

    name: str
    """The source's."""
    signature: str
    span: Span
    plain: bool
    """Whether the ABI's name is made from the source's, not said by `@external(name=...)`."""


def check_selectors(contract: ContractDecl, reporter: Reporter) -> None:
    """Report signatures, names and selectors that two functions share."""
    by_signature: dict[str, Callable] = {}
    by_name: dict[str, Callable] = {}
    by_selector: dict[bytes, Callable] = {}
    for found in callables(contract):
        where = found.span if found.span.file == contract.span.file else contract.span
        abi = found.signature.split("(")[0]
        same = by_signature.setdefault(found.signature, found)
        named = by_name.setdefault(abi, found) if found.plain else found
        selected = by_selector.setdefault(keccak256(found.signature.encode())[:4], found)
        if same is not found:
            message = f"{same.name} and {found.name} are both {found.signature} in the ABI"
            reporter.error("CV401", where, message, 'rename one, or give it a name: @external(name="...")')
        elif named.name != found.name:
            message = f"{named.name} and {found.name} are both {abi} in the ABI"
            reporter.error("CV401", where, message, f'rename one; to overload, write @external(name="{abi}")')
        elif selected is not found:
            message = f"{selected.signature} and {found.signature} have one selector"
            reporter.error("CV402", where, message, 'rename one, or give it a name: @external(name="...")')


def callables(contract: ContractDecl) -> Iterator[Callable]:
    """Every signature: of external functions one for each number of arguments, of public fields the getter's."""
    for field in contract.fields.values():
        if field.symbol is not None and field.symbol.public:
            types = ",".join(map(abi_name, getter_parameters(field.symbol.type)))
            span = field.owner.module.span(field.node.target)
            yield Callable(field.name, f"{camel_case(field.name)}({types})", span, True)
    for method in contract.methods.values():
        if method.kind is FunctionKind.EXTERNAL:
            yield from arities(method)


def arities(method: FunctionDecl) -> Iterator[Callable]:
    """The signatures of a function, from the one with the fewest arguments; none if a type is not understood."""
    types = [parameter.type for parameter in method.parameters]
    known = [type_ for type_ in types if type_ is not None]
    if len(known) < len(types):
        return
    fewest = sum(parameter.default is None for parameter in method.parameters)
    plain = not any(isinstance(decorator, ast.Call) for decorator in method.node.decorator_list)
    for given in range(fewest, len(known) + 1):
        signature = f"{method.abi_name}({','.join(map(abi_name, known[:given]))})"
        yield Callable(method.name, signature, method.span, plain)
