"""From an annotation to a type.

Source: docs/language.md, "Types". Never: accepts a type of Python's (`int`, `str`, `list`), or a map where a value is
needed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TypeVar

from sdk.compiler import types
from sdk.compiler.diagnostics import Reporter
from sdk.compiler.front.declared import (
    ContractDecl,
    Declaration,
    EnumDecl,
    InterfaceDecl,
    LanguageName,
    Module,
    StructDecl,
    Unresolved,
)
from sdk.compiler.front.language import INSTEAD, SCALARS, WRAPPERS
from sdk.compiler.front.names import Names
from sdk.compiler.symbols import Span
from sdk.compiler.types import Type, keyable

T = TypeVar("T", types.Tuple, types.Array, types.Struct)

MOST_VALUES = 1 << 20
"""Numbers, texts and the like in one value: more could not be addressed, or paid for, in memory."""


def resolve_type(node: ast.expr, module: Module, reporter: Reporter) -> Type | None:
    """The type that an annotation in a body, or a type as an argument, means; None when it is none: reported.

    For use once the module is declared: every name is known, whatever its place in the file.
    """
    return Resolver(Names(module, reporter, {})).type(node)


def count_values(type_: Type) -> int:
    """How many values of their own a value of a type always has: numbers, addresses, texts, lists ..."""
    match type_:
        case types.Tuple(items):
            return sum(map(count_values, items))
        case types.Struct(members=members):
            return sum(count_values(member.type) for member in members)
        case types.Array(item, length):
            return length * count_values(item)
    return 1


class Resolver:
    """Resolves the annotations of one module."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._generics: dict[str, Callable[[ast.Subscript, list[ast.expr], bool], Type | None]] = {
            "tuple": self._tuple,
            "Map": self._map,
            "List": self._list,
            "Array": self._array,
        }

    def type(self, node: ast.expr, *, maps: bool = False, quoted: bool = False) -> Type | None:
        """The type; `maps`: a map may stand here. None when it is none, which has been reported."""
        match node:
            case ast.Name():
                found = self.names.find(node, quoted)
                return None if found is None else self._named(node, found)
            case ast.Constant(value=str(text)):
                inner = self.unquoted(node, text)
                return None if inner is None else self.type(inner, maps=maps, quoted=True)
            case ast.Constant(value=None):
                self._error("CV131", node, "None is no type of a value", INSTEAD["None"])
            case ast.Subscript():
                return self._subscript(node, maps, quoted)
            case ast.BinOp(op=ast.BitOr()):
                self._error("CV131", node, "a value has one type, not one of several", INSTEAD["Optional"])
            case ast.Attribute() if self.names.unresolved(node):
                pass
            case _:
                self._error(
                    "CV136", node, "this is not a type", "types are names like u256, and Map[K, V], List[T] ..."
                )
        return None

    def result(self, node: ast.expr) -> Type | None:
        """The type of what a function gives: `None` is `NOTHING`."""
        if isinstance(node, ast.Constant) and node.value is None:
            return types.NOTHING
        return self.type(node)

    def _named(self, node: ast.Name, found: Declaration) -> Type | None:
        match found:
            case LanguageName(name) if name in SCALARS:
                return SCALARS[name]
            case StructDecl() | EnumDecl() | InterfaceDecl():
                return found.type
            case LanguageName(name) if name in self._generics:
                forms = {"Map": "Map[K, V]", "List": "List[T]", "Array": "Array[T, Literal[n]]", "tuple": "tuple[A, B]"}
                self._error("CV132", node, f"{name} of what?", f"write {forms[name]}")
            case LanguageName(name) if name in WRAPPERS:
                self._misplaced(node, name)
            case ContractDecl():
                self._error(
                    "CV136",
                    node,
                    f"{node.id} is a contract, not a type",
                    "declare what is called in an Interface, and use that; or Address",
                )
            case Unresolved():
                pass
            case _:
                self._error("CV136", node, f"{node.id} is not a type", INSTEAD.get(node.id, "a type is needed here"))
        return None

    def _misplaced(self, node: ast.expr, name: str) -> None:
        where = {
            "Indexed": "Indexed stands outermost, in the fields of an Event",
            "Public": "Public stands outermost, in the fields of a contract",
            "Const": "Const stands in the fields of a contract and at the top of a module, within Public",
        }
        self._error("CV116", node, f"{name} cannot stand here", where.get(name, f"{name} is for a contract's fields"))

    def _subscript(self, node: ast.Subscript, maps: bool, quoted: bool) -> Type | None:
        if not isinstance(node.value, ast.Name):
            self._error("CV136", node, "this is not a type", "types are names like u256, and Map[K, V], List[T] ...")
            return None
        found = self.names.find(node.value, quoted)
        if found is None or isinstance(found, Unresolved):
            return None
        name = found.name if isinstance(found, LanguageName) else ""
        arguments = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        if name == "Map" and not maps:
            self._error(
                "CV133",
                node,
                "a Map is no value: it cannot be passed, returned, kept in a variable or in another value",
                "make it a field of the contract, or the value of another Map",
            )
            return None
        if name in WRAPPERS:
            self._misplaced(node, name)
        elif name in self._generics:
            return self._generics[name](node, arguments, quoted)
        elif name == "Literal":
            self._error("CV136", node, "Literal is not a type", "Literal[n] is the length of an Array")
        else:
            self._error("CV132", node, f"{node.value.id} takes no types", f"write {node.value.id} alone")
        return None

    def _tuple(self, node: ast.Subscript, arguments: list[ast.expr], quoted: bool) -> Type | None:
        if not arguments or any(isinstance(item, ast.Constant) and item.value is ... for item in arguments):
            self._error("CV132", node, "a tuple has a fixed number of items", "write tuple[A, B], or List[T]")
            return None
        items = [self.type(item, quoted=quoted) for item in arguments]
        known = [item for item in items if item is not None]
        return self.fitting(types.Tuple(tuple(known)), node) if len(known) == len(items) else None

    def _map(self, node: ast.Subscript, arguments: list[ast.expr], quoted: bool) -> Type | None:
        if not self._count(node, arguments, 2, "Map[K, V]"):
            return None
        key = self.type(arguments[0], quoted=quoted)
        value = self.type(arguments[1], maps=True, quoted=quoted)
        if key is not None and not keyable(key):
            self._error(
                "CV134",
                arguments[0],
                f"{key} cannot be a key",
                "keys are numbers, bool, Address, bytesN, Bytes, String, enums, interfaces, and tuples of those",
            )
            return None
        return None if key is None or value is None else types.Map(key, value)

    def _list(self, node: ast.Subscript, arguments: list[ast.expr], quoted: bool) -> Type | None:
        if not self._count(node, arguments, 1, "List[T]"):
            return None
        item = self.type(arguments[0], quoted=quoted)
        return None if item is None else types.List(item)

    def _array(self, node: ast.Subscript, arguments: list[ast.expr], quoted: bool) -> Type | None:
        if not self._count(node, arguments, 2, "Array[T, Literal[n]]"):
            return None
        item, length = self.type(arguments[0], quoted=quoted), self._length(arguments[1])
        return None if item is None or length is None else self.fitting(types.Array(item, length), node)

    def fitting(self, type_: T, node: ast.expr | Span) -> T | None:
        """A type of fixed size, if it is not too large; None when it is, which is reported."""
        values = count_values(type_)
        if values <= MOST_VALUES:
            return type_
        help_ = "what is large is a Map, or a List"
        message = f"{type_} has {values:,} values, and {MOST_VALUES:,} are the limit"
        self.names.error("CV139", node, message, help_)
        return None

    def _length(self, node: ast.expr) -> int | None:
        """n of `Literal[n]`."""
        match node:
            case ast.Subscript(value=ast.Name() as name, slice=ast.Constant(value=int(length))):
                whole = not isinstance(length, bool) and length > 0
                if self.names.language(name) == "Literal" and whole:
                    return length
        self._error(
            "CV135",
            node,
            "an array's length is a literal number, 1 or more",
            "write Array[T, Literal[4]]; for a number that changes, List[T]",
        )
        return None

    def _count(self, node: ast.Subscript, arguments: list[ast.expr], wanted: int, form: str) -> bool:
        if len(arguments) == wanted:
            return True
        name = form.split("[")[0]
        self._error(
            "CV132", node, f"{name} takes {wanted} type{'s' * (wanted > 1)}, not {len(arguments)}", f"write {form}"
        )
        return False

    def opened(self, node: ast.expr) -> tuple[ast.expr, bool]:
        """An annotation that may be in quotes as a whole, without them, and whether it was."""
        inner = (
            self.unquoted(node, node.value) if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
        )
        return (node, False) if inner is None else (inner, True)

    def unquoted(self, node: ast.Constant, text: str) -> ast.expr | None:
        """The expression in a quoted annotation, whose parts all stand where the quotes do."""
        try:
            inner = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            self._error("CV136", node, "this is not a type", "between the quotes stands a type")
            return None
        parts = list(ast.walk(inner))
        if any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in parts):
            self._error("CV136", node, "this is not a type", "write the type in quotes once")
            return None
        for part in parts:
            ast.copy_location(part, node)
        return inner

    def _error(self, code: str, node: ast.expr, message: str, help: str) -> None:
        self.names.error(code, node, message, help)
