"""Panes over the fixed scene: what they say, and that they say it at any size."""

from __future__ import annotations

import msgspec
import pytest
from rich.cells import cell_len

from nautilus_tui.terminal.glyphs import ASCII, UNICODE
from nautilus_tui.terminal.mirror import Connection, Mirror
from nautilus_tui.terminal.panes.account import Account
from nautilus_tui.terminal.panes.book import Book
from nautilus_tui.terminal.panes.chart import ChartPane
from nautilus_tui.terminal.panes.engines import Engines
from nautilus_tui.terminal.panes.feed import Feed
from nautilus_tui.terminal.panes.header import Header, status_line
from nautilus_tui.terminal.panes.logs import Logs
from nautilus_tui.terminal.panes.logstrip import LogStrip
from nautilus_tui.terminal.panes.orders import Orders
from nautilus_tui.terminal.panes.positions import Positions
from nautilus_tui.terminal.panes.watchlist import Watchlist
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import width_of
from nautilus_tui.terminal.widgets.table import LiveTable
from tests.terminal import scene
from tests.terminal.stage import Stage

PANES = (Header, Watchlist, ChartPane, Book, Orders, Positions, Account, Engines, Logs, LogStrip, Feed)


def text_of(table: LiveTable, key: str) -> str:
    row = next(r for r in table.rows if r.key == key)
    return " ".join(cell.text for cell in row.cells)


# ---------------------------------------------------------------- the status line


@pytest.mark.parametrize("width", range(40, 220, 7))
@pytest.mark.parametrize("engine", ["paper-1", "replay-fx", "paper-2", "ib-paper", None, "unheard-of"])
def test_the_status_line_fits_and_never_loses_where_one_is(width: int, engine: str | None) -> None:
    mirror, view = scene.mirror(), scene.view(engine=engine)
    line = status_line(mirror, view, UNICODE, width)
    assert width_of(line) <= width
    text = "".join(part for part, _ in line)
    status = mirror.engines.get(engine or "")
    if status is not None:
        assert f" {status.environment} " in text
        assert status.id in text
    if engine == "paper-1" and width >= 70:
        assert "+4,31" in text  # the day's profit, with or without decimals


def test_every_environment_has_its_own_colour() -> None:
    mirror = scene.mirror()
    keys = set()
    for environment in ("SIM", "REPLAY", "PAPER", "LIVE"):
        mirror.apply_records(
            [msgspec.structs.replace(scene.engines()[0], environment=environment, ts=scene.NOW + 1)]
        )
        line = status_line(mirror, scene.view(), UNICODE, 120)
        assert line[0][0] == f" {environment} "
        keys.add(line[0][1])
    assert len(keys) == 4


def test_a_lost_daemon_is_said_before_anything_of_the_feed() -> None:
    mirror = scene.mirror()
    lost = Connection("disconnected", scene.NOW - 12 * scene.SECOND, attempt=3)
    mirror.put_connection(lost)
    text = "".join(part for part, _ in status_line(mirror, scene.view(), UNICODE, 120))
    assert "no daemon 12s" in text
    assert "feed" not in text


def test_unknown_equity_is_a_dash() -> None:
    text = "".join(part for part, _ in status_line(Mirror(), View(engine="paper-1"), UNICODE, 120))
    assert "Equity –" in text


# ---------------------------------------------------------------- tables


async def test_the_watchlist_marks_what_is_stale_and_where_it_comes_from() -> None:
    app = Stage(scene.mirror(), scene.view())
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        table = app.query_one(Watchlist)
        assert table.row_count == 24
        assert "12s!" in text_of(table, "NVDA.SIM")
        assert next(r for r in table.rows if r.key == "NVDA.SIM").style == "stale"
        assert "187.52 ▲ +0.84" in text_of(table, "AAPL.SIM")
        assert "sim" in text_of(table, "AAPL.SIM")
        assert table.cursor_key == "AAPL.SIM"
        assert "SIM" in table.subtitle


async def test_the_cursor_follows_the_view_but_is_not_pulled_back() -> None:
    app = Stage(scene.mirror(), scene.view())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        table = app.query_one(Watchlist)
        table.focus()
        await pilot.press("j", "j")
        assert table.cursor_key == "NVDA.SIM"
        app.view.instrument = "MSFT.SIM"  # the first of the two steps, come back late
        app.feed()
        assert table.cursor_key == "NVDA.SIM"
        app.view.instrument = "NVDA.SIM"
        app.feed()
        assert table.cursor_key == "NVDA.SIM"
        app.view.instrument = "ES.SIM"  # chosen elsewhere
        app.feed()
        assert table.cursor_key == "ES.SIM"


async def test_orders_say_what_they_are_and_why_they_were_denied() -> None:
    app = Stage(scene.mirror(), scene.view())
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        table = app.query_one(Orders)
        assert [r.cells[0].text for r in table.rows][:4] == [
            "cancelling",
            "part filled",
            "working",
            "working",
        ]
        assert "notional 4,518,850.00 exceeds" in text_of(table, "O-20260302-0017")
        app.view.order_scope = "working"
        app.feed()
        assert table.row_count == 4
        app.view.order_scope = "today"
        app.view.now_ns += 2 * 86_400 * scene.SECOND
        app.feed()
        assert table.row_count == 4  # yesterday's are gone, what works stays


