"""What is known of the world and must not be forgotten: factors, figures, filings, whom to watch.

Everything is kept under the source that told it, so that what a sandbox twin told never stands
beside what a provider told. Records are kept whole as JSON beside the columns that are searched.
The tables lie in the state store and are written by its one writer, in small pieces, because orders
wait in the same queue. This module must not know who asks or what a provider is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial
from itertools import batched
from typing import Any

import msgspec

from data.companies import CompanyFact, Filing, FilingStatistics, FormCount, View
from data.database import Database, Table, Transaction
from data.forms import day_of
from data.macro import MacroFactor, MacroRegime
from data.paging import Where
from data.problems import NotFoundError

#: Rows that go into the store with one job.
_PIECE = 400
#: A filing that appears and was filed longer before the last look is old news: kept, not told.
OLD_NEWS_DAYS = 10

_T, _N, _B, _D = "VARCHAR", "BIGINT", "BOOLEAN", "DATE"
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS macro_factors (source VARCHAR, id VARCHAR, as_of DATE,
       observed DATE NOT NULL, fetched_at BIGINT NOT NULL, value DOUBLE NOT NULL, synthetic BOOLEAN NOT NULL,
       body VARCHAR NOT NULL, PRIMARY KEY (source, id, as_of))""",
    """CREATE TABLE IF NOT EXISTS macro_regimes (source VARCHAR, as_of DATE, fetched_at BIGINT NOT NULL,
       synthetic BOOLEAN NOT NULL, body VARCHAR NOT NULL, PRIMARY KEY (source, as_of))""",
    """CREATE TABLE IF NOT EXISTS company_facts (source VARCHAR, cik BIGINT, taxonomy VARCHAR, tag VARCHAR,
       unit VARCHAR, span VARCHAR, "end" DATE, view VARCHAR, filed DATE, metric VARCHAR NOT NULL,
       period VARCHAR NOT NULL, value VARCHAR NOT NULL, fetched_at BIGINT NOT NULL,
       synthetic BOOLEAN NOT NULL, body VARCHAR NOT NULL,
       PRIMARY KEY (source, cik, taxonomy, tag, unit, span, "end", view, filed))""",
    """CREATE TABLE IF NOT EXISTS filings (source VARCHAR, cik BIGINT, accession VARCHAR,
       form VARCHAR NOT NULL, filed DATE NOT NULL, synthetic BOOLEAN NOT NULL, told BOOLEAN NOT NULL,
       ts_told BIGINT, body VARCHAR NOT NULL, PRIMARY KEY (source, cik, accession))""",
    """CREATE TABLE IF NOT EXISTS filing_marks (source VARCHAR, cik BIGINT, ts_looked BIGINT NOT NULL,
       PRIMARY KEY (source, cik))""",
    """CREATE TABLE IF NOT EXISTS watched_companies (source VARCHAR, ticker VARCHAR, cik BIGINT NOT NULL,
       name VARCHAR NOT NULL, ts_added BIGINT NOT NULL, PRIMARY KEY (source, ticker))""",
)
_FACTORS = Table("macro_factors", (_T, _T, _D, _D, _N, "DOUBLE", _B, _T))
_FACTS = Table("company_facts", (_T, _N, _T, _T, _T, _T, _D, _T, _D, _T, _T, _T, _N, _B, _T))
_FILINGS = Table("filings", (_T, _N, _T, _T, _D, _B, _B, _N, _T))

_encode = msgspec.json.Encoder().encode
_factors = msgspec.json.Decoder(MacroFactor)
_regimes = msgspec.json.Decoder(MacroRegime)
_facts = msgspec.json.Decoder(CompanyFact)
_filings = msgspec.json.Decoder(Filing)


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """A company that somebody asked to watch."""

    ticker: str
    cik: int
    name: str
    ts_added: int


def prepare(tx: Transaction) -> None:
    """Make the tables that are not there yet: also in a store that an earlier version made."""
    for statement in _SCHEMA:
        tx.run(statement)


