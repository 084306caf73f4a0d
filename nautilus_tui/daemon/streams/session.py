"""What a client says, carried out: subscriptions, acknowledgements, commands; and how fast it may talk.

This module must not know of sockets, frames or handshakes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from data.commands import AnyCommand, Outcome
from data.forms import from_builtins
from data.problems import (
    InvalidRequestError,
    OutcomeUnknownError,
    ProblemDocument,
    ProblemError,
    RateLimitedError,
)
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.streams import messages
from nautilus_tui.daemon.streams.connection import Connection
from nautilus_tui.daemon.streams.hub import StreamHub


class Execute(Protocol):
    """Carries out a command through the one door; raises ProblemError."""

    async def __call__(self, command: AnyCommand, principal: Principal) -> Outcome: ...


#: Takes note of what was asked and refused.
Refused = Callable[[str, ProblemError], None]

logger = logging.getLogger(__name__)

#: Commands in flight, kept here because they are carried out whether or not their sender stays.
_running: set[asyncio.Task[None]] = set()


class Pace:
    """How fast a client talks: a bucket of ``rate`` messages that refills in a second.

    Args:
        rate: messages a second.
        clock: monotonic, in seconds.
    """

    __slots__ = ("_at", "_clock", "_rate", "_tokens", "excess")

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = float(rate)
        self._tokens = float(rate)
        self._clock = clock
        self._at = clock()
        self.excess = 0  #: messages over the rate since it was last kept

    def take(self) -> bool:
        """Count one message; tell whether it is within the rate."""
        now = self._clock()
        self._tokens = min(self._rate, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1.0:
            self.excess += 1
            return False
        self._tokens -= 1.0
        if self._tokens > self._rate / 2:
            self.excess = 0
        return True


def _unnoted(_asked: str, _error: ProblemError) -> None:
    """Note nothing."""


def hear(
    hub: StreamHub, connection: Connection, execute: Execute, data: bytes, refused: Refused = _unnoted
) -> None:
    """Carry out one message of an authenticated client and answer it; what is refused before it is a
    command is told to ``refused``.
    """
    connection.received += 1
    try:
        message = messages.read(connection.form, data)
    except messages.UnreadableError as error:
        refused("message", error)
        answer(connection, error.answer, error.document(), error.id)
        return
    match message:
        case messages.Subscribe() | messages.Unsubscribe() | messages.Ack():
            _in_order(hub, connection, message, refused, hub.ahead.until())
        case messages.HeartbeatResponse():
            answer(connection, "ack", {"epoch": hub.bus.epoch}, message.id)
        case messages.CommandMessage():
            _command(hub, connection, execute, message, refused)
        case messages.Authenticate():
            document = InvalidRequestError(
                "this connection is authenticated already", rule="authenticate comes first and once"
            ).document()
            answer(connection, "error", document, message.id)


def decline(connection: Connection, data: bytes, error: ProblemError) -> None:
    """Answer one message of an authenticated client that is not carried out, and say why."""
    connection.received += 1
    try:
        message = messages.read(connection.form, data)
    except messages.UnreadableError as unreadable:
        answer(connection, unreadable.answer, error.document(), unreadable.id)
        return
    match message:
        case messages.CommandMessage():
            answer(connection, "command_response", _not_done(message, error.document()), message.id)
        case messages.Subscribe() | messages.Unsubscribe():
            answer(connection, "subscription_error", error.document(), message.id)
        case _:
            answer(connection, "error", error.document(), message.id)


def answer(connection: Connection, type_: str, data: object, id_: str | int | None) -> None:
    """Send one message of the protocol itself."""
    connection.send(connection.form.frame([connection.form.message(type_, data, id_=id_)]))


def _in_order(
    hub: StreamHub,
    connection: Connection,
    message: messages.Subscribe | messages.Unsubscribe | messages.Ack,
    refused: Refused,
    until: float,
) -> None:
    """Carry out what a client says of its subscriptions, one after the other: a resumption may wait, until
    ``until``, for what the client has seen and this server has not.
    """

    def go_on() -> None:
        _in_order(hub, connection, message, refused, until)

    if hub.ahead.waits(connection):
        try:
            hub.ahead.queue(connection, go_on)
        except RateLimitedError as error:
            refused("message", error)
            type_ = "error" if isinstance(message, messages.Ack) else "subscription_error"
            answer(connection, type_, error.document(), message.id)
        return
    match message:
        case messages.Subscribe():
            role = connection.principal.role
            awaited = hub.ahead.awaited(role, message.topics, message.resume, message.epoch)
            if not hub.ahead.hold(connection, awaited, until, go_on):
                _subscribe(hub, connection, message, refused)
        case messages.Unsubscribe():
            _unsubscribe(hub, connection, message)
        case messages.Ack():
            _ack(hub, connection, message)


def _subscribe(hub: StreamHub, connection: Connection, message: messages.Subscribe, refused: Refused) -> None:
    try:
        hub.subscribe(connection, message.topics, id_=message.id, resume=message.resume, epoch=message.epoch)
    except ProblemError as error:
        refused(f"subscribe {' '.join(message.topics)}", error)
        answer(connection, "subscription_error", error.document(), message.id)


def _unsubscribe(hub: StreamHub, connection: Connection, message: messages.Unsubscribe) -> None:
    try:
        hub.unsubscribe(connection, message.topics, id_=message.id)
    except ProblemError as error:
        answer(connection, "subscription_error", error.document(), message.id)


def _ack(hub: StreamHub, connection: Connection, message: messages.Ack) -> None:
    """Note how far a reader processed its topics; acknowledging the future is an error."""
    read = connection.group.topics if connection.group else {}
    ahead = [
        topic
        for topic, seq in message.seqs.items()
        if topic not in read or not 1 <= seq <= hub.bus.seq(topic)
    ]
    if ahead:
        document = InvalidRequestError(
            f"acknowledged what was never sent: {', '.join(sorted(ahead)[:5])}",
            rule="seq is one that was received in this epoch on a topic that is subscribed to",
            epoch=hub.bus.epoch,
        ).document()
        answer(connection, "error", document, message.id)
        return
    connection.acked.update(message.seqs)
    answer(connection, "ack", {"epoch": hub.bus.epoch}, message.id)


def _command(
    hub: StreamHub,
    connection: Connection,
    execute: Execute,
    message: messages.CommandMessage,
    refused: Refused,
) -> None:
    try:
        if connection.commands >= hub.limits.max_commands:
            raise RateLimitedError(
                f"{connection.commands} commands of this connection are still being carried out",
                rule=f"at most {hub.limits.max_commands} commands of a connection at once",
                fix="wait for the answer to one of them",
            )
        command = read_command(message.command)
    except ProblemError as error:
        refused(f"command {message.command.get('command', '')}", error)
        answer(connection, "command_response", _not_done(message, error.document()), message.id)
        return
    connection.commands += 1
    task = asyncio.create_task(_carry_out(connection, execute, command, message))
    _running.add(task)
    task.add_done_callback(_running.discard)


def read_command(plain: dict[str, object]) -> AnyCommand:
    """Return plain data as the command it names; raises InvalidRequestError naming field and rule."""
    try:
        command: AnyCommand = from_builtins(plain, AnyCommand)  # type: ignore[arg-type]  # a union, not a class
    except msgspec.ValidationError as error:
        raise InvalidRequestError(
            f"the command does not fit: {error}", rule="commands are as the API describes them"
        ) from error
    return command


async def _carry_out(
    connection: Connection, execute: Execute, command: AnyCommand, message: messages.CommandMessage
) -> None:
    try:
        outcome = await execute(command, connection.principal)
    except ProblemError as error:
        outcome = _not_done(message, error.document())
    except Exception:  # the fault is ours, and how far it came nobody knows; the log has the rest
        logger.exception("command %s failed", type(command).__name__)
        unknown = OutcomeUnknownError(
            "it failed inside the daemon, whose log says why",
            rule="what was not seen to fail may have happened",
            fix="look at what is so before anything is sent again",
        )
        outcome = _not_done(message, unknown.document())
    finally:
        connection.commands -= 1
    if connection.group is not None:
        answer(connection, "command_response", outcome, message.id)


def _not_done(message: messages.CommandMessage, problem: ProblemDocument) -> Outcome:
    """Return the outcome of a command that was refused, failed or is in doubt."""
    how: Literal["refused", "failed", "unknown"]
    if problem.type == OutcomeUnknownError.type:
        how = "unknown"
    else:
        how = "failed" if problem.status >= 500 else "refused"
    return Outcome(
        command_id=str(message.id),
        command=str(message.command.get("command", "")),
        outcome=how,
        problem=problem,
    )
