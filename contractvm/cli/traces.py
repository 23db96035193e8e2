"""`contractvm trace`: the call tree of a mined transaction, and what a failed one says of its place in the source.

The words are the chain's: `cvm_trace` decodes with the builds that deployments left there. Source: that method's shape.
Never: runs anything here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click

from contractvm.cli.chainlike import Chainlike
from contractvm.cli.client import nested_deeply
from contractvm.cli.facts import BlockId, Mined, Unsigned
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.opened import to_read
from contractvm.cli.output import number, show_json
from contractvm.cli.problem import FAILED, Problem, say
from contractvm.cli.url import node_options
from contractvm.cli.values import clip, hash_of

SHOWN: Final = 66
"""Characters of bytes that nobody can read."""
COLOURS: Final = {"call": "cyan", "storage": "yellow", "log": "green"}
Document = Mapping[str, Any]


@click.command(cls=Command)
@click.argument("transaction", metavar="HASH")
@node_options
@pass_settings
def trace(settings: Settings, transaction: str) -> None:
    """Show a transaction's calls, storage and events.

    The transaction is run again on the state it ran on. Names, values and lines of the source are told of contracts
    that were deployed by this command line, or whose builds the node was given. -v tells the line of each step.
    """
    digest = hash_of(transaction)
    with to_read(settings) as chain:
        found = chain.trace(digest)
    if settings.json:
        with nested_deeply():
            show_json(found)
    else:
        try:
            for line in lines(found["call"], bool(settings.verbose)):
                click.echo(line)
        except (KeyError, TypeError, AttributeError):
            raise Problem("the trace is of a shape that is not known here", "is the node of another version?") from None
        used, limit = found.get("gasUsed"), found.get("gasLimit")
        if isinstance(used, int) and isinstance(limit, int) and not settings.quiet:
            click.echo(f"\n{number(used)} gas of {number(limit)}")
    if found.get("truncated"):
        say("the trace is cut: there was more than it has room for", label="warning")
    if found.get("status") != "ok":
        failure = found.get("failure") or {}
        say(f"the transaction failed: {failure.get('text') or found.get('status')}")
        for text in place_texts(found):
            click.echo(f"  {text}", err=True)
        click.get_current_context().exit(FAILED)


def lines(frame: Document, places: bool, depth: int = 0) -> Iterator[str]:
    """A frame and what happened in it, a line each. The tree is walked without recursion: calls nest deeply."""
    waiting: list[tuple[Document, int]] = [(frame, depth)]
    while waiting:
        event, level = waiting.pop()
        indent = "  " * level
        words, rest = described(event)
        kind = click.style(words, fg=COLOURS.get(event["kind"]))
        place = event.get("place") or {}
        where = click.style(f"  {place['text']}", dim=True) if places and place.get("text") else ""
        yield f"{indent}{kind}{rest}{where}"
        failure = event.get("failure")
        if failure:
            at = failure.get("place") or {}
            text = f"failed: {failure['text']}" + (f" ({at['text']})" if at.get("text") else "")
            yield f"{indent}  {click.style(text, fg='red')}"
        waiting += [(inner, level + 1) for inner in reversed(event.get("events") or ())]


def described(event: Document) -> tuple[str, str]:
    """What an event is, and what came of it."""
    match event["kind"]:
        case "call":
            name = event.get("contract") or event["to"]
            creates = event["type"].startswith("CREATE")
            function = "new" if creates else event.get("function") or clip(event.get("selector") or event["input"], 12)
            paid = f" with {event['value']} wei" if event["value"] not in ("0", 0) else ""
            how = "" if event["type"] in ("CALL", "CREATE") else f" {event['type'].lower()}"
            answer = event.get("returns")
            returned = f" -> {values(answer)}" if answer else ""
            return f"{name}.{function}({values(event.get('arguments'))})", (
                f"{paid}{how}{returned}  [{number(event['gasUsed'])} gas]"
            )
        case "log":
            if event.get("event"):
                return f"event {event['event']}({values(event.get('arguments'))})", ""
            return f"event with topics {', '.join(event['topics']) or 'none'}", f" data {clip(event['data'], SHOWN)}"
        case "storage":
            if event.get("field"):
                return field_of(event), f" {shown(event['from'])} -> {shown(event['to'])}"
            before, after = (clip(event[name], SHOWN) for name in ("before", "after"))
            return f"storage {clip(event['key'], SHOWN)}", f" {before} -> {after}"
    return str(event["kind"]), ""


def field_of(words: Document) -> str:
    """A field of storage with the way to the entry in it: `Token.balance_of[0x70..]`."""
    path = "".join(f"[{step}]" for step in words.get("path") or ())
    return f"{'length of ' if words.get('isLength') else ''}{words['field']}{path}"


def values(arguments: Sequence[Document] | None) -> str:
    """Named values, as people write them."""
    return ", ".join(
        f"{each['name']}={shown(each['value'])}" if each.get("name") else shown(each["value"])
        for each in arguments or ()
    )


def shown(value: object) -> str:
    """A decoded value."""
    match value:
        case None:
            return "(absent)"
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(map(shown, value))}]"
        case dict():
            return f"({', '.join(f'{name}={shown(item)}' for name, item in value.items())})"
    return clip(str(value), SHOWN)


def failure_of(chain: Chainlike, mined: Mined) -> list[str]:
    """Where a failed transaction went wrong, the innermost place first; empty where the chain cannot tell."""
    try:
        return place_texts(chain.trace(mined.transaction_hash))
    except Problem:
        return []  # A node of another make, or history that is gone: the reason itself has been told.


def failure_of_call(chain: Chainlike, message: Unsigned, at: BlockId) -> list[str]:
    """Where a failed message went wrong, as `failure_of`."""
    try:
        return place_texts(chain.trace_call(message, at))
    except Problem:
        return []


def place_texts(found: Document) -> list[str]:
    """The backtrace of a trace, the innermost place first."""
    try:
        return [f"at {place['text']}" for place in reversed(found.get("backtrace") or ())]
    except (KeyError, TypeError):
        return []
