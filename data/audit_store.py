"""The audit chain in the store, and the log beside it: reading, checking, exporting.

There is no way here to change or take out an entry: entries are added by ``data.fold.append_audit``,
in the transaction of what they are about, and nothing else writes the table.
This module must not know who asks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec

from data.audit import ChainReport, Head, entry_hash
from data.audit_check import Check, LogToCheck, Row
from data.audit_file import FileEnd, FileStart, decode_line, line_of
from data.audit_log import AuditLog
from data.database import Database, Transaction, open_error, read_error
from data.paging import Page, Where, read_page
from data.problems import NotFoundError
from data.records import AuditEntry

#: Entries that are looked at in one go; some ten milliseconds of work.
PIECE: Final = 500
LOG_NAME: Final = "audit.jsonl"
_LOWEST: Final = -(2**63)
_ROWS = "SELECT seq, command, outcome, body FROM audit WHERE seq > ? ORDER BY seq LIMIT {piece}"
_SPAN = _ROWS.replace("seq > ?", "seq BETWEEN ? AND ?")
_LATEST = "SELECT seq, body FROM audit ORDER BY seq DESC LIMIT ?"
_TWICE = "SELECT seq FROM audit GROUP BY seq HAVING count(*) > 1 ORDER BY seq LIMIT 100"
_NOTED = "SELECT value FROM meta WHERE key = 'audit_log'"
_NOTE = "INSERT INTO meta VALUES ('audit_log', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
#: The time in an entry's line; text inside it has its quotes escaped and cannot look the same.
_TS = "TRY_CAST(regexp_extract(body, '\"ts\":(\\d+)', 1) AS BIGINT)"
_audit = msgspec.json.Decoder(AuditEntry)

logger = logging.getLogger(__name__)


class AuditTrail:
    """The chain of an open store."""

    def __init__(self, database: Database, log_path: Path) -> None:
        self.log = AuditLog(log_path)
        self._db = database
        self._unreadable: tuple[str, ...] = ()
        self._turn = asyncio.Lock()  #: one look at the whole chain at a time: it is work
        database.follower = self.log

    def prepare(self, tx: Transaction) -> None:
        """Open the log and find the end of the chain; runs in the store's first transaction."""
        store = _end_of(tx)
        noted = tx.run(_NOTED)

        def stored(since: int) -> list[tuple[int, bytes]]:
            rows = tx.run(
                "SELECT seq, body FROM audit WHERE seq BETWEEN ? AND ? ORDER BY seq", [since, store.seq]
            )
            return [(seq, body.encode()) for seq, body in rows]

        end = self.log.open(store, int(noted[0][0]) if noted else None, stored)
        for problem in self.log.problems:
            logger.error("%s", problem)
        tx.carry("audit", (end.seq, end.hash))
        tx.run(_NOTE, [str(self.log.reach.head.seq)])

    def last_word(self, tx: Transaction) -> None:
        """Note up to where the log is whole; runs in the store's last transaction."""
        tx.run(_NOTE, [str(self.log.reach.head.seq)])

    @property
    def problems(self) -> tuple[str, ...]:
        """What was found wrong with the chain, without looking for it."""
        return (*self.log.problems, *self._unreadable)

    async def latest(self, limit: int) -> list[AuditEntry]:
        """Return the last entries, oldest first.

        One that cannot be read is left out and told in ``problems``: it is no reason not to start.
        """
        found, unreadable = [], []
        for seq, body in reversed(await self._db.read(_LATEST, [limit])):
            entry = decode_line(body.encode())
            if isinstance(entry, AuditEntry):
                found.append(entry)
            else:
                unreadable.append(
                    f"audit: entry {seq} is not as it was written; see nautilus-tui audit verify"
                )
        for problem in unreadable:
            logger.error("%s", problem)
        self._unreadable = tuple(unreadable)
        return found

    async def page(
        self, *, command: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> Page[AuditEntry]:
        """Return audited commands, newest first.

        Raises:
            InvalidRequestError: the cursor is not one of this list.
            StoreFailedError: an entry is not as it was written, or the store is damaged.
        """
        where = Where()
        where.equal("command", command)
        fix = "nautilus-tui audit verify tells what was changed, and where"
        return await read_page(self._db.read, "audit", "seq", where, limit, cursor, _audit, fix)

    async def verify(self, expected: Head | None = None) -> ChainReport:
        """Check the whole chain, piece by piece, beside the log; others are served meanwhile.

        ``expected`` is a head that was kept elsewhere.
        """
        async with self._turn:
            return await self._verified(expected)

    async def _verified(self, expected: Head | None) -> ChainReport:
        reach = self.log.reach
        log = LogToCheck(self.log.path, reach.size, reach.head.seq)
        check = await asyncio.to_thread(Check, log, expected)
        last = _LOWEST
        while rows := await self._db.read(_ROWS.format(piece=PIECE), [last]):
            await asyncio.to_thread(check.take, [Row(*row) for row in rows])
            last = rows[-1][0]
        check.twice([seq for (seq,) in await self._db.read(_TWICE)])
        return await asyncio.to_thread(check.report)

    async def export(self, since: int | None = None, until: int | None = None) -> AsyncIterator[bytes]:
        """Return the chain as the lines of a file, in pieces.

        Only entries from the first at or after ``since`` to the last before ``until`` (UTC ns), without
        a gap: those in between are in it even if their clock was off.

        Raises:
            StoreFailedError: the store is damaged; at once, or from a later piece.
        """
        first, last = await self._bounds(since, until)
        return self._pieces(first, last)

    async def _pieces(self, first: int, last: int) -> AsyncIterator[bytes]:
        rows = await self._db.read(_SPAN.format(piece=PIECE), [first, last])
        begun = decode_line(rows[0][3].encode()) if rows else None
        after = Head(begun.seq - 1, begun.previous_hash) if isinstance(begun, AuditEntry) else Head()
        yield line_of(FileStart(kind="export", after=str(after), ts=self.log.clock()))
        entries, end = 0, after
        while rows:
            yield "".join(f"{body}\n" for _, _, _, body in rows).encode()
            entries += len(rows)
            ended = decode_line(rows[-1][3].encode())
            end = Head(ended.seq, ended.hash) if isinstance(ended, AuditEntry) else Head(rows[-1][0], "")
            rows = await self._db.read(
                _SPAN.format(piece=PIECE),
                [rows[-1][0] + 1, last],
            )
        yield line_of(FileEnd(entries=entries, head=str(end)))

    async def _bounds(self, since: int | None, until: int | None) -> tuple[int, int]:
        found = await self._db.read(
            f"SELECT min(seq) FILTER (WHERE ? IS NULL OR {_TS} >= ?),"
            f" max(seq) FILTER (WHERE ? IS NULL OR {_TS} < ?) FROM audit",
            [since, since, until, until],
        )
        first, last = found[0]
        return (0, -1) if first is None or last is None else (first, last)


def verify_closed(store: Path, log: Path, expected: Head | None = None) -> ChainReport:
    """Check the chain of a store that no daemon has open; the store is only read.

    Raises:
        NotFoundError: there is no store.
        StoreHeldError: a daemon has it open.
        StoreFailedError: it is damaged.
    """
    if not store.exists():
        raise NotFoundError(
            f"there is no store {store}",
            rule="the store is there from a home's first daemon or token on",
            fix="name the home with --home",
            path=str(store),
        )
    try:
        connection = duckdb.connect(str(store), read_only=True)
    except duckdb.Error as error:
        raise open_error(store, error) from error
    with connection:
        try:
            noted = connection.execute(_NOTED).fetchall()
            sure = int(noted[0][0]) if noted else None
            check = Check(None if sure is None else LogToCheck(log, None, sure), expected)
            last = _LOWEST
            while rows := connection.execute(_ROWS.format(piece=PIECE), [last]).fetchall():
                check.take([Row(*row) for row in rows])
                last = rows[-1][0]
            check.twice([seq for (seq,) in connection.execute(_TWICE).fetchall()])
        except duckdb.Error as error:
            raise read_error(store, error) from error
    return check.report()


def _end_of(tx: Transaction) -> Head:
    """Return the last entry that can be believed; what lies behind it is for whoever verifies."""
    rows: Sequence[tuple[Any, ...]] = tx.run("SELECT seq, body FROM audit ORDER BY seq DESC LIMIT 16")
    for seq, body in rows:
        entry = decode_line(body.encode())
        if isinstance(entry, AuditEntry) and entry.seq == seq and entry_hash(entry) == entry.hash:
            return Head(entry.seq, entry.hash)
    return Head()
