"""Forms 3, 4 and 5: what insiders hold and trade."""

from __future__ import annotations

import datetime as dt
import string
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.companies import Filing, InsiderReport
from data.problems import BadPayloadError, ProviderNotFoundError
from providers.edgar.ownership import CODES, OwnershipReport, insider_report, report, without_replaced
from providers.edgar.pieces import from_submission, pieces, source_name
from providers.edgar.wire import parse_xml
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

SNOW = company(1640147, "Snowflake Inc.")


def row(
    shares: str = "<value>100</value>",
    price: str = "<value>10.5</value>",
    *,
    code: str = "S",
    day: str = "2024-03-04",
    kind: str = "nonDerivativeTransaction",
) -> str:
    """Return a line of a table."""
    return (
        f"<{kind}><securityTitle><value>Common Stock</value></securityTitle>"
        f"<transactionDate><value>{day}</value></transactionDate>"
        f"<transactionCoding><transactionCode>{code}</transactionCode></transactionCoding><transactionAmounts>"
        f"<transactionShares>{shares}</transactionShares><transactionPricePerShare>{price}"
        "</transactionPricePerShare><transactionAcquiredDisposedCode><value>D</value>"
        f"</transactionAcquiredDisposedCode></transactionAmounts></{kind}>"
    )


def owner(cik: int = 11, name: str = "Roe Jane", roles: str = "<isDirector>1</isDirector>") -> str:
    """Return a reporting owner."""
    return (
        f"<reportingOwner><reportingOwnerId><rptOwnerCik>{cik:010d}</rptOwnerCik><rptOwnerName>{name}"
        f"</rptOwnerName></reportingOwnerId><reportingOwnerRelationship>{roles}"
        "</reportingOwnerRelationship></reportingOwner>"
    )


def form(
    rows: str = row(),
    *,
    kind: str = "4",
    period: str = "2024-03-04",
    owners: str = owner(),
    more: str = "",
    footnotes: str = "",
    derivatives: str = "",
) -> bytes:
    """Return an ownership form."""
    return (
        f'<?xml version="1.0"?><ownershipDocument><documentType>{kind}</documentType>'
        f"<periodOfReport>{period}</periodOfReport>{more}<issuer><issuerCik>0000000007</issuerCik>"
        f"<issuerName>Sample Inc.</issuerName><issuerTradingSymbol>SMPL</issuerTradingSymbol></issuer>"
        f"{owners}<nonDerivativeTable>{rows}</nonDerivativeTable><derivativeTable>{derivatives}</derivativeTable>"
        f"<footnotes>{footnotes}</footnotes></ownershipDocument>"
    ).encode()


def read(content: bytes, row_: Filing | None = None) -> OwnershipReport:
    listed = row_ or filing("4", "0000000007-24-000001", "2024-03-05", "2024-03-04", "form4.xml")
    return report(parse_xml(content, "a form"), listed, STAMP)


# ---------------------------------------------------------------- 9: where the XML is


def test_trap_9_a_page_made_by_a_style_sheet_is_not_the_data() -> None:
    assert source_name("xslF345X05/wf-form4_1.xml") == "wf-form4_1.xml"
    assert source_name("form4.xml") == "form4.xml"
    assert source_name("exhibits/form4.xml") == "exhibits/form4.xml"


async def test_trap_9_the_xml_is_fetched_and_not_the_page_in_the_folder_of_the_style_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = filing("4", "0000000007-24-000001", "2024-03-05", "2024-03-04", "xslF345X05/form4.xml")
    path = folder(listed.accession)
    page = (200, "text/html", b"<html><head><title>FORM 4</title></head><body></body></html>")
    with Replay({f"{path}/form4.xml": (200, XML, form()), f"{path}/xslF345X05/form4.xml": page}) as server:
        async with wire_to(server, tmp_path, monkeypatch) as wire:
            found = await insider_report(wire, company(7), filing_list(listed), None)
        assert [request.path for request in server.requests] == [f"{path}/form4.xml"]
    assert [line.shares for line in found.transactions] == [Decimal(100)]


async def test_trap_9_a_piece_cut_out_of_a_submission_has_a_blank_line_before_its_declaration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = recorded("edgar/archives/0000320193-22-000061.txt")
    listed = filing(
        "4", "0000320193-22-000061", "2022-05-06", "2022-05-04", "xslF345X03/wf-form4.xml", cik=1462356
    )
    path = f"{folder(listed.accession, 1462356)}/0000320193-22-000061.txt"
    for submission in (body, body.replace(b"<XML>\n", b"<XML>\n\n \n")):
        with Replay({"*": NOT_THERE, path: (200, "text/plain", submission)}) as server:
            async with wire_to(server, tmp_path / str(len(submission)), monkeypatch) as wire:
                found = await insider_report(wire, company(1462356, "Adams"), filing_list(listed), None)
        assert found.problems == ()
        assert (found.filings, len(found.transactions)) == (1, 7)
        first = found.transactions[0]
        assert (first.owners, first.relationship) == (
            ("Adams Katherine L.",),
            "officer: SVP, GC and Secretary",
        )
        assert (first.cik, first.ticker, first.code) == (320193, "AAPL", "S")
        assert (first.shares, first.price, first.value) == (
            Decimal(9136),
            Decimal("159.94"),
            Decimal("1461211.84"),
        )
        assert len(first.footnotes) == 2


