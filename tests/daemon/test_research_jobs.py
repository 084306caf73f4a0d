"""What is asked by the clock: when EDGAR takes filings, when the exchange opens, after which release."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from hypothesis import given
from hypothesis import strategies as st

from data import topics
from data.facts import ProviderHealth
from data.macro import MacroFactor, MacroRegime, ReleaseDate
from nautilus_tui.daemon.research.jobs import AFTER_RELEASE, times_to_ask
from nautilus_tui.daemon.research.sessions import NEW_YORK, edgar_accepts, is_business_day, is_session
from providers.settings import ProviderSettings
from tests.daemon.research import NOON, Parts
from tests.providers.replay import Replay

DEMO = ProviderSettings(profile="demo")


def there(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("moment", "accepts"),
    [
        ("2026-11-20T05:59:59", False),
        ("2026-11-20T06:00", True),
        ("2026-11-20T22:00", True),
        ("2026-11-20T22:00:01", False),
        ("2026-11-21T12:00", False),  # Saturday
        ("2026-11-22T12:00", False),  # Sunday
        ("2026-11-26T12:00", False),  # Thanksgiving
        ("2026-11-27T12:00", True),  # the exchange closes early, the regulator does not
        ("2026-10-12T12:00", False),  # Columbus Day: the exchange is open
        ("2026-07-03T12:00", False),  # Independence Day falls on a Saturday
        ("2026-03-09T21:30", True),  # the clocks have changed
    ],
)
def test_edgar_takes_filings_from_six_to_ten_on_business_days(moment: str, accepts: bool) -> None:
    assert edgar_accepts(there(moment)) is accepts
    assert edgar_accepts(there(moment).astimezone(dt.UTC)) is accepts


@pytest.mark.parametrize(
    ("day", "session", "business"),
    [
        ("2026-11-20", True, True),
        ("2026-11-21", False, False),
        ("2026-11-26", False, False),
        ("2026-04-03", False, True),  # Good Friday
        ("2026-10-12", True, False),  # Columbus Day
        ("2026-11-11", True, False),  # Veterans Day
        ("2026-12-25", False, False),
    ],
)
def test_the_exchange_and_the_government_have_holidays_of_their_own(
    day: str, session: bool, business: bool
) -> None:
    date = dt.date.fromisoformat(day)
    assert is_session(date) is session
    assert is_business_day(date) is business


def release(
    release_id: int, moment: dt.datetime | None, series: tuple[str, ...] = ("UNRATE",)
) -> ReleaseDate:
    return ReleaseDate(
        source="fred",
        as_of=NOON.date(),
        fetched_at=1,
        synthetic=False,
        release_id=release_id,
        name=f"Release {release_id}",
        date=(moment or NOON).date(),
        ts_release=None if moment is None else int(moment.timestamp()) * 10**9,
        importance="high",
        series=series,
    )


def test_releases_of_one_time_are_asked_for_together_some_minutes_later() -> None:
    at = there("2026-11-23T08:30")
    times = times_to_ask([release(1, at), release(2, at)], NOON)
    assert times == [at + after for after in AFTER_RELEASE]


def test_what_changes_none_of_our_series_or_has_no_time_is_not_waited_for() -> None:
    assert times_to_ask([release(1, None), release(2, NOON + dt.timedelta(hours=1), series=())], NOON) == []


@given(st.lists(st.integers(-10_000, 10_000), max_size=20))
def test_nothing_is_planned_for_the_past_or_twice(minutes: list[int]) -> None:
    releases = [release(n, NOON + dt.timedelta(minutes=m)) for n, m in enumerate(minutes)]
    times = times_to_ask(releases, NOON)
    assert times == sorted(set(times))
    assert all(moment > NOON for moment in times)


# ---------------------------------------------------------------- over the demo's twins


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    async with Parts(tmp_path / "home", DEMO) as made:
        made.now = dt.datetime.now(dt.UTC)  # the twins live today
        yield made


async def test_at_the_start_factors_and_regime_are_told_stored_and_planned(parts: Parts) -> None:
    scheduler = AsyncIOScheduler(timezone="UTC")
    parts.research.jobs.plan(scheduler)
    await parts.research.jobs.start()
    factors = parts.bus.state(topics.MACRO).records
    assert len(factors) >= 20
    assert all(isinstance(one, MacroFactor) and one.synthetic for one in factors)
    (regime,) = parts.bus.state(topics.REGIME).records
    assert isinstance(regime, MacroRegime)
    await parts.research.keeper.settled()
    stored = await parts.research.knowledge.factors("fred-sandbox", "unemployment", 10)
    assert [one.synthetic for one in stored] == [True]
    assert len(await parts.research.knowledge.regimes("fred-sandbox", 10)) == 1
    planned = {job.id for job in scheduler.get_jobs()}
    assert {"health of providers", "macro factors", "new filings", "plan releases"} <= planned


async def test_releases_are_planned_once_however_often(parts: Parts) -> None:
    scheduler = AsyncIOScheduler(timezone="UTC")
    parts.research.jobs.plan(scheduler)
    scheduler.start(paused=True)
    try:
        await parts.research.jobs.plan_releases()
        planned = {job.id for job in scheduler.get_jobs()}
        await parts.research.jobs.plan_releases()
        assert {job.id for job in scheduler.get_jobs()} == planned
    finally:
        scheduler.shutdown(wait=False)


async def test_providers_health_is_told_when_it_changes(parts: Parts) -> None:
    def told() -> list[ProviderHealth]:
        return [e.record for e in parts.told if isinstance(e.record, ProviderHealth)]

    await parts.research.health.tell()
    assert told() == []  # the providers are not open yet
    desk = await parts.research.providers.desk()
    await parts.research.health.tell()
    assert {one.provider for one in told()} == {"fred", "alpha_vantage", "edgar"}
    await parts.research.health.tell()
    assert len(told()) == 3
    await desk.fred.latest("UNRATE")
    await parts.research.health.tell()
    assert [(one.provider, one.state) for one in told()[3:]] == [("fred", "ok")]
    (snapshot,) = parts.bus.state(topics.provider_health("fred")).records
    assert snapshot == told()[-1]


async def test_on_holidays_nothing_is_asked_by_itself(parts: Parts) -> None:
    desk = await parts.research.providers.desk()
    parts.now = there("2026-11-26T12:00")
    await parts.research.jobs.hourly()
    await parts.research.jobs.after_yields()
    await parts.research.jobs.look()
    await parts.hold("AAPL.SIM")
    await parts.research.jobs.earnings()
    assert [health.requests for health in desk.health()] == [0, 0, 0]


async def test_the_calendar_of_earnings_is_asked_for_once_a_day_and_only_for_somebody(parts: Parts) -> None:
    desk = await parts.research.providers.desk()

    def requests() -> int:
        return next(one.requests for one in desk.health() if one.provider == "alpha_vantage")

    parts.now = there("2026-11-20T07:30")
    await parts.research.jobs.earnings()
    assert requests() == 0
    await parts.hold("AAPL.SIM")
    await parts.research.jobs.earnings()
    assert requests() == 1
    for _ in range(3):
        await parts.research.due.now()
        await parts.research.jobs.earnings()
    assert requests() == 1


async def test_without_credentials_the_clock_asks_nobody(tmp_path: Path) -> None:
    with Replay() as server:
        url = server.url
        settings = ProviderSettings(
            fred_url=url,
            alpha_vantage_url=url,
            edgar_data_url=url,
            edgar_www_url=url,
            edgar_efts_url=url,
        )
        async with Parts(tmp_path / "home", settings, watch=("AAPL",)) as parts:
            jobs = parts.research.jobs
            jobs.plan(AsyncIOScheduler(timezone="UTC"))
            for work in (
                jobs.start,
                jobs.hourly,
                jobs.after_yields,
                jobs.after_release,
                jobs.look,
                jobs.earnings,
            ):
                await work()
            assert server.requests == []
            states = {e.record.state for e in parts.told if isinstance(e.record, ProviderHealth)}
            assert states == {"not_configured"}
            assert not any(isinstance(e.record, MacroFactor) for e in parts.told)


# ---------------------------------------------------------------- what is due


async def test_what_is_due_names_what_is_held_and_is_in_order(parts: Parts) -> None:
    await parts.hold("AAPL.SIM")
    await parts.research.filings.watch("JPM")
    await parts.research.filings.look()
    due = await parts.research.due.now()
    assert due.held == ("AAPL.SIM",)
    assert due.watched == ("JPM",)
    assert due.problems == ()
    assert [item.date for item in due.items] == sorted(item.date for item in due.items)
    assert {item.kind for item in due.items} >= {"release", "filing"}
    assert all(item.synthetic and item.source.endswith("-sandbox") for item in due.items)
    for item in due.items:
        if item.kind == "filing":
            assert set(item.instruments) <= {"AAPL.SIM", "JPM"}
            assert item.reference


async def test_one_source_that_fails_leaves_what_the_others_have_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRED_API_KEY", "0123456789abcdef0123456789abcdef")
    with Replay({"*": (500, "text/plain", b"down")}) as server:
        url = server.url
        settings = ProviderSettings(fred_url=url, deadline_s=5)
        async with Parts(tmp_path / "home", settings, watch=("AAPL",)) as parts:
            due = await parts.research.due.now()
    assert due.items == ()
    named = {problem.split(": ")[0]: problem.split(": ")[1] for problem in due.problems}
    assert named["earnings"] == "NotConfigured"
    assert named["releases"] == "ProviderDown"


async def test_answers_are_stored_once(parts: Parts) -> None:
    desk = await parts.research.providers.desk()
    facts = await desk.edgar.facts("AAPL", metric="revenue")
    keeper, knowledge = parts.research.keeper, parts.research.knowledge
    keeper.facts(facts, ("revenue",))
    keeper.facts(facts, ("revenue",))
    keeper.filings((await desk.edgar.filings("AAPL", limit=5)).filings)
    await keeper.settled()
    stored = await knowledge.facts("edgar-sandbox", facts.cik, limit=10_000)
    assert {msgspec.json.encode(one) for one in stored} == {msgspec.json.encode(one) for one in facts.facts}
    counted = await knowledge.statistics("edgar-sandbox", 1)
    assert (counted.filings, counted.facts, counted.companies) == (5, len(facts.facts), 1)
