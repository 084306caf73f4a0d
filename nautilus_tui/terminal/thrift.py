"""Fewer bytes for the same picture: only what looks different is sent to the terminal.

Textual repaints whole stretches of a line, and sets both colours anew before every piece of text.
Over SSH that is most of the traffic. ``Thrift`` keeps what the terminal shows, cell by cell, and
rewrites each frame on its way out: cells that stay are skipped, colours are sent when they change.
What it does not understand passes unchanged, and it then assumes nothing of the screen. It must not
know what is drawn.
"""

from __future__ import annotations

import os
import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len
from textual.driver import Driver

#: In order: colours and attributes, cursor moves, modes that draw nothing, other sequences, text.
_TOKEN = re.compile(
    r"\x1b\[([\d;]*)m"
    r"|\x1b\[(\d+);(\d+)H"
    r"|(\x1b\[\?(?!47|104)[\d;]+(?:\$p|[hl]))"
    r"|([^\x00-\x1f\x7f]+)"
    r"|(\n)"
    r"|(\x1b\[[^\x40-\x7e]*[\x40-\x7e]|\x1b[^\[]?|[\x00-\x1f\x7f])",
    re.DOTALL,
)
#: A stretch of equal cells up to this long is sent along rather than jumped over.
_STEP = 3
_FORGOTTEN = "\0"
_MOST_KNOWN = 4096
#: How one ends whose terminal is gone: as SIGHUP ends it.
_HUNG_UP = 129


