"""Call trees for people: what a test's calls did, with arguments, values, places, storage changes, events and gas.

    token.transfer(accounts[1], 5)  [51,234 gas]
    ├─ storage 0x01: nothing -> 0x05    (add at byte 0x1f3)
    ├─ emitted Transfer(from=accounts[0], to=accounts[1], value=5)
    └─ returned True

Never: runs anything; `replay` does.
"""

from __future__ import annotations

from contractvm.crypto import keccak256
from contractvm.errors import Place
from contractvm.machine import Kind, Status
from contractvm.tracing import Emitted, Frame, Write
from contractvm.types import Address
from sdk.abi import ABIError, Event, Function, Value
from sdk.interface import Interface
from sdk.places import Map
from sdk.testing.chain import MockChain
from sdk.testing.failures import failure, refusal
from sdk.testing.values import written

SHOWN = 96
"""Bytes of raw data that are shown."""


class Teller:
    """Tells the frames of one chain's contracts."""

    def __init__(self, chain: MockChain) -> None:
        self._chain = chain
        self._labels = chain.labels()
        self._maps: dict[bytes, Map] = {}
        self._authored: dict[tuple[bytes, int], bool] = {}
        self._interfaces: dict[bytes, Interface] = {}
        for source, interface in chain.book.contracts():
            code_hash = keccak256(source.code)
            self._maps[code_hash] = Map(source.code, source.debug, source.layout)
            self._interfaces[code_hash] = interface

    def tell(self, frame: Frame) -> list[str]:
        """A frame and all below it, a line each."""
        title = f"{self._call(frame)}  [{frame.gas_used:,} gas]"
        branches = [self._event(frame, event) for event in frame.events]
        branches.append([self._end(frame)])
        lines = [title]
        for number, branch in enumerate(branches):
            last = number == len(branches) - 1
            lines.append(("└─ " if last else "├─ ") + branch[0])
            lines += [("   " if last else "│  ") + line for line in branch[1:]]
        return lines

    def _event(self, frame: Frame, event: Frame | Write | Emitted) -> list[str]:
        where = self._where(frame, event.place)
        if isinstance(event, Frame):
            first, *rest = self.tell(event)
            return [first + where, *rest]
        if isinstance(event, Emitted):
            return [f"emitted {self._log(frame, event)}{where}"]
        of = "" if event.address == frame.address else f" of {self._label(event.address)}"
        return [f"storage{of} {self._slot(frame, event)}{where}"]

    def _slot(self, frame: Frame, write: Write) -> str:
        """A change of storage: `Token.balance_of[accounts[1]]: nothing -> 5`."""
        known = self._maps.get(frame.code_hash)
        changed = None if known is None else known.changed(write.key, write.before, write.after)
        if changed is None:
            old, new = (f"0x{value.hex()}" if value else "nothing" for value in (write.before, write.after))
            return f"0x{write.key.hex()}: {old} -> {new}"
        path = "".join(f"[{self._written(step)}]" for step in changed.entry.path)
        old, new = (
            "nothing" if stored is None else self._written(stored.value) for stored in (changed.before, changed.after)
        )
        return f"{changed.entry.field}{path}{' length' if changed.entry.is_length else ''}: {old} -> {new}"

    def authored(self, code_hash: bytes, offset: int) -> bool:
        """Whether the author of a contract wrote what is at a byte of its code."""
        place = code_hash, offset
        found = self._authored.get(place)
        if found is None:
            known = self._maps.get(code_hash)
            found = self._authored[place] = known is None or known.authored(offset)
        return found

    def _where(self, frame: Frame, place: Place | None) -> str:
        known = self._maps.get(frame.code_hash)
        text = known.tell(place) if known is not None else ""
        return f"    ({text})" if text else ""

    def _call(self, frame: Frame) -> str:
        """What was called, as a test would write it."""
        target = self._label(frame.address)
        if frame.kind in (Kind.CREATE, Kind.CREATE2):
            return f"{frame.kind} {target}{self._value(frame)}"
        how = {Kind.STATIC: " (static)", Kind.DELEGATE: f" (code of {self._label(frame.code_address)})"}
        return f"{target}.{self._function(frame)}{self._value(frame)}{how.get(frame.kind, '')}"

    def _function(self, frame: Frame) -> str:
        if not frame.input:
            return "receive()"
        function = self._declared(frame)
        if function is None:
            return f"0x{frame.input[:4].hex()}(0x{frame.input[4 : 4 + SHOWN].hex()})"
        try:
            values = function.decode_input(frame.input)
        except ABIError:
            return f"{function.name}(malformed 0x{frame.input[4 : 4 + SHOWN].hex()})"
        return f"{function.name}({', '.join(self._written(value) for value in values)})"

    def _declared(self, frame: Frame) -> Function | None:
        interface = self._interfaces.get(frame.code_hash) or Interface()
        known = map(Function.parse, interface.functions)
        return next((function for function in known if function.selector == frame.input[:4]), None)

    def _value(self, frame: Frame) -> str:
        return f" with {frame.value} wei" if frame.value else ""

    def _log(self, frame: Frame, emitted: Emitted) -> str:
        interface = self._interfaces.get(frame.code_hash) or Interface()
        log = emitted.log
        for event in map(Event.parse, interface.events):
            if log.topics[:1] == (event.hash,):
                try:
                    values = event.decode_log(log.topics, log.data)
                except ABIError:
                    break
                names = [parameter.name or f"_{place}" for place, parameter in enumerate(event.inputs)]
                pairs = zip(names, values, strict=True)
                return f"{event.name}({', '.join(f'{name}={self._written(value)}' for name, value in pairs)})"
        return f"a log, topics {self._written(list(log.topics))}, data 0x{log.data[:SHOWN].hex()}"

    def _end(self, frame: Frame) -> str:
        where = self._where(frame, frame.stopped)
        if frame.status is Status.REVERT:
            error = failure(frame.status, frame.output, "", 0, self._chain.book.errors)
            return f"reverted: {refusal(error, self._labels)}{where}"
        if frame.status is Status.TRAP:
            return f"trapped: {frame.detail}{where}"
        if frame.status is not Status.OK:
            return f"{frame.status.name.lower().replace('_', ' ')}{': ' if frame.detail else ''}{frame.detail}{where}"
        function = self._declared(frame) if frame.kind not in (Kind.CREATE, Kind.CREATE2) else None
        if function is not None and function.outputs:
            try:
                return f"returned {self._written(function.decode_output(frame.output))}"
            except ABIError:
                return f"returned malformed 0x{frame.output[:SHOWN].hex()}"
        return f"returned 0x{frame.output[:SHOWN].hex()}" if frame.output else "returned"

    def _label(self, address: Address) -> str:
        return self._chain.label_of(address)

    def _written(self, value: Value) -> str:
        return written(value, self._labels)
