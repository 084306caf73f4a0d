"""What the model says of a limit, what it rests on, and how what it said is judged later."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from data.use_store import Foretold, Tally, UseSample
from risk.forecast import first_passage, model
from risk.forecast.estimate import NEEDED, Motion
from risk.forecast.following import About, Following, Turn
from risk.forecast.model import Question
from risk.forecast.record import HORIZONS

MOVING = Motion(0.0, 0.02, 90, 0.001)
STEP = 5 / 60


def ask(use: float, motion: Motion | None = MOVING, **more: object) -> model.Told:
    return model.tell([Question(use=use, motion=motion, changes=90, step=STEP, **more)])[0]  # type: ignore[arg-type]


def test_probabilities_and_the_time_are_those_of_first_passage() -> None:
    told = ask(0.8)
    expected = first_passage.probability(0.8, 0.0, 0.02, HORIZONS, STEP)
    assert told.chances == pytest.approx(expected.tolist())
    assert told.minutes == pytest.approx(float(first_passage.median_minutes(0.8, 0.0, 0.02, STEP)))
    assert (told.samples, told.reason) == (90, None)


def test_what_cannot_be_told_says_why() -> None:
    few = model.tell([Question(use=0.5, motion=None, changes=7, step=STEP)])[0]
    assert few.chances is None
    assert few.reason == f"7 changes from minute to minute were seen, {NEEDED} are needed"
    still = ask(0.5, Motion(0.0, 0.0, 90, 0.0))
    assert still.chances is None
    assert still.reason is not None
    assert "has not moved" in still.reason
    over = ask(1.2)
    assert (over.chances, over.minutes, over.reason) == ((1.0, 1.0, 1.0), 0.0, "it is breached now")
    assert ask(0.1, Motion(0.0, 0.001, 90, 0.0)).minutes is None  # beyond a day


def test_several_limits_are_told_apart() -> None:
    questions = [
        Question(use=use, motion=motion, changes=90, step=STEP)
        for use, motion in ((0.9, MOVING), (0.5, None), (0.2, MOVING), (1.5, None))
    ]
    told = model.tell(questions)
    assert [one.chances for one in told] == [
        ask(0.9).chances,
        None,
        ask(0.2).chances,
        (1.0, 1.0, 1.0),
    ]
    assert model.tell([]) == []


def test_a_reset_on_the_way_begins_anew_from_nothing() -> None:
    far = ask(0.9, until_reset=1.0).chances
    near = ask(0.9).chances
    assert far is not None
    assert near is not None
    first = float(first_passage.probability(0.9, 0.0, 0.02, 1.0, STEP))
    second = float(first_passage.probability(0.0, 0.0, 0.02, 239.0, STEP))
    assert far[2] == pytest.approx(1 - (1 - first) * (1 - second))
    assert far[2] < near[2]
    assert ask(0.9, until_reset=1.0).minutes is None


def test_drivers_are_what_the_probability_moves_by() -> None:
    motion = Motion(0.002, 0.02, 90, 0.002)
    told = ask(0.6, motion, largest=("AAPL.SIM", 0.7))
    effects = {one.name: (one.value, one.effect) for one in told.drivers}

    def chance(use: float, drift: float, sigma: float) -> float:
        return float(first_passage.probability(use, drift, sigma, 240.0, STEP))

    now = chance(0.6, 0.002, 0.02)
    assert effects["distance"] == pytest.approx((0.4, chance(0.64, 0.002, 0.02) - now))
    assert effects["volatility"] == pytest.approx((0.02, chance(0.6, 0.002, 0.022) - now))
    assert effects["drift"] == pytest.approx((0.002, now - chance(0.6, 0.0, 0.02)))
    assert effects["position AAPL.SIM"] == pytest.approx((0.7, now - chance(0.18, 0.0006, 0.006)))
    sizes = [abs(one.effect) for one in told.drivers]
    assert sizes == sorted(sizes, reverse=True)


# ---------------------------------------------------------------- followed minute by minute


def walk(count: int, seed: int = 2) -> Iterator[UseSample]:
    """Return samples of a limit of 50 whose use wanders below it, with breaches within some minutes."""
    rng = np.random.default_rng(seed)
    use = 0.8
    for minute in range(1_000_000, 1_000_000 + count):
        use = min(0.98, max(0.5, use + float(rng.normal(0, 0.04))))
        worst = 1.01 if use > 0.95 else use
        yield UseSample(limit_id="l", minute=minute, value=use * 50, limit=50.0, worst=worst)


def turn(following: Following, sample: UseSample, *, over: bool = True) -> Turn:
    return following.minute([sample], {sample.limit_id: About(step=STEP)}, over=over)


def test_forecasts_are_judged_by_what_was_seen_when_their_time_has_passed() -> None:
    samples = list(walk(300))
    following = Following()
    made: dict[int, tuple[float, ...]] = {}
    for sample in samples:
        for one in turn(following, sample).foretold:
            made[one.minute] = one.chances
    assert min(made) == samples[NEEDED].minute
    hits = {one.minute for one in samples if one.worst >= 1.0}
    last = samples[-1].minute
    for place, horizon in enumerate(HORIZONS):
        due = [minute for minute in made if minute + horizon <= last]
        outcomes = [any(minute < hit <= minute + horizon for hit in hits) for minute in due]
        tally = next(one for one in following.tallies() if one.minutes == horizon)
        assert (tally.forecasts, tally.breached) == (len(due), sum(outcomes))
        squares = [
            (made[minute][place] - float(came)) ** 2 for minute, came in zip(due, outcomes, strict=True)
        ]
        assert tally.squares == pytest.approx(math.fsum(squares))
        assert tally.until == due[-1]
    assert all(0 < one.breached < one.forecasts for one in following.tallies() if one.minutes < 240)


def test_a_restart_goes_on_where_it_was_and_judges_nothing_twice() -> None:
    samples = list(walk(290))
    whole, before = Following(), Following()
    kept: list[UseSample] = []
    foretold: list[Foretold] = []
    tallies: dict[tuple[str, int], Tally] = {}
    for sample in samples:
        turn(whole, sample)
    for sample in samples[:280]:
        came = turn(before, sample)
        kept += came.samples
        foretold += came.foretold
        tallies |= {(one.limit_id, one.minutes): one for one in came.tallies}
    after = Following()
    after.recall(kept, foretold, tallies.values())
    for sample in samples[280:]:
        told = turn(after, sample).told
    assert told["l"] == turn(whole, samples[-1], over=False).told["l"]
    assert {one.minutes: one for one in after.tallies()} == {one.minutes: one for one in whole.tallies()}


def test_what_was_not_looked_at_is_not_judged() -> None:
    samples = list(walk(200))
    following = Following()
    for sample in [*samples[:60], *samples[90:]]:
        turn(following, sample)
    tally = next(one for one in following.tallies() if one.minutes == 30)
    made = [one.minute for one in [*samples[NEEDED:60], *samples[90:]]]
    first = samples[0].minute
    whole = [m for m in made if m + 30 <= samples[-1].minute and not first + 32 < m < first + 87]
    assert abs(tally.forecasts - len(whole)) <= 4
    assert tally.forecasts < len(made) - 30


def test_a_minute_that_is_not_over_changes_nothing() -> None:
    samples = list(walk(80))
    following, other = Following(), Following()
    for sample in samples[:-1]:
        turn(following, sample)
        turn(other, sample)
        turn(other, sample, over=False)
    assert turn(following, samples[-1]) == turn(other, samples[-1])


def test_a_limit_set_anew_is_not_judged_by_what_was_said_before() -> None:
    samples = list(walk(60))
    following = Following()
    for sample in samples[:40]:
        turn(following, sample)
    before = {one.minutes: one.forecasts for one in following.tallies()}
    following.forget("l")
    for sample in samples[40:45]:
        turn(following, sample)
    assert {one.minutes: one.forecasts for one in following.tallies()} == before
    following.keep_only(())
    assert turn(following, samples[50]).told["l"].samples == 0
