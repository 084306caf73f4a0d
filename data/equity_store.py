"""Equity as it was: minute by minute for some weeks, day by day for ever, and the highest there was.

Amounts are decimals kept as text. A day is a UTC day; its last sample is its close. The tables lie in the
state store and are written by its one writer. This module must not know where equity comes from.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from data.database import Database, Table, Transaction
from data.paging import Where

#: Days for which samples of minutes are kept.
KEPT_DAYS: Final = 45
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS equity_samples (engine VARCHAR, ts BIGINT, equity VARCHAR NOT NULL,
       currency VARCHAR NOT NULL, realized VARCHAR, unrealized VARCHAR, synthetic BOOLEAN NOT NULL,
       PRIMARY KEY (engine, ts))""",
    """CREATE TABLE IF NOT EXISTS equity_days (engine VARCHAR, day DATE, ts BIGINT NOT NULL,
       equity VARCHAR NOT NULL, currency VARCHAR NOT NULL, realized VARCHAR, unrealized VARCHAR,
       synthetic BOOLEAN NOT NULL, PRIMARY KEY (engine, day))""",
    """CREATE TABLE IF NOT EXISTS equity_peaks (engine VARCHAR PRIMARY KEY, ts BIGINT NOT NULL,
       equity VARCHAR NOT NULL, currency VARCHAR NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS var_days (book VARCHAR, day DATE, body VARCHAR NOT NULL,
       PRIMARY KEY (book, day))""",
)
_T, _N, _B, _D = "VARCHAR", "BIGINT", "BOOLEAN", "DATE"
_SAMPLES = Table("equity_samples", (_T, _N, _T, _T, _T, _T, _B))
_DAYS = Table("equity_days", (_T, _D, _N, _T, _T, _T, _T, _B))
_PEAKS = Table("equity_peaks", (_T, _N, _T, _T))


class EquitySample(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine's account was worth at a moment, in its currency."""

    engine: str
    ts: int
    equity: Decimal
    currency: str
    realized: Decimal | None = None  #: since the engine's books began
    unrealized: Decimal | None = None
    synthetic: bool


class Peak(msgspec.Struct, frozen=True, kw_only=True):
    """The highest equity of an engine, and when."""

    engine: str
    ts: int
    equity: Decimal
    currency: str


class VarDay(msgspec.Struct, frozen=True, kw_only=True):
    """One-day VaR at 99 % and ES at 97.5 % of a book as it stood at a day's end, in money."""

    book: str  #: ``portfolio`` or an engine
    day: dt.date
    var_99: float
    es_975_10d: float | None = None  #: over 10 days; None: too few returns
    equity: Decimal
    currency: str
    basis: str
    synthetic: bool


def prepare(tx: Transaction) -> None:
    """Make the tables that are not there yet."""
    for statement in _SCHEMA:
        tx.run(statement)


class EquityStore:
    """The tables. Every method that changes something returns once the change is on disk."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(self, samples: Sequence[EquitySample], peaks: Sequence[Peak] = ()) -> None:
        """Keep samples, of which the latest of a day is that day's close, and new peaks."""
        if not samples and not peaks:
            return

        def job(tx: Transaction) -> None:
            tx.insert(_SAMPLES, [_row(one) for one in samples], "ON CONFLICT DO NOTHING")
            last = {(one.engine, day_of(one.ts)): one for one in sorted(samples, key=lambda one: one.ts)}
            tx.insert(
                _DAYS,
                [(one.engine, day, *_row(one)[1:]) for (_, day), one in last.items()],
                "ON CONFLICT (engine, day) DO UPDATE SET ts = excluded.ts, equity = excluded.equity,"
                " currency = excluded.currency, realized = excluded.realized,"
                " unrealized = excluded.unrealized, synthetic = excluded.synthetic",
            )
            tx.insert(
                _PEAKS,
                [(one.engine, one.ts, f"{one.equity:f}", one.currency) for one in peaks],
                "ON CONFLICT (engine) DO UPDATE SET ts = excluded.ts, equity = excluded.equity,"
                " currency = excluded.currency",
            )

        await self._db.write(job)

    async def forget(self, before: int) -> None:
        """Drop samples of minutes from before a time; the days' closes stay."""
        await self._db.write(lambda tx: tx.run("DELETE FROM equity_samples WHERE ts < ?", [before]))

    async def peaks(self) -> list[Peak]:
        """Return the highest equity of every engine there was."""
        rows = await self._db.read("SELECT engine, ts, equity, currency FROM equity_peaks ORDER BY engine")
        return [Peak(engine=e, ts=ts, equity=Decimal(value), currency=c) for e, ts, value, c in rows]

    async def samples(self, engine: str | None = None, since: int = 0) -> list[EquitySample]:
        """Return the samples from ``since`` on (ns UTC), by engine and time."""
        where = Where()
        where.equal("engine", engine)
        return await self._read("equity_samples", where, since)

    async def days(self, engine: str | None = None, since: int = 0) -> list[EquitySample]:
        """Return the last sample of every day from ``since`` on, by engine and time."""
        where = Where()
        where.equal("engine", engine)
        return await self._read("equity_days", where, since)

    async def engines(self) -> list[str]:
        """Return the engines of which equity is known."""
        rows = await self._db.read("SELECT DISTINCT engine FROM equity_days ORDER BY engine")
        return [engine for (engine,) in rows]

    async def put_var(self, days: Sequence[VarDay]) -> None:
        """Keep VaR at a day's end: the latest told of a day."""

        def job(tx: Transaction) -> None:
            for one in days:
                tx.run(
                    "INSERT INTO var_days VALUES (?, ?, ?)"
                    " ON CONFLICT (book, day) DO UPDATE SET body = excluded.body",
                    [one.book, one.day, msgspec.json.encode(one).decode()],
                )

        await self._db.write(job)

    async def var_days(self, book: str, limit: int = 1000) -> list[VarDay]:
        """Return the VaR that was kept of a book, oldest first."""
        rows = await self._db.read(
            f"SELECT body FROM var_days WHERE book = ? ORDER BY day DESC LIMIT {int(limit)}", [book]
        )
        return [msgspec.json.decode(body, type=VarDay) for (body,) in reversed(rows)]

    async def _read(self, table: str, where: Where, since: int) -> list[EquitySample]:
        tail = f"{where.sql} AND ts >= ?" if where.sql else " WHERE ts >= ?"
        rows = await self._db.read(
            f"SELECT engine, ts, equity, currency, realized, unrealized, synthetic FROM {table}{tail}"
            " ORDER BY engine, ts",
            [*where.values, since],
        )
        return [_sample(row) for row in rows]


def day_of(ts: int) -> dt.date:
    """Return the UTC day of a time."""
    return dt.datetime.fromtimestamp(ts // 1_000_000_000, dt.UTC).date()


def _row(one: EquitySample) -> tuple[Any, ...]:
    return (
        one.engine,
        one.ts,
        f"{one.equity:f}",
        one.currency,
        None if one.realized is None else f"{one.realized:f}",
        None if one.unrealized is None else f"{one.unrealized:f}",
        one.synthetic,
    )


def _sample(row: Sequence[Any]) -> EquitySample:
    engine, ts, equity, currency, realized, unrealized, synthetic = row
    return EquitySample(
        engine=engine,
        ts=ts,
        equity=Decimal(equity),
        currency=currency,
        realized=None if realized is None else Decimal(realized),
        unrealized=None if unrealized is None else Decimal(unrealized),
        synthetic=synthetic,
    )
