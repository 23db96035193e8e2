"""What is known of a contract from outside: declarations, as people write them, and as JSON.

    Interface().extended(["f(uint256 x) view returns (bool)", "event Set(uint256 x)"]).to_json()

Never: bindings (`bindings` makes those), or anything that the chain relies on.
"""

from __future__ import annotations

from collections.abc import Sequence

from contractvm.dataclass import dataclass
from sdk import abi_json
from sdk.abi import ABIError, Constructor, Error, Event, Function


@dataclass(frozen=True, slots=True)
class Interface:
    """Declarations in order; `constructor` is empty when there is none or it is not known, `fallback` and `receive`
    when the contract has none."""

    functions: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    constructor: str = ""
    fallback: str = ""
    receive: str = ""

    def extended(self, signatures: Sequence[str] | str) -> Interface:
        """This and further signatures; `event`, `error`, `constructor`, `fallback` and `receive` say what they are, the
        rest are functions.

        A function that is there already replaces the earlier. Raises: ABIError for one that is none.
        """
        functions, events, errors = [*self.functions], [*self.events], [*self.errors]
        single = {"constructor": self.constructor, "fallback": self.fallback, "receive": self.receive}
        for text in [signatures] if isinstance(signatures, str) else signatures:
            match text.split("(")[0].split():
                case ["constructor"]:
                    Constructor.parse(text)
                    single["constructor"] = text
                case ["fallback" | "receive" as kind]:
                    abi_json.door(text)
                    single[kind] = text
                case ["event", _]:
                    Event.parse(text)
                    events.append(text)
                case ["error", _]:
                    Error.parse(text)
                    errors.append(text)
                case _:
                    same = Function.parse(text).text
                    functions = [known for known in functions if Function.parse(known).text != same] + [text]
        return Interface(tuple(functions), tuple(events), tuple(errors), *single.values())

    @property
    def declarations(self) -> tuple[str, ...]:
        """All of it as `extended` reads it, and as `abi=` of the test kit takes it."""
        kinds = (("", self.functions), ("event ", self.events), ("error ", self.errors))
        listed = [f"{kind}{text.removeprefix(kind)}" for kind, texts in kinds for text in texts]
        return (*listed, *filter(None, (self.constructor, self.fallback, self.receive)))

    @classmethod
    def from_json(cls, entries: object) -> Interface:
        """Read a JSON ABI that was parsed: a list, or an object that has it under `abi`, as most tools' artifacts do.

        Raises: ABIError, naming the entry.
        """
        if isinstance(entries, dict):
            if "abi" not in entries:
                raise ABIError("a JSON ABI is a list, or an object with the list under 'abi'")
            entries = entries["abi"]
        found: dict[str, list[str]] = {}
        for kind, text in abi_json.read(entries):
            found.setdefault(kind, []).append(text)
        single = {}
        for kind in ("constructor", "fallback", "receive"):
            texts = found.get(kind, [])
            if len(texts) > 1:
                raise ABIError(f"the JSON ABI has {len(texts)} entries of the kind {kind!r}; a contract has one")
            single[kind] = "".join(texts)
        functions, events, errors = (tuple(found.get(kind, ())) for kind in ("function", "event", "error"))
        return cls(functions, events, errors, *single.values())

    def to_json(self) -> list[abi_json.Entry]:
        """The JSON ABI: constructor, functions, events, errors, fallback, receive, each in order of declaration."""
        declared: list[abi_json.Declared] = [
            *([Constructor.parse(self.constructor)] if self.constructor else []),
            *map(Function.parse, self.functions),
            *map(Event.parse, self.events),
            *map(Error.parse, self.errors),
        ]
        doors = [text for text in (self.fallback, self.receive) if text]
        return [*map(abi_json.entry, declared), *map(abi_json.door, doors)]
