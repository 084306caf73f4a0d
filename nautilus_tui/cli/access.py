"""``token …``: access tokens, through the daemon, or straight in its store when no daemon runs.

This module must not know how tokens are made or stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.access import Role
from data.commands import CreateToken
from data.commands import RevokeToken as Revoke
from nautilus_tui.cli import background, output, words
from nautilus_tui.cli.session import Session, session_of
from nautilus_tui.client.problems import NotReachableError

if TYPE_CHECKING:
    from nautilus_tui.daemon.auth import Authenticator

app = typer.Typer(no_args_is_help=True, help="Access tokens for TCP connections.")

Name = Annotated[str, typer.Argument(help="Name of the token.", show_default=False)]


@app.command("create")
def create(
    context: typer.Context,
    name: Name,
    role: Annotated[Role, typer.Option("--role", help="What it allows.")] = "viewer",
    expires_days: Annotated[int | None, typer.Option("--expires-days", min=1, max=36500)] = None,
) -> None:
    """Create a token and print it, this once, alone on stdout."""
    session = session_of(context)
    command = CreateToken(name=name, token_role=role, expires_days=expires_days)
    try:
        token = session.carry_out(command).data["token"]
    except NotReachableError:
        if session.url:
            raise
        token = _in_store(session, lambda tokens: _create(tokens, command))
    if session.json:
        output.show_json({"name": name, "role": role, "token": token})
    else:
        print(token)


async def _create(tokens: Authenticator, command: CreateToken) -> str:
    secret, _ = await tokens.create(command.name, command.token_role, command.expires_days)
    return secret


@app.command("revoke")
def revoke(context: typer.Context, name: Name) -> None:
    """Make a token worthless from now on."""
    session = session_of(context)
    try:
        session.carry_out(Revoke(name=name))
    except NotReachableError:
        if session.url:
            raise
        _in_store(session, lambda tokens: tokens.revoke(name))
    session.show({"name": name, "status": "revoked"}, lambda: f"{name} is revoked")


@app.command("list")
def list_tokens(context: typer.Context) -> None:
    """List tokens by name; the secrets are not kept anywhere."""
    session = session_of(context)
    found = session.ask(lambda api: api.tokens())
    session.show(found, lambda: _table(found))


def _table(found: list[dict[str, Any]]) -> Any:
    if not found:
        return "no tokens"
    table = output.columns("Name", "Role", "Status", "Created", "Expires")
    for one in found:
        created, expires = words.clock(one.get("ts_created")), words.clock(one.get("ts_expires"))
        table.add_row(str(one["name"]), str(one["role"]), str(one.get("status", "")), created, expires)
    return table


def _in_store[T](session: Session, change: Callable[[Authenticator], Awaitable[T]]) -> T:
    """Carry a change out in the store itself."""
    from data.state import State
    from nautilus_tui.daemon.auth import Authenticator

    async def run() -> T:
        state = State(session.home.state_db)
        state.open()
        try:
            tokens = Authenticator(state)
            await tokens.load()
            return await change(tokens)
        finally:
            state.close()

    with background.instead_of_daemon(session.home):
        return asyncio.run(run())
