"""The gateway: the strategy through which people trade, and the desk that answers their commands.

A command is answered when its confirming event is on disk, never before; if none comes within the
bound the answer is "unknown", never "rejected". An order id that the books know already is not sent
again: the answer is the order as it stands. This module must not know how commands arrive.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from decimal import Decimal

from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId
from nautilus_trader.model.orders import Order
from nautilus_trader.trading.strategy import Strategy

from data.commands import (
    CancelAll,
    CancelOrder,
    ClosePosition,
    EngineCommand,
    Flatten,
    ModifyOrder,
    PreviewOrder,
    SetFeed,
    SubmitBracket,
    SubmitOco,
    SubmitOrder,
)
from data.problems import (
    ConflictError,
    NotFoundError,
    OutcomeUnknownError,
    ProblemError,
    UnavailableError,
)
from data.records import Instrument, JournalRecord, OrderUpdate
from engines import rules
from engines.link import Reply, Request
from engines.node import orders
from engines.node.awaited import Awaited, answered, cancelled, modified
from engines.node.bookkeeper import Bookkeeper
from engines.node.gate import Gate

#: How long a command may stay unanswered before its outcome is called unknown.
ANSWER_TIMEOUT_S = 8.0

logger = logging.getLogger(__name__)


class Gateway(Strategy):  # type: ignore[misc]  # a compiled class without type stubs
    """Carries manual orders; it never trades by itself."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig(strategy_id="GATEWAY", order_id_tag="001", oms_type="NETTING"))

    def on_stop(self) -> None:
        """Leave everything as it is: working orders stay working when an engine stops."""


