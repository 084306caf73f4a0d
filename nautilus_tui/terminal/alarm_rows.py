"""What wants a person's attention, as rows: changes that wait, breaches, alerts, the daemon's problems.

Functions from the mirror to rows of the drawer. They must not do anything, and know nothing of keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from data.limits import Alert, Breach, LimitChange
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.limit_words import SEVERITY_STYLES, amount, limit_words, percent, scope_words
from nautilus_tui.terminal.mirror import Mirror
from nautilus_tui.terminal.questions.risk import LimitChanges
from nautilus_tui.terminal.widgets.table import Cell, Column, Row

Kind = Literal["change", "breach", "alert", "problem"]

COLUMNS = (
    Column("severity", "Severity", "left", width=9),
    Column("age", "Age ", width=5),
    Column("title", "What", "left", least=24, grow=True),
    Column("state", "State", "left", least=10, most=22),
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that wants attention, or had it."""

    key: str
    kind: Kind
    row: Row
    detail: str
    open: bool
    breach: Breach | None = None
    alert: Alert | None = None
    change: LimitChange | None = None


def count_open(mirror: Mirror) -> int:
    """Return how many alerts are open: those raised and not acknowledged, and the daemon's own problems."""
    return len(mirror.risk.open_alerts()) + len(mirror.problems())


def alarms(mirror: Mirror, now_ns: int, glyphs: Glyphs) -> list[Alarm]:
    """Return everything of the drawer: what waits for a decision, what is open, what was seen."""
    changes = mirror.facts.answer(LimitChanges()).value or []
    risk = mirror.risk
    return [
        *(_change(change, now_ns) for change in changes if change.status == "pending"),
        *(_breach(breach, now_ns) for breach in risk.open_breaches()),
        *(_alert(alert, now_ns, glyphs) for alert in risk.open_alerts()),
        *(_problem(index, text) for index, text in enumerate(mirror.problems())),
        *(_alert(alert, now_ns, glyphs) for alert in risk.seen_alerts()[:50]),
    ]


def _age(since: int, now_ns: int) -> Cell:
    span = max(0, now_ns - since) / 1e6
    return Cell(f"{figures.age(span)} ", "dim", span)


def _change(change: LimitChange, now_ns: int) -> Alarm:
    after, before = change.after, change.before
    if after is None:
        what = f"delete {change.limit_id}"
    else:
        was = "" if before is None else f" from {amount(before.hard, before.limit_type, before.unit)}"
        what = f"{limit_words(after)}{was} to {amount(after.hard, after.limit_type, after.unit)}"
    key = f"change:{change.id}"
    return Alarm(
        key,
        "change",
        Row(
            key,
            (
                Cell("approve?", "accent", 9),
                _age(change.ts_asked, now_ns),
                Cell(f"{change.asked_by} asks: {what}", "bright"),
                Cell("waits", "accent"),
            ),
        ),
        f"{change.reason}. Another person than {change.asked_by} approves (y) or rejects (x) it. {change.id}",
        True,
        change=change,
    )


def _breach(breach: Breach, now_ns: int) -> Alarm:
    style = SEVERITY_STYLES[breach.severity]
    key = f"breach:{breach.id}"
    by = breach.acknowledged_by or (f"→ {breach.escalated_to}" if breach.escalated_to else "")
    value = amount(breach.value, breach.limit_type, breach.unit)
    limit = amount(breach.limit, breach.limit_type, breach.unit)
    actions = ", ".join(f"{a.action} {a.status}" for a in breach.actions) or "nothing was done"
    title = f"{breach.limit_type} {scope_words(breach.scope)} at {percent(breach.use)}"
    return Alarm(
        key,
        "breach",
        Row(
            key,
            (
                Cell(breach.severity, style),
                _age(breach.ts_detected, now_ns),
                Cell(title, "bright"),
                Cell(f"{breach.status} {by}".rstrip(), style if breach.acknowledged_by is None else "dim"),
            ),
        ),
        f"Breach {breach.id}: {value} of {limit} {breach.unit}; {actions}."
        + (f" {breach.note}" if breach.note else ""),
        True,
        breach=breach,
    )


def _alert(alert: Alert, now_ns: int, glyphs: Glyphs) -> Alarm:
    is_open = alert.status == "open"
    style = SEVERITY_STYLES[alert.severity] if is_open else "dim"
    key = f"alert:{alert.id}"
    state = "open" if is_open else f"seen {alert.acknowledged_by}" if alert.acknowledged_by else alert.status
    told = f" Told: {'; '.join(alert.told)}." if alert.told else ""
    return Alarm(
        key,
        "alert",
        Row(
            key,
            (
                Cell(alert.severity, style),
                _age(alert.ts_raised, now_ns),
                Cell(alert.title, "bright" if is_open else "dim"),
                Cell(state, style if is_open else "dim"),
            ),
        ),
        f"{alert.detail}{told} {alert.id} {glyphs.dot} {alert.kind}"
        + (f" {glyphs.dot} SYNTHETIC" if alert.synthetic else ""),
        is_open,
        alert=alert,
    )


def _problem(index: int, text: str) -> Alarm:
    key = f"problem:{index}"
    cells = (Cell("warning", "warn"), Cell("", "dim"), Cell(text, "bright"), Cell("daemon", "dim"))
    return Alarm(key, "problem", Row(key, cells), "The daemon reports this until it is over.", True)
