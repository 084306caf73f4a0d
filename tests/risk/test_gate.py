"""The gate's judgement, type by type and by hand: worst case, all or nothing, and fails closed."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.limits import Limit, LimitType, Unit
from data.problems import InvalidRequestError
from data.records import Side
from risk.exposure import Quoted, Unknown
from risk.gate import Money
from risk.limits import NO_LIMITS, GateLimits, OrderRate, check_limit, limit_id, seed_limits
from tests.risk.gates import ENGINE, MONEY, NOW, D, Gate, limit

#: At a price of 100 and with an equity of 50,000 an order of 100 is 10,000 or 0.2 of equity: it is all of
#: each of these limits, so that an order of so many units is so many per cent of it.
BY_SIZE: list[tuple[LimitType, Unit, str, Side]] = [
    ("order_notional", "notional", "10000", "buy"),
    ("position_size", "notional", "10000", "buy"),
    ("position_size", "shares", "100", "sell"),
    ("gross_exposure", "notional", "10000", "sell"),
    ("gross_exposure", "ratio", "0.2", "buy"),
    ("net_exposure", "notional", "10000", "sell"),
    ("net_exposure", "ratio", "0.2", "buy"),
    ("long_exposure", "notional", "10000", "buy"),
    ("long_exposure", "ratio", "0.2", "buy"),
    ("short_exposure", "notional", "10000", "sell"),
    ("short_exposure", "ratio", "0.2", "sell"),
    ("leverage", "ratio", "0.2", "buy"),
    ("concentration", "ratio", "0.2", "sell"),
    ("sector_exposure", "notional", "10000", "buy"),
    ("sector_exposure", "ratio", "0.2", "sell"),
    ("turnover", "notional", "10000", "buy"),
    ("turnover", "ratio", "0.2", "sell"),
]
SCOPES = ["portfolio", f"engine:{ENGINE}", "strategy:S", "instrument:A", "sector:Tech"]


def shown(unit: str, percent: int) -> Decimal:
    return {"notional": D(100), "shares": D(1), "ratio": D("0.002")}[unit] * percent


@pytest.mark.parametrize(
    ("kind", "unit", "hard", "side", "scope"),
    [
        (*row, scope)
        for row in BY_SIZE
        for scope in SCOPES
        if (row[0], scope) != ("sector_exposure", "instrument:A")  # a sector is not of an instrument
    ],
)
def test_an_order_passes_up_to_its_limit_and_not_beyond(
    kind: LimitType, unit: Unit, hard: str, side: Side, scope: str
) -> None:
    gate = Gate(limit(kind, hard, unit, scope))
    for percent in (79, 80, 100):
        assert gate.ask(gate.line(side, percent)) is None
        (effect,) = gate.effects(gate.line(side, percent)).values()
        assert effect.after == shown(unit, percent)
        assert effect.used == 0
        assert effect.passes
        assert (effect.after >= effect.warn * D(hard)) == (percent >= 80)
        assert effect.max_quantity == 100
    denial = gate.ask(gate.line(side, 101))
    assert denial is not None
    assert (denial.rule, denial.scope, denial.unit) == (kind, scope, unit)
    assert (denial.value, denial.limit, denial.max_quantity) == (shown(unit, 101), D(hard), 100)
    assert denial.limit_id == limit_id(kind, scope, unit)
    assert denial.sentence().endswith("largest quantity that passes: 100")


@pytest.mark.parametrize(("kind", "unit", "hard", "side"), BY_SIZE[1:])
def test_what_is_held_and_what_works_counts_as_filled(
    kind: LimitType, unit: Unit, hard: str, side: Side
) -> None:
    """40 are held and 30 work, of which 10 are traded today: 30 more are all of the limit."""
    gate = Gate(limit(kind, hard, unit))
    gate.hold("A", 40 if side == "buy" else -40)
    if kind == "turnover":
        gate.book.trade("S", "A", D(40 * 100))
    assert gate.send(gate.line(side, 30)) is None
    assert gate.ask(gate.line(side, 30)) is None
    denial = gate.ask(gate.line(side, 31))
    assert denial is not None
    assert (denial.value, denial.max_quantity) == (shown(unit, 101), 30)


@pytest.mark.parametrize("percent", [79, 80, 100, 101])
def test_orders_are_counted_in_their_window(percent: int) -> None:
    gate = Gate(limit("order_rate", "100", "orders", window_s=2))
    for _ in range(percent - 1):
        gate.send(gate.line("buy", 1))
    (effect,) = gate.effects(gate.line("buy", 1)).values()
    assert (effect.used, effect.after) == (percent - 1, percent)
    denial = gate.send(gate.line("buy", 1))
    assert (denial is None) == (percent <= 100) == effect.passes
    if denial is not None:
        assert (denial.rule, denial.value, denial.limit) == ("order_rate", 101, 100)
        gate.now += 2_000_000_000
        assert gate.ask(gate.line("buy", 1)) is None


@pytest.mark.parametrize("percent", [79, 80, 100, 101])
@pytest.mark.parametrize(
    ("kind", "unit", "hard"),
    [
        ("daily_loss", "notional", "10000"),
        ("daily_loss", "ratio", "0.2"),
        ("drawdown", "notional", "10000"),
        ("drawdown", "ratio", "0.125"),
    ],
)
def test_a_loss_at_its_limit_lets_nothing_pass_but_what_reduces(
    kind: LimitType, unit: Unit, hard: str, percent: int
) -> None:
    """Equity is 50,000, where a day's loss is of it; a drawdown is from 80,000, of which 0.125 is 10,000."""
    lost = D(100) * percent
    worth = MONEY._replace(day_pnl=-lost)
    if kind == "drawdown":
        worth = Money(equity=D(80_000) - lost, day_pnl=D(0), peak=D(80_000))
    gate = Gate(limit(kind, hard, unit), money=worth)
    gate.hold("A", 70)
    denial = gate.ask(gate.line("buy", 1))
    assert (denial is None) == (percent < 100)
    (effect,) = gate.effects(gate.line("buy", 1)).values()
    assert (
        effect.used
        == effect.after
        == (lost if unit == "notional" else lost / (80_000 if hard == "0.125" else 50_000))
    )
    if denial is not None:
        assert (denial.rule, denial.limit, denial.max_quantity) == (kind, D(hard), 0)
        assert gate.ask(gate.line("sell", 70)) is None
        flip = gate.ask(gate.line("sell", 71))
        assert flip is not None
        assert flip.max_quantity == 70


