"""What waits: pending and queued, counted, whole and in lines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contractvm.node.config import Config
from tests.contractvm.node.local import Local, RpcError, local
from tests.contractvm.node.token import ALICE, BOB, CAROL, hexed, signed

WHO = hexed(ALICE.address)


@pytest.fixture
def full() -> Iterator[Local]:
    """A node that makes no blocks, with two transactions that could be in one and one behind a gap."""
    with local(Config(mining=False)) as node:
        for nonce in (0, 1, 5):
            node.rpc("eth_sendRawTransaction", signed(nonce, BOB.address, value=nonce + 1, gas_limit=21_000))
        yield node


def test_counts(full: Local) -> None:
    assert full.rpc("txpool_status") == {"pending": "0x2", "queued": "0x1"}


def test_content(full: Local) -> None:
    content = full.rpc("txpool_content")
    assert {kind: {who: list(mine) for who, mine in content[kind].items()} for kind in content} == {
        "pending": {WHO: ["0", "1"]},
        "queued": {WHO: ["5"]},
    }
    first = content["pending"][WHO]["0"]
    assert first == full.rpc("eth_getTransactionByHash", first["hash"])


def test_content_of_one_sender(full: Local) -> None:
    content = full.rpc("txpool_contentFrom", WHO)
    assert (list(content["pending"]), list(content["queued"])) == (["0", "1"], ["5"])
    assert full.rpc("txpool_contentFrom", hexed(CAROL.address)) == {"pending": {}, "queued": {}}


def test_lines(full: Local) -> None:
    lines = full.rpc("txpool_inspect")
    assert lines["queued"] == {WHO: {"5": f"{hexed(BOB.address)}: 6 wei + 21000 gas × 3000000000 wei"}}
    full.rpc("eth_sendRawTransaction", signed(2, None, b"\0", gas_limit=60_000))
    assert full.rpc("txpool_inspect")["pending"][WHO]["2"].startswith("contract creation: 0 wei")


def test_a_bad_address(full: Local) -> None:
    with pytest.raises(RpcError, match="no address"):
        full.rpc("txpool_contentFrom", "0x12")


def test_a_full_pool_is_written_elsewhere_and_a_pending_block_holds_what_fits(full: Local) -> None:
    for nonce in range(6, 540):
        full.rpc("eth_sendRawTransaction", signed(nonce, BOB.address, gas_limit=21_000))
    for nonce in (2, 3, 4):
        full.rpc("eth_sendRawTransaction", signed(nonce, BOB.address, gas_limit=14_000_000))
    assert full.rpc("txpool_status") == {"pending": hex(540), "queued": "0x0"}
    assert len(full.rpc("txpool_content")["pending"][WHO]) == 540
    assert len(full.rpc("txpool_contentFrom", WHO)["pending"]) == 540
    assert len(full.rpc("txpool_inspect")["pending"][WHO]) == 540
    # Two of the large ones fit; what follows the third one has to wait with it.
    assert full.rpc("eth_getBlockTransactionCountByNumber", "pending") == "0x4"
