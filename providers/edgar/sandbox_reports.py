"""What the sandbox twin's filings say in data: the file of a company's facts, Forms 4, reports of holdings.

Shapes are the regulator's: fourth quarters are not reported, periods come again in later reports, one
company restates, tags change over the years. All of it is invented. This module must not know how it
is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from html import escape
from typing import Any

from providers.edgar.sandbox_companies import BY_CIK, REGISTRANTS, Filed, Registrant, filings
from providers.edgar.sandbox_figures import Figures, quarters

#: This company changed its accounts: reports from the day on tell earlier periods with less revenue.
_RESTATES, _RESTATED_SINCE = 21344, date(2019, 4, 1)
#: From this day on revenue is reported under another tag.
_NEW_TAG_SINCE = date(2018, 7, 1)
#: Values in reports of holdings are in dollars from this day of filing on.
_DOLLARS_SINCE = date(2023, 1, 3)
_MILLION = 1_000_000
_Facts = dict[tuple[str, str, str], list[dict[str, Any]]]


# ---------------------------------------------------------------- facts


@lru_cache(maxsize=16)
def _file(cik: int, today: date) -> dict[str, Any] | None:
    registrant = BY_CIK[cik]
    if registrant.kind != "company":
        return None
    found: _Facts = {}
    for filed in reversed(filings(registrant, today)):
        if filed.form in ("10-Q", "10-K", "10-K/A") and filed.period is not None:
            for taxonomy, tag, unit, fact in _told(registrant, filed, filed.period):
                found.setdefault((taxonomy, tag, unit), []).append(fact)
    facts: dict[str, dict[str, Any]] = {}
    for (taxonomy, tag, unit), told in found.items():
        concept = {"label": _LABELS.get(tag), "description": None, "units": {unit: _framed(told)}}
        facts.setdefault(taxonomy, {})[tag] = concept
    return {"cik": cik, "entityName": registrant.name, "facts": facts}


def company_facts(registrant: Registrant, today: date) -> dict[str, Any] | None:
    """Return the file of a company's facts as filed up to a date; None: it reports none."""
    return _file(registrant.cik, today)


_LABELS = {
    "NetIncomeLoss": "Net Income (Loss) Attributable to Parent",
    "EarningsPerShareDiluted": "Earnings Per Share, Diluted",
    "Assets": "Assets",
    "Liabilities": "Liabilities",
    "GrossProfit": "Gross Profit",
}


