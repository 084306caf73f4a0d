"""Facts on the streams: factors and health are conflated by what they are about, filings never are."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from data import topics
from data.companies import Filing
from data.facts import ProviderHealth, Record
from data.macro import MacroFactor, MacroRegime
from data.records import AnyRecord
from nautilus_tui.client.address import Address
from nautilus_tui.client.envelopes import Envelope, Snapshot
from nautilus_tui.client.stream import Batch, StreamClient
from tests.streams.serving import serving

DAY = dt.date(2026, 11, 20)
STAMP: dict[str, Any] = {"source": "fred", "as_of": DAY, "fetched_at": 1, "synthetic": False}


def factor(id_: str, value: float | None = 1.0, problem: str | None = None) -> MacroFactor:
    return MacroFactor(
        **STAMP,
        id=id_,
        title=id_,
        group="rates",
        unit="%",
        formula="as published",
        inputs=("X",),
        frequency="daily",
        value=value,
        observed=DAY,
        problem=problem,
        ts=1,
    )


def regime(growth: float) -> MacroRegime:
    return MacroRegime(
        **STAMP,
        quadrant="reflation",
        growth=growth,
        inflation=0.1,
        recession_probability=0.2,
        rule="r",
        ts=1,
    )


def filing(number: int) -> Filing:
    return Filing(
        **(STAMP | {"source": "edgar"}),
        cik=320193,
        company="Apple Inc.",
        accession=f"0000320193-26-{number:06}",
        form="8-K",
        form_title="Current report",
        filed=DAY,
    )


def health(provider: str, requests: int) -> ProviderHealth:
    return ProviderHealth(
        provider=provider,
        label=provider,
        state="ok",
        configured=True,
        synthetic=False,
        requests=requests,
        ts=1,
    )


@pytest.mark.parametrize("form", ["json", "msgpack"])
async def test_the_present_of_facts_is_the_latest_of_each(tmp_path: Path, form: str) -> None:
    async with serving(tmp_path) as service, service.unix(form=form) as client:
        old: list[AnyRecord] = [factor("a"), factor("b"), regime(1.0), health("fred", 1), health("edgar", 1)]
        service.bus.publish_records([*old, factor("a", 2.0), regime(2.0), health("fred", 2)])
        await client.subscribe(topics.MACRO, topics.REGIME, "providers.>")
        snapshots: dict[str, list[dict[str, Any]]] = {}
        while len(snapshots) < 4:
            envelope = await client.next("snapshot")
            snapshots[envelope["topic"]] = envelope["data"]["records"]
        assert {one["id"]: one["value"] for one in snapshots[topics.MACRO]} == {"a": 2.0, "b": 1.0}
        assert [one["growth"] for one in snapshots[topics.REGIME]] == [2.0]
        assert [one["requests"] for one in snapshots["providers.fred.health"]] == [2]
        assert [one["requests"] for one in snapshots["providers.edgar.health"]] == [1]
        assert all(one["as_of"] == "2026-11-20" for one in snapshots[topics.MACRO])


async def test_filings_come_one_by_one_after_those_the_store_knows(tmp_path: Path) -> None:
    known: list[Record] = [filing(1), filing(2)]

    def stored(topic: str) -> list[Record]:
        return known if topic == topics.FILINGS else []

    async with serving(tmp_path, store=stored) as service, service.unix() as client:
        service.bus.declare(topics.FILINGS)
        await client.subscribe(topics.FILINGS)
        snapshot = await client.next("snapshot", topics.FILINGS)
        assert len(snapshot["data"]["records"]) == 2
        for number in range(3, 103):
            service.bus.publish_records([filing(number)])
        got = [await client.next("filing") for _ in range(100)]
        assert [one["seq"] for one in got] == list(range(1, 101))
        assert [one["data"]["accession"] for one in got] == [filing(n).accession for n in range(3, 103)]


async def test_the_client_hands_facts_on_as_records(tmp_path: Path) -> None:
    sent: list[AnyRecord] = [
        factor("a"),
        factor("b", None, "ProviderDown: no answer"),
        regime(1.0),
        filing(1),
        health("fred", 1),
    ]
    async with serving(tmp_path) as service:
        address = Address(socket=service.path)
        wanted = (topics.MACRO, topics.REGIME, topics.FILINGS, topics.provider_health("fred"))
        received: list[Envelope] = []
        async with StreamClient(address, wanted) as client:
            service.bus.publish_records(sent)
            async for event in client:
                if isinstance(event, Batch):
                    received += [one for one in event.envelopes if isinstance(one.data, Snapshot)]
                if len(received) == len(wanted):
                    break
    records = [record for one in received for record in one.data.records]
    assert sorted(map(repr, records)) == sorted(map(repr, sent))


def test_everyone_may_read_facts_and_only_filings_are_lossless() -> None:
    for topic in (topics.MACRO, topics.REGIME, topics.provider_health("alpha_vantage")):
        assert topics.delivery_of(topic) == "conflated"
        assert topics.may_read("viewer", topic)
    assert topics.delivery_of(topics.FILINGS) == "lossless"
    assert topics.may_read("viewer", topics.FILINGS)
