"""Pages of contracts: what they read, send, show of source, storage and events, and of transactions' insides."""

from __future__ import annotations

import html
import re

import pytest

from contractvm.devaccounts import dev_accounts
from contractvm.node.explorer.pages import inside
from contractvm.types import Address
from tests.contractvm.node import deployed
from tests.contractvm.node.deployed import Contract
from tests.contractvm.node.explorer.known import deploy
from tests.contractvm.node.explorer.site import Answered, Site
from tests.contractvm.node.wat import assembled

ALICE, BOB, CAROL = (account.address for account in dev_accounts()[:3])
SUPPLY = 10**27


@pytest.fixture
def token(site: Site) -> Contract:
    return deploy(site.local, "token/token.py", None, SUPPLY)


@pytest.fixture
def pair(site: Site, token: Contract) -> Contract:
    """An exchange of two tokens with something in it."""
    other = deploy(site.local, "token/token.py", None, SUPPLY)
    first, second = sorted((token, other), key=lambda each: each.address)
    pair = deploy(site.local, "exchange/exchange.py", "Pair", first.address, second.address)
    for each in (token, other):
        each.send("approve(address,uint256)", pair.address, 10**24)
    pair.send("add(uint256,uint256,uint256)", 10**9, 10**9, 0)
    return pair


def plain(page: Answered) -> str:
    """What a reader sees: text without tags, spaces as one."""
    text = re.sub(r"<(script|style|title).*?</\1>|<[^>]+>", "", page.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(text))


def send(site: Site, who: Contract, function: str, *values: str, **fields: str) -> Answered:
    """Fill in a contract's form as a browser would."""
    page = site.get(f"/address/{who.hex}/contract")
    token = re.search(r'name="token" value="([0-9a-f]{64})"', page.text)
    assert token is not None
    form = {"token": token[1], "f": function, "from": "0x" + ALICE.hex()}
    form |= {str(at): value for at, value in enumerate(values)}
    return site.post(f"/contract/{who.hex}/write", form | fields)


def test_what_can_be_read_is_read(site: Site, token: Contract) -> None:
    page = site.get(f"/address/{token.hex}/contract")
    assert page.status == 200
    assert "Contract Token" in page.text and "1,000,000,000,000,000,000,000,000,000" in page.text


def test_a_read_with_arguments(site: Site, token: Contract) -> None:
    path = f"/address/{token.hex}/contract?f=balanceOf(address)&0="
    assert "1,000,000,000,000,000,000,000,000,000 1,000,000,000 ×" in plain(site.get(path + "0x" + ALICE.hex()))
    assert "20 bytes are wanted, 2 given" in plain(site.get(path + "0x1234"))
    assert "nothing is written here" in plain(site.get(path))
    assert "nothing is written here" not in plain(site.get(path.removesuffix("&0=")))


def test_a_function_can_be_tried_without_sending(site: Site, token: Contract) -> None:
    path = f"/address/{token.hex}/contract?f=transfer(address,uint256)&0=0x{BOB.hex()}&1=5&from=0x"
    before = site.local.rpc("eth_blockNumber")
    assert "true at block 1" in plain(site.get(path + ALICE.hex()))
    assert "ERC20InsufficientBalance" in plain(site.get(path + CAROL.hex()))
    assert "is no development account" in plain(site.get(path + "77" * 20))
    assert site.local.rpc("eth_blockNumber") == before


def test_a_contract_that_is_not_known_is_called_by_signature(site: Site) -> None:
    bare = Contract(site.local, deployed.built("token/token.py"), SUPPLY)
    page = plain(site.get(f"/address/{bare.hex}/contract"))
    assert "was not told what this contract is" in page
    path = f"/address/{bare.hex}/contract?f=totalSupply()(uint256)"
    assert "1,000,000,000,000,000,000,000,000,000" in plain(site.get(path))
    assert "signature" in plain(site.get(f"/address/{bare.hex}/contract?f=nonsense("))
    taken = plain(site.get(f"/address/{bare.hex}/contract?as=ERC-20"))
    assert "Contract Token" in taken and "transferFrom" in taken
    path = f"/address/{bare.hex}/contract?as=ERC-20&f=balanceOf(address)&0=0x{ALICE.hex()}"
    assert "1,000,000,000,000,000,000,000,000,000 1,000,000,000 ×" in plain(site.get(path))
    assert "transferFrom" not in plain(site.get(f"/address/{bare.hex}/contract?as=nonsense"))
    sent = bare.send("transfer(address,uint256)", BOB, 7)
    page = plain(site.get(f"/tx/{sent['transactionHash']}"))
    assert "looks like ERC-20" in page and "dev 1" in page


