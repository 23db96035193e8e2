"""Declares the classes that hold data: structs, enums, events, errors.

Source: docs/language.md, "Structs", "Enums", "Events"; Solidity, "Contract ABI Specification", for what an event can
index. Never: accepts a method, or a field without a type.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sdk.compiler import types
from sdk.compiler.front.abi_names import camel_case
from sdk.compiler.front.annotations import Resolver
from sdk.compiler.front.declared import EnumDecl, ErrorDecl, EventDecl, StructDecl
from sdk.compiler.front.names import Names
from sdk.compiler.symbols import Error, Event, Parameter

MOST_INDEXED = 3
LARGEST_MEMBER = 255
TAKEN_IN_STRUCTS = frozenset({"copy"})
TAKEN_IN_ENUMS = frozenset({"name", "value", "mro"})


def without_text(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a class or a module, without `pass` and text, which documents what stands above it."""
    return [statement for statement in body if not is_text(statement) and not isinstance(statement, ast.Pass)]


def is_text(statement: ast.stmt) -> bool:
    """Whether a statement is a text alone."""
    match statement:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
    return False


def declare_struct(node: ast.ClassDef, names: Names, resolver: Resolver) -> StructDecl | None:
    """A struct; None when a field is not understood."""
    members: list[types.Member] = []
    defaults: list[ast.expr | None] = []
    understood = True
    for field in fields(node, names, "struct"):
        type_ = resolver.type(field.annotation)
        name = name_of(field)
        if name in TAKEN_IN_STRUCTS:
            names.error("CV110", field, f"{name} is taken: every struct has .{name}()", "use another name")
        if field.value is not None:
            names.in_order(field.value)
        elif any(defaults):
            names.error(
                "CV123", field, f"{name} has no default, and a field before it has one", "give it one, or move it up"
            )
        defaults.append(field.value)
        understood = understood and type_ is not None
        members.append(types.Member(name, types.U256 if type_ is None else type_))
    if not members:
        if not without_text(node.body):
            span = names.module.source.name_span(node)
            names.error("CV113", span, f"{node.name} has no fields", "give it one: x: u256")
        return None
    distinct_abi_names(node, [member.name for member in members], names)
    if not understood:
        return None
    whole = types.Struct(node.name, f"{names.module.name}.{node.name}", tuple(members))
    struct = resolver.fitting(whole, names.module.source.name_span(node))
    if struct is None:
        return None
    return StructDecl(node.name, names.module, node, struct, tuple(defaults))


def declare_event(node: ast.ClassDef, names: Names, resolver: Resolver) -> EventDecl:
    """An event. `anonymous=True` is the one keyword that a class can have."""
    anonymous = False
    for keyword in node.keywords:
        match keyword:
            case ast.keyword(arg="anonymous", value=ast.Constant(value=bool(anonymous))):
                pass
            case _:
                names.error("CV105", keyword, "an event has no such option", "anonymous=True is the only one")
    parameters, understood = parameters_of(node, "event", names, resolver)
    indexed = [parameter for parameter in parameters if parameter.indexed]
    if len(indexed) > MOST_INDEXED:
        names.error(
            "CV115",
            names.module.source.name_span(node),
            f"{node.name} has {len(indexed)} indexed fields, and {MOST_INDEXED} are the limit",
            "leave Indexed to the fields that are searched for",
        )
    symbol = Event(node.name, tuple(parameters), names.module.source.name_span(node), anonymous)
    return EventDecl(node.name, names.module, node, symbol if understood else None)


def declare_error(node: ast.ClassDef, names: Names, resolver: Resolver) -> ErrorDecl:
    parameters, understood = parameters_of(node, "error", names, resolver)
    symbol = Error(node.name, tuple(parameters), names.module.source.name_span(node))
    return ErrorDecl(node.name, names.module, node, symbol if understood else None)


