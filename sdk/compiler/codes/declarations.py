"""CV10x to CV12x: classes, fields, methods and what they inherit. The format is `codes`'."""

ROWS = r"""
CV101 a name that a module declares twice
A name means one thing in a module. Import the other `as` something else.
wrong:
    def fee() -> u256:
        return 1

    def fee() -> u256:
        return 2

    class Shop(Contract):
        total: u256
right:
    def fee() -> u256:
        return 1

    def large_fee() -> u256:
        return 2

    class Shop(Contract):
        total: u256

CV102 a class that is nothing of the language
A class is a Contract, Interface, Struct, Enum, Event or Error, or inherits from a contract or an interface.
wrong:
    class Token:
        total: u256
right:
    class Token(Contract):
        total: u256

CV103 bases without an order
Methods are looked for in one order of all classes, Python's C3: each before what it inherits from, bases from left to
right. Some combinations have none; Python refuses them too.
wrong:
    class Owned(Contract):
        owner: Address

    class Token(Contract, Owned):
        total: u256
right:
    class Owned(Contract):
        owner: Address

    class Token(Owned):
        total: u256

CV104 a class of two kinds
A contract is no struct, and calls another by its interface. Structs, enums, events and errors inherit nothing.
wrong:
    class IToken(Interface):
        def burn(self) -> None: ...

    class Token(Contract, IToken):
        total: u256
right:
    class IToken(Interface):
        def burn(self) -> None: ...

    class Token(Contract):
        other: IToken

CV105 an option of a class
Only an event has one: anonymous=True.
wrong:
    class Token(Contract, abstract=True):
        total: u256
right:
    class Note(Event, anonymous=True):
        text: String

    class Token(Contract):
        total: u256

CV106 something in a class that it cannot have
Contracts have fields and methods; structs, events and errors have fields; enums have members.
wrong:
    class Token(Contract):
        total: u256
        assert True
right:
    class Token(Contract):
        total: u256

CV107 a field without a type
Everything declared has a type.
wrong:
    class Token(Contract):
        decimals = 18
right:
    class Token(Contract):
        decimals: Const[u8] = 18

CV108 a value for storage
Storage begins as zeros, and a contract's constructor assigns what begins as something else.
wrong:
    class Token(Contract):
        total: u256 = 100
right:
    class Token(Contract):
        total: u256

        def __init__(self) -> None:
            self.total = 100

CV109 a constant without a value, or of a type that has parts
Constants are folded into the code: numbers, bool, Address, bytesN, Bytes, String, enums.
wrong:
    class Token(Contract):
        LIMIT: Const[u256]
right:
    class Token(Contract):
        LIMIT: Const[u256] = 1000

CV110 a name that is taken
A contract's fields and methods share their names, across all that it inherits, and self.address, self.balance and
Name.code are there already.
wrong:
    class Token(Contract):
        balance: Map[Address, u256]
right:
    class Token(Contract):
        balance_of: Map[Address, u256]

CV111 a name that is declared twice in one place
Fields, members, methods and parameters have names of their own. Several functions of one name in the ABI are written
@external(name="...").
wrong:
    class Token(Contract):
        total: u256
        total: u8
right:
    class Token(Contract):
        total: u256
        total_small: u8

CV112 a member of an enum that cannot be
Members are literals from 0 to 255, each its own, and one is 0: it is the default.
wrong:
    class State(Enum):
        OPEN = 1
        CLOSED = 2

    class Door(Contract):
        state: State
right:
    class State(Enum):
        OPEN = 0
        CLOSED = 1

    class Door(Contract):
        state: State

CV113 a struct without an end, or without fields
A struct cannot contain itself, in a list neither. Refer to another by its key in a Map.
wrong:
    class Node(Struct):
        value: u256
        next: "List[Node]"

    class Chain(Contract):
        first: Node
right:
    class Node(Struct):
        value: u256
        next: u64

    class Chain(Contract):
        nodes: Map[u64, Node]

CV114 a default in an event or an error
All fields are given where it is made, so that a log says what its line says.
wrong:
    class Moved(Event):
        value: u256 = 1

    class Token(Contract):
        total: u256
right:
    class Moved(Event):
        value: u256

    class Token(Contract):
        total: u256

CV115 more than three indexed fields
A log has four topics, and the first says which event it is.
wrong:
    class Moved(Event):
        a: Indexed[u8]
        b: Indexed[u8]
        c: Indexed[u8]
        d: Indexed[u8]

    class Token(Contract):
        total: u256
right:
    class Moved(Event):
        a: Indexed[u8]
        b: Indexed[u8]
        c: Indexed[u8]
        d: u8

    class Token(Contract):
        total: u256

CV116 Public, Const, Immutable, Transient or Indexed in the wrong place
They are no types: they stand around a field's type. Public is outermost, Indexed is for events.
wrong:
    class Token(Contract):
        owner: Immutable[Public[Address]]

        def __init__(self) -> None:
            self.owner = msg.sender
right:
    class Token(Contract):
        owner: Public[Immutable[Address]]

        def __init__(self) -> None:
            self.owner = msg.sender

CV117 a function whose signature lacks something
A method begins with self; every parameter has a type, and so has the result: -> None where there is none.
wrong:
    class Token(Contract):
        @external
        def burn(self, amount) -> None:
            pass
right:
    class Token(Contract):
        @external
        def burn(self, amount: u256) -> None:
            pass

CV118 decorators that do not go together
@view, @payable and @nonreentrant are for functions that others call, beside @external; @payable for __init__, receive
and fallback too. A view changes nothing, so it takes no value and needs no guard.
wrong:
    class Token(Contract):
        @view
        def total(self) -> u256:
            return 1
right:
    class Token(Contract):
        @external
        @view
        def total(self) -> u256:
            return 1

CV119 receive or fallback of another form
receive runs when a call brings no input, and takes value. fallback runs when no function fits; it takes nothing, or the
input as Bytes, and returns nothing, or the output as Bytes.
wrong:
    class Purse(Contract):
        got: u256

        def receive(self) -> None:
            self.got += msg.value
right:
    class Purse(Contract):
        got: u256

        @payable
        def receive(self) -> None:
            self.got += msg.value

CV120 __init__ with a result
A constructor returns nothing.
wrong:
    class Token(Contract):
        total: u256

        def __init__(self) -> u256:
            self.total = 1
right:
    class Token(Contract):
        total: u256

        def __init__(self) -> None:
            self.total = 1

CV121 a name with two _ in front
Python gives such names meanings of its own.
wrong:
    class Token(Contract):
        __total: u256
right:
    class Token(Contract):
        _total: u256

CV122 an override that is called differently
Who calls a method does not know which class it is from: parameters, defaults, result and decorators stay.
wrong:
    class Base(Contract):
        def step(self) -> u64:
            return 1

    class Fast(Base):
        def step(self, by: u64) -> u64:
            return by
right:
    class Base(Contract):
        def step(self) -> u64:
            return 1

    class Fast(Base):
        def step(self) -> u64:
            return 2

CV123 a default that cannot be
Defaults are constants, and those that have one come last.
wrong:
    class Point(Struct):
        x: u64 = 1
        y: u64

    class Points(Contract):
        point: Point
right:
    class Point(Struct):
        y: u64
        x: u64 = 1

    class Points(Contract):
        point: Point

CV124 a public name that begins with _
Such a name says that it is internal.
wrong:
    class Token(Contract):
        @external
        def _burn(self) -> None:
            pass
right:
    class Token(Contract):
        def _burn(self) -> None:
            pass

CV125 something in an interface that it cannot have
An interface says what another contract's functions look like: each has ... as its body. call and address are there
already.
wrong:
    class IToken(Interface):
        def burn(self) -> None:
            pass

    class Shop(Contract):
        token: IToken
right:
    class IToken(Interface):
        def burn(self) -> None: ...

    class Shop(Contract):
        token: IToken

CV126 no contract to build
The contract that is built is the one asked for, or the file's last.
wrong:
    def square(x: u256) -> u256:
        return x * x
right:
    def square(x: u256) -> u256:
        return x * x

    class Squares(Contract):
        @external
        @view
        def f(self, x: u256) -> u256:
            return square(x)

CV127 two classes of one name in what a contract inherits
Storage keys are made from the names of class and field.

CV128 a name that hides another
A module cannot give a name of the language another meaning. A class cannot have a method or a constant by a name of its
module that its own declarations use: Python would look in the class first.
wrong:
    def send() -> u256:
        return 1

    class Shop(Contract):
        total: u256
right:
    def deliver() -> u256:
        return 1

    class Shop(Contract):
        total: u256

CV129 two fields with one place in storage
A field's keys begin with two bytes of a hash of its qualified name, and two names may have the same: rename one.
"""
