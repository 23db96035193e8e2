"""The registry: names with owners, listed in order, page by page."""

from pathlib import Path

import pytest

from contractvm.types import Address
from sdk.testing import Deployed, MockChain, reverts

NAMES = ["alice", "al", "bob", "zoë", "carol"]


@pytest.fixture(scope="module")
def registry(chain: MockChain) -> Deployed:
    return chain.deploy(Path(__file__).with_name("registry.c"))


@pytest.fixture(scope="module")
def full(chain: MockChain) -> Deployed:
    registry = chain.deploy(Path(__file__).with_name("registry.c"))
    for name in NAMES:
        registry.register(name, f"text of {name}")
    return registry


def test_a_name_is_found(registry: Deployed, accounts: tuple[Address, ...]) -> None:
    receipt = registry.register.tx("dora", "explorer", sender=accounts[3])
    assert receipt.events("Registered") == [(accounts[3], "dora")]
    assert registry.lookup("dora") == (accounts[3], "explorer")


def test_only_the_owner_changes_or_removes(full: Deployed, accounts: tuple[Address, ...]) -> None:
    full.register("bob", "new text")
    assert full.lookup("bob") == (accounts[0], "new text")
    with reverts("NotOwner"):
        full.register("bob", "stolen", sender=accounts[1])
    with reverts("NotOwner"):
        full.remove("bob", sender=accounts[1])


def test_a_removed_name_is_free(full: Deployed, accounts: tuple[Address, ...]) -> None:
    assert full.remove.tx("bob").events("Removed") == [(accounts[0], "bob")]
    with reverts("UnknownName"):
        full.lookup("bob")
    full.register("bob", "mine now", sender=accounts[1])
    assert full.lookup("bob") == (accounts[1], "mine now")


def test_lists_in_byte_order(full: Deployed) -> None:
    assert full.list("", 100) == sorted(NAMES, key=str.encode)


def test_lists_pages(full: Deployed) -> None:
    assert full.list("", 2) == ["al", "alice"]
    assert full.list("b", 2) == ["bob", "carol"]
    assert full.list("zz", 2) == []
    assert full.list("", 0) == []


def test_a_page_is_bounded(chain: MockChain, registry: Deployed) -> None:
    for i in range(70):
        registry.register(f"name{i:02}", "")
    assert registry.list("", 2**64 - 1) == [f"name{i:02}" for i in range(64)]


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 511, 512])
def test_texts_of_every_size(registry: Deployed, accounts: tuple[Address, ...], size: int) -> None:
    registry.register("x", "y" * size)
    assert registry.lookup("x") == (accounts[0], "y" * size)


def test_refuses_what_is_too_long_or_empty(registry: Deployed) -> None:
    registry.register("n" * 64, "")
    for name, text, reason in (
        ("n" * 65, "", "name longer than 64 bytes"),
        ("n", "t" * 513, "text longer than 512 bytes"),
        ("", "t", "empty name"),
    ):
        with reverts(reason):
            registry.register(name, text)


def test_refuses_offsets_outside_the_input(chain: MockChain, registry: Deployed) -> None:
    lookup = registry.lookup.encode("")[:4]
    for words in ([], [2**256 - 1], [2**64 - 1], [64], [32, 2**256 - 1], [32, 2**32 - 1], [32, 33], [32, 1]):
        with reverts("reverted without a reason"):
            data = lookup + b"".join(word.to_bytes(32, "big") for word in words)
            chain.run(registry.address, data)
