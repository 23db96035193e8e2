"""Who may look and who may send: the Host header, the Origin, and tokens in forms.

A page elsewhere may point a name of its own at this machine (DNS rebinding) or send a form here in a reader's name
(CSRF). The first is told by its Host, which is then no name of ours; the second by its Origin, by the browser's own
`Sec-Fetch-Site`, and by having no token that fits the reader's cookie. Source: Fetch standard, sections 3.1 and 8;
RFC 6265bis for SameSite. Never: keeps anything of a reader; tokens follow from the cookie and a key of this process.
"""

from __future__ import annotations

import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import Final

COOKIE: Final = "contractvm"
FIELD: Final = "token"
"""Of a form."""
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
EVERYWHERE: Final = frozenset({"0.0.0.0", "::", ""})
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'{}; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""What every answer of the explorer says, beside its policy."""


def headers(host: str = "") -> list[tuple[bytes, bytes]]:
    """The headers of every answer. `host`, which the guard has admitted, is named once more as the origin of our own
    WebSocket: not all browsers take that for `'self'`."""
    own = f" ws://{host} wss://{host}" if host else ""
    return [*HEADERS, (b"content-security-policy", POLICY.format(own).encode())]


class Guard:
    """Knows the names that this node goes by, and makes and checks tokens."""

    def __init__(self, host: str) -> None:
        """`host` is what the node listens on."""
        self._everywhere = host in EVERYWHERE
        self._names = LOOPBACK | {host.lower()}
        self._key = secrets.token_bytes(32)

    def admits(self, host: str) -> bool:
        """Whether a Host header names this node. A bare address cannot be rebound, so all are right where we listen
        on all of them."""
        name = name_of(host)
        if name in self._names:
            return bool(name)
        return self._everywhere and is_address(name)

    def session(self, cookies: str) -> str | None:
        """What the reader's cookie says, if it has one of ours."""
        try:
            morsel = SimpleCookie(cookies).get(COOKIE)
        except CookieError:
            return None
        return morsel.value if morsel is not None and len(morsel.value) == 32 else None

    def fresh(self) -> tuple[str, tuple[bytes, bytes]]:
        """A new session, and the header that gives it to the reader."""
        session = secrets.token_hex(16)
        cookie = f"{COOKIE}={session}; Path=/; HttpOnly; SameSite=Strict"
        return session, (b"set-cookie", cookie.encode())

    def token(self, session: str) -> str:
        """What a form must carry."""
        return hmac.digest(self._key, session.encode(), "sha256").hex()

    def refuses(self, session: str | None, token: str, host: str, origin: str | None, site: str | None) -> str | None:
        """Why a form is not taken, in words; None when it is. `site` is Sec-Fetch-Site."""
        if origin is not None and origin.partition("://")[2].lower() != host.lower():
            return f"the form was sent from {origin[:100]}, not from this explorer"
        if site is not None and site not in ("same-origin", "none"):
            return "the form was sent from another site"
        if session is None or not hmac.compare_digest(token.encode(), self.token(session).encode()):
            return "the form's token is not this session's; open the page again and send it from there"
        return None


def name_of(host: str) -> str:
    """The name in a Host header, without port and brackets; empty for what is none."""
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        well = bool(bracket) and (not rest or (rest[0] == ":" and rest[1:].isdecimal()))
    else:
        name, colon, port = host.partition(":")
        well = not colon or port.isdecimal()
    return name.lower() if well else ""


def is_address(name: str) -> bool:
    """Whether a name is an IP address, without a zone."""
    if "%" in name:
        return False
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
