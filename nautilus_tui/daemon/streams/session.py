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
from data.problems import InvalidRequestError, OutcomeUnknownError, ProblemError, RateLimitedError
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.remedies import remedied
from nautilus_tui.daemon.streams import messages
from nautilus_tui.daemon.streams.connection import Connection
from nautilus_tui.daemon.streams.hub import StreamHub
from nautilus_tui.daemon.streams.refusing import Refusing


class Execute(Protocol):
    """Carries out a command through the one door; raises ProblemError."""

    async def __call__(self, command: AnyCommand, principal: Principal) -> Outcome: ...


logger = logging.getLogger(__name__)

_COMMAND = str(messages.CommandMessage.__struct_config__.tag)

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


def hear(hub: StreamHub, connection: Connection, execute: Execute, data: bytes, refusing: Refusing) -> None:
    """Carry out one message of an authenticated client and answer it; what is refused before it is a
    command is told to ``refusing``.
    """
    connection.received += 1
    try:
        message = messages.read(connection.form, data)
    except messages.UnreadableError as unread:
        _refuse_unread(connection, unread, unread, refusing)
        return
    match message:
        case messages.Subscribe() | messages.Unsubscribe() | messages.Ack():
            _in_order(hub, connection, message, refusing, hub.ahead.until())
        case messages.HeartbeatResponse():
            answer(connection, "ack", {"epoch": hub.bus.epoch}, message.id)
        case messages.CommandMessage():
            _command(hub, connection, execute, message, refusing)
        case messages.Authenticate():
            error = InvalidRequestError(
                "this connection is authenticated already",
                rule="authenticate comes first and once",
                fix="go on; to be somebody else, connect anew",
            )
            refuse(connection, message, error)


def decline(connection: Connection, data: bytes, error: ProblemError, refusing: Refusing) -> None:
    """Answer one message of an authenticated client that is not carried out, and say why."""
    connection.received += 1
    try:
        message = messages.read(connection.form, data)
    except messages.UnreadableError as unreadable:
        _refuse_unread(connection, unreadable, error, refusing)
        return
    if isinstance(message, messages.CommandMessage):
        _refuse_command(connection, message, error, refusing)
        return
    refusing.note("message", error)
    refuse(connection, message, error)


def answer(connection: Connection, type_: str, data: object, id_: str | int | None) -> None:
    """Send one message of the protocol itself."""
    connection.send(connection.form.frame([connection.form.message(type_, data, id_=id_)]))


def refuse(connection: Connection, message: messages.AnyMessage | None, error: ProblemError) -> None:
    """Answer a message that is no command with what is wrong; None: what it subscribed to by its address."""
    subscribes = message is None or isinstance(message, messages.Subscribe | messages.Unsubscribe)
    type_ = "subscription_error" if subscribes else "error"
    answer(connection, type_, remedied(error.document()), None if message is None else message.id)


def _refuse_unread(
    connection: Connection, unread: messages.UnreadableError, error: ProblemError, refusing: Refusing
) -> None:
    """Answer a message that was not understood; a command is one all the same."""

    def answered() -> None:
        if connection.group is not None:  # it has not left
            answer(connection, unread.answer, remedied(error.document()), unread.id)

    if unread.about == _COMMAND:
        refusing.command(_COMMAND, error, answered)
    else:
        refusing.note("message", error)
        answered()


def _refuse_command(
    connection: Connection, message: messages.CommandMessage, error: ProblemError, refusing: Refusing
) -> None:
    """Answer a command that did not become one, once that is written down."""

    def answered() -> None:
        if connection.group is not None:  # it has not left
            answer(connection, "command_response", _not_done(message, error), message.id)

    refusing.command(f"{_COMMAND} {message.command.get('command', '')}", error, answered)