# ---------------------------------------------------------------- the worst case


def test_net_looks_at_both_directions() -> None:
    gate = Gate(limit("net_exposure", "10000", "notional"))
    gate.hold("A", 100)
    assert gate.send(gate.line("sell", 150, "B")) is None, "100 long less 150 short is 50 short at most"
    denial = gate.ask(gate.line("buy", 1, "B"))
    assert denial is not None, "before B is sold it could be bought: then 101 are long"
    assert gate.ask(gate.line("sell", 100, "A")) is not None, "B and A sold: 150 short"
    assert gate.ask(gate.line("sell", 51, "A")) is not None
    assert gate.ask(gate.line("sell", 50, "A")) is None
    gate.book.remove("O-1")
    assert gate.ask(gate.line("sell", 201, "B")) is not None
    assert gate.ask(gate.line("sell", 200, "B")) is None


def test_gross_is_the_larger_of_what_buying_and_what_selling_leads_to() -> None:
    gate = Gate(limit("gross_exposure", "10000", "notional"))
    gate.hold("A", 60)
    assert gate.send(gate.line("buy", 40)) is None
    assert gate.send(gate.line("sell", 160)) is None, "from 60 long to 100 short"
    assert gate.ask(gate.line("sell", 1)) is not None
    assert gate.book.sums("").gross == 10_000


