"""A company's figures, insiders, holdings, and its stock: each with its source."""

from __future__ import annotations

import msgspec

from data.problems import (
    NotConfiguredError,
    ProviderNotFoundError,
    QuotaExhaustedError,
)
from nautilus_tui.terminal.panes.research.factchart import FactChart
from nautilus_tui.terminal.panes.research.facts import FactsTable
from nautilus_tui.terminal.panes.research.filings import Filings
from nautilus_tui.terminal.panes.research.holdings import Holdings
from nautilus_tui.terminal.panes.research.insiders import Insiders
from nautilus_tui.terminal.panes.research.overview import Overview
from nautilus_tui.terminal.questions.research import (
    EarningsOf,
    FactsOf,
    HoldingsOf,
    InsidersOf,
    OneCompany,
    OverviewOf,
    QuoteOf,
)
from tests.terminal import scene
from tests.terminal import scene_research as told
from tests.terminal.desk import until
from tests.terminal.research_desk import asked, cells, desk, open_research, settle, type_line


async def test_figures_turn_between_years_and_quarters_first_filed_and_growth() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        await pilot.press("g", "g")
        facts = app.query_one(FactsTable)
        assert app.pane == "facts"
        assert [c.title.strip() for c in facts.columns][:3] == ["Metric", "FY2025", "FY2024"]
        assert cells(facts, "revenue|USD").startswith("Revenue  USD B 416.2  391.0  383.3 ")
        assert "123.2r" in cells(facts, "operating_income|USD")
        assert "r restated" in facts.ribbon
        await pilot.press("v")
        await settle(app, pilot)
        assert FactsOf("AAPL", "first_filed") in app.line.asked
        assert "123.2 " in cells(facts, "operating_income|USD")
        await pilot.press("w")
        await settle(app, pilot)
        assert "on a year before  % +6.4" in cells(facts, "revenue|USD:growth")
        await pilot.press("t")
        await settle(app, pilot)
        assert [c.title.strip() for c in facts.columns][1:3] == ["Q1 26", "Q4 25"]
        assert "102.5d" in cells(facts, "revenue|USD")
        await pilot.press("l", "l")
        assert facts.columns[1].title.strip() == "Q3 25"
        await pilot.press("h")
        assert facts.columns[1].title.strip() == "Q4 25"


async def test_enter_on_a_metric_shows_its_bars_which_follow_the_cursor() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        await pilot.press("g", "g", "enter")
        await settle(app, pilot)
        chart = app.query_one(FactChart)
        assert chart.region.area
        assert chart.title == "Revenue · USD B"
        assert "416.2" in chart.text
        assert chart.text.splitlines()[-1].split()[-1] == "FY2025"
        await pilot.press("j", "j", "j")
        await settle(app, pilot)
        assert chart.title == "Net income · USD B"
        await pilot.press("escape")
        await settle(app, pilot)
        assert not chart.region.area
        assert app.query_one(Insiders).region.area


async def test_a_metric_that_is_named_is_asked_for_and_charted() -> None:
    app = desk()
    first = told.facts().facts[0]
    inventory = msgspec.structs.replace(first, metric="inventory", label="Inventory")
    app.line.facts[FactsOf("AAPL", "restated", "inventory")] = msgspec.structs.replace(
        told.facts(), facts=(inventory,)
    )
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        await type_line(app, pilot, "facts AAPL inventory")
        assert app.query_one(FactChart).title == "Inventory · USD B"
        assert "Inventory" in cells(app.query_one(FactsTable), "inventory|USD")


async def test_a_company_without_such_figures_says_which_there_are() -> None:
    app = desk()
    quarters = tuple(f for f in told.facts().facts if f.period == "quarter")
    app.line.facts[FactsOf("AAPL", "restated")] = msgspec.structs.replace(told.facts(), facts=quarters)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        facts = app.query_one(FactsTable)
        assert facts.empty == "It reports no annual figures. t shows quarterly ones."
        app.looking.focus("facts")
        await pilot.press("t")
        await settle(app, pilot)
        assert facts.row_count == 3


# ---------------------------------------------------------------- insiders and holdings


async def test_insiders_say_what_they_did_and_every_part_of_the_company_has_its_own_source_and_age() -> None:
    app = desk()
    async with app.run_test(size=(200, 60)) as pilot:
        await open_research(app, pilot)
        insiders = app.query_one(Insiders)
        rows = [" ".join(f"{c.text}{c.tail}" for c in row.cells) for row in insiders.rows]
        assert "2026-02-25 HALE CORWENA D officer: CEO ▼ sold in the market S -64,949 264.18 17.2M" in rows[0]
        assert "▲ bought in the market P +3,000 258.02 774.1k" in rows[4]
        assert "▲ exercised a derivative M derivative" in rows[5]
        assert "▼ gave away G -1,250 – – " in rows[3]
        assert [row.cells[3].style for row in insiders.rows][:5] == ["sell", "dim", "sell", "dim", "buy"]
        assert "▲ 1 bought 774.1k  ▼ 3 sold 30.0M   net -29.2M" in insiders.ribbon
        assert "of 30 filings" in insiders.ribbon
        assert "10b5" not in insiders.ribbon
        overview = app.query_one(Overview)
        assert overview.title == "Company · AAPL · SYNTHETIC"
        text = " ".join(overview.whole.split())
        assert "AAPL · Nasdaq · CIK 320193 Electronic Computers (SIC 3571) · CA" in text
        assert "fiscal year ends 26 Sep · 2,211 filings" in text
        assert "264.18 USD ▲ +1.66 +0.63% 2026-02-27" in text
        assert "Market cap 3.88T P/E 33.44" in text
        assert "next report 2026-04-30" in text
        assert "2025-12 2026-01-29 2.84 2.67 ▲ +6.4%" in text
        assert "2024-03 2024-05-02 1.48 1.50 ▼ -1.3%" in text
        assert text.count("3h") == 4  # price, figures, earnings, about


