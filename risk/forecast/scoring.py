"""How well forecasts of a breach do on days they were not made from: Brier, log loss, calibration.

The first days of a file train (the base rate and the candidate), the last ones are held out and scored.
Each day's forecasts hang together, so differences are judged by drawing whole days anew (bootstrap).
Sources: G. W. Brier, "Verification of Forecasts Expressed in Terms of Probability", Monthly Weather Review
78 (1950); B. Efron, R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
This module must not know of the daemon or of commands.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from data.forms import day_of
from data.problems import InvalidRequestError
from risk.forecast import candidate, model, paths, record
from risk.forecast.estimate import HALF_LIFE, NEEDED, motions
from risk.forecast.paths import UsePath, Watched
from risk.forecast.prices import DAY, MINUTE, Prices, read

BASE: Final = "base rate"
#: A forecast every so many minutes, or every step where that is longer.
_EVERY: Final = 5.0
_DAYS_NEEDED: Final = 5
_NEVER: Final = 1 << 40  #: a day that no file reaches
_BINS: Final = 10
_DRAWS: Final = 2_000
_SEED: Final = 1
_LEAST: Final = 1e-6  #: what log loss takes for 0

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """Forecasts between two probabilities, and how often what they foretold came."""

    low: float
    high: float
    count: int
    forecast: float | None  #: mean; None: no forecast fell in
    observed: float | None


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How one model did."""

    model: str
    brier: float
    log_loss: float
    mean: float  #: of its probabilities
    calibration: tuple[Bin, ...]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Brier of one less that of the other; the interval holds 95 % of redrawn days."""

    model: str
    against: str
    mean: float
    low: float
    high: float

    @property
    def better(self) -> str | None:
        """Which is better; None: it cannot be told."""
        return self.model if self.high < 0.0 else self.against if self.low > 0.0 else None


class OfLimit(msgspec.Struct, frozen=True, kw_only=True):
    """The share of one limit in the scores."""

    limit: str
    forecasts: int
    observed: float  #: share that was breached
    brier: dict[str, float]


class OfHorizon(msgspec.Struct, frozen=True, kw_only=True):
    """All models over one horizon. ``reason`` says why there are no scores."""

    minutes: int
    forecasts: int = 0
    left_out: int = 0  #: prices were missing on the way
    observed: float | None = None
    scores: tuple[Score, ...] = ()
    differences: tuple[Difference, ...] = ()
    limits: tuple[OfLimit, ...] = ()
    better: str | None = None  #: the best model that is surely better than the base rate
    reason: str | None = None


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """The scores of a file."""

    file: str
    step: float  #: minutes
    rows: int
    training_days: int
    held_out_days: int
    held_out_from: str
    held_out_to: str
    limits: tuple[str, ...]
    ships: str
    trained_on: str  #: the file that the candidate was fitted to
    horizons: tuple[OfHorizon, ...]
    notes: tuple[str, ...] = ()


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """One limit's forecasts over one horizon."""

    limit: str
    day: Integers
    outcome: Floats
    analytic: Floats
    features: Floats
    training: npt.NDArray[np.bool_]
    held_out: npt.NDArray[np.bool_]
    left_out: int


def score_file(
    path: Path, limits: Sequence[Watched] = (), held_out: float = 0.4, trained_on: Path | None = None
) -> Scored:
    """Score all models on the last share of a file's days; see `score`."""
    return score(read(path), limits, held_out, None if trained_on is None else read(trained_on))


