"""The sandbox twin: the real client over it, and its refusals."""

from __future__ import annotations

from datetime import date

import httpx
import pytest

from data.forms import day_of
from data.problems import ProviderNotFoundError, ProviderRateLimitedError
from engines.market.universe import UNIVERSE
from providers.core.exchange import Body
from providers.edgar import sandbox, sandbox_companies, wire
from providers.edgar.client import Edgar
from providers.edgar.sandbox_companies import BY_CIK, REGISTRANTS, filings
from tests.providers.edgar.conftest import NOW

DAY = 86_400_000_000_000


async def test_everything_the_twin_tells_is_marked(twin: Edgar) -> None:
    told = [
        await twin.resolve("AAPL"),
        await twin.company("AAPL"),
        await twin.filings("AAPL"),
        *(await twin.filings("AAPL")).filings,
        *await twin.current(),
        await twin.search("annual report"),
        *(await twin.search("annual report")).filings,
        await twin.document("AAPL", (await twin.filings("AAPL", limit=1)).filings[0].accession),
    ]
    assert all(one.synthetic and one.source == "edgar-sandbox" for one in told)
    assert twin.http.health().synthetic


async def test_every_equity_of_the_simulated_market_can_be_researched(twin: Edgar) -> None:
    for listing in UNIVERSE:
        if listing.asset_class == "equity":
            company = await twin.resolve(listing.id)
            assert listing.symbol in company.tickers
            assert (await twin.filings(listing.id, limit=1)).filings


async def test_the_twin_has_classes_of_shares_and_a_person_without_tickers(twin: Edgar) -> None:
    assert (await twin.resolve("BRK.A")).tickers == ("BRK-B", "BRK-A")
    assert await twin.resolve("GOOG") == await twin.resolve("GOOGL")
    person = next(one for one in REGISTRANTS if one.kind == "person")
    listed = await twin.filings(str(person.cik), limit=3)
    assert listed.name == person.name
    assert {one.form for one in listed.filings} == {"4"}
    assert (await twin.company(str(person.cik))).entity_type == "other"


async def test_the_twin_has_further_pages_and_an_annual_report_only_there(twin: Edgar) -> None:
    listed = await twin.filings("JPM", forms=["10-K"], limit=5)
    assert len(listed.filings) == 5
    assert listed.complete
    assert [one.filed for one in listed.filings] == sorted(
        (one.filed for one in listed.filings), reverse=True
    )
    everything = await twin.filings("JPM", limit=100_000)
    assert len(everything.filings) == len(filings(BY_CIK[listed.cik], date(2026, 11, 28)))
    assert (await twin.company("JPM")).filings == len(everything.filings)


async def test_a_later_day_adds_filings_and_changes_none() -> None:
    for registrant in REGISTRANTS:
        early, late = filings(registrant, date(2024, 3, 1)), filings(registrant, date(2026, 11, 28))
        assert late[-len(early) :] == early
        assert len({one.accession for one in late}) == len(late)
        assert all(one.filed <= date(2024, 3, 1) for one in early)
        assert all(one.period is None or one.period <= one.filed for one in late if one.form != "DEF 14A")


async def test_the_renamed_form_has_both_names(twin: Edgar) -> None:
    listed = await twin.filings("AAPL", forms=["SC 13G/A"])
    assert {one.form for one in listed.filings} == {"SC 13G/A", "SCHEDULE 13G/A"}
    latest = await twin.document("AAPL", listed.filings[0].accession)
    assert "Issuer Name: Apple Inc." in latest.text


async def test_an_annual_report_can_be_read(twin: Edgar) -> None:
    report = (await twin.filings("MSFT", forms=["10-K"], limit=1)).filings[0]
    found = await twin.document("MSFT", report.accession)
    titles = [title for title, _ in found.sections]
    assert "Item 1A. Risk Factors" in titles
    assert "made up by a sandbox" in found.text
    assert "0000789019" not in found.text  # the hidden header
    lines = found.text.split("\n")
    assert all(title.split()[0] in lines[place] for title, place in found.sections)


