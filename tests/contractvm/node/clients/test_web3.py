"""web3.py: deploys and drives the token with its ordinary API."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from contractvm.devaccounts import dev_accounts
from tests.contractvm.node.clients.conftest import Built
from tests.contractvm.node.process import NodeProcess

_limit = sys.getrecursionlimit()
web3 = pytest.importorskip("web3", reason="web3.py is not installed")
# One of its packages raises the limit for the whole process, above what a thread's stack holds.
sys.setrecursionlimit(_limit)

SUPPLY = 10**24


def connect(node: NodeProcess) -> Any:
    client = web3.Web3(web3.HTTPProvider(node.url))
    assert client.is_connected()
    return client


def deploy(client: Any, token: Built) -> Any:
    """The token, deployed by an account of the node's."""
    client.eth.default_account = client.eth.accounts[0]
    digest = client.eth.contract(abi=token.abi, bytecode=token.bytecode).constructor(SUPPLY).transact()
    receipt = client.eth.wait_for_transaction_receipt(digest, timeout=20)
    assert receipt.status == 1
    return client.eth.contract(address=receipt.contractAddress, abi=token.abi)


def test_the_chain(node: NodeProcess) -> None:
    client = connect(node)
    assert client.client_version.startswith("contractvm/")
    assert (client.eth.chain_id, client.eth.block_number, client.net.version) == (31_337, 0, "31337")
    assert len(client.eth.accounts) == 10
    assert client.from_wei(client.eth.get_balance(client.eth.accounts[0]), "ether") == 10_000
    assert client.eth.get_block("latest").number == 0
    assert client.eth.get_block("latest", full_transactions=True).transactions == []
    assert client.eth.gas_price > 0 and client.eth.max_priority_fee >= 0
    assert client.eth.fee_history(1, "latest", [50]).oldestBlock == 0
    with pytest.raises(web3.exceptions.TransactionNotFound):
        client.eth.get_transaction_receipt("0x" + "11" * 32)
    with pytest.raises(web3.exceptions.BlockNotFound):
        client.eth.get_block(99)


def test_the_token(node: NodeProcess, token: Built) -> None:
    client = connect(node)
    contract = deploy(client, token)
    owner, other = client.eth.accounts[:2]
    assert contract.functions.name().call() and contract.functions.decimals().call() == 18
    assert contract.functions.balanceOf(owner).call() == SUPPLY == contract.functions.totalSupply().call()
    transfer = contract.functions.transfer(other, 5)
    assert transfer.call() is True
    estimated = transfer.estimate_gas()
    receipt = client.eth.wait_for_transaction_receipt(transfer.transact({"gas": estimated}))
    assert receipt.status == 1 and receipt.gasUsed <= estimated
    (event,) = contract.events.Transfer().process_receipt(receipt)
    assert dict(event.args) == {"from": owner, "to": other, "value": 5}
    assert contract.functions.balanceOf(other).call() == 5
    assert contract.functions.balanceOf(other).call(block_identifier=receipt.blockNumber - 1) == 0
    logs = contract.events.Transfer().get_logs(from_block=receipt.blockNumber, argument_filters={"to": other})
    assert [log.args.value for log in logs] == [5]


def test_a_revert(node: NodeProcess, token: Built) -> None:
    client = connect(node)
    contract = deploy(client, token)
    poor = client.eth.accounts[3]
    greedy = contract.functions.transfer(client.eth.accounts[0], 1)
    with pytest.raises(web3.exceptions.ContractCustomError) as caught:
        greedy.call({"from": poor})
    assert caught.value.data[:10] in {"0x" + error_selector(entry) for entry in token.abi if entry["type"] == "error"}
    with pytest.raises(web3.exceptions.ContractLogicError):
        greedy.transact({"from": poor})
    receipt = client.eth.wait_for_transaction_receipt(greedy.transact({"from": poor, "gas": 100_000}))
    assert receipt.status == 0


