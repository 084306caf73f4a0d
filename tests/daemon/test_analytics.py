"""Analytics over HTTP: a real daemon, a real engine, fills of real orders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal

import httpx
import numpy as np
import pytest
import pytest_asyncio

from data.commands import CancelOrder, StartEngine, SubmitOrder
from data.paths import Home
from data.problems import InvalidRequestError, NotFoundError
from nautilus_tui.client import ApiClient
from tests.integration.stack import Stack, client, open_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")
ENGINE = "paper-1"
INSTRUMENTS = ("AAPL.SIM", "SPY.SIM", "USDJPY.SIM")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with open_stack(Home(tmp_path_factory.mktemp("analytics"))) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(stack: Stack) -> AsyncIterator[ApiClient]:
    """A book with a position that was reduced, one in yen, and an order that was cancelled."""
    async with client(stack) as found:
        await found.execute(StartEngine(engine=ENGINE, instruments=INSTRUMENTS))
        for id_, instrument, side, qty in (
            ("O-1", "AAPL.SIM", "buy", 100),
            ("O-2", "AAPL.SIM", "sell", 40),
            ("O-3", "USDJPY.SIM", "buy", 10_000),
        ):
            await send(found, id_, instrument, side, qty)
        await send(found, "O-4", "SPY.SIM", "buy", 10, price="400.00", wait="ack")
        await found.execute(CancelOrder(engine=ENGINE, client_order_id="O-4"), wait="final")
        yield found


async def send(
    api: ApiClient,
    id_: str,
    instrument: str,
    side: str,
    qty: int,
    *,
    price: str | None = None,
    wait: str = "final",
    engine: str = ENGINE,
) -> None:
    command = SubmitOrder(
        engine=engine,
        client_order_id=id_,
        instrument=instrument,
        side=side,
        qty=Decimal(qty),
        order_type="market" if price is None else "limit",
        price=None if price is None else Decimal(price),
    )
    outcome = await api.execute(command, wait=wait)
    assert outcome.outcome == "done", outcome.problem


async def until[T](ask: Callable[[], Awaitable[T]], true: Callable[[T], bool]) -> T:
    """Ask until something that is told by no event holds: what the recorder wrote, what was sampled."""
    async with asyncio.timeout(60):
        while True:
            found = await ask()
            if true(found):
                return found
            await asyncio.sleep(0.2)


async def test_var_of_the_book_by_every_method(api: ApiClient) -> None:
    found = await api.risk_measures(ENGINE)
    assert found.synthetic
    assert (found.basis, found.periods_per_year) == ("5m", 288.0 * 365.0)
    assert found.returns >= 100
    assert {one.method for one in found.measures} == {
        "historical", "normal", "student", "cornish_fisher", "filtered", "monte_carlo", "evt",
    }  # fmt: skip
    (normal,) = [
        one for one in found.measures if (one.method, one.confidence, one.horizon) == ("normal", 0.99, 1)
    ]
    assert normal.var_money is not None
    assert normal.var_money > 0
    assert abs(sum(one.component_var for one in found.components) - normal.var_money) < 1
    reasons = {one.name: one.not_applicable for one in found.capital}
    assert reasons["internal_model_capital"] == "250 days of the book's own VaR are needed; 0 are kept"


async def test_var_is_that_of_the_recorded_returns(api: ApiClient) -> None:
    found = await api.risk_measures(ENGINE, method="historical", confidence=0.99, horizon=1)
    assert found.ts_first is not None
    assert found.ts_last is not None
    columns = []
    for one in found.components:
        bars = [bar for bar in await api.bars(one.instrument, "5m", limit=5000, engine=ENGINE) if bar.closed]
        inside = [bar for bar in bars if found.ts_first - 300 * 10**9 <= bar.ts <= found.ts_last]
        closes = np.array([float(bar.close) for bar in inside])
        columns.append((closes[1:] / closes[:-1] - 1.0) * float(one.value))
    money = np.sum(columns, axis=0)
    assert len(money) == found.returns
    (row,) = found.measures
    assert float(row.var_money) == pytest.approx(-np.quantile(money, 0.01) * 288**0.5, abs=0.01)
    apple = next(one for one in found.components if one.instrument == "AAPL.SIM")
    assert apple.qty == 60


async def test_stress_of_ones_own(api: ApiClient) -> None:
    found = await api.stress(ENGINE, shocks=("equity=-0.2",))
    (outcome,) = found.outcomes
    (item,) = outcome.items
    assert (item.instrument, item.factor, item.shock) == ("AAPL.SIM", "equity", -0.2)
    assert item.pnl == (item.sensitivity * Decimal("-0.2")).quantize(Decimal("0.01"))
    assert outcome.pnl == item.pnl
    assert "SPY.SIM" in " ".join(found.notes)  # what its beta is to
    every = await api.stress()
    assert {one.scenario for one in every.outcomes} >= {"2008", "covid_2020", "liquidity"}
    by_size = await api.stress(ENGINE, shocks={"liquidity": 3.0})
    assert by_size.outcomes[0].pnl is not None
    assert by_size.outcomes[0].pnl < 0
    exposed = await api.exposures(ENGINE)
    assert {one.instrument for one in exposed.rows} == {"AAPL.SIM", "USDJPY.SIM"}


async def test_performance_is_what_the_account_says(api: ApiClient) -> None:
    found = await until(lambda: api.performance(ENGINE), lambda one: one.ts_first is not None)
    (account,) = await api.account(ENGINE)
    fills = (await api.fills(ENGINE)).items
    mine = [one for one in found.attribution if one.dimension == "instrument"]
    apple = next(one for one in mine if one.key == "AAPL.SIM")
    (bought,) = [one for one in fills if one.client_order_id == "O-1"]
    (sold,) = [one for one in fills if one.client_order_id == "O-2"]
    assert apple.realized == (
        (sold.price - bought.price) * 40 - bought.commission - sold.commission
    ).quantize(Decimal("0.01"))
    assert account.synthetic
    assert found.synthetic
    assert found.reasons["sharpe"].endswith("60 or 100 are needed")
    assert found.trades is not None
    assert found.trades.closed == 0  # reduced, not closed
    assert (await api.performance()).portfolio_id == "portfolio"
    strategies = {one.strategy for one in fills if one.strategy is not None}
    for name in strategies:
        told = await api.strategy_analytics(name)
        assert told.execution.orders == 4
    with pytest.raises(NotFoundError, match="no orders of a strategy"):
        await api.strategy_analytics("nobody")


async def test_an_order_is_judged_by_the_recorded_market(api: ApiClient) -> None:
    found = await until(lambda: api.execution("O-1"), lambda one: one.rows[0].arrival_mid is not None)
    (row,) = found.rows
    assert row.arrival_bid is not None
    assert row.arrival_ask is not None
    assert row.arrival_mid == (row.arrival_bid + row.arrival_ask) / 2
    assert row.avg_price is not None
    expected = float((row.avg_price - row.arrival_mid) / row.arrival_mid) * 1e4
    assert row.slippage_arrival_bps == pytest.approx(expected)
    assert row.commission is not None
    cost = (row.avg_price - row.arrival_mid) * 100 + row.commission
    assert row.shortfall == cost.quantize(Decimal("0.01"))
    assert row.first_fill_ms is not None
    assert row.ack_ms is not None
    assert 0 <= row.ack_ms <= row.first_fill_ms
    assert row.grade is not None
    limit = (await api.execution("O-4")).rows[0]
    assert (limit.status, limit.filled_qty, limit.grade) == ("cancelled", 0, None)
    assert limit.reasons["slippage"] == "nothing was filled"
    every = await api.execution()
    assert (every.orders, every.filled_orders) == (4, 3)
    assert [one.venue for one in every.venues] == ["SIM"]
    assert set(every.commission) == {"USD", "JPY"}
    assert every.synthetic


async def test_fills_are_summed_up(api: ApiClient) -> None:
    found = await api.aggregate(("engine", "instrument"), instrument="AAPL.SIM")
    (row,) = found.rows
    assert row.keys == {"engine": ENGINE, "instrument": "AAPL.SIM"}
    fills = (await api.fills(ENGINE, instrument="AAPL.SIM")).items
    assert row.traded == sum(one.qty * one.price for one in fills)
    assert (row.fills, row.orders) == (2, 2)
    assert (await api.aggregate(("day",), end="2000-01-01")).rows == ()


async def test_what_makes_no_sense_is_refused_with_the_rule(api: ApiClient) -> None:
    with pytest.raises(NotFoundError, match="no portfolio"):
        await api.risk_measures("nobody")
    with pytest.raises(NotFoundError, match="no order"):
        await api.execution("O-99")
    with pytest.raises(InvalidRequestError, match="is not a shock"):
        await api.stress(shocks=("equity",))
    with pytest.raises(InvalidRequestError, match="no scenario"):
        await api.stress(scenario="1929")
    with pytest.raises(InvalidRequestError, match="confidence"):
        await api.risk_measures(confidence=2.0)
    with pytest.raises(InvalidRequestError, match="no method"):
        await api.risk_measures(method="guess")
    with pytest.raises(InvalidRequestError):
        await api.aggregate(())


async def test_the_paths_answer_as_the_document_says(api: ApiClient, stack: Stack) -> None:
    transport = httpx.AsyncHTTPTransport(uds=str(stack.home.daemon_socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://daemon", timeout=30) as plain:
        for path, kind in (
            ("analytics/health", "analytics_health"),
            ("analytics/performance/portfolio", "performance"),
            (f"analytics/risk/{ENGINE}", "risk_measures"),
            ("analytics/execution/O-1", "execution"),
            ("risk/measures", "risk_measures"),
            ("risk/stress?shock=rates%3D%2B100bp", "stress"),
            ("risk/exposures", "exposures"),
        ):
            response = await plain.get(f"/api/v1/{path}")
            assert response.status_code == 200, response.text
            body = response.json()
            assert body["type"] == kind
            assert body["ts"].endswith("Z")
        document = (await plain.get("/api/v1/openapi.json")).json()
        for path in ("risk/{portfolio_id}", "strategy/{strategy_id}", "execution/{execution_id}"):
            assert f"/api/v1/analytics/{path}" in document["paths"]


async def test_beta_is_to_the_market_of_the_engine_that_holds(api: ApiClient) -> None:
    """Every simulated engine has a market of its own: another's SPY says nothing about its AAPL."""
    await api.execute(StartEngine(engine="paper-2", instruments=INSTRUMENTS, seed=8))
    await send(api, "O-5", "SPY.SIM", "buy", 10, engine="paper-2")
    alone = {one.instrument: one.beta for one in (await api.exposures(ENGINE)).rows}
    together = {(one.engine, one.instrument): one.beta for one in (await api.exposures()).rows}
    assert together[ENGINE, "AAPL.SIM"] == pytest.approx(alone["AAPL.SIM"], abs=0.05)
    assert together["paper-2", "SPY.SIM"] == pytest.approx(1.0)
