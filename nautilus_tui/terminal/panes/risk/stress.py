"""What the book would gain or lose in known crises, and under shocks of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from data.analytics import StressAnswer, StressOutcome
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.positions import sign_style
from nautilus_tui.terminal.panes.provenance import message, why_empty
from nautilus_tui.terminal.panes.redrawn import Redrawn
from nautilus_tui.terminal.panes.risk.telling import entitle
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.risk import StressOf
from nautilus_tui.terminal.risk_view import RiskView
from nautilus_tui.terminal.screens.ticket_form import wrapped
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Line, Part
from nautilus_tui.terminal.widgets.rows import fit
from nautilus_tui.terminal.widgets.scrolled import ScrolledLines

_MONEY, _SHARE, _LEAST_BAR = 11, 8, 6
_LEAST_NAME, _MOST_NAME = 14, 26


class Stress(Redrawn, ScrolledLines, can_focus=True):
    """The scenarios, the worst first."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"risk", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Stress"

    def wants(self, mirror: Mirror, view: View) -> Iterator[Question[Any]]:
        """Want the scenarios, and those of one's own, while they are in sight."""
        if self.region.area:
            yield from asked(view.risk)

    def draw(self, mirror: Mirror, view: View) -> None:
        """Show the scenarios."""
        glyphs = glyphs_of(self.app)
        known, *own = (mirror.facts.answer(question) for question in asked(view.risk))
        found = known.value
        told = "" if found is None else f"{figures.age((view.now_ns - found.ts) / 1e6)} ago"
        if known.problem is not None and found is not None:
            told = f"last good value {glyphs.dot} {told} {glyphs.warn}"
        entitle(self, "Stress", glyphs, synthetic=found is not None and found.synthetic, told=told)
        width = self.room.width
        lines: list[Line] = []
        for answer in own:
            if answer.value is not None:
                lines += outcome_lines(answer.value, width, glyphs, own=True)
            else:
                lines += message(why_empty(answer, "stress of one's own"), width, "warn")[1:]
        if found is None:
            connected = mirror.connection.state == "connected"
            lines += message(why_empty(known, "stress scenarios", connected=connected), width)
        else:
            lines += outcome_lines(found, width, glyphs)
        self.set_text(lines)


def asked(risk: RiskView) -> list[StressOf]:
    """Return the questions whose answers are shown: the known scenarios, then one's own."""
    return [StressOf(), StressOf(risk.shocks)] if risk.shocks else [StressOf()]


def outcome_lines(found: StressAnswer, width: int, glyphs: Glyphs, *, own: bool = False) -> list[Line]:
    """Return the scenarios as lines, the worst first, with a bar that fills with the loss."""
    ranked = sorted(found.outcomes, key=lambda o: (o.pnl is None, o.pnl or 0, o.scenario))
    worst = max((abs(o.pnl) for o in ranked if o.pnl is not None), default=None)
    name = min(_MOST_NAME, max(_LEAST_NAME, width - _MONEY - _SHARE - 15))
    bar = max(0, width - name - _MONEY - _SHARE - 5)
    lines: list[Line] = []
    if not own:
        heading = f" {'Scenario':<{name}}{'P&L ' + found.currency:>{_MONEY}}{'equity':>{_SHARE}}"
        lines.append([(heading, "label")])
    for outcome in ranked:
        share = None if worst in (None, 0) or outcome.pnl is None else float(-outcome.pnl / worst)
        lines.append(_line(outcome, share, (width, name, bar), glyphs, own=own))
        if own:
            said = ", ".join(f"{s.factor} {_size(s.size, s.unit)}" for s in outcome.shocks)
            lines.append([(f"   {said}", "dim")])
    for note in () if own else found.notes:
        lines += wrapped(note, "dim", width)
    return lines


def _line(
    outcome: StressOutcome, share: float | None, cells: tuple[int, int, int], glyphs: Glyphs, *, own: bool
) -> list[Part]:
    room, name, bar = cells
    title = fit(outcome.scenario.replace("_", " "), name, "left", glyphs.ellipsis)
    parts: list[Part] = [(f" {title}", "accent" if own else "")]
    if outcome.pnl is None:
        why = next(iter(outcome.left_out.values()), "touches nothing that is held")
        return [*parts, (f" {fit(why, max(8, room - name - 2), 'left', glyphs.ellipsis)}", "dim")]
    style = sign_style(outcome.pnl)
    parts.append((f"{figures.signed_money(outcome.pnl, decimals=0):>{_MONEY}}", style))
    of_equity = figures.DASH if outcome.of_equity is None else f"{outcome.of_equity * 100:+.1f}%"
    parts.append((f"{of_equity:>{_SHARE}}", "dim"))
    sign = f" {glyphs.warn} " if outcome.left_out else "   "
    parts.append((sign, "warn"))
    if bar >= _LEAST_BAR and share is not None:
        parts.append((figures.bar(abs(share), bar, glyphs.bar), "down-bar" if share > 0 else "up-bar"))
    return parts


def _size(size: float, unit: str) -> str:
    if unit == "relative":
        return f"{size:+.0%}"
    return f"{size:+.0f} bp" if unit == "basis_points" else f"×{size:g}"
