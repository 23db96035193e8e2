"""ethereum/tests TransactionTests: the verdicts of London, Paris, Shanghai and Cancun, the forks whose rules we keep.

Compared are verdict, hash, sender and intrinsic gas. Earlier forks refuse types or take signatures that London does
not, and a chain with one set of rules cannot agree with both. Our price of init code by the byte replaces EIP-3860's
by the word, so for the comparison the byte price is taken out and the word price put in; EIP-3860's limit of 49,152
bytes we do not have, and the two verdicts that rest on it are skipped by name.
"""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contractvm.errors import Rejected
from contractvm.rules import contract_rules
from contractvm.transaction import Transaction, TxPrices

FORKS = ("London", "Paris", "Shanghai", "Cancun")
WITH_EIP_3860 = ("Shanghai", "Cancun")
PACK = Path(os.environ.get("CONTRACTVM_VECTORS", Path(__file__).parents[3] / "shared" / "vectors")) / "evm-tests.zip"
OTHER_LIMIT = "ttEIP3860/DataTestInitCodeTooBig"


def verdicts() -> list[Any]:
    """One parameter a verdict: name, transaction in hex, fork, expected result."""
    if not PACK.exists():
        return [pytest.param("", "", "", {}, marks=pytest.mark.skip(reason=f"no vectors at {PACK}"))]
    found = []
    with zipfile.ZipFile(PACK) as pack:
        for path in sorted(pack.namelist()):
            if not path.startswith("TransactionTests/") or not path.endswith(".json"):
                continue
            for name, case in json.loads(pack.read(path)).items():
                full = f"{path.split('/')[1]}/{name}"
                for fork in FORKS:
                    if fork in case["result"]:
                        found.append(
                            pytest.param(full, case["txbytes"], fork, case["result"][fork], id=f"{full}-{fork}")
                        )
    return found


@pytest.mark.parametrize(("name", "raw", "fork", "expected"), verdicts())
def test_verdict(name: str, raw: str, fork: str, expected: dict[str, str]) -> None:
    if name == OTHER_LIMIT and fork in WITH_EIP_3860:
        pytest.skip("EIP-3860's size limit is replaced by the rules' limit of code bytes")
    prices = replace(TxPrices.of(contract_rules()), init_byte=0)
    refused: str | None = None
    try:
        tx = Transaction.decode(bytes.fromhex(raw[2:]), chain_id=1)
        sender = tx.sender
        intrinsic = tx.intrinsic_gas(prices)
        if fork in WITH_EIP_3860 and tx.to is None:
            intrinsic += 2 * ((len(tx.data) + 31) // 32)
        if tx.gas_limit < intrinsic:
            refused = "intrinsic gas too low"
    except Rejected as error:
        refused = str(error)
    if "exception" in expected:
        assert refused is not None, f"accepted, but {expected['exception']}"
        return
    assert refused is None
    assert "0x" + tx.hash.hex() == expected["hash"]
    assert "0x" + sender.hex() == expected["sender"]
    assert intrinsic == int(expected["intrinsicGas"], 16)
    assert tx.encode().hex() == raw[2:]
    assert replace(tx).encode().hex() == raw[2:]


def test_all_verdicts_are_here() -> None:
    if not PACK.exists():
        pytest.skip(f"no vectors at {PACK}")
    assert len(verdicts()) == 775
