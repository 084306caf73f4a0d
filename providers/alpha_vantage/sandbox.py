"""The sandbox twin: Alpha Vantage's path, parameters and shapes over made-up data, refusals included.

It answers as a free key is answered: premium functions and the whole daily history are refused, an
unknown symbol is an invalid call, a fund has no company figures, everything is HTTP 200. Its day has
more requests than a free key's, so that one can look around. This module must not know who asks.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import time
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from providers.alpha_vantage import twin_reports
from providers.alpha_vantage.intraday import INTERVALS
from providers.alpha_vantage.prices import COMPACT
from providers.alpha_vantage.twin_listings import LISTED, Twin
from providers.alpha_vantage.twin_prices import Day, history, joined, latest_session
from providers.core.sandbox import Asgi, Asked, Reply, asgi

#: Requests a day of the twin's key.
SANDBOX_QUOTA = 5_000

_INFORMATION, _ERROR = "Information", "Error Message"
_PREMIUM = "Thank you for asking the twin! This is a premium endpoint of the real service."
_FULL = "Thank you! The outputsize=full parameter value is a premium feature for this function."
_DEMO = "The **demo** API key is for demo purposes only."
_NO_KEY = "the parameter apikey is invalid or missing."
_BURST = "Please spread out your free API requests (1 request per second; 25 requests per day)."
_HORIZONS = {"3month": 3, "6month": 6, "12month": 12}
_STATEMENTS = ("INCOME_STATEMENT", "BALANCE_SHEET", "CASH_FLOW")
_PREMIUM_ONLY = ("TIME_SERIES_INTRADAY", "TIME_SERIES_DAILY_ADJUSTED")


def application(
    clock: Callable[[], int] = time.time_ns, *, quota: int | None = None, bursts: int = 0
) -> Asgi:
    """Return the twin.

    Args:
        clock: UTC ns; everything it tells is as of then.
        quota: requests after which it says that the day is used up; None: never.
        bursts: how many of the first requests are refused as coming too fast.
    """
    return asgi(_Twin(clock, quota, bursts).answer)


class _Twin:
    def __init__(self, clock: Callable[[], int], quota: int | None, bursts: int) -> None:
        self._clock = clock
        self._quota = quota
        self._bursts = bursts
        self._asked = 0

    def answer(self, asked: Asked) -> Reply:
        if asked.path != "/query":
            return Reply(b"<!doctype html><title>Not Found</title>", "text/html", 404)
        key = asked.query.get("apikey", "")
        if not key:
            return Reply.json({_ERROR: _NO_KEY})
        if key.lower() == "demo":
            return Reply.json({_INFORMATION: _DEMO})
        if self._bursts > 0:
            self._bursts -= 1
            return Reply.json({_INFORMATION: _BURST})
        self._asked += 1
        if self._quota is not None and self._asked > self._quota:
            said = f"We have detected your API key as {key}"
            return Reply.json(
                {_INFORMATION: f"{said} and our standard API rate limit is 25 requests per day."}
            )
        now = dt.datetime.fromtimestamp(self._clock() // 1_000_000_000, dt.UTC)
        return _answer(asked.query, now)


def _answer(query: Mapping[str, str], now: dt.datetime) -> Reply:
    function = query.get("function", "")
    if function in _WITHOUT_SYMBOL:
        return _WITHOUT_SYMBOL[function](query, now)
    if function not in _OF_SYMBOL and function not in _PREMIUM_ONLY:
        return Reply.json({_ERROR: f"This API function ({function[:40]}) does not exist."})
    twin = LISTED.get(query.get("symbol", "").upper())
    if function == "TIME_SERIES_INTRADAY" and query.get("interval") not in INTERVALS:
        return _invalid(function)
    if function in _PREMIUM_ONLY:
        return Reply.json({_INFORMATION: _PREMIUM})
    if function == "TIME_SERIES_DAILY" and query.get("outputsize") == "full":
        return Reply.json({_INFORMATION: _FULL})
    if twin is None:
        if function == "GLOBAL_QUOTE":
            return Reply.json({"Global Quote": {}})
        return _invalid(function) if function.startswith("TIME_SERIES") else Reply.json({})
    return _OF_SYMBOL[function](twin, query, now)


def _invalid(function: str) -> Reply:
    return Reply.json({_ERROR: f"Invalid API call. Please retry or see the documentation for {function}."})


# ---------------------------------------------------------------- prices


def _quote(twin: Twin, query: Mapping[str, str], now: dt.datetime) -> Reply:
    *_, before, day = history(twin.symbol, latest_session(now))
    change = day.close - before.close
    told = (
        twin.symbol, day.open, day.high, day.low, day.close, day.volume, day.date, before.close, change,
        f"{change / before.close * 100:.4f}%",
    )  # fmt: skip
    names = (
        "symbol", "open", "high", "low", "price", "volume", "latest trading day", "previous close",
        "change", "change percent",
    )  # fmt: skip
    return Reply.json({"Global Quote": _numbered(names, told, "02d")})


def _numbered(names: Iterable[str], values: Iterable[object], form: str = "d") -> dict[str, str]:
    pairs = zip(names, values, strict=True)
    return {
        f"{number:{form}}. {name}": f"{value:.4f}" if isinstance(value, Decimal) else str(value)
        for number, (name, value) in enumerate(pairs, 1)
    }


def _daily(twin: Twin, query: Mapping[str, str], now: dt.datetime) -> Reply:
    days = history(twin.symbol, latest_session(now))[-COMPACT:]
    about = ("Daily Prices (open, high, low, close) and Volumes", twin.symbol, days[-1].date, "Compact")
    meta = _numbered(("Information", "Symbol", "Last Refreshed", "Output Size"), about)
    return _series(meta | {"5. Time Zone": "US/Eastern"}, "Time Series (Daily)", days, adjusted=False)


def _long(twin: Twin, query: Mapping[str, str], now: dt.datetime) -> Reply:
    function = query["function"]
    weekly, adjusted = "WEEKLY" in function, function.endswith("_ADJUSTED")
    days = history(twin.symbol, latest_session(now))
    name = f"{'Weekly' if weekly else 'Monthly'}{' Adjusted' if adjusted else ''}"
    about = (f"{name} Prices and Volumes", twin.symbol, days[-1].date, "US/Eastern")
    meta = _numbered(("Information", "Symbol", "Last Refreshed", "Time Zone"), about)
    return _series(meta, f"{name} Time Series", joined(days, weekly=weekly), adjusted=adjusted)


def _series(meta: dict[str, str], name: str, days: Iterable[Day], *, adjusted: bool) -> Reply:
    rows = {}
    for day in reversed(list(days)):
        prices: tuple[object, ...] = (day.open, day.high, day.low, day.close)
        if adjusted:
            names = ("open", "high", "low", "close", "adjusted close", "volume", "dividend amount")
            row = _numbered(names, (*prices, day.adjusted_close, day.volume, day.dividend))
        else:
            row = _numbered(("open", "high", "low", "close", "volume"), (*prices, day.volume))
        rows[day.date.isoformat()] = row
    return Reply.json({"Meta Data": meta, name: rows})


def _dividends(twin: Twin, query: Mapping[str, str], now: dt.datetime) -> Reply:
    paid = [
        {
            "ex_dividend_date": day.date.isoformat(),
            "declaration_date": "None",
            "record_date": day.date.isoformat(),
            "payment_date": (day.date + dt.timedelta(days=30)).isoformat(),
            "amount": str(day.dividend),
        }
        for day in reversed(history(twin.symbol, latest_session(now)))
        if day.dividend
    ]
    return Reply.json({"symbol": twin.symbol, "data": paid})


def _splits(twin: Twin, query: Mapping[str, str], now: dt.datetime) -> Reply:
    told = [twin.split] if twin.split else []
    data = [{"effective_date": day.isoformat(), "split_factor": f"{factor}.0000"} for day, factor in told]
    return Reply.json({"symbol": twin.symbol, "data": data})


# ---------------------------------------------------------------- companies


def _overview(twin: Twin, query: Mapping[str, str], now: dt.datetime) -> Reply:
    if not twin.is_company:
        return Reply.json({})
    days = history(twin.symbol, latest_session(now))
    known = _reported(twin, now)
    price, eps = days[-1].close, sum(quarter.eps for quarter in known[-4:])
    year = days[-252:]
    revenue = sum(quarter.revenue for quarter in known[-4:])
    return Reply.json(
        {
            "Symbol": twin.symbol,
            "AssetType": "Common Stock",
            "Name": twin.name,
            "Description": f"{twin.name} as the sandbox has it. All figures are made up.",
            "Exchange": twin.exchange,
            "Currency": twin.currency,
            "Country": twin.country,
            "Sector": twin.sector,
            "Industry": twin.industry,
            "FiscalYearEnd": dt.date(2000, twin.year_ends, 1).strftime("%B"),
            "LatestQuarter": known[-1].end.isoformat(),
            "MarketCapitalization": str(int(price * twin.shares_m * 1_000_000)),
            "PERatio": f"{float(price) / eps:.2f}" if eps > 0 else "None",
            "DividendPerShare": str(twin.dividend * 4) if twin.dividend else "None",
            "DividendYield": f"{float(twin.dividend * 4 / price):.4f}" if twin.dividend else "None",
            "EPS": f"{eps:.2f}",
            "RevenueTTM": str(revenue),
            "ProfitMargin": f"{twin.margin}",
            "Beta": f"{twin.beta}",
            "52WeekHigh": str(max(day.high for day in year)),
            "52WeekLow": str(min(day.low for day in year)),
            "SharesOutstanding": str(twin.shares_m * 1_000_000),
        }
    )


def _reported(twin: Twin, now: dt.datetime) -> tuple[twin_reports.Quarter, ...]:
    today = now.date()
    return tuple(one for one in twin_reports.quarters(twin.symbol, today) if one.reports <= today)


def _earnings(twin: Twin, query: Mapping[str, str], now: dt.datetime) -> Reply:
    known = _reported(twin, now)
    if not known:
        return Reply.json({})
    following = twin_reports.quarters(twin.symbol, twin_reports.ahead(now.date()))[len(known)]
    upcoming = {
        "fiscalDateEnding": following.end.isoformat(),
        "reportedDate": following.reports.isoformat(),
        "reportedEPS": "None",
        "estimatedEPS": str(following.estimate),
        "surprise": "0",
        "surprisePercentage": "None",
    }
    annual = [
        {"fiscalDateEnding": year[-1].end.isoformat(), "reportedEPS": f"{sum(one.eps for one in year):.2f}"}
        for year in twin_reports.years(known)[1:]
    ]
    return Reply.json(
        {
            "symbol": twin.symbol,
            "annualEarnings": annual[::-1],
            "quarterlyEarnings": [upcoming, *(_told(one) for one in reversed(known))],
        }
    )


def _told(quarter: twin_reports.Quarter) -> dict[str, str]:
    surprise = quarter.eps - quarter.estimate
    return {
        "fiscalDateEnding": quarter.end.isoformat(),
        "reportedDate": quarter.reports.isoformat(),
        "reportedEPS": str(quarter.eps),
        "estimatedEPS": str(quarter.estimate),
        "surprise": f"{surprise:.2f}",
        "surprisePercentage": f"{surprise / quarter.estimate * 100:.4f}" if quarter.estimate else "None",
        "reportTime": "pre-market" if quarter.before_market else "post-market",
    }


def _estimates(twin: Twin, query: Mapping[str, str], now: dt.datetime) -> Reply:
    known = len(_reported(twin, now))
    coming = twin_reports.quarters(twin.symbol, twin_reports.ahead(now.date()))[known:]
    if not coming:
        return Reply.json({})
    told = [
        {
            "date": one.end.isoformat(),
            "horizon": "fiscal quarter",
            "eps_estimate_average": f"{one.estimate:.4f}",
            "eps_estimate_high": f"{one.estimate * 1.05:.4f}",
            "eps_estimate_low": f"{one.estimate * 0.95:.4f}",
            "eps_estimate_analyst_count": "12.0000",
            "revenue_estimate_average": f"{one.revenue}.00",
            "revenue_estimate_high": None,
            "revenue_estimate_low": None,
            "revenue_estimate_analyst_count": "10.00",
        }
        for one in reversed(coming)
    ]
    return Reply.json({"symbol": twin.symbol, "estimates": told})


def _statement(twin: Twin, query: Mapping[str, str], now: dt.datetime) -> Reply:
    function, known = query["function"], _reported(twin, now)
    if not known:
        return Reply.json({})
    whole = [year for year in twin_reports.years(known) if len(year) == 4]
    return Reply.json(
        {
            "symbol": twin.symbol,
            "annualReports": [twin_reports.statement(function, twin, year) for year in reversed(whole)],
            "quarterlyReports": [twin_reports.statement(function, twin, (one,)) for one in reversed(known)],
        }
    )


# ---------------------------------------------------------------- symbols and dates


def _search(query: Mapping[str, str], now: dt.datetime) -> Reply:
    words = query.get("keywords", "").upper()
    if not words:
        return _invalid("SYMBOL_SEARCH")
    names = (
        "symbol", "name", "type", "region", "marketOpen", "marketClose", "timezone", "currency", "matchScore",
    )  # fmt: skip
    found = [
        (1.0 if words == twin.symbol else 0.7 if words in twin.name.upper() else 0.5, twin)
        for twin in LISTED.values()
        if words in twin.name.upper() or words in twin.symbol
    ]
    found.sort(key=lambda match: -match[0])
    matches = [
        _numbered(
            names,
            (twin.symbol, twin.name, "ETF" if twin.kind == "ETF" else "Equity", twin.region, "09:30", "16:00",
             "UTC+00" if twin.region == "United Kingdom" else "UTC-05", twin.currency, f"{score:.4f}"),
        )
        for score, twin in found
    ]  # fmt: skip
    return Reply.json({"bestMatches": matches})


def _calendar(query: Mapping[str, str], now: dt.datetime) -> Reply:
    months = _HORIZONS.get(query.get("horizon", "3month"))
    if months is None:
        return _invalid("EARNINGS_CALENDAR")
    today = now.date()
    until = today + dt.timedelta(days=30 * months)
    due = [
        (twin, one)
        for twin in LISTED.values()
        for one in twin_reports.quarters(twin.symbol, until)
        if today <= one.reports <= until and query.get("symbol", twin.symbol).upper() == twin.symbol
    ]
    due.sort(key=lambda found: (found[1].reports, found[0].symbol))
    rows = [
        (
            twin.symbol, twin.name.upper(), one.reports, one.end, one.estimate, twin.currency,
            "pre-market" if one.before_market else "post-market",
        )
        for twin, one in due
    ]  # fmt: skip
    names = "symbol,name,reportDate,fiscalDateEnding,estimate,currency,timeOfTheDay"
    return _csv(names, rows)


def _ipos(query: Mapping[str, str], now: dt.datetime) -> Reply:
    day = now.date()
    rows = [
        ("XSBXA", "Sandbox Acquisition A", day + dt.timedelta(days=4), 0, 0, "USD", "NASDAQ"),
        ("XSBXB", "Sandbox Brewing", day + dt.timedelta(days=9), 14, 16, "USD", "NYSE"),
    ]
    return _csv("symbol,name,ipoDate,priceRangeLow,priceRangeHigh,currency,exchange", rows)


def _listings(query: Mapping[str, str], now: dt.datetime) -> Reply:
    names = "symbol,name,exchange,assetType,ipoDate,delistingDate,status"
    if query.get("state", "active") == "delisted":
        return _csv(
            names, [("XSBXZ", "Sandbox Zeppelins", "NYSE", "Stock", "1999-03-01", "2020-06-30", "Delisted")]
        )
    rows = [
        (twin.symbol, twin.name, twin.exchange, twin.kind, "1990-01-02", "null", "Active")
        for twin in LISTED.values()
        if twin.region == "United States"
    ]
    return _csv(names, sorted(rows))


def _csv(names: str, rows: Iterable[Iterable[object]]) -> Reply:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(names.split(","))
    writer.writerows(rows)
    return Reply(out.getvalue().encode(), "application/x-download")


_OF_SYMBOL: dict[str, Callable[[Twin, Mapping[str, str], dt.datetime], Reply]] = {
    "GLOBAL_QUOTE": _quote,
    "TIME_SERIES_DAILY": _daily,
    "TIME_SERIES_WEEKLY": _long,
    "TIME_SERIES_WEEKLY_ADJUSTED": _long,
    "TIME_SERIES_MONTHLY": _long,
    "TIME_SERIES_MONTHLY_ADJUSTED": _long,
    "DIVIDENDS": _dividends,
    "SPLITS": _splits,
    "OVERVIEW": _overview,
    "EARNINGS": _earnings,
    "EARNINGS_ESTIMATES": _estimates,
    **dict.fromkeys(_STATEMENTS, _statement),
}
_WITHOUT_SYMBOL: dict[str, Callable[[Mapping[str, str], dt.datetime], Reply]] = {
    "SYMBOL_SEARCH": _search,
    "EARNINGS_CALENDAR": _calendar,
    "IPO_CALENDAR": _ipos,
    "LISTING_STATUS": _listings,
}
