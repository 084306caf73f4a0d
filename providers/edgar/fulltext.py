"""Search: companies by name and ticker, and filings by the words in them.

The two are asked apart, and one may fail without the other. What the search of texts answers is looked
over again, because it is wider than what was asked: amendments come with their form. This module must
not know how companies are found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

import msgspec

from data.companies import Company, FilingHit, SearchResult
from data.forms import day_of
from data.problems import BadPayloadError, ProviderBadRequestError, ProviderError
from providers.core.http import MINUTE, Answer, Stamp
from providers.edgar import form_types
from providers.edgar.submissions import plain_document
from providers.edgar.tickers import Tickers
from providers.edgar.wire import LABEL, EdgarWire, accession_of

_FRESH_S = 10 * MINUTE
_PAGE = 100
#: Matches beyond these cannot be asked for.
_MOST = 10_000
#: Texts of older filings are not searched.
FIRST = date(2001, 1, 1)


class _Source(msgspec.Struct, frozen=True):
    ciks: list[str] = []
    display_names: list[str] = []
    form: str | None = None
    root_forms: list[str] = []
    file_date: str | None = None
    period_ending: str | None = None
    file_description: str | None = None
    file_type: str | None = None


class _Hit(msgspec.Struct, frozen=True):
    id: str = msgspec.field(name="_id")
    source: _Source = msgspec.field(name="_source")


class _Total(msgspec.Struct, frozen=True):
    value: int
    relation: str = "eq"


class _Hits(msgspec.Struct, frozen=True):
    total: _Total
    hits: list[_Hit]


class _Shards(msgspec.Struct, frozen=True):
    failed: int = 0


class _Answer(msgspec.Struct, frozen=True):
    hits: _Hits
    timed_out: bool = False
    shards: _Shards = msgspec.field(name="_shards", default=_Shards())


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for in the texts."""

    text: str
    forms: tuple[str, ...]
    start: date | None
    end: date | None
    limit: int

    def params(self, offset: int, today: date) -> dict[str, str]:
        """Return the query for the matches from a place on."""
        params = {"q": self.text, "from": str(offset)}
        if self.forms:
            params["forms"] = ",".join(sorted(form_types.wanted(self.forms)))
        if self.start is not None or self.end is not None:
            params["dateRange"] = "custom"
            params["startdt"] = max(self.start or FIRST, FIRST).isoformat()
            params["enddt"] = (self.end or today).isoformat()
        return params

    def accepts(self, hit: FilingHit) -> bool:
        """Say whether a match is one that was asked for."""
        if self.forms and hit.form not in form_types.wanted(self.forms):
            return False
        if hit.filed is None:
            return self.start is None and self.end is None
        return (self.start is None or hit.filed >= self.start) and (self.end is None or hit.filed <= self.end)


@dataclass(slots=True)
class _Found:
    """Matches so far."""

    hits: dict[str, FilingHit] = field(default_factory=dict)
    total: int | None = None
    problems: list[str] = field(default_factory=list)
    stamp: Stamp | None = None


async def search(
    wire: EdgarWire,
    tickers: Tickers,
    text: str,
    *,
    forms: tuple[str, ...] = (),
    start: date | None = None,
    end: date | None = None,
    limit: int = 20,
) -> SearchResult:
    """Return companies by name and filings by their text.

    Raises:
        ProviderBadRequestError: there is nothing to look for.
        ProviderError: neither could be looked for.
    """
    question = Question(" ".join(text.split()), forms, start, end, max(0, limit))
    if not question.text:
        raise ProviderBadRequestError(
            f"{LABEL}: nothing to look for was given",
            rule="a search has at least one word",
            fix="give a name, a ticker or words of a filing",
        )
    found, failed = _Found(), None
    try:
        await _look(wire, question, found)
    except ProviderError as error:
        failed = error
        found.problems.append(f"the texts of filings could not be searched: {error.detail}")
    companies: list[Company] = []
    try:
        companies = await tickers.companies(question.text, question.limit)
    except ProviderError as error:
        if failed is not None:
            raise failed from error
        found.problems.append(f"companies could not be searched: {error.detail}")
    return SearchResult(
        query=question.text,
        companies=tuple(companies),
        filings=tuple(found.hits.values())[: question.limit],
        filings_total=found.total,
        problems=tuple(found.problems),
        **_stamp(wire, found.stamp, companies)._asdict(),
    )


