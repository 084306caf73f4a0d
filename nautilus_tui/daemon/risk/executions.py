"""Gathers what was recorded around orders: fills, acknowledgements, the market at arrival and afterwards.

An acknowledgement is the venue's first word: accepted, filled or rejected, whichever comes first. It stands
in the engine's journal; each journal is read once and followed from there. What
comes from disk is read in a thread. This module must not know how executions are judged.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final

from data.problems import NotFoundError
from data.records import FINAL_STATUSES, Fill, OrderUpdate
from data.state import State
from engines import books

if TYPE_CHECKING:
    from pathlib import Path

    from data.history import History, Holdings
    from nautilus_tui.daemon.risk.recorded import Tape, Traded
    from risk.execution import OrderFacts, Touch
    from risk.terms import Terms

MINUTE_NS: Final = 60 * 1_000_000_000
#: What an order is before the venue has said anything of it.
_UNANSWERED: Final = frozenset({"sent", "denied", "unknown"})
_PAGE: Final = 1000
_REPLAYED: Final = "the engine replays a past market: its times are not those of the order's making"
_NO_QUOTE: Final = "no quote was recorded in the minute before the order"

type OrderKey = tuple[str, str]  #: engine, client order id


class ExecutionSource:
    """Gives orders with what was recorded around them.

    Args:
        state: Orders and fills.
        history: Opens the history; called in a thread.
        journal: Where an engine's journal lies.
        replays: Whether an engine replays a past market.
        clock: UTC ns.
    """

    def __init__(
        self,
        state: State,
        history: Callable[[], History],
        journal: Callable[[str], Path],
        *,
        replays: Callable[[str], bool],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._state = state
        self._history = history
        self._journal = journal
        self._replays = replays
        self._clock = clock
        self._acks: dict[str, dict[str, int]] = defaultdict(dict)
        self._read: dict[str, int] = {}
        self._reading = asyncio.Lock()

    async def facts(
        self,
        orders: Sequence[OrderUpdate],
        terms: Mapping[str, Terms],
        rate: Callable[[str, str], Decimal | None],
    ) -> list[OrderFacts]:
        """Return orders with what was recorded around them, in their order.

        Args:
            orders: The latest state of each.
            terms: Of their instruments; an order of one without terms is left out.
            rate: The book's currency for one unit of a currency, as an engine knows it.

        Raises:
            StoreFailedError: The history cannot be read.
        """
        known = [one for one in orders if one.instrument in terms]
        fills = await self._fills(known)
        async with self._reading:
            return await asyncio.to_thread(self._gather, known, fills, terms, rate)

    async def _fills(self, orders: Sequence[OrderUpdate]) -> dict[OrderKey, list[Fill]]:
        found: dict[OrderKey, list[Fill]] = defaultdict(list)
        if len(orders) == 1:
            page = await self._state.fills(
                engine=orders[0].engine, client_order_id=orders[0].client_order_id, limit=_PAGE
            )
            found[orders[0].engine, orders[0].client_order_id] = page.items[::-1]
            return found
        wanted = {(one.engine, one.client_order_id) for one in orders if one.filled_qty}
        begun = min((one.ts_init for one in orders), default=0)
        replayed = any(self._replays(one.engine) for one in orders)
        cursor: str | None = None
        while wanted:
            page = await self._state.fills(limit=_PAGE, cursor=cursor)
            for fill in page.items:
                key = (fill.engine, fill.client_order_id)
                if key in wanted:
                    found[key].append(fill)
            cursor = page.next
            if cursor is None or (not replayed and page.items[-1].ts < begun):
                break
        for of_order in found.values():
            of_order.sort(key=lambda one: (one.ts, one.seq))
        return found

    def _gather(
        self,
        orders: Sequence[OrderUpdate],
        fills: Mapping[OrderKey, list[Fill]],
        terms: Mapping[str, Terms],
        rate: Callable[[str, str], Decimal | None],
    ) -> list[OrderFacts]:
        from nautilus_tui.daemon.risk.recorded import retried

        for engine in {one.engine for one in orders}:
            self._follow(engine)
        history = self._history()
        groups: dict[tuple[str, str], list[OrderUpdate]] = defaultdict(list)
        for order in orders:
            groups[order.engine, order.instrument].append(order)
        made: dict[OrderKey, OrderFacts] = {}
        for (engine, instrument), some in groups.items():
            term = terms[instrument]
            group = _Group(engine, instrument, term, rate(engine, term.currency), some, fills, self._clock())
            acks = self._acks[engine]
            found = (
                group.replayed(acks)
                if self._replays(engine)
                else retried(history, partial(group.recorded, history, acks))
            )
            made |= {(one.order.engine, one.order.client_order_id): one for one in found}
        return [made[one.engine, one.client_order_id] for one in orders]

    def _follow(self, engine: str) -> None:
        """Read on in an engine's journal: when were its orders acknowledged?"""
        acks = self._acks[engine]
        try:
            for record in books.read_records(self._journal(engine), self._read.get(engine, 0)):
                self._read[engine] = record.seq
                if isinstance(record, OrderUpdate) and record.status not in _UNANSWERED:
                    acks.setdefault(record.client_order_id, record.ts)
        except NotFoundError:
            return  # an engine that never journalled has acknowledged nothing


