"""What is known of a contract from outside: signatures, as people write them.

Never: bindings, or anything that the chain relies on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sdk.abi import Error, Event, Function, parse_types


@dataclass(frozen=True, slots=True)
class Interface:
    """Signatures in order; `constructor` is empty when there is none or it is not known."""

    functions: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    constructor: str = ""

    def extended(self, signatures: Sequence[str] | str) -> Interface:
        """This and further signatures; `event`, `error` and `constructor` say what they are, the rest are functions.

        One that is there already replaces the earlier. Raises: ABIError for one that is none.
        """
        functions, events, errors, constructor = [*self.functions], [*self.events], [*self.errors], self.constructor
        for text in [signatures] if isinstance(signatures, str) else signatures:
            match text.split("(")[0].split():
                case ["constructor"]:
                    parse_types(text)
                    constructor = text
                case ["event", _]:
                    Event.parse(text)
                    events.append(text)
                case ["error", _]:
                    Error.parse(text)
                    errors.append(text)
                case _:
                    same = Function.parse(text).text
                    functions = [known for known in functions if Function.parse(known).text != same] + [text]
        return Interface(tuple(functions), tuple(events), tuple(errors), constructor)
