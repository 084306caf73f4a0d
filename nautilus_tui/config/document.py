"""Where each key of a TOML text stands, so that an error can name the line.

``tomllib`` gives values without positions. This scanner walks a text that ``tomllib`` has already
accepted, so it may trust the syntax and only has to find keys and skip values. It must not know
which keys are allowed.
"""

from __future__ import annotations

import re

Path = tuple[str, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SCALAR = re.compile(r"[^,\]}\s#]+(?: [0-9][0-9:.Z+-]*)?")  # a date and time may have one space
_BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_LONG_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}(?!")', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'{3,5}(?!')", re.DOTALL)


def key_lines(text: str) -> dict[Path, int]:
    """Return the line, from 1, of every table and key of a valid TOML text, by its path."""
    return _Scanner(text).scan()


class _Scanner:
    """One pass over a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines: dict[Path, int] = {}

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        while True:
            self._skip(_BLANK)
            if self._at >= len(self._text):
                return self._lines
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            # Cannot happen after tomllib: step on rather than never end.
            self._at += 1
            return ""
        self._at = match.end()
        return match.group()

    def _header(self) -> Path:
        line = self._line()
        while self._text[self._at] == "[":
            self._at += 1
        path = self._key()
        while self._at < len(self._text) and self._text[self._at] == "]":
            self._at += 1
        self._note(path, line)
        return path

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = table + self._key()
        self._note(path, line)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> Path:
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            parts.append(self._key_part())
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return tuple(parts)
            self._at += 1

    def _key_part(self) -> str:
        mark = self._text[self._at : self._at + 1]
        if mark == '"':
            return _unescape(self._skip(_BASIC)[1:-1])
        if mark == "'":
            return self._skip(_LITERAL)[1:-1]
        return self._skip(_BARE)

    def _value(self, path: Path) -> None:
        text, at = self._text, self._at
        if text.startswith('"""', at):
            self._skip(_LONG_BASIC)
        elif text.startswith("'''", at):
            self._skip(_LONG_LITERAL)
        elif text.startswith('"', at):
            self._skip(_BASIC)
        elif text.startswith("'", at):
            self._skip(_LITERAL)
        elif text.startswith("[", at):
            self._members("]", path)
        elif text.startswith("{", at):
            self._members("}", path)
        else:
            self._skip(_SCALAR)

    def _members(self, end: str, path: Path) -> None:
        self._at += 1
        while self._at < len(self._text):
            self._skip(_BLANK)
            if self._text.startswith(end, self._at):
                self._at += 1
                return
            if self._text.startswith(",", self._at):
                self._at += 1
            elif end == "}":
                self._pair(path)
            else:
                self._value(path)

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1

    def _note(self, path: Path, line: int) -> None:
        for length in range(1, len(path) + 1):
            self._lines.setdefault(path[:length], line)


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    import tomllib

    return str(tomllib.loads(f'k = "{text}"')["k"])
