"""CV04x and CV05x: decorators, statements, expressions of a form that is not the language's. The format is `codes`'."""

ROWS = r"""
CV041 a decorator that is not the language's
There are external, view, payable and nonreentrant, for methods of contracts.
wrong:
    class Token(Contract):
        @property
        def total(self) -> u256:
            return 1
right:
    class Token(Contract):
        @external
        @view
        def total(self) -> u256:
            return 1

CV042 else of a loop
Few readers know when it runs.
wrong:
    for i in xs:
        if i == x:
            break
    else:
        self.total = 1
right:
    found: bool = False
    for i in xs:
        if i == x:
            found = True
            break
    if not found:
        self.total = 1

CV043 one value for several names
Write a line for each: of a struct or a list it would be one thing with two names.
wrong:
    a = b = x
right:
    a = x
    b = x

CV044 None as a value
There is no None. Use the type's default, a bool beside it, or a Map and `in`.
wrong:
    self.total = None
right:
    self.total = 0

CV045 ... in a body
It is the body of an interface's functions. `pass` does nothing.
wrong:
    ...
right:
    pass

CV046 an operator that is not the language's
`@` multiplies matrices, and `+x` is x.
wrong:
    self.total = +x
right:
    self.total = x

CV047 a slice with a step
A slice is data[i:j].
wrong:
    part = data[0:8:2]
right:
    part = data[0:8]

CV048 del of a variable
del is for a map's entry and for fields, which go back to their default.
wrong:
    del x
right:
    del self.names[to]

CV049 type parameters and aliases
A type has one name, and a function one signature.
wrong:
    type Amount = u256

    class Token(Contract):
        total: Amount
right:
    class Token(Contract):
        total: u256

CV050 a type beside something other than a variable
A field has its type where it is declared.
wrong:
    self.total: u256 = x
right:
    self.total = x

CV051 nothing that can be assigned to
Names, fields, items and flat tuples of those can. A loop's values go to names.
wrong:
    for self.total in xs:
        pass
right:
    for value in xs:
        self.total = value

CV055 text without UTF-8
Half of a surrogate pair is no character.
wrong:
    text = "\ud800"
right:
    text = "\u2603"

CV057 a statement that does nothing
Statements assign, call, or control. Text that explains is a comment.
wrong:
    x + 1
right:
    self.total = x + 1
"""
