"""Where each record of the state is in the store.

    00                                   head: RLP [height, oldest kept height, root]
    01 ‖ address                         account: `state.account.account_record`
    02 ‖ address ‖ key                   storage: the value
    03 ‖ code hash                       code, never deleted
    04, 04 ‖ "." ‖ path                  account trie (state.trie)
    05 ‖ address, with "." ‖ path        that account's storage trie
    06 ‖ 01.. or 02.. ‖ height           past: what that record held before block `height`, empty for nothing
    07 ‖ height                          diff: RLP of the keys of records that block `height` changed

Latest values stand at plain keys: one look-up finds them, and neither old versions nor old removals are in the way of
iteration. A past record's key is that of the record it is about, escaped so that the order stays (00 becomes 00 ff,
the end is 00 00). First bytes from 20 up belong to the caller.
"""

from collections.abc import Iterable, Mapping

HEAD = b"\x00"
ACCOUNT = b"\x01"
STORAGE = b"\x02"
CODE = b"\x03"
ACCOUNT_TRIE = b"\x04"
STORAGE_TRIE = b"\x05"
PAST = b"\x06"
DIFF = b"\x07"

FIRST_META_BYTE = 0x20
_PLACE = 21  # bytes of tag and address
_HEIGHT = 8
_END = b"\x00\x00"


def height_bytes(height: int) -> bytes:
    """Return a height such that byte order is number order."""
    return height.to_bytes(_HEIGHT, "big")


def past_key(record: bytes, height: int) -> bytes:
    """Return where the value that `record` had before block `height` is."""
    return past_keys([record], height)[0]


def past_keys(records: Iterable[bytes], height: int) -> list[bytes]:
    """Return `past_key` of each record: blocks are forgotten by the thousands of them."""
    suffix = _END + height.to_bytes(_HEIGHT, "big")
    return [PAST + record[:_PLACE] + record[_PLACE:].replace(b"\x00", b"\x00\xff") + suffix for record in records]


def past_end(record: bytes) -> bytes:
    """Return a key beyond every past value of `record`, and before those of the next record."""
    return past_start(record) + b"\x00\x01"


def past_start(record: bytes) -> bytes:
    """Return a key at or before every past value of `record`, and beyond those of the record before it."""
    return PAST + record[:_PLACE] + record[_PLACE:].replace(b"\x00", b"\x00\xff")


def record_of_past(key: bytes) -> bytes:
    """Return the key of the record that a past record is about."""
    body = key[1 : -len(_END) - _HEIGHT]
    return body[:_PLACE] + body[_PLACE:].replace(b"\x00\xff", b"\x00")


def check_meta(meta: Mapping[bytes, bytes | None]) -> None:
    """Refuse keys of the caller's that could be taken for the state's.

    Raises:
        ValueError: a key is empty or its first byte is below 20 (hex).
    """
    for key in meta:
        if not key or key[0] < FIRST_META_BYTE:
            raise ValueError(f"record key {key[:20].hex()!r} is reserved; begin it with a byte of 0x20 or more")
