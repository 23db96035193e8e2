"""Who may look and who may send: names of the node, cookies, tokens, origins, and the headers of every answer."""

from __future__ import annotations

import pytest

from contractvm.node.explorer.guard import COOKIE, Guard, name_of
from tests.contractvm.node.explorer.site import Site


@pytest.mark.parametrize("host", ["127.0.0.1:8545", "localhost", "LOCALHOST:1", "[::1]:8545", "[::1]", "127.0.0.1"])
def test_names_of_the_node(host: str) -> None:
    assert Guard("127.0.0.1").admits(host)


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:8545", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.7",
     "[::1]x", "[::1", "127.0.0.1:x", "localhost:80:80", "localhost/x", "user@localhost"],
)  # fmt: skip
def test_names_of_others(host: str) -> None:
    assert not Guard("127.0.0.1").admits(host)


def test_where_all_addresses_are_listened_on_any_address_is_right_but_no_name() -> None:
    for host in ("0.0.0.0", "::"):
        guard = Guard(host)
        assert guard.admits("192.168.1.5:8545") and guard.admits("[fe80::1]:8545") and guard.admits("localhost")
        assert not guard.admits("evil.example:8545") and not guard.admits("")
    assert Guard("node.lan").admits("node.lan:8545") and not Guard("node.lan").admits("other.lan")


def test_a_name_is_taken_out_of_a_host_header() -> None:
    assert [name_of(host) for host in ("A:1", "[::1]:2", "x:", "x:y")] == ["a", "::1", "", ""]


def test_another_host_sees_nothing(site: Site) -> None:
    for path in ("/", "/accounts", "/static/explorer.js", "/nothing"):
        page = site.get(path, host="rebound.example:8545")
        assert page.status == 403 and "dev 0" not in page.text and "set-cookie" not in page.headers


def test_every_answer_has_the_headers(site: Site) -> None:
    for path in ("/", "/nothing", "/static/explorer.css", "/search?q=0"):
        headers = site.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert "form-action 'self'" in policy and "script-src 'self'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_the_cookie_is_strict_and_given_once(site: Site) -> None:
    cookie = site.get("/").headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=") and "SameSite=Strict" in cookie and "HttpOnly" in cookie
    assert "set-cookie" not in site.get("/").headers


def test_strange_cookies_are_replaced(site: Site) -> None:
    for cookie in ("contractvm=short", "contractvm", "\xff=;;==", "a=b; c=d"):
        assert "set-cookie" in site.get("/", cookie=cookie).headers


@pytest.mark.parametrize(
    ("session", "token", "origin", "site", "taken"),
    [
        ("own", "own", "http://127.0.0.1:8545", "same-origin", True),
        ("own", "own", None, None, True),
        ("own", "own", "http://evil.example", None, False),
        ("own", "own", "null", None, False),
        ("own", "own", "http://127.0.0.1:9999", None, False),
        ("own", "own", None, "cross-site", False),
        ("own", "own", None, "same-site", False),
        ("own", "other", None, None, False),
        ("own", "", None, None, False),
        ("own", "\xe4", None, None, False),
        (None, "own", None, None, False),
    ],
)
def test_forms(session: str | None, token: str, origin: str | None, site: str | None, taken: bool) -> None:
    guard = Guard("127.0.0.1")
    own, _ = guard.fresh()
    given = guard.token(own) if token == "own" else guard.token("other") if token == "other" else token
    why = guard.refuses(own if session else None, given, "127.0.0.1:8545", origin, site)
    assert (why is None) is taken


def test_tokens_are_of_one_process() -> None:
    assert Guard("localhost").token("a") != Guard("localhost").token("a")


def test_too_many_fields(site: Site) -> None:
    assert site.get("/search?" + "&".join(f"q{n}=1" for n in range(300))).status == 400


def test_json_rpc_is_served_at_any_other_path(site: Site) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'
    for path in ("/", "/block/1", "/rpc"):
        answer = site.ask("POST", path, body, {"content_type": "application/json", "host": "any.example"})
        assert answer.status == 200 and b'"0x7a69"' in answer.body
