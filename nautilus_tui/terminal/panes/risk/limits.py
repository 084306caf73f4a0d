"""Every limit: value, limit, how much of it is used, what is left, and how likely it is breached soon."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ClassVar

from data.limits import LimitStatus
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.limit_words import (
    LEVEL_SIGNS,
    RESTRICTIONS,
    amount,
    chance,
    chance_style,
    level_sign,
    percent,
    scope_parts,
    use_bar,
)
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.risk.telling import entitle, offline, seen_ago
from nautilus_tui.terminal.perils import LEVELS
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.risk import AllLimits, Monitoring
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Part
from nautilus_tui.terminal.widgets.ribbon import RibbonTable
from nautilus_tui.terminal.widgets.table import Cell, Column, Row

BAR = 10
#: From this width on money is written in full.
_FULL = 92
#: Cells of a scope below that width.
_SCOPE = 14
COLUMNS = (
    Column("level", "", "left", width=1),
    Column("limit", "Limit", "left", least=12, most=15),
    Column("scope", "Scope", "left", least=9, most=24),
    Column("value", "Value", least=6, most=14),
    Column("limit_value", "Limit", least=5, most=14),
    Column("base", "Base", "left", least=4, most=16, drop=4),
    Column("bar", "Use", "left", width=BAR, drop=1),
    Column("use", "", width=5),
    Column("headroom", "Left", least=6, most=14, drop=5),
    Column("forecast", "4h", width=4, drop=2),
    Column("subject", "Of", "left", least=6, most=20, drop=7),
)
#: The same with a shorter scope, where there is little room.
NARROW = tuple(
    column._replace(most=_SCOPE) if column.key == "scope" else column
    for column in COLUMNS
    if column.key != "base"
)


class Limits(RibbonTable):
    """The limits, those nearest to trouble first."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"limits", "forecasts", "engines", "connection", "risk"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Limits"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(COLUMNS, id=id)
        self._placed: str | None = None  #: where the cursor was put, not moved
        #: Limit → what its row was made of, and the row.
        self._made: dict[str, tuple[LimitStatus, tuple[Decimal | None, bool], Row]] = {}

    def wants(self, mirror: Mirror, view: View) -> Iterator[Question[Any]]:
        """Want the list of limits: the stream tells of use, the list of which there are."""
        yield AllLimits()
        yield Monitoring()

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show every limit."""
        self.comfortable = view.density == "comfortable"
        glyphs = glyphs_of(self.app)
        found = mirror.risk.by_use()
        answer = mirror.facts.answer(AllLimits())
        self.empty = offline(mirror, "limits") or (
            f"Limits are not known: {answer.problem.detail}"
            if answer.problem is not None
            else "There is no limit. n sets one; so does :limit set leverage 2."
            if answer.state == "there"
            else "Asking for the limits …"
        )
        short = self.content_size.width < _FULL
        under_cursor = self.cursor_key
        self.set_columns(NARROW if short else COLUMNS)
        self.set_rows(self._rows_of(found, mirror, glyphs, short=short))
        newest = max((status.ts for status in found), default=None)
        count = f"{len(found)} {glyphs.dot} looked at {seen_ago(newest, view.now_ns, glyphs)} ago"
        synthetic = any(status.synthetic for status in found)
        entitle(self, "Limits", glyphs, synthetic=synthetic, told=count if found else "")
        self.set_ribbon(summary(found, glyphs), [*monitor(mirror, glyphs), *restrictions(mirror, glyphs)])
        self._place_cursor(view, under_cursor)

    def _rows_of(self, found: list[LimitStatus], mirror: Mirror, glyphs: Glyphs, *, short: bool) -> list[Row]:
        """Return the rows; one whose limit was not looked at anew is the same as before."""
        before, self._made = self._made, {}
        rows = []
        for status in found:
            key = (mirror.risk.chance(status), short)
            known = before.get(status.limit.id)
            made = known[2] if known is not None and known[0] is status and known[1] == key else None
            row = made or limit_row(status, mirror, glyphs, short=short)
            self._made[status.limit.id] = (status, key, row)
            rows.append(row)
        return rows

    def _place_cursor(self, view: View, under_cursor: str | None) -> None:
        """Keep the cursor on its limit; until one was chosen, on the one nearest to trouble."""
        view.risk.steered = view.risk.steered or under_cursor not in (None, self._placed)
        wanted = under_cursor if view.risk.steered else self.rows[0].key if self.rows else None
        if wanted is not None and wanted != self.cursor_key:
            self.move_to(wanted, announce=not view.risk.steered)
        self._placed = wanted


def limit_row(status: LimitStatus, mirror: Mirror, glyphs: Glyphs, *, short: bool = False) -> Row:
    """Return one line of the limits; of one that cannot be told the reason stands in place of figures."""
    limit = status.limit
    _, style, bar_style = LEVEL_SIGNS[status.level]
    scope, kind = scope_parts(limit.scope)
    if short and len(scope) + len(kind) > _SCOPE:
        kind = ""
    adjusted = limit.effective != limit.hard
    probability = mirror.risk.chance(status)
    rest = "dim" if status.level == "off" else ""
    head = (
        Cell(level_sign(status.level, glyphs), style or "dim", LEVELS.index(status.level)),
        Cell(limit.limit_type, style or rest or "bright", limit.limit_type),
        Cell(scope, rest, limit.scope, kind),
    )

    def write(value: Decimal | None) -> str:
        return amount(value, limit.limit_type, limit.unit, short=short)

    written = write(limit.effective)
    if status.value is None and status.reason is not None and status.level == "unknown":
        return Row(limit.id, (*head, Cell(f"limit {written}: {status.reason}", "warn")))
    base = Cell(f"of {write(limit.hard)}" if adjusted else "", "dim", limit.hard if adjusted else None)
    return Row(
        limit.id,
        (
            *head,
            Cell(write(status.value), style or rest or "bright", status.value),
            Cell(written, "accent" if adjusted else rest, limit.effective),
            *(() if short else (base,)),
            Cell(use_bar(status.use, BAR, glyphs), bar_style, status.use),
            Cell("off" if status.level == "off" else percent(status.use), style or rest, status.use),
            Cell(write(status.headroom), style or rest, status.headroom),
            Cell(chance(probability), chance_style(probability), probability),
            Cell(status.subject or "", "dim", status.subject),
        ),
    )


def summary(found: list[LimitStatus], glyphs: Glyphs) -> list[Part]:
    """Return how many limits stand at each level, worst first."""
    parts: list[Part] = [(" ", "")]
    for level in LEVELS:
        count = sum(status.level == level for status in found)
        if count:
            style = LEVEL_SIGNS[level][1] or "dim"
            parts.append((f"{level_sign(level, glyphs)} {count} {level}  ", style))
    adjusted = sum(status.limit.effective != status.limit.hard for status in found)
    if adjusted:
        parts.append((f"{adjusted} tightened  ", "accent"))
    return parts


def monitor(mirror: Mirror, glyphs: Glyphs) -> list[Part]:
    """Say that nobody looks at the limits, where that is so."""
    health = mirror.facts.answer(Monitoring()).value
    if health is None or health.state in ("running", "starting"):
        return []
    reason = f": {health.reason}" if health.reason else ""
    return [(f"{glyphs.warn} monitor {health.state}{reason} ", "error")]


def restrictions(mirror: Mirror, glyphs: Glyphs) -> list[Part]:
    """Return which engines are restricted."""
    return [
        (f"{glyphs.warn} {engine.id} {RESTRICTIONS[engine.restriction]} ", "warn")
        for engine in sorted(mirror.engines.values(), key=lambda e: e.id)
        if engine.restriction != "none"
    ]
