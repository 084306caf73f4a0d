"""What a company filed: the main list, the further pages, filters and order."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.problems import BadPayloadError, ProviderDownError, ProviderNotFoundError
from providers.edgar import form_types, submissions
from tests.providers.edgar.conftest import Open
from tests.providers.replay import Replay, Route, recorded

APPLE, CARBO = "/submissions/CIK0000320193.json", "/submissions/CIK0001009672.json"
CARBO_PAGE = "/submissions/CIK0001009672-submissions-001.json"
APPLE_PAGE = "/submissions/CIK0000320193-submissions-001.json"
TICKERS = {"/files/company_tickers.json": b'{"0":{"cik_str":320193,"ticker":"AAPL","title":"Apple Inc."}}'}


def apple() -> dict[str, bytes]:
    return {**TICKERS, APPLE: recorded("edgar/submissions/CIK0000320193.json")}


def carbo() -> dict[str, bytes]:
    return {
        **TICKERS,
        CARBO: recorded("edgar/submissions/CIK0001009672.json"),
        CARBO_PAGE: recorded("edgar/submissions/CIK0001009672-submissions-001.json"),
    }


def made(rows: list[dict[str, Any]], files: list[dict[str, Any]] | None = None, cik: int = 1) -> bytes:
    """Return a file with these filings, as arrays of the names that occur."""
    names = sorted({name for row in rows for name in row})
    recent = {name: [row.get(name) for row in rows] for name in names}
    filings = {"recent": recent, "files": [] if files is None else files}
    return json.dumps({"cik": f"{cik:010d}", "name": "One", "filings": filings}).encode()


def row(accession: str, filed: str, form: str = "8-K", **more: Any) -> dict[str, Any]:
    return {"accessionNumber": accession, "filingDate": filed, "form": form, **more}


# ---------------------------------------------------------------- trap 1


async def test_trap_1_the_main_list_is_not_exactly_a_thousand(edgar_at: Open) -> None:
    with Replay(apple()) as server:
        listed = await edgar_at(server).filings("AAPL", limit=1005)
        assert len(listed.filings) == 1005
        assert listed.complete
        assert not server.asked(APPLE_PAGE)


async def test_trap_1_older_filings_are_in_further_pages(edgar_at: Open) -> None:
    with Replay(carbo()) as server:
        listed = await edgar_at(server).filings("1009672", limit=5000)
    assert len(listed.filings) == 1205
    assert listed.complete
    assert listed.problems == ()
    assert listed.filings[-1].filed == date(1996, 6, 3)
    assert [(one.filed, one.accession) for one in listed.filings] == sorted(
        ((one.filed, one.accession) for one in listed.filings), reverse=True
    )


async def test_trap_1_a_page_is_asked_for_only_as_far_as_needed(edgar_at: Open) -> None:
    with Replay(carbo()) as server:
        edgar = edgar_at(server)
        assert len((await edgar.filings("1009672", limit=10)).filings) == 10
        await edgar.filings("1009672", start=date(2010, 1, 1), limit=5000)
        assert not server.asked(CARBO_PAGE)
        old = await edgar.filings("1009672", end=date(1999, 12, 31), limit=5)
        assert len(server.asked(CARBO_PAGE)) == 1
    assert old.filings[0].filed <= date(1999, 12, 31)


async def test_trap_1_an_annual_report_may_be_only_in_a_further_page(edgar_at: Open) -> None:
    page = {"name": "CIK0000000001-submissions-001.json", "filingCount": 1, "filingFrom": "2020-02-01"}
    main = made([row("0000000001-26-000002", "2026-01-02", "424B2")], [{**page, "filingTo": "2020-02-01"}])
    older = json.dumps(
        {
            "accessionNumber": ["0000000001-20-000001"],
            "filingDate": ["2020-02-01"],
            "form": ["10-K"],
        }
    ).encode()
    routes = {**TICKERS, "/submissions/CIK0000000001.json": main, f"/submissions/{page['name']}": older}
    with Replay(routes) as server:
        listed = await edgar_at(server).filings("1", forms=["10-K"], limit=1)
    assert [one.accession for one in listed.filings] == ["0000000001-20-000001"]
    assert listed.complete


async def test_trap_1_a_page_that_is_missing_is_said(edgar_at: Open) -> None:
    with Replay(apple()) as server:
        listed = await edgar_at(server).filings("AAPL", forms=["10-K"], limit=100)
    assert len(listed.filings) == 11
    assert not listed.complete
    assert "1206 filings of 1994-01-26 to 2015-03-11" in listed.problems[0]


async def test_trap_1_a_page_with_less_than_it_should_have_is_said(edgar_at: Open) -> None:
    page = recorded("edgar/submissions/CIK0001009672-submissions-001.json")
    with Replay({**apple(), APPLE_PAGE: page}) as server:
        listed = await edgar_at(server).filings("AAPL", limit=5000)
    assert not listed.complete
    assert "1001 of 1206 filings" in listed.problems[0]


async def test_trap_1_a_company_with_no_or_few_filings(edgar_at: Open) -> None:
    fund = recorded("edgar/submissions/CIK0001911716.json")
    routes = {**TICKERS, "/submissions/CIK0001911716.json": fund, "/submissions/CIK0000000001.json": made([])}
    with Replay(routes) as server:
        edgar = edgar_at(server)
        assert len((await edgar.filings("1911716")).filings) == 2
        empty = await edgar.filings("1")
    assert empty.filings == ()
    assert empty.complete


# ---------------------------------------------------------------- trap 2


async def test_trap_2_absent_arrays_and_null_items_are_unknown(edgar_at: Open) -> None:
    rows = [
        row(
            "0000000001-26-000002", "2026-01-02", size=None, primaryDocument=None, reportDate=None, items=None
        ),
        row("0000000001-26-000001", "2026-01-01", form="8-K", size=7, primaryDocument="a.htm", reportDate=""),
    ]
    with Replay({**TICKERS, "/submissions/CIK0000000001.json": made(rows)}) as server:
        listed = await edgar_at(server).filings("1")
    first, second = listed.filings
    assert (first.size, first.document, first.period, first.accepted, first.items) == (None, "", None, "", ())
    assert (second.size, second.document) == (7, "a.htm")
    assert first.url.endswith("/Archives/edgar/data/1/000000000126000002/0000000001-26-000002-index.htm")
    assert listed.complete


async def test_trap_2_new_arrays_are_passed_over_and_shorter_ones_end(edgar_at: Open) -> None:
    body = json.loads(
        made([row("0000000001-26-000002", "2026-01-02"), row("0000000001-26-000001", "2026-01-01")])
    )
    body["filings"]["recent"] |= {"isXBRLNumeric": [0, 1], "core_type": ["x"], "size": [5]}
    body |= {"lei": None, "ownerOrg": "04", "tickers": None, "exchanges": [None], "formerNames": None}
    with Replay({**TICKERS, "/submissions/CIK0000000001.json": json.dumps(body).encode()}) as server:
        edgar = edgar_at(server)
        listed = await edgar.filings("1")
        company = await edgar.company("1")
    assert [one.size for one in listed.filings] == [5, None]
    assert (company.tickers, company.exchanges, company.former_names) == ((), (), ())


async def test_trap_2_a_filing_without_number_or_date_is_said(edgar_at: Open) -> None:
    rows = [row("0000000001-26-000001", "2026-01-01"), {"accessionNumber": None, "form": "4"}]
    with Replay({**TICKERS, "/submissions/CIK0000000001.json": made(rows)}) as server:
        listed = await edgar_at(server).filings("1")
    assert len(listed.filings) == 1
    assert not listed.complete
    assert "1 filings are listed without a number or a date" in listed.problems[0]


async def test_trap_2_a_company_as_its_own_file_describes_it(edgar_at: Open) -> None:
    with Replay(apple()) as server:
        company = await edgar_at(server).company("AAPL")
    assert company.tickers == ("AAPL",)
    assert company.exchanges == ("Nasdaq",)
    assert company.entity_type == "operating"
    assert (company.sic, company.industry) == ("3571", "Electronic Computers")
    assert company.fiscal_year_end == "09-26"
    assert company.former_names == ("APPLE INC", "APPLE COMPUTER INC", "APPLE COMPUTER INC/ FA")
    assert company.filings == 1005 + 1206


# ---------------------------------------------------------------- trap 3


async def test_trap_3_acceptance_is_kept_as_told_and_order_is_by_date_and_number(edgar_at: Open) -> None:
    rows = [
        row("0000000001-26-000001", "2026-01-02", acceptanceDateTime="2026-01-02T23:59:59.000Z"),
        row("0000000001-26-000003", "2026-01-02", acceptanceDateTime="2026-01-02T01:00:00.000Z"),
        row("0000000001-26-000002", "2026-01-03", acceptanceDateTime="2026-01-01T00:00:00.000Z"),
    ]
    with Replay({**TICKERS, "/submissions/CIK0000000001.json": made(rows)}) as server:
        listed = await edgar_at(server).filings("1")
    assert [one.accession[-1] for one in listed.filings] == ["2", "3", "1"]
    assert listed.filings[0].accepted == "2026-01-01T00:00:00.000Z"


# ---------------------------------------------------------------- trap 9


async def test_trap_9_the_document_is_told_without_the_folder_of_its_style_sheet(edgar_at: Open) -> None:
    with Replay(apple()) as server:
        listed = await edgar_at(server).filings("AAPL", forms=["4"], limit=1)
    assert listed.filings[0].accession == "0001690882-26-000004"
    assert listed.filings[0].document == "wk-form4_1772148630.xml"
    assert listed.filings[0].url.endswith(
        "/Archives/edgar/data/320193/000169088226000004/wk-form4_1772148630.xml"
    )


# ---------------------------------------------------------------- trap 12


@pytest.mark.parametrize("asked", ["SC 13G", "SCHEDULE 13G", "sc 13g", "Schedule  13G"])
async def test_trap_12_a_renamed_form_is_found_under_either_name(edgar_at: Open, asked: str) -> None:
    rows = [
        row("0000000001-25-000002", "2025-01-02", "SCHEDULE 13G"),
        row("0000000001-24-000001", "2024-01-01", "SC 13G"),
        row("0000000001-24-000003", "2024-01-03", "SC 13G/A"),
    ]
    with Replay({**TICKERS, "/submissions/CIK0000000001.json": made(rows)}) as server:
        listed = await edgar_at(server).filings("1", forms=[asked])
    assert [one.form for one in listed.filings] == ["SCHEDULE 13G", "SC 13G"]


async def test_trap_12_in_the_recorded_list_both_names_occur(edgar_at: Open) -> None:
    with Replay(apple()) as server:
        edgar = edgar_at(server)
        old = await edgar.filings("AAPL", forms=["SC 13G/A"], start=date(2015, 4, 1), limit=100)
        new = await edgar.filings("AAPL", forms=["SCHEDULE 13G/A"], start=date(2015, 4, 1), limit=100)
    assert old.filings == new.filings
    assert all(one.amendment for one in old.filings)
    assert {one.form for one in old.filings} >= {"SC 13G/A"}


# ---------------------------------------------------------------- filters


async def test_an_amendment_is_asked_for_by_its_own_name(edgar_at: Open) -> None:
    rows = [
        row("0000000001-26-000001", "2026-01-01", "10-K/A"),
        row("0000000001-25-000001", "2025-12-01", "10-K"),
    ]
    with Replay({**TICKERS, "/submissions/CIK0000000001.json": made(rows)}) as server:
        edgar = edgar_at(server)
        assert [one.form for one in (await edgar.filings("1", forms=["10-K"])).filings] == ["10-K"]
        amended = await edgar.filings("1", forms=["10-K/A"])
        both = await edgar.filings("1", forms=["10-K", "10-K/A"])
    assert [(one.form, one.amendment) for one in amended.filings] == [("10-K/A", True)]
    assert "amended" in amended.filings[0].form_title
    assert len(both.filings) == 2


async def test_as_of_shows_only_what_was_filed_by_then(edgar_at: Open) -> None:
    with Replay(apple()) as server:
        listed = await edgar_at(server).filings("AAPL", forms=["10-K"], as_of=date(2024, 10, 31), limit=1)
    assert listed.filings[0].filed == date(2023, 11, 3)
    assert listed.as_of == listed.filings[0].as_of == date(2024, 10, 31)


async def test_filings_carry_where_they_come_from(edgar_at: Open) -> None:
    with Replay(apple()) as server:
        listed = await edgar_at(server).filings("AAPL", forms=["8-K"], limit=3)
    for one in listed.filings:
        assert (one.source, one.synthetic, one.stale) == ("edgar", False, None)
        assert one.fetched_at == listed.fetched_at
        assert one.form_title == "Current report"
        assert one.tickers == ("AAPL",)
    assert any("9.01" in one.items for one in listed.filings)


@given(
    st.lists(
        st.tuples(st.integers(0, 999999), st.dates(date(2020, 1, 1), date(2026, 1, 1))),
        unique_by=lambda one: one[0],
        max_size=30,
    )
)
def test_every_row_of_a_list_is_told_once(pairs: list[tuple[int, date]]) -> None:
    arrays = submissions.Arrays(
        accession_number=[f"0000000001-26-{number:06d}" for number, _ in pairs],
        filing_date=[day.isoformat() for _, day in pairs],
        form=["4" for _ in pairs],
    )
    listed = submissions.listing(arrays)
    assert [(one.accession, one.filed) for one in listed.rows] == [
        (f"0000000001-26-{number:06d}", day) for number, day in pairs
    ]
    assert listed.untold == 0


# ---------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'{"cik":"1"}',
        b'{"cik":"1","filings":{}}',
        b'{"cik":"2","filings":{"recent":{}}}',
        b'{"cik":"1","filings":{"recent":{"accessionNumber":["0000000001-26-000001"]}}}',
        made([row("0000000001-26-000001", "yesterday")]),
        made([row("0000000001-26-000001", "2026-01-01", reportDate="2026-13-01")]),
        made([row("26-1", "2026-01-01")]),
        made([row("0000000001-26-000001", "2026-01-01", primaryDocument="../../x")]),
        made([row("0000000001-26-000001", "2026-01-01", size="many")]),
    ],
)
async def test_a_malformed_file_is_bad_payload(edgar_at: Open, body: bytes) -> None:
    routes = {**TICKERS, "/submissions/CIK0000000001.json": body}
    with Replay(routes) as server, pytest.raises(BadPayloadError):
        await edgar_at(server).filings("1")


async def test_a_page_is_looked_for_on_the_data_host_only(edgar_at: Open) -> None:
    page = {"name": "../../evil.json", "filingCount": 1, "filingFrom": "2020-01-01", "filingTo": "2020-01-01"}
    with Replay({**TICKERS, "/submissions/CIK0000000001.json": made([], [page])}) as server:
        listed = await edgar_at(server).filings("1")
        assert [request.path for request in server.requests if "evil" in request.path] == []
    assert not listed.complete


async def test_an_unknown_registrant_is_not_found(edgar_at: Open) -> None:
    body = recorded("edgar/errors/404__submissions_CIK-000000001.json.xml")
    routes: dict[str, Route] = {**TICKERS, "*": (404, "application/xml", body)}
    with Replay(routes) as server, pytest.raises(ProviderNotFoundError):
        await edgar_at(server).filings("999999999")


async def test_the_last_good_list_stands_in_and_every_filing_says_so(edgar_at: Open) -> None:
    good = made([row("0000000001-26-000001", "2026-01-01")])
    routes: dict[str, Route] = {**TICKERS, "/submissions/CIK0000000001.json": [good, b"nonsense"]}
    with Replay(routes) as server:
        edgar = edgar_at(server)
        await edgar.filings("1")
        edgar.http.expire()
        listed = await edgar.filings("1")
    assert listed.stale == listed.filings[0].stale == BadPayloadError.name


# ---------------------------------------------------------------- news


async def test_new_filings_are_told_oldest_first_from_each_companys_own_list(edgar_at: Open) -> None:
    one = made([row("0000000001-26-000002", "2026-01-05"), row("0000000001-25-000001", "2025-12-01")], cik=1)
    two = made([row("0000000002-26-000001", "2026-01-02")], cik=2)
    routes = {**TICKERS, "/submissions/CIK0000000001.json": one, "/submissions/CIK0000000002.json": two}
    with Replay(routes) as server:
        edgar = edgar_at(server)
        companies = [await edgar.resolve("1"), await edgar.resolve("2")]
        news = await edgar.new_filings(companies, date(2026, 1, 1))
    assert [(item.cik, item.filed.day) for item in news] == [(2, 2), (1, 5)]


async def test_news_are_not_told_when_some_are_missing(edgar_at: Open) -> None:
    page = {"name": "CIK1-001.json", "filingCount": 3, "filingFrom": "2025-12-01", "filingTo": "2026-01-03"}
    main = made([row("0000000001-26-000002", "2026-01-05")], [page])
    with Replay({**TICKERS, "/submissions/CIK0000000001.json": main}) as server:
        edgar = edgar_at(server)
        company = await edgar.resolve("1")
        with pytest.raises(ProviderDownError, match="are missing"):
            await edgar.new_filings([company], date(2026, 1, 1))


# ---------------------------------------------------------------- forms


def test_the_forms_are_many_and_each_is_told_once() -> None:
    forms = [one.form for one in form_types.FORM_TYPES]
    assert len(forms) >= 100
    assert len(set(forms)) == len(forms)
    assert {"10-K", "10-Q", "8-K", "3", "4", "5", "13F-HR", "SC 13D", "SCHEDULE 13D", "DEF 14A"} <= set(forms)
    for one in form_types.FORM_TYPES:
        assert one.title
        assert one.about.endswith(".")
        assert one.category


def test_an_unknown_form_is_told_by_its_name_only() -> None:
    assert form_types.lookup("XYZ-9").title == "Form XYZ-9"
    assert form_types.lookup("XYZ-9").about == ""
    assert form_types.lookup("10-k/a").category == form_types.lookup("10-K").category


@given(st.sampled_from([one.form for one in form_types.FORM_TYPES]), st.booleans())
def test_a_form_is_among_its_names_and_other_names_have_the_same(form: str, amended: bool) -> None:
    form = f"{form}/A" if amended else form
    names = form_types.names(form)
    assert form in names
    assert all(set(form_types.names(name)) == set(names) for name in names)


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("10k", "10-K"),
        ("10-q", "10-Q"),
        ("def14a", "DEF 14A"),
        ("10K/A", "10-K/A"),
        ("xyz 1", "XYZ 1"),
        ("s1", "S-1"),
    ],
)
def test_a_form_may_be_typed_without_its_dashes(typed: str, form: str) -> None:
    assert form_types.meant(typed) == form


def test_no_two_forms_differ_by_dashes_only() -> None:
    forms = [one.form for one in form_types.FORM_TYPES]
    assert all(form_types.meant(form) == form for form in forms)
    letters = {"".join(filter(str.isalnum, form)) for form in forms}
    assert len(letters) == len(forms)
