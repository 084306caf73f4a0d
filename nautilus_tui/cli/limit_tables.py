"""Limits as people read them: a line each with a bar of what is used, or a sheet of one.

This module must not know of commands.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nautilus_tui.cli import output, words

if TYPE_CHECKING:
    from data.limits import Limit, LimitChange, LimitEffect, LimitLevel, LimitStatus

_LEVELS: dict[LimitLevel, str] = {"warn": "yellow", "breached": "bold red", "unknown": "yellow", "off": "dim"}
_BAR_CELLS = 10


def flat(status: LimitStatus) -> dict[str, Any]:
    """Return a limit with what is used of it, in one object."""
    import msgspec

    from data import forms

    limit: dict[str, Any] = msgspec.to_builtins(forms.to_json_form(status.limit))
    use: dict[str, Any] = msgspec.to_builtins(forms.to_json_form(status))
    if not status.ts:  # it was not checked yet
        use |= {"ts": None, "synthetic": None}
    return limit | {name: value for name, value in use.items() if name not in ("limit", "type")}


def table(found: list[LimitStatus]) -> Any:
    """Return limits as a table."""
    if not found:
        return "no limits; nautilus-tui limit set"
    right = ("Value", "Limit", "Use")
    shown = output.columns(
        "Type",
        "Scope",
        *right,
        "",
        "Unit",
        "Level",
        "At the limit",
        "Origin",
        "About",
        right=right,
        last_wraps=True,
    )
    for one in found:
        limit = one.limit
        shown.add_row(
            limit.limit_type,
            limit.scope,
            words.in_unit(one.value, limit),
            _bound(limit),
            "—" if one.use is None else f"{one.use * 100:.0f} %",
            output.tinted(_bar(one.use), _LEVELS.get(one.level)),
            limit.unit,
            output.tinted(one.level, _LEVELS.get(one.level)),
            ",".join(limit.hard_actions) or "none",
            limit.origin,
            one.reason or limit.adjusted or one.subject or "",
        )
    return shown


def _bound(limit: Limit) -> str:
    """Return what counts now, and what was set if that is more."""
    counts = words.in_unit(limit.effective, limit)
    return counts if limit.adjusted is None else f"{counts} of {words.in_unit(limit.hard, limit)}"


def _bar(use: Decimal | None) -> str:
    if use is None:
        return "·" * _BAR_CELLS
    full = min(_BAR_CELLS, int(use * _BAR_CELLS))  # only what is at the limit fills it
    return "█" * full + "·" * (_BAR_CELLS - full)


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f} %"


def sheet(status: LimitStatus) -> Any:
    """Return all terms of one limit, and what is used of it."""
    limit = status.limit
    rows: list[tuple[str, str]] = [
        ("id", limit.id),
        ("limit", f"{_bound(limit)} {limit.unit}" + ("" if limit.enabled else ", switched off")),
        ("value", f"{words.in_unit(status.value, limit)} {_bar(status.use)} {status.level}"),
        ("headroom", words.in_unit(status.headroom, limit)),
        ("warns from", f"{_percent(limit.warn)}: {','.join(limit.warn_actions) or 'none'}"),
        ("at the limit", ",".join(limit.hard_actions) or "none"),
        ("version", f"{limit.version}, {limit.updated_by} at {words.clock(limit.ts_updated)}"),
        ("origin", limit.origin),
    ]
    if limit.window_s is not None:
        rows.insert(2, ("window", f"{limit.window_s} s"))
    if limit.limit_type == "var":
        rows.insert(2, ("var", f"{limit.method}, {limit.confidence:f}, {limit.horizon_days} d"))
    if limit.auto_adjust is not None:
        rule = limit.auto_adjust
        rows.append(
            ("auto-adjust", f"above {_percent(rule.target_vol)} a year, at least {_percent(rule.floor)}")
        )
    rows += [
        (name, text)
        for name, text in (
            ("adjusted", limit.adjusted),
            ("made by", status.subject),
            ("about", status.reason),
        )
        if text is not None
    ]
    shown = output.columns("", "", last_wraps=True)
    shown.show_header = False
    for name, text in rows:
        shown.add_row(name, text)
    return shown


def effect(one: LimitEffect) -> Any:
    """Return what an order would do to a limit."""
    right = ("Used", "After", "Limit", "Largest quantity")
    shown = output.columns("Limit on", "Scope", *right, "Unit", "", "About", right=right, last_wraps=True)
    verdict = output.tinted("passes", "green") if one.passes else output.tinted("denied", "red")
    shown.add_row(
        one.rule,
        one.scope,
        words.number(one.used),
        words.number(one.after),
        "off" if one.limit is None else words.number(one.limit),
        words.number(one.max_quantity),
        one.unit,
        verdict,
        one.reason or "",
    )
    return shown


def changes(found: list[LimitChange]) -> Any:
    """Return changes of limits as a table."""
    if not found:
        return "no change waits"
    shown = output.columns("Id", "Asked", "By", "Limit id", "Status", "Decided by", "About", last_wraps=True)
    for one in found:
        shown.add_row(
            one.id,
            words.clock(one.ts_asked),
            one.asked_by,
            one.limit_id,
            one.status,
            one.decided_by or "—",
            one.reason,
        )
    return shown
