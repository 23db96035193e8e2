"""`contractvm verify`: whether the code at an address is what a source gives, and if not, where they part.

Never: trusts a build record; the source is built again, with the compiler that is here.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from contractvm.cli.call import receiver
from contractvm.cli.files import check_source
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.opened import block_id, to_read
from contractvm.cli.output import hexed, number, show_json, show_pairs
from contractvm.cli.problem import FAILED, Problem, say
from contractvm.cli.url import node_options
from contractvm.cli.values import checksum
from contractvm.crypto import keccak256
from sdk.artifact import RECORD, Artifact
from sdk.build import build

NAMES = {"compiler": "compiler", "options": "options", "codeHash": "code hash"}
"""What two build records are compared in."""


@click.command(cls=Command)
@click.argument("address", metavar="ADDRESS")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--contract", metavar="NAME", help="Which of several contracts in a Python file.")
@click.option("-b", "--block", "which", default="latest", metavar="BLOCK", help="State to read: a height, hash or tag.")
@node_options
@pass_settings
def verify(settings: Settings, address: str, file: Path, contract: str | None, which: str) -> None:
    """Check that a contract was built from a source.

    Builds FILE and compares code hashes. Where they differ, the record of an earlier build (X.build.json beside FILE or
    in build/) tells whether another compiler or other options made the code. Ends with 1 if they differ.
    """
    check_source(file)
    at = block_id(which)
    with to_read(settings) as chain:
        target = receiver(address, chain)
        code = chain.code(target, at)
    if not code:
        raise Problem(f"{checksum(target)} has no code at block {which}", "check the address, or deploy first")
    artifact = build(file, contract)
    same = code == artifact.code
    reasons = [] if same else differences(code, artifact)
    if settings.json:
        document = {"address": checksum(target), "verified": same, "onChain": hexed(keccak256(code)), "why": reasons}
        show_json(document | artifact.record())
    else:
        show_pairs(
            [
                ("address", checksum(target)),
                ("on chain", f"{hexed(keccak256(code))}, {number(len(code))} bytes"),
                ("source", f"{hexed(artifact.hash)}, {number(len(artifact.code))} bytes"),
                ("compiler", artifact.compiler or "none: a module as it is"),
                ("options", " ".join(artifact.options) or "none"),
                ("verified", "yes" if same else "no"),
            ]
        )
    if not same:
        say(f"the code at {checksum(target)} is not what {file} gives: {'; '.join(reasons)}")
        click.get_current_context().exit(FAILED)


def differences(code: bytes, artifact: Artifact) -> list[str]:
    """Why the bytes may differ: another compiler, other options, another source."""
    on_chain = hexed(keccak256(code))
    record = earlier(artifact, on_chain)
    if record is not None:
        now = artifact.record()
        found = [
            f"{name}: {_text(record.get(key))} then, {_text(now[key])} now"
            for key, name in NAMES.items()
            if key != "codeHash" and record.get(key) != now[key]
        ]
        return found or ["compiler and options are the same, so the source has changed since it was deployed"]
    if len(code) != len(artifact.code):
        return [f"{number(len(code))} bytes are on chain, the source gives {number(len(artifact.code))}"]
    at = next(i for i, (a, b) in enumerate(zip(code, artifact.code, strict=True)) if a != b)
    return [f"the first byte that differs is at {at}"]


def earlier(artifact: Artifact, on_chain: str | None) -> dict[str, object] | None:
    """The record of the build that made the code on the chain, if it is kept where builds go."""
    here = artifact.path.parent
    for folder in (here, here / "build", Path("build")):
        try:
            record = json.loads((folder / f"{artifact.name}{RECORD}").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(record, dict) and record.get("codeHash") == on_chain:
            return record
    return None


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
