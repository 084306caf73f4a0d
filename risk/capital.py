"""Regulatory figures computed from the book: market-risk capital by internal models, leverage.

Each figure is an amount in the currency of what was given, or not applicable with the reason: what a
figure is made of is given, never assumed. This module must not know where it comes from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from data.problems import InvalidRequestError
from risk.backtesting import BASEL_CONFIDENCE, YEAR, plus_factor
from risk.measures.empirical import historical
from risk.measures.sample import Measure, finite

AVERAGED: Final = 60  #: days that a regulatory VaR or ES is averaged over
HORIZON: Final = 10  #: days
ES_CONFIDENCE: Final = 0.975
LIQUIDITY_HORIZONS: Final = (10, 20, 40, 60, 120)  #: days
#: What 5 to 9 exceptions in 250 days add to the multiplier of 1.5; 10 and more add 0.5 (MAR32.9).
_ES_PLUS: Final = {5: 0.20, 6: 0.26, 7: 0.33, 8: 0.38, 9: 0.42}


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One regulatory figure; without a value it is not applicable, and says why."""

    name: str
    value: float | None
    rule: str  #: the formula, and where it is written
    not_applicable: str | None = None
    parts: dict[str, float] = {}


def internal_model_capital(
    var: npt.ArrayLike | None,
    exceptions: int | None,
    *,
    stressed_var: npt.ArrayLike | None = None,
) -> Figure:
    """Return market-risk capital by the internal-model multiplier.

    max(VaR yesterday, m · mean VaR of 60 days) with m = 3 + plus factor; the same of stressed VaR is added
    where it is given. VaR is of 10 days at 99 %, in money, a value a day, the latest last.
    Source: Basel Committee (1996), "Amendment to the Capital Accord to incorporate market risks", B.4;
    (2009), "Revisions to the Basel II market risk framework", paragraph 718(Lxxvi).

    Args:
        var: Daily values; None where the book has none.
        exceptions: In the latest 250 days of the one-day backtest at 99 %; None where there are not 250.
        stressed_var: Daily values calibrated to a year of stress; None: left out, and said.

    Raises:
        InvalidRequestError: A value is not finite, or exceptions are negative.
    """
    name = "internal_model_capital"
    rule = f"max(VaR, m × mean VaR of {AVERAGED} days), m = 3 + plus factor (Basel 1996, 2009)"
    missing = _missing(var, exceptions)
    if var is None or exceptions is None or missing is not None:
        return Figure(name=name, value=None, rule=rule, not_applicable=missing)
    if exceptions < 0:
        raise InvalidRequestError(f"{exceptions} exceptions", rule="exceptions are not negative")
    multiplier = 3.0 + plus_factor(exceptions)
    parts = {"multiplier": multiplier}
    total = _larger(var, multiplier, "var", parts)
    if stressed_var is not None:
        short = _missing(stressed_var, exceptions)
        if short is not None:
            return Figure(name=name, value=None, rule=rule, not_applicable=f"stressed: {short}")
        total += _larger(stressed_var, multiplier, "stressed_var", parts)
        rule += ", plus the same of stressed VaR"
    else:
        rule += ", without stressed VaR, which is not given"
    return Figure(name=name, value=total, rule=rule, parts=parts)


def _missing(var: npt.ArrayLike | None, exceptions: int | None) -> str | None:
    if var is None:
        return "there is no series of VaR"
    if len(np.atleast_1d(np.asarray(var))) < AVERAGED:
        return f"{AVERAGED} days of VaR are averaged; there are {len(np.atleast_1d(np.asarray(var)))}"
    if exceptions is None:
        return f"the multiplier needs {YEAR} days of backtest at {BASEL_CONFIDENCE:.0%}"
    return None


def _larger(var: npt.ArrayLike, multiplier: float, name: str, parts: dict[str, float]) -> float:
    values = finite(var)
    parts[name] = float(values[-1])
    parts[f"mean_{name}"] = float(values[-AVERAGED:].mean())
    return max(parts[name], multiplier * parts[f"mean_{name}"])


def regulatory_shortfall(returns: npt.ArrayLike) -> Measure:
    """Return expected shortfall at 97.5 % over 10 days, by historical simulation.

    Source: Basel Committee, MAR33.3 and MAR33.4.

    Raises:
        TooLittleDataError: There are fewer than 40 returns.
        InvalidRequestError: A return is not finite.
    """
    return historical(returns, ES_CONFIDENCE, HORIZON)


