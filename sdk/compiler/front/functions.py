"""Declares functions: decorators, parameters, results and how they are entered; of contracts, modules, interfaces.

Source: docs/language.md, "Functions", "The ABI", "Other contracts". Never: looks at a body, other than for the `...` of
an interface.
"""

from __future__ import annotations

import ast

from contractvm.dataclass import dataclass
from sdk.compiler import types
from sdk.compiler.front.abi_names import camel_case
from sdk.compiler.front.annotations import Resolver
from sdk.compiler.front.declared import ContractDecl, FunctionDecl, FunctionKind, ParameterDecl
from sdk.compiler.front.language import DECORATORS, INSTEAD
from sdk.compiler.front.names import Names
from sdk.compiler.front.records import without_text
from sdk.compiler.symbols import Mutability, Parameter, Remote
from sdk.compiler.types import NOTHING, Type

TAKEN_IN_INTERFACES = frozenset({"address", "call"})


@dataclass(frozen=True, slots=True)
class Decorators:
    """What stands above a function, each once."""

    found: frozenset[str]
    abi_name: str | None
    """Of `@external(name=...)`."""


def declare_function(
    node: ast.FunctionDef, owner: ContractDecl | None, rejected: bool, names: Names, resolver: Resolver
) -> FunctionDecl:
    """A method of `owner`, or a module's function."""
    decorators = decorators_of(node, names)
    kind = kind_of(node, owner, decorators)
    if owner is None:
        for decorator in node.decorator_list if decorators.found else ():
            names.error("CV118", decorator, "a module's function has no decorators", "only methods of contracts do")
    else:
        check_decorators(node, kind, decorators, names)
    parameters = parameters_of(node, owner is not None, names, resolver)
    returns = result_of(node, kind, names, resolver)
    if kind is FunctionKind.RECEIVE or kind is FunctionKind.FALLBACK:
        check_plain_entry(node, kind, parameters, returns, names)
    return FunctionDecl(
        node.name,
        f"{names.module.name if owner is None else owner.name}.{node.name}",
        names.module,
        owner,
        node,
        kind,
        decorators.abi_name or camel_case(node.name),
        parameters,
        returns,
        "view" in decorators.found,
        "payable" in decorators.found,
        "nonreentrant" in decorators.found,
        rejected,
    )


def kind_of(node: ast.FunctionDef, owner: ContractDecl | None, decorators: Decorators) -> FunctionKind:
    if owner is None:
        return FunctionKind.INTERNAL
    special = {"__init__": FunctionKind.CONSTRUCTOR, "receive": FunctionKind.RECEIVE, "fallback": FunctionKind.FALLBACK}
    if node.name in special:
        return special[node.name]
    return FunctionKind.EXTERNAL if "external" in decorators.found else FunctionKind.INTERNAL


def decorators_of(node: ast.FunctionDef, names: Names) -> Decorators:
    """Understand what stands above a function; what is not of the language is reported."""
    found: set[str] = set()
    abi_name: str | None = None
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = names.language(called)
        if name is None or name not in DECORATORS:
            shown = ast.unparse(called)
            help_ = INSTEAD.get(shown.split(".")[-1], "there are external, view, payable and nonreentrant")
            names.error("CV041", decorator, f"@{shown} is no decorator of the language", help_)
            continue
        if name in found:
            names.error("CV118", decorator, f"@{name} stands there twice", "remove one")
        found.add(name)
        if isinstance(decorator, ast.Call):
            abi_name = name_option(decorator, name, names)
    return Decorators(frozenset(found), abi_name)


def name_option(decorator: ast.Call, name: str, names: Names) -> str | None:
    """The text of `@external(name="tokenURI")`."""
    match decorator:
        case ast.Call(args=[], keywords=[ast.keyword(arg="name", value=ast.Constant(value=str(text)))]) if (
            name == "external"
        ):
            if text.isascii() and text.isidentifier():
                return text
            names.error("CV404", decorator, f"{text!r} is no name for the ABI", "use letters, digits and _")
        case _:
            help_ = f'write @{name}, or @external(name="...")' if name == "external" else f"write @{name}"
            names.error("CV118", decorator, f"@{name} does not take this", help_)
    return None


def check_decorators(node: ast.FunctionDef, kind: FunctionKind, decorators: Decorators, names: Names) -> None:
    """The rules for which may stand where."""
    span, found = names.module.source.name_span(node), decorators.found
    external = kind is FunctionKind.EXTERNAL
    if not external and "external" in found:
        help_ = "remove @external: it is entered by its name"
        names.error("CV118", span, f"{node.name} is not called by others as it is", help_)
    for name in sorted(found & {"view", "nonreentrant"}):
        if not external:
            names.error("CV118", span, f"@{name} is for functions that others call", "add @external, or remove it")
    if kind is FunctionKind.INTERNAL and "payable" in found:
        names.error("CV118", span, "@payable is for functions that others call", "add @external, or remove it")
    if "view" in found:
        for name in sorted(found & {"payable", "nonreentrant"}):
            names.error("CV118", span, f"a @view function cannot be @{name}: it changes nothing", f"remove @{name}")
    if external and node.name.startswith("_"):
        names.error("CV124", span, "a function whose name begins with _ is internal", "rename it, or remove @external")
    elif node.name.startswith("__") and kind is not FunctionKind.CONSTRUCTOR:
        names.error("CV121", span, "names with two _ in front are Python's own", "use another name")