def test_a_write_leads_to_its_transaction(site: Site, token: Contract) -> None:
    answer = send(site, token, "transfer(address,uint256)", "0x" + BOB.hex(), "1.5 ether")
    assert answer.status == 303
    page = plain(site.get(answer.headers["location"]))
    assert "Success" in page and "transfer(address to, uint256 value) returns (bool)" in page
    assert "Transfer(address indexed from, address indexed to, uint256 value)" in page
    assert "1,500,000,000,000,000,000" in page


@pytest.mark.parametrize(
    ("values", "fields", "words"),
    [
        (("0x12", "1"), {}, "to (address): 20 bytes are wanted, 1 given"),
        (("0x" + "11" * 20, "1.5"), {}, "value (uint256): '1.5' is not a whole number"),
        (("0x" + "11" * 20, "x"), {}, "is no number"),
        (("0x" + "11" * 20, str(10**28)), {}, "ERC20InsufficientBalance"),
        (("0x" + "11" * 20, "-1"), {}, "does not fit"),
        (("0x" + "11" * 20, "1"), {"from": ""}, "choose the account"),
        (("0x" + "11" * 20, "1"), {"from": "0x" + "77" * 20}, "no development account"),
        (("0x" + "11" * 20, "1"), {"gas": "21000"}, "intrinsic gas too low"),
        (("0x" + "11" * 20, "1"), {"gas": "-5"}, "out of range"),
    ],
)
def test_what_cannot_be_sent_says_why(
    site: Site, token: Contract, values: tuple[str, ...], fields: dict[str, str], words: str
) -> None:
    answer = send(site, token, "transfer(address,uint256)", *values, **fields)
    assert answer.status == 400
    assert words in plain(answer) and "Nothing was sent" in plain(answer)
    assert int(site.local.rpc("eth_blockNumber"), 16) == 1


def test_a_failure_is_sent_with_a_gas_limit_of_ones_own_and_shown_with_its_line(site: Site, token: Contract) -> None:
    answer = send(site, token, "transfer(address,uint256)", "0x" + BOB.hex(), str(SUPPLY + 1), gas="200000")
    page = site.get(answer.headers["location"])
    text = plain(page)
    assert "Reverted" in text and "execution reverted: ERC20InsufficientBalance" in text
    found = re.search(r"token\.py:(\d+)", text)
    assert found and f"#F0L{found[1]}" in page.text and "raise ERC20InsufficientBalance" in text


@pytest.mark.parametrize("path", ["/contract/0x12/write", f"/contract/0x{'11' * 20}/read", "/contract/"])
def test_forms_for_nothing(site: Site, token: Contract, path: str) -> None:
    page = site.get(f"/address/{token.hex}/contract")
    found = re.search(r'name="token" value="([0-9a-f]{64})"', page.text)
    assert found and site.post(path, {"token": found[1], "f": "f()"}).status in (400, 404)


def test_forms_without_a_token_or_from_elsewhere_are_refused(site: Site, token: Contract) -> None:
    form = {"f": "transfer(address,uint256)", "0": "0x" + BOB.hex(), "1": "1", "from": "0x" + ALICE.hex()}
    path = f"/contract/{token.hex}/write"
    assert site.post(path, form).status == 403
    page = site.get(f"/address/{token.hex}/contract")
    found = re.search(r'name="token" value="([0-9a-f]{64})"', page.text)
    assert found is not None
    good = {**form, "token": found[1]}
    assert site.post(path, good, cookie=None).status == 403
    assert site.post(path, good, origin="http://evil.example").status == 403
    assert site.post(path, good, sec_fetch_site="cross-site").status == 403
    assert site.post(path, good, host="evil.example").status == 403
    assert site.post(path, {**good, "token": "0" * 64}).status == 403
    assert site.post(path, good, content_type="text/plain").status == 400
    assert int(site.local.rpc("eth_blockNumber"), 16) == 1
    assert site.post(path, good).status == 303


