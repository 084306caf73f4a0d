"""``audit …`` and ``broadcast``: who commanded what, proof that nothing was changed since, and a word to all.

This module must not know how the chain is made.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from data.commands import SendBroadcast
from data.records import AuditEntry
from nautilus_tui.cli import output, words
from nautilus_tui.cli.session import LimitOption, session_of

app = typer.Typer(no_args_is_help=True, help="What was commanded, by whom, and how it ended.")


@app.command("list")
def list_entries(
    context: typer.Context,
    command: Annotated[
        str | None, typer.Option("--command", "-c", help="Only these, e.g. order.submit.", show_default=False)
    ] = None,
    limit: LimitOption = 100,
) -> None:
    """List audited commands, newest first."""
    session = session_of(context)
    page = session.ask(lambda api: api.audit(limit=limit, command=command))
    session.show(page.items, lambda: _table(page.items))
    if page.next is not None:
        output.say(f"there are more than {limit}; see --limit")


def _table(entries: list[AuditEntry]) -> Any:
    names = "Time Seq Command Actor Via Role Outcome Detail"
    table = output.columns(*names.split(), right=("Seq",), last_wraps=True)
    for one in entries:
        detail = one.detail or ""
        time, seq = words.clock(one.ts), str(one.seq)
        table.add_row(time, seq, one.command, one.actor, one.via, one.role, one.outcome, detail)
    return table


@app.command("verify")
def verify(context: typer.Context) -> None:
    """Check the whole chain of entries; fails where it is broken."""
    session = session_of(context)
    report: dict[str, Any] = session.ask(lambda api: api.get("/audit/verify"))
    broken = report.get("broken_at")
    said = (
        f"{report['entries']:,} entries, the chain holds"
        if broken is None
        else f"broken at entry {broken}: {report.get('reason')}"
    )
    session.show(report, lambda: said)
    if broken is not None:
        raise typer.Exit(output.ExitCode.FAILED)


def broadcast(
    context: typer.Context, message: Annotated[str, typer.Argument(help="What to say.", show_default=False)]
) -> None:
    """Send a message to everyone who is attached."""
    session = session_of(context)
    session.carry_out(SendBroadcast(message=message))
    session.show({"sent": message}, lambda: "sent")
