"""The gate in a real engine: every type of limit at 79, 80, 100 and 101 % of it, orders of every shape."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio

from data.commands import (
    CancelAll,
    CancelOrder,
    ClosePosition,
    Flatten,
    ModifyOrder,
    PreviewOrder,
    SetFeed,
    SubmitBracket,
    SubmitOco,
    SubmitOrder,
)
from data.limits import GateBook, Limit, LimitEffect, LimitType, Restriction, Unit
from data.problems import DeniedError
from data.records import AccountUpdate
from engines import link
from engines.spec import EngineSpec
from risk.limits import limit_id
from tests.engines.floor import Floor

pytestmark = pytest.mark.asyncio(loop_scope="module")
P = "paper-1"
D = Decimal
AAPL = "AAPL.SIM"
#: Orders rest far from the market and the market stands still: what an order could lead to is known exactly.
BUY_AT = D("50.00")


def limit(kind: LimitType, hard: Decimal, unit: Unit, scope: str, window_s: int | None = None) -> Limit:
    return Limit(
        id=limit_id(kind, scope, unit),
        limit_type=kind,
        scope=scope,
        hard=hard,
        effective=hard,
        unit=unit,
        window_s=window_s,
        ts_created=0,
        ts_updated=0,
        updated_by="ann",
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def engine(floor: Floor) -> None:
    await floor.supervisor.start(EngineSpec(engine=P, speed="400"))
    await floor.sink.quoted(P, AAPL)
    await floor.supervisor.execute(SetFeed(engine=P, action="pause"))


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def clean(floor: Floor) -> AsyncIterator[None]:
    yield
    await set_limits(floor)
    await floor.supervisor.execute(CancelAll(engine=P))
    await floor.supervisor.execute(Flatten(engine=P, client_order_id=floor.next_id("F")))


async def set_limits(
    floor: Floor, *limits: Limit, restriction: Restriction = "none", peak: Decimal | None = None
) -> None:
    book = GateBook(
        engine=P,
        version=7,
        limits=limits,
        restriction=restriction,
        restriction_reason="by hand",
        peak_equity=peak,
        ts=time.time_ns(),
    )
    await floor.supervisor.set_limits(book)


async def preview(floor: Floor, side: str, qty: Decimal | int, **fields: object) -> list[LimitEffect]:
    question = PreviewOrder(engine=P, instrument=AAPL, side=side, qty=D(qty), **fields)  # type: ignore[arg-type]
    return list((await floor.supervisor.execute(question)).effects)


async def dear(floor: Floor, side: str) -> Decimal:
    """Return the dearest price of an order: the touch, because it is far from the market."""
    await set_limits(floor, limit("order_notional", D(10**9), "notional", "portfolio"))
    (effect,) = await preview(floor, side, 1)
    assert effect.after is not None
    return effect.after


async def equity(floor: Floor) -> Decimal:
    before = floor.sink.latest.get((P, "AccountUpdate", "SIM-001"))
    await floor.sink.until(lambda: floor.sink.latest.get((P, "AccountUpdate", "SIM-001")) is not before)
    account = floor.sink.latest[P, "AccountUpdate", "SIM-001"]
    assert isinstance(account, AccountUpdate)
    assert account.equity is not None
    return account.equity


async def rest(floor: Floor, side: str, qty: int) -> None:
    """Send an order that rests: a buy below the market, a sell at it would fill."""
    price = BUY_AT if side == "buy" else (await dear(floor, "sell")) * 2
    await floor.send(P, AAPL, side, str(qty), order_type="limit", price=price)


#: What an order of 100 is all of. ``traded``: it counts what was traded before, too.
BY_SIZE: list[tuple[LimitType, Unit, str]] = [
    ("order_notional", "notional", "portfolio"),
    ("position_size", "shares", f"instrument:{AAPL}"),
    ("position_size", "notional", f"engine:{P}"),
    ("gross_exposure", "notional", "portfolio"),
    ("gross_exposure", "ratio", "strategy:GATEWAY-001"),
    ("net_exposure", "notional", "portfolio"),
    ("net_exposure", "ratio", f"engine:{P}"),
    ("long_exposure", "notional", "portfolio"),
    ("short_exposure", "ratio", f"instrument:{AAPL}"),
    ("leverage", "ratio", "portfolio"),
    ("concentration", "ratio", "portfolio"),
    ("sector_exposure", "notional", "sector:Technology"),
    ("sector_exposure", "ratio", "portfolio"),
    ("turnover", "ratio", "portfolio"),
]


@pytest.mark.parametrize(("kind", "unit", "scope"), BY_SIZE)
async def test_an_order_passes_up_to_its_limit_and_not_beyond(
    floor: Floor, kind: LimitType, unit: Unit, scope: str
) -> None:
    side = "sell" if kind == "short_exposure" else "buy"
    price, worth = await dear(floor, side), await equity(floor)
    await set_limits(floor, limit(kind, D(10**9), unit, scope))
    (nothing,) = await preview(floor, side, 1)
    assert nothing.used is not None
    one = {"notional": price, "shares": D(1), "ratio": price / worth}[unit]
    # Of turnover what other tests have traded today is there already: an order may use the rest.
    hard = nothing.used + 100 * one
    await set_limits(floor, limit(kind, hard, unit, scope))
    for percent in (79, 80, 100):
        (effect,) = await preview(floor, side, percent)
        assert effect.after == pytest.approx(nothing.used + percent * one, abs=D("0.000002"))
        assert effect.passes
        assert effect.max_quantity == 100
        if not nothing.used:
            assert (effect.after >= D("0.799999") * hard) == (percent >= 80)
    far = BUY_AT if side == "buy" else price * 2
    if side == "buy":
        order = await floor.send(P, AAPL, side, "100", order_type="limit", price=far)
        assert order.status == "accepted"
        await floor.supervisor.execute(CancelAll(engine=P))
        far_order: dict[str, object] = {"order_type": "limit", "price": far}
    else:
        far_order = {}
    with pytest.raises(DeniedError) as caught:
        await floor.send(P, AAPL, side, "101", **far_order)
    told = caught.value.extra
    assert (caught.value.rule, told["rule"], told["scope"], told["unit"]) == (kind, kind, scope, unit)
    assert told["max_quantity"] == "100"
    assert D(told["value"]) == pytest.approx(nothing.used + 101 * one, abs=D("0.01"))
    assert D(told["limit"]) == hard
    order = floor.sink.orders(P)[told["client_order_id"]]
    assert order.status == "denied"
    assert order.denial is not None
    assert (order.denial.rule, order.denial.max_quantity, order.denial.limit_id) == (
        kind,
        100,
        limit_id(kind, scope, unit),
    )


@pytest.mark.parametrize("percent", [79, 80, 100, 101])
async def test_orders_are_counted_in_their_window(floor: Floor, percent: int) -> None:
    await set_limits(floor)
    await set_limits(floor, limit("order_rate", D(100), "orders", f"engine:{P}", window_s=3600))
    for _ in range(percent - 1):
        await floor.send(P, AAPL, "buy", "1", order_type="limit", price=BUY_AT)
    (effect,) = await preview(floor, "buy", 1)
    assert (effect.used, effect.after, effect.passes) == (percent - 1, percent, percent <= 100)
    if percent > 100:
        with pytest.raises(DeniedError, match="order_rate") as caught:
            await floor.send(P, AAPL, "buy", "1", order_type="limit", price=BUY_AT)
        assert (caught.value.extra["value"], caught.value.extra["limit"]) == ("101", "100")
    else:
        await floor.send(P, AAPL, "buy", "1", order_type="limit", price=BUY_AT)


@pytest.mark.parametrize("percent", [79, 80, 100, 101])
@pytest.mark.parametrize("unit", ["notional", "ratio"])
async def test_a_drawdown_at_its_limit_lets_only_pass_what_reduces(
    floor: Floor, percent: int, unit: Unit
) -> None:
    await floor.send(P, AAPL, "buy", "10")
    await set_limits(floor)
    worth = await equity(floor)
    peak = D(2_000_000)  # higher than it ever was: what is lost of it is known
    lost = peak - worth
    hard = {"notional": lost, "ratio": lost / peak}[unit] * 100 / percent
    await set_limits(floor, limit("drawdown", hard, unit, "portfolio"), peak=peak)
    (effect,) = await preview(floor, "buy", 1)
    assert effect.passes == (percent < 100)
    if percent >= 100:
        with pytest.raises(DeniedError, match="drawdown") as caught:
            await floor.send(P, AAPL, "buy", "1")
        assert caught.value.extra["max_quantity"] == "0"
        with pytest.raises(DeniedError) as caught:
            await floor.send(P, AAPL, "sell", "11")
        assert caught.value.extra["max_quantity"] == "10"
    assert (await floor.send(P, AAPL, "sell", "10")).status == "filled"


@pytest.mark.parametrize("percent", [79, 80, 100, 101])
async def test_a_day_s_loss_at_its_limit_lets_only_pass_what_reduces(floor: Floor, percent: int) -> None:
    """The spread and the commission of a round trip are lost for certain."""
    await set_limits(floor)
    await floor.send(P, AAPL, "buy", "100")
    await floor.send(P, AAPL, "sell", "100")
    await equity(floor)
    account = floor.sink.latest[P, "AccountUpdate", "SIM-001"]
    assert isinstance(account, AccountUpdate)
    assert account.day_pnl is not None
    lost = -account.day_pnl
    assert lost > 0
    await set_limits(floor, limit("daily_loss", lost * 100 / percent, "notional", f"engine:{P}"))
    (effect,) = await preview(floor, "buy", 1)
    assert effect.used == lost
    assert effect.passes == (percent < 100)
    if percent >= 100:
        with pytest.raises(DeniedError, match="daily_loss"):
            await floor.send(P, AAPL, "buy", "1")
    else:
        await floor.send(P, AAPL, "buy", "1", order_type="limit", price=BUY_AT)


# ---------------------------------------------------------------- shapes of orders


async def test_a_change_is_judged_in_place_of_what_it_changes(floor: Floor) -> None:
    await set_limits(floor, limit("position_size", D(100), "shares", f"instrument:{AAPL}"))
    order = await floor.send(P, AAPL, "buy", "90", order_type="limit", price=BUY_AT)
    name = order.client_order_id
    (effect,) = await preview(floor, "buy", 101, client_order_id=name)
    assert (effect.used, effect.after, effect.passes, effect.max_quantity) == (90, 101, False, 100)
    with pytest.raises(DeniedError, match="position_size") as caught:
        await floor.supervisor.execute(ModifyOrder(engine=P, client_order_id=name, qty=D(101)))
    assert (caught.value.extra["value"], caught.value.extra["max_quantity"]) == ("101", "100")
    refused = floor.sink.orders(P)[name]
    assert (refused.status, refused.qty, refused.event) == ("accepted", 90, "OrderModifyRejected")
    assert refused.denial is not None
    (changed,) = (
        await floor.supervisor.execute(ModifyOrder(engine=P, client_order_id=name, qty=D(100)))
    ).orders
    assert (changed.qty, changed.denial) == (100, None)


@pytest.mark.parametrize("totals", [(90, 500), (500, 90)])
async def test_a_change_that_is_denied_does_not_answer_one_that_is_on_its_way(
    floor: Floor, totals: tuple[int, int]
) -> None:
    """They and an order arrive in one piece: the change that passes waits for the journal meanwhile."""
    await set_limits(floor, limit("position_size", D(100), "shares", f"instrument:{AAPL}"))
    name = (await floor.send(P, AAPL, "buy", "10", order_type="limit", price=BUY_AT)).client_order_id
    commands = [
        *(ModifyOrder(engine=P, client_order_id=name, qty=D(total)) for total in totals),
        SubmitOrder(
            engine=P,
            client_order_id=floor.next_id("G"),
            instrument=AAPL,
            side="buy",
            qty=D(80),
            order_type="limit",
            price=BUY_AT,
        ),
    ]
    reader, writer = await asyncio.open_unix_connection(floor.home.engine_socket(P))
    hello = link.Hello(link.PROTOCOL_VERSION, 1 << 62, "test")
    writer.write(
        link.encode(hello) + link.encode(*(link.Request(f"r{n}", c) for n, c in enumerate(commands)))
    )
    replies: dict[str, link.Reply] = {}
    while len(replies) < len(commands):
        for message in await link.read_from_engine(reader):
            if isinstance(message, link.Reply):
                replies[message.command_id] = message
    writer.close()
    problem = replies["r2"].problem
    assert problem is not None, "90 are on their way, 80 more would make 170"
    assert "could reach 170 units" in problem.detail
    await floor.sink.until(lambda: floor.sink.orders(P)[name].qty == 90)


async def test_a_bracket_and_a_pair_are_judged_as_a_whole(floor: Floor) -> None:
    price = await dear(floor, "buy")
    await set_limits(floor, limit("position_size", D(100), "shares", f"instrument:{AAPL}"))
    high, low = (price * 2).quantize(D(1)), D("10.00")

    def bracket(qty: int) -> SubmitBracket:
        return SubmitBracket(
            engine=P,
            client_order_id=floor.next_id("B"),
            instrument=AAPL,
            side="buy",
            qty=D(qty),
            order_type="limit",
            price=BUY_AT,
            take_profit=high,
            stop_loss=low,
        )

    large = bracket(101)
    with pytest.raises(DeniedError, match="position_size") as caught:
        await floor.supervisor.execute(large)
    assert caught.value.extra["max_quantity"] == "100"
    orders = floor.sink.orders(P)
    for suffix in ("", "-TP", "-SL"):
        part = orders[large.client_order_id + suffix]
        assert part.status == "denied"
        assert part.denial is not None
    await floor.supervisor.execute(bracket(100))
    await floor.supervisor.execute(CancelAll(engine=P))

    def pair(qty: int) -> SubmitOco:
        return SubmitOco(
            engine=P,
            client_order_id=floor.next_id("P"),
            instrument=AAPL,
            side="buy",
            qty=D(qty),
            limit_price=BUY_AT,
            stop_price=high,
        )

    with pytest.raises(DeniedError, match="position_size"):
        await floor.supervisor.execute(pair(101))
    await floor.supervisor.execute(pair(100))
    with pytest.raises(DeniedError, match="position_size"):
        await floor.send(P, AAPL, "buy", "1", order_type="limit", price=BUY_AT)


async def test_an_entry_s_exits_never_stand_in_the_way(floor: Floor) -> None:
    await floor.supervisor.execute(SetFeed(engine=P, action="resume"))
    await set_limits(floor, limit("position_size", D(100), "shares", f"instrument:{AAPL}"))
    quote = floor.sink.quote(P, AAPL)
    assert quote.ask is not None
    name = floor.next_id("B")
    command = SubmitBracket(
        engine=P,
        client_order_id=name,
        instrument=AAPL,
        side="buy",
        qty=D(100),
        take_profit=(quote.ask * 2).quantize(D(1)),
        stop_loss=D("10.00"),
    )
    await floor.supervisor.execute(command)
    await floor.sink.until(lambda: floor.sink.orders(P)[f"{name}-SL"].status == "accepted")
    (effect,) = await preview(floor, "sell", 1)
    assert effect.after == 0, "from 100 held one is sold; the exits reduce and do not count"
    assert (
        await floor.send(P, AAPL, "sell", "200", order_type="limit", price=quote.ask * 2)
    ).status == "accepted"
    with pytest.raises(DeniedError, match="position_size"):
        await floor.send(P, AAPL, "sell", "1", order_type="limit", price=quote.ask * 2)
    await floor.supervisor.execute(SetFeed(engine=P, action="pause"))


# ---------------------------------------------------------------- restrictions


async def test_reduce_only_and_halted_as_they_are_told(floor: Floor) -> None:
    await set_limits(floor)
    await floor.send(P, AAPL, "buy", "100")
    resting = await floor.send(P, AAPL, "buy", "10", order_type="limit", price=BUY_AT)
    await set_limits(floor, restriction="reduce_only")
    await floor.sink.until(lambda: floor.supervisor.status_of(P).restriction == "reduce_only")
    assert floor.supervisor.status_of(P).limits_version == 7
    with pytest.raises(DeniedError, match="only what reduces") as caught:
        await floor.send(P, AAPL, "sell", "101")
    assert caught.value.extra["max_quantity"] == "100"
    with pytest.raises(DeniedError, match="by hand"):
        await floor.send(P, AAPL, "buy", "1")
    await floor.send(P, AAPL, "sell", "40")
    (cancelled,) = (await floor.supervisor.execute(CancelAll(engine=P))).orders
    assert (cancelled.client_order_id, cancelled.status) == (resting.client_order_id, "cancelled")
    await set_limits(floor, restriction="halted")
    for fields in ({}, {"reduce_only": True}):
        with pytest.raises(DeniedError, match="halted"):
            await floor.send(P, AAPL, "sell", "1", **fields)
    await set_limits(floor, restriction="reduce_only")
    close = ClosePosition(engine=P, instrument=AAPL, client_order_id=floor.next_id("C"))
    assert (await floor.supervisor.execute(close)).orders[0].status == "filled"


async def test_limits_take_the_place_of_those_before(floor: Floor) -> None:
    await set_limits(floor, limit("position_size", D(5), "shares", "portfolio"))
    with pytest.raises(DeniedError):
        await floor.send(P, AAPL, "buy", "6")
    await set_limits(floor, limit("position_size", D(6), "shares", "portfolio"))
    assert (await floor.send(P, AAPL, "buy", "6")).status == "filled"
    assert floor.sink.orders(P)[next(iter(floor.sink.orders(P)))].strategy == "GATEWAY-001"
    assert floor.sink.fills(P)[-1].strategy == "GATEWAY-001"


# ---------------------------------------------------------------- whatever comes


def worst_by_the_records(floor: Floor) -> dict[str, Decimal]:
    """Return the largest |quantity| of each instrument that could come of what the journal says."""
    found: dict[str, Decimal] = {}
    for instrument in (AAPL, "MSFT.SIM"):
        held = floor.sink.positions(P).get(instrument, D(0))
        working = [
            order
            for order in floor.sink.orders(P).values()
            if order.instrument == instrument
            and order.status in ("accepted", "partially_filled")
            and not order.reduce_only
        ]
        ends = {}
        for side in ("buy", "sell"):
            groups: dict[str, Decimal] = {}
            for order in working:
                if order.side == side:
                    name = min(order.client_order_id, *order.linked_ids)
                    name = name if order.linked_ids else order.client_order_id
                    groups[name] = max(groups.get(name, D(0)), order.qty - order.filled_qty)
            ends[side] = sum(groups.values(), D(0))
        found[instrument] = max(abs(held + ends["buy"]), abs(held - ends["sell"]))
    return found


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_is_sent_changed_and_cancelled_stays_within_the_limits(
    floor: Floor, seed: int
) -> None:
    """Market orders fill at once and in parts, others rest; all is read from the journal's records."""
    dice = random.Random(seed)
    await set_limits(floor)
    await floor.send(P, "MSFT.SIM", "buy", "1")
    per_instrument, money = D(90), D(25_000)
    prices = {AAPL: await dear(floor, "buy")}
    await set_limits(floor, limit("order_notional", D(10**9), "notional", "portfolio"))
    asked = PreviewOrder(engine=P, instrument="MSFT.SIM", side="buy", qty=D(1))
    (effect,) = (await floor.supervisor.execute(asked)).effects
    assert effect.after is not None
    prices["MSFT.SIM"] = effect.after
    await set_limits(
        floor,
        limit("position_size", per_instrument, "shares", f"engine:{P}"),
        limit("gross_exposure", money, "notional", "portfolio"),
    )
    denied = 0
    for _ in range(90):
        instrument, side = dice.choice([AAPL, "MSFT.SIM"]), dice.choice(["buy", "sell"])
        qty = str(dice.randint(1, 60))
        working = [o for o in floor.sink.orders(P).values() if o.status == "accepted" and not o.reduce_only]
        try:
            match dice.choice(["market", "market", "rest", "rest", "pair", "change", "cancel"]):
                case "market":
                    await floor.send(P, instrument, side, qty)
                case "rest":
                    far = BUY_AT if side == "buy" else D("5000.00")
                    await floor.send(P, instrument, side, qty, order_type="limit", price=far)
                case "pair":
                    low, high = (BUY_AT, D("5000.00")) if side == "buy" else (D("5000.00"), BUY_AT)
                    pair = SubmitOco(
                        engine=P,
                        client_order_id=floor.next_id("P"),
                        instrument=instrument,
                        side=side,  # type: ignore[arg-type]
                        qty=D(qty),
                        limit_price=low,
                        stop_price=high,
                    )
                    await floor.supervisor.execute(pair)
                case "change" if working:
                    order = dice.choice(working)
                    change = ModifyOrder(engine=P, client_order_id=order.client_order_id, qty=D(qty))
                    await floor.supervisor.execute(change)
                case "cancel" if working:
                    order = dice.choice(working)
                    await floor.supervisor.execute(
                        CancelOrder(engine=P, client_order_id=order.client_order_id)
                    )
        except DeniedError:
            denied += 1
        worst = worst_by_the_records(floor)
        assert all(qty <= per_instrument for qty in worst.values())
        # What is held is valued where it could be closed: at the bid, which is no more than the ask.
        assert sum(qty * prices[name] for name, qty in worst.items()) <= money * D("1.001")
    assert denied > 5, "the limits were reached"
