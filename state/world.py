"""The world: accounts, code and storage as transactions see and change them, over an unchanging base.

Yellow Paper, sections 4.1 and 6.1, with EIP-161 (empty accounts), EIP-1153 (transient storage), EIP-2929 (access sets)
and EIP-3529 (the refund is a number here; its cap is the executor's). Every change goes through one undo log, the
substate's included, so that `rollback(checkpoint())` takes back all of it. A world writes nothing anywhere:
`StateDB.prepare` reads what changed from it, and a world that is dropped, as `eth_call` drops it, leaves no trace.

A world belongs to one thread.
"""

from collections.abc import Iterator

from state.account import EMPTY_CODE_HASH, Account, Base
from state.dataclass import dataclass
from state.journal import Journal
from state.merkle import EMPTY_ROOT
from state.slots import Slots

__all__ = ["EMPTY_CODE_HASH", "EMPTY_ROOT", "Account", "AccountChange", "World"]

MOST_WEI = (1 << 256) - 1
_KEPT_VALUE_BYTES = 256  # of values read from the base; longer ones are read again rather than kept
_KEPT_CODE_BYTES = 16 << 20  # of code read from the base, all contracts together

Row = tuple[int, int, bytes]  # nonce, balance, code hash
Place = tuple[bytes, bytes]  # address, storage key
_EMPTY: Row = (0, 0, EMPTY_CODE_HASH)
# No account reads like an empty one. What tells them apart is that this very object stands for the former.
_ABSENT: Row = (0, 0, EMPTY_CODE_HASH)


@dataclass(slots=True)
class AccountChange:
    """What a world did to one account.

    `before` is the base's account, `account` the world's, whose storage root is still the base's; None: there is none.
    `wiped`: the base's storage is gone, and `storage` is all there is; otherwise `storage` holds the slots that were
    written, empty where removed.
    """

    address: bytes
    before: Account | None
    account: Account | None
    wiped: bool
    storage: dict[bytes, bytes]


