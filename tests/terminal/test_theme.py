"""Palettes: every key has a style in every theme, and text can be read on what is behind it."""

from __future__ import annotations

import pytest
from rich.color import Color

from nautilus_tui.terminal.theme import PALETTES, Palette, blend, textual_theme, variables

KEYS = (
    *(
        "text",
        "bright",
        "title",
        "dim",
        "label",
        "stale",
        "flat",
        "faint",
        "accent",
        "rule",
        "italic",
        "under",
    ),
    *("up", "down", "buy", "sell", "warn", "error", "good", "sim", "replay", "paper", "live"),
    *("bold", "italic", "under"),
    *("glow", "glow-up", "glow-down", "on-bar", "on-live-bar", "line-0", "line-1", "line-2"),
    *("env-sim", "env-replay", "env-paper", "env-live", "tag-up", "tag-down", "tag-flat"),
    *("up-bar", "down-bar", "buy-bar", "sell-bar", "accent-bar"),
)
READABLE = {"text": 7.0, "bright": 10.0, "dim": 3.0, "up": 4.5, "down": 4.5, "warn": 4.5}
themes = pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES.keys())


@themes
def test_every_key_has_a_style_in_every_row(palette: Palette) -> None:
    for key in KEYS:
        for row in ("", "cursor", "cursor-blur"):
            style = palette.style(key, row)  # type: ignore[arg-type]  # the three states
            if palette.colourless:
                assert style.color is None
                assert style.bgcolor is None


@themes
def test_a_misspelt_key_is_an_error(palette: Palette) -> None:
    with pytest.raises(KeyError):
        palette.style("upp")


@themes
def test_text_can_be_read(palette: Palette) -> None:
    for key, least in READABLE.items():
        assert contrast(getattr(palette, key), palette.background) >= least, key
    for environment in ("sim", "replay", "paper", "live"):
        assert contrast(palette.on_environment, getattr(palette, environment)) >= 3.5, environment
    for key in ("text", "bright"):
        for behind in (palette.cursor, palette.cursor_blur, palette.glow_up, palette.glow_down, palette.bar):
            assert contrast(getattr(palette, key), behind) >= 4.5, (key, behind)


@themes
def test_environments_cannot_be_mistaken(palette: Palette) -> None:
    names = ("SIM", "REPLAY", "PAPER", "LIVE")
    if not palette.colourless:
        assert len({getattr(palette, name.lower()) for name in names}) == 4
    assert palette.environment("LIVE") == "env-live"
    assert palette.style("env-live") != palette.style("env-paper")


@themes
def test_a_palette_is_a_theme_of_its_name(palette: Palette) -> None:
    theme = textual_theme(palette)
    assert theme.name == palette.name
    assert set(variables()) <= set(theme.variables)


def test_blending_goes_from_background_to_colour() -> None:
    assert blend("#ff0000", "#0000ff", 0) == "#0000ff"
    assert blend("#ff0000", "#0000ff", 1) == "#ff0000"


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2, 1.4.3)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance of a colour (WCAG 2.2)."""
    channels = []
    for part in Color.parse(colour).get_truecolor():
        share = part / 255
        channels.append(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)
    red, green, blue = channels
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