def test_of_orders_of_which_one_cancels_the_other_the_larger_counts() -> None:
    gate = Gate(limit("position_size", "100", "shares"))
    pair = (gate.line("buy", 100, group="P"), gate.line("buy", 100, group="P"))
    assert gate.send(*pair) is None
    assert gate.ask(gate.line("buy", 1)) is not None
    one = gate.ask(gate.line("buy", 101, group="Q"), gate.line("buy", 101, group="Q"))
    assert one is not None
    assert one.max_quantity == 0


def test_the_exits_of_a_bracket_do_not_count_against_it() -> None:
    gate = Gate(limit("gross_exposure", "10000", "notional"), limit("short_exposure", "1", "notional"))
    entry = gate.line("buy", 100)
    exits = [gate.line("sell", 100, exit=True, group="X"), gate.line("sell", 100, exit=True, group="X")]
    assert gate.send(entry, *exits) is None
    large = [gate.line("buy", 101), gate.line("sell", 101, exit=True), gate.line("sell", 101, exit=True)]
    gate.book.remove(entry.id)
    denial = gate.ask(*large)
    assert denial is not None
    assert denial.max_quantity == 100
    assert gate.book.line(large[0].id) is None, "all or nothing: nothing of it works"


def test_orders_of_a_list_count_together() -> None:
    gate = Gate(limit("gross_exposure", "10000", "notional"))
    assert gate.ask(gate.line("buy", 50, "A"), gate.line("buy", 50, "B")) is None
    denial = gate.ask(gate.line("buy", 50, "A"), gate.line("buy", 51, "B"))
    assert denial is not None
    assert denial.value == 10_100
    assert denial.max_quantity is None, "no one quantity says how large a list is"


def test_a_change_takes_the_place_of_what_it_changes() -> None:
    gate = Gate(limit("position_size", "100", "shares"))
    order = gate.line("buy", 90)
    gate.send(order)
    assert gate.ask(order._replace(qty=D(100), acts=D(100)), drop=(order.id,)) is None
    denial = gate.ask(order._replace(qty=D(91), acts=D(91)), drop=(order.id,), filled=10)
    assert denial is None
    gate.hold("A", 10)
    denial = gate.ask(order._replace(qty=D(91), acts=D(91)), drop=(order.id,), filled=10)
    assert denial is not None
    assert (denial.value, denial.max_quantity) == (101, 100), "10 are filled and 90 may be open"
    gate.set(limit("position_size", "50", "shares"))
    smaller = order._replace(qty=D(80), acts=D(80))
    assert gate.ask(smaller, drop=(order.id,)) is None, "over the limit, but less than before"


def test_the_dearest_price_counts() -> None:
    gate = Gate(limit("order_notional", "10000", "notional"))
    gate.quotes["A"] = Quoted(D(99), D(100), D(1))
    assert gate.ask(gate.line("buy", 100, price=D(50))) is None
    denial = gate.ask(gate.line("buy", 100, price=D(200)))
    assert denial is not None
    assert (denial.value, denial.max_quantity) == (20_000, 50)
    gate.quotes["A"] = Quoted(D(99), D(100), D("2.5"))  # a multiplier or a rate
    assert gate.ask(gate.line("buy", 41)) is not None
    assert gate.ask(gate.line("buy", 40)) is None


def test_the_denial_named_is_the_one_that_lets_the_least_pass() -> None:
    limits = [
        limit("order_notional", "9000", "notional"),
        limit("position_size", "50", "shares", "instrument:A"),
        limit("leverage", "0.15", "ratio"),
    ]
    for order in (limits, limits[::-1]):
        denial = Gate(*order).ask(Gate(*order).line("buy", 100))
        assert denial is not None
        assert (denial.rule, denial.max_quantity) == ("position_size", 50)


def test_quantities_are_whole_lots_and_no_less_than_the_least() -> None:
    gate = Gate(limit("position_size", "2500", "shares"))
    denial = gate.ask(gate.line("buy", 3000, "FX"))
    assert denial is not None
    assert denial.max_quantity == 2000
    gate.set(limit("position_size", "900", "shares"))
    denial = gate.ask(gate.line("buy", 3000, "FX"))
    assert denial is not None
    assert denial.max_quantity == 0


