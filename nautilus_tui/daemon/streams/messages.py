"""What clients may say: each message typed, each with an id, each answered.

This module must not know how messages arrive or what is done about them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from data.problems import InvalidRequestError
from nautilus_tui.daemon.streams.wire import Format

_ID_LENGTH, _WIDEST = 128, 2**63
#: Numbers as wide as both formats can say them back.
Id = (
    Annotated[str, msgspec.Meta(max_length=_ID_LENGTH)]
    | Annotated[int, msgspec.Meta(ge=-_WIDEST, le=_WIDEST - 1)]
)
Pattern = Annotated[str, msgspec.Meta(max_length=255)]
Patterns = Annotated[list[Pattern], msgspec.Meta(min_length=1, max_length=500)]
Seqs = Annotated[dict[str, int], msgspec.Meta(max_length=2000)]


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """Base of all messages from clients; the answer carries the same ``id``."""

    id: Id | None = None
    v: Literal[1] = 1


class Authenticate(Message, frozen=True, kw_only=True, tag="authenticate"):
    """The first message of a connection that brought no ``Authorization`` header."""

    token: Annotated[str, msgspec.Meta(max_length=512)]

    def __repr__(self) -> str:
        return "Authenticate(…)"  # tokens are never printed


class Subscribe(Message, frozen=True, kw_only=True, tag="subscribe"):
    """Add topics or patterns; ``resume`` says the last ``seq`` seen of a topic in ``epoch``.

    Without an epoch the numbers are taken to be of the present one.
    """

    topics: Patterns
    resume: Seqs = {}
    epoch: str | None = None


class Unsubscribe(Message, frozen=True, kw_only=True, tag="unsubscribe"):
    """Take topics or patterns back, named as they were subscribed to."""

    topics: Patterns


class Ack(Message, frozen=True, kw_only=True, tag="ack"):
    """Tell how far topics were processed; shown to operators as the reader's lag."""

    seqs: Seqs


class HeartbeatResponse(Message, frozen=True, kw_only=True, tag="heartbeat_response"):
    """The answer to a heartbeat."""


class CommandMessage(Message, frozen=True, kw_only=True, tag="command"):
    """A command as in the API; answered with its outcome."""

    command: dict[str, Any]


AnyMessage = Authenticate | Subscribe | Unsubscribe | Ack | HeartbeatResponse | CommandMessage


class UnreadableError(InvalidRequestError):
    """A client's message could not be understood; ``id`` is its id and ``answer`` the type of the answer
    to it, where that much was readable.
    """

    def __init__(
        self, detail: str, id_: str | int | None, *, rule: str, fix: str | None = None, answer: str = "error"
    ) -> None:
        super().__init__(detail, rule=rule, fix=fix)
        self.id = id_
        self.answer = answer


#: What all envelopes have; a client that writes whole envelopes has the rest in ``data``.
_ENVELOPE = frozenset(("v", "type", "id", "topic", "seq", "ts", "data"))
_HEAD = frozenset(("v", "type", "id"))


def _opened(plain: object) -> object:
    """Return what was said in a whole envelope as if it had been said without; anything else as it is."""
    if not isinstance(plain, dict) or not plain.keys() <= _ENVELOPE:
        return plain
    data = plain.get("data")
    if not isinstance(data, dict) or data.keys() & _HEAD:
        return plain
    if plain.get("topic") is not None or plain.get("seq") is not None:
        return plain  # those are what the server tells of
    return {name: value for name, value in plain.items() if name in _HEAD} | data


def _id(said: object) -> str | int | None:
    """Return a message's id as the answer to it carries it; None if it has none, or none that could be one.

    Raises UnreadableError for one that is too long to be carried back.
    """
    if isinstance(said, bool) or not isinstance(said, str | int):
        return None
    if len(said) > _ID_LENGTH if isinstance(said, str) else not -_WIDEST <= said < _WIDEST:
        raise UnreadableError(
            "the message's id is too long",
            None,
            rule=f"an id is text of at most {_ID_LENGTH} characters or an integer of 64 bits, sign included",
            fix="count messages, for example",
        )
    return said


def read(form: Format, data: bytes) -> AnyMessage:
    """Return a client's message; raises UnreadableError with what is wrong and where."""
    try:
        plain = form.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(
            f"the message is not {form.name}: {error}",
            None,
            rule=f"this connection speaks {form.name}, one object a message",
        ) from error
    id_ = _id(plain.get("id")) if isinstance(plain, dict) else None
    try:
        message: AnyMessage = msgspec.convert(_opened(plain), AnyMessage)
    except msgspec.ValidationError as error:
        about = plain.get("type") if id_ is not None else None
        raise UnreadableError(
            f"the message does not fit: {error}",
            id_,
            rule="type is one of authenticate, subscribe, unsubscribe, ack, heartbeat_response, command",
            answer="subscription_error" if about in ("subscribe", "unsubscribe") else "error",
        ) from error
    if message.id is None and not isinstance(message, Authenticate):
        raise UnreadableError(
            f"the {plain['type']} message has no id", None, rule="every message has an id", fix="add one"
        )
    return message
