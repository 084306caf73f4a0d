"""Concentration: how much of the book is in one instrument, sector, currency, engine or strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from data.analytics import ExposureAnswer
from risk.concentration import concentration
from risk.reports.build import common
from risk.reports.document import Block, Chart, Column, Figure, Section, Table, table
from risk.reports.facts import ReportFacts

#: The sums of the answer that are looked at, with what each is called.
_SUMS: Final = (
    ("sector", "Sector"),
    ("asset_class", "Asset class"),
    ("currency", "Currency"),
    ("engine", "Engine"),
    ("strategy", "Strategy"),
    ("factor", "Factor"),
)


def sections(facts: ReportFacts) -> tuple[Section, ...]:
    """Return the report's sections."""
    summary = common.exposure_figures(facts.portfolio)
    found = facts.exposures
    if found is None:
        blocks = (
            common.figures("summary", "Summary", summary),
            common.missing(facts, "exposures", "Concentration"),
        )
        return (Section("summary", "Summary", blocks),)
    instruments = _by_instrument(found)
    dimensions = [("instrument", "Instrument", instruments)]
    dimensions += [(key, title, found.sums[key]) for key, title in _SUMS if found.sums.get(key)]
    return (
        Section(
            "summary",
            "Summary",
            (
                common.figures("summary", "Summary", [*summary, *_figures(facts, instruments)]),
                *common.told(facts, found.notes),
            ),
        ),
        Section("indices", "Concentration by dimension", (_indices(dimensions),)),
        *(
            Section(key, f"By {title.lower()}", _shares(key, title, values, found.currency))
            for key, title, values in dimensions
            if len(values) > 1
        ),
    )


def _indices(dimensions: Sequence[tuple[str, str, Mapping[str, Decimal]]]) -> Table:
    rows = []
    for _, title, values in dimensions:
        found = concentration(values)
        if found is not None:
            name, _, share = found.shares[0]
            rows.append((title, len(values), found.herfindahl, found.effective, name, share))
    return table(
        "indices",
        "Concentration by dimension",
        (
            Column("dimension", "Dimension"),
            Column("parts", "Parts", "count"),
            Column("herfindahl", "Herfindahl", "ratio"),
            Column("effective", "Equal parts", "number", decimals=2),
            Column("largest", "Largest"),
            Column("share", "Its share", "percent"),
        ),
        rows,
        note="Herfindahl: the sum of squared shares. Equal parts: so many would be as concentrated.",
        empty="Nothing is held whose value is known.",
    )


def _by_instrument(found: ExposureAnswer) -> dict[str, Decimal]:
    values: dict[str, Decimal] = {}
    for one in found.rows:
        if one.value is not None:
            values[one.instrument] = values.get(one.instrument, Decimal(0)) + one.value
    return values


def _figures(facts: ReportFacts, instruments: Mapping[str, Decimal]) -> list[Figure]:
    found = concentration(instruments)
    equity = facts.portfolio.equity
    largest = max((abs(value) for value in instruments.values()), default=None)
    nothing = "nothing is held whose value is known"
    return [
        common.figure(
            "Herfindahl index",
            found and found.herfindahl,
            "ratio",
            nothing,
            note="by instrument; 1: all in one",
        ),
        common.figure("Effective instruments", found and found.effective, "number", nothing, decimals=2),
        common.figure("Largest, of gross", found and found.largest, "percent", nothing),
        common.figure("Five largest, of gross", found and found.top5, "percent", nothing),
        common.figure(
            "Largest, of equity",
            largest / equity if largest is not None and equity else None,
            "percent",
            nothing if largest is None else "equity is not known",
        ),
    ]


def _shares(key: str, title: str, values: Mapping[str, Decimal], currency: str) -> tuple[Block, ...]:
    found = concentration(values)
    rows = (
        [] if found is None else [(name, values[name], gross, share) for name, gross, share in found.shares]
    )
    data = table(
        f"by_{key}",
        f"Shares by {title.lower()}",
        (
            Column("name", title),
            Column("net", "Net value", "money", currency),
            Column("size", "Size", "money", currency),
            Column("share", "Share", "percent"),
        ),
        rows,
        note=None
        if found is None
        else "Size: the net value without its sign; shares are of the sum of sizes.",
        empty="Nothing is held whose value is known.",
    )
    if found is None:
        return (data,)
    chart = Chart(
        key=f"{key}_chart",
        title=f"Shares by {title.lower()}",
        kind="bars",
        table=f"by_{key}",
        x="name",
        y=("share",),
    )
    return chart, data
