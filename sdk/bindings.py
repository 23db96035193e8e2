"""Types of a deployed contract for mypy: a `.pyi` made from what is known of the contract, exact to each argument.

    stub("Token", Interface.from_json(json.loads(path.read_text())))

The class is `sdk.testing.Deployed` with a callable of its own for each function, under its ABI name and in snake_case;
its constructor takes what `chain.deploy` takes behind the contract.
Never: is imported by what runs. A contract answers the same with or without.
"""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from sdk.abi import ABIError, Constructor, Function, Parameter
from sdk.abi_types import AddressType, Array, Bool, Bytes, FixedBytes, Integer, Tuple, Type
from sdk.errors import BuildError
from sdk.interface import Interface
from sdk.testing.names import find

TOP = '''\
"""Types of {name}, made by `contractvm stubs`; make it again when the contract's interface changes."""

from collections.abc import Sequence
from typing import overload

from sdk.testing import Deployed, Receipt

AddressLike = bytes | str | Deployed
"""20 bytes, hex text, or a deployed contract."""
'''
OPTIONS = "sender: AddressLike | None = ..., value: int = ..., gas: int | None = ..."
RESERVED = frozenset({"address", "chain", "interface", "sender", "value", "gas", "self", "label", "abi"})
"""Names that a contract or a call has already: such a function is called by signature, such a parameter by place."""


def stub(name: str, interface: Interface) -> str:
    """The text of a `.pyi` with the class `name`. Raises: ABIError."""
    functions: dict[str, list[Function]] = {}
    for function in map(Function.parse, interface.functions):
        functions.setdefault(function.name, []).append(function)
    constructor = Constructor.parse(interface.constructor) if interface.constructor else Constructor(())
    classes, attributes = [], []
    for function_name, overloads in functions.items():
        if function_name in RESERVED or function_name.startswith("_"):
            continue
        class_name = f"_{function_name[0].upper()}{function_name[1:]}"
        classes.append(_class(class_name, overloads))
        snake = snake_case(function_name)
        known = find(snake, [function_name]) is not None  # no rule leads from token_uri to tokenURI
        spelled = {function_name, *([f"{snake}_" if keyword.iskeyword(snake) else snake] if known else [])}
        attributes += [f"    {word}: {class_name}\n" for word in sorted(spelled) if not keyword.iskeyword(word)]
    options = f"{OPTIONS}, label: str | None = ..., abi: Sequence[str] | str = ..."
    made = f"    def __init__({_arguments(constructor.inputs, options)}) -> None: ...\n"
    text = TOP.format(name=name) + "\n" + "\n".join(classes)
    if not any(len(overloads) > 1 for overloads in functions.values()):
        text = text.replace("from typing import overload\n\n", "\n", 1)
    return f"{text}\nclass {name}(Deployed):\n{''.join(attributes)}{made}"


def _class(name: str, overloads: Sequence[Function]) -> str:
    """The class of what one name calls."""
    lines = [f"class {name}:\n"]
    for method, result in (("__call__", None), ("call", None), ("tx", "Receipt"), ("encode", "bytes")):
        for function in overloads:
            lines += ["    @overload\n"] if len(overloads) > 1 else []
            answer = result or answer_type(function.outputs)
            arguments = _arguments(function.inputs, "" if method == "encode" else OPTIONS)
            lines.append(f"    def {method}({arguments}) -> {answer}: ...\n")
    return "".join(lines)


def _arguments(parameters: Sequence[Parameter], options: str) -> str:
    """A list of parameters; those without a usable name go by place."""
    names = [_name(parameter) for parameter in parameters]
    nameless = max((i for i, name in enumerate(names) if not name or name in names[:i]), default=-1)
    words = ["self"]
    for i, (name, parameter) in enumerate(zip(names, parameters, strict=True)):
        words.append(f"{f'arg{i}' if i <= nameless else name}: {argument_type(parameter.type)}")
        words += ["/"] if i == nameless else []
    return ", ".join([*words, *(["*", options] if options else [])])


def _name(parameter: Parameter) -> str:
    if not parameter.name.isidentifier() or parameter.name in RESERVED:
        return ""
    return f"{parameter.name}_" if keyword.iskeyword(parameter.name) else parameter.name


def argument_type(type_: Type) -> str:
    """What an argument may be."""
    match type_:
        case AddressType():
            return "AddressLike"
        case Array(item=item):
            return f"Sequence[{argument_type(item)}]"
        case Tuple(items=items):
            return _tuple(argument_type(item) for item in items)
        case Bytes(text=False) | FixedBytes():
            return "bytes | str"
    return value_type(type_)


def value_type(type_: Type) -> str:
    """What a decoded value is."""
    match type_:
        case Integer():
            return "int"
        case Bool():
            return "bool"
        case Bytes(text=True):
            return "str"
        case Array(item=item):
            return f"list[{value_type(item)}]"
        case Tuple(items=items):
            return _tuple(map(value_type, items))
    return "bytes"


def answer_type(outputs: Sequence[Parameter]) -> str:
    """What a call answers."""
    types = [value_type(output.type) for output in outputs]
    return "None" if not types else types[0] if len(types) == 1 else _tuple(types)


def _tuple(types: Iterable[str]) -> str:
    return f"tuple[{', '.join(types) or '()'}]"


def snake_case(name: str) -> str:
    """`balanceOf` as Python spells it: `balance_of`; ALL_CAPS stay."""
    if name.isupper():
        return name
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def class_name(file: Path) -> str:
    """A class's name from a file's: `my-token.abi.json` is `MyToken`."""
    stem = file.name.split(".")[0]
    words = [word for word in re.split(r"[^0-9A-Za-z]+", stem) if word]
    name = "".join(word[0].upper() + word[1:] for word in words)
    return name if name.isidentifier() else f"Contract{name}"


def read_json(path: Path) -> Interface:
    """The interface in a JSON ABI or in an artifact that has one. Raises: BuildError, OSError."""
    try:
        return Interface.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, ABIError) as error:
        raise BuildError(f"{path}: {error}") from None
