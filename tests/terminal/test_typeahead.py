"""Keys that come in one piece, as they do over a slow line: each meets what the one before it left."""

from __future__ import annotations

import pytest
from textual import events
from textual.pilot import Pilot

from nautilus_tui.terminal.questions.research import CompaniesLike
from nautilus_tui.terminal.screens.jump import Jump
from nautilus_tui.terminal.screens.picker import Picker
from tests.terminal import scene_research
from tests.terminal.desk import Desk, until

SIZE = (120, 40)
_NAMED = {":": "colon", "/": "slash", " ": "space", "-": "minus"}


def at_once(app: Desk, *keys: str) -> None:
    """Type these before the terminal looks at the first of them."""
    for key in keys:
        sign = key if len(key) == 1 else None
        app.post_message(events.Key(_NAMED.get(key, key), sign))


async def at_research(pilot: Pilot[int]) -> Desk:
    app = pilot.app
    assert isinstance(app, Desk)
    await until(pilot, lambda: app.line.watched)
    await until(pilot, lambda: app.furnishing.there("research"))
    await pilot.press("3")
    await app.settled(pilot)
    return app


def desk() -> Desk:
    app = Desk()
    app.line.facts.update(scene_research.answers())
    return app


@pytest.mark.parametrize("pane", ["filings", "companies", "facts"])
async def test_a_line_is_typed_whole_though_it_came_in_one_piece(pane: str) -> None:
    async with desk().run_test(size=SIZE) as pilot:
        app = await at_research(pilot)
        app.looking.focus(pane)
        await pilot.pause()
        at_once(app, *":filings NVDA 10-K")
        await until(pilot, lambda: app.command_bar.field.value == ":filings NVDA 10-K")
        assert app.command_bar.field.has_focus
        assert app.view.research.forms == ()
        assert app.screen is app.screen_stack[0]


async def test_a_line_after_a_search_in_the_whole_reader_is_a_line() -> None:
    async with desk().run_test(size=SIZE) as pilot:
        app = await at_research(pilot)
        app.looking.focus("filings")
        await pilot.press("enter")
        await until(pilot, lambda: app.pane == "reader")
        at_once(app, "z", *"/risk", "enter", "escape", "escape", "escape", *":filings NVDA 10-K", "enter")
        await until(pilot, lambda: app.view.research.company == "NVDA")
        assert app.view.research.forms[:2] == ("10-K", "10-K/A")
        assert not isinstance(app.screen, Jump)
        await until(pilot, lambda: app.pane == "filings")


async def test_what_is_typed_behind_a_key_that_opens_a_field_goes_into_the_field() -> None:
    async with desk().run_test(size=SIZE) as pilot:
        app = await at_research(pilot)
        density = app.view.density
        at_once(app, *"sNVIDIA", "enter")
        await until(pilot, lambda: app.view.research.text == "NVIDIA")
        await until(pilot, lambda: CompaniesLike("NVIDIA") in app.line.asked)
        assert app.view.density == density


async def test_a_key_behind_an_entered_line_meets_what_the_line_did() -> None:
    async with desk().run_test(size=SIZE) as pilot:
        app = await at_research(pilot)
        at_once(app, *":filings AAPL", "enter", "t", ":", "escape", "2")
        await until(pilot, lambda: app.workspace == "macro")
        assert app.view.research.forms[:2] == ("10-K", "10-K/A")
        assert not app.command_bar.display


async def test_a_list_that_opens_takes_the_letters_typed_behind_its_key() -> None:
    async with desk().run_test(size=SIZE) as pilot:
        app = await at_research(pilot)
        at_once(app, "T", *"light", "enter")
        await until(pilot, lambda: app.theme == "light")
        assert not isinstance(app.screen, Picker)


async def test_keys_go_on_though_what_followed_one_is_lost() -> None:
    async with desk().run_test(size=SIZE) as pilot:
        app = await at_research(pilot)
        for _ in range(3):
            at_once(app, "?", "escape", "T", "escape", "g", "x")
        at_once(app, "2")
        await until(pilot, lambda: app.workspace == "macro")
        assert app.screen is app.screen_stack[0]


async def test_a_paste_goes_where_the_key_before_it_leads() -> None:
    async with desk().run_test(size=SIZE) as pilot:
        app = await at_research(pilot)
        at_once(app, ":")
        app.post_message(events.Paste("facts AAPL"))
        await until(pilot, lambda: app.command_bar.field.value == ":facts AAPL")
