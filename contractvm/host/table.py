"""THE HOST TABLE: one row an import of module `cvm1`.

The linker takes a row's signature and binds its function to a frame's `Host`; the generated C header and `docs/host.md`
take name, arguments and text; the tests demand that each row is priced, documented and does what the package promises.
Never: a function that is in the table but not in the design, or the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from contractvm.host import accounts, arithmetic, calls, context, hashing, storage
from contractvm.host.row import HostRow, How

_STATUS = (
    "Returns 0 ok, 1 revert, 2 out of gas, 3 trap, 4 funds, 5 depth, 6 no code and input not empty, 7 re-entry denied."
)
_READ = ("slot.cold", "slot.read_unit")
_WRITE = ("slot.sentry", "slot.write_unit", "slot.cold", "slot.set", "slot.reset", "slot.clear_refund")
_COPY = ("copy.word",)
_CALL = ("copy.word", "account.cold", "call.value", "call.new_account", "call.stipend")
_RANGE = "Flags: 1 descending, 2 keys only."

HOST: tuple[HostRow, ...] = (
    # Storage
    HostRow(
        "storage_get",
        "iiii",
        "i",
        "slot.warm",
        "Copies the value under a key; -1 when there is none. Cold slots and values beyond the first unit pay more.",
        storage.storage_get,
        _READ,
    ),
    HostRow(
        "storage_set",
        "iiii",
        "",
        "slot.warm",
        "Stores a value under a key; an empty value removes it. Priced by what changes, as Ethereum's SSTORE, for the "
        "first 32 bytes of key plus value and by the unit for the rest. Traps in static frames.",
        storage.storage_set,
        _WRITE,
    ),
    HostRow(
        "storage_has",
        "ii",
        "i",
        "slot.warm",
        "Returns 1 if there is a value under a key, otherwise 0. Reads and pays as `storage_get`.",
        storage.storage_has,
        _READ,
    ),
    HostRow(
        "storage_remove",
        "ii",
        "i",
        "slot.warm",
        "Removes the value under a key; returns 1 if there was one, otherwise 0. Traps in static frames.",
        storage.storage_remove,
        _WRITE,
    ),
    HostRow(
        "transient_get",
        "iiii",
        "i",
        "transient.base",
        "Copies a value that lasts until the end of the transaction; -1 when there is none.",
        storage.transient_get,
        ("transient.unit",),
    ),
    HostRow(
        "transient_set",
        "iiii",
        "",
        "transient.base",
        "Keeps a value under a key until the transaction ends; an empty value removes it. Traps in static frames.",
        storage.transient_set,
        ("transient.unit",),
    ),
    # Iteration
    HostRow(
        "iter_open",
        "iiiii",
        "i",
        "iter.open",
        "Opens an iterator over the keys from `start` on and before `end` (an empty end: no bound) in byte order and "
        f"returns its handle, 1 or more. {_RANGE} At most 16 are open in a frame.",
        storage.iter_open,
        _COPY,
    ),
    HostRow(
        "iter_next",
        "i",
        "i",
        "iter.next",
        "Moves to the next key after the last one given, in storage as it is now. Returns 1, or 0 at the end; both pay "
        "a cold read. The value is read with it unless the iterator is for keys only.",
        storage.iter_next,
        ("slot.read_unit",),
    ),
    HostRow(
        "iter_close", "i", "", "host.base", "Closes an iterator; its handle is not used again.", storage.iter_close
    ),
    HostRow(
        "iter_key",
        "iii",
        "i",
        "copy.base",
        "Copies the key the iterator stands on; -1 before the first and behind the last.",
        storage.iter_key,
        _COPY,
    ),
    HostRow(
        "iter_value",
        "iii",
        "i",
        "copy.base",
        "Copies the value found with the key the iterator stands on; -1 where there is none or only keys are read.",
        storage.iter_value,
        _COPY,
    ),
    # Hashes and signatures
    HostRow(
        "keccak256",
        "iii",
        "",
        "keccak.base",
        "Writes the 32-byte Keccak-256 (Ethereum's hash) of a range.",
        hashing.keccak256,
        ("keccak.word",),
    ),
    HostRow(
        "sha256", "iii", "", "sha256.base", "Writes the 32-byte SHA-256 of a range.", hashing.sha256, ("sha256.word",)
    ),
    HostRow(
        "blake2b256",
        "iii",
        "",
        "blake2b.base",
        "Writes the 32-byte BLAKE2b-256 of a range.",
        hashing.blake2b256,
        ("blake2b.word",),
    ),
    HostRow(
        "ripemd160",
        "iii",
        "",
        "ripemd160.base",
        "Writes the 20-byte RIPEMD-160 of a range.",
        hashing.ripemd160,
        ("ripemd160.word",),
    ),
    HostRow(
        "ecrecover",
        "iiii",
        "i",
        "ecrecover.base",
        "Writes the 20-byte address that signed (r, s: 32 bytes each, big-endian) a 32-byte digest and "
        "returns 20; -1 when there is none. `recid` is 0 to 3 (Ethereum's v less 27). Accepts high s.",
        hashing.ecrecover,
    ),
    HostRow(
        "secp256k1_verify",
        "iiii",
        "i",
        "secp256k1.base",
        "Returns 1 if a signature (r, s) of a 32-byte digest is by a key of 33 or 65 bytes, otherwise 0. Refuses "
        "high s and hybrid keys.",
        hashing.secp256k1_verify,
    ),
    HostRow(
        "ed25519_verify",
        "iiii",
        "i",
        "ed25519.base",
        "Returns 1 if a 64-byte Ed25519 signature of a message is by a 32-byte key, otherwise 0. RFC 8032 without "
        "cofactor; non-canonical encodings are refused.",
        hashing.ed25519_verify,
        ("ed25519.word",),
    ),
    # 256-bit arithmetic: numbers of 32 bytes, little-endian
    HostRow("u256_mul", "iii", "", "u256.base", "Writes a * b modulo 2^256.", arithmetic.u256_mul),
    HostRow("u256_div", "iii", "", "u256.base", "Writes a / b rounded down; 0 when b is 0.", arithmetic.u256_div),
    HostRow("u256_mod", "iii", "", "u256.base", "Writes the remainder of a / b; 0 when b is 0.", arithmetic.u256_mod),
    HostRow(
        "u256_exp",
        "iii",
        "",
        "u256.base",
        "Writes a to the power b, modulo 2^256.",
        arithmetic.u256_exp,
        ("u256.exp_byte",),
    ),
    HostRow("u256_addmod", "iiii", "", "u256.base", "Writes (a + b) modulo m; 0 when m is 0.", arithmetic.u256_addmod),
    HostRow("u256_mulmod", "iiii", "", "u256.base", "Writes (a * b) modulo m; 0 when m is 0.", arithmetic.u256_mulmod),
    # The frame
    HostRow("caller", "i", "", "env.read", "Writes the 20-byte address that called.", context.caller, native=How.WRITE),
    HostRow(
        "origin",
        "i",
        "",
        "env.read",
        "Writes the 20-byte address that signed the transaction.",
        context.origin,
        native=How.WRITE,
    ),
    HostRow(
        "self_address",
        "i",
        "",
        "env.read",
        "Writes the 20-byte address whose storage and balance this frame has.",
        context.self_address,
        native=How.WRITE,
    ),
    HostRow(
        "coinbase",
        "i",
        "",
        "env.read",
        "Writes the 20-byte address the block pays.",
        context.coinbase,
        native=How.WRITE,
    ),
    HostRow(
        "value",
        "i",
        "",
        "env.read",
        "Writes the wei sent with the call, 32 bytes little-endian.",
        context.value,
        native=How.WRITE,
    ),
    HostRow(
        "gas_price",
        "i",
        "",
        "env.read",
        "Writes the wei paid for a gas, 32 bytes little-endian.",
        context.gas_price,
        native=How.WRITE,
    ),
    HostRow(
        "base_fee",
        "i",
        "",
        "env.read",
        "Writes the block's base fee in wei, 32 bytes little-endian.",
        context.base_fee,
        native=How.WRITE,
    ),
    HostRow(
        "block_number", "", "I", "env.read", "Returns the block's number.", context.block_number, native=How.NUMBER
    ),
    HostRow(
        "block_timestamp",
        "",
        "I",
        "env.read",
        "Returns the block's time in seconds since 1970.",
        context.block_timestamp,
        native=How.NUMBER,
    ),
    HostRow("chain_id", "", "I", "env.read", "Returns the chain's id.", context.chain_id, native=How.NUMBER),
    HostRow(
        "gas_left",
        "",
        "I",
        "env.read",
        "Returns the gas left after paying for this call.",
        context.gas_left,
        native=How.GAS_LEFT,
    ),
    HostRow(
        "block_hash",
        "Ii",
        "i",
        "block.hash",
        "Writes the 32-byte hash of one of the last 256 blocks and returns 32; -1 for other numbers.",
        context.block_hash,
    ),
    HostRow(
        "input_size", "", "i", "env.read", "Returns the input's length in bytes.", context.input_size, native=How.SIZE
    ),
    HostRow(
        "input_copy",
        "iii",
        "i",
        "env.copy",
        "Copies the input from an offset on; returns the length of all of it.",
        context.input_copy,
        _COPY,
        How.COPY,
    ),
    HostRow(
        "returndata_size",
        "",
        "i",
        "env.read",
        "Returns the length of what the last call returned or reverted with.",
        context.returndata_size,
        native=How.SIZE,
    ),
    HostRow(
        "returndata_copy",
        "iii",
        "i",
        "env.copy",
        "Copies the last call's output from an offset on; returns the length of all of it.",
        context.returndata_copy,
        _COPY,
        How.COPY,
    ),
    HostRow(
        "finish", "ii", "", "frame.end", "Ends the frame with a range as its output.", context.finish, _COPY, How.FINISH
    ),
    HostRow(
        "revert",
        "ii",
        "",
        "frame.end",
        "Undoes what the frame did and ends it with a range as reason.",
        context.revert,
        _COPY,
        How.REVERT,
    ),
    HostRow(
        "log",
        "iiii",
        "",
        "log.base",
        "Writes an event of up to four 32-byte topics and data. Traps in static frames.",
        context.log,
        ("log.topic", "log.byte"),
    ),
    HostRow(
        "debug_print",
        "ii",
        "",
        "copy.base",
        "Shows text to the developer where somebody looks; costs the same everywhere.",
        context.debug_print,
        _COPY,
    ),
    # Accounts
    HostRow(
        "balance",
        "ii",
        "i",
        "account.warm",
        "Writes an address's wei, 32 bytes little-endian, and returns 32. Cold accounts pay more.",
        accounts.balance,
        ("account.cold",),
    ),
    HostRow(
        "code_hash",
        "ii",
        "i",
        "account.warm",
        "Writes the 32-byte hash of an account's code and returns 32; -1 when there is no such account.",
        accounts.code_hash,
        ("account.cold",),
    ),
    HostRow(
        "code_size",
        "i",
        "i",
        "account.warm",
        "Returns the length of an account's code.",
        accounts.code_size,
        ("account.cold",),
    ),
    HostRow(
        "code_copy",
        "iiii",
        "i",
        "account.warm",
        "Copies an account's code from an offset on; returns the length of all of it.",
        accounts.code_copy,
        ("account.cold", "copy.word"),
    ),
    # Calls
    HostRow(
        "call",
        "iiiiIi",
        "i",
        "account.warm",
        "Calls an address with wei (32 bytes little-endian) and input, forwarding at most `gas`, never more than 63/64 "
        f"of what is left. Flag 1 allows re-entry. {_STATUS}",
        calls.call,
        _CALL,
    ),
    HostRow(
        "static_call",
        "iiiIi",
        "i",
        "account.warm",
        f"Calls an address that then may not change anything. Flag 1 allows re-entry. {_STATUS}",
        calls.static_call,
        _CALL[:2],
    ),
    HostRow(
        "delegate_call",
        "iiiIi",
        "i",
        "account.warm",
        f"Runs an address's code on this frame's storage, caller and value. Flag 1 allows re-entry. {_STATUS}",
        calls.delegate_call,
        _CALL[:2],
    ),
    HostRow(
        "transfer",
        "ii",
        "i",
        "account.warm",
        f"Sends wei (32 bytes little-endian): `call` with empty input and all gas that may go along. {_STATUS}",
        calls.transfer,
        _CALL[1:],
    ),
    HostRow(
        "create",
        "iiiiiIi",
        "i",
        "create.base",
        "Deploys code followed by constructor input, with wei; writes the new 20-byte address when the status "
        f"is 0. {_STATUS}",
        calls.create,
        _COPY,
    ),
    HostRow(
        "create2",
        "iiiiiIii",
        "i",
        "create.base",
        f"As `create`, at an address that depends on a 32-byte salt instead of the nonce. {_STATUS}",
        calls.create2,
        ("copy.word", "keccak.word"),
    ),
)

BY_NAME: Mapping[str, HostRow] = MappingProxyType({row.name: row for row in HOST})
"""Rows by import name."""
