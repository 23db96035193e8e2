"""Prints a tree, for debugging and golden tests: a line a statement, expressions as calls of their nodes.

Never: read back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from sdk.compiler import tree
from sdk.compiler.symbols import Field, Span


def show(program: tree.Program) -> str:
    """A program as text."""
    lines = [f"contract {program.name}"]
    lines += [
        f"  entry {entry.signature} {entry.mutability.value} -> {entry.function.qualified}"
        + (f" defaults {', '.join(map(one, entry.defaults))}" if entry.defaults else "")
        for entry in program.entries
    ]
    lines += [f"  field {field.kind.value} {field.qualified}: {field.type}" for field in program.fields]
    for function in program.functions:
        lines.append("")
        lines.append(show_function(function))
    return "\n".join(lines) + "\n"


def show_function(function: tree.Function) -> str:
    """A function as text."""
    parameters = ", ".join(f"{local.name}: {local.type}" for local in function.parameters)
    marks = "".join(f" {mark}" for mark in ("nonreentrant", "writes") if getattr(function, mark))
    head = f"{function.qualified}({parameters}) -> {function.returns}{marks}"
    return "\n".join([head, *(line for node in function.body for line in statement(node, 1))])


def statement(node: tree.Statement, depth: int) -> Iterator[str]:
    """The lines of a statement."""
    blocks: list[tuple[str, tuple[tree.Statement, ...]]] = []
    words = []
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        if field.name in ("body", "otherwise"):
            blocks.append((field.name, value))
        elif field.name != "span":
            words.append(one(value))
    yield "  " * depth + f"{type(node).__name__} " + ", ".join(words)
    for name, inner in blocks:
        if name == "otherwise" and inner:
            yield "  " * depth + "Else"
        for below in inner:
            yield from statement(below, depth + 1)


def one(value: object) -> str:
    """A node, or what a node has."""
    match value:
        case tree.Local(name):
            return name or "_"
        case tree.LocalPlace(local):
            return local.name or "_"
        case tree.FieldPlace(field):
            return f"self.{field.name}"
        case tree.EntryPlace(base, key):
            return f"{one(base)}[{one(key)}]"
        case tree.IndexPlace(base, index):
            return f"{one(base)}[{one(index)}]"
        case tree.MemberPlace(base, index):
            return f"{one(base)}.{index}"
        case tree.ValuePlace(inner):
            return one(inner)
        case tree.Load(place):
            return one(place)
        case tree.Constant(inner, type_):
            return f"{inner!r}:{type_}"
        case tree.Function():
            return value.qualified
        case Field():
            return value.name
        case tuple():
            return f"({', '.join(map(one, value))})"
        case None | int() | str() | bytes() | Span():
            return repr(value) if not isinstance(value, str) else value
    if dataclasses.is_dataclass(value) and type(value).__module__ == tree.__name__:
        words = [
            one(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.name not in ("span", "type", "order", "checked")
        ]
        mark = "" if getattr(value, "checked", True) else "~"
        made = getattr(value, "type", "")
        return f"{type(value).__name__}{mark}({', '.join(words)}):{made}"
    return getattr(value, "name", None) or str(value)
