"""The traps of FRED's API, one by one, over recorded answers from a real server."""

from __future__ import annotations

import datetime as dt
import json
import logging
from decimal import Decimal

import pytest

from data.problems import (
    BadPayloadError,
    NotConfiguredError,
    ProviderBadRequestError,
    ProviderDownError,
    ProviderNotFoundError,
    ProviderRateLimitedError,
)
from providers.core.exchange import Body
from providers.core.secrets import keep_out_of_logs
from providers.fred import wire
from providers.fred.spec import judge
from tests.providers.fred.bodies import listing, observations, refusal
from tests.providers.fred.conftest import KEY, TODAY, Connect, noon
from tests.providers.replay import JSON, Given, Replay, Request, Route, recorded

GDP = "fred/fred_series__series-id-GDP__20250120.json"
GDP_NOW = "fred/fred_series_observations__series-id-GDP__20250120.json"
GDP_VINTAGES = (
    "fred/fred_series_observations__realtime-end-9999-12-31-realtime-start-1776-07-04-series-id-GDP"
    "__20250120.json"
)
GDP_INFO, OBSERVATIONS = "/fred/series", "/fred/series/observations"
Q3 = dt.date(2024, 7, 1)


def error(name: str) -> bytes:
    """Return a recorded error body."""
    return recorded(f"fred/errors/{name}")


def body(content: bytes, status: int = 400, kind: str = JSON) -> Body:
    """Return an answer as the core hands it on."""
    return Body(content, kind, status, "http://fred")


# ---------------------------------------------------------------- 1: a dot is missing


async def test_trap_1_a_missing_value_is_none_on_holidays_and_never_zero(connect: Connect) -> None:
    with Replay({OBSERVATIONS: recorded("fred/fred_series_observations__DGS10__20240624.json")}) as server:
        series = await connect(server.url).series("DGS10")
    missing = [one.date for one in series.observations if one.value is None]
    assert missing == [dt.date(2024, 5, 27), dt.date(2024, 6, 19)]
    assert series.missing == 2
    assert len(series.observations) == 23
    assert all(one.value is None or one.value > 4 for one in series.observations)
    assert series.observations[0].value == Decimal("4.41")


async def test_trap_1_the_latest_value_is_not_that_of_a_holiday(connect: Connect) -> None:
    days = {dt.date(2026, 11, 25): "4.10", dt.date(2026, 11, 26): "."}
    with Replay({OBSERVATIONS: observations(days)}) as server:
        latest = await connect(server.url).latest("DGS10")
    assert (latest.date, latest.value) == (dt.date(2026, 11, 25), Decimal("4.10"))


async def test_trap_1_leading_periods_and_old_vintages_have_dots_too(connect: Connect) -> None:
    page = wire.observations(body(recorded(GDP_VINTAGES), 200))
    assert sum(row.value is None for row in page.rows) == 245
    with Replay({GDP_INFO: recorded(GDP), OBSERVATIONS: recorded(GDP_NOW)}) as server:
        series = await connect(server.url).series("GDP")
    assert [one.value for one in series.observations[:4]] == [None] * 4
    assert series.observations[4].value == Decimal("243.164")


@pytest.mark.parametrize(
    "text", ["", "NaN", "Infinity", "-inf", "1,5", "1e999", "0x1", "n/a", "9" * 200, ".."]
)
def test_trap_1_what_is_no_number_is_no_value(text: str) -> None:
    with pytest.raises(BadPayloadError):
        wire.value(text)


@pytest.mark.parametrize("date", ["0001-01-01", "9999-12-31", "2024-02-30", ""])
def test_trap_1_what_is_no_period_is_no_observation(date: str) -> None:
    row = {"realtime_start": "2026-11-27", "realtime_end": "2026-11-27", "date": date, "value": "1"}
    with pytest.raises(BadPayloadError):
        wire.observations(body(listing("observations", [row]), 200))


# ---------------------------------------------------------------- 2 and 3: vintages


