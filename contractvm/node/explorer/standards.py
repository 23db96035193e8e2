"""Functions and events of the token standards, to read contracts of which nothing is known but their bytes.

A signature that fits is a good guess and no more, and pages say so.
Source: EIP-20, 721, 1155, 165, 173, 2612. Never: used where a contract's own interface is known.
"""

from __future__ import annotations

from typing import Final

from sdk.interface import Interface

_TEXT: Final = {
    "ERC-20": (
        "name() view returns (string)",
        "symbol() view returns (string)",
        "decimals() view returns (uint8)",
        "totalSupply() view returns (uint256)",
        "balanceOf(address owner) view returns (uint256)",
        "allowance(address owner, address spender) view returns (uint256)",
        "transfer(address to, uint256 value) returns (bool)",
        "approve(address spender, uint256 value) returns (bool)",
        "transferFrom(address from, address to, uint256 value) returns (bool)",
        "event Transfer(address indexed from, address indexed to, uint256 value)",
        "event Approval(address indexed owner, address indexed spender, uint256 value)",
    ),
    "ERC-721": (
        "ownerOf(uint256 tokenId) view returns (address)",
        "safeTransferFrom(address from, address to, uint256 tokenId)",
        "safeTransferFrom(address from, address to, uint256 tokenId, bytes data)",
        "setApprovalForAll(address operator, bool approved)",
        "event Transfer(address indexed from, address indexed to, uint256 indexed tokenId)",
        "event Approval(address indexed owner, address indexed approved, uint256 indexed tokenId)",
        "event ApprovalForAll(address indexed owner, address indexed operator, bool approved)",
    ),
    "ERC-1155": (
        "safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes data)",
        "safeBatchTransferFrom(address from, address to, uint256[] ids, uint256[] values, bytes data)",
        "balanceOfBatch(address[] owners, uint256[] ids) view returns (uint256[])",
        "event TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, "
        "uint256 value)",
        "event TransferBatch(address indexed operator, address indexed from, address indexed to, uint256[] ids, "
        "uint256[] values)",
    ),
    "ERC-165": ("supportsInterface(bytes4 interfaceId) view returns (bool)",),
    "ERC-173": (
        "owner() view returns (address)",
        "transferOwnership(address newOwner)",
        "event OwnershipTransferred(address indexed previousOwner, address indexed newOwner)",
    ),
    "ERC-2612": (
        "permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)",
        "nonces(address owner) view returns (uint256)",
    ),
}
STANDARDS: Final = {name: Interface().extended(texts) for name, texts in _TEXT.items()}
"""Interfaces by the standard's name; where two have one signature, the first is the guess."""
