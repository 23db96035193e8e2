"""The development accounts are the ones that every other tool shows."""

from __future__ import annotations

from contractvm.devaccounts import COUNT, TEST_PHRASE, derived, dev_accounts


def test_the_well_known_ones() -> None:
    accounts = dev_accounts()
    assert len(accounts) == 10
    assert accounts[0].address.hex() == "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"
    assert accounts[0].secret.hex() == "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
    assert accounts[9].address.hex() == "a0ee7a142d267c1f36714e4a8f75612f20a79720"


def test_they_are_what_the_phrase_gives() -> None:
    assert dev_accounts() == derived(COUNT, TEST_PHRASE)


def test_more_of_them_begin_with_the_same() -> None:
    assert dev_accounts(12)[:10] == dev_accounts()
    assert dev_accounts(3, TEST_PHRASE) == dev_accounts()[:3]


def test_another_phrase() -> None:
    """A BIP-39 vector: the phrase of zero entropy, first Ethereum address."""
    phrase = "abandon " * 11 + "about"
    assert dev_accounts(1, phrase)[0].address.hex() == "9858effd232b4033e47d90003d41ec34ecaeda94"


def test_keys_do_not_show() -> None:
    account = dev_accounts()[0]
    assert account.secret.hex() not in repr(account)
