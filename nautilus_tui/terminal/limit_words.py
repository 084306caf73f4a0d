"""How limits are written: their figures by unit, how much is used as a bar, their level as sign and colour.

Used wherever a limit is seen: its table, the ticket, positions, dialogues. It must not know of
widgets or of the mirror. Rounding hides no breach: only what is a limit exactly is 100 %.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from data.limits import IN_PERCENT, AlertSeverity, Limit, LimitLevel, LimitType, Restriction
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs

_HUNDRED = Decimal(100)
#: What stands for a limit's name where there is little room.
SHORT: Final[dict[str, str]] = {
    "order_notional": "notional",
    "order_rate": "rate",
    "position_size": "position",
    "gross_exposure": "gross",
    "net_exposure": "net",
    "long_exposure": "long",
    "short_exposure": "short",
    "concentration": "concentr.",
    "sector_exposure": "sector",
    "correlation": "correl.",
}
#: How levels are drawn: sign (a glyph's name or the sign itself), style of the words, style of the bar.
LEVEL_SIGNS: Final[dict[LimitLevel, tuple[str, str, str]]] = {
    "ok": ("flat", "", "accent-bar"),
    "warn": ("mark", "warn", "warn"),
    "breached": ("warn", "error", "live"),
    "unknown": ("?", "warn", "dim"),
    "off": ("off", "dim", "faint"),
}
SEVERITY_STYLES: Final[dict[AlertSeverity, str]] = {
    "info": "dim",
    "warning": "warn",
    "minor": "warn",
    "major": "down",
    "critical": "error",
    "emergency": "error",
}
#: How a restriction is called where it must be seen.
RESTRICTIONS: Final[dict[Restriction, str]] = {
    "none": "",
    "reduce_only": "REDUCE ONLY",
    "halted": "HALTED",
}


def amount(value: Decimal | None, limit_type: str, unit: str, *, short: bool = False) -> str:
    """Write a figure in a limit's unit: counts whole, ratios as multiples or per cent, money whole."""
    if value is None:
        return figures.DASH
    if unit == "orders":
        return figures.quantity(value)
    if unit == "ratio":
        if limit_type in IN_PERCENT:
            return f"{_places(value * _HUNDRED)}%"
        return _places(value)
    if unit == "shares":
        return figures.compact(value) if short else figures.quantity(value)
    if short:
        return figures.compact(value)
    return figures.money(value, decimals=2 if abs(value) < 100 and value != value.to_integral_value() else 0)


def _places(value: Decimal) -> str:
    """Write a ratio with two decimals, one from a hundred on."""
    return figures.money(value, decimals=2 if abs(value) < 100 else 1)


def percent(share: Decimal | None) -> str:
    """Write a share in per cent. Only what is a limit exactly is 100 %: rounding hides no breach."""
    if share is None:
        return figures.DASH
    if share > Decimal("9.99"):
        return ">999%"
    rounded = int((share * _HUNDRED).quantize(Decimal(1), ROUND_HALF_EVEN))
    if share > 1:
        rounded = max(rounded, 101)
    elif share < 1:
        rounded = min(rounded, 99)
    return f"{rounded}%"


def chance(probability: Decimal | float | None) -> str:
    """Write a probability in per cent; what is small but possible is not nothing, nor sure what is not."""
    if probability is None:
        return figures.DASH
    value = float(probability) * 100
    if 0 < value < 1:
        return "<1%"
    if 99 < value < 100:
        return ">99%"
    return f"{value:.0f}%"


def chance_style(probability: Decimal | float | None) -> str:
    """Return the style of a probability: from a quarter on it is pointed out, from a half it is likely."""
    if probability is None:
        return "dim"
    value = float(probability)
    return "error" if value >= 0.5 else "warn" if value >= 0.25 else ""


def use_bar(share: Decimal | None, width: int, glyphs: Glyphs) -> str:
    """Draw how much of a limit is used, at most the whole width; not known draws nothing."""
    if share is None:
        return " " * width
    return figures.bar(float(min(max(share, Decimal(0)), Decimal(1))), width, glyphs.bar)


def level_sign(level: LimitLevel, glyphs: Glyphs) -> str:
    """Return the sign of a level, told apart without colour."""
    name = LEVEL_SIGNS[level][0]
    return str(getattr(glyphs, name)) if len(name) > 1 else name


def scope_parts(scope: str) -> tuple[str, str]:
    """Return a scope's name and, toned down, of what kind it is."""
    kind, colon, name = scope.partition(":")
    if not colon:
        return scope, ""
    return (name, "") if kind == "instrument" else (name, f" {kind}")


def scope_words(scope: str) -> str:
    """Return a scope in words: ``portfolio``, ``AAPL.SIM``, ``paper-1 engine``."""
    return "".join(scope_parts(scope))


def limit_words(limit: Limit) -> str:
    """Return which limit it is, in words."""
    return f"{limit.limit_type} {scope_words(limit.scope)}"


def edit_line(limit: Limit) -> str:
    """Return the ``:limit set`` line that would set a limit as it is: what is edited to change it."""
    words = f"limit set {limit.limit_type} {limit.scope} {_number(limit.hard)} {limit.unit}"
    if limit.warn != Decimal("0.8"):
        words += f" warn {_number(limit.warn * _HUNDRED)}%"
    if limit.limit_type == "order_rate" and limit.window_s is not None:
        words += f" window {limit.window_s}"
    if limit.limit_type == "var":
        words += f" confidence {_number(limit.confidence * _HUNDRED)}% horizon {limit.horizon_days}"
        words += f" method {limit.method}"
    if limit.auto_adjust is not None:
        words += f" auto {_number(limit.auto_adjust.target_vol * _HUNDRED)}%"
        words += f" floor {_number(limit.auto_adjust.floor * _HUNDRED)}%"
    return words if limit.enabled else f"{words} off"


def _number(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def short_name(limit_type: LimitType | str) -> str:
    """Return a limit's name where there is little room."""
    return SHORT.get(limit_type, limit_type)
