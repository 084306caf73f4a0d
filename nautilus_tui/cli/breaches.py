"""``breaches``, ``alerts`` and ``monitor``: what the monitor found, and that it has been seen.

This module must not know how limits are judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.risk_commands import AcknowledgeAlert, AcknowledgeBreach, SetMonitor
from nautilus_tui.cli import output, words
from nautilus_tui.cli.session import LimitOption, session_of

if TYPE_CHECKING:
    from data.limits import Alert, Breach, BreachAction, LimitStatus, MonitorHealth

app = typer.Typer(help="Breaches of limits: open ones, or acknowledge one.")
alerts_app = typer.Typer(help="Alerts: those that are not over, or acknowledge one.")
monitor_app = typer.Typer(help="The risk monitor: how it is, how much of limits is used, start and stop it.")

EveryOption = Annotated[bool, typer.Option("--all", "-a", help="Those that are over too.")]
_LEVELS = {"warn": "yellow", "breached": "bold red", "unknown": "yellow"}


@app.callback(invoke_without_command=True)
def breaches(context: typer.Context, every: EveryOption = False, limit: LimitOption = 100) -> None:
    """List breaches, newest first, with what was done and how that ended."""
    if context.invoked_subcommand is not None:
        return
    session = session_of(context)
    page = session.ask(lambda api: api.breaches(every=every, limit=limit))
    if not page.items and not session.json:
        output.say("no limit was ever breached" if every else "no limit is breached")
        return
    session.show(page.items, lambda: _breaches(page.items))
    if page.next is not None:
        output.say(f"there are more than {limit}; see --limit")


def _breaches(found: list[Breach]) -> Any:
    right = ("Value", "Limit", "Use")
    table = output.columns(
        "Id", "Found", "Severity", "Status", "Limit id", *right, "Done", right=right, last_wraps=True
    )
    for one in found:
        table.add_row(
            one.id,
            words.clock(one.ts_detected),
            one.severity,
            one.status + (f" by {one.acknowledged_by}" if one.acknowledged_by else ""),
            one.limit_id,
            words.in_unit(one.value, one),
            words.in_unit(one.limit, one),
            f"{one.use * 100:.0f} %",
            "; ".join(_done(action) for action in one.actions),
        )
    return table


def _done(action: BreachAction) -> str:
    on = f" on {action.engine}" if action.engine else ""
    return f"{action.action}{on} {action.status}" + (f" ({action.detail})" if action.detail else "")


@app.command("ack")
def acknowledge(
    context: typer.Context,
    breach_id: Annotated[str, typer.Argument(metavar="ID", help="The breach's id.", show_default=False)],
    note: Annotated[str | None, typer.Option("--note", help="A remark.", show_default=False)] = None,
    mitigating: Annotated[bool, typer.Option("--mitigating", help="Something is done about it.")] = False,
) -> None:
    """Say that a breach has been seen: nobody further up is told of it."""
    session = session_of(context)
    command = AcknowledgeBreach(breach_id=breach_id, note=note, mitigating=mitigating)
    outcome = session.carry_out(command)
    session.show(output.outcome_facts(outcome), lambda: outcome.detail or "done")


# ---------------------------------------------------------------- alerts


@alerts_app.callback(invoke_without_command=True)
def alerts(context: typer.Context, every: EveryOption = False, limit: LimitOption = 100) -> None:
    """List alerts, newest first, and who was told."""
    if context.invoked_subcommand is not None:
        return
    session = session_of(context)
    page = session.ask(lambda api: api.alerts(every=every, limit=limit))
    if not page.items and not session.json:
        output.say("there was never an alert" if every else "there is no alert")
        return
    session.show(page.items, lambda: _alerts(page.items))
    if page.next is not None:
        output.say(f"there are more than {limit}; see --limit")


def _alerts(found: list[Alert]) -> Any:
    table = output.columns("Id", "Raised", "Severity", "Status", "What", last_wraps=True)
    for one in found:
        status = one.status + (f" by {one.acknowledged_by}" if one.acknowledged_by else "")
        said = "; ".join([f"{one.title}: {one.detail}", *one.told])
        table.add_row(one.id, words.clock(one.ts_raised), one.severity, status, said)
    return table


@alerts_app.command("ack")
def acknowledge_alert(
    context: typer.Context,
    alert_id: Annotated[str, typer.Argument(metavar="ID", help="The alert's id.", show_default=False)],
) -> None:
    """Say that an alert has been seen."""
    session = session_of(context)
    outcome = session.carry_out(AcknowledgeAlert(alert_id=alert_id))
    session.show(output.outcome_facts(outcome), lambda: outcome.detail or "done")


# ---------------------------------------------------------------- the monitor


@monitor_app.callback(invoke_without_command=True)
def monitor(context: typer.Context) -> None:
    """Show how the monitor is and how much of each limit is used."""
    if context.invoked_subcommand is not None:
        return
    session = session_of(context)

    async def question(api: Any) -> tuple[MonitorHealth, list[LimitStatus]]:
        return await api.monitor_health(), await api.limit_statuses()

    health, statuses = session.ask(question)
    if session.json:
        output.show_json({"health": health, "limits": statuses})
        return
    output.show(_health(health))
    if statuses:
        output.show("", _statuses(statuses))
    if any(one.synthetic for one in statuses):
        output.say("SYNTHETIC: computed from a simulated market")
    for problem in health.problems:
        output.say(problem)


def _health(one: MonitorHealth) -> list[str]:
    said = f"monitor {one.state}" + (f" ({one.reason})" if one.reason else "")
    said += f", every {one.every_s:g} s and on fills"
    if one.cycle_ms is not None:
        said += f"; last check {words.clock(one.ts_cycle)} in {one.cycle_ms:.1f} ms"
    lines = [
        said,
        f"{one.limits} limits: {one.breached} breached, {one.warning} near, {one.unknown} not known; "
        f"open: breaches {one.open_breaches}, alerts {one.open_alerts}",
    ]
    missing = [role for role, known in one.notified.items() if not known]
    if missing:
        lines.append(f"no address to tell: {', '.join(missing)}")
    return [*lines, *one.holds]


def _statuses(found: list[LimitStatus]) -> Any:
    right = ("Value", "Limit", "Use")
    table = output.columns("Limit id", *right, "Level", "", right=right, last_wraps=True)
    for one in found:
        limit = one.limit
        table.add_row(
            limit.id,
            words.in_unit(one.value, limit),
            words.in_unit(limit.effective, limit),
            "—" if one.use is None else f"{one.use * 100:.1f} %",
            output.tinted(one.level, _LEVELS.get(one.level)),
            one.reason or one.subject or "",
        )
    return table


@monitor_app.command("start")
def start(context: typer.Context) -> None:
    """Check limits again."""
    _set(context, True)


@monitor_app.command("stop")
def stop(context: typer.Context) -> None:
    """Check limits no more until it is started; the gates in the engines go on."""
    _set(context, False)


def _set(context: typer.Context, running: bool) -> None:
    session = session_of(context)
    outcome = session.carry_out(SetMonitor(running=running))
    session.show(output.outcome_facts(outcome), lambda: outcome.detail or "done")
