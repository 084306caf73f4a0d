"""What an institutional manager holds: Form 13F.

Values are in thousands of dollars in what was filed before 2023 began and in dollars since; some managers
get it wrong, which is told and never corrected. A quarter's report may be amended: replaced, or added
to. This module must not know how EDGAR is asked.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from lxml import etree

from data.companies import Company, Filing, FilingList, Holding, HoldingsReport
from data.problems import BadPayloadError, ProviderError, ProviderNotFoundError
from providers.core.http import Stamp
from providers.edgar.pieces import (
    at,
    children,
    day_at,
    flag_at,
    from_submission,
    local,
    number,
    number_at,
    source_name,
    text_at,
    xml_document,
)
from providers.edgar.wire import EdgarWire, parse_xml

FORMS = ("13F-HR", "13F-HR/A", "13F-NT", "13F-NT/A")
#: From this day of filing on, values are in dollars, whatever quarter is reported.
DOLLARS_SINCE = date(2023, 1, 3)
_COVER = "edgarSubmission"
_TABLE = "informationTable"
_COVER_NAME = "primary_doc.xml"
#: Half of what a manager holds costs less, or more, than this a share: values are in another unit.
_CHEAP, _DEAR = Decimal("0.5"), Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of an information table, its value in US dollars."""

    cusip: str
    issuer: str
    title: str
    put_call: str
    value: Decimal
    quantity: Decimal
    quantity_type: str


@dataclass(frozen=True, slots=True)
class Part:
    """A filing of a quarter's report: its cover page, and its rows unless it is a notice."""

    filing: Filing
    period: date | None
    amendment: str  #: ``RESTATEMENT``, ``NEW HOLDINGS`` or empty
    total: Decimal | None  #: as the cover page states it, in US dollars
    entries: int | None
    others: tuple[str, ...]  #: managers who report holdings instead of this one
    omitted: bool  #: some holdings are kept confidential
    rows: tuple[Row, ...] = ()


async def holdings_report(
    wire: EdgarWire, company: Company, filings: FilingList, period: date | None, as_of: date | None
) -> HoldingsReport:
    """Return what a manager held at the end of a quarter, with all amendments that were filed.

    Args:
        wire: EDGAR.
        company: the manager.
        filings: of any forms; others than 13F are passed over.
        period: end of the quarter; None: the latest one reported.
        as_of: only what was filed on this date or before.

    Raises:
        ProviderNotFoundError: nothing was reported for the quarter, or by another manager.
        ProviderError: the report cannot be had.
    """
    mine = {
        filing.accession: filing
        for filing in filings.filings
        if filing.form in FORMS and (as_of is None or filing.filed <= as_of)
    }
    chosen = _of_period(list(mine.values()), company, period)
    known = as_of or filings.as_of
    parts: list[Part] = []
    problems: list[str] = list(filings.problems)
    stamps: list[Stamp] = []
    for filing in sorted(chosen, key=lambda one: (one.filed, one.form.endswith("/A"), one.accession)):
        try:
            part, stamp = await _read(wire, filing, known)
        except ProviderError as error:
            if not filing.form.endswith("/A"):
                raise
            problems.append(f"{filing.accession}: {error.name}: {error.detail}")
            continue
        parts.append(part)
        stamps.append(stamp)
    if not stamps:
        raise _nothing(company, chosen[0].period, ())
    oldest = min(stamps, key=lambda stamp: stamp.fetched_at)
    stale = next((stamp.stale for stamp in stamps if stamp.stale), filings.stale)
    return await asyncio.to_thread(assemble, company, parts, problems, oldest._replace(stale=stale))


def _of_period(filings: Sequence[Filing], company: Company, period: date | None) -> list[Filing]:
    periods = sorted({filing.period for filing in filings if filing.period is not None}, reverse=True)
    asked = period or (periods[0] if periods else None)
    chosen = [filing for filing in filings if filing.period == asked and asked is not None]
    if not chosen:
        reported = ", ".join(str(one) for one in periods[:6])
        raise ProviderNotFoundError(
            f"{company.name} has reported no holdings" + (f" for {period}" if period else ""),
            rule="managers of more than 100 million US dollars report the end of each quarter within 45 days",
            fix=f"ask for one of {reported}" if reported else "ask for a manager's report",
        )
    return chosen


def _nothing(company: Company, period: date | None, others: Sequence[str]) -> ProviderNotFoundError:
    by = f": {', '.join(others)}" if others else ""
    return ProviderNotFoundError(
        f"{company.name} reports no holdings for {period}: its notice says that another manager does{by}",
        rule="a 13F-NT lists no holdings",
        fix="ask for the other manager, or for an earlier period",
    )