_ASCII_LIKE: dict[str, str] = {
    **dict.fromkeys("─━┈╌┄–—‐−▔▁▂", "-"),
    **dict.fromkeys("│┃╎┆▏▎▕╵╷╹╻╽╿", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯", "+"),
    **dict.fromkeys("█▉▊▋▌▍▐▀▄▆▇▅▃", "#"),
    **dict.fromkeys("“”„", '"'),
    **dict.fromkeys("‘’", "'"),
    **dict.fromkeys("●◆■▪", "*"),
    **dict.fromkeys("○◐", "o"),
    **dict(zip("▲▼·…×±→←↑↓▸≤≥‖⚿", "^v|~x+><^v><>=*", strict=True)),
}


class Look(NamedTuple):
    """How text looks: codes of foreground and background, and of attributes."""

    foreground: str = ""
    background: str = ""
    attributes: frozenset[str] = frozenset()


PLAIN = Look()


class _Row:
    """What one line of the terminal shows: a sign a cell, and beside it the mark of its look.

    Both are strings, so that stretches are compared at the speed of strings. Cells not known hold
    a sign that no text has.
    """

    __slots__ = ("looks", "text")

    def __init__(self) -> None:
        self.text = ""
        self.looks = ""

    def reach(self, width: int) -> None:
        """Be at least this wide."""
        missing = width - len(self.text)
        if missing > 0:
            self.text += _FORGOTTEN * missing
            self.looks += _FORGOTTEN * missing

    def put(self, x: int, text: str, looks: str) -> None:
        """Take note of what was written."""
        end = x + len(text)
        self.text = self.text[:x] + text + self.text[end:]
        self.looks = self.looks[:x] + looks + self.looks[end:]


class Thrift:
    """Rewrites what is written to one terminal."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        """Keep what the terminal shows; with ``ascii_only`` send it nothing but ASCII."""
        self._ascii_only = ascii_only
        self._rows: dict[int, _Row] = {}
        self._looks: list[Look] = []
        self._marks: dict[Look, str] = {}  #: look → the sign that stands for it
        self._wanted = self._mark(PLAIN)  #: how the writer wants text to look
        self._current = ""  #: how the terminal draws it now; empty: not known
        self._at: tuple[int, int] | None = None  #: where the writer believes the cursor is: row, column
        self._cursor: tuple[int, int] | None = None  #: where it is
        self._out: list[str] = []
        self._known: dict[tuple[str, str], str] = {}
        self._changes: dict[tuple[str, str], str] = {}

    def forget(self) -> None:
        """Assume nothing of what the terminal shows."""
        self._rows.clear()
        self._current, self._cursor = "", None

    def rewrite(self, data: str, height: int = 0) -> str:
        """Return a shorter text that draws the same as ``data`` after all that came before.

        A frame that writes every line of a screen ``height`` lines high is taken as a fresh start
        (the terminal was resized, or its reader wants it repainted) and nothing of it is left out.
        """
        if len(self._looks) > _MOST_KNOWN:
            self._start_over()
        if height and data.count("\x1b[") >= height and _is_whole(data, height):
            self.forget()
        for sgr, row, column, mode, text, newline, other in _TOKEN.findall(data):
            if text:
                self._write(text)
            elif row or column:
                self._at = (int(row or 1), int(column or 1))
            elif mode:
                self._out.append(mode)
            elif newline or other:
                self._pass(newline or other)
            else:
                self._wanted = self._look(sgr)
        if self._at is not None and self._at != self._cursor:
            self._move(*self._at)
        out = "".join(self._out)
        self._out.clear()
        return out

    def _start_over(self) -> None:
        """Drop every look ever seen: no theme has so many, but a long day may."""
        wanted = self._looks[ord(self._wanted) - 1]
        self._looks.clear()
        self._marks.clear()
        self._known.clear()
        self._changes.clear()
        self.forget()
        self._wanted = self._mark(wanted)

    def _mark(self, look: Look) -> str:
        mark = self._marks.get(look)
        if mark is None:
            self._looks.append(look)
            mark = self._marks[look] = chr(len(self._looks))
        return mark

    def _pass(self, sequence: str) -> None:
        """Send what is not understood as it is; a line feed only matters where text follows it."""
        if sequence == "\n" and self._at is not None:
            self._at = None
            return
        self._turn()
        self._out.append(sequence)
        self.forget()
        self._at = None

    def _write(self, text: str) -> None:
        at = self._at
        if self._ascii_only and not text.isascii():
            text = in_ascii(text)
        if at is None or not _is_narrow(text):
            self._write_whole(text)
            return
        y, column = at
        x, length = column - 1, len(text)
        row = self._rows.get(y)
        if row is None:
            row = self._rows[y] = _Row()
        row.reach(x + length)
        looks = self._wanted * length
        self._at = (y, column + length)
        old, had = row.text[x : x + length], row.looks[x : x + length]
        if old == text and had == looks:
            return
        for start, end in _differences(old, text, had, self._wanted):
            self._approach(row, y, column + start)
            self._turn()
            self._out.append(text[start:end])
            self._cursor = (y, column + end)
        row.put(x, text, looks)

    def _write_whole(self, text: str) -> None:
        """Send text whose cells we cannot count, and forget where it went."""
        if self._at is not None:
            self._move(*self._at)
            self._rows.pop(self._at[0], None)
        else:
            self._rows.clear()
        self._turn()
        self._out.append(text)
        self._at = self._cursor = None

    def _approach(self, row: _Row, y: int, column: int) -> None:
        """Bring the cursor to a cell by the shortest way."""
        if self._cursor == (y, column):
            return
        if self._cursor is not None and self._cursor[0] == y and self._cursor[1] < column:
            start, gap = self._cursor[1] - 1, column - self._cursor[1]
            between = row.text[start : start + gap]
            same = row.looks[start : start + gap] == self._current * gap
            if gap <= _STEP and same and _FORGOTTEN not in between:
                self._out.append(between)
            else:
                self._out.append("\x1b[C" if gap == 1 else f"\x1b[{gap}C")
            self._cursor = (y, column)
        else:
            self._move(y, column)

    def _move(self, y: int, column: int) -> None:
        self._out.append(f"\x1b[{y};{column}H")
        self._cursor = (y, column)

    def _look(self, codes: str) -> str:
        """Return the mark of how text looks after some codes."""
        key = (self._wanted, codes)
        mark = self._known.get(key)
        if mark is None:
            look = applied(self._looks[ord(self._wanted) - 1], codes)
            mark = self._known[key] = self._mark(look)
        return mark

    def _turn(self) -> None:
        """Make the terminal draw as it should."""
        if self._current == self._wanted:
            return
        key = (self._current, self._wanted)
        change = self._changes.get(key)
        if change is None:
            current = self._looks[ord(self._current) - 1] if self._current else None
            change = self._changes[key] = transition(current, self._looks[ord(self._wanted) - 1])
        self._current = self._wanted
        self._out.append(change)


def _differences(old: str, new: str, looks: str, wanted: str) -> list[tuple[int, int]]:
    """Return the stretches of a text that are not on the screen yet; near ones are joined."""
    if wanted not in looks:
        return [(0, len(new))]
    stretches: list[tuple[int, int]] = []
    start = last = -1
    for i, (was, now, had) in enumerate(zip(old, new, looks, strict=True)):
        if was == now and had == wanted:
            continue
        if start < 0:
            start = i
        elif i - last > _STEP + 1:
            stretches.append((start, last + 1))
            start = i
        last = i
    if start >= 0:
        stretches.append((start, last + 1))
    return stretches


def _is_whole(data: str, height: int) -> bool:
    """Say whether a frame begins every line of the screen once, from the first to the last."""
    starts = re.findall(r"\x1b\[(\d+);1H", data)
    return starts[:height] == [str(i + 1) for i in range(height)] and data.find("\x1b[1;1H") < 16


@lru_cache(4096)
def _is_narrow(text: str) -> bool:
    """Say whether every sign takes exactly one cell."""
    return text.isascii() or all(cell_len(sign) == 1 for sign in text)


@lru_cache(4096)
def in_ascii(text: str) -> str:
    """Return a text of as many cells in ASCII: letters lose their accents, signs become like ones."""
    return "".join(_ascii_sign(sign) for sign in text)


def _ascii_sign(sign: str) -> str:
    if sign.isascii():
        return sign
    if 0x2800 <= ord(sign) < 0x2900:
        return " " if sign == "\u2800" else "."
    like = _ASCII_LIKE.get(sign) or unicodedata.normalize("NFKD", sign)[:1]
    width = cell_len(sign)
    return (like if like.isascii() else "?") * width


def applied(look: Look, codes: str) -> Look:
    """Return how text looks after the codes of one SGR sequence."""
    foreground, background, attributes = look
    parts = codes.split(";") if codes else ["0"]
    i = 0
    while i < len(parts):
        code = parts[i] or "0"
        number = int(code)
        taken = 1
        if number in (38, 48):
            taken = 5 if parts[i + 1 : i + 2] == ["2"] else 3
            colour = ";".join(parts[i : i + taken])
            foreground, background = (colour, background) if number == 38 else (foreground, colour)
        elif number == 0:
            foreground, background, attributes = "", "", frozenset()
        elif 30 <= number <= 37 or 90 <= number <= 97:
            foreground = code
        elif 40 <= number <= 47 or 100 <= number <= 107:
            background = code
        elif number == 39:
            foreground = ""
        elif number == 49:
            background = ""
        else:
            attributes |= {code}
        i += taken
    return Look(foreground, background, attributes)


def transition(current: Look | None, wanted: Look) -> str:
    """Return the sequence from one look to another; from None it starts anew."""
    if current == wanted:
        return ""
    if wanted == PLAIN:
        return "\x1b[0m"
    codes: list[str] = []
    if current is None or not current.attributes <= wanted.attributes:
        codes.append("0")
        current = PLAIN
    codes += sorted(wanted.attributes - current.attributes)
    if wanted.foreground != current.foreground:
        codes.append(wanted.foreground or "39")
    if wanted.background != current.background:
        codes.append(wanted.background or "49")
    return f"\x1b[{';'.join(codes)}m"


def thrifty(driver: type[Driver], *, ascii_only: bool = False) -> type[Driver]:
    """Return a driver that writes like the given one, with fewer bytes; on request in ASCII."""

    class Thrifty(driver):  # type: ignore[misc, valid-type]  # a class made from an argument
        def write(self, data: str) -> None:
            """Write to the terminal."""
            thrift = self.__dict__.get("_thrift")
            if thrift is None:
                thrift = self.__dict__["_thrift"] = Thrift(ascii_only=ascii_only)
            writer = self.__dict__.get("_writer_thread")
            if writer is not None and not writer.is_alive() and writer._queue.full():
                # The terminal is gone and nobody said so (SIGHUP does, where it is the controlling one):
                # to write would wait for ever. Nothing is lost with this process.
                os._exit(_HUNG_UP)
            height = self._app.size.height
            super().write(thrift.rewrite(data, height))

    Thrifty.__name__ = f"Thrifty{driver.__name__}"
    return Thrifty
