"""Limits, changes of them that wait for a second person, restrictions of engines: as the store keeps them.

What makes up one change is written in one transaction, with the version that the whole book has after it.
A limit that was deleted leaves its version behind, so that versions never go back. Records are kept whole as
JSON, in which decimals are text and come back exactly. This module must not know who decides on limits.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec

from data.database import Database, Table, Transaction
from data.limits import Limit, LimitChange, Restriction
from data.paging import Page, Where, read_page
from data.problems import NotFoundError

_SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS limits (id VARCHAR PRIMARY KEY, version BIGINT NOT NULL,
       deleted BOOLEAN NOT NULL, ts BIGINT NOT NULL, body VARCHAR NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS limit_changes (id VARCHAR PRIMARY KEY, limit_id VARCHAR NOT NULL,
       status VARCHAR NOT NULL, ts_asked BIGINT NOT NULL, body VARCHAR NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS engine_restrictions (engine VARCHAR PRIMARY KEY, ts BIGINT NOT NULL,
       body VARCHAR NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS limit_book (name VARCHAR PRIMARY KEY, version BIGINT NOT NULL)",
)
_T, _N, _B = "VARCHAR", "BIGINT", "BOOLEAN"
_LIMITS: Final = Table("limits", (_T, _N, _B, _N, _T))
_CHANGES: Final = Table("limit_changes", (_T, _T, _T, _N, _T))
_RESTRICTIONS: Final = Table("engine_restrictions", (_T, _N, _T))
_BOOK: Final = Table("limit_book", (_T, _N))

_encode = msgspec.json.Encoder().encode
_limits = msgspec.json.Decoder(Limit)
_changes = msgspec.json.Decoder(LimitChange)


class EngineRestriction(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine's gate lets pass besides what the limits say."""

    engine: str
    restriction: Restriction
    reason: str | None = None
    by: str
    ts: int


_restrictions = msgspec.json.Decoder(EngineRestriction)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """All that counts now. ``gone`` has the last version of every limit that was deleted."""

    version: int
    limits: tuple[Limit, ...]
    gone: dict[str, int]
    restrictions: tuple[EngineRestriction, ...]
    pending: tuple[LimitChange, ...]


class Writing(msgspec.Struct, frozen=True, kw_only=True):
    """What is written together; ``version`` is that of the whole book afterwards."""

    version: int
    limits: tuple[Limit, ...] = ()
    deleted: tuple[Limit, ...] = ()  #: each as it was, with the version of its deletion
    changes: tuple[LimitChange, ...] = ()
    restrictions: tuple[EngineRestriction, ...] = ()


def prepare(tx: Transaction) -> None:
    """Make the tables that are not there yet."""
    for statement in _SCHEMA:
        tx.run(statement)


class LimitStore:
    """The tables."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def load(self) -> Kept:
        """Return what counts now."""
        rows = await self._db.read("SELECT id, version, deleted, body FROM limits ORDER BY id")
        book = await self._db.read("SELECT version FROM limit_book WHERE name = 'book'")
        pending = await self._db.read(
            "SELECT body FROM limit_changes WHERE status = 'pending' ORDER BY ts_asked, id"
        )
        restrictions = await self._db.read("SELECT body FROM engine_restrictions ORDER BY engine")
        return Kept(
            version=book[0][0] if book else 0,
            limits=tuple(_limits.decode(body) for _, _, deleted, body in rows if not deleted),
            gone={id_: version for id_, version, deleted, _ in rows if deleted},
            restrictions=tuple(_restrictions.decode(body) for (body,) in restrictions),
            pending=tuple(_changes.decode(body) for (body,) in pending),
        )

    def write(self, writing: Writing) -> asyncio.Future[None]:
        """Queue a change behind those before it; awaited, it is on disk.

        Raises:
            StoreFailedError: when awaited: nothing of it was written.
        """
        return self._db.write(lambda tx: _write(tx, writing))

    async def change(self, id_: str) -> LimitChange:
        """Return one change, waiting or decided; raises NotFoundError."""
        rows = await self._db.read("SELECT body FROM limit_changes WHERE id = ?", [id_])
        if not rows:
            raise NotFoundError(
                f"there is no limit change {id_[:80]}",
                rule="changes that wait are listed",
                fix="see nautilus-tui limit changes",
                field="change_id",
                value=id_[:80],
            )
        return _changes.decode(rows[0][0])

    async def page_of_changes(
        self, *, status: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> Page[LimitChange]:
        """Return changes, newest first; raises InvalidRequestError for a foreign cursor."""
        where = Where()
        where.equal("status", status)
        return await read_page(self._db.read, "limit_changes", "ts_asked, id", where, limit, cursor, _changes)


def _write(tx: Transaction, writing: Writing) -> None:
    rows: list[tuple[Any, ...]] = [
        (one.id, one.version, deleted, one.ts_updated, _text(one))
        for deleted, group in ((False, writing.limits), (True, writing.deleted))
        for one in group
    ]
    tx.insert(
        _LIMITS,
        rows,
        "ON CONFLICT (id) DO UPDATE SET version = excluded.version, deleted = excluded.deleted,"
        " ts = excluded.ts, body = excluded.body",
    )
    tx.insert(
        _CHANGES,
        [(one.id, one.limit_id, one.status, one.ts_asked, _text(one)) for one in writing.changes],
        "ON CONFLICT (id) DO UPDATE SET status = excluded.status, body = excluded.body",
    )
    tx.insert(
        _RESTRICTIONS,
        [(one.engine, one.ts, _text(one)) for one in writing.restrictions],
        "ON CONFLICT (engine) DO UPDATE SET ts = excluded.ts, body = excluded.body",
    )
    tx.insert(
        _BOOK,
        [("book", writing.version)],
        "ON CONFLICT (name) DO UPDATE SET version = greatest(limit_book.version, excluded.version)",
    )


def _text(record: msgspec.Struct) -> str:
    return _encode(record).decode()
