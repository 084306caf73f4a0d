"""Values, symbols, labels and freshness: properties that hold for whatever is written."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.problems import BadPayloadError, ProviderBadRequestError, ProviderError
from providers.alpha_vantage import (
    companies,
    functions,
    intraday,
    listings,
    prices,
    series,
    shapes,
    symbols,
    values,
)
from providers.core.exchange import Body

NANOS = 1_000_000_000
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12)
positive = st.decimals(min_value=Decimal("0.0001"), max_value=Decimal(10**6), places=4)
#: JSON of any shape, with the names that answers have now and then.
names = st.sampled_from(
    ["Global Quote", "Meta Data", "Time Series (Daily)", "Time Series (5min)", "bestMatches", "symbol",
     "Symbol", "annualReports", "quarterlyReports", "annualEarnings", "quarterlyEarnings", "estimates",
     "data", "fiscalDateEnding", "reportedEPS", "date", "Name", "1. open", "2. high", "3. low", "4. close",
     "05. price", "6. Time Zone", "2026-05-15", "2026-05-15 09:30:00", "x"]
)  # fmt: skip
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=12),
    st.sampled_from(["IBM", "None", "-", "1.5", "2026-05-15", "UTC"]),
)  # fmt: skip
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6),
    max_leaves=30,
)
READS = (
    lambda body: prices.read_quote(body, "IBM"),
    lambda body: prices.read_periods(body, "IBM", "daily", adjusted=False, most=None),
    lambda body: prices.read_periods(body, "IBM", "weekly", adjusted=True, most=100),
    lambda body: intraday.read(body, "IBM", "5min", month=None, most=None),
    lambda body: intraday.read(body, "IBM", "1min", month="2026-05", most=100),
    lambda body: companies.read_overview(body, "IBM"),
    lambda body: companies.read_earnings(body, "IBM"),
    lambda body: companies.read_estimates(body, "IBM"),
    lambda body: companies.read_statement(body, "IBM", "income"),
    lambda body: listings.read_search(body),
    lambda body: listings.read_earnings_calendar(body),
    lambda body: listings.read_ipo_calendar(body),
    lambda body: listings.read_listings(body, state="active", day=None),
    lambda body: listings.read_dividends(body, "IBM"),
    lambda body: listings.read_splits(body, "IBM"),
)


def survives(content: bytes) -> None:
    """Read an answer in every way; only typed errors may come."""
    body = Body(content, "application/json", 200, "http://av/query?function=X")
    for read in (*READS, shapes.judge):
        with suppress(ProviderError):
            read(body)


@given(st.dictionaries(names, trees, max_size=6))
def test_no_json_is_read_with_anything_but_a_typed_error(tree: dict[str, object]) -> None:
    survives(msgspec.json.encode(tree))


@given(st.binary(max_size=200))
def test_no_bytes_are_read_with_anything_but_a_typed_error(content: bytes) -> None:
    survives(content)


@given(
    st.sampled_from(
        [b"timestamp,open,high,low,close,volume", b"symbol,open,high,low,price,latestDay",
         b"symbol,name,reportDate,fiscalDateEnding,estimate,currency", b"effective_date,split_factor",
         b"symbol,name,exchange,assetType,ipoDate,delistingDate,status"]
    ),
    st.lists(
        st.lists(
            st.sampled_from([b"IBM", b"1.5", b"2026-05-15", b"null", b'"', b"", b"\x00", b"x"]), max_size=8
        ),
        max_size=4,
    ),
)  # fmt: skip
def test_no_table_is_read_with_anything_but_a_typed_error(head: bytes, rows: list[list[bytes]]) -> None:
    survives(b"\n".join([head, *(b",".join(row) for row in rows)]))


@given(decimals)
def test_a_number_is_read_exactly(value: Decimal) -> None:
    assert values.number(f"{value:f}", "x") == value
    assert values.percent(f" {value:f}% ", "x") == value
    assert values.some(f"{value:f}", "x") == (value or None)


@pytest.mark.parametrize("nothing", ["None", "none", "-", "", " ", "null", "N/A", ".", None])
def test_every_spelling_of_nothing_is_none(nothing: str | None) -> None:
    assert values.number(nothing, "x") is None
    assert values.date(nothing, "x") is None
    assert values.text(nothing) == ""


@pytest.mark.parametrize("wrong", ["NaN", "Infinity", "1,000", "12a", "1.2.3", "0x1", "1_000", True, [1], {}])
def test_what_is_no_number_is_refused(wrong: object) -> None:
    with pytest.raises(BadPayloadError):
        values.number(wrong, "x")


@given(st.dates())
def test_a_date_is_read_as_it_is_written(day: dt.date) -> None:
    assert values.date(day.isoformat(), "x") == day


@pytest.mark.parametrize(
    "wrong", ["2099-99-99", "20260515", "15.05.2026", "2026-5-1", "2026-05-15T10:00", 20260515]
)
def test_what_is_no_date_is_refused(wrong: object) -> None:
    with pytest.raises(BadPayloadError):
        values.date(wrong, "x")


@given(st.text(alphabet="ABCZ0189.-/ ", min_size=1, max_size=12))
def test_spelling_a_symbol_twice_changes_nothing(text: str) -> None:
    try:
        once = symbols.spelling(text)
    except ProviderBadRequestError:
        return
    assert symbols.spelling(once) == once
    assert symbols.spelling(text.lower()) == once


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [("TSCO.LON", "TSCO.LON"), ("indigo.bse", "INDIGO.BSE"), ("GPV.TRV", "GPV.TRV"), ("-P-HIZ", "-P-HIZ"),
     ("bf.b", "BF-B"), ("BFLY.WS", "BFLY-WS"), ("BC/PB", "BC/PB")],
)  # fmt: skip
def test_suffixes_of_exchanges_stay(spelled: str, expected: str) -> None:
    assert symbols.spelling(spelled) == expected


@pytest.mark.parametrize("wrong", ["", "  ", "A" * 33, "AB\nC;D", "IBM&apikey=x y", "日本"])
def test_what_is_no_symbol_is_refused(wrong: str) -> None:
    with pytest.raises(ProviderBadRequestError):
        symbols.spelling(wrong)


@given(positive, positive, positive, positive, positive)
def test_adjusting_keeps_the_shape_of_a_bar(
    a: Decimal, b: Decimal, c: Decimal, d: Decimal, adjusted: Decimal
) -> None:
    low, high = min(a, b, c, d), max(a, b, c, d)
    row = series.Row("2026-05-15", a, high, low, d, Decimal(1), adjusted, None, None).adjusted()
    assert row.close == adjusted
    assert row.open is not None
    assert row.high is not None
    assert row.low is not None
    slack = Decimal("1e-8")
    assert row.low - slack <= min(row.open, adjusted)
    assert max(row.open, adjusted) <= row.high + slack
    assert row.volume == 1


def test_adjusting_without_an_adjusted_close_tells_no_price() -> None:
    one = Decimal(1)
    row = series.Row("2026-05-15", one, one, one, one, one, None, None, None).adjusted()
    assert (row.open, row.high, row.low, row.close) == (None, None, None, None)


moments = st.datetimes(
    min_value=dt.datetime(2020, 1, 1), max_value=dt.datetime(2030, 1, 1), timezones=st.just(dt.UTC)
)


@given(moments)
def test_prices_stand_still_only_when_there_is_no_session(moment: dt.datetime) -> None:
    now = int(moment.timestamp()) * NANOS
    since = functions.stood_still_since(now)
    here = moment.astimezone(functions.NEW_YORK)
    assert since <= now
    if since == now:
        return
    assert not (functions.is_session(here.date()) and here.hour >= 4)
    began = dt.datetime.fromtimestamp(since // NANOS, functions.NEW_YORK)
    assert functions.is_session(began.date() - dt.timedelta(days=1))
    assert functions.fresh_prices_s("GLOBAL_QUOTE", "IBM", now) >= (now - since) / NANOS
    assert functions.fresh_prices_s("GLOBAL_QUOTE", "TSCO.LON", now) == 60


@pytest.mark.parametrize(
    ("moment", "fresh_s"),
    [
        ("2026-05-15T15:00:00+00:00", 60),  # Friday, in the session
        ("2026-05-16T16:00:00+00:00", 12 * 3600),  # Saturday noon: since midnight
        ("2026-05-18T07:59:00+00:00", 51 * 3600 + 3540),  # Monday before 04:00
        ("2026-05-18T08:00:00+00:00", 60),  # Monday at 04:00
        ("2026-11-26T17:00:00+00:00", 12 * 3600),  # Thanksgiving
    ],
)
def test_a_quote_is_fresh_as_long_as_it_cannot_have_changed(moment: str, fresh_s: float) -> None:
    now = int(dt.datetime.fromisoformat(moment).timestamp()) * NANOS
    assert functions.fresh_prices_s("GLOBAL_QUOTE", "IBM", now) == pytest.approx(fresh_s)


@pytest.mark.parametrize("text", ["5", "5m", "5min", " 5MIN ", "5minutes"])
def test_an_interval_in_any_spelling(text: str) -> None:
    assert intraday.interval_of(text) == "5min"


@pytest.mark.parametrize("text", ["", "2min", "min", "1h", "5 min x"])
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(ProviderBadRequestError):
        intraday.interval_of(text)
