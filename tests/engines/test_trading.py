"""Orders through a real engine: each type, each answer, the gate, idempotency, and what the books say."""

from __future__ import annotations

import asyncio
import time
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
from data.problems import (
    ConflictError,
    DeniedError,
    InvalidRequestError,
    NotFoundError,
    RejectedError,
    UnavailableError,
)
from data.records import EngineLog
from engines.spec import EngineSpec
from risk.limits import GateLimits, OrderRate
from tests.engines.floor import Floor

pytestmark = pytest.mark.asyncio(loop_scope="module")
P = "paper-1"


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def engine(floor: Floor) -> None:
    limits = GateLimits(
        order_notional=Decimal(200_000), position_size=Decimal(300_000), order_rate=OrderRate(200, 1)
    )
    status = await floor.supervisor.start(EngineSpec(engine=P, speed="400", limits=limits))
    assert status.state == "running"
    assert status.pid is not None
    assert len(floor.supervisor.instruments(P)) >= 24
    await floor.sink.quoted(P, "AAPL.SIM")
    await floor.sink.quoted(P, "ETHUSD.SIM")


async def flat(floor: Floor) -> None:
    await floor.supervisor.execute(Flatten(engine=P, client_order_id=floor.next_id("F")))
    assert floor.sink.positions(P) == {}


async def test_a_market_order_fills_within_the_spread_and_opens_a_position(floor: Floor) -> None:
    quote = floor.sink.quote(P, "AAPL.SIM")
    order = await floor.send(P, "AAPL.SIM", "buy", "100")
    assert order.status == "filled"
    assert order.filled_qty == 100
    assert order.synthetic
    assert order.avg_price is not None
    assert quote.ask is not None
    assert abs(order.avg_price - quote.ask) < quote.ask / 50
    fills = [f for f in floor.sink.fills(P) if f.client_order_id == order.client_order_id]
    assert sum(f.qty for f in fills) == 100
    assert sum(f.qty * f.price for f in fills) / 100 == pytest.approx(
        order.avg_price, abs=Decimal("0.000001")
    )
    assert floor.sink.positions(P) == {"AAPL.SIM": Decimal(100)}
    await flat(floor)


async def test_the_same_id_twice_is_one_order_and_the_same_answer(floor: Floor) -> None:
    first = await floor.send(P, "AAPL.SIM", "buy", "10", order_id="ONCE")
    second = await floor.send(P, "AAPL.SIM", "buy", "10", order_id="ONCE")
    assert second.client_order_id == first.client_order_id
    assert (second.status, second.filled_qty, second.avg_price) == (
        first.status,
        first.filled_qty,
        first.avg_price,
    )
    assert floor.sink.positions(P) == {"AAPL.SIM": Decimal(10)}
    with pytest.raises(ConflictError):
        await floor.send(P, "AAPL.SIM", "sell", "10", order_id="ONCE")
    await flat(floor)


async def test_a_resting_order_is_modified_and_cancelled(floor: Floor) -> None:
    order = await floor.send(
        P, "AAPL.SIM", "buy", "10", order_type="limit", price=Decimal("50.00"), tif="gtc"
    )
    assert order.status == "accepted"
    change = ModifyOrder(
        engine=P, client_order_id=order.client_order_id, qty=Decimal(20), price=Decimal("51.00")
    )
    (changed,) = (await floor.supervisor.execute(change)).orders
    assert (changed.qty, changed.price, changed.status) == (20, Decimal("51.00"), "accepted")
    cancel = CancelOrder(engine=P, client_order_id=order.client_order_id)
    (cancelled,) = (await floor.supervisor.execute(cancel)).orders
    assert cancelled.status == "cancelled"
    with pytest.raises(ConflictError):
        await floor.supervisor.execute(cancel)