async def test_every_kind_of_filing_of_the_twin_can_be_read(twin: Edgar) -> None:
    seen: set[str] = set()
    for ticker in ("AAPL", "BRK.B", "JPM", "SPY"):
        for one in (await twin.filings(ticker, limit=400)).filings:
            if one.form not in seen:
                seen.add(one.form)
                assert (await twin.document(ticker, one.accession)).text
                assert (await twin.wire.submission_text(one.cik, one.accession)).value.startswith(
                    "<SEC-DOCUMENT>"
                )
                names = [item.name for item in (await twin.wire.index(one.cik, one.accession)).value]
                assert one.document in names
    assert seen >= {"10-K", "10-Q", "8-K", "4", "13F-HR", "SCHEDULE 13G/A", "DEF 14A", "424B2", "N-CSR"}


async def test_what_is_not_there_is_not_found(twin: Edgar) -> None:
    with pytest.raises(ProviderNotFoundError):
        await twin.filings("123456")
    with pytest.raises(ProviderNotFoundError):
        await twin.resolve("NOSUCH")
    with pytest.raises(ProviderNotFoundError):
        await twin.document("AAPL", "0000320193-99-000001")


async def test_the_live_feed_of_the_twin_ends(twin: Edgar) -> None:
    filings_ = await twin.current(limit=100_000)
    assert filings_
    assert max(one.filed for one in filings_) <= date(2026, 11, 28)
    assert twin.http.health().errors == 0


@pytest.mark.parametrize(
    ("url", "status", "kind"),
    [
        ("https://data.sec.gov/submissions/CIK0000000009.json", 404, "application/xml"),
        ("https://data.sec.gov/submissions/CIK0000320193-submissions-009.json", 404, "application/xml"),
        ("https://www.sec.gov/Archives/edgar/full-index/2099/QTR1/form.gz", 403, "application/xml"),
        ("https://www.sec.gov/cgi-bin/browse-edgar?action=getcurrent&start=5100", 503, "text/html"),
        ("https://www.sec.gov/cgi-bin/browse-edgar?action=getcurrent&start=0", 200, "application/atom+xml"),
        ("https://efts.sec.gov/LATEST/search-index?q=apple", 200, "application/json; charset=utf-8"),
    ],
)
async def test_the_twin_answers_in_the_shapes_of_the_regulator(url: str, status: int, kind: str) -> None:
    transport = httpx.ASGITransport(app=sandbox.application(lambda: NOW))
    async with httpx.AsyncClient(transport=transport, headers={"User-Agent": "A a@example.com"}) as client:
        response = await client.get(url)
    assert (response.status_code, response.headers["content-type"]) == (status, kind)


async def test_the_twin_refuses_who_does_not_say_who_asks() -> None:
    transport = httpx.ASGITransport(app=sandbox.application(lambda: NOW))
    async with httpx.AsyncClient(transport=transport, headers={"User-Agent": "python"}) as client:
        response = await client.get("https://www.sec.gov/files/company_tickers.json")
    assert response.status_code == 403
    body = Body(response.content, response.headers["content-type"], 403, str(response.url))
    with pytest.raises(ProviderRateLimitedError):
        wire.judge(body)


async def test_tomorrow_has_what_is_filed_tomorrow() -> None:
    registrant = BY_CIK[320193]
    newest = sandbox_companies.filings(registrant, date(2026, 11, 28))[0].filed
    before = day_of(NOW - DAY * (date(2026, 11, 28) - newest).days - DAY)
    assert sandbox_companies.filings(registrant, before)[0].filed < newest


async def test_words_of_a_document_find_it(twin: Edgar) -> None:
    for words, forms in (("revenue", {"10-K", "10-Q", "8-K"}), ("risk factors", {"10-K"})):
        found = await twin.search(words, limit=60)
        assert {one.form.removesuffix("/A") for one in found.filings} <= forms
        hit = found.filings[0]
        read = await twin.document(str(hit.ciks[0]), hit.accession, document=hit.document)
        assert words in read.text.casefold()
