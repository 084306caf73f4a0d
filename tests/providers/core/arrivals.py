"""A server in a process of its own that answers at once and notes when each request came.

``python -m tests.providers.core.arrivals`` prints its port, serves until its standard input ends and
then prints the times as JSON: seconds, by the first part of the path.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

ANSWER = b'{"value": 1}'
HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(ANSWER)}\r\n\r\n".encode()


class Noting(asyncio.Protocol):
    """One connection."""

    def __init__(self, times: dict[str, list[float]]) -> None:
        self._times = times
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Note the time of every whole request and answer it."""
        now = time.monotonic()
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for request in requests:
            path = request.split(b" ", 2)[1].decode()
            self._times.setdefault(path.split("/")[1], []).append(now)
            self._transport.write(HEAD + ANSWER)


async def main() -> None:
    """Serve."""
    times: dict[str, list[float]] = {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Noting(times), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(json.dumps(times), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
