"""The reader's own settings of the terminal, and what it remembers between two openings.

Settings come checked from the configuration's ``[terminal]`` section; what is remembered (theme,
instrument, command history, sizes of panes) is a small JSON file in the home folder, whose loss
costs nothing. It must not know of Textual.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from data.problems import InvalidRequestError
from nautilus_tui.terminal.view import OVERLAYS, Density, View


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalSettings:
    """What a user sets. Keys and presets are by action id and by asset class or instrument."""

    theme: str = "dark"
    density: Density = "compact"
    ascii: bool = False
    glow: bool = True
    max_fps: int = 15
    stale_after_ms: int = 5000
    watched: tuple[str, ...] = ()  #: instruments of the watchlist, in order; empty: all
    overlays: tuple[str, ...] = OVERLAYS
    timeframe: str = "1m"
    engine: str | None = None  #: shown first; None: the one shown last, else the first that runs
    keys: Mapping[str, str] = field(default_factory=dict)
    presets: Mapping[str, str] = field(default_factory=dict)


class Remembered(msgspec.Struct, kw_only=True):
    """What the terminal remembers of its last opening."""

    theme: str | None = None
    theme_over: str | None = None  #: the setting that the picked theme stands over; a new setting wins
    engine: str | None = None
    instrument: str | None = None
    timeframe: str | None = None
    lines: list[str] = []  #: the command line's history
    widths: dict[str, int] = {}  #: sizes the reader gave to panes, by pane and size of screen


def recall(path: Path | None) -> Remembered:
    """Return what is remembered; a file that is missing or not ours remembers nothing."""
    if path is None:
        return Remembered()
    try:
        return msgspec.json.decode(path.read_bytes(), type=Remembered)
    except (OSError, msgspec.DecodeError):
        return Remembered()


def remember(path: Path | None, remembered: Remembered) -> None:
    """Write what is remembered, whole or not at all.

    Raises:
        InvalidRequestError: the file cannot be written.
    """
    if path is None:
        return
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(remembered)))
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(FileNotFoundError):
                Path(temporary).unlink()
        raise InvalidRequestError(f"{path} cannot be written: {error.strerror}") from error


def first_view(settings: TerminalSettings, remembered: Remembered) -> View:
    """Return what is looked at first."""
    return View(
        engine=settings.engine or remembered.engine,
        instrument=remembered.instrument,
        timeframe=remembered.timeframe or settings.timeframe,
        overlays=settings.overlays,
        density=settings.density,
        stale_after_ms=settings.stale_after_ms,
        watched=settings.watched,
    )


def first_theme(settings: TerminalSettings, remembered: Remembered, *, no_color: bool) -> str:
    """Return the theme to open with: none of colour, the one picked last, or the one set."""
    if no_color:
        return "no-color"
    if remembered.theme is not None and remembered.theme_over == settings.theme:
        return remembered.theme
    return settings.theme
