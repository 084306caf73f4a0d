"""Rows and columns of a table: differences are data, columns share a width."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from nautilus_tui.terminal.widgets.glow import CALM_S, Glows
from nautilus_tui.terminal.widgets.rows import (
    Cell,
    Column,
    Row,
    changed_cells,
    content_widths,
    difference,
    direction,
    fit,
    fit_cell,
    place,
    sort_key,
)

texts = st.text(st.sampled_from("abc 123.–▲東"), max_size=12)
rows = st.dictionaries(st.sampled_from("abcdefgh"), st.lists(texts, min_size=2, max_size=2), max_size=8)


def table(cells: dict[str, list[str]]) -> dict[str, Row]:
    return {k: Row(k, tuple(Cell(t) for t in v)) for k, v in cells.items()}


@given(rows, rows)
def test_applying_a_difference_gives_the_new_rows(
    old: dict[str, list[str]], new: dict[str, list[str]]
) -> None:
    before, after = table(old), table(new)
    changes = difference(before, list(after.values()))
    patched = {k: v for k, v in before.items() if k not in changes.deleted}
    patched |= {k: after[k] for k in changes.added + changes.updated}
    assert patched == after
    assert not set(changes.added) & set(changes.updated)
    assert all(before[k] == after[k] for k in after if k not in changes.added + changes.updated)


def test_changed_cells_are_those_that_look_different() -> None:
    old = Row("k", (Cell("1", "up", 1), Cell("2"), Cell("A", tail=".SIM")))
    assert changed_cells(old, old) == []
    # Another value behind the same text is not worth a repaint.
    assert changed_cells(old, old._replace(cells=(Cell("1", "up", 1.001), *old.cells[1:]))) == []
    assert changed_cells(old, old._replace(cells=(Cell("1", "down", 1), *old.cells[1:]))) == [0]
    assert changed_cells(old, old._replace(style="stale")) == [0, 1, 2]


@given(texts, st.integers(1, 15), st.sampled_from(["left", "right", "center"]))
def test_fitted_text_is_exactly_as_wide_as_asked(text: str, width: int, align: str) -> None:
    assert cell_len(fit(text, width, align, "…")) == width  # type: ignore[arg-type]  # one of three


@given(texts, texts, st.integers(1, 15), st.sampled_from(["left", "right"]))
def test_a_cell_and_its_tail_fit_together(text: str, tail: str, width: int, align: str) -> None:
    shown, after = fit_cell(Cell(text, tail=tail), width, align, "…")  # type: ignore[arg-type]  # one of two
    assert cell_len(shown + after) == width


columns = st.lists(
    st.tuples(st.integers(1, 20), st.integers(0, 3), st.booleans()).map(
        lambda t: Column("c", "t", width=t[0], drop=t[1], grow=t[2])
    ),
    min_size=1,
    max_size=10,
)


@given(columns, st.integers(0, 150))
def test_columns_stay_inside_and_never_overlap(given_columns: list[Column], room: int) -> None:
    slots = place(given_columns, content_widths(given_columns, ()), room)
    x = 0
    for slot in slots:
        assert slot.x >= x
        assert slot.width > 0
        x = slot.x + slot.width
    assert x <= room


def test_columns_of_one_rank_are_dropped_together_and_the_least_wanted_first() -> None:
    given_columns = [
        Column("a", "a", width=10),
        Column("b", "b", width=10, drop=1),
        Column("c", "c", width=10, drop=2),
        Column("d", "d", width=10, drop=2),
    ]
    widths = content_widths(given_columns, ())
    assert [s.column for s in place(given_columns, widths, 43)] == [0, 1, 2, 3]
    assert [s.column for s in place(given_columns, widths, 40)] == [0, 1]
    assert [s.column for s in place(given_columns, widths, 15)] == [0]
    assert place(given_columns, widths, 5)[0].width == 5


def test_rising_and_falling_are_told_by_numbers_only() -> None:
    assert [direction(1, 2), direction(2.0, 1), direction(1, 1), direction("a", "b"), direction(None, 1)] == [
        1,
        -1,
        0,
        0,
        0,
    ]


def test_what_is_not_known_sorts_last() -> None:
    cells = [Cell(""), Cell("x", value="x"), Cell("2", value=2), Cell("10", value=10)]
    assert [c.text for c in sorted(cells, key=sort_key)] == ["2", "10", "x", ""]


def test_a_busy_cell_glows_once_and_then_rests() -> None:
    now = 0.0
    glows = Glows(lambda: now, 0.4)
    column = [Column("c", "c", glow=True)]
    one, two = Row("k", (Cell("1", value=1),)), Row("k", (Cell("2", value=2),))
    glows.light(column, one, two, [0])
    assert glows.style_of("k", 0) == "glow-up"
    now = 0.39
    assert glows.cool() == []
    now = 0.4
    assert glows.cool() == [("k", 0)]
    glows.light(column, two, one, [0])
    assert glows.style_of("k", 0) is None
    now = 0.4 + CALM_S
    glows.light(column, two, one, [0])
    assert glows.style_of("k", 0) == "glow-down"


def test_a_cell_whose_column_does_not_glow_stays_calm() -> None:
    glows = Glows(lambda: 0.0, 0.4)
    glows.light([Column("c", "c")], Row("k", (Cell("1"),)), Row("k", (Cell("2"),)), [0])
    assert not glows
