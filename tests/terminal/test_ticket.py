"""The ticket: what it sends is on the grid, never worse than typed, once, and never from a stale price."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from data.commands import ModifyOrder, Outcome, SubmitBracket, SubmitOco, SubmitOrder
from data.problems import DeniedError, OutcomeUnknownError
from data.records import Instrument, OrderUpdate, Quote
from nautilus_tui.terminal import sizing
from nautilus_tui.terminal.assessment import Assessment, Facts, assess
from nautilus_tui.terminal.command_line import parse
from nautilus_tui.terminal.statements import BracketLine, OcoLine, OrderLine
from nautilus_tui.terminal.ticket import (
    KINDS,
    PRICES,
    SIZE_MODES,
    TIFS,
    Ticket,
    mint_order_id,
    modify_ticket,
    open_ticket,
    plain_decimal,
    reverse_ticket,
    ticket_from_line,
)
from nautilus_tui.terminal.words import Known

D = Decimal
NOW = 1_795_000_000_000_000_000
AAPL = Instrument(
    id="AAPL.SIM",
    symbol="AAPL",
    venue="SIM",
    name="Apple",
    asset_class="equity",
    currency="USD",
    tick_size=D("0.01"),
    price_precision=2,
    lot_size=D(1),
    size_precision=0,
    min_qty=D(1),
    max_qty=D(100000),
    margin_init=D("0.2"),
    synthetic=True,
)


def quote(bid: str = "187.51", ask: str = "187.53", age_s: float = 0.1) -> Quote:
    then = NOW - int(age_s * 1e9)
    return Quote(
        instrument="AAPL.SIM",
        bid=D(bid),
        ask=D(ask),
        ts=then,
        ts_recv=then,
        synthetic=True,
        source="simulated",
        engine="paper-1",
    )


FACTS = Facts(
    instrument=AAPL,
    quote=quote(),
    now_ns=NOW,
    stale_after_ns=5_000_000_000,
    equity=D(1_000_000),
    margin_used=D(0),
    account_currency="USD",
    rate=D(1),
)


def buy(**entries: str) -> Ticket:
    ticket = open_ticket("paper-1", AAPL, "buy", quote())
    for name, text in entries.items():
        ticket.enter(name, text)
    return ticket


def test_a_ticket_opens_staged_at_the_touch() -> None:
    assert buy().entries == {"size": "100", "price": "187.53"}
    selling = open_ticket("paper-1", AAPL, "sell", quote(), {"equity": "25"})
    assert selling.entries == {"size": "25", "price": "187.51"}
    command = assess(selling, FACTS).command
    assert isinstance(command, SubmitOrder)
    assert (command.order_type, command.tif, command.client_order_id) == (
        "limit",
        "day",
        selling.client_order_id,
    )


def test_rounding_is_shown_and_never_in_the_markets_favour() -> None:
    result = assess(buy(price="187.529", size="100.9"), FACTS)
    assert result.notes == {
        "price": "187.529 → 187.52 (tick 0.01)",
        "size": "100.9 → 100 (lot 1)",
    }
    assert result.sent["price"] == D("187.52")
    assert result.qty == 100
    assert result.notional == D("18752.00")


def test_effect_on_position_and_margin() -> None:
    result = assess(buy(), replace(FACTS, position=D(400)))
    assert result.position_after == 500
    assert result.margin_change == D("187.53") * 100 * D("0.2")
    covering = assess(buy(), replace(FACTS, position=D(-100)))
    assert covering.position_after == 0
    assert covering.margin_change == -D("187.53") * 100 * D("0.2")


@pytest.mark.parametrize(
    ("mode", "size", "qty"),
    [("units", "7", 7), ("notional", "20000", 106), ("equity", "2", 106), ("risk", "120", 99)],
)
def test_sizes(mode: str, size: str, qty: int) -> None:
    ticket = buy(size=size, distance="1.21")
    ticket.choose("size_mode", mode)
    assert assess(ticket, FACTS).qty == qty


def test_what_is_not_known_is_not_guessed() -> None:
    ticket = buy(size="2")
    ticket.choose("size_mode", "equity")
    assert assess(ticket, replace(FACTS, equity=None)).errors["size"] == "the account's equity is not known"
    assert "no rate from USD" in assess(ticket, replace(FACTS, rate=None)).errors["size"]


@pytest.mark.parametrize(
    ("kind", "entries", "problem"),
    [
        ("market", {"size": ""}, "Qty: is required"),
        ("market", {"size": "1e3"}, "Qty: not a number"),
        ("market", {"size": "0.2"}, "below the least quantity 1"),
        ("market", {"size": "999999"}, "above the greatest quantity 100000"),
        ("stop_market", {}, "Trigger: is required"),
        ("stop_market", {"trigger": "187.50"}, "must be above the ask 187.53"),
        ("market_if_touched", {"trigger": "188"}, "must be below the ask 187.53"),
        ("stop_limit", {"trigger": "188"}, "Price: is required"),
        ("trailing_stop", {"trail": "-1"}, "Trail by: must be more than zero"),
        ("bracket", {"take_profit": "190", "stop_loss": "189"}, "stop loss < entry < take profit"),
        ("oco", {"price": "190", "trigger": "188"}, "limit of a buy OCO must be below its stop"),
        ("limit", {"price": "1875.3"}, "through the touch"),
    ],
)
def test_a_wrong_ticket_says_what_is_wrong_and_sends_nothing(
    kind: str, entries: dict[str, str], problem: str
) -> None:
    ticket = buy()
    ticket.choose("kind", kind)
    ticket.restage(quote())
    for name, text in entries.items():
        ticket.enter(name, text)
    result = assess(ticket, FACTS)
    assert any(problem in p for p in result.problems), result.problems
    assert result.command is None


def test_a_stale_quote_blocks_what_is_priced_from_it() -> None:
    stale = replace(FACTS, quote=quote(age_s=12.4))
    assert any("12.4 s old" in p for p in assess(buy(), stale).problems)
    typed = assess(buy(price="187.53"), stale)
    assert typed.problems == []
    assert typed.warnings == ["the quote is 12.4 s old, more than 5 s"]
    market = buy()
    market.choose("kind", "market")
    assert assess(market, replace(FACTS, quote=None)).command is None


def test_gtd_needs_a_time_to_come() -> None:
    ticket = buy()
    ticket.choose("tif", "gtd")
    assert "Expires: is required" in assess(ticket, FACTS).problems
    ticket.enter("expire", "2020-01-01")
    assert "Expires: is in the past" in assess(ticket, FACTS).problems
    ticket.enter("expire", "2099-01-01T15:00")
    command = assess(ticket, FACTS).command
    assert isinstance(command, SubmitOrder)
    assert command.ts_expire == 4_070_962_800_000_000_000


def test_reduce_only_needs_something_to_reduce() -> None:
    ticket = buy()
    ticket.choose("reduce", "yes")
    assert any("reduce only" in p for p in assess(ticket, FACTS).problems)
    short = assess(ticket, replace(FACTS, position=D(-40)))
    assert short.position_after == 0
    assert isinstance(short.command, SubmitOrder)
    assert short.command.reduce_only


def test_a_reversal_turns_the_position_over() -> None:
    ticket = reverse_ticket("paper-1", AAPL, D(-40), quote())
    result = assess(ticket, replace(FACTS, position=D(-40)))
    assert (ticket.side, result.qty, result.position_after) == ("buy", 80, 40)


# ---------------------------------------------------------------- life


def sent() -> Ticket:
    ticket = buy()
    command = assess(ticket, FACTS).command
    assert command is not None
    assert ticket.send(command)
    return ticket


def test_once_sent_it_is_locked() -> None:
    ticket = sent()
    before = (dict(ticket.entries), ticket.kind, ticket.client_order_id, ticket.command)
    assert not ticket.send(
        SubmitOrder(engine="x", client_order_id="y", instrument="z", side="sell", qty=D(9))
    )
    ticket.enter("size", "999")
    ticket.choose("kind", "market")
    ticket.restage(quote("1", "2"))
    assert not ticket.renew()
    assert ticket.ask_again() is None
    assert (dict(ticket.entries), ticket.kind, ticket.client_order_id, ticket.command) == before


def test_a_denied_order_is_edited_as_a_new_one() -> None:
    ticket = sent()
    first = ticket.client_order_id
    problem = DeniedError("500 > 400", rule="position_size").document()
    ticket.answer(Outcome(command_id="1", command="order.submit", outcome="refused", problem=problem))
    assert ticket.refused
    assert ticket.renew()
    assert ticket.phase == "editing"
    assert ticket.client_order_id != first
    assert ticket.text("size") == "100"


def test_an_unknown_outcome_is_no_rejection_and_is_asked_again_under_the_same_id() -> None:
    ticket = sent()
    first = (ticket.client_order_id, ticket.command_id)
    ticket.fail(OutcomeUnknownError("no answer").document())
    assert ticket.unknown
    assert not ticket.refused
    assert not ticket.renew()
    assert ticket.ask_again() == ticket.command
    assert ticket.phase == "sent"
    assert (ticket.client_order_id, ticket.command_id) == first


def test_what_the_stream_tells_ends_the_not_knowing() -> None:
    for status, refused in (("denied", True), ("accepted", False)):
        ticket = sent()
        ticket.fail(OutcomeUnknownError("no answer").document())
        order = OrderUpdate(
            engine="paper-1",
            client_order_id=ticket.client_order_id,
            instrument="AAPL.SIM",
            side="buy",
            order_type="limit",
            tif="day",
            qty=D(100),
            status="sent",
            ts_init=1,
            ts=1,
            synthetic=True,
        )
        ticket.settle([order])
        assert ticket.unknown
        ticket.settle([structs.replace(order, status=status)])
        assert (ticket.unknown, ticket.refused, ticket.ask_again()) == (False, refused, None)
        assert ticket.renew() is refused


@given(
    st.lists(
        st.sampled_from(
            ["send", "answer", "refuse", "unknown", "again", "renew", "enter", "choose", "restage"]
        ),
        max_size=30,
    )
)
def test_whatever_is_pressed_an_id_sends_one_order(presses: list[str]) -> None:
    ticket = buy()
    carried: dict[str, object] = {}
    denied = DeniedError("no").document()
    for press in presses:
        if press == "send":
            command = assess(ticket, FACTS).command
            if command is not None and ticket.send(command):
                assert carried.setdefault(ticket.client_order_id, command) == command
                assert ticket.command_id
        elif press == "answer":
            ticket.answer(Outcome(command_id="1", command="order.submit", outcome="done"))
        elif press == "refuse":
            ticket.fail(denied)
        elif press == "unknown":
            ticket.fail(OutcomeUnknownError("?").document())
        elif press == "again":
            again = ticket.ask_again()
            assert again is None or carried[ticket.client_order_id] == again
        elif press == "renew":
            ticket.renew()
        elif press == "enter":
            ticket.enter("size", str(len(presses)))
        elif press == "choose":
            ticket.step("kind", 1)
        else:
            ticket.restage(quote())


# ---------------------------------------------------------------- arithmetic


TICKS = st.sampled_from([D("0.01"), D("0.25"), D("0.00001"), D("0.005"), D(1)])
TYPED = st.decimals(min_value="-500", max_value="100000", places=6)
LOTS = st.sampled_from([D(1), D("0.001"), D(1000), D("0.5")])


def rules(tick: Decimal, lot: Decimal = D(1)) -> Instrument:
    return Instrument(
        id="X.SIM",
        symbol="X",
        venue="SIM",
        name="X",
        asset_class="future",
        currency="USD",
        tick_size=tick,
        price_precision=5,
        lot_size=lot,
        size_precision=3,
        min_qty=lot,
        multiplier=D(50),
    )


@given(TYPED, TICKS)
def test_prices_land_on_the_grid_within_a_tick_and_on_the_safe_side(price: Decimal, tick: Decimal) -> None:
    instrument = rules(tick)
    bought, sold = (sizing.limit_to_tick(price, side, instrument) for side in ("buy", "sell"))
    for rounded in (bought, sold):
        assert rounded % tick == 0
        assert abs(rounded - price) < tick
    assert bought <= price <= sold
    assert (
        sizing.stop_to_tick(price, "sell", instrument)
        <= price
        <= sizing.stop_to_tick(price, "buy", instrument)
    )


@given(
    st.sampled_from(SIZE_MODES),
    st.decimals(min_value="0.01", max_value="10000000", places=2),
    st.decimals(min_value="0.01", max_value="70000", places=2),
    st.decimals(min_value="0.01", max_value="500", places=2),
    st.decimals(min_value="0.0001", max_value="150", places=4),
    LOTS,
)
def test_a_size_never_comes_to_more_than_was_wished(mode, value, price, distance, rate, lot) -> None:
    instrument = rules(D("0.01"), lot)
    wish = sizing.Wish(mode=mode, value=value, price=price, distance=distance, equity=D(250000), rate=rate)
    qty = sizing.units(wish, instrument)
    assert isinstance(qty, Decimal)
    assert qty % lot == 0
    assert qty >= 0
    worth = qty * instrument.multiplier
    budget = {
        "units": (value, qty),
        "notional": (value, worth * price),
        "equity": (D(250000) * value / 100, worth * price * rate),
        "risk": (value, worth * distance * rate),
    }[mode]
    assert budget[1] <= budget[0]


@given(st.sampled_from(KINDS), st.sampled_from(["buy", "sell"]), st.data())
def test_what_is_sent_is_on_the_grid_and_complete(kind, side, data) -> None:
    ticket = open_ticket("paper-1", AAPL, side, quote())
    ticket.choose("kind", kind)
    ticket.choose("tif", data.draw(st.sampled_from([t for t in TIFS[kind] if t != "gtd"])))
    for name in ("size", *PRICES[kind]):
        ticket.enter(name, str(data.draw(st.decimals(min_value="0.001", max_value="400", places=3))))
    result = assess(ticket, FACTS)
    assert (result.command is None) == bool(result.problems)
    if result.command is None:
        return
    assert result.qty is not None
    assert result.qty % AAPL.lot_size == 0
    for name in PRICES[kind]:
        if name in result.sent:
            assert result.sent[name] % AAPL.tick_size == 0
    expected = {"bracket": SubmitBracket, "oco": SubmitOco}.get(kind, SubmitOrder)
    assert isinstance(result.command, expected)


@given(st.text(max_size=25))
def test_a_number_is_a_number_or_nothing(text: str) -> None:
    value = plain_decimal(text)
    assert value is None or value.is_finite()


# ---------------------------------------------------------------- lines and modifications


@pytest.mark.parametrize(
    "line",
    [
        "buy 100 AAPL.SIM @ 187.50 gtc",
        "sell 5 AAPL.SIM stop 180.00 day",
        "sell 5 AAPL.SIM trail 1.50 gtc",
        "bracket buy 10 AAPL.SIM @ 187.00 tp 190.00 sl 185.00 gtc",
        "oco sell 10 AAPL.SIM @ 190.00 stop 185.00 gtc",
    ],
)
def test_a_line_fills_a_ticket(line: str) -> None:
    said = parse(line, Known())
    assert isinstance(said, OrderLine | BracketLine | OcoLine)
    result: Assessment = assess(ticket_from_line(said, "paper-1", AAPL, quote()), FACTS)
    assert result.problems == []
    command = result.command
    if isinstance(command, SubmitBracket):
        assert (command.price, command.take_profit, command.stop_loss) == (D(187), D(190), D(185))
    elif isinstance(command, SubmitOco):
        assert (command.limit_price, command.stop_price) == (D(190), D(185))
    else:
        assert isinstance(command, SubmitOrder)
        assert isinstance(said, OrderLine)
        assert (command.price, command.trigger_price, command.trailing_offset, command.tif) == (
            said.price,
            said.trigger,
            said.trail,
            said.tif,
        )


def test_a_modification_sends_only_what_changed() -> None:
    order = OrderUpdate(
        engine="paper-1",
        client_order_id="O-1",
        instrument="AAPL.SIM",
        side="sell",
        order_type="stop_market",
        tif="gtc",
        qty=D(100),
        filled_qty=D(40),
        trigger_price=D("186.32"),
        status="accepted",
        ts_init=1,
        ts=1,
        synthetic=True,
    )
    ticket = modify_ticket(order)
    assert assess(ticket, FACTS).problems == ["nothing is changed yet"]
    ticket.enter("trigger", "186.505")
    assert assess(ticket, FACTS).command == ModifyOrder(
        engine="paper-1", client_order_id="O-1", trigger_price=D("186.50")
    )
    ticket.enter("size", "40")
    assert "40 are filled already" in assess(ticket, FACTS).problems[0]


def test_order_ids_differ() -> None:
    ids = {mint_order_id() for _ in range(200)}
    assert len(ids) == 200
    assert all(len(i) == 12 for i in ids)
