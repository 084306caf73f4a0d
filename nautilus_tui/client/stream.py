"""Listening to the daemon: one WebSocket that reconnects, resumes and never shows an event twice.

Iterate over a ``StreamClient``: it yields ``Batch`` (decoded envelopes, in order) and
``ConnectionChanged`` (for a banner), in the order they happened. After a lost connection it comes
back with growing pauses, at the next of its addresses if it has several, and asks for what it missed
by topic, sequence number and epoch; lossless events that were seen before are dropped. A subscription
that the server refuses is raised. This module must not know what is done with events.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

import msgspec
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from data.problems import (
    ForbiddenError,
    InvalidRequestError,
    ProblemDocument,
    ProblemError,
    UnauthorizedError,
    from_document,
)
from data.topics import check_pattern
from nautilus_tui.client import wire
from nautilus_tui.client.address import Address
from nautilus_tui.client.envelopes import Envelope, decode_frame
from nautilus_tui.client.problems import NotReachableError, WireError, of_tls
from nautilus_tui.client.resuming import Position, Progress

SUBPROTOCOL: Final = Subprotocol("nautilus.msgpack")
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
#: How long a connection, and then the server's greeting, may take at first …
_OPEN_TIMEOUT_S: Final = 5.0
#: … and after failures: a server that everyone comes back to at once must not be given up by everyone.
_LONGEST_OPEN_S: Final = 20.0
_HEARTBEAT_S: Final = 15.0
_LARGEST_FRAME: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in the order they were published."""

    envelopes: list[Envelope]


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """How the client stands with the daemon since ``since_ns`` (UTC ns)."""

    state: Literal["connecting", "connected", "disconnected"]
    since_ns: int
    attempt: int = 0  #: which attempt to reconnect is next, or succeeded
    retry_at_ns: int | None = None  #: when the next attempt is made
    problem: str | None = None  #: why the connection was lost or not made
    epoch: str | None = None  #: the daemon's run of sequence numbers
    role: str | None = None
    name: str | None = None  #: who one is to the daemon: ``local``, or a token's name
    connection_id: str | None = None
    address: str | None = None  #: which of its addresses this is about


StreamEvent = Batch | ConnectionChanged


