"""Value-at-risk backtest: of the present book on past returns, and of what was told day by day."""

from __future__ import annotations

import datetime as dt
from typing import Final

from data import forms
from risk import book_backtest
from risk.backtesting import BASEL_CONFIDENCE, Backtest, kupiec, traffic_light
from risk.book_backtest import BookBacktest, MethodTest
from risk.reports.build import common
from risk.reports.document import (
    Block,
    Chart,
    Column,
    Figure,
    Paragraph,
    Raw,
    Section,
    Table,
    Unknown,
    number,
    table,
)
from risk.reports.facts import ReportFacts

CONFIDENCE: Final = BASEL_CONFIDENCE
_HYPOTHETICAL = (
    "What is held now, as if it had been held all along: each VaR is made of the returns before the one that "
    "it is tested on."
)
_OF_RECORD = (
    "The VaR that was kept at the end of each UTC day, against what equity gained until the next day that is "
    "kept; what was brought in or taken out is left out of the gain."
)


def sections(facts: ReportFacts) -> tuple[Section, ...]:
    """Return the report's sections."""
    return (
        Section("hypothetical", "The present book on past returns", _hypothetical(facts)),
        Section("record", "Backtest of record", record_blocks(facts)),
    )


def _hypothetical(facts: ReportFacts) -> tuple[Block, ...]:
    if facts.frame is None:
        return (Paragraph(_HYPOTHETICAL), common.missing(facts, "frame", "The backtest"))
    found = book_backtest.of_book(facts.portfolio, facts.frame, CONFIDENCE)
    if isinstance(found, str):
        return (Paragraph(_HYPOTHETICAL), Paragraph(f"There is no backtest: {found}."))
    steps = "One day at a time" if found.basis == "1d" else "Five minutes at a time"
    made = f"each VaR at {CONFIDENCE:.0%} is made of {found.window:,} returns"
    about = f"{steps}, {made}. Fractions are of {found.base}."
    notes = [
        *facts.frame.notes,
        *(f"{name} is left out: {why}" for name, why in sorted(found.missing.items())),
    ]
    return (
        Paragraph(_HYPOTHETICAL),
        Paragraph(about),
        *common.told(facts, notes),
        _tests(found),
        *_drawn(found),
        _exceptions(found),
    )


def _tests(found: BookBacktest) -> Table:
    rows = [_test_row(one) for one in found.tests]
    return table(
        "tests",
        "Tests of each method",
        (
            Column("method", "Method"),
            Column("days", "Tested", "count"),
            Column("exceptions", "Exceptions", "count"),
            Column("expected", "Expected", "number", decimals=1),
            Column("kupiec", "Kupiec", "number", decimals=2),
            Column("kupiec_p", "p", "number", decimals=4),
            Column("independence", "Independence", "number", decimals=2),
            Column("independence_p", "p", "number", decimals=4),
            Column("conditional", "Conditional", "number", decimals=2),
            Column("conditional_p", "p", "number", decimals=4),
            Column("zone", "Zone", "status"),
        ),
        rows,
        note="Kupiec: are exceptions as frequent as they should be? Independence (Christoffersen): do they "
        "come in clusters? Conditional: both. A small p speaks against the method.",
    )


def _test_row(one: MethodTest) -> list[Raw]:
    if one.result is None:
        return [common.words(one.method), *[Unknown(one.reason or "not tested")] * 10]
    return [common.words(one.method), *_figures(one.result), one.result.zone]


def _figures(result: Backtest) -> list[Raw]:
    few = Unknown("the exceptions there are cannot tell")
    found: list[Raw] = [result.days, result.exceptions, result.expected]
    for test in (result.kupiec, result.christoffersen, result.conditional_coverage):
        found.append(few if test.statistic is None else test.statistic)
        found.append(few if test.p_value is None else test.p_value)
    return found


