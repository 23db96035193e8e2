"""The explorer in a real browser: a contract is deployed from the command line, found, read, written to, and its event
seen; pages follow the chain by themselves, work without scripts, and break no rule of their own policy.

Chromium is the distribution's; Playwright drives it. Where either is missing these tests are skipped.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contractvm.node.process import NodeProcess

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path")
ROOT = Path(__file__).parents[4]
BOB = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
PATIENCE = 20_000
"""Milliseconds in which something must show; nothing waits so long unless it is broken."""


@pytest.fixture(scope="module")
def node() -> Iterator[NodeProcess]:
    """A node in a process of its own."""
    with NodeProcess() as running:
        yield running.ready()


@pytest.fixture(scope="module")
def token(node: NodeProcess) -> dict[str, Any]:
    """What the command line says of a token that it deployed."""
    command = [sys.executable, "-m", "contractvm.cli", "deploy", "contracts/token/token.py", "1000ether"]
    command += ["-r", node.url, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A window whose console must stay empty: a broken policy or a script's error is told there."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert not complaints


def test_deployed_found_read_written_and_seen(node: NodeProcess, token: dict[str, Any], page: Any) -> None:
    address = next(value for name, value in token.items() if name in ("address", "contractAddress", "contract"))
    page.goto(node.url)
    assert page.title().endswith("contractvm")
    page.fill("input[name=q]", "token")
    page.press("input[name=q]", "Enter")
    page.wait_for_url(f"**/address/{address.lower()}")
    page.click("text=Read & write")
    assert "Contract Token" in page.inner_text("main")

    page.click("summary:has-text('balanceOf')")
    form = page.locator("details:has(summary:has-text('balanceOf'))")
    form.locator("input[name='0']").fill(BOB)
    form.locator("button:text-is('Read')").click()
    form.locator(".answer").wait_for()
    assert form.locator(".answer .literal").inner_text() == "0"

    page.click("summary:has-text('transfer(')")
    form = page.locator("details:has(summary:has-text('transfer('))")
    form.locator("input[name='0']").fill(BOB)
    form.locator("input[name='1']").fill("2.5 ether")
    form.locator("button:text-is('Send')").click()
    page.wait_for_url("**/tx/0x*")
    shown = page.inner_text("main")
    assert "Success" in shown and "2,500,000,000,000,000,000" in shown
    event = page.locator(".event")
    assert "Transfer(address indexed from" in event.inner_text() and "dev 1" in event.inner_text()
    for tab, words in (("Call tree", "token.py:"), ("Gas", "paid for"), ("Changes", "balance_of")):
        page.click(f"nav.tabs >> text={tab}")
        assert words in page.inner_text("main")


def test_pages_follow_the_chain(node: NodeProcess, token: dict[str, Any], page: Any) -> None:
    page.goto(node.url)
    page.locator("body.live").wait_for()
    height = int(page.inner_text("#head").replace(",", ""))
    node.connect().rpc("evm_mine")
    page.locator(f"#head .number:text-is('{height + 1:,}')").wait_for()
    page.locator(f"#blocks a[href='/block/{height + 1}']").wait_for()


def test_a_page_without_living_parts_is_not_asked_for_again(
    node: NodeProcess, token: dict[str, Any], page: Any
) -> None:
    page.goto(node.url + "/block/0")
    page.locator("body.live").wait_for()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    node.connect().rpc("evm_mine")
    height = int(node.connect().rpc("eth_blockNumber"), 16)
    page.locator(f"#head .number:text-is('{height:,}')").wait_for()
    assert not asked


def test_a_waiting_transaction_becomes_a_mined_one(node: NodeProcess, page: Any) -> None:
    client = node.connect()
    client.rpc("evm_setAutomine", False)
    try:
        sender = client.rpc("eth_accounts")[3]
        sent = client.rpc("eth_sendTransaction", {"from": sender, "to": BOB, "value": "0x1", "gas": "0x5208"})
        page.goto(f"{node.url}/tx/{sent}")
        assert "Waiting" in page.inner_text("main")
        page.locator("body.live").wait_for()
        client.rpc("evm_mine")
        page.locator(".badge.good").wait_for()
    finally:
        client.rpc("evm_setAutomine", True)


def test_without_scripts_everything_is_there(node: NodeProcess, token: dict[str, Any], browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(node.url)
    page.click("nav >> text=Contracts")
    page.click(".name:has-text('Token')")
    assert "Contract Token" in page.inner_text("main")
    page.click("summary:has-text('approve')")
    form = page.locator("details:has(summary:has-text('approve'))")
    form.locator("input[name='0']").fill(BOB)
    form.locator("input[name='1']").fill("7")
    form.locator("button:text-is('Send')").click()
    page.wait_for_url("**/tx/0x*")
    assert "Approval(" in page.inner_text(".event")
    context.close()


def test_a_form_from_another_origin_is_refused(node: NodeProcess, token: dict[str, Any], browser: Any) -> None:
    """A page of a stranger sends what the explorer's form would send, in the reader's own browser."""
    address = next(value for name, value in token.items() if name in ("address", "contractAddress", "contract"))
    context = browser.new_context()
    page = context.new_page()
    page.goto(node.url)
    before = node.connect().rpc("eth_blockNumber")
    fields = {"f": "approve(address,uint256)", "0": BOB, "1": "1", "from": BOB}
    inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
    form = f'<form method=post action="{node.url}/contract/{address}/write">{inputs}<button>x</button></form>'
    page.route("http://stranger.example/", lambda route: route.fulfill(body=form, content_type="text/html"))
    page.goto("http://stranger.example/")
    with page.expect_navigation() as arrived:
        page.click("button")
    assert arrived.value.status == 403
    assert node.connect().rpc("eth_blockNumber") == before
    context.close()
