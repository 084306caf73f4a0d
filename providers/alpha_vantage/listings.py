"""Symbols and dates: search, listings, calendars, dividends and splits.

This module must not know how any of it is asked for.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from data.fundamentals import CorporateAction, EarningsDate, IpoDate, Listing, SymbolMatch
from providers.alpha_vantage import shapes, values
from providers.alpha_vantage.reading import Reading, nothing, of_symbol
from providers.core.exchange import Body


def read_search(body: Body) -> Reading[list[SymbolMatch]]:
    """Read SYMBOL_SEARCH, best match first; no match is an empty list. Raises BadPayloadError."""
    rows: list[dict[str, Any]]
    if shapes.is_table(body):
        rows = [*shapes.table(body, "symbol", "name", "type", "region", "timezone", "currency", "matchscore")]
    else:
        answer = shapes.record(body)
        if answer and "bestMatches" not in answer:
            raise shapes.bad("answered no matches", "an answer has bestMatches")
        rows = shapes.rows(answer.get("bestMatches", []), "bestMatches", "symbol", "name", "matchscore")
    told: list[dict[str, Any]] = [
        {
            "symbol": values.symbol(row["symbol"]),
            "name": values.text(row["name"]),
            "kind": values.text(row.get("type")),
            "region": values.text(row.get("region")),
            "currency": values.text(row.get("currency")),
            "timezone": values.text(row.get("timezone")),
            "score": float(values.number(row["matchscore"], "matchScore") or 0),
        }
        for row in rows
    ]
    told.sort(key=lambda match: -match["score"])
    return Reading(lambda stamp: [SymbolMatch(**stamp._asdict(), **match) for match in told])


def read_earnings_calendar(body: Body) -> Reading[list[EarningsDate]]:
    """Read EARNINGS_CALENDAR, soonest first; raises BadPayloadError."""
    told: list[dict[str, Any]] = [
        {
            "symbol": values.symbol(row["symbol"]),
            "name": values.text(row["name"]),
            "date": values.the_date(row["reportdate"], "reportDate"),
            "fiscal_end": values.date(row["fiscaldateending"], "fiscalDateEnding"),
            "estimate": values.some(row["estimate"], "estimate"),
            "currency": values.text(row["currency"]),
            "time_of_day": values.text(row.get("timeoftheday")),
        }
        for row in shapes.table(
            body, "symbol", "name", "reportdate", "fiscaldateending", "estimate", "currency"
        )
    ]
    told.sort(key=lambda due: (due["date"], due["symbol"]))
    return Reading(lambda stamp: _with(stamp._asdict(), EarningsDate, told))


def read_ipo_calendar(body: Body) -> Reading[list[IpoDate]]:
    """Read IPO_CALENDAR, soonest first; raises BadPayloadError."""
    told: list[dict[str, Any]] = [
        {
            "symbol": values.symbol(row["symbol"]),
            "name": values.text(row["name"]),
            "date": values.the_date(row["ipodate"], "ipoDate"),
            "price_low": values.some(row["pricerangelow"], "priceRangeLow"),
            "price_high": values.some(row["pricerangehigh"], "priceRangeHigh"),
            "currency": values.text(row["currency"]),
            "exchange": values.text(row["exchange"]),
        }
        for row in shapes.table(
            body, "symbol", "name", "ipodate", "pricerangelow", "pricerangehigh", "currency", "exchange"
        )
    ]
    told.sort(key=lambda due: (due["date"], due["symbol"]))
    return Reading(lambda stamp: _with(stamp._asdict(), IpoDate, told))


def read_listings(body: Body, *, state: str, day: dt.date | None) -> Reading[list[Listing]]:
    """Read LISTING_STATUS by symbol, of one state and day (None: the latest); raises BadPayloadError."""
    told: list[dict[str, Any]] = [
        {
            "symbol": values.symbol(row["symbol"]),
            "name": values.text(row["name"]),
            "exchange": values.text(row["exchange"]),
            "kind": values.text(row["assettype"]),
            "ipo": values.date(row["ipodate"], "ipoDate"),
            "delisted": values.date(row["delistingdate"], "delistingDate"),
            "status": values.text(row["status"]),
        }
        for row in shapes.table(
            body, "symbol", "name", "exchange", "assettype", "ipodate", "delistingdate", "status"
        )
    ]
    kept = sorted((one for one in told if one["status"].lower() == state), key=lambda one: one["symbol"])
    return Reading(lambda stamp: _with(stamp._asdict(), Listing, kept), day)


def read_dividends(body: Body, symbol: str) -> Reading[list[CorporateAction]]:
    """Read DIVIDENDS, oldest first; raises ProviderNotFoundError or BadPayloadError."""
    told: list[dict[str, Any]] = [
        {
            "kind": "dividend",
            "date": values.the_date(row["ex_dividend_date"], "ex_dividend_date"),
            "amount": values.number(row["amount"], "amount"),
            "declared": values.date(row.get("declaration_date"), "declaration_date"),
            "recorded": values.date(row.get("record_date"), "record_date"),
            "paid": values.date(row.get("payment_date"), "payment_date"),
        }
        for row in _actions(body, symbol, "DIVIDENDS", "ex_dividend_date", "amount")
    ]
    return _oldest_first(symbol, told)


def read_splits(body: Body, symbol: str) -> Reading[list[CorporateAction]]:
    """Read SPLITS, oldest first, as told: a spin-off comes as a split with an odd factor.

    Raises ProviderNotFoundError or BadPayloadError.
    """
    told: list[dict[str, Any]] = [
        {
            "kind": "split",
            "date": values.the_date(row["effective_date"], "effective_date"),
            "factor": values.some(row["split_factor"], "split_factor"),
        }
        for row in _actions(body, symbol, "SPLITS", "effective_date", "split_factor")
    ]
    return _oldest_first(symbol, told)


def _actions(body: Body, symbol: str, function: str, *columns: str) -> list[dict[str, Any]]:
    if shapes.is_table(body):
        return [*shapes.table(body, *columns)]
    answer = shapes.record(body)
    if not answer:
        raise nothing(function, symbol)
    of_symbol(answer.get("symbol"), symbol)
    if "data" not in answer:
        raise shapes.bad(f"answered no {function}", "an answer has data")
    return shapes.rows(answer["data"], "data", *columns)


def _oldest_first(symbol: str, told: list[dict[str, Any]]) -> Reading[list[CorporateAction]]:
    told.sort(key=lambda action: action["date"])
    return Reading(
        lambda stamp: [CorporateAction(**stamp._asdict(), symbol=symbol, **action) for action in told]
    )


def _with[T](source: dict[str, Any], kind: type[T], told: list[dict[str, Any]]) -> list[T]:
    return [kind(**source, **fields) for fields in told]
