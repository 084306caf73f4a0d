"""The limits that the gate in front of an engine enforces on every order.

This module must not know how an order reaches it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec

from data.problems import InvalidRequestError


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
