"""From a request to an answer: who may ask, which page it is, and how the page is made.

Pages are made on another thread than the event loop's, since they may read much. Never: lets a page be shown in a
frame, run a script of another's, or be cached where it may have changed.
"""

from __future__ import annotations

from http import HTTPStatus
from importlib.resources import files
from typing import Final

from contractvm.chain import UnknownBlock
from contractvm.errors import ContractVMError
from contractvm.node.explorer.guard import FIELD, Guard, headers
from contractvm.node.explorer.lens import Lens
from contractvm.node.explorer.request import Answer, Elsewhere, Missing, Page, Request, Scope, Wrong, read
from contractvm.node.explorer.routes import looks_inside, page_of
from contractvm.node.explorer.templating import environment
from contractvm.node.explorer.writes import Writes
from contractvm.node.fault import Fault
from contractvm.node.methods.debug import looked_into
from contractvm.node.node import Node
from state.database import HeightError

FILES: Final = {
    "explorer.css": b"text/css; charset=utf-8",
    "explorer.js": b"text/javascript; charset=utf-8",
    "mark.svg": b"image/svg+xml",
}
HTML: Final = (b"content-type", b"text/html; charset=utf-8")
TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
FRESH: Final = (b"cache-control", b"no-store")


class Explorer:
    """The explorer of one node. `handle` is called on the event loop's thread."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._guard = Guard(node.config.host)
        self._templates = environment()
        self._writes = Writes(node)

    async def handle(self, scope: Scope, body: bytes) -> Answer:
        """Answer a request. Errors that are no reader's and no chain's are the server's to report."""
        try:
            request = read(scope, body)
        except Wrong as error:
            return _plain(HTTPStatus.BAD_REQUEST, str(error))
        if not self._guard.admits(request.host):
            return _plain(
                HTTPStatus.FORBIDDEN,
                f"this node is not called {request.host[:100]!r}; open it by its own address, or start it with --host",
            )
        match request.path:
            case ("static", name) if name in FILES and request.method in ("GET", "HEAD"):
                return _file(name)
            case ("favicon.ico",):
                return _file("mark.svg")
        session = self._guard.session(request.headers.get("cookie", ""))
        given: list[tuple[bytes, bytes]] = []
        if session is None and request.method != "POST":
            session, cookie = self._guard.fresh()
            given = [cookie]
        if session is not None:
            request = _with_token(request, self._guard.token(session))
        status, told, content = await self._answer(request, session)
        return status, [*told, *given], content if request.method != "HEAD" else b""

    async def _answer(self, request: Request, session: str | None) -> Answer:
        try:
            if request.method == "POST":
                why = self._guard.refuses(
                    session,
                    request.form.get(FIELD, ""),
                    request.host,
                    request.headers.get("origin"),
                    request.headers.get("sec-fetch-site"),
                )
                if why is not None:
                    return await self._page(request, _problem(HTTPStatus.FORBIDDEN, "Not taken", why))
                return await self._show(request, await self._writes.take(request))
            if request.method not in ("GET", "HEAD"):
                return _plain(HTTPStatus.METHOD_NOT_ALLOWED, "pages are read by GET, forms are sent by POST")
            return await self._show(request, await self._made(request))
        except (Missing, UnknownBlock, HeightError) as error:
            return await self._page(request, _problem(HTTPStatus.NOT_FOUND, "Not found", str(error)))
        except Wrong as error:
            return await self._page(request, _problem(HTTPStatus.BAD_REQUEST, "Not understood", str(error)))
        except (ContractVMError, Fault) as error:
            words = f"{error}. If the chain was set back meanwhile, open the page again."
            return await self._page(request, _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "This went wrong", words))

    async def _made(self, request: Request) -> Page | Elsewhere:
        """The page that is asked for; no more transactions are looked into at a time than for other clients."""

        def make() -> Page | Elsewhere:
            return page_of(Lens(self._node), request)

        if looks_inside(request):
            return await looked_into(self._node, make)
        return await self._node.pace.elsewhere(make)

    async def _show(self, request: Request, result: Page | Elsewhere) -> Answer:
        if isinstance(result, Elsewhere):
            return HTTPStatus.SEE_OTHER, [*headers(), FRESH, (b"location", result.path.encode())], b""
        return await self._page(request, result)

    async def _page(self, request: Request, page: Page) -> Answer:
        def render() -> bytes:
            template = self._templates.get_template(page.template)
            facts = {"request": request, "lens": Lens(self._node), **page.facts}
            return template.render(facts).encode("utf-8", "backslashreplace")

        return page.status, [*headers(request.host), HTML, FRESH], await self._node.pace.elsewhere(render)


def _problem(status: HTTPStatus, title: str, words: str) -> Page:
    return Page("problem.html", {"title": title, "words": words}, status)


def _plain(status: HTTPStatus, words: str) -> Answer:
    return status, [*headers(), TEXT, FRESH], f"{words}\n".encode()


def _file(name: str) -> Answer:
    content = files("contractvm.node.explorer").joinpath("static", name).read_bytes()
    return HTTPStatus.OK, [*headers(), (b"content-type", FILES[name]), (b"cache-control", b"no-cache")], content


def _with_token(request: Request, token: str) -> Request:
    return Request(request.method, request.path, request.query, request.headers, request.form, token)