def error_selector(entry: dict[str, Any]) -> str:
    """Four bytes in hex."""
    types = ",".join(parameter["type"] for parameter in entry["inputs"])
    return str(web3.Web3.keccak(text=f"{entry['name']}({types})").hex().removeprefix("0x")[:8])


@pytest.mark.parametrize("kind", ["legacy", "access list", "dynamic fee"])
def test_signed_here(node: NodeProcess, kind: str) -> None:
    client = connect(node)
    account = client.eth.account.from_key(dev_accounts()[2].secret)
    fields: dict[str, Any] = {
        "to": client.eth.accounts[4],
        "value": 7,
        "gas": 30_000,
        "nonce": client.eth.get_transaction_count(account.address),
        "chainId": 31_337,
    }
    if kind == "dynamic fee":
        fields |= {"maxFeePerGas": 3 * 10**9, "maxPriorityFeePerGas": 10**9, "type": 2}
    else:
        fields |= {"gasPrice": 2 * 10**9}
    if kind == "access list":
        fields |= {"type": 1, "accessList": [{"address": client.eth.accounts[4], "storageKeys": ["0x" + "00" * 32]}]}
    digest = client.eth.send_raw_transaction(account.sign_transaction(fields).raw_transaction)
    receipt = client.eth.wait_for_transaction_receipt(digest)
    sent = client.eth.get_transaction(digest)
    assert receipt.status == 1 and sent["from"] == account.address and sent.value == 7
    assert sent.type == receipt.type == {"legacy": 0, "access list": 1, "dynamic fee": 2}[kind]
    with pytest.raises(web3.exceptions.Web3RPCError, match=r"nonce too low|already known"):
        client.eth.send_raw_transaction(account.sign_transaction({**fields, "value": 8}).raw_transaction)


def test_filters(node: NodeProcess, token: Built) -> None:
    client = connect(node)
    contract = deploy(client, token)
    blocks, pending = client.eth.filter("latest"), client.eth.filter("pending")
    transfers = contract.events.Transfer().create_filter(from_block="latest")
    digest = contract.functions.transfer(client.eth.accounts[1], 3).transact()
    assert pending.get_new_entries() == [digest]
    assert len(blocks.get_new_entries()) == 1
    assert [entry.args.value for entry in transfers.get_new_entries()] == [3]
    assert transfers.get_new_entries() == []
    assert client.eth.uninstall_filter(transfers.filter_id)


def test_a_batch(node: NodeProcess) -> None:
    client = connect(node)
    owner = client.eth.accounts[0]
    with client.batch_requests() as batch:
        batch.add(client.eth.get_block(0))
        batch.add(client.eth.get_balance(owner))
        block, balance = batch.execute()
    assert block.number == 0 and balance == 10_000 * 10**18


def test_a_proof(node: NodeProcess, token: Built) -> None:
    client = connect(node)
    contract = deploy(client, token)
    proof = client.eth.get_proof(contract.address, [0], "latest")
    assert proof.address == contract.address and proof.accountProof and proof.nonce == 1


def test_a_websocket(node: NodeProcess, token: Built) -> None:
    sender = connect(node)
    contract = deploy(sender, token)

    async def watch() -> tuple[int, str]:
        url = node.url.replace("http", "ws", 1)
        async with web3.AsyncWeb3(web3.WebSocketProvider(url)) as client:
            heads = await client.eth.subscribe("newHeads")
            logs = await client.eth.subscribe("logs", {"address": contract.address})
            digest = contract.functions.transfer(sender.eth.accounts[1], 3).transact()
            height, seen = 0, ""
            async for message in client.socket.process_subscriptions():
                if message["subscription"] == heads:
                    height = message["result"]["number"]
                elif message["subscription"] == logs:
                    seen = message["result"]["transactionHash"].hex()
                if height and seen:
                    break
            assert seen.removeprefix("0x") == digest.hex().removeprefix("0x")
            return height, seen

    height, _ = asyncio.run(asyncio.wait_for(watch(), 30))
    assert height == 2