async def test_trap_2_point_in_time_has_one_row_a_period_of_all_vintages(connect: Connect) -> None:
    with Replay({GDP_INFO: recorded(GDP), OBSERVATIONS: recorded(GDP_VINTAGES)}) as server:
        series = await connect(server.url).series("GDP", as_of=dt.date(2024, 12, 1))
        asked = server.asked(OBSERVATIONS)[0].query
    assert asked["realtime_start"] == asked["realtime_end"] == "2024-12-01"
    dates = [one.date for one in series.observations]
    assert dates == sorted(set(dates))
    assert series.observations[-1].date == Q3
    assert series.observations[-1].value == Decimal("29354.321")  # not the 29374.914 of 2025
    assert series.observations[-1].published == dt.date(2024, 11, 27)
    assert series.as_of == series.observations[0].as_of == dt.date(2024, 12, 1)


@pytest.mark.parametrize(
    ("as_of", "value"),
    [
        (dt.date(2024, 10, 30), "29349.924"),
        (dt.date(2024, 11, 26), "29349.924"),
        (dt.date(2024, 11, 27), "29354.321"),
        (dt.date(2024, 12, 18), "29354.321"),
        (dt.date(2024, 12, 19), "29374.914"),
    ],
)
async def test_trap_2_both_ends_of_a_real_time_period_belong_to_it(
    connect: Connect, as_of: dt.date, value: str
) -> None:
    with Replay({GDP_INFO: recorded(GDP), OBSERVATIONS: recorded(GDP_VINTAGES)}) as server:
        latest = await connect(server.url).latest("GDP", as_of=as_of)
    assert (latest.date, latest.value) == (Q3, Decimal(value))


async def test_trap_2_before_a_period_was_published_it_is_not_there(connect: Connect) -> None:
    with Replay({GDP_INFO: recorded(GDP), OBSERVATIONS: recorded(GDP_VINTAGES)}) as server:
        latest = await connect(server.url).latest("GDP", as_of=dt.date(2024, 10, 29))
    assert latest.date == dt.date(2024, 4, 1)


async def test_trap_2_without_a_day_only_what_still_stands_is_told(connect: Connect) -> None:
    with Replay({GDP_INFO: recorded(GDP), OBSERVATIONS: recorded(GDP_VINTAGES)}) as server:
        series = await connect(server.url).series("GDP")
    current = {one.date: one.value for one in series.observations}
    plain = wire.observations(body(recorded(GDP_NOW), 200))
    assert {row.date: row.value for row in plain.rows} == current
    assert series.as_of == TODAY  # the reply is for ever, so it is of the day on which it came


async def test_trap_2_an_answer_for_another_day_is_not_taken(connect: Connect) -> None:
    with (
        Replay({GDP_INFO: recorded(GDP), OBSERVATIONS: recorded(GDP_NOW)}) as server,
        pytest.raises(BadPayloadError, match="real-time period"),
    ):
        await connect(server.url).series("GDP", as_of=dt.date(2024, 12, 1))


async def test_trap_2_an_answer_for_another_day_is_not_kept_for_the_next_one(connect: Connect) -> None:
    answers = [recorded(GDP_NOW), recorded(GDP_VINTAGES)]
    with Replay({OBSERVATIONS: answers}) as server:
        client = connect(server.url)
        with pytest.raises(BadPayloadError, match="real-time period"):
            await client.latest("GDP", as_of=dt.date(2024, 12, 1))
        latest = await client.latest("GDP", as_of=dt.date(2024, 12, 1))
        assert latest.value == Decimal("29354.321")
        await client.latest("GDP", as_of=dt.date(2024, 12, 1))
        assert len(server.requests) == 2  # what was known on a day long ago is known for good


async def test_trap_2_two_values_for_one_period_at_a_time_are_refused(connect: Connect) -> None:
    row = {"realtime_start": "2026-11-27", "realtime_end": "2026-11-27", "date": "2026-07-01"}
    rows = [{**row, "value": "1.0"}, {**row, "value": "2.0"}]
    with (
        Replay({OBSERVATIONS: listing("observations", rows)}) as server,
        pytest.raises(BadPayloadError, match="two values"),
    ):
        await connect(server.url).latest("GDP")


