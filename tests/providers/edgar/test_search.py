"""Search of companies and of filings' texts, each apart from the other's failure."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from data.problems import BadPayloadError, ProviderBadRequestError, ProviderDownError, ProviderNotFoundError
from tests.providers.edgar.conftest import Open
from tests.providers.replay import Given, Replay, Request, Route, recorded

INDEX = "/LATEST/search-index"
TICKERS = "/files/company_tickers.json"
LIST = b'{"0":{"cik_str":1,"ticker":"TECH","title":"Technology Phase Corp"}}'


def hit(number: int, form: str = "8-K", filed: str = "2025-04-18", **more: Any) -> dict[str, Any]:
    source = {
        "ciks": ["0000000001"],
        "display_names": ["One  (CIK 0000000001)"],
        "form": form,
        "file_date": filed,
    }
    return {"_id": f"0000000001-25-{number:06d}:a.htm", "_source": source | more}


def answered(
    hits: list[dict[str, Any]], total: int | None = None, relation: str = "eq", **more: Any
) -> bytes:
    value = len(hits) if total is None else total
    return json.dumps(
        {"hits": {"total": {"value": value, "relation": relation}, "hits": hits}, **more}
    ).encode()


async def test_a_recorded_match_is_told(edgar_at: Open) -> None:
    with Replay({INDEX: recorded("edgar/efts/search-index_1_hit.json"), TICKERS: LIST}) as server:
        result = await edgar_at(server).search(" technology  phase ")
        assert server.asked(INDEX)[0].query == {"q": "technology phase", "from": "0"}
    assert result.query == "technology phase"
    assert result.filings_total == 1
    assert [one.cik for one in result.companies] == [1]
    (found,) = result.filings
    assert (found.accession, found.document) == ("0000950170-25-055890", "btsg-2025_ars.pdf")
    assert (found.form, found.filed, found.period) == ("ARS", date(2025, 4, 18), date(2024, 12, 31))
    assert (found.ciks, found.names) == ((1865782,), ("BrightSpring Health Services, Inc.",))
    assert found.url.endswith("/Archives/edgar/data/1865782/000095017025055890/btsg-2025_ars.pdf")
    assert result.problems == ()


async def test_no_match_is_an_answer(edgar_at: Open) -> None:
    with Replay({INDEX: recorded("edgar/efts/search-index_0_hits.json"), TICKERS: LIST}) as server:
        result = await edgar_at(server).search("fordasfsdfsdf")
    assert (result.filings, result.filings_total, result.companies) == ((), 0, ())


async def test_a_recorded_page_of_a_hundred_has_a_match_twice(edgar_at: Open) -> None:
    with Replay({INDEX: recorded("edgar/efts/search-index_100_hits.json"), TICKERS: LIST}) as server:
        edgar = edgar_at(server)
        result = await edgar.search("bank", limit=100)
        few = await edgar.search("bank", limit=7)
        assert len(server.asked(INDEX)) == 1
    assert len(result.filings) == len({(one.accession, one.document) for one in result.filings}) == 99
    assert result.filings_total == 99
    assert few.filings == result.filings[:7]
    assert result.filings[0].ciks == (1682472, 70858)


async def test_pages_are_asked_for_until_there_are_as_many_as_wanted(edgar_at: Open) -> None:
    def page(request: Request) -> Given:
        start = int(request.query["from"])
        return answered([hit(number) for number in range(start, min(start + 100, 250))], 250)

    with Replay({INDEX: page, TICKERS: LIST}) as server:
        edgar = edgar_at(server)
        assert len((await edgar.search("x", limit=150)).filings) == 150
        assert [one.query["from"] for one in server.asked(INDEX)] == ["0", "100"]
        everything = await edgar.search("x", limit=1000)
    assert len({one.accession for one in everything.filings}) == 250
    assert everything.filings_total == 250
    assert everything.problems == ()


async def test_a_server_that_repeats_its_page_ends_the_search_and_is_said(edgar_at: Open) -> None:
    page = answered([hit(number) for number in range(100)], 300)
    with Replay({INDEX: page, TICKERS: LIST}) as server:
        result = await edgar_at(server).search("x", limit=300)
        assert len(server.asked(INDEX)) == 2
    assert len(result.filings) == 100
    assert "nothing new came" in result.problems[0]


async def test_more_than_ten_thousand_are_not_counted(edgar_at: Open) -> None:
    with Replay({INDEX: answered([hit(1)], 10_000, "gte"), TICKERS: LIST}) as server:
        result = await edgar_at(server).search("x", limit=1)
    assert result.filings_total is None


async def test_what_was_not_asked_for_is_left_out_and_not_counted(edgar_at: Open) -> None:
    hits = [hit(1, "10-K"), hit(2, "10-K/A"), hit(3, "10-K", "2019-01-01"), hit(4, "SCHEDULE 13G")]
    with Replay({INDEX: answered(hits), TICKERS: LIST}) as server:
        edgar = edgar_at(server)
        found = await edgar.search("x", forms=["10-K"], start=date(2020, 1, 1))
        renamed = await edgar.search("x", forms=["SC 13G"])
        query = server.asked(INDEX)[0].query
    assert [one.accession[-1] for one in found.filings] == ["1"]
    assert found.filings_total is None
    assert (query["forms"], query["startdt"], query["dateRange"]) == ("10-K", "2020-01-01", "custom")
    assert server.asked(INDEX)[1].query["forms"] == "SC 13G,SCHEDULE 13G"
    assert [one.accession[-1] for one in renamed.filings] == ["4"]


async def test_a_search_that_gave_up_on_some_texts_says_so(edgar_at: Open) -> None:
    with Replay({INDEX: answered([hit(1)], timed_out=True), TICKERS: LIST}) as server:
        result = await edgar_at(server).search("x")
    assert result.filings_total is None
    assert "gave up" in result.problems[0]


async def test_companies_are_told_when_texts_cannot_be_searched(edgar_at: Open) -> None:
    with Replay({INDEX: b'{"error":"no"}', TICKERS: LIST}) as server:
        result = await edgar_at(server).search("technology")
    assert [one.cik for one in result.companies] == [1]
    assert result.filings == ()
    assert result.filings_total is None
    assert "could not be searched" in result.problems[0]


async def test_filings_are_told_when_companies_cannot_be_searched(edgar_at: Open) -> None:
    with Replay({INDEX: answered([hit(1)])}) as server:
        result = await edgar_at(server).search("technology")
    assert len(result.filings) == 1
    assert "companies could not be searched" in result.problems[0]


async def test_when_both_fail_the_error_is_raised(edgar_at: Open) -> None:
    with Replay({}) as server, pytest.raises(ProviderNotFoundError):
        await edgar_at(server).search("technology")


async def test_a_later_page_that_fails_is_said(edgar_at: Open) -> None:
    first = answered([hit(number) for number in range(100)], 200)
    routes: dict[str, Route] = {INDEX: [first, b"nonsense"], TICKERS: LIST}
    with Replay(routes) as server:
        result = await edgar_at(server).search("x", limit=200)
    assert len(result.filings) == 100
    assert "after the first 100" in result.problems[0]


async def test_an_empty_search_is_a_bad_request(edgar_at: Open) -> None:
    with Replay({}) as server:
        with pytest.raises(ProviderBadRequestError):
            await edgar_at(server).search("  ")
        assert server.requests == []


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        answered([{"_id": "nonsense", "_source": {}}]),
        answered([{"_id": "0000000001-25-000001:a.htm"}]),
        answered([hit(1, ciks=["x"])]),
        answered([hit(1, filed="soon")]),
        answered([hit(1, period_ending="2025-99-99")]),
        answered([{**hit(1), "_id": "0000000001-25-000001:../a.htm"}]),
    ],
)
async def test_a_malformed_result_is_bad_payload(edgar_at: Open, body: bytes) -> None:
    with Replay({INDEX: body}) as server, pytest.raises(BadPayloadError):
        await edgar_at(server).search("x")


async def test_a_stale_result_says_so(edgar_at: Open) -> None:
    routes: dict[str, Route] = {INDEX: [answered([hit(1)]), b"nonsense"], TICKERS: LIST}
    with Replay(routes) as server:
        edgar = edgar_at(server)
        await edgar.search("x")
        edgar.http.expire()
        result = await edgar.search("x")
    assert result.stale == result.filings[0].stale == BadPayloadError.name
    assert ProviderDownError.name != result.stale