class _Group:
    """Orders of one engine in one instrument."""

    def __init__(
        self,
        engine: str,
        instrument: str,
        term: Terms,
        rate: Decimal | None,
        orders: Sequence[OrderUpdate],
        fills: Mapping[OrderKey, list[Fill]],
        now: int,
    ) -> None:
        self._engine = engine
        self._instrument = instrument
        self._term = term
        self._rate = rate
        self._orders = orders
        self._fills = {
            one.client_order_id: tuple(fills.get((engine, one.client_order_id), ())) for one in orders
        }
        self._now = now

    def replayed(self, acks: Mapping[str, int]) -> list[OrderFacts]:
        """Return the orders of an engine whose market is of another time than its orders."""
        return [
            self._facts(one, acks, reasons=dict.fromkeys(("arrival", "vwap", "time"), _REPLAYED))
            for one in self._orders
        ]

    def recorded(self, history: History, acks: Mapping[str, int], holdings: Holdings) -> list[OrderFacts]:
        """Return the orders with the market around them."""
        from nautilus_tui.daemon.risk.recorded import Tape

        tape = Tape(history, holdings, self._instrument, self._engine)
        moments = [one.ts_init for one in self._orders]
        moments += [one.ts for one in self._orders if one.status in FINAL_STATUSES]
        moments += [found[-1].ts for found in self._fills.values() if found]
        tape.prepare(moments)
        return [self._around(one, acks, tape) for one in self._orders]

    def _around(self, order: OrderUpdate, acks: Mapping[str, int], tape: Tape) -> OrderFacts:
        fills = self._fills[order.client_order_id]
        reasons: dict[str, str] = {}
        arrival = tape.at(order.ts_init)
        if arrival is None:
            reasons["arrival"] = _NO_QUOTE
        traded = None
        if fills:
            until = max(fills[-1].ts, order.ts_init + MINUTE_NS)
            traded = tape.traded(order.ts_init, until)
            if traded is None:
                reasons["vwap"] = "no trades were recorded between arrival and the last fill"
            elif until > self._now:
                reasons["interval"] = "the minute after arrival is not over: its trades are those so far"
        return self._facts(
            order,
            acks,
            reasons=reasons,
            arrival=arrival,
            after=tape.after(fills[-1].ts) if fills else None,
            end=tape.at(order.ts) if order.status in FINAL_STATUSES else None,
            traded=traded,
        )

    def _facts(
        self,
        order: OrderUpdate,
        acks: Mapping[str, int],
        *,
        reasons: dict[str, str],
        arrival: Touch | None = None,
        after: Touch | None = None,
        end: Touch | None = None,
        traded: Traded | None = None,
    ) -> OrderFacts:
        from risk.execution import OrderFacts

        if self._rate is None:
            reasons["rate"] = f"no exchange rate for {self._term.currency}"
        return OrderFacts(
            order=order,
            fills=self._fills[order.client_order_id],
            currency=self._term.currency,
            multiplier=self._term.multiplier,
            rate=self._rate,
            arrival=arrival,
            after=after,
            end=end,
            vwap=None if traded is None else traded.vwap,
            volume=None if traded is None else traded.volume,
            ts_ack=acks.get(order.client_order_id),
            reasons=reasons,
        )
