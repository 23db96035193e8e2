"""`cvm_*`: what Ethereum has no word for: call trees with names, profiles, storage by field, builds, differences.

Never: decodes with anything but what a build left here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Mapping
from typing import Any, Final

from contractvm.chain import BlockId
from contractvm.errors import ModuleError
from contractvm.frames import choose
from contractvm.node import replay, statediff, telling
from contractvm.node.artifacts import Known, read_artifact
from contractvm.node.fault import SERVER, Fault, bad_params
from contractvm.node.messages import message_of
from contractvm.node.methods.calls import BLOCK_OVERRIDES, CALL, STATE
from contractvm.node.methods.debug import looked_into
from contractvm.node.node import Node
from contractvm.node.overrides import overrides_of
from contractvm.node.profiles import profile
from contractvm.node.replay import Subject
from contractvm.node.rows import Param, Rows
from contractvm.node.values import ADDRESS, ANY, BLOCK, HASH, OBJECT, block, data, quantity, shown, storage_key
from contractvm.node.words import entry_words
from contractvm.rules import contract_rules
from contractvm.types import Address, Hash
from contractvm.wasm.decode import decode
from contractvm.wasm.machine import MAGIC
from state.world import EMPTY_CODE_HASH, World

rows = Rows()

TRANSACTION: Final = Param("transaction", HASH)
AT: Final = Param("block", BLOCK, "latest")
LISTED: Final = 1_000
"""Entries of storage in an answer where nobody says how many."""
MOST_LISTED: Final = 10_000
MOST_KEYS: Final = 1_000


@rows.method("cvm_trace", TRANSACTION, result="call tree")
def trace(node: Node, digest: Hash) -> Awaitable[Any]:
    """A mined transaction's call tree: names, arguments, events, storage, gas, lines of the source."""
    return looked_into(node, lambda: telling.trace(replay.mined(node.chain, digest), node.artifacts))


@rows.method("cvm_traceCall", CALL, AT, STATE, BLOCK_OVERRIDES, result="call tree")
def trace_call(
    node: Node, transaction: Mapping[str, Any], at: BlockId, state: object, overridden: object
) -> Awaitable[Any]:
    """The call tree of a message on the state at a block."""
    subject = _message(node, transaction, at, state, overridden)
    return looked_into(node, lambda: telling.trace(subject(), node.artifacts))


@rows.method("cvm_profile", TRANSACTION, result="profile")
def profile_transaction(node: Node, digest: Hash) -> Awaitable[Any]:
    """A mined transaction's gas by function, by line of the source, and as stacks for flame graphs."""
    return looked_into(node, lambda: profile(replay.mined(node.chain, digest), node.artifacts))


@rows.method("cvm_profileCall", CALL, AT, STATE, BLOCK_OVERRIDES, result="profile")
def profile_call(
    node: Node, transaction: Mapping[str, Any], at: BlockId, state: object, overridden: object
) -> Awaitable[Any]:
    """A message's gas by function, by line of the source, and as stacks for flame graphs."""
    subject = _message(node, transaction, at, state, overridden)
    return looked_into(node, lambda: profile(subject(), node.artifacts))


def _message(node: Node, transaction: Mapping[str, Any], at: BlockId, state: object, overridden: object) -> Any:
    """What gives the subject of a call, on another thread. Raises: Fault."""
    message = message_of(transaction, node.config.limits.call_gas)
    overrides = overrides_of(state, overridden, node.chain.executor.check_code)

    def subject() -> Subject:
        return replay.message(node.chain, node.caller, message, at, overrides)

    return subject


@rows.method("cvm_stateDiff", Param("from", ANY), Param("to", BLOCK, None), result="accounts that changed")
def state_diff(node: Node, first: object, last: BlockId | None) -> Awaitable[Any]:
    """What a transaction (by hash) changed, or what changed from one block to another: accounts and storage."""
    chain = node.chain
    if last is None:
        if not isinstance(first, str) or len(first) != 66:
            raise bad_params(f"{shown(first)} is no transaction's hash; to compare blocks, give two")
        digest = Hash(data(first))
        return looked_into(node, lambda: _diff(node, statediff.of_transaction(replay.mined(chain, digest)), True))
    low, high = chain.height(block(first)), chain.height(last)
    if low > high:
        raise bad_params(f"block {low} comes after block {high}; give the earlier one first")
    return looked_into(node, lambda: _diff(node, *statediff.between(chain, low, high)))


def _diff(node: Node, changes: statediff.Changes, whole: bool) -> dict[str, Any]:
    accounts, all_told = statediff.documents(changes, node.artifacts)
    document: dict[str, Any] = {"accounts": accounts}
    if not (whole and all_told):
        document["truncated"] = True
    return document


@rows.method("cvm_storage", Param("address", ADDRESS), Param("options", OBJECT, None), AT, result="entries of storage")
def storage(node: Node, address: Address, options: Mapping[str, Any] | None, at: BlockId) -> Awaitable[Any]:
    """A contract's storage, in order of keys, decoded with its layout: a range, a prefix, a field, or some keys."""
    wanted = _Wanted(options or {})

    def read() -> dict[str, Any]:
        world = node.chain.world(at)
        code_hash = world.code_hash(address)
        known = node.artifacts.get(code_hash)
        start, end = wanted.range(known)
        if wanted.keys is not None:
            found = [(key, world.storage(address, key)) for key in wanted.keys]
        else:
            found = list(_entries(world, address, start, end, wanted.limit))
        following = found.pop()[0] if wanted.keys is None and len(found) > wanted.limit else None
        return {
            "address": "0x" + address.hex(),
            "contract": known and known.name,
            "codeHash": "0x" + code_hash.hex(),
            "entries": [
                {"key": "0x" + key.hex(), "value": "0x" + value.hex(), **entry_words(known, key, value)}
                for key, value in found
            ],
            "next": None if following is None else "0x" + following.hex(),
        }

    return node.pace.elsewhere(read)


