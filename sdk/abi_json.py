"""JSON ABIs, as Solidity's compiler writes them and every Ethereum tool reads them, to and from declarations.

    read([{"type": "function", "name": "f", "inputs": [{"type": "uint256", "name": "x"}], "stateMutability": "view"}])
    entry(Function.parse("f(uint256 x) view"))

Names of structs come from `internalType` and go back there; a struct's namespace (`Token.Point`) is left out.
Source: Solidity, "Contract ABI Specification", section "JSON" with "Handling tuple types".
Never: reads a file; what an artifact of some tool wraps around the ABI is for whoever reads the artifact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sdk.abi import ABIError, Constructor, Error, Event, Function, Parameter
from sdk.abi_text import MUTABILITY, Parser
from sdk.abi_types import NESTING

Entry = dict[str, Any]
"""One object of a JSON ABI."""
Declared = Constructor | Function | Event | Error


def read(entries: object) -> list[tuple[str, str]]:
    """(kind, declaration) of each entry, in order; kinds are JSON's: `function`, `event`, `receive` ...

    Raises: ABIError, naming the entry.
    """
    if not isinstance(entries, Sequence) or isinstance(entries, (str, bytes)):
        raise ABIError(f"a JSON ABI is a list of objects, not {type(entries).__name__}")
    return [_declaration(item, f"ABI entry {number}") for number, item in enumerate(entries)]


def _declaration(item: object, at: str) -> tuple[str, str]:
    if not isinstance(item, Mapping):
        raise ABIError(f"{at}: an object expected, not {item!r}")
    kind = item.get("type", "function")
    name = item.get("name", "")
    if isinstance(name, str) and name:
        at = f"{at} ({kind} {name})"
    if kind in ("fallback", "receive"):
        return kind, f"{kind}(){_words(item, at)}"
    inputs = _parameters(item.get("inputs", ()), at, 0)
    if kind == "constructor":
        return kind, f"constructor{inputs}{' payable' if _words(item, at) == ' payable' else ''}"
    if not isinstance(name, str) or not name:
        raise ABIError(f"{at}: a {kind} has a name")
    text = f"{name}{inputs}"
    if kind == "function":
        outputs = _parameters(item.get("outputs", ()), at, 0)
        text = f"{text}{_words(item, at)}{'' if outputs == '()' else f' returns {outputs}'}"
        Function.parse(text)
    elif kind == "event":
        text += " anonymous" if item.get("anonymous", False) else ""
        Event.parse(text)
    elif kind == "error":
        Error.parse(text)
    else:
        raise ABIError(f"{at}: no kind of entry is called {kind!r}")
    return kind, text


def _words(item: Mapping[str, Any], at: str) -> str:
    """What a function may do, a space before it; nothing for the usual. Solidity before 0.6 said it by two flags."""
    word = item.get("stateMutability")
    if word is None:
        word = "payable" if item.get("payable") else "view" if item.get("constant") else "nonpayable"
    if word not in MUTABILITY:
        raise ABIError(f"{at}: stateMutability is one of {', '.join(MUTABILITY)}, not {word!r}")
    return "" if word == "nonpayable" else f" {word}"


def _parameters(items: object, at: str, depth: int) -> str:
    if depth > NESTING:
        raise ABIError(f"{at}: more than {NESTING} tuples inside one another")
    if not isinstance(items, Sequence) or isinstance(items, (str, bytes)):
        raise ABIError(f"{at}: a list of parameters expected, not {items!r}")
    return f"({', '.join(_parameter(item, f'{at}, parameter {i}', depth) for i, item in enumerate(items))})"


def _parameter(item: object, at: str, depth: int) -> str:
    """One parameter as text."""
    if not isinstance(item, Mapping) or not isinstance(item.get("type"), str):
        raise ABIError(f"{at}: an object with a type expected, not {item!r}")
    type_, name = item["type"], item.get("name", "")
    if type_.startswith("tuple"):
        if "components" not in item:
            raise ABIError(f"{at}: a tuple has components")
        type_ = f"{_struct(item)}{_parameters(item['components'], at, depth + 1)}{type_.removeprefix('tuple')}"
    if not isinstance(name, str):
        raise ABIError(f"{at}: a name is text, not {name!r}")
    text = f"{type_}{' indexed' if item.get('indexed', False) else ''}{f' {name}' if name else ''}"
    parser = Parser(f"{type_} {name}" if name else type_, "")
    try:
        parsed = parser.parameter(0)
        parser.end()
    except ABIError as error:
        raise ABIError(f"{at}: {error}") from None
    if parsed.name != name:  # one of Solidity's words for places, which a declaration skips
        raise ABIError(f"{at}: {name!r} cannot be a parameter's name")
    return text


def _struct(item: Mapping[str, Any]) -> str:
    """`struct Point` when the internal type says so, otherwise nothing."""
    internal = item.get("internalType")
    if not isinstance(internal, str) or not internal.startswith("struct "):
        return ""
    name = internal.removeprefix("struct ").split("[")[0].rpartition(".")[2]
    return f"struct {name}" if name.isidentifier() else ""


def entry(declared: Declared) -> Entry:
    """The JSON object of a constructor, function, event or error."""
    match declared:
        case Constructor(inputs=inputs, payable=payable):
            return {"type": "constructor", "inputs": _listed(inputs), "stateMutability": _paid(payable)}
        case Function():
            return {
                "type": "function",
                "name": declared.name,
                "inputs": _listed(declared.inputs),
                "outputs": _listed(declared.outputs),
                "stateMutability": declared.mutability,
            }
        case Event():
            marked = [_object(parameter) | {"indexed": parameter.indexed} for parameter in declared.inputs]
            return {"type": "event", "name": declared.name, "inputs": marked, "anonymous": declared.anonymous}
        case Error():
            return {"type": "error", "name": declared.name, "inputs": _listed(declared.inputs)}


def door(text: str) -> Entry:
    """The JSON object of `fallback() payable` or `receive() payable`. Raises: ABIError."""
    parser = Parser(text, "")
    kind = parser.name()
    parser.parameters()
    modifiers = parser.modifiers()
    parser.end()
    return {"type": kind, "stateMutability": _paid("payable" in modifiers)}


def _paid(payable: bool) -> str:
    return "payable" if payable else "nonpayable"


def _listed(parameters: Iterable[Parameter]) -> list[Entry]:
    return [_object(parameter) for parameter in parameters]


def _object(parameter: Parameter) -> Entry:
    suffix = parameter.suffix
    is_tuple = parameter.type.name.startswith("(")
    type_ = f"tuple{suffix}" if is_tuple else parameter.type.name
    internal = f"struct {parameter.struct}{suffix}" if parameter.struct else type_
    found: Entry = {"name": parameter.name, "type": type_, "internalType": internal}
    return found | {"components": _listed(parameter.components)} if is_tuple else found
