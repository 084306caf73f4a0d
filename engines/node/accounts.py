"""Accounts at the latest marks: equity, and what was gained since the books and since the day began.

The first equity of a UTC day is journalled, so that the day's result outlives a restart. This module must
not know who shows the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from data.records import AccountUpdate, JournalRecord, PositionUpdate
from engines.node.bookkeeper import Bookkeeper
from engines.node.market import utc_date
from engines.node.marks import Marker
from engines.node.restore import Restored


class Accounts:
    """The accounts of one node, one for each venue."""

    def __init__(self, marker: Marker, books: Bookkeeper) -> None:
        self._marker = marker
        self._books = books
        self._latest: dict[str, AccountUpdate] = {}
        self._days: dict[str, AccountUpdate] = {}  #: the first equity of the day
        self.openings: dict[str, AccountUpdate] = {}  #: the first of each account

    def __bool__(self) -> bool:
        return bool(self._latest)

    def restored(self, restored: Restored) -> None:
        """Go on with what the journal says."""
        self._latest = restored.accounts
        self.openings = restored.openings
        self._days = restored.days

    def note(self, records: Sequence[JournalRecord]) -> None:
        """Take accounts that have just reached the disk."""
        for record in records:
            if isinstance(record, AccountUpdate) and record.equity is None:
                self._latest[record.account_id] = record
                self.openings.setdefault(record.account_id, record)

    def marked(self, positions: Sequence[PositionUpdate], now_ns: int) -> list[AccountUpdate]:
        """Return every account with its positions at their marks."""
        found = []
        for account in self._latest.values():
            venue = account.account_id.rsplit("-", 1)[0]
            mine = [one for one in positions if one.instrument.endswith(f".{venue}")]
            marked = self._marker.equity(msgspec.structs.replace(account, ts=now_ns), mine)
            found.append(self._with_day(self._with_realized(marked)))
        return found

    def _with_realized(self, account: AccountUpdate) -> AccountUpdate:
        """Return the account with what it has gained or lost since the books began, costs included.

        Nothing is paid in or out of a paper account: its cash moves by realised results alone.
        """
        now, begun = _cash(account), _cash(self.openings[account.account_id])
        if now is None or begun is None:
            return account
        return msgspec.structs.replace(account, realized_pnl=now - begun)

    def _with_day(self, account: AccountUpdate) -> AccountUpdate:
        if account.equity is None:
            return account
        day = self._days.get(account.account_id)
        if day is None or utc_date(day.ts) != utc_date(account.ts):
            day = self._days[account.account_id] = msgspec.structs.replace(account, day_pnl=None)
            self._books.add_record(day)
        if day.equity is None:
            return account
        return msgspec.structs.replace(account, day_pnl=account.equity - day.equity)


def _cash(account: AccountUpdate) -> Decimal | None:
    return next((b.total for b in account.balances if b.currency == account.currency), None)