def parameters_of(node: ast.FunctionDef, method: bool, names: Names, resolver: Resolver) -> tuple[ParameterDecl, ...]:
    """The parameters, without `self`; every one has a type, and goes by position or by name."""
    given = node.args
    for extra, star in ((given.vararg, "*"), (given.kwarg, "**")):
        if extra is not None:
            help_ = "name each parameter; any number of values is a List[T]"
            names.error("CV039", extra, f"{star}{extra.arg} takes any number of arguments", help_)
    for forced in [*given.posonlyargs, *given.kwonlyargs]:
        if forced.arg == "self":
            continue
        names.error("CV040", forced, f"{forced.arg} goes by position or by name", "remove the / or * beside it")
    plain = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [*[None] * (len(plain) - len(given.defaults)), *given.defaults]
    if method:
        if not plain or plain[0].arg != "self":
            span = names.module.source.name_span(node)
            names.error("CV117", span, "a method's first parameter is self", f"write def {node.name}(self, ...)")
        if plain and (plain[0].arg == "self" or plain[0].annotation is None):  # meant as self, whatever it is called
            plain, defaults = plain[1:], defaults[1:]
    found = [parameter(arg, default, names, resolver) for arg, default in zip(plain, defaults, strict=True)]
    distinct_parameters(node, found, names)
    return tuple(found)


def parameter(arg: ast.arg, default: ast.expr | None, names: Names, resolver: Resolver) -> ParameterDecl:
    type_ = None
    if arg.annotation is None:
        names.error("CV117", arg, f"{arg.arg} has no type", f"write {arg.arg}: u256, or what it is")
    else:
        type_ = resolver.type(arg.annotation)
    if default is not None:
        names.in_order(default)
        if isinstance(default, ast.List):
            names.error("CV123", default, "a default is a constant: no list", "let the caller pass it")
    return ParameterDecl(arg.arg, camel_case(arg.arg), type_, default, arg)


def distinct_parameters(node: ast.FunctionDef, found: list[ParameterDecl], names: Names) -> None:
    """Report two of one name, in the source or in the ABI."""
    seen: dict[str, str] = {}
    for declared in found:
        other = seen.setdefault(declared.abi_name, declared.name) if declared.abi_name else declared.name
        if other != declared.name:
            message = f"{other} and {declared.name} are both {declared.abi_name} in the ABI"
            names.error("CV403", declared.node, message, "rename one of them")
    counted = [declared.name for declared in found]
    for declared in found:
        if counted.count(declared.name) > 1:
            names.error("CV111", declared.node, f"{declared.name} is declared twice", "remove one, or rename it")


def result_of(node: ast.FunctionDef, kind: FunctionKind, names: Names, resolver: Resolver) -> Type | None:
    span = names.module.source.name_span(node)
    if node.returns is None:
        help_ = (
            "write -> None:" if kind is FunctionKind.CONSTRUCTOR else "write -> None, or the type of what it returns"
        )
        names.error("CV117", span, f"{node.name} has no result type", help_)
        return NOTHING if kind is FunctionKind.CONSTRUCTOR else None
    returns = resolver.result(node.returns)
    if kind is FunctionKind.CONSTRUCTOR and returns not in (None, NOTHING):
        names.error("CV120", node.returns, "__init__ returns nothing", "write -> None")
        return NOTHING
    return returns


def check_plain_entry(
    node: ast.FunctionDef,
    kind: FunctionKind,
    parameters: tuple[ParameterDecl, ...],
    returns: Type | None,
    names: Names,
) -> None:
    """`receive` takes and gives nothing; `fallback` takes nothing or Bytes and gives nothing or Bytes."""
    span = names.module.source.name_span(node)
    payable = any(names.language(decorator) == "payable" for decorator in node.decorator_list)
    if kind is FunctionKind.RECEIVE:
        if parameters or returns not in (None, NOTHING):
            names.error("CV119", span, "receive takes nothing and returns nothing", "def receive(self) -> None:")
        if not payable:
            names.error("CV119", span, "receive is there to take value", "write @payable above it")
        return
    unfit = [p for p in parameters if p.type not in (None, types.BYTES) or p.default is not None]
    if len(parameters) > 1 or unfit or returns not in (None, NOTHING, types.BYTES):
        help_ = "def fallback(self) -> None: or def fallback(self, data: Bytes) -> Bytes:"
        names.error("CV119", span, "fallback takes the input as Bytes or nothing, and gives Bytes or nothing", help_)


def declare_remote(node: ast.FunctionDef, names: Names, resolver: Resolver) -> Remote | None:
    """A function of an interface; None when its signature is not understood."""
    span = names.module.source.name_span(node)
    decorators = decorators_of(node, names)
    found = decorators.found
    if "nonreentrant" in found:
        names.error("CV118", span, "@nonreentrant says how a function works, not how it is called", "remove it")
    if {"view", "payable"} <= found:
        names.error("CV118", span, "a @view function cannot be @payable: it changes nothing", "remove @payable")
    if node.name.startswith("__") or node.name in TAKEN_IN_INTERFACES:
        help_ = f'use another name: @external(name="{node.name}") says what the ABI calls it'
        names.error("CV125", span, f"an interface's function cannot be called {node.name}", help_)
    match without_text(node.body):
        case [ast.Expr(value=ast.Constant(value=value))] if value is ...:
            pass
        case _:
            names.error("CV125", span, "a function of an interface has ... as its body", "write ... after the colon")
    parameters = parameters_of(node, True, names, resolver)
    returns = result_of(node, FunctionKind.EXTERNAL, names, resolver)
    if returns is None or any(parameter.type is None for parameter in parameters):
        return None
    return Remote(
        node.name,
        decorators.abi_name or camel_case(node.name),
        tuple(Parameter(p.name, p.abi_name, p.type) for p in parameters if p.type is not None),
        sum(p.default is not None for p in parameters),
        returns,
        Mutability.VIEW if "view" in found else Mutability.PAYABLE if "payable" in found else Mutability.NONPAYABLE,
    )
