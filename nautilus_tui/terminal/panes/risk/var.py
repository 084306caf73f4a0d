"""Value at risk and expected shortfall by every method, what they rest on, and what adds to them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ClassVar

from data.analytics import RiskMeasures, VarRow
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.provenance import message, why_empty
from nautilus_tui.terminal.panes.redrawn import Redrawn
from nautilus_tui.terminal.panes.risk.telling import entitle
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.risk import Measures
from nautilus_tui.terminal.risk_view import RiskView
from nautilus_tui.terminal.screens.ticket_form import wrapped
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Line, Part, spread
from nautilus_tui.terminal.widgets.rows import fit
from nautilus_tui.terminal.widgets.scrolled import ScrolledLines

#: Methods as they are called on the screen.
METHODS = {
    "historical": "historical",
    "normal": "normal",
    "student": "Student-t",
    "cornish_fisher": "Cornish–Fisher",
    "filtered": "filtered hist.",
    "monte_carlo": "Monte Carlo",
    "evt": "extreme value",
}
_NAME, _MONEY, _SHARE = 15, 11, 8
#: Positions whose part in the value at risk is named.
_PARTS = 5


class ValueAtRisk(Redrawn, ScrolledLines, can_focus=True):
    """The measures at one confidence and horizon."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"risk", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "VaR"

    def wants(self, mirror: Mirror, view: View) -> Iterator[Question[Any]]:
        """Want the measures while they are in sight."""
        if self.region.area:
            yield asked(view.risk)

    def draw(self, mirror: Mirror, view: View) -> None:
        """Show the measures."""
        glyphs = glyphs_of(self.app)
        answer = mirror.facts.answer(asked(view.risk))
        found = answer.value
        level = f"{_percent(view.risk.confidence)} {view.risk.horizon} d"
        told = "" if found is None else f"{figures.age((view.now_ns - found.ts) / 1e6)} ago"
        if answer.problem is not None and found is not None:
            told = f"last good value {glyphs.dot} {told} {glyphs.warn}"
        synthetic = found is not None and found.synthetic
        entitle(self, f"VaR {level}", glyphs, synthetic=synthetic, told=told)
        width = self.room.width
        if found is None:
            connected = mirror.connection.state == "connected"
            self.set_text(message(why_empty(answer, "risk measures", connected=connected), width))
            return
        self.set_text(measure_lines(found, view.risk, width, glyphs))


def asked(risk: RiskView) -> Measures:
    """Return the question whose answer is shown."""
    return Measures(risk.confidence, risk.horizon)


def measure_lines(found: RiskMeasures, risk: RiskView, width: int, glyphs: Glyphs) -> list[Line]:
    """Return the methods with their figures, what they rest on, and the positions that add most."""
    rows = [row for row in found.measures if _chosen(row, risk)]
    lines: list[Line] = []
    if rows and all(row.var is None for row in rows):
        # Where no method has a figure they all have one reason.
        reasons = list(dict.fromkeys(row.reason or "not known" for row in rows))
        lines += message("Too little is known: " + "; ".join(reasons), width, "warn")[1:]
    elif rows:
        lines.append(_heading(found.currency, width))
        lines += [_row(row, width, glyphs) for row in rows]
    else:
        lines += message(_why(found), width, "warn")[1:]
    lines += _rests_on(found, width, glyphs)
    return [*lines, *_components(found)]


def _chosen(row: VarRow, risk: RiskView) -> bool:
    return row.horizon == risk.horizon and abs(row.confidence - float(risk.confidence)) < 1e-9


def _heading(currency: str, width: int) -> Line:
    parts: list[Part] = [(f" {'Method':<{_NAME}}", "label"), (f"{'VaR ' + currency:>{_MONEY}}", "label")]
    parts.append((f"{'ES ' + currency:>{_MONEY}}", "label"))
    if width >= _NAME + 2 * _MONEY + _SHARE + 1:
        parts.append((f"{'VaR %':>{_SHARE}}", "label"))
    return parts


def _row(row: VarRow, width: int, glyphs: Glyphs) -> Line:
    name = f" {METHODS.get(row.method, row.method):<{_NAME}}"
    if row.var is None:
        reason = fit(row.reason or "not known", max(8, width - _NAME - 2), "left", glyphs.ellipsis)
        return [(name, ""), (f" {reason}", "warn")]
    parts: list[Part] = [(name, ""), (f"{_money(row.var_money):>{_MONEY}}", "bright")]
    parts.append((f"{_money(row.es_money):>{_MONEY}}", ""))
    if width >= _NAME + 2 * _MONEY + _SHARE + 1:
        parts.append((f"{figures.fixed(row.var * 100, 2):>{_SHARE}}", "dim"))
    return parts


def _rests_on(found: RiskMeasures, width: int, glyphs: Glyphs) -> list[Line]:
    """Return basis and number of returns, volatility and correlation, and what is missing."""
    basis = {"1d": "daily", "5m": "5-minute"}.get(found.basis or "", found.basis)
    said = "no returns" if basis is None else f"{basis} returns, {found.returns:,}"
    right: list[Part] = []
    if found.volatility is not None:
        right += [("vol ", "label"), (f"{found.volatility:.1%} ", "")]
    if found.correlation is not None:
        right += [("corr ", "label"), (f"{found.correlation:.2f} ", "")]
    lines: list[Line] = [spread([(f" {said}", "dim")], right, width)]
    if found.covered is not None and found.covered < 0.9995:
        lines.append([(f" {glyphs.warn} {found.covered:.0%} of what is held has returns", "warn")])
    for name, why in list(found.missing.items())[:3]:
        lines += wrapped(f"{name}: {why}", "dim", width, f" {glyphs.warn} ")
    for note in found.notes:
        lines += wrapped(note, "dim", width)
    return lines


def _components(found: RiskMeasures) -> list[Line]:
    """Return the positions that add most to the value at risk, and those that hedge most."""
    ranked = sorted(found.components, key=lambda c: -abs(c.component_var))[:_PARTS]
    if not ranked:
        return []
    lines: list[Line] = [[], [(" Adds to it", "label"), (f"  ({found.component_method})", "dim")]]
    for one in ranked:
        share = "" if one.share is None else f"{one.share:>6.0%}"
        style = "down" if one.component_var > 0 else "up"
        lines.append(
            [
                (f" {one.instrument:<{_NAME}}", ""),
                (f"{figures.signed_money(one.component_var, decimals=0):>{_MONEY}}", style),
                (f"{share:>{_SHARE}}", "dim"),
            ]
        )
    return lines


def _why(found: RiskMeasures) -> str:
    said = [*found.reasons.values(), *(f"{name}: {why}" for name, why in found.missing.items())]
    return "; ".join(dict.fromkeys(said)) or "There are no measures at this confidence and horizon."


def _money(value: Decimal | None) -> str:
    return figures.money(value, decimals=0)


def _percent(value: Decimal) -> str:
    text = format(value * 100, "f")
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"