def _stamp(wire: EdgarWire, stamp: Stamp | None, companies: Iterable[Company]) -> Stamp:
    """Return where a result comes from: the older of its two sources, and stale if one is."""
    stamps = [] if stamp is None else [stamp]
    stamps += [Stamp(one.source, one.as_of, one.fetched_at, one.synthetic, one.stale) for one in companies]
    if not stamps:
        now = wire.http.clock()
        return Stamp(wire.http.source, day_of(now), now, wire.http.synthetic)
    oldest = min(stamps, key=lambda one: one.fetched_at)
    return oldest._replace(stale=next((one.stale for one in stamps if one.stale), None))


async def _look(wire: EdgarWire, question: Question, found: _Found) -> None:
    """Look through pages of matches until there are as many as wanted."""
    today = day_of(wire.http.clock())
    seen: set[str] = set()
    for offset in range(0, _MOST, _PAGE):
        try:
            answer = await wire.get_json(
                f"{wire.efts}/LATEST/search-index",
                question.params(offset, today),
                type=_Answer,
                label="the result of a search",
                fresh_s=_FRESH_S,
            )
        except ProviderError as error:
            if offset == 0:
                raise
            found.problems.append(f"matches after the first {offset} could not be had: {error.detail}")
            return
        _take(wire, question, answer, found, first=offset == 0)
        page = answer.value.hits.hits
        if offset + _PAGE >= answer.value.hits.total.value:
            found.total = None if found.total is None else len(found.hits)  # a page may repeat a match
            return
        if len(found.hits) >= question.limit:
            return
        if seen.issuperset(hit.id for hit in page):
            found.problems.append(f"matches after the first {offset} could not be had: nothing new came")
            return
        seen.update(hit.id for hit in page)
    found.problems.append(f"matches after the first {_MOST} cannot be had: look for more words")


def _take(
    wire: EdgarWire, question: Question, answer: Answer[_Answer], found: _Found, *, first: bool
) -> None:
    """Take a page's matches; count them only where all that match is what was asked for."""
    value, stamp = answer.value, answer.stamp(day_of(answer.fetched_at))
    if first:
        found.total = value.hits.total.value if value.hits.total.relation == "eq" else None
        found.stamp = stamp
    if value.timed_out or value.shards.failed:
        found.problems.append("the search of texts gave up on some of them")
        found.total = None
    for hit in value.hits.hits:
        read = _hit(wire, hit, stamp)
        if question.accepts(read):
            found.hits.setdefault(hit.id, read)
        else:
            found.total = None


def _hit(wire: EdgarWire, hit: _Hit, stamp: Stamp) -> FilingHit:
    number, _, document = hit.id.partition(":")
    source = hit.source
    try:
        accession = accession_of(number)
        ciks = tuple(int(cik) for cik in source.ciks)
        document = plain_document(document)
        url = wire.document_url(ciks[0], accession, document) if ciks and document else ""
        filed = date.fromisoformat(source.file_date) if source.file_date else None
        period = date.fromisoformat(source.period_ending) if source.period_ending else None
    except (ProviderBadRequestError, ValueError) as error:
        raise BadPayloadError(
            f"{LABEL}: a match of a search cannot be read: {error}",
            rule="a match tells a filing's number, document and date",
            fix="nothing of the search was used; ask again later",
        ) from error
    form = source.form or next(iter(source.root_forms), "") or source.file_type or ""
    return FilingHit(
        accession=accession,
        document=document,
        form=form_types.normal(form),
        filed=filed,
        period=period,
        ciks=ciks,
        names=tuple(name.split("  (", 1)[0].strip() for name in source.display_names),
        description=source.file_description or source.file_type or "",
        url=url,
        **stamp._asdict(),
    )
