"""Limits as they are set: their names, their rules, and those that an engine is first started with.

This module must not know how an order reaches a limit, or where limits are kept.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final

import msgspec

from data.limits import ACTIONS, UNITS, Limit, LimitType, Unit
from data.problems import InvalidRequestError
from risk.scopes import ScopeKind, scope_of

#: Scopes of types that not every scope has a value for: accounts are an engine's, sectors lie in books.
_SCOPES: Final[dict[LimitType, tuple[ScopeKind, ...]]] = {
    "daily_loss": ("portfolio", "engine"),
    "drawdown": ("portfolio", "engine"),
    "sector_exposure": ("portfolio", "engine", "strategy", "sector"),
    "correlation": ("portfolio", "engine", "strategy", "sector"),
}


class OrderRate(msgspec.Struct, frozen=True):
    """At most ``orders`` order commands in any window of ``seconds``."""

    orders: Annotated[int, msgspec.Meta(ge=1)] = 100
    seconds: Annotated[int, msgspec.Meta(ge=1)] = 1

    @classmethod
    def parse(cls, text: str) -> OrderRate:
        """Return the rate written as ``orders/seconds``.

        Raises
        ------
        InvalidRequestError
            If the text is not two positive integers.

        """
        orders, _, seconds = text.partition("/")
        seconds = seconds or "1"
        if not (orders.isdigit() and seconds.isdigit() and int(orders) and int(seconds)):
            raise InvalidRequestError(
                f"order rate {text!r} is not a rate",
                rule="an order rate is orders/seconds, two positive integers",
                fix="100/1",
            )
        return cls(int(orders), int(seconds))

    def __str__(self) -> str:
        return f"{self.orders}/{self.seconds}"


class GateLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The first limits of an engine. None switches one off, explicitly."""

    order_notional: Decimal | None = Decimal(1_000_000)  #: account currency, one order
    position_size: Decimal | None = Decimal(5_000_000)  #: account currency, worst case of one instrument
    order_rate: OrderRate | None = OrderRate()


NO_LIMITS = GateLimits(order_notional=None, position_size=None, order_rate=None)


def limit_id(limit_type: LimitType, scope: str, unit: Unit) -> str:
    """Return the id of the limit of a type, scope and unit; there is one of each."""
    return f"{limit_type}:{scope}:{unit}"


def seed_limits(limits: GateLimits, engine: str, ts: int) -> tuple[Limit, ...]:
    """Return the limits that an engine is first started with, over that engine; ``ts`` is UTC ns."""
    scope = f"engine:{engine}"
    rate = limits.order_rate
    wanted: list[tuple[LimitType, Unit, Decimal | None, int | None]] = [
        ("order_notional", "notional", limits.order_notional, None),
        ("position_size", "notional", limits.position_size, None),
        (
            "order_rate",
            "orders",
            None if rate is None else Decimal(rate.orders),
            None if rate is None else rate.seconds,
        ),
    ]
    return tuple(
        Limit(
            id=limit_id(kind, scope, unit),
            limit_type=kind,
            scope=scope,
            hard=hard,
            unit=unit,
            window_s=window,
            effective=hard,
            origin="engine",
            ts_created=ts,
            ts_updated=ts,
            updated_by="engine",
        )
        for kind, unit, hard, window in wanted
        if hard is not None
    )


def check_limit(limit: Limit) -> None:
    """Check that a limit can be kept to.

    Raises
    ------
    InvalidRequestError
        Naming the field, the value and the rule.

    """
    kind, unit = limit.limit_type, limit.unit
    scope = scope_of(limit.scope)
    if unit not in UNITS[kind]:
        raise _invalid("unit", unit, f"of {kind}: {' or '.join(UNITS[kind])}")
    if scope.kind not in _SCOPES.get(kind, (scope.kind,)):
        raise _invalid("scope", limit.scope, f"of {kind}: {', '.join(_SCOPES[kind])}")
    if limit.id != limit_id(kind, limit.scope, unit):
        raise _invalid("id", limit.id, limit_id(kind, limit.scope, unit))
    _check_amounts(limit)
    _check_statistics(limit)
    for field in ("warn_actions", "hard_actions"):
        actions = getattr(limit, field)
        if len(set(actions)) != len(actions):
            raise _invalid(field, ", ".join(actions), f"each at most once of {', '.join(ACTIONS)}")


def _check_amounts(limit: Limit) -> None:
    for field in ("hard", "effective", "warn"):
        value = getattr(limit, field)
        if not value.is_finite() or value <= 0:
            raise _invalid(field, str(value), "greater than zero")
    if limit.warn > 1:
        raise _invalid("warn", f"{limit.warn:f}", "a share of the limit, at most 1")
    if limit.effective > limit.hard:
        raise _invalid("effective", f"{limit.effective:f}", f"at most hard, {limit.hard:f}")
    if (limit.limit_type == "order_rate") != (limit.window_s is not None):
        need = "given, in seconds" if limit.limit_type == "order_rate" else "of order_rate only"
        raise _invalid("window_s", str(limit.window_s), need)
    if limit.window_s is not None and not 1 <= limit.window_s <= 86_400:
        raise _invalid("window_s", str(limit.window_s), "from 1 to 86400 seconds")
    if limit.unit == "orders" and limit.hard != limit.hard.to_integral_value():
        raise _invalid("hard", f"{limit.hard:f}", "a whole number of orders")


def _check_statistics(limit: Limit) -> None:
    if not Decimal("0.5") < limit.confidence < 1:
        raise _invalid("confidence", f"{limit.confidence:f}", "above 0.5 and below 1")
    if not 1 <= limit.horizon_days <= 22:
        raise _invalid("horizon_days", str(limit.horizon_days), "from 1 to 22 days")
    adjust = limit.auto_adjust
    if adjust is None:
        return
    if not adjust.target_vol.is_finite() or adjust.target_vol <= 0:
        raise _invalid("target_vol", str(adjust.target_vol), "an annual volatility above zero")
    if not adjust.floor.is_finite() or not 0 < adjust.floor <= 1:
        raise _invalid("floor", str(adjust.floor), "a share of the limit, above 0 and at most 1")


def _invalid(field: str, value: str, rule: str) -> InvalidRequestError:
    return InvalidRequestError(f"{field} is {value!r}", rule=f"{field} is {rule}", field=field, value=value)
