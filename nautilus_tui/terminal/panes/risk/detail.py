"""All that is known of the limit or the breach under the cursor, in words."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any, ClassVar

from data.limits import Breach, BreachAction, BreachForecast, Limit, LimitStatus
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.limit_words import (
    LEVEL_SIGNS,
    SEVERITY_STYLES,
    amount,
    chance,
    chance_style,
    limit_words,
    percent,
    scope_words,
    use_bar,
)
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.redrawn import Redrawn
from nautilus_tui.terminal.panes.risk.breaches import ACTION_SIGNS, STATUS_STYLES
from nautilus_tui.terminal.panes.risk.telling import entitle, seen_ago
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.risk import LimitCheck
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Line, Part
from nautilus_tui.terminal.widgets.scrolled import ScrolledLines

LABEL = 11
_BAR = 20


class Detail(Redrawn, ScrolledLines, can_focus=True):
    """The row that the cursor came to last."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"limits", "breaches", "forecasts", "connection", "risk"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Detail"
    _about: str | None = None

    def wants(self, mirror: Mirror, view: View) -> Iterator[Question[Any]]:
        """Want a limit checked anew where that was asked for."""
        if view.risk.checked is not None:
            yield LimitCheck(view.risk.checked)

    def draw(self, mirror: Mirror, view: View) -> None:
        """Say what is known of what is looked at."""
        glyphs = glyphs_of(self.app)
        width = max(24, self.room.width - 1)
        risk = view.risk
        breach = mirror.risk.breaches.get(risk.breach or "") if risk.subject == "breach" else None
        status = mirror.risk.limits.get(risk.limit or "")
        about = breach.id if breach is not None else "" if status is None else status.limit.id
        anew, self._about = about != self._about, about
        if breach is not None:
            entitle(self, f"Breach {breach.id}", glyphs, synthetic=breach.synthetic)
            self.set_text(breach_lines(breach, view.now_ns, width, glyphs), anew=anew)
        elif status is not None:
            told = f"looked at {seen_ago(status.ts, view.now_ns, glyphs)} ago"
            entitle(self, limit_words(status.limit), glyphs, synthetic=status.synthetic, told=told)
            lines = limit_lines(status, mirror.risk.forecast_of(status.limit.id), width, glyphs)
            if risk.checked == status.limit.id:
                lines = [*checked_lines(status.limit, mirror, width), *lines]
            self.set_text(lines, anew=anew)
        else:
            entitle(self, "Detail", glyphs)
            self.set_text([[], [("  No limit or breach is selected.", "dim")]], anew=anew)


def labelled(label: str, *parts: Part) -> list[Part]:
    """Return a line with its label at the left."""
    return [(f" {label:<{LABEL}} ", "label"), *parts]


def wrapped(label: str, text: str, width: int, style: str = "") -> list[Line]:
    """Return words after a label, on as many lines as they take."""
    lines = textwrap.wrap(text, max(12, width - LABEL - 2)) or [""]
    return [labelled(label if not i else "", (line, style)) for i, line in enumerate(lines)]


def limit_lines(
    status: LimitStatus, forecast: BreachForecast | None, width: int, glyphs: Glyphs
) -> list[Line]:
    """Return what is known of a limit."""
    limit = status.limit
    _, style, bar_style = LEVEL_SIGNS[status.level]

    def write(value: Any) -> str:
        return amount(value, limit.limit_type, limit.unit)

    lines: list[Line] = []
    if status.reason is not None:
        lines += wrapped("not known" if status.value is None else "note", status.reason, width, "warn")
    lines.append(
        labelled(
            "use",
            (use_bar(status.use, min(_BAR, max(6, width - 44)), glyphs), bar_style),
            (f" {percent(status.use)}", style or "bright"),
            (f"  {write(status.value)} of {write(limit.effective)}", ""),
            (f" {limit.unit}", "dim"),
        )
    )
    left = "left" if status.headroom is None or status.headroom >= 0 else "over by"
    lines.append(
        labelled(
            left,
            (write(None if status.headroom is None else abs(status.headroom)), style or "bright"),
            (f"  {status.subject}" if status.subject else "", "dim"),
        )
    )
    if limit.effective != limit.hard:
        lines.append(labelled("tightened", (f"from {write(limit.hard)}", "accent")))
        lines += wrapped("", limit.adjusted or "", width, "dim")
    lines += _rules(limit, width)
    if forecast is not None:
        lines += forecast_lines(forecast, width)
    if status.breach_id is not None:
        lines.append(labelled("breach", (status.breach_id, "error")))
    lines.append(
        labelled("set by", (limit.updated_by, ""), (f"  {figures.day_and_time(limit.ts_updated)}Z", "dim"))
    )
    lines.append(labelled("id", (limit.id, "dim"), (f"  version {limit.version}", "dim")))
    return lines


