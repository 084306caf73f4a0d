"""An instrument's rules: what passes keeps them, what does not says which, and how to mend it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.commands import ModifyOrder, SubmitBracket, SubmitOco, SubmitOrder
from data.problems import DeniedError
from data.records import Instrument
from engines import rules

FUTURE = Instrument(
    id="ES.SIM",
    symbol="ES",
    venue="SIM",
    name="Index future",
    asset_class="future",
    currency="USD",
    tick_size=Decimal("0.25"),
    price_precision=2,
    lot_size=Decimal(1),
    size_precision=0,
    min_qty=Decimal(1),
    max_qty=Decimal(500),
    multiplier=Decimal(50),
)


def order(**fields: object) -> SubmitOrder:
    base = {"engine": "p", "client_order_id": "x", "instrument": "ES.SIM", "side": "buy", "qty": Decimal(1)}
    return SubmitOrder(**(base | fields))  # type: ignore[arg-type]


@given(st.decimals(min_value="0.01", max_value="10000", places=2))
def test_a_price_passes_exactly_when_it_lies_on_a_tick_and_the_fix_passes(price: Decimal) -> None:
    if (price * 100) % 25 == 0:
        rules.check_price(FUTURE, "price", price)
        return
    with pytest.raises(DeniedError) as caught:
        rules.check_price(FUTURE, "price", price)
    assert caught.value.rule == "tick size 0.25"
    assert caught.value.fix is not None
    mended = Decimal(caught.value.fix.removeprefix("use "))
    if mended:
        rules.check_price(FUTURE, "price", mended)
    assert abs(mended - price) <= Decimal("0.125")


@given(st.decimals(min_value="-5", max_value="1000", places=1))
def test_a_quantity_passes_exactly_when_it_is_whole_lots_within_bounds(qty: Decimal) -> None:
    if qty == qty.to_integral_value() and 1 <= qty <= 500:
        rules.check_quantity(FUTURE, qty)
        return
    with pytest.raises(DeniedError) as caught:
        rules.check_quantity(FUTURE, qty)
    assert caught.value.rule
    assert caught.value.extra["field"] == "qty"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"order_type": "limit"}, "price"),
        ({"order_type": "market", "price": Decimal(1)}, "price"),
        ({"order_type": "stop_market"}, "trigger_price"),
        ({"order_type": "stop_limit", "price": Decimal(1)}, "trigger_price"),
        ({"order_type": "trailing_stop"}, "trailing_offset"),
        ({"order_type": "limit", "price": Decimal(1), "trailing_offset": Decimal(1)}, "trailing_offset"),
        ({"order_type": "stop_market", "trigger_price": Decimal(1), "tif": "ioc"}, "tif"),
        ({"order_type": "limit", "price": Decimal(1), "tif": "gtd"}, "ts_expire"),
        ({"order_type": "limit", "price": Decimal(1), "tif": "gtd", "ts_expire": 5}, "ts_expire"),
        ({"order_type": "limit", "price": Decimal(1), "tif": "gtc", "ts_expire": 50}, "ts_expire"),
        ({"order_type": "limit", "price": Decimal("-1")}, "price"),
    ],
)
def test_a_broken_rule_names_its_field(fields: dict[str, object], field: str) -> None:
    with pytest.raises(DeniedError) as caught:
        rules.check_order(FUTURE, order(**fields), now_ns=10)
    assert caught.value.extra["field"] == field
    assert caught.value.rule


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"order_type": "market", "tif": "fok"},
        {"order_type": "limit", "price": Decimal("1.25"), "tif": "gtd", "ts_expire": 11},
        {"order_type": "stop_limit", "price": Decimal(1), "trigger_price": Decimal(2)},
        {"order_type": "trailing_stop", "trailing_offset": Decimal("0.5"), "tif": "gtc"},
        {"order_type": "market_if_touched", "trigger_price": Decimal(2)},
        {"order_type": "limit_if_touched", "price": Decimal(1), "trigger_price": Decimal(2)},
    ],
)
def test_an_order_that_keeps_the_rules_passes(fields: dict[str, object]) -> None:
    rules.check_order(FUTURE, order(**fields), now_ns=10)


@pytest.mark.parametrize(
    ("side", "entry", "target", "stop", "passes"),
    [
        ("buy", "100", "110", "90", True),
        ("buy", "100", "90", "110", False),
        ("buy", "120", "110", "90", False),
        ("sell", "100", "90", "110", True),
        ("sell", "100", "110", "90", False),
        ("buy", None, "110", "90", True),
        ("buy", None, "90", "90", False),
    ],
)
def test_a_bracket_encloses_its_entry(
    side: str, entry: str | None, target: str, stop: str, passes: bool
) -> None:
    bracket = SubmitBracket(
        engine="p",
        client_order_id="x",
        instrument="ES.SIM",
        side=side,  # type: ignore[arg-type]
        qty=Decimal(1),
        order_type="market" if entry is None else "limit",
        price=None if entry is None else Decimal(entry),
        take_profit=Decimal(target),
        stop_loss=Decimal(stop),
    )
    if passes:
        rules.check_bracket(FUTURE, bracket, 10)
    else:
        with pytest.raises(DeniedError):
            rules.check_bracket(FUTURE, bracket, 10)


@pytest.mark.parametrize(
    ("side", "limit", "stop", "passes"),
    [
        ("buy", "90", "110", True),
        ("buy", "110", "90", False),
        ("sell", "110", "90", True),
        ("sell", "90", "90", False),
    ],
)
def test_a_pair_has_its_limit_on_the_better_side(side: str, limit: str, stop: str, passes: bool) -> None:
    pair = SubmitOco(
        engine="p",
        client_order_id="x",
        instrument="ES.SIM",
        side=side,  # type: ignore[arg-type]
        qty=Decimal(1),
        limit_price=Decimal(limit),
        stop_price=Decimal(stop),
    )
    if passes:
        rules.check_oco(FUTURE, pair, 10)
    else:
        with pytest.raises(DeniedError):
            rules.check_oco(FUTURE, pair, 10)


def test_a_modification_changes_something_and_not_below_what_is_filled() -> None:
    def change(**fields: object) -> ModifyOrder:
        return ModifyOrder(engine="p", client_order_id="x", **fields)  # type: ignore[arg-type]

    rules.check_modification(FUTURE, change(qty=Decimal(6)), Decimal(5))
    for wrong in ({}, {"qty": Decimal(5)}, {"price": Decimal("1.10")}):
        with pytest.raises(DeniedError):
            rules.check_modification(FUTURE, change(**wrong), Decimal(5))