def score(
    prices: Prices,
    limits: Sequence[Watched] = (),
    held_out: float = 0.4,
    trained_on: Prices | None = None,
) -> Scored:
    """Score all models on the last share of the days of prices.

    Args:
        prices: Of one instrument.
        limits: What is watched; nothing: limits at usual moves of the training days.
        held_out: The share of days that is scored and not trained on.
        trained_on: Prices of another instrument, all of which train the candidate instead of the first
            days, at limits of its own usual moves: does what was learnt there hold here?

    Raises:
        InvalidRequestError: There are too few days, or the share is not between 0.1 and 0.9.
    """
    if not 0.1 <= held_out <= 0.9:
        raise InvalidRequestError(f"{held_out:g} of the days cannot be held out", rule="0.1 to 0.9")
    days = np.unique(prices.times[np.isfinite(prices.values)] // DAY)
    if len(days) < _DAYS_NEEDED:
        raise InvalidRequestError(
            f"{prices.name} has prices on {len(days)} days",
            rule=f"days are held out, so {_DAYS_NEEDED} are needed at least",
            fix="give a longer file",
        )
    cut = int(days[max(1, min(len(days) - 1, round(len(days) * (1.0 - held_out))))])
    watched = tuple(limits) or paths.usual(prices, cut * DAY)
    traced = [_Trace.of(paths.use_path(one, prices), prices) for one in watched]
    others = [] if trained_on is None else _all_of(trained_on)
    horizons = tuple(
        _horizon(
            [one.part(minutes, cut) for one in traced],
            [one.part(minutes, _NEVER) for one in others],
            minutes,
            prices.step,
        )
        for minutes in record.HORIZONS
    )
    return Scored(
        file=prices.name,
        step=prices.step,
        rows=prices.rows,
        training_days=int((days < cut).sum()),
        held_out_days=int((days >= cut).sum()),
        held_out_from=day_of(cut * DAY).isoformat(),
        held_out_to=day_of(int(days[-1]) * DAY).isoformat(),
        limits=tuple(one.text for one in watched),
        ships=record.NAME,
        trained_on=(prices if trained_on is None else trained_on).name,
        horizons=horizons,
        notes=prices.notes,
    )


def _all_of(prices: Prices) -> list[_Trace]:
    limits = paths.usual(prices, int(prices.times[-1]) + 1)
    return [_Trace.of(paths.use_path(one, prices), prices) for one in limits]


class _Trace:
    """What is known at each step of one limit's path; the horizons share it."""

    def __init__(
        self, path: UsePath, prices: Prices, drift: Floats, volatility: Floats, rows: Floats
    ) -> None:
        self.path, self.prices = path, prices
        self.drift, self.volatility, self.features = drift, volatility, rows

    @classmethod
    def of(cls, path: UsePath, prices: Prices) -> _Trace:
        half_life = max(HALF_LIFE, 24.0 * prices.step)
        known = motions(prices.step, path.use, path.starts.tolist(), half_life)
        rows = candidate.features(prices.times, path.use, path.starts, known, prices.step)
        return cls(path, prices, known.drift, known.volatility, rows)

    def part(self, minutes: int, cut: int) -> _Part | None:
        """Return the forecasts of one horizon; None where it is shorter than a step."""
        prices = self.prices
        if minutes < prices.step:
            return None
        days = prices.times // DAY
        every = max(1, round(_EVERY / prices.step))
        asked = (np.arange(len(days)) % every == 0) & (self.path.use < 1.0)
        asked &= np.isfinite(self.volatility) & np.isfinite(self.features).all(axis=1)
        outcome = paths.reached(self.path, prices, minutes)
        at = np.flatnonzero(asked & np.isfinite(outcome))
        ends = (prices.times[at] + minutes * MINUTE) // DAY
        return _Part(
            limit=self.path.watched.text,
            day=days[at],
            outcome=outcome[at],
            analytic=model.chances(
                self.path.use[at],
                self.drift[at],
                self.volatility[at],
                minutes,
                prices.step,
                self.path.until_reset[at],
            ),
            features=self.features[at],
            training=ends < cut,
            held_out=days[at] >= cut,
            left_out=int((asked & ~np.isfinite(outcome) & (days >= cut)).sum()),
        )


def _horizon(
    found: Sequence[_Part | None], others: Sequence[_Part | None], minutes: int, step: float
) -> OfHorizon:
    parts = [part for part in found if part is not None]
    teachers = [part for part in others if part is not None] if others else parts
    if not parts:
        return OfHorizon(
            minutes=minutes, reason=f"prices are {step:g} minutes apart: it cannot be told what came within"
        )
    trained = sum(int(part.training.sum()) for part in parts)
    held = sum(int(part.held_out.sum()) for part in parts)
    left_out = sum(part.left_out for part in parts)
    taught = sum(int(part.training.sum()) for part in teachers)
    if min(trained, held, taught) < NEEDED:
        reason = (
            f"{min(trained, taught)} forecasts to train on and {held} to score; {NEEDED} of each are needed"
        )
        return OfHorizon(minutes=minutes, forecasts=held, left_out=left_out, reason=reason)
    told = _probabilities(parts, teachers)
    outcome = np.concatenate([part.outcome[part.held_out] for part in parts])
    day = np.concatenate([part.day[part.held_out] for part in parts])
    scores = tuple(_score(name, chance, outcome) for name, chance in told.items())
    pairs = ((record.NAME, BASE), (candidate.NAME, BASE), (candidate.NAME, record.NAME))
    differences = tuple(_difference(one, other, told, outcome, day) for one, other in pairs)
    return OfHorizon(
        minutes=minutes,
        forecasts=held,
        left_out=left_out,
        observed=float(outcome.mean()),
        scores=scores,
        differences=differences,
        limits=tuple(_of_limits(parts, told)),
        better=_better(scores, differences),
    )


def _probabilities(parts: Sequence[_Part], teachers: Sequence[_Part]) -> dict[str, Floats]:
    """Return what each model says of the held-out forecasts."""
    base = [
        np.full(
            int(part.held_out.sum()),
            part.outcome[part.training].mean() if part.training.any() else math.nan,
        )
        for part in parts
    ]
    pooled = float(np.concatenate([part.outcome[part.training] for part in parts]).mean())
    fitted = candidate.fit(
        np.concatenate([part.features[part.training] for part in teachers]),
        np.concatenate([part.analytic[part.training] for part in teachers]),
        np.concatenate([part.outcome[part.training] for part in teachers]),
        np.concatenate([part.day[part.training] for part in teachers]),
    )
    analytic = np.concatenate([part.analytic[part.held_out] for part in parts])
    features = np.concatenate([part.features[part.held_out] for part in parts])
    rates = np.concatenate(base)
    return {
        BASE: np.where(np.isnan(rates), pooled, rates),
        record.NAME: analytic,
        candidate.NAME: fitted(features, analytic),
    }


def _score(name: str, chance: Floats, outcome: Floats) -> Score:
    kept = np.clip(chance, _LEAST, 1.0 - _LEAST)
    loss = -np.mean(outcome * np.log(kept) + (1.0 - outcome) * np.log(1.0 - kept))
    return Score(
        model=name,
        brier=brier(chance, outcome),
        log_loss=float(loss),
        mean=float(chance.mean()),
        calibration=calibration(chance, outcome),
    )


def brier(chance: Floats, outcome: Floats) -> float:
    """Return the mean of (p − y)², 0 at best."""
    return float(np.mean((chance - outcome) ** 2))


def calibration(chance: Floats, outcome: Floats, bins: int = _BINS) -> tuple[Bin, ...]:
    """Return how often what was foretold came, by bins of equal width; 1 belongs to the last."""
    place = np.minimum((chance * bins).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins)
    foretold = np.bincount(place, weights=chance, minlength=bins)
    came = np.bincount(place, weights=outcome, minlength=bins)
    return tuple(
        Bin(
            low=at / bins,
            high=(at + 1) / bins,
            count=int(counts[at]),
            forecast=float(foretold[at] / counts[at]) if counts[at] else None,
            observed=float(came[at] / counts[at]) if counts[at] else None,
        )
        for at in range(bins)
    )


def _difference(one: str, other: str, told: dict[str, Floats], outcome: Floats, day: Integers) -> Difference:
    """Return how much the Brier scores differ, and the interval over redrawn days."""
    errors = (told[one] - outcome) ** 2 - (told[other] - outcome) ** 2
    _, place = np.unique(day, return_inverse=True)
    sums, counts = np.bincount(place, weights=errors), np.bincount(place)
    drawn = np.random.default_rng(_SEED).integers(0, len(sums), size=(_DRAWS, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Difference(model=one, against=other, mean=float(errors.mean()), low=float(low), high=float(high))


def _of_limits(parts: Sequence[_Part], told: dict[str, Floats]) -> list[OfLimit]:
    found, start = [], 0
    for part in parts:
        count = int(part.held_out.sum())
        outcome = part.outcome[part.held_out]
        here = slice(start, start + count)
        start += count
        if count:
            scores = {name: brier(chance[here], outcome) for name, chance in told.items()}
            found.append(
                OfLimit(limit=part.limit, forecasts=count, observed=float(outcome.mean()), brier=scores)
            )
    return found


def _better(scores: Sequence[Score], differences: Sequence[Difference]) -> str:
    """Return the best of those that surely beat the base rate and are not surely beaten; else the base."""
    surely = {one.model for one in differences if one.against == BASE and one.better == one.model}
    if candidate.NAME in surely and record.NAME in surely:
        last = next(one for one in differences if one.against == record.NAME)
        return last.better or record.NAME  # where it cannot be told, the simpler one
    return next((one.model for one in scores if one.model in surely), BASE)