class Knowledge:
    """The tables. Every method that changes something returns once the change is on disk."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # ------------------------------------------------------------ the economy

    async def put_factors(self, factors: Sequence[MacroFactor]) -> int:
        """Keep factors that have a value, one a day and factor: the latest told; return how many."""
        rows = [
            (f.source, f.id, f.as_of, f.observed, f.fetched_at, f.value, f.synthetic, _text(f))
            for f in factors
            if f.value is not None and f.observed is not None and f.problem is None and f.stale is None
        ]
        rule = (
            "ON CONFLICT (source, id, as_of) DO UPDATE SET observed = excluded.observed,"
            " fetched_at = excluded.fetched_at, value = excluded.value, body = excluded.body"
        )
        await self._insert(_FACTORS, rows, rule)
        return len(rows)

    async def factors(self, source: str, id_: str, limit: int) -> list[MacroFactor]:
        """Return what was told of a factor, latest first; raises NotFoundError if nothing was."""
        rows = await self._db.read(
            "SELECT body FROM macro_factors WHERE source = ? AND id = ? ORDER BY as_of DESC LIMIT ?",
            [source, id_, limit],
        )
        if not rows:
            raise NotFoundError(
                f"nothing is stored of the factor {id_!r}",
                rule="factors are stored as they are told",
                fix="see /api/v1/fred/macro-factors for their ids",
                id=id_,
            )
        return [_factors.decode(body) for (body,) in rows]

    async def put_regime(self, regime: MacroRegime) -> None:
        """Keep a regime, one a day: the latest told; one with a problem is none."""
        if regime.problem is not None or regime.stale is not None:
            return
        await self._db.write(
            lambda tx: tx.run(
                "INSERT INTO macro_regimes VALUES (?, ?, ?, ?, ?) ON CONFLICT (source, as_of)"
                " DO UPDATE SET fetched_at = excluded.fetched_at, body = excluded.body",
                [regime.source, regime.as_of, regime.fetched_at, regime.synthetic, _text(regime)],
            )
        )

    async def regimes(self, source: str, limit: int) -> list[MacroRegime]:
        """Return the regimes that were told, latest first."""
        rows = await self._db.read(
            "SELECT body FROM macro_regimes WHERE source = ? ORDER BY as_of DESC LIMIT ?", [source, limit]
        )
        return [_regimes.decode(body) for (body,) in rows]

    # ------------------------------------------------------------ figures

    async def put_facts(self, facts: Sequence[CompanyFact]) -> None:
        """Keep figures: one each for what it says, of which period, in which view, filed when."""
        rows = {_fact_key(fact): _fact_row(fact) for fact in facts if fact.stale is None}
        rule = (
            'ON CONFLICT (source, cik, taxonomy, tag, unit, span, "end", view, filed) DO UPDATE SET'
            " metric = excluded.metric, value = excluded.value, fetched_at = excluded.fetched_at,"
            " body = excluded.body"
        )
        await self._insert(_FACTS, list(rows.values()), rule)

    async def facts(
        self, source: str, cik: int, *, metric: str | None = None, view: View | None = None, limit: int
    ) -> list[CompanyFact]:
        """Return a company's stored figures, latest period first."""
        where = Where()
        where.equal("source", source)
        where.equal("cik", cik)
        where.equal("metric", metric)
        where.equal("view", view)
        rows = await self._db.read(
            f'SELECT body FROM company_facts{where.sql} ORDER BY "end" DESC, metric, period, view, filed DESC'
            f" LIMIT {int(limit)}",
            where.values,
        )
        return [_facts.decode(body) for (body,) in rows]

    # ------------------------------------------------------------ filings

    async def put_filings(self, filings: Sequence[Filing]) -> None:
        """Keep filings that somebody asked for; whether they were told of as new stays as it is."""
        rows = [_filing_row(filing, told=False, ts_told=None) for filing in filings]
        await self._insert(_FILINGS, rows, "ON CONFLICT DO NOTHING")

    async def news(self, source: str, cik: int, filings: Sequence[Filing], ts: int) -> list[Filing]:
        """Note what a look at a company's filings found; return those to tell of, oldest first.

        The first look tells of none: it only sets the mark. A filing is told of once for ever; the
        store has it as told before anybody hears of it.
        """
        chosen = {filing.accession: filing for filing in filings}

        def job(tx: Transaction) -> list[Filing]:
            marked = tx.run("SELECT ts_looked FROM filing_marks WHERE source = ? AND cik = ?", [source, cik])
            told = tx.run(
                "SELECT accession FROM filings WHERE source = ? AND cik = ? AND told", [source, cik]
            )
            fresh = [chosen[id_] for id_ in chosen.keys() - {id_ for (id_,) in told}]
            news = [f for f in fresh if marked and not _is_old(f, marked[0][0])]
            names = {filing.accession for filing in news}
            tx.insert(
                _FILINGS,
                [_filing_row(f, told=True, ts_told=ts if f.accession in names else None) for f in fresh],
                "ON CONFLICT (source, cik, accession) DO UPDATE SET told = true, ts_told = excluded.ts_told,"
                " body = excluded.body",
            )
            tx.run(
                "INSERT INTO filing_marks VALUES (?, ?, ?)"
                " ON CONFLICT (source, cik) DO UPDATE SET ts_looked = excluded.ts_looked",
                [source, cik, ts],
            )
            return sorted(news, key=lambda filing: (filing.filed, filing.accession))

        return await self._db.write(job)

    async def told_filings(self, source: str, limit: int) -> list[Filing]:
        """Return the filings that were told of as new, latest first."""
        rows = await self._db.read(
            "SELECT body FROM filings WHERE source = ? AND ts_told IS NOT NULL"
            f" ORDER BY ts_told DESC, filed DESC, accession DESC LIMIT {int(limit)}",
            [source],
        )
        return [_filings.decode(body) for (body,) in rows]

    async def filings_since(self, source: str, ciks: Sequence[int], since: dt.date) -> list[Filing]:
        """Return the stored filings of some companies filed on ``since`` or later, latest first."""
        rows = await self._db.read(
            "SELECT body FROM filings WHERE source = ? AND cik IN (SELECT unnest(?::BIGINT[])) AND filed >= ?"
            " ORDER BY filed DESC, accession DESC",
            [source, list(ciks), since],
        )
        return [_filings.decode(body) for (body,) in rows]

    async def looked(self, source: str) -> dict[int, int]:
        """Return when each company's filings were last looked at, UTC ns by CIK."""
        rows = await self._db.read("SELECT cik, ts_looked FROM filing_marks WHERE source = ?", [source])
        return dict(rows)

    async def statistics(self, source: str, ts: int) -> FilingStatistics:
        """Return counts of what is kept of one source."""
        forms = await self._db.read(
            "SELECT form, count(*), min(filed), max(filed) FROM filings WHERE source = ?"
            " GROUP BY form ORDER BY count(*) DESC, form",
            [source],
        )
        ((facts, companies, watched),) = await self._db.read(
            "SELECT (SELECT count(*) FROM company_facts WHERE source = $1),"
            " (SELECT count(*) FROM (SELECT cik FROM company_facts WHERE source = $1"
            "  UNION SELECT cik FROM filings WHERE source = $1)),"
            " (SELECT count(*) FROM watched_companies WHERE source = $1)",
            [source],
        )
        counts = tuple(FormCount(form=f, filings=n, first=first, last=last) for f, n, first, last in forms)
        return FilingStatistics(
            source=source,
            synthetic=source.endswith("-sandbox"),
            companies=companies,
            filings=sum(count.filings for count in counts),
            facts=facts,
            forms=counts,
            first_filed=min((count.first for count in counts), default=None),
            last_filed=max((count.last for count in counts), default=None),
            watched=watched,
            ts=ts,
        )

    # ------------------------------------------------------------ whom to watch

    async def watch(self, source: str, company: Watched) -> None:
        """Keep that a company is watched; watching it twice is watching it once."""
        await self._db.write(
            lambda tx: tx.run(
                "INSERT INTO watched_companies VALUES (?, ?, ?, ?, ?) ON CONFLICT (source, ticker)"
                " DO UPDATE SET cik = excluded.cik, name = excluded.name",
                [source, company.ticker, company.cik, company.name, company.ts_added],
            )
        )

    async def unwatch(self, source: str, ticker: str, *, held: bool = False) -> None:
        """Forget that a company is watched; raises NotFoundError if it is not.

        Watched again later, it begins with a new mark instead of a flood of what came meanwhile,
        unless it is held and so looked at all the time.
        """

        def job(tx: Transaction) -> None:
            gone = tx.run(
                "DELETE FROM watched_companies WHERE source = ? AND ticker = ? RETURNING cik",
                [source, ticker],
            )
            if not gone:
                raise NotFoundError(
                    f"{ticker} is not watched",
                    rule="only what is watched can be watched no longer",
                    fix="see /api/v1/edgar/watch",
                    ticker=ticker,
                )
            if not held:
                tx.run("DELETE FROM filing_marks WHERE source = ? AND cik = ?", [source, gone[0][0]])

        await self._db.write(job)

    async def watched(self, source: str) -> list[Watched]:
        """Return who is watched, by ticker."""
        rows = await self._db.read(
            "SELECT ticker, cik, name, ts_added FROM watched_companies WHERE source = ? ORDER BY ticker",
            [source],
        )
        return [Watched(ticker=t, cik=cik, name=name, ts_added=ts) for t, cik, name, ts in rows]

    async def _insert(self, table: Table, rows: Sequence[tuple[Any, ...]], rule: str) -> None:
        for piece in batched(rows, _PIECE, strict=False):
            await self._db.write(partial(_insert, table, piece, rule))


