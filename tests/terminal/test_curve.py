"""The curve of slowly changing values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_tui.terminal.widgets.curve import curve

BLANK = " \u2800"


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=60), st.integers(8, 50), st.integers(2, 12))
def test_a_curve_fills_its_room_and_touches_top_and_bottom(
    values: list[float], width: int, height: int
) -> None:
    lines = curve(values, width, height)
    assert [len(line) for line in lines] == [width] * height
    if min(values) != max(values):
        assert lines[0].strip(BLANK)
        assert lines[-1].strip(BLANK)


def test_a_rising_curve_rises() -> None:
    lines = curve([float(i) for i in range(40)], 20, 5)
    first = [len(line) - len(line.lstrip(BLANK)) for line in lines]
    assert first == sorted(first, reverse=True)


@pytest.mark.parametrize(("count", "width", "height"), [(0, 20, 5), (1, 20, 5), (2, 5, 5), (2, 20, 1)])
def test_too_little_gives_no_curve(count: int, width: int, height: int) -> None:
    assert curve([float(i) for i in range(count)], width, height) == []
