"""Bench of the monitor: one check of all limits as the daemon makes it, from marks to what is told.

Positions and limits are made up, the parts are the daemon's own: portfolio, limits' values, breaches, store,
bus. Returns are there already, as they are for a minute after they were read. This module must not know of
processes or screens.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import msgspec
import numpy as np

from data.bus import Bus
from data.limits import UNITS, Limit
from data.problems import StoreFailedError
from data.records import AccountUpdate, Balance, EngineStatus, Instrument, PositionUpdate
from data.state import State
from engines.supervisor import Supervisor
from nautilus_tui.bench.rows import BenchRow, row
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.risk.alerts import AlertBook
from nautilus_tui.daemon.risk.limits import LimitBook
from nautilus_tui.daemon.risk.monitor import Monitor
from nautilus_tui.daemon.risk.monitoring import monitoring
from nautilus_tui.daemon.risk.portfolio import PortfolioWatch
from nautilus_tui.daemon.risk.returns import ReturnsSource
from nautilus_tui.daemon.risk.traded import TradedToday
from nautilus_tui.daemon.settings import DaemonSettings
from risk.frames import ReturnsFrame

_POSITIONS: Final = 500
_LIMITS: Final = 5_000
_DAYS: Final = 1_000
_ROUNDS: Final = 5
_ENGINES: Final = ("paper-1", "paper-2", "paper-3", "paper-4")
_SECTORS: Final = ("Energy", "Materials", "Industrials", "Technology", "Health", "Financials", "Utilities")
_BUDGET_MS: Final = 5_000.0  #: the interval of the checks


def run(scale: int = 1) -> list[BenchRow]:
    """Measure; ``scale`` multiplies positions and limits."""
    return asyncio.run(_measure(_POSITIONS * scale, _LIMITS * scale))


async def _measure(positions: int, limits: int) -> list[BenchRow]:
    with tempfile.TemporaryDirectory(prefix="nautilus-bench-") as folder:
        state = State(Path(folder) / "state.duckdb")
        state.open()
        try:
            made = await made_up(state, positions, limits)
            monitor, told = made.monitor, list[int]()
            made.bus.subscribe(lambda events: told.append(len(events)))
            gc.freeze()  # as the daemon does when it is ready
            times, busy = [], []
            for _ in range(_ROUNDS + 1):
                begin, worked = time.perf_counter(), time.process_time()
                await monitor.check()
                times.append((time.perf_counter() - begin) * 1000)
                busy.append((time.process_time() - worked) * 1000)
            health = await monitor.health()
            await monitor.close()
        finally:
            gc.unfreeze()
            state.close()
    known = health.limits - health.unknown
    return [
        row(
            "full risk cycle",
            statistics.median(times[1:]),
            "ms",
            better="less",
            limit=150.0,
            goal="≤ 150 ms",
            peer=("the interval of the checks", _BUDGET_MS),
            detail=(
                f"{positions:,} positions, {_DAYS:,} days, {len(UNITS)} limit types, {limits:,} limits, "
                f"{known:,} of them known, all told; median of {_ROUNDS}, the worst {max(times[1:]):.0f} ms, "
                f"the first {times[0]:.0f} ms; {statistics.median(busy[1:]):.0f} ms of a processor; "
                f"{health.failures} failed"
            ),
        )
    ]


class MadeUpLimits:
    """Limits that may be changed between two checks."""

    def __init__(self, chosen: tuple[Limit, ...]) -> None:
        self.chosen = chosen

    def limits(self) -> tuple[Limit, ...]:
        """Return every limit."""
        return self.chosen

    async def adjust(self, limit_id: str, effective: Decimal, reason: str | None) -> None:
        """Have less of a limit count."""
        self.chosen = tuple(
            msgspec.structs.replace(one, effective=effective, adjusted=reason) if one.id == limit_id else one
            for one in self.chosen
        )

    def on_change(self, _: Callable[[], None]) -> None:
        """Nobody but who checks changes anything here."""

    def restriction(self, _: str) -> None:
        """No engine is restricted."""


class MadeUp(NamedTuple):
    """A monitor over made-up engines, and what it works with."""

    monitor: Monitor
    bus: Bus
    alerts: AlertBook
    limits: MadeUpLimits
    returns: MadeUpReturns
    present: Present


async def made_up(
    state: State,
    positions: int,
    limits: int,
    clock: Callable[[], int] = time.time_ns,
    every_s: float = 5.0,
) -> MadeUp:
    """Return a monitor over made-up engines, positions, returns and limits; it checks when it is told to."""
    now = clock()
    present, bus = Present(), Bus("bench")
    names = [f"S{number}.SIM" for number in range(positions)]
    world = _World(state, present, bus, clock, DaemonSettings(monitor_seconds=every_s))
    engines = cast(Supervisor, _Engines(names, now))
    traded = TradedToday(bus, lambda limit, cursor: state.fills(limit=limit, cursor=cursor), clock)
    await traded.load()
    portfolio = PortfolioWatch(
        bus=bus,
        present=present,
        supervisor=engines,
        peak=lambda _: Decimal(11_000_000),
        clock=clock,
    )
    for number, name in enumerate(names):
        position = _position(name, number, now)
        present.journalled([position])
        bus.publish_records((_marked(position),))
    for engine in _ENGINES:
        account = _account(engine, now)
        present.journalled([account])
        bus.publish_records((_equity(account),))
    alerts = AlertBook(state.breaches, bus, present, clock)
    chosen, returns = MadeUpLimits(_limits(names, limits)), MadeUpReturns(names)
    monitor = monitoring(
        cast(Any, world),
        limits=cast(LimitBook, chosen),
        portfolio=portfolio,
        returns=cast(ReturnsSource, returns),
        traded=traded,
        alerts=alerts,
        execute=_nothing,
    )
    await monitor.open()
    return MadeUp(monitor, bus, alerts, chosen, returns, present)


async def _nothing(*_: object) -> Any:
    raise AssertionError("no limit of the bench asks for an action")


class _World:
    def __init__(
        self,
        state: State,
        present: Present,
        bus: Bus,
        clock: Callable[[], int],
        settings: DaemonSettings,
    ) -> None:
        self.state, self.present, self.bus = state, present, bus
        self.settings = settings
        self.clock = clock


class _Engines:
    """Engines that are there and do nothing."""

    def __init__(self, names: list[str], now: int) -> None:
        self._statuses = [
            EngineStatus(
                id=engine, state="running", environment="SIM", feed="simulated", ts=now, synthetic=True
            )
            for engine in _ENGINES
        ]
        self._sheet = [_instrument(name, number) for number, name in enumerate(names)]

    def statuses(self) -> list[EngineStatus]:
        return self._statuses

    def status_of(self, engine: str) -> EngineStatus:
        return next(one for one in self._statuses if one.id == engine)

    def instruments(self, _: str) -> list[Instrument]:
        return self._sheet


class MadeUpReturns:
    """Returns of a thousand days, with a part that all instruments share."""

    def __init__(self, names: list[str]) -> None:
        drawn = np.random.default_rng(7).standard_normal((_DAYS, len(names) + 1)) * 0.01
        self.known: ReturnsFrame | None = ReturnsFrame(
            instruments=tuple(sorted(names)),
            basis="1d",
            periods_per_year=252.0,
            periods_per_day=1.0,
            times=np.arange(_DAYS, dtype=np.int64),
            values=drawn[:, 1:] + drawn[:, :1],
            missing={},
            synthetic=True,
        )

    async def frame(self, _: object) -> ReturnsFrame:
        """Return them, whatever is asked for."""
        if self.known is None:
            raise StoreFailedError("the history cannot be read")
        return self.known


def _limits(names: list[str], count: int) -> tuple[Limit, ...]:
    """Return limits of every type over scopes of every kind, none of which is near."""
    scopes = ["portfolio", *(f"engine:{one}" for one in _ENGINES), *(f"sector:{one}" for one in _SECTORS)]
    scopes += [f"strategy:T{number}-000" for number in range(20)]
    scopes += [f"instrument:{name}" for name in names]
    found: list[Limit] = []
    for scope in scopes:
        for type_, units in UNITS.items():
            if len(found) == count:
                return tuple(found)
            found.append(
                Limit(
                    id=f"{type_}:{scope}:{units[0]}",
                    limit_type=type_,
                    scope=scope,
                    hard=Decimal(10**12),
                    effective=Decimal(10**12),
                    unit=units[0],
                    window_s=60 if type_ == "order_rate" else None,
                    ts_created=0,
                    ts_updated=0,
                    updated_by="bench",
                )
            )
    return tuple(found)


def _instrument(name: str, number: int) -> Instrument:
    return Instrument(
        id=name,
        symbol=name.removesuffix(".SIM"),
        venue="SIM",
        name=name,
        asset_class="equity",
        currency="USD",
        tick_size=Decimal("0.01"),
        price_precision=2,
        lot_size=Decimal(1),
        size_precision=0,
        min_qty=Decimal(1),
        sector=_SECTORS[number % len(_SECTORS)],
        synthetic=True,
    )


def _position(name: str, number: int, now: int) -> PositionUpdate:
    return PositionUpdate(
        engine=_ENGINES[number % len(_ENGINES)],
        position_id=f"{name}-T{number % 20}-000",
        instrument=name,
        qty=Decimal(100 + number) * (-1 if number % 3 == 0 else 1),
        avg_open=Decimal(50),
        realized_pnl=Decimal(0),
        currency="USD",
        ts_opened=now,
        ts=now,
        seq=number + 1,
        synthetic=True,
    )


def _marked(position: PositionUpdate) -> PositionUpdate:
    return msgspec.structs.replace(position, mark=Decimal("51.25"), rate=Decimal(1), seq=0)


def _account(engine: str, now: int) -> AccountUpdate:
    cash = Balance(currency="USD", total=Decimal(10_000_000), locked=Decimal(0), free=Decimal(10_000_000))
    return AccountUpdate(
        engine=engine,
        account_id=f"{engine}-001",
        currency="USD",
        balances=(cash,),
        ts=now,
        seq=1,
        synthetic=True,
    )


def _equity(account: AccountUpdate) -> AccountUpdate:
    return msgspec.structs.replace(account, equity=Decimal(10_000_000), day_pnl=Decimal(-5_000), seq=0)
