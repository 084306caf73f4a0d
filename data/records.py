"""The vocabulary: every fact that crosses a process, an API or a disk boundary is one of these structs.

The same definitions are the wire between processes (msgpack), the API (JSON) and the columns of
the store. What comes from providers of facts has modules of its own: ``data.macro``,
``data.companies`` and ``data.fundamentals``. This module must not know who sends, stores or shows them.

Conventions
- prices, quantities and money are ``Decimal`` (strings on the wire), never floats;
- times are integers, UTC nanoseconds since the epoch, in fields whose names start with ``ts``;
- ``synthetic`` is true on everything that comes out of a simulated market or was computed from it;
- ``source`` names where a fact comes from: ``simulated``, ``replay``, ``import``, a provider's name.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from data.access import OrderAuthority
from data.companies import Filing
from data.facts import ProviderHealth, Record
from data.kill import KillStatus
from data.limits import Alert, Breach, BreachForecast, Denial, LimitStatus, Restriction
from data.macro import MacroFactor, MacroRegime
from data.work import BackfillProgress, BacktestProgress, StrategyUpdate

Side = Literal["buy", "sell"]
OrderType = Literal[
    "market",
    "limit",
    "stop_market",
    "stop_limit",
    "trailing_stop",
    "market_if_touched",
    "limit_if_touched",
]
TimeInForce = Literal["day", "gtc", "gtd", "ioc", "fok"]
OrderStatus = Literal[
    "sent",
    "denied",
    "accepted",
    "partially_filled",
    "filled",
    "cancelled",
    "rejected",
    "expired",
    "unknown",
]
EngineState = Literal["stopped", "starting", "running", "degraded", "stopping", "error"]
AssetClass = Literal["equity", "fx", "future", "crypto", "commodity", "index", "rate"]
Environment = Literal["SIM", "REPLAY", "PAPER", "LIVE"]
LogLevel = Literal["debug", "info", "warning", "error", "critical"]
PriceSide = Literal["bid", "ask", "mid", "last"]

#: An order in one of these states will not change again.
FINAL_STATUSES: frozenset[str] = frozenset({"denied", "filled", "cancelled", "rejected", "expired"})
#: An order in one of these states rests at the venue.
WORKING_STATUSES: frozenset[str] = frozenset({"accepted", "partially_filled"})


# ---------------------------------------------------------------- market data


class Instrument(Record, frozen=True, kw_only=True, tag="instrument"):
    """What can be traded and by which rules. ``id`` is ``SYMBOL.VENUE``."""

    id: str
    symbol: str
    venue: str
    name: str
    asset_class: AssetClass
    currency: str  #: quote (settlement) currency
    base_currency: str | None = None  #: FX and crypto only
    tick_size: Decimal
    price_precision: int
    lot_size: Decimal
    size_precision: int
    min_qty: Decimal
    max_qty: Decimal | None = None
    multiplier: Decimal = Decimal(1)
    margin_init: Decimal = Decimal(0)  #: fraction of notional
    sector: str | None = None  #: of an equity: its industry sector; None: has none, or not known
    session: str = "24/7"  #: trading hours in words, e.g. ``Mon-Fri 09:30-16:00 America/New_York``
    synthetic: bool = False
    source: str = ""


class Quote(Record, frozen=True, kw_only=True, tag="quote"):
    """Top of book with the day's context; conflated on its way to a screen."""

    instrument: str
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    last: Decimal | None = None  #: last trade, or mid where a venue reports no trades
    last_size: Decimal | None = None
    reference: Decimal | None = None  #: previous close (or session open): the base of change
    day_high: Decimal | None = None
    day_low: Decimal | None = None
    volume: Decimal | None = None  #: traded quantity this session
    session_open: bool | None = None  #: None: unknown
    ts: int  #: event time at the venue
    ts_recv: int  #: receipt time in the engine; age is measured from here
    synthetic: bool
    source: str
    engine: str


class Trade(Record, frozen=True, kw_only=True, tag="trade"):
    """One trade print."""

    instrument: str
    price: Decimal
    size: Decimal
    aggressor: Literal["buyer", "seller", "none"] = "none"
    trade_id: str
    ts: int
    synthetic: bool
    source: str
    engine: str


