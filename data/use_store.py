"""How much of each limit was used, minute by minute for ten days, and how forecasts of breaches came out.

Statistics are made of it: values are floats here, the exact ones are in what was published. The tables lie
in the state store and are written by its one writer. This module must not know how forecasts are made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from data.database import Database, Table, Transaction

#: Days for which samples are kept.
KEPT_DAYS: Final = 10
#: Minutes for which forecasts are kept: until the longest has come due, and some more.
KEPT_FORECASTS: Final = 300
MINUTE_NS: Final = 60_000_000_000
_DAY: Final = 1440
_SCHEMA = (
    # No keys: an index over millions of samples would not fit the store's memory. Readers are in order.
    """CREATE TABLE IF NOT EXISTS limit_use (limit_id VARCHAR NOT NULL, minute BIGINT NOT NULL,
       value DOUBLE NOT NULL, counted DOUBLE NOT NULL, worst DOUBLE NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS limit_foretold (limit_id VARCHAR NOT NULL, minute BIGINT NOT NULL,
       chances DOUBLE[] NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS limit_tallies (limit_id VARCHAR, minutes BIGINT,
       forecasts BIGINT NOT NULL, breached BIGINT NOT NULL, squares DOUBLE NOT NULL,
       until BIGINT NOT NULL, PRIMARY KEY (limit_id, minutes))""",
)
_T, _N, _F = "VARCHAR", "BIGINT", "DOUBLE"
_USE = Table("limit_use", (_T, _N, _F, _F, _F))
_FORETOLD = Table("limit_foretold", (_T, _N, "DOUBLE[]"))
_TALLIES = Table("limit_tallies", (_T, _N, _N, _N, _F, _N))


class UseSample(msgspec.Struct, frozen=True, kw_only=True):
    """A limit at the end of a minute."""

    limit_id: str
    minute: int  #: since the epoch, UTC
    value: float  #: in the limit's unit
    limit: float  #: what counted then
    worst: float  #: the highest use (value ÷ limit) that was seen in the minute


class Foretold(msgspec.Struct, frozen=True, kw_only=True):
    """Probabilities of a breach that were told at a minute, one for each horizon."""

    limit_id: str
    minute: int
    chances: tuple[float, ...]


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Forecasts of one limit over one horizon whose time has passed, added up."""

    limit_id: str
    minutes: int  #: the horizon
    forecasts: int
    breached: int  #: of these, how many were followed by a breach in time
    squares: float  #: Σ (probability − outcome)²
    until: int  #: the minute of the last forecast that is in it


def prepare(tx: Transaction) -> None:
    """Make the tables that are not there yet."""
    for statement in _SCHEMA:
        tx.run(statement)


class UseStore:
    """The tables. Every method that changes something returns once the change is on disk."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(
        self, samples: Sequence[UseSample], foretold: Sequence[Foretold] = (), tallies: Sequence[Tally] = ()
    ) -> None:
        """Keep a minute's samples and forecasts, once each, and the present state of tallies."""

        def job(tx: Transaction) -> None:
            tx.insert(_USE, [(one.limit_id, one.minute, one.value, one.limit, one.worst) for one in samples])
            tx.insert(_FORETOLD, [(one.limit_id, one.minute, list(one.chances)) for one in foretold])
            tx.insert(
                _TALLIES,
                [
                    (one.limit_id, one.minutes, one.forecasts, one.breached, one.squares, one.until)
                    for one in tallies
                ],
                "ON CONFLICT (limit_id, minutes) DO UPDATE SET forecasts = excluded.forecasts,"
                " breached = excluded.breached, squares = excluded.squares, until = excluded.until",
            )

        await self._db.write(job)

    async def forget(self, now: int) -> None:
        """Drop what is older than it is kept for; ``now`` is the present minute."""

        def job(tx: Transaction) -> None:
            tx.run("DELETE FROM limit_use WHERE minute < ?", [now - KEPT_DAYS * _DAY])
            tx.run("DELETE FROM limit_foretold WHERE minute < ?", [now - KEPT_FORECASTS])

        await self._db.write(job)

    async def samples(self, latest: int) -> list[UseSample]:
        """Return the latest so many samples of each limit within a day of the newest, oldest first."""
        rows = await self._db.read(
            "SELECT limit_id, minute, value, counted, worst FROM limit_use"
            " WHERE minute > (SELECT max(minute) FROM limit_use) - ?"
            " QUALIFY row_number() OVER (PARTITION BY limit_id ORDER BY minute DESC) <= ?"
            " ORDER BY limit_id, minute",
            [_DAY, latest],
        )
        return await asyncio.to_thread(  # there may be hundreds of thousands
            lambda: [
                UseSample(limit_id=name, minute=minute, value=value, limit=limit, worst=worst)
                for name, minute, value, limit, worst in rows
            ]
        )

    async def foretold(self, since: int) -> list[Foretold]:
        """Return the forecasts from a minute on, oldest first."""
        rows = await self._db.read(
            "SELECT limit_id, minute, chances FROM limit_foretold WHERE minute >= ? ORDER BY 2, 1",
            [since],
        )
        return await asyncio.to_thread(
            lambda: [
                Foretold(limit_id=name, minute=minute, chances=tuple(chances))
                for name, minute, chances in rows
            ]
        )

    async def tallies(self) -> list[Tally]:
        """Return how forecasts came out, by limit and horizon."""
        rows = await self._db.read(
            "SELECT limit_id, minutes, forecasts, breached, squares, until FROM limit_tallies"
            " ORDER BY limit_id, minutes"
        )
        return [
            Tally(
                limit_id=name, minutes=minutes, forecasts=count, breached=hits, squares=squares, until=until
            )
            for name, minutes, count, hits, squares, until in rows
        ]