def _told(registrant: Registrant, filed: Filed, end: date) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Yield what an annual or quarterly report tells: taxonomy, tag, unit and fact."""
    past = [_restated(registrant, one, filed.filed) for one in quarters(registrant, end)]
    now = past[-1]
    period = "FY" if filed.form.startswith("10-K") else f"Q{now.fiscal_quarter}"
    about = {
        "accn": filed.accession,
        "fy": now.fiscal_year,
        "fp": period,
        "form": filed.form,
        "filed": filed.filed.isoformat(),
    }
    for part in _periods(past, annual=period == "FY"):
        span = {"start": part[0].start.isoformat(), "end": part[-1].end.isoformat()}
        for tag, unit, value in _flows(part, filed.filed):
            yield "us-gaap", tag, unit, {**span, "val": value, **about}
    year_before = [one for one in past[:-1] if one.fiscal_quarter == 4]
    for one in (*year_before[-1:], now):
        for tag, value in _stocks(one):
            yield "us-gaap", tag, "USD", {"end": one.end.isoformat(), "val": value, **about}
    cover = {"end": (filed.filed - timedelta(5)).isoformat(), "val": now.diluted, **about}
    yield "dei", "EntityCommonStockSharesOutstanding", "shares", cover


def _restated(registrant: Registrant, one: Figures, filed: date) -> Figures:
    """Return a quarter as a report of a day tells it: less revenue and less cost, if it was restated."""
    if registrant.cik != _RESTATES or filed < _RESTATED_SINCE or one.end >= date(2019, 1, 1):
        return one
    less = round(one.revenue * 0.03 / _MILLION) * _MILLION
    return replace(one, revenue=one.revenue - less, cost=one.cost - less)


def _periods(past: Sequence[Figures], *, annual: bool) -> Iterator[Sequence[Figures]]:
    """Yield the periods of a report as quarters: those of the year before come first."""
    if annual:
        for years in (3, 2, 1):
            part = past[len(past) - 4 * years : len(past) - 4 * years + 4] if len(past) >= 4 * years else ()
            if part:
                yield part
        return
    count = past[-1].fiscal_quarter
    for last in (len(past) - 4, len(past)):
        if last >= 1:
            yield past[last - 1 : last]
        if count > 1 and last >= count:
            yield past[last - count : last]


def _flows(part: Sequence[Figures], filed: date) -> Iterator[tuple[str, str, int | float]]:
    revenue, cost = sum(one.revenue for one in part), sum(one.cost for one in part)
    operating, net = sum(one.operating for one in part), sum(one.net for one in part)
    cash_flow = sum(one.cash_flow for one in part)
    shares = round(sum(one.diluted for one in part) / len(part))
    new = "RevenueFromContractWithCustomerExcludingAssessedTax"
    yield (new if filed >= _NEW_TAG_SINCE else "SalesRevenueNet"), "USD", revenue
    yield "CostOfRevenue", "USD", cost
    yield "GrossProfit", "USD", revenue - cost
    yield "OperatingIncomeLoss", "USD", operating
    yield "IncomeTaxExpenseBenefit", "USD", operating - net
    yield "NetIncomeLoss", "USD", net
    yield "EarningsPerShareDiluted", "USD/shares", round(net / shares, 2)
    yield "WeightedAverageNumberOfDilutedSharesOutstanding", "shares", shares
    if len(part) == 1 and part[0].fiscal_quarter > 1:
        return  # cash flows are told from the start of the year only
    capex = sum(round(one.cash_flow * 0.3 / _MILLION) * _MILLION for one in part)
    yield "NetCashProvidedByUsedInOperatingActivities", "USD", cash_flow
    yield "PaymentsToAcquirePropertyPlantAndEquipment", "USD", capex


def _stocks(one: Figures) -> Iterator[tuple[str, int]]:
    yield "Assets", one.assets
    yield "Liabilities", one.liabilities
    yield "StockholdersEquity", one.equity
    yield "CashAndCashEquivalentsAtCarryingValue", one.cash
    yield "LongTermDebt", one.debt


def _framed(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return facts by period and day of filing; the last of each calendar period names its frame."""
    told.sort(key=lambda fact: (fact["end"], fact.get("start", ""), fact["filed"], fact["accn"]))
    last = {(fact.get("start"), fact["end"]): fact for fact in told}
    for (start, end), fact in last.items():
        frame = _frame(None if start is None else date.fromisoformat(start), date.fromisoformat(end))
        if frame:
            fact["frame"] = frame
    return told


