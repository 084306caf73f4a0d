"""Correlation: how what is held moves together, and what that leaves of diversification."""

from __future__ import annotations

import math

from data import forms
from risk.correlation import Correlations, Pair, correlations, diversification
from risk.frames import ReturnsFrame
from risk.measures.book import held
from risk.reports.build import common
from risk.reports.document import Block, Chart, Column, Figure, Paragraph, Raw, Section, Table, table
from risk.reports.facts import ReportFacts

_READ = 10  #: a matrix of more instruments is read as pairs, and as a picture
_PAIRS = 15


def sections(facts: ReportFacts) -> tuple[Section, ...]:
    """Return the report's sections."""
    frame = facts.frame
    if frame is None:
        return (Section("summary", "Summary", (common.missing(facts, "frame", "Correlation"),)),)
    found = correlations(frame)
    notes = [
        *frame.notes,
        *(f"{name} is left out: {reason}" for name, reason in sorted(frame.missing.items())),
    ]
    summary: list[Block] = [
        common.figures("summary", "Summary", _figures(facts, frame, found)),
        *common.told(facts, notes),
    ]
    if found is None:
        summary.append(
            Paragraph(
                "There is no correlation to tell: it takes returns of two instruments over the same times."
            )
        )
        return (Section("summary", "Summary", tuple(summary)),)
    return (
        Section("summary", "Summary", tuple(summary)),
        Section("matrix", "Matrix", _matrix(found)),
        Section("pairs", "Pairs", _pairs(found)),
    )


def _figures(facts: ReportFacts, frame: ReturnsFrame, found: Correlations | None) -> list[Figure]:
    few = "fewer than two instruments have returns over the same times"
    of = held(facts.portfolio, frame)
    ratio = diversification(of.values, of.returns) if of.holdings else None
    return [
        common.figure("Instruments", len(frame.instruments), "count", ""),
        common.figure(
            "Returns", len(frame), "count", "", note="daily" if frame.basis == "1d" else "of five minutes"
        ),
        Figure("Time", _span(frame)),
        common.figure("Average of the pairs", found and found.average, "ratio", few),
        common.figure(
            "Share of the first component",
            found and found.first_share,
            "percent",
            few,
            note="of the variance of standardised returns",
        ),
        common.figure(
            "Diversification ratio",
            ratio,
            "ratio",
            "the returns of what is held are not known",
            note="volatilities apart ÷ volatility together",
        ),
    ]


def _span(frame: ReturnsFrame) -> str:
    if not len(frame):
        return "there are no returns"
    return f"{forms.day_of(int(frame.times[0]))} to {forms.day_of(int(frame.times[-1]))}"


def _matrix(found: Correlations) -> tuple[Block, ...]:
    names = found.instruments
    columns = [
        Column("instrument", "Instrument"),
        *(
            Column(f"with_{place}", name, "ratio", decimals=2, reason="one of the two does not move")
            for place, name in enumerate(names, 1)
        ),
    ]
    rows: list[list[Raw]] = [
        [name, *(None if math.isnan(value) else float(value) for value in row)]
        for name, row in zip(names, found.matrix, strict=True)
    ]
    read = len(names) <= _READ
    data = table("matrix", "Correlation matrix", columns, rows, printed=read)
    chart = Chart(
        key="matrix_chart",
        title="Correlation of returns",
        kind="heat",
        table="matrix",
        x="instrument",
        y=tuple(column.key for column in columns[1:]),
        caption="Orange is positive, blue negative. Columns are in the order of the rows.",
    )
    return chart, data


def _pairs(found: Correlations) -> tuple[Block, ...]:
    if len(found.pairs) <= 2 * _PAIRS:
        return (_pair_table("pairs", "All pairs, the highest first", found.pairs),)
    return (
        _pair_table("highest", "The highest", found.pairs[:_PAIRS]),
        _pair_table("lowest", "The lowest", found.pairs[: -_PAIRS - 1 : -1]),
    )


def _pair_table(key: str, title: str, pairs: tuple[Pair, ...]) -> Table:
    return table(
        key,
        title,
        (
            Column("one", "One"),
            Column("other", "The other"),
            Column("correlation", "Correlation", "ratio"),
        ),
        pairs,
        empty="No pair has a correlation.",
    )
