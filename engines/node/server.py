"""The engine's end of the link: serves any number of readers on its own unix socket.

Journalled records are read from the journal's end in memory or, for a reader that comes late or is
slow, from the file, so every reader gets every entry once and in order. Conflated records are
dropped for a reader whose buffer is full, but for bars that have closed: nothing newer replaces those,
so the latest of them are kept and sent at the reader's pace, also to one that comes later, and who
was too far behind for that is told how many are missing. This module must not know what commands do.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from data.journal import Journal
from data.problems import ConflictError, UnavailableError
from data.records import Bar, EngineLog, EngineStatus, JournalRecord
from engines import books, link
from engines.link import (
    Ack,
    Conflated,
    ConflatedRecord,
    Heartbeat,
    Hello,
    Journalled,
    KillNow,
    KillProgress,
    Logs,
    Release,
    Reply,
    Request,
    SetLimits,
    Stop,
    Welcome,
)

#: Entries kept in memory; a reader further behind is served from the file.
RECENT_ENTRIES = 4096
BATCH_ENTRIES = 512
#: Bytes a reader may leave unread before conflated records are dropped for it.
SLOW_READER_BYTES = 1 << 20
#: Bars that have closed and are kept for readers that are slow or not there: an hour of ten instruments.
CLOSED_BARS = 8192
#: Beyond every entry: of a reader that wants none.
_NOTHING = 1 << 62


class Server:
    """Accepts readers, hands their commands on and tells them what happens."""

    def __init__(
        self,
        *,
        listener: socket.socket,
        journal: Journal,
        welcome: Callable[[], Welcome],
        greet: Callable[[], Sequence[ConflatedRecord]],
        execute: Callable[[Request], None],
        stop: Callable[[Stop], None],
        kill: Callable[[KillNow], None],
        release: Callable[[Release], None],
        set_limits: Callable[[SetLimits], None],
    ) -> None:
        self._listener = listener
        self._journal = journal
        self._welcome = welcome
        self._greet = greet
        self._execute = execute
        self._stop = stop
        self._kill = kill
        self._release = release
        self._set_limits = set_limits
        self._recent: deque[JournalRecord] = deque(maxlen=RECENT_ENTRIES)
        self._bars: deque[Bar] = deque(maxlen=CLOSED_BARS)
        self._bars_closed = 0  #: ever; the newest of them are kept
        self._readers: set[_Reader] = set()
        self._pullers: set[_Reader] = set()
        self._askers: dict[str, _Reader] = {}
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to serve readers, also those that have been waiting since the process was forked."""
        self._server = await asyncio.start_unix_server(self._accept, sock=self._listener)

    async def close(self) -> None:
        """Stop listening and let readers have what they are still owed."""
        if self._server is not None:
            self._server.close()
        for reader in list(self._readers):
            await reader.finish()

    async def _accept(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reader = _Reader(self, stream, writer)
        try:
            await reader.run()
        except (asyncio.IncompleteReadError, ConnectionError, UnavailableError, ConflictError):
            pass  # the reader went away or does not speak our language: it is closed, nobody else minds
        finally:
            self._readers.discard(reader)
            self._pullers.discard(reader)
            writer.close()

    # ------------------------------------------------------------ out

    def journalled(self, records: Sequence[JournalRecord]) -> None:
        """Tell every reader of records that have reached the disk."""
        self._recent.extend(records)
        for reader in self._readers:
            reader.wake.set()

    def conflated(self, records: Sequence[ConflatedRecord]) -> None:
        """Tell every reader that keeps up; bars that have closed are told to the others later."""
        before = self._bars_closed
        closed = [record for record in records if isinstance(record, Bar) and record.closed]
        self._bars.extend(closed)
        self._bars_closed += len(closed)
        if records and self._readers:
            frame = link.encode(Conflated(tuple(records)))
            for reader in self._readers:
                reader.offer_market(frame, before, self._bars_closed)

    def logs(self, lines: Sequence[EngineLog]) -> None:
        """Tell every reader that keeps up of log lines; the file has them all."""
        if lines and self._readers:
            frame = link.encode(Logs(tuple(lines)))
            for reader in self._readers:
                reader.offer(frame)

    def heartbeat(self, status: EngineStatus) -> None:
        """Tell every reader how the engine is."""
        frame = link.encode(Heartbeat(status))
        for reader in self._readers:
            reader.offer(frame)

    def kill_progress(self, progress: KillProgress) -> None:
        """Tell every reader, and whoever pulled the kill switch, how far it has come."""
        frame = link.encode(progress)
        for reader in self._pullers | self._readers:
            reader.tell(frame)

    def reply(self, reply: Reply) -> None:
        """Answer whoever asked, after everything that led to the answer."""
        reader = self._askers.pop(reply.command_id, None)
        if reader is not None:
            reader.replies.append(reply)
            reader.wake.set()

    # ------------------------------------------------------------ for readers

    def admit(self, reader: _Reader, hello: Hello) -> bytes:
        """Let a reader in and return its welcome."""
        if hello.version != link.PROTOCOL_VERSION:
            raise ConflictError(
                f"link protocol {hello.version} is not {link.PROTOCOL_VERSION}",
                rule="both ends speak the same protocol",
                fix="restart the engine with the daemon's version",
            )
        self._readers.add(reader)
        frames = [link.encode(self._welcome())]
        # Bars that closed come before those that form: what comes last is the latest.
        number = self._bars_closed - len(self._bars)
        while number < self._bars_closed:
            _, bars = self.bars_after(number)
            number += len(bars)
            frames.append(link.encode(Conflated(tuple(bars))))
        reader.bars_told = number
        frames.append(link.encode(Conflated(tuple(self._greet()))))
        return b"".join(frames)

    def ask(self, reader: _Reader, request: Request) -> None:
        """Hand a command on."""
        self._askers[request.id] = reader
        self._execute(request)

    def ask_to_stop(self, message: Stop) -> None:
        """Hand a stop on."""
        self._stop(message)

    def kill(self, reader: _Reader, message: KillNow) -> None:
        """Hand the kill switch on; the reader hears of its progress from now on."""
        self._pullers.add(reader)
        self._kill(message)

    def release(self, reader: _Reader, message: Release) -> None:
        """Hand a release of the kill switch on."""
        self._askers[message.id] = reader
        self._release(message)

    def set_limits(self, reader: _Reader, message: SetLimits) -> None:
        """Hand limits on."""
        self._askers[message.id] = reader
        self._set_limits(message)

    def after(self, seq: int) -> list[JournalRecord]:
        """Return the next entries behind ``seq``, at most a batch."""
        oldest = self._recent[0].seq if self._recent else self._journal.last_seq + 1
        if seq + 1 >= oldest:
            start = seq + 1 - oldest
            return [self._recent[i] for i in range(start, min(start + BATCH_ENTRIES, len(self._recent)))]
        found = []
        for number, payload in self._journal.read(seq):
            found.append(books.decode(payload, number).record)
            if len(found) == BATCH_ENTRIES:
                break
        return found

    def bars_after(self, number: int) -> tuple[int, list[Bar]]:
        """Return how many bars closed behind ``number`` are no longer kept, and the next that are."""
        oldest = self._bars_closed - len(self._bars)
        start = max(number - oldest, 0)
        return max(oldest - number, 0), list(islice(self._bars, start, start + BATCH_ENTRIES))

    @property
    def bars_closed(self) -> int:
        """How many bars have ever closed."""
        return self._bars_closed

    @property
    def last_seq(self) -> int:
        """The newest entry on disk."""
        return self._journal.last_seq


class _Reader:
    """One connection: cursors into the journal and the bars that closed, and replies that wait."""

    def __init__(self, server: Server, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._stream = stream
        self._writer = writer
        self._cursor = 0
        self._pump: asyncio.Task[None] | None = None
        self.acked = 0
        self.bars_told = _NOTHING  #: how many of the bars that ever closed it was sent or told to miss
        self.replies: list[Reply] = []
        self.wake = asyncio.Event()

    async def run(self) -> None:
        """Serve the connection until it ends."""
        (first, *_) = await link.read_to_engine(self._stream)
        if isinstance(first, KillNow | Release):
            # Whoever comes for the kill switch need not speak this version, and wants nothing else told.
            self._cursor = self.acked = _NOTHING
            self._take(first)
        elif isinstance(first, Hello):
            self._cursor = self.acked = first.after_seq
            self._writer.write(self._server.admit(self, first))
        else:
            raise UnavailableError("engine link: the first message must be hello")
        self._pump = asyncio.get_running_loop().create_task(self._send_journal())
        self.wake.set()
        try:
            while True:
                for message in await link.read_to_engine(self._stream):
                    self._take(message)
        finally:
            self._pump.cancel()

    def _take(self, message: link.ToEngine) -> None:
        match message:
            case Request():
                self._server.ask(self, message)
            case Ack(seq):
                self.acked = max(self.acked, seq)
            case Stop():
                self._server.ask_to_stop(message)
            case KillNow():
                self._server.kill(self, message)
            case Release():
                self._server.release(self, message)
            case SetLimits():
                self._server.set_limits(self, message)
            case Hello():
                raise UnavailableError("engine link: hello is said once")

    async def _send_journal(self) -> None:
        """Send entries, then the replies that wait for them, at the reader's pace."""
        while True:
            await self.wake.wait()
            self.wake.clear()
            await self._catch_up()

    async def _catch_up(self) -> None:
        replies, self.replies = self.replies, []
        while self._cursor < self._server.last_seq:
            records = self._server.after(self._cursor)
            if not records:
                break
            self._cursor = records[-1].seq
            self._writer.write(link.encode(Journalled(tuple(records))))
            await self._writer.drain()
        if replies:
            self._writer.write(link.encode(*replies))
            await self._writer.drain()
        while self.bars_told < self._server.bars_closed:
            lost, bars = self._server.bars_after(self.bars_told)
            self.bars_told += lost + len(bars)
            if lost:
                self._writer.write(link.encode(Logs((_missing(lost, bars[0]),))))
            self._writer.write(link.encode(Conflated(tuple(bars))))
            await self._writer.drain()

    def tell(self, frame: bytes) -> None:
        """Send a frame now, ahead of what waits for the journal."""
        if not self._writer.transport.is_closing():
            self._writer.write(frame)

    def offer(self, frame: bytes) -> bool:
        """Send a frame that may be lost, unless the reader is too far behind; return whether it was sent."""
        transport = self._writer.transport
        if transport.is_closing() or transport.get_write_buffer_size() >= SLOW_READER_BYTES:
            return False
        self._writer.write(frame)
        return True

    def offer_market(self, frame: bytes, before: int, after: int) -> None:
        """Send conflated records, in which bars ``before`` to ``after`` closed, if none are owed."""
        if self.bars_told == before and self.offer(frame):
            self.bars_told = after
        elif self.bars_told < after:
            self.wake.set()

    async def finish(self) -> None:
        """Send what is owed and close."""
        if self._pump is not None:
            self._pump.cancel()
        try:
            async with asyncio.timeout(1.0):
                await self._catch_up()
        except (TimeoutError, ConnectionError):
            pass  # a reader that does not read finds the rest in the journal
        self._writer.close()


def _missing(count: int, then: Bar) -> EngineLog:
    """Return the line that says that bars are missing before one of them."""
    return EngineLog(
        engine=then.engine or "",
        level="warning",
        component="link",
        message=f"{count} closed bars are missing on the stream before {then.ts}: it was not read "
        f"for too long ({CLOSED_BARS} are kept); ask the history for them",
        ts=time.time_ns(),
    )
