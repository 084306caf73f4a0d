"""How figures are written: prices by tick, money with separators, ages, sizes and times.

Functions from a value to the text a trader expects. A value that is not known is a dash, never a
zero. It must not know of widgets or colours.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal

DASH = "–"

_QUANTA = tuple(Decimal(1).scaleb(-n) for n in range(19))


def price(value: Decimal | None, precision: int) -> str:
    """Write a price with the decimals of its tick size."""
    return DASH if value is None else f"{value:.{precision}f}"


def quantity(value: Decimal | None) -> str:
    """Write a quantity without needless zeros, thousands separated."""
    if value is None:
        return DASH
    whole = value == value.to_integral_value()
    return f"{value:,.0f}" if whole else f"{value.normalize():,f}"


def signed_quantity(value: Decimal | None) -> str:
    """Write a quantity with its sign; zero has none."""
    if value is None:
        return DASH
    return ("+" if value > 0 else "") + quantity(value)


def compact(value: Decimal | float | None) -> str:
    """Write a large number in at most five characters: 950, 12.4k, 3.10M."""
    if value is None:
        return DASH
    number = float(value)
    size = abs(number)
    for unit, scale in (("", 1.0), ("k", 1e3), ("M", 1e6), ("B", 1e9), ("T", 1e12)):
        if size < scale * 999.5 or unit == "T":
            scaled = number / scale
            if not unit:
                return f"{scaled:.0f}" if size >= 10 or scaled == int(scaled) else f"{scaled:.2f}"
            return f"{scaled:.{2 if abs(scaled) < 9.995 else 1 if abs(scaled) < 99.95 else 0}f}{unit}"
    return f"{number:.0f}"


def money(value: Decimal | None, *, decimals: int = 2) -> str:
    """Write an amount of money, thousands separated."""
    return DASH if value is None else f"{_rounded(value, decimals):,.{decimals}f}"


def signed_money(value: Decimal | None, *, decimals: int = 2) -> str:
    """Write a profit or loss with its sign; zero has none."""
    if value is None:
        return DASH
    rounded = _rounded(value, decimals)
    return f"{rounded:+,.{decimals}f}" if rounded else f"{abs(rounded):,.{decimals}f}"


def fixed(value: float | None, decimals: int) -> str:
    """Write a statistic with fixed decimals, thousands separated; a zero has no sign."""
    if value is None:
        return DASH
    rounded = round(value, decimals)
    return f"{rounded if rounded else 0.0:,.{decimals}f}"


def signed(value: float | None, decimals: int) -> str:
    """Write a statistic with fixed decimals and its sign; zero has none."""
    if value is None:
        return DASH
    rounded = round(value, decimals)
    return f"{rounded:+,.{decimals}f}" if rounded else f"{0.0:,.{decimals}f}"


def signed_percent(value: Decimal | None, *, decimals: int = 2) -> str:
    """Write per cent with its sign and without the per cent sign; zero has none."""
    return signed_money(value, decimals=decimals)


def age(milliseconds: float | None) -> str:
    """Write an age in at most four characters: 0.1s, 9.9s, 59s, 12m, 3h, 4d."""
    if milliseconds is None:
        return DASH
    seconds = max(0.0, milliseconds / 1000)
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    if seconds < 59.5:
        return f"{seconds:.0f}s"
    if seconds < 3570:
        return f"{seconds / 60:.0f}m"
    if seconds < 171_000:
        return f"{seconds / 3600:.0f}h"
    return f"{seconds / 86400:.0f}d"


def duration(seconds: float | None) -> str:
    """Write a duration: 42s, 3m05s, 2h14m, 5d03h."""
    if seconds is None:
        return DASH
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"


def memory(size: int | None) -> str:
    """Write bytes in MB or GB (powers of 1024)."""
    if size is None:
        return DASH
    megabytes = size / 2**20
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1024:.1f} GB"


def moment(ts: int | None) -> datetime | None:
    """Return a time in UTC nanoseconds as a datetime, None for none."""
    return None if not ts else datetime.fromtimestamp(ts / 1e9, UTC)


def clock(ts: int | None) -> str:
    """Write the time of day in UTC: 14:32:07."""
    at = moment(ts)
    return DASH if at is None else at.strftime("%H:%M:%S")


def clock_ms(ts: int | None) -> str:
    """Write the time of day in UTC with milliseconds."""
    at = moment(ts)
    return DASH if at is None else f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"


def day_and_time(ts: int | None) -> str:
    """Write date and time in UTC: 2012-03-01 14:32."""
    at = moment(ts)
    return DASH if at is None else at.strftime("%Y-%m-%d %H:%M")


def sparkline(values: tuple[float, ...] | list[float], width: int, columns: tuple[str, ...]) -> str:
    """Draw the last ``width`` values as columns between their lowest and highest; level is the middle."""
    shown = list(values[-width:])
    if len(shown) < 2:
        return ""
    low, high = min(shown), max(shown)
    top = len(columns) - 1
    if high == low:
        return columns[top // 2] * len(shown)
    return "".join(columns[round((v - low) / (high - low) * top)] for v in shown)


def bar(share: float, width: int, eighths: tuple[str, ...]) -> str:
    """Draw a share (0…1) as a left-aligned bar of ``width`` cells, padded with spaces."""
    units = round(max(0.0, min(1.0, share)) * width * 8)
    full, rest = divmod(units, 8)
    return (eighths[7] * full + (eighths[rest - 1] if rest else "")).ljust(width)


def _rounded(value: Decimal, decimals: int) -> Decimal:
    rounded = value.quantize(_QUANTA[decimals], ROUND_HALF_EVEN)
    return rounded if rounded else abs(rounded)
