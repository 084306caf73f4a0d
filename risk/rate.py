"""Counts order commands in a sliding window. This module must not know what a command is."""

from __future__ import annotations

from collections import deque

_SECOND_NS = 1_000_000_000


class RateWindow:
    """At most so many commands in any so many seconds; those that were denied do not count."""

    def __init__(self, orders: int, seconds: int, counted: RateWindow | None = None) -> None:
        self.orders = orders
        self.seconds = seconds
        self._times: deque[int] = deque() if counted is None else counted._times

    def count(self, now_ns: int) -> int:
        """Return how many commands the window holds, having dropped those that left it."""
        horizon = now_ns - self.seconds * _SECOND_NS
        while self._times and self._times[0] <= horizon:
            self._times.popleft()
        return len(self._times)

    def note(self, now_ns: int) -> None:
        """Count one command."""
        self._times.append(now_ns)
