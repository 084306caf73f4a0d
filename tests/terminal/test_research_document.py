"""A document to read: whatever its length and whatever stands in it, only what is in sight is laid out."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from nautilus_tui.terminal.widgets.document import MEASURE, Document, Place, TextRow, plain, wrapped

WIDTHS = (8, 20, 57, 80, 200)
TEXTS = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=120), min_size=1, max_size=30
)


def rows(document: Document, width: int) -> list[TextRow]:
    return list(document.page(Place(0), 10_000, width))


def words(text: str) -> str:
    return "".join(plain(text).split())


@given(TEXTS, st.sampled_from(WIDTHS))
def test_every_word_is_shown_once_and_nothing_is_wider_than_the_room(lines: list[str], width: int) -> None:
    document = Document("\n".join(lines))
    shown = rows(document, width)
    assert all(cell_len(row.text) <= max(width, 8) for row in shown if not row.cut)
    if not any(row.cut for row in shown):
        assert words("".join(row.text for row in shown)) == words("".join(lines))


@given(TEXTS, st.sampled_from(WIDTHS), st.integers(0, 40), st.integers(0, 40))
def test_going_forward_and_back_comes_to_the_same_place(
    lines: list[str], width: int, start: int, by: int
) -> None:
    document = Document("\n".join(lines))
    place = document.forward(Place(0), start, width)
    further = document.forward(place, by, width)
    last = document.last_top(width, 1)
    assert further <= last
    if further != last:
        assert document.backward(further, by, width) == place
    assert document.backward(further, 10_000, width) == Place(0)


@given(st.text(max_size=300), st.integers(8, 90), st.integers(0, 3))
def test_wrapping_loses_only_blanks_between_rows(text: str, width: int, indent: int) -> None:
    line = plain(text)
    pieces = list(wrapped(line, width, indent))
    covered = "".join(line[start:end] for start, end in pieces)
    assert words(covered) == words(line)
    assert all(a[1] <= b[0] for a, b in pairwise(pieces))


def test_prose_is_not_wider_than_the_eye_can_follow() -> None:
    document = Document("word " * 200)
    assert max(len(row.text) for row in rows(document, 200)) <= MEASURE


def test_a_table_keeps_its_columns_and_loses_its_empty_ones() -> None:
    table = [
        f"{name:<40}{first:>30}{'':20}{second:>30}"
        for name, first, second in (
            ("", "2025", "2024"),
            ("Net sales", "416,161", "391,035"),
            ("Cost of sales", "220,960", "210,352"),
        )
    ]
    shown = [row.text for row in rows(Document("\n".join(table)), 60)]
    assert shown[1].split() == ["Net", "sales", "416,161", "391,035"]
    assert shown[1].index("416,161") == shown[2].index("220,960")
    assert shown[1].index("391,035") == shown[2].index("210,352")
    assert max(map(len, shown)) < 35


def test_a_table_that_is_too_wide_is_cut_and_seen_by_columns() -> None:
    cells = "   ".join(f"{n:>9}" for n in range(30))
    document = Document("\n".join([cells] * 3))
    first = document.row(Place(0), 50)
    assert first.cut
    assert not first.text.endswith("29")
    later = document.row(Place(0), 50, shift=len(cells))
    assert not later.cut
    assert document.rows_of(0, 50) == 1


def test_a_bullet_hangs_its_text() -> None:
    shown = [row.text for row in rows(Document("•    " + "a long sentence of a list " * 12), 60)]
    assert shown[0].startswith("•  a long")
    assert all(row.startswith("   ") for row in shown[1:])


def test_nothing_of_a_text_commands_the_terminal() -> None:
    document = Document("a\x1b[2Jb\x07c\td\x9b31m\u2028e")
    shown = rows(document, 80)[0].text
    assert "".join(shown.split()) == "a[2Jbcd31me"
    assert shown.isprintable()


def test_search_counts_walks_around_and_marks_where_one_stands() -> None:
    document = Document("Risk one\nnothing\nrisk two and RISK three\n" + "x " * 100 + "risk")
    document.search("risk", start=1)
    assert document.matches == [0, 2, 2, 3]
    assert document.current == 1
    row = document.row(Place(2), 80)
    assert [(span.start, span.here) for span in row.spans] == [(0, True), (13, False)]
    assert [document.walk(1) for _ in range(4)] == [2, 3, 0, 2]
    assert document.walk(-1) == 0
    document.walk(-1)
    assert document.place_of_match(40) == Place(3, 5)
    document.search("absent")
    assert document.matches == []
    assert document.walk(1) is None
    document.search("")
    assert document.row(Place(0), 80).spans == ()


def test_a_blank_matches_any_run_of_blanks() -> None:
    document = Document("Net sales          416,161          391,035\nmore   of     it     here   there")
    document.search("416,161 391,035")
    assert document.matches == [0]
    row = document.row(Place(0), 80)
    assert row.text[row.spans[0].start : row.spans[0].end].split() == ["416,161", "391,035"]


@given(st.text("aAbB \n", max_size=80), st.text("aAb", min_size=1, max_size=3))
def test_search_finds_what_a_simple_look_finds(text: str, query: str) -> None:
    document = Document(text)
    document.search(query)
    found = [i for i, line in enumerate(document.lines) for _ in range(line.lower().count(query.lower()))]
    assert document.matches == found


def test_letters_that_grow_when_they_are_lowered_do_not_move_the_matches() -> None:
    document = Document("İİİİ\nİİ needle\nneedle")
    document.search("needle")
    assert document.matches == [1, 2]


def test_sections_are_jumped_between() -> None:
    document = Document("\n" * 5 + "\n".join("abcdefghij"), [("two", 8), ("one", 3), ("lost", 99)])
    assert [name for name, _ in document.sections] == ["one", "two"]
    assert document.section_at(2) is None
    assert document.section_at(3) == 0
    assert document.section_at(9) == 1
    assert (document.next_section(0, 1), document.next_section(3, 1), document.next_section(8, 1)) == (
        3,
        8,
        None,
    )
    assert (document.next_section(9, -1), document.next_section(8, -1), document.next_section(3, -1)) == (
        8,
        3,
        None,
    )
    assert document.row(Place(3), 80).heading


def test_ten_megabytes_are_laid_out_a_page_at_a_time() -> None:
    paragraph = "The Company designs, manufactures and markets smartphones and related services. " * 20
    table = "Net sales          416,161          391,035          383,285"
    document = Document("\n".join([paragraph, "", table, ""] * 6500))
    assert sum(map(len, document.lines)) > 10_000_000
    top = document.last_top(100, 50)
    assert len(list(document.page(top, 50, 100))) == 50
    document.search("markets smartphones")
    for _ in range(100):
        document.walk(997)
        assert document.place_of_match(100) is not None
    assert len(document._laid) < 500


@pytest.mark.parametrize("text", ["", "\n\n\n", " ", "\u3000" * 50, "x" * 9000])
def test_texts_without_words_or_without_ends_are_still_read(text: str) -> None:
    document = Document(text)
    assert rows(document, 20)
    assert document.last_top(20, 10) >= Place(0)