async def test_positions_and_engines_are_written_out() -> None:
    mirror = scene.mirror()
    app = Stage(mirror, scene.view(), [Positions(), Engines()])
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        app.feed()
        positions, engines = app.query_one(Positions), app.query_one(Engines)
        assert "-2 5318.50 5312.25 +625.00" in text_of(positions, "ES.SIM-EXTERNAL")
        assert "gave up after 3 restarts" in text_of(engines, "ib-paper")
        assert "873 MB" in text_of(engines, "replay-fx")
        assert "9.2s!" in text_of(engines, "replay-fx")


async def test_empty_panes_say_why_and_what_helps() -> None:
    mirror = Mirror()
    app = Stage(mirror, View())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "No daemon is connected" in app.query_one(Watchlist).empty
        mirror.put_connection(Connection("connected", 1))
        app.feed()
        assert "Press 6" in app.query_one(Watchlist).empty
        mirror.apply_records([scene.engines()[2]])
        app.view.engine = "paper-2"
        app.feed()
        assert ":engine start paper-2" in app.query_one(Watchlist).empty
        assert "b buys" in app.query_one(Orders).empty
        assert "No instrument is selected" in app.query_one(ChartPane).text


# ---------------------------------------------------------------- lines


async def test_the_chart_reads_the_bar_under_its_crosshair() -> None:
    app = Stage(scene.mirror(), scene.view())
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        chart = app.query_one(ChartPane)
        chart.focus()
        bars = scene.bars()
        assert f"C {bars[-1].close}" in chart.text
        await pilot.press("left", "left")
        assert f"O {bars[-2].open}" in chart.text
        assert "2026-03-02 14:25" in chart.text
        await pilot.press(*["pageup"] * 30)
        assert f"C {bars[0].close}" in chart.text
        await pilot.press("end", "plus", "minus", "minus")
        assert f"C {bars[-1].close}" in chart.text
        app.view.timeframe = "1h"
        app.feed()
        assert "1h" in chart.title


async def test_a_chart_of_only_part_of_a_day_says_so_of_its_vwap() -> None:
    mirror = scene.mirror()
    mirror.bars.clear()
    mirror.put_bars(scene.ENGINE, "AAPL.SIM", "5m", scene.bars(count=20))
    app = Stage(mirror, scene.view())
    async with app.run_test(size=(200, 60)) as pilot:
        await pilot.pause()
        assert "VWAP from 12:55" in app.query_one(ChartPane).text


async def test_the_book_shows_the_spread_in_ticks_and_basis_points() -> None:
    app = Stage(scene.mirror(), scene.view())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        lines = app.query_one(Book).text.splitlines()
        assert len(lines) == 11
        assert "187.57" in lines[0]
        assert "0.02 2t 1.1 bp" in lines[5]
        assert "187.47" in lines[10]


async def test_logs_follow_filter_and_join_an_orders_own_events() -> None:
    mirror = scene.mirror()
    app = Stage(mirror, scene.view(), [Logs()])
    async with app.run_test(size=(100, 8)) as pilot:
        await pilot.pause()
        app.feed()
        logs = app.query_one(Logs)
        logs.focus()
        assert len(logs.shown) == 9  # the debug line is below the level
        assert logs.scroll_offset.y == logs.max_scroll_y
        await pilot.press("up")
        assert not logs.following
        mirror.apply_records([msgspec.structs.replace(scene.logs()[0], message="news", ts=scene.NOW)])
        app.feed()
        assert len(logs.shown) == 10
        assert logs.scroll_offset.y < logs.max_scroll_y
        await pilot.press("end")
        assert logs.following
        assert "news" in logs.render_line(7).text
        logs.filter = "ORDERFILLED"
        assert len(logs.shown) == 2
        logs.filter = ""
        app.view.log_order = "O-20260302-0011"
        app.feed()
        assert [line.component for line in logs.shown] == ["Gateway", "Gate", "Exec", "Order", "Order"]
        assert "fill buy 400 AAPL.SIM @ 186.91" in logs.shown[-1].message
        app.view.log_order, app.view.log_level = None, "error"
        app.feed()
        assert [line.level for line in logs.shown] == ["error"]


async def test_a_replay_shows_how_far_it_is_and_nothing_else_does() -> None:
    app = Stage(scene.mirror(), scene.view(), [Feed(), LogStrip()])
    async with app.run_test(size=(140, 10)) as pilot:
        await pilot.pause()
        app.feed()
        feed = app.query_one(Feed)
        assert not feed.display
        app.view.engine = "replay-fx"
        app.feed()
        await pilot.pause()
        app.feed()
        assert feed.display
        assert "REPLAY" in feed.text
        assert "paused 10× 2012-05-09" in " ".join(feed.text.split())
        assert "41%" in feed.text


# ---------------------------------------------------------------- every pane


@pytest.mark.parametrize("size", [(200, 60), (80, 24), (37, 9), (12, 4)])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("pane", PANES)
async def test_every_line_of_every_pane_is_as_wide_as_the_pane(
    pane: type[Watchlist], glyphs: object, size: tuple[int, int]
) -> None:
    shown = pane()
    app = Stage(scene.mirror(), scene.view(engine="replay-fx" if pane is Feed else "paper-1"), [shown])
    app.glyphs = glyphs  # type: ignore[assignment]  # one of two sets
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        app.feed()
        await pilot.pause()
        width, height = shown.content_size
        for y in range(height):
            strip = shown.render_line(y)
            assert cell_len(strip.text) == strip.cell_length == width
