"""Reported figures as a sheet: metrics down, periods across, the latest first, with their growth.

Pure. Which figures belong to which column is decided here once: a balance stands under the period
at whose end it was struck. It must not know of widgets or where figures come from.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from data.companies import CompanyFact
from nautilus_tui.terminal.magnitude import Scale, scale_of

Cadence = Literal["annual", "quarter"]
#: A balance may be dated some days beside the end of the period it closes.
_NEAR_DAYS = 10


class Span(NamedTuple):
    """One column: a fiscal year or a quarter of one."""

    year: int
    quarter: int | None
    end: dt.date

    @property
    def name(self) -> str:
        """How it is called: ``FY2025``, ``Q3 25``."""
        return f"FY{self.year}" if self.quarter is None else f"Q{self.quarter} {self.year % 100:02d}"


class Measure(NamedTuple):
    """One row: a metric, its unit and scale, and what is known of each column."""

    metric: str
    label: str
    unit: str
    scale: Scale
    facts: tuple[CompanyFact | None, ...]

    @property
    def written_unit(self) -> str:
        """The unit with its scale: ``USD M``, ``USD/shares``, ``M shares``."""
        if not self.scale.sign:
            return self.unit
        return f"{self.unit} {self.scale.sign}" if self.unit != "shares" else f"{self.scale.sign} shares"


class Sheet(NamedTuple):
    """Metrics by periods, latest period first."""

    cadence: Cadence
    spans: tuple[Span, ...]
    measures: tuple[Measure, ...]

    @property
    def derived(self) -> bool:
        """Whether any figure was computed and not reported."""
        return any(f is not None and f.derived for m in self.measures for f in m.facts)

    @property
    def restated(self) -> bool:
        """Whether any figure was told otherwise before."""
        return any(f is not None and f.restated for m in self.measures for f in m.facts)


def sheet(facts: Sequence[CompanyFact], cadence: Cadence) -> Sheet:
    """Lay figures out; of several of one metric and period the one filed last stands.

    Figures of other lengths (year to date) have no column. Metrics keep the order they come in.
    """
    spans = _spans(facts, cadence)
    rows: dict[tuple[str, str], dict[Span, CompanyFact]] = {}
    for fact in facts:
        row = rows.setdefault((fact.metric, fact.unit), {})
        span = _span_of(fact, cadence, spans)
        if span is not None and (span not in row or row[span].filed <= fact.filed):
            row[span] = fact
    measures = []
    for (metric, unit), known in rows.items():
        if not known:
            continue
        found = tuple(known.get(span) for span in spans)
        scale = scale_of((f.value for f in found if f is not None), per_share="/" in unit)
        label = next((f.label for f in found if f is not None and f.label), metric)
        measures.append(Measure(metric, label, unit, scale, found))
    return Sheet(cadence, tuple(spans), tuple(measures))


def _spans(facts: Iterable[CompanyFact], cadence: Cadence) -> list[Span]:
    """Return the columns there are, latest first; one for each fiscal period."""
    found: dict[tuple[int, int | None], dt.date] = {}
    for fact in facts:
        if fact.period == cadence:
            key = (fact.fiscal_year, fact.fiscal_quarter if cadence == "quarter" else None)
            if cadence == "annual" or key[1] is not None:
                found[key] = max(fact.end, found.get(key, fact.end))
    return sorted((Span(y, q, end) for (y, q), end in found.items()), key=lambda s: s.end, reverse=True)


def _span_of(fact: CompanyFact, cadence: Cadence, spans: Sequence[Span]) -> Span | None:
    if fact.period == "instant":
        near = min(spans, key=lambda s: abs((s.end - fact.end).days), default=None)
        return near if near is not None and abs((near.end - fact.end).days) <= _NEAR_DAYS else None
    if fact.period != cadence:
        return None
    quarter = fact.fiscal_quarter if cadence == "quarter" else None
    return next((s for s in spans if (s.year, s.quarter) == (fact.fiscal_year, quarter)), None)


def growth(fact: CompanyFact | None) -> str:
    """Write a figure's growth on the year before in per cent: ``+6.1%``; not known is empty."""
    if fact is None or fact.growth is None:
        return ""
    percent = fact.growth * 100
    if abs(percent) >= 1000:
        return f"{percent:+,.0f}%"
    written = f"{percent:+.1f}%"
    return "0.0%" if written in ("+0.0%", "-0.0%") else written
