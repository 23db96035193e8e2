"""The finished contract while it is checked: its functions as the tree has them, constants, fields, what is used.

Source: docs/language.md, "Inheritance" and "Fields". Never: looks into a body; `functions` makes those.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from contractvm.dataclass import dataclass
from sdk.compiler import tree
from sdk.compiler.diagnostics import Reporter
from sdk.compiler.front.declared import (
    ConstDecl,
    ContractDecl,
    FieldDecl,
    FunctionDecl,
    FunctionKind,
    InterfaceDecl,
    Module,
    StructDecl,
    Unit,
)
from sdk.compiler.symbols import Error, Event, Kind, Mutability, Parameter, Remote
from sdk.compiler.types import Type


@dataclass(slots=True, eq=False)
class Whole:
    """What the bodies of one contract share. The evaluators are handed in, since constants are expressions."""

    unit: Unit
    contract: ContractDecl
    reporter: Reporter
    evaluate: Callable[[Whole, Module, ContractDecl | None, object, Type], tree.Constant | tree.Expression | None]
    """(whole, module, the class in whose body it stands, ast expression, type) to a value without calculation, or None:
    said."""
    functions: dict[FunctionDecl, tree.Function | None] = field(default_factory=dict)
    fields: set[FieldDecl] = field(default_factory=set)
    events: dict[Event, None] = field(default_factory=dict)
    errors: dict[Error, None] = field(default_factory=dict)
    _constants: dict[object, tree.Expression | None] = field(default_factory=dict)
    _remotes: dict[FunctionDecl, Remote | None] = field(default_factory=dict)

    def function(self, declared: FunctionDecl) -> tree.Function | None:
        """The tree's function of a declaration, whose body may not be there yet; None: its signature is not
        understood."""
        if declared not in self.functions:
            self.functions[declared] = self._made(declared)
        return self.functions[declared]

    def _made(self, declared: FunctionDecl) -> tree.Function | None:
        locals_ = [tree.Local(p.name, p.type) for p in declared.parameters if p.type is not None]
        if declared.returns is None or len(locals_) != len(declared.parameters):
            return None
        return tree.Function(
            declared.name,
            declared.qualified,
            locals_,
            declared.returns,
            declared.span,
            nonreentrant=declared.nonreentrant,
        )

    def constant(self, declared: ConstDecl | FieldDecl) -> tree.Expression | None:
        """The value of a `Const`."""
        if declared not in self._constants:
            self._constants[declared] = None
            owner: ContractDecl | None = None
            if isinstance(declared, ConstDecl):
                module, type_ = declared.module, declared.type
            else:
                owner = declared.owner
                module, type_ = owner.module, declared.symbol.type if declared.symbol else None
            if type_ is not None and declared.value is not None:
                self._constants[declared] = self.evaluate(self, module, owner, declared.value, type_)
        return self._constants[declared]

    def default(self, declared: FunctionDecl, position: int) -> tree.Expression | None:
        """The value of a parameter that is left out."""
        parameter = declared.parameters[position]
        key = (declared, position)
        if key not in self._constants:
            self._constants[key] = None
            if parameter.type is not None and parameter.default is not None:
                self._constants[key] = self.evaluate(
                    self, declared.module, declared.owner, parameter.default, parameter.type
                )
        return self._constants[key]

    def member_default(self, declared: StructDecl, position: int) -> tree.Expression | None:
        """The value of a struct's field that is left out."""
        key = (declared, position)
        node = declared.defaults[position]
        if key not in self._constants:
            self._constants[key] = None
            if node is not None:
                type_ = declared.type.members[position].type
                self._constants[key] = self.evaluate(self, declared.module, None, node, type_)
        return self._constants[key]

    def storage(self, name: str) -> FieldDecl | None:
        """A field of the finished contract."""
        return self.contract.fields.get(name)

    def interface(self, qualified: str) -> InterfaceDecl | None:
        return self.unit.interfaces.get(qualified)

    def struct(self, qualified: str) -> StructDecl | None:
        """The declaration behind a struct type."""
        for module in self.unit.modules:
            for found in module.scope.values():
                if isinstance(found, StructDecl) and found.type.qualified == qualified:
                    return found
        return None

    def remote(self, declared: FunctionDecl) -> Remote | None:
        """An external function of a contract of the project, as others call it."""
        if declared not in self._remotes:
            self._remotes[declared] = remote_of(declared)
        return self._remotes[declared]


def remote_of(declared: FunctionDecl) -> Remote | None:
    """None where the function is not external, or its signature is not understood."""
    parameters = [Parameter(p.name, p.abi_name, p.type) for p in declared.parameters if p.type is not None]
    if (
        declared.kind is not FunctionKind.EXTERNAL
        or declared.returns is None
        or len(parameters) != len(declared.parameters)
    ):
        return None
    defaults = sum(p.default is not None for p in declared.parameters)
    how = Mutability.VIEW if declared.view else Mutability.PAYABLE if declared.payable else Mutability.NONPAYABLE
    return Remote(declared.name, declared.abi_name, tuple(parameters), defaults, declared.returns, how)


def is_constant(declared: FieldDecl) -> bool:
    return declared.symbol is not None and declared.symbol.kind is Kind.CONST
