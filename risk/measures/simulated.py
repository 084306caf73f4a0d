"""Measures by Monte Carlo: days drawn from a fitted model, with a seed that is told.

One series: Student's t, fitted by maximum likelihood. A book of several positions: the multivariate t with
the sample's means and covariance and one number of degrees of freedom. The same seed gives the same figure.
This module must not know of past days, beyond what was fitted to them.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from data.problems import InvalidRequestError
from risk.measures.empirical import tail
from risk.measures.parametric import MINIMUM
from risk.measures.sample import (
    Floats,
    Measure,
    checked_confidence,
    checked_horizon,
    finite,
    finite_matrix,
    require,
    require_variety,
)
from risk.measures.student import fit

SEED: Final = 1
PATHS: Final = 100_000
_FEWEST: Final = 1_000
_MOST: Final = 10_000_000
#: Tail heaviness is held to this many degrees of freedom at least where a covariance must exist.
_FINITE_VARIANCE: Final = 2.0


class Scenarios(NamedTuple):
    """Simulated returns over the horizon, a row for each path and a column for each position."""

    returns: Floats
    parameters: dict[str, float]


def monte_carlo(
    returns: npt.ArrayLike,
    confidence: float,
    horizon: int = 1,
    *,
    seed: int = SEED,
    paths: int = PATHS,
) -> Measure:
    """Measure one series by simulated days: t with ν, location and scale of maximum likelihood.

    Each path is the sum of h independent draws; VaR and ES are those of the paths, as in ``historical``.
    Other than in ``student``, sums of t's are added up and not approximated.
    Units: fractions. Source: Glasserman, "Monte Carlo Methods in Financial Engineering", section 9.

    Raises:
        TooLittleDataError: There are fewer than 60 returns.
        InvalidRequestError: Something given makes no sense, all returns are equal, or no t fits.
    """
    values = finite(returns)
    checked_confidence(confidence)
    checked_horizon(horizon)
    _checked(seed, paths, confidence)
    require(values, MINIMUM["student"], "monte_carlo")
    require_variety(values, "monte_carlo")
    fitted = fit(values)
    draws = np.random.default_rng(seed).standard_t(fitted.degrees, (horizon, paths)).sum(axis=0)
    var, es = tail(fitted.location * horizon + fitted.scale * draws, confidence)
    exists = fitted.degrees > 1.0
    notes = () if exists else ("no ES: with at most 1 degree of freedom there is no mean loss",)
    return Measure(
        method="monte_carlo",
        confidence=confidence,
        horizon=horizon,
        var=var,
        es=es if exists else None,
        n=len(values),
        rule=f"sums of {horizon} independent simulated days",
        parameters={
            "seed": seed,
            "paths": paths,
            "location": fitted.location,
            "scale": fitted.scale,
            "degrees_of_freedom": fitted.degrees,
        },
        notes=(*notes, *fitted.notes),
    )


def monte_carlo_book(
    returns: npt.ArrayLike,
    weights: npt.ArrayLike,
    confidence: float,
    horizon: int = 1,
    *,
    seed: int = SEED,
    paths: int = PATHS,
) -> Measure:
    """Measure a book by correlated simulated days; see ``scenarios``.

    Args:
        returns: A row for each day, a column for each position.
        weights: What each position is worth, as a fraction of equity; negative is short.
        confidence: Between 0.5 and 1.
        horizon: Days.
        seed: Of the random numbers.
        paths: How many are simulated.

    Raises:
        TooLittleDataError, InvalidRequestError: As ``scenarios``.
    """
    checked_confidence(confidence)
    _checked(seed, paths, confidence)
    values = finite_matrix(returns)
    held = checked_weights(weights, values)
    drawn = scenarios(values, held, horizon, seed=seed, paths=paths)
    var, es = tail(drawn.returns @ held, confidence)
    return Measure(
        method="monte_carlo",
        confidence=confidence,
        horizon=horizon,
        var=var,
        es=es,
        n=len(values),
        rule=f"sums of {horizon} independent simulated days",
        parameters=drawn.parameters,
    )


def scenarios(
    returns: npt.ArrayLike, weights: npt.ArrayLike, horizon: int, *, seed: int = SEED, paths: int = PATHS
) -> Scenarios:
    """Simulate positions together: multivariate t with the sample's means and covariance.

    A day is μ + √(ν/χ²(ν)) · √((ν − 2)/ν) · Az with AAᵀ the covariance and z normal; ν is fitted to the
    book's own returns, which under this model are t with the same ν. Days are independent and added up.
    Source: McNeil, Frey and Embrechts, "Quantitative Risk Management", 2nd ed., sections 6.2 and 6.4.

    Raises:
        TooLittleDataError: There are fewer than 60 days.
        InvalidRequestError: Something given makes no sense, the book's returns do not vary, or their
            tails are so heavy (ν ≤ 2) that there is no covariance.
    """
    values = finite_matrix(returns)
    held = checked_weights(weights, values)
    checked_horizon(horizon)
    _checked(seed, paths, 0.5)
    degrees = _book_degrees(values @ held)
    eigenvalues, vectors = np.linalg.eigh(np.atleast_2d(np.cov(values, rowvar=False)))
    mixing = vectors * np.sqrt(np.clip(eigenvalues, 0.0, None) * (degrees - 2.0) / degrees)
    generator = np.random.default_rng(seed)
    total = np.tile(values.mean(axis=0) * horizon, (paths, 1))
    for _ in range(horizon):
        heaviness = np.sqrt(degrees / generator.chisquare(degrees, (paths, 1)))
        total += heaviness * (generator.standard_normal((paths, values.shape[1])) @ mixing.T)
    parameters = {"seed": seed, "paths": paths, "degrees_of_freedom": degrees}
    return Scenarios(total, parameters)


def book_paths(
    returns: npt.ArrayLike, weights: npt.ArrayLike, horizon: int, *, seed: int = SEED, paths: int = PATHS
) -> tuple[Floats, dict[str, float]]:
    """Simulate a book's return only, under the model of ``scenarios``.

    A weighted sum of correlated t's is drawn along the book's own direction: w'Az is normal with variance
    w'Σw, so that one number a day takes the place of one for each position. The distribution is the same,
    the draws are not; components need ``scenarios``.

    Returns:
        The return of each path over the horizon, and what was fitted.

    Raises:
        TooLittleDataError, InvalidRequestError: As ``scenarios``.
    """
    values = finite_matrix(returns)
    held = checked_weights(weights, values)
    checked_horizon(horizon)
    _checked(seed, paths, 0.5)
    book = values @ held
    degrees = _book_degrees(book)
    generator = np.random.default_rng(seed)
    scale = float(book.std(ddof=1)) * math.sqrt((degrees - 2.0) / degrees)
    total = np.full(paths, float(book.mean()) * horizon)
    for _ in range(horizon):
        heaviness = np.sqrt(degrees / generator.chisquare(degrees, paths))
        total += scale * heaviness * generator.standard_normal(paths)
    return total, {"seed": seed, "paths": paths, "degrees_of_freedom": degrees}


def _book_degrees(book: Floats) -> float:
    """Return the degrees of freedom of a book's returns, of which there must be a covariance."""
    require(book, MINIMUM["student"], "monte_carlo")
    require_variety(book, "monte_carlo")
    degrees = fit(book).degrees
    if degrees <= _FINITE_VARIANCE:
        raise InvalidRequestError(
            f"the book's tails are too heavy to correlate ({degrees:.2f} degrees of freedom)",
            rule="more than 2 degrees of freedom",
            fix="use historical, or evt on the book's returns",
        )
    return degrees


def checked_weights(weights: npt.ArrayLike, returns: Floats) -> Floats:
    """Return the weights; raises InvalidRequestError unless there is a finite one for each position."""
    held = np.asarray(weights, dtype=np.float64)
    if held.shape != (returns.shape[1],) or not np.isfinite(held).all():
        raise InvalidRequestError(
            f"weights of shape {held.shape} for {returns.shape[1]} positions",
            rule="one finite weight for each position",
        )
    return held


def _checked(seed: int, paths: int, confidence: float) -> None:
    if seed < 0:
        raise InvalidRequestError(f"seed {seed} is out of range", rule="a seed is not negative")
    fewest = max(_FEWEST, math.ceil(round(10.0 / (1.0 - confidence), 6)))
    if not fewest <= paths <= _MOST:
        raise InvalidRequestError(f"{paths:,} paths are out of range", rule=f"{fewest:,} to {_MOST:,} paths")
