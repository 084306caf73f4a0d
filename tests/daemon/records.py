"""Small whole records for the daemon's tests."""

from __future__ import annotations

from decimal import Decimal

from data.records import (
    AccountUpdate,
    Balance,
    Bar,
    EngineLog,
    EngineState,
    EngineStatus,
    Fill,
    JournalRecord,
    LogLevel,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    Quote,
)

T0 = 1_700_000_000_000_000_000


def order(
    client_order_id: str,
    *,
    seq: int = 0,
    status: OrderStatus = "accepted",
    engine: str = "paper-1",
    qty: str = "100",
    price: str | None = "187.5000",
    ts_init: int = T0,
    instrument: str = "AAPL.SIM",
) -> OrderUpdate:
    """An order's whole state at a journal sequence number."""
    return OrderUpdate(
        engine=engine,
        client_order_id=client_order_id,
        instrument=instrument,
        side="buy",
        order_type="limit",
        tif="gtc",
        qty=Decimal(qty),
        price=None if price is None else Decimal(price),
        status=status,
        ts_init=ts_init,
        ts=ts_init + seq,
        seq=seq,
        synthetic=True,
    )


def fill(
    trade_id: str, client_order_id: str, *, seq: int, engine: str = "paper-1", price: str = "187.50"
) -> Fill:
    """One execution of 1 share."""
    return Fill(
        engine=engine,
        trade_id=trade_id,
        client_order_id=client_order_id,
        venue_order_id=f"V-{client_order_id}",
        instrument="AAPL.SIM",
        side="buy",
        qty=Decimal(1),
        price=Decimal(price),
        commission=Decimal("0.01"),
        commission_currency="USD",
        ts=T0 + seq,
        seq=seq,
        synthetic=True,
    )


def position(position_id: str, qty: str, *, seq: int, engine: str = "paper-1") -> PositionUpdate:
    """A position after its latest change."""
    return PositionUpdate(
        engine=engine,
        position_id=position_id,
        instrument="AAPL.SIM",
        qty=Decimal(qty),
        avg_open=Decimal("187.123456789012345678"),
        realized_pnl=Decimal("-0.10"),
        currency="USD",
        ts_opened=T0,
        ts=T0 + seq,
        seq=seq,
        synthetic=True,
    )


def account(total: str, *, seq: int, engine: str = "paper-1") -> AccountUpdate:
    """An account with one currency."""
    money = Decimal(total)
    return AccountUpdate(
        engine=engine,
        account_id="SIM-001",
        currency="USD",
        balances=(Balance(currency="USD", total=money, locked=Decimal(0), free=money),),
        ts=T0 + seq,
        seq=seq,
        synthetic=True,
    )


def status(
    state: EngineState = "running", *, pid: int | None = 1, journal_seq: int | None = 0, ts: int = T0
) -> EngineStatus:
    """What an engine says of itself."""
    return EngineStatus(
        id="paper-1",
        state=state,
        environment="SIM",
        feed="simulated",
        pid=pid,
        journal_seq=journal_seq,
        ts=ts,
        synthetic=True,
    )


def quote(
    instrument: str = "AAPL.SIM",
    *,
    engine: str = "paper-1",
    bid: str = "100",
    ts: int = T0,
    synthetic: bool = True,
) -> Quote:
    """A quote one tick wide."""
    return Quote(
        instrument=instrument,
        bid=Decimal(bid),
        ask=Decimal(bid) + 1,
        ts=ts,
        ts_recv=ts,
        synthetic=synthetic,
        source="simulated" if synthetic else "replay",
        engine=engine,
    )


def bar(number: int, *, closed: bool = True) -> Bar:
    """Return the bar of a minute, counted from T0."""
    price = Decimal("187.52")
    return Bar(
        instrument="AAPL.SIM",
        timeframe="1m",
        side="mid",
        open=price,
        high=price,
        low=price,
        close=price,
        volume=None,
        count=1,
        ts=T0 + number * 60_000_000_000,
        closed=closed,
        synthetic=True,
        source="simulated",
        engine="paper-1",
    )


def log(message: str, *, level: LogLevel = "info", order_id: str | None = None, ts: int = T0) -> EngineLog:
    """A line of an engine's log."""
    return EngineLog(
        engine="paper-1", level=level, component="Node", message=message, client_order_id=order_id, ts=ts
    )


def no_journal(engine: str, after: int) -> list[JournalRecord]:
    """The journal of an engine that has none."""
    return []
