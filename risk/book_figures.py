"""Figures of many books at once from one frame of returns: value at risk, volatility, correlation.

Every book is what a scope holds now, measured on past returns as if it had been held all along. The
profit of a book on a day is the sum of its values times that day's returns. What is not known of a single
instrument makes the figures of the books that hold it unknown. This module must not know of limits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from data.problems import InvalidRequestError
from risk.correlation import mean_of_pairs
from risk.frames import ReturnsFrame
from risk.measures.book import scaled
from risk.measures.methods import measure
from risk.measures.sample import Floats, checked_confidence, place_in_tail, require, returns_for_quantile
from risk.scopes import Scope, ScopeBook

type Ints = npt.NDArray[np.int64]

_DECIMALS: Final = 8


class Figure(NamedTuple):
    """A figure, or why there is none."""

    value: Decimal | None
    reason: str | None = None


class BookFigures:
    """The figures of some scopes' books.

    Args:
        books: What each scope holds; every value of them is known.
        frame: Returns of what is held.
    """

    def __init__(self, books: Mapping[Scope, ScopeBook], frame: ReturnsFrame) -> None:
        self._frame = frame
        self._reasons: dict[Scope, str] = {}
        self._empty: set[Scope] = set()
        self._at: dict[Scope, int] = {}
        self._known: dict[tuple[Scope, str, float, int], Figure] = {}
        columns = {name: place for place, name in enumerate(frame.instruments)}
        self._held: list[Ints] = []  # columns of the frame, by the place of the book
        amounts: list[Floats] = []
        for scope, book in books.items():
            if not book.values:
                self._empty.add(scope)
                continue
            absent = [name for name in book.values if name not in columns]
            if absent:
                why = frame.missing.get(absent[0], "no returns are known")
                more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
                self._reasons[scope] = f"no returns of {absent[0]}{more}: {why}"
                continue
            self._at[scope] = len(amounts)
            self._held.append(np.array([columns[name] for name in book.values], np.int64))
            amounts.append(np.array([float(value) for value in book.values.values()]))
        self._gross = [float(np.abs(values).sum()) for values in amounts]
        self._returns = np.asfortranarray(frame.values)  # an instrument's returns lie together
        self._profits: Floats = np.empty((len(frame), len(amounts)), order="F")
        for place, (held, values) in enumerate(zip(self._held, amounts, strict=True)):
            if len(held) == 1:
                np.multiply(self._returns[:, held[0]], values[0], out=self._profits[:, place])
            else:
                # Not by the threads of the linear algebra: they would take the processor from the engines.
                np.einsum("ij,j->i", self._returns[:, held], values, out=self._profits[:, place])
        self._sorted: Floats | None = None
        self._volatilities: Floats | None = None
        self._standard: tuple[Floats, npt.NDArray[np.bool_]] | None = None

    def var(self, scope: Scope, method: str, confidence: float, horizon: int) -> Figure:
        """Return the value at risk over ``horizon`` days in money; a gain at that quantile is no risk: 0.

        Of daily returns it is the method's own rule of the horizon, of 5-minute returns the figure of one
        of them times √(periods of the horizon).
        """
        if scope in self._empty:
            return Figure(Decimal(0))
        if scope in self._reasons:
            return Figure(None, self._reasons[scope])
        key = (scope, method, confidence, horizon)
        found = self._known.get(key)
        if found is None:
            try:
                loss = self._loss(self._at[scope], method, confidence, horizon)
                found = Figure(_decimal(max(loss, 0.0), 2))
            except InvalidRequestError as error:
                found = Figure(None, error.detail)
            self._known[key] = found
        return found

    def _loss(self, at: int, method: str, confidence: float, horizon: int) -> float:
        daily = self._frame.basis == "1d"
        if method == "historical" and (horizon == 1 or not daily):
            loss = self._quantile(at, checked_confidence(confidence))
            return loss if daily else loss * math.sqrt(horizon * self._frame.periods_per_day)
        gross = self._gross[at]
        if not gross:
            return 0.0  # positions that offset each other to nothing
        found = measure(method, self._profits[:, at] / gross, confidence, horizon if daily else 1)
        return gross * (found if daily else scaled(found, self._frame, horizon)).var

    def _quantile(self, at: int, confidence: float) -> float:
        """Return what `risk.measures.empirical.historical` does for one period, all books sorted at once."""
        if self._sorted is None:
            self._sorted = np.sort(self._profits, axis=0)
        column = self._sorted[:, at]
        require(column, returns_for_quantile(confidence), f"historical at {confidence:g}")
        index, part = place_in_tail(len(column), confidence)
        low = float(column[index])
        return -(low if part == 0.0 else low + part * (float(column[index + 1]) - low))

    def deviation(self, scope: Scope) -> Figure:
        """Return the standard deviation of a year's profit in money: that of a period times √(periods)."""
        if scope in self._empty:
            return Figure(Decimal(0))
        if scope in self._reasons:
            return Figure(None, self._reasons[scope])
        if self._volatilities is None:
            year = math.sqrt(self._frame.periods_per_year)
            self._volatilities = self._profits.std(axis=0, ddof=1) * year
        return Figure(_decimal(float(self._volatilities[self._at[scope]]), 6))

    def correlation(self, scope: Scope) -> Figure:
        """Return the mean of Pearson's correlation over all pairs of instruments that a scope holds.

        Instruments whose returns do not vary have none and are left out.
        """
        if scope in self._reasons:
            return Figure(None, self._reasons[scope])
        if scope in self._empty:
            return Figure(None, None)
        found = self._mean_correlation(self._held[self._at[scope]])
        return Figure(None, None) if found is None else Figure(_decimal(found, _DECIMALS))

    def _mean_correlation(self, held: Ints) -> float | None:
        if len(held) < 2:
            return None
        if self._standard is None:
            values = self._returns
            varies = np.ptp(values, axis=0) > 0.0
            spread = np.where(varies, values.std(axis=0), 1.0)
            self._standard = (values - values.mean(axis=0)) / spread, varies
        standard, varies = self._standard
        chosen = held[varies[held]]
        if len(chosen) < 2:
            return None
        return mean_of_pairs(standard[:, chosen])


def volatility_of(instrument: str, frame: ReturnsFrame) -> Decimal | None:
    """Return the annual standard deviation of an instrument's returns; None if they are not known."""
    if instrument not in frame.instruments:
        return None
    deviation = float(frame.columns([instrument])[:, 0].std(ddof=1))
    return _decimal(deviation * math.sqrt(frame.periods_per_year), _DECIMALS)


def _decimal(value: float, places: int) -> Decimal:
    return Decimal(repr(round(value, places)))
