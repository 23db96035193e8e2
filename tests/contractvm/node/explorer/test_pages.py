"""Pages of a chain with payments on it: what they show, where they lead, and what they say of what is not there."""

from __future__ import annotations

import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from contractvm.devaccounts import dev_accounts
from tests.contractvm.node.explorer.site import Site
from tests.contractvm.node.test_dispatch import signed

PAYER, PAYEE = ("0x" + account.address.hex() for account in dev_accounts()[:2])


@pytest.fixture
def paid(site: Site) -> str:
    """The hash of a payment in block 1."""
    digest: str = site.local.rpc("eth_sendRawTransaction", signed(value=1_500_000_000_000_000_000))
    return digest


def test_the_front_page_of_an_empty_chain(site: Site) -> None:
    page = site.get("/")
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    assert "No transaction yet" in page.text


def test_the_front_page_shows_blocks_and_transactions(site: Site, paid: str) -> None:
    text = site.get("/").text
    assert f'href="/tx/{paid}"' in text and 'href="/block/1"' in text
    assert "dev 0" in text and "dev 1" in text and "1.5" in text


def test_a_block_by_height_hash_and_tag(site: Site, paid: str) -> None:
    digest = site.local.rpc("eth_getBlockByNumber", "0x1", False)["hash"]
    for name in ("1", digest, "latest"):
        text = site.get(f"/block/{name}").text
        assert digest in text and paid in text and "21,000" in text


def test_a_payment(site: Site, paid: str) -> None:
    text = site.get(f"/tx/{paid}").text
    assert "Success" in text and "1.5" in text and PAYER in text and PAYEE in text and "A payment" in text


def test_an_address_lists_what_touches_it(site: Site, paid: str) -> None:
    text = site.get(f"/address/{PAYEE}").text
    assert paid in text and "10,001.5" in text
    assert "Looked through blocks 1 to 0" in text
    assert paid not in site.get(f"/address/0x{'77' * 20}").text


def test_accounts_show_no_secret(site: Site) -> None:
    text = site.get("/accounts").text
    for account in dev_accounts():
        assert account.address.hex() in text
        assert account.secret.hex() not in text
    assert "junk" not in text


def test_lists_go_back_in_pages(site: Site) -> None:
    for nonce in range(60):
        site.local.rpc("eth_sendRawTransaction", signed(nonce))
    first = site.get("/blocks").text
    assert 'href="/block/60"' in first and 'href="/block/35"' not in first
    following = re.search(r'href="(/blocks\?before=\d+)"', first)
    assert following and 'href="/block/35"' in site.get(following[1]).text
    earlier = re.search(r'href="(/txs\?before=\d+)"', site.get("/txs").text)
    assert earlier and 'href="/block/35"' in site.get(earlier[1]).text


@pytest.mark.parametrize(
    ("words", "path"),
    [("1", "/block/1"), ("0", "/block/0"), (PAYER, f"/address/{PAYER}"), (PAYER[2:].upper(), f"/address/{PAYER}")],
)
def test_search(site: Site, paid: str, words: str, path: str) -> None:
    found = site.get(f"/search?q={words}")
    assert (found.status, found.headers["location"]) == (303, path)


def test_search_by_hash(site: Site, paid: str) -> None:
    block = site.local.rpc("eth_getBlockByNumber", "0x1", False)["hash"]
    assert site.get(f"/search?q={paid}").headers["location"] == f"/tx/{paid}"
    assert site.get(f"/search?q={block[2:]}").headers["location"] == "/block/1"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nonsense", "no page at this address"),
        ("/block/99", "no block 99"),
        ("/block/x", "neither a height nor the hash"),
        (f"/block/0x{'00' * 32}", "no block"),
        (f"/tx/0x{'00' * 32}", "in a kept block or in the pool"),
        ("/tx/0x12", "no hash of a transaction"),
        ("/address/0x12", "no address"),
        ("/search?q=", "nothing to look for"),
        ("/search?q=nobody", "nothing is called"),
        ("/search?q=99", "the head is 0"),
        (f"/search?q=0x{'00' * 32}", "no transaction and no block"),
    ],
)
def test_what_is_not_there_says_so_and_helps(site: Site, path: str, words: str) -> None:
    page = site.get(path)
    assert page.status == 404
    assert words in page.text and 'action="/search"' in page.text


