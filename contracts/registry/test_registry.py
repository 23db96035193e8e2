"""The registry: names with owners, listed in order, page by page."""

from pathlib import Path

import pytest

from contractvm.types import Address
from sdk.testing import Contract, MockChain, reverts

NAMES = ["alice", "al", "bob", "zoë", "carol"]


@pytest.fixture(scope="module")
def registry(chain: MockChain) -> Contract:
    return chain.deploy(Path(__file__).with_name("registry.c"))


@pytest.fixture(scope="module")
def full(chain: MockChain) -> Contract:
    registry = chain.deploy(Path(__file__).with_name("registry.c"))
    for name in NAMES:
        registry.send("register", name, f"text of {name}")
    return registry


def test_a_name_is_found(registry: Contract, accounts: tuple[Address, ...]) -> None:
    receipt = registry.send("register", "dora", "explorer", sender=accounts[3])
    assert receipt.events("Registered") == [(accounts[3], "dora")]
    assert registry.call("lookup", "dora") == (accounts[3], "explorer")


def test_only_the_owner_changes_or_removes(full: Contract, accounts: tuple[Address, ...]) -> None:
    full.send("register", "bob", "new text")
    assert full.call("lookup", "bob") == (accounts[0], "new text")
    for call in (("register", "bob", "stolen"), ("remove", "bob")):
        with reverts("NotOwner"):
            full.send(*call, sender=accounts[1])


def test_a_removed_name_is_free(full: Contract, accounts: tuple[Address, ...]) -> None:
    assert full.send("remove", "bob").events("Removed") == [(accounts[0], "bob")]
    with reverts("UnknownName"):
        full.call("lookup", "bob")
    full.send("register", "bob", "mine now", sender=accounts[1])
    assert full.call("lookup", "bob") == (accounts[1], "mine now")


def test_lists_in_byte_order(full: Contract) -> None:
    assert full.call("list", "", 100) == sorted(NAMES, key=str.encode)


def test_lists_pages(full: Contract) -> None:
    assert full.call("list", "", 2) == ["al", "alice"]
    assert full.call("list", "b", 2) == ["bob", "carol"]
    assert full.call("list", "zz", 2) == []
    assert full.call("list", "", 0) == []


def test_a_page_is_bounded(chain: MockChain, registry: Contract) -> None:
    for i in range(70):
        registry.send("register", f"name{i:02}", "")
    assert registry.call("list", "", 2**64 - 1) == [f"name{i:02}" for i in range(64)]


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 511, 512])
def test_texts_of_every_size(registry: Contract, accounts: tuple[Address, ...], size: int) -> None:
    registry.send("register", "x", "y" * size)
    assert registry.call("lookup", "x") == (accounts[0], "y" * size)


def test_refuses_what_is_too_long_or_empty(registry: Contract) -> None:
    registry.send("register", "n" * 64, "")
    for name, text, reason in (
        ("n" * 65, "", "name longer than 64 bytes"),
        ("n", "t" * 513, "text longer than 512 bytes"),
        ("", "t", "empty name"),
    ):
        with reverts(reason):
            registry.send("register", name, text)


def test_refuses_offsets_outside_the_input(chain: MockChain, registry: Contract) -> None:
    lookup = registry.function("lookup").selector
    for words in ([], [2**256 - 1], [2**64 - 1], [64], [32, 2**256 - 1], [32, 2**32 - 1], [32, 33], [32, 1]):
        with reverts("reverted without a reason"):
            data = lookup + b"".join(word.to_bytes(32, "big") for word in words)
            chain.run(registry.address, data)
