"""Colours with a meaning: the palettes, how a cell's style key becomes a style, and Textual's themes.

A colour means something or is absent. Direction is told by teal against rose (or blue against
orange), which colour-blind readers tell apart, and always by a sign as well. This module must not
know what is on the screen.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from rich.color import Color
from rich.style import Style
from textual.app import App
from textual.theme import Theme

from nautilus_tui.terminal.glyphs import UNICODE, Glyphs

#: State of the row a cell is in.
RowState = Literal["", "cursor", "cursor-blur"]


@dataclass(frozen=True)
class Palette:
    """The colours of one theme, as ``#rrggbb``; ``attributes`` add or replace them by style key."""

    name: str
    dark: bool
    background: str
    bar: str  #: status line, inputs
    rule: str  #: lines that separate
    text: str
    bright: str
    dim: str  #: labels, units
    faint: str  #: the least visible: grids, separators in a line
    accent: str  #: the focused pane, the cursor, the selected
    up: str
    down: str
    warn: str
    error: str
    good: str
    sim: str
    replay: str
    paper: str
    live: str
    live_bar: str  #: the status line when real money trades
    on_environment: str  #: text on an environment's colour
    cursor: str  #: background of the row under the cursor
    cursor_blur: str  #: the same in a pane without focus
    glow: str  #: background of a changed cell
    glow_up: str
    glow_down: str
    lines: tuple[str, str, str] = ("#e0af68", "#b48ead", "#7aa2f7")  #: SMA, EMA, VWAP
    attributes: dict[str, str] = field(default_factory=dict, compare=False)
    colourless: bool = False  #: use no colour at all: attributes and glyphs carry the meaning
    _styles: dict[tuple[str, str], Style] = field(default_factory=dict, init=False, repr=False, compare=False)

    def style(self, keys: str, row: RowState = "") -> Style:
        """Return the style for space-separated style keys in a row of the given state.

        Unknown keys are an error (``KeyError``): a misspelt key would be a silent loss of meaning.
        """
        cached = self._styles.get((keys, row))
        if cached is None:
            cached = self._styles[(keys, row)] = self._make(keys, row)
        return cached

    def _make(self, keys: str, row: RowState) -> Style:
        style = self._one("text")
        if self.colourless:
            style += Style(reverse=True, bold=True) if row == "cursor" else Style(bold=bool(row))
        else:
            behind = {"": self.background, "cursor": self.cursor, "cursor-blur": self.cursor_blur}[row]
            style += Style(bgcolor=behind)
        for key in keys.split():
            style += self._one(key)
        return style

    def _one(self, key: str) -> Style:
        made = Style()
        if not self.colourless:
            made = self._coloured(key)
        elif key not in _COLOURLESS:
            raise KeyError(key)
        extra = (self.attributes if not self.colourless else _COLOURLESS).get(key)
        return made + Style.parse(extra) if extra else made

    def _coloured(self, key: str) -> Style:
        if key in _BACKGROUNDS:
            return Style(bgcolor=getattr(self, _BACKGROUNDS[key]))
        if key in _TINTED:
            return Style(color=blend(getattr(self, _COLOURS[key[:-4]]), self.background, 0.55))
        if key.startswith("tag-"):
            return Style(color=self.on_environment, bgcolor=getattr(self, _COLOURS[key[4:]]))
        if key.startswith("env-"):
            return Style(color=self.on_environment, bgcolor=getattr(self, key[4:]), bold=True)
        if key.startswith("line-"):
            return Style(color=self.lines[int(key[5:])])
        if key in ("bold", "under", "italic"):
            return Style(bold=key == "bold", underline=key == "under", italic=key == "italic")
        return Style(color=getattr(self, _COLOURS[key]), bold=True if key in _BOLD else None)

    def environment(self, environment: str | None) -> str:
        """Return the style key of an environment: SIM, REPLAY, PAPER or LIVE."""
        return f"env-{environment.lower()}" if environment else "dim"