def _drawn(found: BookBacktest) -> tuple[Block, ...]:
    """Return the first method that could be tested as a chart, with the data it is drawn from."""
    shown = next((one for one in found.tests if one.losses is not None), None)
    if shown is None or shown.losses is None:
        return ()
    rows = [
        (_when(found, int(time)), float(outcome), float(loss))
        for time, outcome, loss in zip(found.times, found.returns, shown.losses, strict=True)
    ]
    data = table(
        "tested",
        f"Data of the chart: {common.words(shown.method).lower()} VaR and returns",
        (
            _time_column(found),
            Column("outcome", "Return", "percent", decimals=3),
            Column("var", "VaR", "percent", decimals=3),
        ),
        rows,
        printed=False,
    )
    chart = Chart(
        key="backtest_chart",
        title=f"Returns of the book and {common.words(shown.method).lower()} VaR",
        kind="exceptions",
        table="tested",
        x="time",
        y=("outcome", "var"),
    )
    return chart, data


def _exceptions(found: BookBacktest) -> Table:
    rows: list[tuple[int, str, float, float, float]] = []
    for one in found.tests:
        if one.result is None or one.losses is None:
            continue
        for place in one.result.exception_days:
            outcome, loss = float(found.returns[place]), float(one.losses[place])
            rows.append((int(found.times[place]), common.words(one.method), outcome, loss, -outcome - loss))
    return table(
        "exceptions",
        "Exceptions",
        (
            _time_column(found),
            Column("method", "Method"),
            Column("outcome", "Return", "percent", decimals=3),
            Column("var", "VaR", "percent", decimals=3),
            Column("beyond", "Lost beyond it", "percent", decimals=3),
        ),
        [(_when(found, row[0]), *row[1:]) for row in sorted(rows, key=lambda row: (-row[0], row[1]))],
        empty="VaR was not exceeded.",
    )


def _time_column(found: BookBacktest) -> Column:
    daily = found.basis == "1d"
    return Column("time", "Day" if daily else "Time, UTC", "date" if daily else "time")


def _when(found: BookBacktest, ts: int) -> int | dt.date:
    return forms.day_of(ts) if found.basis == "1d" else ts


# ---------------------------------------------------------------- of record


def record_blocks(facts: ReportFacts) -> tuple[Block, ...]:
    """Return the backtest of the VaR that was told day by day."""
    if "var_days" in facts.reasons:
        return (Paragraph(_OF_RECORD), common.missing(facts, "var_days", "The backtest of record"))
    days = book_backtest.of_record(facts.var_days, facts.days)
    currency = facts.portfolio.currency
    rows = [
        (
            one.day.day,
            one.day.var_99,
            number(one.day.es_975_10d, "money", "too few daily returns were known", unit=currency),
            one.gain,
            "exception" if one.exceeded else "",
        )
        for one in days
    ]
    listed = table(
        "record",
        "Day by day",
        (
            Column("day", "Day", "date"),
            Column("var_99", "VaR, 99 %", "money", currency),
            Column("es", "ES, 97.5 %, 10 days", "money", currency),
            Column("gain", "Gain until the next", "money", currency),
            Column("exceeded", "Outcome"),
        ),
        rows,
        empty=f"VaR of {len(facts.var_days):,} days is kept, none followed by a day whose equity is known.",
    )
    if not days:
        return (Paragraph(_OF_RECORD), listed)
    return (Paragraph(_OF_RECORD), common.figures("of_record", "Of record", _record_figures(days)), listed)


def _record_figures(days: list[book_backtest.RecordedDay]) -> list[Figure]:
    exceptions = sum(one.exceeded for one in days)
    light = traffic_light(len(days), exceptions, CONFIDENCE)
    coverage = kupiec(len(days), exceptions, CONFIDENCE)
    return [
        common.figure("Days", len(days), "count", ""),
        common.figure("Exceptions", exceptions, "count", ""),
        common.figure("Expected", len(days) * (1 - CONFIDENCE), "number", "", decimals=2),
        Figure("Zone", light.zone, f"yellow from {light.yellow_from}, red from {light.red_from}"),
        common.figure("Kupiec", coverage.statistic, "number", "", decimals=2),
        common.figure("p", coverage.p_value, "number", "", decimals=4),
        common.figure("Multiplier", light.multiplier, "ratio", "it is of 250 days at 99 %", decimals=2),
    ]
