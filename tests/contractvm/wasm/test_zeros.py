"""Zero bytes in place: what there was stays or goes, whatever the sizes."""

from __future__ import annotations

import pytest

from contractvm.wasm import zeros

SIZES = (0, 1, 100, 65_536, 1 << 20)


@pytest.mark.parametrize("more", SIZES)
@pytest.mark.parametrize("size", SIZES)
def test_renew(size: int, more: int) -> None:
    data = bytearray(b"\xff") * (size + more)
    zeros.renew(data, size)
    assert data == bytes(size)


@pytest.mark.parametrize(("there", "size"), [(100, 100), (200, 100), (200_000, 100_000)])
def test_renew_refuses_to_move_what_somebody_looks_at(there: int, size: int) -> None:
    data = bytearray(b"\xff") * there
    with memoryview(data), pytest.raises(BufferError):
        zeros.renew(data, size)
    assert data == b"\xff" * there
    zeros.renew(data, size)
    assert data == bytes(size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", SIZES)
def test_extend(size: int, count: int) -> None:
    data = bytearray(b"\xff") * size
    zeros.extend(data, count)
    assert data == b"\xff" * size + bytes(count)


def test_what_was_cut_off_does_not_come_back() -> None:
    data = bytearray(b"\xff") * 100_000
    del data[10:]
    zeros.extend(data, 99_990)
    assert data == b"\xff" * 10 + bytes(99_990)


def test_somebody_has_a_view() -> None:
    data = bytearray(b"\xff") * 10
    with memoryview(data), pytest.raises(BufferError):
        zeros.extend(data, 1)
    assert data == b"\xff" * 10
    zeros.extend(data, 1)
    assert len(data) == 11


def test_more_than_there_is() -> None:
    data = bytearray(b"\xff") * 10
    with pytest.raises(MemoryError):
        zeros.extend(data, 1 << 62)
    assert data == b"\xff" * 10
