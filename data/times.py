"""Times as files write them: guessing the way from a sample, and reading exactly to the nanosecond.

This module must not know of columns or of what the times belong to.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from data.problems import InvalidRequestError
from data.timeframes import DAY, SECOND

Style = Literal["iso", "day first", "month first", "month by name", "epoch"]

_TIME = (
    r"(?:[T ,]+(?P<hour>\d{1,2}):?(?P<minute>\d{2})(?::?(?P<second>\d{2})(?:[.,:]?(?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?"
    r"\s*(?:(?P<zulu>Z|UTC|GMT)?(?P<offset>[+-]\d{2}:?(?:\d{2})?)?)"
)
_PATTERNS: Final[dict[Style, re.Pattern[str]]] = {
    "iso": re.compile(r"(?P<year>\d{4})(?P<sep>[-/.]?)(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})" + _TIME),
    "day first": re.compile(r"(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})[-/.](?P<year>\d{4}|\d{2})" + _TIME),
    "month first": re.compile(r"(?P<month>\d{1,2})[-/.](?P<day>\d{1,2})[-/.](?P<year>\d{4}|\d{2})" + _TIME),
    "month by name": re.compile(
        r"(?:(?P<day>\d{1,2})[- ](?P<name>[A-Za-z]{3})[a-z]*\.?[-, ]+"
        r"|(?P<name2>[A-Za-z]{3})[a-z]*\.? (?P<day2>\d{1,2}),? )"
        r"(?P<year>\d{4}|\d{2})" + _TIME
    ),
    "epoch": re.compile(r"\d{9,19}(?:\.\d{1,9})?"),
}
_MONTHS: Final = dict(
    zip(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
        range(1, 13),
        strict=True,
    )
)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
#: Epochs by their size: below it the unit is the one named. 10^11 s is the year 5138, 10^11 ms is 1973.
_EPOCHS: Final = ((10**11, "s", SECOND), (10**14, "ms", 1_000_000), (10**17, "us", 1_000), (10**20, "ns", 1))
_FIXED: Final = {"EST": -5, "CST": -6, "MST": -7, "PST": -8, "GMT": 0, "UTC": 0, "Z": 0}
_PLAIN_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_PLAIN_CLOCK = re.compile(r"[ T]([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])")
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})?")
_EARLIEST: Final = (date(1800, 1, 1).toordinal() - _EPOCH_DAY) * DAY
_LATEST: Final = (date(2200, 1, 1).toordinal() - _EPOCH_DAY) * DAY


class TimeFormat(msgspec.Struct, frozen=True):
    """How times are written. ``timezone`` holds for times that name none."""

    style: Style
    timezone: str = "UTC"
    unit: str = ""  #: of epochs: s, ms, us, ns

    @property
    def text(self) -> str:
        """The format in words."""
        return f"epoch {self.unit}" if self.style == "epoch" else f"{self.style}, {self.timezone}"


def looks_like_time(text: str) -> bool:
    """True if a text can be a date or a date and time; an epoch counts."""
    text = text.strip()
    return any(_reads(style, text) for style in _PATTERNS)


def guess(sample: Sequence[str], timezone: str) -> tuple[TimeFormat | None, str | None]:
    """Return the format that reads most of a sample, and a remark if it could be read otherwise."""
    texts = [text.strip() for text in sample if text.strip()]
    if not texts:
        return None, None
    fits = {style: sum(_reads(style, text) for text in texts) for style in _PATTERNS}
    # 20200101 is a date and not an epoch of 1970.
    best = max(fits, key=lambda style: (fits[style], style == "iso", style == "epoch"))
    if fits[best] * 2 < len(texts):
        return None, None
    if best == "epoch":
        units = [_epoch_unit(text) for text in texts if _reads("epoch", text)]
        return TimeFormat("epoch", "UTC", max(set(units), key=units.count)), None
    if best in ("day first", "month first") and fits["day first"] == fits["month first"]:
        best, remark = _by_order(texts, timezone)
        return TimeFormat(best, timezone), remark
    return TimeFormat(best, timezone), None


def reader(how: TimeFormat) -> Callable[[str], int]:
    """Return a function from text to ns UTC; it raises ValueError for what it cannot read.

    Raises:
        InvalidRequestError: The time zone is unknown.
    """
    if how.style == "epoch":
        step = next(step for _, unit, step in _EPOCHS if unit == how.unit)
        return lambda text: _checked(_epoch(text.strip(), step))
    pattern = _PATTERNS[how.style]
    offset_at = _offset_of(how.timezone)
    days: dict[tuple[str, str, str], int] = {}
    dates: dict[str, int] = {}
    zones: dict[str, int | None] = {"": None, "Z": 0, "+00:00": 0}

    def read_plain(text: str) -> int:
        """Read ``YYYY-MM-DD HH:MM:SS`` with or without zone; anything else the long way."""
        day = dates.get(text[:10])
        tail = text[19:]
        clock = _PLAIN_CLOCK.fullmatch(text[10:19])
        if day is None or tail not in zones or clock is None:
            ts = read(text)
            if how.style == "iso" and len(text) >= 19 and _PLAIN_DAY.fullmatch(text[:10]):
                dates[text[:10]] = _ordinal(text[:4], text[5:7], text[8:10]) * DAY
            return ts
        ts = day + (int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3])) * SECOND
        return ts - offset_at(ts) if zones[tail] is None else ts

    def read(text: str) -> int:
        match = pattern.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"not a time ({how.style})")
        part = match.groupdict()
        if "name" in part:
            day, name = part["day"] or part["day2"], part["name"] or part["name2"]
            key = (part["year"], str(_MONTHS.get(name.lower(), 0)), day)
        else:
            key = (part["year"], part["month"], part["day"])
        ordinal = days.get(key)
        if ordinal is None:
            ordinal = days[key] = _ordinal(*key)
        ts = ordinal * DAY + _clock(part)
        if part["zulu"] or part["offset"]:
            return _checked(ts - _given_offset(part["offset"]))
        return _checked(ts - offset_at(ts))

    return read_plain if how.style == "iso" else read


def has_clock(text: str) -> bool:
    """True if a time names an hour: dates alone do not."""
    if _PATTERNS["epoch"].fullmatch(text.strip()) and not _reads("iso", text.strip()):
        return True
    return any((match := p.fullmatch(text.strip())) and "hour" in match.groupdict() and match["hour"]
               for style, p in _PATTERNS.items() if style != "epoch")  # fmt: skip


def _reads(style: Style, text: str) -> bool:
    match = _PATTERNS[style].fullmatch(text)
    if match is None or style == "epoch":
        return match is not None
    part = match.groupdict()
    try:
        _ordinal(part["year"], part.get("month") or "1", part["day"] or part.get("day2") or "1")
    except ValueError:
        return False
    return True


def _by_order(texts: Sequence[str], timezone: str) -> tuple[Style, str]:
    """Tell day from month where no day above 12 occurs: the reading in which time goes on evenly."""
    # Where both go on alike: dots are usual where the day comes first, strokes where the month does.
    usual: Style = "month first" if "/" in texts[0] else "day first"
    jumps: dict[Style, int] = {}
    for style in ("month first", "day first"):
        read = reader(TimeFormat(style, timezone))
        times = [read(text) for text in texts]
        steps = [b - a for a, b in itertools.pairwise(times)]
        jumps[style] = max((abs(step) for step in steps), default=0)
    chosen = usual if jumps["day first"] == jumps["month first"] else min(jumps, key=lambda one: jumps[one])
    return chosen, f"dates are read {chosen}; the sample does not tell for certain"


def _ordinal(year: str, month: str, day: str) -> int:
    whole = int(year)
    if len(year) == 2:
        whole += 2000 if whole < 70 else 1900
    try:
        return date(whole, int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError as error:
        raise ValueError("no such day") from error


def _clock(part: dict[str, str | None]) -> int:
    if part["hour"] is None:
        return 0
    hour, minute, second = int(part["hour"]), int(part["minute"] or 0), int(part["second"] or 0)
    half = (part["half"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("an hour is 1 to 12 with am or pm")
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError("no such time of day")
    fraction = int((part["fraction"] or "0").ljust(9, "0"))
    return (hour * 3600 + minute * 60 + second) * SECOND + fraction


def _given_offset(text: str | None) -> int:
    if not text:
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return (-seconds if text[0] == "-" else seconds) * SECOND


def _offset_of(timezone: str) -> Callable[[int], int]:
    """Return a function from local ns to the zone's distance from UTC in ns."""
    if timezone.upper() in _FIXED:
        fixed = _FIXED[timezone.upper()] * 3600 * SECOND
        return lambda _: fixed
    match = _OFFSET.fullmatch(timezone)
    if match is not None:
        given = _given_offset(match[1] + match[2].zfill(2) + (match[3] or "00"))
        return lambda _: given
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidRequestError(
            f"{timezone!r} is not a time zone",
            rule="a name such as UTC, EST or Europe/Zurich, or an offset such as -05:00",
            field="timezone",
            value=timezone,
        ) from error
    hours: dict[int, int] = {}

    def offset(local: int) -> int:
        hour = local // (900 * SECOND)  # offsets change at full quarters
        found = hours.get(hour)
        if found is None:
            moment = datetime(1970, 1, 1, tzinfo=None) + timedelta(seconds=hour * 900)
            shift = moment.replace(tzinfo=zone).utcoffset() or timedelta()
            found = hours[hour] = int(shift.total_seconds()) * SECOND
        return found

    return offset


def _epoch_unit(text: str) -> str:
    value = int(text.partition(".")[0])
    return next(unit for bound, unit, _ in _EPOCHS if value < bound)


def _epoch(text: str, step: int) -> int:
    whole, _, fraction = text.partition(".")
    if not whole.isascii() or not whole.isdigit() or (fraction and not fraction.isdigit()):
        raise ValueError("not an epoch")
    return int(whole) * step + (int(fraction.ljust(9, "0")[:9]) * step // SECOND if fraction else 0)


def _checked(ts: int) -> int:
    if not _EARLIEST <= ts < _LATEST:
        raise ValueError("a time out of all reason")
    return ts
