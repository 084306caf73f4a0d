"""The gate's judgement: worst case, fails closed, and the quantity it names passes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.problems import InvalidRequestError
from risk.gate import Exposure, OrderIntent, RateWindow, effects, judge
from risk.limits import GateLimits, OrderRate

quantities = st.integers(min_value=1, max_value=100_000).map(Decimal)
held = st.integers(min_value=-50_000, max_value=50_000).map(Decimal)
amounts = st.integers(min_value=0, max_value=50_000).map(Decimal)
prices = st.decimals(min_value="0.05", max_value="5000", places=2)
LIMITS = GateLimits(order_notional=Decimal(1_000_000), position_size=Decimal(2_000_000))


def intent(side: str, qty: Decimal, price: Decimal | None, **fields: object) -> OrderIntent:
    base = {
        "instrument": "X.SIM",
        "side": side,
        "qty": qty,
        "price": price,
        "multiplier": Decimal(1),
        "lot_size": Decimal(1),
        "rate": Decimal(1),
    }
    return OrderIntent(**(base | fields))  # type: ignore[arg-type]


@given(st.sampled_from(["buy", "sell"]), quantities, prices, held, amounts, amounts)
def test_what_passes_keeps_both_limits_at_its_worst_and_what_does_not_breaks_one(
    side: str, qty: Decimal, price: Decimal, position: Decimal, buying: Decimal, selling: Decimal
) -> None:
    exposure = Exposure(position=position, buying=buying, selling=selling)
    denial = judge(intent(side, qty, price), exposure, LIMITS)
    worst = (position + buying if side == "buy" else selling - position) + qty
    keeps = qty * price <= 1_000_000 and worst * price <= 2_000_000
    assert (denial is None) == keeps


@given(st.sampled_from(["buy", "sell"]), quantities, prices, held, amounts, amounts)
def test_the_largest_quantity_named_passes_that_rule_and_one_lot_more_does_not(
    side: str, qty: Decimal, price: Decimal, position: Decimal, buying: Decimal, selling: Decimal
) -> None:
    exposure = Exposure(position=position, buying=buying, selling=selling)
    denial = judge(intent(side, qty, price), exposure, LIMITS)
    if denial is None:
        return
    assert denial.largest_qty is not None
    more = judge(intent(side, denial.largest_qty + 1, price), exposure, LIMITS)
    assert more is not None
    if denial.largest_qty > 0:
        again = judge(intent(side, denial.largest_qty, price), exposure, LIMITS)
        assert again is None or again.rule != denial.rule
    assert str(denial.rule) in denial.sentence()


@pytest.mark.parametrize("missing", [{"price": None}, {"rate": None}])
def test_what_cannot_be_judged_is_denied(missing: dict[str, object]) -> None:
    assert (
        judge(intent("buy", Decimal(1), **({"price": Decimal(1)} | missing)), Exposure(), LIMITS) is not None
    )  # type: ignore[arg-type]


def test_an_order_that_only_reduces_passes_without_a_price() -> None:
    assert judge(intent("sell", Decimal(10**9), None, reduce_only=True), Exposure(), LIMITS) is None


def test_limits_switched_off_deny_nothing() -> None:
    off = GateLimits(order_notional=None, position_size=None, order_rate=None)
    assert judge(intent("buy", Decimal(10**12), Decimal(10**6)), Exposure(), off) is None
    assert RateWindow(None).judge(0) is None


@given(st.lists(st.integers(min_value=0, max_value=3_000_000_000), min_size=1, max_size=60))
def test_no_window_ever_holds_more_orders_than_the_rate(gaps: list[int]) -> None:
    rate = OrderRate(5, 2)
    window = RateWindow(rate)
    now, passed = 0, []
    for gap in gaps:
        now += gap
        recent = [t for t in passed if t > now - 2_000_000_000]
        denial = window.judge(now)
        assert (denial is None) == (len(recent) < 5)
        if denial is None:
            passed.append(now)


@pytest.mark.parametrize("text", ["", "x", "0/1", "5/0", "-5/1", "1/2/3"])
def test_a_rate_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        OrderRate.parse(text)


def test_a_rate_reads_as_it_is_written() -> None:
    assert str(OrderRate.parse("30/60")) == "30/60"
    assert OrderRate.parse("5") == OrderRate(5, 1)


@given(st.sampled_from(["buy", "sell"]), quantities, prices, held, amounts, amounts)
def test_a_preview_says_what_the_gate_would_decide(
    side: str, qty: Decimal, price: Decimal, position: Decimal, buying: Decimal, selling: Decimal
) -> None:
    exposure = Exposure(position=position, buying=buying, selling=selling)
    asked = intent(side, qty, price)
    shown = effects(asked, exposure, LIMITS, "USD")
    assert all(effect.passes for effect in shown) == (judge(asked, exposure, LIMITS) is None)
    notional, size = shown
    assert (notional.used, notional.after) == (0, qty * price)
    now = position + buying if side == "buy" else selling - position
    assert (size.used, size.after) == (abs(now) * price, abs(now + qty) * price)
