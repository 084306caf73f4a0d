"""Puts answers together from what was gathered; runs in a thread, where libraries of numbers may be loaded.

This module must not know where anything was gathered from.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from data.analytics import (
    AggregateAnswer,
    Contribution,
    Dimension,
    ExecutionAnswer,
    FactorContribution,
    PerformanceAnswer,
    StrategyAnswer,
)
from data.records import Fill
from data.series import EquitySeries
from nautilus_tui.daemon.risk.accounts import Account
from nautilus_tui.daemon.risk.computing import Asked
from risk import attribution, track
from risk.frames import Ints, ReturnsFrame
from risk.measures.sample import Floats
from risk.track import Track

type Benchmark = tuple[Ints, Floats]

_SAMPLED = "equity is sampled once a minute: 5-minute returns are up to a minute beside the benchmark's bars"


def performance(
    account: Account,
    fills: Sequence[Fill],
    days: EquitySeries,
    minutes: EquitySeries,
    found: Track,
    asked: Asked,
    other: ReturnsFrame | None,
) -> PerformanceAnswer:
    """Return how a book did; raises InvalidRequestError for a rolling window that does not fit."""
    book = attribution.ledger(fills, account.terms, account.rate)
    book.realised = [one for one in book.realised if one.fill.ts >= asked.since]
    book.trips = [one for one in book.trips if one.closed >= asked.since]
    gains = attribution.unrealised(book, account.terms, account.rate, account.mark)
    benchmark = _benchmark(other)
    metrics, reasons = track.metrics(found, risk_free=asked.risk_free, benchmark=benchmark)
    notes = [*days.notes, *book.problems, *account.portfolio.problems]
    if asked.benchmark is not None and other is not None:
        notes += [f"{name}: {reason}" for name, reason in other.missing.items()]
        if found.basis == "5m":
            notes.append(_SAMPLED)
    if asked.since and gains:
        notes.append("unrealised profit is since the positions were opened, also before the time asked for")
    if found.basis == "5m":
        notes.append("statistics are of 5-minute returns: fewer than 60 days of equity are kept")
    first = found.equity[0] if found.equity else None
    open_profit = _total(list(gains.values()))
    if open_profit is None and gains:
        reasons["unrealized"] = "a price or an exchange rate of what is held is not known"
    series = days if found.basis == "1d" or len(minutes) < 2 else minutes
    return PerformanceAnswer(
        portfolio_id=account.name,
        currency=days.currency or account.portfolio.currency,
        basis=found.basis,
        returns=0 if found.basis is None else len(found.returns),
        periods_per_year=found.periods_per_year,
        ts_first=int(found.times[0]) if len(found.times) else None,
        ts_last=int(found.times[-1]) if len(found.times) else None,
        equity_first=first,
        equity=account.portfolio.equity,
        flows=sum(series.flows, Decimal(0)) if len(series) else None,
        realized=_cents(book.profit),
        unrealized=Decimal(0) if not gains else None if open_profit is None else _cents(open_profit),
        commission=_cents(book.commission),
        metrics=metrics,
        reasons=reasons,
        drawdown=track.drawdown(found),
        trades=attribution.trade_statistics(book.trips),
        benchmark=asked.benchmark,
        attribution=_attributed(book, gains, account, first),
        factors=_factors(found, benchmark, asked.benchmark),
        rolling=()
        if asked.rolling is None
        else track.rolled(found, asked.rolling, benchmark, asked.risk_free),
        curve=track.curve(found),
        notes=tuple(dict.fromkeys(notes)),
        synthetic=days.synthetic or account.portfolio.synthetic or any(one.synthetic for one in fills),
        ts=asked.ts,
    )


def strategy(
    strategy_id: str, account: Account, fills: Sequence[Fill], execution: ExecutionAnswer, ts: int
) -> StrategyAnswer:
    """Return what one strategy did, from its own fills."""
    book = attribution.ledger(fills, account.terms, account.rate)
    gains = attribution.unrealised(book, account.terms, account.rate, account.mark)
    open_profit = Decimal(0) if not gains else _total(list(gains.values()))
    return StrategyAnswer(
        strategy_id=strategy_id,
        currency=account.portfolio.currency,
        realized=_cents(book.profit),
        unrealized=None if open_profit is None else _cents(open_profit),
        commission=_cents(book.commission),
        total=None if open_profit is None else _cents(book.profit + open_profit),
        trades=attribution.trade_statistics(book.trips),
        by_instrument=attribution.contributions(book, gains, account.terms, "instrument", None),
        execution=execution,
        notes=tuple(book.problems),
        synthetic=any(one.synthetic for one in fills) or execution.synthetic,
        ts=ts,
    )


def aggregate(
    account: Account,
    fills: Sequence[Fill],
    by: tuple[Dimension, ...],
    instrument: str | None,
    span: tuple[int | None, int | None],
    ts: int,
) -> AggregateAnswer:
    """Return fills of a span of time summed up by dimensions."""
    some = [one for one in fills if instrument in (None, one.instrument)]
    book = attribution.ledger(some, account.terms, account.rate)
    start, end = span
    book.realised = [
        one
        for one in book.realised
        if (start is None or one.fill.ts >= start) and (end is None or one.fill.ts < end)
    ]
    return AggregateAnswer(
        by=by,
        currency=account.portfolio.currency,
        rows=attribution.aggregated(book, account.terms, by),
        notes=tuple(book.problems),
        synthetic=any(one.fill.synthetic for one in book.realised),
        ts=ts,
    )


def _benchmark(other: ReturnsFrame | None) -> Benchmark | None:
    return None if other is None or not len(other) else (other.times, other.values[:, 0])


def _attributed(
    book: attribution.Ledger,
    gains: dict[attribution.Key, Decimal | None],
    account: Account,
    equity: Decimal | None,
) -> tuple[Contribution, ...]:
    found: list[Contribution] = []
    for dimension in attribution.DIMENSIONS:
        found += attribution.contributions(book, gains, account.terms, dimension, equity)
    return tuple(found)


def _factors(found: Track, benchmark: Benchmark | None, name: str | None) -> tuple[FactorContribution, ...]:
    if benchmark is None or name is None or found.basis is None:
        return ()
    mine, theirs = track.paired(found, benchmark)
    return attribution.factor_contributions(mine, theirs, name) if len(mine) > 1 else ()


def _total(values: Sequence[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(values) else None


def _cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"))