def test_pieces_are_named_by_type_and_file() -> None:
    text = (
        "<SEC-HEADER>x</SEC-HEADER>\n<DOCUMENT>\n<TYPE>4\n<FILENAME>a.xml\n<TEXT>\n<XML>\n\n"
        "<?xml version='1.0' encoding='ISO-8859-1'?>\n<ownershipDocument>Zoë</ownershipDocument>\n</XML>\n"
        "</TEXT>\n</DOCUMENT>\n"
        "<DOCUMENT>\n<TYPE>EX-99\n<FILENAME>b.htm\n<TEXT>\n<p>no XML</p>\n</TEXT>\n</DOCUMENT>\n"
    )
    assert [(piece.type, piece.filename) for piece in pieces(text)] == [("4", "a.xml")]
    assert from_submission(text, "1", "ownershipDocument").text == "Zoë"
    with pytest.raises(ProviderNotFoundError):
        from_submission(text, "1", "informationTable")


# ---------------------------------------------------------------- 10: Forms 3, 4 and 5


def snowflake(name: str) -> OwnershipReport:
    listed = filing(name[4], "0001640147-22-000001", "2022-12-15", None, name, cik=1640147)
    return report(parse_xml(recorded(f"edgar/forms/{name}_snowflake.xml"), name), listed, STAMP)


def test_trap_10_both_tables_and_holdings_are_told() -> None:
    four = snowflake("form4")
    lines = four.lines
    assert (four.form, four.period, four.owners) == ("4", dt.date(2022, 12, 13), (1402349,))
    assert [line.code for line in lines] == ["M", *["S"] * 5, *[""] * 8, "M"]
    exercised, sold, trust, option = lines[0], lines[1], lines[6], lines[-1]
    assert (exercised.acquired, exercised.value, exercised.shares_after) == (
        True,
        Decimal("1776000"),
        Decimal(301097),
    )
    assert (sold.acquired, sold.action) == (False, "sale on the market or in private")
    assert sold.value == Decimal(73170) * Decimal("150.841")
    assert (trust.date, trust.action, trust.shares, trust.direct, trust.nature) == (
        None,
        "holding",
        None,
        False,
        "Trust",
    )
    assert (option.derivative, option.underlying, option.exercise_price, option.expires) == (
        True,
        "Class A Common Stock",
        Decimal("8.88"),
        dt.date(2029, 8, 26),
    )
    assert option.price == 0
    assert {line.relationship for line in lines} == {"officer: Chief Financial Officer"}


def test_trap_10_a_form_3_has_holdings_only_and_a_form_5_gifts_at_price_0() -> None:
    three, five = snowflake("form3"), snowflake("form5")
    assert {(line.derivative, line.date, line.action) for line in three.lines} == {(True, None, "holding")}
    series = three.lines[0]
    assert (series.exercise_price, series.expires) == (None, None)
    assert series.underlying_shares == Decimal(134018)
    assert len(series.footnotes) == 4
    gift = five.lines[0]
    assert (gift.code, gift.action, gift.price, gift.value) == ("G", "gift", Decimal(0), Decimal(0))
    assert gift.footnotes[0].startswith("Represents shares that the Reporting Person transferred")


def test_trap_10_a_footnote_instead_of_a_value_is_no_value() -> None:
    content = form(
        row(shares="<footnoteId id='F1'/>", price="<footnoteId id='F2'/><footnoteId id='F9'/>"),
        footnotes="<footnote id='F1'>As many as\n there are.</footnote><footnote id='F2'>Nothing.</footnote>",
    )
    line = read(content).lines[0]
    assert (line.shares, line.price, line.value) == (None, None, None)
    assert line.footnotes == ("As many as there are.", "Nothing.")


def test_trap_10_several_owners_are_all_told_with_what_each_is() -> None:
    owners = (
        owner(11, "Roe Jane", "<isDirector>true</isDirector><isOther>0</isOther>")
        + owner(12, "Roe Trust", "<isTenPercentOwner>1</isTenPercentOwner>")
        + owner(13, "Roe John", "<isOfficer>1</isOfficer><officerTitle>CFO</officerTitle>"
                                "<isOther>1</isOther><otherText>Trustee</otherText>")
    )  # fmt: skip
    line = read(form(owners=owners)).lines[0]
    assert line.owners == ("Roe Jane", "Roe Trust", "Roe John")
    assert line.owner_ciks == (11, 12, 13)
    assert (
        line.relationship
        == "Roe Jane: director; Roe Trust: 10% owner; Roe John: officer: CFO, other: Trustee"
    )
    both = read(form(owners=owner(11, "A") + owner(12, "B"))).lines[0]
    assert both.relationship == "director"


