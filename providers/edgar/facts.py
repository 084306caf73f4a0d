"""Reported figures of a company: one value for each period, under our names for the figures.

A fact is known from the day on which it was filed; EDGAR tells the day and not the hour, so what acts
on a fact may do so from the next session. This module must not know how EDGAR is asked.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import get_args

import msgspec

from data.companies import Company, CompanyFact, CompanyFacts, Period, View
from data.forms import day_of
from data.problems import BadPayloadError, ProviderBadRequestError, ProviderNotFoundError
from providers.core.http import HOUR, Stamp
from providers.edgar.figures import (
    Figure,
    Figures,
    Key,
    combined,
    consistent,
    figures,
    growth,
    pools,
    told,
    with_quarters,
)
from providers.edgar.metrics import FREE_CASH_FLOW, METRICS, Metric, Tag, adds_up, named, nearest
from providers.edgar.periods import FiscalCalendar, Reported, fiscal_calendar
from providers.edgar.wire import DOCUMENT_BYTES, EdgarWire

#: Filings come on working days; a few hours is soon enough for what describes a quarter.
_FRESH_S = 6 * HOUR
_TAXONOMIES = ("us-gaap", "ifrs-full", "srt", "dei")
_ORDER = {"annual": 0, "ytd": 1, "quarter": 2, "instant": 3, "other": 4}
#: Proxy statements repeat figures of the accounts, rounded.
_PROXIES = ("DEF", "PRE")
_ACCOUNTS = ("us-gaap", "ifrs-full")
#: Slips of the pen: no period of a company lies outside these years.
_YEARS = range(1900, 2200)


class Concept(msgspec.Struct, frozen=True):
    """All that was told under one tag."""

    units: dict[str, list[Reported]]
    label: str | None = None


class CompanyFactsFile(msgspec.Struct, frozen=True):
    """The file of a company's facts."""

    cik: int | str
    facts: dict[str, dict[str, Concept]]
    entityName: str | None = None  # noqa: N815 - the name on the wire


@dataclass(frozen=True, slots=True)
class _Series:
    """A figure over time."""

    metric: str
    label: str
    unit: str
    figures: Figures
    growths: dict[Key, float | None]


async def company_facts(
    wire: EdgarWire,
    company: Company,
    metric: str | None,
    period: Period | None,
    view: View,
    as_of: date | None,
    limit: int | None,
) -> CompanyFacts:
    """Return a company's figures, latest period first.

    Args:
        wire: EDGAR.
        company: whose.
        metric: one of `METRICS` by name, or a tag such as ``us-gaap:AccountsPayableCurrent``; None: all
            named ones, of years unless ``period`` says otherwise.
        period: only these. Of what is told at a date, ``annual`` is at the end of fiscal years and
            ``quarter`` at the end of quarters.
        view: as first filed, or as last restated.
        as_of: only what was filed on this date or before; what acts on it may do so from the next session.
        limit: at most so many of each metric.

    Raises:
        ProviderNotFoundError: no such figure of this company; the nearest ones are named.
        ProviderBadRequestError: the limit is not positive, or there is no such view.
        ProviderError: the facts cannot be had.
    """
    if limit is not None and limit < 1:
        raise ProviderBadRequestError("a limit is 1 or more", rule="limit >= 1", fix="leave it out for all")
    if view not in get_args(View):
        raise ProviderBadRequestError(
            f"{str(view)[:40]!r} is not a view", rule="a view of facts", fix=" or ".join(get_args(View))
        )
    answer = await wire.get_json(
        wire.data_url("api/xbrl/companyfacts", company.cik),
        type=CompanyFactsFile,
        label="the file of a company's facts",
        fresh_s=_FRESH_S,
        max_bytes=DOCUMENT_BYTES,
    )
    known = as_of or day_of(answer.fetched_at)
    stamp = answer.stamp(known)
    return await asyncio.to_thread(select, answer.value, company, metric, period, view, as_of, limit, stamp)


