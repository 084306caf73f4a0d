"""What a company filed, as its own file lists it: the latest filings and, in further pages, the older ones.

The lists come as arrays side by side, by name, and their number grew over the years: an array that is
absent and an item that is null are unknown. Order is that of the filing date and the accession number,
because the time of acceptance is told in different zones. This module must not know what a filing says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import msgspec

from data.companies import Company, Filing, FilingList
from data.forms import day_of
from data.problems import BadPayloadError, ProviderBadRequestError, ProviderDownError, ProviderError
from providers.core.exchange import Body
from providers.core.http import MINUTE, Answer, Stamp
from providers.edgar import form_types
from providers.edgar.wire import LABEL, EdgarWire, accession_of, json_of

_FRESH_S = 2 * MINUTE
_PAGE_FRESH_S = 60 * MINUTE
#: Numbers began in the year 1993, of which they have two digits.
_FIRST_YEAR = 93
_MOST_NEW = 10_000


class Arrays(msgspec.Struct, frozen=True, rename="camel"):
    """Filings as arrays side by side."""

    accession_number: list[str | None] = []
    filing_date: list[str | None] = []
    report_date: list[str | None] = []
    acceptance_date_time: list[str | None] = []
    form: list[str | None] = []
    items: list[str | None] = []
    size: list[int | None] = []
    is_xbrl: list[int | None] = msgspec.field(default=[], name="isXBRL")
    primary_document: list[str | None] = []
    primary_doc_description: list[str | None] = []


class _Page(msgspec.Struct, frozen=True, rename="camel"):
    """A further page, as it is listed."""

    name: str
    filing_count: int = 0
    filing_from: str = ""
    filing_to: str = ""


class _Filings(msgspec.Struct, frozen=True):
    recent: Arrays
    files: list[_Page] | None = None


class _FormerName(msgspec.Struct, frozen=True):
    name: str | None = None


class File(msgspec.Struct, frozen=True, rename="camel"):
    """A registrant's own file."""

    cik: str | int
    filings: _Filings
    name: str | None = None
    tickers: list[str | None] | None = None
    exchanges: list[str | None] | None = None
    entity_type: str | None = None
    sic: str | None = None
    sic_description: str | None = None
    fiscal_year_end: str | None = None
    state_of_incorporation: str | None = None
    former_names: list[_FormerName] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One filing of a list; None and empty: not told."""

    accession: str
    form: str
    filed: date
    period: date | None
    accepted: str
    items: tuple[str, ...]
    size: int | None
    xbrl: bool
    document: str
    title: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Filings of a list, and how many of it cannot be told because they have no number or no date."""

    rows: list[Row]
    untold: int = 0


@dataclass(frozen=True, slots=True)
class Registrant:
    """A registrant's own file, read: the header, the latest filings, and the pages of the others."""

    file: File
    recent: Listing

    @property
    def pages(self) -> list[_Page]:
        """The further pages, the one with the latest filings first."""
        return sorted(self.file.filings.files or [], key=lambda page: page.filing_to, reverse=True)


# ---------------------------------------------------------------- reading


_file = json_of(File, "a company's file")
_arrays = json_of(Arrays, "a page of a company's filings")


def _read(body: Body) -> Registrant:
    file = _file(body)
    return Registrant(file, listing(file.filings.recent))


def _read_page(body: Body) -> Listing:
    return listing(_arrays(body))


def listing(arrays: Arrays) -> Listing:
    """Return the filings of a list.

    Raises:
        BadPayloadError: there are not as many forms and dates as numbers, or a date is none.
    """
    count = len(arrays.accession_number)
    if len(arrays.form) != count or len(arrays.filing_date) != count:
        raise _bad("its numbers, forms and dates are not equally many")
    rows = [row for place in range(count) if (row := _row(arrays, place)) is not None]
    return Listing(rows, count - len(rows))


def _row(arrays: Arrays, place: int) -> Row | None:
    accession, filed = arrays.accession_number[place], _date(arrays.filing_date[place])
    if not accession or filed is None:
        return None
    form = form_types.normal(arrays.form[place] or "")
    items = (_at(arrays.items, place) or "").split(",") if form.startswith("8-K") else []
    return Row(
        accession=_number(accession),
        form=form,
        filed=filed,
        period=_date(_at(arrays.report_date, place)),
        accepted=_at(arrays.acceptance_date_time, place) or "",
        items=tuple(item for item in items if item),
        size=_at(arrays.size, place),
        xbrl=bool(_at(arrays.is_xbrl, place)),
        document=plain_document(_at(arrays.primary_document, place) or ""),
        title=_at(arrays.primary_doc_description, place) or "",
    )


def plain_document(name: str) -> str:
    """Return the name of a document itself, where the one told is that of a page made with a style sheet.

    ``xslF345X05/form4.xml`` is a page of HTML, ``form4.xml`` the document.
    """
    folder, _, document = name.partition("/")
    return document if document and folder.startswith("xsl") else name