def _insert(table: Table, rows: Sequence[tuple[Any, ...]], rule: str, tx: Transaction) -> None:
    tx.insert(table, rows, rule)


def _text(record: msgspec.Struct) -> str:
    return _encode(record).decode()


def _fact_key(fact: CompanyFact) -> tuple[Any, ...]:
    return (
        fact.source,
        fact.cik,
        fact.taxonomy,
        fact.tag,
        fact.unit,
        _span(fact),
        fact.end,
        fact.view,
        fact.filed,
    )


def _span(fact: CompanyFact) -> str:
    """Return what tells two figures of one end apart: when the period began, and what it is derived of."""
    return f"{fact.start or 'instant'}{' derived' if fact.derived else ''}"


def _fact_row(fact: CompanyFact) -> tuple[Any, ...]:
    value = f"{fact.value:f}"
    return (
        *_fact_key(fact),
        fact.metric,
        fact.period,
        value,
        fact.fetched_at,
        fact.synthetic,
        _text(fact),
    )


def _filing_row(filing: Filing, *, told: bool, ts_told: int | None) -> tuple[Any, ...]:
    return (
        filing.source,
        filing.cik,
        filing.accession,
        filing.form,
        filing.filed,
        filing.synthetic,
        told,
        ts_told,
        _text(filing),
    )


def _is_old(filing: Filing, ts_looked: int) -> bool:
    return filing.filed < day_of(ts_looked) - dt.timedelta(days=OLD_NEWS_DAYS)