def test_a_flip_is_judged_where_it_leads() -> None:
    gate = Gate(limit("position_size", "500", "shares"))
    gate.hold("A", -600)
    assert gate.ask(gate.line("buy", 600)) is None
    assert gate.ask(gate.line("sell", 1)) is not None
    denial = gate.ask(gate.line("buy", 1200))
    assert denial is not None
    assert denial.max_quantity == 1100


# ---------------------------------------------------------------- restrictions


def test_reduce_only_lets_pass_what_reduces_net_of_what_works_to_reduce() -> None:
    gate = Gate()
    gate.hold("A", 100)
    gate.set(restriction="reduce_only")
    assert gate.ask(gate.line("sell", 100)) is None
    denial = gate.ask(gate.line("sell", 101))
    assert denial is not None
    assert (denial.rule, denial.max_quantity) == ("restriction", 100)
    assert "why" in denial.detail
    assert gate.ask(gate.line("buy", 1)) is not None
    gate.book.put(gate.line("sell", 60, reduce_only=True))
    assert gate.ask(gate.line("sell", 40)) is None
    denial = gate.ask(gate.line("sell", 41))
    assert denial is not None
    assert denial.max_quantity == 40
    assert gate.ask(gate.line("sell", 100, reduce_only=True)) is None
    assert not gate.effects(gate.line("sell", 41))["restriction"].passes


def test_a_limit_that_is_broken_is_named_although_only_what_reduces_passes() -> None:
    """The monitor restricts within seconds of a breach; the answer to an order does not depend on when."""
    gate = Gate()
    gate.hold("A", 100)
    gate.set(limit("position_size", "50", "shares", scope="instrument:A"), restriction="reduce_only")
    denial = gate.ask(gate.line("buy", 1))
    assert denial is not None
    assert (denial.rule, denial.value, denial.limit, denial.max_quantity) == ("position_size", 101, 50, 0)
    assert "why" in denial.detail
    denial = gate.ask(gate.line("sell", 151))  # the limit lets 150 pass, what reduces is 100
    assert denial is not None
    assert (denial.rule, denial.value, denial.limit, denial.max_quantity) == ("position_size", 51, 50, 100)
    assert gate.ask(gate.line("sell", 100)) is None
    for order in (gate.line("sell", 101), gate.line("buy", 1, instrument="B")):  # no limit denies these
        denial = gate.ask(order)
        assert denial is not None
        assert denial.rule == "restriction"


def test_a_restriction_is_named_where_a_limit_cannot_be_judged() -> None:
    gate = Gate()
    gate.hold("A", 100)
    gate.no_price("A")
    gate.set(limit("order_notional", "50", "notional"), restriction="reduce_only")
    denial = gate.ask(gate.line("buy", 1))
    assert denial is not None
    assert denial.rule == "restriction"


def test_a_working_order_may_be_made_smaller_while_only_what_reduces_passes() -> None:
    gate = Gate()
    order = gate.line("buy", 100, price=D(90))
    gate.send(order)
    gate.set(restriction="reduce_only")
    assert gate.ask(order._replace(qty=D(50), acts=D(50)), drop=(order.id,)) is None
    assert gate.ask(order._replace(qty=D(101), acts=D(101)), drop=(order.id,)) is not None
    assert gate.ask(order._replace(price=D(91)), drop=(order.id,)) is not None


def test_halted_lets_no_order_pass() -> None:
    gate = Gate()
    gate.hold("A", 100)
    gate.set(restriction="halted")
    for line in (gate.line("sell", 1), gate.line("sell", 1, reduce_only=True)):
        denial = gate.ask(line)
        assert denial is not None
        assert denial.rule == "restriction"


def test_what_is_marked_to_reduce_only_passes_every_limit() -> None:
    gate = Gate(limit("order_notional", "1", "notional"), limit("order_rate", "1", "orders", window_s=60))
    gate.hold("A", 1000)
    gate.no_price("A")
    assert gate.send(gate.line("sell", 500, reduce_only=True)) is None
    assert gate.send(gate.line("sell", 500, reduce_only=True)) is None


