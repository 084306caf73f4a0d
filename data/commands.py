"""Commands: the only things that change anything, each a typed struct that declares who may send it.

Those about risk are in `data.risk_commands`, all of them in `AnyCommand`. This module must not know
how a command is carried or carried out.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

import msgspec

from data.access import Role
from data.command import Command
from data.problems import ProblemDocument
from data.records import EngineStatus, OrderType, OrderUpdate, PriceSide, Side, TimeInForce
from data.risk_commands import RiskCommand
from data.words import Words

# ---------------------------------------------------------------- orders


class SubmitOrder(Command, frozen=True, kw_only=True, tag="order.submit"):
    """Send one order. ``client_order_id`` is minted when the ticket opens: sent twice, it is one order.

    A reduce-only order needs the order authority like any other: it may rest for days beside the
    holder's own exits, and whether it reduces is known only when it fills.
    """

    title: ClassVar[str] = "Send order"
    needs_authority: ClassVar[bool] = True

    engine: str
    client_order_id: str
    instrument: str
    side: Side
    qty: Decimal
    order_type: OrderType = "market"
    tif: TimeInForce = "day"
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    trailing_offset: Decimal | None = None
    ts_expire: int | None = None
    reduce_only: bool = False


class PreviewOrder(Command, frozen=True, kw_only=True, tag="order.preview"):
    """Ask the engine's gate what an order would do to every limit; nothing is sent.

    With ``client_order_id`` it is a change of that working order, of which ``qty`` is the new total.
    """

    role: ClassVar[Role] = "viewer"
    title: ClassVar[str] = "Preview order"

    engine: str
    instrument: str
    side: Side
    qty: Decimal
    price: Decimal | None = None  #: None: at the touch
    reduce_only: bool = False
    client_order_id: str | None = None  #: the order that it would change


class SubmitBracket(Command, frozen=True, kw_only=True, tag="order.bracket"):
    """An entry with a take-profit limit and a stop-loss; filling one exit cancels the other.

    The exits are named ``<client_order_id>-TP`` and ``<client_order_id>-SL``.
    """

    title: ClassVar[str] = "Send bracket"
    needs_authority: ClassVar[bool] = True

    engine: str
    client_order_id: str
    instrument: str
    side: Side
    qty: Decimal
    order_type: Literal["market", "limit"] = "market"
    tif: TimeInForce = "gtc"
    price: Decimal | None = None
    take_profit: Decimal
    stop_loss: Decimal
    ts_expire: int | None = None


class SubmitOco(Command, frozen=True, kw_only=True, tag="order.oco"):
    """Two orders of one side, a limit and a stop; when one fills the other is cancelled.

    They are named ``<client_order_id>-A`` (limit) and ``<client_order_id>-B`` (stop).
    """

    title: ClassVar[str] = "Send one-cancels-other"
    needs_authority: ClassVar[bool] = True

    engine: str
    client_order_id: str
    instrument: str
    side: Side
    qty: Decimal
    limit_price: Decimal
    stop_price: Decimal
    tif: TimeInForce = "gtc"
    ts_expire: int | None = None
    reduce_only: bool = False


class ModifyOrder(Command, frozen=True, kw_only=True, tag="order.modify"):
    """Change quantity, price or trigger of a working order; fields left out stay as they are."""

    title: ClassVar[str] = "Modify order"
    needs_authority: ClassVar[bool] = True

    engine: str
    client_order_id: str
    qty: Decimal | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None


class CancelOrder(Command, frozen=True, kw_only=True, tag="order.cancel"):
    """Cancel one working order."""

    title: ClassVar[str] = "Cancel order"

    engine: str
    client_order_id: str


class CancelAll(Command, frozen=True, kw_only=True, tag="order.cancel_all"):
    """Cancel every working order, or those of one instrument."""

    title: ClassVar[str] = "Cancel all orders"
    dangerous: ClassVar[bool] = True

    engine: str
    instrument: str | None = None


class ClosePosition(Command, frozen=True, kw_only=True, tag="position.close"):
    """Close one position at market with a reduce-only order of the given id."""

    title: ClassVar[str] = "Close position"
    dangerous: ClassVar[bool] = True

    engine: str
    instrument: str
    client_order_id: str


class Flatten(Command, frozen=True, kw_only=True, tag="position.flatten"):
    """Cancel every working order and close every position at market.

    Closing orders are named ``<client_order_id>-<n>``, n from 1.
    """

    title: ClassVar[str] = "Flatten everything"
    dangerous: ClassVar[bool] = True

    engine: str
    client_order_id: str
    instrument: str | None = None


# ---------------------------------------------------------------- engines


class StartEngine(Command, frozen=True, kw_only=True, tag="engine.start"):
    """Start an engine; settings left out come from its last run, or from the configuration."""

    role: ClassVar[Role] = "trader"
    title: ClassVar[str] = "Start engine"

    engine: str
    trading_mode: Literal["paper", "live"] = "paper"
    confirm_live_trading: bool = False
    feed: Literal["simulated", "replay"] | None = None
    speed: str | None = None  #: replay: ``1``, ``10`` … ``max``; simulated: ticks per second or ``max``
    seed: int | None = None
    instruments: tuple[str, ...] | None = None
    replay_start: str | None = None  #: ISO date or time
    replay_end: str | None = None
    paused: bool = False
    log_level: Literal["debug", "info", "warning", "error"] | None = None
    max_memory_mb: int | None = None
    max_cpu_percent: int | None = None
    risk_enabled: bool | None = None
    max_position_size: Decimal | None = None
    max_order_notional: Decimal | None = None
    max_order_rate: str | None = None  #: ``orders/seconds``, e.g. ``100/1``


class ConfigureEngine(StartEngine, frozen=True, kw_only=True, tag="engine.configure"):
    """Change an engine's settings without starting it; they apply at its next start."""

    title: ClassVar[str] = "Configure engine"


