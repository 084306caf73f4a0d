"""The scores that are told of the model, computed anew from recorded prices."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from data.problems import InvalidRequestError
from risk.forecast import candidate, model, paths, record, scoring
from risk.forecast.estimate import Motions, motions
from risk.forecast.prices import DAY, Prices, read
from tests.risk.samples import RECORDS

MARKET = RECORDS.parent
BTC = MARKET / "nautilus" / "btc-perp-20211231-20220201_1m.csv.gz"
GBP = MARKET / "nautilus" / "fxcm__gbpusd-m1-bid-2012.csv.gz"
EUR = MARKET / "pypi" / "backtesting__EURUSD.csv"
FILES = {"BTC-PERP": BTC, "GBP/USD": GBP, "EUR/USD": EUR}

pytestmark = pytest.mark.skipif(not BTC.is_file(), reason="the recorded market data is not on this machine")


@cache
def prices(path: Path) -> Prices:
    return read(path)


@cache
def scored(path: Path) -> scoring.Scored:
    return scoring.score(prices(path))


@pytest.mark.parametrize("name", FILES)
def test_what_is_told_of_the_model_is_what_comes_out(name: str) -> None:
    found = scored(FILES[name])
    told = {one.minutes: one for one in record.RECORDED if one.sample.startswith(name)}
    assert {one.minutes for one in found.horizons if one.reason is None} == set(told)
    for one in found.horizons:
        if one.reason is not None:
            continue
        briers = {score.model: score.brier for score in one.scores}
        assert told[one.minutes].forecasts == one.forecasts
        assert one.observed == pytest.approx(told[one.minutes].breached / one.forecasts)
        assert round(briers[record.NAME], 5) == told[one.minutes].brier
        assert round(briers[scoring.BASE], 5) == told[one.minutes].base_brier
        for score in one.scores:
            assert len(score.calibration) == 10
            assert sum(place.count for place in score.calibration) == one.forecasts


def test_what_ships_beats_the_base_rate_surely_and_the_candidate_does_not_beat_it_throughout() -> None:
    horizons = [one for path in FILES.values() for one in scored(path).horizons if one.reason is None]
    differences = [each for one in horizons for each in one.differences]
    assert all(
        each.better == record.NAME
        for each in differences
        if (each.model, each.against) == (record.NAME, scoring.BASE)
    )
    challenged = [each for each in differences if each.against == record.NAME]
    assert len(challenged) == 7
    assert any(each.better is None for each in challenged)
    elsewhere = scoring.score(prices(GBP), trained_on=prices(EUR))
    assert elsewhere.trained_on == EUR.name
    assert elsewhere.horizons[0].reason is not None  # nothing to learn of 5 minutes from hourly prices
    assert elsewhere.horizons[2].differences[2].better is None


def _brier(path: Path, minutes: int, *, corrected: bool = True, whole_drift: bool = False) -> float:
    """Return the analytic model's Brier score on the held-out days, all limits together."""
    file = prices(path)
    days = np.unique(file.times[np.isfinite(file.values)] // DAY)
    cut = int(days[round(len(days) * 0.6)])
    errors = []
    for watched in paths.usual(file, cut * DAY):
        path_ = paths.use_path(watched, file)
        known: Motions = motions(file.step, path_.use, path_.starts.tolist(), max(60.0, 24.0 * file.step))
        outcome = paths.reached(path_, file, minutes)
        asked = (path_.use < 1.0) & np.isfinite(outcome) & np.isfinite(known.volatility)
        asked &= (file.times // DAY >= cut) & (np.arange(len(outcome)) % max(1, round(5 / file.step)) == 0)
        chance = model.chances(
            path_.use[asked],
            (known.raw_drift if whole_drift else known.drift)[asked],
            known.volatility[asked],
            minutes,
            file.step if corrected else 0.0,
            path_.until_reset[asked],
        )
        errors.append((chance - outcome[asked]) ** 2)
    return float(np.concatenate(errors).mean())


def test_the_correction_for_steps_and_the_doubt_about_drift_earn_their_place() -> None:
    assert _brier(GBP, 5) < 0.95 * _brier(GBP, 5, corrected=False)
    assert _brier(EUR, 240) < 0.95 * _brier(EUR, 240, corrected=False)
    assert _brier(GBP, 240) < 0.8 * _brier(GBP, 240, whole_drift=True)


def test_a_day_of_ticks_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="has prices on 1 days"):
        scoring.score_file(MARKET / "nautilus" / "truefx__usdjpy-ticks.csv")


def test_a_correction_that_learns_nothing_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(4_000, 3))
    analytic = rng.uniform(0.05, 0.95, 4_000)
    outcomes = (rng.uniform(size=4_000) < analytic).astype(np.float64)
    fitted = candidate.fit(rows, analytic, outcomes, np.repeat(np.arange(40), 100))
    assert np.abs(fitted(rows, analytic) - analytic).max() < 0.05
