"""The nine ways in which a naive client of Alpha Vantage is wrong, each on what was really answered."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from data.problems import BadPayloadError
from providers.alpha_vantage import symbols
from providers.alpha_vantage.client import AlphaVantage
from tests.providers.alpha_vantage.bars import intraday, starts
from tests.providers.alpha_vantage.conftest import body, by_function
from tests.providers.replay import Replay

# ---------------------------------------------------------------- 1: what stands for nothing


async def test_trap_1_none_in_a_balance_sheet_is_left_out_never_zero(
    vantage: AlphaVantage, server: Replay
) -> None:
    server.routes["/query"] = given = body("fundamental__BALANCE_SHEET.json")
    periods = await vantage.statements("IBM", "balance")
    told = json.loads(given[2])
    cells = [
        value
        for name in ("annualReports", "quarterlyReports")
        for period in told[name]
        for item, value in period.items()
        if item not in ("fiscalDateEnding", "reportedCurrency")
    ]
    assert cells.count("None") == 732
    assert len(periods) == 101
    assert sum(len(period.items) for period in periods) == len(cells) - 732 - cells.count("0")
    assert all(value != 0 for period in periods for value in period.items.values())
    latest = periods[0]
    assert (latest.period, latest.fiscal_end, latest.currency) == ("annual", dt.date(2025, 12, 31), "USD")
    assert latest.items["totalAssets"] == Decimal(151880000000)
    assert "investments" not in latest.items


async def test_trap_1_zero_stands_for_nothing_in_a_statement_and_an_estimate(
    vantage: AlphaVantage, server: Replay
) -> None:
    server.routes["/query"] = by_function(
        {
            "INCOME_STATEMENT": body("fundamental__INCOME_STATEMENT.json"),
            "EARNINGS_CALENDAR": body("fundamental__EARNINGS_CALENDAR.csv"),
            "IPO_CALENDAR": body("fundamental__IPO_CALENDAR.csv"),
        },
        b"{}",
    )
    income = await vantage.statements("IBM", "income")
    assert all(period.items.get("netIncomeFromContinuingOperations") != 0 for period in income)
    adery = await vantage.earnings_calendar("ADERY")
    assert [(due.estimate, due.currency) for due in adery] == [(None, "USD")]
    ranges = {ipo.symbol: (ipo.price_low, ipo.price_high) for ipo in await vantage.ipo_calendar()}
    assert ranges["CVGD"] == (None, None)
    assert ranges["BWGC"] == (Decimal(6), Decimal(7))


async def test_trap_1_eps_of_a_quarter_to_come_is_none(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = (
        b'{"symbol": "IBM", "annualEarnings": [], "quarterlyEarnings": [{"fiscalDateEnding": "2026-06-30",'
        b' "reportedDate": "2026-07-22", "reportedEPS": "None", "estimatedEPS": "3.1", "surprise": "0",'
        b' "surprisePercentage": "-"}]}'
    )
    (quarter,) = (await vantage.earnings("IBM")).quarterly
    assert quarter.estimate == Decimal("3.1")
    assert (quarter.eps, quarter.surprise, quarter.surprise_percent) == (None, None, None)


async def test_trap_1_a_surprise_of_zero_that_is_one_stays(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = body("fundamental__EARNINGS.json")
    report = await vantage.earnings("IBM")
    met = next(quarter for quarter in report.quarterly if quarter.fiscal_end == dt.date(2020, 9, 30))
    assert met.eps == met.estimate == Decimal("2.58")
    assert met.surprise == 0


async def test_trap_1_null_in_a_listing_is_no_date(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = body("fundamental__LISTING_STATUS.csv")
    listed = await vantage.listings()
    assert len(listed) == 13_411
    assert all(one.delisted is None for one in listed)
    assert listed == sorted(listed, key=lambda one: one.symbol)


async def test_trap_1_dividends_without_declaration(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = body("fundamental__DIVIDENDS.csv")
    paid = await vantage.dividends("IBM")
    assert (paid[0].date, paid[0].amount, paid[0].declared) == (dt.date(1999, 2, 8), Decimal("0.22"), None)
    assert (paid[-1].amount, paid[-1].paid) == (Decimal("1.69"), dt.date(2026, 6, 10))


# ---------------------------------------------------------------- 2: order


async def test_trap_2_rows_come_newest_first_and_leave_oldest_first(
    vantage: AlphaVantage, server: Replay
) -> None:
    server.routes["/query"] = body("time_series__TIME_SERIES_DAILY.csv")
    series = await vantage.daily("IBM")
    days = [bar.date for bar in series.bars]
    assert len(days) == 100
    assert days == sorted(days)
    assert (days[-1], series.bars[-1].close) == (dt.date(2026, 5, 15), Decimal("219.3000"))
    assert series.as_of == dt.date(2026, 5, 15)
    assert series.degraded is None


async def test_trap_2_the_order_of_a_json_object_is_no_promise(vantage: AlphaVantage, server: Replay) -> None:
    labels = ["2026-05-15 10:00:00", "2026-05-14 15:00:00", "2026-05-15 09:55:00"]
    server.routes["/query"] = intraday(labels)
    series = await vantage.intraday("IBM", "5min")
    assert [bar.ts for bar in series.bars] == sorted(bar.ts for bar in series.bars)


async def test_trap_2_two_rows_of_one_day_are_nonsense(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = b"timestamp,open,high,low,close,volume\n" + b"2026-05-15,1,1,1,1,1\n" * 2
    with pytest.raises(BadPayloadError, match="two rows"):
        await vantage.daily("IBM")


# ---------------------------------------------------------------- 3: time zones


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("2026-01-15 09:30:00", "2026-01-15 14:30"),  # winter
        ("2026-05-15 09:30:00", "2026-05-15 13:30"),  # summer
        ("2026-03-06 09:30:00", "2026-03-06 14:30"),  # the Friday before the clocks change
        ("2026-03-09 09:30:00", "2026-03-09 13:30"),  # the Monday after
    ],
)
async def test_trap_3_intraday_is_new_york_time_without_an_offset(
    vantage: AlphaVantage, server: Replay, label: str, expected: str
) -> None:
    server.routes["/query"] = intraday([label, label.replace("09:30", "09:35")])
    assert starts(await vantage.intraday("IBM", "5min"))[0] == expected


@pytest.mark.parametrize("number", ["4", "5", "6", "9"])
async def test_trap_3_the_zone_is_found_by_its_name_whatever_its_number(
    vantage: AlphaVantage, server: Replay, number: str
) -> None:
    content = intraday(["2026-05-15 09:30:00"]).replace(b"6. Time Zone", f"{number}. Time Zone".encode())
    server.routes["/query"] = content.replace(b"US/Eastern", b"UTC")
    series = await vantage.intraday("IBM", "5min")
    assert (series.timezone, starts(series)) == ("UTC", ["2026-05-15 09:30"])


async def test_trap_3_a_zone_that_is_not_known_is_a_bad_payload(
    vantage: AlphaVantage, server: Replay
) -> None:
    server.routes["/query"] = intraday(["2026-05-15 09:30:00"], zone="../../etc/passwd")
    with pytest.raises(BadPayloadError, match="time zone"):
        await vantage.intraday("IBM", "5min")


# ---------------------------------------------------------------- 4: labels of intraday bars


async def test_trap_4_labels_of_2026_are_starts(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = body("time_series__TIME_SERIES_INTRADAY.csv")
    series = await vantage.intraday("IBM", "5min")
    assert len(series.bars) == 100
    assert starts(series)[-1] == "2026-05-15 23:55"  # 19:55 in New York
    assert (series.bars[-1].close, series.bars[-1].volume) == (Decimal("219.0000"), Decimal(158))


async def test_trap_4_labels_of_2020_are_ends_and_become_starts(
    vantage: AlphaVantage, server: Replay
) -> None:
    server.routes["/query"] = intraday(
        ["2020-12-18 20:00:00", "2020-12-18 19:55:00", "2020-12-18 16:00:00", "2020-12-18 04:05:00"]
    )
    series = await vantage.intraday("IBM", "5min")
    assert starts(series) == [
        "2020-12-18 09:00",
        "2020-12-18 20:55",
        "2020-12-19 00:50",
        "2020-12-19 00:55",
    ]
    assert {bar.date for bar in series.bars} == {dt.date(2020, 12, 18)}


@pytest.mark.parametrize(
    ("labels", "first"),
    [
        (["2026-05-15 04:00:00", "2026-05-15 16:00:00"], "2026-05-15 08:00"),  # 04:00 begins, never ends
        (["2026-05-15 09:30:00", "2026-05-15 15:30:00"], "2026-05-15 13:30"),  # regular hours, by start
        (["2020-05-14 10:00:00", "2020-05-15 16:00:00"], "2020-05-14 13:30"),  # regular hours, by end
        (["2026-05-15 10:00:00", "2026-05-15 16:00:00"], "2026-05-15 14:00"),  # the running day, at 16:05
        (["2026-05-14 20:00:00", "2026-05-14 23:30:00"], "2026-05-15 00:00"),  # overnight trading
        (["2026-05-15 11:00:00", "2026-05-15 12:00:00"], "2026-05-15 15:00"),  # nothing tells: starts
        (["2026-05-15 12:00:00", "2026-05-15 16:00:00", "2026-05-15 16:30:00"], "2026-05-15 16:00"),
    ],
)
async def test_trap_4_the_ends_of_the_session_tell_which_it_is(
    vantage: AlphaVantage, server: Replay, labels: list[str], first: str
) -> None:
    server.routes["/query"] = intraday(labels, interval="30min")
    assert starts(await vantage.intraday("IBM", "30min"))[0] == first


async def test_trap_4_bars_without_a_trade_are_absent_not_filled(
    vantage: AlphaVantage, server: Replay
) -> None:
    server.routes["/query"] = intraday(["2026-05-15 04:00:00", "2026-05-15 07:35:00", "2026-05-15 19:55:00"])
    assert len((await vantage.intraday("IBM", "5min")).bars) == 3


async def test_trap_4_bars_of_another_length_are_refused(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = body("time_series__TIME_SERIES_INTRADAY.csv")
    with pytest.raises(BadPayloadError, match="15min"):
        await vantage.intraday("IBM", "15min")


# ---------------------------------------------------------------- 5: raw and adjusted


async def test_trap_5_adjusted_scales_all_four_prices_by_adjusted_close(
    vantage: AlphaVantage, server: Replay
) -> None:
    server.routes["/query"] = body("time_series__TIME_SERIES_DAILY_ADJUSTED.csv")
    series = await vantage.daily("IBM", adjusted=True)
    assert series.adjusted
    by_day = {bar.date: bar for bar in series.bars}
    bar = by_day[dt.date(2026, 5, 7)]  # the day before a dividend of 1.69
    assert bar.close == bar.adjusted_close == Decimal("229.62102225102612")
    factor = Decimal("229.62102225102612") / Decimal("231.31")
    assert bar.open is not None
    assert abs(bar.open - Decimal("227.5") * factor) < Decimal("1e-7")
    assert bar.high is not None
    assert bar.low is not None
    assert bar.low <= bar.open <= bar.high
    assert by_day[dt.date(2026, 5, 8)].dividend == Decimal("1.6900")
    assert by_day[dt.date(2026, 5, 15)].open == Decimal("218.2")
    assert server.requests[0].query["function"] == "TIME_SERIES_DAILY_ADJUSTED"


async def test_trap_5_daily_is_raw_and_says_so(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = body("time_series__TIME_SERIES_DAILY.csv")
    series = await vantage.daily("IBM")
    assert not series.adjusted
    assert series.bars[-1].adjusted_close is None


async def test_trap_5_a_spin_off_told_as_a_split_is_kept_as_told(
    vantage: AlphaVantage, server: Replay
) -> None:
    server.routes["/query"] = body("fundamental__SPLITS.csv")
    told = [(split.date, split.factor) for split in await vantage.splits("IBM")]
    assert told == [(dt.date(1999, 5, 27), Decimal("2.0000")), (dt.date(2021, 11, 4), Decimal("1.0460"))]


# ---------------------------------------------------------------- 6: the running year


async def test_trap_6_the_running_year_is_marked_partial(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = body("fundamental__EARNINGS.json")
    report = await vantage.earnings("IBM")
    first, second, *older = report.annual
    assert (first.fiscal_end, first.eps, first.partial) == (dt.date(2026, 3, 31), Decimal("1.91"), True)
    assert (second.fiscal_end, second.eps, second.partial) == (dt.date(2025, 12, 31), Decimal("11.57"), False)
    assert not any(year.partial for year in older)
    assert len(report.quarterly) == 121
    assert report.quarterly[0].time_of_day == "post-market"


@pytest.mark.parametrize(
    ("annual", "quarterly", "partial"),
    [
        (["2025-12-31", "2024-12-31"], ["2025-12-31"], False),
        (["2025-12-27", "2024-12-28"], ["2025-12-27"], False),  # 52 weeks
        (["2026-12-31", "2025-12-31"], ["2026-06-30"], True),  # under the end that the year will have
        (["2026-03-31"], ["2026-03-31"], True),
        ([], [], False),
    ],
)
async def test_trap_6_a_year_is_whole_when_its_last_quarter_is_in(
    vantage: AlphaVantage, server: Replay, annual: list[str], quarterly: list[str], partial: bool
) -> None:
    def periods(ends: list[str]) -> list[dict[str, str]]:
        return [{"fiscalDateEnding": end, "reportedEPS": "1.5"} for end in ends]

    server.routes["/query"] = json.dumps(
        {"symbol": "IBM", "annualEarnings": periods(annual), "quarterlyEarnings": periods(quarterly)}
    ).encode()
    assert any(year.partial for year in (await vantage.earnings("IBM")).annual) is partial


# ---------------------------------------------------------------- 7: symbols


@pytest.mark.parametrize("spelled", ["BRK.B", "brk b", "BRK/B", "BRK-B", " brk-b "])
async def test_trap_7_a_share_class_has_a_dash(vantage: AlphaVantage, server: Replay, spelled: str) -> None:
    server.routes["/query"] = (
        b"symbol,open,high,low,price,volume,latestDay\nBRK-B,468.1,470,465,469.5,3000000,2026-05-15\n"
    )
    assert (await vantage.quote(spelled)).symbol == "BRK-B"
    assert server.requests[0].query["symbol"] == "BRK-B"


async def test_trap_7_prices_in_london_are_pence(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = (
        b'{"Global Quote": {"01. symbol": "TSCO.LON", "05. price": "365.4000",'
        b' "07. latest trading day": "2026-05-15", "10. change percent": "-0.5852%"}}'
    )
    quote = await vantage.quote("tsco.lon")
    assert (quote.symbol, quote.currency, quote.price) == ("TSCO.LON", "GBX", Decimal("365.4000"))
    assert quote.change_percent == Decimal("-0.5852")
    assert quote.open is None


async def test_trap_7_a_search_tells_the_currency(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = body("time_series__SYMBOL_SEARCH.csv")
    matches = await vantage.search(" Tesco ")
    assert [match.symbol for match in matches] == ["TSCO.LON", "TSCDF", "TSCDY", "TCO2.FRK", "TCO0.FRK"]
    assert (matches[0].currency, matches[0].region, matches[0].score) == ("GBX", "United Kingdom", 0.7273)


async def test_trap_7_odd_symbols_are_kept_as_told(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = body("fundamental__LISTING_STATUS.csv")
    listed = {one.symbol for one in await vantage.listings()}
    assert {"BRK-B", "BF-B", "-P-HIZ", "BFOR:BAT", "BFS-P-D"} <= listed
    assert all(symbols.spelling(symbol) == symbol for symbol in listed - {"NYCB- PR-U"})


async def test_listings_of_a_day_are_as_of_it_and_of_one_state(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = (
        b"symbol,name,exchange,assetType,ipoDate,delistingDate,status\n"
        b"OLD,Old Corp,NYSE,Stock,1999-05-26,2012-01-31,Delisted\n"
        b"NEW,New Corp,NYSE,Stock,2001-01-02,null,Active\n"
    )
    (gone,) = await vantage.listings(dt.date(2014, 7, 10), state="delisted")
    assert (gone.symbol, gone.delisted, gone.as_of) == ("OLD", dt.date(2012, 1, 31), dt.date(2014, 7, 10))
    assert server.requests[0].query["date"] == "2014-07-10"


async def test_bars_of_a_month_are_of_that_month(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = intraday(["2026-05-29 19:55:00", "2026-06-01 04:00:00"])
    series = await vantage.intraday("IBM", "5min", month="2026-05", full=True)
    assert [bar.date for bar in series.bars] == [dt.date(2026, 5, 29)]
    with pytest.raises(BadPayloadError, match="2026-04"):
        await vantage.intraday("IBM", "5min", month="2026-04")


async def test_trap_7_a_symbol_that_spells_nothing_is_a_symbol(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = (
        b"symbol,name,exchange,assetType,ipoDate,delistingDate,status\n"
        b"NAN,Nuveen New York Fund,NYSE,Stock,1999-05-26,null,Active\n"
        b"NONE,None Such Corp,NYSE,Stock,null,null,Active\n"
    )
    assert [one.symbol for one in await vantage.listings()] == ["NAN", "NONE"]


# ---------------------------------------------------------------- 8: names


async def test_trap_8_names_have_entities_and_blanks_resolved(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = body("fundamental__LISTING_STATUS.csv")
    names = {one.symbol: one.name for one in await vantage.listings()}
    assert names["BRKD"] == "DIREXION DAILY BRKB BEAR 1X SHARES"
    assert names["AACBU"] == "Artius II Acquisition Inc - Units (1 Ord Shs & 1 Rts)"
    assert names["AAA"] == "ALTERNATIVE ACCESS FIRST PRIORITY CLO BOND ETF"
    assert not [name for name in names.values() if name != " ".join(name.split())]


# ---------------------------------------------------------------- 9: decimals


async def test_trap_9_prices_keep_the_decimals_they_came_with(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = (
        b"timestamp,open,high,low,close,volume\n2026-05-15,646.36,650,637.3001,640.1,12345678901\n"
    )
    (bar,) = (await vantage.daily("IBM")).bars
    assert [str(price) for price in (bar.open, bar.high, bar.low, bar.close, bar.volume)] == [
        "646.36",
        "650",
        "637.3001",
        "640.1",
        "12345678901",
    ]


async def test_a_number_that_is_no_text_is_exact_too(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = (
        b'{"Global Quote": {"symbol": "IBM", "price": 0.1, "volume": 12, "latest trading day": "2026-05-15"}}'
    )
    quote = await vantage.quote("IBM")
    assert (quote.price, quote.volume) == (Decimal("0.1"), Decimal(12))
