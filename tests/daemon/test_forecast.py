"""Breach forecasts of a real daemon: too few samples say so, a restart keeps them, stream and CLI tell."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from data import topics
from data.limits import BreachForecast, ForecastScore, LimitStatus
from data.state import State
from data.use_store import MINUTE_NS, UseSample
from nautilus_tui.client import Address, ApiClient, Batch, StreamClient
from tests.cli.driving import CommandLine
from tests.daemon.process import DaemonProcess

LIMIT = "gross_exposure:portfolio:notional"
KEPT = 90


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("foretold") / "home"


@pytest.fixture
def daemon(root: Path) -> Iterator[DaemonProcess]:
    daemon = DaemonProcess(root)
    yield daemon
    daemon.stop_all()


async def told(
    daemon: DaemonProcess, topic: str, what: Callable[[object], bool], timeout: float = 60.0
) -> object:
    """Return the first record on a topic that is what is waited for."""
    async with asyncio.timeout(timeout), StreamClient(Address.local(daemon.home), [topic]) as stream:
        async for event in stream:
            for envelope in event.envelopes if isinstance(event, Batch) else ():
                if what(envelope.data):
                    return envelope.data
    raise AssertionError("the stream ended")


async def test_a_new_limit_has_too_few_samples_and_says_so(daemon: DaemonProcess) -> None:
    body = {"limit_type": "gross_exposure", "scope": "portfolio", "unit": "notional", "hard": "1000"}
    assert daemon.post("/api/v1/risk/limits", body).status_code == 200
    await told(daemon, topics.LIMITS, lambda one: isinstance(one, LimitStatus) and one.limit.id == LIMIT)
    (forecast,) = daemon.get("/api/v1/risk/forecast")["items"]
    assert (forecast["limit_id"], forecast["p5"], forecast["p240"]) == (LIMIT, None, None)
    assert forecast["model"] == "analytic first passage"
    assert forecast["reason"]


async def test_samples_of_before_are_forecast_from_at_once(root: Path) -> None:
    state = State(root / "state.duckdb")
    state.open()
    now = time.time_ns() // MINUTE_NS
    values = [40.0 * (at * 7 % 11) for at in range(KEPT)]
    await state.use.put(
        [
            UseSample(limit_id=LIMIT, minute=now - KEPT + at, value=value, limit=1000.0, worst=value / 1000.0)
            for at, value in enumerate(values)
        ]
    )
    state.close()
    daemon = DaemonProcess(root)
    try:
        found = await told(daemon, topics.FORECAST, lambda one: isinstance(one, BreachForecast))
        assert isinstance(found, BreachForecast)
        assert found.limit_id == LIMIT
        assert found.samples == KEPT - 1
        assert found.p5 is not None
        assert found.p30 is not None
        assert found.p240 is not None
        assert 0 <= found.p5 < found.p30 < found.p240 < 1
        assert found.drivers[0].effect != 0
        status = await told(
            daemon, topics.LIMITS, lambda one: isinstance(one, LimitStatus) and one.forecast is not None
        )
        assert isinstance(status, LimitStatus)
        assert float(status.forecast or 0) == pytest.approx(found.p240, abs=1e-6)
        async with ApiClient(Address.local(daemon.home)) as api:
            assert [one.limit_id for one in await api.breach_forecasts()] == [LIMIT]
            scores = await api.forecast_scores()
        assert [(one.place, one.minutes, one.forecasts) for one in scores[:3]] == [
            ("here", 5, 0),
            ("here", 30, 0),
            ("here", 240, 0),
        ]
        assert all(isinstance(one, ForecastScore) for one in scores)
        assert all(one.brier is None and one.reason for one in scores[:3])
        assert all(one.brier is not None and one.brier < (one.base_brier or 0) for one in scores[3:])
        cli = CommandLine(daemon.home)
        answer = (await asyncio.to_thread(cli, "--json", "risk", "forecast")).json
        assert answer["forecasts"][0]["p240"] == pytest.approx(found.p240)
        assert len(answer["scores"]) == len(scores)
        shown = await asyncio.to_thread(cli, "risk", "forecast")
        assert shown.code == 0, shown.err
        assert LIMIT in shown.out
        assert "model: analytic first passage" in shown.err
        assert "0 forecasts have come due" in shown.out
    finally:
        daemon.stop_all()
    state = State(root / "state.duckdb")
    state.open()
    assert len(await state.use.samples(1000)) >= KEPT
    state.close()