async def test_trap_2_before_the_archive_begins_nothing_is_known(connect: Connect) -> None:
    with (
        Replay({GDP_INFO: recorded(GDP), OBSERVATIONS: recorded(GDP_VINTAGES)}) as server,
        pytest.raises(ProviderNotFoundError, match="is not known") as caught,
    ):
        await connect(server.url).series("GDP", as_of=dt.date(1980, 1, 1))
    assert caught.value.extra["first"] == "1991-12-04"


async def test_trap_2_an_answer_of_first_releases_only_is_not_taken_for_point_in_time(
    connect: Connect,
) -> None:
    first = recorded(
        "fred/fred_series_observations__output-type-4-realtime-start-1776-07-04-series-id-GDP__20250120.json"
    )
    with Replay({OBSERVATIONS: first}) as server, pytest.raises(BadPayloadError, match="output type 4"):
        await connect(server.url).latest("GDP", as_of=dt.date(2024, 12, 1))


async def test_a_day_to_come_is_refused_without_asking(connect: Connect) -> None:
    with Replay() as server:
        client = connect(server.url)
        with pytest.raises(ProviderBadRequestError, match="not known yet"):
            await client.series("GDP", as_of=TODAY + dt.timedelta(days=1))
        with pytest.raises(ProviderBadRequestError, match="not known yet"):
            await client.factors(as_of=TODAY + dt.timedelta(days=1))
        assert server.requests == []


async def test_today_is_asked_as_now(connect: Connect) -> None:
    with Replay({OBSERVATIONS: observations({Q3: "1.5"})}) as server:
        await connect(server.url).latest("GDP", as_of=TODAY)
        assert "realtime_start" not in server.asked(OBSERVATIONS)[0].query


async def test_the_day_that_has_begun_in_london_but_not_in_st_louis_is_now(connect: Connect) -> None:
    night = noon(TODAY) + 9 * 3600 * 10**9  # 3 o'clock in the morning of the 28th, UTC
    with Replay({OBSERVATIONS: observations({Q3: "1.5"})}) as server:
        client = connect(server.url, now=night)
        for as_of in (TODAY, TODAY + dt.timedelta(days=1)):
            latest = await client.latest("GDP", as_of=as_of)
            assert latest.as_of == TODAY  # which is the day that FRED says it answers for
        assert all("realtime_start" not in one.query for one in server.requests)
        with pytest.raises(ProviderBadRequestError, match="not known yet"):
            await client.latest("GDP", as_of=TODAY + dt.timedelta(days=2))


async def test_trap_3_revisions_are_real(connect: Connect) -> None:
    page = wire.observations(body(recorded(GDP_VINTAGES), 200))
    stood = [(row.start, row.value) for row in page.rows if row.date == Q3]
    assert stood[0] == (dt.date(2024, 10, 30), Decimal("29349.924"))
    assert stood[-1] == (dt.date(2024, 12, 19), Decimal("29374.914"))


# ---------------------------------------------------------------- 4 and 5: the archive's errors


def test_trap_4_too_many_vintages_is_a_request_to_be_made_smaller() -> None:
    with pytest.raises(ProviderBadRequestError, match="2000") as caught:
        judge(body(error("error_400_too_many_vintages.json")))
    assert caught.value.extra["reason"] == "vintages"
    assert caught.value.retry_after is None


async def test_trap_5_an_unknown_series_is_told_from_one_without_an_archive(connect: Connect) -> None:
    alfred = error("error_400_not_in_alfred_or_unknown_series.json")
    known = {"id": "SP500", "title": "S&P 500", "realtime_end": "2026-11-27", "frequency_short": "D"}

    def series(request: Request) -> Given:
        if request.query["series_id"] == "SP500":
            return listing("seriess", [known])
        return refusal("Bad Request.  The series does not exist.")

    routes: dict[str, Route] = {
        GDP_INFO: series,
        OBSERVATIONS: (400, JSON, alfred),
        "/fred/series/vintagedates": (400, JSON, alfred),
    }
    with Replay(routes) as server:
        client = connect(server.url)
        with pytest.raises(ProviderNotFoundError, match="does not exist"):
            await client.latest("NOSUCH", as_of=dt.date(2020, 1, 2))
        with pytest.raises(ProviderNotFoundError, match="no archive"):
            await client.latest("SP500", as_of=dt.date(2020, 1, 2))
        assert all("realtime_start" not in one.query for one in server.asked(GDP_INFO))


