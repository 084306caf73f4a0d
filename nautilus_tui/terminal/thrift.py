"""Fewer bytes for the same picture: only what looks different is sent to the terminal.

Textual repaints whole stretches of a line, and sets both colours anew before every piece of text.
Over SSH that is most of the traffic. ``Thrift`` keeps what the terminal shows, cell by cell, and
rewrites each frame on its way out: cells that stay are skipped, colours are sent when they change.
What it does not understand passes unchanged, and it then assumes nothing of the screen. It must not
know what is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len
from textual.driver import Driver

#: In order: colours and attributes, cursor moves, modes that draw nothing, other sequences, text.
_TOKEN = re.compile(
    r"\x1b\[(?P<sgr>[\d;]*)m"
    r"|\x1b\[(?P<row>\d*);?(?P<column>\d*)H"
    r"|(?P<mode>\x1b\[\?(?!47|104)[\d;]+(?:\$p|[hl]))"
    r"|(?P<text>[^\x00-\x1f\x7f]+)"
    r"|(?P<newline>\n)"
    r"|(?P<other>\x1b\[[^\x40-\x7e]*[\x40-\x7e]|\x1b[^\[]?|[\x00-\x1f\x7f])",
    re.DOTALL,
)
#: A stretch of equal cells up to this long is sent along rather than jumped over.
_STEP = 3
_FORGOTTEN = "\0"
_MOST_KNOWN = 4096


class Look(NamedTuple):
    """How text looks: codes of foreground and background, and of attributes."""

    foreground: str = ""
    background: str = ""
    attributes: frozenset[str] = frozenset()


PLAIN = Look()


class _Row:
    """What one line of the terminal shows; cells not known hold a sign no text has."""

    __slots__ = ("looks", "text")

    def __init__(self) -> None:
        self.text = ""
        self.looks: list[Look] = []

    def reach(self, width: int) -> None:
        missing = width - len(self.text)
        if missing > 0:
            self.text += _FORGOTTEN * missing
            self.looks += [PLAIN] * missing

    def put(self, x: int, text: str, look: Look) -> None:
        end = x + len(text)
        self.text = self.text[:x] + text + self.text[end:]
        self.looks[x:end] = [look] * len(text)


class Thrift:
    """Rewrites what is written to one terminal."""

    def __init__(self) -> None:
        self._rows: dict[int, _Row] = {}
        self._wanted = PLAIN  #: how the writer wants text to look
        self._current: Look | None = None  #: how the terminal draws it now; None: not known
        self._at: tuple[int, int] | None = None  #: where the writer believes the cursor is: row, column
        self._cursor: tuple[int, int] | None = None  #: where it is
        self._out: list[str] = []
        self._known: dict[tuple[Look, str], Look] = {}
        self._changes: dict[tuple[Look | None, Look], str] = {}

    def forget(self) -> None:
        """Assume nothing of what the terminal shows."""
        self._rows.clear()
        self._current = self._cursor = None

    def rewrite(self, data: str, height: int = 0) -> str:
        """Return a shorter text that draws the same as ``data`` after all that came before.

        A frame that writes every line of a screen ``height`` lines high is taken as a fresh start
        (the terminal was resized, or its reader wants it repainted) and nothing of it is left out.
        """
        if height and data.count("\x1b[") >= height and _is_whole(data, height):
            self.forget()
        for found in _TOKEN.finditer(data):
            kind = found.lastgroup
            if kind == "sgr":
                self._wanted = self._look(found["sgr"])
            elif kind == "column" or kind == "row":
                self._at = (int(found["row"] or 1), int(found["column"] or 1))
            elif kind == "text":
                self._write(found["text"])
            elif kind == "mode":
                self._out.append(found["mode"])
            else:
                self._pass(found.group(), newline=kind == "newline")
        if self._at is not None and self._at != self._cursor:
            self._move(*self._at)
        out = "".join(self._out)
        self._out.clear()
        return out

    def _pass(self, sequence: str, *, newline: bool) -> None:
        """Send what is not understood as it is; a line feed only matters where text follows it."""
        if newline and self._at is not None:
            self._at = None
            return
        self._turn()
        self._out.append(sequence)
        self.forget()
        self._at = None

    def _write(self, text: str) -> None:
        if self._at is None or not _is_narrow(text):
            if self._at is not None:
                self._move(*self._at)
            self._turn()
            self._out.append(text)
            # Signs of other widths leave the cursor where terminals disagree.
            row = self._at[0] if self._at is not None else None
            if row is None:
                self._rows.clear()
            else:
                self._rows.pop(row, None)
            self._at = self._cursor = None
            return
        y, column = self._at
        x = column - 1
        row_ = self._rows.get(y)
        if row_ is None:
            row_ = self._rows[y] = _Row()
        row_.reach(x + len(text))
        for start, end in _differences(row_, x, text, self._wanted):
            self._approach(row_, y, x + start + 1)
            self._turn()
            self._out.append(text[start:end])
            self._cursor = (y, x + end + 1)
        row_.put(x, text, self._wanted)
        self._at = (y, column + len(text))

    def _approach(self, row: _Row, y: int, column: int) -> None:
        """Bring the cursor to a cell by the shortest way."""
        if self._cursor == (y, column):
            return
        if self._cursor is not None and self._cursor[0] == y and self._cursor[1] < column:
            gap = column - self._cursor[1]
            start = self._cursor[1] - 1
            between = row.text[start : start + gap]
            same = all(look == self._current for look in row.looks[start : start + gap])
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

    def _look(self, codes: str) -> Look:
        key = (self._wanted, codes)
        look = self._known.get(key)
        if look is None:
            if len(self._known) > _MOST_KNOWN:
                self._known.clear()
            look = self._known[key] = applied(self._wanted, codes)
        return look

    def _turn(self) -> None:
        """Make the terminal draw as it should."""
        if self._current == self._wanted:
            return
        key = (self._current, self._wanted)
        change = self._changes.get(key)
        if change is None:
            if len(self._changes) > _MOST_KNOWN:
                self._changes.clear()
            change = self._changes[key] = transition(self._current, self._wanted)
        self._current = self._wanted
        self._out.append(change)


def _differences(row: _Row, x: int, text: str, look: Look) -> Iterator[tuple[int, int]]:
    """Yield the stretches of ``text`` that are not on the row yet; near ones are joined."""
    end = x + len(text)
    old, looks = row.text[x:end], row.looks[x:end]
    same_look = looks.count(look) == len(text)
    if same_look and old == text:
        return
    if not same_look and look not in looks:
        yield 0, len(text)
        return
    start = last = -1
    for i, (was, now, had) in enumerate(zip(old, text, looks, strict=True)):
        if was == now and had == look:
            continue
        if start < 0:
            start = i
        elif i - last > _STEP + 1:
            yield start, last + 1
            start = i
        last = i
    if start >= 0:
        yield start, last + 1


def _is_whole(data: str, height: int) -> bool:
    """Say whether a frame begins every line of the screen once, from the first to the last."""
    starts = re.findall(r"\x1b\[(\d+);1H", data)
    return starts[:height] == [str(i + 1) for i in range(height)] and data.find("\x1b[1;1H") < 16


@lru_cache(4096)
def _is_narrow(text: str) -> bool:
    """Say whether every sign takes exactly one cell."""
    return text.isascii() or all(cell_len(sign) == 1 for sign in text)


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


def thrifty(driver: type[Driver]) -> type[Driver]:
    """Return a driver that writes like the given one, with fewer bytes."""

    class Thrifty(driver):  # type: ignore[misc, valid-type]  # a class made from an argument
        def write(self, data: str) -> None:
            """Write to the terminal."""
            thrift = self.__dict__.get("_thrift")
            if thrift is None:
                thrift = self.__dict__["_thrift"] = Thrift()
            height = self._app.size.height
            super().write(thrift.rewrite(data, height))

    Thrifty.__name__ = f"Thrifty{driver.__name__}"
    return Thrifty