@pytest.mark.parametrize("name", ["", " ", "é", "a b", "x" * 100, "-x"])
async def test_an_order_that_no_id_names_is_refused_and_the_engine_goes_on(floor: Floor, name: str) -> None:
    before = floor.supervisor.status_of(P)
    asked = PreviewOrder(engine=P, instrument="AAPL.SIM", side="buy", qty=Decimal(1), client_order_id=name)
    for command in (
        CancelOrder(engine=P, client_order_id=name),
        ModifyOrder(engine=P, client_order_id=name, qty=Decimal(1)),
        asked,
    ):
        with pytest.raises(InvalidRequestError) as told:
            await floor.supervisor.execute(command)
        assert told.value.extra["field"] == "client_order_id"
    assert floor.supervisor.status_of(P).pid == before.pid


@pytest.mark.parametrize("name", ["", "AAPL", ".SIM", "é.SIM", "\N{BOMB}", "AAPL.NONE"])
async def test_an_instrument_that_is_none_is_refused_and_the_engine_goes_on(floor: Floor, name: str) -> None:
    before = floor.supervisor.status_of(P)
    for command in (
        CancelAll(engine=P, instrument=name),
        Flatten(engine=P, client_order_id=floor.next_id("F"), instrument=name),
        ClosePosition(engine=P, client_order_id=floor.next_id("C"), instrument=name),
    ):
        with pytest.raises(NotFoundError):
            await floor.supervisor.execute(command)
    assert floor.supervisor.status_of(P).pid == before.pid


@pytest.mark.parametrize("tif", ["day", "gtc", "gtd"])
async def test_a_time_in_force_is_kept(floor: Floor, tif: str) -> None:
    expire = time.time_ns() + 3_600_000_000_000 if tif == "gtd" else None
    order = await floor.send(
        P, "MSFT.SIM", "buy", "1", order_type="limit", price=Decimal("50.00"), tif=tif, ts_expire=expire
    )
    assert (order.status, order.tif) == ("accepted", tif)
    assert (order.ts_expire is None) == (tif == "gtc")
    await floor.supervisor.execute(CancelAll(engine=P, instrument="MSFT.SIM"))


async def test_a_good_till_date_order_expires(floor: Floor) -> None:
    order = await floor.send(
        P,
        "ETHUSD.SIM",
        "buy",
        "1",
        order_type="limit",
        price=Decimal("50.00"),
        tif="gtd",
        ts_expire=time.time_ns() + 500_000_000,
    )
    assert order.status == "accepted"
    await floor.sink.until(lambda: floor.sink.orders(P)[order.client_order_id].status == "expired")


@pytest.mark.parametrize("tif", ["ioc", "fok"])
async def test_what_cannot_fill_at_once_is_cancelled(floor: Floor, tif: str) -> None:
    order = await floor.send(P, "MSFT.SIM", "buy", "1", order_type="limit", price=Decimal("50.00"), tif=tif)
    await floor.sink.until(lambda: floor.sink.orders(P)[order.client_order_id].status == "cancelled")


async def test_every_conditional_type_rests_at_the_venue(floor: Floor) -> None:
    bid = floor.sink.quote(P, "AAPL.SIM").bid
    assert bid is not None
    below, above = (
        (bid * Decimal("0.8")).quantize(Decimal("0.01")),
        (bid * Decimal("1.2")).quantize(Decimal("0.01")),
    )
    wanted = [
        ("sell", {"order_type": "stop_market", "trigger_price": below}),
        ("sell", {"order_type": "stop_limit", "trigger_price": below, "price": below}),
        ("sell", {"order_type": "trailing_stop", "trailing_offset": Decimal("20.00")}),
        ("buy", {"order_type": "market_if_touched", "trigger_price": below}),
        ("sell", {"order_type": "limit_if_touched", "trigger_price": above, "price": above}),
    ]
    for side, fields in wanted:
        order = await floor.send(P, "AAPL.SIM", side, "1", tif="gtc", **fields)
        assert (order.status, order.order_type) == ("accepted", fields["order_type"])
    trailing = next(o for o in floor.sink.orders(P).values() if o.order_type == "trailing_stop")
    assert trailing.trailing_offset == 20
    reply = await floor.supervisor.execute(CancelAll(engine=P, instrument="AAPL.SIM"))
    assert {order.status for order in reply.orders} == {"cancelled"}
    assert len(reply.orders) == len(wanted)


