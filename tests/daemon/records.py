"""Small whole records for the daemon's tests."""

from __future__ import annotations

from decimal import Decimal

from data.records import AccountUpdate, Balance, Fill, OrderStatus, OrderUpdate, PositionUpdate

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
