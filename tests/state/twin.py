"""A world and a model of it in plain dicts, driven by the same steps."""

from typing import Any

from hypothesis import strategies as st

from state.world import World
from tests.state.support import PlainAccount, PlainWorld, copied, next_in

ADDRESSES = [bytes((i,)) * 20 for i in (0, 1, 0xFF)]
KEYS = [b"", b"\x00", b"\x00\x00", b"\x00\xff", b"\x01", b"a", b"a\x00", b"a\x00b", b"ab", b"\xff", b"\xff\xff"]
SMALL = st.sampled_from([b"", b"", b"1", b"22", b"v" * 40])

_address = st.sampled_from(ADDRESSES)
_key = st.sampled_from(KEYS)
STEP = st.one_of(
    st.tuples(st.just("set_storage"), _address, _key, SMALL),
    st.tuples(st.just("set_storage"), _address, _key, SMALL),
    st.tuples(st.just("set_storage"), st.just(ADDRESSES[0]), _key, SMALL),
    st.tuples(st.just("set_nonce"), _address, st.integers(0, 2)),
    st.tuples(st.just("set_balance"), _address, st.integers(0, 2**70)),
    st.tuples(st.just("set_code"), _address, SMALL),
    st.tuples(st.just("create"), _address),
    st.tuples(st.just("checkpoint")),
    st.tuples(st.just("rollback"), st.integers(0, 9)),
    st.tuples(st.just("next_key"), _address, _key | st.none(), st.booleans(), _key | st.none(), st.booleans()),
    st.tuples(st.just("end"), st.sets(_address, max_size=1), st.sets(_address, max_size=2)),
)
STEPS: st.SearchStrategy[list[tuple[Any, ...]]] = st.lists(STEP, max_size=25)


class Twin:
    """A world and its model; each method does the same to both, and `same` compares all that can be read."""

    def __init__(self, world: World, model: PlainWorld) -> None:
        self.world = world
        self.model = model
        self.marks: list[tuple[int, PlainWorld]] = []

    def run(self, steps: list[tuple[Any, ...]]) -> None:
        """Take `steps`, each a method's name and its arguments."""
        for name, *arguments in steps:
            getattr(self, name)(*arguments)

    def set_storage(self, address: bytes, key: bytes, value: bytes) -> None:
        self.world.set_storage(address, key, value)
        storage = self._account(address).storage
        if value:
            storage[key] = value
        else:
            storage.pop(key, None)

    def set_nonce(self, address: bytes, nonce: int) -> None:
        self.world.set_nonce(address, nonce)
        self._account(address).nonce = nonce

    def set_balance(self, address: bytes, balance: int) -> None:
        self.world.set_balance(address, balance)
        self._account(address).balance = balance

    def set_code(self, address: bytes, code: bytes) -> None:
        self.world.set_code(address, code)
        self._account(address).code = code

    def create(self, address: bytes) -> None:
        self.world.create(address)
        self.model[address] = PlainAccount(0, self._account(address).balance)

    def checkpoint(self) -> None:
        self.marks.append((self.world.checkpoint(), copied(self.model)))

    def rollback(self, which: int) -> None:
        if self.marks:
            at = which % len(self.marks)
            mark, model = self.marks[at]
            del self.marks[at:]
            self.world.rollback(mark)
            self.model = model

    def next_key(self, address: bytes, key: bytes | None, inclusive: bool, stop: bytes | None, reverse: bool) -> None:
        """Compare one ordered look-up."""
        storage = self.model[address].storage if address in self.model else {}
        found = self.world.next_key(address, key, inclusive=inclusive, stop=stop, reverse=reverse)
        assert found == next_in(storage, key, inclusive=inclusive, stop=stop, reverse=reverse)

    def end(self, destroyed: set[bytes], touched: set[bytes]) -> None:
        """End the transaction with these marks for removal, and begin the next."""
        for address in destroyed:
            self.world.destroy(address)
            self.model.pop(address, None)
        for address in touched:
            self.world.touch(address)
            account = self.model.get(address)
            if account is not None and (account.nonce, account.balance, account.code) == (0, 0, b""):
                del self.model[address]
        self.world.end_transaction()
        self.world.begin_transaction()

    def same(self) -> None:
        """Compare everything."""
        world = self.world
        for address in ADDRESSES:
            account = self.model.get(address)
            assert world.exists(address) == (account is not None)
            plain = account or PlainAccount()
            assert world.nonce(address) == plain.nonce
            assert world.balance(address) == plain.balance
            assert world.code(address) == plain.code
            assert world.is_empty(address) == (plain.nonce == 0 and plain.balance == 0 and not plain.code)
            assert world.has_storage(address) == bool(plain.storage)
            for key in KEYS:
                assert world.storage(address, key) == plain.storage.get(key, b"")
            found, walked = world.next_key(address, None, inclusive=True, stop=None), []
            while found is not None:
                walked.append(found)
                found = world.next_key(address, found, inclusive=False, stop=None)
            assert walked == sorted(plain.storage)

    def _account(self, address: bytes) -> PlainAccount:
        return self.model.setdefault(address, PlainAccount())
