"""The client as its callers see it: last good values, limits, and what a reply is about."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from data.problems import (
    NotConfiguredError,
    ProviderBadRequestError,
    ProviderDownError,
    ProviderRateLimitedError,
)
from providers.fred.spec import base
from tests.providers.fred.bodies import by_series, listing, observations, refusal
from tests.providers.fred.conftest import TODAY, Connect
from tests.providers.replay import Given, Replay, Request

OBSERVATIONS = "/fred/series/observations"
DAY = dt.date(2026, 11, 25)


async def test_the_last_good_value_stands_in_and_says_why(connect: Connect) -> None:
    with Replay({OBSERVATIONS: by_series({"DGS10": {DAY: "4.1"}, "DGS2": {DAY: "3.6"}})}) as server:
        client = connect(server.url)
        fresh = {one.id: one for one in await client.factors()}
        server.routes[OBSERVATIONS] = refusal("Internal Server Error", 500)
        stale = {one.id: one for one in await client.factors(refresh=True)}
    assert fresh["slope_10y2y"].stale is None
    assert stale["slope_10y2y"].value == fresh["slope_10y2y"].value == pytest.approx(0.5)
    assert stale["slope_10y2y"].stale == "ProviderDown"
    assert stale["slope_10y2y"].fetched_at == fresh["slope_10y2y"].fetched_at
    assert stale["vix"].value is None


async def test_a_head_that_says_more_than_its_rows_hides_none_of_them(connect: Connect) -> None:
    body = observations({DAY: "4.1"}).replace(
        b'"realtime_end": "2026-11-27", "sort_order"', b'"realtime_end": "9999-12-31", "sort_order"'
    )
    assert b"9999" in body
    with Replay({OBSERVATIONS: body}) as server:
        found = await connect(server.url).series("DGS10")
    assert [one.value for one in found.observations] == [Decimal("4.1")]


async def test_a_fresh_answer_is_asked_for_once(connect: Connect) -> None:
    with Replay({OBSERVATIONS: observations({DAY: "4.1"})}) as server:
        client = connect(server.url)
        first, second = await client.latest("DGS10"), await client.latest("dgs10")
        assert first == second
        assert len(server.requests) == 1


async def test_too_many_requests_say_until_when(connect: Connect) -> None:
    with Replay({"*": refusal("Too Many Requests.  Exceeded Rate Limit", 429)}) as server:
        with pytest.raises(ProviderRateLimitedError) as caught:
            await connect(server.url).latest("GDP")
        assert caught.value.extra["until"] > "2026-11-27T18:00:00"
        assert len(server.requests) == 1


async def test_a_failure_that_passes_is_asked_through(connect: Connect) -> None:
    down = refusal("Internal Server Error", 500)
    with Replay({OBSERVATIONS: [down, down, observations({DAY: "4.1"})]}) as server:
        latest = await connect(server.url, attempts=3).latest("DGS10")
    assert latest.value == Decimal("4.1")
    assert len(server.requests) == 3


async def test_what_is_refused_is_not_asked_again(connect: Connect) -> None:
    with Replay({"*": refusal("Bad Request.  Variable x is wrong.")}) as server:
        with pytest.raises(ProviderBadRequestError, match="is wrong"):
            await connect(server.url, attempts=3).latest("DGS10")
        assert len(server.requests) == 1


async def test_nobody_is_reached_at_an_address_that_is_closed(connect: Connect) -> None:
    with Replay() as server:
        gone = server.url
    with pytest.raises(ProviderDownError):
        await connect(gone).latest("GDP")


async def test_without_a_key_there_is_nothing_to_tell(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FRED_API_KEY", raising=False)
    with Replay() as server:
        client = connect(server.url, credential=None)
        for ask in (client.factors, client.regime, client.yield_curves, client.score, client.calendar):
            with pytest.raises(NotConfiguredError):
                await ask()
        assert server.requests == []
        assert len(client.catalogue()) >= 36


async def test_a_long_list_of_observations_is_read_page_by_page(connect: Connect) -> None:
    days = {dt.date(2026, 1, 1) + dt.timedelta(days=index): str(index) for index in range(10)}
    items = list(days.items())

    def pages(request: Request) -> Given:
        offset = int(request.query.get("offset", "0"))
        return observations(dict(items[offset : offset + 4]), count=10, offset=offset, limit=4)

    info = {"id": "LONG", "title": "Long", "realtime_end": str(TODAY), "frequency_short": "D"}
    with Replay({OBSERVATIONS: pages, "/fred/series": listing("seriess", [info])}) as server:
        series = await connect(server.url).series("LONG", start=items[1][0], end=items[8][0])
        offsets = [one.query.get("offset") for one in server.asked(OBSERVATIONS)]
    assert offsets == [None, "4", "8"]
    assert [one.date for one in series.observations] == [date for date, _ in items[1:9]]
    assert [one.value for one in series.observations] == [Decimal(index) for index in range(1, 9)]


@pytest.mark.parametrize("address", ["", "api.stlouisfed.org", "ftp://x", "file:///etc"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ProviderBadRequestError, match="is none"):
        base(address)
