"""What host functions cost: the schedule's prices as attributes, looked up once for each set of rules.

Field `slot_read_unit` is the price `slot.read_unit`: the first underscore is the dot. Never: a price of its own.
"""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache

from contractvm.dataclass import dataclass
from gas.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Prices:
    """Milligas, except `call_stipend`, which is whole gas because it is handed over rather than charged."""

    host_base: int
    copy_base: int
    copy_word: int
    env_read: int
    env_copy: int
    frame_end: int
    slot_cold: int
    slot_warm: int
    slot_set: int
    slot_reset: int
    slot_sentry: int
    slot_clear_refund: int
    slot_read_unit: int
    slot_write_unit: int
    transient_base: int
    transient_unit: int
    iter_open: int
    iter_next: int
    account_cold: int
    account_warm: int
    block_hash: int
    call_value: int
    call_stipend: int
    call_new_account: int
    create_base: int
    log_base: int
    log_topic: int
    log_byte: int
    keccak_base: int
    keccak_word: int
    sha256_base: int
    sha256_word: int
    blake2b_base: int
    blake2b_word: int
    ripemd160_base: int
    ripemd160_word: int
    ecrecover_base: int
    secp256k1_base: int
    ed25519_base: int
    ed25519_word: int
    u256_base: int
    u256_exp_byte: int

    @staticmethod
    @lru_cache(maxsize=16)
    def of(schedule: Schedule) -> Prices:
        """Read them. Raises: ScheduleError, naming a price that is missing."""
        prices = {field.name: schedule.milli(price_name(field.name)) for field in fields(Prices)}
        prices["call_stipend"] = schedule.gas("call.stipend")
        return Prices(**prices)


def price_name(field: str) -> str:
    """The schedule's name of a field of `Prices`."""
    return field.replace("_", ".", 1)
