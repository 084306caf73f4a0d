"""``authority``: who may send orders now, and taking it over or giving it back.

This module must not know what the authority allows or how it is kept.
"""

from __future__ import annotations

from typing import Annotated

import typer

from data.access import OrderAuthority
from data.commands import ReleaseAuthority, TakeAuthority
from data.words import check_texts
from nautilus_tui.cli import output, words
from nautilus_tui.cli.session import Session, session_of

app = typer.Typer(help="The order authority: who alone may send orders.", invoke_without_command=True)

Reason = Annotated[
    str | None, typer.Option("--reason", help="Told to everyone, and audited.", show_default=False)
]


@app.callback()
def authority(context: typer.Context) -> None:
    """Show who holds the order authority, or take or release it."""
    if context.invoked_subcommand is None:
        show(context)


@app.command("show")
def show(context: typer.Context) -> None:
    """Show who holds the order authority, since when, and from whom it came."""
    session = session_of(context)
    now = session.ask(lambda api: api.order_authority())
    session.show(now, lambda: described(now))


@app.command("take")
def take(context: typer.Context, reason: Reason = None) -> None:
    """Take it, from whoever holds it: from now on nobody else may send orders."""
    _change(session_of(context), TakeAuthority(reason=reason))


@app.command("release")
def release(
    context: typer.Context,
    reason: Reason = None,
    holder: Annotated[
        str | None,
        typer.Option("--holder", help="Only if it is this one who holds it.", show_default=False),
    ] = None,
) -> None:
    """Release it: its holder's right, and that of the role risk and above."""
    _change(session_of(context), ReleaseAuthority(reason=reason, holder=holder))


def _change(session: Session, command: TakeAuthority | ReleaseAuthority) -> None:
    check_texts(command)
    outcome = session.carry_out(command)
    if session.json:
        output.show_json(output.outcome_facts(outcome))
    else:
        output.line(outcome.detail or "done")


def described(now: OrderAuthority) -> str:
    """Return who holds the order authority, in one sentence."""
    if now.holder is not None:
        said = f"{now.holder} holds the order authority since {words.clock(now.ts)}"
        said += f", from {now.before}" if now.before else ""
    else:
        who = "nobody sends orders until it is taken" if now.required else "every trader sends orders"
        said = f"the order authority is free: {who}"
        if now.before:
            said += f"; {now.before} held it until {words.clock(now.ts)}"
    return f"{said} ({now.reason})" if now.reason else said
