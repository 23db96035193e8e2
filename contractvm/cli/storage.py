"""`contractvm storage`: a contract's keys and values, in order, and the proofs that anybody can check.

Never: trusts its own proof; what it prints was verified against the block's root first.
"""

from __future__ import annotations

import click

from contractvm.cli.facts import Slot
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.opened import block_id, to_read
from contractvm.cli.output import hexed, number, readable, show_json, show_pairs, show_table
from contractvm.cli.problem import Problem, say
from contractvm.cli.signer import account_of
from contractvm.cli.traces import field_of, shown
from contractvm.cli.url import node_options
from contractvm.cli.values import checksum, ether, hex_bytes
from contractvm.crypto import keccak256
from contractvm.types import Address, Hash
from state.account import encode_account
from state.codec import decode
from state.merkle import EMPTY_ROOT, verify_proof
from state.proofs import AccountProof

LISTED = 1_000
"""Storage keys shown without --all."""


@click.command(cls=Command)
@click.argument("contract", metavar="ADDRESS")
@click.argument("key", required=False, metavar="[KEY]")
@click.option("-b", "--block", "which", default="latest", metavar="BLOCK", help="State to read: a height, hash or tag.")
@click.option("--all", "everything", is_flag=True, help=f"List every key, not only the first {LISTED:,}.")
@click.option("--proof", is_flag=True, help="Show Merkle proofs of the account and of KEY, checked against the root.")
@node_options
@pass_settings
def storage(settings: Settings, contract: str, key: str | None, which: str, everything: bool, proof: bool) -> None:
    """Show a contract's storage, with proofs if asked.

    KEY is bytes in 0x hex, a number (a 32-byte slot), or text. Without it all keys are listed, in order.
    """
    if proof and which != "latest":
        raise Problem("proofs are of the latest state", "leave --block out")
    wanted, at = None if key is None else key_of(key), block_id(which)
    with to_read(settings) as chain:
        target = account_of(contract, chain)
        if not chain.exists(target, at):
            raise Problem(f"{checksum(target)} does not exist at block {which}", "check the address")
        if proof:
            root, found = chain.proof(target, [] if wanted is None else [wanted])
            check(root, target, [] if wanted is None else [wanted], found)
            show_proof(settings, root, found)
        elif wanted is not None:
            value = chain.storage(target, wanted, at)
            if settings.json:
                show_json({"key": hexed(wanted), "value": hexed(value)})
            else:
                click.echo(hexed(value))
        else:
            show_entries(settings, chain.entries(target, at, None if everything else LISTED), everything)


def key_of(text: str) -> bytes:
    """A storage key as people write it. Raises: Problem."""
    if text.startswith(("0x", "0X")):
        try:
            return hex_bytes(text)
        except click.BadParameter as error:
            raise Problem(f"storage key: {error.message}") from None
    if text.isascii() and text.isdecimal() and len(text) < 78:
        return int(text).to_bytes(33, "big")[-32:]
    return text.encode()


def show_entries(settings: Settings, found: list[Slot], everything: bool) -> None:
    """Keys and values, by field where the layout is known; with -v the bytes beside."""
    if settings.json:
        fields = {hexed(slot.key): dict(slot.words) for slot in found if slot.words}
        storage = {hexed(slot.key): hexed(slot.value) for slot in found}
        show_json({"storage": storage} | ({"fields": fields} if fields else {}))
        return
    if not any(slot.words for slot in found):
        show_table(("key", "value"), [(readable(slot.key), readable(slot.value)) for slot in found])
    elif settings.verbose:
        rows = [(*told(slot), hexed(slot.key), hexed(slot.value)) for slot in found]
        show_table(("field", "holds", "key", "value"), rows)
    else:
        show_table(("field", "holds"), list(map(told, found)))
    if not everything and len(found) == LISTED:
        say(f"there may be more than {LISTED:,} keys; --all shows them", label="note")


def told(slot: Slot) -> tuple[str, str]:
    """A field and what it holds; of what belongs to none, the bytes."""
    if not slot.words:
        return readable(slot.key), readable(slot.value)
    return field_of(slot.words), shown(slot.words.get("decoded"))


def check(root: Hash, target: Address, keys: list[bytes], found: AccountProof) -> None:
    """Verify a proof as a stranger would, from the root alone. Raises: Problem when it does not hold."""
    if found.address != target or [slot.key for slot in found.storage] != keys:
        raise unproven("it is of another account or other keys")
    try:
        leaf = verify_proof(root, keccak256(target), found.proof, keccak256)
        account = found.account
        if leaf != (None if account is None else encode_account(account)):
            raise unproven("it does not show the account")
        for slot in found.storage:
            storage_root = EMPTY_ROOT if account is None else account.storage_root
            shown = verify_proof(storage_root, keccak256(slot.key), slot.proof, keccak256)
            if (b"" if shown is None else decode(shown)) != slot.value:
                raise unproven(f"it does not show the value at storage key 0x{slot.key.hex()}")
    except ValueError as error:
        raise unproven(str(error)) from None


def unproven(why: str) -> Problem:
    return Problem(f"the proof does not hold: {why}", "do not believe who gave it; a directory of our own is damaged")


def show_proof(settings: Settings, root: Hash, found: AccountProof) -> None:
    """A verified proof, in EIP-1186's shape for programs."""
    account = found.account
    if settings.json:
        show_json(
            {
                "stateRoot": hexed(root),
                "address": checksum(found.address),
                "accountProof": [hexed(node) for node in found.proof],
                "nonce": account and account.nonce,
                "balance": account and str(account.balance),
                "storageHash": account and hexed(account.storage_root),
                "codeHash": account and hexed(account.code_hash),
                "storageProof": [
                    {"key": hexed(s.key), "value": hexed(s.value), "proof": [hexed(node) for node in s.proof]}
                    for s in found.storage
                ],
            }
        )
        return
    pairs: list[tuple[str, object]] = [("state root", hexed(root)), ("account", checksum(found.address))]
    if account is not None:
        pairs += [("balance", f"{ether(account.balance)} ether"), ("storage root", hexed(account.storage_root))]
    pairs.append(("proof", sizes(found.proof)))
    for slot in found.storage:
        pairs += [("key", readable(slot.key)), ("value", readable(slot.value) if slot.value else "(absent)")]
        pairs.append(("proof", sizes(slot.proof)))
    show_pairs([*pairs, ("checked", "every node, from the state root down")])


def sizes(proof: list[bytes]) -> str:
    return f"{len(proof)} nodes, {number(sum(map(len, proof)))} bytes"