# ---------------------------------------------------------------- fails closed


def test_without_limits_only_what_reduces_passes() -> None:
    gate = Gate()
    gate.judge.go_without("there is no file")
    denial = gate.ask(gate.line("buy", 1))
    assert denial is not None
    assert (denial.rule, denial.detail) == ("limits", "there is no file")
    assert gate.ask(gate.line("sell", 1, reduce_only=True)) is None
    (effect,) = gate.effects(gate.line("buy", 1)).values()
    assert (effect.rule, effect.passes, effect.reason) == ("limits", False, "there is no file")


@pytest.mark.parametrize("kind", ["order_notional", "gross_exposure", "position_size", "long_exposure"])
def test_without_a_price_or_a_rate_nothing_is_judged_in_money(kind: LimitType) -> None:
    gate = Gate(limit(kind, "10000", "notional"))
    gate.no_price("A")
    denial = gate.ask(gate.line("buy", 1))
    assert denial is not None
    assert (denial.rule, denial.limit_id, denial.max_quantity) == (
        "price",
        f"{kind}:portfolio:notional",
        None,
    )
    gate.quotes["A"] = Quoted(D(1), D(1), None, Unknown("rate", "no exchange rate"))
    denial = gate.ask(gate.line("buy", 1))
    assert denial is not None
    assert denial.rule == "rate"
    (effect,) = gate.effects(gate.line("buy", 1)).values()
    assert (effect.after, effect.passes) == (None, False)


def test_another_holding_without_a_price_stops_sums_and_not_what_reduces() -> None:
    gate = Gate(limit("gross_exposure", "10000", "notional"), limit("position_size", "100", "shares"))
    gate.no_price("B")
    gate.hold("B", 1)
    gate.hold("A", 10)
    denial = gate.ask(gate.line("buy", 1))
    assert denial is not None
    assert "no price for B" in denial.detail
    assert gate.ask(gate.line("sell", 10)) is None


@pytest.mark.parametrize("kind", ["gross_exposure", "net_exposure", "turnover"])
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_another_holding_without_a_price_does_not_stop_a_working_order_from_being_made_smaller(
    kind: LimitType, side: Side
) -> None:
    gate = Gate(limit(kind, "10000", "notional"))
    order = gate.line(side, 50)
    gate.send(order)
    gate.no_price("B")
    gate.hold("B", 1)
    assert gate.ask(order._replace(qty=D(60), acts=D(60)), drop=(order.id,)) is not None
    assert gate.ask(order._replace(qty=D(40), acts=D(40)), drop=(order.id,)) is None


@pytest.mark.parametrize("equity", [None, D(0), D(-1)])
def test_without_equity_ratios_are_denied_and_amounts_are_not(equity: Decimal | None) -> None:
    worth = Money(equity, unknown="nobody knows")
    gate = Gate(limit("leverage", "2", "ratio"), limit("gross_exposure", "10000", "notional"), money=worth)
    denial = gate.ask(gate.line("buy", 1))
    assert denial is not None
    assert (denial.rule, denial.limit_id) == ("equity", "leverage:portfolio:ratio")
    gate.hold("A", 10)
    assert gate.ask(gate.line("sell", 10)) is None
    gate.set(limit("gross_exposure", "10000", "notional"))
    assert gate.ask(gate.line("buy", 1)) is None


@pytest.mark.parametrize("kind", ["daily_loss", "drawdown"])
def test_without_a_result_a_loss_is_not_judged(kind: LimitType) -> None:
    gate = Gate(limit(kind, "100", "notional"), money=Money(None, unknown="nobody knows"))
    denial = gate.ask(gate.line("buy", 1))
    assert denial is not None
    assert (denial.rule, "nobody knows" in denial.detail) == ("equity", True)


def test_a_stale_price_is_no_price() -> None:
    gate = Gate(limit("order_notional", "10000", "notional"), limit("position_size", "100", "shares"))
    gate.quotes["A"] = Quoted(D(100), D(100), D(1), None, "the price of A is 90 s old")
    denial = gate.ask(gate.line("buy", 1))
    assert denial is not None
    assert (denial.rule, "90 s old" in denial.detail) == ("stale_quote", True)
    assert gate.ask(gate.line("sell", 1, reduce_only=True)) is None


