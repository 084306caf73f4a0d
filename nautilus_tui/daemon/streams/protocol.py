"""The protocol class that uvicorn serves WebSockets with: handshake, authentication, control frames.

uvicorn reads the upgrade request, makes one of these (``config``, ``server_state``, ``app_state``:
its internals, hence the pinned version), feeds it the request and leaves the transport to it.
Frames to clients come ready-made from the hub and go to the transport as they are; the sans-io
`websockets` protocol parses what clients send. This module must not know what is subscribed or said.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from typing import Any, ClassVar, cast

from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

from data.problems import (
    InvalidRequestError,
    ProblemError,
    RateLimitedError,
    UnauthorizedError,
    UnavailableError,
)
from nautilus_tui.daemon.origins import Origins
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.refusals import Note, Record
from nautilus_tui.daemon.remedies import remedied
from nautilus_tui.daemon.streams import messages, session
from nautilus_tui.daemon.streams.connection import Connection
from nautilus_tui.daemon.streams.frames import Broken, Frames, NoTextError, Said
from nautilus_tui.daemon.streams.handshake import Authenticate as Authenticate
from nautilus_tui.daemon.streams.handshake import check_page, rejected, who
from nautilus_tui.daemon.streams.hub import CLOSE_RESTART, CLOSE_UNAUTHENTICATED, StreamHub
from nautilus_tui.daemon.streams.outgoing import held_by_system
from nautilus_tui.daemon.streams.parting import Parting, cut
from nautilus_tui.daemon.streams.paths import subscriptions_of
from nautilus_tui.daemon.streams.peers import Peer, peer_of
from nautilus_tui.daemon.streams.refusing import Refusing
from nautilus_tui.daemon.streams.turns import Reception, Turns
from nautilus_tui.daemon.streams.wire import JSON, SUBPROTOCOLS, Format

#: uvicorn's listen backlog: asyncio's 100 adds stalls of a second to connect storms.
BACKLOG = 4096
#: How often a connection whose token will expire looks at the clock, in seconds.
_CLOCK_S = 3600.0

_ids = itertools.count(1)
_run = secrets.token_hex(3)


class StreamProtocol(asyncio.Protocol):
    """One WebSocket connection on its transport."""

    hub: ClassVar[StreamHub]
    authenticate: ClassVar[Authenticate]
    execute: ClassVar[session.Execute]
    origins: ClassVar[Origins]
    note: ClassVar[Note]
    record: ClassVar[Record]
    reception: ClassVar[Reception]

    __slots__ = (
        "_closing",
        "_connection",
        "_expiry",
        "_form",
        "_opening",
        "_pace",
        "_parting",
        "_path",
        "_patterns",
        "_peer",
        "_refusing",
        "_state",
        "_timer",
        "_transport",
        "_turns",
        "_ws",
    )

    _transport: asyncio.Transport
    _peer: Peer
    _refusing: Refusing

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._state = server_state
        self._ws = Frames(self.hub.limits.max_message)
        self._form: Format = JSON
        self._path = ""
        self._patterns: tuple[str, ...] = ()
        self._connection: Connection | None = None
        self._opening: list[bytes] = []  #: the upgrade request and what came behind it, until its turn
        self._pace = session.Pace(self.hub.limits.inbound_rate)
        self._timer: asyncio.TimerHandle | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._turns = Turns(self, self.reception)
        self._parting: Parting | None = None
        self._closing = False

    # ------------------------------------------------------------ the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport over from uvicorn's HTTP protocol."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's do not inherit from asyncio's
        self._peer = peer_of(self._transport)
        self._refusing = Refusing(self._peer, self.note, self.record, self._go_on)
        limits = self.hub.limits
        self._transport.set_write_buffer_limits(high=limits.write_high, low=limits.write_low)
        self._state.connections.add(self)  # type: ignore[arg-type]  # uvicorn lists its own classes

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget everything: the peer is gone."""
        self._state.connections.discard(self)
        self._leave()
        self._turns.end()
        if self._parting is not None:
            self._parting.over()

    def pause_writing(self) -> None:
        """The client reads too slowly: write no more, and hear no more from it until it reads."""
        if self._closing:
            return
        self._transport.pause_reading()
        if self._connection is not None:
            self.hub.block(self._connection)

    def resume_writing(self) -> None:
        """The client has read."""
        if self._closing:
            return
        if self._connection is not None:
            self.hub.unblock(self._connection)
        self._turns.resume()

    def _go_on(self) -> None:
        """Hear the client again: what was refused is written down and answered."""
        if self._connection is not None:
            self._turns.resume()

    def eof_received(self) -> None:
        """Let the transport close itself."""

    @property
    def transport(self) -> asyncio.Transport:
        """What carries the connection; a server whose time is up cuts it."""
        return self._transport

    def shutdown(self) -> None:
        """Say goodbye because the server stops (uvicorn calls this)."""
        self._close(CLOSE_RESTART, "the daemon is stopping")

    def data_received(self, data: bytes) -> None:
        """Hear what the client sent, in its turn; the first is the upgrade request, as uvicorn read it."""
        if self._parting is not None:
            self._parting.came()
        elif self._ws.state is not State.CONNECTING:
            self._turns.take(data)
        elif not self._closing:
            self._opening.append(data)
            if len(self._opening) == 1:
                self._transport.pause_reading()
                self.reception.enter(self._arrive)

    def _arrive(self) -> None:
        """Answer the upgrade request, now that uvicorn has handed the transport over."""
        request, *early = self._opening
        self._opening = []
        if self._closing:
            return
        self._transport.resume_reading()
        self._ws.receive_data(request)
        for event in self._ws.events_received():
            if isinstance(event, Request):
                self._handshake(event)
        if self._ws.handshake_exc is not None and not self._closing:
            problem = InvalidRequestError(
                f"not a WebSocket handshake: {self._ws.handshake_exc}",
                rule="an upgrade request is as RFC 6455 describes it",
                fix="let a WebSocket library make it",
            )
            self._refuse(problem)
        if early and not self._closing:
            self._turns.take(b"".join(early))

    # ------------------------------------------------------------ handshake

    def _handshake(self, request: Request) -> None:
        """Answer the upgrade request: 101, or a problem document."""
        self._path = request.path.partition("?")[0]
        try:
            check_page(request, self.origins, self._peer)
            if len(self._state.connections) > self.hub.limits.max_connections:
                raise UnavailableError(
                    "too many stream connections",
                    rule=f"at most {self.hub.limits.max_connections} connections",
                    fix="try again later",
                )
            self._path, self._patterns = subscriptions_of(request.path)
            self._refusing.known = who(request, self.authenticate, self._peer)
        except ProblemError as error:
            self._refuse(error)
            return
        response = self._ws.accept(request)
        if self._ws.handshake_exc is not None:
            return  # who called says so
        if self._ws.subprotocol is not None:
            self._form = SUBPROTOCOLS[self._ws.subprotocol]
        self._ws.send_response(response)
        self._flush()
        self._begin()

    def _begin(self) -> None:
        """Start the conversation, or wait for the client to say who it is."""
        if self._closing:
            return
        if self._refusing.known is not None:
            self._admit(self._refusing.known)
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.hub.limits.auth_s, self._not_authenticated)

    def _admit(self, principal: Principal, id_: str | int | None = None) -> None:
        """Join the hub, answering the message named ``id_`` if one proved who it is, and subscribe to
        what the path stands for.
        """
        hub, form = self.hub, self._form
        connection = self._connection = Connection(
            f"c{_run}-{next(_ids)}",
            principal,
            form,
            peer=self._peer.name,
            path=self._path,
            write=self._transport.write,
            close=self._close,
            unsent=self._transport.get_write_buffer_size,
            on_the_way=lambda: held_by_system(self._transport),
        )
        facts = {
            "connection_id": connection.id,
            "epoch": hub.bus.epoch,
            "heartbeat_s": hub.limits.heartbeat_s,
            "version": hub.version,
            "name": principal.name,
            "role": principal.role,
            "format": form.name,
            "max_subscriptions": hub.limits.max_subscriptions,
            "inbound_rate": hub.limits.inbound_rate,
        }
        session.answer(connection, "connection_established", facts, id_)
        hub.join(connection)
        self._end_when_expired(principal)
        if self._patterns:
            try:
                hub.subscribe(connection, self._patterns)
            except ProblemError as error:
                self._refusing.note(f"subscribe to {self._path}", error)
                session.refuse(connection, None, error)

    def _end_when_expired(self, principal: Principal) -> None:
        """Close the connection when its token expires; the clock is asked again now and then, as it
        may be set meanwhile.
        """
        if principal.ts_expires is None or self._closing:
            return
        left = (principal.ts_expires - time.time_ns()) / 1e9
        if left <= 0:
            self._close(CLOSE_UNAUTHENTICATED, "its token has expired")
            return
        wait = min(left, _CLOCK_S)
        self._expiry = asyncio.get_running_loop().call_later(wait, self._end_when_expired, principal)

    def _not_authenticated(self) -> None:
        self._timer = None
        error = UnauthorizedError(
            "no token came",
            rule=f"a connection authenticates within {self.hub.limits.auth_s:g} s",
            fix=f"say {messages.Authenticate.example} first, or send an Authorization header",
        )
        self._refusing.note("authenticate", error)
        self._tell(error)
        self._close(CLOSE_UNAUTHENTICATED, "not authenticated in time")

    def _identify(self, data: bytes) -> None:
        """Take the first message of a connection without a header: it must be a token."""
        id_: str | int | None = None
        try:
            message = messages.read(self._form, data)
            id_ = message.id
            if not isinstance(message, messages.Authenticate):
                raise UnauthorizedError(
                    "the first message was not authenticate",
                    rule="without an Authorization header the first message is authenticate",
                    fix=f"say {messages.Authenticate.example} first",
                )
            principal = self.authenticate(message.token, self._peer.uid, self._peer.address)
        except ProblemError as error:
            self._refusing.note("authenticate", error)
            self._tell(error, error.id if isinstance(error, messages.UnreadableError) else id_)
            self._close(CLOSE_UNAUTHENTICATED, error.title)
            return
        self._stop_timer()
        self._refusing.known = principal
        self._admit(principal, message.id)

    def _refuse(self, error: ProblemError) -> None:
        """Answer the upgrade request with a problem document and hang up."""
        self._refusing.note(f"connect to {self._path}", error)
        answer = rejected(self._ws, error)
        self._closing = True
        self._ws.data_to_send()  # what `websockets` itself would say to it, or has to no avail
        self._transport.write(answer.serialize())
        self._end()

    # ------------------------------------------------------------ frames

    def parse(self, data: bytes) -> list[Said]:
        """Return what ends in the next bytes from the client."""
        return self._ws.said(data)

    def blocked(self) -> bool:
        """Tell whether the client does not read, or waits for what it was refused to be written down."""
        return self._connection is not None and (self._connection.blocked or self._refusing.writing)

    def reads(self) -> bool:
        """Tell whether the client may be heard; a transport that is full may have yet to say so."""
        connection = self._connection
        if connection is None:
            return True
        return not self.blocked() and connection.unsent() <= self.hub.limits.write_high

    def hurries(self) -> bool:
        """Tell whether the client talks faster than it may."""
        return self._pace.excess > 0

    def hear(self, said: Said) -> None:
        """Act on what came from the client."""
        if isinstance(said, Broken):
            self._break_off(said.problem)
            return
        if said.opcode is Opcode.CLOSE:
            self._leave()
            self._flush()  # the echo; the transport closes behind it
            return
        in_time = self._pace.take()
        excess = self._pace.excess
        if not in_time and excess >= self.hub.limits.inbound_excess:
            self._close(CloseCode.POLICY_VIOLATION, f"{excess} messages over the rate")
            self._part()  # it was told, and may go on as if it had not heard it
        elif not self._closing:
            self._listen(said, in_time)

    def _listen(self, frame: Frame, in_time: bool) -> None:
        if self._connection is not None:
            self._connection.alive = True
        data: bytes | None = None
        if frame.opcode is Opcode.PING:
            self._transport.write(Frame(Opcode.PONG, frame.data).serialize(mask=False))
        elif frame.opcode is not Opcode.PONG:
            try:
                data = self._ws.message(frame)
            except NoTextError as error:
                self._refusing.note("message", error)
                self._tell(error)
                self._close(CloseCode.INVALID_DATA, error.detail)
                return
        if not in_time:
            self._too_fast(data)
        elif data is not None and self._connection is not None:
            session.hear(self.hub, self._connection, self.execute, data, self._refusing)
        elif data is not None:
            self._identify(data)

    def _too_fast(self, data: bytes | None) -> None:
        """Decline what a client says too fast.

        Each message has its answer; pings, pongs and pieces of messages are told of once in a while.
        """
        rate, excess = self.hub.limits.inbound_rate, self._pace.excess
        error = RateLimitedError(
            "what was said is not carried out: it came too fast",
            rule=f"at most {rate} messages a second from a client",
            fix="slow down, then say it again; several topics fit in one subscribe",
        )
        if data is not None and self._connection is not None:
            session.decline(self._connection, data, error, self._refusing)
            return
        self._refusing.note("message", error)
        if excess == 1 or excess % rate == 0:
            self._tell(error)

    def _break_off(self, problem: InvalidRequestError) -> None:
        """Say what was wrong with a frame; the close frame that `websockets` made follows."""
        if not self._closing:
            self._refusing.note("message", problem)
            self._tell(problem)
        self._leave()
        self._flush()

    def _tell(self, error: ProblemError, id_: str | int | None = None) -> None:
        document = remedied(error.document())
        self._transport.write(self._form.frame([self._form.message("error", document, id_=id_)]))

    # ------------------------------------------------------------ closing

    def _close(self, code: int, reason: str) -> None:
        """Send a close frame, and cut the connection if the client does not answer it in time."""
        if self._closing:
            return
        self._leave()
        if self._ws.state is State.CLOSING:  # the client ended it first; that it did was yet to be heard
            self._flush()
            return
        try:
            self._ws.send_close(code, reason.encode()[:120].decode(errors="ignore"))
        except InvalidState:
            self._transport.close()
            return
        self._flush()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.hub.limits.close_s, cut, self._transport)
        self._turns.resume()  # to hear the client's own close frame

    def _leave(self) -> None:
        self._closing = True
        self._stop_timer()
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if self._connection is not None:
            self.hub.leave(self._connection)
            self._connection = None

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _flush(self) -> None:
        """Write what the sans-io protocol wants written; an empty piece is its end of stream, which comes
        when the client said goodbye, or cannot be read any further and may go on talking.
        """
        pieces = self._ws.data_to_send()
        if pieces:
            self._transport.write(b"".join(pieces))
            if pieces[-1] == b"":
                self._closing = True
                if self._ws.parser_exc is None:
                    self._end()
                else:
                    self._part()

    def _part(self) -> None:
        """Say no more to a client that may go on talking, and hear it no more."""
        if self._parting is not None or self._transport.is_closing():
            return
        self._stop_timer()
        self._turns.end()
        self._parting = Parting(self._transport, self.hub.limits.close_s)

    def _end(self) -> None:
        """Close once everything is written, or cut a client that does not read it in time."""
        self._transport.close()
        self._stop_timer()
        self._turns.end()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.hub.limits.close_s, cut, self._transport)