@pytest.mark.parametrize("query", ["before=x", "before=-1", "before=1e3", "before=" + "9" * 30])
def test_numbers_in_addresses_are_read_strictly(site: Site, query: str) -> None:
    assert site.get(f"/blocks?{query}").status == 400


def test_what_waits(site: Site) -> None:
    site.local.node.miner.automine = False
    digest = site.local.rpc("eth_sendRawTransaction", signed(0))
    queued = site.local.rpc("eth_sendRawTransaction", signed(2))
    pool = site.get("/pool").text
    assert digest in pool and queued in pool
    assert "Waiting" in site.get(f"/tx/{digest}").text
    assert "it waits for those before it" in site.get(f"/tx/{queued}").text


def test_files_and_head(site: Site) -> None:
    assert site.get("/static/explorer.css").headers["content-type"].startswith("text/css")
    assert site.get("/static/explorer.js").headers["content-type"].startswith("text/javascript")
    assert site.get("/static/nothing.js").status == site.get("/static/../app.py").status == 404
    head = site.ask("HEAD", "/", b"", {})
    assert head.status == 200 and head.body == b""


def test_nothing_comes_from_elsewhere(site: Site, paid: str) -> None:
    """No page names another origin, and none has style or script in it."""
    for path in ("/", f"/tx/{paid}", "/block/1", f"/address/{PAYER}", "/accounts", "/pool", "/nothing"):
        text = site.get(path).text.replace(f"http://{'127.0.0.1:8545'}", "")
        assert not re.search(r'(?:src|href|action)="(?!/|\?|#)', text), path
        assert "style=" not in text and "<style" not in text and not re.search(r"\son\w+=", text), path
        assert re.findall(r"<script[^>]*>", text) == ['<script src="/static/explorer.js" defer>'], path


def test_forgotten_blocks_are_not_promised(site: Site, paid: str) -> None:
    """Where history is pruned lists end, and say why; a page of what is gone says so."""
    node = site.local.node
    site.local.on_loop(node.miner.mine(300))

    def forget() -> None:
        while node.chain.prune(1):
            pass

    site.local.on_loop(node.miner.write(forget))
    lists = (f"/address/{PAYER}", "/txs", "/contracts", "/blocks?before=46")
    assert all("no longer kept" in site.get(path).text for path in lists)
    assert "look further back" not in site.get(f"/address/{PAYER}").text
    assert site.get(f"/tx/{paid}").status == site.get("/block/1").status == 404
    assert site.get("/block/0").status == 200
    assert site.get("/").status == 200


def test_a_chain_that_is_set_back(site: Site) -> None:
    snapshot = site.local.rpc("evm_snapshot")
    digest = site.local.rpc("eth_sendRawTransaction", signed(0))
    assert digest in site.get("/").text
    site.local.rpc("evm_revert", snapshot)
    assert digest not in site.get("/").text and site.get(f"/tx/{digest}").status == 404
    assert site.get("/block/1").status == 404


def test_pages_while_the_chain_grows_and_is_set_back(site: Site) -> None:
    """Whatever a page is asked for in between, it is a page: what has gone is not found, and nothing breaks."""
    paths = ("/", "/txs", "/blocks", "/contracts", f"/address/{PAYEE}", "/block/latest", "/pool")
    ended = threading.Event()

    def read() -> Counter[int]:
        statuses: Counter[int] = Counter()
        while not ended.is_set():
            statuses.update(site.get(path).status for path in paths)
        return statuses

    snapshot = site.local.rpc("evm_snapshot")
    with ThreadPoolExecutor(2) as readers:
        running = [readers.submit(read) for _ in range(2)]
        try:
            for _ in range(15):
                for nonce in range(6):
                    site.local.rpc("eth_sendRawTransaction", signed(nonce))
                site.local.rpc("evm_revert", snapshot)
                snapshot = site.local.rpc("evm_snapshot")
        finally:
            ended.set()
        statuses = running[0].result(60) + running[1].result(60)
    assert statuses.keys() <= {200, 404} and statuses[200] > statuses[404]