#: Style key → the palette's colour.
_COLOURS: dict[str, str] = {
    "text": "text",
    "bright": "bright",
    "title": "bright",
    "dim": "dim",
    "label": "dim",
    "stale": "dim",
    "flat": "dim",
    "faint": "faint",
    "rule": "rule",
    "accent": "accent",
    "up": "up",
    "buy": "up",
    "down": "down",
    "sell": "down",
    "warn": "warn",
    "error": "error",
    "good": "good",
    "sim": "sim",
    "replay": "replay",
    "paper": "paper",
    "live": "live",
}
_BOLD = frozenset({"title", "error"})
_BACKGROUNDS: dict[str, str] = {
    "glow": "glow",
    "glow-up": "glow_up",
    "glow-down": "glow_down",
    "on-bar": "bar",
    "on-live-bar": "live_bar",
    "on-cursor": "cursor",
    "on-rule": "rule",
}
#: Bars and lines: a colour half way to the background.
_TINTED = frozenset({"up-bar", "down-bar", "buy-bar", "sell-bar", "accent-bar"})
_TAGS = ("tag-up", "tag-down", "tag-flat", "tag-accent")
#: What a key looks like where there is no colour.
_COLOURLESS: dict[str, str] = {
    **dict.fromkeys((*_COLOURS, *_BACKGROUNDS, *_TINTED, "line-0", "line-1", "line-2", "italic"), ""),
    **dict.fromkeys(_TAGS, "reverse"),
    "bright": "bold",
    "title": "bold",
    "accent": "bold",
    "bold": "bold",
    "under": "underline",
    "warn": "bold",
    "error": "bold reverse",
    "up": "bold",
    "buy": "bold",
    "faint": "dim",
    "stale": "dim",
    "dim": "dim",
    "label": "dim",
    "rule": "dim",
    "glow": "underline",
    "glow-up": "underline",
    "glow-down": "underline",
    "env-sim": "reverse",
    "env-replay": "reverse",
    "env-paper": "reverse",
    "env-live": "bold reverse underline",
}

DARK = Palette(
    name="dark",
    dark=True,
    background="#0c1116",
    bar="#141b23",
    rule="#24303b",
    text="#b9c5d0",
    bright="#eef3f7",
    dim="#73828f",
    faint="#3b4955",
    accent="#6cb6ff",
    up="#3fd0b0",
    down="#ff7b8a",
    warn="#e8b04a",
    error="#ff5c5c",
    good="#3fd0b0",
    sim="#a58bf0",
    replay="#38b6c9",
    paper="#e3b341",
    live="#f0434b",
    live_bar="#4a1216",
    on_environment="#0b0f13",
    cursor="#1d3045",
    cursor_blur="#151d26",
    glow="#24303b",
    glow_up="#123b37",
    glow_down="#43222b",
    lines=("#e0af68", "#c58fd8", "#6cb6ff"),
)

LIGHT = Palette(
    name="light",
    dark=False,
    background="#fbfbf8",
    bar="#eef0ef",
    rule="#d5dadb",
    text="#3a4650",
    bright="#0b1217",
    dim="#77838c",
    faint="#b7c0c5",
    accent="#0b63c4",
    up="#04785f",
    down="#c3304a",
    warn="#9a6200",
    error="#c41e1e",
    good="#04785f",
    sim="#6f4fd0",
    replay="#0f7f92",
    paper="#a87400",
    live="#d11f2b",
    live_bar="#ffd9d9",
    on_environment="#ffffff",
    cursor="#d3e4f8",
    cursor_blur="#edf1f3",
    glow="#e3e8ea",
    glow_up="#cdeee4",
    glow_down="#f9d9de",
    lines=("#b26a00", "#8a3fa8", "#0b63c4"),
)

HIGH_CONTRAST = Palette(
    name="high-contrast",
    dark=True,
    background="#000000",
    bar="#1a1a1a",
    rule="#606060",
    text="#ffffff",
    bright="#ffffff",
    dim="#d0d0d0",
    faint="#9a9a9a",
    accent="#ffff00",
    up="#00e5ff",
    down="#ff9d00",
    warn="#ffff00",
    error="#ff6060",
    good="#00ff8c",
    sim="#d6b8ff",
    replay="#00e5ff",
    paper="#ffff00",
    live="#ff5050",
    live_bar="#5c0000",
    on_environment="#000000",
    cursor="#003c8a",
    cursor_blur="#2b2b2b",
    glow="#4a4a4a",
    glow_up="#00525c",
    glow_down="#6b4000",
    lines=("#ffd75f", "#ff87ff", "#87d7ff"),
    attributes={"bright": "bold", "accent": "bold", "warn": "bold"},
)