class StreamClient:
    """A subscription that survives the connection it runs on.

    Topics may be changed at any time with ``subscribe`` and ``unsubscribe``. Iteration ends when
    ``close`` is called, and raises only when reconnecting cannot help:

    - ``UnauthorizedError``, ``ForbiddenError``: every address refused the token, or the server
      refused a topic to the token's role;
    - ``InvalidRequestError``: the server knows no such topic, or more are wanted than it gives.

    A refused topic refuses all that were asked for with it. Those of a later ``subscribe`` are then no
    longer wanted: iterating again goes on with the others.

    Args:
        addresses: where to listen: a daemon, or several servers of the same streams (a daemon and
            gateways). They are used in turn: after a lost or failed connection comes the next.
        topics: what to listen to (``*`` one level, ``>`` the rest).
        path: the address's path; other paths than ``/ws`` subscribe by themselves.
        resume: a ``position`` that an earlier client had come to; what was published since is
            given first, or a ``gap`` and a snapshot where that is no longer known.

    Raises:
        InvalidRequestError: no address was given, or a topic is malformed.
    """

    def __init__(
        self,
        addresses: Address | Sequence[Address],
        topics: Iterable[str] = (),
        *,
        path: str = "/ws",
        resume: Position | None = None,
    ) -> None:
        self._addresses = (addresses,) if isinstance(addresses, Address) else tuple(addresses)
        if not self._addresses:
            raise InvalidRequestError("no address was given", rule="a stream has an address or several")
        self._turn = 0
        self._refused: set[int] = set()  #: addresses that refused the token since the last connection
        self._path = path
        self._topics: set[str] = {check_pattern(topic) for topic in topics}
        #: What each subscription that was not answered yet would add, by its id; None: the path's own.
        self._asked: dict[str | None, tuple[str, ...]] = {}
        self._progress = Progress(resume)
        self._socket: ClientConnection | None = None
        self._ids = itertools.count(1)
        self._closed = asyncio.Event()

    @property
    def address(self) -> Address:
        """The address that is in use, or is tried next."""
        return self._addresses[self._turn % len(self._addresses)]

    @property
    def epoch(self) -> str | None:
        """The daemon's run of sequence numbers that is read."""
        return self._progress.epoch

    @property
    def position(self) -> Position:
        """How far the lossless topics were read, including the batch that was given last.

        Kept (it is a struct) and given back as ``resume``, it lets a program go on over its own
        restarts. Keep it after a batch was dealt with.
        """
        return self._progress.position()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the iteration and close the connection."""
        self._closed.set()
        if self._socket is not None:
            await self._socket.close()

    @property
    def topics(self) -> frozenset[str]:
        """What is subscribed, or will be as soon as there is a connection."""
        return frozenset(self._topics)

    async def subscribe(self, *topics: str) -> None:
        """Add topics (``*`` one level, ``>`` the rest). Their snapshots arrive as events.

        Returns before the server has answered: what it refuses is raised by the iteration.

        Raises:
            InvalidRequestError: a topic is malformed; none is added.
        """
        new = [topic for topic in map(check_pattern, topics) if topic not in self._topics]
        self._topics.update(new)
        if new and self._socket is not None:
            id_ = str(next(self._ids))
            self._asked[id_] = tuple(new)
            await self._say(self._socket, {"type": "subscribe", "id": id_, "topics": new})

    async def unsubscribe(self, *topics: str) -> None:
        """Drop topics."""
        gone = [topic for topic in topics if topic in self._topics]
        self._topics.difference_update(gone)
        self._progress.forget(self._topics)
        if gone and self._socket is not None:
            await self._say(self._socket, {"type": "unsubscribe", "topics": gone})

    async def __aiter__(self) -> AsyncIterator[StreamEvent]:
        attempt = 0
        lost_ns = time.time_ns()
        yield ConnectionChanged("connecting", lost_ns, address=str(self.address))
        while not self._closed.is_set():
            tried = attempt
            try:
                async for event in self._one_connection(attempt):
                    if isinstance(event, ConnectionChanged):
                        attempt = 0
                        self._refused.clear()
                    yield event
                problem = "the server closed the connection"
            except _NotSubscribedError as refusal:
                if refusal.for_good:
                    raise refusal.problem from None
                problem, attempt = refusal.problem.detail, tried
            except (UnauthorizedError, ForbiddenError) as error:
                self._refused.add(self._turn % len(self._addresses))
                if len(self._refused) == len(self._addresses):
                    raise
                problem = error.detail
            except ProblemError as error:
                problem = error.detail
            if self._closed.is_set():
                return
            if attempt == 0:
                lost_ns = time.time_ns()
            pause = _pause(self._round(attempt))
            attempt += 1
            lost = str(self.address)
            self._turn += 1
            yield ConnectionChanged(
                "disconnected",
                lost_ns,
                attempt,
                time.time_ns() + int(pause * 1e9),
                problem,
                self.epoch,
                address=lost,
            )
            await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._closed.wait(), seconds)
        except TimeoutError:
            return

    # ------------------------------------------------------------ one connection

    async def _one_connection(self, attempt: int) -> AsyncIterator[StreamEvent]:
        patience = min(_OPEN_TIMEOUT_S * 2.0 ** min(self._round(attempt), 10), _LONGEST_OPEN_S)
        socket = await self._open(patience)
        self._socket = socket
        try:
            while True:
                frame = await self._receive(socket, dead_after=patience)
                if frame is None:
                    return
                fresh: list[Envelope] = []
                for envelope in decode_frame(frame):
                    if envelope.type == "connection_established":
                        facts = envelope.data
                        patience = 2 * float(facts.get("heartbeat_s") or _HEARTBEAT_S)
                        yield await self._established(socket, facts, attempt)
                        continue
                    refusal = self._answered(envelope)
                    if refusal is not None:
                        if fresh:
                            yield Batch(fresh)
                        raise refusal
                    if self._progress.is_news(envelope):
                        fresh.append(envelope)
                    elif envelope.type == "heartbeat":
                        await self._say(socket, {"type": "heartbeat_response", "id": envelope.id})
                if fresh:
                    yield Batch(fresh)
        finally:
            self._socket = None
            await socket.close()

    def _answered(self, envelope: Envelope) -> _NotSubscribedError | None:
        """Take note of the answer to a subscription; return what to raise if it was refused."""
        if envelope.type == "subscription_confirmed":
            self._asked.pop(envelope.id, None)
        if envelope.type != "subscription_error" or envelope.id not in self._asked:
            return None
        refusal = _NotSubscribedError(from_document(wire.convert(envelope.data, ProblemDocument)))
        if refusal.for_good:
            self._topics.difference_update(self._asked[envelope.id])
        return refusal

    def _round(self, attempt: int) -> int:
        """Return how often every address was tried before an attempt."""
        return attempt // len(self._addresses)

    async def _open(self, timeout: float) -> ClientConnection:
        options: dict[str, Any] = {
            "subprotocols": [SUBPROTOCOL],
            "compression": None,
            "additional_headers": self.address.headers,
            "open_timeout": timeout,
            "close_timeout": 1.0,
            "ping_interval": None,  # the protocol has its own heartbeat
            "max_size": _LARGEST_FRAME,
            "max_queue": 64,
        }
        uri = self.address.ws_url + self._path
        try:
            if self.address.socket is not None:
                return await unix_connect(str(self.address.socket), uri, **options)
            return await connect(uri, proxy=None, ssl=self.address.trust, **options)
        except InvalidStatus as error:
            raise _refusal(self.address, error) from error
        except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed) as error:
            of_tls_problem = of_tls(self.address, error) if self.address.secure else None
            if of_tls_problem is not None:
                raise of_tls_problem from error
            raise NotReachableError(f"no daemon answers at {self.address} ({error or 'time-out'})") from error

    async def _receive(self, socket: ClientConnection, *, dead_after: float) -> bytes | None:
        try:
            frame = await asyncio.wait_for(socket.recv(), dead_after)
        except TimeoutError as error:
            raise NotReachableError(f"nothing heard for {dead_after:g} s") from error
        except ConnectionClosed as error:
            if self._closed.is_set():
                return None
            reason = error.rcvd.reason if error.rcvd else ""
            raise NotReachableError(reason or "the connection was lost") from error
        if isinstance(frame, str):
            raise WireError("the daemon answered text where msgpack was agreed")
        return frame

    async def _established(
        self, socket: ClientConnection, facts: dict[str, Any], attempt: int
    ) -> ConnectionChanged:
        """Take note of the daemon's run, subscribe to everything wanted and resume what was seen."""
        id_ = str(next(self._ids))
        resume = self._progress.begin(facts.get("epoch"), self._topics, id_)
        self._asked = {None: (), id_: ()}
        if self._topics:
            topics = sorted(self._topics)
            await self._say(socket, {"type": "subscribe", "id": id_, "topics": topics, **resume})
        return ConnectionChanged(
            "connected",
            time.time_ns(),
            attempt,
            epoch=self.epoch,
            role=facts.get("role"),
            name=facts.get("name"),
            connection_id=facts.get("connection_id"),
            address=str(self.address),
        )

    async def _say(self, socket: ClientConnection, message: dict[str, Any]) -> None:
        """Send one message; a connection that just died is noticed where it is read."""
        message.setdefault("id", str(next(self._ids)))
        try:
            await socket.send(msgspec.msgpack.encode(message))
        except ConnectionClosed:
            return


