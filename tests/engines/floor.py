"""A trading floor for tests: a real supervisor, real engine processes, a sink that keeps everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal

from data.commands import SubmitOrder
from data.facts import Record
from data.paths import Home
from data.records import (
    AccountUpdate,
    EngineLog,
    EngineStatus,
    Fill,
    JournalRecord,
    OrderUpdate,
    PositionUpdate,
    Quote,
)
from engines.spec import EngineSpec
from engines.supervisor import Supervisor

ANSWER_S = 60.0


class KeepingSink:
    """Keeps what engines say and wakes whoever waits for it. Checks that no entry is lost or doubled."""

    def __init__(self) -> None:
        self.records: dict[str, list[JournalRecord]] = {}
        self.latest: dict[tuple[str, str, str], Record] = {}
        self.statuses: dict[str, list[EngineStatus]] = {}
        self.logs: list[EngineLog] = []
        self.specs: dict[str, EngineSpec] = {}
        self._changed = asyncio.Condition()

    def last_seq(self, engine: str) -> int:
        entries = self.records.get(engine)
        return entries[-1].seq if entries else 0

    async def journalled(self, engine: str, records: Sequence[JournalRecord]) -> None:
        expected = self.last_seq(engine)
        for record in records:
            expected += 1
            assert record.seq == expected, f"{engine}: expected entry {expected}, got {record.seq}"
        self.records.setdefault(engine, []).extend(records)
        await self._wake()

    def conflated(self, engine: str, records: Sequence[Record]) -> None:
        for record in records:
            key = getattr(record, "instrument", getattr(record, "account_id", ""))
            self.latest[engine, type(record).__name__, key] = record
        self._wake_soon()

    def status(self, status: EngineStatus) -> None:
        self.statuses.setdefault(status.id, []).append(status)
        self._wake_soon()

    def log(self, engine: str, lines: Sequence[EngineLog]) -> None:
        self.logs.extend(lines)
        self._wake_soon()

    def spec_changed(self, spec: EngineSpec) -> None:
        self.specs[spec.engine] = spec

    def _wake_soon(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._wake())

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, test: Callable[[], bool], seconds: float = ANSWER_S) -> None:
        """Wait until a fact holds; fail if it does not come true."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(test)

    # ------------------------------------------------------------ what the records say

    def orders(self, engine: str) -> dict[str, OrderUpdate]:
        return {r.client_order_id: r for r in self.records.get(engine, []) if isinstance(r, OrderUpdate)}

    def fills(self, engine: str) -> list[Fill]:
        return [r for r in self.records.get(engine, []) if isinstance(r, Fill)]

    def positions(self, engine: str) -> dict[str, Decimal]:
        found = {r.instrument: r.qty for r in self.records.get(engine, []) if isinstance(r, PositionUpdate)}
        return {instrument: qty for instrument, qty in found.items() if qty}

    def cash(self, engine: str) -> Decimal:
        accounts = [
            r for r in self.records.get(engine, []) if isinstance(r, AccountUpdate) and r.equity is None
        ]
        return accounts[-1].balances[0].total

    def quote(self, engine: str, instrument: str) -> Quote:
        quote = self.latest[engine, "Quote", instrument]
        assert isinstance(quote, Quote)
        return quote

    async def quoted(self, engine: str, instrument: str) -> Quote:
        await self.until(lambda: (engine, "Quote", instrument) in self.latest)
        return self.quote(engine, instrument)


class Floor:
    """A supervisor with its sink."""

    def __init__(self, home: Home, sink: KeepingSink, supervisor: Supervisor) -> None:
        self.home = home
        self.sink = sink
        self.supervisor = supervisor
        self._number = 0

    def next_id(self, prefix: str = "T") -> str:
        self._number += 1
        return f"{prefix}-{self._number}"

    async def send(self, engine: str, instrument: str, side: str, qty: str, **fields: object) -> OrderUpdate:
        """Send an order and return it as answered; raises what the engine answers."""
        order_id = str(fields.pop("order_id", "") or self.next_id())
        command = SubmitOrder(
            engine=engine,
            client_order_id=order_id,
            instrument=instrument,
            side=side,  # type: ignore[arg-type]
            qty=Decimal(qty),
            **fields,  # type: ignore[arg-type]
        )
        reply = await self.supervisor.execute(command)
        return reply.orders[0]


@asynccontextmanager
async def open_floor(home: Home, sink: KeepingSink | None = None) -> AsyncIterator[Floor]:
    """Open a floor over a home; engines are stopped when it closes."""
    sink = sink or KeepingSink()
    supervisor = Supervisor(home, sink, [])
    await supervisor.open()
    try:
        yield Floor(home, sink, supervisor)
    finally:
        await supervisor.close(stop_engines=True)
