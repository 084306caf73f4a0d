"""Records for stream tests, each whole and valid."""

from __future__ import annotations

from decimal import Decimal

from data.records import (
    AccountUpdate,
    Balance,
    Bar,
    EngineLog,
    EngineStatus,
    OrderUpdate,
    PositionUpdate,
    Quote,
)

TS = 1_764_000_000_123_456_789


def quote(n: int = 0, instrument: str = "AAPL.SIM", engine: str = "paper-1") -> Quote:
    """A quote whose bid tells which one it is."""
    return Quote(
        instrument=instrument,
        bid=Decimal(n),
        ask=Decimal(n) + Decimal("0.01"),
        bid_size=Decimal(100),
        ask_size=Decimal(200),
        ts=TS + n,
        ts_recv=TS + n,
        synthetic=True,
        source="simulated",
        engine=engine,
    )


def bar(n: int = 0, instrument: str = "AAPL.SIM", engine: str = "paper-1", *, closed: bool = True) -> Bar:
    """The n-th minute's bar, whole or as it forms."""
    return Bar(
        instrument=instrument,
        timeframe="1m",
        open=Decimal(n),
        high=Decimal(n),
        low=Decimal(n),
        close=Decimal(n),
        ts=TS + n * 60_000_000_000,
        closed=closed,
        synthetic=True,
        source="simulated",
        engine=engine,
    )


def order(n: int = 1, engine: str = "paper-1", client_order_id: str | None = None) -> OrderUpdate:
    """An order whose journal sequence number tells which one it is."""
    return OrderUpdate(
        engine=engine,
        client_order_id=client_order_id or f"O-{n}",
        instrument="AAPL.SIM",
        side="buy",
        order_type="limit",
        tif="gtc",
        qty=Decimal(100),
        price=Decimal("99.50"),
        status="accepted",
        ts_init=TS,
        ts=TS + n,
        seq=n,
        synthetic=True,
    )


def position(qty: int = 100, seq: int = 0, position_id: str = "P-1") -> PositionUpdate:
    """A position at a mark (``seq`` 0) or after a change."""
    return PositionUpdate(
        engine="paper-1",
        position_id=position_id,
        instrument="AAPL.SIM",
        qty=Decimal(qty),
        avg_open=Decimal(100),
        realized_pnl=Decimal(0),
        currency="USD",
        ts_opened=TS,
        ts=TS,
        seq=seq,
        synthetic=True,
    )


def account(seq: int = 0) -> AccountUpdate:
    """An account with one balance."""
    balance = Balance(currency="USD", total=Decimal(1000), locked=Decimal(0), free=Decimal(1000))
    return AccountUpdate(
        engine="paper-1",
        account_id="A-1",
        currency="USD",
        balances=(balance,),
        equity=Decimal(1000),
        ts=TS,
        seq=seq,
        synthetic=True,
    )


def status(engine: str = "paper-1") -> EngineStatus:
    """A running engine."""
    return EngineStatus(
        id=engine, state="running", environment="SIM", feed="simulated", ts=TS, ts_started=TS, synthetic=True
    )


def log(n: int = 0) -> EngineLog:
    """A log line that tells which one it is."""
    return EngineLog(engine="paper-1", level="info", component="test", message=f"line {n}", ts=TS + n)
