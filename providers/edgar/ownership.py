"""What insiders hold and trade: Forms 3, 4 and 5.

A value that stands in a footnote only is None, and the footnote is told. An amendment replaces the
filing that it amends. This module must not know how EDGAR is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from lxml import etree

from data.companies import Company, Filing, FilingList, InsiderReport, InsiderTransaction
from data.problems import BadPayloadError, ProviderError
from providers.core.http import Stamp
from providers.edgar.pieces import at, children, day_at, flag_at, local, number_at, text_at, xml_document
from providers.edgar.wire import EdgarWire

FORMS = ("3", "3/A", "4", "4/A", "5", "5/A")
#: The codes of a transaction in plain words.
CODES = {
    "P": "purchase on the market or in private",
    "S": "sale on the market or in private",
    "V": "transaction reported earlier than required",
    "A": "grant or award",
    "D": "disposition back to the issuer",
    "F": "shares withheld or delivered for tax or exercise price",
    "I": "discretionary transaction in a benefit plan",
    "M": "exercise or conversion of an exempt derivative",
    "C": "conversion of a derivative",
    "E": "expiration of a short derivative position",
    "H": "expiration of a long derivative position for value",
    "O": "exercise of an out-of-the-money derivative",
    "X": "exercise of an in-the-money derivative",
    "G": "gift",
    "L": "small acquisition",
    "W": "acquisition or disposition by will or inheritance",
    "Z": "deposit into or withdrawal from a voting trust",
    "J": "other, see the footnotes",
    "K": "equity swap or similar",
    "U": "tender of shares in a change of control",
}
_ROOT = "ownershipDocument"
#: Tables and what their lines are called.
_TABLES = {
    "nonDerivativeTable": ("nonDerivativeTransaction", "nonDerivativeHolding"),
    "derivativeTable": ("derivativeTransaction", "derivativeHolding"),
}
#: So many documents are fetched at a time; the pace is kept elsewhere.
_AT_ONCE = 6


@dataclass(frozen=True, slots=True)
class OwnershipReport:
    """A Form 3, 4 or 5."""

    form: str
    accession: str
    filed: date
    period: date | None  #: of the event
    original: date | None  #: of an amendment: when what it amends was filed
    issuer: int
    owners: tuple[int, ...]
    lines: tuple[InsiderTransaction, ...]

    @property
    def amends(self) -> bool:
        """Whether it is an amendment."""
        return self.form.endswith("/A")


async def insider_report(
    wire: EdgarWire, company: Company, filings: FilingList, as_of: date | None
) -> InsiderReport:
    """Return the insider transactions of some filings, latest first; what cannot be read is told.

    Args:
        wire: EDGAR.
        company: the issuer, or an insider.
        filings: of any forms; others than 3, 4 and 5 are passed over.
        as_of: only what was filed on this date or before.

    Raises:
        ProviderError: there are filings and none could be read.
    """
    chosen = {
        filing.accession: filing
        for filing in filings.filings
        if filing.form in FORMS and (as_of is None or filing.filed <= as_of)
    }
    known = as_of or filings.as_of
    limit = asyncio.Semaphore(_AT_ONCE)

    async def read(filing: Filing) -> OwnershipReport | ProviderError:
        async with limit:
            try:
                answer = await xml_document(wire, filing.cik, filing.accession, filing.document, _ROOT)
                return report(answer.value, filing, answer.stamp(known))
            except ProviderError as error:
                return error

    read_all = await asyncio.gather(*(read(filing) for filing in chosen.values()))
    reports = [one for one in read_all if isinstance(one, OwnershipReport)]
    errors = [one for one in read_all if isinstance(one, ProviderError)]
    if errors and not reports:
        raise errors[0]
    problems = [
        f"{filing.accession}: {one.name}: {one.detail}"
        for filing, one in zip(chosen.values(), read_all, strict=True)
        if isinstance(one, ProviderError)
    ]
    standing, notes = without_replaced(reports)
    standing, others = _about(standing, company.cik)
    standing.sort(key=lambda one: (one.filed, one.accession), reverse=True)
    return InsiderReport(
        cik=company.cik,
        name=company.name,
        transactions=tuple(line for one in standing for line in one.lines),
        filings=len(reports),
        problems=(*filings.problems, *problems, *notes, *others),
        source=filings.source,
        as_of=known,
        fetched_at=filings.fetched_at,
        synthetic=filings.synthetic,
        stale=filings.stale,
    )


def _about(reports: list[OwnershipReport], cik: int) -> tuple[list[OwnershipReport], list[str]]:
    """Return the reports on trades in a company's own securities, if it has any, and what is left out.

    A company that owns a part of another one files as its insider. Of a person all reports are of that
    kind, and all stay.
    """
    own = [one for one in reports if one.issuer == cik]
    left = len(reports) - len(own)
    if not own or not left:
        return reports, []
    return own, [f"{left} filings are of what CIK {cik} itself trades as an insider of others; not shown"]


# ---------------------------------------------------------------- amendments


def without_replaced(reports: Iterable[OwnershipReport]) -> tuple[list[OwnershipReport], list[str]]:
    """Return the reports that stand, and what is unsure about it.

    An amendment replaces the reports of the same form, issuer and owners that were filed before it: on
    the day that it names, else for the same period. Of several, none of which is an amendment, it
    replaces the one with which it shares most lines, and that is told.
    """
    ordered = sorted(reports, key=lambda one: (one.filed, one.amends, one.accession))
    standing: list[OwnershipReport] = []
    notes: list[str] = []
    for report_ in ordered:
        if report_.amends:
            amended = _amended(report_, standing)
            originals = [one for one in amended if not one.amends]
            if len(originals) > 1:
                nearest = max(originals, key=lambda one: (_shared(report_, one), one.accession))
                amended = [one for one in amended if one.amends or one is nearest]
                notes.append(
                    f"{report_.accession} amends one of {len(originals)} filings of the same owners; "
                    f"it was taken for {nearest.accession}"
                )
            standing = [one for one in standing if one not in amended]
        standing.append(report_)
    return standing, notes


def _amended(later: OwnershipReport, standing: Sequence[OwnershipReport]) -> list[OwnershipReport]:
    """Return which reports an amendment may replace, earlier amendments of the same report included."""
    same = [
        one
        for one in standing
        if later.form.removesuffix("/A") == one.form.removesuffix("/A")
        and later.issuer == one.issuer
        and set(later.owners) == set(one.owners)
    ]
    of_day = [
        one for one in same if later.original is not None and later.original in (one.filed, one.original)
    ]
    return of_day or [one for one in same if one.period == later.period]


def _shared(one: OwnershipReport, other: OwnershipReport) -> int:
    def lines(report_: OwnershipReport) -> set[tuple[str, date | None, str, bool]]:
        return {(line.security, line.date, line.code, line.derivative) for line in report_.lines}

    return len(lines(one) & lines(other))


# ---------------------------------------------------------------- the document


def report(root: etree._Element, filing: Filing, stamp: Stamp) -> OwnershipReport:
    """Return what a Form 3, 4 or 5 says; raises BadPayloadError."""
    if local(root) != _ROOT:
        raise BadPayloadError(
            f"EDGAR: {filing.accession} is no Form 3, 4 or 5",
            rule="an ownership form is an ownershipDocument",
            fix="nothing of it was used",
        )
    form = text_at(root, "documentType").upper() or filing.form
    owners = [_owner(element) for element in children(root, "reportingOwner")]
    if not owners:
        raise BadPayloadError(
            f"EDGAR: {filing.accession} names no owner",
            rule="an ownership form names its reporting owners",
            fix="nothing of it was used",
        )
    issuer = _cik(root, "issuer/issuerCik")
    lines = tuple(_lines(root, form, issuer, owners, filing, stamp))
    return OwnershipReport(
        form,
        filing.accession,
        filing.filed,
        day_at(root, "periodOfReport"),
        day_at(root, "dateOfOriginalSubmission"),
        issuer,
        tuple(cik for cik, _, _ in owners),
        lines,
    )


def _cik(element: etree._Element, path: str) -> int:
    text = text_at(element, path)
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise BadPayloadError(
            f"EDGAR: {text[:40]!r} at {path} is not a CIK",
            rule="a CIK has at most ten digits",
            fix="nothing of this filing was used",
        )
    return int(text)


def _owner(element: etree._Element) -> tuple[int, str, str]:
    """Return an owner's CIK, name and relationship to the issuer."""
    about = at(element, "reportingOwnerRelationship")
    roles = []
    if flag_at(about, "isDirector"):
        roles.append("director")
    if flag_at(about, "isOfficer"):
        title = text_at(about, "officerTitle")
        roles.append(f"officer: {title}" if title else "officer")
    if flag_at(about, "isTenPercentOwner"):
        roles.append("10% owner")
    if flag_at(about, "isOther"):
        other = text_at(about, "otherText")
        roles.append(f"other: {other}" if other else "other")
    cik = _cik(element, "reportingOwnerId/rptOwnerCik")
    return cik, text_at(element, "reportingOwnerId/rptOwnerName"), ", ".join(roles)


