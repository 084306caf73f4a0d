"""Breaches of limits, open ones first: how bad, since when, what was done about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from data.limits import Breach, BreachAction
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.limit_words import SEVERITY_STYLES, amount, percent, scope_parts
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.risk.telling import entitle, offline
from nautilus_tui.terminal.perils import severity_rank
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.risk import Breaches as BreachesAsked
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.table import Cell, Column, LiveTable, Row

COLUMNS = (
    Column("status", "Status", "left", least=8, most=12),
    Column("severity", "Severity", "left", width=9),
    Column("limit", "Limit", "left", least=12, most=16),
    Column("scope", "Scope", "left", least=9, most=24, drop=3),
    Column("use", "Now", width=5),
    Column("worst", "Worst", least=6, most=14, drop=4),
    Column("limit_value", "Limit", least=6, most=14, drop=6),
    Column("age", "Age ", width=5),
    Column("actions", "Actions", "left", least=14, drop=2, grow=True),
    Column("by", "By", "left", least=6, most=16, drop=5),
)
STATUS_STYLES = {
    "detected": "error",
    "escalated": "error",
    "acknowledged": "warn",
    "mitigating": "accent",
    "resolved": "dim",
}
#: How far an action has come, as a sign.
ACTION_SIGNS = {"requested": "busy", "done": "on", "failed": "cross", "unknown": "?"}


class Breaches(LiveTable):
    """Stretches of time over a limit."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"breaches", "connection", "risk"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Breaches"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(COLUMNS, id=id, classes=classes)

    def wants(self, mirror: Mirror, view: View) -> Iterator[Question[Any]]:
        """Want the breaches of the past; the stream tells of those that are open."""
        yield BreachesAsked()

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the breaches."""
        self.comfortable = view.density == "comfortable"
        glyphs = glyphs_of(self.app)
        found = mirror.risk.all_breaches()
        is_open = [breach for breach in found if breach.status != "resolved"]
        self.empty = offline(mirror, "breaches") or "No limit has been breached."
        self.set_rows([breach_row(breach, view.now_ns, glyphs) for breach in found])
        told = f"{len(is_open)} open {glyphs.dot} {len(found) - len(is_open)} over" if found else ""
        entitle(self, "Breaches", glyphs, synthetic=any(b.synthetic for b in found), told=told)


def breach_row(breach: Breach, now_ns: int, glyphs: Glyphs) -> Row:
    """Return one line of the breaches."""
    over = breach.status == "resolved"
    rest = "dim" if over else ""
    scope, kind = scope_parts(breach.scope)
    ended = breach.ts_resolved if over else None
    age = ((ended or now_ns) - breach.ts_detected) / 1e6
    style = rest or SEVERITY_STYLES[breach.severity]
    return Row(
        breach.id,
        (
            Cell(breach.status, STATUS_STYLES[breach.status], breach.status),
            Cell(breach.severity, style, severity_rank(breach.severity)),
            Cell(breach.limit_type, rest or "bright", breach.limit_type),
            Cell(scope, rest, breach.scope, kind),
            Cell(percent(breach.use), style, breach.use),
            Cell(amount(breach.worst, breach.limit_type, breach.unit), rest, breach.worst),
            Cell(amount(breach.limit, breach.limit_type, breach.unit), "dim", breach.limit),
            Cell(f"{figures.age(age)} ", "dim", age),
            Cell("  ".join(action_words(a, glyphs) for a in breach.actions), rest),
            Cell(who(breach), "dim", breach.acknowledged_by or breach.escalated_to),
        ),
    )


def action_words(action: BreachAction, glyphs: Glyphs) -> str:
    """Return an action and how far it has come: done is only what its event confirmed."""
    name = ACTION_SIGNS[action.status]
    sign = getattr(glyphs, name) if len(name) > 1 else name
    return f"{sign} {action.action}"


def who(breach: Breach) -> str:
    """Return who acknowledged a breach, else who was told last."""
    if breach.acknowledged_by is not None:
        return breach.acknowledged_by
    return "" if breach.escalated_to is None else f"→ {breach.escalated_to}"
