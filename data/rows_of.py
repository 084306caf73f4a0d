"""Records to rows and back. This module must not know of files."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from data.records import Bar, Quote, Trade
from data.rows import NUMBERS, Number, Rows, Series
from data.scaled import decimals, narrowed, scale_of, whole
from data.segments import AGGRESSORS


def bars_to_rows(bars: Sequence[Bar]) -> Rows:
    """Return bars of one series as rows, in the order given."""
    return Rows(
        "bars",
        np.array([bar.ts for bar in bars], np.int64),
        {name: number_of([getattr(bar, name) for bar in bars]) for name in NUMBERS["bars"]},
        {"count": np.array([bar.count for bar in bars], np.int64)},
    )


def number_of(values: Sequence[Decimal | None]) -> Number:
    """Return decimals as a column at the smallest scale that holds them; None is unknown."""
    scale = max((scale_of(value) for value in values if value is not None), default=0)
    wholes = narrowed(np.array([0 if v is None else whole(v, scale) for v in values], object))
    if not any(value is None for value in values):
        return Number(wholes, scale)
    return Number(wholes, scale, np.array([value is not None for value in values], np.bool_))


def quotes_of(series: Series, rows: Rows) -> list[Quote]:
    """Return rows of quotes as records."""
    columns = {name: _optional(rows.numbers[name]) for name in NUMBERS["quotes"]}
    return [
        Quote(
            instrument=series.instrument,
            bid=columns["bid"][at],
            ask=columns["ask"][at],
            bid_size=columns["bid_size"][at],
            ask_size=columns["ask_size"][at],
            ts=ts,
            ts_recv=ts + lag,
            synthetic=series.synthetic,
            source=series.source,
            engine=series.engine or "",
        )
        for at, (ts, lag) in enumerate(zip(rows.ts.tolist(), rows.integers["lag"].tolist(), strict=True))
    ]


def trades_of(series: Series, rows: Rows) -> list[Trade]:
    """Return rows of trades as records. A trade without an id or a size has an empty one and zero."""
    prices, sizes = _optional(rows.numbers["price"]), _optional(rows.numbers["size"])
    ids = rows.texts["trade_id"].to_pylist()
    aggressors = rows.integers["aggressor"].tolist()
    return [
        Trade(
            instrument=series.instrument,
            price=prices[at] or Decimal(0),
            size=sizes[at] or Decimal(0),
            aggressor=AGGRESSORS[aggressors[at]],
            trade_id=ids[at] or "",
            ts=ts,
            synthetic=series.synthetic,
            source=series.source,
            engine=series.engine or "",
        )
        for at, ts in enumerate(rows.ts.tolist())
    ]


def _optional(number: Number) -> list[Any]:
    values = decimals(number.wholes, number.scale)
    if number.valid is None:
        return values
    return [value if known else None for value, known in zip(values, number.valid.tolist(), strict=True)]
