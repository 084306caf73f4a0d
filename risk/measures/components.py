"""A book's value at risk shared out among its positions, so that the shares add up to it.

The book's VaR is homogeneous in its weights, so by Euler it is the sum of each weight times its marginal
VaR, ∂VaR/∂w; the same holds for ES. Source: Tasche (2000), "Risk contributions and performance
measurement"; Hallerbach (2003), "Decomposing portfolio value-at-risk", Journal of Risk 5.
This module must not know how a position came about.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from data.analytics import ComponentMethod
from data.problems import InvalidRequestError
from risk.measures.empirical import scaled_scenarios
from risk.measures.parametric import MINIMUM, density, normal_quantile
from risk.measures.sample import (
    Floats,
    checked_confidence,
    checked_horizon,
    finite_matrix,
    place_in_tail,
    require,
    require_variety,
    returns_for_quantile,
)
from risk.measures.simulated import PATHS, SEED, checked_weights, scenarios


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """What one position adds to the book's figures; negative: it hedges."""

    name: str
    weight: float
    marginal_var: float  #: what VaR grows by for one unit more of weight
    component_var: float  #: weight times marginal; these add up to the book's VaR
    component_es: float  #: the same of ES
    share: float | None  #: of the book's VaR; None where that is zero


class BookMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """A book's VaR and ES in the weights' unit, with what each position adds."""

    method: ComponentMethod
    confidence: float
    horizon: int
    var: float
    es: float
    n: int
    rule: str
    positions: tuple[Contribution, ...]
    parameters: dict[str, float] = {}


def contributions(
    returns: npt.ArrayLike,
    weights: npt.ArrayLike,
    confidence: float,
    horizon: int = 1,
    *,
    method: ComponentMethod = "normal",
    names: Sequence[str] | None = None,
    seed: int = SEED,
    paths: int = PATHS,
) -> BookMeasure:
    """Measure a book and share the figure out.

    normal: marginal VaR is −μ + z(Σw)/σ, with μ and Σ (n − 1) of the sample, exact. historical and
    monte_carlo: the negated mean return of the position in those scenarios that make the book's quantile
    (VaR, interpolated as the quantile is) or lie beyond it (ES).

    Args:
        returns: A row for each day, a column for each position.
        weights: What each position is worth, as a fraction of equity or in money; negative is short.
        confidence: Between 0.5 and 1.
        horizon: Days; scaled as the method scales.
        method: How the book is measured.
        names: Of the positions; None: their numbers.
        seed: Of monte_carlo.
        paths: Of monte_carlo.

    Raises:
        TooLittleDataError: There are too few days for the method.
        InvalidRequestError: Something given makes no sense, or the book's returns do not vary.
    """
    values = finite_matrix(returns)
    held = checked_weights(weights, values)
    checked_confidence(confidence)
    checked_horizon(horizon)
    labels = [str(at) for at in range(1, len(held) + 1)] if names is None else list(names)
    if len(labels) != len(held):
        raise InvalidRequestError(
            f"{len(labels)} names for {len(held)} positions", rule="one name for each position"
        )
    parameters: dict[str, float] = {}
    if method == "normal":
        marginal_var, marginal_es, rule = _by_covariance(values, held, confidence, horizon)
    else:
        if method == "historical":
            require(values[:, 0], returns_for_quantile(confidence), f"historical at {confidence:g}")
            those, factor, rule = scaled_scenarios(values, confidence, horizon)
        else:
            those, parameters = scenarios(values, held, horizon, seed=seed, paths=paths)
            factor, rule = 1.0, f"sums of {horizon} independent simulated days"
        marginal_var, marginal_es = _by_scenarios(those * factor, held, confidence)
    var, es = float(held @ marginal_var), float(held @ marginal_es)
    return BookMeasure(
        method=method,
        confidence=confidence,
        horizon=horizon,
        var=var,
        es=es,
        n=len(values),
        rule=rule,
        parameters=parameters,
        positions=tuple(
            Contribution(
                name=label,
                weight=float(weight),
                marginal_var=float(of_var),
                component_var=float(weight * of_var),
                component_es=float(weight * of_es),
                share=float(weight * of_var / var) if var else None,
            )
            for label, weight, of_var, of_es in zip(labels, held, marginal_var, marginal_es, strict=True)
        ),
    )


def _by_covariance(
    values: Floats, held: Floats, confidence: float, horizon: int
) -> tuple[Floats, Floats, str]:
    book = values @ held
    require(book, MINIMUM["normal"], "normal")
    require_variety(book, "normal")
    mean = values.mean(axis=0) * horizon
    covariance = np.atleast_2d(np.cov(values, rowvar=False)) * horizon
    slope = covariance @ held / math.sqrt(float(held @ covariance @ held))
    z = normal_quantile(confidence)
    rule = f"mean times {horizon}, standard deviation times sqrt({horizon})"
    return -mean + z * slope, -mean + density(z) / (1.0 - confidence) * slope, rule


def _by_scenarios(scenarios: Floats, held: Floats, confidence: float) -> tuple[Floats, Floats]:
    worst_first = np.argsort(scenarios @ held, kind="stable")
    index, part = place_in_tail(len(scenarios), confidence)
    last = min(index + 1, len(scenarios) - 1)
    at, after = scenarios[worst_first[index]], scenarios[worst_first[last]]
    of_var: Floats = -(at + part * (after - at))
    of_es: Floats = -scenarios[worst_first[: index + 1]].mean(axis=0)
    return of_var, of_es
