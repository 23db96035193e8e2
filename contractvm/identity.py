"""The identity record: what a store's chain is, so that it is opened only by who means the same.

Source: design of the chain, section 8. Never: repairs or converts; a chain of another kind is refused untouched.
"""

from __future__ import annotations

from typing import Final

from contractvm.dataclass import dataclass
from contractvm.errors import ContractVMError
from contractvm.rules import Rules
from contractvm.types import Hash
from state.codec import PackError, pack, unpack

FORMAT: Final = 1
"""Of the chain's own records; another number is another layout."""


class IncompatibleChain(ContractVMError):
    """The store holds a chain of other rules, another id or format; nothing in it was touched."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a store's chain is; a chain is opened only by who means the same."""

    chain_id: int
    rules: bytes
    genesis: Hash
    backend: str

    def pack(self) -> bytes:
        """The record in the store."""
        return pack(
            {
                "format": FORMAT,
                "chain_id": self.chain_id,
                "rules": self.rules,
                "genesis": self.genesis,
                "backend": self.backend,
            }
        )

    @staticmethod
    def unpack(record: bytes) -> Identity:
        """Read the record. Raises: IncompatibleChain for another format or no identity at all."""
        try:
            fields = unpack(record)
        except PackError as error:
            raise IncompatibleChain(f"the store's identity record is damaged: {error}") from error
        if not isinstance(fields, dict) or fields.get("format") != FORMAT:
            found = fields.get("format") if isinstance(fields, dict) else None
            raise IncompatibleChain(f"the chain is stored in format {found!r}; this version reads format {FORMAT}")
        match fields:
            case {"chain_id": int(chain_id), "rules": bytes(rules), "genesis": bytes(genesis), "backend": str(backend)}:
                return Identity(chain_id, rules, Hash(genesis), backend)
        raise IncompatibleChain("the store's identity record lacks a field: it is damaged")

    def check(self, chain_id: int | None, rules: Rules, backend: str) -> None:
        """Refuse to be opened by who means another chain; `chain_id` None: any. Raises: IncompatibleChain."""
        if chain_id is not None and chain_id != self.chain_id:
            raise IncompatibleChain(f"the store's chain id is {self.chain_id}, not {chain_id}")
        if self.rules != rules.digest:
            raise IncompatibleChain(
                f"the chain was made under rules {self.rules.hex()[:16]}, these are {rules.digest.hex()[:16]} "
                f"({rules.name}); open it with the version that made it"
            )
        if self.backend != backend:
            raise IncompatibleChain(f"the chain was made on {self.backend}, the store is {backend}")
