# ruff: noqa: F403, F405
"""Maps: presence, defaults, order of keys, nesting, loops that delete."""

from sdk import *


class Side(Enum):
    LEFT = 0
    RIGHT = 1


class Account(Struct):
    owner: Address
    amount: u256
    note: String


class Deal(Struct):
    """100 bytes: more than what storage copies at once, and no whole number of words."""

    buyer: Address
    seller: Address
    arbiter: Address
    deadline: u64
    amount: u256


class Maps(Contract):
    counts: Public[Map[u256, u256]]
    signed: Map[i16, u8]
    names: Public[Map[String, u64]]
    blobs: Map[Bytes, bool]
    pairs: Map[tuple[u8, String], u8]
    flags: Map[bool, u8]
    sides: Map[Side, u8]
    words: Map[bytes4, i64]
    accounts: Public[Map[Address, Account]]
    allowance: Public[Map[Address, Map[u8, u64]]]
    lists: Map[u8, List[u16]]
    deals: Public[Map[u8, Deal]]
    last: Deal
    cache: Transient[Map[u8, u8]]

    @external
    def put(self, key: u256, value: u256) -> bool:
        was = key in self.counts
        self.counts[key] = value
        return was

    @external
    def add(self, key: u256, value: u256) -> u256:
        self.counts[key % 16] += value
        return self.counts[key % 16]

    @external
    def drop(self, key: u256) -> bool:
        del self.counts[key]
        return key in self.counts

    @external
    @view
    def entries(self) -> tuple[List[u256], List[u256]]:
        keys: List[u256] = []
        values: List[u256] = []
        for key, value in self.counts.items():
            keys.append(key)
            values.append(value)
        return keys, values

    @external
    def put_signed(self, key: i16, value: u8) -> List[i16]:
        self.signed[key] = value
        keys: List[i16] = []
        for at, one in enumerate(self.signed):
            if at < 4:
                keys.append(one)
        return keys

    @external
    def put_name(self, name: String, value: u64) -> List[String]:
        self.names[name] = value
        found: List[String] = []
        for one in self.names.keys():  # noqa: SIM118
            found.append(one)
        return found

    @external
    def put_blob(self, blob: Bytes, value: bool) -> List[Bytes]:
        self.blobs[blob] = value
        found: List[Bytes] = []
        for one in self.blobs:
            found.append(one)
        return found

    @external
    def put_pair(self, n: u8, text: String) -> tuple[List[u8], List[String]]:
        self.pairs[(n % 4, text)] += 1
        numbers: List[u8] = []
        texts: List[String] = []
        for pair, count in self.pairs.items():
            numbers.append(pair[0] + count)
            texts.append(pair[1])
        return numbers, texts

    @external
    def put_small(self, flag: bool, side: Side, word: bytes4, n: i64) -> tuple[u8, u8, i64, u64]:
        self.flags[flag] += 1
        self.sides[side] = self.flags[flag]
        self.words[word] += n
        count: u64 = 0
        for one in self.words:
            if one != word:
                count += 1
        for known in self.flags:
            count += 1 if known else 10
        for side_, value in self.sides.items():
            count += u64(value) if side_ == Side.RIGHT else 0
        return self.flags[flag], self.sides[Side.RIGHT], self.words[word], count

    @external
    def open(self, who: Address, amount: u256, note: String) -> bool:
        was = who in self.accounts
        self.accounts[who] = Account(who, amount, note)
        self.accounts[who].amount //= 2
        return was

    @external
    def pay(self, who: Address, amount: u256) -> u256:
        self.accounts[who].amount += amount
        return self.accounts[who].amount

    @external
    def close(self) -> u256:
        total: u256 = 0
        for who, account in self.accounts.items():
            total += account.amount % 1000
            if account.amount % 2 == 0:
                del self.accounts[who]
        return total

    @external
    def allow(self, who: Address, n: u8, amount: u64) -> tuple[List[u8], bool]:
        self.allowance[who][n] = amount
        found: List[u8] = []
        for one in self.allowance[who]:
            found.append(one)
        return found, n in self.allowance[msg.sender]

    @external
    def list_in(self, key: u8, x: u16) -> List[u16]:
        self.lists[key % 3].append(x)
        if len(self.lists[key % 3]) > 4:
            self.lists[key % 3].pop()
            self.lists[key % 3][0] = x
        return self.lists[key % 3].copy()

    @external
    def sweep(self, below: u256) -> u64:
        dropped: u64 = 0
        for key in self.counts:
            if key < below:
                del self.counts[key]
                dropped += 1
            elif dropped > 3:
                break
        return dropped

    @external
    def remember(self, key: u8) -> u8:
        self.cache[key] += 1
        self.cache[key] += 1
        return self.cache[key]

    @external
    def deal(self, key: u8, who: Address, deadline: u64, amount: u256) -> tuple[Deal, bool]:
        before = self.last.copy()
        self.last = Deal(msg.sender, who, self.last.buyer, deadline, amount)
        self.deals[key % 4] = self.last.copy()
        self.deals[key % 3].deadline //= 2
        return before, key in self.deals

    @external
    @view
    def dealt(self) -> List[Deal]:
        found: List[Deal] = []
        for _key, deal in self.deals.items():
            found.append(deal.copy())
        return found
