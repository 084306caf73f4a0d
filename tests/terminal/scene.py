"""A fixed scene: records of one afternoon on the simulated venue, the same in every run.

Made by a seeded walk, so that pictures and snapshots of it never change by themselves.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import cache

import msgspec

from data.access import OrderAuthority
from data.commands import PreviewOrder
from data.limits import LimitEffect
from data.records import (
    AccountUpdate,
    Balance,
    Bar,
    Book,
    EngineLog,
    EngineStatus,
    FeedProgress,
    Fill,
    Instrument,
    Level,
    LogLevel,
    OrderUpdate,
    PositionUpdate,
    Quote,
    SystemHealth,
)
from nautilus_tui.terminal.mirror import Connection, Mirror
from nautilus_tui.terminal.view import TIMEFRAME_SECONDS, View

#: 2026-03-02 14:32:07 UTC
NOW = 1_772_461_927_000_000_000
SECOND = 1_000_000_000
ENGINE = "paper-1"
D = Decimal

#: symbol, asset class, price, decimals, lot, name
LISTINGS = (
    ("AAPL", "equity", "187.52", 2, "1", "Apple Inc."),
    ("MSFT", "equity", "412.10", 2, "1", "Microsoft Corp."),
    ("NVDA", "equity", "903.77", 2, "1", "NVIDIA Corp."),
    ("AMZN", "equity", "178.22", 2, "1", "Amazon.com Inc."),
    ("GOOGL", "equity", "141.86", 2, "1", "Alphabet Inc."),
    ("META", "equity", "497.31", 2, "1", "Meta Platforms Inc."),
    ("TSLA", "equity", "202.64", 2, "1", "Tesla Inc."),
    ("JPM", "equity", "184.91", 2, "1", "JPMorgan Chase & Co."),
    ("XOM", "equity", "104.37", 2, "1", "Exxon Mobil Corp."),
    ("SPY", "equity", "512.85", 2, "1", "S&P 500 ETF"),
    ("EURUSD", "fx", "1.08421", 5, "1000", "Euro / US dollar"),
    ("GBPUSD", "fx", "1.26730", 5, "1000", "Sterling / US dollar"),
    ("USDJPY", "fx", "150.184", 3, "1000", "US dollar / Yen"),
    ("AUDUSD", "fx", "0.65214", 5, "1000", "Australian / US dollar"),
    ("USDCHF", "fx", "0.88410", 5, "1000", "US dollar / Swiss franc"),
    ("ES", "future", "5312.25", 2, "1", "E-mini S&P 500"),
    ("NQ", "future", "18302.50", 2, "1", "E-mini Nasdaq-100"),
    ("CL", "future", "78.41", 2, "1", "Crude oil"),
    ("GC", "future", "2084.6", 1, "1", "Gold"),
    ("ZN", "future", "110.515625", 6, "1", "10-year note"),
    ("BTCUSD", "crypto", "67810.5", 1, "0.0001", "Bitcoin"),
    ("ETHUSD", "crypto", "3482.15", 2, "0.001", "Ether"),
    ("SOLUSD", "crypto", "131.84", 2, "0.01", "Solana"),
    ("USDCAD", "fx", "1.35620", 5, "1000", "US dollar / Canadian dollar"),
)
_TICKS = {"ES": "0.25", "NQ": "0.25", "ZN": "0.015625", "GC": "0.1", "BTCUSD": "0.5"}


def instruments() -> list[Instrument]:
    """The simulated venue's listings."""
    return [
        Instrument(
            id=f"{symbol}.SIM",
            symbol=symbol,
            venue="SIM",
            name=name,
            asset_class=asset,  # type: ignore[arg-type]  # literals of the table above
            currency="USD",
            tick_size=D(_TICKS.get(symbol, str(D(1).scaleb(-places)))),
            price_precision=places,
            lot_size=D(lot),
            size_precision=0,
            min_qty=D(lot),
            synthetic=True,
            source="simulated",
        )
        for symbol, asset, _, places, lot, name in LISTINGS
    ]


