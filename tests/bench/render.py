"""Shows the bench's rows: a table for people, one JSON object for programs, a page for the docs.

Rates (units that end in "/s") are better when higher, everything else when lower; the ratio always says how many times
better than its peer a figure is. Never: rounds what it writes as JSON.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.report import Row

HEADER = ("figure", "value", "unit", "beside", "its value", "times better", "target")
Sections = Mapping[str, Sequence[Row]]


def ratio(row: Row) -> float | None:
    """How many times better than its peer the row is, or None without a peer."""
    if row.peer_value is None or not row.value or not row.peer_value:
        return None
    return row.value / row.peer_value if row.unit.endswith("/s") else row.peer_value / row.value


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    load = os.getloadavg()[0]
    return {
        "cpu": _cpu(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load before": f"{load:.1f}",
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def machine_line(facts: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())


def table(rows: Sequence[Row]) -> str:
    """Aligned columns."""
    cells = [HEADER, *(_cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(HEADER))]
    numeric = {1, 4, 5}

    def show(line: Sequence[str]) -> str:
        aligned = (
            c.rjust(w) if i in numeric else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True))
        )
        return "  ".join(aligned).rstrip()

    return "\n".join(map(show, cells))


def as_object(facts: Mapping[str, str], sections: Sections) -> dict[str, object]:
    """One JSON-ready object: the machine and the rows by section."""
    rows = {name: [asdict(row) | {"ratio": ratio(row)} for row in found] for name, found in sections.items()}
    return {"machine": dict(facts), "sections": rows}


def page(facts: Mapping[str, str], sections: Sections) -> str:
    """docs/benchmarks.md."""
    parts = [
        "# Benchmarks",
        "Each figure stands beside its peer of the same run. `python -m tests.bench --write` makes this page.",
        f"Machine: {machine_line(facts)}. Carry ratios, not times.",
    ]
    for name, rows in sections.items():
        lines = [" | ".join(HEADER), " | ".join("---:" if i in (1, 4, 5) else "---" for i in range(len(HEADER)))]
        lines += [" | ".join(_cells(row)) for row in rows]
        body = "\n".join(f"| {line} |" for line in lines)
        parts.append(f"## {name}\n\n`python -m tests.bench {name}`\n\n{body}")
    return "\n\n".join(parts) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    times = ratio(row)
    return (
        row.name,
        _number(row.value),
        row.unit,
        row.peer or "",
        "" if row.peer_value is None else _number(row.peer_value),
        "" if times is None else _number(times),
        row.target or "",
    )


def _number(value: float) -> str:
    """Three significant digits, or the whole part when it has more."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _cpu() -> str:
    """The processor's name as the kernel tells it, else as Python knows it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
