"""Commands that wait for their confirming events.

This module must not know how events come or how answers go out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from data.problems import ConflictError, DeniedError, ProblemError, RejectedError
from data.records import FINAL_STATUSES, OrderUpdate
from engines.denials import denied_error

#: Says whether an update answers the command.
Test = Callable[[OrderUpdate], bool]


def answered(update: OrderUpdate) -> bool:
    """A submission is answered by anything but silence."""
    return update.status not in ("sent", "unknown")


def modified(update: OrderUpdate) -> bool:
    """A modification is answered when the venue changed the order, refused to, or closed it."""
    return update.event in ("OrderUpdated", "OrderModifyRejected") or update.status in FINAL_STATUSES


def cancelled(update: OrderUpdate) -> bool:
    """A cancellation is answered when the order is closed, by whatever, or the venue refused."""
    return update.event == "OrderCancelRejected" or update.status in FINAL_STATUSES


class Awaited:
    """One command, the orders it concerns and which of them are still unanswered.

    With ``fresh`` only updates that come after the command count, because the present state of an
    order says nothing about a change that has just been asked for.
    """

    def __init__(
        self, request_id: str, test: Test, orders: Sequence[OrderUpdate], *, fresh: bool = False
    ) -> None:
        self.request_id = request_id
        self.then: Callable[[Awaited], Awaited] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self._test = test
        self._orders = {order.client_order_id: order for order in orders}
        self._open = {o.client_order_id for o in orders if fresh or not test(o)}

    @property
    def orders(self) -> list[OrderUpdate]:
        """The orders as last heard of."""
        return list(self._orders.values())

    @property
    def is_done(self) -> bool:
        """Whether every order is answered."""
        return not self._open

    def note(self, update: OrderUpdate) -> None:
        """Take an update that has reached the disk."""
        if update.client_order_id in self._orders:
            self._orders[update.client_order_id] = update
            if self._test(update):
                self._open.discard(update.client_order_id)

    def take_over(self, other: Awaited) -> None:
        """Wait for another command's orders too."""
        self._orders |= other._orders
        self._open |= other._open

    def problem(self) -> ProblemError | None:
        """Return what went wrong, or None if the command did what it was asked to."""
        for order in self._orders.values():
            error = _problem(order, self._test)
            if error is not None:
                return error
        return None


def _problem(order: OrderUpdate, test: Test) -> ProblemError | None:
    reason = order.reason or order.status
    name = f"order {order.client_order_id}"
    if test is answered:
        if order.status == "denied":
            if order.denial is not None:
                facts = {"client_order_id": order.client_order_id}
                return denied_error(f"{name} denied", order.denial, **facts)
            return DeniedError(f"{name} denied: {reason}", rule=reason, client_order_id=order.client_order_id)
        if order.status == "rejected":
            return RejectedError(
                f"{name} rejected: {reason}", rule=reason, client_order_id=order.client_order_id
            )
    if test is modified and order.event != "OrderUpdated":
        if order.event == "OrderModifyRejected":
            if order.denial is not None:
                return denied_error(f"{name} not modified", order.denial)
            return DeniedError(f"{name} not modified: {reason}", rule=reason)
        return ConflictError(f"{name} is {order.status}; it was not modified")
    if test is cancelled and order.status != "cancelled":
        if order.event == "OrderCancelRejected":
            return RejectedError(f"{name} not cancelled: {reason}", rule=reason)
        return ConflictError(f"{name} is {order.status}; it was not cancelled")
    return None