def test_an_equity_of_no_known_sector_cannot_be_judged_by_sectors() -> None:
    for kind, scope in (("sector_exposure", "portfolio"), ("gross_exposure", "sector:Energy")):
        gate = Gate(limit(kind, "10000", "notional", scope))  # type: ignore[arg-type]
        denial = gate.ask(gate.line("buy", 1, "U"))
        assert denial is not None
        assert denial.rule == "sector"
        assert gate.ask(gate.line("buy", 1000, "FX")) is None, "a currency has none"
    gate = Gate(limit("gross_exposure", "100", "notional", "sector:Energy"))
    assert gate.ask(gate.line("buy", 100, "A")) is None
    assert gate.ask(gate.line("buy", 2, "C")) is not None


def test_limits_of_others_and_those_that_are_off_do_not_apply() -> None:
    off = limit("order_notional", "1", "notional")
    others = [
        limit("order_notional", "1", "notional", scope)
        for scope in ("engine:other", "strategy:other", "instrument:B", "sector:Energy")
    ]
    gate = Gate(*others, msgspec.structs.replace(off, enabled=False))
    assert gate.ask(gate.line("buy", 1000)) is None
    assert gate.effects(gate.line("buy", 1000)) == {}


# ---------------------------------------------------------------- properties

quantities = st.integers(min_value=1, max_value=2000)
held = st.integers(min_value=-1000, max_value=1000)
sides = st.sampled_from(["buy", "sell"])
ANY_LIMITS = [
    limit("order_notional", "60000", "notional"),
    limit("position_size", "700", "shares", "instrument:A"),
    limit("position_size", "90000", "notional"),
    limit("gross_exposure", "150000", "notional"),
    limit("net_exposure", "1.5", "ratio"),
    limit("long_exposure", "100000", "notional", "strategy:S"),
    limit("short_exposure", "80000", "notional"),
    limit("concentration", "1.6", "ratio"),
    limit("sector_exposure", "130000", "notional"),
    limit("turnover", "5", "ratio"),
    limit("drawdown", "0.5", "ratio"),
]


def priced(price: int, spread: int) -> Quoted:
    return Quoted(D(price), D(price + spread), D(1))


@given(
    sides,
    quantities,
    st.lists(st.tuples(sides, quantities, st.sampled_from("ABC"), st.integers(50, 200)), max_size=5),
    st.lists(st.tuples(st.sampled_from("ABC"), held), max_size=3),
    st.integers(min_value=20, max_value=200),
    st.integers(min_value=0, max_value=5),
    st.none() | st.integers(min_value=50, max_value=250),
)
def test_the_quantity_named_passes_everything_and_a_lot_more_does_not(
    side: Side,
    qty: int,
    working: list[tuple[Side, int, str, int]],
    positions: list[tuple[str, int]],
    price: int,
    spread: int,
    own: int | None,
) -> None:
    gate = Gate(*ANY_LIMITS)
    gate.quotes["A"] = priced(price, spread)
    for instrument, amount in positions:
        gate.hold(instrument, amount)
    for one, amount, instrument, at in working:
        gate.book.put(gate.line(one, amount, instrument, price=D(at)))
    line = gate.line(side, qty, price=None if own is None else D(own))
    denial = gate.ask(line)
    effects = gate.effects(line)
    assert all(e.passes for e in effects.values()) == (denial is None)
    bounds = [e.max_quantity for e in effects.values() if e.max_quantity is not None]
    most = min(bounds) if denial is None and bounds else None if denial is None else denial.max_quantity
    if most is None:
        return
    assert min(bounds) == most
    if most:
        assert gate.ask(line._replace(qty=most, acts=most)) is None
    assert gate.ask(line._replace(qty=most + 1, acts=most + 1)) is not None


