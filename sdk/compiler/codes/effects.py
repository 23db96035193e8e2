"""CV3xx: effects and storage. The format is `codes`'."""

ROWS = r"""
CV301 a view that changes something
A @view function writes no storage, emits nothing, sends nothing, creates nothing and calls only @view functions of
others, itself and through whatever it calls.
wrong:
    class Token(Contract):
        total: u256

        @external
        @view
        def f(self) -> u256:
            self.total += 1
            return self.total
right:
    class Token(Contract):
        total: u256

        @external
        @view
        def f(self) -> u256:
            return self.total + 1

CV302 a map that is written while a loop goes over it
The loop is a cursor in the map. Deleting the current key is allowed; of other writes nobody could tell whether the loop
meets them. The same holds for a list of structs in storage, whose items the loop has copied.
wrong:
    for name in self.names:
        if name == to:
            self.names[to] = x
            break
right:
    for name in self.names:
        if name == to:
            del self.names[name]
            break

CV303 an immutable that is not assigned exactly once
An Immutable gets its value in __init__, once on every way through it, not in a loop, and is read only behind that.
wrong:
    class Token(Contract):
        owner: Immutable[Address]

        def __init__(self, owner: Address) -> None:
            if owner != ZERO_ADDRESS:
                self.owner = owner
right:
    class Token(Contract):
        owner: Immutable[Address]

        def __init__(self, owner: Address) -> None:
            assert owner != ZERO_ADDRESS
            self.owner = owner

CV304 super().__init__ is not called exactly once
Where a base has an __init__, that of the class calls it, as a line of its own outside of branches and loops.
wrong:
    class Owned(Contract):
        owner: Address

        def __init__(self) -> None:
            self.owner = msg.sender

    class Token(Owned):
        def __init__(self) -> None:
            pass
right:
    class Owned(Contract):
        owner: Address

        def __init__(self) -> None:
            self.owner = msg.sender

    class Token(Owned):
        def __init__(self) -> None:
            super().__init__()

CV305 a guard that can be gone around
@nonreentrant refuses whoever comes from outside while such a function runs. A function without it that calls one with
it would be a second door beside the guarded one, however many internal functions lie between.
wrong:
    class Purse(Contract):
        @external
        @nonreentrant
        def pay(self, to: Address, amount: u256) -> None:
            send(to, amount)

        @external
        def empty(self, to: Address) -> None:
            self.pay(to, self.balance)
right:
    class Purse(Contract):
        @external
        @nonreentrant
        def pay(self, to: Address, amount: u256) -> None:
            send(to, amount)

        @external
        @nonreentrant
        def empty(self, to: Address) -> None:
            self.pay(to, self.balance)

CV307 a map is no value
It has no length, is not copied, assigned or deleted as a whole, and a map of maps has no entries of its own.
wrong:
    del self.names
right:
    for i, name in enumerate(self.names):
        if i == 100:
            break
        del self.names[name]

CV308 value for a function that takes none
A call with value reverts unless the function is @payable, so its declaration must say so.
wrong:
    class IShop(Interface):
        def buy(self) -> None: ...

    class Buyer(Contract):
        @external
        def f(self, shop: IShop) -> None:
            shop.call(value=1).buy()
right:
    class IShop(Interface):
        @payable
        def buy(self) -> None: ...

    class Buyer(Contract):
        @external
        def f(self, shop: IShop) -> None:
            shop.call(value=1).buy()
"""
