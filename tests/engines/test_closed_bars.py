"""Bars that closed, on the link: who stands still or comes later gets them, or hears how many are missing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from data.journal import Journal
from data.records import Bar, EngineLog, EngineStatus
from engines import link
from engines.link import Conflated, Hello, Logs, Welcome
from engines.node.server import CLOSED_BARS, SLOW_READER_BYTES, Server
from engines.spec import EngineSpec
from tests.daemon.records import bar

ENGINE = "paper-1"
WAIT_S = 30.0
#: What a socket and a reader's buffer take by themselves, with room to spare.
_BUFFERED = 1 << 20


def unused(_: object) -> None:
    raise AssertionError("nobody asks for this here")


class Told:
    """One reader of a real socket: takes what it is told when it is let."""

    def __init__(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.stream, self.writer = stream, writer
        self.bars: list[Bar] = []
        self.lines: list[EngineLog] = []

    async def read_until(self, test: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not test():
                for message in await link.read_from_engine(self.stream):
                    if isinstance(message, Conflated):
                        self.bars += [r for r in message.records if isinstance(r, Bar)]
                    elif isinstance(message, Logs):
                        self.lines += message.lines

    @property
    def closed(self) -> list[Bar]:
        return [bar for bar in self.bars if bar.closed]


class Served:
    """An engine's end of the link, and readers of it."""

    def __init__(self, path: Path, server: Server) -> None:
        self.path, self.server = path, server

    async def reader(self) -> Told:
        stream, writer = await asyncio.open_unix_connection(self.path)
        writer.write(link.encode(Hello(link.PROTOCOL_VERSION, 0, "daemon")))
        async with asyncio.timeout(WAIT_S):
            (first,) = await link.read_from_engine(stream)
        assert isinstance(first, Welcome)
        return Told(stream, writer)

    def fill(self) -> None:
        """Tell what may be lost until far more of it was told than a reader that reads nothing takes."""
        records = [bar(0, closed=False)] * 500
        frame = len(link.encode(Conflated(tuple(records))))
        for _ in range((SLOW_READER_BYTES + _BUFFERED) // frame + 1):
            self.server.conflated(records)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    journal = Journal(tmp_path / "journal", sync=False)
    path = tmp_path / "link"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    status = EngineStatus(
        id=ENGINE, state="running", environment="SIM", feed="simulated", ts=1, synthetic=True
    )
    server = Server(
        listener=listener,
        journal=journal,
        welcome=lambda: Welcome(link.PROTOCOL_VERSION, EngineSpec(engine=ENGINE), 1, (), 0, status, ()),
        greet=lambda: [bar(CLOSED_BARS * 9, closed=False)],
        execute=unused,
        stop=unused,
        kill=unused,
        release=unused,
        set_limits=unused,
    )
    await server.open()
    yield Served(path, server)
    await server.close()
    journal.close()


async def test_a_reader_that_stands_still_gets_every_bar_that_closed_meanwhile(served: Served) -> None:
    reader = await served.reader()
    served.fill()
    told = [bar(number) for number in range(1, 3001)]
    for one in told:
        served.server.conflated([one, bar(0, closed=False)])
    await reader.read_until(lambda: len(reader.closed) >= len(told))
    assert reader.closed == told
    served.server.conflated([bar(4000)])
    await reader.read_until(lambda: len(reader.closed) > len(told))
    assert reader.closed == [*told, bar(4000)]
    assert not reader.lines
    reader.writer.close()


async def test_past_the_bound_it_is_said_how_many_are_missing(served: Served) -> None:
    reader = await served.reader()
    served.fill()
    told = [bar(number) for number in range(1, CLOSED_BARS + 1001)]
    for one in told:
        served.server.conflated([one])
    await reader.read_until(lambda: told[-1] in reader.closed[-1:])
    missing = len(told) - len(reader.closed)
    assert missing > 0
    assert reader.closed == told[missing:]
    (line,) = reader.lines
    assert line.level == "warning"
    assert line.message.startswith(f"{missing} closed bars are missing")
    reader.writer.close()


async def test_bars_that_closed_while_nobody_listened_come_first_to_who_comes(served: Served) -> None:
    told = [bar(number) for number in range(1, 1501)]
    served.server.conflated(told)
    reader = await served.reader()
    await reader.read_until(lambda: len(reader.bars) > len(told))
    assert reader.bars == [*told, bar(CLOSED_BARS * 9, closed=False)]
    reader.writer.close()