# ---------------------------------------------------------------- the filings


async def _read(wire: EdgarWire, filing: Filing, known: date) -> tuple[Part, Stamp]:
    cover = await xml_document(wire, filing.cik, filing.accession, filing.document or _COVER_NAME, _COVER)
    part = cover_page(cover.value, filing)
    if filing.form.startswith("13F-NT"):
        return part, cover.stamp(known)
    table, fetched_at, stale = await _table(wire, filing)
    stamp = cover.stamp(known)
    read = await asyncio.to_thread(with_rows, part, table)
    return read, stamp._replace(fetched_at=min(stamp.fetched_at, fetched_at), stale=stamp.stale or stale)


async def _table(wire: EdgarWire, filing: Filing) -> tuple[etree._Element, int, str | None]:
    """Return the information table, whose file may have any name, and where it comes from.

    A file that is listed but is not there, or is broken, may be whole in the submission.
    """
    try:
        folder = await wire.index(filing.cik, filing.accession)
        names = [item.name for item in folder.value if item.name.lower().endswith(".xml")]
    except ProviderNotFoundError:
        names = []
    first: ProviderError | None = None
    for name in names:
        if name == source_name(filing.document or _COVER_NAME):
            continue
        try:
            answer = await wire.archive(filing.cik, filing.accession, name)
            title = f"{name} of {filing.accession}"
            root = await asyncio.to_thread(parse_xml, answer.value.content, title)
        except (ProviderNotFoundError, BadPayloadError) as error:
            first = first or error
            continue
        if local(root) == _TABLE:
            return root, answer.fetched_at, answer.stamp(filing.filed).stale
    try:
        submission = await wire.submission_text(filing.cik, filing.accession)
    except ProviderNotFoundError as error:
        raise first or error from error
    root = await asyncio.to_thread(from_submission, submission.value, filing.accession, _TABLE)
    return root, submission.fetched_at, submission.stamp(filing.filed).stale


def cover_page(root: etree._Element, filing: Filing) -> Part:
    """Return what the cover and summary pages say; raises BadPayloadError."""
    cover, summary = at(root, "formData/coverPage"), at(root, "formData/summaryPage")
    if cover is None:
        raise BadPayloadError(
            f"EDGAR: {filing.accession} has no cover page",
            rule="a 13F has a cover page",
            fix="nothing of it was used",
        )
    total = number_at(summary, "tableValueTotal")
    entries = number_at(summary, "tableEntryTotal")
    managers = children(at(cover, "otherManagersInfo"), "otherManager")
    return Part(
        filing,
        day_at(cover, "reportCalendarOrQuarter") or day_at(root, "headerData/filerInfo/periodOfReport"),
        text_at(cover, "amendmentInfo/amendmentType").upper(),
        None if total is None else total * _factor(filing),
        None if entries is None else int(entries),
        tuple(name for manager in managers if (name := text_at(manager, "name"))),
        bool(flag_at(summary, "isConfidentialOmitted")),
    )


def with_rows(part: Part, table: etree._Element) -> Part:
    """Return a filing with the rows of its information table; raises BadPayloadError."""
    rows = tuple(_row(element, part.filing) for element in children(table, "infoTable"))
    return Part(
        part.filing,
        part.period,
        part.amendment,
        part.total,
        part.entries,
        part.others,
        part.omitted,
        rows,
    )


def value_unit(filed: date) -> Literal["thousands", "dollars"]:
    """Return the unit of values in what was filed on a date."""
    return "dollars" if filed >= DOLLARS_SINCE else "thousands"


def _factor(filing: Filing) -> int:
    return 1000 if value_unit(filing.filed) == "thousands" else 1


def _row(element: etree._Element, filing: Filing) -> Row:
    cells = {local(cell): " ".join((cell.text or "").split()) for cell in element.iter()}
    cusip = cells.get("cusip", "").upper()
    value = number(cells.get("value", ""), "value")
    quantity = number(cells.get("sshPrnamt", ""), "sshPrnamt")
    if not cusip or value is None or quantity is None:
        raise BadPayloadError(
            f"EDGAR: a row of {filing.accession} lacks its CUSIP, value or quantity",
            rule="a row of an information table has all three",
            fix="nothing of it was used; read the filing's text instead",
        )
    return Row(
        cusip,
        cells.get("nameOfIssuer", ""),
        cells.get("titleOfClass", ""),
        cells.get("putCall", "").capitalize(),
        value * _factor(filing),
        quantity,
        cells.get("sshPrnamtType", "").upper(),
    )


