"""The present state of what is told without loss: the records that a reader begins with.

Open orders and the latest that ended, the latest fills, open positions, accounts, the latest log
lines, audit entries, broadcasts and new filings; open breaches and alerts and the latest that are
over. The store keeps everything; this keeps what a screen shows first. This module must not know who
reads it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from data import topics
from data.access import OrderAuthority
from data.companies import Filing
from data.facts import Record
from data.kill import KillStatus
from data.limits import Alert, Breach
from data.records import (
    FINAL_STATUSES,
    AccountUpdate,
    AuditEntry,
    Broadcast,
    EngineLog,
    Fill,
    JournalRecord,
    OrderUpdate,
    PositionUpdate,
)
from data.state import State

#: Orders that have ended, and fills, that a reader begins with, per engine.
RECENT = 500
LOG_LINES = 1000
AUDIT_ENTRIES = 200
BROADCASTS = 20
FILINGS = 100
#: Breaches, and alerts, that are over.
RESOLVED = 100


type FillKey = tuple[str, str]  #: trade id, client order id


class _Engine:
    def __init__(self) -> None:
        self.orders: dict[str, OrderUpdate] = {}
        self.ended: deque[str] = deque()
        self.fills: deque[Fill] = deque(maxlen=RECENT)
        self.positions: dict[str, PositionUpdate] = {}
        self.accounts: dict[str, AccountUpdate] = {}
        self.log: deque[EngineLog] = deque(maxlen=LOG_LINES)

    def put_order(self, order: OrderUpdate) -> None:
        before = self.orders.get(order.client_order_id)
        self.orders[order.client_order_id] = order
        if order.status in FINAL_STATUSES and (before is None or before.status not in FINAL_STATUSES):
            self.ended.append(order.client_order_id)
            while len(self.ended) > RECENT:
                gone = self.ended.popleft()
                if self.orders[gone].status in FINAL_STATUSES:
                    del self.orders[gone]


class Present:
    """Holds and tells the present state, topic by topic."""

    def __init__(self) -> None:
        self._engines: dict[str, _Engine] = {}
        self._audit: deque[AuditEntry] = deque(maxlen=AUDIT_ENTRIES)
        self._broadcasts: deque[Broadcast] = deque(maxlen=BROADCASTS)
        self._filings: deque[Filing] = deque(maxlen=FILINGS)
        self._kill: KillStatus | None = None
        self._authority: OrderAuthority | None = None
        self._breaches: dict[str, Breach] = {}
        self._alerts: dict[str, Alert] = {}

    async def load(self, state: State) -> None:
        """Begin with what the store holds."""
        orders = (await state.orders(limit=RECENT)).items
        orders += (
            await state.orders(statuses={"sent", "accepted", "partially_filled", "unknown"}, limit=100_000)
        ).items
        for order in sorted(
            {(o.engine, o.client_order_id): o for o in orders}.values(), key=lambda o: o.ts_init
        ):
            self._engine(order.engine).put_order(order)
        for fill in reversed((await state.fills(limit=RECENT)).items):
            self._engine(fill.engine).fills.append(fill)
        for position in (await state.positions(limit=100_000)).items:
            self._engine(position.engine).positions[position.position_id] = position
        for account in await state.accounts():
            self._engine(account.engine).accounts[account.account_id] = account
        self._audit.extend(reversed((await state.audit(limit=AUDIT_ENTRIES)).items))

    def _engine(self, engine: str) -> _Engine:
        return self._engines.setdefault(engine, _Engine())

    def engines(self) -> list[str]:
        """Return the engines there is anything to tell of."""
        return list(self._engines)

    def holders(self) -> dict[str, set[str]]:
        """Return the engines that hold each instrument there is a position in."""
        found: dict[str, set[str]] = {}
        for name, engine in self._engines.items():
            for position in engine.positions.values():
                found.setdefault(position.instrument, set()).add(name)
        return found

    def fill_keys(self, engine: str) -> list[FillKey]:
        """Return what names the latest fills of an engine."""
        found = self._engines.get(engine)
        return [(fill.trade_id, fill.client_order_id) for fill in found.fills] if found else []

    def journalled(self, records: Iterable[JournalRecord]) -> None:
        """Take journalled records that were stored."""
        for record in records:
            engine = self._engine(record.engine)
            match record:
                case OrderUpdate():
                    engine.put_order(record)
                case Fill():
                    engine.fills.append(record)
                case PositionUpdate() if record.qty:
                    engine.positions[record.position_id] = record
                case PositionUpdate():
                    engine.positions.pop(record.position_id, None)
                case AccountUpdate():
                    engine.accounts[record.account_id] = record

    def logged(self, engine: str, lines: Iterable[EngineLog]) -> None:
        """Take log lines of an engine."""
        self._engine(engine).log.extend(lines)

    def audited(self, entry: AuditEntry) -> None:
        """Take an audit entry that was stored."""
        self._audit.append(entry)

    def broadcast(self, message: Broadcast) -> None:
        """Take a message to everyone."""
        self._broadcasts.append(message)

    def killed(self, status: KillStatus) -> None:
        """Take how the kill switch stands."""
        self._kill = status

    def authorised(self, authority: OrderAuthority) -> None:
        """Take who holds the order authority."""
        self._authority = authority

    def filed(self, filings: Iterable[Filing]) -> None:
        """Take filings that were told of as new, oldest first."""
        self._filings.extend(filings)

    def breached(self, breaches: Iterable[Breach]) -> None:
        """Take breaches as they stand now."""
        _put_open(self._breaches, breaches)

    def alerted(self, alerts: Iterable[Alert]) -> None:
        """Take alerts as they stand now."""
        _put_open(self._alerts, alerts)

    def order(self, engine: str, client_order_id: str) -> OrderUpdate | None:
        """Return an order that is open or ended lately; None if it is not among those."""
        found = self._engines.get(engine)
        return found.orders.get(client_order_id) if found else None

    def log(self, engine: str) -> list[EngineLog]:
        """Return an engine's latest log lines, oldest first."""
        found = self._engines.get(engine)
        return list(found.log) if found else []

    def snapshot(self, topic: str) -> list[Record]:
        """Return the records that make up the present state of a lossless topic."""
        if topic == topics.AUDIT:
            return list(self._audit)
        if topic == topics.BROADCAST:
            return list(self._broadcasts)
        if topic == topics.KILL:
            return [] if self._kill is None else [self._kill]
        if topic == topics.AUTHORITY:
            return [] if self._authority is None else [self._authority]
        if topic == topics.FILINGS:
            return list(self._filings)
        if topic == topics.BREACHES:
            return list(self._breaches.values())
        if topic == topics.ALERTS:
            return list(self._alerts.values())
        family, _, engine = topic.partition(".")
        if family == "engines":
            engine = engine.removesuffix(".log")
        found = self._engines.get(engine)
        return [] if found is None else list(_PARTS[family](found))


def _put_open[T: (Breach, Alert)](kept: dict[str, T], records: Iterable[T]) -> None:
    """Keep what is open, and the latest of what is over."""
    for record in records:
        kept[record.id] = record
    over = [id_ for id_, record in kept.items() if record.status == "resolved"]
    for id_ in over[: max(len(over) - RESOLVED, 0)]:
        del kept[id_]


_PARTS: dict[str, Callable[[_Engine], Iterable[Record]]] = {
    "orders": lambda engine: engine.orders.values(),
    "fills": lambda engine: engine.fills,
    "positions": lambda engine: engine.positions.values(),
    "account": lambda engine: engine.accounts.values(),
    "engines": lambda engine: engine.log,
}