def liquidity_adjusted_shortfall(shortfalls: Mapping[int, float] | None) -> Figure:
    """Return expected shortfall over the liquidity horizons of the risk factors.

    ES = √Σ (ES(j) · √((LH(j) − LH(j−1)) / 10))², with LH = 10, 20, 40, 60, 120 days and ES(j) the 10-day
    ES at 97.5 % to those factors whose horizon is LH(j) or longer, in money. ES(10), to all factors, must
    be there; a horizon left out has no factors of its own, so ES(j) there is that of the next longer one.
    Source: Basel Committee, MAR33.4 and MAR33.5.

    Raises:
        InvalidRequestError: A horizon is none of those, or a shortfall is negative or not finite.
    """
    name = "liquidity_adjusted_shortfall"
    rule = "root of the sum of squared ES(j) × sqrt((LH(j) − LH(j−1)) / 10), 97.5 % (MAR33.5)"
    if not shortfalls or HORIZON not in shortfalls:
        return Figure(
            name=name, value=None, rule=rule, not_applicable="there is no 10-day ES to all risk factors"
        )
    for horizon, shortfall in shortfalls.items():
        if horizon not in LIQUIDITY_HORIZONS:
            raise InvalidRequestError(
                f"there is no liquidity horizon of {horizon} days",
                rule=f"one of {', '.join(map(str, LIQUIDITY_HORIZONS))} days",
            )
        if not (math.isfinite(shortfall) and shortfall >= 0.0):
            raise InvalidRequestError(
                f"ES of {shortfall} at {horizon} days", rule="a shortfall is a finite loss, not negative"
            )
    before, squares = 0, 0.0
    parts: dict[str, float] = {}
    for horizon in LIQUIDITY_HORIZONS:
        if horizon in shortfalls:
            parts[f"es_{horizon}"] = shortfalls[horizon]
            squares += shortfalls[horizon] ** 2 * (horizon - before) / HORIZON
            before = horizon
    return Figure(name=name, value=math.sqrt(squares), rule=rule, parts=parts)


def shortfall_capital(shortfall: npt.ArrayLike | None, exceptions: int | None) -> Figure:
    """Return capital for modellable factors: max(ES yesterday, m · mean ES of 60 days).

    m = 1.5 + plus factor of the backtest at 99 %; ES is liquidity-adjusted, in money, a value a day.
    Not calibrated to a period of stress unless the values given are. Source: MAR33.41 and MAR32.9.

    Raises:
        InvalidRequestError: A value is not finite, or exceptions are negative.
    """
    name = "shortfall_capital"
    rule = f"max(ES, m × mean ES of {AVERAGED} days), m = 1.5 + plus factor (MAR33.41)"
    missing = _missing(shortfall, exceptions)
    if shortfall is None or exceptions is None or missing is not None:
        reason = (missing or "").replace("VaR", "ES")
        return Figure(name=name, value=None, rule=rule, not_applicable=reason)
    if exceptions < 0:
        raise InvalidRequestError(f"{exceptions} exceptions", rule="exceptions are not negative")
    multiplier = 1.5 + (0.0 if exceptions < min(_ES_PLUS) else _ES_PLUS.get(exceptions, 0.5))
    parts = {"multiplier": multiplier}
    return Figure(name=name, value=_larger(shortfall, multiplier, "es", parts), rule=rule, parts=parts)


def leverage_ratio(capital: Decimal | None, exposure: Decimal | None) -> Figure:
    """Return Tier 1 capital divided by the exposure measure, as a fraction.

    Source: Basel Committee, LEV20.3; its minimum is 3 %.
    """
    name, rule = "leverage_ratio", "Tier 1 capital / exposure measure (LEV20.3)"
    if capital is None or exposure is None:
        reason = "there is no capital" if capital is None else "there is no exposure measure"
        return Figure(name=name, value=None, rule=rule, not_applicable=reason)
    if exposure <= 0:
        return Figure(name=name, value=None, rule=rule, not_applicable="there is no exposure")
    parts = {"capital": float(capital), "exposure": float(exposure)}
    return Figure(name=name, value=float(capital / exposure), rule=rule, parts=parts)
