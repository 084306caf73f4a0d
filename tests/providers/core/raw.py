"""A server that sends exactly the given bytes, however wrong they are, as slowly as it is told."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


def http(content: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """Return an HTTP response; ``length`` is the content length it claims."""
    claimed = len(content) if length is None else length
    head = [f"HTTP/1.1 {status}", f"Content-Length: {claimed}", "Connection: close", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + content


def bomb(megabytes: int) -> bytes:
    """Return a gzip body that is small and stands for a large one."""
    packing = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    million = bytes(1_000_000)
    first, again = (packing.compress(million) + packing.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + again * (megabytes - 1)


class Raw:
    """What is sent next, and how often it was asked for."""

    def __init__(self) -> None:
        self.answer: bytes | None = None  #: None: nothing is ever sent
        self.drip = False  #: a byte at a time, for ever
        self.asked = 0
        self.url = ""
        self.requests: list[bytes] = []
        self._quiet = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            self.asked += 1
            if self.answer is None:
                await self._quiet.wait()
            elif self.drip:
                writer.write(self.answer)
                while not self._quiet.is_set():
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.05)
            else:
                writer.write(self.answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has left, as it should from a server like this
        finally:
            writer.close()

    def end(self) -> None:
        """Let go of the connections that are kept waiting."""
        self._quiet.set()


@asynccontextmanager
async def raw_server() -> AsyncIterator[Raw]:
    """Serve on loopback."""
    raw = Raw()
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    raw.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield raw
    finally:
        raw.end()
        server.close()
        await server.wait_closed()
