"""The score against brute force and against a history of which everything is known."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.macro import RegimeScore
from data.problems import ProviderBadRequestError, ProviderNotFoundError
from providers.core.http import Stamp
from providers.fred import scoring
from providers.fred.client import Fred
from providers.fred.scoring import Month, auc, brier, false_alarms, lead, spells
from providers.fred.timeline import Timeline, shifted
from tests.providers.fred.conftest import TODAY

FIRST = dt.date(2000, 1, 1)
STAMP = Stamp("fred", TODAY, 1_000, False)
chances = st.lists(st.floats(0, 1).map(lambda value: round(value, 1)), max_size=25)


@given(chances, chances)
def test_auc_is_the_share_of_pairs_in_order(with_it: list[float], without: list[float]) -> None:
    pairs = [(one > other) + 0.5 * (one == other) for one in with_it for other in without]
    assert auc(with_it, without) == (pytest.approx(sum(pairs) / len(pairs)) if pairs else None)


def test_auc_of_perfect_useless_and_inverted_sayings() -> None:
    assert auc([0.9, 0.8], [0.1, 0.2]) == 1.0
    assert auc([0.5, 0.5], [0.5]) == 0.5
    assert auc([0.1], [0.9]) == 0.0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_brier_is_between_nothing_and_one_and_its_base_is_p_times_one_less_p(
    pairs: list[tuple[float, bool]],
) -> None:
    said, came = [one for one, _ in pairs], [one for _, one in pairs]
    assert 0 <= brier(said, came) <= 1
    share = sum(came) / len(came)
    assert brier([share] * len(came), came) == pytest.approx(share * (1 - share))


def month(index: int) -> dt.date:
    """Return a month by number."""
    return shifted(FIRST, index)


def test_spells_are_unbroken() -> None:
    recession = {month(index): index in (3, 4, 5, 9) for index in range(12)}
    assert spells(recession) == [(month(3), month(5)), (month(9), month(9))]


def test_the_lead_counts_from_the_first_signal_within_the_horizon() -> None:
    said = {month(0): 0.9, month(5): 0.6, month(7): 0.9}
    assert lead(said, month(10), 6, 0.5) == 5
    assert lead(said, month(10), 12, 0.5) == 10
    assert lead(said, month(10), 2, 0.5) is None


def test_a_false_alarm_is_a_run_that_nothing_followed() -> None:
    runs = [(0.9, False), (0.9, False), (0.1, False), (0.9, False), (0.9, True), (0.2, True), (0.9, True)]
    measured = [Month(month(index), one, came) for index, (one, came) in enumerate(runs)]
    assert false_alarms(measured, 0.5) == 1
    assert false_alarms(measured, 0.95) == 0
    assert false_alarms([], 0.5) == 0


def history(
    inverted: set[int], recession: set[int], length: int = 120
) -> tuple[Timeline, Timeline, Timeline]:
    """Return spreads by day, Sahm's indicator and recessions by month."""
    spread: Timeline = [
        (month(index).replace(day=day), -3.0 if index in inverted else 3.0)
        for index in range(length)
        for day in range(1, 21)
    ]
    sahm: Timeline = [(month(index), 0.0) for index in range(-1, length)]
    usrec: Timeline = [(month(index), 1.0 if index in recession else 0.0) for index in range(length)]
    return spread, sahm, usrec


def scored(inverted: set[int], recession: set[int], **options: float) -> RegimeScore:
    """Return the score of such a history."""
    horizon = int(options.get("horizon", 12))
    return scoring.score(
        *history(inverted, recession), STAMP, horizon=horizon, threshold=options.get("threshold", 0.5)
    )


def test_the_score_of_a_history_that_is_known() -> None:
    told = scored(inverted={20, 21, 30, 31, 80}, recession={38, 39, 40, 100, 101})
    assert (told.months, told.first, told.last) == (108, month(0), month(107))
    assert (told.recessions, told.recession_months) == (2, 5)
    assert told.hits == 1  # the one in month 100 had its signal 20 months before
    assert told.lead_months == 8
    assert told.false_alarms == 2  # months 20 and 80
    assert told.point_in_time
    assert told.auc is not None
    assert told.brier is not None
    assert told.brier_base == pytest.approx((14 + 13) / 108 * (1 - 27 / 108))


def test_a_perfect_foresight_scores_one() -> None:
    before = set(range(38, 50)) | {50, 51}
    told = scored(inverted=before, recession={50, 51, 52})
    assert told.auc == 1.0
    assert (told.hits, told.false_alarms, told.lead_months) == (1, 0, 12)


def test_without_a_recession_there_is_no_auc() -> None:
    told = scored(inverted={20}, recession=set())
    assert (told.auc, told.hits, told.lead_months, told.false_alarms) == (None, 0, None, 1)


def test_each_month_knows_the_labour_of_the_month_before_only() -> None:
    spread, sahm, _ = history(set(), set(), 24)
    jump = [(date, 2.0 if date == month(10) else value) for date, value in sahm]
    said = scoring.probabilities(spread, jump)
    assert said[month(10)] < 0.1
    assert said[month(11)] > 0.9


def test_what_came_has_to_be_known_for_the_whole_horizon() -> None:
    said = {month(index): 0.5 for index in range(24)}
    recession = {month(index): False for index in range(24)}
    assert [one.date for one in scoring.months(said, recession, 12)] == [month(index) for index in range(12)]


def test_too_little_is_a_typed_error() -> None:
    with pytest.raises(ProviderNotFoundError, match="0 months"):
        scoring.score([], [], [], STAMP, horizon=12, threshold=0.5)


@pytest.mark.parametrize(
    ("horizon", "threshold"), [(0, 0.5), (61, 0.5), (12, 0.0), (12, 1.0), (12, float("nan"))]
)
def test_senseless_parameters_are_refused(horizon: int, threshold: float) -> None:
    with pytest.raises(ProviderBadRequestError):
        scoring.score(*history(set(), set()), STAMP, horizon=horizon, threshold=threshold)


async def test_the_twins_recessions_announce_themselves(twin: Fred) -> None:
    told = await twin.score()
    assert told.synthetic
    assert told.months > 400
    assert told.recessions >= 4
    assert told.auc is not None
    assert told.auc > 0.7
    assert told.hits >= 2
    assert told.brier is not None
    assert told.brier_base is not None
    assert told.last < TODAY - dt.timedelta(days=365)
