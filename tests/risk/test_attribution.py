"""Profit from fills, by hand and by a law that holds for any fills: profit is cash plus what is held."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.records import Fill
from risk.attribution import (
    Terms,
    aggregated,
    contributions,
    factor_contributions,
    ledger,
    trade_statistics,
    unrealised,
)

HOUR = 3_600 * 1_000_000_000
DAY = 24 * HOUR
TERMS = {
    "A.X": Terms("USD", Decimal(1), "Technology"),
    "F.X": Terms("USD", Decimal(50)),
    "J.X": Terms("JPY"),
}


def rate(currency: str) -> Decimal | None:
    return {"USD": Decimal(1), "JPY": Decimal("0.01")}.get(currency)


def fill(
    at: int,
    side: str,
    qty: str,
    price: str,
    instrument: str = "A.X",
    *,
    strategy: str | None = "s",
    commission: str = "1",
    currency: str = "USD",
) -> Fill:
    return Fill(
        engine="e",
        trade_id=f"T{at}{instrument}",
        client_order_id=f"O{at}",
        venue_order_id="V",
        instrument=instrument,
        side=side,
        qty=Decimal(qty),
        price=Decimal(price),
        commission=Decimal(commission),
        commission_currency=currency,
        strategy=strategy,
        ts=at * HOUR,
        seq=at,
        synthetic=False,
    )


def test_average_cost_through_zero_by_hand() -> None:
    fills = [
        fill(1, "buy", "10", "100"),
        fill(2, "buy", "10", "110"),  # 20 at 105
        fill(3, "sell", "5", "120"),  # 5 × 15 = 75
        fill(4, "sell", "25", "95"),  # 15 × −10 = −150, and 10 short at 95
        fill(5, "buy", "10", "90"),  # 10 × 5 = 50: flat
    ]
    book = ledger(reversed(fills), TERMS, rate)
    assert [one.profit for one in book.realised] == [Decimal(n) for n in (-1, -1, 74, -151, 49)]
    assert book.profit == Decimal(-30)
    assert book.commission == Decimal(5)
    assert book.open == {}
    # The commission of the fill that goes through zero is the first trip's.
    assert [(trip.profit, trip.opened, trip.closed) for trip in book.trips] == [
        (Decimal(-79), HOUR, 4 * HOUR),
        (Decimal(49), 4 * HOUR, 5 * HOUR),
    ]
    told = trade_statistics(book.trips)
    assert (told.closed, told.won, told.lost) == (2, 1, 1)
    assert told.win_rate == 0.5
    assert told.profit_factor == pytest.approx(49 / 79)
    assert (told.expectancy, told.average_win, told.average_loss) == (
        Decimal("-15.00"),
        Decimal("49.00"),
        Decimal("-79.00"),
    )
    assert told.average_hours == 2.0


def test_multiplier_and_currency() -> None:
    fills = [
        fill(1, "sell", "2", "4000", "F.X"),
        fill(2, "buy", "1", "3990", "F.X"),  # 10 × 50 = 500
        fill(3, "buy", "100", "150", "J.X", commission="200", currency="JPY"),
    ]
    book = ledger(fills, TERMS, rate)
    assert [one.profit for one in book.realised] == [Decimal(-1), Decimal(499), Decimal(-2)]
    assert [one.value for one in book.realised] == [Decimal(400_000), Decimal(199_500), Decimal(150)]
    marks = {"F.X": Decimal(4002), "J.X": Decimal(151)}
    gains = unrealised(book, TERMS, rate, lambda _, instrument: marks[instrument])
    assert gains == {("e", "s", "F.X"): Decimal(-100), ("e", "s", "J.X"): Decimal(1)}
    rows = contributions(book, gains, TERMS, "instrument", Decimal(10_000))
    assert [(row.key, row.realized, row.unrealized, row.total) for row in rows] == [
        ("F.X", Decimal("498.00"), Decimal("-100.00"), Decimal("398.00")),
        ("J.X", Decimal("-2.00"), Decimal("1.00"), Decimal("-1.00")),
    ]
    assert rows[0].of_equity == pytest.approx(0.0398)


def test_what_cannot_be_converted_is_left_out_and_said() -> None:
    fills = [fill(1, "buy", "1", "1", "J.X"), fill(2, "buy", "1", "1", "?.X"), fill(3, "buy", "1", "5")]
    book = ledger(fills, TERMS, lambda currency: Decimal(1) if currency == "USD" else None)
    assert len(book.realised) == 1
    assert book.problems == [
        "fills of ?.X are left out: its terms are not known",
        "fills of J.X are left out: no exchange rate for JPY",
    ]
    gains = unrealised(book, TERMS, rate, lambda *_: None)
    assert gains == {("e", "s", "A.X"): None}
    (row,) = contributions(book, gains, TERMS, "strategy", None)
    assert (row.unrealized, row.total, row.of_equity) == (None, None, None)


def test_dimensions_add_up() -> None:
    fills = [
        fill(1, "buy", "10", "100", strategy="s"),
        fill(2, "buy", "10", "101", strategy=None),
        fill(30, "sell", "10", "103", strategy="s"),
    ]
    book = ledger(fills, TERMS, rate)
    gains = unrealised(book, TERMS, rate, lambda *_: Decimal(104))
    total = Decimal(29) - Decimal(1) - Decimal(1) + Decimal(30)
    for dimension in ("engine", "instrument", "strategy", "sector"):
        rows = contributions(book, gains, TERMS, dimension, None)
        assert sum(row.total for row in rows if row.total is not None) == total
    by_strategy = contributions(book, gains, TERMS, "strategy", None)
    assert {row.key: row.total for row in by_strategy} == {"s": Decimal("28.00"), "unknown": Decimal("29.00")}
    days = contributions(book, gains, TERMS, "day", None)
    assert [(row.key, row.realized) for row in days] == [
        ("1970-01-01", Decimal("-2.00")),
        ("1970-01-02", Decimal("29.00")),
    ]
    (first, second) = aggregated(book, TERMS, ("sector", "day"))
    assert first.keys == {"sector": "Technology", "day": "1970-01-01"}
    assert (first.fills, first.orders, first.bought, first.sold) == (
        2,
        2,
        Decimal("2010.00"),
        Decimal("0.00"),
    )
    assert (second.traded, second.commission, second.realized) == (
        Decimal("1030.00"),
        Decimal("1.00"),
        Decimal("29.00"),
    )


amounts = st.decimals(min_value="0.01", max_value="1000", places=2)
orders = st.tuples(st.sampled_from(("buy", "sell")), amounts, amounts, st.sampled_from(("A.X", "F.X")))


@given(st.lists(orders, max_size=30), amounts)
def test_profit_is_cash_and_what_is_held(
    drawn: list[tuple[str, Decimal, Decimal, str]], mark: Decimal
) -> None:
    fills = [fill(at, side, str(qty), str(price), name) for at, (side, qty, price, name) in enumerate(drawn)]
    book = ledger(fills, TERMS, rate)
    gains = unrealised(book, TERMS, rate, lambda *_: mark)
    cash, qty = Decimal(0), dict.fromkeys(("A.X", "F.X"), Decimal(0))
    for one in fills:
        signed = one.qty if one.side == "buy" else -one.qty
        cash -= signed * one.price * TERMS[one.instrument].multiplier + one.commission
        qty[one.instrument] += signed
    value = sum(held * mark * TERMS[name].multiplier for name, held in qty.items())
    profit = book.profit + sum((one for one in gains.values() if one is not None), Decimal(0))
    assert abs(profit - cash - value) < Decimal("1e-15")
    # What trips made, and what open positions have realised on their way, is what was realised.
    assert sum(1 for held in qty.values() if held) == len(book.open)


def test_factor_and_specific_add_up_to_the_return() -> None:
    market = np.array([0.01, -0.02, 0.03, 0.0])
    returns = 1.5 * market + np.array([0.001, 0.001, 0.001, 0.001])
    found = factor_contributions(returns, market, "SPY.SIM")
    assert [one.factor for one in found] == ["SPY.SIM", "specific"]
    assert found[0].loading == pytest.approx(1.5)
    assert found[0].contribution == pytest.approx(1.5 * 0.02)
    assert sum(one.contribution for one in found) == pytest.approx(returns.sum())
    assert factor_contributions(returns, np.zeros(4), "flat") == ()