class StopEngine(Command, frozen=True, kw_only=True, tag="engine.stop"):
    """Stop an engine gracefully; positions and working orders are kept in its journal."""

    title: ClassVar[str] = "Stop engine"
    dangerous: ClassVar[bool] = True

    engine: str
    emergency: bool = False  #: cancel all and flatten before stopping


class RestartEngine(Command, frozen=True, kw_only=True, tag="engine.restart"):
    """Stop and start an engine with its last settings."""

    title: ClassVar[str] = "Restart engine"
    dangerous: ClassVar[bool] = True

    engine: str


class SetFeed(Command, frozen=True, kw_only=True, tag="engine.feed"):
    """Pause, resume, step or change the speed of an engine's simulated or replayed feed."""

    title: ClassVar[str] = "Control feed"

    engine: str
    action: Literal["pause", "resume", "step", "speed"]
    speed: str | None = None


# ---------------------------------------------------------------- facts


class RefreshProviders(Command, frozen=True, kw_only=True, tag="provider.refresh"):
    """Ask a provider anew for what is shown, instead of when its answers are no longer fresh.

    Without a name it is every provider whose requests are not counted by the day.
    """

    title: ClassVar[str] = "Refresh facts"

    provider: str | None = None


class WatchCompany(Command, frozen=True, kw_only=True, tag="filing.watch"):
    """Tell of a company's new filings, whether or not it is held."""

    title: ClassVar[str] = "Watch a company's filings"

    ticker: str


class UnwatchCompany(Command, frozen=True, kw_only=True, tag="filing.unwatch"):
    """Tell of a company's new filings no longer, unless it is held."""

    title: ClassVar[str] = "Stop watching a company's filings"

    ticker: str


# ---------------------------------------------------------------- history, access, system


class ImportHistory(Command, frozen=True, kw_only=True, tag="history.import"):
    """Import a CSV or Parquet file of ticks or bars into the history."""

    title: ClassVar[str] = "Import history"

    path: str
    instrument: str
    kind: Literal["bars", "quotes", "trades"] | None = None
    timeframe: str | None = None
    side: PriceSide | None = None
    columns: dict[str, str] = msgspec.field(default_factory=dict)
    timezone: str | None = None  #: of times that name none; None: UTC, or what is known of the format
    dry_run: bool = False


