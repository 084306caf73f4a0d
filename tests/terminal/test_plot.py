"""The plot and what is drawn of factors, curves and regimes: sizes, signs and places, without an app."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from data.macro import CurvePoint, Quadrant
from nautilus_tui.terminal.glyphs import ASCII, UNICODE, Glyphs
from nautilus_tui.terminal.panes.macro.curve import curve_lines, shape
from nautilus_tui.terminal.panes.macro.factor_chart import levels, within
from nautilus_tui.terminal.panes.macro.factors import REACH, period, zscore_bar
from nautilus_tui.terminal.panes.macro.regime import DIAGRAM_WIDTH, diagram, regime_lines
from nautilus_tui.terminal.widgets.lines import Line
from nautilus_tui.terminal.widgets.plot import Level, Plot, Span, Trace, date_labels, draw
from tests.terminal import scene_macro

finite = st.floats(-1e6, 1e6, allow_nan=False)


def text(lines: list[list[tuple[str, str]]] | list[Line]) -> list[str]:
    return ["".join(part for part, _ in line) for line in lines]


@given(
    st.lists(st.one_of(st.none(), finite), min_size=1, max_size=60),
    st.integers(5, 120),
    st.integers(2, 40),
    st.sampled_from([UNICODE, ASCII]),
)
def test_a_plot_is_never_wider_or_higher_than_its_room(
    values: list[float | None], width: int, height: int, glyphs: Glyphs
) -> None:
    points = [(float(i), v) for i, v in enumerate(values)]
    plot = Plot(
        traces=[Trace("accent", points)],
        x=(0.0, float(len(values))),
        x_labels=[(0.0, "first"), (float(len(values)), "last")],
        spans=[Span(1.0, 3.0, "recession")],
        levels=[Level(0.0, "line-0", "mean")],
        last=values[-1],
        glyphs=glyphs,
    )
    drawn = draw(plot, width, height)
    assert len(drawn) in (0, height)
    assert all(cell_len(line) <= width for line in text(drawn))
    if glyphs is ASCII:
        assert all(line.isascii() for line in text(drawn))


def test_a_span_is_shaded_behind_the_line_and_says_its_word_where_there_is_room() -> None:
    low_there = [(float(i), 7.0 if i < 15 else float(i % 5)) for i in range(100)]
    span = Span(20.0, 60.0, "recession")
    plot = Plot(traces=[Trace("accent", low_there)], x=(0.0, 99.0), spans=[span], glyphs=UNICODE)
    drawn = draw(plot, 60, 12)
    assert "recession" in text(drawn)[0]
    assert "recession" not in "".join(text(draw(plot, 20, 12)))
    shaded = [line.count(UNICODE.shade) for line in text(drawn)]
    assert max(shaded) in (22, 23, 24)
    assert not any(UNICODE.shade in line[:8] + line[36:] for line in text(drawn))


def test_values_that_are_not_known_break_the_line() -> None:
    gap = [(float(i), None if 40 <= i < 60 else 1.0 + i % 2) for i in range(100)]
    lines = text(draw(Plot(traces=[Trace("accent", gap)], x=(0.0, 99.0), glyphs=UNICODE), 60, 8))
    columns = {x for line in lines for x, sign in enumerate(line) if 0x2800 < ord(sign) < 0x2900}
    assert columns
    assert columns.isdisjoint(range(23, 30))


@given(st.dates(dt.date(1920, 1, 1), dt.date(2030, 1, 1)), st.integers(30, 36_500), st.integers(8, 200))
def test_dates_on_an_axis_lie_on_it_and_leave_each_other_room(first: dt.date, days: int, room: int) -> None:
    last = first + dt.timedelta(days=days)
    found = date_labels(first, last, room)
    assert all(first.toordinal() <= at <= last.toordinal() for at, _ in found)
    places = [(at - first.toordinal()) / days * room for at, _ in found]
    assert all(b - a >= 7 for a, b in pairwise(places))


@given(st.floats(-20, 20, allow_nan=False), st.sampled_from([UNICODE, ASCII]))
def test_a_bar_of_a_zscore_grows_from_the_middle_to_its_own_side(zscore: float, glyphs: Glyphs) -> None:
    bar = zscore_bar(zscore, glyphs)
    left, right = bar[:REACH], bar[REACH + 1 :]
    assert len(bar) == 2 * REACH + 1
    assert bar[REACH] == glyphs.axis
    assert not (left.strip() and right.strip())
    if abs(zscore) >= 0.5:
        assert bool(left.strip()) is (zscore < 0)
    if abs(zscore) >= REACH:
        assert " " not in (left if zscore < 0 else right)


@pytest.mark.parametrize(
    ("frequency", "written"),
    [("daily", "2026-02-27"), ("weekly", "2026-02-27"), ("monthly", "2026-02"), ("quarterly", "2026 Q1")],
)
def test_a_period_is_written_as_people_call_it(frequency: str, written: str) -> None:
    assert period(dt.date(2026, 2, 27), frequency) == written  # type: ignore[arg-type]  # literals above


def test_a_leap_day_has_years_before_it_too() -> None:
    points = [(dt.date(2019, 2, 27), 1.0), (dt.date(2019, 3, 1), 2.0), (dt.date(2024, 2, 29), 3.0)]
    assert [value for _, value in within(points, 5)] == [2.0, 3.0]
    assert within(points, 0) == points


def test_the_band_is_over_ten_years_however_many_are_charted() -> None:
    points = [(dt.date(1990 + i // 12, i % 12 + 1, 1), float(i % 2)) for i in range(36 * 12)]
    mean, above, below = levels(points, UNICODE)
    assert mean.y == pytest.approx(0.5, abs=0.01)
    assert above.y - mean.y == pytest.approx(mean.y - below.y)
    assert (above.word, below.word) == ("+2σ", "-2σ")
    assert levels([(day, 1.0) for day, _ in points], UNICODE) == []
    assert levels(points[:10], UNICODE) == []


# ---------------------------------------------------------------- the yield curve


def test_the_curves_are_told_apart_by_their_signs_alone() -> None:
    lines = text(curve_lines(scene_macro.curves(), ASCII, 84, 18))
    assert all(any(sign in line for line in lines[1:10]) for sign in (ASCII.on, ASCII.off, ASCII.mark))
    assert [line[1] for line in lines[-3:]] == [ASCII.on, ASCII.off, ASCII.mark]
    assert all(line.isascii() for line in lines)
    assert "4.08" in lines[-3]
    assert "4.29" in lines[-1]


@pytest.mark.parametrize("width", [36, 50, 84])
def test_the_maturities_people_look_at_are_listed_where_there_is_little_room(width: int) -> None:
    header = text(curve_lines(scene_macro.curves(), UNICODE, width, 14))[-4].split()
    assert {"2Y", "10Y"} <= set(header)
    months = {"1M": 1, "3M": 3, "6M": 6, "1Y": 12, "2Y": 24, "3Y": 36, "5Y": 60, "7Y": 84, "10Y": 120}
    months |= {"20Y": 240, "30Y": 360}
    assert sorted(header, key=lambda label: months[label]) == header


def test_an_inverted_curve_is_said_to_be_so_and_a_missing_yield_is_not_a_zero() -> None:
    curve = scene_macro.curves()[0]
    assert "not inverted" in text([shape(curve, UNICODE)])[0]

    def with_yield(label: str, value: Decimal | None) -> list[CurvePoint]:
        return [msgspec.structs.replace(p, value=value) if p.label == label else p for p in curve.points]

    inverted = msgspec.structs.replace(curve, points=tuple(with_yield("2Y", Decimal("4.50"))))
    assert "INVERTED  10y-2y -0.42 pp" in text([shape(inverted, UNICODE)])[0]
    unknown = msgspec.structs.replace(curve, points=tuple(with_yield("2Y", None)))
    assert "10y-2y –" in text([shape(unknown, UNICODE)])[0]
    assert "0.00" not in "".join(text(curve_lines([unknown], UNICODE, 84, 14)))


# ---------------------------------------------------------------- the regime

QUADRANTS: dict[tuple[bool, bool], Quadrant] = {
    (True, True): "reflation",
    (True, False): "goldilocks",
    (False, True): "stagflation",
    (False, False): "deflation",
}


@given(st.floats(-9, 9), st.floats(-9, 9))
def test_the_position_is_in_its_quadrant(growth: float, inflation: float) -> None:
    name = QUADRANTS[(growth > 0, inflation > 0)]
    regime = msgspec.structs.replace(scene_macro.regime(), growth=growth, inflation=inflation, quadrant=name)
    lines = text(diagram(regime, UNICODE))
    [(x, y)] = [(row.index(UNICODE.on), i) for i, row in enumerate(lines) if UNICODE.on in row]
    middle = DIAGRAM_WIDTH // 2
    assert x >= middle if growth > 0 else x <= middle
    assert y <= len(lines) // 2 if inflation > 0 else y >= len(lines) // 2


@pytest.mark.parametrize("height", [5, 9, 11, 20])
def test_the_probability_is_seen_at_any_size_with_its_two_parts(height: int) -> None:
    lines = text(regime_lines(scene_macro.regime(), UNICODE, 50, height))
    assert len(lines) <= height
    assert "DEFLATION" in "".join(lines)
    if height >= 9:
        joined = "\n".join(lines)
        assert "31%" in joined
        assert "24% 10y-3m +0.31" in joined
        assert "38% Sahm +0.27" in joined


def test_a_rule_that_does_not_fit_ends_with_a_whole_word() -> None:
    regime = scene_macro.regime()
    words = set(regime.rule.replace(",", "").replace(";", "").replace(":", "").split())
    for width in range(44, 70):
        last = text(regime_lines(regime, UNICODE, width, 12))[-1].split()
        if last[-1] == UNICODE.ellipsis:
            assert last[-2] in words, width


def test_what_each_probability_is_of_is_said() -> None:
    lines = [line for line in text(regime_lines(scene_macro.regime(), UNICODE, 50, 12)) if "31%" in line]
    assert len(lines) == 1
    assert lines[0].rstrip().endswith("31% combined")


def test_a_regime_that_is_not_known_says_what_is_missing() -> None:
    unknown = msgspec.structs.replace(
        scene_macro.regime(),
        quadrant=None,
        growth=None,
        recession_probability=None,
        problem="ProviderDown: INDPRO did not answer",
    )
    joined = "\n".join(text(regime_lines(unknown, UNICODE, 50, 12)))
    assert "not known" in joined
    assert "ProviderDown" in joined
    assert "0%" not in joined.splitlines()[4]
