"""Integers and bytes of every width, as an author writes them: `u8` ... `u256`, `i8` ... `i256`, `bytes1` ...

For mypy they are `int` and `bytes`, so that literals fit without a call; the compiler knows their widths. At run time
each is a form (`sdk.lang.forms`) that tells its name and converts as a contract would.
Follows docs/language.md, "Types". Never: checks widths for mypy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    u8: TypeAlias = int
    u16: TypeAlias = int
    u24: TypeAlias = int
    u32: TypeAlias = int
    u40: TypeAlias = int
    u48: TypeAlias = int
    u56: TypeAlias = int
    u64: TypeAlias = int
    u72: TypeAlias = int
    u80: TypeAlias = int
    u88: TypeAlias = int
    u96: TypeAlias = int
    u104: TypeAlias = int
    u112: TypeAlias = int
    u120: TypeAlias = int
    u128: TypeAlias = int
    u136: TypeAlias = int
    u144: TypeAlias = int
    u152: TypeAlias = int
    u160: TypeAlias = int
    u168: TypeAlias = int
    u176: TypeAlias = int
    u184: TypeAlias = int
    u192: TypeAlias = int
    u200: TypeAlias = int
    u208: TypeAlias = int
    u216: TypeAlias = int
    u224: TypeAlias = int
    u232: TypeAlias = int
    u240: TypeAlias = int
    u248: TypeAlias = int
    u256: TypeAlias = int
    i8: TypeAlias = int
    i16: TypeAlias = int
    i24: TypeAlias = int
    i32: TypeAlias = int
    i40: TypeAlias = int
    i48: TypeAlias = int
    i56: TypeAlias = int
    i64: TypeAlias = int
    i72: TypeAlias = int
    i80: TypeAlias = int
    i88: TypeAlias = int
    i96: TypeAlias = int
    i104: TypeAlias = int
    i112: TypeAlias = int
    i120: TypeAlias = int
    i128: TypeAlias = int
    i136: TypeAlias = int
    i144: TypeAlias = int
    i152: TypeAlias = int
    i160: TypeAlias = int
    i168: TypeAlias = int
    i176: TypeAlias = int
    i184: TypeAlias = int
    i192: TypeAlias = int
    i200: TypeAlias = int
    i208: TypeAlias = int
    i216: TypeAlias = int
    i224: TypeAlias = int
    i232: TypeAlias = int
    i240: TypeAlias = int
    i248: TypeAlias = int
    i256: TypeAlias = int
    bytes1: TypeAlias = bytes
    bytes2: TypeAlias = bytes
    bytes3: TypeAlias = bytes
    bytes4: TypeAlias = bytes
    bytes5: TypeAlias = bytes
    bytes6: TypeAlias = bytes
    bytes7: TypeAlias = bytes
    bytes8: TypeAlias = bytes
    bytes9: TypeAlias = bytes
    bytes10: TypeAlias = bytes
    bytes11: TypeAlias = bytes
    bytes12: TypeAlias = bytes
    bytes13: TypeAlias = bytes
    bytes14: TypeAlias = bytes
    bytes15: TypeAlias = bytes
    bytes16: TypeAlias = bytes
    bytes17: TypeAlias = bytes
    bytes18: TypeAlias = bytes
    bytes19: TypeAlias = bytes
    bytes20: TypeAlias = bytes
    bytes21: TypeAlias = bytes
    bytes22: TypeAlias = bytes
    bytes23: TypeAlias = bytes
    bytes24: TypeAlias = bytes
    bytes25: TypeAlias = bytes
    bytes26: TypeAlias = bytes
    bytes27: TypeAlias = bytes
    bytes28: TypeAlias = bytes
    bytes29: TypeAlias = bytes
    bytes30: TypeAlias = bytes
    bytes31: TypeAlias = bytes
    bytes32: TypeAlias = bytes
    Bytes: TypeAlias = bytes
    String: TypeAlias = str
else:
    from sdk.lang.forms import BytesForm, FixedBytesForm, IntForm, StringForm

    globals().update({f"{sign}{bits}": IntForm(sign, bits) for sign in "ui" for bits in range(8, 257, 8)})
    globals().update({f"bytes{size}": FixedBytesForm(size) for size in range(1, 33)})
    Bytes = BytesForm("Bytes")
    String = StringForm("String")