class Bar(Record, frozen=True, kw_only=True, tag="bar"):
    """Open, high, low, close and volume of one period; ``closed`` is false while it forms."""

    instrument: str
    timeframe: str  #: ``5s``, ``1m``, ``5m``, ``1h``, ``1d`` …
    side: PriceSide = "mid"  #: which price the bar is made of
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None = None  #: None: not known
    count: int = 0  #: ticks or trades in the bar; 0: not known
    ts: int  #: start of the period
    closed: bool = True
    synthetic: bool
    source: str
    engine: str | None = None


class Level(msgspec.Struct, frozen=True, array_like=True):
    """One price level of a book: price, size."""

    price: Decimal
    size: Decimal


class Book(Record, frozen=True, kw_only=True, tag="book"):
    """The best levels of an order book, best first on both sides."""

    instrument: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    ts: int
    ts_recv: int
    synthetic: bool
    source: str
    engine: str


# ---------------------------------------------------------------- orders and money


class OrderUpdate(Record, frozen=True, kw_only=True, tag="order_update"):
    """The whole state of an order after its latest event."""

    engine: str
    client_order_id: str
    venue_order_id: str | None = None
    instrument: str
    side: Side
    order_type: OrderType
    tif: TimeInForce
    qty: Decimal
    filled_qty: Decimal = Decimal(0)
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    trailing_offset: Decimal | None = None  #: in price units
    ts_expire: int | None = None  #: GTD and DAY
    reduce_only: bool = False
    avg_price: Decimal | None = None
    status: OrderStatus
    pending: Literal["modify", "cancel"] | None = None  #: asked for, not answered yet
    reason: str | None = None  #: why it was denied, rejected, cancelled or is unknown
    denial: Denial | None = None  #: of one that was denied by the gate: rule, value, limit, what would pass
    strategy: str | None = None  #: the strategy that sent it; None: not known (an older journal)
    event: str = ""  #: the engine's event that led here, e.g. ``OrderFilled``
    contingency: Literal["oco", "oto", "ouo"] | None = None
    parent_id: str | None = None
    linked_ids: tuple[str, ...] = ()
    ts_init: int
    ts: int  #: time of the latest event
    seq: int = 0  #: the engine's journal sequence number of the latest event
    synthetic: bool


class Fill(Record, frozen=True, kw_only=True, tag="fill"):
    """One execution. ``trade_id`` is unique per engine: a duplicate is the same fill."""

    engine: str
    trade_id: str
    client_order_id: str
    venue_order_id: str
    position_id: str | None = None
    instrument: str
    side: Side
    qty: Decimal
    price: Decimal
    commission: Decimal
    commission_currency: str
    liquidity: Literal["maker", "taker", "unknown"] = "unknown"
    strategy: str | None = None  #: as in `OrderUpdate`
    ts: int
    seq: int = 0
    synthetic: bool


class PositionUpdate(Record, frozen=True, kw_only=True, tag="position_update"):
    """A position after its latest change (journalled) or at its latest mark (conflated, ``seq`` 0)."""

    engine: str
    position_id: str
    instrument: str
    qty: Decimal  #: signed: positive long, negative short, zero closed
    avg_open: Decimal
    avg_close: Decimal | None = None
    realized_pnl: Decimal
    unrealized_pnl: Decimal | None = None  #: None: no price to mark at
    mark: Decimal | None = None  #: the price it was marked at
    rate: Decimal | None = None  #: account currency for one unit of ``currency``; marks only
    currency: str
    multiplier: Decimal = Decimal(1)
    ts_opened: int
    ts_closed: int | None = None
    ts: int
    seq: int = 0
    synthetic: bool


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """Money of one currency in an account."""

    currency: str
    total: Decimal
    locked: Decimal
    free: Decimal


class AccountUpdate(Record, frozen=True, kw_only=True, tag="account_update"):
    """Balances after a change (journalled) or equity at the latest marks (conflated, ``seq`` 0)."""

    engine: str
    account_id: str
    currency: str  #: the currency of equity and P&L
    balances: tuple[Balance, ...]
    equity: Decimal | None = None  #: balances plus unrealised P&L; None: a price or rate is missing
    unrealized_pnl: Decimal | None = None
    realized_pnl: Decimal | None = None  #: since the engine's books began
    day_pnl: Decimal | None = None  #: equity less equity at the start of the UTC day
    margin_used: Decimal | None = None
    ts: int
    seq: int = 0
    synthetic: bool


