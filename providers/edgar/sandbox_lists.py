"""The lists of the sandbox twin: tickers, and what each registrant filed with its further pages.

This module must not know what a filing says.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from providers.edgar.sandbox_companies import REGISTRANTS, Filed, Registrant, filings, month_end

#: The main list has so many filings, or those of a year if they are more.
_RECENT = 1000
_RECENT_DAYS = 366
_PAGE = 1200


def tickers() -> dict[str, object]:
    """Return the list of tickers: one row for each class of shares, in the order of rank."""
    first = [(one.cik, ticker, one.name) for one in REGISTRANTS for ticker in one.tickers[:1]]
    others = [(one.cik, ticker, one.name) for one in REGISTRANTS for ticker in one.tickers[1:]]
    return {
        str(rank): {"cik_str": cik, "ticker": ticker, "title": name}
        for rank, (cik, ticker, name) in enumerate([*first, *others])
    }


def submissions(registrant: Registrant, today: date, page: int) -> dict[str, object] | None:
    """Return a registrant's file (page 0) or one of its further pages; None: there is none."""
    everything = filings(registrant, today)
    recent, pages = _split(everything, today)
    if page > 0:
        return _arrays(pages[page - 1]) if page <= len(pages) else None
    return {
        "cik": f"{registrant.cik:010d}",
        "entityType": "operating" if registrant.kind == "company" else "other",
        "sic": registrant.sic,
        "sicDescription": registrant.industry,
        "name": registrant.name,
        "tickers": list(registrant.tickers),
        "exchanges": [registrant.exchange for _ in registrant.tickers],
        "ein": None,
        "category": "",
        "fiscalYearEnd": f"{month_end(today.year, registrant.year_end):%m%d}",
        "stateOfIncorporation": registrant.state if registrant.kind != "person" else "",
        "formerNames": [{"name": name, "from": None, "to": None} for name in registrant.former],
        "filings": {
            "recent": _arrays(recent),
            "files": [
                {
                    "name": f"CIK{registrant.cik:010d}-submissions-{number:03d}.json",
                    "filingCount": len(rows),
                    "filingFrom": rows[-1].filed.isoformat(),
                    "filingTo": rows[0].filed.isoformat(),
                }
                for number, rows in enumerate(pages, start=1)
            ],
        },
    }


def _split(everything: Sequence[Filed], today: date) -> tuple[Sequence[Filed], list[Sequence[Filed]]]:
    """Return the filings of the main list and of each further page."""
    year = today - timedelta(_RECENT_DAYS)
    count = max(_RECENT, sum(1 for filed in everything if filed.filed > year))
    rest = everything[count:]
    return everything[:count], [rest[start : start + _PAGE] for start in range(0, len(rest), _PAGE)]


def _arrays(rows: Sequence[Filed]) -> dict[str, object]:
    return {
        "accessionNumber": [row.accession for row in rows],
        "filingDate": [row.filed.isoformat() for row in rows],
        "reportDate": ["" if row.period is None else row.period.isoformat() for row in rows],
        "acceptanceDateTime": [row.accepted for row in rows],
        "act": ["34" for _ in rows],
        "form": [row.form for row in rows],
        "fileNumber": ["" for _ in rows],
        "filmNumber": ["" for _ in rows],
        "items": [row.items for row in rows],
        "core_type": [row.form for row in rows],
        "size": [None for _ in rows],
        "isXBRL": [int(row.form[:4] in ("10-K", "10-Q")) for row in rows],
        "isInlineXBRL": [int(row.form[:4] in ("10-K", "10-Q")) for row in rows],
        "primaryDocument": [row.document for row in rows],
        "primaryDocDescription": [row.title for row in rows],
    }