def quotes(now: int = NOW, engine: str = ENGINE) -> Iterator[Quote]:
    """One quote of every instrument; the last one is stale."""
    random_ = random.Random(7)
    for index, (listing, rules) in enumerate(zip(LISTINGS, instruments(), strict=True)):
        last, tick = D(listing[2]), rules.tick_size
        change = D(str(round(random_.gauss(0, 0.006), 4)))
        if index == 0:
            change = D("0.0084")
        if index == 2:
            change = D(0)
        reference = _tick(last / (1 + change), tick)
        spread = tick * (1 if index % 3 else 2)
        age = 12.4 if listing[0] == "NVDA" else random_.choice((0.0, 0.1, 0.1, 0.2))
        yield Quote(
            instrument=rules.id,
            bid=last - spread / 2 if spread != tick else last,
            ask=last + spread / 2 if spread != tick else last + tick,
            bid_size=D(300),
            ask_size=D(200),
            last=last,
            last_size=D(100),
            reference=reference,
            day_high=_tick(max(last, reference) * D("1.004"), tick),
            day_low=_tick(min(last, reference) * D("0.996"), tick),
            volume=D(random_.randrange(20_000, 4_000_000)),
            session_open=True,
            ts=now - int(age * SECOND),
            ts_recv=now - int(age * SECOND),
            synthetic=True,
            source="simulated",
            engine=engine,
        )


def bars(
    instrument: str = "AAPL.SIM",
    timeframe: str = "5m",
    count: int = 400,
    end: Decimal = D("187.52"),
    tick: Decimal = D("0.01"),
    now: int = NOW,
) -> list[Bar]:
    """A walk of bars that ends at a price now."""
    return list(_walk(instrument, timeframe, count, end, tick, now))


@cache
def _walk(
    instrument: str, timeframe: str, count: int, end: Decimal, tick: Decimal, now: int
) -> tuple[Bar, ...]:
    random_ = random.Random(f"{instrument}{timeframe}")
    step = TIMEFRAME_SECONDS[timeframe]
    size = float(end) * 0.0011 * (step / 300) ** 0.5
    start = now // (step * SECOND) * step
    made: list[Bar] = []
    close, drift, calm = float(end), 0.0, 1.0
    for i in range(count):
        drift = drift * 0.93 + random_.gauss(0, size * 0.22)
        calm = min(2.5, max(0.4, calm * 0.97 + random_.gauss(0.03, 0.12)))
        open_ = close - drift - random_.gauss(0, size * 0.7 * calm)
        high = max(open_, close) + abs(random_.gauss(0, size * 0.5 * calm))
        low = min(open_, close) - abs(random_.gauss(0, size * 0.5 * calm))
        made.append(
            Bar(
                instrument=instrument,
                timeframe=timeframe,
                open=_tick(D(open_), tick),
                high=_tick(D(high), tick),
                low=_tick(D(low), tick),
                close=_tick(D(close), tick),
                volume=D(int(abs(random_.gauss(3000, 1800)) * calm + 200 + abs(close - open_) / size * 2500)),
                ts=(start - i * step) * SECOND,
                closed=i > 0,
                synthetic=True,
                source="simulated",
                engine=ENGINE,
            )
        )
        close = open_
    return tuple(reversed(made))


def book(instrument: str = "AAPL.SIM", now: int = NOW) -> Book:
    """Five levels a side around 187.52."""
    return Book(
        instrument=instrument,
        asks=tuple(Level(D(p), D(s)) for p, s in _levels("187.53", 1, (250, 400, 600, 1100, 350))),
        bids=tuple(Level(D(p), D(s)) for p, s in _levels("187.51", -1, (300, 500, 900, 200, 1400))),
        ts=now,
        ts_recv=now,
        synthetic=True,
        source="simulated",
        engine=ENGINE,
    )


def _levels(start: str, way: int, sizes: tuple[int, ...]) -> list[tuple[str, str]]:
    return [(str(D(start) + way * i * D("0.01")), str(size)) for i, size in enumerate(sizes)]


