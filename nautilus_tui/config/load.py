"""The user's file over the defaults, and errors that name file, line, key, rule and the nearest key.

Nothing is taken from a file that has an error anywhere. This module must not know what a setting
is used for.
"""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from data.problems import ProblemError
from nautilus_tui.config.document import key_lines
from nautilus_tui.config.settings import Config, Section


class ConfigError(ProblemError):
    """A settings file cannot be used; ``faults`` are all its errors, this is the first."""

    type, title, status = "bad-config", "Settings not valid", 400

    def __init__(self, faults: list[Fault]) -> None:
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"{first}{more}", rule=first.rule, fix=first.fix)
        self.faults = faults


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One error of a settings file."""

    file: str
    line: int | None
    key: str | None
    message: str
    rule: str
    fix: str | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


def load(path: Path) -> Config:
    """Return the defaults with a file laid over them; a file that is not there changes nothing.

    Raises:
        ConfigError: it cannot be read, is not TOML, or a key or value breaks its rule.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Config()
    except OSError as error:
        rule, fix = "the settings file is a file that can be read", "check its name and its owner"
        raise ConfigError([Fault(str(path), None, None, error.strerror or str(error), rule, fix)]) from error
    return parse(raw, str(path))


def parse(raw: bytes, file: str) -> Config:
    """Return the defaults with a text laid over them; ``file`` is what errors call it.

    Raises:
        ConfigError: it is not TOML in UTF-8, or a key or value breaks its rule.
    """
    try:
        text = raw.decode()
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        rule, fix = "the file is TOML in UTF-8", "save it as UTF-8"
        raise ConfigError([Fault(file, line, None, "not UTF-8", rule, fix)]) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError([_syntax_fault(error, file, text)]) from error
    lines = key_lines(text.replace("\r\n", "\n"))
    faults = [
        Fault(file, lines.get(path) or lines.get(path[:-1]), ".".join(path), message, rule, fix)
        for path, message, rule, fix in _check(document, Config, ())
    ]
    if faults:
        raise ConfigError(sorted(faults, key=lambda fault: fault.line or 0))
    return msgspec.convert(document, Config)


def _syntax_fault(error: Exception, file: str, text: str) -> Fault:
    message = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "values are nested too deeply"
    place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    line: int | None = None
    if place is not None:
        line = int(place[1]) if place[1] else text.count("\n") + 1
        column = f" (column {place[2]})" if place[2] else " (at the end)"
        message = message[: place.start()] + column
    return Fault(file, line, None, message, "the file is TOML", "nautilus-tui config show --defaults is one")


_Finding = tuple[tuple[str, ...], str, str, str]
#: Where all settings stand.
_LISTED = "nautilus-tui config show --defaults has every setting"


def _check(values: dict[str, Any], section: type[Section], at: tuple[str, ...]) -> list[_Finding]:
    """Return what is wrong in a section and those below it."""
    types = get_type_hints(section, include_extras=True)
    findings: list[_Finding] = []
    for key, value in values.items():
        path = (*at, key)
        if key not in types:
            findings.append(_unknown(path, list(types)))
            continue
        type_ = types[key]
        if isinstance(type_, type) and issubclass(type_, Section):
            if isinstance(value, dict):
                findings += _check(value, type_, path)
            else:
                findings.append((path, "is a section, not a value", f"[{key}] begins a section", _LISTED))
            continue
        try:
            _require_amounts(msgspec.convert(value, type_))
        except (msgspec.ValidationError, OverflowError) as error:
            findings.append((path, _shown(value), _rule(error, type_), _LISTED))
    return findings


def _require_amounts(value: object) -> None:
    """Raise ValidationError for a Decimal, alone or in a table, that is no amount of anything."""
    if isinstance(value, dict):
        for item in value.values():
            _require_amounts(item)
    elif isinstance(value, Decimal) and not (value.is_finite() and value >= 0):
        raise msgspec.ValidationError("Expected an amount")


def _unknown(path: tuple[str, ...], known: list[str]) -> _Finding:
    near = get_close_matches(path[-1], known, n=1, cutoff=0.5)
    what = "setting" if len(path) > 1 else "section"
    rule = (
        f"the settings of [{'.'.join(path[:-1])}] are " if len(path) > 1 else "the sections are "
    ) + ", ".join(known)
    fix = f"did you mean {near[0]}?" if near else f"take it out: {_LISTED}"
    return path, f"no such {what}", rule, fix


def _shown(value: object) -> str:
    text = re.sub(r"(?<=://)[^/\s]*@", "…@", repr(value))  # a password in an address is not repeated
    return f"{text if len(text) <= 60 else text[:57] + '…'} is not allowed"


def _rule(error: Exception, type_: Any) -> str:
    """Return the broken rule in words, with what the setting is for."""
    from nautilus_tui.config.listing import constraint, description

    where = re.search(r" - at `\$(.*)`$", str(error))
    inner = f" in {where[1]}" if where and where[1] not in ("", "[...]") else ""
    said = constraint(type_)
    return f"must be {said}{inner}: {description(type_)}" if said else f"{error}: {description(type_)}"
