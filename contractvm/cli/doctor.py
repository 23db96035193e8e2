"""`contractvm doctor`: one screen about this installation, what works, what is off and what to do about it.

Never: touches the data directory.
"""

from __future__ import annotations

import click

from contractvm.cli.checks import BROKEN, OFF, OK, Finding, all_checks, find
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.output import show_json
from contractvm.cli.problem import FAILED, say

COLOURS = {OK: "green", OFF: "yellow", BROKEN: "red"}


@click.command(cls=Command)
@pass_settings
def doctor(settings: Settings) -> None:
    """Check this installation: tiers, cache, versions.

    Every part is put to work once: cryptography, databases, each tier, and the compiler of the native tier. `off` is
    what is not installed or not to be had here, and contracts run without it. Ends with 1 when something is broken.
    """
    findings = []
    for name, check in all_checks():
        finding = find(name, check)
        findings.append(finding)
        if not settings.json:
            show(finding, settings)
    broken = [finding.name for finding in findings if finding.state == BROKEN]
    if settings.json:
        show_json({"ok": not broken, "checks": [as_document(finding) for finding in findings]})
    elif broken:
        say(f"broken: {', '.join(broken)}", "what is off may stay so; what is broken says above how to mend it")
    if broken:
        click.get_current_context().exit(FAILED)


def show(finding: Finding, settings: Settings) -> None:
    """A line, and one for the way out; with -q only what does not work."""
    if settings.quiet and finding.state == OK:
        return
    state = click.style(finding.state.ljust(6), fg=COLOURS[finding.state])
    click.echo(f"{state}  {finding.name.ljust(14)}  {finding.text}")
    if finding.way_out and not settings.quiet:
        click.echo(f"{' ' * 24}{finding.way_out}")


def as_document(finding: Finding) -> dict[str, object]:
    return {
        "name": finding.name,
        "state": finding.state,
        "text": finding.text,
        "wayOut": finding.way_out or None,
    }