def select(
    file: CompanyFactsFile,
    company: Company,
    metric: str | None,
    period: Period | None,
    view: View,
    as_of: date | None,
    limit: int | None,
    stamp: Stamp,
) -> CompanyFacts:
    """Return what was asked for out of the file of a company's facts; see `company_facts`."""
    if str(file.cik).lstrip("0") != str(company.cik):
        raise BadPayloadError(
            f"EDGAR answered with facts of CIK {str(file.cik)[:20]} instead of {company.cik}",
            rule="an answer is about the company that was asked for",
            fix="nothing of it was used; check the provider's address in the settings",
        )
    book = _Book(file, view, as_of, company.fiscal_year_end)
    if metric is None:
        series = [one for each in METRICS for one in book.named(each)]
        period = period or "annual"
    else:
        series = book.asked(metric)
    facts = [fact for one in series for fact in _facts(one, book, company.cik, period, view, stamp)[:limit]]
    facts.sort(key=lambda fact: (-fact.end.toordinal(), _ORDER[fact.period]))
    return CompanyFacts(
        cik=company.cik,
        name=file.entityName or company.name,
        view=view,
        facts=tuple(facts),
        metrics=book.names(),
        **stamp._asdict(),
    )


class _Book:
    """A company's facts as they were known at a time, in one view."""

    def __init__(self, file: CompanyFactsFile, view: View, as_of: date | None, fiscal_year_end: str) -> None:
        self._concepts: dict[Tag, Concept] = {
            (taxonomy, tag): concept
            for taxonomy in sorted(file.facts, key=_rank)
            for tag, concept in file.facts[taxonomy].items()
        }
        self._view: View = view
        self._as_of = as_of
        everything = (
            self._known(tag, unit) for tag, concept in self._concepts.items() for unit in concept.units
        )
        self.calendar: FiscalCalendar = fiscal_calendar(
            (fact for facts in everything for fact in facts), fiscal_year_end
        )

    def _known(self, tag: Tag, unit: str) -> list[Reported]:
        """Return what was told under a tag in a unit by the time as of which this is."""
        passed_over = _PROXIES if tag[0] in _ACCOUNTS else ()
        return [
            fact
            for fact in self._concepts[tag].units.get(unit, ())
            if (self._as_of is None or fact.filed <= self._as_of)
            and fact.end.year in _YEARS
            and (fact.start is None or fact.start.year in _YEARS)
            and not fact.form.startswith(passed_over)
        ]

    def label(self, tag: Tag) -> str | None:
        """Return the label of a tag."""
        return self._concepts[tag].label

    def names(self) -> tuple[str, ...]:
        """Return what can be asked for of this company: named figures, then tags."""
        own = {metric.name for metric in METRICS if any(tag in self._concepts for tag in metric.tags)}
        if {"operating_cash_flow", "capex"} <= own:
            own.add(FREE_CASH_FLOW.name)
        tags = (f"{taxonomy}:{tag}" for taxonomy, tag in self._concepts)
        return (*(metric.name for metric in METRICS if metric.name in own), *tags)

    def asked(self, text: str) -> list[_Series]:
        """Return the figure of a name or of a tag; raises ProviderNotFoundError."""
        metric = named(text)
        if metric is not None and metric.name in self.names():
            return self.named(metric)
        taxonomy, _, bare = text.strip().rpartition(":")
        for tag in self._concepts:
            if tag[1].lower() == bare.lower() and taxonomy.lower() in ("", tag[0].lower()):
                return self._of_tag(tag)
        near = nearest(text, self.names())
        raise ProviderNotFoundError(
            f"this company has not reported {text[:80]!r}",
            rule="a figure is a named one or a tag that the company uses",
            fix=f"ask for {' or '.join(near)}" if near else "ask without a metric to see what there is",
            metric=text[:80],
        )

    def named(self, metric: Metric) -> list[_Series]:
        """Return a named figure, in the one unit in which most was told lately; none if never told."""
        if metric is FREE_CASH_FLOW:
            return self._free_cash_flow()
        unit = self._unit(metric)
        if unit is None:
            return []
        series = [
            told(self._known(tag, unit), tag, rank)
            for rank, tag in enumerate(metric.tags)
            if tag in self._concepts
        ]
        found: dict[Key, Figure] = {}
        growths: dict[Key, float | None] = {}
        for pool in pools(series):
            mine = figures(pool, self.calendar, self._view)
            mine = {key: figure for key, figure in mine.items() if key[0].period != "other"}
            if metric.kind == "flow":
                mine = with_quarters(mine)
            for key, figure in mine.items():
                if key not in found:
                    found[key], growths[key] = figure, growth(mine, key, self._view)
        return [_Series(metric.name, metric.label, unit, found, growths)]

    def _unit(self, metric: Metric) -> str | None:
        best: dict[str, tuple[date, int]] = {}
        for tag in metric.tags:
            for unit in self._concepts[tag].units if tag in self._concepts else ():
                ends = [fact.end for fact in self._known(tag, unit)]
                if ends and metric.takes(unit):
                    last, count = best.get(unit, (date.min, 0))
                    best[unit] = max(last, *ends), count + len(ends)
        return max(best, key=lambda unit: (*best[unit], unit), default=None)

    def _of_tag(self, tag: Tag) -> list[_Series]:
        """Return what was told under a tag, in every unit."""
        result = []
        for unit in self._concepts[tag].units:
            mine = figures(told(self._known(tag, unit), tag, 0), self.calendar, self._view)
            if adds_up(tag) and "/" not in unit:
                mine = with_quarters(mine)
            growths = {key: growth(mine, key, self._view) for key in mine}
            result.append(_Series(tag[1], "", unit, mine, growths))
        return result

    def _free_cash_flow(self) -> list[_Series]:
        parts = [one for name in ("operating_cash_flow", "capex") for one in self.named(_metric(name))]
        if len(parts) != 2 or parts[0].unit != parts[1].unit:
            return []
        cash_flow, capex = parts
        found: dict[Key, Figure] = {}
        for key, inflow in cash_flow.figures.items():
            outflow = capex.figures.get(key)
            if outflow is None or outflow.end != inflow.end or not consistent([inflow, outflow]):
                continue
            how = "operating_cash_flow - capex"
            if inflow.derived or outflow.derived:
                how += f" ({inflow.derived or outflow.derived})"
            found[key] = combined([inflow, outflow], inflow.value - outflow.value, how)
        growths = {key: growth(found, key, self._view) for key in found}
        return [_Series(FREE_CASH_FLOW.name, FREE_CASH_FLOW.label, cash_flow.unit, found, growths)]


