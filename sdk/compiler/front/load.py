"""Loads a file and what it imports: each module parsed once, its imports before itself, then declared.

`from sdk import` gives names of the language; `from .base import` and `from contracts.base import` (from the project's
root) give declarations of other modules. Nothing else can be imported.
Source: docs/language.md, "Modules". Never: runs a module, or looks outside the project.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from sdk.compiler.diagnostics import CompileError, Reporter
from sdk.compiler.front.declared import ContractDecl, InterfaceDecl, LanguageName, Module, Unit, Unresolved
from sdk.compiler.front.language import PYTHON, SDK, unknown_name
from sdk.compiler.front.module import declare_module
from sdk.compiler.front.parse import FIRST, at_line, parse
from sdk.compiler.front.selectors import check_selectors
from sdk.compiler.symbols import Span

LONGEST_CHAIN = 50
"""Modules that import one another, one by one."""


def load(path: Path, contract: str | None, reporter: Reporter, *, needed: bool = True) -> Unit:
    """Everything that a file declares, and the contract to build: the one named, or the file's last.

    `needed`: a file without one is an error.

    Errors are the reporter's, and what can be looked at in spite of them is there. Raises: CompileError when the file
    is no Python, so that there is nothing to look at.
    """
    loader = Loader(path, reporter)
    main = loader.module(path, None)
    if main is None:
        reporter.check()
        raise CompileError(reporter.diagnostics())
    contracts = {
        name: declared
        for name, declared in main.scope.items()
        if isinstance(declared, ContractDecl) and declared.module is main
    }
    for declared in contracts.values():
        check_selectors(declared, reporter)
    interfaces = {
        declared.type.qualified: declared
        for module in loader.loaded
        for declared in module.scope.values()
        if isinstance(declared, InterfaceDecl)
    }
    chosen = choose(main, contracts, contract, reporter) if needed or contracts else None
    return Unit(loader.root, tuple(loader.loaded), chosen, interfaces)


def choose(
    main: Module, contracts: dict[str, ContractDecl], name: str | None, reporter: Reporter
) -> ContractDecl | None:
    """The contract to build; None when there is none: reported, unless its class was."""
    if name in contracts:
        return contracts[name]
    if name is None and contracts:
        return list(contracts.values())[-1]
    start = at_line(main.source, FIRST)
    if name is not None and contracts:
        message = f"{main.source.path.name} has no contract {name}"
        reporter.error("CV126", start, message, f"it has {', '.join(contracts)}")
    elif not any(isinstance(declared, Unresolved) for declared in main.scope.values()):
        message = f"{main.source.path.name} has no contract"
        reporter.error("CV126", start, message, "write class Name(Contract):")
    return None


class Loader:
    """The modules of one compilation. `loaded` in order of meeting; indices are the reporter's."""

    def __init__(self, path: Path, reporter: Reporter) -> None:
        self.reporter = reporter
        folder = path.resolve().parent
        marked = (parent for parent in (folder, *folder.parents) if (parent / "pyproject.toml").is_file())
        self.root = next(marked, folder)
        self.loaded: list[Module] = []
        self._modules: dict[Path, Module | None] = {}
        self._open: list[Path] = []

    def module(self, path: Path, importer: Span | None) -> Module | None:
        """The module of a file; None when it cannot be used, which has been reported."""
        real = path.resolve()
        if real in self._open:
            names = [*self._open[self._open.index(real) :], real]
            circle = " -> ".join(name.name for name in names)
            self._refuse("CV014", importer, f"modules import each other: {circle}", "move what both need to a third")
            return None
        if real in self._modules:
            return self._modules[real]
        if len(self._open) >= LONGEST_CHAIN:
            message = f"more than {LONGEST_CHAIN} modules import one another in a row"
            self._refuse("CV003", importer, message, "import what is needed from where it is declared")
            return None
        self._modules[real] = None
        source, tree = parse(path, self.reporter)
        found = Module(self._name(real), source, tree if tree is not None else ast.Module([], []))
        self.loaded.append(found)
        found.scope.update((name, LanguageName(name)) for name in sorted(PYTHON))
        if tree is None:
            return None
        self._open.append(real)
        for statement in tree.body:
            if isinstance(statement, ast.Import):
                self._plain_import(statement, found)
            elif isinstance(statement, ast.ImportFrom):
                self._import(statement, found)
        self._open.pop()
        declare_module(found, self.reporter)
        self._modules[real] = found
        return found

    def _name(self, real: Path) -> str:
        """The stem, or the dotted path from the root where another module has that."""
        stem = real.parent.name if real.stem == "__init__" else real.stem
        if all(module.name != stem for module in self.loaded):
            return stem
        relative = real.relative_to(self.root) if real.is_relative_to(self.root) else real
        return ".".join(relative.with_suffix("").parts)

    def _plain_import(self, node: ast.Import, module: Module) -> None:
        for alias in node.names:
            help_ = (
                "write from sdk import *"
                if alias.name.split(".")[0] == "sdk"
                else f"write from {alias.name} import and names"
            )
            self.reporter.error("CV015", module.span(alias), "a contract imports names, not modules", help_)
            module.scope[alias.asname or alias.name.split(".")[0]] = Unresolved(alias.name)

    def _import(self, node: ast.ImportFrom, module: Module) -> None:
        if node.level == 0 and node.module == "sdk":
            self._language(node, module)
            return
        span = module.span(node)
        target = self._target(node, module, span)
        imported = None if target is None else self.module(target, span)
        for alias in node.names:
            if alias.name == "*":
                if imported is not None:
                    help_ = f"name what is needed: from {shown(node)} import ..."
                    self.reporter.error("CV015", module.span(alias), "only from sdk can everything be imported", help_)
                continue
            self._bind(alias, module, imported, shown(node))

    def _bind(self, alias: ast.alias, module: Module, imported: Module | None, origin: str) -> None:
        """Give a module the name that it imports."""
        name = alias.asname or alias.name
        span = module.span(alias)
        if imported is None:
            module.scope.setdefault(name, Unresolved(alias.name))
            return
        declared = imported.scope.get(alias.name)
        if name in module.scope and not isinstance(declared, LanguageName):
            self.reporter.error("CV101", span, f"{name} is there already", "import it `as` something else")
            return
        if declared is None or isinstance(declared, LanguageName):
            if declared is not None or alias.name in SDK:
                help_ = f"write from sdk import {alias.name}"
            else:
                own = [known for known, found in imported.scope.items() if not isinstance(found, LanguageName)]
                help_ = unknown_name(alias.name, own) if own else "it declares nothing"
            self.reporter.error("CV013", span, f"{origin} does not declare {alias.name}", help_)
            declared = None
        elif not isinstance(declared, LanguageName | Unresolved | None) and declared.module is not imported:
            help_ = f"import it from where it is declared: {declared.module.source.path}"
            self.reporter.error("CV013", span, f"{origin} imports {alias.name} itself", help_)
        module.scope[name] = Unresolved(alias.name) if declared is None else declared

    def _language(self, node: ast.ImportFrom, module: Module) -> None:
        """`from sdk import *`, or names."""
        for alias in node.names:
            name = alias.asname or alias.name
            if alias.name == "*":
                for known in sorted(SDK):
                    module.scope.setdefault(known, LanguageName(known))
            elif alias.name in SDK:
                module.scope[name] = LanguageName(alias.name)
            else:
                help_ = unknown_name(alias.name, sorted(SDK))
                self.reporter.error("CV013", module.span(alias), f"sdk has no {alias.name}", help_)
                module.scope[name] = Unresolved(alias.name)

    def _target(self, node: ast.ImportFrom, module: Module, span: Span) -> Path | None:
        """The file that an import names; None when there is none: reported."""
        if node.level and node.module is None:
            help_ = f"write from {'.' * node.level}{node.names[0].name} import and names"
            self.reporter.error("CV015", span, "a contract imports names, not modules", help_)
            return None
        parts = (node.module or "").split(".")
        if not node.level and (parts[0] in ("sdk", "__future__") or parts[0] in sys.stdlib_module_names):
            self._refuse_library(node, parts[0], span)
            return None
        folder = self.root
        if node.level:
            folder = module.source.path.resolve().parent
            for _ in range(node.level - 1):
                folder = folder.parent
        base = folder.joinpath(*parts)
        found = next((file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()), None)
        if not base.resolve().is_relative_to(self.root):
            help_ = f"the project is {self.root}; put a pyproject.toml into the folder above both"
            self.reporter.error("CV012", span, f"{shown(node)} is outside the project", help_)
        elif found is None:
            help_ = f"looked for {self._relative(base)}.py in the project {self.root}"
            self.reporter.error("CV012", span, f"there is no contract module {shown(node)}", help_)
        elif not found.resolve().is_relative_to(self.root):
            help_ = f"it is a link to {found.resolve()}, and the project is {self.root}"
            self.reporter.error("CV012", span, f"{shown(node)} is outside the project", help_)
        else:
            return self._as_given(module.source.path, found)
        return None

    def _refuse_library(self, node: ast.ImportFrom, package: str, span: Span) -> None:
        literal = package == "typing" and all(alias.name == "Literal" for alias in node.names)
        helps = {
            "sdk": "write from sdk import and the names",
            "__future__": "remove it: annotations are what they say, quoted where the name comes later",
            "typing": "write from sdk import Literal" if literal else "the language's types are in sdk",
        }
        help_ = helps.get(package, "a contract imports from sdk and from contract modules of its project")
        self.reporter.error("CV011", span, f"{shown(node)} is not for contracts", help_)

    def _as_given(self, importer: Path, found: Path) -> Path:
        """A found file's path, relative where the importer's is, so that output does not tell where a project lies."""
        if importer.is_absolute():
            return found
        here = Path.cwd()
        return found.relative_to(here) if found.is_relative_to(here) else found

    def _relative(self, path: Path) -> Path:
        return path.relative_to(self.root) if path.is_relative_to(self.root) else path

    def _refuse(self, code: str, span: Span | None, message: str, help: str) -> None:
        if span is not None:
            self.reporter.error(code, span, message, help)


def shown(node: ast.ImportFrom) -> str:
    """The module of an import as the author wrote it."""
    return "." * node.level + (node.module or "")
