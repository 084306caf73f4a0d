"""The present state of what is told without loss: the records that a reader begins with.

Open orders and the latest that ended, the latest fills, open positions, accounts, the latest log
lines, audit entries, broadcasts and new filings; open breaches and alerts and the latest that are
over. The store keeps everything; this keeps what a screen shows first. What is kept follows from the
records alone, so that whoever is given a snapshot and told what came since keeps the same. This module
must not know who reads it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

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
from data.work import StrategyUpdate

if TYPE_CHECKING:
    from data.bus import Event
    from data.state import State

#: Orders that have ended, and fills, that a reader begins with, per engine.
RECENT = 500
LOG_LINES = 1000
AUDIT_ENTRIES = 200
BROADCASTS = 20
FILINGS = 100
#: Breaches, and alerts, that are over.
RESOLVED = 100
#: Versions and deployments of one strategy.
STRATEGY_ENTRIES = 200


type FillKey = tuple[str, str]  #: trade id, client order id


class _Engine:
    def __init__(self) -> None:
        self.orders: dict[str, OrderUpdate] = {}  #: those that ended in the order in which they did
        self.ended: dict[str, None] = {}
        self.fills: deque[Fill] = deque(maxlen=RECENT)
        self.positions: dict[str, PositionUpdate] = {}
        self.accounts: dict[str, AccountUpdate] = {}
        self.log: deque[EngineLog] = deque(maxlen=LOG_LINES)

    def put_order(self, order: OrderUpdate) -> None:
        id_ = order.client_order_id
        if order.status not in FINAL_STATUSES:
            self.ended.pop(id_, None)
        elif id_ not in self.ended:
            self.orders.pop(id_, None)
            self.ended[id_] = None
        self.orders[id_] = order
        while len(self.ended) > RECENT:
            gone = next(iter(self.ended))
            del self.ended[gone], self.orders[gone]

    def put_position(self, position: PositionUpdate) -> None:
        if position.qty:
            self.positions[position.position_id] = position
        else:
            self.positions.pop(position.position_id, None)

    def put_account(self, account: AccountUpdate) -> None:
        self.accounts[account.account_id] = account

    def clear(self, family: str) -> None:
        """Forget what is kept for one of an engine's topics."""
        match family:
            case "orders":
                self.orders.clear()
                self.ended.clear()
            case "fills":
                self.fills.clear()
            case "positions":
                self.positions.clear()
            case "account":
                self.accounts.clear()
            case "engines":
                self.log.clear()
            case _:
                raise ValueError(f"engines have no lossless topic of the family {family!r}")


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
        self._strategies: dict[str, dict[str, StrategyUpdate]] = {}

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
        self._audit.extend(await state.trail.latest(AUDIT_ENTRIES))

    def _engine(self, engine: str) -> _Engine:
        found = self._engines.get(engine)
        if found is None:
            found = self._engines[engine] = _Engine()
        return found

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
            self.note(record)

    def overhear(self, events: Iterable[Event]) -> None:
        """Take what nobody tells but the bus: broadcasts, and how strategies come along."""
        for event in events:
            if event.key is None and isinstance(event.record, Broadcast | StrategyUpdate):
                self.note(event.record)

    def note(self, record: Record) -> None:
        """Take one record of a lossless topic, whichever it is.

        Raises:
            TypeError: it is of a kind that no lossless topic carries.
        """
        match record:
            case OrderUpdate():
                self._engine(record.engine).put_order(record)
            case Fill():
                self._engine(record.engine).fills.append(record)
            case PositionUpdate():
                self._engine(record.engine).put_position(record)
            case AccountUpdate():
                self._engine(record.engine).put_account(record)
            case EngineLog():
                self.logged(record.engine, (record,))
            case AuditEntry():
                self.audited(record)
            case Broadcast():
                self.broadcast(record)
            case KillStatus():
                self.killed(record)
            case OrderAuthority():
                self.authorised(record)
            case Filing():
                self.filed((record,))
            case Breach():
                self.breached((record,))
            case Alert():
                self.alerted((record,))
            case StrategyUpdate():
                self.strategy(record)
            case _:
                raise TypeError(f"no lossless topic carries {type(record).__name__}")

    def restore(self, topic: str, records: Iterable[Record]) -> None:
        """Keep what a snapshot of a lossless topic says and nothing else of it."""
        match topic:
            case topics.AUDIT:
                self._audit.clear()
            case topics.BROADCAST:
                self._broadcasts.clear()
            case topics.KILL:
                self._kill = None
            case topics.AUTHORITY:
                self._authority = None
            case topics.FILINGS:
                self._filings.clear()
            case topics.BREACHES:
                self._breaches.clear()
            case topics.ALERTS:
                self._alerts.clear()
            case _:
                family, name = _split(topic)
                if family == "strategies":
                    self._strategies.pop(name, None)
                elif name in self._engines:
                    self._engines[name].clear(family)
        for record in records:
            self.note(record)

    def topics(self) -> list[str]:
        """Return the topics there is anything to tell of, told of before or not."""
        names = (
            topics.AUDIT,
            topics.BROADCAST,
            topics.KILL,
            topics.AUTHORITY,
            topics.FILINGS,
            topics.BREACHES,
            topics.ALERTS,
        )
        found = list(names)
        for engine in self._engines:
            found += [make(engine) for make in _TOPICS]
        found += [topics.strategy(name) for name in self._strategies]
        return [topic for topic in found if self.snapshot(topic)]

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

    def strategy(self, update: StrategyUpdate) -> None:
        """Take how a strategy's version or deployment stands."""
        kept = self._strategies.setdefault(update.strategy, {})
        key = update.deployment_id or update.version
        kept.pop(key, None)
        kept[key] = update
        while len(kept) > STRATEGY_ENTRIES:
            del kept[next(iter(kept))]

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
        family, name = _split(topic)
        if family == "strategies":
            return list(self._strategies.get(name, {}).values())
        found = self._engines.get(name)
        return [] if found is None else list(_PARTS[family](found))


def _split(topic: str) -> tuple[str, str]:
    """Return the family of an engine's or a strategy's topic and the name in it."""
    family, _, name = topic.partition(".")
    return family, name.removesuffix(".log") if family == "engines" else name


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

_TOPICS: tuple[Callable[[str], str], ...] = (
    topics.orders,
    topics.fills,
    topics.positions,
    topics.account,
    topics.engine_log,
)
