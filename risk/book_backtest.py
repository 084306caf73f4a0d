"""Backtests of a book's value at risk: of what it holds now on past returns, and of what was told day by day.

The first is hypothetical: the present positions as if they had been held all along. The second is of
record: the VaR that was kept at each day's end against what equity gained until the next. This module must
not know where returns, positions or records come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from data.closes import Ints
from data.equity_store import VarDay
from data.problems import InvalidRequestError
from data.series import EquitySeries
from risk.backtesting import Backtest, backtest, rolling_var
from risk.frames import ReturnsFrame
from risk.measures.book import held
from risk.measures.regulatory import followed
from risk.measures.sample import Floats
from risk.portfolio import Portfolio

METHODS: Final = ("historical", "normal", "cornish_fisher", "filtered")
LONGEST_WINDOW: Final = 500
SHORTEST_WINDOW: Final = 100
#: Periods that are tested, at most: two years of the framework.
MOST_TESTED: Final = 500


class MethodTest(NamedTuple):
    """One method tested; ``reason`` says why it was not."""

    method: str
    losses: Floats | None  #: VaR as fractions, for each time tested
    result: Backtest | None
    reason: str | None


class BookBacktest(NamedTuple):
    """The book's own returns and how each method's VaR held."""

    times: Ints  #: of the periods tested
    returns: Floats  #: of the book, as fractions of ``base``
    base: str  #: ``equity``, or ``gross value`` where equity is not known
    basis: str
    window: int
    covered: float | None
    missing: dict[str, str]
    tests: tuple[MethodTest, ...]


class RecordedDay(NamedTuple):
    """The VaR of a day's end and what was gained until the next day that is kept, in money."""

    day: VarDay
    gain: float
    exceeded: bool


def of_book(
    portfolio: Portfolio,
    frame: ReturnsFrame,
    confidence: float = 0.99,
    methods: Sequence[str] = METHODS,
) -> BookBacktest | str:
    """Test the VaR of what is held now over one period of the frame; or return why that cannot be.

    The window is half of the returns there are, from 100 to 500 of them.
    """
    of = held(portfolio, frame)
    if not of.holdings:
        return "nothing is held whose returns are known"
    equity = portfolio.equity
    gross = float(abs(of.values).sum())
    base, scale = ("equity", float(equity)) if equity else ("gross value", gross)
    values = of.returns @ of.values / scale
    if len(values) <= SHORTEST_WINDOW:
        return f"{len(values):,} returns of the book are known, more than {SHORTEST_WINDOW} are needed"
    window = min(LONGEST_WINDOW, max(SHORTEST_WINDOW, len(values) // 2))
    values, times = values[-(window + MOST_TESTED) :], frame.times[-(window + MOST_TESTED) :]
    return BookBacktest(
        times=times[window:],
        returns=values[window:],
        base=base,
        basis=frame.basis,
        window=window,
        covered=of.covered,
        missing=of.missing,
        tests=tuple(_tested(values, method, confidence, window) for method in methods),
    )


def _tested(values: Floats, method: str, confidence: float, window: int) -> MethodTest:
    try:
        losses = rolling_var(values, method, confidence, window)
        return MethodTest(method, losses, backtest(values[window:], losses, confidence), None)
    except InvalidRequestError as error:
        return MethodTest(method, None, None, error.detail)


def of_record(history: Sequence[VarDay], closes: EquitySeries) -> list[RecordedDay]:
    """Return each day whose VaR was kept with what followed; flows left out."""
    return [
        RecordedDay(day, float(gain), float(gain) < -day.var_99) for day, gain in followed(history, closes)
    ]