def _rules(limit: Limit, width: int) -> list[Line]:
    lines = wrapped(f"at {percent(limit.warn)}", ", ".join(limit.warn_actions) or "nothing", width)
    lines += wrapped("at 100%", ", ".join(limit.hard_actions) or "nothing", width)
    if limit.limit_type == "order_rate" and limit.window_s is not None:
        lines.append(labelled("within", (f"{limit.window_s} s", "")))
    if limit.limit_type == "var":
        words = f"{limit.method} {percent(limit.confidence)} over {limit.horizon_days} d"
        lines.append(labelled("measure", (words, "")))
    if limit.auto_adjust is not None:
        target, floor = limit.auto_adjust.target_vol, limit.auto_adjust.floor
        words = f"tightens above a volatility of {percent(target)}, to {percent(floor)} of it at least"
        lines += wrapped("auto", words, width)
    return lines


def forecast_lines(forecast: BreachForecast, width: int) -> list[Line]:
    """Return how likely a limit is breached, what that rests on, and what computed it."""
    parts: list[Part] = []
    for words, value in (("5m", forecast.p5), ("30m", forecast.p30), ("4h", forecast.p240)):
        parts += [(f"{words} ", "label"), (f"{chance(value):>4}  ", chance_style(value))]
    lines: list[Line] = [labelled("forecast", *parts)]
    if forecast.minutes_to_breach is not None:
        lines.append(labelled("", (f"breach in {figures.duration(forecast.minutes_to_breach * 60)}", "")))
    for driver in forecast.drivers:
        lines.append(
            labelled("", (f"{driver.name} {driver.value:+.3g}", ""), (f"  {driver.effect:+.1%}", "dim"))
        )
    if forecast.reason is not None:
        lines += wrapped("", forecast.reason, width, "warn")
    return [*lines, labelled("", (f"{forecast.model}, {forecast.samples} samples", "dim"))]


def checked_lines(limit: Limit, mirror: Mirror, width: int) -> list[Line]:
    """Return what checking a limit anew came to."""
    answer = mirror.facts.answer(LimitCheck(limit.id))
    if answer.problem is not None:
        return wrapped("check", answer.problem.detail, width, "warn")
    if answer.value is None:
        return [labelled("check", ("asking …", "dim"))]
    style = LEVEL_SIGNS[answer.value.level][1] or "good"
    said = f"{answer.value.level}: {amount(answer.value.value, limit.limit_type, limit.unit)}"
    reason = f", {answer.value.reason}" if answer.value.reason else ""
    return wrapped("check", f"{said}, {percent(answer.value.use)}{reason}", width, style)


# ---------------------------------------------------------------- breaches


def breach_lines(breach: Breach, now_ns: int, width: int, glyphs: Glyphs) -> list[Line]:
    """Return the life of a breach, what was done about it and with what proof."""

    def write(value: Any) -> str:
        return amount(value, breach.limit_type, breach.unit)

    lines: list[Line] = [
        labelled(
            "status",
            (breach.status, STATUS_STYLES[breach.status]),
            (f"  {breach.severity}", SEVERITY_STYLES[breach.severity]),
            (f"  {scope_words(breach.scope)}", ""),
        ),
        labelled(
            "value",
            (write(breach.value), "bright"),
            (f" of {write(breach.limit)}  {percent(breach.use)}", ""),
            (f"  worst {write(breach.worst)}", "dim"),
        ),
    ]
    if breach.subject:
        lines.append(labelled("made by", (breach.subject, "")))
    for words, ts, by in (
        ("detected", breach.ts_detected, None),
        ("told", breach.ts_escalated, breach.escalated_to),
        ("seen", breach.ts_acknowledged, breach.acknowledged_by),
        ("resolved", breach.ts_resolved, None),
    ):
        if ts is not None:
            ago = figures.age((now_ns - ts) / 1e6)
            lines.append(labelled(words, (f"{figures.clock(ts)}Z", ""), (f"  {ago} ago {by or ''}", "dim")))
    if breach.note:
        lines += wrapped("note", breach.note, width)
    for action in breach.actions:
        lines += _action(action, width, glyphs)
    lines.append(labelled("found", (f"{breach.checks} times", "dim"), (f"  {breach.limit_id}", "dim")))
    return lines


def _action(action: BreachAction, width: int, glyphs: Glyphs) -> list[Line]:
    name = ACTION_SIGNS[action.status]
    sign = getattr(glyphs, name) if len(name) > 1 else name
    style = {"done": "good", "failed": "error", "unknown": "warn", "requested": "accent"}[action.status]
    took = (
        ""
        if action.ts_done is None
        else f" after {figures.age((action.ts_done - action.ts_requested) / 1e6)}"
    )
    at = f" on {action.engine}" if action.engine else ""
    lines: list[Line] = [
        labelled("action", (f"{sign} {action.action}{at}", style), (f"  {action.status}{took}", "dim"))
    ]
    return [*lines, *(wrapped("", action.detail, width, "dim") if action.detail else [])]
