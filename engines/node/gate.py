"""The gate in front of NautilusTrader's RiskEngine: every order command of the node passes here first.

It takes the RiskEngine's endpoint on the message bus. What may leave waits for the journal and then
goes on to the RiskEngine; what may not is denied with an event like any other. Cancels always pass.
Closed — journal failed, feed not there, engine stopping — it denies everything else. Without limits it
denies whatever is not marked to reduce only. This module must not know where limits come from.
"""

from __future__ import annotations

from decimal import Decimal

from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import ModifyOrder, SubmitOrder, SubmitOrderList, TradingCommand
from nautilus_trader.model.events import OrderDenied, OrderModifyRejected
from nautilus_trader.model.identifiers import ClientOrderId
from nautilus_trader.model.orders import Order
from nautilus_trader.system.kernel import NautilusKernel

from data.commands import PreviewOrder
from data.limits import Denial, GateBook, LimitEffect, Restriction
from data.problems import NotFoundError, ProblemError
from engines.node.bookkeeper import Bookkeeper
from engines.node.exposures import Exposures, own_price
from risk.exposure import Line
from risk.gate import Judge, Proposal

ENDPOINT = "RiskEngine.execute"


class Gate:
    """Judges every order command of one node."""

    def __init__(
        self,
        *,
        kernel: NautilusKernel,
        books: Bookkeeper,
        exposures: Exposures,
        judge: Judge,
        enabled: bool,
    ) -> None:
        self._kernel = kernel
        self._cache = kernel.cache
        self._books = books
        self._exposures = exposures
        self._judge = judge
        self._enabled = enabled
        self._forward = kernel.risk_engine.execute
        self.closed: str | None = "the engine is starting"
        self._block: Denial | None = None
        self._lacking: str | None = "no limits have arrived"
        self._let_pass: set[str] = set()

    # ------------------------------------------------------------ limits

    def go_by(self, limits: GateBook) -> None:
        """Judge by these limits from now on; they are on the disk."""
        self._judge.go_by(limits)
        self._lacking = None

    def go_without(self, problem: ProblemError) -> None:
        """Deny what could open, because there are no limits."""
        self._judge.go_without(problem.detail)
        self._lacking = problem.detail

    @property
    def restriction(self) -> Restriction:
        """What it lets pass besides the limits; a gate that is switched off restricts nothing."""
        limits = self._judge.limits
        return "none" if limits is None or not self._enabled else limits.restriction

    @property
    def limits_version(self) -> int | None:
        """The version of the limits it goes by; None: it has none."""
        limits = self._judge.limits
        return None if limits is None else limits.version

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
        """Why nothing but cancels, or what only reduces, passes; None while it judges."""
        if self.closed is not None:
            return self.closed
        if self._block is not None:
            return self._block.sentence()
        return None if self._lacking is None or not self._enabled else f"limits: {self._lacking}"

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
                self._refuse_modification(order, self._block)
            return False
        orders = [order for order in _orders_of(command) if not order.is_closed]
        if all(self._blocked(order) is None for order in orders):
            return True
        for order in orders:
            self._deny(order, self._block)
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
        denial = self.decide(orders)
        if denial is None:
            self._books.release(lambda: self._leave(command))
            return
        for order in orders:
            self._deny(order, denial)

    def decide(self, orders: list[Order]) -> Denial | None:
        """Return why orders that come together may not leave; None: they count as on their way."""
        proposal = Proposal(lines=self._lines(orders))
        denial = self._judge_submission(orders, proposal)
        if denial is None:
            self._judge.count(proposal, self._kernel.clock.timestamp_ns())
            self._exposures.leave(proposal.lines)
        return denial

    def _lines(self, orders: list[Order]) -> tuple[Line, ...]:
        """Return orders as they will count; a bracket's exits close what its entry opens."""
        return tuple(self._exposures.as_it_is(order) for order in orders)

    def _judge_submission(self, orders: list[Order], proposal: Proposal) -> Denial | None:
        if self.closed is not None:
            return Denial(rule="gate", detail=self.closed)
        if self._block is not None:
            return next((found for order in orders if (found := self._blocked(order)) is not None), None)
        return self._judge.judge(proposal, self._kernel.clock.timestamp_ns())

    def preview(self, command: PreviewOrder, strategy: str) -> list[LimitEffect]:
        """Return what an order would do to every limit, judged as it would be if it were sent.

        With the id of a working order the order takes that one's place.

        Raises
        ------
        NotFoundError
            If no order of that id works.

        """
        name = command.client_order_id
        filled, drop = Decimal(0), frozenset[str]()
        qty = command.qty
        if name is not None:
            order = self._cache.order(ClientOrderId(name))
            if order is None or order.is_closed:
                raise NotFoundError(f"order {name} does not work in this engine", client_order_id=name)
            filled, drop = order.filled_qty.as_decimal(), frozenset({name})
            qty, strategy = max(qty - filled, Decimal(0)), order.strategy_id.value
        line = Line(
            id=name or "",
            instrument=command.instrument,
            strategy=strategy,
            side=command.side,
            qty=qty,
            acts=qty,
            price=command.price,
            reduce_only=command.reduce_only,
        )
        proposal = Proposal(lines=(line,), drop=drop, filled=filled)
        effects = self._judge.effects(proposal, self._kernel.clock.timestamp_ns())
        shut = self.closed or (None if self._block is None else self._block.sentence())
        if shut is None:
            return effects
        rule = "gate" if self._block is None or self.closed else self._block.rule
        none = Decimal(0)
        closed = LimitEffect(
            rule=rule,
            scope="",
            used=none,
            after=qty,
            limit=none,
            unit="shares",
            passes=False,
            max_quantity=none,
            reason=shut,
        )
        return [closed, *effects]

    def _modify(self, command: ModifyOrder) -> None:
        order = self._cache.order(command.client_order_id)
        if order is None or order.is_closed:
            self._books.release(lambda: self._forward(command))
            return
        total = (order.quantity if command.quantity is None else command.quantity).as_decimal()
        price = own_price(order, command.price, command.trigger_price)
        denial = self._judge_modification(order, total, price)
        if denial is not None:
            self._exposures.refuse(order)
            self._refuse_modification(order, denial)
            return
        self._exposures.change(order, total, price)
        self._books.release(lambda: self._leave(command))

    def _judge_modification(self, order: Order, total: Decimal, price: Decimal | None) -> Denial | None:
        if self.closed is not None:
            return Denial(rule="gate", detail=self.closed)
        if self._block is not None:
            return self._block
        line = self._exposures.changed(order, total, price)
        proposal = Proposal(lines=(line,), drop=frozenset({line.id}), filled=order.filled_qty.as_decimal())
        now = self._kernel.clock.timestamp_ns()
        denial = self._judge.judge(proposal, now)
        if denial is None:
            self._judge.count(proposal, now)
        return denial

    def _deny(self, order: Order, denial: Denial) -> None:
        now = self._kernel.clock.timestamp_ns()
        event = OrderDenied(
            trader_id=order.trader_id,
            strategy_id=order.strategy_id,
            instrument_id=order.instrument_id,
            client_order_id=order.client_order_id,
            reason=denial.sentence(),
            event_id=UUID4(),
            ts_init=now,
        )
        self._books.note_denial(event, denial)
        self._kernel.msgbus.send(endpoint="ExecEngine.process", msg=event)

    def _refuse_modification(self, order: Order, denial: Denial) -> None:
        now = self._kernel.clock.timestamp_ns()
        event = OrderModifyRejected(
            trader_id=order.trader_id,
            strategy_id=order.strategy_id,
            instrument_id=order.instrument_id,
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
            account_id=order.account_id,
            reason=denial.sentence(),
            event_id=UUID4(),
            ts_event=now,
            ts_init=now,
        )
        self._books.note_denial(event, denial)
        self._kernel.msgbus.send(endpoint="ExecEngine.process", msg=event)


def _orders_of(command: TradingCommand) -> list[Order]:
    if isinstance(command, SubmitOrder):
        return [command.order]
    return list(command.order_list.orders) if isinstance(command, SubmitOrderList) else []