def test_source_storage_events_and_list(site: Site, token: Contract) -> None:
    sent = token.send("transfer(address,uint256)", BOB, 12_345)
    source = site.get(f"/address/{token.hex}/source")
    assert (
        'id="F0L1"' in source.text
        and "class Token" in plain(source)
        and '"stateMutability"' in html.unescape(source.text)
    )
    storage = plain(site.get(f"/address/{token.hex}/storage"))
    assert "balance_of[dev 1]" in storage.replace(" ", "").replace("dev1", "dev 1") and "12,345" in storage
    events = site.get(f"/address/{token.hex}/events")
    assert sent["transactionHash"] in events.text and "12,345" in plain(events)
    contracts = site.get("/contracts")
    assert token.hex in contracts.text and "Token" in plain(contracts)
    assert site.get("/search?q=token").headers["location"] == f"/address/{token.hex}"
    assert plain(site.get(f"/address/0x{BOB.hex()}/contract")).count("has no code") == 1


def test_storage_in_pages(site: Site, token: Contract) -> None:
    for n in range(1, 120):
        token.send("transfer(address,uint256)", n.to_bytes(20, "big"), n)
    first = site.get(f"/address/{token.hex}/storage")
    following = re.search(r'href="(\?from=0x[0-9a-f]+)"', first.text)
    assert following is not None
    second = site.get(f"/address/{token.hex}/storage{following[1]}")
    keys = re.findall(r'title="(0x[0-9a-f]{40,})"', first.text + second.text)
    assert "from the start" in plain(second) and len(set(keys)) >= 120
    assert site.get(f"/address/{token.hex}/storage?from=zz").status == 404


def test_the_inside_of_a_swap(site: Site, token: Contract, pair: Contract) -> None:
    swap = pair.send("swap(address,uint256,uint256)", token.address, 10**6, 1)
    path = f"/tx/{swap['transactionHash']}"
    calls = plain(site.get(path + "/calls"))
    for words in ("swap", "transferFrom", "store", "reserves", "event", "Swapped", "exchange.py:", "token.py:"):
        assert words in calls
    assert f"{int(swap['gasUsed'], 16):,}" in plain(site.get(path + "/gas"))
    assert (
        "itself" in plain(site.get(path + "/gas")) and "<rect" in site.get(path + "/gas").text.partition("</table>")[0]
    )
    changes = plain(site.get(path + "/state"))
    assert "reserves" in changes and "+1,000,000" in changes and "nonce" in changes


