"""Why a transaction was refused before it ran: one class a reason, so that callers branch on types, clients on words.

Each message starts with the phrase that geth's clients match (`nonce too low`, `insufficient funds`, ...), then gives
the numbers and the way out. A rejected transaction leaves no receipt and changes nothing.
Source: go-ethereum core/error.go and core/txpool/errors.go for the phrases; EIP-2, 155, 1559, 2681, 3607 for the rules.
"""

from __future__ import annotations

from contractvm.errors import Rejected


class MalformedTransaction(Rejected):
    """The bytes are not the canonical encoding of a transaction of a supported type."""


class UnsupportedType(MalformedTransaction):
    """A typed transaction (EIP-2718) that this chain does not take; the message names the type."""


class InvalidSignature(Rejected):
    """r, s or the parity is out of range (EIP-2: s above half the order), or no key fits them."""


class WrongChain(Rejected):
    """Signed for another chain id (EIP-155)."""


class NonceTooLow(Rejected):
    """The account has already used this nonce."""


class NonceTooHigh(Rejected):
    """Earlier nonces of the account are missing."""


class InsufficientFunds(Rejected):
    """The balance does not cover value plus the gas limit at the highest price."""


class IntrinsicGasTooLow(Rejected):
    """The gas limit does not pay for the transaction's own bytes."""


class FeeTooLow(Rejected):
    """The fee cap is under the block's base fee (EIP-1559)."""


class Underpriced(Rejected):
    """The pool has something better: a replacement that adds under a tenth, or a full pool."""


class AlreadyKnown(Rejected):
    """The very same transaction is in the pool or in a block."""


class SenderNotEOA(Rejected):
    """The sender has code, so it cannot have signed (EIP-3607)."""


class LimitExceeded(Rejected):
    """A size that the chain's rules bound: calldata, block gas, transactions an account may queue."""
