"""Stress: what a book's exposures lose under a scenario of shocks to factors.

A scenario says by how much each factor moves, an exposure what the book gains or loses when it does. Only
what both name is computed; exposures that a scenario says nothing about are listed as left out and count
neither as a loss nor as nothing. Losses are to first order: no convexity.
This module must not know what the exposures were computed from.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from data.problems import InvalidRequestError

#: relative: a price changes by a fraction of itself; basis_points: a rate or spread rises by so many;
#: multiple: a volatility or a bid–ask spread becomes so many times what it was.
type ShockUnit = Literal["relative", "basis_points", "multiple"]


class Shock(msgspec.Struct, frozen=True, kw_only=True):
    """How far one factor moves."""

    factor: str  #: for example ``equity``, ``rates``, ``volatility``, ``liquidity``
    unit: ShockUnit
    size: float
    source: str  #: where the size is from


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """Shocks that happen together, at once."""

    name: str
    description: str
    shocks: tuple[Shock, ...]
    start: dt.date | None = None  #: of a scenario that happened: the close it starts from
    end: dt.date | None = None


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """What the book has at stake in one factor; signed, in the account's currency.

    ``sensitivity`` is, by the unit of the shock: relative, the value that moves with the price (delta
    in money, long positive); basis_points, the gain for one basis point up (a long bond's is negative);
    multiple, of a volatility, the gain if it doubled (vega times its level); multiple, of liquidity, the
    cost of closing at today's spread, negative (minus half the spread on what is held).
    """

    name: str
    factor: str
    unit: ShockUnit
    sensitivity: float


class StressLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one exposure gains (positive) or loses under a scenario."""

    name: str
    factor: str
    shock: float
    unit: ShockUnit
    pnl: float


class StressResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a book gains or loses under a scenario, and what could not be told."""

    scenario: str
    pnl: float | None  #: None: the scenario touches none of the exposures
    lines: tuple[StressLine, ...]
    by_factor: dict[str, float]
    left_out: tuple[str, ...]  #: exposures that the scenario has no shock for


_INDEX = "S&P 500 closes, S&P Dow Jones Indices"
_VIX = "Cboe VIX closes"
_YIELD = "10-year Treasury constant maturity, Federal Reserve H.15; taken as a parallel shift"

#: From the last close before Lehman Brothers failed to the low of that autumn: S&P 500 1251.70 to 752.44,
#: VIX 25.66 to 80.86, 10-year yield 3.74 to 3.10 %.
CRISIS_2008: Final = Scenario(
    name="2008",
    description="Lehman Brothers: 12 September to 20 November 2008",
    start=dt.date(2008, 9, 12),
    end=dt.date(2008, 11, 20),
    shocks=(
        Shock(factor="equity", unit="relative", size=752.44 / 1251.70 - 1.0, source=_INDEX),
        Shock(factor="volatility", unit="multiple", size=80.86 / 25.66, source=_VIX),
        Shock(factor="rates", unit="basis_points", size=-64.0, source=_YIELD),
    ),
)

#: From the high to the low: S&P 500 3386.15 to 2237.40, VIX 14.38 to 61.59, 10-year yield 1.56 to 0.76 %.
COVID_2020: Final = Scenario(
    name="covid_2020",
    description="The pandemic: 19 February to 23 March 2020",
    start=dt.date(2020, 2, 19),
    end=dt.date(2020, 3, 23),
    shocks=(
        Shock(factor="equity", unit="relative", size=2237.40 / 3386.15 - 1.0, source=_INDEX),
        Shock(factor="volatility", unit="multiple", size=61.59 / 14.38, source=_VIX),
        Shock(factor="rates", unit="basis_points", size=-80.0, source=_YIELD),
    ),
)

RATES_UP_200: Final = Scenario(
    name="rates_up_200",
    description="All rates 200 basis points higher",
    shocks=(
        Shock(
            factor="rates",
            unit="basis_points",
            size=200.0,
            source="the standard parallel shock of Basel Committee (2004), Principles for the management "
            "and supervision of interest rate risk",
        ),
    ),
)

VOLATILITY_DOUBLED: Final = Scenario(
    name="volatility_doubled",
    description="All volatilities twice what they were",
    shocks=(Shock(factor="volatility", unit="multiple", size=2.0, source="hypothetical"),),
)

LIQUIDITY: Final = Scenario(
    name="liquidity",
    description="All bid–ask spreads three times what they were",
    shocks=(Shock(factor="liquidity", unit="multiple", size=3.0, source="hypothetical"),),
)

SCENARIOS: Final[Mapping[str, Scenario]] = {
    one.name: one for one in (CRISIS_2008, COVID_2020, RATES_UP_200, VOLATILITY_DOUBLED, LIQUIDITY)
}


def user_defined(name: str, shocks: Iterable[Shock], description: str = "") -> Scenario:
    """Return a scenario of one's own.

    Raises:
        InvalidRequestError: It has no shocks, two for one factor, or one that cannot happen.
    """
    found = tuple(shocks)
    if not found:
        raise InvalidRequestError(f"scenario {name!r} has no shocks", rule="at least one shock")
    seen: set[str] = set()
    for shock in found:
        if shock.factor in seen:
            raise InvalidRequestError(
                f"scenario {name!r} shocks {shock.factor} twice", rule="one shock for each factor"
            )
        seen.add(shock.factor)
        _check(shock)
    return Scenario(name=name, description=description or name, shocks=found)


def _check(shock: Shock) -> None:
    least = {"relative": -1.0, "multiple": 0.0, "basis_points": -math.inf}[shock.unit]
    if not math.isfinite(shock.size) or shock.size < least:
        raise InvalidRequestError(
            f"a shock of {shock.size:g} to {shock.factor} cannot happen",
            rule="a price falls by all of itself (−1) at most, and a multiple is not negative",
        )


def apply(scenario: Scenario, exposures: Iterable[Exposure]) -> StressResult:
    """Return what exposures gain or lose under a scenario.

    relative: sensitivity × size; basis_points: sensitivity × size; multiple: sensitivity × (size − 1).
    An exposure to ``equity:tech`` takes the shock to ``equity:tech`` or else that to ``equity``.
    Units: the account's currency.

    Raises:
        InvalidRequestError: A sensitivity is not finite, or its unit is not the shock's.
    """
    shocks = {shock.factor: shock for shock in scenario.shocks}
    lines: list[StressLine] = []
    left_out: list[str] = []
    by_factor: dict[str, float] = {}
    for exposure in exposures:
        if not math.isfinite(exposure.sensitivity):
            raise InvalidRequestError(
                f"the sensitivity of {exposure.name} is {exposure.sensitivity}", rule="a finite amount"
            )
        shock = shocks.get(exposure.factor) or shocks.get(exposure.factor.partition(":")[0])
        if shock is None:
            left_out.append(exposure.name)
            continue
        if shock.unit != exposure.unit:
            raise InvalidRequestError(
                f"{exposure.name} is sensitive to {exposure.unit}, {scenario.name} shocks {shock.factor} "
                f"by {shock.unit}",
                rule="an exposure is in the unit of the factor's shock",
            )
        move = shock.size - 1.0 if shock.unit == "multiple" else shock.size
        pnl = exposure.sensitivity * move
        by_factor[shock.factor] = by_factor.get(shock.factor, 0.0) + pnl
        lines.append(
            StressLine(name=exposure.name, factor=shock.factor, shock=shock.size, unit=shock.unit, pnl=pnl)
        )
    return StressResult(
        scenario=scenario.name,
        pnl=math.fsum(line.pnl for line in lines) if lines else None,
        lines=tuple(lines),
        by_factor=by_factor,
        left_out=tuple(left_out),
    )
