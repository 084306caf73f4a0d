"""Filings of a company: narrowed, searched for, told anew, and read."""

from __future__ import annotations

import msgspec

from data.problems import (
    BadPayloadError,
)
from nautilus_tui.terminal.panes.research.filings import Filings
from nautilus_tui.terminal.questions.research import (
    DocumentOf,
    FilingsOf,
)
from nautilus_tui.terminal.screens.picker import Picker
from tests.terminal import scene_research as told
from tests.terminal.desk import until
from tests.terminal.research_desk import (
    TENK,
    asked,
    cells,
    desk,
    open_research,
    read_annual_report,
    said,
    seen,
    settle,
    type_line,
)


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


async def test_a_filing_is_read_its_place_is_kept_and_z_gives_it_the_screen() -> None:
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
        narrow = reader.region.width
        await pilot.press("z")
        await until(pilot, lambda: reader.region.width == 120)
        await pilot.press("escape")
        await settle(app, pilot)
        assert app.pane == "filings"
        await pilot.press("enter")
        await until(pilot, lambda: reader.region.width == narrow)


async def test_sections_are_jumped_between_and_picked_and_matches_of_a_search_are_walked() -> None:
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


async def test_a_truncated_document_says_so_where_one_reads_it() -> None:
    app = desk()
    app.line.facts[DocumentOf("AAPL", TENK.accession, TENK.document)] = told.document(truncated=True)
    async with app.run_test(size=(80, 24)) as pilot:
        reader = await read_annual_report(app, pilot)
        assert "TRUNCATED" in reader.text
        await pilot.press("end", "j")
        assert "The text is longer" in reader.text


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