def _metric(name: str) -> Metric:
    return next(metric for metric in METRICS if metric.name == name)


def _rank(taxonomy: str) -> tuple[int, str]:
    return (_TAXONOMIES.index(taxonomy) if taxonomy in _TAXONOMIES else len(_TAXONOMIES)), taxonomy


def _facts(
    series: _Series, book: _Book, cik: int, period: Period | None, view: View, stamp: Stamp
) -> list[CompanyFact]:
    """Return the periods of a figure that were asked for, latest first."""
    chosen = [key for key in series.figures if _wanted(key, period)]
    chosen.sort(key=lambda key: (-series.figures[key].end.toordinal(), _ORDER[key[0].period], key))
    return [_fact(series, key, book, cik, view, stamp) for key in chosen]


def _wanted(key: Key, period: Period | None) -> bool:
    span = key[0]
    if period is None:
        return span.period != "other"
    if span.period == "instant" and period in ("annual", "quarter"):
        return span.quarter == 4 or (period == "quarter" and span.quarter is not None)
    return span.period == period


def _fact(series: _Series, key: Key, book: _Book, cik: int, view: View, stamp: Stamp) -> CompanyFact:
    span, figure = key[0], series.figures[key]
    taxonomy, tag = figure.told.tag
    derived_from_others = series.metric == FREE_CASH_FLOW.name
    return CompanyFact(
        cik=cik,
        metric=series.metric,
        taxonomy=taxonomy,
        tag="" if derived_from_others else tag,
        label=series.label if derived_from_others else book.label((taxonomy, tag)) or series.label or tag,
        unit=series.unit,
        period=span.period,
        start=figure.start,
        end=figure.end,
        value=figure.value,
        fiscal_year=span.year,
        fiscal_quarter=span.quarter,
        filed=figure.told.filed,
        form=figure.told.form,
        accession=figure.told.accession,
        view=view,
        restated=figure.restated,
        derived=figure.derived,
        growth=series.growths[key],
        **stamp._asdict(),
    )