def test_what_takes_long_is_looked_into_so_far(
    site: Site, token: Contract, pair: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = pair.send("swap(address,uint256,uint256)", token.address, 10**6, 1)
    path = f"/tx/{receipt['transactionHash']}"
    counted, followed = "instructions are counted", "too many instructions"
    assert counted not in plain(site.get(path + "/gas")) and followed not in plain(site.get(path + "/calls"))
    monkeypatch.setattr(inside, "COUNTED", 100)
    monkeypatch.setattr(inside, "FOLLOWED", 100)
    assert f"Its first 100 {counted}" in plain(site.get(path + "/gas"))
    calls = plain(site.get(path + "/calls"))
    assert followed in calls and "transferFrom" in calls


def test_gas_parts_sum_up(site: Site, token: Contract, pair: Contract) -> None:
    """Every part of a creation and of a call is on the page, and they add up to what was paid for."""
    for receipt in (token.receipt, pair.receipt, pair.send("swap(address,uint256,uint256)", token.address, 10**6, 1)):
        text = site.get(f"/tx/{receipt['transactionHash']}/gas").text.partition("</table>")[0]
        rows = re.findall(r"<tr[^>]*>(.*?)</tr>", text, re.DOTALL)[1:]
        figures = [re.findall(r'<td class="r">(?:<b>)?(−?[\d,]+)(?:</b>)?</td>', row)[-1] for row in rows]
        *parts, total = (int(figure.replace(",", "").replace("−", "-")) for figure in figures)
        assert sum(parts) == total == int(receipt["gasUsed"], 16)


def test_a_failure_in_an_inner_call_is_found(site: Site, token: Contract, pair: Contract) -> None:
    failed = pair.send("swap(address,uint256,uint256)", token.address, 5, 1, account=3)
    assert failed["status"] == "0x0"
    text = plain(site.get(f"/tx/{failed['transactionHash']}"))
    assert "ERC20InsufficientAllowance" in text and "token.py:" in text and "transferFrom" in text


def test_creation_shows_its_arguments(site: Site, token: Contract) -> None:
    text = plain(site.get(f"/tx/{token.receipt['transactionHash']}"))
    assert "constructor(uint256 supply)" in text and "1,000,000,000,000,000,000,000,000,000" in text


def test_value_is_tried_and_sent(site: Site) -> None:
    names = deploy(site.local, "names/names.py", None, 10**18)
    path = f"/address/{names.hex}/contract?f=register(string,uint64)&0=me&1=1&from=0x{ALICE.hex()}&value="
    assert "WrongPrice(1000000000000000000)" in plain(site.get(path))
    assert "WrongPrice" not in plain(site.get(path + "1+ether")).partition("register")[2].partition("transfer")[0]
    assert "value: " in plain(site.get(path + "lots"))
    assert send(site, names, "register(string,uint64)", "me", "1").status == 400
    answer = send(site, names, "register(string,uint64)", "me", "1", value="1 ether")
    assert answer.status == 303 and "Registered" in plain(site.get(answer.headers["location"]))


def test_much_data_is_shown_in_part(site: Site) -> None:
    sent = deployed.send(site.local, BOB, b"\xab" * 60_000)
    page = site.get(f"/tx/{sent['transactionHash']}")
    assert "60,000 bytes" in page.text and "55,904 bytes more" in page.text and len(page.body) < 40_000


HOSTILE = "<script>alert(1)</script>\"'&\u202e\u0000"


def test_hostile_names_and_sources_are_text(site: Site) -> None:
    """Whatever an artifact is called or says, no page has it as markup, and nothing in it turns the page around."""
    contract = deploy(
        site.local, "token/token.py", None, SUPPLY, name=HOSTILE, compiler=HOSTILE, sources={HOSTILE: HOSTILE * 3}
    )
    sent = contract.send("transfer(address,uint256)", BOB, 1)["transactionHash"]
    paths = ["/", "/txs", "/contracts", "/blocks", "/block/2", f"/tx/{sent}", f"/tx/{sent}/calls", f"/tx/{sent}/gas"]
    paths += [f"/tx/{sent}/state", f"/search?q={'%3Cscript%3Ealert(1)%3C/script%3E'}"]
    paths += [f"/address/{contract.hex}{tab}" for tab in ("", "/contract", "/source", "/storage", "/events")]
    paths += [f"/address/{contract.hex}/contract?f=%3Cscript%3Ealert(1)%3C/script%3E", "/%3Cscript%3Ealert(1)"]
    shown = 0
    for path in paths:
        text = site.get(path).text
        assert "<script>alert" not in text and "\u202e" not in text and "\0" not in text, path
        shown += "&lt;script&gt;alert" in text
    assert shown >= 10


def test_text_in_arguments_events_and_storage_is_text(site: Site) -> None:
    names = deploy(site.local, "names/names.py", None, 0)
    name = "<script>alert(1)</script>\u202e\0"
    sent = names.send("register(string,uint64)", name, 1)["transactionHash"]
    names.send("register(string,uint64)", name, 99)
    for path in (f"/tx/{sent}", f"/tx/{sent}/calls", f"/tx/{sent}/state", *(names.hex + t for t in TABS)):
        page = site.get(path if path.startswith("/") else f"/address/{path}")
        assert "<script>alert" not in page.text and "\u202e" not in page.text and "\0" not in page.text, path
        assert "\\u{202e}\\u{0}" in page.text, path
    read = plain(site.get(f"/address/{names.hex}/contract?f=list(uint64,uint64)&0=0&1=9"))
    assert "<script>alert(1)</script>\\u{202e}" in read


TABS = ("/storage", "/events")


def test_deep_calls_are_shown_as_far_as_a_page_goes(site: Site) -> None:
    """A contract that calls itself as deep as gas allows: pages have bounds, and the gas still adds up."""
    code = bytes.fromhex(assembled(ITSELF)[2:])
    made = deployed.send(site.local, None, code)["contractAddress"]
    sent = deployed.send(site.local, Address(bytes.fromhex(made[2:])), b"", gas=29_000_000)
    path = f"/tx/{sent['transactionHash']}"
    calls = site.get(path + "/calls")
    assert calls.status == 200 and "more steps are not shown" in plain(calls)
    assert 64 <= calls.text.count("<summary>") <= 70
    text = site.get(path + "/gas").text.partition("</table>")[0]
    assert f"<b>{int(sent['gasUsed'], 16):,}</b>" in text
    assert int(re.findall(r'<td class="r">([\d,]+)</td>', text)[1]) > 200
    assert site.get(path + "/state").status == site.get(path).status == 200


ITSELF = """
(module
  (import "cvm1" "self_address" (func $self (param i32)))
  (import "cvm1" "call" (func $call (param i32 i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "call")
    (call $self (i32.const 0))
    (drop (call $call (i32.const 0) (i32.const 64) (i32.const 0) (i32.const 0) (i64.const -1) (i32.const 1)))))"""
