"""Listening to the daemon: one WebSocket that reconnects, resumes and never shows an event twice.

Iterate over a ``StreamClient``: it yields ``Batch`` (decoded envelopes, in order) and
``ConnectionChanged`` (for a banner), in the order they happened. After a lost connection it comes
back with growing pauses and asks for what it missed by topic, sequence number and epoch; lossless
events that were seen before are dropped. This module must not know what is done with events.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, Self

import msgspec
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from data.problems import ForbiddenError, InvalidRequestError, ProblemError, UnauthorizedError
from data.topics import delivery_of
from nautilus_tui.client.address import Address
from nautilus_tui.client.envelopes import Envelope, decode_frame
from nautilus_tui.client.problems import NotReachableError, WireError

SUBPROTOCOL: Final = Subprotocol("nautilus.msgpack")
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
_OPEN_TIMEOUT_S: Final = 5.0
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
    connection_id: str | None = None


StreamEvent = Batch | ConnectionChanged


class StreamClient:
    """A subscription that survives the connection it runs on.

    Topics may be changed at any time with ``subscribe`` and ``unsubscribe``. Iteration ends when
    ``close`` is called, and raises only when reconnecting cannot help (``UnauthorizedError``,
    ``ForbiddenError``).
    """

    def __init__(self, address: Address, topics: Iterable[str] = (), *, path: str = "/ws") -> None:
        self.address = address
        self.epoch: str | None = None
        self._path = path
        self._topics: set[str] = set(topics)
        self._seen: dict[str, int] = {}
        self._socket: ClientConnection | None = None
        self._ids = itertools.count(1)
        self._closed = asyncio.Event()

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
        """Add topics (``*`` one level, ``>`` the rest). Their snapshots arrive as events."""
        new = [topic for topic in topics if topic not in self._topics]
        self._topics.update(new)
        if new and self._socket is not None:
            await self._say(self._socket, {"type": "subscribe", "topics": new})

    async def unsubscribe(self, *topics: str) -> None:
        """Drop topics."""
        gone = [topic for topic in topics if topic in self._topics]
        self._topics.difference_update(gone)
        if gone and self._socket is not None:
            await self._say(self._socket, {"type": "unsubscribe", "topics": gone})

    async def __aiter__(self) -> AsyncIterator[StreamEvent]:
        attempt = 0
        lost_ns = time.time_ns()
        yield ConnectionChanged("connecting", lost_ns)
        while not self._closed.is_set():
            try:
                async for event in self._one_connection(attempt):
                    if isinstance(event, ConnectionChanged):
                        attempt = 0
                    yield event
                problem = "the daemon closed the connection"
            except (UnauthorizedError, ForbiddenError):
                raise
            except ProblemError as error:
                problem = error.detail
            if self._closed.is_set():
                return
            if attempt == 0:
                lost_ns = time.time_ns()
            pause = _pause(attempt)
            attempt += 1
            yield ConnectionChanged(
                "disconnected", lost_ns, attempt, time.time_ns() + int(pause * 1e9), problem, self.epoch
            )
            await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._closed.wait(), seconds)
        except TimeoutError:
            return

    # ------------------------------------------------------------ one connection

    async def _one_connection(self, attempt: int) -> AsyncIterator[StreamEvent]:
        socket = await self._open()
        self._socket = socket
        try:
            heartbeat = _HEARTBEAT_S
            while True:
                frame = await self._receive(socket, dead_after=2 * heartbeat)
                if frame is None:
                    return
                fresh: list[Envelope] = []
                for envelope in decode_frame(frame):
                    if envelope.type == "connection_established":
                        facts = envelope.data
                        heartbeat = float(facts.get("heartbeat_s") or _HEARTBEAT_S)
                        yield await self._established(socket, facts, attempt)
                    elif self._is_news(envelope):
                        fresh.append(envelope)
                    elif envelope.type == "heartbeat":
                        await self._say(socket, {"type": "heartbeat_response", "id": envelope.id})
                if fresh:
                    yield Batch(fresh)
        finally:
            self._socket = None
            await socket.close()

    async def _open(self) -> ClientConnection:
        options: dict[str, Any] = {
            "subprotocols": [SUBPROTOCOL],
            "compression": None,
            "additional_headers": self.address.headers,
            "open_timeout": _OPEN_TIMEOUT_S,
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
            status = error.response.status_code
            if status == 401:
                raise UnauthorizedError(
                    f"{self.address} wants a valid token",
                    fix="make one with nautilus-tui token create, and set NAUTILUS_TUI_TOKEN",
                ) from error
            if status == 403:
                raise ForbiddenError(f"{self.address} refuses this token's role") from error
            raise NotReachableError(f"{self.address} answered {status}") from error
        except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed) as error:
            raise NotReachableError(f"no daemon answers at {self.address} ({error or 'time-out'})") from error

    async def _receive(self, socket: ClientConnection, *, dead_after: float) -> bytes | None:
        try:
            frame = await asyncio.wait_for(socket.recv(), dead_after)
        except TimeoutError as error:
            raise NotReachableError(f"nothing heard for {dead_after:.0f} s") from error
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
        epoch = facts.get("epoch")
        if epoch != self.epoch:
            self._seen.clear()
            self.epoch = epoch
        if self._topics:
            message: dict[str, Any] = {"type": "subscribe", "topics": sorted(self._topics)}
            if self._seen:
                message |= {"resume": dict(self._seen), "epoch": epoch}
            await self._say(socket, message)
        return ConnectionChanged(
            "connected",
            time.time_ns(),
            attempt,
            epoch=epoch,
            role=facts.get("role"),
            connection_id=facts.get("connection_id"),
        )

    def _is_news(self, envelope: Envelope) -> bool:
        """Say whether to hand an envelope on, and remember how far its topic was seen."""
        if envelope.type == "heartbeat":
            return False
        if not _is_lossless(envelope.topic):
            return True
        if envelope.type == "snapshot":
            self._seen[envelope.topic] = envelope.seq
            return True
        if envelope.type == "gap":
            return True
        if envelope.seq <= self._seen.get(envelope.topic, 0):
            return False
        self._seen[envelope.topic] = envelope.seq
        return True

    async def _say(self, socket: ClientConnection, message: dict[str, Any]) -> None:
        """Send one message; a connection that just died is noticed where it is read."""
        message.setdefault("id", str(next(self._ids)))
        try:
            await socket.send(msgspec.msgpack.encode(message))
        except ConnectionClosed:
            return


def _pause(attempt: int) -> float:
    """Return the pause before an attempt, in seconds: doubling, and jittered so that clients spread."""
    pause = min(_FIRST_PAUSE_S * 2.0 ** min(attempt, 10), _LONGEST_PAUSE_S)
    return pause * random.uniform(0.75, 1.0)


@lru_cache(maxsize=65536)
def _is_lossless(topic: str) -> bool:
    """Say whether a topic is resumed and checked for repeats; topics of a newer daemon are not."""
    try:
        return delivery_of(topic) == "lossless"
    except InvalidRequestError:
        return False
