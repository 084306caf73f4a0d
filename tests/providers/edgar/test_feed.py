"""The live feed: each filing once, latest first, and its end."""

from __future__ import annotations

from datetime import date

import pytest

from data.problems import BadPayloadError, ProviderDownError
from tests.providers.edgar.conftest import Open
from tests.providers.replay import Given, Replay, Request, Route, recorded

FEED = "/cgi-bin/browse-edgar"
TICKERS = "/files/company_tickers.json"
ATOM = "application/atom+xml"
LIST = b'{"0":{"cik_str":80661,"ticker":"PGR","title":"PROGRESSIVE CORP/OH/"}}'
END = "edgar/errors/503__browse-edgar_getcurrent_type-ALL_start-5100.atom.html"


def page() -> Given:
    return (200, ATOM, recorded("edgar/browse-edgar/getcurrent_type-ALL_start-0.atom"))


def made(entries: list[tuple[str, int, str, str]], encoding: str = "utf-8") -> Given:
    """Return a page of entries: form, number, role and name."""
    text = "".join(
        f"<entry><title>{form} - {name} (0000000001) ({role})</title>"
        f'<link href="https://www.sec.gov/Archives/edgar/data/1/{number}-index.htm"/>'
        '<summary type="html">&lt;b&gt;Filed:&lt;/b&gt; 2026-01-12 &lt;b&gt;AccNo:&lt;/b&gt; x</summary>'
        f'<updated>2026-01-12T11:00:00-05:00</updated><category term="{form}"/>'
        f"<id>urn:tag:sec.gov,2008:accession-number=0000000001-26-{number:06d}</id></entry>"
        for form, number, role, name in entries
    )
    feed = (
        f'<?xml version="1.0" encoding="{encoding}"?><feed xmlns="http://www.w3.org/2005/Atom">{text}</feed>'
    )
    return (200, ATOM, feed.encode(encoding))


def full(first: int, form: str = "4") -> Given:
    return made([(form, number, "Filer", "One") for number in range(first, first + 100)])


async def test_a_recorded_page_is_told_with_each_filing_once(edgar_at: Open) -> None:
    with Replay({FEED: [page(), (503, "text/html", recorded(END))], TICKERS: LIST}) as server:
        filings = await edgar_at(server).current(limit=100)
        assert server.asked(FEED)[0].query["action"] == "getcurrent"
    assert len(filings) == 73
    assert len({one.accession for one in filings}) == 73
    first = filings[0]
    assert (first.form, first.company, first.cik) == ("13F-HR", "Ryan Investment Management, Inc.", 2074440)
    assert (first.accession, first.filed) == ("0002074440-26-000002", date(2026, 1, 12))
    assert first.accepted == "2026-01-12T11:27:39-05:00"
    assert first.url.endswith("0002074440-26-000002-index.htm")
    trade = next(one for one in filings if one.accession == "0000080661-26-000032")
    assert (trade.cik, trade.company, trade.tickers) == (80661, "PROGRESSIVE CORP/OH/", ("PGR",))
    report = next(one for one in filings if one.form == "8-K")
    assert report.items == ("7.01", "9.01")
    assert any(one.amendment for one in filings)


async def test_503_html_past_the_end_is_the_end(edgar_at: Open) -> None:
    end = (503, "text/html", recorded(END))
    with Replay({FEED: [full(0), end], TICKERS: LIST}) as server:
        edgar = edgar_at(server)
        assert len(await edgar.current(limit=500)) == 100
        assert [one.query["start"] for one in server.asked(FEED)] == ["0", "100"]
        assert len(await edgar.current(limit=500)) == 100  # the end is kept for a moment like any page
        assert len(server.asked(FEED)) == 2
        assert edgar.http.health().errors == 0


async def test_503_html_at_the_start_is_provider_down(edgar_at: Open) -> None:
    routes: dict[str, Route] = {FEED: (503, "text/html", recorded(END)), TICKERS: LIST}
    with Replay(routes) as server, pytest.raises(ProviderDownError):
        await edgar_at(server).current()


async def test_pages_are_asked_for_as_far_as_needed_and_repeats_are_one(edgar_at: Open) -> None:
    def shifting(request: Request) -> Given:
        start = int(request.query["start"])
        return full(start - 10 if start else 0)  # ten came in between, so the page repeats ten

    with Replay({FEED: shifting, TICKERS: LIST}) as server:
        filings = await edgar_at(server).current(limit=150)
        assert len(server.asked(FEED)) == 2
    assert len({one.accession for one in filings}) == len(filings) == 150


async def test_a_feed_that_repeats_its_page_ends(edgar_at: Open) -> None:
    with Replay({FEED: full(0), TICKERS: LIST}) as server:
        assert len(await edgar_at(server).current(limit=500)) == 100
        assert len(server.asked(FEED)) == 2


async def test_only_the_form_that_was_asked_for_is_told(edgar_at: Open) -> None:
    entries = [("4", 1, "Reporting", "A"), ("424B2", 2, "Filer", "B"), ("4/A", 3, "Issuer", "C")]
    with Replay({FEED: made(entries), TICKERS: LIST}) as server:
        filings = await edgar_at(server).current(form="4")
        assert server.asked(FEED)[0].query["type"] == "4"
    assert [one.form for one in filings] == ["4"]


async def test_trap_12_a_renamed_form_is_asked_for_by_its_new_name(edgar_at: Open) -> None:
    with Replay({FEED: made([("SCHEDULE 13G", 1, "Subject", "A")]), TICKERS: LIST}) as server:
        assert len(await edgar_at(server).current(form="SC 13G")) == 1
        assert server.asked(FEED)[0].query["type"] == "SCHEDULE 13G"


async def test_a_filing_is_told_under_whom_it_is_about(edgar_at: Open) -> None:
    entries = [("SC TO-T", 1, "Filed by", "Buyer"), ("SC TO-T", 1, "Subject", "Target")]
    with Replay({FEED: made(entries), TICKERS: LIST}) as server:
        (filing,) = await edgar_at(server).current()
    assert filing.company == "Target"


async def test_the_feed_is_read_in_its_own_encoding(edgar_at: Open) -> None:
    feed = made([("4", 1, "Issuer", "Société - Générale (BVI)")], "iso-8859-1")
    with Replay({FEED: feed, TICKERS: LIST}) as server:
        (filing,) = await edgar_at(server).current()
    assert filing.company == "Société - Générale (BVI)"


async def test_the_feed_stands_without_the_list_of_tickers(edgar_at: Open) -> None:
    with Replay({FEED: made([("4", 1, "Issuer", "A")])}) as server:
        (filing,) = await edgar_at(server).current()
    assert filing.tickers == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Hello</body></html>",
        b"<rss/>",
        b'<feed xmlns="http://www.w3.org/2005/Atom"><entry/></feed>',
        b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>4 - A (1) (Issuer)</title></entry></feed>',
        b'<!DOCTYPE f [<!ENTITY x "y">]><feed xmlns="http://www.w3.org/2005/Atom">&x;</feed>',
    ],
)
async def test_a_malformed_feed_is_bad_payload(edgar_at: Open, body: bytes) -> None:
    with Replay({FEED: (200, ATOM, body), TICKERS: LIST}) as server, pytest.raises(BadPayloadError):
        await edgar_at(server).current()