def test_a_comment_in_the_middle_of_a_value_does_not_cut_it_short() -> None:
    line = read(form(row(shares="<!-- n --><value>10<!-- of -->00</value>"))).lines[0]
    assert line.shares == 1000


@pytest.mark.parametrize("day", ["2024-03-04-05:00", "2024-03-04Z", "2024-03-04+09:00", "2024-03-04"])
def test_trap_10_a_zone_behind_a_date_does_not_move_it(day: str) -> None:
    assert read(form(row(day=day))).lines[0].date == dt.date(2024, 3, 4)


def test_trap_10_codes_are_told_in_plain_words() -> None:
    assert {
        "P",
        "S",
        "A",
        "M",
        "F",
        "G",
        "D",
        "C",
        "X",
        "J",
        "K",
        "U",
        "W",
        "Z",
        "I",
        "L",
        "E",
        "H",
        "O",
        "V",
    } == set(CODES)
    assert (
        read(form(row(code="F"))).lines[0].action == "shares withheld or delivered for tax or exercise price"
    )
    assert read(form(row(code="Q"))).lines[0].action == "code Q"


def listed_form(number: int, filed: str, kind: str = "4", **given_: str) -> OwnershipReport:
    accession = f"0000000007-24-{number:06d}"
    return read(form(kind=kind, **given_), filing(kind, accession, filed, None, "form4.xml"))


def standing(*reports: OwnershipReport) -> list[str]:
    return [one.accession[-2:] for one in without_replaced(reports)[0]]


def test_trap_10_an_amendment_replaces_what_it_amends() -> None:
    first = listed_form(1, "2024-03-05")
    other_period = listed_form(2, "2024-03-08", period="2024-03-07")
    other_owner = listed_form(3, "2024-03-05", owners=owner(99))
    amended = listed_form(4, "2024-03-12", "4/A")
    again = listed_form(5, "2024-03-20", "4/A")
    assert standing(first, other_period, other_owner, amended) == ["03", "02", "04"]
    assert standing(again, amended, first) == ["05"]
    assert [line.amends for line in amended.lines] == [True]
    assert standing(amended) == ["04"]


def test_trap_10_an_amendment_names_the_day_on_which_it_was_filed_first() -> None:
    same_period = listed_form(1, "2024-03-05"), listed_form(2, "2024-03-06")
    of_day = "<dateOfOriginalSubmission>2024-03-05</dateOfOriginalSubmission>"
    amended = listed_form(3, "2024-03-12", "4/A", more=of_day)
    assert standing(*same_period, amended) == ["02", "03"]
    again = listed_form(4, "2024-03-14", "4/A", more=of_day)
    assert standing(*same_period, amended, again) == ["02", "04"]
    wrong = listed_form(5, "2024-03-12", "4/A", more=of_day.replace("05<", "01<"), period="2024-02-01")
    assert standing(*same_period, wrong) == ["01", "02", "05"]


def test_trap_10_an_amendment_of_one_of_several_filings_says_which_it_was_taken_for() -> None:
    sales = listed_form(1, "2024-03-05", rows=row() + row(code="G"))
    grants = listed_form(2, "2024-03-05", rows=row(code="A"))
    left, notes = without_replaced([sales, grants, listed_form(3, "2024-03-12", "4/A", rows=row(code="A"))])
    assert [one.accession[-2:] for one in left] == ["01", "03"]
    assert len(notes) == 1
    assert grants.accession in notes[0]


def test_a_plan_is_told_where_there_is_a_box_to_tick() -> None:
    assert read(form()).lines[0].planned is None
    assert read(form(more="<aff10b5One>1</aff10b5One>")).lines[0].planned is True
    assert read(form(more="<aff10b5One>false</aff10b5One>")).lines[0].planned is False


async def report_of(
    routes: dict[str, Route],
    tmp_path: Path,
    patch: pytest.MonkeyPatch,
    *listed: Filing,
    as_of: dt.date | None = None,
) -> InsiderReport:
    with Replay({"*": NOT_THERE, **routes}) as server:
        async with wire_to(server, tmp_path, patch) as wire:
            return await insider_report(wire, company(7), filing_list(*listed), as_of)


BILLION_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><ownershipDocument>&c;</ownershipDocument>'
)
FILE_ENTITY = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    b"<ownershipDocument><documentType>&x;</documentType></ownershipDocument>"
)


