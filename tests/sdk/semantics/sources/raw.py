# ruff: noqa: F403, F405
# mypy: disable-error-code="empty-body"
"""Calls as bytes, what is let in again and what is not, code on another's storage, signatures."""

from sdk import *


class Point(Struct):
    x: u64
    y: i24


class Colour(Enum):
    RED = 0
    BLUE = 1
    GREEN = 7


class Odd(Error):
    n: u64
    text: String


class IOther(Interface):
    def take(self, n: u64, text: String) -> tuple[u64, String]: ...

    def points(self, points: List[Point], colour: Colour) -> u64: ...

    @payable
    def pay(self) -> u256: ...

    @view
    def count(self) -> u64: ...

    def back(self, data: Bytes, quietly: bool) -> Bytes: ...

    def missing(self, flag: bool) -> bool: ...


class IStore(Interface):
    def put(self, n: u64) -> u64: ...


class Store(Contract):
    """What a delegate call runs; `Store` below has fields of the same names."""

    seen: u64
    log: List[u64]

    def kept(self, n: u64) -> u64:
        assert n != 5, "five"
        self.seen += n
        self.log.append(n)
        return self.seen

    @external
    def put(self, n: u64) -> u64:
        return self.kept(n)


class Other(Contract):
    count: Public[u64]

    @external
    def take(self, n: u64, text: String) -> tuple[u64, String]:
        if n == 3:
            raise Odd(n, text)
        assert n != 4, "four"
        self.count += n
        return self.count, text + "!"

    @external
    def points(self, points: List[Point], colour: Colour) -> u64:
        total: u64 = u64(colour.value)
        for point in points:
            total += point.x
        return total

    @external
    @payable
    def pay(self) -> u256:
        self.count += 1
        return msg.value

    @external
    def back(self, data: Bytes, quietly: bool) -> Bytes:
        self.count += 1
        ok, answer = try_raw_call(msg.sender, data)
        assert ok or quietly, "not let in"
        return answer

    def fallback(self, data: Bytes) -> Bytes:
        self.count += 100
        return data[4:] + b"?"


class Raw(Store):
    other: Public[IOther]
    store: IStore
    calls: u64

    @payable
    def __init__(self) -> None:
        self.other = IOther(create(Other.code))
        self.store = IStore(create(Store.code))

    @payable
    def receive(self) -> None:
        self.calls += 10

    def fallback(self) -> None:
        self.calls += 1000

    @external
    @view
    def state(self) -> tuple[u64, u64, u64, List[u64], u256]:
        return self.calls, self.other.count(), self.seen, self.log.copy(), self.balance

    @external
    def bump(self, by: u64 = 1, twice: bool = False) -> u64:
        self.calls += by * 2 if twice else by
        return self.calls

    @external(name="bump")
    def bump_text(self, by: String) -> u64:
        self.calls += len(by.encode())
        return self.calls

    @external
    @nonreentrant
    def once(self, data: Bytes) -> Bytes:
        self.calls += 1
        return self.other.call(reentry=True).back(data, True)

    @external
    def closed(self, data: Bytes, quietly: bool) -> Bytes:
        self.calls += 1
        return self.other.back(data, quietly)

    @external
    def open_(self, which: u8, n: u64) -> Bytes:
        data = encode_call(IStore.put, n)
        if which == 1:
            data = encode_call(IRaw.bump_text, "abc")
        elif which == 2:
            data = encode_call(IRaw.once, b"")
        elif which == 3:
            data = msg.data
        elif which == 4:
            data = b""
        elif which == 5:
            data = bytes4(keccak256(b"bump(uint64,bool)")) + abi_encode(n, True)
        return self.other.call(reentry=True).back(data, False)

    @external
    def take(self, n: u64, text: String) -> tuple[u64, String]:
        answer = raw_call(self.other.address, encode_call(IOther.take, n, text))
        a, b = abi_decode(answer, tuple[u64, String])
        return a, b

    @external
    def try_take(self, n: u64, text: String, static: bool) -> tuple[bool, Bytes]:
        data = encode_call(IOther.take, n, text)
        if static:
            ok, answer = try_raw_static_call(self.other.address, data)
            return ok, b"" if not ok else answer
        ok, answer = try_raw_call(self.other.address, data)
        return ok, answer

    @external
    def odd_input(self, data: Bytes, cut: u8) -> tuple[bool, Bytes]:
        points = encode_call(IOther.points, [Point(1, -1), Point(2**60, 5)], Colour.GREEN)
        ok, answer = try_raw_call(self.other.address, points[: u64(cut)] + data)
        return ok, answer

    @external
    def decode(self, data: Bytes, which: u8) -> u64:
        if which % 5 == 0:
            return abi_decode(data, u64)
        if which % 5 == 1:
            a, flag = abi_decode(data, tuple[u8, bool])
            return u64(a) + u64(flag)
        if which % 5 == 2:
            return len(abi_decode(data, Bytes))
        if which % 5 == 3:
            return u64(abi_decode(data, Colour).value)
        return len(abi_decode(abi_encode(data, which), tuple[Bytes, u8])[0])

    @external
    def word(self, value: u256, which: u8) -> u64:
        return self.decode(abi_encode(value, value >> 1, u8(3)), which)

    @external
    @payable
    def pay(self, amount: u8, kind: u8) -> tuple[bool, Bytes]:
        if kind % 3 == 0:
            ok, answer = try_raw_call(self.other.address, encode_call(IOther.pay), value=u256(amount))
        elif kind % 3 == 1:
            ok, answer = try_raw_call(self.other.address, encode_call(IOther.count), value=u256(amount))
        else:
            ok, answer = try_raw_call(Address(u160(kind)), b"", value=u256(amount))
        return ok, answer

    @external
    def guest(self, n: u64) -> u64:
        return abi_decode(raw_delegate_call(self.store.address, encode_call(IStore.put, n)), u64)

    @external
    def try_guest(self, n: u64) -> bool:
        ok, _answer = try_raw_delegate_call(self.store.address, encode_call(IStore.put, n))
        return ok

    @external
    def host(self, n: u64) -> u64:
        return self.store.put(n)

    @external
    def missing(self, flag: bool) -> bool:
        return self.other.missing(flag)

    @external
    def nowhere(self, to: Address, data: Bytes) -> bool:
        ok, _answer = try_raw_call(to, data)
        return ok

    @external
    def message(self, x: u8) -> tuple[Bytes, bytes4, bool, bytes4, bytes4]:
        return msg.data, msg.sig, tx.origin == msg.sender, selector(IOther.take), interface_id(IOther)

    @external
    @view
    def signed(self, digest: bytes32, v: u8, r: bytes32, s: bytes32) -> tuple[Address, Address]:
        return ecrecover(digest, v, r, s), ecrecover(digest, 27 + v % 2, r, bytes32(u256(s) >> 2))

    @external
    @view
    def verified(self, digest: bytes32, data: Bytes) -> tuple[bool, bool]:
        return secp256k1_verify(digest, data, data[:33]), ed25519_verify(data, data[:64], digest)


class IRaw(Interface):
    def bump_text(self, by: String) -> u64: ...

    def once(self, data: Bytes) -> Bytes: ...
