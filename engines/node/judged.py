"""What the gate judges by besides exposure: what the accounts are worth, and how old a price may be.

This module must not know of orders or limits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from data.facts import Record
from data.records import AccountUpdate
from engines.node.feed import Feed
from risk.gate import Money

#: Accounts are marked several times a second; when they were not for so long, they are marked anew.
_FRESH_S: Final = 1.0
_NANOS: Final = 1_000_000_000


class Worth:
    """Equity, the day's result and the highest equity of one engine's accounts, in its currency."""

    def __init__(self, currency: str, marks: Callable[[], Sequence[Record]]) -> None:
        self._currency = currency
        self._marks = marks
        self._money = Money(None, unknown="no account is known")
        self._taken_at = float("-inf")
        self._peak: Decimal | None = None

    def note_peak(self, peak: Decimal | None) -> None:
        """Take note of an equity that was reached."""
        if peak is not None and (self._peak is None or peak > self._peak):
            self._peak = peak

    def opened(self, accounts: Mapping[str, AccountUpdate]) -> None:
        """Take note of what the accounts began with."""
        cash = [
            next((b.total for b in one.balances if b.currency == self._currency), None)
            for one in accounts.values()
        ]
        known = [amount for amount in cash if amount is not None]
        if cash and len(known) == len(cash):
            self.note_peak(sum(known, Decimal(0)))

    def take(self, marks: Sequence[Record]) -> None:
        """Take accounts as they were just marked."""
        self._taken_at = time.monotonic()
        accounts = [one for one in marks if isinstance(one, AccountUpdate)]
        if not accounts:
            self._money = Money(None, unknown="no account is known")
            return
        foreign = next((one.currency for one in accounts if one.currency != self._currency), None)
        if foreign is not None:
            self._money = Money(None, unknown=f"an account is in {foreign}, not in {self._currency}")
            return
        equity = _sum([one.equity for one in accounts])
        self.note_peak(equity)
        unknown = (
            "equity is not known: a position has no price or no exchange rate" if equity is None else None
        )
        self._money = Money(equity, _sum([one.day_pnl for one in accounts]), self._peak, unknown)

    def now(self) -> Money:
        """Return what the accounts are worth."""
        if time.monotonic() - self._taken_at > _FRESH_S:
            self.take(self._marks())
        return self._money


class Staleness:
    """Says which prices are too old to judge a new order by."""

    def __init__(self, seconds: float | None, feed: Feed) -> None:
        self._seconds = seconds
        self._feed = feed

    def of(self, instrument: str, ts: int) -> str | None:
        """Return why a price received at ``ts`` (UTC ns) is too old, None if it is not.

        A feed that is slow by its setting, stands still or plays the past is not late; one that failed is.
        """
        if self._seconds is None:
            return None
        now = time.time_ns()
        if now - ts <= self._seconds * _NANOS and self._feed.failure is None:
            return None
        if self._feed.failure is not None:
            return f"the price of {instrument} is stale: the feed failed ({self._feed.failure})"
        quiet = self._feed.quiet_s()
        if quiet is None:
            return None
        age = (now - max(ts, self._feed.resumed_ns)) / _NANOS
        if age <= max(quiet, self._seconds) or not self._feed.calendar.is_open(instrument, now):
            return None
        return f"the price of {instrument} is {age:.1f} s old, more than {max(quiet, self._seconds):g} s"


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(amounts) else None
