"""The gate in front of NautilusTrader's RiskEngine: every order command of the node passes here first.

It takes the RiskEngine's endpoint on the message bus. What may leave waits for the journal and then
goes on to the RiskEngine; what may not is denied with an event like any other. Cancels always pass.
Closed — journal failed, feed not there, engine stopping — it denies everything else.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import ModifyOrder, SubmitOrder, SubmitOrderList, TradingCommand
from nautilus_trader.model.enums import OrderSide, OrderStatus
from nautilus_trader.model.events import OrderDenied, OrderModifyRejected
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.orders import Order
from nautilus_trader.system.kernel import NautilusKernel

from data.commands import PreviewOrder
from data.limits import GateBook, LimitEffect
from data.records import Side
from engines.node import translate
from engines.node.bookkeeper import Bookkeeper
from engines.node.marks import Marker
from risk.gate import Denial, Exposure, OrderIntent, RateWindow, effects, judge
from risk.limits import NO_LIMITS, GateLimits

ENDPOINT = "RiskEngine.execute"


class Gate:
    """Judges every order command of one node."""

    def __init__(
        self,
        *,
        kernel: NautilusKernel,
        books: Bookkeeper,
        marker: Marker,
        limits: GateLimits,
        currency: str,
        enabled: bool,
    ) -> None:
        self._kernel = kernel
        self._cache = kernel.cache
        self._books = books
        self._marker = marker
        # A gate that is switched off has no limits, and a preview shows none.
        self._limits = limits if enabled else NO_LIMITS
        self._currency = currency
        self._book: GateBook | None = None
        self._rate = RateWindow(self._limits.order_rate)
        self._leaving: dict[str, Order] = {}
        self._forward = kernel.risk_engine.execute
        self.closed: str | None = "the engine is starting"
        self._block: Denial | None = None
        self._let_pass: set[str] = set()

    def go_by(self, book: GateBook) -> None:
        """Judge by a book from now on; it is on the disk."""
        self._book = book

    def install(self) -> None:
        """Take the RiskEngine's place on the message bus."""
        bus = self._kernel.msgbus
        bus.deregister(endpoint=ENDPOINT, handler=self._kernel.risk_engine.execute)
        bus.register(endpoint=ENDPOINT, handler=self.execute)

    # ------------------------------------------------------------ the kill switch

    def block(self, detail: str) -> None:
        """Deny every order from now on, also those that were judged and wait for the journal."""
        self._block = Denial(rule="kill_switch", detail=detail)

    def unblock(self) -> None:
        """Judge orders again."""
        self._block = None
        self._let_pass.clear()

    def let_pass(self, client_order_id: str) -> None:
        """Let one order pass while the gate is blocked: one that the kill switch closes a position with."""
        self._let_pass.add(client_order_id)

    @property
    def shut(self) -> str | None:
        """Why nothing but cancels passes; None while it judges."""
        if self.closed is not None or self._block is None:
            return self.closed
        return self._block.sentence()

    def stands(self, command: TradingCommand) -> bool:
        """Whether a command that has passed may still reach the venue; deny it if it may not.

        Asked when it leaves the journal, and again at the venue: between the two it waits in queues, and
        the kill switch may have been pulled meanwhile.
        """
        if self._block is None:
            return True
        if isinstance(command, ModifyOrder):
            order = self._cache.order(command.client_order_id)
            if order is not None and not order.is_closed:
                self._refuse_modification(command, order, self._block.sentence())
            return False
        orders = [order for order in _orders_of(command) if not order.is_closed]
        if all(self._blocked(order) is None for order in orders):
            return True
        for order in orders:
            self._deny(order, self._block.sentence())
        return False

    def _blocked(self, order: Order) -> Denial | None:
        return None if order.client_order_id.value in self._let_pass else self._block

    def _leave(self, command: TradingCommand) -> None:
        if self.stands(command):
            self._forward(command)

    # ------------------------------------------------------------ commands

    def execute(self, command: TradingCommand) -> None:
        """Let a command pass, or deny it."""
        if isinstance(command, SubmitOrder):
            self._submit(command, [command.order])
        elif isinstance(command, SubmitOrderList):
            self._submit(command, command.order_list.orders)
        elif isinstance(command, ModifyOrder):
            self._modify(command)
        else:
            self._books.release(lambda: self._forward(command))

    def _submit(self, command: TradingCommand, orders: list[Order]) -> None:
        denial = self._judge_submission(orders)
        if denial is not None:
            for order in orders:
                self._deny(order, denial.sentence())
            return
        for order in orders:
            self._leaving[order.client_order_id.value] = order
        self._books.release(lambda: self._leave(command))

    def _judge_submission(self, orders: list[Order]) -> Denial | None:
        if self.closed is not None:
            return Denial(rule="gate closed", detail=self.closed)
        if self._block is not None:
            return next((found for order in orders if (found := self._blocked(order)) is not None), None)
        denial = self._rate.judge(self._kernel.clock.timestamp_ns())
        if denial is not None:
            return denial
        for order in orders:
            if order.parent_order_id is not None:
                continue  # an exit of a bracket reduces what its entry opens
            denial = self._judge(order, order.quantity.as_decimal(), self._worst_price(order))
            if denial is not None:
                return denial
        return None

    def preview(self, command: PreviewOrder) -> list[LimitEffect]:
        """Return what an order would do to every limit, judged as it would be if it were sent."""
        instrument_id = InstrumentId.from_str(command.instrument)
        touch = self._marker.closing_price(instrument_id, long=command.side == "sell")
        price = max((p for p in (touch, command.price) if p is not None), default=None)
        intent = self._intent(instrument_id, command.side, command.qty, price, command.reduce_only)
        found = effects(intent, self._exposure(instrument_id), self._limits, self._currency)
        return [*found, self._rate.effect(self._kernel.clock.timestamp_ns())]

    def _judge(self, order: Order, qty: Decimal, price: Decimal | None) -> Denial | None:
        side = translate.SIDES[order.side]
        intent = self._intent(order.instrument_id, side, qty, price, order.is_reduce_only)
        return judge(intent, self._exposure(order.instrument_id, leave_out=order), self._limits)

    def _intent(
        self, instrument_id: InstrumentId, side: Side, qty: Decimal, price: Decimal | None, reduce_only: bool
    ) -> OrderIntent:
        instrument = self._cache.instrument(instrument_id)
        return OrderIntent(
            instrument=instrument_id.value,
            side=side,
            qty=qty,
            price=price,
            multiplier=instrument.multiplier.as_decimal(),
            lot_size=instrument.size_increment.as_decimal(),
            rate=self._marker.rate(instrument.quote_currency.code, self._currency, instrument_id.venue),
            reduce_only=reduce_only,
        )

    def _worst_price(self, order: Order) -> Decimal | None:
        """Return the dearest price known for the order: its own, or the touch it would meet."""
        touch = self._marker.closing_price(order.instrument_id, long=order.side == OrderSide.SELL)
        own = [] if touch is None else [touch]
        if order.has_price:
            own.append(order.price.as_decimal())
        if order.has_trigger_price and order.trigger_price is not None:
            own.append(order.trigger_price.as_decimal())
        return max(own, default=None)

    def _exposure(self, instrument_id: InstrumentId, leave_out: Order | None = None) -> Exposure:
        open_orders: dict[str, Order] = {}
        for source in (
            self._cache.orders_open(instrument_id=instrument_id),
            self._cache.orders_inflight(instrument_id=instrument_id),
            self._still_leaving(instrument_id),
        ):
            open_orders.update((found.client_order_id.value, found) for found in source)
        if leave_out is not None:
            open_orders.pop(leave_out.client_order_id.value, None)
        # Of orders of which one cancels the other only one can fill; counting both would deny exits.
        counted = [o for o in open_orders.values() if not o.is_reduce_only and o.parent_order_id is None]
        return Exposure(
            position=self._books.open_average(instrument_id.value).qty,
            buying=_leaves(counted, OrderSide.BUY),
            selling=_leaves(counted, OrderSide.SELL),
        )

    def _still_leaving(self, instrument_id: object) -> list[Order]:
        for key in [k for k, o in self._leaving.items() if o.status != OrderStatus.INITIALIZED]:
            del self._leaving[key]
        return [o for o in self._leaving.values() if o.instrument_id == instrument_id]

    def _modify(self, command: ModifyOrder) -> None:
        order = self._cache.order(command.client_order_id)
        if order is None:
            self._books.release(lambda: self._forward(command))
            return
        denial = self._judge_modification(command, order)
        if denial is None:
            self._books.release(lambda: self._leave(command))
        else:
            self._refuse_modification(command, order, denial.sentence())

    def _judge_modification(self, command: ModifyOrder, order: Order) -> Denial | None:
        if self.closed is not None:
            return Denial(rule="gate closed", detail=self.closed)
        if self._block is not None:
            return self._block
        total = order.quantity if command.quantity is None else command.quantity
        leaves = total.as_decimal() - order.filled_qty.as_decimal()
        asked = (command.price, command.trigger_price)
        prices = [self._worst_price(order), *(p.as_decimal() for p in asked if p is not None)]
        price = max((p for p in prices if p is not None), default=None)
        denial = self._rate.judge(self._kernel.clock.timestamp_ns())
        return denial or self._judge(order, leaves, price)

    def _deny(self, order: Order, reason: str) -> None:
        now = self._kernel.clock.timestamp_ns()
        event = OrderDenied(
            trader_id=order.trader_id,
            strategy_id=order.strategy_id,
            instrument_id=order.instrument_id,
            client_order_id=order.client_order_id,
            reason=reason,
            event_id=UUID4(),
            ts_init=now,
        )
        self._kernel.msgbus.send(endpoint="ExecEngine.process", msg=event)

    def _refuse_modification(self, command: ModifyOrder, order: Order, reason: str) -> None:
        now = self._kernel.clock.timestamp_ns()
        event = OrderModifyRejected(
            trader_id=order.trader_id,
            strategy_id=order.strategy_id,
            instrument_id=order.instrument_id,
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
            account_id=order.account_id,
            reason=reason,
            event_id=UUID4(),
            ts_event=now,
            ts_init=now,
        )
        self._kernel.msgbus.send(endpoint="ExecEngine.process", msg=event)


def _leaves(orders: Iterable[Order], side: OrderSide) -> Decimal:
    return sum((o.leaves_qty.as_decimal() for o in orders if o.side == side), Decimal(0))


def _orders_of(command: TradingCommand) -> list[Order]:
    if isinstance(command, SubmitOrder):
        return [command.order]
    return list(command.order_list.orders) if isinstance(command, SubmitOrderList) else []
