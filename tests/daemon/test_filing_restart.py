"""New filings through a daemon that is killed in between, and what a real position makes of interest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from data import topics
from nautilus_tui.client.address import Address
from nautilus_tui.client.envelopes import Snapshot
from nautilus_tui.client.stream import Batch, StreamClient
from providers.settings import ProviderSettings
from tests.daemon.process import DaemonProcess
from tests.daemon.research import AGENT, Regulator
from tests.daemon.serve import Told

ENVIRONMENT = {"SEC_USER_AGENT": AGENT}


def look(daemon: DaemonProcess) -> str:
    """Let the daemon look for new filings now, whatever the hour; return what came of it."""
    response = daemon.post("/api/v1/nautilus-data/refresh", {"provider": "edgar"}, timeout=60)
    assert response.status_code == 200, response.text
    said: str = response.json()["data"]["edgar"]
    return said


async def told(daemon: DaemonProcess) -> list[str]:
    """Return the filings that whoever attaches is given."""
    async with StreamClient(Address.local(daemon.home), [topics.FILINGS]) as stream:
        async for event in stream:
            for envelope in event.envelopes if isinstance(event, Batch) else ():
                if isinstance(envelope.data, Snapshot):
                    return [record.accession for record in envelope.data.records]  # type: ignore[union-attr]  # they are filings
    raise AssertionError("the stream ended without a snapshot")


async def test_a_filing_is_told_once_by_a_daemon_that_is_killed_and_its_successor(tmp_path: Path) -> None:
    root = tmp_path / "home"
    with Regulator(dt.datetime.now(dt.UTC).date()) as regulator:
        wanted = Told(providers=regulator.settings)
        first = DaemonProcess(root, wanted, ENVIRONMENT)
        try:
            watched = first.post("/api/v1/edgar/watch", {"ticker": "AAPL"}, key="watch-1")
            assert watched.status_code == 200, watched.text
            assert (
                first.post("/api/v1/edgar/watch", {"ticker": "AAPL"}, key="watch-1").json() == watched.json()
            )
            assert look(first) == "0 new filings of 1 companies"
            early = regulator.file(320193, 2)
            assert look(first) == "1 new filings of 1 companies"
            assert look(first) == "0 new filings of 1 companies"
            assert await told(first) == [early]
        finally:
            first.kill()
        missed = regulator.file(320193, 3)
        second = DaemonProcess(root, wanted, ENVIRONMENT)
        try:
            assert await told(second) == [early]
            assert [one["ticker"] for one in second.get("/api/v1/edgar/watch")["items"]] == ["AAPL"]
            assert look(second) == "1 new filings of 1 companies"
            assert await told(second) == [early, missed]
            kept = [one["accession"] for one in second.get("/api/v1/edgar/filings", days=3660)["items"]]
            assert kept[:2] == [missed, early]
            assert second.get("/api/v1/edgar/statistics")["filings"] == len(kept) == 3
        finally:
            second.stop_all()


# ---------------------------------------------------------------- what is held


@pytest.fixture(scope="module")
def trading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    demo = Told(providers=ProviderSettings(profile="demo"))
    process = DaemonProcess(tmp_path_factory.mktemp("held") / "home", demo)
    try:
        started = process.post("/api/v1/nautilus/engine/start", {"instance_id": "paper-1", "seed": 11})
        assert started.status_code == 200, started.text
        order = {"instrument": "AAPL.SIM", "side": "buy", "qty": "100"}
        assert process.post("/api/v1/orders", order, "buy-1", wait="final").status_code == 200
        yield process
    finally:
        process.stop_all()


def test_an_open_position_makes_its_company_of_interest(trading: DaemonProcess) -> None:
    (company,) = trading.get("/api/v1/edgar/watch")["items"]
    assert (company["ticker"], company["held"], company["watched"]) == ("AAPL", ["AAPL.SIM"], False)
    assert "of 1 companies" in look(trading)
    due = trading.get("/api/v1/nautilus-data/due")
    assert due["held"] == ["AAPL.SIM"]
    assert due["problems"] == []
    for item in due["items"]:
        if item["kind"] in ("earnings", "filing"):
            assert item["instruments"] == ["AAPL.SIM"]


def test_health_of_data_tells_of_feeds_and_providers_alike(trading: DaemonProcess) -> None:
    health = trading.get("/api/v1/nautilus-data/health")
    (feed,) = health["feeds"]
    assert (feed["engine"], feed["feed"], feed["state"], feed["synthetic"]) == (
        "paper-1",
        "simulated",
        "ok",
        True,
    )
    assert [one["provider"] for one in health["providers"]] == ["fred", "alpha_vantage", "edgar"]
    assert all(one["synthetic"] for one in health["providers"])
    assert health["state"] == "ok"
