"""Waiting for orders to reach a state, without asking again and again.

This module must not know where order updates come from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from data.records import FINAL_STATUSES, OrderUpdate

type OrderKey = tuple[str, str]


class OrderWatch:
    """Tells those who wait when their orders are final."""

    def __init__(self) -> None:
        self._waiting: dict[OrderKey, set[asyncio.Future[None]]] = {}

    def notify(self, orders: Iterable[OrderUpdate]) -> None:
        """Note the latest states of orders."""
        for order in orders:
            if order.status in FINAL_STATUSES:
                for future in self._waiting.pop((order.engine, order.client_order_id), ()):
                    if not future.done():
                        future.set_result(None)

    @contextmanager
    def final(self, keys: Collection[OrderKey]) -> Iterator[list[asyncio.Future[None]]]:
        """Give futures that are done once each order is final, from the moment of entry on."""
        loop = asyncio.get_running_loop()
        futures = [(key, loop.create_future()) for key in keys]
        for key, future in futures:
            self._waiting.setdefault(key, set()).add(future)
        try:
            yield [future for _, future in futures]
        finally:
            for key, future in futures:
                future.cancel()
                waiting = self._waiting.get(key)
                if waiting is not None:
                    waiting.discard(future)
                    if not waiting:
                        del self._waiting[key]
