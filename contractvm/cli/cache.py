"""`contractvm cache`: the compiled objects kept on disk, for all chains and projects of this user.

Never: compiles, or touches a chain. Clearing costs nothing but the time to compile again.
"""

from __future__ import annotations

from datetime import datetime

import click

from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.output import number, show_json, show_pairs, show_table
from contractvm.cli.problem import Problem, say
from contractvm.native.cache import Entry, ObjectCache

LIST, CLEAR, PATH = "list", "clear", "path"
SHORT = 16
"""Hex digits of a key that tell entries apart for a reader; JSON and -q have all 64."""


@click.command(cls=Command)
@click.argument("action", type=click.Choice([LIST, CLEAR, PATH]), default=LIST, metavar="[list|clear|path]")
@pass_settings
def cache(settings: Settings, action: str) -> None:
    """List or clear the cache of compiled objects.

    The native tier keeps what it compiled in one folder a user: CONTRACTVM_CACHE, or contractvm in the system's
    place for caches. It keeps itself below its limit by dropping what was not used longest. An entry may also be a
    refusal: code that could not be compiled and is not tried again.

    \b
    Examples:
      contractvm cache
      contractvm cache clear
      du -sh "$(contractvm cache path)"
    """
    kept = ObjectCache()
    if action == PATH:
        show_path(kept, settings)
    elif action == CLEAR:
        clear(kept, settings)
    else:
        show(kept, settings)


def show_path(kept: ObjectCache, settings: Settings) -> None:
    """The folder, whether or not it exists. Raises: Problem, when there is no place for one."""
    if kept.folder is None:
        raise Problem(kept.problem or "there is no place for a cache")
    if settings.json:
        show_json({"folder": str(kept.folder)})
    else:
        click.echo(kept.folder)


def clear(kept: ObjectCache, settings: Settings) -> None:
    """Remove every entry. Raises: Problem, when some stay because the folder cannot be used."""
    before = {entry: entry.size for entry in kept.entries()}
    files = kept.clear()
    freed = sum(before.values()) - sum(before.get(entry, 0) for entry in kept.entries())
    exists = kept.folder is not None and kept.folder.exists()
    if exists and kept.problem is not None:
        raise Problem(f"the cache is not cleared: {kept.problem}")
    if settings.json:
        show_json({"files": files, "bytes": freed})
    elif settings.quiet:
        click.echo(files)
    else:
        click.echo(f"{number(files)} {'file' if files == 1 else 'files'} removed, {number(freed)} bytes")


def show(kept: ObjectCache, settings: Settings) -> None:
    """What is kept, the most recently used first."""
    entries, problem = kept.entries(), kept.problem
    size = sum(entry.size for entry in entries)
    if settings.json:
        folder = None if kept.folder is None else str(kept.folder)
        listed = [as_document(entry) for entry in entries]
        show_json({"folder": folder, "bytes": size, "limit": kept.limit, "problem": problem, "entries": listed})
        return
    if settings.quiet:
        for entry in entries:
            click.echo(entry.key.hex())
        return
    if problem is not None:
        say(problem, label="warning")
    if entries:
        show_table(("last used", "bytes", "key", ""), [row(entry) for entry in entries], right=(1,))
        click.echo()
    objects = sum(entry.refusal is None for entry in entries)
    kinds = f"{number(objects)} objects, {number(len(entries) - objects)} refusals"
    show_pairs([("folder", kept.folder or "none"), ("size", f"{number(size)} bytes of {number(kept.limit)}, {kinds}")])


def row(entry: Entry) -> tuple[str, str, str, str]:
    """Last use in local time, bytes, the key's beginning, why it is a refusal."""
    when = datetime.fromtimestamp(entry.last_use).strftime("%Y-%m-%d %H:%M:%S")
    why = "" if entry.refusal is None else "refused: " + " ".join(entry.refusal.split())
    return when, number(entry.size), entry.key.hex()[:SHORT], why


def as_document(entry: Entry) -> dict[str, object]:
    return {
        "key": "0x" + entry.key.hex(),
        "bytes": entry.size,
        "lastUse": entry.last_use,
        "refused": entry.refusal,
    }