# ---------------------------------------------------------------- the report


def assemble(
    company: Company, parts: Sequence[Part], problems: Sequence[str], stamp: Stamp
) -> HoldingsReport:
    """Return the report that a quarter's filings make, in order of filing.

    A restatement replaces what was filed before, new holdings are added to it; an amendment that says
    neither is not applied, which is told.

    Raises:
        ProviderNotFoundError: there are notices only.
    """
    told = list(problems)
    applied: list[Part] = []
    for part in parts:
        if part.filing.form.startswith("13F-NT"):
            continue
        if not part.filing.form.endswith("/A") or part.amendment == "RESTATEMENT":
            applied = [part]
        elif part.amendment == "NEW HOLDINGS":
            if not applied:
                told.append(f"{part.filing.accession}: the report to which it adds is not among the filings")
            applied.append(part)
        else:
            told.append(
                f"{part.filing.accession}: it amends, but not whether by restating or adding; not applied"
            )
    if not applied:
        raise _nothing(company, parts[0].period, tuple(dict.fromkeys(one for p in parts for one in p.others)))
    told.extend(problem for part in applied for problem in _doubts(part))
    last = applied[-1]
    rows = [row for part in applied for row in part.rows]
    total = sum((row.value for row in rows), Decimal(0))
    totals, entries = [part.total for part in applied], [part.entries for part in applied]
    return HoldingsReport(
        cik=company.cik,
        name=company.name,
        form=last.filing.form,
        accession=last.filing.accession,
        period=last.period,
        filed=last.filing.filed,
        value_unit=value_unit(last.filing.filed),
        total=total,
        stated_total=sum((one for one in totals if one is not None), Decimal(0))
        if None not in totals
        else None,
        stated_entries=sum(one for one in entries if one is not None) if None not in entries else None,
        amendment=last.amendment,
        holdings=summed(rows, total, stamp),
        problems=tuple(told),
        **stamp._asdict(),
    )


def summed(rows: Iterable[Row], total: Decimal, stamp: Stamp) -> tuple[Holding, ...]:
    """Return one holding for each CUSIP, put or call and kind of quantity, largest first.

    A manager has several rows for one security where other managers or kinds of discretion are involved.
    Shares and principal are not added to one another.
    """
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.cusip, row.put_call, row.quantity_type), []).append(row)
    holdings = [
        Holding(
            cusip=cusip,
            issuer=group[0].issuer,
            title=group[0].title,
            put_call=put_call,
            value=(value := sum((row.value for row in group), Decimal(0))),
            quantity=sum((row.quantity for row in group), Decimal(0)),
            quantity_type=quantity_type,
            rows=len(group),
            share=float(value / total) if total > 0 else None,
            **stamp._asdict(),
        )
        for (cusip, put_call, quantity_type), group in groups.items()
    ]
    return tuple(sorted(holdings, key=lambda one: (-one.value, one.cusip, one.put_call)))


def _doubts(part: Part) -> list[str]:
    """Return what does not fit in a filing; nothing is changed for it."""
    name, rows = part.filing.accession, part.rows
    total = sum((row.value for row in rows), Decimal(0))
    doubts = []
    if part.period != part.filing.period and part.filing.period is not None:
        doubts.append(
            f"{name}: its cover page is of {part.period}, the list of filings says {part.filing.period}"
        )
    if part.entries is not None and part.entries != len(rows):
        doubts.append(f"{name}: the cover page states {part.entries:,} entries and there are {len(rows):,}")
    if part.total is not None and part.total != total:
        doubts.append(
            f"{name}: the cover page states ${part.total:,.0f} and the rows add up to ${total:,.0f}"
        )
    prices = [row.value / row.quantity for row in rows if row.quantity_type == "SH" and row.quantity > 0]
    middle = statistics.median(prices) if prices else None
    unit = value_unit(part.filing.filed)
    if middle is not None and unit == "dollars" and middle < _CHEAP:
        doubts.append(
            f"{name}: half of the shares would cost less than ${middle:.4f}: values may be in thousands"
        )
    if middle is not None and unit == "thousands" and middle > _DEAR:
        doubts.append(
            f"{name}: half of the shares would cost more than ${middle:,.0f}: values may be in dollars"
        )
    if part.others:
        doubts.append(f"{name}: further holdings are reported by {', '.join(part.others)}")
    if part.omitted:
        doubts.append(f"{name}: some holdings are kept confidential and are not in it")
    return doubts
