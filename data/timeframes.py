"""Timeframes: the length of a bar's period and where periods begin, in UTC.

Periods of seconds, minutes, hours and days are counted from the epoch; weeks begin on Monday. This
module must not know of bars or files.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from data.problems import InvalidRequestError

SECOND: Final = 1_000_000_000
DAY: Final = 86_400 * SECOND
WEEK: Final = 7 * DAY
#: 1970-01-05 was a Monday.
_FIRST_MONDAY: Final = 4 * DAY

_UNITS: Final = {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": DAY, "w": WEEK}
_TEXT = re.compile(r"([1-9]\d{0,5})([smhdw])")
#: Those a file is likely to hold or a chart to show.
COMMON: Final = (
    "1s",
    "5s",
    "15s",
    "30s",
    "1m",
    "5m",
    "15m",
    "30m",
    "1h",
    "2h",
    "4h",
    "8h",
    "12h",
    "1d",
    "1w",
)


class Timeframe(msgspec.Struct, frozen=True):
    """A period of ``width`` nanoseconds; ``text`` is how it is written, e.g. ``15m``."""

    text: str
    width: int

    @property
    def origin(self) -> int:
        """A moment at which a period begins; all others are whole widths away."""
        return _FIRST_MONDAY if self.width % WEEK == 0 else 0

    def floor(self, ts: int) -> int:
        """Return the start of the period that ``ts`` (ns UTC) is in."""
        return ts - (ts - self.origin) % self.width

    def divides(self, other: Timeframe) -> bool:
        """True if periods of ``other`` are made of whole periods of this."""
        return other.width % self.width == 0


def timeframe(text: str) -> Timeframe:
    """Return the timeframe that ``text`` names, e.g. ``5s``, ``1m``, ``4h``, ``1d``, ``1w``.

    Raises:
        InvalidRequestError: It names none.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise InvalidRequestError(
            f"{text!r} is not a timeframe",
            rule="a timeframe is a whole number and a unit: s, m, h, d or w",
            fix="use one such as 5s, 1m, 15m, 1h, 1d or 1w",
            field="timeframe",
            value=text,
        )
    return Timeframe(text, int(match[1]) * _UNITS[match[2]])


def nearest(width_ns: int) -> Timeframe:
    """Return the common timeframe nearest to a spacing seen in data."""
    return min((timeframe(text) for text in COMMON), key=lambda one: abs(one.width - width_ns))
