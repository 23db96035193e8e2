"""Refuses what Python has and the language has not, in the bodies of functions and in values.

One row a kind of syntax: what it is called and what to write instead. What is not in a table and not allowed by name is
refused too, so that new Python syntax is never accepted unseen.
Source: docs/language.md, "Not in the language", "Statements". Never: knows types, or what a name means, other than
`unchecked`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from sdk.compiler.diagnostics import Reporter
from sdk.compiler.front.declared import LanguageName, Module
from sdk.compiler.front.parse import WIDEST_INTEGER


class Refused(NamedTuple):
    """A row: the code, what is there, what to write instead."""

    code: str
    message: str
    help: str


NO_ASYNC = "write def: calls return when they are done"
NO_WITH = "with unchecked(): is the only with"
LOOP = "write a loop that appends to a List"

STATEMENTS: Mapping[str, Refused] = MappingProxyType(
    {
        "AsyncFunctionDef": Refused("CV020", "a contract has no async", NO_ASYNC),
        "AsyncFor": Refused("CV020", "a contract has no async", "write for"),
        "AsyncWith": Refused("CV020", "a contract has no async", NO_WITH),
        "FunctionDef": Refused(
            "CV024", "a function within a function", "make it a method, or a function of the module"
        ),
        "ClassDef": Refused("CV025", "a class within a function", "declare it at the top of the module"),
        "Try": Refused(
            "CV026",
            "a contract cannot catch what it raised",
            "a revert undoes everything; for calls of others there are try_call, try_send and try_raw_call",
        ),
        "TryStar": Refused("CV026", "a contract cannot catch what it raised", "use try_call for calls of others"),
        "Global": Refused("CV028", "a module has no variables", "keep it in a field of the contract: self.name"),
        "Nonlocal": Refused("CV028", "a function has no variables of another", "pass it as an argument, or return it"),
        "Match": Refused("CV029", "match is not in the language", "write if, elif, else"),
        "Import": Refused("CV015", "an import within a function", "import at the top of the module"),
        "ImportFrom": Refused("CV015", "an import within a function", "import at the top of the module"),
        "TypeAlias": Refused("CV049", "a type has one name", "write the type where it is used"),
    }
)

EXPRESSIONS: Mapping[str, Refused] = MappingProxyType(
    {
        "Await": Refused("CV020", "a contract has no async", "write the call alone"),
        "Yield": Refused("CV021", "a contract has no generators", "return a List"),
        "YieldFrom": Refused("CV021", "a contract has no generators", "return a List"),
        "ListComp": Refused("CV022", "a contract has no comprehensions", LOOP),
        "SetComp": Refused("CV022", "a contract has no comprehensions", LOOP),
        "DictComp": Refused(
            "CV022", "a contract has no comprehensions", "write a loop that fills a Map of the contract"
        ),
        "GeneratorExp": Refused("CV022", "a contract has no comprehensions", "write a loop"),
        "Lambda": Refused("CV023", "a contract has no lambda", "write a method, or a function of the module"),
        "Set": Refused("CV033", "a contract has no sets", "keep a Map[T, bool] in the contract, or a List"),
        "Dict": Refused("CV034", "a contract has no dicts", "keep a Map[K, V] in the contract"),
        "JoinedStr": Refused("CV035", "a contract has no f-strings", 'join Strings with +: "hello " + name'),
        "TemplateStr": Refused("CV035", "a contract has no template strings", 'join Strings with +: "hello " + name'),
        "NamedExpr": Refused("CV037", ":= is not in the language", "assign on a line of its own"),
        "Starred": Refused("CV038", "a contract unpacks nothing with *", "write the values one by one"),
        "Slice": Refused("CV047", "a slice stands alone in its brackets", "write data[i:j]"),
    }
)

OPERATORS: Mapping[type[ast.AST], Refused] = MappingProxyType(
    {
        ast.Div: Refused("CV032", "/ would give a fraction", "write //, which rounds down"),
        ast.MatMult: Refused("CV046", "@ is no operator of the language", "write a loop"),
        ast.UAdd: Refused("CV046", "+ in front does nothing", "leave it out"),
        ast.Is: Refused("CV036", "is compares identity, which values have not", "write =="),
        ast.IsNot: Refused("CV036", "is not compares identity, which values have not", "write !="),
    }
)


class Subset:
    """Looks through one module's functions and values, and reports what the language has not."""

    def __init__(self, module: Module, reporter: Reporter) -> None:
        self._module = module
        self._reporter = reporter
        self._said = 0
        self._statements: Mapping[type[ast.stmt], Callable[..., None]] = {
            ast.Assign: self._assign,
            ast.AugAssign: self._augment,
            ast.AnnAssign: self._annotated,
            ast.Expr: self._effect,
            ast.Return: lambda node, loop: self.value(node.value),
            ast.Delete: self._delete,
            ast.If: self._if,
            ast.For: self._for,
            ast.While: self._while,
            ast.With: self._with,
            ast.Raise: self._raise,
            ast.Assert: self._assert,
            ast.Break: self._within_loop,
            ast.Continue: self._within_loop,
            ast.Pass: lambda node, loop: None,
        }
        self._expressions: Mapping[type[ast.expr], Callable[..., None]] = {
            ast.Constant: self._constant,
            ast.BinOp: self._binary,
            ast.UnaryOp: self._unary,
            ast.Compare: self._compare,
            ast.Call: self._call,
            ast.Subscript: self._subscript,
            ast.Attribute: self._attribute,
        }

    def function(self, node: ast.FunctionDef) -> bool:
        """Look through a body and defaults; whether all of it is in the language."""
        before = self._said
        generic: list[ast.expr] = getattr(node, "type_params", [])  # from Python 3.12 on
        if generic:
            self._error(generic[0], "CV049", "functions have no type parameters", "write one for each type")
        given = node.args
        for default in [*given.defaults, *given.kw_defaults]:
            self.value(default)
        named_alone = given.vararg or given.kwarg or given.kwonlyargs or given.posonlyargs  # `front.functions` says so
        body = node.body
        if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            body = body[1:] if isinstance(body[0].value.value, str) else body
        self._block(body, False)
        return self._said == before and not named_alone

    def accepts(self, node: ast.expr | None) -> bool:
        """Look through an expression; whether all of it is in the language."""
        before = self._said
        self.value(node)
        return self._said == before

    def value(self, node: ast.expr | None) -> None:
        """Look through an expression."""
        if node is None:
            return
        refused = EXPRESSIONS.get(type(node).__name__)
        if refused is not None:
            self._error(node, *refused)
            return
        check = self._expressions.get(type(node))
        if check is not None:
            check(node)
        elif isinstance(node, ast.Name | ast.BoolOp | ast.IfExp | ast.List | ast.Tuple):
            self._children(node)
        else:
            self._error(node, "CV005", "this syntax is not in the language", "docs/language.md has what is")

    def _children(self, node: ast.expr) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child)

    def _block(self, body: list[ast.stmt], loop: bool) -> None:
        for statement in body:
            refused = STATEMENTS.get(type(statement).__name__)
            check = self._statements.get(type(statement))
            if refused is not None:
                self._error(statement, *refused)
            elif check is not None:
                check(statement, loop)
            else:
                self._error(statement, "CV005", "this syntax is not in the language", "docs/language.md has what is")

    # Statements.

    def _assign(self, node: ast.Assign, loop: bool) -> None:
        if len(node.targets) > 1:
            self._error(node, "CV043", "one value for several names", "write a line for each")
        self.value(node.value)
        for target in node.targets:
            self._target(target)

    def _augment(self, node: ast.AugAssign, loop: bool) -> None:
        refused = OPERATORS.get(type(node.op))
        if refused is not None:
            code, message, help_ = refused
            self._error(node, code, message.replace("/ ", "/= ", 1), help_.replace("//", "//="))
        self._target(node.target)
        self.value(node.value)

    def _annotated(self, node: ast.AnnAssign, loop: bool) -> None:
        if not isinstance(node.target, ast.Name) or not node.simple:
            help_ = "write the type where the field is declared, in the class"
            self._error(node, "CV050", "only a variable has its type beside it", help_)
        self.value(node.value)

    def _target(self, node: ast.expr) -> None:
        match node:
            case ast.Name():
                pass
            case ast.Attribute() | ast.Subscript():
                self.value(node)
            case ast.Tuple(elts=items):
                for item in items:
                    if isinstance(item, ast.Tuple):
                        self._error(item, "CV051", "a tuple within a tuple of names", "unpack it on a line of its own")
                    else:
                        self._target(item)
            case ast.Starred():
                self._error(node, *EXPRESSIONS["Starred"])
            case _:
                self._error(node, "CV051", "nothing can be assigned to this", "names, fields and items can: a, b = t")

    def _effect(self, node: ast.Expr, loop: bool) -> None:
        match node.value:
            case ast.Call() | ast.Await() | ast.Yield() | ast.YieldFrom():
                self.value(node.value)
            case ast.Constant(value=value) if value is ...:
                self._error(node, "CV045", "... says nothing", "write pass, or what is to be done")
            case ast.Constant(value=str()):
                self._error(node, "CV057", "this text does nothing", "write a comment: # ...")
            case _:
                before = self._said
                self.value(node.value)
                if self._said == before:
                    self._error(node, "CV057", "this does nothing", "assign it, return it, or remove it")

    def _delete(self, node: ast.Delete, loop: bool) -> None:
        for target in node.targets:
            if isinstance(target, ast.Subscript | ast.Attribute):
                self.value(target)
            else:
                help_ = "del is for a map's entry (del self.m[k]) and for fields (del self.x)"
                self._error(target, "CV048", "a variable cannot be deleted", help_)

    def _if(self, node: ast.If, loop: bool) -> None:
        self.value(node.test)
        self._block(node.body, loop)
        self._block(node.orelse, loop)

    def _for(self, node: ast.For, loop: bool) -> None:
        self._loop_target(node.target, nested=True)
        self.value(node.iter)
        self._block(node.body, True)
        self._loop_else(node.orelse)

    def _loop_target(self, node: ast.expr, nested: bool) -> None:
        match node:
            case ast.Name():
                pass
            case ast.Tuple(elts=items) if nested:
                for item in items:
                    self._loop_target(item, nested=isinstance(item, ast.Tuple) and item is items[-1])
            case _:
                help_ = "write for x in xs, for k, v in m.items(), for i, x in enumerate(xs)"
                self._error(node, "CV051", "a loop gives its values to names", help_)

    def _while(self, node: ast.While, loop: bool) -> None:
        self.value(node.test)
        self._block(node.body, True)
        self._loop_else(node.orelse)

    def _loop_else(self, body: list[ast.stmt]) -> None:
        if body:
            help_ = "note in a bool that the loop was left, and ask it afterwards"
            self._error(body[0], "CV042", "a loop has no else", help_)

    def _with(self, node: ast.With, loop: bool) -> None:
        match node.items:
            case [
                ast.withitem(context_expr=ast.Call(func=ast.Name(id=name), args=[], keywords=[]), optional_vars=None)
            ] if self._is_unchecked(name):
                pass
            case _:
                self._error(node.items[0].context_expr, "CV027", "a contract has nothing to open", NO_WITH)
        self._block(node.body, loop)

    def _is_unchecked(self, name: str) -> bool:
        found = self._module.scope.get(name)
        return isinstance(found, LanguageName) and found.name == "unchecked"

    def _raise(self, node: ast.Raise, loop: bool) -> None:
        if node.exc is None:
            self._error(node, "CV030", "raise of what?", 'write raise Name(...) of an Error, or raise Revert("reason")')
        if node.cause is not None:
            self._error(node.cause, "CV030", "an error has no cause", "leave out from: the caller gets one error")
        self.value(node.exc)

    def _assert(self, node: ast.Assert, loop: bool) -> None:
        self.value(node.test)
        self.value(node.msg)

    def _within_loop(self, node: ast.stmt, loop: bool) -> None:
        if not loop:
            word = type(node).__name__.lower()
            self._error(node, "CV002", f"'{word}' outside loop", "this is no Python; Python's own parser says so")

    # Expressions.

    def _constant(self, node: ast.Constant) -> None:
        match node.value:
            case bool() | bytes():
                pass
            case int(value):
                if value.bit_length() > WIDEST_INTEGER:
                    self._error(node, "CV004", "the number has too many digits", "256 bits are the limit")
            case float() | complex():
                help_ = "count in the smallest unit, as a whole number: wei, cents, seconds"
                self._error(node, "CV031", "a contract has no fractions", help_)
            case str(text):
                if any("\ud800" <= c <= "\udfff" for c in text):
                    self._error(node, "CV055", "this text has no UTF-8", "write bytes: b'...'")
            case None:
                help_ = "use the type's default, a bool beside it, or a Map and `in`; return alone returns nothing"
                self._error(node, "CV044", "there is no None", help_)
            case _:
                self._error(
                    node, "CV045", "... says nothing", "it is the body of an interface's functions, and no value"
                )

    def _binary(self, node: ast.BinOp) -> None:
        refused = OPERATORS.get(type(node.op))
        if refused is not None:
            self._error(node, *refused)
        self.value(node.left)
        self.value(node.right)

    def _unary(self, node: ast.UnaryOp) -> None:
        refused = OPERATORS.get(type(node.op))
        if refused is not None:
            self._error(node, *refused)
        self.value(node.operand)

    def _compare(self, node: ast.Compare) -> None:
        for operator in node.ops:
            refused = OPERATORS.get(type(operator))
            if refused is not None:
                self._error(node, *refused)
        self._children(node)

    def _call(self, node: ast.Call) -> None:
        self.value(node.func)
        for argument in node.args:
            self.value(argument)
        for keyword in node.keywords:
            if keyword.arg is None:
                self._error(keyword.value, "CV038", "a contract unpacks nothing with **", "write name=value for each")
            else:
                self.value(keyword.value)

    def _subscript(self, node: ast.Subscript) -> None:
        self.value(node.value)
        if isinstance(node.slice, ast.Slice):
            if node.slice.step is not None:
                self._error(node.slice.step, "CV047", "a slice has no step", "write data[i:j], or a loop")
            self.value(node.slice.lower)
            self.value(node.slice.upper)
        else:
            self.value(node.slice)

    def _attribute(self, node: ast.Attribute) -> None:
        self.value(node.value)
        if node.attr.startswith("__") and node.attr != "__init__":
            self._error(node, "CV121", "names with two _ in front are Python's own", "use another name")

    def _error(self, node: ast.stmt | ast.expr, code: str, message: str, help: str) -> None:
        self._said += 1
        span = self._module.span(node)
        if span.end_line > span.line and isinstance(node, ast.stmt):  # a block: its first line is enough
            last = len(self._module.source.line(span.line).rstrip())
            span = type(span)(span.file, span.line, span.column, span.line, last)
        self._reporter.error(code, span, message, help)
