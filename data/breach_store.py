"""Breaches and alerts as they were, the restrictions that the monitor set, and whether it is to run.

Records are kept whole as JSON beside the columns that are searched. The tables lie in the state store
and are written by its one writer. This module must not know when a limit is breached or who is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, Final

import msgspec

from data.database import Database, Table, Transaction
from data.limits import Alert, Breach, Restriction
from data.paging import Page, Where, read_page
from data.problems import NotFoundError
from data.records import AccountUpdate, PositionUpdate

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS breaches (id VARCHAR PRIMARY KEY, limit_id VARCHAR NOT NULL,
       status VARCHAR NOT NULL, severity VARCHAR NOT NULL, ts_detected BIGINT NOT NULL,
       ts BIGINT NOT NULL, body VARCHAR NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS alerts (id VARCHAR PRIMARY KEY, kind VARCHAR NOT NULL,
       severity VARCHAR NOT NULL, status VARCHAR NOT NULL, subject VARCHAR, ts_raised BIGINT NOT NULL,
       ts BIGINT NOT NULL, body VARCHAR NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS monitor_holds (engine VARCHAR PRIMARY KEY, body VARCHAR NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS monitor_facts (name VARCHAR PRIMARY KEY, body VARCHAR NOT NULL)""",
)
_T, _N = "VARCHAR", "BIGINT"
_BREACHES: Final = Table("breaches", (_T, _T, _T, _T, _N, _N, _T))
_ALERTS: Final = Table("alerts", (_T, _T, _T, _T, _T, _N, _N, _T))
_REPLACE: Final = (
    "ON CONFLICT (id) DO UPDATE SET status = excluded.status, severity = excluded.severity,"
    " ts = excluded.ts, body = excluded.body"
)
_RUNNING: Final = "running"
_MARKS: Final = "marks"

_encode = msgspec.json.Encoder().encode
_breaches = msgspec.json.Decoder(Breach)
_alerts = msgspec.json.Decoder(Alert)


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A restriction that the monitor set on an engine and has to lift when its reason is over."""

    engine: str
    restriction: Restriction
    before: Restriction = "none"  #: what was in force when it was set; given back when it is lifted
    reason: str
    ts: int


class KeptMarks(msgspec.Struct, frozen=True, kw_only=True):
    """The last marks that engines told: what a daemon that is started later knows of those that are down."""

    positions: tuple[PositionUpdate, ...] = ()
    accounts: tuple[AccountUpdate, ...] = ()


def prepare(tx: Transaction) -> None:
    """Make the tables that are not there yet."""
    for statement in _SCHEMA:
        tx.run(statement)


class BreachStore:
    """The tables. What is awaited is on disk when it returns."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # ------------------------------------------------------------ breaches

    def put_breaches(self, breaches: Sequence[Breach]) -> asyncio.Future[None]:
        """Queue breaches as they stand now."""
        rows = [
            (one.id, one.limit_id, one.status, one.severity, one.ts_detected, one.ts, _text(one))
            for one in breaches
        ]
        return self._db.write(lambda tx: _put(tx, _BREACHES, rows))

    async def open_breaches(self) -> list[Breach]:
        """Return the breaches that are not resolved, oldest first."""
        rows = await self._db.read(
            "SELECT body FROM breaches WHERE status <> 'resolved' ORDER BY ts_detected, id"
        )
        return [_breaches.decode(body) for (body,) in rows]

    async def breach(self, id_: str) -> Breach:
        """Return one breach; raises NotFoundError."""
        rows = await self._db.read("SELECT body FROM breaches WHERE id = ?", [id_])
        if not rows:
            raise NotFoundError(
                f"there is no breach {id_}", fix="see nautilus-tui breaches --all", breach_id=id_
            )
        return _breaches.decode(rows[0][0])

    async def page_of_breaches(
        self,
        *,
        statuses: Collection[str] | None = None,
        limit_id: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Breach]:
        """Return breaches, newest first; raises InvalidRequestError for a foreign cursor."""
        where = Where()
        where.among("status", statuses)
        where.equal("limit_id", limit_id)
        return await read_page(self._db.read, "breaches", "ts_detected, id", where, limit, cursor, _breaches)

    # ------------------------------------------------------------ alerts

    def put_alerts(self, alerts: Sequence[Alert]) -> asyncio.Future[None]:
        """Queue alerts as they stand now."""
        rows = [
            (one.id, one.kind, one.severity, one.status, one.subject, one.ts_raised, one.ts, _text(one))
            for one in alerts
        ]
        return self._db.write(lambda tx: _put(tx, _ALERTS, rows))

    async def open_alerts(self) -> list[Alert]:
        """Return the alerts that are not over, oldest first."""
        rows = await self._db.read(
            "SELECT body FROM alerts WHERE status <> 'resolved' ORDER BY ts_raised, id"
        )
        return [_alerts.decode(body) for (body,) in rows]

    async def page_of_alerts(
        self,
        *,
        statuses: Collection[str] | None = None,
        kind: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Alert]:
        """Return alerts, newest first; raises InvalidRequestError for a foreign cursor."""
        where = Where()
        where.among("status", statuses)
        where.equal("kind", kind)
        return await read_page(self._db.read, "alerts", "ts_raised, id", where, limit, cursor, _alerts)

    # ------------------------------------------------------------ the monitor

    async def holds(self) -> dict[str, Hold]:
        """Return the restrictions that the monitor set, by engine."""
        rows = await self._db.read("SELECT engine, body FROM monitor_holds")
        return {engine: msgspec.json.decode(body, type=Hold) for engine, body in rows}

    async def put_hold(self, hold: Hold) -> None:
        """Keep that the monitor set a restriction."""
        await self._db.write(
            lambda tx: tx.run(
                "INSERT INTO monitor_holds VALUES (?, ?) ON CONFLICT (engine) DO UPDATE SET"
                " body = excluded.body",
                [hold.engine, _text(hold)],
            )
        )

    async def drop_hold(self, engine: str) -> None:
        """Forget that the monitor set a restriction."""
        await self._db.write(lambda tx: tx.run("DELETE FROM monitor_holds WHERE engine = ?", [engine]))

    async def running(self) -> bool:
        """Tell whether the monitor is to run; it is until somebody stopped it."""
        return (await self._fact(_RUNNING)) != "false"

    async def put_running(self, running: bool) -> None:
        """Keep whether the monitor is to run."""
        await self._put_fact(_RUNNING, "true" if running else "false")

    async def marks(self) -> KeptMarks:
        """Return the last marks that were kept, for engines that do not run."""
        body = await self._fact(_MARKS)
        return KeptMarks() if body is None else msgspec.json.decode(body, type=KeptMarks)

    async def put_marks(self, marks: KeptMarks) -> None:
        """Keep the last marks."""
        await self._put_fact(_MARKS, _text(marks))

    async def _fact(self, name: str) -> str | None:
        rows = await self._db.read("SELECT body FROM monitor_facts WHERE name = ?", [name])
        return rows[0][0] if rows else None

    async def _put_fact(self, name: str, body: str) -> None:
        await self._db.write(
            lambda tx: tx.run(
                "INSERT INTO monitor_facts VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET body = excluded.body",
                [name, body],
            )
        )


def _put(tx: Transaction, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    last = {row[0]: row for row in rows}  # of several states of one record the last counts
    tx.insert(table, list(last.values()), _REPLACE)


def _text(record: msgspec.Struct) -> str:
    return _encode(record).decode()
