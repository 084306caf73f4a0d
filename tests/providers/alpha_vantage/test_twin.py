"""The sandbox twin, asked by the same client without a network and without a key."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from data.problems import (
    NotConfiguredError,
    NotEntitledError,
    ProviderBadRequestError,
    ProviderNotFoundError,
    ProviderRateLimitedError,
    QuotaExhaustedError,
)
from providers.alpha_vantage import shapes, twin_reports
from providers.alpha_vantage.client import AlphaVantage, spec
from providers.alpha_vantage.functions import FUNCTIONS
from providers.alpha_vantage.sandbox import SANDBOX_QUOTA, application
from providers.alpha_vantage.twin_listings import LISTED
from providers.alpha_vantage.twin_prices import history
from providers.core.cache import Cache
from providers.core.exchange import Body
from providers.core.http import ProviderHttp
from providers.core.ledger import Ledger
from providers.settings import ProviderSettings

DEMO = ProviderSettings(profile="demo")
NOW = dt.datetime(2026, 11, 24, 18, 0, tzinfo=dt.UTC)  # a Tuesday, in the session


def now_ns() -> int:
    return int(NOW.timestamp()) * 1_000_000_000


@pytest.fixture
async def twins(tmp_path: Path) -> AsyncIterator[Callable[..., AlphaVantage]]:
    """Makes clients of twins whose clock stands."""
    ledger, cache = Ledger(tmp_path / "limits.sqlite"), Cache(tmp_path / "answers.sqlite")
    opened: list[AlphaVantage] = []

    def make(*, quota: int | None = None, bursts: int = 0) -> AlphaVantage:
        twin = application(now_ns, quota=quota, bursts=bursts)
        http = ProviderHttp(spec(DEMO), shapes.judge, ledger=ledger, cache=cache, sandbox=twin, clock=now_ns)
        opened.append(AlphaVantage(http, DEMO))
        return opened[-1]

    yield make
    for client in opened:
        await client.http.close()
    ledger.close()
    cache.close()


@pytest.fixture
def twin(twins: Callable[..., AlphaVantage]) -> AlphaVantage:
    return twins()


@pytest.mark.parametrize("symbol", sorted(LISTED))
async def test_every_symbol_has_prices_that_agree(twin: AlphaVantage, symbol: str) -> None:
    quote = await twin.quote(symbol)
    daily, weekly, monthly = (
        await twin.daily(symbol),
        await twin.weekly(symbol),
        await twin.monthly(symbol, adjusted=True),
    )
    assert (quote.source, quote.synthetic) == ("alpha_vantage-sandbox", True)
    assert quote.day == daily.bars[-1].date == dt.date(2026, 11, 23)  # the session of the 24th is not over
    assert quote.price == daily.bars[-1].close == weekly.bars[-1].close
    assert all(bar.synthetic and bar.source.endswith("-sandbox") for bar in daily.bars)
    assert len(daily.bars) == 100
    for bar in (*daily.bars, *weekly.bars):
        assert bar.open is not None
        assert bar.close is not None
        assert bar.high is not None
        assert bar.low is not None
        assert 0 < bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
    assert monthly.adjusted
    assert monthly.bars[0].date < dt.date(2015, 2, 1)


@pytest.mark.parametrize("symbol", sorted(name for name, twin in LISTED.items() if twin.is_company))
async def test_every_company_has_figures_that_agree(twin: AlphaVantage, symbol: str) -> None:
    overview, quote = await twin.overview(symbol), await twin.quote(symbol)
    report, income = await twin.earnings(symbol), await twin.statements(symbol, "income")
    assert quote.price is not None
    assert overview.market_cap == pytest.approx(quote.price * LISTED[symbol].shares_m * 1_000_000)
    assert overview.synthetic
    coming, *reported = report.quarterly
    assert coming.eps is None
    assert coming.surprise is None
    assert reported[0].fiscal_end == overview.latest_quarter
    assert overview.eps == pytest.approx(sum((one.eps or Decimal(0)) for one in reported[:4]))
    year = next(one for one in report.annual if not one.partial)
    of_year = [one for one in reported if 0 <= (year.fiscal_end - one.fiscal_end).days < 350]
    assert len(of_year) == 4
    assert year.eps == pytest.approx(sum((one.eps or Decimal(0)) for one in of_year))
    latest = next(period for period in income if period.period == "annual")
    quarters = [one for one in income if one.period == "quarter"]
    of_year_income = [one for one in quarters if 0 <= (latest.fiscal_end - one.fiscal_end).days < 350]
    assert latest.items["netIncome"] == sum(one.items["netIncome"] for one in of_year_income)
    for period in await twin.statements(symbol, "balance"):
        items = period.items
        assert items["totalAssets"] == items["totalLiabilities"] + items["totalShareholderEquity"]
        assert "inventory" not in items
    assert (await twin.estimates(symbol))[0].fiscal_end > NOW.date()
    assert await twin.statements(symbol, "cash_flow")


async def test_reports_are_due_in_the_months_to_come(twin: AlphaVantage) -> None:
    dates = await twin.earnings_calendar()
    assert dates
    assert all(NOW.date() <= due.date <= NOW.date() + dt.timedelta(days=90) for due in dates)
    year = await twin.earnings_calendar(horizon="12month")
    assert {due.symbol for due in year} == {symbol for symbol, one in LISTED.items() if one.is_company}
    (apple, *_) = await twin.earnings_calendar("AAPL", horizon="12month")
    following = (await twin.earnings("AAPL")).quarterly[0]
    assert (apple.date, apple.estimate) == (following.reported, following.estimate)


async def test_symbols_dates_and_actions(twin: AlphaVantage) -> None:
    assert (await twin.search("coca"))[0].symbol == "KO"
    assert (await twin.search("brk-b"))[0].score == 1.0
    assert await twin.search("no such company") == []
    assert {"AAPL", "SPY"} <= {one.symbol for one in await twin.listings()}
    assert [one.status for one in await twin.listings(state="delisted")] == ["Delisted"]
    assert [ipo.price_low for ipo in await twin.ipo_calendar()] == [None, Decimal(14)]
    assert [split.factor for split in await twin.splits("GOOGL")] == [Decimal("2.0000")]
    assert await twin.splits("KO") == []
    assert all(paid.amount for paid in await twin.dividends("KO"))


async def test_the_twin_refuses_as_a_free_key_is_refused(twin: AlphaVantage) -> None:
    series = await twin.daily("AAPL", full=True, adjusted=True)
    assert series.degraded is not None
    assert not series.adjusted
    assert (await twin.intraday("AAPL", "5min")).interval == "daily"
    with pytest.raises(NotEntitledError):
        await twin.intraday("AAPL", "5min", month="2020-01")
    entitled = {one.function: one.entitled for one in twin.supported_functions()}
    assert entitled["TIME_SERIES_INTRADAY"] is False
    assert list(entitled) == list(FUNCTIONS)


async def test_what_is_absent_is_absent_and_not_asked_for_ever(twin: AlphaVantage) -> None:
    for ask in (twin.quote, twin.weekly, twin.overview, twin.earnings, twin.dividends):
        with pytest.raises(ProviderNotFoundError, match="NOPE"):
            await ask("NOPE")
    for ask in (twin.overview, twin.earnings, twin.overview):
        with pytest.raises(ProviderNotFoundError, match="SPY"):
            await ask("SPY")
    asked = twin.http.health().requests
    with pytest.raises(ProviderNotFoundError, match="SPY"):
        await twin.overview("SPY")
    assert twin.http.health().requests == asked


async def test_a_burst_and_the_end_of_the_day(twins: Callable[..., AlphaVantage]) -> None:
    twin = twins(quota=1, bursts=1)
    assert (await twin.quote("KO")).symbol == "KO"
    with pytest.raises(QuotaExhaustedError) as caught:
        await twin.quote("XOM")
    assert "sandbox" not in caught.value.detail.removeprefix("sandbox,")
    assert twin.http.health().quota_used == SANDBOX_QUOTA


async def test_what_was_not_asked_rightly_costs_nothing(twin: AlphaVantage) -> None:
    for wrong in (
        twin.intraday("KO", "2min"),
        twin.intraday("KO", "5min", month="1999-12"),
        twin.intraday("KO", "5min", month="2026-13"),
        twin.intraday("KO", "5min", month="2027-01"),
        twin.statements("KO", "poem"),
        twin.earnings_calendar(horizon="2month"),
        twin.listings(state="sleeping"),
        twin.listings(dt.date(2009, 12, 31)),
        twin.search(" "),
        twin.quote("no symbol at all"),
    ):
        with pytest.raises(ProviderBadRequestError) as caught:
            await wrong
        assert caught.value.rule
    assert twin.http.health().requests == 0


async def test_the_twin_speaks_the_shapes_of_the_real_one() -> None:
    transport = httpx.ASGITransport(app=application(now_ns))
    async with httpx.AsyncClient(transport=transport, base_url="https://www.alphavantage.co") as client:

        async def ask(**params: str) -> httpx.Response:
            return await client.get("/query", params=params)

        async def judged(**params: str) -> None:
            response = await ask(**params)
            assert response.status_code == 200
            shapes.judge(Body(response.content, response.headers["content-type"], 200, str(response.url)))

        with pytest.raises(NotConfiguredError):
            await judged(function="OVERVIEW", symbol="KO")
        with pytest.raises(NotConfiguredError):
            await judged(function="OVERVIEW", symbol="KO", apikey="demo")
        with pytest.raises(ProviderBadRequestError, match="does not exist"):
            await judged(function="OVERVEIW", symbol="KO", apikey="x")
        with pytest.raises(ProviderNotFoundError):
            await judged(function="TIME_SERIES_INTRADAY", symbol="KO", interval="7min", apikey="x")
        with pytest.raises(ProviderBadRequestError):
            await judged(function="EARNINGS_CALENDAR", horizon="7month", apikey="x")
        with pytest.raises(ProviderBadRequestError):
            await judged(function="SYMBOL_SEARCH", apikey="x")
        elsewhere = await client.get("/other")
        assert elsewhere.status_code == 404
        daily = (await ask(function="TIME_SERIES_DAILY", symbol="KO", apikey="x")).json()
        assert daily["Meta Data"]["5. Time Zone"] == "US/Eastern"
        assert list(daily["Time Series (Daily)"]) == sorted(daily["Time Series (Daily)"], reverse=True)
        calendar = await ask(function="EARNINGS_CALENDAR", apikey="x")
        assert (
            calendar.text.splitlines()[0]
            == "symbol,name,reportDate,fiscalDateEnding,estimate,currency,timeOfTheDay"
        )


async def test_a_burst_is_told_as_one() -> None:
    transport = httpx.ASGITransport(app=application(now_ns, bursts=1))
    async with httpx.AsyncClient(transport=transport, base_url="https://www.alphavantage.co") as client:
        response = await client.get("/query", params={"function": "OVERVIEW", "symbol": "KO", "apikey": "x"})
    with pytest.raises(ProviderRateLimitedError):
        shapes.judge(Body(response.content, "application/json", 200, ""))


async def test_the_demo_profile_needs_no_key_and_no_pace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ALPHA_VANTAGE_API_KEY", raising=False)
    ledger, cache = Ledger(tmp_path / "limits.sqlite"), Cache(tmp_path / "answers.sqlite")
    vantage = AlphaVantage.open(DEMO, ledger=ledger, cache=cache)
    for symbol in LISTED:
        assert (await vantage.quote(symbol)).synthetic
    health = vantage.http.health()
    assert (health.quota_limit, health.quota_used) == (SANDBOX_QUOTA, len(LISTED))
    await vantage.http.close()
    ledger.close()
    cache.close()


def test_the_real_one_is_paced_as_settings_say() -> None:
    real = spec(ProviderSettings())
    assert (real.spacing_s, real.daily_quota, real.quota_timezone) == (1.1, 25, "America/New_York")
    assert real.pace == "1/s, 25 a day"


def test_years_are_made_of_four_quarters() -> None:
    found = twin_reports.years(twin_reports.quarters("AAPL", NOW.date()))
    assert all(len(year) == 4 for year in found[1:-1])
    assert all(year[-1].ends_year for year in found[:-1])


@pytest.mark.parametrize("symbol", ["KO", "GOOGL"])
def test_what_was_drawn_stays_and_adjusting_undoes_splits_and_dividends(symbol: str) -> None:
    earlier, later = (history(symbol, dt.date(2026, 11, day)) for day in (20, 24))
    raw = [(day.date, day.open, day.high, day.low, day.close, day.volume) for day in earlier]
    assert raw == [(day.date, day.open, day.high, day.low, day.close, day.volume) for day in later][:-2]
    for before, day in pairwise(later):
        change = day.adjusted_close / before.adjusted_close
        assert abs(change - 1) < Decimal("0.15")  # no jump at a split
        if day.dividend:
            paid = (day.close + day.dividend) / before.close
            assert change == pytest.approx(paid, rel=Decimal("0.002"))
