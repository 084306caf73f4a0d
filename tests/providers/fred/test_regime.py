"""The regime by its rule, computed by hand, with what is missing said and nothing looked ahead."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.problems import ProviderDownError, ProviderError
from providers.core.http import Stamp
from providers.fred import regime
from providers.fred.archive import Reading
from providers.fred.client import Fred
from providers.fred.regime import above_trend, combined, labour_probability, rising, term_spread_probability
from providers.fred.timeline import Timeline, growth, shifted
from providers.fred.wire import Row
from tests.providers.fred.conftest import TODAY

STAMP = Stamp("fred", TODAY, 1_000, False)
LAST = dt.date(2026, 10, 1)
probabilities = st.floats(0, 1)


def monthly(numbers: Sequence[float], step: int = 1) -> Timeline:
    """Return values by month, or by quarter, that end in October 2026."""
    return [(shifted(LAST, step * (index + 1 - len(numbers))), value) for index, value in enumerate(numbers)]


def reading(series: str, line: Timeline) -> Reading:
    """Return a series that was read."""
    rows = tuple(Row(TODAY, TODAY, date, Decimal(str(value))) for date, value in line)
    return Reading(series, rows, STAMP)


@pytest.mark.parametrize(
    ("spread", "expected"),
    [(0.0, 0.2969), (-1.0, 0.5397), (1.0, 0.1217), (2.0, 0.0360), (-0.8425, 0.5)],
)
def test_the_term_spread_part_is_the_published_probit(spread: float, expected: float) -> None:
    by_hand = 0.5 * (1 + math.erf((-0.5333 - 0.6330 * spread) / math.sqrt(2)))
    assert term_spread_probability(spread) == pytest.approx(by_hand, abs=1e-12)
    assert by_hand == pytest.approx(expected, abs=2e-4)


def test_the_labour_part_is_even_at_sahms_threshold() -> None:
    assert labour_probability(0.5) == 0.5
    assert labour_probability(0.0) == pytest.approx(1 / (1 + math.exp(5)))
    assert labour_probability(0.7) == pytest.approx(1 / (1 + math.exp(-2)))
    assert labour_probability(-200.0) == 0.0
    assert labour_probability(200.0) == 1.0


@given(probabilities, probabilities)
def test_both_parts_together_are_a_probability_and_no_less_than_either(one: float, other: float) -> None:
    both = combined(one, other)
    assert max(one, other) - 1e-12 <= both <= 1.0 + 1e-12
    assert both == pytest.approx(one + other - one * other)


def test_the_sahm_indicator_is_against_the_least_of_the_twelve_months_before() -> None:
    unemployment = monthly([4.0] * 12 + [3.7, 3.7, 3.7, 4.0, 4.3, 4.6])
    line = regime.sahm_indicator(unemployment)
    assert line[-1][1] == pytest.approx((4.0 + 4.3 + 4.6) / 3 - 3.7)
    assert line[5][1] is None  # not nine means before it
    missing = [point for point in unemployment if point[0] != shifted(LAST, -1)]
    assert regime.sahm_indicator(missing)[-1][1] is None


@pytest.mark.parametrize(
    ("output", "prices", "expected"),
    [
        (0.1, 0.1, "reflation"),
        (0.1, 0.0, "goldilocks"),
        (0.1, -0.1, "goldilocks"),
        (0.0, 0.1, "stagflation"),
        (-0.1, 0.1, "stagflation"),
        (-0.1, -0.1, "deflation"),
        (0.0, 0.0, "deflation"),
    ],
)
def test_quadrants(output: float, prices: float, expected: str) -> None:
    assert regime.quadrant(output, prices) == expected


def test_growth_is_robust_distance_from_the_median() -> None:
    # median 2, absolute deviations 0 and 1 in equal numbers around: their median is 1
    line = monthly([1.0, 2.0, 3.0, 1.0, 3.0] * 8 + [3.4826])
    distance, date = above_trend(line, "X")
    assert distance == pytest.approx(1.0)
    assert date == LAST
    assert above_trend(monthly([1.0, 2.0, 3.0, 1.0, 3.0] * 8 + [-90.0]), "X")[0] == -3.0
    with pytest.raises(ProviderError, match="does not move"):
        above_trend(monthly([2.0] * 40), "X")
    with pytest.raises(ProviderError, match="too few"):
        above_trend(monthly([2.0, 3.0]), "X")


def test_inflation_rises_against_its_mean_of_the_twelve_months_before() -> None:
    line = monthly([9.0, *[2.0] * 6, *[3.0] * 6, 3.1])
    change, date = rising(line, "X")
    assert change == pytest.approx(3.1 - 2.5)
    assert date == LAST
    with pytest.raises(ProviderError, match="too few"):
        rising(monthly([2.0] * 9), "X")


def inputs() -> dict[str, Reading | ProviderError]:
    """Return inputs of which the regime can be computed by hand."""
    waves = [math.sin(index / 7) for index in range(160)]
    index = [100.0]
    for _ in range(159):
        index.append(index[-1] * 1.002)
    slow = [100.0]
    for month in range(159):
        slow.append(slow[-1] * (1.001 if month < 140 else 1.003))
    days: Timeline = [
        (dt.date(2026, 9, 1) + dt.timedelta(days=one), 0.4 if one < 30 else 0.8) for one in range(30 + 14)
    ]
    return {
        "GDPC1": reading(
            "GDPC1", monthly([100 + 2 * wave + one / 5 for one, wave in enumerate(waves[:50])], 3)
        ),
        "INDPRO": reading("INDPRO", monthly([100 + 5 * wave for wave in waves])),
        "PAYEMS": reading("PAYEMS", monthly([150_000 + 900 * wave for wave in waves])),
        "CPIAUCSL": reading("CPIAUCSL", monthly(slow)),
        "CPILFESL": reading("CPILFESL", monthly(slow)),
        "PCEPILFE": reading("PCEPILFE", monthly(index)),
        "T10Y3M": reading("T10Y3M", days),
        "SAHMREALTIME": reading("SAHMREALTIME", monthly([0.1, 0.2])),
        "UNRATE": reading("UNRATE", monthly([4.0] * 17 + [4.3])),
    }


def test_the_regime_is_what_its_rule_says() -> None:
    told = regime.regime(inputs(), STAMP, 9)
    assert told.problem is None
    assert told.term_spread == pytest.approx(0.4)  # October has 14 days with a value: one too few
    assert told.term_spread_probability == pytest.approx(term_spread_probability(0.4))
    assert told.labour == pytest.approx(0.2)
    assert told.recession_probability == pytest.approx(
        combined(term_spread_probability(0.4), labour_probability(0.2))
    )
    expected = rising(growth(monthly([float(one.value or 0) for one in _rows("CPIAUCSL")])), "CPIAUCSL")[0]
    assert told.inflation is not None
    assert told.inflation == pytest.approx(2 * expected / 3, abs=1e-6)  # the third does not move
    assert told.inflation > 0
    assert told.growth is not None
    assert told.quadrant == ("reflation" if told.growth > 0 else "stagflation")
    assert told.rule == regime.RULE
    assert "Estrella" in told.rule


def _rows(series: str) -> tuple[Row, ...]:
    found = inputs()[series]
    assert isinstance(found, Reading)
    return found.rows


def test_what_is_missing_is_said_and_the_rest_is_there() -> None:
    given_inputs = inputs()
    given_inputs["T10Y3M"] = ProviderDownError("FRED fails with 503")
    told = regime.regime(given_inputs, STAMP, 9)
    assert told.recession_probability is None
    assert told.term_spread is None
    assert told.labour_probability is not None
    assert told.quadrant is not None
    assert told.problem is not None
    assert "T10Y3M: ProviderDown" in told.problem


def test_the_quadrant_wants_two_parts_of_each() -> None:
    given_inputs = inputs()
    given_inputs["CPIAUCSL"] = ProviderDownError("x")
    two = regime.regime(given_inputs, STAMP, 9)
    assert two.quadrant is not None
    assert two.problem is not None
    given_inputs["CPILFESL"] = ProviderDownError("x")
    one = regime.regime(given_inputs, STAMP, 9)
    assert (one.quadrant, one.inflation) == (None, None)
    assert one.growth is not None


def test_the_labour_part_falls_back_on_unemployment_itself() -> None:
    given_inputs = inputs()
    given_inputs["SAHMREALTIME"] = ProviderDownError("no archive")
    told = regime.regime(given_inputs, STAMP, 9)
    assert told.labour == pytest.approx(0.1)
    assert told.problem is None


async def test_the_regime_of_a_day_knows_nothing_later(twin: Fred) -> None:
    told = await twin.regime(as_of=dt.date(2021, 6, 15))
    assert told.as_of == dt.date(2021, 6, 15)
    assert told.observed is not None
    assert told.observed < dt.date(2021, 6, 15)
    assert told.synthetic
    # the same day asked of FRED series by series
    spread = await twin.series("T10Y3M", as_of=dt.date(2021, 6, 15), start=dt.date(2021, 5, 1))
    may = [float(one.value) for one in spread.observations if one.value is not None and one.date.month == 5]
    assert told.term_spread == pytest.approx(sum(may) / len(may))
    sahm = await twin.latest("SAHMREALTIME", as_of=dt.date(2021, 6, 15))
    assert told.labour == float(sahm.value or 0)
