"""How figures are written."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import ASCII, UNICODE, glyphs_for

D = Decimal


def test_what_is_not_known_is_a_dash_and_never_a_zero() -> None:
    for write in (
        figures.quantity,
        figures.signed_quantity,
        figures.compact,
        figures.money,
        figures.signed_money,
        figures.signed_percent,
        figures.age,
        figures.duration,
        figures.memory,
        figures.clock,
        figures.clock_ms,
        figures.day_and_time,
    ):
        assert write(None) == figures.DASH
    assert figures.price(None, 2) == figures.DASH


@pytest.mark.parametrize(
    ("value", "text"),
    [("0.001", "0.00"), ("-0.001", "0.00"), ("4312.55", "+4,312.55"), ("-112.5", "-112.50"), ("0", "0.00")],
)
def test_profit_has_a_sign_and_nothing_has_none(value: str, text: str) -> None:
    assert figures.signed_money(D(value)) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0.0s"),
        (120, "0.1s"),
        (9949, "9.9s"),
        (12400, "12s"),
        (61000, "1m"),
        (7_200_000, "2h"),
        (3e8, "3d"),
    ],
)
def test_ages_are_short(milliseconds: float, text: str) -> None:
    assert figures.age(milliseconds) == text


@given(st.floats(0, 1e12))
def test_an_age_has_at_most_six_cells(milliseconds: float) -> None:
    assert len(figures.age(milliseconds)) <= 6


@given(st.decimals(0, 10**14, places=2))
def test_compact_numbers_have_at_most_six_cells(value: Decimal) -> None:
    assert len(figures.compact(value)) <= 6


@pytest.mark.parametrize(
    ("value", "text"), [("0.5000", "0.5"), ("100000", "100,000"), ("1E+3", "1,000"), ("0", "0"), ("-2", "-2")]
)
def test_quantities_have_no_needless_zeros(value: str, text: str) -> None:
    assert figures.quantity(D(value)) == text


@given(st.lists(st.floats(-1e6, 1e6), max_size=40), st.integers(1, 20))
def test_a_sparkline_is_as_long_as_its_values(values: list[float], width: int) -> None:
    line = figures.sparkline(values, width, UNICODE.spark)
    shown = min(len(values), width)
    assert len(line) == (shown if shown > 1 else 0)


@given(st.floats(-1, 2), st.integers(0, 40))
def test_a_bar_is_exactly_as_wide_as_asked(share: float, width: int) -> None:
    assert len(figures.bar(share, width, UNICODE.bar)) == width
    if share >= 1:
        assert figures.bar(share, width, UNICODE.bar) == "█" * width


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, "unicode"),
        ({"LANG": "en_GB.UTF-8"}, "unicode"),
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, "unicode"),
        ({"LANG": "de_DE.ISO-8859-1"}, "ascii"),
        ({"LANG": "en_GB.UTF-8", "TERM": "linux"}, "ascii"),
        ({"LANG": "en_GB.UTF-8", "NAUTILUS_TUI_ASCII": "1"}, "ascii"),
    ],
)
def test_signs_are_those_the_terminal_can_show(environ: dict[str, str], name: str) -> None:
    assert glyphs_for(environ).name == name


def test_ascii_signs_are_ascii_and_one_cell_wide() -> None:
    for field in ASCII.__dataclass_fields__:
        value = getattr(ASCII, field)
        for sign in value if isinstance(value, tuple) else (value,):
            assert sign.isascii()
            assert field == "name" or len(sign) == 1
