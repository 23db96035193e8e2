"""Whatever is asked of the explorer is answered: a page, a way elsewhere, or what is wrong; never a failure of ours."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contractvm.devaccounts import dev_accounts
from tests.contractvm.node.explorer.known import deploy
from tests.contractvm.node.explorer.site import Site
from tests.contractvm.node.local import local

WORDS = ["", "tx", "block", "blocks", "txs", "address", "contract", "contracts", "accounts", "pool", "search", "static"]
WORDS += [
    "calls",
    "gas",
    "state",
    "source",
    "storage",
    "events",
    "write",
    "latest",
    "0",
    "1",
    "2",
    "99",
    "explorer.css",
]
FIELDS = ["f", "0", "1", "q", "from", "before", "value", "gas", "token", "as"]
VALUES = [
    "balanceOf(address)",
    "transfer(address,uint256)",
    "f(",
    "((((",
    "1 ether",
    "-1",
    "0x",
    "0x5f",
    "[1",
    "9" * 400,
]
ANSWERS = {200, 303, 400, 403, 404, 405}


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[Site, list[str]]]:
    """A reader, and names of what is there: a contract, its transaction, an account."""
    with local() as node:
        site = Site(node)
        token = deploy(node, "token/token.py", None, 10**18)
        site.get("/")
        yield site, [token.hex, token.receipt["transactionHash"], "0x" + dev_accounts()[0].address.hex()]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_anything(told: tuple[Site, list[str]], data: st.DataObject) -> None:
    site, there = told
    word = st.sampled_from(WORDS + there) | st.text(max_size=20)
    path = "/" + "/".join(quote(part, safe="") for part in data.draw(st.lists(word, max_size=4)))
    value = st.sampled_from(VALUES + there) | st.text(max_size=30)
    fields = data.draw(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=3), value, max_size=4))
    encoded = urlencode(fields, errors="replace")
    method = data.draw(st.sampled_from(["GET", "GET", "GET", "HEAD", "PUT", "POST"]))
    if method == "POST":
        answer = site.ask(
            "POST", "/contract" + path, encoded.encode(), {"content_type": "application/x-www-form-urlencoded"}
        )
    else:
        answer = site.ask(method, f"{path}?{encoded}", b"", {})
    assert answer.status in ANSWERS
    assert "content-security-policy" in answer.headers


@given(body=st.binary(max_size=200))
@settings(max_examples=50, deadline=None)
def test_any_body_and_header(told: tuple[Site, list[str]], body: bytes) -> None:
    site, there = told
    assert site.ask("POST", f"/contract/{there[0]}/write", body, {}).status in ANSWERS
    text = body.decode("latin-1")
    assert site.get("/pool", cookie=text).status == 200
    assert site.get("/pool", host=text).status in (200, 403)
    assert site.get("/pool?" + quote(text)).status == 200
