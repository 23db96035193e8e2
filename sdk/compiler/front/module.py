"""Declares a module: gives each of its top-level names a meaning, in order, and refuses what is no declaration.

Source: docs/language.md, "Modules". Never: imports (`front.load` has filled the scope with what is imported).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sdk.compiler import types
from sdk.compiler.diagnostics import Reporter
from sdk.compiler.front.annotations import Resolver
from sdk.compiler.front.contracts import check_constant, declare_contract
from sdk.compiler.front.declared import (
    ConstDecl,
    ContractDecl,
    Declaration,
    InterfaceDecl,
    LanguageName,
    Module,
    Unresolved,
)
from sdk.compiler.front.functions import declare_function, declare_remote
from sdk.compiler.front.hiding import check_hiding
from sdk.compiler.front.language import BASES, INSTEAD
from sdk.compiler.front.names import Definition, Names
from sdk.compiler.front.records import (
    declare_enum,
    declare_error,
    declare_event,
    declare_struct,
    without_text,
)
from sdk.compiler.front.subset import Subset

KINDS = "Contract, Interface, Struct, Enum, Event or Error"


def declare_module(module: Module, reporter: Reporter) -> None:
    """Fill `module.scope`, where imports and Python's names are already."""
    Declarer(module, reporter).run()


class Declarer:
    """Declares one module's names."""

    def __init__(self, module: Module, reporter: Reporter) -> None:
        self.module = module
        self.names = Names(module, reporter, dict(definitions(module, reporter)))
        self.names.declare = self.declare
        self.resolver = Resolver(self.names)
        self.subset = Subset(module, reporter)
        self.empty: dict[InterfaceDecl, list[InterfaceDecl]] = {}
        """Interfaces without functions yet, and their bases: functions may name interfaces in a circle."""

    def run(self) -> None:
        while self.names.later:
            name = next(iter(self.names.later))
            self.declare(name, self.names.later.pop(name))
        while self.empty:
            self.fill(next(iter(self.empty)))

    def declare(self, name: str, node: Definition) -> None:
        """Give one name its meaning. What is not understood becomes `Unresolved`, so that it is reported once."""
        self.names.open.append(name)
        match node:
            case ast.FunctionDef():
                in_language = self.subset.function(node)
                found: Declaration | None = declare_function(node, None, not in_language, self.names, self.resolver)
            case ast.ClassDef():
                found = self.declare_class(node)
            case ast.AnnAssign():
                found = self.declare_constant(name, node)
        self.names.open.pop()
        self.module.scope[name] = Unresolved(name) if found is None else found

    def declare_constant(self, name: str, node: ast.AnnAssign) -> Declaration | None:
        annotation = node.annotation
        if not (isinstance(annotation, ast.Subscript) and self.names.language(annotation.value) == "Const"):
            help_ = f"write {name}: Const[...] = value, or make it a field of the contract"
            self.names.error("CV010", node, "a module has no variables", help_)
            return None
        type_ = self.resolver.type(annotation.slice)
        check_constant(node, name, type_, self.names)
        value = node.value if self.subset.accepts(node.value) else None
        return ConstDecl(name, self.module, node, type_, value)

    def declare_class(self, node: ast.ClassDef) -> Declaration | None:
        for decorator in node.decorator_list:
            self.names.error(
                "CV041", decorator, "a class has no decorators", INSTEAD.get(ast.unparse(decorator), "remove it")
            )
        generic: list[ast.expr] = getattr(node, "type_params", [])  # from Python 3.12 on
        if generic:
            self.names.error("CV049", generic[0], "classes have no type parameters", "write one for each type")
        kind, bases = self.kind_of(node)
        check_hiding(node, self.names)
        if kind != "Event":
            for keyword in node.keywords:
                self.names.error("CV105", keyword, "a class has no options here", "remove it")
        if kind in ("Struct", "Enum", "Event", "Error"):
            return self.declare_record(kind, node)
        if kind == "Interface":
            return self.declare_interface(node, [base for base in bases if isinstance(base, InterfaceDecl)])
        if kind == "Contract":
            rejected: set[ast.stmt] = set()
            for statement in node.body:
                match statement:
                    case ast.FunctionDef() if not self.subset.function(statement):
                        rejected.add(statement)
                    case ast.AnnAssign(value=value) if not self.subset.accepts(value):
                        rejected.add(statement)
            contracts = list(dict.fromkeys(base for base in bases if isinstance(base, ContractDecl)))
            declared = declare_contract(node, contracts, rejected, self.names, self.resolver)
            declared.incomplete = declared.incomplete or any(isinstance(base, Unresolved) for base in bases)
            return declared
        return None

    def declare_record(self, kind: str, node: ast.ClassDef) -> Declaration | None:
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign):
                self.subset.value(statement.value)
        match kind:
            case "Struct":
                return declare_struct(node, self.names, self.resolver)
            case "Enum":
                return declare_enum(node, self.names)
            case "Event":
                return declare_event(node, self.names, self.resolver)
        return declare_error(node, self.names, self.resolver)

    def declare_interface(self, node: ast.ClassDef, bases: list[InterfaceDecl]) -> InterfaceDecl:
        type_ = types.Remote(node.name, f"{self.module.name}.{node.name}")
        declared = InterfaceDecl(node.name, self.module, node, type_)
        self.empty[declared] = bases
        return declared

    def fill(self, declared: InterfaceDecl) -> None:
        """Declare an interface's functions, after those of its bases."""
        for base in reversed(self.empty.pop(declared)):
            if base in self.empty:
                self.fill(base)
            declared.functions.update(base.functions)
        own: set[str] = set()
        for statement in without_text(declared.node.body):
            if not isinstance(statement, ast.FunctionDef):
                if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
                    help_ = "a value that others can read is a function: @view, def name(self) -> u256: ..."
                    self.names.error("CV125", statement, "an interface has functions and nothing else", help_)
            elif statement.name in own:
                span = self.module.source.name_span(statement)
                help_ = '@external(name="...") gives two functions one name in the ABI'
                self.names.error("CV111", span, f"{statement.name} is declared twice", help_)
            else:
                own.add(statement.name)
                for default in statement.args.defaults:
                    self.subset.value(default)
                declared.functions[statement.name] = declare_remote(statement, self.names, self.resolver)

    def kind_of(self, node: ast.ClassDef) -> tuple[str, list[Declaration]]:
        """(what the class is, the classes of the project among its bases); "" when it is nothing: reported."""
        span = self.module.source.name_span(node)
        bases = [(base, self.base(base)) for base in node.bases]
        found: list[Declaration] = [declared for _, declared in bases if not isinstance(declared, LanguageName)]
        kinds = {kind for _, declared in bases if (kind := base_kind(declared))}
        if not bases:
            self.names.error("CV102", span, f"{node.name} is no kind of class", f"its base is a {KINDS}")
        elif len(kinds) > 1:
            help_ = "a contract calls another by its Interface, and has structs as fields"
            self.names.error("CV104", span, f"{node.name} cannot be {' and '.join(sorted(kinds))} at once", help_)
            return "", found
        kind = next(iter(kinds), "")
        if kind not in ("Contract", "Interface"):
            return kind if not found else "", found
        for index, (base, declared) in enumerate(bases):
            after = [other for _, other in bases[index + 1 :]]
            if declared in after or (isinstance(declared, LanguageName) and any(map(base_kind, after))):
                help_ = f"write class {node.name}({', '.join(base_names(node, kind))}):"
                self.names.error("CV103", base, f"{ast.unparse(base)} stands before what inherits it", help_)
        return kind, found

    def base(self, node: ast.expr) -> Declaration:
        """What a class inherits from; `Unresolved` when no class can: reported."""
        declared = self.names.find(node) if isinstance(node, ast.Name) else None
        match declared:
            case LanguageName(name) if name in BASES:
                return declared
            case ContractDecl() | InterfaceDecl() | Unresolved():
                return declared
            case None if isinstance(node, ast.Name):
                return Unresolved(node.id)
        if self.names.unresolved(node):
            return Unresolved(ast.unparse(node))
        help_ = f"its base is a {KINDS}, or a contract or an interface"
        self.names.error("CV102", node, "no class can inherit from this", help_)
        return Unresolved(ast.unparse(node))


