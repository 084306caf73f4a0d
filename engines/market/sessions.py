"""Trading hours: when a venue is open, and when the session that is running (or the next one) closes.

Hours are held in the venue's own time zone, so they follow its daylight saving. Exchange holidays are
not known here: a simulated venue trades every weekday its hours name. This module must not know of
instruments' prices or of engines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_NANOS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * _NANOS

_WEEKDAYS: Final = frozenset({0, 1, 2, 3, 4})  # Monday is 0
_SUNDAY_TO_THURSDAY: Final = frozenset({6, 0, 1, 2, 3})
_EVERY_DAY: Final = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Session:
    """The hours of one kind of venue.

    A session opens at ``opens`` on each of ``days`` and closes at the next ``closes``, which is on the
    following day when it is not later than ``opens``.
    """

    text: str
    timezone: str
    days: frozenset[int]
    opens: time
    closes: time
    seconds_per_year: float  #: trading seconds in a year: what an annual volatility is spread over


@dataclass(frozen=True, slots=True)
class Span:
    """One session in UTC nanoseconds: open at ``opens_ns``, closed from ``closes_ns`` on."""

    opens_ns: int
    closes_ns: int

    def contains(self, now_ns: int) -> bool:
        """Return whether the session is open at ``now_ns``."""
        return self.opens_ns <= now_ns < self.closes_ns


US_EQUITY: Final = Session(
    "Mon-Fri 09:30-16:00 America/New_York",
    "America/New_York",
    _WEEKDAYS,
    time(9, 30),
    time(16, 0),
    252 * 6.5 * 3600,
)
FX: Final = Session(
    "Sun 17:00-Fri 17:00 America/New_York",
    "America/New_York",
    _SUNDAY_TO_THURSDAY,
    time(17, 0),
    time(17, 0),
    252 * 24 * 3600,
)
FUTURES: Final = Session(
    "Sun-Fri 17:00-16:00 America/Chicago",
    "America/Chicago",
    _SUNDAY_TO_THURSDAY,
    time(17, 0),
    time(16, 0),
    252 * 23 * 3600,
)
UTC_DAY: Final = Session("24/7, day ends 00:00 UTC", "UTC", _EVERY_DAY, time(0), time(0), 365 * 24 * 3600)


def session_span(session: Session, now_ns: int) -> Span:
    """Return the session that is open at ``now_ns``, or else the next one to open."""
    zone = ZoneInfo(session.timezone)
    today = datetime.fromtimestamp(now_ns // _NANOS, UTC).astimezone(zone).date()
    for offset in range(-1, 9):  # the longest closure without holidays is a weekend
        day = today + timedelta(days=offset)
        if day.weekday() not in session.days:
            continue
        closing_day = day if session.closes > session.opens else day + timedelta(days=1)
        span = Span(_at(day, session.opens, zone), _at(closing_day, session.closes, zone))
        if span.closes_ns > now_ns:
            return span
    raise AssertionError(f"session {session.text!r} never opens")  # only for a Session without days


def _at(day: date, clock: time, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, clock, zone).timestamp()) * _NANOS


class Calendar:
    """The sessions of many instruments, either honoured or run around the clock.

    With ``always_open`` every instrument trades without a break and its sessions are UTC days: a
    simulated market that is closed at night or on Sunday would be of no use at night or on Sunday.
    """

    def __init__(self, sessions: Mapping[str, Session], *, always_open: bool) -> None:
        self._sessions = dict(sessions)
        self._always_open = always_open
        self._spans: dict[Session, Span] = {}

    def session(self, instrument_id: str) -> Session:
        """Return the hours that apply to an instrument; the UTC day where none are known."""
        return UTC_DAY if self._always_open else self._sessions.get(instrument_id, UTC_DAY)

    def text(self, instrument_id: str) -> str:
        """Return an instrument's hours in words, saying so when the venue's real ones are not kept."""
        real = self._sessions.get(instrument_id, UTC_DAY)
        if not self._always_open or real is UTC_DAY:
            return real.text
        return f"{UTC_DAY.text} (simulated; real hours {real.text})"

    def span(self, instrument_id: str, now_ns: int) -> Span:
        """Return the session that is open at ``now_ns``, or else the next one."""
        session = self.session(instrument_id)
        known = self._spans.get(session)
        if known is not None and known.contains(now_ns):
            return known
        span = self._spans[session] = session_span(session, now_ns)
        return span

    def is_open(self, instrument_id: str, now_ns: int) -> bool:
        """Return whether the instrument trades at ``now_ns``."""
        return self.span(instrument_id, now_ns).contains(now_ns)

    def session_close_ns(self, instrument_id: str, now_ns: int) -> int:
        """Return when a DAY order sent at ``now_ns`` expires: the close of this session, or the next one."""
        return self.span(instrument_id, now_ns).closes_ns
