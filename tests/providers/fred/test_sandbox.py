"""The twin speaks as FRED does: the same client runs against it, errors and vintages included."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator, Callable
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.problems import (
    BadPayloadError,
    NotConfiguredError,
    ProviderBadRequestError,
    ProviderError,
    ProviderNotFoundError,
)
from providers.core.exchange import Body
from providers.fred import catalogue, economy, factors, wire
from providers.fred.client import Fred
from providers.fred.sandbox import Sandbox
from providers.fred.spec import CREDENTIAL, judge
from tests.providers.fred.conftest import TODAY, noon

GOOD = {"api_key": CREDENTIAL.sandbox, "file_type": "json"}


@pytest.fixture
async def wired() -> AsyncIterator[httpx.AsyncClient]:
    """Return the twin as it is on the wire."""
    transport = httpx.ASGITransport(app=Sandbox(lambda: noon(TODAY)).application)
    async with httpx.AsyncClient(transport=transport, base_url="http://fred/fred") as client:
        yield client


async def ask(client: httpx.AsyncClient, path: str, **params: str) -> Body:
    """Return what the twin answers."""
    response = await client.get(path, params={**GOOD, **params})
    return Body(response.content, response.headers["content-type"], response.status_code, path)


async def test_every_factor_has_a_value_and_is_marked_synthetic(twin: Fred) -> None:
    found = await twin.factors()
    assert [one.id for one in found] == [factor.id for factor in factors.FACTORS]
    for one in found:
        assert one.problem is None
        assert one.value is not None
        assert one.zscore is not None
        assert one.percentile is not None
        assert 0 <= one.percentile <= 100
        assert one.synthetic
        assert one.source == "fred-sandbox"
        assert one.observed is not None
        assert (TODAY - one.observed).days < 160
        assert one.ts == noon(TODAY)


async def test_every_series_of_the_catalogue_is_there(twin: Fred) -> None:
    assert len(twin.catalogue()) >= 36
    for known in twin.catalogue():
        series = await twin.series(known.id, start=dt.date(2024, 1, 1))
        assert (series.info.title, series.info.units) == (known.title, known.units)
        assert (series.info.frequency, series.info.category) == (known.frequency, known.category)
        assert series.observations
        assert all(one.synthetic for one in series.observations)
        assert series.as_of == TODAY


async def test_holidays_are_dots(twin: Fred) -> None:
    series = await twin.series("DGS10", start=dt.date(2026, 6, 29), end=dt.date(2026, 7, 6))
    assert [one.date.day for one in series.observations] == [29, 30, 1, 2, 3, 6]
    assert [one.date for one in series.observations if one.value is None] == [dt.date(2026, 7, 3)]
    assert series.missing == 1


async def test_revisions_can_be_looked_at_as_of_any_day(twin: Fred) -> None:
    period = dt.date(2019, 3, 1)
    seen = []
    for as_of in (dt.date(2019, 4, 20), dt.date(2019, 5, 20), dt.date(2019, 6, 20), dt.date(2026, 1, 2)):
        series = await twin.series("INDPRO", as_of=as_of, start=period, end=period)
        seen.append(series.observations[0].value)
    assert len(set(seen)) == 3  # the first, the second, and the last, which stands
    assert seen[2] == seen[3]
    with pytest.raises(ProviderNotFoundError, match="not known"):
        await twin.series("INDPRO", as_of=dt.date(1990, 1, 1))
    before = await twin.latest("INDPRO", as_of=dt.date(2019, 4, 10))
    assert before.date < period


async def test_a_recession_is_known_only_after_it_was_announced(twin: Fred) -> None:
    begin = next(month for month in economy.CYCLE.begins if month > 12 * 55)
    first = dt.date(1960 + begin // 12, begin % 12 + 1, 1)
    soon = await twin.series("USREC", as_of=first + dt.timedelta(days=150), start=first)
    later = await twin.series("USREC", as_of=first + dt.timedelta(days=500), start=first)
    assert soon.observations[0].value == 0
    assert later.observations[0].value == 1


async def test_a_search_finds_by_words(twin: Fred) -> None:
    assert {one.id for one in await twin.search("treasury 10-year")} >= {"DGS10", "T10Y2Y"}
    assert await twin.search("no such thing") == []
    with pytest.raises(ProviderBadRequestError):
        await twin.search("  ")


async def test_an_unknown_series_is_not_found(twin: Fred) -> None:
    for as_of in (None, dt.date(2020, 1, 1)):
        with pytest.raises(ProviderNotFoundError, match="does not exist"):
            await twin.series("NOSUCH", as_of=as_of)
    with pytest.raises(ProviderBadRequestError):
        await twin.series("what is this?")
    with pytest.raises(ProviderBadRequestError):
        await twin.series("GDP", start=dt.date(2020, 1, 2), end=dt.date(2020, 1, 1))


OBSERVATIONS, VINTAGES = "/series/observations", "/series/vintagedates"
NONE, BAD, KEY = ProviderNotFoundError, ProviderBadRequestError, NotConfiguredError


@pytest.mark.parametrize(
    ("path", "query", "said", "kind"),
    [
        ("/series", f"series_id=GDP&api_key={'a' * 32}", "not registered", KEY),
        ("/series", "series_id=GDP&api_key=short", "32 character", KEY),
        ("/series", "series_id=GDP&api_key=", "not set", KEY),
        ("/series", "series_id=NOSUCH", "does not exist", NONE),
        (OBSERVATIONS, "series_id=BAMLH0A0HYM2&realtime_start=2020-01-01", "ALFRED", NONE),
        (OBSERVATIONS, "series_id=NOSUCH&realtime_start=2020-01-01", "ALFRED", NONE),
        (VINTAGES, "series_id=BAMLH0A0HYM2", "ALFRED", NONE),
        ("/series/search", "search_text=gdp&limit=5000", "between 1 and 1000", BAD),
        (OBSERVATIONS, "series_id=GDP&limit=0", "between 1 and 100000", BAD),
        (OBSERVATIONS, "series_id=GDP&realtime_start=2030-01-01&realtime_end=2030-01-01", "today", BAD),
        (OBSERVATIONS, "series_id=GDP&observation_start=soon", "valid", BAD),
        (OBSERVATIONS, "series_id=GDP&units=pch", "units", BAD),
        (OBSERVATIONS, "series_id=DGS10&realtime_start=1776-07-04&realtime_end=9999-12-31", "2000", BAD),
        ("/nonsense", "", "Not Found", NONE),
    ],
)
async def test_errors_have_freds_shapes(
    wired: httpx.AsyncClient, path: str, query: str, said: str, kind: type[ProviderError]
) -> None:
    body = await ask(wired, path, **dict(parse_qsl(query, keep_blank_values=True)))
    told = json.loads(body.content)
    assert told["error_code"] == body.status >= 400
    assert said in told["error_message"]
    assert ".  " in told["error_message"]  # two blanks
    with pytest.raises(kind):
        judge(body)


async def test_without_a_format_it_is_xml(wired: httpx.AsyncClient) -> None:
    for path, status in (
        ("/series?series_id=GDP", 400),
        (f"/series?series_id=GDP&api_key={CREDENTIAL.sandbox}", 200),
    ):
        response = await wired.get(path)
        assert response.status_code == status
        assert response.headers["content-type"].startswith("text/xml")
        root = ElementTree.fromstring(response.content)
        assert root.tag == ("error" if status == 400 else "seriess")
        with pytest.raises((NotConfiguredError, BadPayloadError)):
            judge(Body(response.content, "text/xml", status, path))


async def test_all_vintages_have_several_rows_a_period(wired: httpx.AsyncClient) -> None:
    body = await ask(
        wired, "/series/observations", series_id="GDP", realtime_start="1776-07-04", realtime_end="9999-12-31"
    )
    page = wire.observations(body)
    assert page.total == len(page.rows) > len({row.date for row in page.rows})
    for day in (dt.date(2001, 5, 5), dt.date(2020, 2, 29), TODAY):
        known = [row.date for row in page.rows if row.start <= day <= row.end]
        assert len(known) == len(set(known)) > 0
    assert all(row.start <= TODAY for row in page.rows)


async def test_lists_come_in_pages(wired: httpx.AsyncClient) -> None:
    dates: list[dt.date] = []
    while True:
        body = await ask(wired, "/series/vintagedates", series_id="GDP", limit="100", offset=str(len(dates)))
        page = wire.vintage_dates(body)
        dates += page.rows
        if len(dates) >= page.total:
            break
    assert dates == sorted(set(dates))
    assert len(dates) > 300
    latest = wire.release_dates(await ask(wired, "/releases/dates", limit="5"))
    assert latest.descending
    assert all(row.date <= TODAY for row in latest.rows)
    ahead = wire.release_dates(
        await ask(wired, "/releases/dates", limit="5", include_release_dates_with_no_data="true")
    )
    assert all(row.date > TODAY for row in ahead.rows)


@pytest.mark.parametrize(
    "path", ["/releases", "/release/dates?release_id=10", "/series/release?series_id=GDP"]
)
async def test_the_other_paths_are_there(wired: httpx.AsyncClient, path: str) -> None:
    response = await wired.get(path, params={**dict(httpx.URL(path).params), **GOOD})
    assert response.status_code == 200
    told = response.json()
    assert told.get("release_dates") or told.get("releases")


@pytest.mark.parametrize("series_id", [entry.id for entry in catalogue.ENTRIES])
def test_tomorrow_has_the_same_past(series_id: str) -> None:
    since = dt.date(2025, 1, 1)

    def known(today: dt.date) -> list[tuple[dt.date, str]]:
        rows = economy.vintages(series_id, today, since)
        return [(row.date, row.value) for row in rows if row.start <= TODAY <= row.end]

    assert known(TODAY) == known(TODAY + dt.timedelta(days=3)) != []


def test_nothing_is_known_before_it_is_published() -> None:
    for entry in catalogue.ENTRIES:
        for row in economy.vintages(entry.id, TODAY, dt.date(2024, 1, 1)):
            assert row.start <= TODAY
            if entry.id != "GDPPOT":  # which is a projection
                assert row.date <= row.start


# ---------------------------------------------------------------- whatever comes

READERS = (wire.observations, wire.series, wire.release_dates, wire.vintage_dates)
FIELDS = (
    "realtime_start",
    "realtime_end",
    "date",
    "value",
    "observations",
    "seriess",
    "id",
    "title",
    "count",
    "offset",
    "units",
    "sort_order",
    "release_dates",
    "release_id",
    "vintage_dates",
    "error_code",
    "error_message",
    "code",
    "message",
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["2026-11-27", "9999-12-31", ".", "1.5", "NaN", "1e99"])
)
PLAUSIBLE = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=8),
    max_leaves=24,
)
BODIES = PLAUSIBLE.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60)


def tried(call: Callable[[Body], object], body: Body) -> object:
    """Return what a call makes of a body, or its typed error; anything else that is raised is a failure."""
    try:
        return call(body)
    except ProviderError as error:
        return error


@given(BODIES, st.sampled_from([200, 400]))
def test_whatever_comes_is_read_or_a_typed_error(content: bytes, status: int) -> None:
    body = Body(content, "application/json", status, "http://fred")
    judged = tried(judge, body)
    assert judged is None or isinstance(judged, ProviderError)
    assert status == 200 or judged is not None
    for read in READERS:
        assert isinstance(tried(read, body), wire.Page | BadPayloadError)
