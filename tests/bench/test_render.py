"""How the bench shows its rows."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.bench import render
from tests.bench.__main__ import main
from tests.bench.report import Row
from tests.bench.sampler import REST, Rule, sampled

RATE = Row("transfers", 6_000.0, "tx/s", "floor", 30_000.0, ">= 5,000")
TIME = Row("root", 10.0, "us a leaf", "naive", 40.0)
ALONE = Row("gas", 52_000.0, "gas")


def test_better_means_more_of_a_rate_and_less_of_a_time() -> None:
    assert render.ratio(RATE) == 0.2
    assert render.ratio(TIME) == 4.0
    assert render.ratio(ALONE) is None


def test_a_table_has_a_line_a_row_and_aligned_columns() -> None:
    lines = render.table([RATE, TIME, ALONE]).splitlines()
    assert [line.split()[0] for line in lines] == ["figure", "transfers", "root", "gas"]
    assert lines[1].index("tx/s") == lines[2].index("us a leaf") == lines[0].index("unit")
    assert lines[1].endswith(">= 5,000")


def test_json_has_every_figure_unrounded() -> None:
    found = json.loads(json.dumps(render.as_object({"cpu": "x"}, {"tx": [RATE]})))
    assert found["machine"] == {"cpu": "x"}
    assert found["sections"]["tx"][0] | {"ratio": 0.2} == found["sections"]["tx"][0]
    assert found["sections"]["tx"][0]["value"] == 6_000.0


def test_the_page_names_the_command_of_each_section() -> None:
    page = render.page({"cpu": "x"}, {"tx": [RATE], "state": [TIME]})
    assert "`python -m tests.bench tx`" in page
    assert "| root | 10 | us a leaf | naive | 40 | 4 |  |" in page


def test_an_unknown_section_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["speed"])
    assert left.value.code == 2
    assert "no section speed; there are start, tx, compute, native, contracts, kit, state" in capsys.readouterr().err


def test_missing_peers_are_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.bench.compile.NEEDED", {"pywasm": "a_package_that_nobody_has"})
    assert main(["compute"]) == 1
    assert "the bench needs pywasm: pip install '.[bench]'" in capsys.readouterr().err


def test_samples_count_for_the_innermost_frame_with_a_rule() -> None:
    def busy() -> int:
        return sum(range(3_000_000))

    with sampled([Rule("here", "test_render.py", frozenset({"busy"}))]) as counts:
        while counts.total() < 5:
            busy()
    assert counts["here"] > 0
    assert set(counts) <= {"here", REST}


def test_help_does_not_need_the_peers() -> None:
    done = subprocess.run([sys.executable, "-m", "tests.bench", "--help"], capture_output=True, text=True, check=True)
    assert "start|tx|compute|native|contracts|kit|state" in done.stdout.replace("\n", "")
