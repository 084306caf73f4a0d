"""Words and numbers on the command line: read with a reason when they cannot be, written aligned.

This module must not know of commands.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

import typer

from data.limits import IN_PERCENT, Breach, Limit
from data.problems import InvalidRequestError
from data.records import OrderType, TimeInForce

_TYPES: dict[str, str] = {name.replace("_", "-"): name for name in get_args(OrderType)}
_TYPES["stop"] = "stop_market"

_TIFS: tuple[str, ...] = get_args(TimeInForce)


def amount(text: str) -> Decimal:
    """Read a decimal number."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite():
        raise typer.BadParameter(f"{text!r} is not a number, such as 100 or 187.53")
    return value


def order_type(text: str) -> str:
    """Read an order type; dashes and underscores are one."""
    name = _TYPES.get(text.lower().replace("_", "-"))
    if name is None:
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(_TYPES)}")
    return name


def tif(text: str) -> str:
    """Read a time in force."""
    if text.lower() not in _TIFS:
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(_TIFS)}")
    return text.lower()


def moment(text: str) -> int:
    """Read an ISO 8601 time as UTC ns."""
    from data.forms import parse_iso

    try:
        return parse_iso(text)
    except InvalidRequestError as error:
        raise typer.BadParameter(f"{error.detail}; {error.fix}") from error


def number(value: Decimal | float | int | None, decimals: int | None = None, *, sign: bool = False) -> str:
    """Write a number with thousands separated; ``—`` for what is not known."""
    if value is None:
        return "—"
    if isinstance(value, int):
        decimals = 0
    form = ("+" if sign else "") + ("," if decimals is None else f",.{decimals}") + "f"
    return format(value, form)


def in_unit(value: Decimal | None, of: Limit | Breach) -> str:
    """Write a figure in its limit's unit; ``—`` for what is not known."""
    if value is None:
        return "—"
    if of.unit == "ratio":
        return f"{value * 100:,.2f} %" if of.limit_type in IN_PERCENT else f"{value:,.2f}"
    return f"{value:,.2f}" if of.unit == "notional" else number(value)


def prices(*values: Decimal | None) -> list[str]:
    """Write the prices of one row with the same number of decimals: the most that one of them has."""
    decimals = max((-int(v.as_tuple().exponent) for v in values if v is not None), default=0)
    return [number(value, max(decimals, 0)) for value in values]


def clock(ns: int | None) -> str:
    """Write a time as UTC date and time to the second; ``—`` for what is not known."""
    if not ns:
        return "—"
    return datetime.fromtimestamp(ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")


def text(value: Any) -> str:
    """Write any value; ``—`` for what is not known."""
    return "—" if value is None else str(value)


def megabytes(count: int | None) -> str:
    """Write bytes as megabytes."""
    return "—" if count is None else f"{count / 1e6:,.0f} MB"


def day(text: str) -> Any:
    """Read an ISO 8601 date."""
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a date, such as 2024-12-01") from error


def known_day(text: str) -> Any:
    """Read a date as of which something is asked; raises InvalidRequestError if it lies ahead."""
    from data.asked import known_then

    return known_then(day(text))


def name_of(field: str) -> Callable[[str], str]:
    """Return what reads a name; it raises InvalidRequestError for an empty or an endless one."""

    def read(text: str) -> str:
        from data.asked import named

        return named(field, text)

    return read


def big(value: Decimal | float | None) -> str:
    """Write money or a count in thousands, millions or billions; ``—`` for what is not known."""
    if value is None:
        return "—"
    for power, sign in ((12, "T"), (9, "B"), (6, "M"), (3, "k")):
        if abs(value) >= 10**power:
            return f"{value / 10**power:,.2f}{sign}"
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def percent(fraction: float | None, decimals: int = 1) -> str:
    """Write a fraction as a signed percentage; ``—`` for what is not known."""
    return "—" if fraction is None else f"{fraction * 100:+.{decimals}f} %"