def orders(now: int = NOW) -> list[OrderUpdate]:
    """Orders in most states there are."""
    base = OrderUpdate(
        engine=ENGINE,
        client_order_id="O-20260302-0011",
        instrument="AAPL.SIM",
        side="buy",
        order_type="market",
        tif="day",
        qty=D(400),
        filled_qty=D(400),
        avg_price=D("186.91"),
        status="filled",
        event="OrderFilled",
        ts_init=now - 1500 * SECOND,
        ts=now - 1499 * SECOND,
        seq=11,
        synthetic=True,
    )

    def other(number: int, ago: int, **fields: object) -> OrderUpdate:
        plain = {"filled_qty": D(0), "avg_price": None, "status": "accepted", "event": "OrderAccepted"}
        return msgspec.structs.replace(
            base,
            client_order_id=f"O-20260302-{number:04d}",
            seq=number,
            ts_init=now - ago * SECOND,
            ts=now - ago * SECOND,
            **(plain | fields),
        )

    return [
        base,
        other(12, 1400, side="sell", order_type="stop_market", trigger_price=D("186.32"), tif="gtc"),
        other(13, 900, order_type="limit", price=D("186.90"), tif="gtc", qty=D(200)),
        other(
            14,
            850,
            instrument="ES.SIM",
            side="sell",
            qty=D(2),
            filled_qty=D(2),
            avg_price=D("5318.50"),
            status="filled",
        ),
        other(
            15,
            700,
            instrument="EURUSD.SIM",
            order_type="limit",
            price=D("1.08300"),
            qty=D(100000),
            filled_qty=D(40000),
            avg_price=D("1.08300"),
            status="partially_filled",
            tif="gtc",
        ),
        other(16, 640, instrument="BTCUSD.SIM", qty=D("0.5000"), status="cancelled", order_type="limit",
              price=D("66500.0")),
        other(
            17,
            300,
            instrument="NVDA.SIM",
            qty=D(5000),
            status="denied",
            reason="notional 4,518,850.00 exceeds the order_notional limit 1,000,000",
        ),
        other(18, 60, instrument="MSFT.SIM", side="sell", qty=D(50), order_type="limit", price=D("415.00"),
              status="accepted", pending="cancel", tif="day"),
    ]  # fmt: skip


def positions(now: int = NOW) -> list[PositionUpdate]:
    """Three open positions with their marks."""
    made = []
    for instrument, qty, average, mark, pnl in (
        ("AAPL.SIM", "400", "186.91", "187.52", "244.00"),
        ("ES.SIM", "-2", "5318.50", "5312.25", "625.00"),
        ("EURUSD.SIM", "40000", "1.08300", "1.08421", "48.40"),
    ):
        journalled = PositionUpdate(
            engine=ENGINE,
            position_id=f"{instrument}-EXTERNAL",
            instrument=instrument,
            qty=D(qty),
            avg_open=D(average),
            realized_pnl=D("0.00") if instrument != "ES.SIM" else D("-112.50"),
            currency="USD",
            ts_opened=now - 1500 * SECOND,
            ts=now - 1400 * SECOND,
            seq=20,
            synthetic=True,
        )
        made += [
            journalled,
            msgspec.structs.replace(journalled, unrealized_pnl=D(pnl), mark=D(mark), ts=now, seq=0),
        ]
    return made


def account(now: int = NOW) -> AccountUpdate:
    """An account a little up on the day."""
    return AccountUpdate(
        engine=ENGINE,
        account_id="SIM-001",
        currency="USD",
        balances=(Balance(currency="USD", total=D("1003395.15"), locked=D("18753.00"), free=D("984642.15")),),
        equity=D("1004312.55"),
        unrealized_pnl=D("917.40"),
        realized_pnl=D("3395.15"),
        day_pnl=D("4312.55"),
        margin_used=D("33842.10"),
        ts=now,
        synthetic=True,
    )


def effects(order: PreviewOrder, *, many: bool = False) -> list[LimitEffect]:
    """What the gate says to an order in the scene, with the positions held and nothing working.

    ``many`` limits are those of a desk that has set some; else those an engine begins with.
    """
    quote = next(q for q in quotes() if q.instrument == order.instrument)
    held = sum((p.qty for p in positions() if p.instrument == order.instrument and p.seq), D(0))
    price = order.price if order.price is not None else quote.ask if order.side == "buy" else quote.bid
    assert price is not None
    present = held if order.side == "buy" else -held
    adds = D(0) if order.reduce_only else order.qty
    found = [
        _effect("order_notional", f"engine:{ENGINE}", D(0), adds * price, D(1_000_000)),
        _effect(
            "position_size",
            f"engine:{ENGINE}",
            abs(present * price),
            abs(present + adds) * price,
            D(5_000_000),
        ),
        _effect("order_rate", f"engine:{ENGINE}", D(0), D(1), D(100), "orders"),
    ]
    if many:
        equity = D("1004312.55")
        gross = D("1462280") / equity
        own = f"instrument:{order.instrument}"
        found += [
            _effect("position_size", own, max(present, D(0)), max(present + adds, D(0)), D(500), "shares"),
            _effect(
                "gross_exposure", f"engine:{ENGINE}", gross, gross + adds * price / equity, D("1.6"), "ratio"
            ),
            _effect("leverage", "portfolio", gross, gross + adds * price / equity, D(2), "ratio"),
            _effect("concentration", "portfolio", D("0.2645"), D("0.2645"), D("0.35"), "ratio"),
            _effect("sector_exposure", "sector:Technology", D("0.105"), D("0.105"), D("0.4"), "ratio"),
            _effect("daily_loss", "portfolio", D(12410), D(12410), D(50000)),
        ]
    return found


