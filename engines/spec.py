"""What an engine is asked to be: one frozen, validated struct that survives restarts.

This module must not know how an engine is started.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from data.commands import StartEngine
from data.problems import InvalidRequestError
from data.records import Environment
from risk.limits import GateLimits, OrderRate

EngineName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]

#: What fits the random numbers' generator and the checkpoint of a simulated market.
LARGEST_SEED = 2**63 - 1
MOST_MEMORY_MB = 2**24
MOST_CPU_PERCENT = 100_000

_ENVIRONMENTS: dict[str, Environment] = {"simulated": "SIM", "replay": "REPLAY"}


class EngineSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a new engine process needs to know, apart from where its files are."""

    engine: EngineName
    trading_mode: Literal["paper"] = "paper"
    feed: Literal["simulated", "replay"] = "simulated"
    speed: str = "50"  #: simulated: ticks per second or ``max``; replay: times real time or ``max``
    seed: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_SEED)] = 7
    instruments: tuple[str, ...] | None = None  #: None: all that the feed has
    replay_start: str | None = None
    replay_end: str | None = None
    paused: bool = False
    history_minutes: Annotated[int, msgspec.Meta(ge=0)] = 1440  #: the simulated market's own past
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    max_memory_mb: Annotated[int, msgspec.Meta(ge=128, le=MOST_MEMORY_MB)] | None = 2048
    #: Of one core; None: not limited.
    max_cpu_percent: Annotated[int, msgspec.Meta(ge=5, le=MOST_CPU_PERCENT)] | None = None
    risk_enabled: bool = True
    limits: GateLimits = GateLimits()  #: what it is first started with; the daemon's limits come after
    #: While its session is open an instrument is not judged by a price older than this; None: by any.
    stale_quote_s: Annotated[float, msgspec.Meta(gt=0)] | None = 60.0
    starting_balances: tuple[str, ...] = ("1000000 USD",)
    base_currency: str = "USD"
    leverage: Annotated[int, msgspec.Meta(ge=1, le=200)] = 1  #: on top of each instrument's own margin
    record: bool = True  #: record the feed's ticks into the history
    recorder_flush_s: float = 1.0

    @property
    def environment(self) -> Environment:
        """Which of the four worlds this engine lives in."""
        return _ENVIRONMENTS[self.feed]

    @property
    def synthetic(self) -> bool:
        """Whether its prices are made up rather than observed."""
        return self.feed == "simulated"


def with_command(base: EngineSpec, command: StartEngine) -> EngineSpec:
    """Return ``base`` with what a start command says laid over it.

    Raises
    ------
    InvalidRequestError
        If live trading is asked for, or a value breaks its rule.

    """
    if command.trading_mode == "live":
        raise InvalidRequestError(
            f"engine {command.engine}: live trading is not available",
            rule="an engine trades live only with a live venue configured and confirm_live_trading",
            fix="use trading_mode=paper",
        )
    overlay = {
        "engine": command.engine,
        "feed": command.feed,
        "speed": command.speed or ("max" if command.feed == "replay" and base.feed != "replay" else None),
        "seed": command.seed,
        "instruments": command.instruments,
        "replay_start": command.replay_start,
        "replay_end": command.replay_end,
        "paused": command.paused,
        "log_level": command.log_level,
        "max_memory_mb": command.max_memory_mb,
        "max_cpu_percent": command.max_cpu_percent,
        "risk_enabled": command.risk_enabled,
        "limits": _limits(base.limits, command),
    }
    fields = msgspec.structs.asdict(base) | {k: v for k, v in overlay.items() if v is not None}
    return validated(EngineSpec(**fields))


def _limits(base: GateLimits, command: StartEngine) -> GateLimits:
    changes: dict[str, object] = {}
    if command.max_order_notional is not None:
        changes["order_notional"] = command.max_order_notional
    if command.max_position_size is not None:
        changes["position_size"] = command.max_position_size
    if command.max_order_rate is not None:
        changes["order_rate"] = OrderRate.parse(command.max_order_rate)
    return msgspec.structs.replace(base, **changes)


def validated(spec: EngineSpec) -> EngineSpec:
    """Return the spec if every field keeps its rule.

    Raises
    ------
    InvalidRequestError
        Naming the field, the value and the rule.

    """
    try:
        checked = msgspec.convert(msgspec.to_builtins(spec), EngineSpec)
    except msgspec.ValidationError as error:
        raise InvalidRequestError(
            f"engine {spec.engine}: {error}", rule="see `nautilus-tui config schema`, section engine"
        ) from error
    parse_speed(checked.speed)
    return checked


def parse_speed(speed: str) -> Decimal:
    """Return a speed as a number; 0 stands for ``max``.

    Raises
    ------
    InvalidRequestError
        If it is neither ``max`` nor a positive number.

    """
    if speed == "max":
        return Decimal(0)
    text = speed.removesuffix("x")
    if text.replace(".", "", 1).isdigit() and Decimal(text) > 0:
        return Decimal(text)
    raise InvalidRequestError(
        f"speed {speed!r} is not a speed",
        rule="a speed is a positive number, e.g. 1 or 50, or the word max",
        fix="--speed max",
    )
