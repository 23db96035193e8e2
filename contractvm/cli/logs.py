"""`contractvm logs`: what contracts have logged, by contract, event and block, decoded where the event is known.

An event is known when it is named on the command line, when a build in the working directory declares it, or the build
of its contract, if that was left with the chain.
Never: guesses an event; a log of an unknown one is shown as its bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from contractvm.cli.call import plain, receiver
from contractvm.cli.chainlike import Chainlike
from contractvm.cli.facts import Entry, LogQuery
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.known import known_events
from contractvm.cli.ledger import log_document, log_pairs
from contractvm.cli.literals import value_of
from contractvm.cli.opened import block_id, to_read
from contractvm.cli.output import hexed, number, show_json, show_pairs
from contractvm.cli.problem import USAGE, Problem, say
from contractvm.cli.url import node_options
from contractvm.cli.values import clip
from sdk.abi import ABIError, Event, Value, show
from sdk.abi_packed import topic_of

MOST_CONTRACTS = 100
"""Contracts whose builds are asked for."""
ANY = "_"
"""Written for an indexed value that may be anything."""


@click.command(cls=Command)
@click.argument("event", required=False, metavar="[EVENT]")
@click.argument("args", nargs=-1)
@click.option(
    "-a", "--address", "contracts", multiple=True, metavar="ADDRESS", help="Of this contract; may be repeated."
)
@click.option("--from-block", default="earliest", metavar="BLOCK", help="First block.  [default: earliest]")
@click.option("--to-block", default="latest", metavar="BLOCK", help="Last block.  [default: latest]")
@node_options
@pass_settings
def logs(
    settings: Settings,
    event: str | None,
    args: tuple[str, ...],
    contracts: tuple[str, ...],
    from_block: str,
    to_block: str,
) -> None:
    """Show what contracts have logged.

    EVENT is an event's signature, or a topic in hex; ARGS are its indexed values in order, _ for any.

    \b
    Examples:
      contractvm logs
      contractvm logs 'Transfer(address indexed,address indexed,uint256)' _ 0x7099...
      contractvm logs --address 0x5FbD... --from-block 10
    """
    named, topics = wanted_topics(event, args)
    first, last = block_id(from_block), block_id(to_block)
    with to_read(settings) as chain:
        of = tuple(receiver(each, chain) for each in contracts)
        found = chain.logs(LogQuery(first, last, of, topics))
        events = events_of(chain, found) | ({named.hash: named} if named else {})
    if settings.json:
        show_json({"logs": [document(entry, events) for entry in found]})
        return
    for index, entry in enumerate(found):
        known = decoded(entry, events)
        if settings.quiet:
            click.echo(known[2] if known else hexed(entry.data))
            continue
        if index:
            click.echo()
        where = f"{number(entry.block_number)}, transaction {hexed(entry.transaction_hash)}"
        bytes_ = log_pairs(entry, "contract")
        pairs = [bytes_[0], ("event", known[2])] if known else bytes_
        show_pairs([(f"log {entry.index}", f"block {where}"), *pairs])
    if not found and not settings.quiet:
        say("there are no such logs", label="note")


def wanted_topics(event: str | None, args: Sequence[str]) -> tuple[Event | None, tuple[bytes | None, ...]]:
    """The event that was named, if any, and the topics to look for. Raises: Problem, ABIError."""
    if event is None:
        return None, ()
    if event == ANY or event.startswith(("0x", "0X")):
        return None, tuple(None if word == ANY else topic(word) for word in (event, *args))
    if "(" not in event:
        matching = [known for known in parsed(known_events()) if known.name == event]
        if len(matching) != 1:
            found = "no build here declares it" if not matching else "several builds here declare one"
            raise Problem(
                f"{clip(event)!r} is no event's signature, and {found}", f"write it as '{clip(event)}(address)'"
            )
        named = matching[0]
    else:
        named = Event.parse(event)
    indexed = [parameter for parameter in named.inputs if parameter.indexed]
    if len(args) > len(indexed):
        raise Problem(
            f"{named.text} has {len(indexed)} indexed values, {len(args)} were given",
            f"say which are indexed: '{named.name}(address indexed,...)'; others cannot be looked for",
            code=USAGE,
        )
    topics: list[bytes | None] = [] if named.anonymous else [named.hash]
    for parameter, word in zip(indexed, args, strict=False):
        try:
            topics.append(None if word == ANY else topic_of(parameter.type, value_of(parameter.type, word)))
        except click.BadParameter as error:
            raise Problem(f"{named.text}: {error.message}", f"{ANY} stands for any value", code=USAGE) from None
    return named, tuple(topics)


def topic(word: str) -> bytes:
    """A topic in hex; a shorter one, such as an address, is filled from the left. Raises: Problem."""
    try:
        content = bytes.fromhex(word.removeprefix("0x"))
    except ValueError:
        content = b""
    if not 0 < len(content) <= 32:
        raise Problem(f"{clip(word)!r} is no topic", "a topic is up to 32 bytes in 0x hex", code=USAGE)
    return content.rjust(32, b"\0")


def events_of(chain: Chainlike, entries: Sequence[Entry]) -> dict[bytes, Event]:
    """The events that are known here, and those of the contracts that logged these."""
    declared = list(known_events())
    for who in sorted({entry.address for entry in entries})[:MOST_CONTRACTS]:
        known = chain.contract(who)
        declared += known[1].events if known is not None else ()
    return {event.hash: event for event in parsed(declared)}


def parsed(declarations: Iterable[str]) -> list[Event]:
    """Events that can be read; a build may declare what this version cannot."""
    found = []
    for text in declarations:
        try:
            found.append(Event.parse(text))
        except ABIError:
            continue
    return found


def decoded(entry: Entry, events: dict[bytes, Event]) -> tuple[Event, tuple[Value, ...], str] | None:
    """The event, its values, and both in words; None when it is not known."""
    event = events.get(entry.topics[0]) if entry.topics else None
    if event is None:
        return None
    try:
        values = event.decode_log(entry.topics, entry.data)
    except ABIError:
        return None
    named = [
        f"{parameter.name}={show(value)}" if parameter.name else show(value)
        for parameter, value in zip(event.inputs, values, strict=True)
    ]
    return event, values, f"{event.name}({', '.join(named)})"


def document(entry: Entry, events: dict[bytes, Event]) -> dict[str, object]:
    """A log for programs."""
    shown = log_document(entry) | {
        "blockNumber": entry.block_number,
        "transactionHash": hexed(entry.transaction_hash),
    }
    known = decoded(entry, events)
    if known is not None:
        event, values, _ = known
        pairs = enumerate(zip(event.inputs, values, strict=True))
        shown["event"] = event.name
        shown["args"] = {parameter.name or str(index): plain(value) for index, (parameter, value) in pairs}
    return shown
