"""The Research workspace as it is used: stories in keys, on a line whose other end the test plays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest
from rich.cells import cell_len
from textual import events
from textual.binding import Binding
from textual.pilot import Pilot

from data.problems import (
    BadPayloadError,
    NotConfiguredError,
    ProblemError,
    ProviderDownError,
    ProviderNotFoundError,
    QuotaExhaustedError,
)
from nautilus_tui.client.stream import ConnectionChanged
from nautilus_tui.terminal.actions import ACTIONS, TAKEN_KEYS
from nautilus_tui.terminal.command_line import complete, parse
from nautilus_tui.terminal.facts import Facts
from nautilus_tui.terminal.figures import DASH
from nautilus_tui.terminal.panes.research.companies import Companies
from nautilus_tui.terminal.panes.research.factchart import FactChart
from nautilus_tui.terminal.panes.research.facts import FactsTable
from nautilus_tui.terminal.panes.research.filings import Filings
from nautilus_tui.terminal.panes.research.holdings import Holdings
from nautilus_tui.terminal.panes.research.insiders import Insiders
from nautilus_tui.terminal.panes.research.overview import Overview
from nautilus_tui.terminal.panes.research.reader import Reader
from nautilus_tui.terminal.places import PANES
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.macro import WhatIsDue
from nautilus_tui.terminal.questions.research import (
    CompaniesLike,
    DocumentOf,
    EarningsOf,
    FactsOf,
    FilingsOf,
    HoldingsOf,
    InsidersOf,
    OneCompany,
    OverviewOf,
    QuoteOf,
)
from nautilus_tui.terminal.research_lines import ResearchLine
from nautilus_tui.terminal.research_view import ResearchView, symbol_asked
from nautilus_tui.terminal.screens.picker import Picker
from nautilus_tui.terminal.settings import TerminalSettings
from nautilus_tui.terminal.theme import PALETTES
from nautilus_tui.terminal.widgets.table import LiveTable
from nautilus_tui.terminal.words import CommandLineError, Known
from nautilus_tui.terminal.workspaces.research import in_sight
from tests.terminal import scene
from tests.terminal import scene_research as told
from tests.terminal.desk import Desk

SIZES = [(80, 24), (120, 40), (200, 60)]
TENK = told.filing(9)
RESEARCH_PANES = [pane for pane, place in PANES.items() if place == "research"]


def desk(**changes: object) -> Desk:
    """A desk at which everything of the scene is answered."""
    app = Desk(settings=TerminalSettings(timeframe="5m", engine=scene.ENGINE, glow=False, **changes))  # type: ignore[arg-type]  # settings by name
    app.line.facts.update(told.answers())
    app.mirror.facts.put_health(told.vendor())
    return app


async def until(pilot: Pilot[int], what: Callable[[], object]) -> None:
    """Let the application run until something is so; fail when it never is."""
    for _ in range(3000):
        if what():
            return
        await pilot.pause(0.005)
    raise AssertionError("it never came to be")


async def settle(app: Desk, pilot: Pilot[int]) -> None:
    """Let everything that is wanted be answered, and drawn."""
    await app.settled(pilot)
    app.changed()
    app.frame()
    await pilot.pause()


async def open_research(app: Desk, pilot: Pilot[int]) -> None:
    await until(pilot, lambda: app.line.watched)
    await pilot.press("3")
    await settle(app, pilot)


async def type_line(app: Desk, pilot: Pilot[int], text: str) -> None:
    app.looking.command(text)
    await pilot.press("enter")
    await settle(app, pilot)


def seen(table: LiveTable) -> str:
    return "\n".join(table.render_line(y).text for y in range(table.size.height))


def cells(table: LiveTable, key: str) -> str:
    return " ".join(f"{c.text}{c.tail}" for c in next(r for r in table.rows if r.key == key).cells)


def said(text: str) -> str:
    """Return text without the breaks of its lines."""
    return " ".join(text.split())


def in_front(app: Desk, pane: str) -> bool:
    """Say whether a pane has the focus and is seen."""
    return app.pane == pane and bool(app.query_one(f"#{pane}").region.area)


def asked(app: Desk, kind: type[Question[Any]]) -> list[Any]:
    return [question for question in app.line.asked if isinstance(question, kind)]


# ---------------------------------------------------------------- coming here, and finding companies


async def test_the_workspace_opens_on_what_is_selected_in_trade() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        assert app.view.research.company == "AAPL"
        assert app.pane == "filings"
        assert app.query_one(Filings).row_count == 20
        assert "Apple Inc." in app.query_one(Overview).whole
        await pilot.press("1", "3")
        assert app.pane == "filings"
        assert app.view.research.trail.places == ("AAPL",)


async def test_an_instrument_without_a_company_opens_on_nothing_and_says_what_helps() -> None:
    app = desk()
    app.view.instrument = "EURUSD.SIM"
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        assert app.view.research.company is None
        assert app.pane == "companies"
        assert ":research NVIDIA" in app.query_one(Filings).empty
        assert ":research NVIDIA" in said(app.query_one(Overview).whole)
        assert [row.key for row in app.query_one(Companies).rows][:3] == ["AAPL", "MSFT", "NVDA"]
        assert asked(app, FilingsOf) == []


async def test_typing_a_name_finds_companies_and_enter_opens_one() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        await pilot.press("s", *"app")
        await settle(app, pilot)
        companies = app.query_one(Companies)
        assert [row.key for row in companies.rows] == ["AAPL", "APLE", "APTV", "AMAT", "APO", "1067983"]
        assert cells(companies, "APTV").startswith("APTV +1 Aptiv PLC 1801169 NYSE")
        assert CompaniesLike("app") in app.line.asked
        await pilot.press("enter")
        assert app.pane == "companies"
        await pilot.press("end", "enter")
        await settle(app, pilot)
        assert app.view.research.company == "1067983"
        assert app.pane == "filings"
        assert FilingsOf("1067983") in app.line.asked
        await pilot.press("g", "a", "escape")
        await settle(app, pilot)
        assert app.view.research.text == ""
        assert companies.rows[0].key == "1067983"


async def test_the_question_is_asked_where_typing_rests_and_not_for_every_letter() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        await pilot.press("s", *"apple")
        await settle(app, pilot)
        assert CompaniesLike("apple") in app.line.asked
        assert len(asked(app, CompaniesLike)) < 5
        await pilot.press("escape")
        await settle(app, pilot)
        assert app.view.research.text == ""


async def test_back_and_forward_walk_the_companies_looked_at() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        await pilot.press("b")
        await pilot.pause()
        assert any("first company" in n.message for n in app._notifications)
        await type_line(app, pilot, "research nvda")
        assert app.view.research.company == "NVDA"
        await pilot.press("b")
        await settle(app, pilot)
        assert app.view.research.company == "AAPL"
        assert app.query_one(Filings).row_count == 20
        await pilot.press("B")
        await settle(app, pilot)
        assert app.view.research.company == "NVDA"


@pytest.mark.parametrize("pane", ["positions", "orders", "watchlist"])
async def test_r_goes_from_trade_to_the_company(pane: str) -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.line.watched)
        app.looking.focus(pane)
        table = app.query_one(f"#{pane}", LiveTable)
        key = {"positions": "AAPL.SIM-EXTERNAL", "orders": "O-20260302-0018", "watchlist": "NVDA.SIM"}[pane]
        table.move_to(key)
        await pilot.pause()
        await pilot.press("R")
        await settle(app, pilot)
        assert app.workspace == "research"
        assert app.view.research.company == {"positions": "AAPL", "orders": "MSFT", "watchlist": "NVDA"}[pane]
        assert app.pane == "filings"


def test_the_venue_is_not_part_of_the_symbol_but_a_share_class_is() -> None:
    assert [symbol_asked(i) for i in ("AAPL.SIM", "BRK.B", "BRK-B.SIM", "brk.b.SIM", "MSFT")] == [
        "AAPL",
        "BRK.B",
        "BRK-B",
        "BRK.B",
        "MSFT",
    ]


# ---------------------------------------------------------------- filings


async def test_filings_are_narrowed_by_group_and_by_text() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        filings = app.query_one(Filings)
        await pilot.press("right")
        await settle(app, pilot)
        assert {row.cells[1].text for row in filings.rows} == {"10-K"}
        await pilot.press("t", "t")
        await settle(app, pilot)
        assert {row.cells[1].text for row in filings.rows} == {"8-K"}
        assert "Results" in cells(filings, told.filing(5).accession)
        await pilot.press("h", "h", "h", "h")
        await settle(app, pilot)
        assert app.view.research.forms == ("DEF 14A", "DEFA14A", "PRE 14A", "DEFM14A")
        await pilot.press("escape")
        await settle(app, pilot)
        assert filings.row_count == 20
        await pilot.press("slash", *"quarterly", "enter")
        await settle(app, pilot)
        assert {row.cells[1].text for row in filings.rows} == {"10-Q"}


async def test_a_new_filing_of_the_stream_stands_first_and_is_marked() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        filings = app.query_one(Filings)
        other = msgspec.structs.replace(told.new_filing(), cik=1, accession="0000000001-26-000001")
        app.mirror.apply_records([told.new_filing(), other])
        app.frame()
        first = filings.rows[0]
        assert (first.key, first.cells[0].text) == (told.new_filing().accession, "●")
        assert filings.row_count == 21
        app.view.research.forms = ("10-K",)
        app.line.facts[FilingsOf("AAPL", ("10-K",))] = told.filings(("10-K",))
        await settle(app, pilot)
        assert all(row.cells[0].text != "●" for row in filings.rows)


async def test_an_incomplete_list_says_so() -> None:
    app = desk()
    app.line.facts[FilingsOf("AAPL")] = told.filings(
        complete=False, problems=("page 2 of 3: ProviderDown: no answer",)
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await open_research(app, pilot)
        assert "incomplete: page 2 of 3: ProviderDown" in app.query_one(Filings).ribbon


async def test_sizes_that_nobody_tells_take_no_room() -> None:
    app = desk()
    untold = tuple(msgspec.structs.replace(f, size=None) for f in told.filings().filings)
    app.line.facts[FilingsOf(told.WHO)] = told.filings(filings=untold)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        filings = app.query_one(Filings)
        assert "Size" not in seen(filings)
        filings.move_to(TENK.accession)
        app.line.facts[FilingsOf(told.WHO)] = told.filings()
        await pilot.press("r")
        await settle(app, pilot)
        assert "Size" in seen(filings)
        assert filings.cursor_key == TENK.accession


async def test_words_are_searched_for_in_the_text_of_filings_and_a_hit_is_read() -> None:
    app = desk()
    hit = DocumentOf("1045810", "0001045810-26-000024", "doc24.htm")
    app.line.facts[hit] = told.document(cik=1045810)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        await type_line(app, pilot, "search data center demand")
        filings = app.query_one(Filings)
        assert "data center demand" in filings.title
        assert "3 of 1,204" in filings.subtitle
        assert "NVIDIA CORP" in cells(filings, "0001045810-26-000024/doc24.htm")
        await pilot.press("enter")
        await settle(app, pilot)
        assert hit in app.line.asked
        assert app.pane == "reader"
        await pilot.press("escape", "escape")
        await settle(app, pilot)
        assert app.view.research.phrase == ""
        assert filings.row_count == 20


# ---------------------------------------------------------------- the reader


async def read_annual_report(app: Desk, pilot: Pilot[int]) -> Reader:
    await open_research(app, pilot)
    app.query_one(Filings).move_to(TENK.accession)
    await pilot.press("enter")
    await settle(app, pilot)
    return app.query_one(Reader)


async def test_enter_reads_a_filing_and_escape_goes_back_to_the_list_and_the_place_is_kept() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        reader = await read_annual_report(app, pilot)
        assert app.pane == "reader"
        assert "10-K 2025-10-31" in reader.title
        assert "FORM 10-K" in reader.text
        assert "www.sec.example/Archives" in reader.text
        assert not app.query_one(Filings).region.area
        await pilot.press("space", "d", "j")
        top = reader.top
        assert top.line > 0
        await pilot.press("escape")
        await settle(app, pilot)
        assert app.pane == "filings"
        assert app.query_one(Filings).cursor_key == TENK.accession
        await pilot.press("enter")
        await settle(app, pilot)
        assert reader.top == top
        assert len(asked(app, DocumentOf)) == 1


async def test_searching_within_a_document_walks_its_matches() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        reader = await read_annual_report(app, pilot)
        await pilot.press("slash", *"gross margin")
        assert "1 of 2" in reader.text
        await pilot.press("enter")
        assert app.pane == "reader"
        first = reader.top
        assert "Gross margin" in reader.text
        await pilot.press("n")
        assert "2 of 2" in reader.text
        assert reader.top >= first
        await pilot.press("n", "N")
        assert "2 of 2" in reader.text
        await pilot.press("slash", *"zebra", "enter")
        assert "no match" in reader.text
        await pilot.press("slash", "escape")
        assert "no match" not in reader.text


async def test_sections_are_jumped_between_and_picked() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        reader = await read_annual_report(app, pilot)
        lines = [line for _, line in told.document().sections]
        await pilot.press("]", "]")
        assert reader.top.line == lines[1]
        assert "section 2 of 4" in reader.text
        await pilot.press("[")
        assert reader.top.line == lines[0]
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, Picker))
        await pilot.press(*"item 7", "enter")
        await until(pilot, lambda: not isinstance(app.screen, Picker))
        assert reader.top.line == lines[2]
        await pilot.press("end")
        assert "100%" in reader.subtitle
        await pilot.press("home")
        assert reader.top.line == 0
        assert reader.section is None


async def test_a_truncated_document_says_so_where_one_reads_it() -> None:
    app = desk()
    app.line.facts[DocumentOf("AAPL", TENK.accession, TENK.document)] = told.document(truncated=True)
    async with app.run_test(size=(80, 24)) as pilot:
        reader = await read_annual_report(app, pilot)
        assert "TRUNCATED" in reader.text
        await pilot.press("end", "j")
        assert "The text is longer" in reader.text


async def test_z_gives_the_reader_the_whole_screen_and_escape_puts_it_back() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        reader = await read_annual_report(app, pilot)
        narrow = reader.region.width
        await pilot.press("z")
        await until(pilot, lambda: reader.region.width == 120)
        await pilot.press("escape")
        await settle(app, pilot)
        assert app.pane == "filings"
        await pilot.press("enter")
        await until(pilot, lambda: reader.region.width == narrow)


async def test_why_a_document_cannot_be_read_is_said_in_its_place() -> None:
    app = desk()
    app.line.facts[DocumentOf("AAPL", TENK.accession, TENK.document)] = BadPayloadError(
        "index.json is not JSON", rule="a folder has an index", fix="try another filing"
    )
    async with app.run_test(size=(120, 40)) as pilot:
        reader = await read_annual_report(app, pilot)
        assert "BadPayload: index.json is not JSON" in said(reader.text)
        assert "try another filing" in said(reader.text)
        app.line.facts[DocumentOf("AAPL", TENK.accession, TENK.document)] = told.document()
        await pilot.press("r")
        await settle(app, pilot)
        assert "FORM 10-K" in reader.text


# ---------------------------------------------------------------- figures


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


async def test_insiders_say_what_they_did_and_what_it_comes_to() -> None:
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


async def test_every_part_of_the_company_has_its_own_source_and_age() -> None:
    app = desk()
    async with app.run_test(size=(200, 60)) as pilot:
        await open_research(app, pilot)
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


# ---------------------------------------------------------------- states


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
async def test_without_an_identification_every_pane_says_what_to_set(size: tuple[int, int]) -> None:
    app = desk()
    problem = NotConfiguredError("EDGAR asks who you are", fix="set [providers.edgar] identity")
    questions = (
        OneCompany("AAPL"),
        FilingsOf("AAPL"),
        FactsOf("AAPL"),
        InsidersOf("AAPL"),
        HoldingsOf("AAPL"),
    )
    app.line.facts = dict.fromkeys(questions, problem)
    async with app.run_test(size=size) as pilot:
        await open_research(app, pilot)
        for letter, pane in (("d", Filings), ("g", FactsTable), ("h", Insiders), ("j", Holdings)):
            await pilot.press("g", letter)
            await settle(app, pilot)
            assert "NotConfigured: EDGAR asks who you are" in app.query_one(pane).empty
            assert "[providers.edgar] identity" in app.query_one(pane).empty
        await pilot.press("g", "s")
        await settle(app, pilot)
        assert "[providers.edgar] identity" in app.query_one(Overview).whole


async def test_the_last_good_list_is_kept_and_said_to_be_the_last_good_one() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        app.line.facts[FilingsOf("AAPL")] = ProviderDownError("503 from EDGAR", retry_after=30)
        await pilot.press("r")
        await settle(app, pilot)
        filings = app.query_one(Filings)
        assert filings.row_count == 20
        assert "last good value" in filings.subtitle
        assert "ProviderDown" in filings.subtitle


async def test_what_is_on_its_way_is_said_and_so_is_a_lost_daemon() -> None:
    app = desk()
    app.line.events.put_nowait(ConnectionChanged("disconnected", scene.NOW, 1, None, "the daemon is gone"))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.mirror.connection.state == "disconnected")
        await pilot.press("3")
        await pilot.pause()
        app.frame()
        assert "No daemon is connected" in app.query_one(Filings).empty
        assert app.line.asked == []
        asking = FilingsOf("AAPL")
        app.mirror.put_connection(msgspec_connected())
        app.mirror.facts.put_asking(asking)
        app.query_one(Filings).refresh_from(app.mirror, app.view)
        assert app.query_one(Filings).empty.startswith("Asking for the filings of AAPL")


def msgspec_connected() -> Any:
    from nautilus_tui.terminal.mirror import Connection

    return Connection("connected", scene.NOW)


async def test_a_ticker_that_nobody_has_is_said_and_names_like_it_are_offered() -> None:
    app = desk()
    app.line.facts[OneCompany("APP")] = ProviderNotFoundError("no company has the ticker APP")
    app.line.facts[CompaniesLike("app")] = told.companies()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        await type_line(app, pilot, "research app")
        assert "NotFound: no company has the ticker APP" in " ".join(app.query_one(Overview).whole.split())
        assert app.query_one(Companies).row_count == 6


# ---------------------------------------------------------------- sizes, signs and keys


@pytest.mark.parametrize(
    "size", [(200, 24), (140, 24), (80, 60), *SIZES], ids=lambda size: "x".join(map(str, size))
)
async def test_every_pane_can_be_gone_to_at_every_size(size: tuple[int, int]) -> None:
    app = desk()
    async with app.run_test(size=size) as pilot:
        await open_research(app, pilot)
        for letter, pane in zip("asdfghj", RESEARCH_PANES, strict=True):
            await pilot.press("g", letter)
            await until(pilot, partial(in_front, app, pane))
            assert app.query_one(f"#{pane}").region.width >= 40


@pytest.mark.parametrize("size", [*SIZES, (41, 12)], ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("ascii_only", [False, True], ids=["unicode", "ascii"])
async def test_every_line_is_as_wide_as_its_pane(size: tuple[int, int], *, ascii_only: bool) -> None:
    app = desk(ascii=ascii_only)
    async with app.run_test(size=size) as pilot:
        await open_research(app, pilot)
        app.view.research.metric = "revenue"
        for letter, pane in zip("asdfghj", RESEARCH_PANES, strict=True):
            await pilot.press("g", letter)
            await until(pilot, partial(in_front, app, pane))
            app.changed()
            app.frame()
            for kind in (Companies, Overview, Filings, Insiders, Holdings, FactsTable, FactChart, Reader):
                shown = app.query_one(kind)
                width, height = shown.content_size
                for y in range(height if shown.region.area else 0):
                    strip = shown.render_line(y)
                    assert cell_len(strip.text) == strip.cell_length == width, kind


@pytest.mark.parametrize("theme", sorted(PALETTES))
async def test_every_theme_has_what_the_panes_are_drawn_with(theme: str) -> None:
    app = desk()
    async with app.run_test(size=(200, 60)) as pilot:
        app.use_theme(theme)
        reader = await read_annual_report(app, pilot)
        reader.filter = "company"
        app.mirror.apply_records([told.new_filing()])
        await settle(app, pilot)
        for kind in (Companies, Overview, Filings, Insiders, FactsTable, FactChart, Reader):
            shown = app.query_one(kind)
            drawn = [shown.render_line(y).text for y in range(shown.content_size.height)]
            assert any(text.strip() for text in drawn) or not shown.region.area


async def test_texts_that_were_read_long_ago_are_forgotten() -> None:
    facts = Facts(lambda *_: None)
    for number in range(20):
        facts.put_answer(DocumentOf("AAPL", str(number)), told.document(), scene.NOW)
    facts.put_answer(OneCompany("AAPL"), told.company(), scene.NOW)
    kept = [number for number in range(20) if facts.answer(DocumentOf("AAPL", str(number))).value]
    assert kept == list(range(12, 20))


def test_which_panes_are_in_sight_is_never_nothing() -> None:
    for front in ("companies", "overview", "filings", "reader", "facts", "insiders", "holdings"):
        for is_open in (False, True):
            for size in ((40, 10), (80, 24), (120, 24), (80, 60), (120, 40), (200, 60)):
                view = ResearchView(front=front, open=is_open, metric="revenue")
                seen = in_sight(view, *size)
                assert seen & {"overview", "companies", "filings", "facts", "reader", "insiders", "holdings"}
                if size in ((80, 24), (40, 10)):
                    assert front in seen


def test_no_key_of_these_panes_is_taken_by_an_action_there_or_by_the_terminal() -> None:
    panes: dict[str, Any] = {
        "companies": Companies,
        "overview": Overview,
        "filings": Filings,
        "reader": Reader,
        "facts": FactsTable,
        "insiders": Insiders,
        "holdings": Holdings,
    }
    for pane, widget in panes.items():
        bindings = [
            b for cls in widget.__mro__ for b in cls.__dict__.get("BINDINGS", ()) if isinstance(b, Binding)
        ]
        own = {k.strip() for b in bindings for k in b.key.split(",") if b.id is not None}
        assert own
        assert own.isdisjoint(TAKEN_KEYS)
        for action in ACTIONS:
            if action.scope in ("anywhere", PANES[pane], pane):
                assert own.isdisjoint(action.keys), (pane, action.id, own & set(action.keys))


# ---------------------------------------------------------------- the command line

KNOWN = Known(companies=("AAPL", "NVDA", "APTV"), metrics=("revenue", "net_income"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("research", ResearchLine()),
        ("research nvidia corp", ResearchLine("research", "nvidia corp")),
        ("filings nvda 10-K", ResearchLine("filings", "NVDA", "10-K")),
        ("filings aapl schedule 13G", ResearchLine("filings", "AAPL", "SCHEDULE 13G")),
        ("facts AAPL revenue", ResearchLine("facts", "AAPL", "revenue")),
        ("facts AAPL", ResearchLine("facts", "AAPL")),
        ("insiders brk.b", ResearchLine("insiders", "BRK.B")),
        ("holdings 1067983", ResearchLine("holdings", "1067983")),
        ("search data center", ResearchLine("search", "data center")),
    ],
)
def test_lines_about_companies_are_read_and_say_themselves(line: str, said: ResearchLine) -> None:
    assert parse(line, KNOWN) == said
    assert parse(said.text(), KNOWN) == said


@pytest.mark.parametrize("line", ["filings", "insiders", "holdings", "facts", "search", "insiders AAPL MSFT"])
def test_lines_that_name_nobody_say_what_is_missing(line: str) -> None:
    with pytest.raises(CommandLineError):
        parse(line, KNOWN)


def test_companies_forms_and_metrics_are_completed() -> None:
    assert [c.word for c in complete("filings AP", KNOWN)] == ["APTV", "AAPL"]
    assert [c.word for c in complete("filings AAPL 10", KNOWN)] == ["10-K", "10-Q"]
    assert [c.word for c in complete("facts AAPL ", KNOWN)] == ["revenue", "net_income"]
    assert [c.word for c in complete("research N", KNOWN)] == ["NVDA"]


async def test_filings_of_a_company_by_form_are_one_line_away() -> None:
    app = desk()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_research(app, pilot)
        await pilot.press("1")
        await type_line(app, pilot, "filings AAPL 8-k")
        assert (app.workspace, app.pane) == ("research", "filings")
        assert {row.cells[1].text for row in app.query_one(Filings).rows} == {"8-K"}
        await type_line(app, pilot, "insiders AAPL")
        assert app.pane == "insiders"
        assert app.query_one(Insiders).row_count == 7


async def test_what_the_calendar_points_to_is_opened() -> None:
    app = desk()
    app.line.facts[DocumentOf("AAPL", TENK.accession)] = told.document()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.line.watched)
        app.research.open_filing("AAPL", TENK.accession)
        await settle(app, pilot)
        assert (app.workspace, app.pane) == ("research", "reader")
        assert "FORM 10-K" in app.query_one(Reader).text


def test_every_question_says_what_it_asks() -> None:
    questions: list[Question[Any]] = [*told.answers(), OneCompany("X"), HoldingsOf("X"), CompaniesLike("X")]
    for question in questions:
        assert question.words
    assert WhatIsDue() in questions
    assert DASH not in FactsOf("AAPL").words
    assert issubclass(NotConfiguredError, ProblemError)


async def test_keys_typed_ahead_of_the_letters_of_the_panes_do_no_harm() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_research(app, pilot)
        await pilot.press("g")
        for key in "gt":
            app.post_message(events.Key(key, key))
        await until(pilot, lambda: app.pane == "facts")
        await settle(app, pilot)
        assert app.is_running
        assert app.screen is app.screen_stack[0]
        assert (app.view.research.cadence, app.view.research.forms) == ("quarter", ())


async def test_a_line_said_before_the_workspace_is_there_is_done_when_it_is() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        app.research.say(ResearchLine("insiders", "AAPL"))
        await until(pilot, partial(in_front, app, "insiders"))
        await settle(app, pilot)
        assert app.query_one(Insiders).row_count == 7
