"""Calls that leave the contract: of interfaces, raw, of money, and making contracts.

Source: docs/language.md, "Other contracts". Never: calls the contract's own functions.
"""

from __future__ import annotations

import ast

from contractvm.dataclass import dataclass
from sdk.compiler import tree, types
from sdk.compiler.check.arguments import Bound, Wanted, bind, plain
from sdk.compiler.check.body import Body
from sdk.compiler.check.places import access, load
from sdk.compiler.front.declared import ContractDecl, InterfaceDecl
from sdk.compiler.front.language import unknown_name
from sdk.compiler.symbols import Mutability, Remote
from sdk.compiler.types import ADDRESS, BOOL, BYTES, BYTES32, NOTHING, U64, U256, Tuple, Type

STATIC = (Mutability.PURE, Mutability.VIEW)


@dataclass(frozen=True, slots=True)
class Options:
    """What `.call(...)` and the raw calls take beside their arguments."""

    value: tree.Expression | None = None
    gas: tree.Expression | None = None
    reentry: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A contract to call."""

    value: tree.Expression
    interface: types.Remote
    options: Options = Options()


def target(body: Body, node: ast.expr) -> Target | tree.Place | tree.Expression | None:
    """The contract that an expression is, with its options; another value as it is. None: said."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "call":
        inner = target(body, node.func.value)
        if isinstance(inner, Target):
            if node.args:
                body.error(
                    "CV211",
                    node,
                    "call(...) takes value, gas and reentry, by name",
                    "write IToken(a).call(value=1).f(x)",
                )
                return None
            made = options(body, node, ("value", "gas", "reentry"))
            return None if made is None else Target(inner.value, inner.interface, made)
        if inner is None:
            return None
    found = access(body, node)
    if found is None or not isinstance(found.type, types.Remote):
        return found
    value = load(body, found, node)
    return None if value is None else Target(value, found.type)


def options(body: Body, node: ast.Call, allowed: tuple[str, ...]) -> Options | None:
    """The keywords of a call that leaves the contract."""
    value = gas = None
    reentry, right = False, True
    for keyword in node.keywords:
        name = keyword.arg or "**"
        if name not in allowed:
            body.error("CV211", keyword, f"{name} is no option here", f"there is {', '.join(allowed)}")
            right = False
        elif name == "reentry":
            if isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, bool):
                reentry = keyword.value.value
            else:
                body.error(
                    "CV219",
                    keyword.value,
                    "reentry is True or False, written out",
                    "write reentry=True, or leave it out",
                )
                right = False
        elif name == "gas":
            gas = body.typed(keyword.value, U64)
            right = right and gas is not None
        elif name == "value":
            value = body.typed(keyword.value, U256)
            right = right and value is not None
    return Options(value, gas, reentry) if right else None


def call(
    body: Body, node: ast.Call, to: Target, name: str, *, skip: int = 0, tried: bool = False
) -> tree.Expression | None:
    """`IToken(a).f(x)`; with `tried` the result of `try_call`, whose first argument is skipped."""
    function = lookup(body, node, to.interface, name)
    if function is None:
        return None
    bound = arguments(body, node, function, skip)
    if bound is None:
        return None
    static = function.mutability in STATIC
    if to.options.value is not None and function.mutability is not Mutability.PAYABLE:
        body.error(
            "CV308", node, f"{name} takes no value: it is not payable", "declare it @payable, or leave value out"
        )
        return None
    returns = function.returns
    if tried:
        returns = BOOL if returns == NOTHING else Tuple((BOOL, returns))
    given = plain(bound)
    chosen = to.options
    span = body.span(node)
    return tree.CallRemote(
        to.value, function, given, chosen.value, chosen.gas, chosen.reentry, static, tried, returns, span
    )


def lookup(body: Body, node: ast.expr, interface: types.Remote, name: str) -> Remote | None:
    """A function of an interface."""
    declared = body.whole.interface(interface.qualified)
    if declared is None:
        return None
    if name not in declared.functions:
        help_ = unknown_name(name, declared.functions)
        body.error("CV210", node, f"{interface.name} has no function {name}", help_)
        return None
    return declared.functions[name]


def arguments(body: Body, node: ast.Call, function: Remote, skip: int) -> Bound | None:
    """Its arguments: the first so many, in order."""
    optional = len(function.parameters) - function.defaults
    wanted = [Wanted(p.name, p.type, i >= optional) for i, p in enumerate(function.parameters)]
    bound = bind(body, node, function.name, wanted, skip=skip)
    if bound is None:
        return None
    if any(value is None for value in bound.values[: bound.given()]):
        body.error(
            "CV211", node, "only the last arguments can be left out", "there is a selector for each number of them"
        )
        return None
    if list(bound.order) != sorted(bound.order):
        body.error("CV211", node, "the arguments are named in another order", "name them in order of declaration")
        return None
    return bound