async def test_a_sale_that_tells_no_price_leaves_the_net_unsaid() -> None:
    app = desk()
    [first, *rest] = told.insiders().transactions
    silent = msgspec.structs.replace(first, price=None, value=None)
    app.line.facts[InsidersOf("AAPL")] = told.insiders(
        transactions=(silent, *rest), problems=("0001-26-1: BadPayload",)
    )
    async with app.run_test(size=(200, 60)) as pilot:
        await open_research(app, pilot)
        ribbon = app.query_one(Insiders).ribbon
        assert "3 sold 12.8M (1 untold)" in ribbon
        assert "net" not in ribbon
        assert "1 not read: 0001-26-1: BadPayload" in ribbon


async def test_holdings_of_a_manager_are_told_with_their_unit_and_quarter() -> None:
    app = desk()
    app.line.facts[HoldingsOf("1067983")] = told.holdings(value_unit="thousands", amendment="RESTATEMENT")
    async with app.run_test(size=(200, 60)) as pilot:
        await until(pilot, lambda: app.line.watched)
        await type_line(app, pilot, "holdings 1067983")
        holdings = app.query_one(Holdings)
        assert app.pane == "holdings"
        assert "BERKSHIRE HATHAWAY INC" in holdings.title
        assert "13F-HR of 2025-12-31, filed 2026-02-17" in holdings.ribbon
        assert "stated in thousands" in holdings.ribbon
        assert "restatement" in holdings.ribbon
        assert cells(holdings, "037833100SH").startswith("APPLE INC ×9 COM  66.6  33.5%")
        assert "Put" in cells(holdings, "023135106PutSH")
        assert app.view.research.company == "AAPL"


async def test_a_company_that_is_no_manager_is_told_so() -> None:
    app = desk()
    app.line.facts[HoldingsOf("AAPL")] = ProviderNotFoundError("no 13F-HR among the filings of AAPL")
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        assert asked(app, HoldingsOf) == []  # nobody looks at them
        await pilot.press("g", "j")
        await settle(app, pilot)
        assert app.pane == "holdings"
        assert "AAPL files no 13F reports" in app.query_one(Holdings).empty
        assert not app.query_one(Insiders).region.area


# ---------------------------------------------------------------- the company, and its stock


async def test_the_vendor_whose_requests_are_counted_is_asked_only_on_a_key() -> None:
    app = desk()
    app.mirror.facts.put_health(told.vendor(synthetic=False, ts=scene.NOW))
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        stocks = (QuoteOf, OverviewOf, EarningsOf)
        assert not any(isinstance(question, stocks) for question in app.line.asked)
        text = " ".join(app.query_one(Overview).whole.split())
        assert "a asks Alpha Vantage for price, key figures and earnings" in text
        assert "22 of 25 are left today" in text
        await pilot.press("a")
        await settle(app, pilot)
        assert {type(q) for q in app.line.asked if isinstance(q, stocks)} == set(stocks)
        assert "264.18" in app.query_one(Overview).whole


async def test_a_part_that_failed_says_why_and_the_others_stand() -> None:
    app = desk()
    fix = "set [providers.alpha_vantage] api_key"
    app.line.facts[QuoteOf("AAPL")] = QuotaExhaustedError(
        "25 of 25 requests are used", fix="wait for the reset"
    )
    app.line.facts[OverviewOf("AAPL")] = NotConfiguredError("no key", fix=fix)
    app.line.facts[EarningsOf("AAPL")] = NotConfiguredError("no key", fix=fix)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        text = " ".join(app.query_one(Overview).whole.split())
        assert "QuotaExhausted: 25 of 25 requests are used" in text
        assert "wait for the reset" in text
        assert text.count(fix) == 1
        assert "NotConfigured, as above." in text
        assert "Apple Inc." in text
        assert app.query_one(Filings).row_count == 20


async def test_a_company_without_a_ticker_has_no_stock_to_ask_about() -> None:
    app = desk()
    app.line.facts[OneCompany("1067983")] = told.company(cik=1067983, name="A Manager LP", tickers=())
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        await type_line(app, pilot, "research 1067983")
        assert "It has no ticker" in app.query_one(Overview).whole
        assert "A Manager LP" in app.query_one(Overview).title
        await pilot.press("a")
        assert QuoteOf("A MANAGER LP") not in app.line.asked
