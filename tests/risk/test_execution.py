"""Execution of orders, computed by hand."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from data.records import Fill, OrderUpdate
from risk.execution import OrderFacts, Touch, grade, row, summary

SECOND = 1_000_000_000
START = 1_000 * SECOND


def touch(bid: str, ask: str, ts: int = START) -> Touch:
    return Touch(bid=Decimal(bid), ask=Decimal(ask), ts=ts)


def order(**given: object) -> OrderUpdate:
    base: dict[str, object] = {
        "engine": "e",
        "client_order_id": "O1",
        "instrument": "A.X",
        "side": "buy",
        "order_type": "limit",
        "tif": "day",
        "qty": Decimal(100),
        "filled_qty": Decimal(60),
        "price": Decimal("100.10"),
        "status": "cancelled",
        "ts_init": START,
        "ts": START + 60 * SECOND,
        "synthetic": True,
    }
    return OrderUpdate(**(base | given))


def fill(qty: str, price: str, after: int, liquidity: str = "taker", currency: str = "USD") -> Fill:
    return Fill(
        engine="e",
        trade_id=f"T{after}",
        client_order_id="O1",
        venue_order_id="V",
        instrument="A.X",
        side="buy",
        qty=Decimal(qty),
        price=Decimal(price),
        commission=Decimal("0.50"),
        commission_currency=currency,
        liquidity=liquidity,
        ts=START + after * SECOND,
        synthetic=True,
    )


def facts(**given: object) -> OrderFacts:
    base: dict[str, object] = {
        "order": order(),
        "fills": (fill("40", "100.05", 1), fill("20", "100.08", 3, "maker")),
        "currency": "USD",
        "rate": Decimal(1),
        "arrival": touch("99.98", "100.02"),
        "after": touch("100.03", "100.05", START + 4 * SECOND),
        "end": touch("100.49", "100.51", START + 60 * SECOND),
        "vwap": Decimal("100.02"),
        "volume": Decimal(3000),
        "ts_ack": START + SECOND // 4,
    }
    return OrderFacts(**(base | given))


def test_one_order_by_hand() -> None:
    told = row(facts())
    # 40 × 100.05 + 20 × 100.08 = 6003.60; / 60 = 100.06; the mid was 100.
    assert told.avg_price == Decimal("100.06")
    assert told.slippage_arrival_bps == pytest.approx(6.0)
    assert told.slippage_limit_bps == pytest.approx((100.06 - 100.10) / 100.10 * 1e4)
    assert told.slippage_vwap_bps == pytest.approx((100.06 - 100.02) / 100.02 * 1e4)
    # Paid 60 × 0.06 = 3.60; missed 40 × 0.50 = 20.00; commission 1.00; of 100 × 100.
    assert told.shortfall == Decimal("24.60")
    assert told.shortfall_bps == pytest.approx(24.6)
    assert told.spreads == pytest.approx(3.0)  # half a spread is 0.02
    assert told.grade == "D"
    assert told.participation == pytest.approx(0.02)
    assert told.impact_bps == pytest.approx(4.0)  # from 100.00 to 100.04
    assert (told.ack_ms, told.first_fill_ms) == (250.0, 1000.0)
    assert (told.fills, told.maker_fills, told.commission) == (2, 1, Decimal("1.00"))
    assert told.venue == "X"
    assert told.reasons == {}


def test_a_sell_costs_the_other_way() -> None:
    sells = tuple(msgspec.structs.replace(one, side="sell") for one in facts().fills)
    told = row(facts(order=order(side="sell", qty=Decimal(60), status="filled", price=None), fills=sells))
    assert told.slippage_arrival_bps == pytest.approx(-6.0)
    assert told.shortfall == Decimal("-2.60")  # gained 3.60, paid 1.00
    assert told.grade == "A"
    assert told.slippage_limit_bps is None


def test_what_was_not_recorded_is_none_with_its_reason() -> None:
    told = row(facts(arrival=None, vwap=None, volume=None, reasons={"arrival": "no quote"}))
    assert told.slippage_arrival_bps is None
    assert told.shortfall is None
    assert told.grade is None
    assert told.participation is None
    assert told.slippage_limit_bps is not None
    assert told.reasons["arrival"] == "no quote"
    told = row(facts(end=None))
    assert told.shortfall is None
    assert told.reasons["shortfall"] == "the mid when the order ended is not recorded"
    told = row(facts(fills=(), order=order(filled_qty=Decimal(0))))
    assert told.shortfall == Decimal("50.00")  # nothing was bought, and it is 0.50 dearer
    assert told.reasons["slippage"] == "nothing was filled"
    told = row(facts(fills=(fill("60", "100.06", 1, currency="EUR"),)))
    assert (told.commission, told.shortfall) == (None, None)
    assert told.reasons["shortfall"] == "commission was in another currency"


def test_an_order_that_works_counts_what_is_filled() -> None:
    told = row(facts(order=order(status="partially_filled")))
    assert told.shortfall == Decimal("4.60")
    assert told.shortfall_bps == pytest.approx(4.6 / 6000 * 1e4)
    assert "still works" in told.reasons["shortfall"]


def test_a_replayed_market_tells_no_times() -> None:
    told = row(facts(reasons={"time": "replayed"}))
    assert (told.ack_ms, told.first_fill_ms) == (None, None)


def test_grades() -> None:
    marks = [(-1.0, "A"), (0.0, "A"), (0.5, "B"), (1.0, "B"), (1.5, "C"), (2.0, "C"), (4.0, "D"), (4.1, "F")]
    assert [grade(spreads) for spreads, _ in marks] == [name for _, name in marks]
    assert grade(None) is None


def test_several_orders_are_weighted_by_value() -> None:
    small = facts(
        order=order(client_order_id="O2", qty=Decimal(20), filled_qty=Decimal(20), status="filled"),
        fills=(fill("20", "100.00", 2),),
        volume=Decimal(200),
    )
    denied = facts(order=order(client_order_id="O3", status="denied"), fills=())
    told = summary("portfolio", [facts(), small, denied], ts=1)
    assert (told.orders, told.filled_orders) == (2, 2)
    assert told.fill_rate == pytest.approx(80 / 120)
    big, little = 60 * 100.06, 20 * 100.0
    assert told.slippage_arrival_bps == pytest.approx(6.0 * big / (big + little))
    assert told.grade == "D"  # 3 × 0.75 = 2.25 half spreads
    assert told.participation == pytest.approx(80 / 3200)
    assert told.commission == {"USD": Decimal("1.50")}
    assert told.median_first_fill_ms == 1500.0
    assert told.notes == ("1 denied orders are left out: they were not sent",)
    (venue,) = told.venues
    assert (venue.venue, venue.orders, venue.maker_share) == ("X", 2, pytest.approx(1 / 3))
    assert [(one.participation, one.orders) for one in told.impact] == [("1 to 5 %", 1), ("5 to 20 %", 1)]
    assert told.synthetic


def test_nothing_was_sent() -> None:
    told = summary("portfolio", [], ts=1)
    assert (told.orders, told.fill_rate, told.grade, told.slippage_arrival_bps) == (0, None, None, None)
