"""Form 13F: what managers hold."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.companies import Filing, HoldingsReport
from data.problems import BadPayloadError, ProviderError, ProviderNotFoundError
from providers.edgar.holdings import Row, holdings_report, summed, value_unit
from tests.providers.edgar.loopback import (
    NOT_THERE,
    STAMP,
    XML,
    company,
    filing,
    filing_list,
    folder,
    wire_to,
)
from tests.providers.replay import Replay, Route, recorded

SPACE = "http://www.sec.gov/edgar/document/thirteenf/informationtable"


def security(
    cusip: str, value: int, shares: int, *, put_call: str = "", kind: str = "SH", p: str = ""
) -> str:
    """Return a row of an information table; ``p`` is the prefix of its namespace."""
    option = f"<{p}putCall>{put_call}</{p}putCall>" if put_call else ""
    return (
        f"<{p}infoTable><{p}nameOfIssuer>ISSUER {cusip}</{p}nameOfIssuer>"
        f"<{p}titleOfClass>COM</{p}titleOfClass><{p}cusip>{cusip}</{p}cusip><{p}value>{value}</{p}value><{p}shrsOrPrnAmt><{p}sshPrnamt>{shares}"
        f"</{p}sshPrnamt><{p}sshPrnamtType>{kind}</{p}sshPrnamtType></{p}shrsOrPrnAmt>{option}</{p}infoTable>"
    )


def table(*rows: str, p: str = "", space: bool = True) -> bytes:
    """Return an information table."""
    name = f' xmlns{":" + p[:-1] if p else ""}="{SPACE}"' if space else ""
    return f'<?xml version="1.0"?><{p}informationTable{name}>{"".join(rows)}</{p}informationTable>'.encode()


def cover(
    period: str = "03-31-2024",
    *,
    total: int | None = None,
    entries: int | None = None,
    more: str = "",
    kind: str = "",
) -> bytes:
    """Return a cover page with its summary; ``kind`` is the kind of an amendment."""
    amendment = f"<amendmentInfo><amendmentType>{kind}</amendmentType></amendmentInfo>" if kind else ""
    summary = "" if total is None else f"<tableValueTotal>{total}</tableValueTotal>"
    summary += "" if entries is None else f"<tableEntryTotal>{entries}</tableEntryTotal>"
    return (
        '<?xml version="1.0"?><edgarSubmission xmlns="http://www.sec.gov/edgar/thirteenffiler"><formData><coverPage>'
        f"<reportCalendarOrQuarter>{period}</reportCalendarOrQuarter>{amendment}{more}</coverPage>"
        f"<summaryPage>{summary}</summaryPage></formData></edgarSubmission>"
    ).encode()


def filed_as(
    listed: Filing, first: bytes, information: bytes | None = None, name: str = "anything at all.xml"
) -> dict[str, Route]:
    """Return the answers for a filing: its cover page, its folder and its table."""
    path = folder(listed.accession, listed.cik)
    routes: dict[str, Route] = {f"{path}/primary_doc.xml": (200, XML, first)}
    if information is not None:
        items = [{"name": one} for one in ("primary_doc.xml", name, f"{listed.accession}.txt")]
        routes[f"{path}/index.json"] = json.dumps({"directory": {"item": items, "name": path}}).encode()
        routes[f"{path}/{quote(name)}"] = (200, XML, information)
    return routes


def listed(
    number: int = 1, filed: str = "2024-05-14", period: str = "2024-03-31", form: str = "13F-HR", cik: int = 7
) -> Filing:
    document = "xslForm13F_X02/primary_doc.xml"
    return filing(form, f"0000000007-{filed[2:4]}-{number:06d}", filed, period, document, cik)


async def report_of(
    routes: dict[str, Route],
    tmp_path: Path,
    patch: pytest.MonkeyPatch,
    *filings: Filing,
    period: dt.date | None = None,
    as_of: dt.date | None = None,
) -> HoldingsReport:
    with Replay({"*": NOT_THERE, **routes}) as server:
        async with wire_to(server, tmp_path, patch) as wire:
            return await holdings_report(wire, company(7, "Manager"), filing_list(*filings), period, as_of)


# ---------------------------------------------------------------- 11: units


def test_trap_11_the_unit_changed_on_a_day_of_filing_whatever_quarter_is_reported() -> None:
    assert value_unit(dt.date(2023, 1, 2)) == "thousands"
    assert value_unit(dt.date(2023, 1, 3)) == "dollars"


async def test_trap_11_a_real_report_of_2020_filed_in_2023_is_in_dollars_and_its_doubts_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = recorded("edgar/forms/13f_primary_abacus.xml")
    information = recorded("edgar/forms/13f_infotable.xml")  # of another manager
    late = filing(
        "13F-HR", "0001978011-23-000001", "2023-05-31", "2020-12-31", "xslForm13F_X01/primary_doc.xml"
    )
    found = await report_of(filed_as(late, first, information), tmp_path, monkeypatch, late)
    assert (found.value_unit, found.period, found.form) == ("dollars", dt.date(2020, 12, 31), "13F-HR")
    assert (found.total, found.stated_total, found.stated_entries) == (
        Decimal(350_153_407),
        Decimal(114_663_960),
        92,
    )
    assert len(found.holdings) == 255
    growth = found.holdings[0]
    assert (growth.cusip, growth.issuer, growth.title) == ("922908736", "VANGUARD INDEX FDS", "GROWTH ETF")
    assert (growth.value, growth.quantity, growth.quantity_type) == (
        Decimal(26_689_322),
        Decimal(91_978),
        "SH",
    )
    assert growth.share == pytest.approx(26_689_322 / 350_153_407)
    assert [problem.split(": ", 1)[1] for problem in found.problems] == [
        "the cover page states 92 entries and there are 255",
        "the cover page states $114,663,960 and the rows add up to $350,153,407",
    ]


async def test_trap_11_the_same_report_filed_in_2021_is_in_thousands_which_is_doubted_and_not_corrected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    information = recorded("edgar/forms/13f_infotable.xml")
    early = listed(1, "2021-02-10", "2020-12-31")
    found = await report_of(filed_as(early, cover("12-31-2020"), information), tmp_path, monkeypatch, early)
    assert (found.value_unit, found.total) == ("thousands", Decimal(350_153_407_000))
    assert any("values may be in dollars" in problem for problem in found.problems)


async def test_trap_11_thousands_after_2023_are_doubted_and_not_corrected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = listed()
    rows = security("000000001", 150, 1000), security("000000002", 90, 1000)
    found = await report_of(filed_as(one, cover(), table(*rows)), tmp_path, monkeypatch, one)
    assert found.total == 240
    assert any("values may be in thousands" in problem for problem in found.problems)


# ---------------------------------------------------------------- 11: files, namespaces, rows


@pytest.mark.parametrize(("p", "space"), [("", True), ("ns1:", True), ("n1:", True), ("", False)])
async def test_trap_11_the_table_has_any_name_and_any_namespace(
    p: str, space: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = listed()
    information = table(security("000000001", 5000, 100, p=p), p=p, space=space)
    routes = filed_as(one, cover(total=5000, entries=1), information, "Q1 holdings (final).XML")
    found = await report_of(routes, tmp_path, monkeypatch, one)
    assert [(holding.cusip, holding.value) for holding in found.holdings] == [("000000001", Decimal(5000))]
    assert (found.problems, found.stated_total) == ((), Decimal(5000))


async def test_trap_11_the_table_is_cut_out_of_the_submission_where_there_is_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = listed()
    parts = (
        ("13F-HR", cover()),
        ("INFORMATION TABLE", table(security("000000001", 5000, 100, p="ns1:"), p="ns1:")),
    )
    text = "".join(
        f"<DOCUMENT>\n<TYPE>{kind}\n<TEXT>\n<XML>\n\n{content.decode()}\n</XML>\n</TEXT>\n</DOCUMENT>\n"
        for kind, content in parts
    )
    routes: dict[str, Route] = {
        f"{folder(one.accession)}/{one.accession}.txt": (200, "text/plain", text.encode())
    }
    found = await report_of(routes, tmp_path, monkeypatch, one)
    assert found.total == 5000


async def test_trap_11_rows_of_one_security_are_summed_and_puts_stand_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = listed()
    rows = (
        security("000000001", 1000, 10),
        security("000000002", 500, 5),
        security("000000001", 3000, 30),
        security("000000001", 700, 7, put_call="PUT"),
        security("000000001", 300, 3, put_call="Put"),
        security("000000003", 90, 100, kind="PRN"),
    )
    found = await report_of(filed_as(one, cover(), table(*rows)), tmp_path, monkeypatch, one)
    assert [(h.cusip, h.put_call, h.value, h.quantity, h.quantity_type, h.rows) for h in found.holdings] == [
        ("000000001", "", Decimal(4000), Decimal(40), "SH", 2),
        ("000000001", "Put", Decimal(1000), Decimal(10), "SH", 2),
        ("000000002", "", Decimal(500), Decimal(5), "SH", 1),
        ("000000003", "", Decimal(90), Decimal(100), "PRN", 1),
    ]
    assert sum(holding.share or 0 for holding in found.holdings) == pytest.approx(1.0)


# ---------------------------------------------------------------- 11: amendments, notices, periods


async def test_trap_11_a_restatement_replaces_and_new_holdings_are_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, restated = listed(1), listed(2, "2024-05-20", form="13F-HR/A")
    added, unsaid = listed(3, "2024-06-03", form="13F-HR/A"), listed(4, "2024-06-05", form="13F-HR/A")
    routes = {
        **filed_as(first, cover(total=100, entries=1), table(security("000000001", 100, 1))),
        **filed_as(
            restated, cover(kind="RESTATEMENT", total=80, entries=1), table(security("000000001", 80, 1))
        ),
        **filed_as(
            added, cover(kind="NEW HOLDINGS", total=50, entries=1), table(security("000000002", 50, 1))
        ),
        **filed_as(unsaid, cover(total=9, entries=1), table(security("000000003", 9, 1))),
    }
    found = await report_of(routes, tmp_path, monkeypatch, unsaid, added, restated, first)
    assert {holding.cusip: holding.value for holding in found.holdings} == {"000000001": 80, "000000002": 50}
    assert (found.total, found.stated_total, found.stated_entries) == (Decimal(130), Decimal(130), 2)
    assert (found.form, found.accession, found.amendment) == ("13F-HR/A", added.accession, "NEW HOLDINGS")
    assert len(found.problems) == 1
    assert unsaid.accession in found.problems[0]
    as_of = dt.date(2024, 5, 31)
    early = await report_of(routes, tmp_path / "b", monkeypatch, added, restated, first, as_of=as_of)
    assert (early.total, early.accession, early.as_of) == (Decimal(80), restated.accession, as_of)


async def test_trap_11_an_amendment_that_cannot_be_read_is_a_problem_and_the_report_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, broken = listed(1), listed(2, "2024-05-20", form="13F-HR/A")
    routes = {
        **filed_as(first, cover(), table(security("000000001", 100, 1))),
        **filed_as(broken, cover(kind="RESTATEMENT"), b"<informationTable><infoTable/></informationTable>"),
    }
    found = await report_of(routes, tmp_path, monkeypatch, first, broken)
    assert found.total == 100
    assert found.problems[0].startswith(f"{broken.accession}: BadPayload: ")


async def test_trap_11_a_notice_says_who_reports_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = listed(1, form="13F-NT")
    others = (
        "<otherManagersInfo><otherManager><name>Parent &amp; Co</name></otherManager></otherManagersInfo>"
    )
    with pytest.raises(ProviderNotFoundError, match=r"another manager does: Parent & Co"):
        await report_of(filed_as(notice, cover(more=others)), tmp_path, monkeypatch, notice)
    combined = listed(2, "2024-05-15")
    routes = filed_as(combined, cover(more=others), table(security("000000001", 100, 1)))
    found = await report_of(routes, tmp_path / "b", monkeypatch, combined)
    assert "further holdings are reported by Parent & Co" in found.problems[0]


async def test_trap_11_the_latest_quarter_reported_by_default_or_the_one_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, newer = listed(1, "2024-02-13", "2023-12-31"), listed(2)
    routes = {
        **filed_as(older, cover("12-31-2023"), table(security("000000001", 70, 1))),
        **filed_as(newer, cover(), table(security("000000001", 100, 1))),
    }
    assert (await report_of(routes, tmp_path / "a", monkeypatch, older, newer)).total == 100
    asked = await report_of(routes, tmp_path / "b", monkeypatch, older, newer, period=dt.date(2023, 12, 31))
    assert (asked.total, asked.period, asked.filed) == (
        Decimal(70),
        dt.date(2023, 12, 31),
        dt.date(2024, 2, 13),
    )
    # the newest report comes up to 45 days after the quarter
    known = await report_of(routes, tmp_path / "c", monkeypatch, older, newer, as_of=dt.date(2024, 4, 15))
    assert known.period == dt.date(2023, 12, 31)
    with pytest.raises(ProviderNotFoundError) as caught:
        await report_of(routes, tmp_path / "d", monkeypatch, older, newer, period=dt.date(2023, 9, 30))
    assert "2024-03-31, 2023-12-31" in (caught.value.fix or "")


# ---------------------------------------------------------------- what is no report


@pytest.mark.parametrize(
    "information",
    [
        b"<informationTable>",
        b'<!DOCTYPE x [<!ENTITY a "1">]><informationTable>&a;</informationTable>',
        table(security("", 100, 1)),
        table(security("000000001", 100, 1)).replace(b"<value>100</value>", b"<value/>"),
        table(security("000000001", 100, 1)).replace(b">100<", b">a lot<"),
        table(security("000000001", 100, 1)).replace(b"<sshPrnamt>1<", b"<sshPrnamt>Infinity<"),
    ],
)
async def test_a_table_that_is_none_is_a_bad_payload(
    information: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = listed()
    with pytest.raises(BadPayloadError):
        await report_of(filed_as(one, cover(), information), tmp_path, monkeypatch, one)


@pytest.mark.parametrize(
    "first", [b"", b"<edgarSubmission/>", b"<html/>", cover("31-31-2024"), cover("soon")]
)
async def test_a_cover_page_that_is_none_is_a_bad_payload(
    first: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = listed()
    with pytest.raises(BadPayloadError):
        await report_of(filed_as(one, first, table()), tmp_path, monkeypatch, one)


async def test_a_report_without_xml_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = filing("13F-HR", "0000000007-09-000001", "2009-05-14", "2009-03-31", "report.txt")
    text = b"<DOCUMENT>\n<TYPE>13F-HR\n<TEXT>\nFORM 13F\n</TEXT>\n</DOCUMENT>"
    routes: dict[str, Route] = {f"{folder(old.accession)}/{old.accession}.txt": (200, "text/plain", text)}
    with pytest.raises(ProviderNotFoundError, match="in XML"):
        await report_of(routes, tmp_path, monkeypatch, old)


async def test_a_company_that_is_no_manager_has_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    annual = filing("10-K", "0000000007-24-000009", "2024-02-14", "2023-12-31", "x.htm")
    with pytest.raises(ProviderError, match="has reported no holdings"):
        await report_of({}, tmp_path, monkeypatch, annual)


rows = st.lists(
    st.builds(
        Row,
        st.sampled_from(["000000001", "000000002", "000000003"]),
        st.just("ISSUER"),
        st.just("COM"),
        st.sampled_from(["", "Put", "Call"]),
        st.integers(0, 10**12).map(Decimal),
        st.integers(0, 10**9).map(Decimal),
        st.sampled_from(["SH", "PRN"]),
    )
)


@given(rows)
def test_summing_by_cusip_conserves_the_total(given_rows: list[Row]) -> None:
    total = sum((row.value for row in given_rows), Decimal(0))
    holdings = summed(given_rows, total, STAMP)
    assert sum((one.value for one in holdings), Decimal(0)) == total
    assert sum(one.rows for one in holdings) == len(given_rows)
    assert sum((one.quantity for one in holdings), Decimal(0)) == sum(
        (r.quantity for r in given_rows), Decimal(0)
    )
    assert len({(one.cusip, one.put_call, one.quantity_type) for one in holdings}) == len(holdings)
    assert [one.value for one in holdings] == sorted((one.value for one in holdings), reverse=True)
