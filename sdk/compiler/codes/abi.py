"""CV4xx: names and selectors of the ABI. The format is `codes`'."""

ROWS = r"""
CV401 two functions that are one in the ABI
Names become camelCase, types the ABI's, and every number of arguments that defaults allow has a signature. Functions of
one name are told apart by their arguments, and only if @external(name="...") says that it is meant.
wrong:
    class Token(Contract):
        @external
        def burn_all(self) -> None:
            pass

        @external
        def burnAll(self, amount: u256) -> None:
            pass
right:
    class Token(Contract):
        @external
        def burn_all(self) -> None:
            pass

        @external(name="burnAll")
        def burn_some(self, amount: u256) -> None:
            pass

CV402 two signatures with one selector
A call names a function by four bytes of a hash. Two signatures that have the same cannot be in one contract.
wrong:
    class Token(Contract):
        @external(name="collate_propagate_storage")
        def collate(self, x: bytes16) -> None:
            pass

        @external
        def burn(self, x: u256) -> None:
            pass
right:
    class Token(Contract):
        @external
        def burn(self, x: u256) -> None:
            pass

CV403 two names that are one in the ABI
Parameters and fields become camelCase too, and a _ at the end goes.
wrong:
    class Moved(Event):
        from_: Address
        from__: Address

    class Token(Contract):
        total: u256
right:
    class Moved(Event):
        from_: Address
        to: Address

    class Token(Contract):
        total: u256

CV404 a name that the ABI cannot have
Letters, digits and _, not a digit first.
wrong:
    class Token(Contract):
        @external(name="burn all")
        def burn_all(self) -> None:
            pass
right:
    class Token(Contract):
        @external(name="burnAll")
        def burn_all(self) -> None:
            pass

CV405 a value without packed encoding
encode_packed puts values together without their lengths, as Solidity's abi.encodePacked; structs, tuples and lists of
what has no fixed size are not in it.
wrong:
    self.total = u256(len(encode_packed((x, yes))))
right:
    self.total = u256(len(encode_packed(x, yes)))
"""
