# ruff: noqa: F403, F405
"""Bytes of all kinds, text, conversions between them, addresses, the ABI, hashes."""

from sdk import *

ROLE: Const[bytes32] = keccak256(b"role")


class Texts(Contract):
    text: Public[String]
    blob: Public[Bytes]
    tag: Public[bytes7]

    @external
    def keep(self, text: String, blob: Bytes) -> tuple[String, u64]:
        self.text = text
        self.blob += blob
        return self.text + " and " + text, len(self.blob)

    @external
    @view
    def same(self, a: String, b: String, c: Bytes, d: Bytes) -> tuple[bool, bool, bool]:
        return a == b, c != d, a.encode() == c

    @external
    @view
    def byte(self, data: Bytes, i: u64) -> u8:
        return data[i]

    @external
    @view
    def part(self, data: Bytes, i: u64, j: u64) -> tuple[Bytes, Bytes, Bytes]:
        return data[i:j], data[:j], data[i:]

    @external
    @view
    def fixed_byte(self, data: bytes7, i: u8) -> tuple[u8, u64, Bytes]:
        return data[i], len(data), data[2:5]

    @external
    @view
    def order(self, a: bytes7, b: bytes7) -> tuple[bool, bool, bool]:
        return a < b, a == b, a >= b

    @external
    @view
    def wide_order(self, a: bytes32, b: bytes32, c: Address, d: Address) -> tuple[bool, bool, bool]:
        return a <= b, c < d, c == d

    @external
    @view
    def joined(self, a: Bytes, b: bytes4, c: bytes32) -> Bytes:
        return a + b + b"-" + c

    @external
    @view
    def exact(self, data: Bytes) -> bytes7:
        return bytes7(data[:7])

    @external
    @view
    def resized(self, a: bytes7) -> tuple[bytes32, bytes4, Bytes]:
        return bytes32(a), bytes4(a), Bytes(a)

    @external
    @view
    def numbers(self, a: bytes7, b: bytes32, n: u56, m: u256) -> tuple[u56, u256, bytes7, bytes32]:
        return u56(a), u256(b), bytes7(n), bytes32(m)

    @external
    @view
    def addresses(self, a: Address, n: u160, b: bytes20) -> tuple[u160, u256, bytes20, Address, Address]:
        return u160(a), u256(a), bytes20(a), Address(n), Address(b)

    @external
    @view
    def texts(self, data: Bytes) -> tuple[Bytes, Bytes]:
        return (data[:3].decode() + "!").encode(), (data[3:].decode() + "zoë").encode()

    @external
    def mark(self, tag: bytes7) -> bool:
        before = self.tag
        self.tag = tag
        return before == self.tag or tag == b"\0\1\2abc\xff"

    @external
    @view
    def hashes(self, data: Bytes, word: bytes32) -> tuple[bytes32, bytes32, bytes32, bytes20, bool]:
        return keccak256(data), sha256(data + word), blake2b256(word), ripemd160(data), word == ROLE

    @external
    @view
    def encoded(self, a: u8, b: Bytes, c: List[u16], d: i64) -> tuple[Bytes, Bytes]:
        return abi_encode(a, b, c, d), encode_packed(a, b, c, d)

    @external
    @view
    def again(self, a: u8, b: String, c: List[u16]) -> tuple[u8, String, List[u16]]:
        x, y, z = abi_decode(abi_encode(a, b, c), tuple[u8, String, List[u16]])
        return x, y, z

    @external
    @view
    def literals(self) -> tuple[bytes4, Bytes, String, bytes2]:
        two: bytes2 = b"\x80\0"
        return b"abcd", b"", "zoë \n", two
