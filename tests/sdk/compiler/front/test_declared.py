"""What a file declares, as the checker gets it: types, fields, methods in C3's order, functions, ABI names."""

from __future__ import annotations

from pathlib import Path

import pytest

import sdk
from sdk import lang
from sdk.compiler import types
from sdk.compiler.diagnostics import Reporter
from sdk.compiler.front.abi_names import camel_case, getter_parameters
from sdk.compiler.front.annotations import resolve_type
from sdk.compiler.front.declared import (
    ContractDecl,
    EnumDecl,
    ErrorDecl,
    EventDecl,
    FunctionDecl,
    FunctionKind,
    InterfaceDecl,
    StructDecl,
    Unit,
)
from sdk.compiler.front.language import INSTEAD, PYTHON, SDK, unknown_name
from sdk.compiler.symbols import Kind, Mutability
from tests.sdk.compiler.front.sources import declared, errors

U8, U64, U256 = types.Int(8), types.Int(64), types.Int(256)


def contract(unit: Unit) -> ContractDecl:
    assert unit.contract is not None
    return unit.contract


def method(unit: Unit, name: str) -> FunctionDecl:
    return contract(unit).methods[name]


def test_the_names_of_the_language_are_those_that_sdk_has() -> None:
    assert set(lang.__all__) == SDK
    for name in SDK:
        assert hasattr(sdk, name), name
    assert not SDK & PYTHON
    assert not set(INSTEAD) & (SDK | PYTHON)


@pytest.mark.parametrize(
    ("annotation", "type_"),
    [
        ("u8", U8),
        ("i256", types.Int(256, True)),
        ("bool", types.BOOL),
        ("Address", types.ADDRESS),
        ("bytes32", types.FixedBytes(32)),
        ("Bytes", types.BYTES),
        ("String", types.STRING),
        ("tuple[u8, Address]", types.Tuple((U8, types.ADDRESS))),
        ("tuple[u8]", types.Tuple((U8,))),
        ("List[List[u8]]", types.List(types.List(U8))),
        ("Array[u8, Literal[3]]", types.Array(U8, 3)),
        ("Map[Address, Map[u8, List[u8]]]", types.Map(types.ADDRESS, types.Map(U8, types.List(U8)))),
        ("Map[tuple[u8, State], bool]", None),
        ("'Map[u8, Point]'", None),
        ("Array['Point', Literal[2]]", None),
    ],
)
def test_types(annotation: str, type_: types.Type | None, tmp_path: Path) -> None:
    text = "class State(Enum):\n    OPEN = 0\nclass Point(Struct):\n    x: u64\n"
    unit = declared(tmp_path, f"{text}class T(Contract):\n    x: {annotation}\n")
    symbol = contract(unit).fields["x"].symbol
    assert symbol is not None
    scope = unit.modules[0].scope
    state, point = scope["State"], scope["Point"]
    assert isinstance(state, EnumDecl)
    assert isinstance(point, StructDecl)
    known = {
        "Map[tuple[u8, State], bool]": types.Map(types.Tuple((U8, state.type)), types.BOOL),
        "'Map[u8, Point]'": types.Map(U8, point.type),
        "Array['Point', Literal[2]]": types.Array(point.type, 2),
    }
    assert symbol.type == (type_ or known[annotation])


def test_records(tmp_path: Path) -> None:
    text = '''
class Point(Struct):
    """A place."""
    x_low: u64
    y: u8 = 1
class State(Enum):
    OPEN = 0
    SHUT = 7
class Moved(Event, anonymous=True):
    from_: Indexed[Address]
    how_far: u256
class Lost(Error):
    pass
class T(Contract):
    pass
'''
    scope = declared(tmp_path, text).modules[0].scope
    point, state, moved, lost = (scope[name] for name in ("Point", "State", "Moved", "Lost"))
    assert isinstance(point, StructDecl)
    assert point.type == types.Struct("Point", "main.Point", (types.Member("x_low", U64), types.Member("y", U8)))
    assert [default is not None for default in point.defaults] == [False, True]
    assert isinstance(state, EnumDecl)
    assert state.type.members == (("OPEN", 0), ("SHUT", 7))
    assert isinstance(moved, EventDecl)
    assert moved.symbol is not None
    assert moved.symbol.anonymous
    assert moved.symbol.signature == "Moved(address,uint256)"
    assert [(p.abi_name, p.indexed) for p in moved.symbol.parameters] == [("from", True), ("howFar", False)]
    assert isinstance(lost, ErrorDecl)
    assert lost.symbol is not None
    assert lost.symbol.signature == "Lost()"