def _in_order(
    hub: StreamHub,
    connection: Connection,
    message: messages.Subscribe | messages.Unsubscribe | messages.Ack,
    refusing: Refusing,
    until: float,
) -> None:
    """Carry out what a client says of its subscriptions, one after the other: a resumption may wait, until
    ``until``, for what the client has seen and this server has not.
    """

    def go_on() -> None:
        _in_order(hub, connection, message, refusing, until)

    try:
        if hub.ahead.waits(connection):
            hub.ahead.queue(connection, go_on)
            return
        match message:
            case messages.Subscribe():
                _check_count(hub, message.topics)
                role = connection.principal.role
                awaited = hub.ahead.awaited(role, message.topics, message.resume, message.epoch)
                if not hub.ahead.hold(connection, awaited, until, go_on):
                    hub.subscribe(
                        connection,
                        message.topics,
                        id_=message.id,
                        resume=message.resume,
                        epoch=message.epoch,
                    )
            case messages.Unsubscribe():
                _check_count(hub, message.topics)
                hub.unsubscribe(connection, message.topics, id_=message.id)
            case messages.Ack():
                _ack(hub, connection, message)
    except ProblemError as error:
        refusing.note(_asked(message), error)
        refuse(connection, message, error)
    except Exception:  # the fault is ours; the log has the rest
        logger.exception("%s failed", _asked(message))
        refuse(connection, message, ProblemError("it failed inside the server, whose log says why"))


def _asked(message: messages.Subscribe | messages.Unsubscribe | messages.Ack) -> str:
    """Return what was asked for, as it is noted."""
    names = message.seqs if isinstance(message, messages.Ack) else message.topics
    return " ".join((str(message.__struct_config__.tag), *names))


def _check_count(hub: StreamHub, patterns: list[str]) -> None:
    """Refuse more patterns in one message than a connection may have, before they are looked at."""
    limit = hub.limits.max_subscriptions
    if len(patterns) > limit:
        raise InvalidRequestError(
            f"{len(patterns)} topics in one message",
            rule=f"at most {limit} subscriptions a connection",
            fix="use wildcards such as quotes.>, or a second connection",
            value=str(len(patterns)),
            limit=str(limit),
        )


def _ack(hub: StreamHub, connection: Connection, message: messages.Ack) -> None:
    """Note how far a reader processed its topics; raises InvalidRequestError for the future."""
    read = connection.group.topics if connection.group else {}
    ahead = [
        topic
        for topic, seq in message.seqs.items()
        if topic not in read or not 1 <= seq <= hub.bus.seq(topic)
    ]
    if ahead:
        raise InvalidRequestError(
            f"acknowledged what was never sent: {', '.join(sorted(ahead)[:5])}",
            rule="seq is one that was received in this epoch on a topic that is subscribed to",
            fix="acknowledge the last seq that came on each topic",
            epoch=hub.bus.epoch,
        )
    connection.acked.update(message.seqs)
    answer(connection, "ack", {"epoch": hub.bus.epoch}, message.id)


def _command(
    hub: StreamHub,
    connection: Connection,
    execute: Execute,
    message: messages.CommandMessage,
    refusing: Refusing,
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
        _refuse_command(connection, message, error, refusing)
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
            f"the command does not fit: {error}",
            rule="commands are as the API describes them",
            fix="give each field as /api/v1/docs of the daemon has it",
        ) from error
    return command


async def _carry_out(
    connection: Connection, execute: Execute, command: AnyCommand, message: messages.CommandMessage
) -> None:
    try:
        outcome = await execute(command, connection.principal)
    except ProblemError as error:
        outcome = _not_done(message, error)
    except Exception:  # the fault is ours, and how far it came nobody knows; the log has the rest
        logger.exception("command %s failed", type(command).__name__)
        unknown = OutcomeUnknownError(
            "it failed inside the daemon, whose log says why",
            rule="what was not seen to fail may have happened",
            fix="look at what is so before anything is sent again",
        )
        outcome = _not_done(message, unknown)
    finally:
        connection.commands -= 1
    if outcome.problem is not None:
        outcome = msgspec.structs.replace(outcome, problem=remedied(outcome.problem))
    if connection.group is not None:
        answer(connection, "command_response", outcome, message.id)


def _not_done(message: messages.CommandMessage, error: ProblemError) -> Outcome:
    """Return the outcome of a command that was refused, failed or is in doubt."""
    how: Literal["refused", "failed", "unknown"]
    if error.type == OutcomeUnknownError.type:
        how = "unknown"
    else:
        how = "failed" if error.status >= 500 else "refused"
    return Outcome(
        command_id=str(message.id),
        command=str(message.command.get("command", "")),
        outcome=how,
        problem=remedied(error.document()),
    )
