"""Reported figures as a sheet, amounts at their scale, bars of them, and the trail of companies."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from nautilus_tui.terminal.factsheet import growth, sheet
from nautilus_tui.terminal.forms import GROUPS, forms_called, group_of, items_said
from nautilus_tui.terminal.glyphs import ASCII, UNICODE
from nautilus_tui.terminal.magnitude import amount, scale_of
from nautilus_tui.terminal.trail import Trail
from nautilus_tui.terminal.widgets.bars import Bar, bars
from nautilus_tui.terminal.widgets.lines import width_of
from tests.terminal import scene_research as scene

D = Decimal
FIGURES = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15)

# ---------------------------------------------------------------- amounts


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("416161000000", "416.2B"),
        ("3880000000000", "3.88T"),
        ("-22354000000", "-22.4B"),
        ("999", "999"),
        ("7.46", "7.46"),
        ("1000", "1.00k"),
        ("1234567", "1.23M"),
        ("0", "0"),
        ("-0.004", "0.00"),
    ],
)
def test_an_amount_is_written_at_its_own_scale(value: str, written: str) -> None:
    assert amount(D(value)) == written


def test_what_is_not_known_is_a_dash_and_never_a_zero() -> None:
    assert amount(None) == "–"
    assert scale_of([None, None]).write(None) == "–"


@given(st.lists(FIGURES, min_size=1, max_size=8))
def test_figures_of_a_row_share_scale_and_decimals(values: list[Decimal]) -> None:
    scale = scale_of(values)
    written = [scale.write(value) for value in values]
    decimals = {len(text.partition(".")[2]) for text in written}
    assert len(decimals) == 1
    for value, text in zip(values, written, strict=True):
        read = D(text.replace(",", "")).scaleb(scale.power)
        assert abs(read - value) <= D(1).scaleb(scale.power - scale.decimals) / 2
        assert not text.startswith("-0") or D(text.replace(",", "")) != 0


# ---------------------------------------------------------------- the sheet


def test_years_and_quarters_are_laid_out_latest_first_with_balances_under_their_ends() -> None:
    years = sheet(scene.facts().facts, "annual")
    assert [span.name for span in years.spans][:3] == ["FY2025", "FY2024", "FY2023"]
    known = {m.metric: m for m in years.measures}
    assert [f.value for f in known["revenue"].facts if f is not None][:2] == [D("416161e6"), D("391035e6")]
    assert known["cash"].facts[0] is not None
    assert known["cash"].facts[0].end == dt.date(2025, 9, 27)
    assert known["revenue"].written_unit == "USD B"
    assert known["eps_diluted"].written_unit == "USD/shares"
    assert known["shares_diluted"].written_unit == "B shares"
    assert years.restated
    assert not years.derived
    quarters = sheet(scene.facts().facts, "quarter")
    assert [span.name for span in quarters.spans][:3] == ["Q1 26", "Q4 25", "Q3 25"]
    assert quarters.derived
    balances = next(m for m in quarters.measures if m.metric == "cash")
    assert [f is not None for f in balances.facts[:6]] == [False, True, False, False, False, True]


def test_year_to_date_has_no_column() -> None:
    first = scene.facts().facts[0]
    ytd = msgspec.structs.replace(first, period="ytd", fiscal_quarter=3)
    assert sheet([ytd], "quarter").spans == ()
    assert sheet([ytd], "annual").measures == ()


def test_of_two_figures_of_one_period_the_one_filed_last_stands() -> None:
    first = scene.facts().facts[0]
    later = msgspec.structs.replace(first, value=D(1), filed=first.filed + dt.timedelta(days=400))
    for order in ([first, later], [later, first]):
        [measure] = sheet(order, "annual").measures
        assert measure.facts == (later,)


def test_a_metric_in_two_units_is_two_rows() -> None:
    first = scene.facts().facts[0]
    euros = msgspec.structs.replace(first, unit="EUR")
    assert [m.unit for m in sheet([first, euros], "annual").measures] == ["USD", "EUR"]


@pytest.mark.parametrize(
    ("fraction", "written"),
    [(0.0642, "+6.4%"), (-0.5, "-50.0%"), (0.0, "0.0%"), (0.0001, "0.0%"), (25.0, "+2,500%"), (None, "")],
)
def test_growth_has_a_sign_and_is_silent_where_it_is_not_known(fraction: float | None, written: str) -> None:
    fact = msgspec.structs.replace(scene.facts().facts[0], growth=fraction)
    assert growth(fact) == written
    assert growth(None) == ""


# ---------------------------------------------------------------- bars


@given(
    st.lists(st.one_of(st.none(), st.floats(-1e12, 1e12)), max_size=30),
    st.integers(0, 120),
    st.integers(0, 20),
    st.sampled_from([UNICODE, ASCII]),
)
def test_bars_fill_exactly_the_room_they_have(
    values: list[float | None], width: int, height: int, glyphs: object
) -> None:
    drawn = bars([Bar(f"Q{i}", "1.0", v) for i, v in enumerate(values)], width, height, glyphs)  # type: ignore[arg-type]  # one of two sets
    assert len(drawn) in (0, height)
    widths = {width_of(line) for line in drawn}
    assert len(widths) <= 1
    assert all(taken <= width for taken in widths)


def test_bars_stand_on_a_common_zero_and_say_what_is_missing() -> None:
    values = [Bar("a", "+2", 2.0), Bar("b", "", None), Bar("c", "-1", -1.0)]
    drawn = ["".join(text for text, _ in line) for line in bars(values, 30, 8, UNICODE)]
    assert "+2" in drawn[0]
    assert drawn[7].split() == ["a", "b", "c"]
    column = [line[22:28] for line in drawn[:7]]
    assert any("█" in cell for cell in column[5:])
    assert not any("█" in cell for cell in column[:4])
    assert any("–" in line for line in drawn)


def test_without_figures_or_room_there_are_no_bars() -> None:
    assert bars([], 80, 10, UNICODE) == []
    assert bars([Bar("a", "", None)], 80, 10, UNICODE) == []
    assert bars([Bar("a", "1", 1.0)], 80, 3, UNICODE) == []


# ---------------------------------------------------------------- forms, and where one has been


def test_every_group_of_forms_is_called_by_its_name() -> None:
    for group in GROUPS:
        assert forms_called(group.name) == group.forms
        assert group_of(group.forms) == group
    assert forms_called("s-1") == ("S-1",)
    assert group_of(("S-1",)) is None


def test_both_names_of_the_renamed_schedules_are_looked_for() -> None:
    assert {"SC 13G", "SCHEDULE 13G", "SC 13D/A", "SCHEDULE 13D/A"} <= set(forms_called("13D/G"))


def test_items_are_said_in_words_and_unknown_ones_by_number() -> None:
    assert items_said(("2.02", "9.01")) == "results"
    assert items_said(("9.01",)) == "exhibits"
    assert items_said(("5.02", "6.66")) == "directors or officers changed, 6.66"
    assert items_said(()) == ""


def test_the_trail_goes_back_and_forward_and_forgets_what_lay_ahead() -> None:
    trail: Trail[str] = Trail()
    assert (trail.here, trail.before, trail.ahead, trail.back(), trail.forward()) == (None,) * 5
    for place in ("a", "b", "b", "c"):
        trail.go(place)
    assert trail.places == ("a", "b", "c")
    assert (trail.back(), trail.back(), trail.back()) == ("b", "a", None)
    assert (trail.here, trail.ahead, trail.before) == ("a", "b", None)
    assert trail.forward() == "b"
    trail.go("d")
    assert trail.places == ("a", "b", "d")
    assert trail.forward() is None


@given(st.lists(st.one_of(st.integers(0, 5), st.sampled_from(["back", "forward"])), max_size=60))
def test_a_trail_always_stands_on_one_of_its_places(steps: list[int | str]) -> None:
    trail: Trail[int] = Trail()
    for step in steps:
        if step == "back":
            trail.back()
        elif step == "forward":
            trail.forward()
        elif isinstance(step, int):
            trail.go(step)
            assert trail.here == step
        assert trail.here is None or trail.here in trail.places


def test_labels_are_as_wide_as_they_look() -> None:
    drawn = bars([Bar("令和7年度", "12", 12.0)], 20, 6, UNICODE)
    assert {cell_len("".join(text for text, _ in line)) for line in drawn} == {14}
