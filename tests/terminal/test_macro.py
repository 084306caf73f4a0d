"""The Macro workspace as one uses it: by keys and lines, with FRED answering, failing or not set up."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from data.commands import Outcome, RefreshProviders
from data.macro import MacroFactor, ReleaseDate
from nautilus_tui.client.envelopes import Envelope
from nautilus_tui.client.stream import Batch, ConnectionChanged
from nautilus_tui.terminal.command_line import complete, parse
from nautilus_tui.terminal.mirror import Mirror
from nautilus_tui.terminal.panes.macro.calendar import Calendar, Entry, countdown, entries
from nautilus_tui.terminal.panes.macro.factor_chart import FactorChart
from nautilus_tui.terminal.panes.macro.factors import Factors
from nautilus_tui.terminal.panes.macro.notice import NOTICE
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions import macro as ask
from nautilus_tui.terminal.screens.help import Help
from nautilus_tui.terminal.screens.jump import Jump
from nautilus_tui.terminal.screens.picker import Picker
from nautilus_tui.terminal.settings import TerminalSettings
from nautilus_tui.terminal.statements import MacroLine
from nautilus_tui.terminal.widgets.lines import Lines
from nautilus_tui.terminal.widgets.titled import Titled
from nautilus_tui.terminal.words import CommandLineError, Known
from tests.terminal import scene, scene_macro
from tests.terminal.desk import CONNECTED, Desk, until

PANES = ("factors", "factor_chart", "curve", "regime", "calendar")
REAL = scene_macro.stamp(synthetic=False)


def desk(given: scene_macro.Stamp = REAL, **settings: Any) -> Desk:
    plain = TerminalSettings(timeframe="5m", engine=scene.ENGINE, glow=False, **settings)
    app = Desk(settings=plain)
    app.line.facts.update(scene_macro.answers(given))
    return app


async def open_macro(app: Desk, pilot: Pilot[int]) -> None:
    await until(pilot, lambda: app.line.watched and app.mirror.connection.state == "connected")
    await pilot.press("2")
    await until(pilot, lambda: app.workspace == "macro")
    await app.settled(pilot)


async def say(pilot: Pilot[int], line: str) -> None:
    await pilot.press("colon", *("space" if c == " " else c for c in line), "enter")


def seen(app: Desk, pane: str) -> str:
    """What a pane shows, title included."""
    widget = app.query_one(f"#{pane}", Titled)
    return "\n".join(widget.render_line(y).text for y in range(widget.size.height))


def asked(app: Desk) -> set[Question[Any]]:
    return set(app.line.asked)


# ---------------------------------------------------------------- asking


async def test_nothing_is_asked_of_fred_before_the_workspace_is_looked_at_and_then_once() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.line.watched and app.mirror.connection.state == "connected")
        app.frame()
        assert app.line.asked == []
        await open_macro(app, pilot)
        wanted = {ask.Factors(), ask.Regime(), ask.YieldCurves(), ask.Releases(), ask.History("gdp_yoy", 10)}
        assert asked(app) == wanted
        assert len(app.line.asked) == len(wanted)
        await pilot.press("1", "2")
        await app.settled(pilot)
        assert len(app.line.asked) == len(wanted)


async def test_a_workspace_asked_for_before_it_is_made_is_gone_to_when_it_is() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        app.looking.workspace("macro")
        app.looking.focus("curve")
        await until(pilot, lambda: app.workspace == "macro" and app.pane == "factors")


async def test_what_was_asked_of_a_daemon_that_went_away_is_asked_of_the_next() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_macro(app, pilot)
        before = len(app.line.asked)
        app.line.events.put_nowait(ConnectionChanged("disconnected", scene.NOW))
        await until(pilot, lambda: app.mirror.connection.state == "disconnected")
        assert "2.31 %" in seen(app, "factors")
        app.line.events.put_nowait(CONNECTED)
        await until(pilot, lambda: len(app.line.asked) == 2 * before)


async def test_refresh_sends_a_command_and_asks_again_when_it_was_carried_out() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_macro(app, pilot)
        before = len(app.line.asked)
        await pilot.press("r")
        await until(pilot, lambda: app.line.commands)
        command, command_id = app.line.commands[0]
        assert command == RefreshProviders(provider="fred")
        assert len(app.line.asked) == before
        app.line.answers.put_nowait(
            Outcome(command_id=command_id, command="provider.refresh", outcome="done")
        )
        await until(pilot, lambda: len(app.line.asked) == 2 * before)
        await say(pilot, "macro refresh")
        await until(pilot, lambda: len(app.line.commands) == 2)


# ---------------------------------------------------------------- factors and their chart


async def test_the_cursor_charts_the_factor_under_it_and_enter_goes_to_the_chart() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_macro(app, pilot)
        assert "Real GDP, yoy" in seen(app, "factor_chart")
        await pilot.press("down", "down")
        await until(pilot, lambda: ask.History("retail_sales_yoy", 10) in asked(app))
        await app.settled(pilot)
        assert "Retail sales, yoy" in seen(app, "factor_chart")
        assert "2026-01  3.94 %" in seen(app, "factor_chart")
        await pilot.press("enter")
        await until(pilot, lambda: app.pane == "factor_chart")


async def test_years_are_walked_and_five_years_need_no_question_of_their_own() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_macro(app, pilot)
        before = len(app.line.asked)
        await pilot.press("[")
        await app.settled(pilot)
        assert "5 years" in seen(app, "factor_chart")
        assert "2016" not in seen(app, "factor_chart")
        assert len(app.line.asked) == before
        await pilot.press("]", "]")
        await until(pilot, lambda: ask.History("gdp_yoy", 20) in asked(app))
        await pilot.press("]", "]")
        await app.settled(pilot)
        assert "all years" in seen(app, "factor_chart")
        assert "recession" in seen(app, "factor_chart")
        await say(pilot, "macro years 10")
        await app.settled(pilot)
        assert "10 years" in seen(app, "factor_chart")


async def test_the_chart_reads_the_value_under_its_crosshair() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_macro(app, pilot)
        await pilot.press("g", "s")
        await until(pilot, lambda: app.pane == "factor_chart")
        await pilot.press("left", "left")
        values = scene_macro.walk("gdp_yoy", 10)
        day, value = values[-3]
        assert f"{day.year} Q{(day.month + 2) // 3}  {value:.2f} %" in seen(app, "factor_chart")
        await pilot.press(*["pageup"] * 9)
        assert f"{values[0][0].year} Q4  {values[0][1]:.2f} %" in seen(app, "factor_chart")
        await pilot.press("end")
        assert "2025 Q4  2.31 %" in seen(app, "factor_chart")


async def test_a_factor_that_failed_says_so_in_its_row_and_the_others_stand() -> None:
    app = desk()
    async with app.run_test(size=(200, 60)) as pilot:
        await open_macro(app, pilot)
        table = app.query_one(Factors)
        row = next(r for r in table.rows if r.key == "job_openings")
        assert "ProviderDown: JTSJOL did not answer within 10 s" in row.cells[-1].text
        assert "did not answer within 10 s" in seen(app, "factors")
        assert "1 failed" in table.subtitle
        assert sum(len(r.cells) == len(table.columns) for r in table.rows) == len(scene_macro.TABLE)
        assert "0.00" not in "".join(c.text for c in row.cells)


async def test_factors_are_filtered_by_group_or_name_and_ordered_by_any_column() -> None:
    app = desk()
    async with app.run_test(size=(200, 60)) as pilot:
        await open_macro(app, pilot)
        table = app.query_one(Factors)
        await pilot.press("slash", *"credit", "enter")
        assert [r.key for r in table.rows] == ["hy_spread", "nfci"]
        await pilot.press("slash", "escape")
        await until(pilot, lambda: len(table.rows) == len(scene_macro.TABLE) + 1)
        table.sort_by("z")
        scores = [r.cells[5].value for r in table.rows if len(r.cells) > 5]
        assert scores == sorted(scores, key=lambda z: float(z or 0))
        assert table.rows[-1].key == "job_openings"


async def test_a_factor_told_by_the_stream_is_shown_at_once() -> None:
    app = desk()
    async with app.run_test(size=(200, 60)) as pilot:
        await open_macro(app, pilot)
        known = next(f for f in scene_macro.factors(REAL) if f.id == "vix")
        told = msgspec.structs.replace(known, value=31.07, change=3.21, ts=known.ts + 1)
        app.line.events.put_nowait(Batch([_envelope(told)]))
        await until(pilot, lambda: "31.07" in seen(app, "factors"))
        assert "▲  +3.21" in seen(app, "factors")


def _envelope(factor: MacroFactor) -> Envelope:
    return Envelope(type="macro_update", topic="macro.factors", seq=1, ts=factor.ts, id=None, data=factor)


# ---------------------------------------------------------------- truth


async def test_synthetic_facts_are_marked_in_every_pane_and_real_ones_in_none() -> None:
    for stamp, marked in ((scene_macro.stamp(), True), (REAL, False)):
        app = desk(stamp)
        async with app.run_test(size=(120, 40)) as pilot:
            await open_macro(app, pilot)
            for pane in PANES:
                assert ("SYNTHETIC" in seen(app, pane).splitlines()[0]) is marked, pane
            assert ("FRED sandbox" in seen(app, "factors")) is marked


async def test_without_a_key_every_pane_says_what_to_set_and_how_to_look_around() -> None:
    app = desk()
    for question in list(app.line.facts):
        app.line.facts[question] = scene_macro.not_configured()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_macro(app, pilot)
        for pane in PANES:
            words = " ".join(seen(app, pane).split())
            assert "FRED_API_KEY" in words, pane
            assert "fred.stlouisfed.org" in words, pane
            assert "nautilus-tui --profile demo" in words.replace("nautilus- tui", "nautilus-tui"), pane
        assert not app.query_one(Factors).rows


async def test_a_provider_that_went_down_leaves_the_last_good_values_with_their_age() -> None:
    app = desk(scene_macro.stamp(synthetic=False, stale="ProviderDown"))
    async with app.run_test(size=(200, 60)) as pilot:
        await open_macro(app, pilot)
        for pane in PANES:
            title = seen(app, pane).splitlines()[0]
            assert "last good value · FRED · 3m · ! ProviderDown" in title, pane
        assert "27.86 idx!" in seen(app, "factors")


async def test_what_cannot_be_asked_again_keeps_standing_as_the_last_good_answer() -> None:
    app = desk()
    async with app.run_test(size=(200, 60)) as pilot:
        await open_macro(app, pilot)
        app.line.facts[ask.YieldCurves()] = scene_macro.down()
        app.mirror.facts.ask_again("macro")
        await app.settled(pilot)
        await until(pilot, lambda: "ProviderDown" in seen(app, "curve"))
        assert "last good value" in seen(app, "curve").splitlines()[0]
        assert "4.08" in seen(app, "curve")


@pytest.mark.parametrize("size", [(80, 24), (103, 30), (120, 40), (200, 60)])
async def test_freds_terms_ask_for_a_sentence_that_is_shown_whole(size: tuple[int, int]) -> None:
    app = desk()
    async with app.run_test(size=size) as pilot:
        await open_macro(app, pilot)
        notice = app.query_one("#notice", Lines)
        assert " ".join(notice.text.split()) == NOTICE
        assert notice.size.height == len(notice.text.splitlines())


# ---------------------------------------------------------------- as of


async def test_an_as_of_date_is_asked_with_shown_in_every_title_and_taken_back() -> None:
    app, day = desk(), dt.date(2024, 12, 1)
    then = scene_macro.stamp(synthetic=False, as_of=day)
    app.line.facts |= scene_macro.answers_as_of(day, then)
    old = app.line.facts[ask.Factors(day)]
    app.line.facts[ask.Factors(day)] = [
        msgspec.structs.replace(f, value=-1.25) if f.id == "gdp_yoy" else f for f in old
    ]
    async with app.run_test(size=(120, 40)) as pilot:
        await open_macro(app, pilot)
        await pilot.press("a")
        await pilot.press(*"2024-12-01", "enter")
        await app.settled(pilot)
        wanted = {ask.Factors(day), ask.Regime(day), ask.YieldCurves(day), ask.History("gdp_yoy", 10, day)}
        assert wanted <= asked(app)
        for pane in PANES[:4]:
            assert "AS OF 2024-12-01" in seen(app, pane).splitlines()[0], pane
        assert "of today, not as of then" in seen(app, "calendar")
        assert "-1.25" in seen(app, "factors")
        assert "2024 Q4" in seen(app, "factor_chart")
        assert "2025" not in seen(app, "factor_chart")
        await pilot.press("escape")
        await app.settled(pilot)
        assert "AS OF" not in "".join(seen(app, pane) for pane in PANES)
        assert "-1.25" not in seen(app, "factors").splitlines()[2]


# ---------------------------------------------------------------- lines


KNOWN = Known(factors=("slope_10y2y", "slope_10y3m", "vix"), series=("DGS10", "DGS2"), actions=("quit",))


@pytest.mark.parametrize(
    ("line", "statement"),
    [
        ("macro", MacroLine("show")),
        ("macro factor vix", MacroLine("factor", name="vix")),
        ("macro factor SLOPE_10Y3", MacroLine("factor", name="slope_10y3m")),
        ("macro series dgs10", MacroLine("series", name="DGS10")),
        ("macro series WALCL", MacroLine("series", name="WALCL")),
        ("macro as-of 2024-12-01", MacroLine("as-of", as_of=dt.date(2024, 12, 1))),
        ("macro as-of today", MacroLine("as-of")),
        ("macro years max", MacroLine("years", years=0)),
        ("macro years 20", MacroLine("years", years=20)),
        ("macro refresh", MacroLine("refresh")),
    ],
)
def test_lines_are_read_and_say_themselves_again(line: str, statement: MacroLine) -> None:
    assert parse(line, KNOWN) == statement
    assert parse(statement.text(), KNOWN) == statement


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("macro as-of yesterday", "not a date like 2024-12-01"),
        ("macro as-of 1850-01-01", "nothing is known of 1850-01-01"),
        ("macro factor slope", "type more of it"),
        ("macro factor nonsense", "not known"),
        ("macro series DGS-10", "not a series id"),
        ("macro frobnicate", "one of factor, series, as-of, years, refresh"),
        ("macro years 7", "one of 5, 10, 20, max"),
        ("macro refresh now", "one word too many"),
    ],
)
def test_a_line_that_means_nothing_says_what_could_stand_there(line: str, says: str) -> None:
    with pytest.raises(CommandLineError) as caught:
        parse(line, KNOWN)
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mac", ["macro"]),
        ("macro ", ["factor", "series", "as-of", "years", "refresh"]),
        ("macro factor s", ["slope_10y2y", "slope_10y3m"]),
        ("macro series DGS", ["DGS10", "DGS2"]),
        ("macro as-of ", ["today"]),
    ],
)
def test_lines_are_completed(line: str, words: list[str]) -> None:
    assert [c.word for c in complete(line, KNOWN)] == words


async def test_a_series_or_a_factor_is_charted_from_anywhere_by_its_line() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_macro(app, pilot)
        await pilot.press("1")
        await say(pilot, "macro series DGS10")
        await until(pilot, lambda: app.workspace == "macro")
        await app.settled(pilot)
        assert "Market Yield on U.S. Treasury" in seen(app, "factor_chart").splitlines()[0]
        await say(pilot, "macro factor vix")
        await app.settled(pilot)
        assert "VIX" in seen(app, "factor_chart").splitlines()[0]
        assert app.query_one(Factors).cursor_key == "vix"


# ---------------------------------------------------------------- the calendar


async def test_enter_on_a_release_charts_a_factor_that_it_brings() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_macro(app, pilot)
        await pilot.press("g", "g")
        await until(pilot, lambda: app.pane == "calendar")
        await pilot.press("down", "down")
        assert app.query_one(Calendar).cursor_key == "release:50:2026-03-06"
        await pilot.press("enter")
        await until(pilot, lambda: app.pane == "factor_chart")
        await app.settled(pilot)
        assert "Unemployment rate" in seen(app, "factor_chart")


async def test_what_is_due_for_what_is_held_leads_to_the_series_and_to_the_filing() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_macro(app, pilot)
        await pilot.press("c", "c")
        await app.settled(pilot)
        shown = seen(app, "calendar")
        assert "due for what is held" in shown
        assert "10-Q Apple Inc." in shown
        assert "! NotConfigured: ALPHAVANTAGE_API_KEY is not set" in " ".join(shown.split())
        await pilot.press("g", "g", "enter")
        await until(pilot, lambda: app.workspace == "research")
        await until(pilot, lambda: "0000320193-26-000013" in repr(app.view.research))


async def test_releases_are_in_order_with_their_weight_and_their_time_in_new_york() -> None:
    app = desk()
    async with app.run_test(size=(200, 60)) as pilot:
        await open_macro(app, pilot)
        found = entries(app.mirror, app.view)
        assert [e.date for e in found] == sorted(e.date for e in found)
        assert {e.importance for e in found} == {"high", "medium"}
        await pilot.press("c")
        await app.settled(pilot)
        rows = {r.key: [c.text for c in r.cells] for r in app.query_one(Calendar).rows}
        assert rows["release:50:2026-03-06"][:6] == [
            "●",
            "3d22h",
            "Fri 06 Mar",
            "08:30",
            "13:30Z",
            "Employment Situation",
        ]
        # After the clocks change in New York the same hour there is another in UTC.
        assert rows["release:10:2026-03-11"][3:5] == ["08:30", "12:30Z"]
        assert rows["release:321:2026-03-12"][1:5] == ["10d", "Thu 12 Mar", "–", "–"]
        assert rows["release:54:2026-03-02"][1] == "1h ago"


@given(st.integers(-(10**7), 10**7))
def test_a_countdown_counts_down_to_its_moment(seconds: int) -> None:
    release = scene_macro.releases()[0]
    at = scene.NOW + seconds * scene.SECOND
    words, left = countdown(entry_of(msgspec.structs.replace(release, ts_release=at)), scene.NOW)
    assert left == seconds
    assert words.endswith("ago") is (seconds < 0)
    assert len(words) <= 8


def entry_of(release: ReleaseDate) -> Entry:
    """Return the line of the calendar of one release."""
    view, mirror = scene.view(), Mirror()
    mirror.facts.put_answer(ask.Releases(), [release], scene.NOW)
    return entries(mirror, view)[0]


# ---------------------------------------------------------------- getting about


async def test_on_a_small_screen_the_panes_share_a_place_and_jumping_brings_one_up() -> None:
    app = desk()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_macro(app, pilot)
        shown = [p for p in PANES if app.query_one(f"#{p}").region.area]
        assert shown == ["factors", "factor_chart"]
        await pilot.press("g")
        await until(pilot, lambda: isinstance(app.screen, Jump))
        await pilot.press("f")
        await until(pilot, lambda: app.pane == "regime")
        await until(pilot, lambda: app.query_one("#regime").region.area)
        assert not app.query_one("#factor_chart").region.area
        assert "DEFLATION" in seen(app, "regime")
        await pilot.press("g", "g")
        await until(pilot, lambda: app.query_one("#calendar").region.area)
        await pilot.press("z")
        await until(pilot, lambda: app.query_one("#calendar").region.height > 18)


async def test_help_and_palette_know_the_workspace() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        await open_macro(app, pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help))
        help_ = app.screen
        assert isinstance(help_, Help)
        titles = {line.title: line for line in help_._lines}
        assert titles["Show what was known on a date"].group == "In macro"
        assert titles["Show what is known today again"].disabled == "what is known today is shown"
        await pilot.press("x", "ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, Picker))
        await pilot.press(*"more years", "enter")
        await app.settled(pilot)
        assert app.view.macro.years == 20


async def test_a_viewer_looks_at_everything_and_refreshes_nothing() -> None:
    app = desk()
    async with app.run_test(size=(120, 40)) as pilot:
        app.line.events.put_nowait(ConnectionChanged("connected", scene.NOW, epoch="one", role="viewer"))
        await until(pilot, lambda: app.view.role == "viewer")
        await open_macro(app, pilot)
        assert "2.31 %" in seen(app, "factors")
        await pilot.press("r")
        await say(pilot, "macro refresh")
        await pilot.pause()
        assert app.line.commands == []
        assert any("needs the role" in n.message for n in app._notifications)


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (200, 60), (40, 12)])
@pytest.mark.parametrize("ascii_only", [False, True], ids=["unicode", "ascii"])
async def test_every_line_is_as_wide_as_its_pane_and_plain_in_ascii(
    size: tuple[int, int], ascii_only: bool
) -> None:
    app = desk(ascii=ascii_only)
    async with app.run_test(size=size) as pilot:
        await open_macro(app, pilot)
        for pane in (*PANES, "notice"):
            widget = app.query_one(f"#{pane}", Titled)
            for y in range(widget.content_size.height):
                strip = widget.render_line(y)
                assert strip.cell_length == widget.content_size.width
        chart = app.query_one(FactorChart)
        if ascii_only and chart.room.height > 5:
            assert not any(0x2800 <= ord(sign) < 0x2900 for sign in chart.text)
