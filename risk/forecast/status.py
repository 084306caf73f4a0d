"""From a limit's status to what a forecast is made of, and back to the record that is published.

This module must not know how a forecast is computed, and must not load anything slow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from data.limits import BreachForecast, Driver, ForecastScore, LimitStatus, LimitType
from data.use_store import Tally, UseSample
from risk.forecast.record import HORIZONS, NAME
from risk.scopes import Scopes, scope_of

#: What starts at nothing each UTC day.
RESETS_DAILY: Final[frozenset[LimitType]] = frozenset({"daily_loss", "turnover"})
#: From so many judged forecasts on, and so many of either kind among them, scores are told.
ENOUGH: Final = 100
ENOUGH_OF_EACH: Final = 5
#: An order brings these about, not time.
_BY_ORDERS: Final[frozenset[LimitType]] = frozenset({"order_notional", "order_rate"})
#: Types whose value is a sum over positions, and the sign of those that count; 0: both.
_SUMS: Final[dict[LimitType, int]] = {
    "gross_exposure": 0,
    "leverage": 0,
    "sector_exposure": 0,
    "long_exposure": 1,
    "short_exposure": -1,
}
_JUST_BELOW: Final = 1.0 - 1e-9


class Told(Protocol):
    """What a model says of one limit."""

    @property
    def chances(self) -> tuple[float, ...] | None: ...
    @property
    def minutes(self) -> float | None: ...
    @property
    def drivers(self) -> tuple[Driver, ...]: ...
    @property
    def samples(self) -> int: ...
    @property
    def reason(self) -> str | None: ...


def unforeseeable(status: LimitStatus) -> str | None:
    """Return why a limit cannot be forecast at all; None: it can be tried."""
    if status.limit.limit_type in _BY_ORDERS:
        return "an order brings it about, not time"
    if status.value is None:
        return status.reason or "its value is not known"
    if status.use is None:
        return "a limit of nothing is exceeded by anything"
    return None


def use_of(status: LimitStatus) -> float:
    """Return the use; what the monitor does not call breached lies below the limit."""
    use = float(status.use or 0)
    return max(use, 1.0) if status.level == "breached" else min(use, _JUST_BELOW)


def sample_of(status: LimitStatus, scopes: Scopes, minute: int, worst: float | None) -> UseSample:
    """Return a minute's sample of a limit that can be forecast.

    A day's gain counts as a loss below zero: it is the way that a loss has to go first.
    """
    limit, use = float(status.limit.effective), use_of(status)
    worst = use if worst is None else max(worst, use)
    if status.limit.limit_type == "daily_loss" and not status.value:
        use = min(use, _signed_loss(status, scopes) / limit)
    return UseSample(limit_id=status.limit.id, minute=minute, value=use * limit, limit=limit, worst=worst)


def _signed_loss(status: LimitStatus, scopes: Scopes) -> float:
    money = scopes.money(scope_of(status.limit.scope))
    if money.day_pnl is None:
        return 0.0
    if status.limit.unit != "ratio":
        return -float(money.day_pnl)
    return -float(money.day_pnl / money.equity) if money.equity else 0.0


def largest_of(status: LimitStatus, scopes: Scopes) -> tuple[str, float] | None:
    """Return the instrument that makes most of a sum over positions, and its share; None: no such sum."""
    sign = _SUMS.get(status.limit.limit_type)
    if sign is None:
        return None
    scope = scope_of(status.limit.scope)
    book = scopes.book(scope)
    if book.missing is not None or scope.kind == "instrument":
        return None
    sizes = {name: abs(value) for name, value in book.values.items() if sign == 0 or value * sign > 0}
    total = sum(sizes.values())
    if not total:
        return None
    name = max(sizes, key=lambda each: sizes[each])
    return name, float(sizes[name] / total)


def forecast_of(status: LimitStatus, told: Told | None, now: int) -> BreachForecast:
    """Return the record of what was told of a limit; None: nothing was asked yet, or it makes no sense."""
    chances: tuple[float | None, ...] = (None,) * len(HORIZONS)
    reason = unforeseeable(status)
    if told is not None:
        reason = told.reason
        chances = told.chances or chances
    elif reason is None:
        reason = "it is looked at for the first time; a forecast is told when the minute is over"
    return BreachForecast(
        limit_id=status.limit.id,
        model=NAME,
        p5=chances[0],
        p30=chances[1],
        p240=chances[2],
        minutes_to_breach=None if told is None else told.minutes,
        drivers=() if told is None else told.drivers,
        samples=0 if told is None else told.samples,
        reason=reason,
        synthetic=status.synthetic,
        ts=now,
    )


def score_here(horizon: int, tallies: Sequence[Tally]) -> ForecastScore:
    """Return how forecasts over a horizon did, or why that is not told yet."""
    mine = [one for one in tallies if one.minutes == horizon and one.forecasts]
    count, breached = sum(one.forecasts for one in mine), sum(one.breached for one in mine)
    enough = count >= ENOUGH and min(breached, count - breached) >= ENOUGH_OF_EACH
    base = sum(one.breached * (1.0 - one.breached / one.forecasts) for one in mine)
    reason = None
    if not enough:
        reason = (
            f"{count} forecasts have come due, {breached} of them breached; {ENOUGH} are needed, "
            f"{ENOUGH_OF_EACH} of them breached and {ENOUGH_OF_EACH} not"
        )
    return ForecastScore(
        model=NAME,
        minutes=horizon,
        place="here",
        sample="limits of this home, a forecast each minute; base rate of each limit as known afterwards",
        forecasts=count,
        breached=breached,
        brier=sum(one.squares for one in mine) / count if enough else None,
        base_brier=base / count if enough else None,
        reason=reason,
    )
