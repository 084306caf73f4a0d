"""What the market is doing now: the latest quotes and books, and positions at their latest marks.

The bus keeps the latest of everything that may be conflated; this asks it. This module must not
know of HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable

from data import topics
from data.bus import Bus
from data.facts import Record
from data.problems import ConflictError, NotFoundError
from data.records import AccountUpdate, Book, FeedProgress, PositionUpdate, Quote


class Market:
    """Answers questions about the latest prices, over the bus."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def quotes(self, engine: str | None = None) -> list[Quote]:
        """Return the latest quote of every instrument, by instrument, of one engine or of all."""
        found = [quote for topic in self._topics("quotes.") for quote in self._latest(topic, Quote)]
        chosen = [quote for quote in found if engine in (None, quote.engine)]
        return sorted(chosen, key=lambda quote: (quote.instrument, quote.engine))

    def quote(self, instrument: str, engine: str | None = None) -> Quote:
        """Return an instrument's latest quote, the youngest of several; raises NotFoundError."""
        return _youngest(instrument, "quote", engine, self._latest(topics.quotes(instrument), Quote))

    def book(self, instrument: str, engine: str | None = None) -> Book:
        """Return an instrument's latest order book, the youngest of several; raises NotFoundError."""
        return _youngest(instrument, "book", engine, self._latest(topics.book(instrument), Book))

    def replayed_until(self, engine: str) -> int | None:
        """Return the market time (ns UTC) that an engine's replay has come to, None if it replays nothing.

        What lies behind it in the history is the future to whoever trades there.
        """
        for progress in self._latest(topics.engine_feed(engine), FeedProgress):
            if progress.feed == "replay":
                return progress.ts_market or progress.ts_start
        return None

    def marked_positions(self, positions: Iterable[PositionUpdate]) -> list[PositionUpdate]:
        """Return positions at their latest marks where the mark is of the same quantity and not older."""
        return [self._marked(position) for position in positions]

    def marked_accounts(self, accounts: Iterable[AccountUpdate]) -> list[AccountUpdate]:
        """Return accounts with equity at the latest marks where those are not older."""
        marked = []
        for account in accounts:
            for mark in self._latest(topics.marks(account.engine), AccountUpdate):
                if mark.account_id == account.account_id and mark.ts >= account.ts:
                    account = mark
            marked.append(account)
        return marked

    def _marked(self, position: PositionUpdate) -> PositionUpdate:
        for mark in self._latest(topics.marks(position.engine), PositionUpdate):
            same = mark.position_id == position.position_id and mark.qty == position.qty
            if same and mark.ts >= position.ts:
                return mark
        return position

    def _topics(self, prefix: str) -> list[str]:
        return [topic for topic in self._bus.topics() if topic.startswith(prefix)]

    def _latest[R: Record](self, topic: str, kind: type[R]) -> list[R]:
        return [event.record for event in self._bus.latest(topic) if isinstance(event.record, kind)]


def _youngest[M: (Quote, Book)](instrument: str, what: str, engine: str | None, found: list[M]) -> M:
    chosen = [record for record in found if engine in (None, record.engine)]
    if not chosen:
        where = "any engine" if engine is None else f"engine {engine}"
        raise NotFoundError(
            f"no {what} of {instrument} from {where}",
            rule="prices come from running engines",
            fix="start an engine that trades it: nautilus-tui engine start",
            instrument=instrument,
        )
    kinds = {record.synthetic for record in chosen}
    if len(kinds) > 1:
        raise ConflictError(
            f"{instrument} has a simulated and an observed {what}",
            rule="simulated prices never stand in for observed ones",
            fix="name the engine: ?engine=",
        )
    return max(chosen, key=lambda record: record.ts_recv)
