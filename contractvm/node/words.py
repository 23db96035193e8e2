"""Calls, logs, errors and entries of storage as documents with names and types, read with what builds left here.

Whole numbers are decimal text: JSON's readers would not keep most of them exact. Bytes and addresses are hex.
Never: guesses; what is not known is left out, and its bytes stand beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from contractvm.errors import Place
from contractvm.host import Log
from contractvm.node.artifacts import Known
from sdk.abi import KNOWN_ERRORS, ABIError, Constructor, Error, Event, Function, Parameter, Value, decode, explain

if TYPE_CHECKING:
    from sdk.compiler.layout_decode import Stored

Document = dict[str, Any]
STANDARD_ERRORS = ("Error(string message)", "Panic(uint256 code)")


def written(value: Any) -> Any:
    """A value for JSON."""
    match value:
        case bool() | str() | None:
            return value
        case int():
            return str(value)
        case bytes():
            return "0x" + value.hex()
        case list() | tuple():
            return [written(item) for item in value]
        case dict():
            return {str(name): written(item) for name, item in value.items()}
    return str(value)


def named(parameters: Sequence[Parameter], values: Sequence[Value]) -> list[Document]:
    """Values with what the ABI calls them; the name of one that has none is empty."""
    return [
        {"name": parameter.name, "type": parameter.type.name, "value": written(value)}
        for parameter, value in zip(parameters, values, strict=True)
    ]


def function_of(known: Known | None, calldata: bytes) -> Function | None:
    """The function that is called; None when nobody knows it."""
    if known is None or len(calldata) < 4:
        return None
    functions = map(Function.parse, known.interface.functions)
    return next((function for function in functions if function.selector == calldata[:4]), None)


def call_words(function: Function | None, calldata: bytes) -> Document:
    """What a call asks for: `function`, `signature` and `arguments`; of an unknown one the selector alone."""
    if function is None:
        return {"selector": "0x" + calldata[:4].hex()} if calldata else {}
    words: Document = {"function": function.name, "signature": function.text}
    try:
        words["arguments"] = named(function.inputs, function.decode_input(calldata))
    except ABIError as error:
        words["malformed"] = str(error)
    return words


def answer_words(function: Function | None, output: bytes) -> Document:
    """What a function gave back: `returns`."""
    if function is None:
        return {}
    try:
        values = decode([parameter.type for parameter in function.outputs], output)
        return {"returns": named(function.outputs, values)}
    except ABIError as error:
        return {"malformed": str(error)}


def constructor_words(known: Known | None, arguments: bytes) -> Document:
    """What a contract was made with."""
    if known is None or not known.interface.constructor:
        return {}
    constructor = Constructor.parse(known.interface.constructor)
    try:
        return {"arguments": named(constructor.inputs, decode(constructor.types, arguments))}
    except ABIError as error:
        return {"malformed": str(error)}


def log_words(known: Known | None, log: Log) -> Document:
    """What a log says: `event`, `signature` and `arguments`."""
    for event in map(Event.parse, known.interface.events if known is not None else ()):
        if log.topics[:1] == (event.hash,) and not event.anonymous:
            try:
                values = event.decode_log(log.topics, log.data)
            except ABIError:
                continue
            return {"event": event.name, "signature": event.text, "arguments": named(event.inputs, values)}
    return {}


def error_words(output: bytes, errors: Sequence[str]) -> Document:
    """What revert data says: `text` for people, and of an error that is known `error`, `signature` and `arguments`."""
    words: Document = {"text": explain(output, errors).text}
    for error in map(Error.parse, (*STANDARD_ERRORS, *errors, *KNOWN_ERRORS)):
        if output[:4] == error.selector:
            try:
                values = decode(error.types, output[4:])
            except ABIError:
                continue
            return words | {"error": error.name, "signature": error.text, "arguments": named(error.inputs, values)}
    return words


def place_words(known: Known | None, place: Place | None) -> Document | None:
    """A place in code: `function`, `offset`, and where the source is known `file`, `line` and `code`; `text` has all.

    None when the place is not known.
    """
    if place is None or place.function is None or place.offset is None:
        return None
    words: Document = {"functionIndex": place.function, "offset": place.offset}
    if known is None:
        return words | {"text": f"function {place.function} at byte {place.offset:#x}"}
    words["function"] = known.map.function(place.function)
    line = known.map.line(place)
    if line is not None:
        words |= {"file": known.shown_file(line.file), "line": line.number, "code": line.text}
    return words | {"text": known.map.tell(place)}


def entry_words(known: Known | None, key: bytes, value: bytes) -> Document:
    """What an entry of storage is: `field`, `path`, `decoded` and, of a list, whether it is its length."""
    stored = known.map.entry(key, value) if known is not None and value else None
    return {} if stored is None else stored_words(stored) | {"decoded": written(stored.value)}


def change_words(known: Known | None, key: bytes, before: bytes, after: bytes) -> Document:
    """What a change of storage is: the field, and its values as `from` and `to`, null where there was none."""
    changed = known.map.changed(key, before, after) if known is not None else None
    if changed is None:
        return {}
    old, new = (None if stored is None else written(stored.value) for stored in (changed.before, changed.after))
    return stored_words(changed.entry) | {"from": old, "to": new}


def stored_words(stored: Stored) -> Document:
    """Which field an entry is of."""
    words: Document = {"field": stored.field, "path": [written(step) for step in stored.path]}
    if stored.is_length:
        words["isLength"] = True
    return words
