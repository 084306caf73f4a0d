"""Many stream clients in one process, each of which counts what it is given.

    python -m tests.gateway.readers COUNT URL,URL

The token is in NAUTILUS_TUI_TOKEN. Each line on standard input is answered with one line of JSON that
says how far the readers are and what went wrong; at the end of input the process ends.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter

import msgspec

from nautilus_tui.client.address import TOKEN_VARIABLE, Address
from nautilus_tui.client.resuming import is_lossless
from nautilus_tui.client.stream import Batch, ConnectionChanged, StreamClient

PATTERNS = ("orders.*", "quotes.>")
GROUP = 50


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How a process of readers stands."""

    readers: int
    connected: dict[str, int]  #: by address
    connections: int  #: made since the beginning
    least: dict[str, int]  #: per lossless topic, the number of the reader that has come least far
    events: int  #: of lossless topics, over all readers
    lost: int
    repeated: int
    gaps: int
    snapshots_since: int  #: snapshots of lossless topics after a reader's first of each
    problems: dict[str, int]  #: why connections were lost or not made, over all readers
    failed: list[str]


class Reader:
    """One client: what it saw last of each lossless topic, and what did not follow on it."""

    def __init__(self, addresses: tuple[Address, ...]) -> None:
        self.stream = StreamClient(addresses, PATTERNS)
        self.at: str | None = None
        self.came = asyncio.Event()
        self.connections = self.events = self.lost = self.repeated = self.gaps = self.snapshots_since = 0
        self.last: dict[str, int] = {}
        self.problems: Counter[str] = Counter()
        self.failed: str | None = None

    async def read(self) -> None:
        try:
            async for event in self.stream:
                self._hear(event)
            self.failed = "the stream ended"
        except asyncio.CancelledError:
            self.failed = "cancelled"
            raise
        except Exception as error:  # noqa: BLE001  # told in the report
            self.failed = repr(error)

    def _hear(self, event: Batch | ConnectionChanged) -> None:
        if isinstance(event, ConnectionChanged):
            self.at = event.address if event.state == "connected" else None
            self.connections += event.state == "connected"
            if self.at is not None:
                self.came.set()
            if event.problem is not None:
                self.problems[f"{event.address}: {event.problem}"] += 1
            return
        for one in event.envelopes:
            if not one.topic or not is_lossless(one.topic) or one.topic == "system.broadcast":
                continue
            if one.type == "gap":
                self.gaps += 1
            elif one.type == "snapshot":
                self.snapshots_since += one.topic in self.last
                self.last[one.topic] = one.seq
            else:
                self.events += 1
                step = one.seq - self.last[one.topic]
                self.lost += max(step - 1, 0)
                self.repeated += step < 1
                self.last[one.topic] = one.seq


def report(readers: list[Reader]) -> Report:
    """Return how the readers stand."""
    topics = {topic for reader in readers for topic in reader.last}
    problems: Counter[str] = Counter()
    for reader in readers:
        problems.update(reader.problems)
    return Report(
        readers=len(readers),
        connected=dict(Counter(reader.at for reader in readers if reader.at is not None)),
        connections=sum(reader.connections for reader in readers),
        least={topic: min(reader.last.get(topic, -1) for reader in readers) for topic in topics},
        events=sum(reader.events for reader in readers),
        lost=sum(reader.lost for reader in readers),
        repeated=sum(reader.repeated for reader in readers),
        gaps=sum(reader.gaps for reader in readers),
        snapshots_since=sum(reader.snapshots_since for reader in readers),
        problems=dict(problems),
        failed=sorted({reader.failed for reader in readers if reader.failed is not None}),
    )


async def come(readers: list[Reader], tasks: list[asyncio.Task[None]]) -> None:
    """Begin to read, a group after the other: one process is slower at connecting than so many would be."""
    for first in range(0, len(readers), GROUP):
        group = readers[first : first + GROUP]
        tasks += [asyncio.create_task(reader.read()) for reader in group]
        await asyncio.gather(*(reader.came.wait() for reader in group))


async def main() -> None:
    addresses = Address.several(sys.argv[2], os.environ[TOKEN_VARIABLE])
    readers = [Reader(addresses) for _ in range(int(sys.argv[1]))]
    tasks: list[asyncio.Task[None]] = []
    coming = asyncio.create_task(come(readers, tasks))
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while await lines.readline():
        print(msgspec.json.encode(report(readers)).decode(), flush=True)
    for task in (coming, *tasks):
        task.cancel()
    await asyncio.gather(coming, *tasks, return_exceptions=True)


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
