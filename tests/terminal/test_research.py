"""The Research workspace as it is used: coming here, finding companies, the command line."""

from __future__ import annotations

from functools import partial

import pytest
from textual import events

from nautilus_tui.terminal.command_line import complete, parse
from nautilus_tui.terminal.panes.research.companies import Companies
from nautilus_tui.terminal.panes.research.filings import Filings
from nautilus_tui.terminal.panes.research.insiders import Insiders
from nautilus_tui.terminal.panes.research.overview import Overview
from nautilus_tui.terminal.panes.research.reader import Reader
from nautilus_tui.terminal.questions.research import (
    CompaniesLike,
    DocumentOf,
    FilingsOf,
)
from nautilus_tui.terminal.research_lines import ResearchLine
from nautilus_tui.terminal.research_view import symbol_asked
from nautilus_tui.terminal.widgets.table import LiveTable
from nautilus_tui.terminal.words import CommandLineError, Known
from tests.terminal import scene_research as told
from tests.terminal.desk import until
from tests.terminal.research_desk import (
    TENK,
    asked,
    cells,
    desk,
    in_front,
    open_research,
    said,
    settle,
    type_line,
)


async def test_it_opens_on_what_is_selected_in_trade_and_the_companies_looked_at_are_walked() -> None:
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


async def test_r_goes_from_trade_to_the_company() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.line.watched)
        for pane, key, company in (
            ("positions", "AAPL.SIM-EXTERNAL", "AAPL"),
            ("orders", "O-20260302-0018", "MSFT"),
            ("watchlist", "NVDA.SIM", "NVDA"),
        ):
            await pilot.press("1")
            app.looking.focus(pane)
            app.query_one(f"#{pane}", LiveTable).move_to(key)
            await pilot.pause()
            await pilot.press("R")
            await settle(app, pilot)
            assert app.workspace == "research"
            assert app.view.research.company == company
            assert app.pane == "filings"


def test_the_venue_is_not_part_of_the_symbol_but_a_share_class_is() -> None:
    assert [symbol_asked(i) for i in ("AAPL.SIM", "BRK.B", "BRK-B.SIM", "brk.b.SIM", "MSFT")] == [
        "AAPL",
        "BRK.B",
        "BRK-B",
        "BRK.B",
        "MSFT",
    ]


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
