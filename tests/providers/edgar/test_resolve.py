"""Which company somebody means: tickers in any spelling, CIKs, names."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.problems import BadPayloadError, ProviderNotFoundError
from providers.edgar.tickers import VENUES, cik_of, normal, spellings
from tests.providers.edgar.conftest import Open
from tests.providers.replay import Replay, recorded

TICKERS = "/files/company_tickers.json"
BERKSHIRE, ALPHABET, APPLE, FANNIE_MAE = 1067983, 1652044, 320193, 310522


def listed() -> dict[str, bytes]:
    return {TICKERS: recorded("edgar/files/company_tickers.json")}


@pytest.mark.parametrize(
    "spelling", ["BRK-B", "BRK.B", "BRK B", "brk/b", "brk.b", " Brk_B ", "$BRK.B", "BRK.B.SIM", "BRK B.NYSE"]
)
async def test_trap_4_a_class_of_shares_is_found_however_it_is_spelled(edgar_at: Open, spelling: str) -> None:
    with Replay(listed()) as server:
        company = await edgar_at(server).resolve(spelling)
    assert company.cik == BERKSHIRE
    assert company.tickers == ("BRK-B", "BRK-A")


async def test_trap_4_two_classes_are_one_company(edgar_at: Open) -> None:
    with Replay(listed()) as server:
        edgar = edgar_at(server)
        one, other = await edgar.resolve("GOOG"), await edgar.resolve("googl.SIM")
        assert one == other
        assert one.cik == ALPHABET
        assert len(server.requests) == 1  # the list is good for a day


async def test_trap_4_all_tickers_of_a_registrant_are_told_and_keys_are_ranks(edgar_at: Open) -> None:
    rows = {
        "7": {"cik_str": FANNIE_MAE, "ticker": "FNMAS", "title": "FANNIE MAE"},
        "2": {"cik_str": FANNIE_MAE, "ticker": "FNMA", "title": "FANNIE MAE"},
        "10": {"cik_str": FANNIE_MAE, "ticker": "FNMFN", "title": "FANNIE MAE"},
        "1": {"cik_str": 5, "ticker": "FIVE", "title": "Five"},
    }
    with Replay({TICKERS: json.dumps(rows).encode()}) as server:
        company = await edgar_at(server).resolve("FNMAS")
    assert company.tickers == ("FNMA", "FNMAS", "FNMFN")


async def test_trap_4_every_ticker_of_the_list_is_its_own_companys(edgar_at: Open) -> None:
    rows = json.loads(recorded("edgar/files/company_tickers.json")).values()
    with Replay(listed()) as server:
        edgar = edgar_at(server)
        answer = await edgar.tickers.table()
        assert len(answer.value.by_cik) == 7919
        assert len(answer.value.by_ticker) == 9610
        assert all(answer.value.by_ticker[row["ticker"]].cik == row["cik_str"] for row in rows)
        fannie = await edgar.resolve("FNMA")
    assert fannie.tickers == tuple(row["ticker"] for row in rows if row["cik_str"] == FANNIE_MAE)


@pytest.mark.parametrize("text", ["320193", "0000320193", "CIK0000320193", "cik 320193", "CIK:320193"])
async def test_a_cik_is_taken_with_and_without_zeros(edgar_at: Open, text: str) -> None:
    with Replay(listed()) as server:
        company = await edgar_at(server).resolve(text)
    assert (company.cik, company.name, company.tickers) == (APPLE, "Apple Inc.", ("AAPL",))
    assert company.source == "edgar"
    assert not company.synthetic


async def test_trap_2_a_registrant_without_tickers_is_told_by_its_own_file(edgar_at: Open) -> None:
    path = "/submissions/CIK0001911716.json"
    with Replay({**listed(), path: recorded("edgar/submissions/CIK0001911716.json")}) as server:
        company = await edgar_at(server).resolve("1911716")
    assert (company.name, company.tickers, company.entity_type) == ("Cool Japan Fund Inc.", (), "other")


async def test_a_cik_is_found_when_the_list_cannot_be_had(edgar_at: Open) -> None:
    path = "/submissions/CIK0000320193.json"
    with Replay({path: recorded("edgar/submissions/CIK0000320193.json")}) as server:
        assert (await edgar_at(server).resolve("320193")).name == "Apple Inc."


@pytest.mark.parametrize("text", ["NOSUCH", "BRK.C", "AAPL.XYZ", "", "--", "…", "TSCO.LON"])
async def test_an_unknown_ticker_is_not_found_and_the_nearest_are_named(edgar_at: Open, text: str) -> None:
    with Replay(listed()) as server, pytest.raises(ProviderNotFoundError) as caught:
        await edgar_at(server).resolve(text)
    assert caught.value.fix


async def test_a_mistyped_ticker_suggests_the_right_one(edgar_at: Open) -> None:
    with Replay(listed()) as server, pytest.raises(ProviderNotFoundError, match="APPL") as caught:
        await edgar_at(server).resolve("APPL")
    assert "AAPL" in (caught.value.fix or "")


async def test_companies_are_ranked_by_ticker_then_name(edgar_at: Open) -> None:
    with Replay(listed()) as server:
        edgar = edgar_at(server)
        assert (await edgar.companies("aapl"))[0].cik == APPLE
        assert (await edgar.companies("apple"))[0].cik == APPLE
        assert (await edgar.companies("hathaway berk"))[0].cik == BERKSHIRE
        starts = await edgar.companies("BRK", limit=3)
        assert starts[0].tickers == ("BRK-B", "BRK-A")
        inside = await edgar.companies("icrosof", limit=3)
        assert "MSFT" in {ticker for one in inside for ticker in one.tickers}
        assert [one.cik for one in await edgar.companies("CIK0000320193")] == [APPLE]
        found = await edgar.companies("bank", limit=50)
        assert len(found) == 50
        assert len({one.cik for one in found}) == 50
        assert await edgar.companies("   ") == []
        assert await edgar.companies("zzzzzzzz qqqq") == []


async def test_an_old_list_stands_in_and_says_so(edgar_at: Open) -> None:
    body = b'{"0":{"cik_str":1,"ticker":"A","title":"Alpha"}}'
    with Replay({TICKERS: [body, b"nonsense"]}) as server:
        edgar = edgar_at(server)
        fresh = await edgar.resolve("A")
        edgar.http.expire()
        stale = await edgar.resolve("A")
    assert fresh.stale is None
    assert stale.stale == BadPayloadError.name
    assert stale.fetched_at == fresh.fetched_at


# ---------------------------------------------------------------- spelling


TICKER = st.from_regex(r"[A-Z]{1,5}", fullmatch=True)
CLASS = st.from_regex(r"[A-Z]{1,2}", fullmatch=True)


@given(TICKER, CLASS, st.sampled_from([".", "-", " ", "/", "_", "  "]), st.booleans())
def test_all_spellings_of_a_class_are_one(ticker: str, letter: str, between: str, lower: bool) -> None:
    spelling = f"{ticker}{between}{letter}"
    assert normal(spelling.lower() if lower else spelling) == f"{ticker}-{letter}"


@given(st.text(max_size=20))
def test_a_normal_spelling_is_its_own(text: str) -> None:
    assert normal(normal(text)) == normal(text)


@given(TICKER, st.sampled_from(sorted(VENUES)))
def test_a_venue_is_taken_off_only_after_the_whole(ticker: str, venue: str) -> None:
    assert spellings(f"{ticker}.{venue}") == [f"{ticker}-{venue}", ticker]
    assert spellings(ticker) == [ticker]


@given(st.integers(1, 10**10 - 1), st.sampled_from(["", "CIK", "cik ", "CIK#"]), st.booleans())
def test_a_cik_is_read_back(cik: int, before: str, padded: bool) -> None:
    assert cik_of(f"{before}{cik:010d}" if padded else f"{before}{cik}") == cik


@given(TICKER)
def test_a_ticker_is_no_cik(ticker: str) -> None:
    assert cik_of(ticker) is None
    assert cik_of("0") is None
