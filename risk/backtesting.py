"""Backtests: was value at risk exceeded as often as it says, and not in clusters?

Every forecast is out of sample: the VaR of a day is made of the ``window`` returns before it. A day is an
exception when its return is worse than −VaR. This module must not know of files or commands.
"""

from __future__ import annotations

import math
from typing import Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from data.limits import VarMethod
from data.problems import InvalidRequestError
from risk.measures.methods import Options, measure
from risk.measures.sample import Floats, TooLittleDataError, checked_confidence, finite

type Zone = Literal["green", "yellow", "red"]

YEAR: Final = 250  #: days that the Basel framework looks at
BASEL_CONFIDENCE: Final = 0.99
#: Cumulative probabilities at which the yellow and the red zone begin.
_YELLOW: Final = 0.95
_RED: Final = 0.9999
#: What 5 to 9 exceptions in 250 days add to the multiplier of 3; 10 and more add 1.
_PLUS: Final = {5: 0.40, 6: 0.50, 7: 0.65, 8: 0.75, 9: 0.85}


class LikelihoodRatio(msgspec.Struct, frozen=True, kw_only=True):
    """A likelihood-ratio test; None where the exceptions there are cannot tell."""

    statistic: float | None
    p_value: float | None
    degrees: int  #: of the chi-squared distribution it is compared with


class Christoffersen(LikelihoodRatio, frozen=True, kw_only=True):
    """The test of independence, with the transitions it counts (0: no exception, 1: exception)."""

    n00: int
    n01: int
    n10: int
    n11: int


class TrafficLight(msgspec.Struct, frozen=True, kw_only=True):
    """The zone of a number of exceptions.

    Yellow begins where the cumulative binomial probability of so many exceptions or fewer reaches 95 %,
    red where it reaches 99.99 %: in 250 days at 99 % that is at 5 and at 10, the numbers of the framework.
    For other numbers of days and other confidences the same probabilities are applied to them.
    Source: Basel Committee (1996), "Supervisory framework for the use of 'backtesting' in conjunction with
    the internal models approach to market risk capital requirements".
    """

    zone: Zone
    days: int
    exceptions: int
    yellow_from: int  #: exceptions
    red_from: int
    per_250: float  #: exceptions in proportion to 250 days
    multiplier: float | None  #: 3 plus the zone's addition; for 250 days at 99 % only


class Backtest(msgspec.Struct, frozen=True, kw_only=True):
    """What came of testing a series of VaR forecasts against the returns that followed."""

    confidence: float
    days: int  #: tested
    exceptions: int
    expected: float
    kupiec: LikelihoodRatio
    christoffersen: Christoffersen
    conditional_coverage: LikelihoodRatio
    traffic_light: TrafficLight
    last_250: TrafficLight | None  #: the framework's own: the latest 250 days, at 99 % only
    exception_days: tuple[int, ...]  #: places among the days tested, from 0

    @property
    def zone(self) -> Zone:
        """The zone over all days tested."""
        return self.traffic_light.zone


def rolling_var(
    returns: npt.ArrayLike,
    method: VarMethod | str,
    confidence: float,
    window: int,
    options: Options | None = None,
) -> Floats:
    """Return one-day VaR for every return after the first ``window``, each made of the window before it.

    Raises:
        TooLittleDataError: The window is too short for the method, or there is no return after it.
        InvalidRequestError: Something given makes no sense, or a window cannot be measured; says which.
    """
    values = finite(returns, "a backtest")
    checked_confidence(confidence)
    if window < 1:
        raise InvalidRequestError(f"window {window} is out of range", rule="a window is at least 1 return")
    if len(values) <= window:
        raise TooLittleDataError(
            f"a backtest with a window of {window:,}",
            needed=window + 1,
            given=len(values),
            fix="a longer history or a shorter window",
        )
    forecasts = np.empty(len(values) - window)
    for day in range(len(forecasts)):
        try:
            forecasts[day] = measure(method, values[day : day + window], confidence, 1, options).var
        except TooLittleDataError as error:
            raise TooLittleDataError(
                f"the window of {method} at {confidence:g}",
                needed=error.needed,
                given=window,
                fix="a longer window",
            ) from error
        except InvalidRequestError as error:
            raise InvalidRequestError(
                f"returns {day + 1:,} to {day + window:,} cannot be measured: {error.detail}",
                rule=error.rule,
                fix=error.fix,
                **error.extra,
            ) from error
    return forecasts


def backtest(returns: npt.ArrayLike, forecasts: npt.ArrayLike, confidence: float) -> Backtest:
    """Test VaR forecasts (positive fractions) against the returns of their days.

    Raises:
        TooLittleDataError: There are no days.
        InvalidRequestError: There are not as many forecasts as returns, or one is not finite.
    """
    values, limits = finite(returns, "a backtest"), finite(forecasts, "a backtest")
    checked_confidence(confidence)
    if len(values) != len(limits):
        raise InvalidRequestError(
            f"{len(limits)} forecasts for {len(values)} returns", rule="one forecast for each return"
        )
    exceeded = values < -limits
    count, days = int(exceeded.sum()), len(values)
    coverage = kupiec(days, count, confidence)
    independence = christoffersen(exceeded)
    latest = None
    if math.isclose(confidence, BASEL_CONFIDENCE) and days >= YEAR:
        latest = traffic_light(YEAR, int(exceeded[-YEAR:].sum()), confidence)
    return Backtest(
        confidence=confidence,
        days=days,
        exceptions=count,
        expected=days * (1.0 - confidence),
        kupiec=coverage,
        christoffersen=independence,
        conditional_coverage=_together(coverage, independence),
        traffic_light=traffic_light(days, count, confidence),
        last_250=latest,
        exception_days=tuple(int(day) for day in np.flatnonzero(exceeded)),
    )


