"""CV02x and CV03x: what Python has and the language has not. The format is `codes`'."""

ROWS = r"""
CV020 async
Calls return when they are done: nothing waits on a chain.
wrong:
    class Token(Contract):
        @external
        async def f(self) -> None:
            pass
right:
    class Token(Contract):
        @external
        def f(self) -> None:
            pass

CV021 generators
A function that yields would live on between calls, and nothing does. Return a List, or write the loop where it is
needed.
wrong:
    yield x
right:
    self.items.append(x)

CV022 comprehensions
They hide a loop, and every step of a loop costs gas.
wrong:
    doubled = [i * 2 for i in xs]
right:
    doubled: List[u256] = []
    for i in xs:
        doubled.append(i * 2)

CV023 lambda
Functions are not values.
wrong:
    double = lambda a: a * 2
right:
    def double(a: u256) -> u256:
        return a * 2

    class Doubles(Contract):
        @external
        @view
        def twice(self, a: u256) -> u256:
            return double(a)

CV024 a function within a function
It would see the outer function's variables, and the language has no such thing.
wrong:
    def g(a: u256) -> u256:
        def h() -> u256:
            return a
        return h()

    class Example(Contract):
        total: u256
right:
    def h(a: u256) -> u256:
        return a

    def g(a: u256) -> u256:
        return h(a)

    class Example(Contract):
        total: u256

CV025 a class within a class or a function
Every class stands at the top of a module.
wrong:
    class Token(Contract):
        class Moved(Event):
            value: u256
right:
    class Moved(Event):
        value: u256

    class Token(Contract):
        total: u256

CV026 try
A revert undoes all that the contract did, so there is nothing to go on with. What others do wrong can be asked for:
try_call, try_send, try_raw_call.
wrong:
    try:
        self.total -= x
    except ValueError:
        self.total = 0
right:
    self.total = self.total - x if self.total > x else 0

CV027 with
`with unchecked():` is the only one: its arithmetic wraps.
wrong:
    with open(text):
        self.total += x
right:
    with unchecked():
        self.total += x

CV028 global and nonlocal
Modules have constants alone; what changes is a contract's field.
wrong:
    global count
    count += 1
right:
    self.total += 1

CV029 match
Write if, elif, else.
wrong:
    match x:
        case 0:
            self.total = 1
right:
    if x == 0:
        self.total = 1

CV030 raise without an error, or with a cause
The caller gets one error: one of the contract's, or Revert("reason").
wrong:
    raise
right:
    raise Revert("closed")

CV031 fractions
Floats round differently than people expect, and a contract's numbers are money. Count in the smallest unit, as a whole
number: wei, cents, hundredths of a percent.
wrong:
    self.total = x * 1.5
right:
    self.total = x * 3 // 2

CV032 /
In Python / gives a fraction. // rounds down, and multiplying first loses least.
wrong:
    self.total = x / 2
right:
    self.total = x // 2

CV033 sets
Keep a Map[T, bool] in the contract, where `in` means present, or a List where there are few.
wrong:
    known = {x, 1}
right:
    known = [x, 1]
    yes = x in known

CV034 dicts
A table is a Map, and lives in storage.
wrong:
    names = {to: x}
right:
    self.names[to] = x

CV035 f-strings
Text of numbers is made off chain. Strings are joined with +.
wrong:
    text = f"hello {text}"
right:
    text = "hello " + text

CV036 is
Values have no identity that could be compared.
wrong:
    yes = x is 1
right:
    yes = x == 1

CV037 :=
Assign on a line of its own, so that it is plain when.
wrong:
    if (y := x) > 1:
        self.total = y
right:
    y = x
    if y > 1:
        self.total = y

CV038 * and ** that unpack
Values are written one by one; the number of arguments is known when the contract is compiled.
wrong:
    self.total = max(*xs)
right:
    self.total = max(xs)

CV039 *args and **kwargs
Functions have named parameters. Any number of values is a List.
wrong:
    def add(*values: u256) -> u256:
        return sum(values)

    class Example(Contract):
        total: u256
right:
    def add(values: List[u256]) -> u256:
        return sum(values)

    class Example(Contract):
        total: u256

CV040 parameters that go by name or by position alone
Every parameter can be given by position and by name.
wrong:
    def add(a: u256, *, b: u256) -> u256:
        return a + b

    class Example(Contract):
        total: u256
right:
    def add(a: u256, b: u256) -> u256:
        return a + b

    class Example(Contract):
        total: u256
"""
