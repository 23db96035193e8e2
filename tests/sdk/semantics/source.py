"""What a module of the language declares, read from its syntax: classes, functions, constants, and the types it names.

Follows docs/language.md, "A contract" and "Modules". Never: refuses what the compiler must refuse; it takes well-formed
programs.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

from tests.sdk.semantics.values import (
    AddressT,
    ArrayT,
    BoolT,
    BytesT,
    EnumT,
    FixedT,
    IllTyped,
    InterfaceT,
    IntT,
    ListT,
    MapT,
    NoneT,
    StringT,
    StructT,
    TupleT,
    Type,
)

SIMPLE: dict[str, Type] = {"bool": BoolT(), "Address": AddressT(), "Bytes": BytesT(), "String": StringT()}
AROUND = ("Public", "Const", "Immutable", "Transient", "Indexed")


@dataclass
class Method:
    """A function or method, and where it stands."""

    node: ast.FunctionDef
    module: Module
    owner: str
    """The class that declares it; empty for a module's function."""

    @property
    def decorators(self) -> set[str]:
        calls = [item.func if isinstance(item, ast.Call) else item for item in self.node.decorator_list]
        return {item.id for item in calls if isinstance(item, ast.Name)}


@dataclass
class Field:
    """A contract's field: its type without what stands around it, which is in `marks`."""

    name: str
    type: Type
    marks: frozenset[str]
    value: ast.expr | None


@dataclass
class Class:
    """A class: a contract, or what its `kind` says."""

    name: str
    kind: str
    module: Module
    bases: list[str]
    fields: dict[str, Field] = field(default_factory=dict)
    methods: dict[str, Method] = field(default_factory=dict)


@dataclass
class Module:
    """The names of a file, imported ones included."""

    root: Path
    classes: dict[str, Class] = field(default_factory=dict)
    functions: dict[str, Method] = field(default_factory=dict)
    constants: dict[str, Field] = field(default_factory=dict)
    enums: dict[str, EnumT] = field(default_factory=dict)
    structs: dict[str, StructT] = field(default_factory=dict)

    def type(self, node: ast.expr) -> Type:
        """Of an annotation, without what stands around it. Raises: IllTyped."""
        match node:
            case ast.Constant(value=None):
                return NoneT()
            case ast.Name(id=name):
                return self.named(name)
            case ast.Subscript(value=ast.Name(id=name), slice=inner) if name in AROUND:
                return self.type(inner)
            case ast.Subscript(value=ast.Name(id="List"), slice=inner):
                return ListT(self.type(inner))
            case ast.Subscript(value=ast.Name(id="Map"), slice=ast.Tuple(elts=[key, value])):
                return MapT(self.type(key), self.type(value))
            case ast.Subscript(value=ast.Name(id="Array"), slice=ast.Tuple(elts=[item, length])):
                return ArrayT(self.type(item), int(ast.unparse(length)[8:-1]))
            case ast.Subscript(value=ast.Name(id="tuple"), slice=inner):
                items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                return TupleT(tuple(map(self.type, items)))
        raise IllTyped(f"the type {ast.unparse(node)}")

    def named(self, name: str) -> Type:
        if name in SIMPLE:
            return SIMPLE[name]
        if found := re.fullmatch(r"([ui])(\d+)", name):
            return IntT(int(found[2]), found[1] == "i")
        if found := re.fullmatch(r"bytes(\d+)", name):
            return FixedT(int(found[1]))
        if name in self.structs:
            return self.structs[name]
        if name in self.enums:
            return self.enums[name]
        if name in self.classes and self.classes[name].kind == "Interface":
            return InterfaceT(name)
        raise IllTyped(f"the type {name}")


def marks(node: ast.expr) -> frozenset[str]:
    """What stands around a field's type."""
    match node:
        case ast.Subscript(value=ast.Name(id=name), slice=inner) if name in AROUND:
            return marks(inner) | {name}
    return frozenset()


def read(text: str, root: Path) -> Module:
    """The module that a source is; contract modules it imports are looked for under `root`."""
    module = Module(root)
    for node in ast.parse(text).body:
        match node:
            case ast.ImportFrom(module=name, names=names) if name not in (None, "sdk"):
                take_over(module, read((root / f"{name.replace('.', '/')}.py").read_text(), root), names)
            case ast.FunctionDef(name=name):
                module.functions[name] = Method(node, module, "")
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                module.constants[name] = Field(name, module.type(annotation), marks(annotation), value)
            case ast.ClassDef():
                declare(module, node)
    return module


def take_over(module: Module, other: Module, names: list[ast.alias]) -> None:
    """Names of another module, or all of them."""
    for mine, theirs in zip(vars(module).values(), vars(other).values(), strict=True):
        if isinstance(mine, dict):
            wanted = theirs if names[0].name == "*" else {alias.name for alias in names} & set(theirs)
            mine.update({name: theirs[name] for name in wanted})


def declare(module: Module, node: ast.ClassDef) -> None:
    """A class of the module."""
    bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
    kind = bases[0]
    if bases[0] in module.classes:
        kind = module.classes[bases[0]].kind
    found = Class(node.name, kind, module, bases)
    if kind == "Enum":
        values = [(item.targets[0], item.value) for item in node.body if isinstance(item, ast.Assign)]
        members = tuple((ast.unparse(name), int(ast.literal_eval(value))) for name, value in values)
        module.enums[node.name] = EnumT(node.name, members)
        return
    if kind == "Interface":
        module.classes[node.name] = found
    for item in node.body:
        match item:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                found.fields[name] = Field(name, module.type(annotation), marks(annotation), value)
            case ast.FunctionDef(name=name):
                found.methods[name] = Method(item, module, node.name)
    module.classes[node.name] = found
    if kind == "Struct":
        module.structs[node.name] = StructT(node.name, tuple((one.name, one.type) for one in found.fields.values()))


def linearised(module: Module, name: str) -> list[Class]:
    """A contract and its bases in Python's own order."""
    made: dict[str, type] = {}

    def make(one: str) -> type:
        if one not in module.classes:
            return object
        if one not in made:
            bases = tuple(make(base) for base in module.classes[one].bases)
            made[one] = type(one, bases, {})
        return made[one]

    return [module.classes[cls.__name__] for cls in make(name).__mro__ if cls is not object]