def try_call(body: Body, node: ast.Call) -> tree.Expression | None:
    """`try_call(IToken(a).f, x)`."""
    function = node.args[0] if node.args else None
    to = target(body, function.value) if isinstance(function, ast.Attribute) else None
    if isinstance(function, ast.Attribute) and to is None:
        return None
    if not isinstance(function, ast.Attribute) or not isinstance(to, Target):
        body.error("CV211", node, "try_call needs a function of an interface", "write try_call(IToken(a).f, x)")
        return None
    return call(body, node, to, function.attr, skip=1, tried=True)


def raw(body: Body, node: ast.Call, name: str) -> tree.Expression | None:
    """`raw_call` and its five relatives."""
    tried = name.startswith("try_")
    kind = {"raw_call": "call", "raw_static_call": "static", "raw_delegate_call": "delegate"}[name.removeprefix("try_")]
    known = ("value", "gas", "reentry") if kind == "call" else ("gas", "reentry")
    named = {keyword.arg: keyword for keyword in node.keywords}
    data_node = node.args[1] if len(node.args) > 1 else named["data"].value if "data" in named else None
    if not 1 <= len(node.args) <= 2 or (len(node.args) == 2 and "data" in named):
        body.error(
            "CV211",
            node,
            f"{name} takes an address and data, then {', '.join(known)} by name",
            f"write {name}(to, data)",
        )
        return None
    to = body.typed(node.args[0], ADDRESS)
    data = tree.Constant(b"", BYTES, body.span(node)) if data_node is None else body.typed(data_node, BYTES)
    rest = ast.Call(node.func, [], [keyword for keyword in node.keywords if keyword.arg != "data"])
    made = options(body, ast.copy_location(rest, node), known)
    if to is None or data is None or made is None:
        return None
    type_: Type = Tuple((BOOL, BYTES)) if tried else BYTES
    return tree.RawCall(kind, to, data, made.value, made.gas, made.reentry, tried, type_, body.span(node))


def send(body: Body, node: ast.Call, name: str) -> tree.Expression | None:
    """`send(to, amount)`, `try_send(to, amount)`."""
    bound = bind(body, node, name, (Wanted("to", ADDRESS), Wanted("amount", U256)))
    if bound is None:
        return None
    to, amount = plain(bound)
    return tree.Send(to, amount, name == "try_send", BOOL if name == "try_send" else NOTHING, body.span(node))


def create(body: Body, node: ast.Call, name: str) -> tree.Expression | None:
    """`create(code, *arguments, value=)`, `create2(..., salt=)`."""
    value = salt = None
    right = bool(node.args)
    if not right:
        body.error("CV211", node, f"{name} needs the code to deploy", f"write {name}(Pair.code, ...)")
    for keyword in node.keywords:
        if keyword.arg == "value":
            value = body.typed(keyword.value, U256)
            right = right and value is not None
        elif keyword.arg == "salt" and name == "create2":
            salt = body.typed(keyword.value, BYTES32)
            right = right and salt is not None
        else:
            body.error("CV211", keyword, f"{keyword.arg or '**'} is no option of {name}", "arguments go by position")
            right = False
    if name == "create2" and not any(keyword.arg == "salt" for keyword in node.keywords):
        body.error("CV211", node, "create2 needs a salt", "write salt=..., a bytes32")
        right = False
    code = body.typed(node.args[0], BYTES) if node.args else None
    given = _constructor_arguments(body, node)
    if not right or code is None or given is None:
        return None
    return tree.Create(code, given, value, salt, ADDRESS, body.span(node))


def _constructor_arguments(body: Body, node: ast.Call) -> tuple[tree.Expression, ...] | None:
    """What goes to the constructor: checked against it where the code is a contract's of the project."""
    code, nodes = (node.args[0], node.args[1:]) if node.args else (None, [])
    known = body.declared(code.value) if isinstance(code, ast.Attribute) and code.attr == "code" else None
    if isinstance(known, ContractDecl):
        constructor = known.methods.get("__init__")
        parameters = () if constructor is None else constructor.parameters
        if len(parameters) != len(nodes):
            shown = ", ".join(f"{p.name}: {p.type}" for p in parameters)
            body.error(
                "CV211",
                node,
                f"{known.name} takes ({shown}), {len(nodes)} arguments are given",
                "give what its constructor takes",
            )
            return None
        values = [
            body.expression(given, NOTHING) if p.type is None else body.typed(given, p.type)
            for p, given in zip(parameters, nodes, strict=True)
        ]
    else:
        values = [body.expression(given) for given in nodes]
    found = tuple(value for value in values if value is not None)
    return found if len(found) == len(values) else None


def function_of(body: Body, node: ast.expr) -> Remote | None:
    """`IToken.transfer`, as an argument of `selector` and `encode_call`; None: said."""
    if isinstance(node, ast.Attribute):
        declared = body.declared(node.value)
        if isinstance(declared, InterfaceDecl):
            return lookup(body, node, declared.type, node.attr)
        if isinstance(declared, ContractDecl):
            method = declared.methods.get(node.attr)
            found = None if method is None else body.whole.remote(method)
            if found is None:
                body.error(
                    "CV210",
                    node,
                    f"{declared.name} has no external function {node.attr}",
                    "decorate it with @external, or name another",
                )
            return found
    body.error("CV211", node, "a function of an interface is needed here", "write IToken.transfer")
    return None
