"""What requests carry, as structs: the schema of the API and the first check of its input.

This module must not know what is done with it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec

from data import forms
from data.access import Role
from data.commands import StartEngine
from data.problems import InvalidRequestError, UnsupportedMediaTypeError
from data.records import OrderType, Side, TimeInForce
from data.words import Words
from engines.spec import LARGEST_SEED, MOST_CPU_PERCENT, MOST_MEMORY_MB
from nautilus_tui.daemon.api.answers import JSON, AnyRequest
from nautilus_tui.daemon.rules import check_named, check_numbers, decoded, described


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of request bodies: a field that does not exist is an error, not a silence."""


class OrderBody(Body, frozen=True, kw_only=True):
    """A new order. Without an id the Idempotency-Key is its id, without that a new one is made."""

    engine: str | None = None  #: may be left out while there is one engine only
    client_order_id: str | None = None
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


class PreviewBody(Body, frozen=True, kw_only=True):
    """An order that is thought about; nothing is sent."""

    engine: str | None = None  #: may be left out while there is one engine only
    instrument: str
    side: Side
    qty: Decimal
    price: Decimal | None = None  #: None: at the touch
    reduce_only: bool = False
    client_order_id: str | None = None  #: the working order that it would change; ``qty`` is the new total


class ModifyBody(Body, frozen=True, kw_only=True):
    """What changes of a working order; what is left out stays."""

    engine: str | None = None
    qty: Decimal | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None


class CancelAllBody(Body, frozen=True, kw_only=True):
    """Which working orders to cancel."""

    engine: str | None = None
    instrument: str | None = None


class CloseBody(Body, frozen=True, kw_only=True):
    """How to close a position; the closing order's id is the Idempotency-Key unless given."""

    client_order_id: str | None = None


class EngineBody(Body, frozen=True, kw_only=True):
    """Which engine."""

    instance_id: str


class FeedBody(Body, frozen=True, kw_only=True):
    """What an engine's feed should do."""

    instance_id: str
    action: Literal["pause", "resume", "step", "speed"]
    speed: str | None = None


class EngineSettingsBody(Body, frozen=True, kw_only=True):
    """An engine's settings; those left out stay as they were, or as configured."""

    instance_id: str
    engine_type: Literal["sandbox", "live", "backtest"] = "sandbox"
    trading_mode: Literal["paper", "live"] = "paper"
    confirm_live_trading: bool = False
    log_level: Literal["debug", "info", "warning", "error"] | None = None
    max_memory: Annotated[int, msgspec.Meta(ge=128, le=MOST_MEMORY_MB, description="megabytes")] | None = None
    max_cpu: (
        Annotated[int, msgspec.Meta(ge=5, le=MOST_CPU_PERCENT, description="percent of one core")] | None
    ) = None
    risk_engine_enabled: bool | None = None
    max_position_size: Decimal | None = None
    max_order_notional: Decimal | None = None
    max_order_rate: Annotated[str, msgspec.Meta(description="orders/seconds", examples=["100/1"])] | None = (
        None
    )
    feed: Literal["simulated", "replay"] | None = None
    speed: str | None = None
    seed: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_SEED)] | None = None
    instruments: tuple[str, ...] | None = None
    replay_start: str | None = None
    replay_end: str | None = None
    paused: bool = False

    def fields(self) -> dict[str, Any]:
        """Return the fields of a start command.

        Raises:
            InvalidRequestError: it asks for an engine that does not trade.
        """
        if self.engine_type == "backtest":
            raise InvalidRequestError(
                "engine_type backtest is not an engine that trades",
                rule="engine_type is sandbox or live",
                fix="replay history with engine_type sandbox and feed replay",
                field="engine_type",
                value="backtest",
            )
        mode = "live" if "live" in (self.engine_type, self.trading_mode) else "paper"
        own = {
            "engine": self.instance_id,
            "trading_mode": mode,
            "max_memory_mb": self.max_memory,
            "max_cpu_percent": self.max_cpu,
            "risk_enabled": self.risk_engine_enabled,
        }
        shared = set(StartEngine.__struct_fields__) & set(self.__struct_fields__) - own.keys()
        return own | {name: getattr(self, name) for name in shared}


class ImportBody(Body, frozen=True, kw_only=True):
    """A file of ticks or bars, named as the daemon sees it; what is left out is guessed and shown."""

    path: str
    instrument: str
    kind: Literal["bars", "quotes", "trades"] | None = None
    timeframe: str | None = None
    side: Literal["bid", "ask", "mid", "last"] | None = None
    columns: dict[str, str] = {}
    timezone: str | None = None
    dry_run: bool = False


class SqlBody(Body, frozen=True, kw_only=True):
    """A question to the history."""

    query: str
    limit: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1000


class TokenBody(Body, frozen=True, kw_only=True):
    """A token to create."""

    name: str
    role: Role = "viewer"
    expires_days: int | None = None


class BroadcastBody(Body, frozen=True, kw_only=True):
    """A message to everyone who is attached."""

    message: Words


class StopBody(Body, frozen=True, kw_only=True):
    """Whether the engines stop too."""

    engines: bool = False


async def read[B: Body](request: AnyRequest, kind: type[B]) -> B:
    """Return the request's JSON body as a struct; an empty body counts as ``{}``.

    Raises:
        InvalidRequestError: it is no JSON, or a field is missing, unknown or of another kind.
        UnsupportedMediaTypeError: it says that it is something else.
    """
    plain = decoded(await body_of(request) or b"{}")
    try:
        body = forms.from_builtins(plain, kind)
    except msgspec.ValidationError as error:
        raise described(error, kind, plain) from error
    check_numbers(body)
    check_named(body)
    return body


async def body_of(request: AnyRequest) -> bytes:
    """Return the request's body, which says that it is JSON or nothing.

    Raises:
        UnsupportedMediaTypeError: it says that it is something else.
    """
    raw = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if raw and kind and kind != JSON and not kind.endswith("+json"):
        raise UnsupportedMediaTypeError(
            f"the body is {kind[:80]}",
            rule=f"bodies are {JSON}",
            fix=f"send Content-Type: {JSON}",
            field="body",
        )
    return raw