@given(st.lists(st.integers(min_value=0, max_value=3_000_000_000), min_size=1, max_size=60))
def test_no_window_ever_holds_more_orders_than_the_rate(gaps: list[int]) -> None:
    gate = Gate(limit("order_rate", "5", "orders", window_s=2))
    passed: list[int] = []
    for gap in gaps:
        gate.now += gap
        recent = [t for t in passed if t > gate.now - 2_000_000_000]
        denial = gate.send(gate.line("buy", 1))
        assert (denial is None) == (len(recent) < 5)
        if denial is None:
            passed.append(gate.now)


# ---------------------------------------------------------------- limits as they are set


def test_an_engine_is_seeded_with_what_it_is_first_started_with() -> None:
    found = {one.limit_type: one for one in seed_limits(GateLimits(), "e", NOW)}
    assert found["order_notional"].hard == 1_000_000
    assert found["position_size"].id == "position_size:engine:e:notional"
    assert (found["order_rate"].hard, found["order_rate"].window_s) == (100, 1)
    for one in found.values():
        check_limit(one)
        assert one.origin == "engine"
    assert seed_limits(NO_LIMITS, "e", NOW) == ()


def changed(**fields: object) -> Limit:
    found = msgspec.structs.replace(limit("position_size", "500", "shares", "instrument:A"), **fields)
    return msgspec.structs.replace(found, id=limit_id(found.limit_type, found.scope, found.unit))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"unit": "ratio"}, "unit"),
        ({"scope": "planet:Mars"}, "scope"),
        ({"limit_type": "drawdown", "unit": "ratio"}, "scope"),
        ({"hard": D(0)}, "hard"),
        ({"hard": D("NaN")}, "hard"),
        ({"effective": D(501)}, "effective"),
        ({"warn": D("1.1")}, "warn"),
        ({"window_s": 1}, "window_s"),
        ({"limit_type": "order_rate", "unit": "orders"}, "window_s"),
        ({"limit_type": "order_rate", "unit": "orders", "window_s": 1, "hard": D("500.5")}, "hard"),
        ({"confidence": D("0.4")}, "confidence"),
        ({"horizon_days": 23}, "horizon_days"),
        ({"hard_actions": ("notify", "notify")}, "hard_actions"),
    ],
)
def test_a_limit_that_cannot_be_kept_to_is_refused(fields: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        check_limit(changed(**fields))
    assert caught.value.extra["field"] == field


def test_a_good_limit_is_accepted() -> None:
    check_limit(changed())


@pytest.mark.parametrize("text", ["", "x", "0/1", "5/0", "-5/1", "1/2/3"])
def test_a_rate_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        OrderRate.parse(text)


def test_a_rate_reads_as_it_is_written() -> None:
    assert str(OrderRate.parse("30/60")) == "30/60"
    assert OrderRate.parse("5") == OrderRate(5, 1)


@given(
    st.sets(st.integers(0, len(ANY_LIMITS) - 1), max_size=4),
    st.lists(
        st.tuples(sides, quantities, st.sampled_from("ABC"), st.none() | st.integers(50, 200)), max_size=12
    ),
    st.lists(st.tuples(st.sampled_from("ABC"), held, st.sampled_from("ST")), max_size=3),
    st.sampled_from([MONEY, MONEY._replace(equity=D(20_000)), Money(None), Money(D(-1))]),
)
def test_the_quick_way_never_lets_pass_what_the_full_judgement_denies(
    chosen: set[int],
    sent: list[tuple[Side, int, str, int | None]],
    positions: list[tuple[str, int, str]],
    worth: Money,
) -> None:
    gate = Gate(*(ANY_LIMITS[number] for number in chosen), money=worth)
    for instrument, amount, strategy in positions:
        gate.hold(instrument, amount, strategy)
    for side, amount, instrument, own in sent:
        line = gate.line(side, amount, instrument, price=None if own is None else D(own))
        proposal = gate.proposal(line)
        plain = gate.judge._plain(proposal, gate.now)
        fully = all(found.passes for found in gate.judge._findings(proposal, gate.now))
        assert fully or not plain
        if fully:
            gate.send(line)