class _NotSubscribedError(Exception):
    """The server refused a subscription; ``for_good`` if it will refuse the next connection's too."""

    def __init__(self, problem: ProblemError) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.for_good = isinstance(problem, InvalidRequestError | ForbiddenError)


def _pause(attempt: int) -> float:
    """Return the pause before an attempt, in seconds: doubling, and jittered so that clients spread."""
    pause = min(_FIRST_PAUSE_S * 2.0 ** min(attempt, 10), _LONGEST_PAUSE_S)
    return pause * random.uniform(0.5, 1.0)


def _refusal(address: Address, error: InvalidStatus) -> ProblemError:
    """Return why a server did not take the connection, in its own words if it has any."""
    status, body = error.response.status_code, error.response.body or b""
    try:
        detail = msgspec.json.decode(body, type=ProblemDocument).detail
    except msgspec.DecodeError:  # another program, or a proxy: its page says nothing to us
        detail = ""
    if status == 401:
        return UnauthorizedError(
            f"{address} wants a valid token" + (f": {detail}" if detail else ""),
            fix="make one with nautilus-tui token create, and set NAUTILUS_TUI_TOKEN",
        )
    if status == 403:
        return ForbiddenError(f"{address} refuses this token: {detail or 'its role may not connect'}")
    return NotReachableError(f"{address} answered {status}" + (f": {detail}" if detail else ""))
