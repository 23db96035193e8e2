"""Rules: the schedule, the features and the limits that hold at a block height. Forks and versions are data here.

Source: design of the chain; EIP-150/1559/2929/3529/3651/3860 numbers live in the gas schedule, not here.
Never: invalidates deployed code. Later Rules only ever widen what was accepted.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields
from functools import cache

from contractvm.dataclass import dataclass
from gas.schedule import Schedule, load

FEATURES = frozenset(
    {
        "mvp",
        "sign-extension",
        "mutable-globals",
        "multi-value",
        "bulk-memory",
        "reference-types",
        "extended-const",
        "tail-call",
        "wide-arithmetic",
    }
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Fixed sizes, each checked at deployment with its reason or trapped at one exact place at run time."""

    code_bytes: int = 262_144
    types: int = 4_096
    imports: int = 256
    functions: int = 8_192
    body_bytes: int = 131_072
    params: int = 128
    results: int = 16
    locals: int = 2_048
    """Parameters included, per function."""
    module_locals: int = 65_536
    """Declared in all functions together: what they take in memory must not outgrow the bytes that declare them."""
    nesting: int = 512
    """Blocks open at once in a function."""
    br_table_entries: int = 4_096
    carried_operands: int = 131_072
    """What a module's branches carry, each label counted, and its calls return: what a compiler writes grows with
    these, and two bytes can name 128 of them."""
    globals: int = 1_024
    exports: int = 1_024
    tables: int = 8
    table_entries: int = 16_384
    element_entries: int = 16_384
    """Sum over a module's element segments."""
    data_segments: int = 4_096
    name_bytes: int = 1_024
    memory_pages: int = 256
    """Of 64 KiB: what one instance can reach; a larger declared maximum is cut to it, a larger minimum refused."""
    live_pages: int = 2_048
    """Pages that all frames of one transaction hold at the same time."""
    stack_weight: int = 262_144
    """Budget of frame weights that each contract call starts with."""
    call_depth: int = 1_024
    """Contract calls nested in a transaction."""
    key_bytes: int = 4_096
    value_bytes: int = 65_536
    iterators: int = 16
    log_topics: int = 4
    log_bytes: int = 65_536
    input_bytes: int = 1_048_576
    """Of calldata, return data or revert data."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that can differ between heights of a chain or between chains."""

    name: str
    schedule: Schedule
    features: frozenset[str]
    limits: Limits
    contract: bool
    """True: only contracts (imports from `cvm1` alone, one memory, no start function). False: the bare engine."""
    covered_code_bytes: int = 24_576
    """Of cold code: what reaching its account pays for. EIP-170's size, beyond which EIP-7907 prices by the word."""
    elasticity: int = 2
    base_fee_denominator: int = 8

    @property
    def digest(self) -> bytes:
        """32 bytes over everything that can change an outcome or its gas."""
        h = hashlib.sha256(self.schedule.digest)
        h.update(f"{self.name}\n{','.join(sorted(self.features))}\n{self.contract}\n".encode())
        h.update(f"{self.elasticity} {self.base_fee_denominator} {self.covered_code_bytes}\n".encode())
        for field in fields(self.limits):
            h.update(f"{field.name}={getattr(self.limits, field.name)}\n".encode())
        return h.digest()


@cache
def contract_rules() -> Rules:
    """The rules of a chain from its first block on."""
    return Rules("cvm1", load("cvm1"), FEATURES, Limits(), contract=True)


@cache
def bare_rules() -> Rules:
    """The engine alone, for `contractvm run` and the specification's tests: any imports, wide limits.

    Wide, and yet such that no module takes a gigabyte or minutes to be looked at: a byte of code takes some 200 of
    memory once it is decoded and analysed, an entry of a table 8.
    """
    limits = Limits(
        code_bytes=4 << 20,
        types=100_000,
        imports=100_000,
        functions=100_000,
        body_bytes=7_654_321,
        params=1_000,
        results=1_000,
        locals=50_000,
        module_locals=5_000_000,
        nesting=4_096,
        br_table_entries=65_520,
        carried_operands=10_000_000,
        globals=100_000,
        exports=100_000,
        tables=32,
        table_entries=1_000_000,
        element_entries=1_000_000,
        data_segments=100_000,
        name_bytes=100_000,
        memory_pages=16_384,
        live_pages=16_384,
        stack_weight=1_048_576,
    )
    return Rules("bare", load("cvm1"), FEATURES, limits, contract=False)
