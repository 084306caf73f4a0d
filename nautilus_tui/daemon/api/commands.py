"""The route every command can take, and how a request becomes a command's way through the door.

This module must not know what commands do.
"""

from __future__ import annotations

from typing import cast

from data.commands import AnyCommand, Outcome
from data.problems import InvalidRequestError
from nautilus_tui.daemon import rules
from nautilus_tui.daemon.api.answers import Answer, AnyRequest, context_of, outcome_answer
from nautilus_tui.daemon.api.bodies import body_of
from nautilus_tui.daemon.api.describe import route
from nautilus_tui.daemon.api.roles import audited_by_the_door
from nautilus_tui.daemon.door import DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S, Wait
from nautilus_tui.daemon.principal import Principal

KEY_HEADER = "idempotency-key"


def key_of(request: AnyRequest) -> str | None:
    """Return the request's Idempotency-Key, which becomes the command's id; raises InvalidRequestError.

    One that is there and empty is not none: its sender believes that twice is once.
    """
    given: str | None = request.headers.get(KEY_HEADER)
    if given == "":
        rules.check_id("Idempotency-Key", given)
    return given


async def through_the_door(request: AnyRequest, command: AnyCommand) -> Answer:
    """Let a command through and answer how it ended."""
    principal: Principal = request.user
    wait, timeout, key = _wait(request), _timeout(request), key_of(request)
    audited_by_the_door(request)
    outcome = await context_of(request).door.execute(
        command, principal, command_id=key, wait=wait, timeout=timeout
    )
    return outcome_answer(request, outcome)


def _wait(request: AnyRequest) -> Wait:
    given = request.query_params.get("wait", "ack")
    if given not in ("ack", "final"):
        raise InvalidRequestError(
            f"wait is {given!r}",
            rule="wait is ack (the venue's first answer) or final (the orders' last state)",
            field="wait",
            value=given,
        )
    return cast(Wait, given)


def _timeout(request: AnyRequest) -> float:
    given = request.query_params.get("timeout")
    try:
        seconds = DEFAULT_TIMEOUT_S if given is None else float(given)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= MAX_TIMEOUT_S:
        raise InvalidRequestError(
            f"timeout is {given!r}",
            rule=f"timeout is a number of seconds, above 0 and at most {MAX_TIMEOUT_S:g}",
            field="timeout",
            value=str(given),
        )
    return seconds


@route("POST", "/api/v1/commands", returns=Outcome, body=AnyCommand, tag="Commands")
async def execute_command(request: AnyRequest) -> Answer:
    """Carry out any command, once per Idempotency-Key, and answer how it ended.

    ``?wait=ack`` (default) answers with the venue's first word, ``?wait=final`` with the orders' last
    state if that comes within ``?timeout=`` seconds.
    """
    return await through_the_door(request, rules.decode(await body_of(request)))


HANDLERS = [execute_command]