async def test_trap_5_an_archive_that_begins_later_says_when(connect: Connect) -> None:
    alfred = error("error_400_not_in_alfred_or_unknown_series.json")
    routes: dict[str, Route] = {
        GDP_INFO: recorded(GDP),
        OBSERVATIONS: (400, JSON, alfred),
        "/fred/series/vintagedates": recorded("fred/fred_series_vintagedates__series-id-GDP__20250120.json"),
    }
    with Replay(routes) as server, pytest.raises(ProviderNotFoundError, match="is not known") as caught:
        await connect(server.url).series("GDP", as_of=dt.date(1980, 1, 1))
    assert caught.value.extra["first"] == "1991-12-04"


async def test_trap_5_a_price_of_the_market_without_an_archive_is_cut_and_says_so(connect: Connect) -> None:
    days = {dt.date(2020, 1, 2): "3.5", dt.date(2020, 1, 3): "3.6", dt.date(2020, 1, 6): "3.7"}
    with Replay({OBSERVATIONS: observations(days)}) as server:
        series = await connect(server.url).series("BAMLH0A0HYM2", as_of=dt.date(2020, 1, 3))
        assert "realtime_start" not in server.asked(OBSERVATIONS)[0].query
    assert [one.date for one in series.observations] == [dt.date(2020, 1, 2)]
    assert series.as_of == dt.date(2020, 1, 3)
    assert series.note is not None
    assert "no archive" in series.note


async def test_trap_5_what_was_told_before_a_day_says_nothing_of_that_day(connect: Connect) -> None:
    early = observations({dt.date(2020, 1, 2): "3.5"}, dt.date(2020, 2, 1), dt.date(2020, 2, 1))
    with Replay({OBSERVATIONS: early}) as server, pytest.raises(BadPayloadError, match="real-time period"):
        await connect(server.url).latest("BAMLH0A0HYM2", as_of=dt.date(2020, 6, 1))


# ---------------------------------------------------------------- 6: keys and messages


async def test_trap_6_a_refused_key_is_tried_once_more_before_it_is_believed(connect: Connect) -> None:
    refused = (400, JSON, error("error_400_api_key_not_registered.json"))
    with Replay({OBSERVATIONS: [refused, observations({Q3: "1.5"})]}) as server:
        latest = await connect(server.url, attempts=3).latest("GDP")
        assert latest.value == Decimal("1.5")
        assert len(server.requests) == 2


async def test_trap_6_a_key_refused_twice_is_wrong(connect: Connect) -> None:
    refused = (400, JSON, error("error_400_api_key_not_registered.json"))
    with Replay({"*": refused}) as server:
        with pytest.raises(NotConfiguredError, match="not registered") as caught:
            await connect(server.url, attempts=3).latest("GDP")
        assert len(server.requests) == 2
    assert KEY not in caught.value.detail
    assert caught.value.fix is not None


async def test_trap_6_factors_do_not_ask_for_every_series_with_a_wrong_key(connect: Connect) -> None:
    refused = (400, JSON, error("error_400_api_key_not_registered.json"))
    with Replay({"*": refused}) as server:
        client = connect(server.url)
        with pytest.raises(NotConfiguredError, match="not registered"):
            await client.factors()
        assert len(server.requests) < 10
    assert client.http.health().state == "not_configured"


