"""Reads the binary format's primitives: bytes, LEB128 integers, names, counts; every failure names its byte.

Source: WebAssembly core specification, sections 5.1 (conventions) and 5.2 (values); reasons are worded as its test
suite words them.
Never: reads past the slice it was given, allocates by a declared count, or recurses.
"""

from __future__ import annotations

from contractvm.errors import Invalid, Malformed, Place

U32 = 0xFFFF_FFFF


class Reader:
    """A position in a slice of a module. `base` is the slice's own offset, so that places count from the module."""

    __slots__ = ("base", "data", "end", "function", "pos")

    def __init__(self, data: bytes, base: int = 0, function: int | None = None) -> None:
        self.data = data
        self.pos = 0
        self.end = len(data)
        self.base = base
        self.function = function

    @property
    def offset(self) -> int:
        """Offset in the module of the byte read next."""
        return self.base + self.pos

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return self.end - self.pos

    def place(self, offset: int | None = None) -> Place:
        """Where the reader is, or another offset of the same function."""
        return Place(self.offset if offset is None else offset, self.function)

    def malformed(self, reason: str, offset: int | None = None) -> Malformed:
        """Build the error for the current position (or `offset`); the caller raises it."""
        return Malformed(reason, self.place(offset))

    def byte(self) -> int:
        """Raises: Malformed at the end."""
        if self.pos >= self.end:
            raise self.malformed("unexpected end of section or function")
        value = self.data[self.pos]
        self.pos += 1
        return value

    def take(self, size: int) -> bytes:
        """Read `size` bytes. Raises: Malformed when fewer are left."""
        if size > self.left:
            raise self.malformed(f"unexpected end of section or function: {size} bytes needed, {self.left} left")
        self.pos += size
        return self.data[self.pos - size : self.pos]

    def _groups(self, bits: int) -> tuple[int, int, int]:
        """Read the seven-bit groups of a LEB128 integer: where it starts, their value, how many bits they have."""
        start, value, shift = self.offset, 0, 0
        while True:
            b = self.byte()
            value |= (b & 0x7F) << shift
            shift += 7
            if b < 0x80:
                return start, value, shift
            if shift >= bits:
                raise self.malformed("integer representation too long", start)

    def unsigned(self, bits: int) -> int:
        """Read an unsigned LEB128 integer. Raises: Malformed when it is too long or has bits beyond `bits`."""
        start, value, _ = self._groups(bits)
        if value >> bits:
            raise self.malformed("integer too large", start)
        return value

    def signed(self, bits: int) -> int:
        """Read a signed LEB128 integer. Raises: Malformed when it is too long or its unused bits are not its sign."""
        start, value, shift = self._groups(bits)
        if value >> (shift - 1):
            value -= 1 << shift
        if not -1 << (bits - 1) <= value < 1 << (bits - 1):
            raise self.malformed("integer too large", start)
        return value

    def u32(self) -> int:
        """Read an unsigned 32-bit integer: an index, a count, a size."""
        if self.pos < self.end:
            b = self.data[self.pos]
            if b < 0x80:
                self.pos += 1
                return b
        return self.unsigned(32)

    def wide_u32(self, out_of_range: str) -> int:
        """Read a u32 that a 64-bit memory or table would make a u64: what needs more than 32 bits is well-formed.

        Raises: Invalid with the reason `out_of_range`; Malformed for a small value in more bytes than a u32 takes.
        """
        start = self.offset
        value = self.unsigned(64)
        if value > U32:
            raise Invalid(f"{out_of_range}: {value}", self.place(start))
        if self.offset - start > 5:
            raise self.malformed("integer representation too long", start)
        return value

    def length(self) -> int:
        """Read a size in bytes. Raises: Malformed when fewer bytes follow."""
        start = self.offset
        size = self.u32()
        if size > self.left:
            raise self.malformed(f"length out of bounds: {size} bytes declared, {self.left} left", start)
        return size

    def name(self, limit: int) -> str:
        """Read a name of at most `limit` bytes: exact UTF-8. Raises: Malformed; Invalid when it is longer."""
        start = self.offset
        size = self.length()
        raw = self.take(size)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.malformed("malformed UTF-8 encoding", self.offset - size + error.start) from None
        if size > limit:
            raise Invalid(f"name too long: {size} bytes, the limit is {limit}", self.place(start))
        return text

    def count(self, what: str, limit: int, known: int = 0) -> int:
        """Read how many `what` follow, each at least one byte; `known` of them exist already (imports).

        Raises: Malformed when more are declared than bytes are left; Invalid beyond `limit`.
        """
        start = self.offset
        count = self.u32()
        if count > self.left:
            raise self.malformed(
                f"unexpected end of section or function: {count} {what} declared, {self.left} bytes left", start
            )
        if count + known > limit:
            raise Invalid(f"too many {what}: {count + known}, the limit is {limit}", self.place(start))
        return count

    def slice(self, size: int, function: int | None = None) -> Reader:
        """Take `size` bytes as a reader of their own. Raises: Malformed when fewer are left."""
        base = self.offset
        return Reader(self.take(size), base, function)