class World:
    """A state that can be changed, laid over `base`."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._keccak = base.keccak
        self._journal = Journal()
        self._record = self._journal.record
        self.checkpoint = self._journal.checkpoint
        """Return the mark that `rollback` goes back to; nested marks need nothing else."""
        self.rollback = self._journal.rollback
        """Take back every change since `checkpoint` returned a mark, which outlives the end of its transaction.

        Raises ValueError when the mark was rolled back already.
        """
        self._rows: dict[bytes, Row] = {}  # of every account that was looked at, as it is now
        self._slots: dict[bytes, Slots] = {}
        self._new_codes: dict[bytes, bytes] = {EMPTY_CODE_HASH: b""}
        self._base_codes: dict[bytes, bytes] = {}
        self._base_code_bytes = 0
        self._base_accounts: dict[bytes, tuple[Account | None, Row]] = {}
        self._base_values: dict[tuple[bytes, bytes], bytes] = {}
        self.begin_transaction()

    @property
    def base(self) -> Base:
        """The state that this world lies over."""
        return self._base

    @property
    def kept(self) -> int:
        """How many accounts, values and codes are kept in memory, for whoever uses a world again and again."""
        return len(self._rows) + len(self._base_values) + len(self._new_codes) + len(self._base_codes)

    # Accounts

    def exists(self, address: bytes) -> bool:
        """Return whether there is an account at `address`, be it empty."""
        return self._row(address) is not _ABSENT

    def is_empty(self, address: bytes) -> bool:
        """Return whether nonce and balance are 0 and there is no code (EIP-161); so is what does not exist."""
        return self._row(address) == _EMPTY

    def nonce(self, address: bytes) -> int:
        """Return the nonce, 0 when there is no account."""
        return (self._rows.get(address) or self._row(address))[0]

    def balance(self, address: bytes) -> int:
        """Return the balance in wei, 0 when there is no account."""
        return (self._rows.get(address) or self._row(address))[1]

    def code_hash(self, address: bytes) -> bytes:
        """Return the hash of the code, `EMPTY_CODE_HASH` when there is none."""
        return (self._rows.get(address) or self._row(address))[2]

    def row(self, address: bytes) -> Row:
        """Return nonce, balance in wei and code hash at once; of an empty account when there is none."""
        return self._rows.get(address) or self._row(address)

    def code(self, address: bytes) -> bytes:
        """Return the code, no bytes when there is none."""
        return self.code_of((self._rows.get(address) or self._row(address))[2])

    def code_of(self, code_hash: bytes) -> bytes:
        """Return the code that has this hash, which is some account's."""
        code = self._new_codes.get(code_hash)
        if code is None:
            code = self._base_codes.get(code_hash)
        return self._base_code(code_hash) if code is None else code

    def set_nonce(self, address: bytes, nonce: int) -> None:
        """Set the nonce; makes the account if there is none."""
        row = self._row(address)
        self._record((self._rows, address, row))
        self._rows[address] = (nonce, row[1], row[2])

    def set_balance(self, address: bytes, balance: int) -> None:
        """Set the balance in wei; makes the account if there is none.

        Raises:
            ValueError: `balance` is negative; whoever moves value checks first.
        """
        if balance < 0:
            raise ValueError(f"balance of {address.hex()} would be {balance}")
        row = self._row(address)
        self._record((self._rows, address, row))
        self._rows[address] = (row[0], balance, row[2])

    def add_balance(self, address: bytes, amount: int) -> None:
        """Add `amount` wei and touch the account (EIP-161), as adding 0 does too; what is above 256 bits is lost.

        No chain has that much, but a test may give it to each of two accounts.
        """
        row = self._rows.get(address) or self._row(address)
        self._record((self._rows, address, row))
        balance = row[1] + amount
        self._rows[address] = (row[0], balance if balance <= MOST_WEI else MOST_WEI, row[2])
        self.touch(address)

    def sub_balance(self, address: bytes, amount: int) -> None:
        """Take `amount` wei away and touch the account.

        Raises:
            ValueError: there is less than that; whoever moves value checks first.
        """
        self.set_balance(address, self.balance(address) - amount)
        self.touch(address)

    def begin_paid_transaction(self, sender: bytes, amount: int, warm: dict[bytes, bool]) -> None:
        """Begin a transaction as `begin_transaction` does, count the sender's nonce and take `amount` wei away.

        Raises:
            ValueError: there is less than that; whoever moves value checks first.
        """
        nonce, balance, code_hash = row = self._rows.get(sender) or self._row(sender)
        if balance < amount:
            raise ValueError(f"balance of {sender.hex()} would be {balance - amount}")
        self.begin_transaction(warm)
        self._touched[sender] = True
        self._record((self._rows, sender, row))
        self._rows[sender] = (nonce + 1, balance - amount, code_hash)

    def set_code(self, address: bytes, code: bytes) -> None:
        """Set the code; makes the account if there is none."""
        nonce, balance, _ = row = self._row(address)
        code_hash = self._keccak(code)
        self._new_codes[code_hash] = code
        self._record((self._rows, address, row))
        self._rows[address] = (nonce, balance, code_hash)

    def create(self, address: bytes) -> None:
        """Make a new contract's account: nonce 0, no code, fresh storage; what balance there was stays."""
        row = self._row(address)
        self._record((self._rows, address, row))
        self._rows[address] = (0, row[1], EMPTY_CODE_HASH)
        self._journal.put(self._slots, address, Slots(wiped=True))
        self._journal.put(self._created, address, True)

    def was_created(self, address: bytes) -> bool:
        """Return whether `create` made this account in the running transaction (EIP-6780)."""
        return address in self._created

    def destroy(self, address: bytes) -> None:
        """Mark the account for removal, balance, code and storage, when the transaction ends."""
        self._journal.put(self._destroyed, address, True)

    def touch(self, address: bytes) -> None:
        """Mark the account for removal when the transaction ends, should it be empty then (EIP-161)."""
        if address not in self._touched:
            self._record((self._touched, address, None))
            self._touched[address] = True

    # Storage

    def storage(self, address: bytes, key: bytes) -> bytes:
        """Return the value at `key`, no bytes when there is none."""
        return self._value((address, key))

    def _value(self, place: Place) -> bytes:
        address, key = place
        slots = self._slots.get(address)
        if slots is not None:
            value = slots.rows.get(key)
            if value is not None:
                return value
            if slots.wiped:
                return b""
        value = self._base_values.get(place)
        return self._look_up(place) if value is None else value

    def read_storage(self, address: bytes, key: bytes) -> tuple[bytes, bool]:
        """Return the value at `key`, and whether it was warm; it is from now on: `storage` and `warm_slot` at once."""
        place = (address, key)
        warm = place in self._warm_slots
        if not warm:
            self._record((self._warm_slots, place, None))
            self._warm_slots[place] = True
        slots = self._slots.get(address)
        if slots is not None:
            value = slots.rows.get(key)
            return self._value(place) if value is None else value, warm
        value = self._base_values.get(place)
        return self._look_up(place) if value is None else value, warm

    def base_storage(self, address: bytes, key: bytes) -> bytes:
        """Return the value at `key` in the base, whatever this world did since."""
        place = (address, key)
        value = self._base_values.get(place)
        return self._look_up(place) if value is None else value

    def _look_up(self, place: Place) -> bytes:
        """Return a value of the base that was not asked for before, or is too long to be kept."""
        value = self._base.storage(place[0], place[1])
        if len(value) <= _KEPT_VALUE_BYTES:
            self._base_values[place] = value
        return value

    def set_storage(self, address: bytes, key: bytes, value: bytes) -> None:
        """Set `key` to `value`, no bytes remove it; makes the account if there is none."""
        place = (address, key)
        if place not in self._originals and address not in self._created:
            self._originals[place] = self._value(place)
        self.write_slot(address, key, value)

    def write_slot(self, address: bytes, key: bytes, value: bytes) -> None:
        """Do as `set_storage` where `open_slot` has looked at the slot in this transaction."""
        if (self._rows.get(address) or self._row(address)) is _ABSENT:
            self._journal.put(self._rows, address, _EMPTY)
        slots = self._slots.get(address)
        if slots is None:
            slots = Slots(wiped=False)
            self._journal.put(self._slots, address, slots)
        self._record((slots, key, slots.rows.get(key)))
        slots.put(key, value)

    def open_slot(self, address: bytes, key: bytes) -> tuple[bytes, bytes, bool]:
        """Return the value at `key` now, the one when the transaction began, and whether the key was warm (EIP-2200).

        It is warm from now on. The account of a contract that the transaction created began without storage.
        """
        value, warm = self.read_storage(address, key)
        if address in self._created:
            return value, b"", warm
        place = (address, key)
        original = self._originals.get(place)
        if original is None:
            original = self._originals[place] = value
        return value, original, warm

    def has_storage(self, address: bytes) -> bool:
        """Return whether any key of the account has a value."""
        return self.next_key(address, None, inclusive=True, stop=None) is not None

    def next_key(
        self, address: bytes, key: bytes | None, *, inclusive: bool, stop: bytes | None, reverse: bool = False
    ) -> bytes | None:
        """Return the live storage key next to `key` in byte order, in the world as it is now.

        Takes logarithmic time however many keys were removed in between.

        Args:
            key: where to look from; None: from the first key (the last, if `reverse`).
            inclusive: whether `key` itself may be the answer.
            stop: the first key beyond the range; if `reverse`, the smallest key inside it. None: no bound.
            reverse: whether to find the previous key instead.
        """
        slots = self._slots.get(address)
        seek = self._base.next_key
        if slots is None:
            return seek(address, key, inclusive=inclusive, stop=stop, reverse=reverse)
        if reverse:
            found = slots.previous_key(
                key, inclusive, lambda until: seek(address, until, inclusive=False, stop=None, reverse=True)
            )
            return None if found is None or (stop is not None and found < stop) else found
        found = slots.next_key(key, inclusive, lambda start: seek(address, start, inclusive=True, stop=None))
        return None if found is None or (stop is not None and found >= stop) else found

    # What lasts for one transaction

    def transient(self, address: bytes, key: bytes) -> bytes:
        """Return the transient value at `key`, no bytes when there is none (EIP-1153)."""
        return self._transient.get((address, key), b"")

    def set_transient(self, address: bytes, key: bytes, value: bytes) -> None:
        """Set the transient value at `key`; no bytes remove it."""
        self._journal.put(self._transient, (address, key), value)

    def warm_address(self, address: bytes) -> bool:
        """Warm `address` and return whether it was warm already (EIP-2929)."""
        if address in self._warm_addresses:
            return True
        self._record((self._warm_addresses, address, None))
        self._warm_addresses[address] = True
        return False

    def warm_slot(self, address: bytes, key: bytes) -> bool:
        """Warm one storage key and return whether it was warm already (EIP-2929)."""
        place = (address, key)
        if place in self._warm_slots:
            return True
        self._record((self._warm_slots, place, None))
        self._warm_slots[place] = True
        return False

    def accesses(self) -> tuple[list[bytes], list[tuple[bytes, bytes]]]:
        """Return what is warm now, in the order in which it became so: addresses, and (address, storage key) pairs.

        Hashes of code that was entered stand among the addresses, told apart by their length.
        """
        return list(self._warm_addresses), list(self._warm_slots)

    def add_log(self, entry: object) -> None:
        """Append a log."""
        number = len(self._logs)
        self._record((self._logs, number, None))
        self._logs[number] = entry

    @property
    def logs(self) -> tuple[object, ...]:
        """The logs of the running transaction so far, in order."""
        return tuple(self._logs.values())

    def add_refund(self, amount: int) -> None:
        """Add to the refund in gas; a negative amount takes back."""
        self._journal.put(self._refund, None, self.refund + amount)

    @property
    def refund(self) -> int:
        """The refund in gas so far."""
        return self._refund.get(None, 0)

    # Time

    def begin_transaction(self, warm: dict[bytes, bool] | None = None) -> None:
        """Start afresh with access sets, transient storage, original values, logs, refund, and marks for removal.

        The keys of `warm`, which is the world's from now on, are the addresses that are warm at the start.
        """
        # Dicts of their own: the journal may still lead to those of earlier transactions.
        self._warm_addresses: dict[bytes, bool] = {} if warm is None else warm
        self._warm_slots: dict[tuple[bytes, bytes], bool] = {}
        self._transient: dict[tuple[bytes, bytes], bytes] = {}
        self._originals: dict[tuple[bytes, bytes], bytes] = {}
        self._logs: dict[int, object] = {}
        self._refund: dict[None, int] = {}
        self._created: dict[bytes, bool] = {}
        self._destroyed: dict[bytes, bool] = {}
        self._touched: dict[bytes, bool] = {}

    def end_transaction(self) -> None:
        """Remove the destroyed accounts, then the touched ones that are empty (EIP-161)."""
        for address in self._destroyed:
            self._remove(address)
        rows = self._rows
        for address in self._touched:
            row = rows[address] if address in rows else self._row(address)
            if row == _EMPTY and row is not _ABSENT:
                self._remove(address)

    def forget_transaction(self, mark: int) -> None:
        """Forget, since `mark`, how to take back what lasted for a transaction that has ended: warmth, logs.

        Rolling back to `mark` then costs what was written; marks inside the transaction are void.
        """
        self._journal.keep(mark, self._rows, self._slots, Slots)

    def changes(self) -> Iterator[AccountChange]:
        """Yield what this world did to each account it wrote to, in the order in which it first looked at them."""
        for address, row in self._rows.items():
            before, row_before = self._base_accounts[address]
            slots = self._slots.get(address)
            if row is _ABSENT:
                if before is not None:
                    yield AccountChange(address, before, None, True, {})
            elif slots is not None:
                yield AccountChange(address, before, _account(row, before), slots.wiped, slots.rows)
            elif row is not row_before:
                yield AccountChange(address, before, _account(row, before), False, {})

    def new_code(self, code_hash: bytes) -> bytes | None:
        """Return the code that `set_code` gave this hash, None when it never did."""
        return self._new_codes.get(code_hash)

    def _remove(self, address: bytes) -> None:
        self._record((self._rows, address, self._row(address)))
        self._rows[address] = _ABSENT
        self._journal.put(self._slots, address, Slots(wiped=True))

    def _row(self, address: bytes) -> Row:
        """The account's row, read from the base if need be. A row is never false: hot callers look in `_rows` first."""
        row = self._rows.get(address)
        if row is None:
            account = self._base.account(address)
            row = _ABSENT if account is None else (account.nonce, account.balance, account.code_hash)
            self._rows[address] = row
            self._base_accounts[address] = account, row
        return row

    def _base_code(self, code_hash: bytes) -> bytes:
        """Read code from the base and keep it."""
        code = self._base.code(code_hash)
        self._base_code_bytes += len(code)
        if self._base_code_bytes > _KEPT_CODE_BYTES:
            self._base_codes.clear()
            self._base_code_bytes = len(code)
        self._base_codes[code_hash] = code
        return code


def _account(row: Row, before: Account | None) -> Account:
    """The account of a row, with the storage root it had."""
    return Account(row[0], row[1], row[2], EMPTY_ROOT if before is None else before.storage_root)
