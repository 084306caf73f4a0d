"""Basel figures of a book: what can be computed from the book is, what cannot is not applicable, and why.

Capital needs a history of the book's own VaR, a value a day: it is kept at each day's end, and until there
are 250 days the figure is not applicable. Nothing stands in for it. This module must not know where the
history is kept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from data.analytics import CapitalFigure
from data.equity_store import VarDay, day_of
from data.problems import InvalidRequestError
from data.series import EquitySeries
from risk.backtesting import YEAR
from risk.capital import (
    HORIZON,
    Figure,
    internal_model_capital,
    leverage_ratio,
    regulatory_shortfall,
    shortfall_capital,
)
from risk.frames import ReturnsFrame
from risk.measures.book import Held


def capital_figures(
    of: Held,
    frame: ReturnsFrame,
    equity: Decimal | None,
    gross: Decimal | None,
    history: Sequence[VarDay],
    closes: Sequence[tuple[VarDay, Decimal]] = (),
) -> tuple[CapitalFigure, ...]:
    """Return the figures of a book.

    Args:
        of: What of it can be measured.
        frame: Its returns.
        equity: Of the book.
        gross: Its gross value.
        history: Its own VaR at the end of past days, oldest first.
        closes: Past days' VaR with the profit of the day that followed, for the exceptions.
    """
    exceptions = None
    if len(closes) >= YEAR:
        exceptions = sum(float(profit) < -one.var_99 for one, profit in closes[-YEAR:])
    why = f"{YEAR} days of the book's own VaR are needed; {len(closes)} are kept"
    ten = math.sqrt(HORIZON)
    var = [one.var_99 * ten for one in history]
    shortfalls = [one.es_975_10d for one in history if one.es_975_10d is not None]
    if exceptions is None:
        models = Figure(name="internal_model_capital", value=None, rule=_MODELS, not_applicable=why)
        frtb = Figure(name="shortfall_capital", value=None, rule=_FRTB, not_applicable=why)
    else:
        models = internal_model_capital(var, exceptions)
        frtb = shortfall_capital(shortfalls or None, exceptions)
    return (
        _told(_shortfall(of, frame), "money"),
        _told(models, "money"),
        _told(frtb, "money"),
        _told(leverage_ratio(equity, gross), "ratio"),
    )


def followed(history: Sequence[VarDay], closes: EquitySeries) -> list[tuple[VarDay, Decimal]]:
    """Return each day's VaR with what equity gained on the next day that is kept, flows left out.

    Days further apart than a long weekend do not follow each other.
    """
    by_day = {
        day_of(ts): (equity, flow)
        for ts, equity, flow in zip(closes.times, closes.equity, closes.flows, strict=True)
    }
    days = sorted(by_day)
    after = dict(pairwise(days))
    found = []
    for one in history:
        then = after.get(one.day)
        if then is not None and (then - one.day).days <= _LONG_WEEKEND:
            equity, flow = by_day[then]
            found.append((one, equity - flow - by_day[one.day][0]))
    return found


_LONG_WEEKEND = 5  #: days
_MODELS = "max(VaR, m × mean VaR of 60 days), m = 3 + plus factor (Basel 1996, 2009)"
_FRTB = "max(ES, m × mean ES of 60 days), m = 1.5 + plus factor (MAR33.41)"


def _shortfall(of: Held, frame: ReturnsFrame) -> Figure:
    """Return ES at 97.5 % over 10 days of the book as it stands: all factors at a horizon of 10 days."""
    name, rule = "expected_shortfall_97_5", "10-day ES at 97.5 %, historical, present book (MAR33.3)"
    if not of.holdings:
        return Figure(name=name, value=None, rule=rule, not_applicable="there is nothing to measure")
    if frame.basis != "1d":
        return Figure(
            name=name, value=None, rule=rule, not_applicable="it is of daily returns; there are too few"
        )
    try:
        found = regulatory_shortfall(of.returns @ of.values)
    except InvalidRequestError as error:
        return Figure(name=name, value=None, rule=rule, not_applicable=error.detail)
    return Figure(name=name, value=found.es, rule=f"{rule}; {found.rule}", parts={"returns": float(found.n)})


def _told(figure: Figure, unit: Literal["money", "ratio"]) -> CapitalFigure:
    return CapitalFigure(
        name=figure.name,
        value=figure.value,
        unit=unit,
        rule=figure.rule,
        not_applicable=figure.not_applicable,
        parts=figure.parts,
    )
