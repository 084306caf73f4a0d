"""What is known of the world: kept by source, found again after a restart, told as new once."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data import fold
from data.companies import CompanyFact, Filing
from data.database import Database
from data.knowledge import Knowledge, Watched
from data.macro import MacroFactor, MacroRegime
from data.problems import NotFoundError
from data.state import State

DAY = dt.date(2026, 11, 20)
T0 = int(dt.datetime(2026, 11, 20, 18, tzinfo=dt.UTC).timestamp()) * 10**9
SECOND = 10**9


def factor(**fields: Any) -> MacroFactor:
    facts: dict[str, Any] = {
        "source": "fred",
        "as_of": DAY,
        "fetched_at": T0,
        "synthetic": False,
        "id": "slope",
        "title": "Slope",
        "group": "rates",
        "unit": "pp",
        "formula": "DGS10 - DGS2",
        "inputs": ("DGS10", "DGS2"),
        "frequency": "daily",
        "value": 0.5,
        "observed": DAY - dt.timedelta(days=1),
        "ts": T0,
    }
    return MacroFactor(**(facts | fields))


def fact(**fields: Any) -> CompanyFact:
    facts: dict[str, Any] = {
        "source": "edgar",
        "as_of": DAY,
        "fetched_at": T0,
        "synthetic": False,
        "cik": 320193,
        "metric": "revenue",
        "taxonomy": "us-gaap",
        "tag": "Revenues",
        "label": "Revenues",
        "unit": "USD",
        "period": "quarter",
        "start": dt.date(2026, 7, 1),
        "end": dt.date(2026, 9, 30),
        "value": Decimal("12345678901234567890.12"),
        "fiscal_year": 2026,
        "filed": dt.date(2026, 11, 1),
        "form": "10-Q",
        "accession": "0000320193-26-000001",
        "view": "restated",
    }
    return CompanyFact(**(facts | fields))


def filing(number: int, filed: dt.date = DAY, **fields: Any) -> Filing:
    facts: dict[str, Any] = {
        "source": "edgar",
        "as_of": DAY,
        "fetched_at": T0,
        "synthetic": False,
        "cik": 320193,
        "company": "Apple Inc.",
        "accession": f"0000320193-26-{number:06}",
        "form": "8-K",
        "form_title": "Current report",
        "filed": filed,
    }
    return Filing(**(facts | fields))


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[State]:
    opened = State(tmp_path / "state.duckdb")
    opened.open()
    yield opened
    opened.close()


async def test_a_store_of_an_earlier_layout_is_brought_to_the_present_one(tmp_path: Path) -> None:
    earlier = Database(tmp_path / "state.duckdb")
    earlier.open(fold.prepare)
    await earlier.write(lambda tx: tx.run("INSERT INTO engine_specs VALUES ('paper-1', '{}')"))
    assert await earlier.read("SELECT 1 FROM information_schema.tables WHERE table_name = 'filings'") == []
    earlier.close()
    state = State(tmp_path / "state.duckdb")
    state.open()
    try:
        assert await state.engine_specs() == {"paper-1": "{}"}
        await state.knowledge.put_factors([factor()])
        assert await state.knowledge.factors("fred", "slope", 10) == [factor()]
    finally:
        state.close()


async def test_factors_are_kept_one_a_day_and_the_latest_told_counts(state: State) -> None:
    known = state.knowledge
    later = factor(value=0.7, fetched_at=T0 + SECOND)
    tomorrow = factor(value=0.9, as_of=DAY + dt.timedelta(days=1))
    assert await known.put_factors([factor(), tomorrow]) == 2
    await known.put_factors([later])
    assert await known.factors("fred", "slope", 10) == [tomorrow, later]
    assert await known.factors("fred", "slope", 1) == [tomorrow]


async def test_what_failed_or_is_stale_is_not_kept_as_a_fact(state: State) -> None:
    broken = factor(value=None, observed=None, problem="ProviderDown: no answer")
    assert await state.knowledge.put_factors([broken, factor(stale="ProviderDown")]) == 0
    with pytest.raises(NotFoundError, match="nothing is stored"):
        await state.knowledge.factors("fred", "slope", 10)


async def test_synthetic_and_real_never_meet(state: State) -> None:
    known = state.knowledge
    twin = factor(source="fred-sandbox", synthetic=True, value=9.0)
    await known.put_factors([factor(), twin])
    assert await known.factors("fred", "slope", 10) == [factor()]
    assert await known.factors("fred-sandbox", "slope", 10) == [twin]
    made_up = filing(1, source="edgar-sandbox", synthetic=True)
    await known.put_filings([filing(1), filing(2), made_up])
    await known.put_facts([fact(), fact(source="edgar-sandbox", synthetic=True, value=Decimal(1))])
    real, twins = await known.statistics("edgar", T0), await known.statistics("edgar-sandbox", T0)
    assert (real.filings, real.facts, real.synthetic) == (2, 1, False)
    assert (twins.filings, twins.facts, twins.synthetic) == (1, 1, True)
    assert await known.filings_since("edgar-sandbox", [320193], DAY) == [made_up]


async def test_regimes_are_kept_one_a_day(state: State) -> None:
    def regime(as_of: dt.date, growth: float, problem: str | None = None) -> MacroRegime:
        return MacroRegime(
            source="fred",
            as_of=as_of,
            fetched_at=T0,
            synthetic=False,
            quadrant="reflation",
            growth=growth,
            inflation=0.1,
            recession_probability=0.2,
            rule="r",
            problem=problem,
            ts=T0,
        )

    next_day = DAY + dt.timedelta(days=1)
    for one in (regime(DAY, 1.0), regime(DAY, 2.0), regime(next_day, 3.0), regime(next_day, 4.0, "no data")):
        await state.knowledge.put_regime(one)
    assert [r.growth for r in await state.knowledge.regimes("fred", 10)] == [3.0, 2.0]


async def test_figures_come_back_exactly_and_every_filing_of_one_is_kept(state: State) -> None:
    known = state.knowledge
    first = fact(view="first_filed", filed=dt.date(2026, 10, 1), value=Decimal("1.10"))
    derived = fact(derived="FY - Q1 - Q2 - Q3", value=Decimal(3))
    half = fact(period="ytd", start=dt.date(2026, 1, 1))
    await known.put_facts([fact(), first, derived, half])
    await known.put_facts([fact(), fact(stale="ProviderDown", filed=DAY)])
    kept = await known.facts("edgar", 320193, metric="revenue", limit=100)
    assert len(kept) == 4
    assert {fact(), first, derived, half} == set(kept)
    assert await known.facts("edgar", 320193, view="first_filed", limit=100) == [first]
    assert await known.facts("edgar", 320193, metric="net_income", limit=100) == []


async def test_many_figures_fit(state: State) -> None:
    start = dt.date(1990, 1, 1)
    many = [fact(start=start, end=start + dt.timedelta(days=n)) for n in range(1000)]
    await state.knowledge.put_facts(many)
    assert (await state.knowledge.statistics("edgar", T0)).facts == 1000


async def test_the_first_look_sets_the_mark_without_a_flood(state: State) -> None:
    known = state.knowledge
    assert await known.news("edgar", 320193, [filing(1), filing(2)], T0) == []
    assert await known.looked("edgar") == {320193: T0}
    assert await known.told_filings("edgar", 10) == []
    assert await known.news("edgar", 320193, [filing(3), filing(2), filing(1)], T0 + SECOND) == [filing(3)]
    assert await known.told_filings("edgar", 10) == [filing(3)]


async def test_a_filing_is_told_once_also_after_a_restart(tmp_path: Path) -> None:
    for expected in ([filing(2)], []):
        state = State(tmp_path / "state.duckdb")
        state.open()
        try:
            if expected:
                await state.knowledge.news("edgar", 320193, [filing(1)], T0)
            found = await state.knowledge.news("edgar", 320193, [filing(1), filing(2)], T0 + SECOND)
            assert found == expected
            assert await state.knowledge.told_filings("edgar", 10) == [filing(2)]
        finally:
            state.close()


async def test_a_filing_that_somebody_asked_for_is_still_news(state: State) -> None:
    known = state.knowledge
    await known.news("edgar", 320193, [filing(1)], T0)
    await known.put_filings([filing(1), filing(2)])
    assert await known.news("edgar", 320193, [filing(2)], T0 + SECOND) == [filing(2)]
    await known.put_filings([filing(2)])
    assert await known.news("edgar", 320193, [filing(2)], T0 + SECOND) == []


async def test_a_filing_of_two_companies_is_news_of_both(state: State) -> None:
    known = state.knowledge
    for cik in (1, 2):
        await known.news("edgar", cik, [], T0)
        assert len(await known.news("edgar", cik, [filing(1, cik=cik)], T0 + SECOND)) == 1


async def test_what_was_filed_long_before_the_last_look_is_no_news(state: State) -> None:
    known = state.knowledge
    await known.news("edgar", 320193, [filing(1)], T0)
    old = filing(2, filed=DAY - dt.timedelta(days=30))
    assert await known.news("edgar", 320193, [old, filing(3)], T0 + SECOND) == [filing(3)]


async def test_watching_twice_is_once_and_begins_with_a_new_mark(state: State) -> None:
    known = state.knowledge
    apple = Watched(ticker="AAPL", cik=320193, name="Apple Inc.", ts_added=T0)
    await known.watch("edgar", apple)
    await known.watch("edgar", apple)
    assert await known.watched("edgar") == [apple]
    assert await known.watched("edgar-sandbox") == []
    await known.news("edgar", 320193, [filing(1)], T0)
    await known.unwatch("edgar", "AAPL")
    with pytest.raises(NotFoundError, match="AAPL is not watched"):
        await known.unwatch("edgar", "AAPL")
    assert await known.news("edgar", 320193, [filing(1), filing(2)], T0 + SECOND) == []


async def test_statistics_count_what_is_held(state: State) -> None:
    known: Knowledge = state.knowledge
    empty = await known.statistics("edgar", T0)
    assert (empty.filings, empty.companies, empty.forms, empty.first_filed) == (0, 0, (), None)
    early = dt.date(2020, 2, 3)
    await known.put_filings([filing(1), filing(2), filing(3, filed=early, form="10-K"), filing(4, cik=7)])
    found = await known.statistics("edgar", T0)
    assert (found.filings, found.companies, found.facts) == (4, 2, 0)
    assert [(c.form, c.filings) for c in found.forms] == [("8-K", 3), ("10-K", 1)]
    assert (found.first_filed, found.last_filed) == (early, DAY)
