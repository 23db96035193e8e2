"""A contract: its functions to call, its source and interface, its storage, its events."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from contractvm.block import Header
from contractvm.host import Log
from contractvm.node.explorer import calling
from contractvm.node.explorer.decoded import Told
from contractvm.node.explorer.highlight import LINES, lines_of
from contractvm.node.explorer.lens import Lens
from contractvm.node.explorer.pages.address import address_of, heading
from contractvm.node.explorer.pages.block import digits
from contractvm.node.explorer.request import Missing, Page, Request
from contractvm.node.explorer.slots import Slot, slot_of
from contractvm.node.explorer.standards import STANDARDS
from contractvm.node.explorer.walk import Walk
from contractvm.receipt import may_contain
from contractvm.types import Address
from sdk.abi import ABIError, Function
from sdk.interface import Interface

SLOTS: Final = 100
"""Slots of storage on a page."""
EVENTS: Final = 50
TOKENS: Final = ("ERC-20", "ERC-721", "ERC-1155")
"""What a contract that is not known may be taken as."""


@dataclass(frozen=True, slots=True)
class Event:
    """A log of a contract, and where it is."""

    log: Log
    told: Told | None
    transaction: bytes
    block: int
    timestamp: int


def contract_of(lens: Lens, text: str) -> Address:
    """The address of a contract. Raises: Missing."""
    who = address_of(text)
    if not lens.is_contract(who):
        raise Missing(f"0x{who.hex()} has no code, so there is nothing to call, to read or to store in")
    return who


def functions(lens: Lens, request: Request, text: str) -> Page:
    """Functions to call; of a contract that is not known, those that a reader writes down."""
    who = contract_of(lens, text)
    known = lens.known(who)
    taken_as = request.query.get("as", "")
    guess = STANDARDS.get(taken_as, Interface()) if known is None else Interface()
    declared = known.interface.functions if known else guess.functions
    own, wrong = request.query.get("f", "")[:10_000], ""
    if own and own not in {Function.parse(each).text for each in declared}:
        try:
            declared = (*declared, own)
            request = calling.asking(request, Function.parse(own).text)
        except ABIError as error:
            declared, wrong = declared[:-1], str(error)
    reads, writes = calling.forms(lens, who, declared, request)
    facts: dict[str, Any] = {"reads": reads, "writes": writes, "own": own, "wrong": wrong}
    facts |= {"taken_as": taken_as if guess.functions else "", "standards": TOKENS}
    return Page("contract.html", {**heading(lens, who, "contract"), **facts})


def source(lens: Lens, text: str) -> Page:
    """The source with numbered lines, and the interface."""
    who = contract_of(lens, text)
    known = lens.known(who)
    facts: dict[str, Any] = {
        "most": LINES,
        "abi": json.dumps(known.abi, indent=2) if known else "",
        "files": [(name, lines_of(name, text), text.count("\n")) for name, text in known.shown_sources().items()]
        if known
        else [],
    }
    return Page("source.html", {**heading(lens, who, "source"), **facts})


def storage(lens: Lens, request: Request, text: str) -> Page:
    """Slots of storage in the order of their keys, decoded where the layout is known."""
    who = contract_of(lens, text)
    start = digits(request.query.get("from", "0x"))
    if start is None:
        raise Missing("from is a key of storage: 0x and hex digits")
    known = lens.known(who)
    slots: list[Slot] = []
    key = lens.world.next_key(who, start, inclusive=True, stop=None)
    while key is not None and len(slots) < SLOTS:
        slots.append(slot_of(known, key, lens.world.storage(who, key)))
        key = lens.world.next_key(who, key, inclusive=False, stop=None)
    facts: dict[str, Any] = {"slots": slots, "following": key, "first": not start}
    return Page("storage.html", {**heading(lens, who, "storage"), **facts})


def events(lens: Lens, request: Request, text: str) -> Page:
    """What a contract emitted, the latest first; blooms say which blocks need not be read."""
    who = contract_of(lens, text)
    walk = Walk(lens.chain, request.number("before"))
    found: list[Event] = []
    for header in walk:
        if may_contain(header.logs_bloom, who):
            found += of_block(lens, header, who)
        if len(found) >= EVENTS:
            break
    return Page("events.html", {**heading(lens, who, "events"), "events": found, "walk": walk})


def of_block(lens: Lens, header: Header, who: Address) -> list[Event]:
    """What a contract emitted in a block, the last first."""
    return [
        Event(log, lens.event(log), receipt.transaction_hash, header.number, header.timestamp)
        for receipt in reversed(lens.chain.receipts(header.number))
        for log in reversed(receipt.logs)
        if log.address == who
    ]