def base_kind(declared: Declaration) -> str:
    """What a base makes of a class; "" for one that is not understood."""
    match declared:
        case LanguageName(name):
            return name
        case ContractDecl():
            return "Contract"
        case InterfaceDecl():
            return "Interface"
    return ""


def base_names(node: ast.ClassDef, kind: str) -> list[str]:
    """The bases as they should be written: each once, and `Contract` only where it is alone."""
    written = list(dict.fromkeys(ast.unparse(base) for base in node.bases))
    return [name for name in written if name != kind] or [kind]


def definitions(module: Module, reporter: Reporter) -> Iterator[tuple[str, Definition]]:
    """The names that a module declares, each once, in order; other statements are reported."""
    seen: dict[str, int] = {}
    for statement in without_text(module.tree.body):
        match statement:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                span = module.source.name_span(statement)
            case ast.AnnAssign(target=ast.Name(id=name), simple=1):
                span = module.span(statement.target)
            case ast.Import() | ast.ImportFrom():
                continue
            case _:
                refuse_statement(statement, module, reporter)
                continue
        other = module.scope.get(name)
        if name in seen:
            message = f"{name} is declared twice: on line {seen[name]} too"
            reporter.error("CV101", span, message, "remove one, or rename it")
        elif isinstance(other, LanguageName):
            help_ = "use another name, so that the language's can be used too"
            reporter.error("CV128", span, f"{name} is a name of the language", help_)
        elif other is not None:
            reporter.error("CV101", span, f"{name} is imported too", "rename it, or import the other `as` something")
        else:
            seen[name] = statement.lineno
            yield name, statement


def refuse_statement(statement: ast.stmt, module: Module, reporter: Reporter) -> None:
    """Say what a module's top level has instead of a statement that runs."""
    span = module.span(statement)
    if span.end_line > span.line:
        last = len(module.source.line(span.line).rstrip())
        span = type(span)(span.file, span.line, span.column, span.line, last)
    for name in assigned(statement):
        module.scope.setdefault(name, Unresolved(name))
    match statement:
        case _ if type(statement).__name__ == "TypeAlias":  # from Python 3.12 on
            reporter.error("CV049", span, "a type has one name", "write the type where it is used")
        case ast.AsyncFunctionDef():
            reporter.error("CV020", span, "a contract has no async", "write def: calls return when they are done")
        case ast.Assign(targets=[ast.Name(id=name)]):
            help_ = f"write {name}: Const[...] = value, or make it a field of the contract"
            reporter.error("CV010", span, "a module has no variables", help_)
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            reporter.error("CV010", span, "a module has no statements that run", "import what is needed without if")
        case _:
            help_ = "a module has imports, classes, functions and constants (NAME: Const[T] = value)"
            reporter.error("CV010", span, "a module has no statements that run", help_)


def assigned(statement: ast.stmt) -> list[str]:
    """The names that a refused statement would have given a meaning: nothing is said about their use."""
    if isinstance(statement, ast.AsyncFunctionDef):
        return [statement.name]
    return [node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
