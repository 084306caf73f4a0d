"""The signs the terminal draws with, in Unicode and, for terminals that cannot, in ASCII.

It must not know of colours or widgets: a sign carries its meaning without either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of signs; every sign is one cell wide."""

    name: str
    up: str
    down: str
    flat: str
    on: str  #: running, connected
    off: str  #: stopped
    busy: str  #: starting, stopping
    warn: str
    cursor: str
    mark: str
    ellipsis: str
    minus: str
    dash: str  #: stands where a value is not known
    dot: str  #: separates words on one line
    rule: str
    bar: tuple[str, ...]  #: left-aligned bar, from an eighth to full
    spark: tuple[str, ...]  #: columns from lowest to highest
    wick: str
    wick_upper: str  #: upper half of a cell
    wick_lower: str
    body: str
    body_upper: str
    body_lower: str
    body_over_wick: str  #: body in the upper half, wick in the lower
    wick_over_body: str
    axis: str
    tick: str  #: where a label meets the axis
    last: str  #: line of the last price
    play: str
    pause: str
    finish: str
    cross: str  #: where two axes meet
    shade: str  #: fills a span that is told apart, a recession for instance
    sigma: str  #: standard deviations
    away: str  #: a bar that grows to the left, its last half
    sort_up: str
    sort_down: str


UNICODE = Glyphs(
    name="unicode",
    up="▲",
    down="▼",
    flat="·",
    on="●",
    off="○",
    busy="◐",
    warn="!",
    cursor="▌",
    mark="◆",
    ellipsis="…",
    minus="-",
    dash="–",
    dot="·",
    rule="─",
    bar=("▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"),
    spark=("▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"),
    wick="│",
    wick_upper="╵",
    wick_lower="╷",
    body="┃",
    body_upper="╹",
    body_lower="╻",
    body_over_wick="╿",
    wick_over_body="╽",
    axis="│",
    tick="┤",
    last="╌",
    play="▸",
    pause="‖",
    finish="■",
    cross="┼",
    shade="░",
    sigma="σ",
    away="▐",
    sort_up="↑",
    sort_down="↓",
)

ASCII = Glyphs(
    name="ascii",
    up="^",
    down="v",
    flat="=",
    on="*",
    off="o",
    busy="~",
    warn="!",
    cursor=">",
    mark="+",
    ellipsis="~",
    minus="-",
    dash="-",
    dot="|",
    rule="-",
    bar=(".", ".", ":", ":", "=", "=", "#", "#"),
    spark=("_", "_", ".", "-", "-", "=", "=", "#"),
    wick="|",
    wick_upper="'",
    wick_lower=",",
    body="#",
    body_upper="#",
    body_lower="#",
    body_over_wick="#",
    wick_over_body="#",
    axis="|",
    tick="+",
    last="-",
    play=">",
    pause="=",
    finish="#",
    cross="+",
    shade=":",
    sigma="s",
    away="#",
    sort_up="^",
    sort_down="v",
)


def glyphs_for(environ: Mapping[str, str]) -> Glyphs:
    """Choose the signs a terminal can show, from its environment.

    Args:
        environ: The process's environment. ``NAUTILUS_TUI_ASCII=1`` forces ASCII; otherwise the
            locale (``LC_ALL``, ``LC_CTYPE``, ``LANG``, in this order) must name UTF-8.
            The Linux console's fonts lack most of the signs, so ``TERM=linux`` is ASCII too.

    Returns:
        The set of signs to draw with.
    """
    if environ.get("NAUTILUS_TUI_ASCII", "") not in ("", "0"):
        return ASCII
    if environ.get("TERM") in ("linux", "dumb"):
        return ASCII
    locale = next((v for k in ("LC_ALL", "LC_CTYPE", "LANG") if (v := environ.get(k))), "")
    named = locale.lower().replace("-", "")
    # An empty or C locale says nothing against a UTF-8 terminal: containers and SSH often have none.
    return UNICODE if "utf8" in named or named in ("", "c", "posix") else ASCII
