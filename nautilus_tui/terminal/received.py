"""What was received, by what it is about, with one writer: the state under the mirror.

Each record that comes replaces what it tells anew; what was told before, or tells less than is
known, changes nothing. What changed since the last frame is in :attr:`Records.dirty`, kind by kind.
It must not know of Textual, of I/O or of how anything is shown.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec

from data.access import OrderAuthority
from data.records import (
    FINAL_STATUSES,
    AccountUpdate,
    Bar,
    Book,
    Broadcast,
    EngineLog,
    EngineStatus,
    FeedProgress,
    Fill,
    Instrument,
    OrderUpdate,
    PositionUpdate,
    Quote,
    SystemHealth,
    Trade,
)
from nautilus_tui.terminal.facts import Facts
from nautilus_tui.terminal.perils import Perils

Kind = Literal[
    "quotes",
    "trades",
    "books",
    "bars",
    "instruments",
    "orders",
    "fills",
    "positions",
    "account",
    "engines",
    "feed",
    "logs",
    "health",
    "broadcasts",
    "connection",
    "macro",
    "research",
    "filings",
    "providers",
    "risk",
    "limits",
    "breaches",
    "alerts",
    "forecasts",
    "kill",
    "authority",
]
ConnectionState = Literal["connecting", "connected", "disconnected"]
#: How far the bars of a series may be trusted: all known, asked for, or not learnt.
BarsState = Literal["known", "asked", "unknown"]

MAX_BARS = 2000
MAX_TRADES = 200
MAX_FILLS = 5000
MAX_LOGS = 5000
MAX_BROADCASTS = 50
MAX_ORDER_HISTORY = 64
#: A sparkline point stands for this long.
TRAIL_NS = 5_000_000_000
MAX_TRAIL = 60
#: Equity is kept by the same slots for an hour.
MAX_EQUITIES = 720

#: Topics whose records no reader may miss: a sequence number seen twice is the same event.
_LOSSLESS = (
    *("orders.", "fills.", "positions.", "account.", "audit", "system.broadcast", "filings"),
    *("risk.breaches", "risk.alerts", "risk.kill", "system.authority"),
)


class Envelope(Protocol):
    """What the stream client hands over: one decoded message of the stream."""

    @property
    def type(self) -> str: ...
    @property
    def topic(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def data(self) -> object: ...


@dataclass(frozen=True, slots=True)
class Connection:
    """How the terminal stands with the daemon."""

    state: ConnectionState = "connecting"
    since_ns: int = 0  #: when this state began
    attempt: int = 0  #: which attempt to reconnect is under way
    retry_at_ns: int | None = None
    problem: str | None = None  #: why it was lost
    target: str = ""


class Records:
    """Everything received, by what it is about. Written only through its methods."""

    def __init__(self) -> None:
        self.version = 0  #: grows with every change
        self.dirty: dict[Kind, set[Hashable]] = {}
        self.connection = Connection()
        self.epoch: str | None = None
        self.quotes: dict[tuple[str, str], Quote] = {}
        self.trades: dict[tuple[str, str], deque[Trade]] = {}
        self.books: dict[tuple[str, str], Book] = {}
        self.bars: dict[tuple[str, str, str], list[Bar]] = {}
        self.bars_states: dict[tuple[str, str, str], BarsState] = {}
        #: Topics of bars of which the stream told a gap; see `take_missed`.
        self.bars_missed: set[str] = set()
        self.instruments: dict[str, dict[str, Instrument]] = {}
        self.orders: dict[str, dict[str, OrderUpdate]] = {}
        self.order_history: dict[tuple[str, str], list[OrderUpdate]] = {}  #: states as they came
        self.fills: dict[str, dict[str, Fill]] = {}
        self.positions: dict[str, dict[str, PositionUpdate]] = {}
        self.marks: dict[str, dict[str, PositionUpdate]] = {}
        self.accounts: dict[str, AccountUpdate] = {}
        self.engines: dict[str, EngineStatus] = {}
        self.feeds: dict[str, FeedProgress] = {}
        self.logs: deque[EngineLog] = deque(maxlen=MAX_LOGS)
        self.logs_begun = 0  #: how often lines were taken away again, because they are told anew
        self.logs_seen = 0  #: lines ever received; the ring holds the latest of them
        self.health: SystemHealth | None = None
        self.authority: OrderAuthority | None = None  #: None: not told yet
        self.broadcasts: deque[Broadcast] = deque(maxlen=MAX_BROADCASTS)
        self.trails: dict[tuple[str, str], deque[tuple[int, float]]] = {}
        self.equities: dict[str, deque[tuple[int, float]]] = {}  #: engine → equity by slot, oldest first
        self.newest_recv: dict[str, int] = {}  #: engine → receipt time of its newest quote
        self.facts = Facts(self._mark)
        self.risk = Perils(self._mark)
        self._seqs: dict[str, int] = {}
        self._appliers: dict[type, Callable[..., None]] = {
            Quote: self._quote,
            Trade: self._trade,
            Book: self._book,
            Bar: self._bar,
            OrderUpdate: self._order,
            Fill: self._fill,
            PositionUpdate: self._position,
            AccountUpdate: self._account,
            EngineStatus: self._engine,
            FeedProgress: self._feed,
            EngineLog: self._log,
            SystemHealth: self._health,
            Broadcast: self._broadcast,
            OrderAuthority: self._authority,
            **self.facts.appliers(),
            **self.risk.appliers(),
        }

    # ------------------------------------------------------------ writing

    def apply(self, envelopes: Iterable[Envelope]) -> None:
        """Take in stream messages, in order. Lossless ones seen before are ignored."""
        for envelope in envelopes:
            topic, seq = envelope.topic, envelope.seq
            if envelope.type == "snapshot":
                self._seqs[topic] = seq
                self._begin_anew(topic)
                self.apply_records(_records_of(envelope.data))
                continue
            if envelope.type == "gap":
                if topic.startswith("bars."):
                    self.bars_missed.add(topic)
                continue
            if topic.startswith(_LOSSLESS):
                if seq <= self._seqs.get(topic, -1):
                    continue
                self._seqs[topic] = seq
            self._put(envelope.data)

    def _begin_anew(self, topic: str) -> None:
        """Forget what a snapshot will tell whole, so that what ended while nobody listened is gone."""
        family, _, engine = topic.partition(".")
        if family == "positions" and engine in self.positions:
            del self.positions[engine]
            self._mark("positions", (engine, ""))
        elif family == "orders" and engine in self.orders:
            ended = {i: o for i, o in self.orders[engine].items() if o.status in FINAL_STATUSES}
            self.orders[engine] = ended
            self._mark("orders", (engine, ""))
        elif family == "engines" and topic.endswith(".log"):
            engine = engine.removesuffix(".log")
            self.logs = deque((line for line in self.logs if line.engine != engine), maxlen=MAX_LOGS)
            self.logs_begun += 1
            self._mark("logs", engine)
        elif topic == "system.broadcast":
            self.broadcasts.clear()
        elif topic == "system.authority":
            self.authority = None
        else:
            self.risk.begin_anew(topic)

    def apply_records(self, records: Iterable[object]) -> None:
        """Take in records that came as an answer instead of on a stream."""
        for record in records:
            self._put(record)

    def put_instruments(self, engine: str, instruments: Iterable[Instrument]) -> None:
        """Replace the instruments an engine trades."""
        self.instruments[engine] = {i.id: i for i in instruments}
        self._mark("instruments", engine)

    def put_bars(self, engine: str, instrument: str, timeframe: str, bars: Sequence[Bar]) -> None:
        """Merge bars of the history under those that came on the stream.

        The stream's win, but for one that was still forming when it was last heard of and has closed since.
        """
        key = (engine, instrument, timeframe)
        merged = {bar.ts: bar for bar in bars}
        for bar in self.bars.get(key, ()):
            if bar.closed or bar.ts not in merged or not merged[bar.ts].closed:
                merged[bar.ts] = bar
        self.bars_states[key] = "known"
        self.bars[key] = [merged[ts] for ts in sorted(merged)][-MAX_BARS:]
        self._mark("bars", key)

    def put_bars_state(self, engine: str, instrument: str, timeframe: str, state: BarsState) -> None:
        """Say how far the bars of a series may be trusted."""
        self.bars_states[engine, instrument, timeframe] = state
        self._mark("bars", (engine, instrument, timeframe))

    def take_missed(self) -> set[str]:
        """Return the topics of bars of which a gap was told since this was last asked."""
        missed, self.bars_missed = self.bars_missed, set()
        return missed

    def put_connection(self, connection: Connection) -> None:
        """Say how the terminal stands with the daemon."""
        if connection != self.connection:
            self.connection = connection
            self._mark("connection", connection.state)

    def put_epoch(self, epoch: str) -> None:
        """Begin a new run of sequence numbers when the daemon did."""
        if epoch != self.epoch:
            self.epoch = epoch
            self._seqs.clear()

    def clear_dirty(self) -> None:
        """Forget what changed: a frame was painted."""
        self.dirty.clear()

    def _put(self, record: object) -> None:
        applier = self._appliers.get(type(record))
        if applier is not None:
            applier(record)

    def _mark(self, kind: Kind, key: Hashable) -> None:
        self.version += 1
        keys = self.dirty.get(kind)
        if keys is None:
            self.dirty[kind] = {key}
        else:
            keys.add(key)

    # ------------------------------------------------------------ one applier per record

    def _quote(self, quote: Quote) -> None:
        key = (quote.engine, quote.instrument)
        self.quotes[key] = quote
        if quote.ts_recv > self.newest_recv.get(quote.engine, 0):
            self.newest_recv[quote.engine] = quote.ts_recv
        if quote.last is not None:
            trail = self.trails.get(key)
            if trail is None:
                trail = self.trails[key] = deque(maxlen=MAX_TRAIL)
            slot = quote.ts_recv // TRAIL_NS
            if trail and trail[-1][0] == slot:
                trail[-1] = (slot, float(quote.last))
            else:
                trail.append((slot, float(quote.last)))
        self._mark("quotes", key)

    def _trade(self, trade: Trade) -> None:
        key = (trade.engine, trade.instrument)
        tape = self.trades.get(key)
        if tape is None:
            tape = self.trades[key] = deque(maxlen=MAX_TRADES)
        tape.append(trade)
        self._mark("trades", key)

    def _book(self, book: Book) -> None:
        key = (book.engine, book.instrument)
        self.books[key] = book
        self._mark("books", key)

    def _bar(self, bar: Bar) -> None:
        key = (bar.engine or "", bar.instrument, bar.timeframe)
        bars = self.bars.setdefault(key, [])
        if not bars or bar.ts > bars[-1].ts:
            bars.append(bar)
            if len(bars) > MAX_BARS:
                del bars[: len(bars) - MAX_BARS]
        elif bar.ts == bars[-1].ts:
            bars[-1] = bar
        else:
            at = bisect_left(bars, bar.ts, key=_bar_ts)
            if bars[at].ts == bar.ts:
                bars[at] = bar
            else:
                bars.insert(at, bar)
        self._mark("bars", key)

    def _order(self, order: OrderUpdate) -> None:
        orders = self.orders.setdefault(order.engine, {})
        known = orders.get(order.client_order_id)
        if known is not None and _is_older(order, known):
            return
        if order == known:
            return
        orders[order.client_order_id] = order
        history = self.order_history.setdefault((order.engine, order.client_order_id), [])
        history.append(order)
        del history[: max(0, len(history) - MAX_ORDER_HISTORY)]
        self._mark("orders", (order.engine, order.client_order_id))

    def _fill(self, fill: Fill) -> None:
        fills = self.fills.setdefault(fill.engine, {})
        if fill.trade_id in fills:
            return
        fills[fill.trade_id] = fill
        if len(fills) > MAX_FILLS:
            del fills[next(iter(fills))]
        self._mark("fills", (fill.engine, fill.trade_id))

    def _position(self, position: PositionUpdate) -> None:
        key = (position.engine, position.position_id)
        if position.seq == 0:
            self.marks.setdefault(position.engine, {})[position.position_id] = position
        else:
            journalled = self.positions.setdefault(position.engine, {})
            known = journalled.get(position.position_id)
            if known is not None and known.seq > position.seq:
                return
            journalled[position.position_id] = position
        self._mark("positions", key)

    def _account(self, account: AccountUpdate) -> None:
        known = self.accounts.get(account.engine)
        if known is not None and account.ts < known.ts:
            return
        if known is not None and account.equity is None and account.seq:
            # A journalled change of balances carries no valuation: the latest one stands until the next mark.
            account = msgspec.structs.replace(
                account,
                equity=known.equity,
                unrealized_pnl=known.unrealized_pnl,
                realized_pnl=account.realized_pnl if account.realized_pnl is not None else known.realized_pnl,
                day_pnl=known.day_pnl,
                margin_used=account.margin_used if account.margin_used is not None else known.margin_used,
            )
        self.accounts[account.engine] = account
        if account.equity is not None:
            trail = self.equities.setdefault(account.engine, deque(maxlen=MAX_EQUITIES))
            slot = account.ts // TRAIL_NS
            if trail and trail[-1][0] >= slot:
                trail.pop()
            trail.append((slot, float(account.equity)))
        self._mark("account", account.engine)

    def _engine(self, status: EngineStatus) -> None:
        known = self.engines.get(status.id)
        if known is not None and status.ts < known.ts:
            return
        self.engines[status.id] = status
        self._mark("engines", status.id)

    def _feed(self, progress: FeedProgress) -> None:
        self.feeds[progress.engine] = progress
        self._mark("feed", progress.engine)

    def _log(self, line: EngineLog) -> None:
        self.logs.append(line)
        self.logs_seen += 1
        self._mark("logs", line.engine)

    def _health(self, health: SystemHealth) -> None:
        self.health = health
        self._mark("health", "daemon")

    def _authority(self, authority: OrderAuthority) -> None:
        if self.authority is None or authority.ts >= self.authority.ts:
            self.authority = authority
            self._mark("authority", authority.holder or "")

    def _broadcast(self, broadcast: Broadcast) -> None:
        self.broadcasts.append(broadcast)
        self._mark("broadcasts", broadcast.ts)


def _records_of(data: object) -> Iterable[object]:
    records = getattr(data, "records", data)
    return records if isinstance(records, (list, tuple)) else ()


def _bar_ts(bar: Bar) -> int:
    return bar.ts


def _is_older(new: OrderUpdate, known: OrderUpdate) -> bool:
    """Say whether ``new`` tells less than ``known``: by journal sequence, else by time."""
    if new.seq and known.seq:
        return new.seq < known.seq
    if known.seq and known.status in FINAL_STATUSES:
        return True
    return new.ts < known.ts
