"""What the terminal costs: processor and bytes of live tables, time from a key to the paint.

Peers of the same run: Textual's own ``DataTable`` with the same cells, and the terminal at rest.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from decimal import Decimal

import msgspec

from data.records import (
    AccountUpdate,
    Balance,
    Bar,
    Book,
    EngineStatus,
    Instrument,
    Level,
    PositionUpdate,
    Quote,
)
from nautilus_tui.bench.rows import BenchRow, row
from nautilus_tui.terminal.measure import (
    Cost,
    Grid,
    OwnTable,
    PeerTable,
    key_to_paint,
    percentile,
    screen_cost,
    table_cost,
)
from nautilus_tui.terminal.mirror import Mirror

ENGINE = "bench"
SYMBOLS = 24
CELLS = 4
RATE = 10.0
#: Ticks a second while keys are pressed, in batches of ``BATCH``.
TICKS = 50_000
BATCH = 500
TRADE_SIZE = (120, 40)
TABLE_SIZE = (120, 104)
_PRICES = (Decimal("187.52"), Decimal("1.08421"), Decimal("5312.25"), Decimal("67810.5"))


def run(scale: int = 1, *, seconds: float = 3.0) -> list[BenchRow]:
    """Measure the terminal; ``scale`` multiplies the rows of the table and the ticks a second."""
    return [*_tables(100 * scale, seconds), *_keys(TICKS * scale), _bytes(seconds)]


# ---------------------------------------------------------------- tables


def _tables(rows: int, seconds: float) -> list[BenchRow]:
    grids = _grids(rows)
    own: list[Cost] = []
    peer: list[Cost] = []
    for _ in range(3):  # by turns, so that a busy machine is unfair to neither
        own.append(table_cost(OwnTable(CELLS), grids, rate=RATE, seconds=seconds, size=TABLE_SIZE))
        peer.append(table_cost(PeerTable(CELLS), grids, rate=RATE, seconds=seconds, size=TABLE_SIZE))
    mine, theirs = _middle(own, 0), _middle(peer, 0)
    detail = (
        f"{rows} rows × {CELLS} cells, all changed at {RATE:g} Hz on {TABLE_SIZE[0]}×{TABLE_SIZE[1]}; "
        f"{_middle(own, 2):.1f} against {_middle(peer, 2):.1f} paints/s; median of {len(own)} runs by turns"
    )
    return [
        row(
            "terminal CPU, live table",
            mine,
            "% of a core",
            goal="≤ 12, ≥ 6 × less",
            better="less",
            limit=12,
            peer=("Textual DataTable", theirs),
            least_ratio=6,
            detail=detail,
        ),
        row(
            "the same, for each paint",
            mine / _middle(own, 2) * 10,
            "ms of processor",
            better="less",
            peer=("Textual DataTable", theirs / _middle(peer, 2) * 10),
            detail="on a busy machine the peer skips paints, which its share of a core does not show",
        ),
    ]


def _grids(rows: int) -> list[Grid]:
    draw = random.Random(1)
    return [[[f"{draw.uniform(100, 999):.2f}" for _ in range(CELLS)] for _ in range(rows)] for _ in range(20)]


def _middle(costs: list[Cost], index: int) -> float:
    return statistics.median(cost[index] for cost in costs)


# ---------------------------------------------------------------- keys


def _keys(ticks: int) -> list[BenchRow]:
    rest = key_to_paint(_prepare, None, rate=1, presses=60, size=TRADE_SIZE)
    busy = key_to_paint(_prepare, _storm(), rate=ticks / BATCH, presses=150, size=TRADE_SIZE)
    return [
        row(
            f"key press → paint with {ticks:,} ticks/s, p99",
            percentile(busy, 0.99),
            "ms",
            goal="≤ 16",
            better="less",
            limit=16,
            peer=("the same at rest", percentile(rest, 0.99)),
            detail=(
                f"cursor key in the watchlist of Trade, {TRADE_SIZE[0]}×{TRADE_SIZE[1]}; p50 "
                f"{percentile(busy, 0.5):.1f} ms, at rest {percentile(rest, 0.5):.1f} ms; {len(busy)} presses"
            ),
        )
    ]


def _storm() -> Callable[[Mirror, int], None]:
    """Return a step that writes a batch of ready-made quotes."""
    market, now = _Market(3), time.time_ns()
    quotes: list[Quote] = []
    while len(quotes) < BATCH * 8:
        market.move()
        quotes += [_quote(i, market, now) for i in range(SYMBOLS)]

    def step(mirror: Mirror, turn: int) -> None:
        start = turn % 8 * BATCH
        mirror.apply_records(quotes[start : start + BATCH])

    return step


# ---------------------------------------------------------------- bytes


def _bytes(seconds: float) -> BenchRow:
    market = _Market(5)

    def step(mirror: Mirror, turn: int) -> None:
        now = time.time_ns()
        market.move()
        mirror.apply_records([_quote(i, market, now) for i in range(SYMBOLS)])
        mirror.apply_records([_book(market, now), _bar(market, now, 0), *_money(market, now, marks=True)])

    cost = screen_cost(_prepare, step, rate=RATE, seconds=seconds * 2, size=TRADE_SIZE, fps=10)
    plain = screen_cost(_prepare, step, rate=RATE, seconds=seconds, size=TRADE_SIZE, fps=10, thrift=False)
    return row(
        "bytes to the terminal, Trade workspace",
        cost.bytes_per_s / 1000,
        "kB/s",
        goal="≤ 40 at 10 fps",
        better="less",
        limit=40,
        peer=("Textual's own driver", plain.bytes_per_s / 1000),
        detail=(
            f"{SYMBOLS} quotes, book, bar and marks all changing {RATE:g} times a second, 16 M colours, "
            f"{TRADE_SIZE[0]}×{TRADE_SIZE[1]}; {cost.writes_per_s:.1f} writes/s, "
            f"{cost.cpu_percent:.0f} % of a core"
        ),
    )


# ---------------------------------------------------------------- records


def _prepare(mirror: Mirror) -> None:
    now = time.time_ns()
    market = _Market(11)
    mirror.put_instruments(ENGINE, [_instrument(i) for i in range(SYMBOLS)])
    mirror.apply_records([_status(now), _book(market, now), *_money(market, now, marks=False)])
    mirror.apply_records(_quote(i, market, now) for i in range(SYMBOLS))
    bars = []
    for back in range(200, 0, -1):
        market.move()
        bars.append(_bar(market, now, back))
    mirror.put_bars(ENGINE, _name(0), "1m", bars)


def _name(index: int) -> str:
    return f"BENCH{index:02d}.SIM"


def _places(index: int) -> int:
    exponent = _PRICES[index % len(_PRICES)].as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


class _Market:
    """Prices that walk a tick or two at a time, as a market's do between two frames."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        self._steps = [0] * SYMBOLS

    def price(self, index: int) -> Decimal:
        """Return the price where it is now."""
        return _PRICES[index % len(_PRICES)] + self._steps[index] * _tick(index)

    def move(self) -> None:
        """Let every price take a step."""
        self._steps = [step + self._draw.choice((-2, -1, -1, 1, 1, 2)) for step in self._steps]

    def size(self) -> Decimal:
        """Return the size of a level."""
        return Decimal(self._draw.randrange(1, 20) * 100)


