"""What a file declares, with its syntax: modules and their scopes, contracts, interfaces, structs, functions.

The front end's result and the checker's input. Types of annotations are resolved; bodies and values are still `ast`,
which `front.subset` has been through. Where something did not resolve, it is None (or `Unresolved`): the author has
been told, and whoever meets it says nothing more.
Source: docs/language.md. Never: looks at bodies, or evaluates constants.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from pathlib import Path
from typing import TypeAlias

from contractvm.dataclass import dataclass
from sdk.compiler import types
from sdk.compiler.diagnostics import Source
from sdk.compiler.symbols import Error, Event, Field, Remote, Span
from sdk.compiler.types import Type


class FunctionKind(Enum):
    """How a function is entered. `INTERNAL` is for methods without decorator and for functions of modules."""

    INTERNAL = "internal"
    EXTERNAL = "external"
    CONSTRUCTOR = "__init__"
    RECEIVE = "receive"
    FALLBACK = "fallback"


@dataclass(slots=True, eq=False)
class Module:
    """A source file. `name` is unique in the unit: its stem, or as much of its dotted path as tells it from others.

    `scope` is what a name means at the top level: declarations, imported ones, and what comes from `sdk`. The names
    that Python itself gives (`len`, `range`, `bool` ...) are in it too, if the language has them.
    """

    name: str
    source: Source
    tree: ast.Module
    scope: dict[str, Declaration] = field(default_factory=dict)

    def span(self, node: ast.stmt | ast.expr | ast.arg | ast.keyword | ast.alias) -> Span:
        """Where a node of this file stands, for `Reporter.error` and the tree."""
        return self.source.span(node)


@dataclass(frozen=True, slots=True, eq=False)
class LanguageName:
    """A name of the language, by the name it has in `sdk` or in Python, whatever it was imported as."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Unresolved:
    """A name that an error has been reported about: an import that failed, a class that is nothing."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class ConstDecl:
    """A module's `NAME: Const[T] = value`; `value` is None where it is missing or refused."""

    name: str
    module: Module
    node: ast.AnnAssign
    type: Type | None
    value: ast.expr | None


@dataclass(frozen=True, slots=True, eq=False)
class StructDecl:
    """`defaults` are of the last fields or of none, by position; None where there is none."""

    name: str
    module: Module
    node: ast.ClassDef
    type: types.Struct
    defaults: tuple[ast.expr | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class EnumDecl:
    name: str
    module: Module
    node: ast.ClassDef
    type: types.Enum


@dataclass(frozen=True, slots=True, eq=False)
class EventDecl:
    name: str
    module: Module
    node: ast.ClassDef
    symbol: Event | None


@dataclass(frozen=True, slots=True, eq=False)
class ErrorDecl:
    name: str
    module: Module
    node: ast.ClassDef
    symbol: Error | None


@dataclass(slots=True, eq=False)
class InterfaceDecl:
    """`functions` by the source's name, the bases' included; None where a signature is not understood."""

    name: str
    module: Module
    node: ast.ClassDef
    type: types.Remote
    functions: dict[str, Remote | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class ParameterDecl:
    """Of a function, without `self`. `default` is a constant expression, which the checker folds."""

    name: str
    abi_name: str
    type: Type | None
    default: ast.expr | None
    node: ast.arg


@dataclass(frozen=True, slots=True, eq=False)
class FunctionDecl:
    """A method, or a module's function (`owner` None). `returns` None: not understood; NOTHING for `-> None`.

    Where `rejected`, the body has syntax that the language refuses: it has been reported, the body is not to be looked
    at, and the signature holds.
    """

    name: str
    qualified: str
    module: Module
    owner: ContractDecl | None
    node: ast.FunctionDef
    kind: FunctionKind
    abi_name: str
    parameters: tuple[ParameterDecl, ...]
    returns: Type | None
    view: bool
    payable: bool
    nonreentrant: bool
    rejected: bool

    @property
    def span(self) -> Span:
        return self.module.source.name_span(self.node)


@dataclass(frozen=True, slots=True, eq=False)
class FieldDecl:
    """`value` is a constant's (`Const`), otherwise None; `symbol` is None where the type is not understood."""

    name: str
    owner: ContractDecl
    node: ast.AnnAssign
    symbol: Field | None
    value: ast.expr | None


@dataclass(slots=True, eq=False)
class ContractDecl:
    """A contract class. `linearisation` is Python's C3 order, itself first; `Contract` is not in it.

    `fields` and `methods` are the finished contract's, by name: methods as C3 finds them, fields of all classes in
    order of linearisation and declaration. `own_fields` and `own_methods` are those of this class alone.
    `incomplete`: something in it or in a base was refused, so that a name that is not found proves nothing.
    """

    name: str
    module: Module
    node: ast.ClassDef
    bases: tuple[ContractDecl, ...] = ()
    linearisation: tuple[ContractDecl, ...] = ()
    own_fields: dict[str, FieldDecl] = field(default_factory=dict)
    own_methods: dict[str, FunctionDecl] = field(default_factory=dict)
    fields: dict[str, FieldDecl] = field(default_factory=dict)
    methods: dict[str, FunctionDecl] = field(default_factory=dict)
    incomplete: bool = False

    @property
    def span(self) -> Span:
        return self.module.source.name_span(self.node)

    def method_after(self, owner: ContractDecl, name: str) -> FunctionDecl | None:
        """What `super().name` means in a method of `owner` when this is the finished contract."""
        order = self.linearisation
        for declared in order[order.index(owner) + 1 :]:
            if name in declared.own_methods:
                return declared.own_methods[name]
        return None


Declaration: TypeAlias = (
    LanguageName | Unresolved | ConstDecl | StructDecl | EnumDecl | EventDecl | ErrorDecl | InterfaceDecl | FunctionDecl
    | ContractDecl
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """One compilation: the file asked for, `modules[0]`, and those it imports, in the order in which they are met.

    `modules[i].source.index == i`: spans count in them. `contract` is the one to build; None when an error stands in
    the way. `interfaces` by the `qualified` of their type.
    """

    root: Path
    modules: tuple[Module, ...]
    contract: ContractDecl | None
    interfaces: Mapping[str, InterfaceDecl]

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(module.source.path for module in self.modules)
