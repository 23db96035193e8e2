"""A test's calls, run once more to be looked into: where a test has failed, and nowhere else.

The chain goes back to the moment before a call, the call runs on the reference tier while a recorder listens, and the
chain comes to where it was. So a test that passes pays nothing for traces.
Never: leaves a trace on the chain, or shows what did not happen: outcome and gas are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from contractvm.errors import ContractVMError, Fatal
from contractvm.execute import Executor
from contractvm.machine import Machine
from contractvm.nesting import RaisedRecursionLimit
from contractvm.tracing import Frame, Recorder
from contractvm.wasm.machine import WasmMachine
from sdk.testing.book import Entry
from sdk.testing.chain import MockChain
from sdk.testing.examples import told
from sdk.testing.ledger import NotThere
from sdk.testing.tree import Teller

TREES = 4
"""Calls whose trees are shown, the last ones; of those before them a line each."""
LINES = 24
"""Calls before them that are shown."""
FOLLOWED = 3_000_000
"""Gas up to which a call is followed instruction by instruction; beyond it frames are shown without their places."""


def replay(chain: MockChain, entry: Entry, recorder: Recorder, machine: Machine) -> Frame | None:
    """Run an entry's call again and return its outermost frame; None when no code ran. Raises: NotThere, Fatal."""
    if entry.before is None:
        raise NotThere("nothing was run")
    here, ledger = chain.moment(), chain.ledger
    try:
        ledger.go(entry.before)
        ledger.next_timestamp = entry.timestamp
        context = replace(ledger.context(), debug=None)
        executor = Executor(chain.rules, [machine])
        mark = ledger.world.checkpoint()
        try:
            with RaisedRecursionLimit():
                if entry.message is not None:
                    executed = executor.simulate(entry.message, ledger.world, context)
                elif entry.node is not None and entry.node.transaction is not None:
                    executed = executor.apply(entry.node.transaction, ledger.world, context, 1 << 62)
                else:
                    raise NotThere("nothing was run")
        finally:
            ledger.world.rollback(mark)
    finally:
        chain.restore(here)
    if executed.gas_used != entry.gas_used:
        raise Fatal(f"a call used {entry.gas_used} gas, run again {executed.gas_used}")
    if not recorder.roots:
        return None
    recorder.roots[0].status = executed.status
    return recorder.roots[0]


def looked_into(chain: MockChain) -> str:
    """The calls of the running test, or of the example in which it failed; "" when there were none."""
    evidence = chain.book.evidence
    try:
        return trees(chain, list(chain.book.entries) if evidence is None else evidence.entries)
    except ContractVMError as problem:
        return f"the calls cannot be shown: {problem}"


def trees(chain: MockChain, entries: Sequence[Entry]) -> str:
    """What a test's calls did, the last of them in full."""
    calls = [entry for entry in entries if entry.kind != "revert"]
    earlier, shown = calls[:-TREES], calls[-TREES:]
    lines = [f"... {len(earlier) - LINES} before these"] if len(earlier) > LINES else []
    lines += [told(chain, entry) + _gas(entry) for entry in earlier[-LINES:]]
    teller = Teller(chain)
    for entry in shown:
        lines += _tree(chain, teller, entry)
    return "\n".join(lines)


def _gas(entry: Entry) -> str:
    return f"  [{entry.gas_used:,} gas]" if entry.gas_used else ""


def _tree(chain: MockChain, teller: Teller, entry: Entry) -> list[str]:
    title = told(chain, entry)
    if not entry.gas_used:
        return [title]
    recorder = Recorder(teller.authored)
    followed = entry.gas_used <= FOLLOWED
    machine = recorder.reference() if followed else recorder.around(WasmMachine("portable", background=False))
    try:
        frame = replay(chain, entry, recorder, machine)
    except NotThere as reason:
        return [f"{title}{_gas(entry)}", f"└─ cannot be looked into: {reason}"]
    if frame is None:
        return [title + _gas(entry)]
    return [title + _gas(entry), *teller.tell(frame)[1:]]
