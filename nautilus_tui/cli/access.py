"""``token …``: access tokens, through the daemon, or straight in its store when no daemon runs.

This module must not know how tokens are made or stored.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from data.access import MAX_EXPIRES_DAYS, Role, TokenRow, info_of
from data.command import Command
from data.commands import CreateToken, Outcome
from data.commands import RevokeToken as Revoke
from data.problems import ProblemError
from nautilus_tui.cli import background, output, words
from nautilus_tui.cli.session import Session, session_of
from nautilus_tui.client.ids import mint_command_id
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
    expires_days: Annotated[
        int | None, typer.Option("--expires-days", min=1, max=MAX_EXPIRES_DAYS, help="Its life in days.")
    ] = None,
) -> None:
    """Create a token and print it, this once, alone on stdout."""
    session = session_of(context)
    command = CreateToken(name=name, token_role=role, expires_days=expires_days)
    try:
        token = session.carry_out(command).data["token"]
    except NotReachableError:
        if session.url:
            raise
        token = _in_store(session, lambda tokens: _create(tokens, command), command)
    if session.json:
        output.show_json({"name": name, "role": role, "token": token})
    else:
        output.line(token)


async def _create(tokens: Authenticator, command: CreateToken) -> str:
    secret, _ = await tokens.create(command.name, command.token_role, command.expires_days)
    return secret


@app.command("revoke")
def revoke(context: typer.Context, name: Name) -> None:
    """Make a token worthless from now on; streams that were opened with it are closed."""
    session = session_of(context)
    command = Revoke(name=name)
    try:
        session.carry_out(command)
    except NotReachableError:
        if session.url:
            raise
        _in_store(session, lambda tokens: tokens.revoke(name), command)
    session.show({"name": name, "status": "revoked"}, lambda: f"{name} is revoked")


@app.command("list")
def list_tokens(context: typer.Context) -> None:
    """List tokens by name; the secrets are not kept anywhere."""
    session = session_of(context)
    try:
        found = session.ask(lambda api: api.tokens())
    except NotReachableError:
        if session.url:
            raise
        found = _listed(_in_store(session, _rows))
    session.show(found, lambda: _table(found))


async def _rows(tokens: Authenticator) -> list[TokenRow]:
    return tokens.tokens()


def _listed(rows: list[TokenRow]) -> list[dict[str, Any]]:
    """Return tokens as the daemon lists them."""
    now = time.time_ns()
    ordered = sorted(rows, key=lambda row: row.name)
    return [msgspec.to_builtins(info_of(row, now)) for row in ordered]


def _table(found: list[dict[str, Any]]) -> Any:
    if not found:
        return "no tokens"
    table = output.columns("Name", "Role", "Status", "Created", "Expires")
    for one in found:
        created, expires = words.clock(one.get("ts_created")), words.clock(one.get("ts_expires"))
        table.add_row(str(one["name"]), str(one["role"]), str(one.get("status", "")), created, expires)
    return table


def _in_store[T](
    session: Session, change: Callable[[Authenticator], Awaitable[T]], command: Command | None = None
) -> T:
    """Carry a change out in the store itself; it is audited as the daemon would."""
    from data.state import State
    from nautilus_tui.daemon.audit import Auditor, command_name
    from nautilus_tui.daemon.auth import Authenticator
    from nautilus_tui.daemon.principal import Principal

    async def audited(state: State) -> T:
        tokens = Authenticator(state)
        await tokens.load()
        if command is None:
            return await change(tokens)
        owner = Principal(name="local", role="admin", via="store")
        auditor = Auditor(command, key, owner)
        try:
            done = await change(tokens)
        except ProblemError as error:
            await state.append_audit(auditor.draft("refused", error.document()))
            raise
        await state.append_audit(auditor.draft("done"))
        return done

    async def run() -> T:
        state = State(session.home.state_db)
        state.open()
        try:
            return await audited(state)
        finally:
            state.close()

    key = mint_command_id()
    with background.instead_of_daemon(session.home):
        try:
            return asyncio.run(run())
        except ProblemError as error:
            if command is not None:  # it ends as it would have at the daemon
                name, problem = command_name(command), error.document()
                session.settle(Outcome(command_id=key, command=name, outcome="refused", problem=problem))
            raise
