"""CV00x and CV01x: files, modules, imports. The format is `codes`'."""

ROWS = r"""
CV001 a file that cannot be read
A source is UTF-8 text, without NUL bytes. The path is the one given, or the one that an import leads to.

CV002 no Python
Python itself refuses the file; the message is its parser's.
wrong:
    class Token(Contract)
        total: u256
right:
    class Token(Contract):
        total: u256

CV003 too large or too deep
A file has at most 1 MiB and nests at most 100 levels; at most 50 modules import one another in a row. Whoever writes
so much gives parts of it names. The code that comes out has the chain's limits too: for a function, its variables, and
the whole contract.

CV004 a number with too many digits
Numbers have at most 256 bits. A calculation of literals may go beyond on the way, but no literal does.
wrong:
    self.total = 0x1_0000000000000000_0000000000000000_0000000000000000_0000000000000000
right:
    self.total = 2**256 - 1

CV005 syntax that the language has not
Python grows; what the language does not name is not in it.

CV006 text that reads otherwise than it runs
Names are ASCII: letters of other alphabets look like others' names, and the ABI has none. Marks that turn the direction
of text make a line look like another; in a text they are written as escapes.
wrong:
    amоunt = x
    self.total = amоunt
right:
    amount = x
    self.total = amount

CV010 a statement at the top of a module
A module has imports, classes, functions and constants. Nothing runs when it is imported, and nothing changes later:
what changes is a contract's field.
wrong:
    COUNT = 1

    class Counter(Contract):
        count: u256
right:
    COUNT: Const[u256] = 1

    class Counter(Contract):
        count: u256

CV011 an import of a library
A contract imports from sdk and from contract modules of its project. Libraries do not run on a chain.
wrong:
    from math import gcd

    class Shares(Contract):
        total: u256
right:
    def gcd(a: u256, b: u256) -> u256:
        return a if b == 0 else gcd(b, a % b)

    class Shares(Contract):
        total: u256

CV012 an imported module that is not there
A relative import counts from the file's folder, any other from the project's root: the nearest folder above with a
pyproject.toml, otherwise the file's folder. Modules outside the project are not looked at.
wrong:
    from .nowhere import Owned

    class Token(Owned):
        total: u256

CV013 an imported name that is not there
The module is there and does not declare the name. What it imports itself is imported from where it is declared.
wrong:
    from sdk import Contract, u257

    class Token(Contract):
        total: u257
right:
    from sdk import Contract, u256

    class Token(Contract):
        total: u256

CV014 modules that import each other
Python cannot load two modules that need each other's classes. Move what both need to a third.

CV015 an import of another form
Names are imported, at the top of a module: everything only from sdk, which keeps its names apart.
wrong:
    import sdk

    class Token(sdk.Contract):
        total: sdk.u256
right:
    from sdk import *

    class Token(Contract):
        total: u256
"""
