"""How long the gate takes over an order, in a real engine, beside what NautilusTrader's own checks take.

`python -m engines.node.gauge LIMITS ORDERS` prints microseconds as JSON: for the gate and for the
RiskEngine behind it, which looks at the order's own size and the free balance; on the clock (`wall`), and
the work alone (`work`), which others on the machine do not lengthen. The engine holds positions
and working orders in its whole market, and its prices move. This module must not know who asks.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from itertools import cycle, islice
from pathlib import Path
from typing import Final, NamedTuple

import uvloop
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.execution.messages import SubmitOrder
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.orders import Order

from data.limits import GATED, UNITS, GateBook, Limit
from data.paths import Home
from data.records import Instrument
from engines.forkserver import bind
from engines.link import Stop
from engines.node import orders
from engines.node.engine import Engine
from engines.spec import EngineSpec
from risk.limits import limit_id

_ENGINE: Final = "gauge"
_WORKING: Final = 3  #: resting orders per instrument
_TURN: Final = 16  #: orders between two pauses in which prices move
_WIDE: Final = Decimal(10**12)


def many_limits(count: int, instruments: list[Instrument]) -> tuple[Limit, ...]:
    """Return so many limits that deny nothing: all types and units, over all scopes in turn."""
    scopes = ["portfolio", f"engine:{_ENGINE}", "strategy:GATEWAY-001"]
    scopes += sorted({f"sector:{one.sector}" for one in instruments if one.sector is not None})
    scopes += [f"instrument:{one.id}" for one in instruments]
    kinds = [(kind, unit) for kind in sorted(GATED) for unit in UNITS[kind]]
    every = ((kind, unit, scope) for scope in scopes for kind, unit in kinds)
    return tuple(
        Limit(
            id=limit_id(kind, scope, unit),
            limit_type=kind,
            scope=scope,
            hard=_WIDE,
            effective=_WIDE,
            unit=unit,
            window_s=1 if kind == "order_rate" else None,
            ts_created=0,
            ts_updated=0,
            updated_by="bench",
        )
        for kind, unit, scope in islice(every, count)
    )


class Took(NamedTuple):
    """Microseconds that one order took: on the clock, and of this thread's own work."""

    wall: float
    work: float


class _Gauge:
    """An engine in this process, and what is measured of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kernel = engine._node.kernel
        self._gateway = engine._gateway
        self._instruments = list(engine._instruments.values())

    async def fill_books(self) -> None:
        """Open a position and rest some orders in every instrument."""
        for one in self._instruments:
            self._gateway.submit_order(self._market(one))
            for _ in range(_WORKING):
                self._gateway.submit_order(self._resting(one))
        while self._kernel.cache.orders_inflight_count() or not self._settled():  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    def _settled(self) -> bool:
        return bool(self._kernel.cache.orders_open_count() >= _WORKING * len(self._instruments) // 2)

    def _market(self, one: Instrument) -> Order:
        return self._gateway.order_factory.market(
            InstrumentId.from_str(one.id), OrderSide.BUY, orders.quantity_of(one, one.min_qty)
        )

    def _resting(self, one: Instrument) -> Order:
        bid = self._engine._marker.closing_price(InstrumentId.from_str(one.id), long=True)
        assert bid is not None
        price = (bid * Decimal("0.8") / one.tick_size).to_integral_value() * one.tick_size
        return self._gateway.order_factory.limit(
            InstrumentId.from_str(one.id),
            OrderSide.BUY,
            orders.quantity_of(one, one.min_qty),
            orders.price_of(one, price),
        )

    async def times(
        self, count: int, act: Callable[[Order], None], after: Callable[[Order], None]
    ) -> list[Took]:
        """Return the microseconds that each of so many orders takes."""
        found = []
        for number, one in enumerate(islice(cycle(self._instruments), count)):
            order = self._resting(one)
            self._kernel.cache.add_order(order, None, None)
            begun, worked = time.perf_counter_ns(), time.thread_time_ns()
            act(order)
            worked = time.thread_time_ns() - worked
            found.append(Took((time.perf_counter_ns() - begun) / 1000, worked / 1000))
            after(order)
            # As orders come: one after the other, with a turn of the event loop between them.
            await asyncio.sleep(0 if number % _TURN else 0.001)
        return found

    def judged(self, order: Order) -> None:
        """Have the gate judge an order."""
        denial = self._engine._gate.decide([order])
        if denial is not None:
            raise RuntimeError(denial.sentence())

    def forgotten(self, order: Order) -> None:
        """Let the order go that the gate has let pass: it was not sent."""
        self._engine._keeper.exposures.book.remove(order.client_order_id.value)
        self._engine._keeper.exposures.settle_soon()

    def checked(self, order: Order) -> None:
        """Have NautilusTrader's RiskEngine check an order and hand it on."""
        command = SubmitOrder(
            trader_id=order.trader_id,
            strategy_id=order.strategy_id,
            order=order,
            command_id=UUID4(),
            ts_init=self._kernel.clock.timestamp_ns(),
        )
        self._kernel.risk_engine._execute_command(command)


async def measure(limits: int, count: int) -> dict[str, float]:
    """Return median and 99th percentile, in microseconds, of the gate and of the RiskEngine."""
    with tempfile.TemporaryDirectory(prefix="ntui-gauge-") as folder:
        home = Home(Path(folder)).ensure()
        spec = EngineSpec(
            engine=_ENGINE,
            record=False,
            log_level="error",
            starting_balances=("1000000000 USD",),
            history_minutes=0,
        )
        engine = Engine(spec, home, bind(home.engine_socket(_ENGINE)))
        running = asyncio.get_running_loop().create_task(engine.run())
        while engine._state != "running":  # it tells readers of its link, not this process
            if running.done():
                running.result()
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.5)  # every instrument has a price, and accounts are marked
        book = many_limits(limits, list(engine._instruments.values()))
        engine._keeper.go_by(GateBook(engine=_ENGINE, version=1, limits=book, ts=time.time_ns()))
        gauge = _Gauge(engine)
        await gauge.fill_books()
        await gauge.times(count // 10, gauge.judged, gauge.forgotten)
        mine = await gauge.times(count, gauge.judged, gauge.forgotten)
        theirs = await gauge.times(min(count, 1000), gauge.checked, lambda _: None)
        engine.ask_to_stop(Stop("measured"))
        await running
    return {"limits": len(book)} | _figures("gate", mine) | _figures("node", theirs)


def _figures(name: str, times: list[Took]) -> dict[str, float]:
    found = {}
    for field in Took._fields:
        ordered = sorted(getattr(one, field) for one in times)
        found[f"{name}_{field}_p50"] = statistics.median(ordered)
        found[f"{name}_{field}_p99"] = ordered[int(0.99 * len(ordered))]
    return found


def main() -> None:
    """Measure with as many limits and orders as the arguments say, and print the figures."""
    limits, count = (int(text) for text in sys.argv[1:])
    out = os.dup(1)  # the engine takes standard output for its log
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(measure(limits, count))
    os.write(out, json.dumps(found).encode() + b"\n")


if __name__ == "__main__":
    main()
