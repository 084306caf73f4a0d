"""Exact averages against the definition, summed over whole lists of fills."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from engines.averages import FilledAverage, OpenAverage, rounded

prices = st.decimals(min_value="0.01", max_value="100000", places=2)
quantities = st.integers(min_value=1, max_value=10_000).map(Decimal)
fills = st.lists(st.tuples(st.sampled_from(["buy", "sell"]), quantities, prices), min_size=1, max_size=40)


@given(st.lists(st.tuples(quantities, prices), min_size=1, max_size=40))
def test_the_filled_average_is_the_weighted_mean(parts: list[tuple[Decimal, Decimal]]) -> None:
    average = FilledAverage()
    for qty, price in parts:
        average = average.add(qty, price)
    exact = sum(Fraction(q) * Fraction(p) for q, p in parts) / sum(Fraction(q) for q, _ in parts)
    shown = average.price(2)
    assert shown is not None
    assert abs(Fraction(shown) - exact) <= Fraction(1, 2 * 10**6)
    assert min(p for _, p in parts) <= shown <= max(p for _, p in parts)


@given(fills)
def test_a_position_is_the_sum_of_its_fills_and_its_average_a_price_between_them(parts: list) -> None:
    position = OpenAverage()
    for side, qty, price in parts:
        position = position.add(side, qty, price)
    signed = sum((q if s == "buy" else -q for s, q, _ in parts), Decimal(0))
    assert position.qty == signed
    if signed:
        assert min(p for *_, p in parts) <= position.price <= max(p for *_, p in parts)
    else:
        assert position.price == 0


@given(fills, prices)
def test_profit_is_conserved(parts: list, mark: Decimal) -> None:
    """Realised by the average cost method plus unrealised equals cash flow plus value."""
    position, cash, realised = OpenAverage(), Fraction(0), Fraction(0)
    for side, qty, price in parts:
        sign = 1 if side == "buy" else -1
        cash -= sign * Fraction(qty) * Fraction(price)
        closing = min(Fraction(qty), abs(Fraction(position.qty))) if sign * position.qty < 0 else Fraction(0)
        realised += closing * (Fraction(price) - Fraction(position.price)) * -sign
        position = position.add(side, qty, price)
    unrealised = Fraction(position.qty) * (Fraction(mark) - Fraction(position.price))
    total = cash + Fraction(position.qty) * Fraction(mark)
    assert abs(realised + unrealised - total) < Fraction(1, 10**15)


def test_going_through_zero_opens_at_the_price_of_the_fill() -> None:
    position = (
        OpenAverage().add("buy", Decimal(100), Decimal("10.00")).add("sell", Decimal(150), Decimal("12.50"))
    )
    assert position == OpenAverage(Decimal(-50), Decimal("12.50"))


def test_an_average_that_lies_on_a_tick_is_shown_like_a_price() -> None:
    assert str(rounded(Decimal("10.5000"), 2)) == "10.50"
    assert str(rounded(Decimal(1) / 3, 2)) == "0.333333"


def test_nothing_filled_has_no_price() -> None:
    assert FilledAverage().price(2) is None
