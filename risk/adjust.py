"""Limits that tighten with volatility: limit = base × clamp(target_vol ÷ realised_vol, floor, 1).

The base is the limit as it was set, never the limit as it was adjusted before, so that adjusting it again
changes nothing and calm gives all of it back. This module must not know where volatility comes from.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, NamedTuple

from data.limits import AutoAdjust, Limit

#: An adjustment counts when it moves the limit by this share of its base or more.
LEAST_CHANGE: Final = Decimal("0.01")
_SHARE: Final = Decimal("0.0001")
_ONE: Final = Decimal(1)


class Adjustment(NamedTuple):
    """What a limit is to be from now on, and why; ``reason`` is None when all of the base counts."""

    effective: Decimal
    reason: str | None


def share_of(rule: AutoAdjust, realised_vol: Decimal) -> Decimal:
    """Return which share of its base a limit keeps: at least the floor, at most 1, in steps of 0.0001.

    Without volatility (zero) all of it is kept.

    Args:
        rule: Target volatility, annualised, and floor.
        realised_vol: Annualised, a fraction.
    """
    floor = min(max(rule.floor, Decimal(0)), _ONE)
    if realised_vol <= 0:
        return _ONE
    return min(_ONE, max(floor, (rule.target_vol / realised_vol).quantize(_SHARE, ROUND_HALF_EVEN)))


def adjusted(limit: Limit, realised_vol: Decimal) -> Adjustment:
    """Return what a limit is at a volatility; without an adjustment rule it is its base."""
    rule = limit.auto_adjust
    if rule is None:
        return Adjustment(limit.hard, None)
    share = share_of(rule, realised_vol)
    if share == _ONE:
        return Adjustment(limit.hard, None)
    return Adjustment(
        limit.hard * share,
        f"volatility {realised_vol * 100:.1f} % a year is above the target {rule.target_vol * 100:.1f} %: "
        f"{share * 100:.1f} % of {limit.hard:f} count",
    )


def due(limit: Limit, realised_vol: Decimal) -> Adjustment | None:
    """Return the adjustment to make now; None: what counts is within 1 % of the base of what should."""
    found = adjusted(limit, realised_vol)
    moved = abs(found.effective - limit.effective)
    if not moved or (moved < LEAST_CHANGE * limit.hard and found.effective != limit.hard):
        return None
    return found
