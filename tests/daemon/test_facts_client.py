"""The public client's questions about facts, to a real daemon: each method is answered with its records."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from data import topics
from data.commands import RefreshProviders, UnwatchCompany, WatchCompany
from data.facts import Record
from data.problems import ProviderNotFoundError
from nautilus_tui.client.address import Address
from nautilus_tui.client.api import ApiClient
from nautilus_tui.client.envelopes import Snapshot
from nautilus_tui.client.stream import Batch, StreamClient
from providers.settings import ProviderSettings
from tests.daemon.facts import CIK, TICKER, facts_in
from tests.daemon.process import DaemonProcess
from tests.daemon.serve import Told

DAY = dt.date(2024, 1, 31)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    told = Told(providers=ProviderSettings(profile="demo"), watch=("KO",))
    process = DaemonProcess(tmp_path_factory.mktemp("client") / "home", told)
    try:
        yield process
    finally:
        process.stop_all()


@pytest.fixture
async def api(daemon: DaemonProcess) -> AsyncIterator[ApiClient]:
    async with ApiClient(Address.local(daemon.home)) as client:
        yield client


@pytest.mark.parametrize(
    "ask",
    [
        lambda api: api.provider_health(),
        lambda api: api.data_health(),
        lambda api: api.due(),
        lambda api: api.macro_factors(),
        lambda api: api.macro_factors(DAY),
        lambda api: api.factor_history("unemployment", years=3),
        lambda api: api.stored_factor("unemployment"),
        lambda api: api.macro_regime(DAY),
        lambda api: api.stored_regimes(),
        lambda api: api.regime_score(horizon_months=6),
        lambda api: api.yield_curves(DAY),
        lambda api: api.economic_calendar(days_ahead=30),
        lambda api: api.series_catalogue(),
        lambda api: api.series("DGS10", start=DAY),
        lambda api: api.series_latest("DGS10", DAY),
        lambda api: api.series_search("unemployment"),
        lambda api: api.stock_quote(TICKER),
        lambda api: api.daily(TICKER, full=True, adjusted=True),
        lambda api: api.intraday(TICKER, "15min"),
        lambda api: api.weekly(TICKER),
        lambda api: api.monthly(TICKER),
        lambda api: api.stock_search("apple"),
        lambda api: api.overview(TICKER),
        lambda api: api.earnings(TICKER),
        lambda api: api.estimates(TICKER),
        lambda api: api.statements(TICKER, "cash_flow"),
        lambda api: api.earnings_calendar(),
        lambda api: api.ipo_calendar(),
        lambda api: api.listings(status="delisted"),
        lambda api: api.dividends(TICKER),
        lambda api: api.splits("GOOGL"),
        lambda api: api.supported_functions(),
        lambda api: api.resolve("BRK/B"),
        lambda api: api.company(TICKER),
        lambda api: api.company(int(CIK)),
        lambda api: api.companies("apple"),
        lambda api: api.filings(TICKER, ["10-K", "10-Q"], limit=5),
        lambda api: api.facts(TICKER, "revenue", "annual", "first_filed"),
        lambda api: api.facts(TICKER, "revenue", "annual"),
        lambda api: api.stored_facts(int(CIK), "revenue"),
        lambda api: api.insiders(TICKER, limit=2),
        lambda api: api.holdings(1067983),
        lambda api: api.edgar_search("revenue", forms=("10-K",)),
        lambda api: api.current_filings(),
        lambda api: api.filing_types(),
        lambda api: api.filing_statistics(),
        lambda api: api.watched(),
    ],
)
async def test_each_question_is_answered(api: ApiClient, ask: Callable[[ApiClient], Awaitable[Any]]) -> None:
    found = await ask(api)
    assert found
    assert all(fact.synthetic and fact.source.endswith("-sandbox") for fact in facts_in(found))


async def test_a_long_list_is_fetched_page_by_page(api: ApiClient, daemon: DaemonProcess) -> None:
    whole = await api.earnings_calendar()
    first = daemon.get("/api/v1/alpha-vantage/earnings-calendar", limit=1)
    assert len(whole) > 1
    second = daemon.get("/api/v1/alpha-vantage/earnings-calendar", limit=1, cursor=first["next"])
    assert [first["items"][0]["symbol"], second["items"][0]["symbol"]] == [one.symbol for one in whole[:2]]


async def test_a_filing_is_read(api: ApiClient) -> None:
    filing = (await api.filings(TICKER, ("10-K",), limit=1)).filings[0]
    document = await api.filing_document(filing.cik, filing.accession)
    assert document.accession == filing.accession
    assert document.text


async def test_what_does_not_exist_is_raised_as_what_the_provider_said(api: ApiClient) -> None:
    with pytest.raises(ProviderNotFoundError) as caught:
        await api.resolve("ZZZZZ")
    assert caught.value.extra["error"] == "NotFound"


async def test_whoever_attaches_is_given_the_economy_as_it_is_known(daemon: DaemonProcess) -> None:
    wanted = {topics.MACRO, topics.REGIME, *(topics.provider_health(one) for one in ("fred", "edgar"))}
    known: dict[str, set[str]] = {}
    async with asyncio.timeout(60), StreamClient(Address.local(daemon.home), wanted) as stream:
        async for event in stream:
            for envelope in event.envelopes if isinstance(event, Batch) else ():
                data = envelope.data
                records = data.records if isinstance(data, Snapshot) else (data,)
                names = {getattr(one, "id", type(one).__name__) for one in records if isinstance(one, Record)}
                known.setdefault(envelope.topic, set()).update(names)
            if (
                wanted <= {topic for topic, names in known.items() if names}
                and len(known[topics.MACRO]) >= 20
            ):
                break


async def test_a_company_is_watched_until_it_is_not(api: ApiClient) -> None:
    watched = await api.execute(WatchCompany(ticker="brk.b"))
    assert watched.outcome == "done", watched
    assert watched.data["cik"] == "1067983"
    found = {one.ticker: one for one in await api.watched()}
    assert found["BRK-B"].watched
    assert found["BRK-B"].cik == 1067983
    assert found["KO"].watched  # the settings say so
    refused = await api.execute(UnwatchCompany(ticker="KO"))
    assert refused.problem is not None
    assert refused.problem.type == "conflict"
    assert (await api.execute(UnwatchCompany(ticker="BRK B"))).outcome == "done"
    assert "BRK-B" not in {one.ticker for one in await api.watched()}
    again = await api.execute(UnwatchCompany(ticker="BRK-B"))
    assert again.problem is not None
    assert again.problem.type == "not-found"


async def test_a_company_that_nobody_knows_is_not_watched(api: ApiClient) -> None:
    outcome = await api.execute(WatchCompany(ticker="ZZZZZ"))
    assert outcome.problem is not None
    assert outcome.problem.type == "provider-not-found"
    assert "ZZZZZ" not in {one.ticker for one in await api.watched()}


async def test_refreshing_asks_anew_once_per_id_and_is_audited(api: ApiClient, daemon: DaemonProcess) -> None:
    async def requests() -> int:
        return sum(one.requests for one in await api.provider_health())

    await api.macro_factors()
    before = await requests()
    command = RefreshProviders(provider="fred")
    first = await api.execute(command, command_id="refresh-1", timeout=60)
    assert first.outcome == "done", first
    assert "factors" in first.data["fred"]
    asked = await requests()
    assert asked > before
    again = await api.execute(command, command_id="refresh-1", timeout=60)
    assert again == first
    assert await requests() == asked
    posted = daemon.post("/api/v1/fred/cache/refresh", key="refresh-2", timeout=60)
    assert posted.status_code == 200, posted.text
    entries = daemon.get("/api/v1/audit", command="provider.refresh", limit=10)["items"]
    outcomes = [(e["command_id"], e["outcome"]) for e in entries if e["command_id"].startswith("refresh-")]
    assert sorted(outcomes) == [
        ("refresh-1", "done"),
        ("refresh-1", "started"),
        ("refresh-2", "done"),
        ("refresh-2", "started"),
    ]


async def test_refreshing_all_spends_nothing_that_is_counted_by_the_day(api: ApiClient) -> None:
    async def counted() -> int:
        return sum(one.requests for one in await api.provider_health() if one.quota_limit is not None)

    before = await counted()
    outcome = await api.execute(RefreshProviders(), timeout=60)
    assert outcome.outcome == "done", outcome
    assert set(outcome.data) == {"fred", "edgar"}
    assert await counted() == before


async def test_an_unknown_provider_is_refused(api: ApiClient) -> None:
    outcome = await api.execute(RefreshProviders(provider="oracle"))
    assert outcome.problem is not None
    assert outcome.problem.extra["field"] == "provider"