MONO = Palette(
    name="mono",
    dark=True,
    background="#101010",
    bar="#1c1c1c",
    rule="#303030",
    text="#c4c4c4",
    bright="#ffffff",
    dim="#858585",
    faint="#4a4a4a",
    accent="#ffffff",
    up="#ffffff",
    down="#a8a8a8",
    warn="#ffffff",
    error="#ffffff",
    good="#ffffff",
    sim="#9a9a9a",
    replay="#b4b4b4",
    paper="#d6d6d6",
    live="#ffffff",
    live_bar="#3a3a3a",
    on_environment="#101010",
    cursor="#333333",
    cursor_blur="#1e1e1e",
    glow="#303030",
    glow_up="#383838",
    glow_down="#2a2a2a",
    lines=("#d0d0d0", "#8c8c8c", "#b0b0b0"),
    attributes={
        "accent": "bold",
        "warn": "bold underline",
        "error": "reverse",
        "down": "italic",
        "env-live": "underline",
    },
)

#: Attributes only, for ``NO_COLOR`` and terminals without colours. The hex values fill Textual's
#: own variables; a :class:`textual.filter.NoColor` filter takes them away again.
NO_COLOR = replace(MONO, name="no-color", colourless=True)

#: Dark, with blue for up and orange for down.
DARK_BLUE_ORANGE = replace(
    DARK,
    name="dark-blue-orange",
    up="#5eb0ff",
    down="#ff9e4a",
    accent="#e7d27c",
    glow_up="#15344f",
    glow_down="#48300f",
)

PALETTES: dict[str, Palette] = {
    p.name: p for p in (DARK, LIGHT, HIGH_CONTRAST, MONO, DARK_BLUE_ORANGE, NO_COLOR)
}
DEFAULT_THEME = DARK.name


def textual_theme(palette: Palette) -> Theme:
    """Return a palette as a Textual theme of the same name."""
    return Theme(
        name=palette.name,
        primary=palette.accent,
        secondary=palette.sim,
        warning=palette.warn,
        error=palette.error,
        success=palette.good,
        accent=palette.accent,
        foreground=palette.text,
        background=palette.background,
        surface=palette.background,
        panel=palette.bar,
        dark=palette.dark,
        variables={
            "border": palette.accent,
            "border-blurred": palette.rule,
            "scrollbar": palette.rule,
            "scrollbar-hover": palette.faint,
            "scrollbar-active": palette.accent,
            "scrollbar-background": palette.background,
            "scrollbar-background-hover": palette.background,
            "scrollbar-background-active": palette.background,
            "scrollbar-corner-color": palette.background,
            "block-cursor-background": palette.cursor,
            "block-cursor-foreground": palette.bright,
            "block-cursor-text-style": "none",
            "input-cursor-background": palette.accent,
            "input-selection-background": palette.cursor,
            "footer-background": palette.background,
            "footer-foreground": palette.dim,
            "footer-key-foreground": palette.accent,
            "footer-description-foreground": palette.dim,
            **variables(palette),
        },
    )


def variables(palette: Palette = DARK) -> dict[str, str]:
    """Return our own CSS variables; an app answers them from ``get_theme_variable_defaults``."""
    return {
        "rule": palette.rule,
        "bar": palette.bar,
        "text-bright": palette.bright,
        "text-dim": palette.dim,
        "text-faint": palette.faint,
        "up": palette.up,
        "down": palette.down,
        "env-sim": palette.sim,
        "env-replay": palette.replay,
        "env-paper": palette.paper,
        "env-live": palette.live,
        "cursor": palette.cursor,
        "cursor-blur": palette.cursor_blur,
    }


def register_themes(app: App[object]) -> None:
    """Make every palette available as a theme of the app; the app then sets ``app.theme``."""
    for palette in PALETTES.values():
        app.register_theme(textual_theme(palette))


def palette_of(app: App[object]) -> Palette:
    """Return the palette of the app's current theme, the default one for a theme not ours."""
    return PALETTES.get(app.theme, DARK)


def glyphs_of(app: App[object]) -> Glyphs:
    """Return the signs the app draws with: its ``glyphs`` attribute, or Unicode."""
    glyphs = getattr(app, "glyphs", UNICODE)
    return glyphs if isinstance(glyphs, Glyphs) else UNICODE


def blend(colour: str, background: str, share: float) -> str:
    """Mix ``share`` (0…1) of a colour into a background; both and the result are ``#rrggbb``."""
    over, under = Color.parse(colour).get_truecolor(), Color.parse(background).get_truecolor()
    mixed = (round(u + (o - u) * share) for o, u in zip(over, under, strict=True))
    return "#{:02x}{:02x}{:02x}".format(*mixed)
