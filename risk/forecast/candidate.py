"""A trained candidate for the breach forecast: logistic regression that corrects the analytic one.

It is fitted to the training days of a file whenever a file is scored, and to nothing else; it does not
ship (README.md says why). logit p = logit p_analytic + w·features, the features standardised, w drawn
towards 0 as strongly as five folds of training days say.
This module must not know of limits' kinds, of files or of scores.
"""

from __future__ import annotations

import math
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy.optimize import minimize
from scipy.special import expit

from risk.forecast.estimate import Motions, motions

NAME: Final = "logistic correction"
_MEMORIES: Final = (15.0, 240.0, 1440.0)  #: minutes, beside that of the analytic model
_PENALTIES: Final = (1.0, 10.0, 100.0, 1_000.0, 10_000.0)
_FOLDS: Final = 5
_LEAST: Final = 1e-4  #: a probability that a logit is taken of

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]
type Booleans = npt.NDArray[np.bool_]


class Fitted(Protocol):
    """What answers probabilities for features and the analytic model's probabilities."""

    def __call__(self, features: Floats, analytic: Floats) -> Floats:
        """Return a probability for each row."""


def logit(chance: Floats) -> Floats:
    """Return log p / (1 − p), of p kept off 0 and 1."""
    kept = np.clip(chance, _LEAST, 1.0 - _LEAST)
    found: Floats = np.log(kept / (1.0 - kept))
    return found


def features(times: Integers, use: Floats, starts: Integers, known: Motions, step: float) -> Floats:
    """Return what the correction goes by, one row per sample; the horizon has no part in it.

    Distance in standard deviations of an hour, how volatility over a quarter, four and twenty-four hours
    compares with that over one, drift in the same measure, the last hour's range against the distance,
    how near nothing use is, the time of day.
    """
    sigma = np.maximum(known.volatility, 1e-12)
    distance = np.maximum(1.0 - use, 1e-6)
    columns = [np.log1p(np.clip(distance / (sigma * math.sqrt(60.0)), 0.0, 50.0))]
    for memory in _MEMORIES:
        half_life = max(memory, 24.0 * step * memory / 60.0)
        other = motions(step, use, starts.tolist(), half_life).volatility
        columns.append(np.clip(np.log(np.maximum(other, 1e-12) / sigma), -3.0, 3.0))
    columns.append(np.clip(known.raw_drift * math.sqrt(60.0) / sigma, -5.0, 5.0))
    width = max(2, round(60.0 / step) + 1)
    behind = sliding_window_view(np.concatenate([np.full(width - 1, math.nan), use]), width)
    filled = np.where(np.isfinite(behind), behind, use[:, None])
    columns.append(np.log1p(np.clip(np.ptp(filled, axis=1) / distance, 0.0, 50.0)))
    columns += [np.clip(use, -2.0, 1.0), (np.abs(use) < 0.05).astype(np.float64)]
    day = 2.0 * np.pi * (times % 86_400_000_000_000) / 86_400e9
    columns += [np.sin(day), np.cos(day), np.sin(2.0 * day), np.cos(2.0 * day)]
    return np.stack(columns, axis=1)


def fit(rows: Floats, analytic: Floats, outcomes: Floats, days: Integers) -> Fitted:
    """Fit the correction; how strongly it is drawn to nothing is chosen over folds of whole days."""
    folds = np.array_split(np.unique(days), _FOLDS)
    errors = []
    for penalty in _PENALTIES:
        total = 0.0
        for fold in folds:
            out = np.isin(days, fold)
            if out.all() or not out.any():
                continue
            model = _fit(rows[~out], analytic[~out], outcomes[~out], penalty)
            total += float(np.sum((model(rows[out], analytic[out]) - outcomes[out]) ** 2))
        errors.append(total)
    return _fit(rows, analytic, outcomes, _PENALTIES[int(np.argmin(errors))])


def _fit(rows: Floats, analytic: Floats, outcomes: Floats, penalty: float) -> Fitted:
    middle, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-9

    def standardised(some: Floats) -> Floats:
        return np.column_stack([np.ones(len(some)), (some - middle) / spread])

    design, offset = standardised(rows), logit(analytic)

    def loss(weights: Floats) -> tuple[float, Floats]:
        score = offset + design @ weights
        value = float(np.sum(np.logaddexp(0.0, score) - outcomes * score) + penalty * weights @ weights)
        return value, design.T @ (expit(score) - outcomes) + 2.0 * penalty * weights

    def curvature(weights: Floats) -> Floats:
        chance = expit(offset + design @ weights)
        bent: Floats = (design * (chance * (1.0 - chance))[:, None]).T @ design
        return bent + 2.0 * penalty * np.eye(len(weights))

    start = np.zeros(design.shape[1])
    weights = minimize(loss, start, jac=True, hess=curvature, method="trust-exact").x

    def model(features: Floats, analytic: Floats) -> Floats:
        found: Floats = expit(logit(analytic) + standardised(features) @ weights)
        return found

    return model