async def test_a_bracket_releases_its_exits_and_one_cancels_the_other(floor: Floor) -> None:
    ask = floor.sink.quote(P, "AAPL.SIM").ask
    assert ask is not None
    bracket = SubmitBracket(
        engine=P,
        client_order_id="BR",
        instrument="AAPL.SIM",
        side="buy",
        qty=Decimal(10),
        take_profit=(ask * Decimal("1.5")).quantize(Decimal("0.01")),
        stop_loss=(ask * Decimal("0.5")).quantize(Decimal("0.01")),
    )
    await floor.supervisor.execute(bracket)
    await floor.sink.until(
        lambda: (
            {
                floor.sink.orders(P)[f"BR-{x}"].status
                for x in ("TP", "SL")
                if f"BR-{x}" in floor.sink.orders(P)
            }
            == {"accepted"}
        )
    )
    orders = floor.sink.orders(P)
    assert orders["BR"].status == "filled"
    assert orders["BR-TP"].parent_id == "BR"
    again = await floor.supervisor.execute(bracket)
    assert again.ok
    assert floor.sink.positions(P) == {"AAPL.SIM": Decimal(10)}
    await floor.supervisor.execute(CancelOrder(engine=P, client_order_id="BR-TP"))
    await floor.sink.until(lambda: floor.sink.orders(P)["BR-SL"].status == "cancelled")
    await flat(floor)


async def test_of_a_pair_the_filled_one_cancels_the_other(floor: Floor) -> None:
    bid = floor.sink.quote(P, "AAPL.SIM").bid
    assert bid is not None
    far = (bid * Decimal("1.5")).quantize(Decimal("0.01"))
    marketable = (bid * Decimal("1.2")).quantize(Decimal("0.01"))
    pair = SubmitOco(
        engine=P,
        client_order_id="PAIR",
        instrument="AAPL.SIM",
        side="buy",
        qty=Decimal(5),
        limit_price=marketable,
        stop_price=far,
    )
    await floor.supervisor.execute(pair)
    await floor.sink.until(lambda: floor.sink.orders(P)["PAIR-B"].status == "cancelled")
    assert floor.sink.orders(P)["PAIR-A"].status == "filled"
    await flat(floor)


async def test_closing_needs_a_position_and_ends_it(floor: Floor) -> None:
    with pytest.raises(ConflictError):
        await floor.supervisor.execute(ClosePosition(engine=P, instrument="AAPL.SIM", client_order_id="C0"))
    await floor.send(P, "AAPL.SIM", "sell", "10")
    assert floor.sink.positions(P) == {"AAPL.SIM": Decimal(-10)}
    await floor.supervisor.execute(ClosePosition(engine=P, instrument="AAPL.SIM", client_order_id="C1"))
    assert floor.sink.positions(P) == {}


async def test_flattening_cancels_and_closes_everything(floor: Floor) -> None:
    await floor.send(P, "AAPL.SIM", "buy", "10")
    await floor.send(P, "MSFT.SIM", "sell", "10")
    resting = await floor.send(P, "AAPL.SIM", "buy", "10", order_type="limit", price=Decimal("50.00"))
    reply = await floor.supervisor.execute(Flatten(engine=P, client_order_id="FLAT"))
    assert reply.ok
    assert floor.sink.positions(P) == {}
    assert floor.sink.orders(P)[resting.client_order_id].status == "cancelled"
    assert floor.sink.orders(P)["FLAT-1"].reduce_only


