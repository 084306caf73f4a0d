"""Prices or returns of one instrument from a file, laid on an even grid of minutes.

Bars (their close, at the end of their period), quotes (the middle), trades, one price a row, or a column
``return`` beside a column of times; CSV, plain or packed, or Parquet. The grid's step is the file's usual
distance between rows, a minute at least. A price holds for a little while; after that there is none.
This module must not know what the prices are for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from data import importing, parsing, tabular, times
from data.parsing import Layout, Reading
from data.problems import InvalidRequestError
from data.rows import Number
from data.tabular import Shape
from data.timeframes import SECOND, timeframe

MINUTE: Final = 60 * SECOND
DAY: Final = 1440 * MINUTE
#: So many minutes, or steps where those are longer, a price is still the price.
_HOLDS_MINUTES: Final = 10.0
_HOLDS_STEPS: Final = 1.5
_TIMES: Final = ("timestamp", "datetime", "date", "time", "ts")
_RETURN: Final = "return"
_SAMPLE: Final = 2_000

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """One price per step, oldest first, without a hole in the times; NaN where there was no price."""

    name: str  #: of the file
    times: Integers  #: the steps' ends, ns UTC
    values: Floats
    step: float  #: minutes
    rows: int  #: of the file that were used
    notes: tuple[str, ...] = ()


def read(path: Path) -> Prices:
    """Read a file of prices or returns.

    Raises:
        NotFoundError: There is no such file.
        InvalidRequestError: It has no times, no prices, or wrong rows.
        StoreFailedError: It cannot be read.
    """
    shape = tabular.shape_of(path)
    lower = [name.strip().lower() for name in shape.names]
    if _RETURN in lower:
        stamps, values, notes = _returns(path, shape, lower)
    else:
        stamps, values, notes = _prices(path)
    if len(values) < 2:
        raise InvalidRequestError(
            f"{path.name} holds {len(values)} prices", rule="a forecast needs prices over some days"
        )
    if not (values > 0.0).all():
        raise InvalidRequestError(
            f"{path.name} holds prices that are not positive",
            rule="drawdown and exposure need positive prices",
        )
    return on_grid(path.name, stamps, values, notes)


def on_grid(name: str, stamps: Integers, values: Floats, notes: Sequence[str] = ()) -> Prices:
    """Lay prices on a grid of whole minutes; of several within a step the last counts."""
    order = np.argsort(stamps, kind="stable")
    stamps, values = stamps[order], values[order]
    usual = float(np.median(np.diff(np.unique(stamps)))) / MINUTE
    step = max(1, round(usual))
    width = step * MINUTE
    places = -(-stamps // width)  # a price belongs to the step that ends at it or after it
    last = np.flatnonzero(np.append(places[1:] != places[:-1], True))
    grid = np.arange(places[0], places[-1] + 1)
    at = np.searchsorted(places[last], grid, side="right") - 1
    age = (grid - places[last][at]) * step
    holds = max(_HOLDS_MINUTES, _HOLDS_STEPS * step)
    found = np.where(age <= holds, values[last][at], math.nan)
    return Prices(
        name=name,
        times=grid * width,
        values=found,
        step=float(step),
        rows=len(stamps),
        notes=tuple(notes),
    )


def _prices(path: Path) -> tuple[Integers, Floats, list[str]]:
    plan = importing.plan(path, "FILE.SCORED")
    layout = Layout.of(
        plan.kind,
        plan.columns,
        plan.shape.names,
        times.reader(plan.time_format),
        None,
        plan.shape.decimal_comma,
    )
    reading = Reading(1)
    for batch in tabular.batches(path, plan.shape):
        parsing.read(batch, layout, reading)
    if reading.bad_count:
        first = reading.bad[0]
        raise InvalidRequestError(
            f"{path.name}: line {first.line}: {first.reason} ({reading.bad_count:,} such rows)",
            rule="every row holds a time and a price",
            fix="repair the rows",
            line=str(first.line),
        )
    notes = [note for note in plan.notes if "stored as" not in note]
    later = 0 if plan.timeframe is None else timeframe(plan.timeframe).width
    stamps: list[Integers] = []
    values: list[Floats] = []
    for rows in next(iter(reading.rows.values()), []):
        numbers = rows.numbers
        if plan.kind == "bars":
            price = _floats(numbers["close"])
        elif plan.kind == "quotes":
            price = (_floats(numbers["bid"]) + _floats(numbers["ask"])) / 2.0
        else:
            price = _floats(numbers["price"])
        stamps.append(rows.ts + later)
        values.append(price)
    if not stamps:
        return np.empty(0, np.int64), np.empty(0), notes
    return np.concatenate(stamps), np.concatenate(values), notes


def _floats(number: Number) -> Floats:
    found: Floats = number.wholes.astype(np.float64) / 10.0**number.scale
    return found


def _returns(path: Path, shape: Shape, lower: Sequence[str]) -> tuple[Integers, Floats, list[str]]:
    """Return prices that start at 1 and move by the file's returns."""
    when = next((lower.index(name) for name in _TIMES if name in lower), None)
    if when is None:
        raise InvalidRequestError(
            f"{path.name} has returns and no times",
            rule="times stand in a column named " + ", ".join(_TIMES),
            fix="name the column of times",
        )
    where = lower.index(_RETURN)
    rows = [
        (line, row)
        for batch in tabular.batches(path, shape)
        for line, row in zip(batch.lines, batch.rows, strict=True)
    ]
    line = 0
    try:
        how, remark = times.guess([row[when] for _, row in rows[:_SAMPLE]], "UTC")
        if how is None:
            raise ValueError("the column of times holds none")
        read_time = times.reader(how)
        stamps, values = np.empty(len(rows), np.int64), np.empty(len(rows))
        for at, (where_it_stands, row) in enumerate(rows):
            line = where_it_stands
            stamps[at], values[at] = read_time(row[when]), float(row[where])
            if not -1.0 < values[at] < math.inf:
                raise ValueError(f"{row[where]!r} is no return")
    except (ValueError, IndexError) as error:
        raise InvalidRequestError(
            f"{path.name}: line {line:,} cannot be read: {error}",
            rule="every row holds a time and a return, a fraction above -1",
            fix="repair the rows",
            line=str(line),
        ) from error
    order = np.argsort(stamps, kind="stable")
    notes = [] if remark is None else [remark]
    return stamps[order], np.exp(np.cumsum(np.log1p(values[order]))), notes
