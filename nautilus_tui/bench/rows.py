"""What a bench says: rows of figures with goals and peers, as a table for people or as JSON.

This module must not know what is measured.
"""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

_PACKAGES = (
    "nautilus_trader",
    "litestar",
    "fastapi",
    "uvicorn",
    "uvloop",
    "websockets",
    "msgspec",
    "textual",
    "duckdb",
)


class BenchRow(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. ``ratio`` is how many times better than the peer, whichever way better lies."""

    name: str
    value: float
    unit: str
    goal: str | None = None  #: in words, e.g. ``≥ 5 M events/s``
    met: bool | None = None  #: None: there is no goal
    peer_name: str | None = None
    peer_value: float | None = None
    ratio: float | None = None
    detail: str = ""  #: message size, loss, conditions


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was measured."""

    cpu: str
    cores: int
    load: float  #: one-minute load average when the bench ended: others may have been at work
    system: str
    python: str
    packages: dict[str, str]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Rows and where they were measured."""

    bench: str
    scale: int
    machine: Machine
    rows: tuple[BenchRow, ...]


def row(
    name: str,
    value: float,
    unit: str,
    *,
    better: Literal["more", "less"],
    limit: float | None = None,
    goal: str | None = None,
    peer: tuple[str, float] | None = None,
    least_ratio: float | None = None,
    detail: str = "",
) -> BenchRow:
    """Make a row, working out ratio and whether goals are met.

    Args:
        limit: the value to reach (``more``) or not to pass (``less``).
        peer: name and value of what it is measured against, in the same unit.
        least_ratio: how many times better than the peer it is to be.
    """
    ratio: float | None = None
    if peer is not None and value > 0 and peer[1] > 0:
        ratio = value / peer[1] if better == "more" else peer[1] / value
    verdicts = []
    if limit is not None:
        verdicts.append(value >= limit if better == "more" else value <= limit)
    if least_ratio is not None:
        verdicts.append(ratio is not None and ratio >= least_ratio)
    return BenchRow(
        name=name,
        value=value,
        unit=unit,
        goal=goal,
        met=all(verdicts) if verdicts else None,
        peer_name=peer[0] if peer else None,
        peer_value=peer[1] if peer else None,
        ratio=ratio,
        detail=detail,
    )


def machine() -> Machine:
    """Return what this machine is."""
    return Machine(
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        load=round(os.getloadavg()[0], 2),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        packages={name: found for name in _PACKAGES if (found := _version(name)) is not None},
    )


def _cpu() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def report(bench: str, scale: int, rows: Sequence[BenchRow]) -> Report:
    """Return rows with the machine they were measured on."""
    return Report(bench=bench, scale=scale, machine=machine(), rows=tuple(rows))


def to_json(reports: Sequence[Report]) -> str:
    """Return reports as JSON text."""
    return msgspec.json.format(msgspec.json.encode(reports), indent=2).decode()


def exponent(work: Sequence[float], cost: Sequence[float]) -> float | None:
    """Return how cost grows with work: the slope of log cost over log work (1: in proportion).

    Least squares; None when there are fewer than two points.
    """
    points = [(math.log(w), math.log(c)) for w, c in zip(work, cost, strict=True) if w > 0 and c > 0]
    if len({x for x, _ in points}) < 2:
        return None
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread


# ---------------------------------------------------------------- for people


def show(reports: Sequence[Report], console: Console | None = None) -> None:
    """Print reports as tables."""
    console = console or Console()
    for one in reports:
        console.print(_table(one))
        console.print(_footer(one.machine))


def _table(one: Report) -> Table:
    table = Table(title=f"bench {one.bench} · scale {one.scale}×", title_justify="left", expand=False)
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_column("goal")
    table.add_column("peer, same run", justify="right")
    table.add_column("ratio", justify="right")
    table.add_column("detail", overflow="fold")
    for each in one.rows:
        verdict = "" if each.met is None else "[green]✔[/] " if each.met else "[red]✘[/] "
        peer = "" if each.peer_value is None else f"{number(each.peer_value)} {each.unit}"
        table.add_row(
            Text(each.name),
            f"{number(each.value)} {each.unit}",
            Text.from_markup(verdict + (each.goal or "")),
            Text(f"{peer}\n{each.peer_name}" if each.peer_name else ""),
            "" if each.ratio is None else f"{each.ratio:.1f} ×",
            Text(each.detail),
        )
    return table


def _footer(found: Machine) -> Text:
    packages = ", ".join(f"{name} {number}" for name, number in found.packages.items())
    return Text(
        f"{found.cpu}, {found.cores} cores, load {found.load} · {found.system} · "
        f"Python {found.python} · {packages}",
        style="dim",
    )


def number(value: float) -> str:
    """Return a figure with three or four digits that mean something."""
    size = abs(value)
    for factor, suffix in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if size >= factor:
            return f"{value / (factor if factor > 1e4 else 1e3):.2f}{suffix}"
    if size == 0 or size >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if size >= 1 else f"{value:.3f}"
