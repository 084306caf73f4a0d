"""``bench …``: the product measured on this machine, each figure beside its goal and its peer.

This module must not know what is measured or how.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

from data.problems import InvalidRequestError
from nautilus_tui.cli import output
from nautilus_tui.cli.session import session_of

if TYPE_CHECKING:
    from nautilus_tui.bench.rows import BenchRow, Report

#: Where the measuring functions of each bench are; each takes a scale and returns rows.
BENCHES: dict[str, tuple[str, ...]] = {
    "start": ("engines:run_start", "opening:run"),
    "orders": ("engines:run_orders",),
    "engine": ("engines:run_engine",),
    "streams": ("streams:run", "abuse:run", "relay:rows"),
    "link": ("link:run",),
    "store": ("store:run",),
    "risk": ("risk:run", "risk_cycle:run", "measures:run", "kill:run"),
    "terminal": ("terminal:run",),
}
_SCALES = (1, 4, 16)


def bench(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(help=f"{', '.join(BENCHES)}; all if left out.", metavar="[NAME]...")
    ] = None,
    scale: Annotated[
        bool, typer.Option("--scale", help="Repeat at 1×, 4× and 16× and show how cost grows.")
    ] = False,
) -> None:
    """Measure the product on this machine. Nothing fails for being slow."""
    from nautilus_tui.bench.rows import report

    session = session_of(context)
    chosen = names or list(BENCHES)
    for name in chosen:
        if name not in BENCHES:
            raise InvalidRequestError(
                f"there is no bench {name!r}",
                rule=f"benches are {', '.join(BENCHES)}",
                fix="name one of them, or none for all",
            )
    reports = []
    for name in chosen:
        for times in _SCALES if scale else _SCALES[:1]:
            output.say(f"measuring {name} at {times}× …")
            reports.append(report(name, times, [row for run in _runs(name) for row in run(times)]))
    growth = {name: _growth([one for one in reports if one.bench == name]) for name in chosen if scale}
    if session.json:
        output.show_json({"reports": reports} | ({"exponents": growth} if scale else {}))
        return
    from nautilus_tui.bench.rows import show

    show(reports, output.console())
    for name, exponents in growth.items():
        table = output.columns(f"{name}: how cost grows with work", "exponent", right=("exponent",))
        for row, exponent in exponents.items():
            table.add_row(row, "—" if exponent is None else f"{exponent:.2f}")
        output.show(table)


def _runs(name: str) -> list[Callable[[int], list[BenchRow]]]:
    found = []
    for place in BENCHES[name]:
        module, _, function = place.partition(":")
        found.append(getattr(import_module(f"nautilus_tui.bench.{module}"), function))
    return found


def _growth(reports: Sequence[Report]) -> dict[str, float | None]:
    """Return the exponent of every figure that each scale has: 1 is in proportion, 0 does not grow."""
    from nautilus_tui.bench.rows import exponent

    names = [row.name for row in reports[0].rows]
    found: dict[str, float | None] = {}
    for name in names:
        points = [(one.scale, row) for one in reports for row in one.rows if row.name == name]
        work = [float(scale) for scale, _ in points]
        found[name] = exponent(work, [_cost(scale, row) for scale, row in points])
    return found


def _cost(scale: int, row: BenchRow) -> float:
    """Return what a figure says of cost: itself, or for work done a second the seconds for the work."""
    if row.unit.endswith("/s"):
        return scale / row.value if row.value else 0.0
    return row.value
