"""CV13x: types as they are written, and code within code. The format is `codes`'."""

ROWS = r"""
CV130 a name that is not known
It is not declared, not imported and not of the language.
wrong:
    class Token(Contract):
        total: u257
right:
    class Token(Contract):
        total: u256

CV131 a type of Python's
A value has one type, of a known size: no None, no `int` of any width, no union.
wrong:
    class Token(Contract):
        owner: Address | None
right:
    class Token(Contract):
        owner: Address
        owned: bool

CV132 a type with the wrong number of types in it
Map[K, V], List[T], Array[T, Literal[n]], tuple[A, B].
wrong:
    class Token(Contract):
        balances: Map[u256]
right:
    class Token(Contract):
        balances: Map[Address, u256]

CV133 a Map as a value
A Map lives in storage: as a field of the contract, or as the value of another Map.
wrong:
    class Token(Contract):
        def f(self, balances: Map[Address, u256]) -> None:
            pass
right:
    class Token(Contract):
        balances: Map[Address, u256]

        def f(self, owner: Address) -> u256:
            return self.balances[owner]

CV134 a key that has no order
Keys are numbers, bool, Address, bytesN, Bytes, String, enums, interfaces, and tuples of those.
wrong:
    class Token(Contract):
        seen: Map[List[u8], bool]
right:
    class Token(Contract):
        seen: Map[Bytes, bool]

CV135 the length of an array
It is a literal number, 1 or more.
wrong:
    class Board(Contract):
        cells: Array[u8, 9]
right:
    class Board(Contract):
        cells: Array[u8, Literal[9]]

CV136 no type
Types are names, and Map, List, Array and tuple of such. Contracts are called by an Interface.
wrong:
    class Token(Contract):
        total: 256
right:
    class Token(Contract):
        total: u256

CV137 a name used before it is declared
Python evaluates annotations, bases and values when it reads the class, so it would not find the name. Bodies of
functions may name what comes later, and so may annotations in quotes.
wrong:
    class Token(Contract):
        state: State

    class State(Enum):
        OPEN = 0
right:
    class State(Enum):
        OPEN = 0

    class Token(Contract):
        state: State

CV139 a type of too many values
A value has at most 1,048,576 numbers, texts and the like in it, so that it can be addressed in memory. What is large
is a Map or a List of the contract.
wrong:
    class Board(Contract):
        cells: Array[Array[u8, Literal[65536]], Literal[65536]]
right:
    class Board(Contract):
        cells: Map[tuple[u16, u16], u8]

CV138 a contract that contains its own code
Name.code is in the contract that names it, so that a circle of them would have no end.
wrong:
    class Hen(Contract):
        @external
        def lay(self) -> Address:
            return create(Egg.code)

    class Egg(Contract):
        @external
        def hatch(self) -> Address:
            return create(Hen.code)
right:
    class Egg(Contract):
        @external
        def hatch(self, hen: Bytes) -> Address:
            return create(hen)

    class Hen(Contract):
        @external
        def lay(self) -> Address:
            return create(Egg.code)
"""