async def test_the_gate_denies_with_the_rule_and_the_quantity_that_passes(floor: Floor) -> None:
    with pytest.raises(DeniedError, match="order_notional") as caught:
        await floor.send(P, "AAPL.SIM", "buy", "100000", order_id="BIG")
    assert "largest quantity that passes" in caught.value.detail
    assert floor.sink.orders(P)["BIG"].status == "denied"
    assert floor.sink.positions(P) == {}
    largest = int(caught.value.detail.rsplit(" ", 1)[-1])
    price = floor.sink.quote(P, "AAPL.SIM").ask
    assert price is not None
    assert largest * price <= 205_000


async def test_a_preview_shows_every_limit_and_sends_nothing(floor: Floor) -> None:
    before = floor.sink.last_seq(P)
    ask = floor.sink.quote(P, "AAPL.SIM").ask
    assert ask is not None
    dear = ask * 2  # above the touch: the gate judges by the dearer of the two
    big = PreviewOrder(engine=P, instrument="AAPL.SIM", side="buy", qty=Decimal(100_000), price=dear)
    effects = {e.rule: e for e in (await floor.supervisor.execute(big)).effects}
    assert set(effects) == {"order_notional", "position_size", "order_rate"}
    assert effects["order_notional"].after == 100_000 * dear
    assert not effects["order_notional"].passes
    assert effects["order_rate"].passes
    small = PreviewOrder(engine=P, instrument="USDJPY.SIM", side="buy", qty=Decimal(1000))
    effects = {e.rule: e for e in (await floor.supervisor.execute(small)).effects}
    after = effects["order_notional"].after
    assert after is not None
    assert abs(after - 1000) < 1, "a thousand dollars' worth of USDJPY is a thousand dollars"
    assert floor.sink.last_seq(P) == before


async def test_the_gate_counts_working_orders_as_filled(floor: Floor) -> None:
    ask = floor.sink.quote(P, "AAPL.SIM").ask
    assert ask is not None
    qty = str(int(180_000 / ask))
    price = (ask * Decimal("0.9")).quantize(Decimal("0.01"))
    await floor.send(P, "AAPL.SIM", "buy", qty, order_type="limit", price=price)
    await floor.send(P, "MSFT.SIM", "buy", "10", order_type="limit", price=Decimal("50.00"))
    with pytest.raises(DeniedError, match="position_size"):
        await floor.send(P, "AAPL.SIM", "buy", qty, order_type="limit", price=price)
    await floor.supervisor.execute(CancelAll(engine=P))


async def test_the_gate_judges_modifications(floor: Floor) -> None:
    order = await floor.send(P, "AAPL.SIM", "buy", "1", order_type="limit", price=Decimal("50.00"))
    with pytest.raises(DeniedError, match="order_notional"):
        await floor.supervisor.execute(
            ModifyOrder(engine=P, client_order_id=order.client_order_id, qty=Decimal(100_000))
        )
    assert floor.sink.orders(P)[order.client_order_id].qty == 1
    assert floor.sink.orders(P)[order.client_order_id].status == "accepted"
    await floor.supervisor.execute(CancelAll(engine=P))


async def test_a_stop_in_the_market_is_rejected_by_the_venue(floor: Floor) -> None:
    with pytest.raises(RejectedError, match="in the market"):
        await floor.send(P, "AAPL.SIM", "buy", "1", order_type="stop_market", trigger_price=Decimal("50.00"))


async def test_rules_and_names_are_checked_before_anything_is_sent(floor: Floor) -> None:
    with pytest.raises(DeniedError) as caught:
        await floor.send(
            P, "AAPL.SIM", "buy", "1", order_type="limit", price=Decimal("50.001"), order_id="OFF"
        )
    assert caught.value.rule == "tick size 0.01"
    with pytest.raises(NotFoundError):
        await floor.send(P, "NONE.SIM", "buy", "1")
    with pytest.raises(NotFoundError):
        await floor.supervisor.execute(CancelOrder(engine=P, client_order_id="never"))
    assert "OFF" not in floor.sink.orders(P)


