"""Which conversions there are: `wanted(x)` for an x of another type.

Source: docs/language.md, "Conversions". Never: looks at syntax, or at values.
"""

from __future__ import annotations

from sdk.compiler.types import Address, Bool, Bytes, Enum, FixedBytes, Int, Remote, String, Type


def convertible(found: Type, wanted: Type) -> bool:
    """Whether `wanted(x)` exists for an x of type `found`."""
    match found, wanted:
        case (Int() | Bool(), Int()):
            return True
        case (FixedBytes(size), Int(bits, False)) | (Int(bits, False), FixedBytes(size)):
            return bits == 8 * size
        case (Bytes() | FixedBytes(), FixedBytes()) | (Bytes() | FixedBytes() | Address(), Bytes()):
            return True
        case (Address(), Int(160 | 256, False) | FixedBytes(20)):
            return True
        case (Int(160, False) | FixedBytes(20) | Remote() | Address(), Address()):
            return True
        case (Int(_, False), Enum()) | (Address(), Remote()) | (String(), String()):
            return True
    return found == wanted
