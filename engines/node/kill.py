"""The kill switch inside an engine: blocks at once, then cancels, closes and verifies until all is done.

What it does rests on what is on disk: a look is taken behind the journal, so that a cancelled order or a
closed position counts by its event and not by having been asked for. What does not go at once — no price,
no liquidity — is tried again for as long as the engine lives. This module must not know who pulled.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal

import msgspec
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.orders import Order

from data.commands import SubmitOrder
from data.kill import EngineKill, KillOrder
from data.problems import ConflictError, ProblemError
from data.records import Instrument, JournalRecord, OrderUpdate, PositionUpdate
from engines.killsteps import KillSteps, Seen
from engines.latch import Latch
from engines.node import orders
from engines.node.bookkeeper import Bookkeeper
from engines.node.gate import Gate
from engines.node.gateway import Gateway
from engines.node.marks import Marker

#: How often it looks again while something is left, whether or not anything was heard.
LOOK_S = 0.1
#: How often its progress is told again while something is left: silence means that the engine hangs.
PULSE_S = 0.5
#: A cancel or a close that came to nothing is tried again after this long.
RETRY_S = 1.0
#: A closing order that works this long without an end is cancelled, and what is left closed anew.
CLOSE_PATIENCE_S = 5.0


class _Closing(msgspec.Struct):
    """The order that is closing a position, and when it was sent."""

    order: Order
    sent_at: float


class Killer:
    """Carries the kill switch out in one engine."""

    def __init__(
        self,
        *,
        engine: str,
        latch: Latch,
        gate: Gate,
        books: Bookkeeper,
        marker: Marker,
        gateway: Gateway,
        instruments: dict[str, Instrument],
        tell: Callable[[str, EngineKill], None],
        on_change: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._latch = latch
        self._gate = gate
        self._books = books
        self._marker = marker
        self._gateway = gateway
        self._instruments = instruments
        self._tell = tell
        self._on_change = on_change
        self._steps = KillSteps(engine)
        self._order_id: str | None = None
        self._begun = False
        self._market_begun = False
        self._number = 0
        self._closings: dict[str, _Closing] = {}
        self._own: set[str] = set()
        self._cancel_asked: dict[str, float] = {}
        self._cancelled: set[str] = set()
        self._told: EngineKill | None = None
        self._told_at = 0.0
        self._looking = False
        self._timer: asyncio.TimerHandle | None = None
        self.done = asyncio.Event()  #: set when all that was asked is verified
        self.cancelled = asyncio.Event()  #: set when no order works any more

    @property
    def progress(self) -> EngineKill:
        """How far it has come."""
        return self._steps.progress

    # ------------------------------------------------------------ in

    def pull(self, order: KillOrder) -> None:
        """Block every order before this returns, tell so, and begin with the rest."""
        self._gate.block(f"pulled by {order.by} ({order.via})")
        self._order_id = order.id
        self._steps.pull(order, time.time_ns())
        self.done.clear()
        self.cancelled.clear()
        self._say()
        self._on_change()
        if self._books.failure is not None:
            self.on_journal_failure(self._books.failure.detail)
        self._look_soon()

    @property
    def pulled(self) -> bool:
        """Whether orders are blocked."""
        return self._steps.pulled

    async def begin(self) -> None:
        """Go on to what needs the books: they are restored and the node runs, its market stands still.

        Returns when nothing works any more, so that what was to be cancelled is not filled instead.
        """
        self._begun = True
        if self.pulled:
            self._look_soon()
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_PATIENCE_S):
                    await self.cancelled.wait()

    def market_begins(self) -> None:
        """Go on to what needs prices."""
        self._market_begun = True
        self._look_soon()

    def release(self) -> None:
        """Let orders be judged again.

        Raises
        ------
        ConflictError
            If the latch still holds this engine.

        """
        latched = self._latch.held(self._engine)
        if latched is not None:
            raise ConflictError(
                f"engine {self._engine} stays blocked: {latched.sentence(self._engine)}",
                rule="the latch is taken off the disk before an engine is released",
                fix="nautilus-tui unlock",
            )
        self._steps.release()
        self._gate.unblock()
        self._closings.clear()
        self._stop_timer()
        self._say()
        self._on_change()

    def on_records(self, records: Sequence[JournalRecord]) -> None:
        """Take note of what has just reached the disk."""
        if not self._steps.pulled:
            return
        for record in records:
            if isinstance(record, OrderUpdate):
                self._note_order(record)
            elif isinstance(record, PositionUpdate) and not record.qty:
                self._steps.count(flattened=1)
        self._look_soon()

    def on_journal_failure(self, detail: str) -> None:
        """Say why nothing more can be done here."""
        if self._steps.pulled:
            self._steps.fail(f"the journal cannot be written, so nothing can be cancelled: {detail}")
            self._say()

    def _note_order(self, update: OrderUpdate) -> None:
        known = update.client_order_id
        if update.status == "cancelled" and known not in self._own and known not in self._cancelled:
            self._cancelled.add(known)
            self._steps.count(cancelled=1)

    # ------------------------------------------------------------ looking

    def _look_soon(self) -> None:
        """Look behind everything that is on its way to the disk."""
        if self._begun and not self._looking and self._books.failure is None:
            self._looking = True
            self._books.release(self._look)

    def _look(self) -> None:
        self._looking = False
        if not self._steps.pulled:
            return
        self._stop_timer()
        following = self._steps.look(self._seen(), time.time_ns())
        now = time.monotonic()
        if self._steps.progress.ts_cancelled is not None:
            self.cancelled.set()
        if following == "cancel":
            self._cancel_all(now)
        elif following == "close":
            self._close_all(now)
        self._say(pulse=True)
        if self._steps.progress.state == "verified":
            self._steps.latch()
            self._say()
        if self._steps.done:
            self.done.set()
        else:
            self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look_again)

    def _look_again(self) -> None:
        self._timer = None
        self._look_soon()
        if self._books.failure is not None:
            self.on_journal_failure(self._books.failure.detail)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _seen(self) -> Seen:
        live = self._live()
        closing = sum(1 for order in live if order.client_order_id.value in self._own)
        held = {name: self._books.open_average(name).qty for name in self._instruments}
        return Seen(
            working=len(live) - closing,
            closing=closing,
            positions={name: qty for name, qty in held.items() if qty},
        )

    def _live(self) -> list[Order]:
        """Return every order that is not closed, wherever it is: waiting, on its way or working."""
        cache = self._gateway.cache
        return [cache.order(name) for name in cache.client_order_ids() - cache.client_order_ids_closed()]

    # ------------------------------------------------------------ doing

    def _cancel_all(self, now: float) -> None:
        live = self._live()
        names = {order.client_order_id for order in live}
        for order in live:
            if order.is_active_local and not order.is_emulated:
                continue  # it waits for the journal or in a queue: the gate denies it when it leaves
            if order.parent_order_id in names:
                continue  # the exit of an entry that still works goes with its entry
            name = order.client_order_id.value
            if now - self._cancel_asked.get(name, -RETRY_S) >= RETRY_S:
                self._cancel_asked[name] = now
                self._gateway.cancel_order(order)

    def _close_all(self, now: float) -> None:
        if not self._market_begun:
            return
        for instrument, qty in self._steps.progress.positions.items():
            closing = self._closings.get(instrument)
            if closing is not None and not closing.order.is_closed:
                if now - closing.sent_at >= CLOSE_PATIENCE_S:
                    self._gateway.cancel_order(closing.order)
                continue
            if closing is not None and now - closing.sent_at < RETRY_S:
                continue
            if closing is not None:
                self._steps.fail(_why(closing.order, qty))
            if self._marker.closing_price(InstrumentId.from_str(instrument), long=qty > 0) is None:
                self._steps.fail(f"{instrument} {qty:f} is not closed: there is no price for it; waiting")
                continue
            try:
                self._closings[instrument] = _Closing(self._close(instrument, qty), now)
            except ProblemError as error:
                self._steps.fail(f"{instrument} {qty:f} is not closed: {error.detail}; trying again")

    def _close(self, instrument: str, qty: Decimal) -> Order:
        """Send a reduce-only market order that only the kill switch may send."""
        known = self._instruments[instrument]
        most = abs(qty) if known.max_qty is None else min(abs(qty), known.max_qty)
        name = self._free_name()
        order = orders.single(
            self._gateway.order_factory,
            known,
            SubmitOrder(
                engine=self._engine,
                client_order_id=name,
                instrument=instrument,
                side="sell" if qty > 0 else "buy",
                qty=most,
                order_type="market",
                tif="gtc",
                reduce_only=True,
            ),
            0,
        )
        self._own.add(name)
        self._gate.let_pass(name)
        self._gateway.submit_order(order)
        return order

    def _free_name(self) -> str:
        """Return an order id that the books do not know, also not from before a crash."""
        while True:
            self._number += 1
            name = f"KILL-{(self._order_id or '')[:12]}-{self._number}"
            if self._books.find_order(name) is None:
                return name

    # ------------------------------------------------------------ out

    def _say(self, *, pulse: bool = False) -> None:
        """Tell of progress: when it changed, and as a sign of life."""
        now = time.monotonic()
        progress = self._steps.progress
        if pulse and progress == self._told and now - self._told_at < PULSE_S:
            return
        self._told, self._told_at = progress, now
        self._tell(self._order_id or "", progress)


def _why(order: Order, left: Decimal) -> str:
    last = order.last_event
    reason = getattr(last, "reason", None) or order.status_string().lower().replace("_", " ")
    return f"{order.instrument_id.value} {left:f} is not closed: {reason}; trying again"
