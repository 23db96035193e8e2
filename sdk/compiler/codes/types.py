"""CV2xx: types and names in bodies. The format is `codes`'."""

ROWS = r"""
CV201 a value of another type
A parameter, a variable, a field or a result has one type, and nothing converts by itself. Write the conversion, which
reverts where the value does not fit.
wrong:
    self.small = x
right:
    self.small = u8(x)

CV202 a literal that does not fit
A literal takes the type of where it stands, and must be one of its values.
wrong:
    self.small = 300
right:
    self.small = 255

CV203 a literal that nothing gives a type
Numbers have a width. Where a literal stands alone, its width must be said.
wrong:
    step = 2
    self.total = x + step
right:
    step: u256 = 2
    self.total = x + step

CV204 a name that is not known
Neither a variable of the function, nor declared or imported by the module. Fields and methods of the contract are
self.name. What a loop gives is gone behind it.
wrong:
    self.total = y
right:
    self.total = x

CV205 a variable that may have no value yet
On some way that leads here nothing was assigned.
wrong:
    if yes:
        y = x
    self.total = y
right:
    y: u256 = 0
    if yes:
        y = x
    self.total = y

CV206 an operator or a function that a type does not have
Arithmetic is for integers, order for integers, bytesN and addresses, `+` also for Bytes and String.
wrong:
    self.total = -x
right:
    self.total = max_value(u256) - x

CV207 operands of two types
Widths and signs never mix without a word: convert one side.
wrong:
    self.total = x + u8(3)
right:
    self.total = x + u256(self.small)

CV208 a bool is needed
`if`, `while`, `assert`, `and`, `or`, `not` and conditional expressions take a bool and nothing that Python would take
for one.
wrong:
    if x:
        self.total = x
right:
    if x != 0:
        self.total = x

CV210 no such field, member or method
The type has nothing of this name.
wrong:
    self.total = to.nonce
right:
    self.total = to.balance

CV211 wrong arguments
Too many, too few, an unknown name, or one given twice.
wrong:
    send(to)
right:
    send(to, x)

CV212 this cannot be used so
A name is called that is no function, or a statement has a form that the language does not have.
wrong:
    x(1)
right:
    send(to, 1)

CV213 a conversion that there is not
Conversions keep what a value means. Where there is no direct one, there are two steps.
wrong:
    self.total = u256(text)
right:
    self.total = u256(keccak256(text.encode()))

CV214 .copy() is missing
In Python, assigning a struct or a list makes a second name for it; in storage and in the ABI it makes a copy. So that
no line can mean both, what comes from another place is kept only as .copy().
wrong:
    ys = xs
    ys[0] = 1
right:
    ys = xs.copy()
    ys[0] = 1

CV215 an index or a slice that is not there
Lists, arrays, Bytes and bytesN have items, counted from 0 by unsigned integers. A String has none.
wrong:
    self.total = xs[-1]
right:
    self.total = xs[len(xs) - 1]

CV216 this cannot be assigned or deleted
Constants, what a loop gives, single bytes, and values that are nowhere kept are only read.
wrong:
    for y in xs:
        y = x
right:
    for i in range(len(xs)):
        xs[i] = x

CV217 a result that is missing, or too much
A function that says it returns a value returns one on every way through; one that says None returns none.
wrong:
    def twice(x: u256) -> u256:
        if x != 0:
            return x * 2

    class Token(Contract):
        @external
        def f(self) -> u256:
            return twice(1)
right:
    def twice(x: u256) -> u256:
        if x != 0:
            return x * 2
        return 0

    class Token(Contract):
        @external
        def f(self) -> u256:
            return twice(1)

CV218 this is no value
Functions, types, contracts and self are not kept or passed on; a function without result gives nothing.
wrong:
    self.total = len
right:
    self.total = u256(len(data))

CV219 a constant is needed
The value must be known when the contract is compiled.
wrong:
    for i in range(0, 10, u64(x)):
        self.total += 1
right:
    for i in range(0, 10, 2):
        self.total += 1

CV220 a second type for a variable
A variable's type stands at its first assignment, and stays.
wrong:
    y: u256 = 1
    y: u256 = x
    self.total = y
right:
    y: u256 = 1
    y = x
    self.total = y

CV221 a tuple that is not taken apart so
There are as many targets as items, and only tuples are taken apart.
wrong:
    a, b, c = (x, yes)
    self.total = a
right:
    a, b = (x, yes)
    self.total = a

CV222 a loop that there is not
Loops go over range(...), lists, arrays, maps, m.items(), and enumerate(...) of those; what they give goes to new
variables.
wrong:
    for b in data:
        self.total += 1
right:
    for i in range(len(data)):
        self.total += u256(data[i])

CV223 a calculation of literals that has no result
Division by zero, and negative exponents and shifts.
wrong:
    self.total = 1 // 0
right:
    self.total = 1 // 2
"""
