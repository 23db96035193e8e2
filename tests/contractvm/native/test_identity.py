"""Cache keys: whatever an object depends on changes its key."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from contractvm.native import identity
from tests.sources import ROOT

X86 = """processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 85
model name\t: Example
microcode\t: 0x1
cpu MHz\t\t: 2000.000
flags\t\t: fpu bmi2 avx2

processor\t: 1
flags\t\t: fpu
"""
ARM = "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd aes\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"


@pytest.fixture(autouse=True)
def forgetful() -> None:
    """Facts of the process are read once; a test that changes them reads them again."""
    for function in (identity.surroundings, identity.cpu, identity.llvmlite_version):
        function.cache_clear()


def with_cpuinfo(text: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    path.write_text(text)
    monkeypatch.setattr(identity, "CPUINFO", str(path))
    identity.cpu.cache_clear()
    return identity.cpu()


def test_a_key_is_32_bytes_and_stands() -> None:
    key = identity.cache_key(b"code", b"rules", b"generator")
    assert len(key) == 32
    program = (
        "from contractvm.native.identity import cache_key; print(cache_key(b'code', b'rules', b'generator').hex())"
    )
    for seed in ("0", "1"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, check=True
        )
        assert done.stdout.decode().strip() == key.hex()


def test_each_part_counts_and_none_runs_into_the_next() -> None:
    keys = {
        identity.cache_key(*parts)
        for parts in (
            (b"a", b"b", b"c"),
            (b"a", b"b", b"d"),
            (b"a", b"x", b"c"),
            (b"b", b"b", b"c"),
            (b"ab", b"", b"c"),
        )
    }
    assert len(keys) == 5


def test_the_surroundings_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keys = [identity.cache_key(b"", b"", b"")]

    def another() -> None:
        identity.surroundings.cache_clear()
        keys.append(identity.cache_key(b"", b"", b""))

    with_cpuinfo(X86, tmp_path / "cpuinfo", monkeypatch)
    another()
    monkeypatch.setattr(identity, "llvmlite_version", lambda: "99.0")
    another()
    monkeypatch.setattr(identity, "llvmlite_version", lambda: None)
    another()
    monkeypatch.setattr(identity, "python_abi", lambda: "cpython-399")
    another()
    monkeypatch.setattr(sys, "byteorder", "middle")
    another()
    assert len(set(keys)) == len(keys) == 6


def test_the_processor_is_its_model_and_features(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "cpuinfo"
    first = with_cpuinfo(X86, path, monkeypatch)
    same = X86.replace("2000.000", "800.000").replace("0x1", "0x2").replace("flags\t\t: fpu\n", "flags\t\t: none\n")
    assert same != X86 and with_cpuinfo(same, path, monkeypatch) == first
    for changed in (X86.replace(" avx2", ""), X86.replace(": 85", ": 86"), ARM, ARM.replace(" aes", "")):
        assert with_cpuinfo(changed, path, monkeypatch) != first
    assert with_cpuinfo(ARM, path, monkeypatch) != with_cpuinfo(ARM.replace("0xd0c", "0xd40"), path, monkeypatch)


def test_a_processor_that_nobody_describes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(identity, "CPUINFO", str(tmp_path / "none"))
    without = identity.cpu()
    assert without == with_cpuinfo("", tmp_path / "empty", monkeypatch)
    assert without != with_cpuinfo(X86, tmp_path / "some", monkeypatch)


def test_only_the_first_processor_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    many = tmp_path / "cpuinfo"
    many.write_text(X86 * 1000)
    monkeypatch.setattr(identity, "CPUINFO", str(many))
    assert identity.first_processor() + "\n\n" == X86.partition("processor\t: 1")[0]


def test_the_version_is_what_pip_says(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        expected: str | None = version("llvmlite")
    except PackageNotFoundError:
        expected = None
    assert identity.llvmlite_version() == expected
    monkeypatch.setattr(identity, "find_spec", lambda name: None)
    identity.llvmlite_version.cache_clear()
    assert identity.llvmlite_version() is None


@pytest.mark.parametrize(
    ("folders", "found"),
    [
        (("llvmlite-0.50.0.dist-info",), "0.50.0"),
        (("llvmlite-1.0rc1.dist-info", "llvmlite_extra-3.dist-info", "llvmlite.libs"), "1.0rc1"),
    ],
)
def test_the_version_is_read_off_a_folder(
    folders: tuple[str, ...], found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("llvmlite", *folders):
        (tmp_path / name).mkdir()
    (tmp_path / "llvmlite" / "__init__.py").write_text("raise SystemExit('nobody imports this here')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "llvmlite", raising=False)  # what is imported is found first
    assert identity.llvmlite_version() == found


def test_sources_count_by_name_and_content(tmp_path: Path) -> None:
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("1")
    two.write_text("2")
    first = identity.sources_digest([one, two])
    assert len(first) == 32 and identity.sources_digest(iter([two, one])) == first
    two.write_text("3")
    assert identity.sources_digest([one, two]) != first
    assert identity.sources_digest([one]) != first
    two.rename(tmp_path / "three.py")
    assert identity.sources_digest([one, tmp_path / "three.py"]) != first
    with pytest.raises(FileNotFoundError):
        identity.sources_digest([one, two])


def test_a_key_needs_neither_llvmlite_nor_metadata() -> None:
    program = (
        "import sys; from contractvm.native.identity import cache_key; cache_key(b'', b'', b'');"
        "print([m for m in ('llvmlite', 'importlib.metadata', 'platform') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