async def test_equity_is_cash_plus_what_positions_would_bring(floor: Floor) -> None:
    await floor.send(P, "AAPL.SIM", "buy", "50")
    await floor.supervisor.execute(SetFeed(engine=P, action="pause"))
    key = (P, "PositionUpdate", "AAPL.SIM")
    before = floor.sink.latest.get(key)
    await floor.sink.until(lambda: floor.sink.latest.get(key) is not before)
    last = floor.sink.latest[key]
    await floor.sink.until(lambda: floor.sink.latest[key] is not last)
    position, account = floor.sink.latest[key], floor.sink.latest[P, "AccountUpdate", "SIM-001"]
    assert position.unrealized_pnl == ((position.mark - position.avg_open) * 50).quantize(Decimal("0.01"))
    assert position.mark == floor.sink.quote(P, "AAPL.SIM").bid
    assert account.equity == floor.sink.cash(P) + position.unrealized_pnl
    assert account.day_pnl is not None
    assert account.realized_pnl == floor.sink.cash(P) - 1_000_000
    await floor.supervisor.execute(SetFeed(engine=P, action="resume"))
    await flat(floor)


async def test_log_lines_of_an_order_name_it(floor: Floor) -> None:
    order = await floor.send(P, "AAPL.SIM", "buy", "1")

    def lines() -> list[EngineLog]:
        return [line for line in floor.sink.logs if line.client_order_id == order.client_order_id]

    await floor.sink.until(lambda: any("OrderFilled" in line.message for line in lines()))
    await flat(floor)


async def test_many_orders_at_once_are_each_answered_once(floor: Floor) -> None:
    before = len(floor.sink.fills(P))
    orders = await asyncio.gather(
        *(floor.send(P, "EURUSD.SIM", "buy" if n % 2 else "sell", "1000") for n in range(60))
    )
    assert {order.status for order in orders} == {"filled"}
    assert len({order.client_order_id for order in orders}) == 60
    assert len(floor.sink.fills(P)) >= before + 60
    assert floor.sink.positions(P) == {}


async def test_too_many_orders_are_denied_by_rate(floor: Floor) -> None:
    results = await asyncio.gather(
        *(floor.send(P, "EURUSD.SIM", "buy" if n % 2 else "sell", "1000") for n in range(300)),
        return_exceptions=True,
    )
    denied = [r for r in results if isinstance(r, DeniedError)]
    assert denied
    assert all("order_rate" in r.detail for r in denied)
    assert len(denied) + sum(1 for r in results if not isinstance(r, BaseException)) == 300
    await asyncio.sleep(0)
    await floor.sink.until(lambda: floor.sink.statuses[P][-1].state == "running")


async def test_a_gate_that_is_switched_off_denies_nothing_and_shows_no_limits(floor: Floor) -> None:
    await floor.supervisor.start(EngineSpec(engine="open", instruments=("AAPL.SIM",), risk_enabled=False))
    await floor.sink.quoted("open", "AAPL.SIM")
    ask = PreviewOrder(engine="open", instrument="AAPL.SIM", side="buy", qty=Decimal(10**6))
    effects = (await floor.supervisor.execute(ask)).effects
    assert {effect.limit for effect in effects} == {None}
    order = await floor.send("open", "AAPL.SIM", "buy", "20000", order_type="limit", price=Decimal("60.00"))
    assert order.status == "accepted"
    await floor.supervisor.stop("open")


async def test_a_stopped_engine_takes_no_orders(floor: Floor) -> None:
    with pytest.raises(NotFoundError):
        await floor.supervisor.execute(CancelAll(engine="nobody"))
    await floor.supervisor.start(EngineSpec(engine="other", instruments=("AAPL.SIM",)))
    assert [i.id for i in floor.supervisor.instruments("other")] == ["AAPL.SIM"]
    stopped = await floor.supervisor.stop("other")
    assert stopped.state == "stopped"
    with pytest.raises(UnavailableError):
        await floor.supervisor.execute(
            SubmitOrder(
                engine="other", client_order_id="z", instrument="AAPL.SIM", side="buy", qty=Decimal(1)
            )
        )