def _number(text: str) -> str:
    try:
        return accession_of(text)
    except ProviderBadRequestError as error:
        raise _bad(error.detail) from error


def _at[T](values: Sequence[T | None], place: int) -> T | None:
    return values[place] if place < len(values) else None


def _date(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise _bad(f"{text[:40]!r} is not a date") from error


def _bad(what: str) -> BadPayloadError:
    return BadPayloadError(
        f"{LABEL}: a list of filings cannot be read: {what}",
        rule="a list of filings tells the number, form and date of each",
        fix="nothing of it was used; ask again later",
    )


# ---------------------------------------------------------------- questions


async def registrant(wire: EdgarWire, cik: int) -> Answer[Registrant]:
    """Return a registrant's own file; raises ProviderError."""
    answer = await wire.http.get(wire.data_url("submissions", cik), read=_read, fresh_s=_FRESH_S)
    if str(answer.value.file.cik).lstrip("0") != str(cik):
        raise BadPayloadError(
            f"{LABEL} answered with the file of CIK {answer.value.file.cik}, asked for {cik}",
            rule="an answer is what was asked for",
            fix="nothing of it was used; check the provider's address in the settings",
        )
    return answer


async def company(wire: EdgarWire, cik: int) -> Company:
    """Return a company as its own file describes it; raises ProviderError."""
    answer = await registrant(wire, cik)
    file = answer.value.file
    end = file.fiscal_year_end or ""
    return Company(
        cik=cik,
        name=file.name or "",
        tickers=_told(file.tickers),
        exchanges=_told(file.exchanges),
        entity_type=file.entity_type or "",
        sic=file.sic or "",
        industry=file.sic_description or "",
        fiscal_year_end=f"{end[:2]}-{end[2:]}" if len(end) == 4 and end.isdecimal() else "",
        state=file.state_of_incorporation or "",
        former_names=tuple(one.name for one in file.former_names or [] if one.name),
        filings=len(answer.value.recent.rows) + sum(page.filing_count for page in answer.value.pages),
        **answer.stamp(day_of(answer.fetched_at))._asdict(),
    )


def _told(values: Iterable[str | None] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values or () if value))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which filings are asked for."""

    forms: frozenset[str]
    start: date | None
    end: date | None

    def __call__(self, row: Row) -> bool:
        return (
            (not self.forms or row.form in self.forms)
            and (self.start is None or row.filed >= self.start)
            and (self.end is None or row.filed <= self.end)
        )

    def may_have(self, page: _Page) -> bool:
        """Say whether a page can have any; dates are compared as text, and unknown ones may."""
        if self.start is not None and page.filing_to and page.filing_to < self.start.isoformat():
            return False
        return not (self.end is not None and page.filing_from and page.filing_from > self.end.isoformat())


class _Gathered:
    """Filings that are asked for, what they were taken from, and what could not be had."""

    def __init__(self, wanted: _Wanted, first: Answer[Registrant]) -> None:
        self._wanted = wanted
        self._rows: dict[str, Row] = {}
        self._oldest = self._stale = first.stamp(day_of(first.fetched_at))
        self.problems: list[str] = []
        self.add(first.value.recent, self._oldest)

    def add(self, listing: Listing, stamp: Stamp) -> None:
        """Take a list's filings; one that is listed twice is one."""
        for row in listing.rows:
            if self._wanted(row):
                self._rows.setdefault(row.accession, row)
        if listing.untold:
            self.problems.append(f"{listing.untold} filings are listed without a number or a date")
        self._oldest = min(self._oldest, stamp, key=lambda one: one.fetched_at)
        self._stale = stamp if stamp.stale else self._stale

    def latest(self, limit: int) -> list[Row]:
        """Return filings, latest first."""
        rows = sorted(self._rows.values(), key=lambda row: (row.filed, row.accession), reverse=True)
        return rows[: max(0, limit)]

    def enough(self, limit: int, page: _Page) -> bool:
        """Say whether there are as many as wanted and all filings of a page are older."""
        rows = self.latest(limit)
        if len(rows) < limit:
            return False
        return not rows or (bool(page.filing_to) and page.filing_to < rows[-1].filed.isoformat())

    def stamp(self, as_of: date | None) -> Stamp:
        """Return where the filings come from: the oldest answer, and stale if any was."""
        stamp = self._oldest._replace(stale=self._stale.stale)
        return stamp if as_of is None else stamp._replace(as_of=as_of)