def _frame(start: date | None, end: date) -> str:
    days = 0 if start is None else (end - start).days + 1
    middle = end - timedelta(days // 2)
    quarter = f"CY{middle.year}Q{(middle.month + 2) // 3}"
    if start is None:
        return f"{quarter}I"
    if days > 300:
        return f"CY{middle.year}"
    return quarter if days < 100 else ""


# ---------------------------------------------------------------- the data of a filing


def files(registrant: Registrant, filed: Filed) -> dict[str, bytes]:
    """Return the documents of a Form 4 or a report of holdings by name, the primary one first."""
    name = filed.document.rpartition("/")[2]
    if filed.form.startswith("13F"):
        table = f"holdings_{filed.number}.xml"
        return {name: _cover(registrant, filed), table: _table(registrant, filed)}
    return {name: _ownership(registrant, filed)}


def _price(registrant: Registrant, day: date) -> float:
    """Return what a share costs: a hundred times what it earned in a quarter, and two dollars at least."""
    return max(2.0, round(quarters(registrant, day)[-1].eps * 100, 2))


_Owner = tuple[int, str, str, str]  # CIK, name, flag, title


def _owners(registrant: Registrant, number: int) -> list[_Owner]:
    """Return who signs a Form 4: even numbers a person with a list of filings of its own, if there is one."""
    person = next((one for one in REGISTRANTS if one.insider_of == registrant.cik), None)
    base = 9_100_000 + registrant.cik % 100_000
    if number % 2:
        return [(base, "Marlow Idris", "isOfficer", "Chief Financial Officer")]
    cik, name = (base + 1, "Okafor Lena") if person is None else (person.cik, person.name)
    owners: list[_Owner] = [(cik, name, "isDirector", "")]
    if number % 6 == 0:
        owners.append((base + 2, f"{name.partition(' ')[0]} Family Trust", "isTenPercentOwner", ""))
    return owners


def _ownership(registrant: Registrant, filed: Filed) -> bytes:
    """Return a Form 4; an amendment tells what it amends again, with a hundred shares more."""
    number, more, original = filed.number, 0, ""
    if filed.form.endswith("/A"):
        amended = next(
            one for one in filings(registrant, filed.filed) if one.form == "4" and one.period == filed.period
        )
        number, more = amended.number, 100
        original = f"<dateOfOriginalSubmission>{amended.filed}</dateOfOriginalSubmission>"
    day = filed.period or filed.filed
    price = _price(registrant, day)
    rows, derivatives = _lines(number, day, price, more)
    owners = "".join(
        f"<reportingOwner><reportingOwnerId><rptOwnerCik>{cik:010d}</rptOwnerCik><rptOwnerName>{escape(name)}"
        f"</rptOwnerName></reportingOwnerId><reportingOwnerRelationship><{flag}>1</{flag}>"
        f"<officerTitle>{title}</officerTitle></reportingOwnerRelationship></reportingOwner>"
        for cik, name, flag, title in _owners(registrant, number)
    )
    planned = f"<aff10b5One>{number % 3 // 2}</aff10b5One>" if filed.filed >= date(2023, 4, 1) else ""
    return (
        '<?xml version="1.0"?>\n<ownershipDocument>\n'
        f"<schemaVersion>X0306</schemaVersion><documentType>{filed.form}</documentType>"
        f"<periodOfReport>{day}</periodOfReport>{original}"
        f"<issuer><issuerCik>{registrant.cik:010d}</issuerCik><issuerName>{escape(registrant.name)}</issuerName>"
        f"<issuerTradingSymbol>{registrant.tickers[0]}</issuerTradingSymbol></issuer>\n{owners}{planned}\n"
        f"<nonDerivativeTable>{rows}</nonDerivativeTable>\n<derivativeTable>{derivatives}</derivativeTable>\n"
        '<footnotes><footnote id="F1">The price is a weighted average of several trades.</footnote>'
        '<footnote id="F2">The price is that of the plan on the day of the grant.</footnote>'
        '<footnote id="F3">The option may be exercised in four equal parts.</footnote></footnotes>\n'
        "</ownershipDocument>\n"
    ).encode()


def _lines(number: int, day: date, price: float, more: int) -> tuple[str, str]:
    """Return the rows of the two tables: sales, a grant with tax, an exercise, or a purchase, in turn."""
    shares = 1_000 + number * 37 % 900 + more
    held = 50_000 + number * 113 % 9_000
    derivative = ""
    if number % 4 == 0:
        rows = _line(day, "S", shares, f"{price:.2f}", "D", held, note="F1")
        rows += _line(day, "S", shares // 2, f"{price + 0.4:.2f}", "D", held - shares // 2, note="F1")
    elif number % 4 == 1:
        rows = _line(day, "A", shares * 3, "0", "A", held + shares * 3)
        rows += _line(day, "F", shares, f"{price:.2f}", "D", held + shares * 2)
    elif number % 4 == 2:
        rows = _line(day, "M", shares, f"{price / 4:.2f}", "A", held + shares)
        rows += _line(day, "S", shares, f"{price:.2f}", "D", held, note="F1")
        derivative = _line(day, "M", shares, "0", "D", 0, strike=f"{price / 4:.2f}")
    else:
        rows = _line(day, "P", shares, "", "A", held + shares, note="F2")
    holding = (
        "<nonDerivativeHolding><securityTitle><value>Common Stock</value></securityTitle>"
        "<postTransactionAmounts><sharesOwnedFollowingTransaction>"
        f"<value>{held // 10}</value></sharesOwnedFollowingTransaction></postTransactionAmounts>"
        "<ownershipNature><directOrIndirectOwnership><value>I</value>"
        "</directOrIndirectOwnership><natureOfOwnership><value>By Trust</value></natureOfOwnership>"
        "</ownershipNature></nonDerivativeHolding>"
    )
    return rows + holding, derivative


def _line(
    day: date, code: str, shares: int, price: str, way: str, after: int, *, note: str = "", strike: str = ""
) -> str:
    kind = "derivativeTransaction" if strike else "nonDerivativeTransaction"
    title = "Stock Option (Right to Buy)" if strike else "Common Stock"
    value = f"<value>{price}</value>" if price else ""
    point = f'<footnoteId id="{note}"/>' if note else ""
    zone = "-05:00" if shares % 3 == 0 else ""
    option = (
        f"<conversionOrExercisePrice><value>{strike}</value></conversionOrExercisePrice>",
        '<exerciseDate><footnoteId id="F3"/></exerciseDate>'
        f"<expirationDate><value>{day.year + 6}-03-01</value></expirationDate><underlyingSecurity>"
        "<underlyingSecurityTitle><value>Common Stock</value></underlyingSecurityTitle>"
        f"<underlyingSecurityShares><value>{shares}.0</value></underlyingSecurityShares></underlyingSecurity>",
    )
    before, behind = option if strike else ("", "")
    return (
        f"<{kind}><securityTitle><value>{title}</value></securityTitle>{before}"
        f"<transactionDate><value>{day}{zone}</value></transactionDate><transactionCoding><transactionFormType>4"
        f"</transactionFormType><transactionCode>{code}</transactionCode><equitySwapInvolved>0"
        "</equitySwapInvolved></transactionCoding><transactionAmounts><transactionShares><value>"
        f"{shares}</value></transactionShares><transactionPricePerShare>{value}{point}</transactionPricePerShare>"
        f"<transactionAcquiredDisposedCode><value>{way}</value></transactionAcquiredDisposedCode>"
        f"</transactionAmounts>{behind}<postTransactionAmounts><sharesOwnedFollowingTransaction><value>{after}"
        "</value></sharesOwnedFollowingTransaction></postTransactionAmounts><ownershipNature>"
        "<directOrIndirectOwnership><value>D</value></directOrIndirectOwnership></ownershipNature>"
        f"</{kind}>"
    )


# ---------------------------------------------------------------- holdings


_Row = tuple[str, str, str, int, int, str]  # CUSIP, issuer, class, value in dollars, shares, put or call


@lru_cache(maxsize=64)
def _rows(manager: int, end: date) -> tuple[_Row, ...]:
    """Return what a manager holds at the end of a quarter: one security on two rows, and a put."""
    rows: list[_Row] = []
    age = (end.year - 2014) * 4 + end.month // 3
    for place, one in enumerate(REGISTRANTS):
        if one.kind != "company" or one.cik == manager:
            continue
        cusip = f"9{one.cik:07d}{place % 10}"
        shares = 2_000_000 + 90_000 * ((age * (place + 3)) % 17)
        price = _price(one, end)
        rows.append((cusip, one.name.upper(), "COM", round(shares * price), shares, ""))
        if place == 0:
            rows.append((cusip, one.name.upper(), "COM", round(shares // 4 * price), shares // 4, ""))
        if place == 2:
            rows.append((cusip, one.name.upper(), "COM", round(shares // 10 * price), shares // 10, "Put"))
    return tuple(rows)


def _stated(filed: Filed, dollars: int) -> int:
    return dollars if filed.filed >= _DOLLARS_SINCE else round(dollars / 1000)


def _cover(registrant: Registrant, filed: Filed) -> bytes:
    end = filed.period or filed.filed
    rows = _rows(registrant.cik, end)
    total = sum(_stated(filed, row[3]) for row in rows)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<edgarSubmission xmlns="http://www.sec.gov/edgar/thirteenffiler">'
        f"<headerData><submissionType>{filed.form}</submissionType><filerInfo><periodOfReport>{end:%m-%d-%Y}"
        "</periodOfReport></filerInfo></headerData><formData><coverPage><reportCalendarOrQuarter>"
        f"{end:%m-%d-%Y}</reportCalendarOrQuarter><isAmendment>false</isAmendment><filingManager><name>"
        f"{escape(registrant.name)}</name></filingManager><reportType>13F HOLDINGS REPORT</reportType>"
        f"</coverPage><summaryPage><otherIncludedManagersCount>1</otherIncludedManagersCount><tableEntryTotal>{len(rows)}"
        f"</tableEntryTotal><tableValueTotal>{total}</tableValueTotal></summaryPage></formData>"
        "</edgarSubmission>\n"
    ).encode()


def _table(registrant: Registrant, filed: Filed) -> bytes:
    """Return the information table; every other one has a prefix for its namespace."""
    p = "ns1:" if filed.number % 2 else ""
    space = f'xmlns{":ns1" if p else ""}="http://www.sec.gov/edgar/document/thirteenf/informationtable"'
    rows = "".join(
        f"<{p}infoTable><{p}nameOfIssuer>{escape(issuer)}</{p}nameOfIssuer><{p}titleOfClass>{title}"
        f"</{p}titleOfClass><{p}cusip>{cusip}</{p}cusip><{p}value>{_stated(filed, value)}</{p}value>"
        f"<{p}shrsOrPrnAmt><{p}sshPrnamt>{shares}</{p}sshPrnamt><{p}sshPrnamtType>SH</{p}sshPrnamtType>"
        f"</{p}shrsOrPrnAmt>{f'<{p}putCall>{put_call}</{p}putCall>' if put_call else ''}"
        f"<{p}investmentDiscretion>DFND</{p}investmentDiscretion></{p}infoTable>"
        for cusip, issuer, title, value, shares, put_call in _rows(
            registrant.cik, filed.period or filed.filed
        )
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{p}informationTable {space}>{rows}</{p}informationTable>\n'
    ).encode()