class CompactHistory(Command, frozen=True, kw_only=True, tag="history.compact"):
    """Compact recorded segments into Parquet partitions now instead of on schedule."""

    role: ClassVar[Role] = "admin"
    title: ClassVar[str] = "Compact history"


class CreateToken(Command, frozen=True, kw_only=True, tag="token.create"):
    """Create an access token; it is shown once and stored hashed."""

    role: ClassVar[Role] = "admin"
    title: ClassVar[str] = "Create token"

    name: str
    token_role: Role = "viewer"
    expires_days: int | None = None


class RevokeToken(Command, frozen=True, kw_only=True, tag="token.revoke"):
    """Revoke an access token by name."""

    role: ClassVar[Role] = "admin"
    title: ClassVar[str] = "Revoke token"
    dangerous: ClassVar[bool] = True

    name: str


class TakeAuthority(Command, frozen=True, kw_only=True, tag="authority.take"):
    """Take the order authority, from whoever holds it: from now on nobody else may send orders."""

    title: ClassVar[str] = "Take order authority"
    dangerous: ClassVar[bool] = True
    of_sender: ClassVar[bool] = True

    reason: Words | None = None


class ReleaseAuthority(Command, frozen=True, kw_only=True, tag="authority.release"):
    """Release the order authority: its holder's right, and that of the role risk and above."""

    title: ClassVar[str] = "Release order authority"
    of_sender: ClassVar[bool] = True

    reason: Words | None = None
    holder: str | None = None  #: only if it is this one who holds it


class SendBroadcast(Command, frozen=True, kw_only=True, tag="stream.broadcast"):
    """Send a message to everyone who is attached."""

    title: ClassVar[str] = "Broadcast message"

    message: Words


class DropConnection(Command, frozen=True, kw_only=True, tag="stream.drop"):
    """Close one stream connection."""

    role: ClassVar[Role] = "admin"
    title: ClassVar[str] = "Close stream connection"

    connection_id: str


class ReloadSettings(Command, frozen=True, kw_only=True, tag="daemon.reload"):
    """Read the settings anew: what can change while the daemon runs does, what needs a restart is told."""

    role: ClassVar[Role] = "admin"
    title: ClassVar[str] = "Reload settings"


class StopDaemon(Command, frozen=True, kw_only=True, tag="daemon.stop"):
    """Stop the daemon; engines trade on unless asked to stop too."""

    role: ClassVar[Role] = "admin"
    title: ClassVar[str] = "Stop daemon"
    dangerous: ClassVar[bool] = True

    engines: bool = False


#: Commands that an engine carries out; the daemon forwards them over the link.
EngineCommand = (
    SubmitOrder
    | PreviewOrder
    | SubmitBracket
    | SubmitOco
    | ModifyOrder
    | CancelOrder
    | CancelAll
    | ClosePosition
    | Flatten
    | SetFeed
)
AnyCommand = (
    EngineCommand
    | StartEngine
    | ConfigureEngine
    | StopEngine
    | RestartEngine
    | RiskCommand
    | RefreshProviders
    | WatchCompany
    | UnwatchCompany
    | ImportHistory
    | CompactHistory
    | CreateToken
    | RevokeToken
    | TakeAuthority
    | ReleaseAuthority
    | SendBroadcast
    | DropConnection
    | ReloadSettings
    | StopDaemon
)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended. ``done`` is said only after the confirming event."""

    command_id: str
    command: str
    outcome: Literal["done", "refused", "failed", "unknown"]
    problem: ProblemDocument | None = None  #: present unless ``done``
    orders: tuple[OrderUpdate, ...] = ()  #: the orders it concerns, as they stand
    engine: EngineStatus | None = None
    detail: str | None = None
    data: dict[str, str] = {}
