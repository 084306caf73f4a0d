"""A store with its audit log as a daemon leaves them, what can be done to them, and processes to kill."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import msgspec

from data.audit import ChainReport, Head
from data.audit_store import verify_closed
from data.records import AuditEntry
from data.state import State
from tests.daemon.test_audit import draft

REPO = Path(__file__).parents[2]
ENTRIES = 57


class Kept:
    """A home's store and log, closed, as a daemon leaves them when it is stopped."""

    def __init__(self, folder: Path) -> None:
        self.store = folder / "state.duckdb"
        self.log = folder / "audit.jsonl"

    def copy(self, folder: Path) -> Kept:
        folder.mkdir(parents=True)
        for file in (self.store, self.store.with_name("state.duckdb.wal"), self.log):
            if file.exists():
                shutil.copy(file, folder)
        return Kept(folder)

    def add(self, count: int) -> None:
        async def adding() -> None:
            state = State(self.store)
            state.open()
            await asyncio.gather(*(state.append_audit(draft(number)) for number in range(count)))
            state.close()

        asyncio.run(adding())

    def sql(self, statement: str, *values: object) -> None:
        with duckdb.connect(str(self.store)) as intruder:
            intruder.execute(statement, list(values))

    def entries(self) -> list[AuditEntry]:
        with duckdb.connect(str(self.store), read_only=True) as reader:
            rows = reader.execute("SELECT body FROM audit ORDER BY seq").fetchall()
        return [msgspec.json.decode(body, type=AuditEntry) for (body,) in rows]

    def write(self, entries: list[AuditEntry]) -> None:
        """Put entries in place of those the store has of these numbers and later ones."""
        self.sql("DELETE FROM audit WHERE seq >= ?", entries[0].seq)
        for one in entries:
            body = msgspec.json.encode(one).decode()
            self.sql("INSERT INTO audit VALUES (?, ?, ?, ?)", one.seq, one.command, one.outcome, body)

    def lines(self) -> list[bytes]:
        return self.log.read_bytes().splitlines(keepends=True)

    def verify(self, head: Head | None = None) -> ChainReport:
        """Check without a daemon and as an open store does: both have to say the same."""
        closed = verify_closed(self.store, self.log, head)
        other = self.copy(self.store.parent / f"copy-{random.getrandbits(64):x}")

        opened = opened_and_verified(other, head)
        assert (opened.broken_at is None) == (closed.broken_at is None), (opened, closed)
        return closed


def found(report: ChainReport) -> list[tuple[str, int, int]]:
    return [(one.part, one.first, one.last) for one in report.findings]


def opened_and_verified(kept: Kept, head: Head | None = None) -> ChainReport:
    async def asked() -> ChainReport:
        state = State(kept.store)
        state.open()
        try:
            return await state.verify_audit(head)
        finally:
            state.close()

    return asyncio.run(asked())


_WRITER = """
import asyncio, os, sys
from pathlib import Path
from data.state import CommandRow, State
from tests.daemon.test_audit import draft

async def main():
    state = State(Path(sys.argv[1]))
    state.open()
    start = (await state.audit(limit=1)).items
    start = start[0].seq if start else 0
    print("open", os.getpid(), flush=True)
    async def command(number):
        id_ = f"{start}-{number}"
        row = CommandRow(id=id_, command="stream.broadcast", digest="d", ts=1, outcome=None)
        begun = await state.begin_command(row, draft(number))
        print(begun.entry.seq, flush=True)
        await state.end_command(id_, "{}", draft(number))
    number = 0
    while True:
        await asyncio.gather(*(command(number + one) for one in range(1 + number % 7)))
        number += 7

for _ in sys.stdin:  # every line is a new process, with everything loaded already
    child = os.fork()
    if child == 0:
        asyncio.run(main())
    os.waitpid(child, 0)
    print("dead", flush=True)
"""


class Writers:
    """Processes, one after the other, that carry out commands without end and say what they began."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, "-c", _WRITER, str(path)]
        self._process = subprocess.Popen(
            command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._pid = 0

    def begin(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        word, pid = self.line().split()
        assert word == "open"
        self._pid = int(pid)

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def kill(self) -> list[int]:
        """Kill -9, and return what was begun and not yet heard of."""
        os.kill(self._pid, signal.SIGKILL)
        heard = []
        while (line := self.line()) != "dead\n":
            heard.append(int(line))
        return heard

    def close(self) -> None:
        self._process.communicate("")