# ---------------------------------------------------------------- engines


class EngineStatus(Record, frozen=True, kw_only=True, tag="engine_status"):
    """What an engine is and how it is. None means not known (for instance, not running)."""

    id: str
    state: EngineState
    reason: str | None = None
    environment: Environment
    feed: str  #: ``simulated``, ``replay`` …
    feed_detail: str | None = None  #: e.g. replay position and speed, or ``paused``
    pid: int | None = None
    ts_started: int | None = None
    uptime_s: float | None = None
    rss_bytes: int | None = None
    cpu_percent: float | None = None
    loop_lag_ms: float | None = None
    feed_age_ms: float | None = None
    tick_rate: float | None = None  #: ticks per second, last second
    ticks: int | None = None
    instruments: int | None = None
    orders_working: int | None = None
    positions_open: int | None = None
    restarts: int = 0
    journal_seq: int | None = None
    max_memory_mb: int | None = None
    max_cpu_percent: int | None = None
    risk_enabled: bool = True
    gate: str | None = None  #: why the gate lets nothing pass; None: it judges
    restriction: Restriction = "none"
    limits_version: int | None = None  #: of the limits the gate goes by; None: it has none
    ts: int
    synthetic: bool


class EngineLog(Record, frozen=True, kw_only=True, tag="engine_log"):
    """One line of an engine's log."""

    engine: str
    level: LogLevel
    component: str
    message: str
    client_order_id: str | None = None
    ts: int


class FeedProgress(Record, frozen=True, kw_only=True, tag="feed_progress"):
    """Where a replay stands."""

    engine: str
    feed: str
    state: Literal["waiting", "playing", "paused", "finished"]
    speed: float  #: times real time; 0 means as fast as it goes
    ts_market: int  #: market time of the last tick played; 0: none yet
    ts_start: int
    ts_end: int
    ticks_played: int
    ticks_total: int


# ---------------------------------------------------------------- the system


class SystemHealth(Record, frozen=True, kw_only=True, tag="system_health"):
    """The daemon's own health: alive, ready, truthful are three different things."""

    alive: bool
    ready: bool
    truthful: bool | None  #: None: no engine is running, nothing to be truthful about
    problems: tuple[str, ...] = ()
    engines: int
    engines_running: int
    stream_clients: int
    store_ok: bool
    rss_bytes: int
    cpu_percent: float | None  #: of one core; None: it began a moment ago
    uptime_s: float
    version: str
    ts: int


class AuditEntry(Record, frozen=True, kw_only=True, tag="audit"):
    """One command through the door: who, whence, what, and how it ended."""

    seq: int
    command_id: str
    command: str
    actor: str
    via: str  #: ``unix``, ``tcp``, ``schedule`` …
    role: str
    body: str  #: the command as JSON, secrets redacted
    outcome: str  #: ``started``, ``done``, ``refused``, ``failed``, ``unknown``
    detail: str | None = None
    previous_hash: str
    hash: str
    ts: int


class Broadcast(Record, frozen=True, kw_only=True, tag="broadcast"):
    """A message from an operator to everyone who is attached."""

    sender: str
    message: str
    ts: int


#: Records that an engine journals and that no reader may miss.
JournalRecord = OrderUpdate | Fill | PositionUpdate | AccountUpdate
#: Every record that can travel on a topic.
AnyRecord = (
    Instrument
    | Quote
    | Trade
    | Bar
    | Book
    | OrderUpdate
    | Fill
    | PositionUpdate
    | AccountUpdate
    | EngineStatus
    | EngineLog
    | FeedProgress
    | SystemHealth
    | AuditEntry
    | Broadcast
    | LimitStatus
    | Breach
    | Alert
    | BreachForecast
    | KillStatus
    | OrderAuthority
    | BackfillProgress
    | BacktestProgress
    | StrategyUpdate
    | MacroFactor
    | MacroRegime
    | Filing
    | ProviderHealth
)
