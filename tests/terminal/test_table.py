"""The live table on a screen: cursor, filter, order, marks, and how little it paints."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.geometry import Region

from nautilus_tui.terminal.widgets.table import Cell, Column, LiveTable, Row
from tests.terminal import scene
from tests.terminal.stage import Stage

COLUMNS = (Column("name", "Name", "left", least=6), Column("last", "Last", least=8, glow=True))


class Table(Stage):
    """A table alone, which notes what it said and painted."""

    def __init__(self) -> None:
        super().__init__(scene.mirror(), scene.view())
        self.table = Watched(COLUMNS, empty="Nothing yet. b buys.")
        self.said: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def on_live_table_row_highlighted(self, event: LiveTable.RowHighlighted) -> None:
        self.said.append(("highlighted", event.key))

    def on_live_table_row_selected(self, event: LiveTable.RowSelected) -> None:
        self.said.append(("selected", event.key))


class Watched(LiveTable):
    """A table that notes which regions it wants painted."""

    painted: list[tuple[Region, ...]]

    def refresh(self, *regions: Region, **how: bool) -> Watched:  # type: ignore[override]  # the same, noted
        self.__dict__.setdefault("painted", []).append(regions)
        super().refresh(*regions, **how)
        return self


def rows(values: Sequence[float]) -> list[Row]:
    return [
        Row(f"k{i}", (Cell(f"name{i}", value=f"name{i}"), Cell(f"{v:.2f}", "up", v)))
        for i, v in enumerate(values)
    ]


async def test_only_the_row_that_changed_is_painted() -> None:
    app = Table()
    async with app.run_test(size=(40, 12)) as pilot:
        app.table.set_rows(rows([1, 2, 3]))
        await pilot.pause()
        app.table.painted.clear()
        changes = app.table.set_rows(rows([1, 2.5, 3]))
        assert changes.updated == ("k1",)
        (regions,) = app.table.painted
        assert len(regions) == 1
        assert (regions[0].y, regions[0].height) == (2, 1)
        app.table.painted.clear()
        app.table.set_rows(rows([1, 2.5, 3]))
        assert app.table.painted == []
        assert "2.50" in app.table.render_line(2).text


async def test_rows_come_go_and_keep_the_cursor() -> None:
    app = Table()
    async with app.run_test(size=(40, 12)) as pilot:
        app.table.set_rows(rows([5, 4, 3, 2]))
        app.table.focus()
        await pilot.press("j", "down")
        assert app.table.cursor_key == "k2"
        changes = app.table.set_rows(rows([5, 4, 3, 2])[1:])
        assert changes.deleted == ("k0",)
        assert app.table.cursor_key == "k2"
        app.table.set_rows(rows([5, 4]))
        assert app.table.cursor_key == "k1"
        app.table.set_rows(())
        assert app.table.cursor_key is None
        await pilot.press("j", "k", "enter", "space", "home", "end")
        assert app.table.rows == []


async def test_keys_move_page_and_select() -> None:
    app = Table()
    async with app.run_test(size=(40, 11)) as pilot:
        app.table.set_rows(rows(range(100)))
        app.table.focus()
        await pilot.press("pagedown")
        assert app.table.cursor_key == "k10"
        await pilot.press("end")
        assert app.table.cursor_key == "k99"
        assert app.table.scroll_offset.y == 90
        await pilot.press("k", "up", "enter")
        assert app.table.cursor_key == "k97"
        await pilot.press("home")
        assert app.table.cursor_key == "k0"
        assert app.table.scroll_offset.y == 0
        assert ("selected", "k97") in app.said
        assert ("highlighted", "k10") in app.said


async def test_a_filter_hides_and_an_order_sorts() -> None:
    app = Table()
    async with app.run_test(size=(40, 12)) as pilot:
        app.table.set_rows(rows([3, 1, 2]))
        app.table.filter = "NAME2"
        assert [r.key for r in app.table.rows] == ["k2"]
        app.table.filter = "nothing like it"
        await pilot.pause()
        assert any("Nothing matches" in app.table.render_line(y).text for y in range(12))
        app.table.filter = ""
        app.table.sort_by("last")
        assert [r.key for r in app.table.rows] == ["k1", "k2", "k0"]
        app.table.update_rows([Row("k1", (Cell("name1"), Cell("9.00", "up", 9)))])
        assert [r.key for r in app.table.rows] == ["k2", "k0", "k1"]
        app.table.focus()
        await pilot.press("O")
        assert [r.key for r in app.table.rows] == ["k1", "k0", "k2"]
        await pilot.press("o")
        assert [r.key for r in app.table.rows] == ["k0", "k1", "k2"]


async def test_marks_are_kept_by_row_and_go_with_it() -> None:
    app = Table()
    async with app.run_test(size=(40, 12)) as pilot:
        app.table.set_rows(rows([1, 2, 3]))
        app.table.focus()
        await pilot.press("space", "space")
        assert app.table.marked == {"k0", "k1"}
        app.table.set_rows(rows([1, 2, 3])[1:])
        assert app.table.marked == {"k1"}
        app.table.clear_marks()
        assert not app.table.marked


async def test_an_empty_table_says_why() -> None:
    app = Table()
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.pause()
        assert any("Nothing yet. b buys." in app.table.render_line(y).text for y in range(12))
        app.table.empty = "Still nothing."
        assert any("Still nothing." in app.table.render_line(y).text for y in range(12))


async def test_every_line_is_as_wide_as_the_table_at_any_width() -> None:
    app = Table()
    async with app.run_test(size=(40, 12)) as pilot:
        app.table.set_rows(rows([1, 22222222.5, 3]))
        for width in (40, 17, 8, 3, 90):
            await pilot.resize_terminal(width, 12)
            await pilot.pause()
            lines = [app.table.render_line(y) for y in range(12)]
            assert {line.cell_length for line in lines} == {app.table.scrollable_content_region.width}
            assert all(len(line.text) == line.cell_length for line in lines)


async def test_a_click_moves_the_cursor() -> None:
    app = Table()
    async with app.run_test(size=(40, 12)) as pilot:
        app.table.set_rows(rows([1, 2, 3]))
        await pilot.pause()
        await pilot.click(LiveTable, offset=(3, 3))
        assert app.table.cursor_key == "k2"
        await pilot.click(LiveTable, offset=(3, 2), times=2)
        assert ("selected", "k1") in app.said


async def test_comfortable_rows_are_two_lines_apart() -> None:
    app = Table()
    async with app.run_test(size=(40, 12)) as pilot:
        app.table.set_rows(rows([1, 2, 3]))
        app.table.comfortable = True
        await pilot.pause()
        assert "name1" in app.table.render_line(3).text
        assert app.table.render_line(2).text.strip() == ""