def test_fields(tmp_path: Path) -> None:
    text = """
class T(Contract):
    a: u8
    b: Public[Map[u8, u8]]
    C: Public[Const[u8]] = 1
    d: Immutable[Address]
    e: Public[Transient[u8]]
"""
    fields = contract(declared(tmp_path, text)).fields
    symbols = [field.symbol for field in fields.values()]
    assert [(s.name, s.kind, s.public, s.qualified) for s in symbols if s] == [
        ("a", Kind.STORAGE, False, "T.a"),
        ("b", Kind.STORAGE, True, "T.b"),
        ("C", Kind.CONST, True, "T.C"),
        ("d", Kind.IMMUTABLE, False, "T.d"),
        ("e", Kind.TRANSIENT, True, "T.e"),
    ]
    assert [field.value is not None for field in fields.values()] == [False, False, True, False, False]


def test_functions(tmp_path: Path) -> None:
    text = """
def mean(a: u8, b: u8 = 1) -> u8:
    return a
class T(Contract):
    def __init__(self, x: u8) -> None:
        pass
    @external
    @view
    def total_of(self, owner_: Address, AT: u64 = 0) -> tuple[u8, bool]:
        return 1, True
    @external(name="totalOf2")
    @payable
    @nonreentrant
    def other(self) -> None:
        pass
    def _inner(self) -> None:
        pass
    @payable
    def receive(self) -> None:
        pass
    def fallback(self, data: Bytes) -> Bytes:
        return data
"""
    unit = declared(tmp_path, text)
    kinds = [(f.qualified, f.kind) for f in contract(unit).methods.values()]
    assert kinds == [
        ("T.__init__", FunctionKind.CONSTRUCTOR),
        ("T.total_of", FunctionKind.EXTERNAL),
        ("T.other", FunctionKind.EXTERNAL),
        ("T._inner", FunctionKind.INTERNAL),
        ("T.receive", FunctionKind.RECEIVE),
        ("T.fallback", FunctionKind.FALLBACK),
    ]
    total, other = method(unit, "total_of"), method(unit, "other")
    assert (total.abi_name, total.view, total.payable, total.nonreentrant) == ("totalOf", True, False, False)
    assert [(p.name, p.abi_name, p.type) for p in total.parameters] == [
        ("owner_", "owner", types.ADDRESS),
        ("AT", "AT", U64),
    ]
    assert total.returns == types.Tuple((U8, types.BOOL))
    assert (other.abi_name, other.view, other.payable, other.nonreentrant) == ("totalOf2", False, True, True)
    assert other.returns == types.NOTHING
    mean = unit.modules[0].scope["mean"]
    assert isinstance(mean, FunctionDecl)
    assert (mean.qualified, mean.owner, mean.kind) == ("main.mean", None, FunctionKind.INTERNAL)


def test_interfaces(tmp_path: Path) -> None:
    text = '''
class IBase(Interface):
    def next(self, node: "INode") -> "IBase": ...
class INode(IBase):
    """More."""
    @view
    def count_all(self, at: u64, deep: bool = False) -> u256: ...
    @external(name="countAll")
    @payable
    def count_text(self, text: String) -> None:
        """Pays."""
        ...
class T(Contract):
    node: INode
'''
    unit = declared(tmp_path, text)
    assert list(unit.interfaces) == ["main.IBase", "main.INode"]
    node = unit.interfaces["main.INode"]
    assert isinstance(node, InterfaceDecl)
    functions = {name: remote for name, remote in node.functions.items() if remote is not None}
    assert list(functions) == ["next", "count_all", "count_text"]
    assert [f.mutability for f in functions.values()] == [Mutability.NONPAYABLE, Mutability.VIEW, Mutability.PAYABLE]
    assert functions["count_all"].signature(1) == "countAll(uint64)"
    assert functions["count_all"].defaults == 1
    assert functions["count_text"].signature(1) == "countAll(string)"
    assert functions["next"].parameters[0].type == node.type


def test_order_of_inheritance_is_pythons(tmp_path: Path) -> None:
    classes = {"O": "", "A": "O", "B": "O", "C": "O", "D": "A, B", "E": "B, C", "F": "D, E"}
    text = "".join(
        f"class {name}({bases or 'Contract'}):\n    def f(self) -> u8:\n        return 1\n"
        for name, bases in classes.items()
    )
    final = contract(declared(tmp_path, text))
    namespace: dict[str, type] = {"Contract": object}
    for name, bases in classes.items():
        given = tuple(namespace[base] for base in (bases or "Contract").split(", "))
        namespace[name] = type(name, given, {})
    assert [base.name for base in final.linearisation] == [base.__name__ for base in namespace["F"].__mro__[:-1]]
    order = [final.methods["f"]]
    while (following := final.method_after(order[-1].owner or final, "f")) is not None:
        order.append(following)
    assert [one.qualified.split(".")[0] for one in order] == [base.name for base in final.linearisation]


