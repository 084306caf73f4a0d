"""Charts: scales, labels and candles on a grid of cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_tui.terminal.glyphs import ASCII, UNICODE
from nautilus_tui.terminal.widgets.candles import Candle, Chart, Mark, Overlay, capacity, draw
from nautilus_tui.terminal.widgets.lines import width_of
from nautilus_tui.terminal.widgets.scale import price_labels, price_scale, time_labels

MINUTE = 60_000_000_000
price = st.floats(0.0001, 1e6)
candles = st.lists(st.tuples(price, price, price, price, st.one_of(st.none(), st.floats(0, 1e9))), min_size=1)


def made(drawn: list[tuple[float, float, float, float, float | None]]) -> list[Candle]:
    out = []
    for i, (a, b, c, d, volume) in enumerate(drawn):
        high, low = max(a, b, c, d), min(a, b, c, d)
        out.append(Candle(i * MINUTE, a, high, low, b, volume))
    return out


@given(candles, st.integers(0, 90), st.integers(0, 30), st.integers(1, 3), st.sampled_from([UNICODE, ASCII]))
def test_a_chart_fills_its_lines_and_never_more(
    drawn: list[tuple[float, float, float, float, float | None]],
    width: int,
    height: int,
    pitch: int,
    glyphs: object,
) -> None:
    everything = made(drawn)
    count = capacity(everything, 2, pitch, width)
    shown = everything[len(everything) - count :]
    values = [c.close for c in shown]
    chart = Chart(
        shown,
        [Overlay("SMA20", "line-0", values)],
        [Mark(everything[-1].low, "buy", ">")],
        last=everything[-1].close,
        pitch=pitch,
        crosshair=0 if shown else None,
        glyphs=glyphs,  # type: ignore[arg-type]  # one of two sets
    )
    lines = draw(chart, width, height)
    assert len(lines) == height
    assert all(width_of(line) <= width for line in lines)
    if glyphs is ASCII:
        assert "".join(text for line in lines for text, _ in line).isascii()


def test_a_candle_is_drawn_from_high_to_low_with_its_body_between() -> None:
    chart = Chart([Candle(0, 20.0, 40.0, 10.0, 30.0, None)], tick=1.0, glyphs=UNICODE)
    lines = ["".join(text for text, _ in line) for line in draw(chart, 20, 9)[:-1]]
    column = "".join(line[12] for line in lines).strip("┈ ")
    assert column[0] in "╷│"
    assert column[-1] in "╵│"
    assert set(column[1:-1]) <= set("│╽┃╿")
    assert "┃" in column


def test_up_and_down_candles_differ_in_style() -> None:
    up, down = Candle(0, 1, 3, 1, 2, None), Candle(0, 2, 3, 1, 1, None)
    assert (up.style, down.style) == ("up", "down")


@given(price, st.floats(0, 1000), st.integers(2, 200))
def test_every_price_is_on_its_scale(low: float, spread: float, steps: int) -> None:
    scale = price_scale([low], [low + spread], 0.01, steps)
    assert scale.low <= low <= low + spread <= scale.high
    assert 0 <= scale.at(low + spread) <= scale.at(low) < steps


@given(price, st.floats(0.001, 1e5), st.integers(1, 20), st.sampled_from([0.01, 0.25, 0.015625, 0.5, 1e-5]))
def test_price_labels_are_inside_few_and_whole_steps_apart(
    low: float, spread: float, most: int, tick: float
) -> None:
    scale = price_scale([low], [low + spread], tick, 100)
    labels = price_labels(scale, tick, most)
    assert len(labels) <= most
    assert labels == sorted(labels, reverse=True)
    size = (scale.high - scale.low) * 1e-6
    assert all(scale.low - size <= label <= scale.high + size for label in labels)


@pytest.mark.parametrize("seconds", [5, 15, 60, 300, 900, 3600, 86400])
@pytest.mark.parametrize("pitch", [1, 2, 3])
def test_time_labels_do_not_touch(seconds: int, pitch: int) -> None:
    start = 1_772_400_000
    labels = time_labels([(start + i * seconds) * 1_000_000_000 for i in range(200)], seconds, pitch)
    assert labels
    ends = 0
    for index, text, _ in labels:
        assert index * pitch >= ends
        ends = index * pitch + len(text) + 1


def test_a_new_day_is_named() -> None:
    hours = [1_772_400_000 + i * 3600 for i in range(60)]
    labels = time_labels([h * 1_000_000_000 for h in hours], 3600, 2)
    assert any(day and text == "Mar 03" for _, text, day in labels)
