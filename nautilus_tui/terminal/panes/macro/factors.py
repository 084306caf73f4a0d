"""Every macro factor: its value, how it moved and how unusual it is."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from data.macro import Frequency, MacroFactor
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.macro import chosen
from nautilus_tui.terminal.panes.provenance import entitle, why_empty
from nautilus_tui.terminal.questions.macro import Factors as AskFactors
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.following import FollowingTable
from nautilus_tui.terminal.widgets.table import Cell, Column, Row

SPARK = 16
#: Cells of the bar of a z-score to each side of its middle; each is one standard deviation.
REACH = 3
#: From this many standard deviations on a value is far out, or at least unusual.
FAR, UNUSUAL = 2.0, 1.0
#: Units that have a shorter name in the table.
UNITS = {"index": "idx"}
#: The widest unit; values stand under each other whatever their unit is.
_UNIT = 3

COLUMNS = (
    Column("group", "", "left", width=6, drop=2),
    Column("factor", "Factor", "left", least=21, grow=True),
    Column("value", f"Value{' ' * (_UNIT + 1)}", least=7 + _UNIT, most=12 + _UNIT, glow=True),
    Column("change", "Change", least=8, most=10),
    Column("year", "1 year", least=6, most=9, drop=3),
    Column("z", "z", width=5),
    Column("bar", f"-{REACH} 0 +{REACH}", "left", width=2 * REACH + 1, drop=4),
    Column("percentile", "Pct", width=3, drop=5),
    Column("spark", "Lately", "left", width=SPARK, drop=6),
    Column("observed", "Observed", "left", width=10, drop=7),
)


class Factors(FollowingTable):
    """The factors by group."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"macro", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Factors"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(COLUMNS, id=id)

    def wants(self, mirror: Mirror, view: View) -> list[AskFactors]:
        """Return what is to be asked."""
        return [AskFactors(view.macro.as_of)]

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show every factor."""
        self.comfortable = view.density == "comfortable"
        glyphs = glyphs_of(self.app)
        found = chosen.factors(mirror, view)
        answer = mirror.facts.answer(AskFactors(view.macro.as_of))
        connected = mirror.connection.state == "connected"
        self.empty = why_empty(answer, "macro factors", connected=connected)
        self.set_rows([factor_row(f, first, glyphs) for f, first in _firsts(found)])
        known = [f for f in found if f.value is not None]
        oldest = min(known or found, key=lambda f: f.fetched_at, default=None)
        silent = len(found) - len(known)
        count = f"{len(found)}" + (f" {glyphs.dot} {silent} failed" if silent else "")
        entitle(
            self,
            "Factors",
            oldest,
            answer,
            view.now_ns,
            glyphs,
            as_of=view.macro.as_of,
            count=count if found else "",
        )
        charted = chosen.factor(mirror, view)
        if charted is not None:
            self.follow(charted.id)


def _firsts(found: list[MacroFactor]) -> list[tuple[MacroFactor, bool]]:
    """Return each factor with whether it is the first of its group."""
    return [(f, i == 0 or found[i - 1].group != f.group) for i, f in enumerate(found)]


def factor_row(factor: MacroFactor, first: bool, glyphs: Glyphs) -> Row:
    """Return one line of the factors; one without a value says why across the line."""
    group = Cell(chosen.GROUPS.get(factor.group, factor.group), "bright" if first else "faint", factor.group)
    stale = "stale" if factor.stale else ""
    title = Cell(factor.title, stale, factor.title)
    if factor.value is None:
        return Row(factor.id, (group, title, Cell(f"{glyphs.warn} {factor.problem or 'no value'}", "warn")))
    mark = glyphs.warn if factor.stale else ""
    far = factor.zscore is not None and abs(factor.zscore) >= FAR
    unit = f" {UNITS.get(factor.unit, factor.unit)}{mark}"
    return Row(
        factor.id,
        (
            group,
            title,
            Cell(
                figures.fixed(factor.value, factor.decimals),
                stale or "bright",
                factor.value,
                unit.ljust(_UNIT + 1),
            ),
            change_cell(factor.change, factor.decimals, glyphs),
            Cell(
                figures.signed(factor.change_year, factor.decimals),
                way_of(factor.change_year, factor.decimals),
                factor.change_year,
            ),
            Cell(figures.signed(factor.zscore, 2), unusual(factor.zscore), factor.zscore),
            Cell(zscore_bar(factor.zscore, glyphs), "warn" if far else "accent-bar"),
            Cell(figures.fixed(factor.percentile, 0), "dim", factor.percentile),
            Cell(figures.sparkline(factor.spark, SPARK, glyphs.spark[:-1]), "accent-bar"),
            Cell(period(factor.observed, factor.frequency), "dim", _ordinal(factor.observed)),
        ),
        stale,
    )


def way_of(value: float | None, decimals: int) -> str:
    """Return the style of a change; one that rounds to nothing is flat."""
    if value is None or round(value, decimals) == 0:
        return "flat"
    return "up" if value > 0 else "down"


def change_cell(value: float | None, decimals: int, glyphs: Glyphs) -> Cell:
    """Return a change with its direction as a sign, and as a colour."""
    style = way_of(value, decimals)
    sign = {"up": glyphs.up, "down": glyphs.down, "flat": glyphs.flat}[style]
    if value is None:
        return Cell(figures.DASH, "flat")
    return Cell(f"{sign} {figures.signed(value, decimals):>6}", style, value)


def unusual(zscore: float | None) -> str:
    """Return the style of a z-score: the further out the louder."""
    if zscore is None:
        return "dim"
    return "warn" if abs(zscore) >= FAR else "bright" if abs(zscore) >= UNUSUAL else "dim"


def zscore_bar(zscore: float | None, glyphs: Glyphs) -> str:
    """Draw a z-score from the middle, to the left below the mean and to the right above it."""
    if zscore is None:
        return ""
    halves = min(2 * REACH, round(abs(zscore) * 2))
    full, half = divmod(halves, 2)
    if zscore < 0:
        left = ((glyphs.away if half else "") + glyphs.bar[-1] * full).rjust(REACH)
        return f"{left}{glyphs.axis}{' ' * REACH}"
    right = (glyphs.bar[-1] * full + (glyphs.bar[3] if half else "")).ljust(REACH)
    return f"{' ' * REACH}{glyphs.axis}{right}"


def period(day: dt.date | None, frequency: Frequency) -> str:
    """Write which period an observation is of: a day, a month or a quarter."""
    if day is None:
        return figures.DASH
    match frequency:
        case "monthly":
            return f"{day:%Y-%m}"
        case "quarterly":
            return f"{day.year} Q{(day.month + 2) // 3}"
        case "annual":
            return f"{day.year}"
        case _:
            return day.isoformat()


def _ordinal(day: dt.date | None) -> int | None:
    return None if day is None else day.toordinal()
