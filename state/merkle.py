"""Merkle-Patricia nodes as bytes: how each kind is encoded and referred to, roots of small tries, proof checking.

Yellow Paper, appendix D. Paths are hex digits in ASCII, so that cutting, comparing and packing them stay in C. This
module holds what needs no store: `trie_root` for the transactions and receipts of one block, `verify_proof` for anyone
who has only a root. The state's own tries, which live in the store, are in `state.trie`.
"""

from binascii import hexlify, unhexlify
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from state.codec import Item, RLPError, decode, encode_bytes, wrap_list

Keccak: TypeAlias = Callable[[bytes], bytes]

EMPTY_ROOT = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
EMPTY_ITEM = b"\x80"  # the RLP of the empty string: an unused slot of a branch
_SHORT = [bytes((0x80 + size,)) for size in range(56)]
DIGITS = b"0123456789abcdef"
SLOT = {digit: slot for slot, digit in enumerate(DIGITS)}
"""The slot of a branch that each digit of a path, as an ASCII code, leads to."""
HASHED = 33  # bytes of a reference by hash: the header a0 and the digest
MAX_KEY_BYTES = 32  # of `trie_root`, a hash: bounds its recursion; the tries of a block have keys of at most 9


class ProofError(ValueError):
    """A proof that does not show what it claims; the message names the node and the reason."""


def path_of(key: bytes) -> bytes:
    """Return the digits of a trie's key."""
    return hexlify(key)


def agreement(one: bytes, other: bytes, start: int) -> int:
    """Return how many digits two paths share, given that they share the first `start`."""
    end = min(len(one), len(other))
    at = start
    while at < end and one[at] == other[at]:
        at += 1
    return at


def hex_prefix(path: bytes, *, leaf: bool) -> bytes:
    """Return `path` packed two digits a byte after the flags of its kind and parity (Yellow Paper, appendix C)."""
    if len(path) & 1:
        return unhexlify((b"3" if leaf else b"1") + path)
    return unhexlify((b"20" if leaf else b"00") + path)


def leaf_node(path: bytes, value: bytes) -> bytes:
    """Return the node that holds `value` at the end of `path`."""
    packed = unhexlify((b"3" if len(path) & 1 else b"20") + path)
    size = len(packed)
    return wrap_list((_SHORT[size] if size > 1 else b"") + packed + encode_bytes(value))


def extension_node(path: bytes, reference: bytes) -> bytes:
    """Return the node that leads along `path` to the node `reference` stands for."""
    return wrap_list(encode_bytes(hex_prefix(path, leaf=False)) + reference)


def reference_of(node: bytes, keccak: Keccak) -> bytes:
    """Return how a parent refers to `node`: the node itself below 32 bytes, else the RLP of its hash."""
    return node if len(node) < 32 else b"\xa0" + keccak(node)


def root_of(reference: bytes, keccak: Keccak) -> bytes:
    """Return the root hash of a trie whose top node has this reference."""
    return reference[1:] if len(reference) == HASHED else keccak(reference)


def trie_root(items: Mapping[bytes, bytes] | Iterable[tuple[bytes, bytes]], keccak: Keccak) -> bytes:
    """Return the root of the trie that maps each key, as it stands, to its value; an empty value is no entry.

    Raises:
        ValueError: a key is longer than `MAX_KEY_BYTES`.
    """
    pairs = dict(items)
    if any(len(key) > MAX_KEY_BYTES for key in pairs):
        raise ValueError(f"a key is longer than {MAX_KEY_BYTES} bytes")
    leaves = sorted((hexlify(key), value) for key, value in pairs.items() if value)
    return keccak(_node(leaves, 0, keccak)) if leaves else EMPTY_ROOT


def _node(leaves: list[tuple[bytes, bytes]], depth: int, keccak: Keccak) -> bytes:
    """Return the node over sorted, non-empty `leaves`, which agree in their first `depth` digits."""
    first, value = leaves[0]
    if len(leaves) == 1:
        return leaf_node(first[depth:], value)
    shared = agreement(first, leaves[-1][0], depth)
    if shared > depth:
        return extension_node(first[depth:shared], reference_of(_node(leaves, shared, keccak), keccak))
    slots = [EMPTY_ITEM] * 17
    low = 0
    if len(first) == depth:
        slots[16] = encode_bytes(value)
        low = 1
    while low < len(leaves):
        digit = leaves[low][0][depth]
        high = low + 1
        while high < len(leaves) and leaves[high][0][depth] == digit:
            high += 1
        slots[SLOT[digit]] = reference_of(_node(leaves[low:high], depth + 1, keccak), keccak)
        low = high
    return wrap_list(b"".join(slots))


def verify_proof(root: bytes, key: bytes, proof: Sequence[bytes], keccak: Keccak) -> bytes | None:
    """Return the value that `proof` shows at `key` under `root`, or None when it shows that there is none.

    Args:
        key: the trie's own key: keccak(address) or keccak(storage key) in the state, rlp(index) in a block.
        proof: the nodes from the root down, as EIP-1186 gives them.

    Raises:
        ProofError: a node is missing, altered or left over, or does not parse.
    """
    if root == EMPTY_ROOT and list(proof) in ([], [EMPTY_ITEM]):
        return None
    path, depth, used = hexlify(key), 0, 1
    node = _open(root, proof, 0, keccak)
    while True:
        child: Item
        if len(node) == 17:
            if depth == len(path):
                child = node[16]
                break
            child = node[SLOT[path[depth]]]
            depth += 1
        else:
            part, is_leaf = _unpack(node[0], used - 1)
            if not path.startswith(part, depth) or (is_leaf and len(path) != depth + len(part)):
                child = b""
                break
            depth += len(part)
            child = node[1]
            if is_leaf:
                break
        if isinstance(child, list):
            node = _shape(child, used - 1)
        elif not child:
            break
        else:
            node = _open(child, proof, used, keccak)
            used += 1
    if used != len(proof):
        raise ProofError(f"{len(proof) - used} nodes are left over after node {used - 1}")
    if not isinstance(child, bytes):
        raise ProofError(f"node {used - 1}: a value is a list")
    return child or None


def _open(expected: bytes, proof: Sequence[bytes], at: int, keccak: Keccak) -> list[Item]:
    if at >= len(proof):
        raise ProofError(f"node {at} is missing; its hash is {expected.hex()}")
    if keccak(proof[at]) != expected:
        raise ProofError(f"node {at} does not hash to {expected.hex()}")
    try:
        return _shape(decode(proof[at]), at)
    except RLPError as error:
        raise ProofError(f"node {at} is no RLP: {error}") from error


def _shape(node: Item, at: int) -> list[Item]:
    if isinstance(node, bytes) or len(node) not in (2, 17):
        raise ProofError(f"node {at} is neither a branch of 17 items nor a pair")
    return node


def _unpack(packed: Item, at: int) -> tuple[bytes, bool]:
    """Undo `hex_prefix`."""
    digits = hexlify(packed) if isinstance(packed, bytes) else b""
    kind, second = digits[:1], digits[1:2]
    if kind in (b"1", b"3"):
        return digits[1:], kind == b"3"
    if kind in (b"0", b"2") and second == b"0":
        return digits[2:], kind == b"2"
    raise ProofError(f"node {at} has no valid path")