async def filings(
    wire: EdgarWire,
    company: Company,
    *,
    forms: tuple[str, ...] = (),
    start: date | None = None,
    end: date | None = None,
    limit: int = 50,
    as_of: date | None = None,
) -> FilingList:
    """Return filings of a company, latest first.

    Further pages are asked for only until ``limit`` is reached. One that cannot be had is said in
    ``problems``, and the list is not complete then.

    Raises:
        ProviderError: the company's own file cannot be had.
    """
    until = min((day for day in (end, as_of) if day is not None), default=None)
    wanted = _Wanted(form_types.wanted(forms), start, until)
    first = await registrant(wire, company.cik)
    found = _Gathered(wanted, first)
    for page in first.value.pages:
        if wanted.may_have(page) and not found.enough(limit, page):
            await _add_page(wire, page, found)
    name = first.value.file.name or company.name
    tickers = _told(first.value.file.tickers) or company.tickers
    stamp = found.stamp(as_of)
    return FilingList(
        cik=company.cik,
        name=name,
        filings=tuple(filing(wire, row, company.cik, name, tickers, stamp) for row in found.latest(limit)),
        complete=not found.problems,
        problems=tuple(found.problems),
        **stamp._asdict(),
    )


async def _add_page(wire: EdgarWire, page: _Page, found: _Gathered) -> None:
    dates = f"{page.filing_from or '?'} to {page.filing_to or '?'}"
    try:
        url = f"{wire.data}/submissions/{_page_name(page.name)}"
        answer = await wire.http.get(url, read=_read_page, fresh_s=_PAGE_FRESH_S)
    except ProviderError as error:
        found.problems.append(f"{page.filing_count} filings of {dates} could not be had: {error.detail}")
        return
    found.add(answer.value, answer.stamp(day_of(answer.fetched_at)))
    told = len(answer.value.rows) + answer.value.untold
    if told < page.filing_count:
        found.problems.append(
            f"{page.filing_count - told} of {page.filing_count} filings of {dates} are missing"
        )


def _page_name(name: str) -> str:
    if not name or "/" in name or not name.endswith(".json"):
        raise _bad(f"{name[:60]!r} is not the name of a page")
    return name


def filing(
    wire: EdgarWire, row: Row, cik: int, company: str, tickers: tuple[str, ...], stamp: Stamp
) -> Filing:
    """Return a filing of a list as it is told; without a document its address is that of its index."""
    return Filing(
        cik=cik,
        company=company,
        tickers=tickers,
        accession=row.accession,
        form=row.form,
        form_title=form_types.lookup(row.form).title,
        filed=row.filed,
        period=row.period,
        accepted=row.accepted,
        items=row.items,
        title=row.title,
        document=row.document,
        url=_url(wire, cik, row),
        size=row.size,
        amendment=form_types.is_amendment(row.form),
        xbrl=row.xbrl,
        **stamp._asdict(),
    )


def _url(wire: EdgarWire, cik: int, row: Row) -> str:
    try:
        return wire.document_url(cik, row.accession, row.document or f"{row.accession}-index.htm")
    except ProviderBadRequestError as error:
        raise _bad(error.detail) from error


async def find(wire: EdgarWire, cik: int, accession: str) -> Row | None:
    """Return a filing of a registrant's list by its number; None: it is not listed.

    The page is looked for by the year in the number, which is that of the filing or the one before.

    Raises:
        ProviderError: the list, or a page that can have it, cannot be had.
    """
    first = (await registrant(wire, cik)).value
    row = _with_number(first.recent, accession)
    year = int(accession[11:13])
    year += 1900 if year >= _FIRST_YEAR else 2000
    wanted = _Wanted(frozenset(), date(year, 1, 1), date(year + 1, 12, 31))
    for page in first.pages:
        if row is None and wanted.may_have(page):
            url = f"{wire.data}/submissions/{_page_name(page.name)}"
            answer = await wire.http.get(url, read=_read_page, fresh_s=_PAGE_FRESH_S)
            row = _with_number(answer.value, accession)
    return row


def _with_number(listing: Listing, accession: str) -> Row | None:
    return next((row for row in listing.rows if row.accession == accession), None)


async def new_filings(wire: EdgarWire, companies: Sequence[Company], since: date) -> list[Filing]:
    """Return what companies filed on a date or later, oldest first.

    Each company's own list is asked for: it has everything, while the live feed of all companies shows
    what was accepted in the evening only the next morning, behind what was seen before.

    Raises:
        ProviderError: a list, or a part of it that counts, cannot be had: nothing is missed silently.
    """
    found: list[Filing] = []
    for company in companies:
        listed = await filings(wire, company, start=since, limit=_MOST_NEW)
        if listed.problems:
            raise ProviderDownError(
                f"{LABEL}: filings of {listed.name} since {since} are missing: {'; '.join(listed.problems)}",
                rule="news are told when nothing of them is missing",
                fix="ask again later",
            )
        found.extend(listed.filings)
    return sorted(found, key=lambda filing: (filing.filed, filing.accession))
