"""The live feed: what was filed last, over all companies.

A filing comes once for each of its filers, one page may repeat what the page before had, and past the
end there is a page of HTML where an empty one would be. This module must not know who is watched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from lxml import etree, html

from data.companies import Filing
from data.forms import day_of
from data.problems import BadPayloadError, ProviderBadRequestError, ProviderError
from providers.core.exchange import Body
from providers.core.http import Stamp
from providers.edgar import form_types
from providers.edgar.tickers import Table, Tickers, tickers_of
from providers.edgar.wire import LABEL, EdgarWire, accession_of, is_end_of_feed, page_title, xml_of

_FRESH_S = 30.0
_PAGE = 100
_ATOM = "{http://www.w3.org/2005/Atom}"
_TITLE = re.compile(r"(?P<form>.+?) - (?P<name>.*) \((?P<cik>\d{1,10})\) \((?P<role>[^()]*)\)", re.DOTALL)
_FILED = re.compile(r"Filed:\s*(\d{4}-\d{2}-\d{2})")
_ITEM = re.compile(r"Item (\d+\.\d+)")
#: Who a filing is shown under when it comes for several: the company it is about, then who filed it.
_ROLES = ("Issuer", "Subject", "Filer", "Reporting", "Filed by")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the feed: a filing under one of its filers."""

    accession: str
    form: str
    filed: date
    accepted: str
    cik: int
    name: str
    role: str
    items: tuple[str, ...]
    url: str

    @property
    def rank(self) -> int:
        """The smaller, the rather the filing is shown under this filer."""
        return _ROLES.index(self.role) if self.role in _ROLES else len(_ROLES)


_xml = xml_of("the live feed")


def _read(body: Body) -> list[Entry] | None:
    """Return the entries of a page; None: it lies past the end."""
    if is_end_of_feed(body) or (body.status == 200 and b"File Unavailable" in page_title(body)):
        return None
    root = _xml(body)
    if root.tag != f"{_ATOM}feed":
        raise _bad(f"its root is {str(root.tag)[:60]}")
    return [_entry(entry) for entry in root.iterchildren(f"{_ATOM}entry")]


def _entry(element: etree._Element) -> Entry:
    title = " ".join((element.findtext(f"{_ATOM}title") or "").split())
    found = _TITLE.fullmatch(title)
    if found is None:
        raise _bad(f"the title {title[:80]!r} names no form and filer")
    category, link = element.find(f"{_ATOM}category"), element.find(f"{_ATOM}link")
    summary = _plain(element.findtext(f"{_ATOM}summary") or "")
    filed = _FILED.search(summary)
    try:
        accession = accession_of((element.findtext(f"{_ATOM}id") or "").rpartition("=")[2])
        day = date.fromisoformat(filed[1] if filed else "")
    except (ProviderBadRequestError, ValueError) as error:
        raise _bad(f"the entry {title[:80]!r} has no number or no date") from error
    href = "" if link is None else link.get("href", "")
    form = form_types.normal((category is not None and category.get("term")) or found["form"])
    return Entry(
        accession=accession,
        form=form,
        filed=day,
        accepted=(element.findtext(f"{_ATOM}updated") or "").strip(),
        cik=int(found["cik"]),
        name=found["name"],
        role=found["role"],
        items=tuple(_ITEM.findall(summary)) if form.startswith("8-K") else (),
        url=href if href.startswith(("https://", "http://")) else "",
    )


def _plain(fragment: str) -> str:
    """Return a fragment of HTML as text."""
    return " ".join(html.fromstring(f"<div>{fragment}</div>").text_content().split())


def _bad(what: str) -> BadPayloadError:
    return BadPayloadError(
        f"{LABEL}: the live feed cannot be read: {what}",
        rule="an entry tells a filing's form, filer, number and date",
        fix="nothing of the page was used; ask again later",
    )


# ---------------------------------------------------------------- questions


async def current(wire: EdgarWire, tickers: Tickers, *, form: str = "", limit: int = 100) -> list[Filing]:
    """Return what was filed last, latest first, each filing once.

    Args:
        wire: where to ask.
        tickers: the list that tells the companies' tickers.
        form: only this one; renamed forms are found under either name.
        limit: at most so many; there are fewer if the feed ends before.

    Raises:
        ProviderError: a page cannot be had.
    """
    wanted = form_types.wanted((form,)) if form.strip() else frozenset()
    asked = max(wanted, key=len, default="")  # new filings have the new name, which is the longer one
    found: dict[str, tuple[Entry, Stamp]] = {}
    start = 0
    while _count(found, wanted) < limit:
        params = {
            "action": "getcurrent",
            "type": asked,
            "owner": "include",
            "count": str(_PAGE),
            "start": str(start),
            "output": "atom",
        }
        answer = await wire.http.get(f"{wire.www}/cgi-bin/browse-edgar", params, read=_read, fresh_s=_FRESH_S)
        entries = answer.value or []
        before = len(found)
        stamp = answer.stamp(day_of(answer.fetched_at))
        for entry in entries:
            known = found.get(entry.accession)
            if known is None or entry.rank < known[0].rank:
                found[entry.accession] = (entry, stamp)
        if len(entries) < _PAGE or len(found) == before:
            break
        start += _PAGE
    table = await _table(tickers)
    shown = (one for one in found.values() if not wanted or one[0].form in wanted)
    latest = sorted(shown, key=lambda one: (one[0].filed, one[0].accepted), reverse=True)
    return [_filing(entry, table, stamp) for entry, stamp in latest[: max(0, limit)]]


def _count(found: dict[str, tuple[Entry, Stamp]], wanted: frozenset[str]) -> int:
    return sum(1 for entry, _ in found.values() if not wanted or entry.form in wanted)


async def _table(tickers: Tickers) -> Table | None:
    """Return the list of tickers; None: it cannot be had, and the feed stands without tickers."""
    try:
        return (await tickers.table()).value
    except ProviderError:
        return None


def _filing(entry: Entry, table: Table | None, stamp: Stamp) -> Filing:
    return Filing(
        cik=entry.cik,
        company=entry.name,
        tickers=tickers_of(table, entry.cik),
        accession=entry.accession,
        form=entry.form,
        form_title=form_types.lookup(entry.form).title,
        filed=entry.filed,
        accepted=entry.accepted,
        items=entry.items,
        url=entry.url,
        amendment=form_types.is_amendment(entry.form),
        **stamp._asdict(),
    )
