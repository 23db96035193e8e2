"""Programs of the language, made up: typed, terminating, and full of what can overflow, be absent or be out of range.

Every choice is asked of `pick`, so that anything can drive it. A program is one contract with fields of many kinds,
helpers that call earlier helpers, and external functions. Never: makes what the compiler must refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.sdk.semantics.vocabulary import FIELDS, HEAD, IN_MEMORY, KEYED, LISTS, STATE, STORING, TESTS, TEXTS, WIDTHS

Pick = Callable[[int], int]


def bits_of(type_: str) -> int:
    return int(type_[1:])


@dataclass
class Scope:
    """What can be named, and what may be done."""

    locals: dict[str, str] = field(default_factory=dict)
    """Numbers and bools, and `Point` and `List[u64]`."""
    fixed: frozenset[str] = frozenset()
    """Locals that are not assigned: loop indices."""
    helpers: tuple[tuple[str, tuple[str, ...], str], ...] = ()
    in_loop: bool = False
    may_write: bool = True
    """Whether maps and lists may change here: not while one is walked."""
    returns: str = "u64"

    def inner(self) -> Scope:
        return replace(self, locals=dict(self.locals))


class Generator:
    """One program."""

    def __init__(self, pick: Pick) -> None:
        self.pick = pick
        self.names = 0

    def one(self, options: list[str]) -> str:
        return options[self.pick(len(options))]

    def name(self) -> str:
        self.names += 1
        return f"v{self.names}"

    # Expressions

    def literal(self, type_: str) -> str:
        if type_ == "bool":
            return self.one(["True", "False"])
        signed, bits = type_[0] == "i", bits_of(type_)
        high = 2 ** (bits - signed) - 1
        edges = [0, 1, 2, 3, 7, 100, high, high - 1, high // 2] + ([-1, -2, -high - 1] if signed else [])
        number = edges[self.pick(len(edges))]
        return f"{number}" if number >= 0 else f"({number})"

    def known(self, type_: str, scope: Scope, depth: int) -> str:
        """A variable, a place, or a conversion: something whose type is its own."""
        names = [name for name, held in scope.locals.items() if held == type_]
        if names and self.pick(4):
            return self.one(names)
        if type_ in STATE and self.pick(3):
            return self.place(type_, scope, depth)
        if type_ == "bool":
            return f"({self.number(self.one(list(WIDTHS)), scope, depth - 1)} > 5)"
        other = self.one([one for one in ("u256", "u64", "i64", "u8", "i256", "u128") if one != type_])
        return f"{type_}({self.place(other, scope, depth - 1)})"

    def place(self, type_: str, scope: Scope, depth: int) -> str:
        text = self.one(STATE[type_])
        for wanted in ("u8", "u64", "i64", "bool"):
            while "{" + wanted + "}" in text:
                text = text.replace("{" + wanted + "}", self.simple(wanted, scope), 1)
        return text

    def simple(self, type_: str, scope: Scope) -> str:
        """For keys and indices: small numbers, mostly."""
        names = [name for name, held in scope.locals.items() if held == type_]
        if names and self.pick(2):
            return self.one(names)
        field = {"u8": "self.d", "u64": "self.b", "i64": "self.c", "bool": "self.f"}[type_]
        return field if type_ == "bool" else f"({field} & {self.pick(4)})"

    def expression(self, type_: str, scope: Scope, depth: int) -> str:
        """Where a literal would have its type from outside."""
        if self.pick(5) == 0:
            return self.literal(type_)
        return self.truth(scope, depth) if type_ == "bool" else self.number(type_, scope, depth)

    def number(self, type_: str, scope: Scope, depth: int) -> str:
        """An integer that is no literal."""
        if depth <= 0:
            return self.known(type_, scope, depth)
        options = ["binary"] * 6 + ["divide", "divide", "shift", "power", "choice", "extreme", "convert", "known"]
        options += ["helper"] if scope.helpers and scope.may_write else []
        options += ["negative", "absolute", "invert"] if type_[0] == "i" else ["modular"]
        options += ["length"] if type_ == "u64" else ["byte"] if type_ == "u8" else []
        return self.numeric(self.one(options), type_, scope, depth - 1)

    def numeric(self, kind: str, type_: str, scope: Scope, depth: int) -> str:
        value = self.number(type_, scope, depth) if kind not in ("helper", "length", "byte", "convert") else ""
        match kind:
            case "binary":
                op = self.one(["+", "-", "*", "&", "|", "^"])
                return f"({value} {op} {self.expression(type_, scope, depth)})"
            case "divide":
                return f"({value} {self.one(['//', '%'])} {self.known(type_, scope, depth)})"
            case "shift":
                count = self.one(["1", "7", self.known(self.one(["u8", "u64", "u256"]), scope, 0)])
                return f"({value} {self.one(['<<', '>>'])} {count})"
            case "power":
                return f"({value} ** {self.one(['2', '3', self.known('u8', scope, 0)])})"
            case "choice":
                return f"({value} if {self.truth(scope, depth)} else {self.number(type_, scope, depth)})"
            case "extreme":
                return f"{self.one(['min', 'max'])}({value}, {self.expression(type_, scope, depth)})"
            case "negative":
                return f"(-{value})"
            case "invert":
                return f"(~{value})"
            case "absolute":
                return f"abs({value})"
            case "modular":
                return f"pow({value}, {self.known(type_, scope, 0)}, {self.known(type_, scope, 0)})"
            case "length":
                return self.one(
                    ["len(self.items)", "len(self.wide)", "len(self.board)", "sum(self.items)", "len(self.blob)"]
                )
            case "byte":
                return self.one(["self.blob[{u64}]", "self.tag[{u8}]", "self.names[self.text]"]).format(
                    u64=self.simple("u64", scope), u8=self.simple("u8", scope)
                )
            case "convert":
                return f"{type_}({self.number(self.one([one for one in WIDTHS if one != type_]), scope, depth)})"
            case "helper":
                name, types, returns = scope.helpers[self.pick(len(scope.helpers))]
                given = ", ".join(self.expression(one, scope, depth) for one in types)
                call = f"self.{name}({given})"
                return call if returns == type_ else f"{type_}({call})"
        return value

    def truth(self, scope: Scope, depth: int) -> str:
        if depth <= 0:
            return self.known("bool", scope, depth)
        match self.pick(10):
            case 8:
                return self.one(TESTS).format(u8=self.simple("u8", scope), u64=self.simple("u64", scope))
            case 0:
                return f"({self.truth(scope, depth - 1)} and {self.truth(scope, depth - 1)})"
            case 1:
                return f"({self.truth(scope, depth - 1)} or {self.truth(scope, depth - 1)})"
            case 2:
                return f"(not {self.truth(scope, depth - 1)})"
            case 3:
                return f"({self.simple('u8', scope)} {self.one(['in', 'not in'])} self.table)"
            case 4:
                return f"({self.number('u64', scope, depth - 1)} in self.items)"
            case 5:
                type_ = self.one(list(WIDTHS))
                values = [self.number(type_, scope, depth - 1) for _ in range(3)]
                return f"({values[0]} < {values[1]} <= {values[2]})"
        type_ = self.one(list(WIDTHS))
        op = self.one(["<", "<=", ">", ">=", "==", "!="])
        return f"({self.number(type_, scope, depth - 1)} {op} {self.expression(type_, scope, depth - 1)})"

    # Statements

    def block(self, scope: Scope, depth: int, most: int) -> list[str]:
        lines: list[str] = []
        for _ in range(1 + self.pick(most)):
            lines += self.statement(scope, depth)
        return lines

    def inside(self, scope: Scope, depth: int) -> list[str]:
        return ["    " + line for line in self.block(scope, depth - 1, 3)]

    def statement(self, scope: Scope, depth: int) -> list[str]:
        kinds = ["declare", "assign", "assign", "store", "augment", "augment", "assert", "emit", "swap", "text"]
        kinds += ["memory"] * 2
        kinds += ["change"] * 3 if scope.may_write else []
        kinds += ["if", "if", "range", "while", "each", "walk", "unchecked"] if depth > 0 else []
        kinds += ["leave"] if scope.in_loop else []
        kind = self.one(kinds)
        if kind in ("if", "range", "while", "each", "walk", "unchecked"):
            return self.compound(kind, scope, depth)
        if kind == "change":
            return [self.change(scope)]
        if kind == "memory":
            return self.memory(scope)
        return self.plain(kind, scope)

    def plain(self, kind: str, scope: Scope) -> list[str]:
        type_ = self.one([*WIDTHS, "bool"])
        names = [name for name, held in scope.locals.items() if held == type_ and name not in scope.fixed]
        held = self.one(list(STATE))
        match kind:
            case "assign" if names:
                return [f"{self.one(names)} = {self.expression(type_, scope, 2)}"]
            case "store":
                unkeyed = [place for place in STATE[held] if not any(name in place for name in (*KEYED, *LISTS))]
                return [f"{self.filled(self.one(unkeyed), scope)} = {self.expression(held, scope, 2)}"]
            case "augment" if names and type_ != "bool":
                op = self.one(["+", "-", "*", "^", "|"])
                return [f"{self.one(names)} {op}= {self.expression(type_, scope, 2)}"]
            case "assert":
                return [f"assert {self.truth(scope, 2)}" + self.one(["", ', "refused"', ', "no " + "way"'])]
            case "emit":
                return [f"emit(Noted({self.expression('u64', scope, 1)}, {self.expression('i256', scope, 1)}))"]
            case "text":
                return [self.one(TEXTS).format(u8=self.simple("u8", scope), u64=self.simple("u64", scope))]
            case "swap":
                return ["self.b, self.point.x = self.point.x, self.b"]
            case "leave":
                return [f"if {self.truth(scope, 1)}:", f"    {self.one(['break', 'continue'])}"]
        name = self.name()
        line = f"{name}: {type_} = {self.expression(type_, scope, 2)}"
        scope.locals[name] = type_
        return [line]

    def memory(self, scope: Scope) -> list[str]:
        """A line about a struct and a list that are variables, which are made where there are none."""
        lines: list[str] = []
        names = {}
        for type_, key in (("Point", "point"), ("List[u64]", "list")):
            known = [name for name, held in scope.locals.items() if held == type_]
            if not known:
                known = [self.name()]
                made = f"Point({self.expression('u64', scope, 1)}, {self.expression('i64', scope, 1)})"
                items = f"[{self.expression('u64', scope, 1)}, {self.literal('u64')}]"
                lines.append(f"{known[0]}: {type_} = {made if key == 'point' else items}")
                scope.locals[known[0]] = type_
            names[key] = self.one(known)
        text = self.one([*IN_MEMORY, *(STORING if scope.may_write else [])])
        for key, name in names.items():
            text = text.replace("{" + key + "}", name)
        lines.append(self.filled(text, scope))
        return lines

    def filled(self, text: str, scope: Scope) -> str:
        for wanted in ("u8", "u64", "i64", "bool"):
            text = text.replace("{" + wanted + "}", self.simple(wanted, scope))
        return text

    def change(self, scope: Scope) -> str:
        """What changes a map or a list."""
        list_ = self.one(list(LISTS))
        match self.pick(8):
            case 0:
                return f"self.{list_}.append({self.expression(LISTS[list_], scope, 2)})"
            case 1:
                return f"self.{list_}.pop()"
            case 2:
                return f"del self.table[{self.simple('u8', scope)}]"
            case 3:
                return f"self.points[{self.simple('u64', scope)}] = Point({self.expression('u64', scope, 1)})"
            case 4:
                return f"self.items[{self.simple('u64', scope)}] -= {self.expression('u64', scope, 1)}"
            case 5:
                return "self.point = self.points[self.b].copy()"
        type_ = self.one(["u256", "i64", "u64"])
        keyed = [place for place in STATE[type_] if any(name in place for name in KEYED)]
        op = self.one(["=", "=", "+=", "-=", "^="])
        return f"{self.filled(self.one(keyed), scope)} {op} {self.expression(type_, scope, 2)}"

    def compound(self, kind: str, scope: Scope, depth: int) -> list[str]:
        inner = scope.inner()
        name = self.name()
        match kind:
            case "if":
                lines = [f"if {self.truth(scope, 2)}:", *self.inside(inner, depth)]
                if self.pick(2):
                    lines += ["else:", *self.inside(scope.inner(), depth)]
                return lines
            case "unchecked":
                return ["with unchecked():", *self.inside(inner, depth)]
            case "while":
                scope.locals[name] = inner.locals[name] = "u8"
                inner.in_loop = True
                inner.fixed |= {name}
                scope.fixed |= {name}
                body = self.inside(inner, depth)
                return [f"{name}: u8 = 0", f"while {name} < {self.pick(6)}:", f"    {name} += 1", *body]
            case "range":
                inner.in_loop, inner.locals[name] = True, "u64"
                inner.fixed |= {name}
                bounds = self.one(["5", "1, 4", "0, 9, 3", "6, 0, -2", "self.b % 4"])
                return [f"for {name} in range({bounds}):", *self.inside(inner, depth)]
        inner.in_loop, inner.may_write = True, False
        if kind == "each":
            list_ = self.one(list(LISTS))
            inner.locals[name] = LISTS[list_]
            inner.fixed |= {name}
            return [f"for {name} in self.{list_}:", *self.inside(inner, depth)]
        key, value = name, self.name()
        inner.locals |= {key: "u8", value: "u256"}
        inner.fixed |= {key, value}
        drop = (
            [f"    if {value} % 2 == 0:", f"        del self.table[{key}]"] if scope.may_write and self.pick(2) else []
        )
        return [f"for {key}, {value} in self.table.items():", *self.inside(inner, depth), *drop]

    # The whole

    def function(self, name: str, scope: Scope, external: bool) -> tuple[list[str], tuple[str, ...]]:
        types = tuple(self.one([*WIDTHS, "bool"]) for _ in range(1 + self.pick(3)))
        scope.locals = {f"p{i}": type_ for i, type_ in enumerate(types)}
        given = ", ".join(f"p{i}: {type_}" for i, type_ in enumerate(types))
        lines = ["@external"] if external else []
        lines += [f"def {name}(self, {given}) -> {scope.returns}:"]
        wrap = self.pick(2)
        lines += ["    with unchecked():"] if wrap else []
        lines += ["    " * (1 + wrap) + line for line in self.block(scope, 2, 5)]
        if self.pick(4) == 0:
            lines += [f"    if {self.truth(scope, 2)}:", f"        raise Fails({self.expression('u8', scope, 1)})"]
        result = self.name()
        lines += ["    with unchecked():"] if wrap else []
        lines += ["    " * (1 + wrap) + f"{result}: {scope.returns} = {self.expression(scope.returns, scope, 3)}"]
        lines += [f"    return {result}"]
        return lines, types

    def program(self) -> str:
        lines = [HEAD + FIELDS]
        helpers: tuple[tuple[str, tuple[str, ...], str], ...] = ()
        for i in range(1 + self.pick(2)):
            scope = Scope(helpers=helpers, returns=self.one(list(WIDTHS)))
            body, types = self.function(f"helper{i}", scope, external=False)
            helpers += ((f"helper{i}", types, scope.returns),)
            lines += ["    " + line for line in body] + [""]
        for i in range(2):
            scope = Scope(helpers=helpers, returns=self.one([*WIDTHS, "bool"]))
            lines += ["    " + line for line in self.function(f"run{i}", scope, external=True)[0]] + [""]
        return "\n".join(lines).rstrip() + "\n"