@pytest.mark.parametrize(
    "content",
    [
        BILLION_LAUGHS,
        FILE_ENTITY,
        b"",
        b"<ownershipDocument>",
        b"<html><body>a page</body></html>",
        b"<informationTable/>",
        form(owners=""),
        form(row(shares="<value>many</value>")),
        form(row(shares="<value>NaN</value>")),
        form(row(price="<value>1e9999</value>")),
        form(row(day="2024-02-31")),
        form(row(day="yesterday")),
        form(owners=owner(roles="<isDirector>perhaps</isDirector>")),
        form().replace(b"0000000007", b"seven"),
    ],
)
async def test_a_form_that_cannot_be_read_is_a_problem_and_the_others_are_told(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = filing("4", "0000000007-24-000001", "2024-03-05", "2024-03-04", "form4.xml")
    bad = filing("4", "0000000007-24-000002", "2024-03-06", "2024-03-04", "form4.xml")
    routes: dict[str, Route] = {
        f"{folder(good.accession)}/form4.xml": (200, XML, form()),
        f"{folder(bad.accession)}/form4.xml": (200, XML, content),
    }
    found = await report_of(routes, tmp_path, monkeypatch, good, bad)
    assert [line.accession for line in found.transactions] == [good.accession]
    assert found.filings == 1
    assert len(found.problems) == 1
    assert found.problems[0].startswith(f"{bad.accession}: BadPayload: ")
    with pytest.raises(BadPayloadError):
        await report_of(routes, tmp_path / "alone", monkeypatch, bad)


async def test_what_is_not_there_is_a_problem_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = filing("4", "0000000007-24-000001", "2024-03-05", "2024-03-04", "form4.xml")
    gone = filing("4", "0000000007-24-000002", "2024-03-06", "2024-03-04", "form4.xml")
    routes: dict[str, Route] = {f"{folder(good.accession)}/form4.xml": (200, XML, form())}
    found = await report_of(routes, tmp_path, monkeypatch, good, gone)
    assert found.problems[0].startswith(f"{gone.accession}: NotFound: ")
    with pytest.raises(ProviderNotFoundError):
        await report_of(routes, tmp_path / "alone", monkeypatch, gone)


async def test_other_forms_and_later_filings_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = filing("4", "0000000007-24-000001", "2024-03-05", "2024-03-04", "form4.xml")
    late = filing("4", "0000000007-24-000002", "2024-03-09", "2024-03-08", "form4.xml")
    annual = filing("10-K", "0000000007-24-000003", "2024-03-01", "2023-12-31", "x.htm")
    routes: dict[str, Route] = {
        f"{folder(one.accession)}/form4.xml": (200, XML, form()) for one in (early, late)
    }
    found = await report_of(
        routes, tmp_path, monkeypatch, late, annual, early, early, as_of=dt.date(2024, 3, 8)
    )
    assert [line.accession for line in found.transactions] == [early.accession]
    assert (found.filings, found.as_of) == (1, dt.date(2024, 3, 8))
    both = await report_of(routes, tmp_path / "both", monkeypatch, early, late)
    assert [line.accession for line in both.transactions] == [late.accession, early.accession]


async def test_what_a_company_trades_as_an_insider_of_others_is_left_out_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = filing("4", "0000000007-24-000001", "2024-03-05", "2024-03-04", "form4.xml")
    as_owner = filing("4", "0000000007-24-000002", "2024-03-09", "2024-03-08", "form4.xml")
    elsewhere = form(owners=owner(7, "Sample Inc.")).replace(
        b"<issuerCik>0000000007", b"<issuerCik>0000000099"
    )
    routes: dict[str, Route] = {
        f"{folder(own.accession)}/form4.xml": (200, XML, form()),
        f"{folder(as_owner.accession)}/form4.xml": (200, XML, elsewhere),
    }
    found = await report_of(routes, tmp_path, monkeypatch, own, as_owner)
    assert [line.cik for line in found.transactions] == [7]
    assert len(found.problems) == 1
    only = await report_of(routes, tmp_path / "only", monkeypatch, as_owner)
    assert [line.cik for line in only.transactions] == [99]


amounts = st.decimals(0, 10**9, places=4, allow_nan=False)


@given(amounts, amounts)
def test_a_transaction_is_worth_shares_times_price_exactly(shares: Decimal, price: Decimal) -> None:
    line = read(form(row(f"<value>{shares}</value>", f"<value> {price} </value>"))).lines[0]
    assert line.value == shares * price


@given(st.text(string.printable, max_size=200))
def test_any_text_in_place_of_a_value_is_read_or_refused(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("\x0b", "").replace("\x0c", "")
    try:
        line = read(form(row(f"<value>{escaped}</value>", day=escaped))).lines[0]
    except BadPayloadError:
        return
    assert line.shares is None or line.shares.is_finite()
