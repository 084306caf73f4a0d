"""Drift and volatility from samples: the tracker against the whole series, and what it leaves out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.forecast.estimate import GAP, MINUTE, NEEDED, Tracker, motions


def feed(tracker: Tracker, values: list[float], minutes: float = 1.0) -> Tracker:
    for place, value in enumerate(values):
        tracker.add(round(place * minutes * MINUTE), value)
    return tracker


@settings(max_examples=40)
@given(
    st.lists(st.one_of(st.none(), st.floats(-3.0, 3.0)), min_size=35, max_size=120),
    st.sets(st.integers(1, 119), max_size=4),
    st.sampled_from([1.0, 60.0]),
)
def test_the_tracker_tells_what_the_whole_series_does(
    given_values: list[float | None], starts: set[int], step: float
) -> None:
    values = np.array([math.nan if one is None else one for one in given_values])
    begins = sorted(one for one in starts if one < len(values))
    whole = motions(step, values, begins)
    tracker = Tracker(gap=1.5 * step)
    for place, value in enumerate(values.tolist()):
        if place in starts:
            tracker.interrupt()
        if math.isnan(value):
            assert math.isnan(whole.volatility[place])
            continue
        tracker.add(round(place * step * MINUTE), value)
        told = tracker.motion()
        if told is None:
            assert math.isnan(whole.drift[place])
        else:
            assert told.drift == pytest.approx(whole.drift[place], abs=1e-7)
            assert told.volatility == pytest.approx(whole.volatility[place], abs=1e-7)
            assert told.raw_drift == pytest.approx(whole.raw_drift[place], abs=1e-7)


def test_too_few_changes_tell_nothing() -> None:
    tracker = feed(Tracker(), [0.1 * one for one in range(NEEDED)])
    assert tracker.changes == NEEDED - 1
    assert tracker.motion() is None
    tracker.add(NEEDED * MINUTE, 3.0)
    assert tracker.motion() is not None


def test_volatility_is_found_at_irregular_times() -> None:
    rng = np.random.default_rng(5)
    waits = rng.uniform(0.05, 8.0, 4_000)
    values = np.cumsum(rng.normal(0.0, 0.02 * np.sqrt(waits)))
    tracker = Tracker(half_life=4_000.0)
    for moment, value in zip(np.cumsum(waits), values, strict=True):
        tracker.add(round(moment * MINUTE), float(value))
    told = tracker.motion()
    assert told is not None
    assert told.volatility == pytest.approx(0.02, rel=0.05)
    assert abs(told.drift) < 1e-4


def test_noise_has_no_drift_and_a_climb_has() -> None:
    rng = np.random.default_rng(11)
    noise = feed(Tracker(), np.cumsum(rng.normal(0.0, 0.01, 400)).tolist()).motion()
    assert noise is not None
    assert noise.drift == 0.0
    assert noise.raw_drift != 0.0
    climb = feed(Tracker(), np.cumsum(rng.normal(0.01, 0.01, 400)).tolist()).motion()
    assert climb is not None
    assert climb.drift == pytest.approx(0.01, rel=0.3)
    straight = feed(Tracker(), [0.25 * one for one in range(100)]).motion()
    assert straight is not None
    assert (straight.drift, straight.volatility) == (pytest.approx(0.25), pytest.approx(0.0, abs=1e-6))


def test_a_gap_is_no_change_and_an_older_sample_is_none() -> None:
    tracker = feed(Tracker(), [0.0] * 40)
    tracker.add(round((39 + GAP + 1) * MINUTE), 5.0)
    assert tracker.changes == 39
    tracker.add(10 * MINUTE, 9.0)
    tracker.add(round((40 + GAP + 1) * MINUTE), 5.0)
    told = tracker.motion()
    assert told is not None
    assert (told.volatility, told.drift, told.changes) == (0.0, 0.0, 40)


def test_the_motion_of_use_is_that_of_the_value_by_the_limit() -> None:
    told = feed(Tracker(), [float(one % 3) for one in range(60)]).motion()
    use = feed(Tracker(), [one % 3 / 50.0 for one in range(60)]).motion()
    assert told is not None
    assert use is not None
    assert told.over(50.0).volatility == pytest.approx(use.volatility)
    assert told.over(50.0).raw_drift == pytest.approx(use.raw_drift)
