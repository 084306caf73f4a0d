"""What clients may say: each message typed, each with an id, each answered.

This module must not know how messages arrive or what is done about them.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, get_args

import msgspec

from data.problems import InvalidRequestError
from nautilus_tui.daemon.streams.wire import SUBPROTOCOLS, Format

_ID_LENGTH, _WIDEST = 128, 2**63
_NAME_LENGTH, _TOKEN_LENGTH, _NUMBERS = 255, 512, 2000
#: Numbers as wide as both formats can say them back.
Id = (
    Annotated[str, msgspec.Meta(max_length=_ID_LENGTH)]
    | Annotated[int, msgspec.Meta(ge=-_WIDEST, le=_WIDEST - 1)]
)
#: How many there may be is the hub's to say, which has them all.
Patterns = Annotated[list[Annotated[str, msgspec.Meta(max_length=_NAME_LENGTH)]], msgspec.Meta(min_length=1)]
Seqs = Annotated[dict[str, int], msgspec.Meta(max_length=_NUMBERS)]


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """Base of all messages from clients; the answer carries the same ``id``."""

    has: ClassVar[str]  #: beside ``type``, ``id`` and ``v``, as people are told
    example: ClassVar[str]

    id: Id | None = None
    v: Literal[1] = 1


class Authenticate(Message, frozen=True, kw_only=True, tag="authenticate"):
    """The first message of a connection that brought no ``Authorization`` header."""

    has = f"token, text of at most {_TOKEN_LENGTH} characters"
    example = '{"type":"authenticate","id":1,"token":"ntui_…"}'

    token: Annotated[str, msgspec.Meta(max_length=_TOKEN_LENGTH)]

    def __repr__(self) -> str:
        return "Authenticate(…)"  # tokens are never printed


class Subscribe(Message, frozen=True, kw_only=True, tag="subscribe"):
    """Add topics or patterns; ``resume`` says the last ``seq`` seen of a topic in ``epoch``.

    Without an epoch the numbers are taken to be of the present one.
    """

    has = (
        f"topics, an array of 1 or more texts of at most {_NAME_LENGTH} characters;"
        f" if it resumes, also resume, at most {_NUMBERS} numbers by topic, and epoch"
    )
    example = '{"type":"subscribe","id":2,"topics":["orders.*","quotes.AAPL.SIM"]}'

    topics: Patterns
    resume: Seqs = {}
    epoch: str | None = None


class Unsubscribe(Message, frozen=True, kw_only=True, tag="unsubscribe"):
    """Take topics or patterns back, named as they were subscribed to."""

    has = f"topics, an array of 1 or more texts of at most {_NAME_LENGTH} characters"
    example = '{"type":"unsubscribe","id":3,"topics":["quotes.AAPL.SIM"]}'

    topics: Patterns


class Ack(Message, frozen=True, kw_only=True, tag="ack"):
    """Tell how far topics were processed; shown to operators as the reader's lag."""

    has = f"seqs, at most {_NUMBERS} numbers by topic"
    example = '{"type":"ack","id":4,"seqs":{"orders.paper-1":17}}'

    seqs: Seqs


class HeartbeatResponse(Message, frozen=True, kw_only=True, tag="heartbeat_response"):
    """The answer to a heartbeat."""

    has = "nothing more"
    example = '{"type":"heartbeat_response","id":5}'


class CommandMessage(Message, frozen=True, kw_only=True, tag="command"):
    """A command as in the API; answered with its outcome."""

    has = "command, an object"
    example = '{"type":"command","id":6,"command":{"command":"engine.stop","engine":"paper-1"}}'

    command: dict[str, Any]


AnyMessage = Authenticate | Subscribe | Unsubscribe | Ack | HeartbeatResponse | CommandMessage
_KINDS: dict[object, type[Message]] = {str(cls.__struct_config__.tag): cls for cls in get_args(AnyMessage)}


class UnreadableError(InvalidRequestError):
    """A client's message could not be understood; ``id`` is its id and ``about`` the type it is of, where
    that much was readable.
    """

    def __init__(
        self, detail: str, id_: str | int | None, *, rule: str, fix: str, about: str | None = None
    ) -> None:
        super().__init__(detail, rule=rule, fix=fix)
        self.id = id_
        self.about = about

    @property
    def answer(self) -> str:
        """The type of the answer to it."""
        subscribes = self.id is not None and self.about in ("subscribe", "unsubscribe")
        return "subscription_error" if subscribes else "error"


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


def _id(said: object, about: str | None) -> str | int | None:
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
            about=about,
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
            fix=f"say that, or choose another of the subprotocols {', '.join(SUBPROTOCOLS)} when you connect",
        ) from error
    said = plain.get("type") if isinstance(plain, dict) else None
    kind = _KINDS.get(said) if isinstance(said, str) else None
    about = said if kind is not None else None
    id_ = _id(plain.get("id"), about) if isinstance(plain, dict) else None
    try:
        message: AnyMessage = msgspec.convert(_opened(plain), AnyMessage)
    except msgspec.ValidationError as error:
        rule = f"a message is an object whose type is one of {', '.join(map(str, _KINDS))}"
        if kind is not None:
            rule = f"{about} has {kind.has}; beside that an id, and v, which is 1"
        example = (kind or HeartbeatResponse).example
        detail = f"the message does not fit: {error}"
        raise UnreadableError(detail, id_, rule=rule, fix=f"for example {example}", about=about) from error
    if message.id is None and not isinstance(message, Authenticate):
        raise UnreadableError(
            f"the {about} message has no id", None, rule="every message has an id", fix="add one", about=about
        )
    return message
