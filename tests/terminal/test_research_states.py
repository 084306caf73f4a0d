"""What Research says when something is missing, at every size, in every theme, by every key."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from rich.cells import cell_len
from textual.binding import Binding

from data.problems import (
    NotConfiguredError,
    ProblemError,
    ProviderDownError,
    ProviderNotFoundError,
)
from nautilus_tui.client.stream import ConnectionChanged
from nautilus_tui.terminal.actions import ACTIONS, TAKEN_KEYS
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
    FactsOf,
    FilingsOf,
    HoldingsOf,
    InsidersOf,
    OneCompany,
)
from nautilus_tui.terminal.research_view import ResearchView
from nautilus_tui.terminal.theme import PALETTES
from nautilus_tui.terminal.workspaces.research import in_sight
from tests.terminal import scene
from tests.terminal import scene_research as told
from tests.terminal.desk import Desk, until
from tests.terminal.research_desk import (
    RESEARCH_PANES,
    SIZES,
    desk,
    in_front,
    open_research,
    read_annual_report,
    resize,
    settle,
    type_line,
)


async def test_without_an_identification_every_pane_says_what_to_set_at_every_size() -> None:
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
    async with app.run_test(size=SIZES[0]) as pilot:
        await open_research(app, pilot)
        for size in SIZES:
            await resize(app, pilot, size)
            for letter, pane in (("d", Filings), ("g", FactsTable), ("h", Insiders), ("j", Holdings)):
                if not app.query_one(pane).region.area:
                    await pilot.press("g", letter)
                    await settle(app, pilot)
                assert app.query_one(pane).region.area
                assert "NotConfigured: EDGAR asks who you are" in app.query_one(pane).empty, size
                assert "[providers.edgar] identity" in app.query_one(pane).empty, size
            await pilot.press("g", "s")
            await settle(app, pilot)
            assert "[providers.edgar] identity" in app.query_one(Overview).whole, size


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


@pytest.mark.parametrize("ascii_only", [False, True], ids=["unicode", "ascii"])
async def test_every_pane_can_be_gone_to_and_fills_its_lines_at_every_size(*, ascii_only: bool) -> None:
    app = desk(ascii=ascii_only)
    charted, plain = [*SIZES, (41, 12)], [(200, 24), (140, 24), (80, 60)]
    if ascii_only:  # other signs, in the same panes
        charted, plain = [(200, 60), (41, 12)], []
    async with app.run_test(size=SIZES[0]) as pilot:
        await open_research(app, pilot)
        for size in (*plain, *charted):
            app.view.research.metric = "revenue" if size in charted else None
            await resize(app, pilot, size)
            for letter, pane in zip("asdfghj", RESEARCH_PANES, strict=True):
                await pilot.press("g", letter)
                await until(pilot, partial(in_front, app, pane))
                assert app.query_one(f"#{pane}").region.width >= 40, (size, pane)
                app.changed()
                app.frame()
                require_whole_lines(app)


def require_whole_lines(app: Desk) -> None:
    for kind in (Companies, Overview, Filings, Insiders, Holdings, FactsTable, FactChart, Reader):
        shown = app.query_one(kind)
        width, height = shown.content_size
        for y in range(height if shown.region.area else 0):
            strip = shown.render_line(y)
            assert cell_len(strip.text) == strip.cell_length == width, (kind, app.size)


async def test_every_theme_has_what_the_panes_are_drawn_with() -> None:
    app = desk()
    async with app.run_test(size=(200, 60)) as pilot:
        reader = await read_annual_report(app, pilot)
        reader.filter = "company"
        app.mirror.apply_records([told.new_filing()])
        looks = set()
        for theme in sorted(PALETTES):
            app.use_theme(theme)
            await settle(app, pilot)
            looks.add(str(app.query_one(Filings).render_line(1)))
            for kind in (Companies, Overview, Filings, Insiders, FactsTable, FactChart, Reader):
                shown = app.query_one(kind)
                drawn = [shown.render_line(y).text for y in range(shown.content_size.height)]
                assert any(text.strip() for text in drawn) or not shown.region.area, (theme, kind)
        assert len(looks) > 1  # the theme was taken, not only named


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


def test_every_question_says_what_it_asks() -> None:
    questions: list[Question[Any]] = [*told.answers(), OneCompany("X"), HoldingsOf("X"), CompaniesLike("X")]
    for question in questions:
        assert question.words
    assert WhatIsDue() in questions
    assert DASH not in FactsOf("AAPL").words
    assert issubclass(NotConfiguredError, ProblemError)