def _entries(
    world: World, address: Address, start: bytes | None, end: bytes | None, most: int
) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values from `start` to before `end`; one more than `most`, to know where to go on."""
    key = world.next_key(address, start, inclusive=True, stop=end)
    while key is not None and most >= 0:
        yield key, world.storage(address, key)
        key = world.next_key(address, key, inclusive=False, stop=end)
        most -= 1


class _Wanted:
    """Which entries are asked for."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Raises: Fault."""
        unknown = options.keys() - {"start", "end", "prefix", "field", "limit", "keys"}
        if unknown:
            raise bad_params(f"no option {sorted(unknown)[0]!r}; there are start, end, prefix, field, limit, keys")
        self._start, self._end, self._prefix = (
            None if options.get(name) is None else data(options[name]) for name in ("start", "end", "prefix")
        )
        self._field = options.get("field")
        limit = options.get("limit")
        self.limit = LISTED if limit is None else min(quantity(limit), MOST_LISTED)
        keys = options.get("keys")
        if keys is not None and (not isinstance(keys, list) or len(keys) > MOST_KEYS):
            raise bad_params(f"keys: a list of at most {MOST_KEYS} is expected")
        self.keys = None if keys is None else [storage_key(key) for key in keys]

    def range(self, known: Known | None) -> tuple[bytes | None, bytes | None]:
        """The first key, and the first that is not wanted any more; None: no bound. Raises: Fault."""
        prefix = self._prefix
        if self._field is not None:
            prefix = _field(known, self._field)
        start, end = self._start, self._end
        if prefix:
            start = prefix if start is None else max(start, prefix)
            past = _past(prefix)
            if past is not None:
                end = past if end is None else min(end, past)
        return start, end


def _past(prefix: bytes) -> bytes | None:
    """The first key beyond all that begin with a prefix; None when there is none."""
    cut = prefix.rstrip(b"\xff")
    return cut[:-1] + bytes([cut[-1] + 1]) if cut else None


def _field(known: Known | None, name: object) -> bytes:
    """The prefix of a field's keys. Raises: Fault."""
    if known is None or known.layout is None:
        raise Fault(SERVER, "the layout of this contract is not known here: give its artifact by cvm_addArtifact")
    fields = {field["name"]: field["prefix"] for field in known.layout["fields"]}
    short = {full.rpartition(".")[2]: prefix for full, prefix in fields.items()}
    prefix = fields.get(name, short.get(name)) if isinstance(name, str) else None
    if prefix is None:
        raise bad_params(f"no field {shown(name)}; there are {', '.join(fields) or 'none'}")
    return data(prefix)


@rows.method("cvm_contract", Param("contract", ANY), AT, result="contract, null where there is none")
def contract(node: Node, which: object, at: BlockId) -> Awaitable[Any]:
    """What is known of a contract, by its address or by the hash of its code: kind, ABI, layout, sources."""
    name = data(which)
    if len(name) not in (20, 32):
        raise bad_params(f"{shown(which)} is neither an address nor a hash of code")

    def look() -> dict[str, Any] | None:
        world = node.chain.world(at)
        code = world.code(name) if len(name) == 20 else b""
        code_hash = world.code_hash(name) if len(name) == 20 else name
        known = node.artifacts.get(code_hash)
        if code_hash == EMPTY_CODE_HASH or (not code and known is None):
            return None
        document: dict[str, Any] = {"address": "0x" + name.hex() if len(name) == 20 else None}
        document["codeHash"] = "0x" + code_hash.hex()
        if code:
            document |= _code_document(node, code)
        return document | _known_document(known)

    return node.pace.elsewhere(look)


def _code_document(node: Node, code: bytes) -> dict[str, Any]:
    """What the bytes themselves say."""
    machine = choose(node.chain.executor.machines, code)
    document: dict[str, Any] = {"kind": machine.name if machine is not None else "unknown", "bytes": len(code)}
    if code[:4] == MAGIC:
        try:
            module = decode(code, contract_rules())
        except ModuleError:
            return document
        document["imports"] = [wanted.name for wanted in module.imports]
        document["exports"] = [exported.name for exported in module.exports]
        document["functions"] = len(module.functions)
    return document


def _known_document(known: Known | None) -> dict[str, Any]:
    if known is None:
        return {"known": False}
    return {
        "known": True,
        "name": known.name,
        "abi": known.abi,
        "layout": known.layout,
        "sources": known.shown_sources(),
        "compiler": known.compiler,
        "options": list(known.options),
        "mapped": known.map.lines is not None,
    }


@rows.method("cvm_addArtifact", Param("artifact", OBJECT), result="hash of the code", aliases=("cvm_setContract",))
async def add_artifact(node: Node, artifact: Mapping[str, Any]) -> str:
    """Know a build: codeHash, name, abi, layout, debug, sources, compiler, options; kept beside a durable chain."""
    known, encoded = await node.pace.elsewhere(lambda: read_artifact(artifact))
    node.artifacts.add(known, encoded)
    return "0x" + known.code_hash.hex()


@rows.method("cvm_artifacts", result="list of builds")
def artifacts(node: Node) -> list[dict[str, Any]]:
    """The builds that are known here, by name and hash of code."""
    return [
        {
            "codeHash": "0x" + known.code_hash.hex(),
            "name": known.name,
            "compiler": known.compiler,
            "sources": list(known.short.values()),
        }
        for known in node.artifacts.all()
    ]
