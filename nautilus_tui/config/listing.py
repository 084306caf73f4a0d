"""Settings written out: the file of defaults with a comment a key, a user's settings, and the schema.

This module must not know where settings are read from.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from nautilus_tui.config.settings import Config, Section

_PATTERNS = {
    r"^$|^\S+:[0-9]{1,5}$": "HOST:PORT, or empty",
    r"^[a-z0-9][a-z0-9-]{0,31}$": "up to 32 of a-z 0-9 -",
    r"^[0-9]+(\.[0-9]+)? [A-Z]{3,5}$": "an amount and a currency, e.g. 1000000 USD",
    r"^[A-Z]{3,5}$": "a currency code",
    r"^(max|[0-9]+(\.[0-9]+)?)$": "a number, or max",
    r"^https?://\S+$": "an address, http:// or https://",
    r"^[A-Za-z0-9][A-Za-z0-9./ -]{0,14}$": "a ticker, e.g. AAPL",
    r"^\S+\.\S+$": "an instrument, e.g. AAPL.SIM",
    r"^0$|^[1-9][0-9]*/[1-9][0-9]*$": "ORDERS/SECONDS, e.g. 100/1, or 0",
    r"^((SMA|EMA)[1-9][0-9]{0,2}|VWAP)$": "SMA20, EMA50 … or VWAP",
    r"^[a-z_-]+ [a-z]+( \S+){5}$": "TYPE FORMAT MINUTE HOUR DAY MONTH WEEKDAY",
    r"^[1-9][0-9]{0,3}[smhd]$": "a timeframe, e.g. 5s, 1m, 1h, 1d",
}
_HEADING = """\
# Nautilus TUI: every setting with its default and a line about it.
# Your own file, which `nautilus-tui config path` names, needs only what differs."""
_NAMES: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Decimal: "an amount, at least 0, as text to be exact",
}


def _parts(type_: Any) -> tuple[Any, list[msgspec.Meta]]:
    """Return a type without its annotations, and those."""
    if get_origin(type_) is Annotated:
        inner, metas = _parts(type_.__origin__)
        return inner, metas + [meta for meta in type_.__metadata__ if isinstance(meta, msgspec.Meta)]
    return type_, []


def description(type_: Any) -> str:
    """Return what a setting is for."""
    return next((meta.description for meta in reversed(_parts(type_)[1]) if meta.description), "")


def constraint(type_: Any) -> str:
    """Return what a value must be, in words."""
    plain, metas = _parts(type_)
    origin, args = get_origin(plain), get_args(plain)
    if origin is Literal:
        return "one of " + ", ".join(map(str, args))
    if origin is tuple:
        return f"a list, each {constraint(args[0])}"
    if origin is dict:
        return f"a table of names, each {constraint(args[1])}"
    for meta in metas:
        if meta.pattern is not None:
            return _PATTERNS.get(meta.pattern, f"text matching {meta.pattern}")
    return _NAMES[plain] + _bounds(metas)


def _bounds(metas: list[msgspec.Meta]) -> str:
    low = next((meta.ge for meta in metas if meta.ge is not None), None)
    high = next((meta.le for meta in metas if meta.le is not None), None)
    if low is not None and high is not None:
        return f" from {low:,} to {high:,}"
    if low is not None:
        return f", at least {low:,}"
    return ""


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f'"{value}"'
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, dict):
        inner = ", ".join(f"{_text(key)} = {_toml(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return repr(value)


def _text(value: str) -> str:
    # JSON's escapes are TOML's too, apart from DEL, which JSON leaves as it is.
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")


def toml(config: Config) -> str:
    """Return settings as a file: every key, with a comment that says what it does and may be."""
    blocks = [
        "# Nautilus TUI: every setting with its default. `nautilus-tui config path` is the file to copy to."
    ]
    for field in msgspec.structs.fields(Config):
        blocks += _blocks(getattr(config, field.name), field.name)
    return "\n\n".join(blocks) + "\n"


def _blocks(section: Section, path: str) -> list[str]:
    """Return a section and those below it."""
    lines = [f"# {(section.__doc__ or '').strip()}", f"[{path}]"]
    below: list[str] = []
    types = get_type_hints(type(section), include_extras=True)
    for name in section.__struct_fields__:
        value = getattr(section, name)
        if isinstance(value, Section):
            below += _blocks(value, f"{path}.{name}")
            continue
        lines.append(f"# {description(types[name])} ({constraint(types[name])})")
        lines.append(f"{name} = {_toml(value)}")
    return ["\n".join(lines), *below]


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the settings."""
    return msgspec.json.schema(Config)


def differences(config: Config) -> dict[str, Any]:
    """Return what differs from the defaults, by ``section.key``."""
    return _differences(config, Config(), "")


def _differences(ours: Section, theirs: Section, path: str) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for name in ours.__struct_fields__:
        one, other = getattr(ours, name), getattr(theirs, name)
        if isinstance(one, Section):
            changed |= _differences(one, other, f"{path}{name}.")
        elif one != other:
            changed[f"{path}{name}"] = one
    return changed