@pytest.mark.parametrize("blanks", [" ", "  ", "   "])
def test_trap_6_messages_are_matched_whatever_their_blanks(blanks: str) -> None:
    message = f"Bad Request.{blanks}The value for variable api_key is{blanks}not registered."
    with pytest.raises(NotConfiguredError):
        judge(body(json.dumps({"error_code": 400, "error_message": message}).encode()))


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("error_400_api_key_not_set.json", 400, NotConfiguredError),
        ("error_400_default_is_xml.xml", 400, NotConfiguredError),
        ("error_400_limit_out_of_range.json", 400, ProviderBadRequestError),
        ("error_429_rate_limit.json", 429, ProviderRateLimitedError),
        ("error_v2_400_release_id.json", 400, ProviderBadRequestError),
    ],
)
def test_errors_come_in_three_shapes(name: str, status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        judge(body(error(name), status))


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (423, b'{"error_code":423,"error_message":"Locked."}', ProviderDownError),
        (500, b'{"error_code":500,"error_message":"Internal Server Error."}', ProviderDownError),
        (503, b"<html>down</html>", ProviderDownError),
        (404, b'{"error_code":404,"error_message":"Not Found."}', ProviderNotFoundError),
        (404, b"<html>nothing here</html>", BadPayloadError),
        (403, b"<html>denied</html>", BadPayloadError),
        (200, b"<!DOCTYPE html><html>portal</html>", BadPayloadError),
        (200, b"<?xml version='1.0'?><observations/>", BadPayloadError),
        (
            200,
            b'{"error_code":429,"error_message":"Too Many Requests.  Exceeded Rate Limit"}',
            ProviderRateLimitedError,
        ),
        (302, b"", BadPayloadError),
        (429, b"", ProviderRateLimitedError),
        (400, b"[[[[", BadPayloadError),
    ],
)
def test_every_answer_that_is_none_is_a_typed_error(
    status: int, content: bytes, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        judge(body(content, status))


async def test_json_is_asked_for_always(connect: Connect) -> None:
    with Replay(
        {OBSERVATIONS: observations({Q3: "1"}), "/fred/series/search": listing("seriess", [])}
    ) as server:
        client = connect(server.url)
        await client.latest("GDP")
        await client.search("output")
        assert [one.query["file_type"] for one in server.requests] == ["json", "json"]
        assert [one.query["api_key"] for one in server.requests] == [KEY, KEY]


@pytest.mark.parametrize("suffix", ["", "/", "/fred", "/fred/"])
async def test_the_address_may_end_in_fred_or_not(connect: Connect, suffix: str) -> None:
    with Replay({OBSERVATIONS: observations({Q3: "1"})}) as server:
        await connect(server.url + suffix).latest("GDP")
        assert server.requests[0].path == OBSERVATIONS


# ---------------------------------------------------------------- 7: times and bounds


def test_trap_7_times_have_an_offset_of_two_digits() -> None:
    noon = dt.datetime(2024, 12, 19, 13, 55, 1, tzinfo=dt.UTC)
    assert wire.updated("2024-12-19 07:55:01-06") == int(noon.timestamp()) * 10**9
    assert wire.updated(None) is None
    with pytest.raises(BadPayloadError):
        wire.updated("yesterday")


async def test_trap_7_what_a_series_is(connect: Connect) -> None:
    with Replay({GDP_INFO: recorded(GDP)}) as server:
        info = await connect(server.url).info("gdp ")
        assert server.requests[0].query["series_id"] == "GDP"
    assert (info.id, info.frequency, info.category, info.release_id) == ("GDP", "quarterly", "growth", 53)
    assert (info.first, info.last) == (dt.date(1947, 1, 1), Q3)
    assert info.ts_updated == 1734616501 * 10**9
    assert info.as_of == dt.date(2024, 12, 19)


@pytest.mark.parametrize("begin", ["1600-01-01", "1776-07-04"])
async def test_trap_7_a_bound_long_before_any_data_is_unknown_and_notes_may_be_absent(
    connect: Connect, begin: str
) -> None:
    one = {
        "id": "X1",
        "title": "X",
        "realtime_end": "2026-11-27",
        "observation_start": begin,
        "observation_end": "9999-12-31",
    }
    with Replay({GDP_INFO: listing("seriess", [one])}) as server:
        info = await connect(server.url).info("X1")
    assert (info.first, info.last, info.notes, info.ts_updated) == (None, None, "", None)
    assert (info.frequency, info.category) == ("unknown", "other")


async def test_an_answer_about_another_series_is_not_taken(connect: Connect) -> None:
    with Replay({GDP_INFO: recorded(GDP)}) as server, pytest.raises(BadPayloadError, match="something else"):
        await connect(server.url).info("UNRATE")


async def test_a_series_known_by_heart_says_that_fred_did_not_describe_it(connect: Connect) -> None:
    with Replay({OBSERVATIONS: observations({Q3: "4.1"})}) as server:
        series = await connect(server.url).series("UNRATE")
    assert series.stale is None
    assert series.info.stale == "BadPayload"
    assert series.info.title == "Unemployment Rate"


# ---------------------------------------------------------------- 8: lists


async def test_trap_8_the_calendar_asks_for_dates_to_come_in_a_window_and_reads_all_pages(
    connect: Connect,
) -> None:
    rows = [
        {
            "release_id": 10 + index % 7,
            "release_name": f"R{index % 7}",
            "date": str(TODAY + dt.timedelta(days=index // 7)),
        }
        for index in range(49)
    ]

    def pages(request: Request) -> Given:
        offset = int(request.query.get("offset", "0"))
        return listing("release_dates", rows[offset : offset + 20], count=49, offset=offset, limit=20)

    with Replay({"/fred/releases/dates": pages}) as server:
        days = await connect(server.url).calendar(days_ahead=5)
        asked = server.requests[0].query
    assert asked["include_release_dates_with_no_data"] == "true"
    assert (asked["realtime_start"], asked["realtime_end"]) == ("2026-11-27", "2026-12-02")
    assert len(days) == 42  # the seventh day was not asked for
    assert max(one.date for one in days) == dt.date(2026, 12, 2)


async def test_a_server_that_ignores_where_to_go_on_is_found_out(connect: Connect) -> None:
    rows = [{"release_id": 10, "release_name": "R", "date": "2026-11-27"}]
    with Replay({"/fred/releases/dates": listing("release_dates", rows, count=3)}) as server:
        client = connect(server.url)
        with pytest.raises(BadPayloadError, match="did not come"):
            await client.calendar()
        assert [one.query.get("offset") for one in server.requests] == [None, "1"]
        rest = [{**rows[0], "release_id": 50}] * 2
        server.routes["/fred/releases/dates"] = listing("release_dates", rest, count=3, offset=1)
        assert {one.release_id for one in await client.calendar()} == {10, 50}  # the wrong page was not kept


async def test_trap_8_the_recorded_release_dates_are_read_and_cut_to_the_window(connect: Connect) -> None:
    dates = recorded("fred/fred_releases_dates__20250120.json")
    with Replay({"/fred/releases/dates": dates}) as server:
        client = connect(server.url, today=dt.date(2025, 1, 10))
        days = await client.calendar(days_ahead=7, days_back=0)
    assert {one.date for one in days} <= {dt.date(2025, 1, day) for day in range(10, 18)}
    by_release = {one.release_id: one for one in days}
    assert by_release[50].date == dt.date(2025, 1, 10)
    assert by_release[10].date == dt.date(2025, 1, 15)
    assert set(by_release[10].series) == {"CPIAUCSL", "CPILFESL"}
    assert by_release[10].importance == "high"


async def test_a_search_is_cut_to_what_was_asked_for(connect: Connect) -> None:
    found = recorded(
        "fred/fred_series_search__search-text-monetary-service-index-search-type-full-text__20250120.json"
    )
    with Replay({"/fred/series/search": found}) as server:
        series = await connect(server.url).search(" monetary  service index ", limit=5)
        assert server.requests[0].query["search_text"] == "monetary service index"
    assert [one.id for one in series][:1] == ["MSIM2"]
    assert len(series) == 5


# ---------------------------------------------------------------- 9: the key


async def test_trap_9_the_key_is_in_no_error_and_no_log(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keep_out_of_logs()

    def echoing(request: Request) -> Given:
        return refusal(request.target)

    with Replay({"*": echoing}) as server:
        client = connect(server.url)
        with pytest.raises(ProviderBadRequestError) as refused:
            await client.latest("GDP")
        assert server.requests[0].query["api_key"] == KEY
        gone = server.url
    with pytest.raises(ProviderDownError) as unreachable:
        await connect(gone).latest("GDP")
    for caught in (refused.value, unreachable.value):
        assert KEY not in repr(caught.document())
    assert KEY not in "".join(record.getMessage() for record in caplog.records if record.name != "httpcore")
    assert KEY not in repr(client.http.health())


async def test_without_a_key_nothing_is_asked(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRED_API_KEY", raising=False)
    with Replay() as server:
        with pytest.raises(NotConfiguredError, match="FRED_API_KEY"):
            await connect(server.url, credential=None).latest("GDP")
        assert server.requests == []