def kupiec(days: int, exceptions: int, confidence: float) -> LikelihoodRatio:
    """Test whether exceptions are as frequent as they should be (proportion of failures).

    With p = 1 − confidence and π = x/T: LR = −2 log[(1−p)^(T−x) p^x / ((1−π)^(T−x) π^x)], chi-squared
    with one degree of freedom. Source: Kupiec (1995), "Techniques for verifying the accuracy of risk
    measurement models", Journal of Derivatives 3.

    Raises:
        InvalidRequestError: There are no days, or more exceptions than days.
    """
    _checked_counts(days, exceptions)
    rate = exceptions / days
    ratio = _log_likelihood(days - exceptions, exceptions, rate)
    ratio -= _log_likelihood(days - exceptions, exceptions, 1.0 - checked_confidence(confidence))
    return _chi_squared(2.0 * ratio, 1)


def christoffersen(exceeded: npt.ArrayLike) -> Christoffersen:
    """Test whether an exception makes another one the next day more or less likely.

    With n(ij) the transitions from i to j, π(i) = n(i1) / (n(i0) + n(i1)) and π = (n01 + n11) / all:
    LR = −2 log[L(π) / L(π(0), π(1))], chi-squared with one degree of freedom. None where no transition
    leaves an exception, because there is nothing to compare.
    Source: Christoffersen (1998), "Evaluating interval forecasts", International Economic Review 39.
    """
    hits = np.asarray(exceeded, dtype=bool)
    before, after = hits[:-1], hits[1:]
    n00, n01 = int((~before & ~after).sum()), int((~before & after).sum())
    n10, n11 = int((before & ~after).sum()), int((before & after).sum())
    found = LikelihoodRatio(statistic=None, p_value=None, degrees=1)
    if n10 + n11 and n00 + n01:
        free = _log_likelihood(n00, n01, n01 / (n00 + n01)) + _log_likelihood(n10, n11, n11 / (n10 + n11))
        bound = _log_likelihood(n00 + n10, n01 + n11, (n01 + n11) / len(after))
        found = _chi_squared(2.0 * (free - bound), 1)
    return Christoffersen(
        statistic=found.statistic, p_value=found.p_value, degrees=1, n00=n00, n01=n01, n10=n10, n11=n11
    )


def traffic_light(days: int, exceptions: int, confidence: float) -> TrafficLight:
    """Return the zone of so many exceptions; see ``TrafficLight``.

    Raises:
        InvalidRequestError: There are no days, or more exceptions than days.
    """
    from scipy.special import bdtr

    _checked_counts(days, exceptions)
    missed = 1.0 - checked_confidence(confidence)
    cumulative = bdtr(np.arange(days + 1.0), days, missed)
    yellow, red = (int(np.searchsorted(cumulative, start)) for start in (_YELLOW, _RED))
    zone: Zone = "green" if exceptions < yellow else "yellow" if exceptions < red else "red"
    basel = days == YEAR and math.isclose(confidence, BASEL_CONFIDENCE)
    return TrafficLight(
        zone=zone,
        days=days,
        exceptions=exceptions,
        yellow_from=yellow,
        red_from=red,
        per_250=exceptions * YEAR / days,
        multiplier=3.0 + plus_factor(exceptions) if basel else None,
    )


def plus_factor(exceptions: int) -> float:
    """Return what exceptions in 250 days at 99 % add to the multiplier of 3, from 0 to 1."""
    return 0.0 if exceptions < min(_PLUS) else _PLUS.get(exceptions, 1.0)


def _together(coverage: LikelihoodRatio, independence: LikelihoodRatio) -> LikelihoodRatio:
    """Return the test of conditional coverage: both statistics added up, two degrees of freedom."""
    if coverage.statistic is None or independence.statistic is None:
        return LikelihoodRatio(statistic=None, p_value=None, degrees=2)
    return _chi_squared(coverage.statistic + independence.statistic, 2)


def _log_likelihood(misses: int, hits: int, rate: float) -> float:
    """Return the log likelihood of independent days; nothing happened counts as certain."""
    of_misses = misses * math.log1p(-rate) if misses else 0.0
    return of_misses + (hits * math.log(rate) if hits else 0.0)


def _chi_squared(statistic: float, degrees: int) -> LikelihoodRatio:
    from scipy.special import chdtrc

    least = max(statistic, 0.0)  # rounding may leave a little less than nothing
    return LikelihoodRatio(statistic=least, p_value=float(chdtrc(degrees, least)), degrees=degrees)


def _checked_counts(days: int, exceptions: int) -> None:
    if days < 1:
        raise TooLittleDataError("a backtest", needed=1, given=days)
    if not 0 <= exceptions <= days:
        raise InvalidRequestError(
            f"{exceptions} exceptions in {days} days", rule="as many exceptions as days at most"
        )