def _effect(
    rule: str, scope: str, used: Decimal, after: Decimal, limit: Decimal, unit: str = "USD"
) -> LimitEffect:
    if unit == "USD":
        used, after = used.quantize(D("0.01")), after.quantize(D("0.01"))
    passes = after <= limit
    room = max(D(0), limit - used) if unit == "shares" else None
    return LimitEffect(
        rule=rule,
        scope=scope,
        used=used,
        after=after,
        limit=limit,
        unit=unit,
        passes=passes,
        limit_id=f"{rule}:{scope}:{unit}",
        max_quantity=room,
    )


def fills(now: int = NOW) -> list[Fill]:
    """The fill of the first order."""
    return [
        Fill(
            engine=ENGINE,
            trade_id="SIM-1-011",
            client_order_id="O-20260302-0011",
            venue_order_id="SIM-1-011",
            instrument="AAPL.SIM",
            side="buy",
            qty=D(400),
            price=D("186.91"),
            commission=D("0.00"),
            commission_currency="USD",
            liquidity="taker",
            ts=now - 1499 * SECOND,
            seq=11,
            synthetic=True,
        )
    ]


def engines(now: int = NOW) -> list[EngineStatus]:
    """A running paper engine, a paused replay, a stopped one and one in error."""
    first = EngineStatus(
        id=ENGINE,
        state="running",
        environment="SIM",
        feed="simulated",
        pid=48213,
        ts_started=now - 8040 * SECOND,
        uptime_s=8040.0,
        rss_bytes=412 * 2**20,
        cpu_percent=11.0,
        loop_lag_ms=0.7,
        feed_age_ms=80.0,
        tick_rate=236.0,
        ticks=1_893_220,
        instruments=24,
        orders_working=4,
        positions_open=3,
        journal_seq=31,
        max_memory_mb=1024,
        max_cpu_percent=100,
        ts=now,
        synthetic=True,
    )
    replaced = msgspec.structs.replace
    return [
        first,
        replaced(
            first,
            id="replay-fx",
            environment="REPLAY",
            feed="replay",
            feed_detail="10× paused",
            pid=48350,
            rss_bytes=873 * 2**20,
            cpu_percent=83.0,
            loop_lag_ms=64.2,
            feed_age_ms=9200.0,
            tick_rate=0.0,
            uptime_s=312.0,
            instruments=1,
            orders_working=0,
            positions_open=1,
            restarts=1,
            synthetic=False,
        ),
        _dead(first, "paper-2", "stopped", None),
        _dead(first, "ib-paper", "error", "gave up after 3 restarts in 60 s: no gateway at 127.0.0.1:4002"),
    ]


def _dead(like: EngineStatus, name: str, state: str, reason: str | None) -> EngineStatus:
    return EngineStatus(
        id=name,
        state=state,  # type: ignore[arg-type]  # literals of the callers above
        reason=reason,
        environment="PAPER" if name.startswith("ib") else "SIM",
        feed="ib" if name.startswith("ib") else "simulated",
        restarts=3 if reason else 0,
        max_memory_mb=1024,
        ts=like.ts,
        synthetic=not name.startswith("ib"),
    )


