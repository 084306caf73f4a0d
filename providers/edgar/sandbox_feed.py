"""The sandbox twin's live feed of filings and its search of their texts.

This module must not know how documents look, only what they say.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from html import escape
from itertools import islice

from data import forms
from providers.core.sandbox import Reply
from providers.edgar.sandbox_companies import BY_CIK, REGISTRANTS, Filed, Registrant, filings
from providers.edgar.sandbox_documents import words_of

#: The feed shows filings of so many days.
_FEED_DAYS = 10
_PAGE = 100
_MOST_HITS = 10_000


def _latest(today: date, since: date) -> list[tuple[Filed, Registrant]]:
    """Return filings with their filers, latest first; a Form 4 comes once for each filer."""
    found = [
        (filed, registrant)
        for registrant in REGISTRANTS
        for filed in filings(registrant, today)
        if filed.filed >= since
    ]
    return sorted(found, key=lambda one: (one[0].filed, one[0].accession, one[1].cik), reverse=True)


def current(query: Mapping[str, str], now: int) -> Reply | None:
    """Answer with a page of the live feed; None past its end."""
    moment = datetime.fromtimestamp(now // forms.NANOS, UTC)
    start, count = int(query.get("start") or 0), int(query.get("count") or 40)
    wanted = query.get("type", "")
    entries = [
        (filed, registrant)
        for filed, registrant in _latest(moment.date(), moment.date() - timedelta(_FEED_DAYS))
        if filed.form.startswith(wanted)
    ]
    if start > 0 and start >= len(entries):
        return None
    body = "\n".join(_entry(filed, registrant) for filed, registrant in entries[start : start + count])
    text = (
        '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<title>Latest Filings</title>\n<updated>{moment:%Y-%m-%dT%H:%M:%S}+00:00</updated>\n"
        f"{body}\n</feed>\n"
    )
    return Reply(text.encode("iso-8859-1", "xmlcharrefreplace"), "application/atom+xml")


def _entry(filed: Filed, registrant: Registrant) -> str:
    subject = filed.cik == registrant.cik
    ownership = filed.form.partition("/")[0] in ("3", "4", "5")
    role = ("Issuer" if subject else "Reporting") if ownership else "Filer"
    folder = filed.accession.replace("-", "")
    link = f"https://www.sec.gov/Archives/edgar/data/{registrant.cik}/{folder}/{filed.accession}-index.htm"
    summary = f"\n <b>Filed:</b> {filed.filed} <b>AccNo:</b> {filed.accession} <b>Size:</b> 9 KB\n"
    return (
        f"<entry>\n<title>{filed.form} - {escape(registrant.name)} ({registrant.cik:010d}) ({role})</title>\n"
        f'<link rel="alternate" type="text/html" href="{link}"/>\n'
        f'<summary type="html">{escape(summary)}</summary>\n'
        f"<updated>{filed.filed}T00:00:{filed.number % 60:02d}+00:00</updated>\n"
        f'<category scheme="https://www.sec.gov/" label="form type" term="{escape(filed.form)}"/>\n'
        f"<id>urn:tag:sec.gov,2008:accession-number={filed.accession}</id>\n</entry>"
    )


def search(query: Mapping[str, str], today: date) -> Reply:
    """Answer a search: filings whose filer or document has all of the words."""
    words = [word.casefold() for word in query.get("q", "").replace('"', " ").split()]
    wanted = [form for form in query.get("forms", "").split(",") if form]
    first = query.get("startdt") or "2001-01-01"
    last = query.get("enddt") or today.isoformat()
    hits = [
        filed
        for filed, registrant in _latest(today, date.fromisoformat(first))
        if filed.filed.isoformat() <= last
        and (not wanted or filed.form in wanted or filed.form.partition("/")[0] in wanted)
        and filed.cik == registrant.cik
        and all(word in _text(filed, registrant) for word in words)
    ]
    start = int(query.get("from") or 0)
    return Reply.json(
        {
            "took": 1,
            "timed_out": False,
            "hits": {
                "total": {
                    "value": min(len(hits), _MOST_HITS),
                    "relation": "eq" if len(hits) < _MOST_HITS else "gte",
                },
                "max_score": 1.0 if hits else None,
                "hits": [_hit(filed) for filed in islice(hits, start, start + _PAGE)],
            },
        }
    )


def _text(filed: Filed, registrant: Registrant) -> str:
    return " ".join((*registrant.tickers, registrant.industry, words_of(filed))).casefold()


def _hit(filed: Filed) -> dict[str, object]:
    registrant = BY_CIK[filed.cik]
    tickers = f"  ({', '.join(registrant.tickers)})" if registrant.tickers else ""
    document = filed.document.rpartition("/")[2]
    return {
        "_index": "edgar_file",
        "_id": f"{filed.accession}:{document}",
        "_score": 1.0,
        "_source": {
            "ciks": [f"{filed.cik:010d}"],
            "period_ending": None if filed.period is None else filed.period.isoformat(),
            "display_names": [f"{registrant.name}{tickers}  (CIK {filed.cik:010d})"],
            "root_forms": [filed.form.partition("/")[0]],
            "file_date": filed.filed.isoformat(),
            "form": filed.form,
            "adsh": filed.accession,
            "file_type": filed.form,
            "file_description": filed.title or None,
            "items": [item for item in filed.items.split(",") if item],
        },
    }
