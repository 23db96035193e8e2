"""ABI values as words of a command line: `100`, `1ether`, `true`, `0xab..`, `text`, `[1,2]`, `(0xab..,"a, b")`.

The type decides how a word is read, so text needs quotes only inside an array or a tuple. Never: guesses a type.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from contractvm.cli.problem import USAGE, Problem
from contractvm.cli.values import address, amount, clip, hex_bytes, integer
from sdk.abi import Function, explain, parse_types
from sdk.abi_types import AddressType, Array, Bool, Bytes, FixedBytes, Integer, Tuple, Type, encode

OPENING, CLOSING = "([", ")]"
ADDRESS_DIGITS = 40


def call_data(signature: str | None, words: Sequence[str]) -> tuple[bytes, Function | None]:
    """The input of a call: nothing, raw hex, or a signature with its arguments. Raises: Problem, ABIError."""
    if signature is None:
        return b"", None
    if signature.startswith(("0x", "0X")):
        if words:
            raise Problem("raw calldata takes no arguments", "give a signature such as 'transfer(address,uint256)'")
        return bytes_of(signature, "calldata"), None
    if "(" not in signature:
        raise Problem(
            f"{clip(signature)!r} is no signature",
            f"write name and types: '{clip(signature, 30) or 'f'}(uint256)(uint256)'",
        )
    function = Function.parse(signature)
    return function.encode(*values_of(function.types, words, signature)), function


def constructor_data(signature: str | None, words: Sequence[str], declared: str = "") -> bytes:
    """The arguments appended to creation code. `declared` is what the contract's source says of its constructor.

    Raises: Problem, ABIError.
    """
    if declared and (signature is None or "(" not in signature):
        signature, words = declared, [*filter(None, [signature]), *words]
    if signature is None:
        return b""
    if signature.startswith(("0x", "0X")) and not words:
        return bytes_of(signature, "constructor arguments")
    if "(" not in signature:
        raise Problem(f"{clip(signature)!r} is no signature", "write 'constructor(uint256)' before the arguments")
    types = parse_types(signature)
    return encode(types, values_of(types, words, signature), "constructor argument")


def revert_reason(data: bytes, errors: Sequence[str] = ()) -> str:
    """Revert data in words, such that they follow "reverted: "; `errors` are signatures of custom ones."""
    return explain(data, errors).text.removeprefix("reverted ")


def bytes_of(text: str, what: str) -> bytes:
    try:
        return hex_bytes(text)
    except click.BadParameter as error:
        raise Problem(f"{what}: {error.message}", code=USAGE) from None


def values_of(types: Sequence[Type], words: Sequence[str], signature: str) -> list[object]:
    """One value a type. Raises: Problem, naming the argument."""
    if len(types) != len(words):
        raise Problem(f"{signature} takes {len(types)} arguments, {len(words)} given", code=USAGE)
    values = []
    for position, (type_, word) in enumerate(zip(types, words, strict=True), 1):
        try:
            values.append(value_of(type_, word))
        except click.BadParameter as error:
            where = f"argument {position} of {signature}, {'an' if type_.name[0] in 'ai' else 'a'} {type_.name}"
            raise Problem(f"{where}: {error.message}", code=USAGE) from None
    return values


def value_of(type_: Type, word: str) -> object:
    """Raises: click.BadParameter."""
    match type_:
        case Integer():
            return integer_of(type_, word)
        case Bool():
            if word.lower() not in ("true", "false", "1", "0"):
                raise click.BadParameter(f"{clip(word)!r} is neither true nor false")
            return word.lower() in ("true", "1")
        case AddressType():
            if word.isdecimal() and len(word) < ADDRESS_DIGITS:
                raise click.BadParameter(
                    f"{clip(word)!r} is a number; write 0x and {ADDRESS_DIGITS} hex digits, which "
                    "`contractvm accounts` shows of a development account"
                )
            return address(word)
        case Bytes(text=True):
            return word
        case Bytes() | FixedBytes():
            return hex_bytes(word)
        case Array():
            return [value_of(type_.item, part) for part in parts_of(word, "[", "]")]
        case Tuple():
            parts = parts_of(word, "(", ")")
            if len(parts) != len(type_.items):
                raise click.BadParameter(f"{len(type_.items)} parts wanted, {len(parts)} given")
            return tuple(value_of(item, part) for item, part in zip(type_.items, parts, strict=True))
    raise click.BadParameter(f"a {type_.name} cannot be written on a command line")


def integer_of(type_: Integer, word: str) -> int:
    """A number, or an amount with a unit. The encoder checks the range."""
    digits = word.lstrip("+-")
    if digits and digits[-1].isalpha() and not digits.lower().startswith("0x"):
        return -amount(digits) if word.startswith("-") else amount(digits)
    if "." in digits:
        raise click.BadParameter(f"{clip(word)!r} is not whole; add a unit, as in {clip(word, 20)}ether")
    return integer(word)


def parts_of(word: str, opening: str, closing: str) -> list[str]:
    """The parts between the brackets, split at commas outside of quotes and inner brackets."""
    text = word.strip()
    if len(text) < 2 or text[0] != opening or text[-1] != closing:
        raise click.BadParameter(f"{clip(word)!r} must stand in {opening}{closing}")
    parts: list[str] = []
    part, depth, quoted, escaped, was_quoted = "", 0, False, False, False
    for c in text[1:-1]:
        if escaped:
            part, escaped = part + c, False
        elif quoted and c == "\\":
            escaped = True
        elif c == '"' and (quoted or depth == 0):
            quoted, was_quoted = not quoted, True
        elif c == "," and not quoted and depth == 0:
            parts.append(part if was_quoted else part.strip())
            part, was_quoted = "", False
        else:
            if not quoted:
                depth += (c in OPENING) - (c in CLOSING)
            part += c
    if quoted or depth:
        raise click.BadParameter(f"{clip(word)!r} has an open quote or bracket")
    if part.strip() or parts or was_quoted:
        parts.append(part if was_quoted else part.strip())
    return parts
