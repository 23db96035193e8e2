# ruff: noqa: F403, F405, SIM201, SIM208
"""What is known while compiling."""

from sdk import *

ROLE: Const[bytes32] = keccak256(b"role")
SIZE: Const[u256] = 10**18 // 3
DEBUG: Const[bool] = False


class Folded(Contract):
    LIMIT: Const[u8] = 200
    kept: Public[u256]

    @external
    @view
    def constants(self) -> tuple[bytes32, u256, u8, String, Bytes]:
        return ROLE, SIZE * 2, self.LIMIT // 3 + 1, "a" + "b", b"ab" + bytes4(ROLE)

    @external
    @view
    def reverting(self, which: u8) -> u8:
        if which == 0:
            return self.LIMIT + self.LIMIT
        if which == 1:
            return u8(u16(self.LIMIT) * 2)
        if which == 2:
            return self.LIMIT // (self.LIMIT - 200)
        with unchecked():
            return self.LIMIT + self.LIMIT

    @external
    def branches(self, x: u256) -> u256:
        if DEBUG:
            self.kept = 1
            return 0
        if not DEBUG and x > 5:
            self.kept += 1
        while DEBUG:
            self.kept += 1
        assert not DEBUG, "never"
        return self.kept + 0 * x

    @external
    @view
    def powers(self, x: u256, y: i256) -> tuple[u256, u256, i256, i256, u256]:
        return x // 8, x % 16, y // 8, y % 16, x // 1 + x % 1

    @external
    @view
    def neutral(self, x: u256) -> tuple[u256, u256, bool]:
        return (x + 0) * 1 // 1 ^ 0, x % 4096**2 << 0 >> 0, not (not x < 7) and not x == 3

    @external
    @view
    def squares(self, x: u64) -> tuple[u64, u64]:
        return x**2, (x % 7) ** 2 + x**1 + x**0

    @external
    @view
    def divided(self, x: i64) -> tuple[i64, i64, i64, i64]:
        return x // 3, x % 3, x // -3, x % -3
