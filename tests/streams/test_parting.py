"""Who sends too much, or nonsense, hears why it is hung up on while it still sends; nobody waits for it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop

from nautilus_tui.daemon.streams import StreamLimits
from nautilus_tui.daemon.tls import server_context
from tests.client.certificate import make_certificate, needs_openssl
from tests.streams.serving import Service, serving
from tests.streams.test_abuse import said

PING, CLOSE = b"\x89\x80\0\0\0\0", b"\x88\x80\0\0\0\0"
MESSAGE = said({"type": "heartbeat_response", "id": "1"})
SUBSCRIBE = said({"type": "subscribe", "id": "7", "topics": ["quotes.>"]})
TOO_LONG = b"\x81\xff" + struct.pack("!Q", 70_000) + b"\0\0\0\0"
REQUEST = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bmF1dGlsdXMtdHVpLWJuYw==\r\n"
    b"Authorization: Bearer t-admin\r\n\r\n"
)
STRANGER = REQUEST.replace(b"Authorization", b"X")
#: Longer than a test has patience: whoever is cut off fails the test.
PATIENT = StreamLimits(close_s=60.0)

both_loops = pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
Run = Callable[[Coroutine[Any, Any, None]], None]
Frames = list[tuple[int, bytes]]


async def talk(service: Service, sent: bytes) -> Frames:
    """Send it all before anything is read, then return the frames that came up to a clean end."""
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", service.port))
        await asyncio.wait_for(loop.sock_sendall(sock, sent), 20)
        data = b""
        while piece := await asyncio.wait_for(loop.sock_recv(sock, 1 << 18), 20):
            data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    assert b" 101 " in head
    return list(frames(rest))


def frames(data: bytes) -> Frames:
    """Return opcodes and payloads."""
    found = []
    while data:
        size, at = data[1], 2
        if size == 126:
            size, at = struct.unpack("!H", data[2:4])[0], 4
        found.append((data[0] & 0x0F, data[at : at + size]))
        data = data[at + size :]
    return found


def types(found: Frames) -> list[str]:
    return [one["type"] for opcode, payload in found if opcode == 1 for one in msgspec.json.decode(payload)]


def closed_with(found: Frames) -> int:
    """Return the code of the close frame, with which everything ends."""
    opcode, payload = found[-1]
    assert opcode == 8
    return int.from_bytes(payload[:2])


@both_loops
@pytest.mark.parametrize(
    ("flood", "code"),
    [
        (MESSAGE * 40_000, 1008),
        (PING * 100_000, 1008),
        (PING[:1] + b"\xfe" + PING[2:] * 10_000, 1002),
        (TOO_LONG + b"x" * 3_000_000, 1009),
    ],
    ids=["messages", "pings", "nonsense", "one too long"],
)
def test_who_still_sends_hears_why_it_is_hung_up_on(
    tmp_path: Path, run: Run, flood: bytes, code: int
) -> None:
    async def check() -> None:
        async with serving(tmp_path, PATIENT) as service:
            found = await talk(service, REQUEST + MESSAGE + flood)
            assert closed_with(found) == code
            assert "error" in types(found)

    run(check())


@both_loops
def test_who_never_says_who_it_is_hears_that_it_should_have(tmp_path: Path, run: Run) -> None:
    async def check() -> None:
        async with serving(tmp_path, PATIENT) as service:
            found = await talk(service, STRANGER + MESSAGE * 40_000)
            assert (closed_with(found), types(found)) == (4003, ["error"])

    run(check())


@both_loops
def test_a_flood_that_ends_with_a_goodbye_is_answered_with_one(tmp_path: Path, run: Run) -> None:
    async def check() -> None:
        async with serving(tmp_path, PATIENT) as service:
            found = await talk(service, REQUEST + PING * 551 + CLOSE + PING * 1000)
            assert found[-1][0] == 8

    run(check())


@both_loops
def test_what_comes_with_the_request_is_heard(tmp_path: Path, run: Run) -> None:
    """Also before a client knows that it was upgraded, and what came before a ping before the ping."""

    async def check() -> None:
        async with serving(tmp_path) as service:
            found = await talk(service, REQUEST + SUBSCRIBE + PING + SUBSCRIBE + CLOSE)
            assert types(found) == [
                "connection_established",
                "subscription_confirmed",
                "subscription_confirmed",
            ]
            assert [opcode for opcode, _ in found] == [1, 1, 10, 1, 8]

    run(check())


@needs_openssl
@both_loops
def test_over_tls_too(tmp_path: Path, run: Run) -> None:
    pair = make_certificate(tmp_path / "tls")

    async def check() -> None:
        async with serving(tmp_path, PATIENT, tls=server_context(*pair)) as service:
            trusting = ssl.create_default_context(cafile=str(pair[0]))
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port, ssl=trusting)
            writer.write(REQUEST + MESSAGE + TOO_LONG + b"x" * 3_000_000)
            await asyncio.wait_for(writer.drain(), 20)
            data = await asyncio.wait_for(reader.read(), 20)
            writer.close()
            assert closed_with(frames(data.partition(b"\r\n\r\n")[2])) == 1009

    run(check())
