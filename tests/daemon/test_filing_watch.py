"""New filings of what is held or watched: told once, to everyone, whatever happens in between."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from data import topics
from data.problems import (
    BadPayloadError,
    ConflictError,
    NotConfiguredError,
    NotFoundError,
    ProviderNotFoundError,
)
from tests.daemon.research import AGENT, Parts, Regulator

APPLE, BERKSHIRE = 320193, 1067983


@pytest.fixture
def regulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Regulator]:
    monkeypatch.setenv("SEC_USER_AGENT", AGENT)
    with Regulator() as made:
        yield made


@pytest.fixture
async def parts(tmp_path: Path, regulator: Regulator) -> AsyncIterator[Parts]:
    async with Parts(tmp_path / "home", regulator.settings) as made:
        yield made


async def test_what_is_there_at_the_first_look_is_no_news(parts: Parts, regulator: Regulator) -> None:
    await parts.research.filings.watch("AAPL")
    assert await parts.look() == []
    accession = regulator.file(APPLE, 2)
    assert await parts.look() == [accession]
    assert await parts.look() == []


async def test_news_travel_on_the_topic_of_filings_and_are_its_snapshot(
    parts: Parts, regulator: Regulator
) -> None:
    await parts.research.filings.watch("AAPL")
    await parts.look()
    accession = regulator.file(APPLE, 2)
    await parts.look()
    assert [event.topic for event in parts.told] == [topics.FILINGS]
    (filing,) = parts.bus.state(topics.FILINGS).records
    assert filing == parts.told[0].record
    assert (filing.accession, filing.company, filing.synthetic) == (accession, "Apple Inc.", False)  # type: ignore[attr-defined]  # it is a filing


async def test_news_are_told_once_also_after_a_restart(tmp_path: Path, regulator: Regulator) -> None:
    home = tmp_path / "home"
    async with Parts(home, regulator.settings) as first:
        await first.research.filings.watch("AAPL")
        await first.look()
        early = regulator.file(APPLE, 2)
        assert await first.look() == [early]
    missed = regulator.file(APPLE, 3)
    async with Parts(home, regulator.settings) as second:
        assert [r.accession for r in second.bus.state(topics.FILINGS).records] == [early]  # type: ignore[attr-defined]  # they are filings
        assert await second.look() == [missed]
        assert await second.look() == []
        assert [r.accession for r in second.bus.state(topics.FILINGS).records] == [early, missed]  # type: ignore[attr-defined]  # they are filings


async def test_what_is_held_is_watched_by_its_ticker(parts: Parts, regulator: Regulator) -> None:
    await parts.hold("AAPL.SIM", 1)
    await parts.hold("EURUSD.SIM", 2)
    await parts.hold("ESZ6.SIM", 3)
    (company,) = await parts.research.filings.companies()
    assert (company.ticker, company.held, company.watched, company.cik) == (
        "AAPL",
        ("AAPL.SIM",),
        False,
        None,
    )
    await parts.look()
    (company,) = await parts.research.filings.companies()
    assert (company.cik, company.name) == (APPLE, "Apple Inc.")
    assert company.ts_looked == int(parts.now.timestamp()) * 10**9
    accession = regulator.file(APPLE, 2)
    assert await parts.look() == [accession]


async def test_two_share_classes_are_one_company(parts: Parts, regulator: Regulator) -> None:
    await parts.hold("BRK B.NYSE", 1)
    await parts.research.filings.watch("brk/a")
    await parts.look()
    accession = regulator.file(BERKSHIRE, 2)
    assert await parts.look() == [accession]


async def test_one_companys_problem_does_not_keep_the_others_news_away(
    parts: Parts, regulator: Regulator
) -> None:
    await parts.research.filings.watch("AAPL")
    await parts.research.filings.watch("BRK-B")
    await parts.look()
    regulator.broken.add(APPLE)
    accession = regulator.file(BERKSHIRE, 2)
    hidden = regulator.file(APPLE, 2)
    assert await parts.look() == [accession]
    regulator.broken.clear()
    assert await parts.look() == [hidden]


async def test_a_ticker_that_the_regulator_does_not_know_says_so(parts: Parts) -> None:
    with pytest.raises(ProviderNotFoundError):
        await parts.research.filings.watch("ZZZZ")
    await parts.hold("ZZZZ.SIM")
    looked = await parts.research.filings.look()
    assert set(looked.problems) == {"ZZZZ"}
    (company,) = await parts.research.filings.companies()
    assert company.problem is not None
    assert company.problem.startswith("NotFound: ")


async def test_what_the_settings_name_is_watched_and_stays_so(tmp_path: Path, regulator: Regulator) -> None:
    async with Parts(tmp_path / "home", regulator.settings, watch=("brk.b",)) as parts:
        (company,) = await parts.research.filings.companies()
        assert (company.ticker, company.watched) == ("BRK-B", True)
        with pytest.raises(ConflictError, match="settings"):
            await parts.research.filings.unwatch("BRK B")


async def test_what_is_watched_no_longer_is_not_looked_at(parts: Parts, regulator: Regulator) -> None:
    await parts.research.filings.watch("AAPL")
    await parts.look()
    assert await parts.research.filings.unwatch("aapl") == "AAPL"
    regulator.file(APPLE, 2)
    assert await parts.look() == []
    with pytest.raises(NotFoundError):
        await parts.research.filings.unwatch("AAPL")
    await parts.research.filings.watch("AAPL")
    assert await parts.look() == []  # what came meanwhile is no news


async def test_without_an_identification_nothing_is_asked(
    tmp_path: Path, regulator: Regulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEC_USER_AGENT")
    async with Parts(tmp_path / "home", regulator.settings, watch=("AAPL", "BRK-B")) as parts:
        with pytest.raises(NotConfiguredError, match="SEC_USER_AGENT"):
            await parts.research.filings.watch("AAPL")
        looked = await parts.research.filings.look()
        assert list(looked.problems) == ["AAPL"]  # the next would fare no better
        assert regulator.server.requests == []


async def test_while_edgar_takes_nothing_nobody_is_asked(tmp_path: Path, regulator: Regulator) -> None:
    async with Parts(tmp_path / "home", regulator.settings, watch=("AAPL",)) as parts:
        for there in ("2026-11-20T05:59", "2026-11-20T22:01", "2026-11-21T12:00", "2026-11-26T12:00"):
            parts.now = dt.datetime.fromisoformat(f"{there}-05:00")
            await parts.research.jobs.look()
        assert regulator.server.requests == []
        parts.now = dt.datetime.fromisoformat("2026-11-20T06:00-05:00")
        await parts.research.jobs.look()
        assert regulator.server.asked(f"/submissions/CIK{APPLE:010}.json")


async def test_a_broken_list_is_a_typed_problem(parts: Parts, regulator: Regulator) -> None:
    await parts.research.filings.watch("AAPL")
    regulator.broken.add(APPLE)
    looked = await parts.research.filings.look()
    assert isinstance(looked.problems["AAPL"], BadPayloadError)
