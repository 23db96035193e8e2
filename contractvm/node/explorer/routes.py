"""Which page is at which path.

Never: makes a page; `pages` does.
"""

from __future__ import annotations

from contractvm.node.explorer.lens import Lens
from contractvm.node.explorer.pages import (
    accounts,
    address,
    block,
    contract,
    contracts,
    home,
    inside,
    search,
    transaction,
)
from contractvm.node.explorer.request import Elsewhere, Missing, Page, Request


def page_of(lens: Lens, request: Request) -> Page | Elsewhere:
    """The page that a request is for. Raises: Missing, Wrong, ContractVMError."""
    match request.path:
        case ():
            return home.home(lens)
        case ("blocks",):
            return home.blocks(lens, request)
        case ("txs",):
            return home.transactions(lens, request)
        case ("block", which):
            return block.block(lens, request, which)
        case ("tx", digest):
            return transaction.overview(lens, digest)
        case ("tx", digest, "calls"):
            return inside.calls(lens, digest)
        case ("tx", digest, "gas"):
            return inside.gas(lens, digest)
        case ("tx", digest, "state"):
            return inside.changes(lens, digest)
        case ("address", who):
            return address.transactions(lens, request, who)
        case ("address", who, "contract"):
            return contract.functions(lens, request, who)
        case ("address", who, "source"):
            return contract.source(lens, who)
        case ("address", who, "storage"):
            return contract.storage(lens, request, who)
        case ("address", who, "events"):
            return contract.events(lens, request, who)
        case ("contracts",):
            return contracts.contracts(lens, request)
        case ("accounts",):
            return accounts.accounts(lens)
        case ("pool",):
            return accounts.pool(lens)
        case ("search",):
            return search.search(lens, request)
    raise Missing("there is no page at this address")


def looks_inside(request: Request) -> bool:
    """Whether a page runs a transaction once more."""
    return request.path[:1] == ("tx",) and request.path[2:] in (("calls",), ("gas",), ("state",))