def parameters_of(node: ast.ClassDef, what: str, names: Names, resolver: Resolver) -> tuple[list[Parameter], bool]:
    """(the fields of an event or an error, whether all were understood)."""
    parameters: list[Parameter] = []
    understood = True
    for field in fields(node, names, what):
        name = name_of(field)
        indexed = False
        annotation, quoted = resolver.opened(field.annotation)
        if isinstance(annotation, ast.Subscript) and names.language(annotation.value) == "Indexed":
            annotation, indexed = annotation.slice, True
        if indexed and what != "event":
            names.error("CV116", field, "only an event's fields can be Indexed", "write the type alone")
        type_ = resolver.type(annotation, quoted=quoted)
        if field.value is not None:
            names.error("CV114", field, f"the fields of an {what} have no defaults", f"write {name}: and its type")
        understood = understood and type_ is not None
        parameters.append(Parameter(name, camel_case(name), types.U256 if type_ is None else type_, indexed))
    distinct_abi_names(node, [parameter.name for parameter in parameters], names)
    return parameters, understood


def fields(node: ast.ClassDef, names: Names, what: str) -> Iterator[ast.AnnAssign]:
    """The fields of a data class, each once; everything else in its body is reported."""
    article = "an" if what[0] in "aeiou" else "a"
    seen: set[str] = set()
    for statement in without_text(node.body):
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), simple=1):
                if name in seen:
                    names.error("CV111", statement, f"{name} is declared twice", "remove one, or rename it")
                elif name.startswith("__"):
                    names.error("CV121", statement, "names with two _ in front are Python's own", "use another name")
                else:
                    seen.add(name)
                    yield statement
            case ast.Assign(targets=[ast.Name(id=name)]):
                names.error("CV107", statement, f"{name} has no type", f"write {name}: and its type")
            case ast.FunctionDef():
                span = names.module.source.name_span(statement)
                help_ = "write a function of the module that takes one"
                names.error("CV106", span, f"{article} {what} has fields and nothing else", help_)
            case _:
                names.error(
                    "CV106", statement, f"{article} {what} has fields and nothing else", "fields are written name: type"
                )


def name_of(field: ast.AnnAssign) -> str:
    """The name that an annotated field declares; `fields` lets no others pass."""
    return field.target.id if isinstance(field.target, ast.Name) else ""


def distinct_abi_names(node: ast.ClassDef, found: list[str], names: Names) -> None:
    """Report two fields that the ABI would call the same."""
    seen: dict[str, str] = {}
    for name in found:
        other = seen.setdefault(camel_case(name), name)
        if other != name:
            names.error(
                "CV403",
                names.module.source.name_span(node),
                f"{other} and {name} are both {camel_case(name)} in the ABI",
                "rename one of them",
            )


def declare_enum(node: ast.ClassDef, names: Names) -> EnumDecl | None:
    """An enum; None when a member is not understood."""
    members: dict[str, int] = {}
    understood = True
    for statement in without_text(node.body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=int(value))) if not isinstance(
                value, bool
            ):
                understood = member_fits(statement, name, value, members, names) and understood
                members.setdefault(name, value)
            case _:
                names.error("CV112", statement, "an enum has members and nothing else", "members are written NAME = 1")
                understood = False
    if understood and 0 not in members.values():
        names.error(
            "CV112",
            names.module.source.name_span(node),
            f"{node.name} has no member that is 0",
            "0 is the default: give it to the member that things begin as",
        )
        return None
    if not understood:
        return None
    qualified = f"{names.module.name}.{node.name}"
    return EnumDecl(node.name, names.module, node, types.Enum(node.name, qualified, tuple(members.items())))


def member_fits(statement: ast.stmt, name: str, value: int, members: dict[str, int], names: Names) -> bool:
    """Whether a member can join those before it; reports why not."""
    if name in members:
        names.error("CV111", statement, f"{name} is declared twice", "remove one, or rename it")
    elif name.startswith("_") or name in TAKEN_IN_ENUMS:
        names.error("CV112", statement, f"a member cannot be called {name}", "use another name")
    elif value > LARGEST_MEMBER:
        names.error("CV112", statement, f"{value} is too large for a member", "members are 0 to 255")
    elif value in members.values():
        other = next(known for known, number in members.items() if number == value)
        names.error("CV112", statement, f"{other} and {name} are both {value}", "give each a number of its own")
    else:
        return True
    return False
