"""A real server for stream tests: uvicorn with our protocol class on a unix and a TCP socket."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import uvicorn
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from data import facts
from data.bus import Bus
from data.commands import AnyCommand, Outcome
from data.problems import UnauthorizedError
from nautilus_tui.daemon.peers import PeerHttpProtocol
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.refusals import Note, Record, unnoted
from nautilus_tui.daemon.streams import StreamHub, StreamLimits, make_ws_protocol
from nautilus_tui.daemon.streams.protocol import BACKLOG

TOKENS = {
    "t-admin": Principal("ann", "admin", "tcp"),
    "t-trader": Principal("tom", "trader", "tcp"),
    "t-viewer": Principal("vic", "viewer", "tcp"),
}


def authenticate(token: str | None, peer_uid: int | None, peer: str = "") -> Principal:
    """Know three tokens, and our own user on the unix socket."""
    if token is not None:
        if token in TOKENS:
            return TOKENS[token]
        raise UnauthorizedError("no such token")
    if peer_uid == os.getuid():
        return Principal(f"uid{peer_uid}", "admin", "unix")
    raise UnauthorizedError("no token")


class Executor:
    """Carries out commands by noting them; ``answer`` decides what comes of it."""

    def __init__(self) -> None:
        self.seen: list[tuple[AnyCommand, Principal]] = []
        self.answer: Callable[[AnyCommand], Outcome] = lambda command: Outcome(
            command_id="x", command=str(command.__struct_config__.tag), outcome="done"
        )
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, command: AnyCommand, principal: Principal) -> Outcome:
        self.seen.append((command, principal))
        await self.gate.wait()
        return self.answer(command)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


async def hello(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The plain HTTP side of the port."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"http"})


class Service:
    """Bus, hub and server, and clients of it."""

    def __init__(self, bus: Bus, hub: StreamHub, execute: Executor, path: Path, port: int) -> None:
        self.bus = bus
        self.hub = hub
        self.execute = execute
        self.path = path
        self.port = port

    def tcp(self, path: str = "/ws", *, token: str | None = "t-admin", **options: Any) -> Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return Client(
            lambda **more: connect(
                f"ws://127.0.0.1:{self.port}{path}", additional_headers=headers, proxy=None, **more
            ),
            **options,
        )

    def unix(self, path: str = "/ws", *, token: str | None = None, **options: Any) -> Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return Client(
            lambda **more: unix_connect(
                str(self.path), f"ws://localhost{path}", additional_headers=headers, **more
            ),
            **options,
        )


@asynccontextmanager
async def serving(
    tmp_path: Path,
    limits: StreamLimits | None = None,
    *,
    bus: Bus | None = None,
    store: Callable[[str], list[facts.Record]] | None = None,
    epoch: str = "e1",
    ring_size: int = 8192,
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    note: Note = unnoted,
    record: Record | None = None,
) -> AsyncIterator[Service]:
    """Serve a bus, one of its own unless one is given, on ``tmp_path/daemon.sock`` and a free port."""
    bus = bus or Bus(epoch, store, ring_size=ring_size)
    hub = StreamHub(bus, limits, version="1.2.3")
    execute = Executor()
    path = tmp_path / "daemon.sock"
    path.unlink(missing_ok=True)
    local = socket.socket(socket.AF_UNIX)
    local.bind(str(path))
    inet = socket.socket()
    inet.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    inet.bind(("127.0.0.1", port))
    config = uvicorn.Config(
        hello,
        http=PeerHttpProtocol,
        ws=make_ws_protocol(hub, authenticate, execute, note=note, record=record),
        lifespan="off",
        log_config=None,
        backlog=BACKLOG,
        timeout_graceful_shutdown=2,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[local, inet]))
    await server.ready.wait()
    try:
        yield Service(bus, hub, execute, path, inet.getsockname()[1])
    finally:
        hub.close()
        server.should_exit = True
        await task


class Client:
    """A `websockets` client that unpacks frames into envelopes."""

    def __init__(
        self,
        opener: Callable[..., Any],
        *,
        form: str | None = None,
        established: bool = True,
        answers: bool = False,
        **options: Any,
    ) -> None:
        self._opener = opener
        self._established = established
        self._answers = answers  #: heartbeats
        self.form = form or "json"
        self._options: dict[str, Any] = {"compression": None, "ping_interval": None, **options}
        if form is not None:
            self._options["subprotocols"] = [Subprotocol(f"nautilus.{form}")]
        self._ids = itertools.count(1)
        self._waiting: list[dict[str, Any]] = []
        self.hello: dict[str, Any] = {}
        self.socket: ClientConnection

    async def __aenter__(self) -> Self:
        self.socket = await self._opener(**self._options)
        if self._established:
            self.hello = (await self.next("connection_established"))["data"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.socket.close()

    async def say(self, type_: str, **fields: Any) -> str:
        """Send a message; returns its id."""
        id_ = str(next(self._ids))
        message = {"type": type_, "id": id_, **fields}
        if self.form == "json":
            await self.socket.send(msgspec.json.encode(message).decode())
        else:
            await self.socket.send(msgspec.msgpack.encode(message))
        return id_

    async def envelope(self) -> dict[str, Any]:
        """Return the next envelope."""
        while not self._waiting:
            frame = await asyncio.wait_for(self.socket.recv(), 60)
            assert isinstance(frame, str) == (self.form == "json")
            decode = msgspec.json.decode if isinstance(frame, str) else msgspec.msgpack.decode
            self._waiting = decode(frame)
            assert isinstance(self._waiting, list)
        envelope = self._waiting.pop(0)
        if envelope["type"] == "heartbeat" and self._answers:
            await self.say("heartbeat_response")
        return envelope

    async def next(self, type_: str | None = None, topic: str | None = None) -> dict[str, Any]:
        """Return the next envelope of a type and topic; what comes before it is passed over."""
        while True:
            envelope = await self.envelope()
            if type_ in (None, envelope["type"]) and topic in (None, envelope["topic"]):
                return envelope

    async def subscribe(self, *topics: str, **fields: Any) -> dict[str, Any]:
        """Subscribe; returns the confirmation."""
        id_ = await self.say("subscribe", topics=list(topics), **fields)
        answer = await self.next()
        while answer["type"] not in ("subscription_confirmed", "subscription_error") or answer["id"] != id_:
            answer = await self.next()
        return answer

    async def until_closed(self) -> tuple[list[dict[str, Any]], int, str]:
        """Read to the end; returns what came, the close code and the reason."""
        seen: list[dict[str, Any]] = []
        while True:
            try:
                seen.append(await self.envelope())
            except ConnectionClosed as closed:
                if closed.rcvd is None:
                    raise
                return seen, closed.rcvd.code, closed.rcvd.reason