def _tick(index: int) -> Decimal:
    return Decimal(1).scaleb(-_places(index))


def _instrument(index: int) -> Instrument:
    tick = _tick(index)
    return Instrument(
        id=_name(index),
        symbol=_name(index).partition(".")[0],
        venue="SIM",
        name="bench",
        asset_class="equity",
        currency="USD",
        tick_size=tick,
        price_precision=_places(index),
        lot_size=Decimal(1),
        size_precision=0,
        min_qty=Decimal(1),
        synthetic=True,
        source="simulated",
    )


def _quote(index: int, market: _Market, now: int) -> Quote:
    last, tick = market.price(index), _tick(index)
    return Quote(
        instrument=_name(index),
        bid=last - tick,
        ask=last + tick,
        last=last,
        reference=_PRICES[index % len(_PRICES)],
        volume=market.size() * 1000,
        ts=now,
        ts_recv=now,
        synthetic=True,
        source="simulated",
        engine=ENGINE,
    )


def _book(market: _Market, now: int) -> Book:
    mid, tick = market.price(0), _tick(0)
    asks = tuple(Level(mid + tick * (i + 1), market.size()) for i in range(5))
    bids = tuple(Level(mid - tick * (i + 1), market.size()) for i in range(5))
    return Book(
        instrument=_name(0),
        asks=asks,
        bids=bids,
        ts=now,
        ts_recv=now,
        synthetic=True,
        source="simulated",
        engine=ENGINE,
    )


def _bar(market: _Market, now: int, back: int) -> Bar:
    minute = 60_000_000_000
    close = market.price(0)
    return Bar(
        instrument=_name(0),
        timeframe="1m",
        open=close - 2 * _tick(0),
        high=close + _tick(0),
        low=close - 3 * _tick(0),
        close=close,
        volume=market.size(),
        ts=now // minute * minute - back * minute,
        closed=back > 0,
        synthetic=True,
        source="simulated",
        engine=ENGINE,
    )


def _status(now: int) -> EngineStatus:
    return EngineStatus(
        id=ENGINE,
        state="running",
        environment="SIM",
        feed="simulated",
        feed_age_ms=20.0,
        ts=now,
        synthetic=True,
    )


def _money(market: _Market, now: int, *, marks: bool) -> list[PositionUpdate | AccountUpdate]:
    """Return three positions and an account, journalled or at new marks."""
    made: list[PositionUpdate | AccountUpdate] = []
    for index in range(3):
        position = PositionUpdate(
            engine=ENGINE,
            position_id=f"P{index}",
            instrument=_name(index),
            qty=Decimal(100),
            avg_open=_PRICES[index],
            realized_pnl=Decimal(0),
            unrealized_pnl=(market.price(index) - _PRICES[index]) * 100,
            mark=market.price(index),
            currency="USD",
            ts_opened=now,
            ts=now,
            seq=0 if marks else index + 1,
            synthetic=True,
        )
        made.append(position)
    equity = Decimal(1_000_000) + (market.price(0) - _PRICES[0]) * 100
    money = Balance(currency="USD", total=equity, locked=Decimal(0), free=equity)
    account = AccountUpdate(
        engine=ENGINE,
        account_id="BENCH",
        currency="USD",
        balances=(money,),
        equity=equity,
        day_pnl=equity - 1_000_000,
        ts=now,
        seq=0,
        synthetic=True,
    )
    return [*made, msgspec.structs.replace(account, seq=0 if marks else 9)]