class Desk:
    """Carries out commands through the gateway and answers each exactly once."""

    def __init__(
        self,
        *,
        gateway: Gateway,
        books: Bookkeeper,
        gate: Gate,
        instruments: dict[str, Instrument],
        reply: Callable[[Reply], None],
        control_feed: Callable[[SetFeed], None],
        market_time: Callable[[], int],
        day_end: Callable[[str, int], int],
    ) -> None:
        self._gateway = gateway
        self._books = books
        self._gate = gate
        self._instruments = instruments
        self._reply = reply
        self._control_feed = control_feed
        self._market_time = market_time
        self._day_end = day_end
        self._awaited: list[Awaited] = []

    def reply_through(self, reply: Callable[[Reply], None]) -> None:
        """Send replies elsewhere from now on."""
        self._reply = reply

    # ------------------------------------------------------------ in

    def execute(self, request: Request) -> None:
        """Carry out a command; the reply comes through the callback given at the start."""
        try:
            self._check_names(request.command)
            if isinstance(request.command, PreviewOrder):
                self._reply(self._preview(request.id, request.command))
                return
            self._require_journal(request.command)
            awaited = self._carry_out(request.id, request.command)
        except ProblemError as error:
            self._reply(Reply(request.id, False, (), error.document()))
            return
        except Exception as error:
            # One command that fails in an unforeseen way must not end an engine that has positions.
            logger.exception("command %s failed in an unforeseen way", type(request.command).__name__)
            problem = OutcomeUnknownError(
                f"the engine failed: {type(error).__name__}",
                rule="what was begun may have happened",
                fix="see the engine's log",
            )
            self._reply(Reply(request.id, False, (), problem.document()))
            return
        if awaited is None:
            self._reply(Reply(request.id, True))
        else:
            self._await(awaited)

    def _check_names(self, command: EngineCommand) -> None:
        """Refuse names that cannot be any: NautilusTrader ends the process over some of them."""
        named: str | None = getattr(command, "client_order_id", None)
        if named is not None:
            rules.check_id("client_order_id", named, new=False)
        instrument: str | None = getattr(command, "instrument", None)
        if instrument is not None:
            self._instrument(instrument)

    def _require_journal(self, command: EngineCommand) -> None:
        failure = self._books.failure
        if failure is not None and not isinstance(command, SetFeed):
            raise UnavailableError(
                f"this engine's journal cannot be written: {failure.detail}",
                rule="nothing is traded that is not journalled",
                fix=failure.fix or "mend the disk, then restart the engine",
            )

    def _carry_out(self, request_id: str, command: EngineCommand) -> Awaited | None:
        match command:
            case SubmitOrder():
                return self._submit(request_id, command)
            case SubmitBracket():
                return self._submit_bracket(request_id, command)
            case SubmitOco():
                return self._submit_oco(request_id, command)
            case ModifyOrder():
                return self._modify(request_id, command)
            case CancelOrder():
                return self._cancel(request_id, self._working(command.client_order_id))
            case CancelAll():
                return self._cancel(request_id, *self._all_working(command.instrument))
            case ClosePosition():
                return self._close(request_id, command)
            case Flatten():
                return self._flatten(request_id, command)
            case SetFeed():
                self._control_feed(command)
                return None
            case PreviewOrder():
                return None  # answered before: it changes nothing, so it needs no journal

    # ------------------------------------------------------------ commands

    def _preview(self, request_id: str, command: PreviewOrder) -> Reply:
        effects = self._gate.preview(command, self._gateway.id.value)
        return Reply(request_id, True, effects=tuple(effects))

    def _submit(self, request_id: str, command: SubmitOrder) -> Awaited:
        known = self._books.find_order(command.client_order_id)
        if known is not None:
            _check_same(known, command)
            return Awaited(request_id, answered, [known])
        instrument = self._instrument(command.instrument)
        now = self._market_time()
        rules.check_order(instrument, command, now)
        order = orders.single(
            self._gateway.order_factory, instrument, command, self._day_end(instrument.id, now)
        )
        awaited = Awaited(request_id, answered, [self._books.record_of(order, order.init_event)])
        self._gateway.submit_order(order)
        return awaited

    def _submit_bracket(self, request_id: str, command: SubmitBracket) -> Awaited:
        names = [command.client_order_id, f"{command.client_order_id}-TP", f"{command.client_order_id}-SL"]
        known = [found for name in names if (found := self._books.find_order(name)) is not None]
        if known:
            return Awaited(request_id, answered, known)
        instrument = self._instrument(command.instrument)
        now = self._market_time()
        rules.check_bracket(instrument, command, now)
        order_list = orders.bracket(
            self._gateway.order_factory, instrument, command, self._day_end(instrument.id, now)
        )
        entry = order_list.orders[0]
        awaited = Awaited(request_id, answered, [self._books.record_of(entry, entry.init_event)])
        self._gateway.submit_order_list(order_list)
        return awaited

    def _submit_oco(self, request_id: str, command: SubmitOco) -> Awaited:
        names = [f"{command.client_order_id}-A", f"{command.client_order_id}-B"]
        known = [found for name in names if (found := self._books.find_order(name)) is not None]
        if known:
            return Awaited(request_id, answered, known)
        instrument = self._instrument(command.instrument)
        now = self._market_time()
        rules.check_oco(instrument, command, now)
        order_list = orders.one_cancels_other(
            self._gateway.order_factory,
            instrument,
            command,
            self._day_end(instrument.id, now),
            self._gateway.clock.timestamp_ns(),
        )
        pair = [self._books.record_of(order, order.init_event) for order in order_list.orders]
        awaited = Awaited(request_id, answered, pair)
        self._gateway.submit_order_list(order_list)
        return awaited

    def _modify(self, request_id: str, command: ModifyOrder) -> Awaited:
        order = self._working(command.client_order_id)
        instrument = self._instrument(order.instrument_id.value)
        rules.check_modification(instrument, command, order.filled_qty.as_decimal())
        awaited = Awaited(request_id, modified, [self._books.record_of(order, order.last_event)], fresh=True)
        self._gateway.modify_order(
            order,
            quantity=None if command.qty is None else orders.quantity_of(instrument, command.qty),
            price=None if command.price is None else orders.price_of(instrument, command.price),
            trigger_price=(
                None if command.trigger_price is None else orders.price_of(instrument, command.trigger_price)
            ),
        )
        return awaited

    def _cancel(self, request_id: str, *targets: Order) -> Awaited:
        found = [self._books.record_of(order, order.last_event) for order in targets]
        awaited = Awaited(request_id, cancelled, found, fresh=True)
        for order in targets:
            self._gateway.cancel_order(order)
        return awaited

    def _close(self, request_id: str, command: ClosePosition) -> Awaited:
        known = self._books.find_order(command.client_order_id)
        if known is not None:
            return Awaited(request_id, answered, [known])
        qty = self._books.open_average(command.instrument).qty
        if not qty:
            raise ConflictError(
                f"no open position in {command.instrument}", rule="only an open position can be closed"
            )
        return self._submit(
            request_id, _closing(command.engine, command.client_order_id, command.instrument, qty)
        )

    def _flatten(self, request_id: str, command: Flatten) -> Awaited:
        def close_all(finished: Awaited) -> Awaited:
            closing = Awaited(request_id, answered, list(finished.orders))
            held = sorted(i for i in self._instruments if self._books.open_average(i).qty)
            chosen = [i for i in held if command.instrument in (None, i)]
            for number, instrument in enumerate(chosen, start=1):
                qty = self._books.open_average(instrument).qty
                order_id = f"{command.client_order_id}-{number}"
                part = self._submit(request_id, _closing(command.engine, order_id, instrument, qty))
                closing.take_over(part)
            return closing

        awaited = self._cancel(request_id, *self._all_working(command.instrument))
        awaited.then = close_all
        return awaited

    # ------------------------------------------------------------ look-ups

    def _instrument(self, instrument: str) -> Instrument:
        found = self._instruments.get(instrument)
        if found is None:
            raise NotFoundError(
                f"instrument {instrument} is not traded by this engine",
                rule="an order names one of the engine's instruments",
                fix=f"for example {next(iter(self._instruments), 'none')}; see `nautilus-tui instruments`",
            )
        return found

    def _working(self, client_order_id: str) -> Order:
        order = self._gateway.cache.order(ClientOrderId(client_order_id))
        if order is None:
            raise NotFoundError(f"order {client_order_id} is not known to this engine")
        if order.is_closed:
            update = self._books.record_of(order, order.last_event)
            raise ConflictError(
                f"order {client_order_id} is {update.status} and cannot change any more",
                rule="only working orders are modified or cancelled",
            )
        return order

    def _all_working(self, instrument: str | None) -> list[Order]:
        instrument_id = None if instrument is None else InstrumentId.from_str(instrument)
        return list(self._gateway.cache.orders_open(instrument_id=instrument_id))

    # ------------------------------------------------------------ out

    def on_records(self, records: Sequence[JournalRecord]) -> None:
        """Take note of what has just reached the disk and answer what it answers."""
        if not self._awaited:
            return
        updates = [record for record in records if isinstance(record, OrderUpdate)]
        for awaited in list(self._awaited):
            for update in updates:
                awaited.note(update)
            if awaited.is_done:
                self._awaited.remove(awaited)
                self._settle(awaited)

    def _settle(self, awaited: Awaited) -> None:
        """Answer a command whose every order is answered, or go on to what it does next."""
        if awaited.timer is not None:
            awaited.timer.cancel()
        if awaited.then is not None:
            try:
                self._await(awaited.then(awaited))
            except ProblemError as error:
                self._reply(Reply(awaited.request_id, False, tuple(awaited.orders), error.document()))
            return
        problem = awaited.problem()
        document = None if problem is None else problem.document()
        self._reply(Reply(awaited.request_id, problem is None, tuple(awaited.orders), document))

    def _await(self, awaited: Awaited) -> None:
        if awaited.is_done:
            self._settle(awaited)
            return
        self._awaited.append(awaited)
        loop = asyncio.get_running_loop()
        awaited.timer = loop.call_later(ANSWER_TIMEOUT_S, self._give_up, awaited)

    def _give_up(self, awaited: Awaited) -> None:
        if awaited not in self._awaited:
            return
        self._awaited.remove(awaited)
        problem = OutcomeUnknownError(
            f"no answer within {ANSWER_TIMEOUT_S:g} s",
            rule="silence is not a rejection",
            fix="look at the order's state before sending anything else",
        )
        self._reply(Reply(awaited.request_id, False, tuple(awaited.orders), problem.document()))

    def fail_all(self, error: ProblemError) -> None:
        """Answer everything that still waits: its outcome cannot be known any more."""
        waiting, self._awaited = self._awaited, []
        for awaited in waiting:
            problem = OutcomeUnknownError(f"{error.detail}", rule=error.rule, fix=error.fix)
            self._reply(Reply(awaited.request_id, False, tuple(awaited.orders), problem.document()))


def _closing(engine: str, client_order_id: str, instrument: str, qty: Decimal) -> SubmitOrder:
    return SubmitOrder(
        engine=engine,
        client_order_id=client_order_id,
        instrument=instrument,
        side="sell" if qty > 0 else "buy",
        qty=abs(qty),
        order_type="market",
        tif="gtc",
        reduce_only=True,
    )


def _check_same(known: OrderUpdate, command: SubmitOrder) -> None:
    for field in ("instrument", "side", "order_type"):
        was, asked = getattr(known, field), getattr(command, field)
        if was != asked:
            raise ConflictError(
                f"order id {command.client_order_id} is taken by another order ({field} {was}, not {asked})",
                rule="an order id names one order for ever",
                fix="use a new id",
                client_order_id=command.client_order_id,
            )