def logs(now: int = NOW) -> list[EngineLog]:
    """A morning's log."""
    order = "O-20260302-0011"
    lines: tuple[tuple[int, LogLevel, str, str, str | None], ...] = (
        (8040, "info", "Node", "starting with 24 instruments of SIM, feed simulated, seed 7", None),
        (8039, "info", "Journal", "replayed 11 events: 3 positions, 2 working orders", None),
        (8039, "info", "Node", "RUNNING in 58 ms", None),
        (1500, "info", "Gateway", f"SubmitOrder {order} BUY 400 AAPL.SIM MARKET", order),
        (1500, "debug", "Gate", f"{order} passed order_notional 74,764.00 of 1,000,000", order),
        (1499, "info", "Exec", f"OrderFilled {order} 400 @ 186.91", order),
        (900, "info", "Gateway", "SubmitOrder O-20260302-0013 BUY 200 AAPL.SIM LIMIT 186.90", None),
        (300, "warning", "Gate", "denied O-20260302-0017: notional 4,518,850.00 exceeds 1,000,000", None),
        (
            62,
            "error",
            "Recorder",
            "segment not rotated: 212 MB left on disk, keeping the old one",
            None,
        ),
        (2, "info", "Exec", "OrderFilled O-20260302-0015 40,000 @ 1.08300 (partial 40%)", None),
    )
    return [
        EngineLog(
            engine=ENGINE,
            level=level,
            component=component,
            message=text,
            client_order_id=join,
            ts=now - ago * SECOND,
        )
        for ago, level, component, text, join in lines
    ]


def replay(now: int = NOW) -> FeedProgress:
    """A paused replay, two fifths through 2012."""
    return FeedProgress(
        engine="replay-fx",
        feed="replay",
        state="paused",
        speed=10.0,
        ts_market=1_336_572_720 * SECOND,
        ts_start=1_325_458_800 * SECOND,
        ts_end=1_356_735_540 * SECOND,
        ticks_played=1_213_402,
        ticks_total=2_972_118,
    )


def health(now: int = NOW) -> SystemHealth:
    """A daemon with one problem."""
    return SystemHealth(
        alive=True,
        ready=True,
        truthful=True,
        problems=("ib-paper is in error",),
        engines=4,
        engines_running=2,
        stream_clients=1,
        store_ok=True,
        rss_bytes=131 * 2**20,
        cpu_percent=3.0,
        uptime_s=9000.0,
        version="0.1.0",
        ts=now,
    )


def authority(**changes: object) -> OrderAuthority:
    """You took the order authority half an hour ago."""
    held = OrderAuthority(holder="you", via="unix", by="you", ts=NOW - 1800 * SECOND)
    return msgspec.structs.replace(held, **changes)


def mirror(now: int = NOW) -> Mirror:
    """Everything above in a mirror."""
    made = Mirror()
    made.put_connection(Connection(state="connected", since_ns=now - 600 * SECOND))
    made.put_instruments(ENGINE, instruments())
    trail = random.Random(3)
    for quote in quotes(now):
        assert quote.last is not None
        price, tick = quote.last, next(i.tick_size for i in instruments() if i.id == quote.instrument)
        past = []
        for i in range(1, 40):
            price = _tick(price * D(str(1 + trail.gauss(0, 0.0004))), tick)
            past.append(msgspec.structs.replace(quote, last=price, ts_recv=quote.ts_recv - i * 5 * SECOND))
        made.apply_records(reversed(past))
        made.apply_records([quote])
    for timeframe in TIMEFRAME_SECONDS:
        made.put_bars(ENGINE, "AAPL.SIM", timeframe, bars(timeframe=timeframe))
    made.apply_records([book(), *orders(), *fills(), *positions(), *engines(), *logs()])
    walk = random.Random(5)
    worth = 1_000_000.0
    for i in range(200, 0, -1):
        worth += walk.gauss(21, 180)
        earlier = msgspec.structs.replace(account(), equity=D(str(round(worth, 2))), ts=now - i * 10 * SECOND)
        made.apply_records([earlier])
    made.apply_records([account(), replay(), health(), authority()])
    return made


def view(**changes: object) -> View:
    """A trader looking at AAPL on five minutes."""
    plain = View(
        engine=ENGINE,
        instrument="AAPL.SIM",
        timeframe="5m",
        role="trader",
        actor="you",
        now_ns=NOW,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # fields of View by name


def _tick(value: Decimal, tick: Decimal) -> Decimal:
    return (value / tick).quantize(D(1)) * tick