def test_inherited_members(tmp_path: Path) -> None:
    text = """
class A(Contract):
    x: u8
    def f(self) -> u8:
        return 1
    def g(self) -> u8:
        return 1
class B(A):
    y: u8
    def f(self) -> u8:
        return 2
"""
    final = contract(declared(tmp_path, text))
    assert {name: one.qualified for name, one in final.methods.items()} == {"f": "B.f", "g": "A.g"}
    assert [field.symbol.qualified for field in final.fields.values() if field.symbol] == ["B.y", "A.x"]


def test_what_was_refused_is_left_out_and_said_once(tmp_path: Path) -> None:
    text = """
class Point(Struct):
    x: int
class A(Contract):
    p: Point
    q: List[Point]
    def f(self, p: Point) -> Point:
        return p
"""
    assert errors(tmp_path, {"main.py": text}) == ["main.py:4 CV130 int is not in the language | " + INSTEAD["int"]]


def test_text_below_a_declaration_is_its_documentation(tmp_path: Path) -> None:
    text = """
LIMIT: Const[u8] = 1
'''A limit.'''
class P(Struct):
    x: u8
    '''Along.'''
class I(Interface):
    '''Other.'''
    def f(self) -> None: ...
class T(Contract):
    x: u8
    '''A number.'''
    def f(self) -> None:
        pass
"""
    unit = declared(tmp_path, text)
    assert list(contract(unit).fields) == ["x"]


def test_bodies_see_what_comes_later(tmp_path: Path) -> None:
    text = (
        "class A(Contract):\n    def f(self) -> None:\n        p: Point = Point(1)\nclass Point(Struct):\n    x: u8\n"
    )
    unit = declared(tmp_path, text)
    node = method(unit, "f").node.body[0]
    assert hasattr(node, "annotation")
    assert str(resolve_type(node.annotation, unit.modules[0], Reporter())) == "Point"


@pytest.mark.parametrize(
    ("name", "abi"),
    [
        ("transfer_from", "transferFrom"),
        ("from_", "from"),
        ("MAX_SUPPLY", "MAX_SUPPLY"),
        ("DOMAIN_SEPARATOR", "DOMAIN_SEPARATOR"),
        ("balanceOf", "balanceOf"),
        ("token_URI", "tokenURI"),
        ("a_1", "a1"),
        ("a__b", "aB"),
        ("_owner", "_owner"),
        ("__hidden_one", "__hiddenOne"),
        ("A", "A"),
        ("x", "x"),
        ("_", ""),
        ("Supply_cap", "SupplyCap"),
    ],
)
def test_abi_names(name: str, abi: str) -> None:
    assert camel_case(name) == abi


def test_getters_ask_for_keys_and_indices() -> None:
    nested = types.Map(types.ADDRESS, types.Map(U8, types.List(types.Array(U8, 3))))
    assert getter_parameters(nested) == (types.ADDRESS, U8, U64, U64)
    assert getter_parameters(types.BYTES) == ()


@pytest.mark.parametrize(
    ("name", "help_"),
    [
        ("Adress", "did you mean Address?"),
        ("uint256", "it is u256 here"),
        ("keccak", "did you mean keccak256?"),
        ("balnce", "did you mean balance?"),
        ("emit", "from sdk import emit"),
        ("qqq", "declare it, or import it from the module that does"),
    ],
)
def test_what_is_said_about_unknown_names(name: str, help_: str) -> None:
    assert unknown_name(name, ["balance"]) == help_


def test_an_annotation_may_be_quoted_as_a_whole(tmp_path: Path) -> None:
    """As in Python: what stands in the quotes may be declared further down."""
    unit = declared(
        tmp_path,
        """
class Noted(Event):
    who: "Indexed[Address]"
    what: "Later"

class Token(Contract):
    held: "Public[Map[u8, Later]]"
    FEE: "Public[Const[u8]]" = 4
    owner: "Immutable[Address]"

class Later(Struct):
    x: u8
""",
    )
    fields = {name: field.symbol for name, field in contract(unit).fields.items()}
    held, fee, owner = (fields[name] for name in ("held", "FEE", "owner"))
    assert held is not None and fee is not None and owner is not None
    assert held.public and isinstance(held.type, types.Map) and str(held.type.value) == "Later"
    assert (fee.kind, fee.public, owner.kind) == (Kind.CONST, True, Kind.IMMUTABLE)
    noted = unit.modules[0].scope["Noted"]
    assert isinstance(noted, EventDecl) and noted.symbol is not None
    assert [parameter.indexed for parameter in noted.symbol.parameters] == [True, False]