def _relationship(owners: Sequence[tuple[int, str, str]]) -> str:
    roles = dict.fromkeys(role for _, _, role in owners)
    if len(roles) == 1:
        return next(iter(roles))
    return "; ".join(f"{name}: {role}" for _, name, role in owners if role)


def _lines(
    root: etree._Element,
    form: str,
    issuer: int,
    owners: Sequence[tuple[int, str, str]],
    filing: Filing,
    stamp: Stamp,
) -> Iterator[InsiderTransaction]:
    notes = {note.get("id", ""): _all_text(note) for note in children(at(root, "footnotes"), "footnote")}
    planned = flag_at(root, "aff10b5One")
    for table, names in _TABLES.items():
        for line in (line for name in names for line in children(at(root, table), name)):
            shares = number_at(line, "transactionAmounts/transactionShares")
            price = number_at(line, "transactionAmounts/transactionPricePerShare")
            code = text_at(line, "transactionCoding/transactionCode").upper()
            holding = local(line).endswith("Holding")
            yield InsiderTransaction(
                cik=issuer,
                issuer=text_at(root, "issuer/issuerName"),
                ticker=text_at(root, "issuer/issuerTradingSymbol"),
                owners=tuple(name for _, name, _ in owners),
                owner_ciks=tuple(cik for cik, _, _ in owners),
                relationship=_relationship(owners),
                form=form,
                accession=filing.accession,
                filed=filing.filed,
                date=day_at(line, "transactionDate"),
                code=code,
                action="holding" if holding else CODES.get(code, f"code {code}" if code else ""),
                security=text_at(line, "securityTitle"),
                derivative=table == "derivativeTable",
                acquired=_acquired(line),
                shares=shares,
                price=price,
                value=_value(line, shares, price),
                shares_after=number_at(line, "postTransactionAmounts/sharesOwnedFollowingTransaction"),
                direct=_direct(line),
                nature=text_at(line, "ownershipNature/natureOfOwnership"),
                underlying=text_at(line, "underlyingSecurity/underlyingSecurityTitle"),
                underlying_shares=number_at(line, "underlyingSecurity/underlyingSecurityShares"),
                exercise_price=number_at(line, "conversionOrExercisePrice"),
                expires=day_at(line, "expirationDate"),
                planned=planned,
                footnotes=_footnotes(line, notes),
                amends=form.endswith("/A"),
                **stamp._asdict(),
            )


def _acquired(line: etree._Element) -> bool | None:
    code = text_at(line, "transactionAmounts/transactionAcquiredDisposedCode").upper()
    return {"A": True, "D": False}.get(code)


def _direct(line: etree._Element) -> bool | None:
    code = text_at(line, "ownershipNature/directOrIndirectOwnership").upper()
    return {"D": True, "I": False}.get(code)


def _value(line: etree._Element, shares: Decimal | None, price: Decimal | None) -> Decimal | None:
    """Return what a transaction was worth: as told, or shares times price."""
    total = number_at(line, "transactionAmounts/transactionTotalValue")
    if total is not None or shares is None or price is None:
        return total
    return shares * price


def _footnotes(line: etree._Element, notes: dict[str, str]) -> tuple[str, ...]:
    """Return the footnotes that a line points to, in order, each once; one that is missing is left out."""
    ids = dict.fromkeys(element.get("id", "") for element in line.iter() if local(element) == "footnoteId")
    return tuple(notes[one] for one in ids if notes.get(one))


def _all_text(element: etree._Element) -> str:
    return " ".join("".join(str(part) for part in element.itertext()).split())
