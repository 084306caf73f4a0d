"""The JSON form of our structs: the same facts with times as ISO 8601 text instead of integers.

`json_form` makes the twin of a struct class (the schema of the API), `to_json_form` turns a value
into its twin, `from_json` reads JSON back into the struct, taking times in either form. Between
processes (msgpack) structs travel as they are. This module must not know of HTTP or of streams.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec

from data.problems import InvalidRequestError

NANOS = 1_000_000_000
MAX_DEPTH = 32

IsoTime = Annotated[
    str,
    msgspec.Meta(
        description="UTC time, ISO 8601 with nanoseconds",
        extra_json_schema={"format": "date-time", "examples": ["2026-11-23T14:30:00.000000000Z"]},
    ),
]

_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})"  # date
    r"(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,9}))?)?"  # time, fraction
    r"\s*(Z|z|[+-]\d{2}:?\d{2})?"  # zone
)

#: Not finite ones are numbers too; whoever takes them refuses them with a rule.
_DECIMAL = re.compile(
    r"[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?|s?nan[0-9]*)",
    re.ASCII | re.IGNORECASE,
)


def is_time(field: str) -> bool:
    """Tell whether a field of this name holds a time in UTC nanoseconds."""
    return field == "ts" or field.startswith("ts_") or field == "fetched_at"


# ---------------------------------------------------------------- times


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")


def day_of(ns: int) -> date:
    """Return the UTC date of a time in nanoseconds since the epoch."""
    return datetime.fromtimestamp(ns // NANOS, UTC).date()


def iso(ns: int) -> str:
    """Return UTC nanoseconds since the epoch as ``2026-11-23T14:30:00.000000000Z``.

    Raises InvalidRequestError outside the years 1 to 9999.
    """
    seconds, fraction = divmod(ns, NANOS)
    try:
        return f"{_second(seconds)}.{fraction:09d}Z"
    except (OverflowError, ValueError, OSError) as error:
        raise InvalidRequestError(
            f"{ns} ns is not a time", rule="times lie in the years 1 to 9999"
        ) from error


def parse_iso(text: str) -> int:
    """Return ISO 8601 text as UTC nanoseconds since the epoch, exactly.

    Takes a date, or a date and time with up to nine digits of fraction; without a zone it is UTC.
    Raises InvalidRequestError for anything else.
    """
    found = _ISO.fullmatch(text.strip())
    if found is None:
        raise _not_a_time(text)
    date, clock, fraction, zone = found.groups()
    offset = "+00:00" if zone in (None, "Z", "z") else zone
    try:
        moment = datetime.fromisoformat(f"{date}T{clock or '00:00:00'}{offset}")
    except ValueError as error:
        raise _not_a_time(text) from error
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // _ONE_SECOND
    return seconds * NANOS + int((fraction or "0").ljust(9, "0"))


_ONE_SECOND = datetime(1970, 1, 1, 0, 0, 1) - datetime(1970, 1, 1)


def _not_a_time(text: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"{text[:60]!r} is not a time",
        rule="times are ISO 8601, UTC unless they say otherwise",
        fix="for example 2026-11-23, 2026-11-23T14:30:00Z or 2026-11-23T14:30:00.123456789Z",
    )


# ---------------------------------------------------------------- twins


@lru_cache(maxsize=1024)
def json_form(cls: Any) -> Any:
    """Return the JSON twin of a type: structs with times become twins, containers follow.

    A struct without times anywhere is its own twin. Class names, tags and defaults are kept.
    """
    if isinstance(cls, type) and issubclass(cls, msgspec.Struct):
        return _twin_struct(cls)
    arguments = get_args(cls)
    if not arguments:
        return cls
    twins = tuple(argument if argument is ... else json_form(argument) for argument in arguments)
    if twins == arguments:
        return cls
    if isinstance(cls, types.UnionType) or get_origin(cls) is typing.Union:
        return typing.Union[twins]  # noqa: UP007 - built from values
    if get_origin(cls) is Annotated:
        return Annotated[(twins[0], *cls.__metadata__)]
    return get_origin(cls)[twins]


def _twin_struct(cls: type[msgspec.Struct]) -> type[msgspec.Struct]:
    hints = get_type_hints(cls, include_extras=True)
    fields: list[tuple[str, Any, Any]] = []
    changed = False
    for field in msgspec.structs.fields(cls):
        hint = hints[field.name]
        twin = _time_twin(hint) if is_time(field.name) else json_form(hint)
        changed = changed or twin != hint  # equal, not identical: unions are built anew
        fields.append((field.name, twin, _default(field)))
    if not changed:
        return cls
    config = cls.__struct_config__
    return msgspec.defstruct(
        cls.__name__,
        fields,
        kw_only=True,
        frozen=True,
        tag_field=config.tag_field,
        tag=config.tag,
        array_like=config.array_like,
        omit_defaults=config.omit_defaults,
        module=cls.__module__,
        namespace={"__doc__": cls.__doc__},
    )


def _time_twin(hint: Any) -> Any:
    return IsoTime | None if type(None) in get_args(hint) else IsoTime


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=field.default_factory)
    return msgspec.NODEFAULT


Converter = Callable[[Any], Any]


@lru_cache(maxsize=1024)
def _converter(cls: type[msgspec.Struct]) -> Converter | None:
    """Return the function that turns a ``cls`` into its twin; None when it is its own twin."""
    twin = json_form(cls)
    if twin is cls:
        return None
    names = tuple(field.name for field in msgspec.structs.fields(cls))
    hints = get_type_hints(cls, include_extras=True)
    times = tuple(name for name in names if is_time(name))
    nested = tuple(name for name in names if not is_time(name) and json_form(hints[name]) != hints[name])
    as_dict = msgspec.structs.asdict

    def convert(value: Any) -> Any:
        found = as_dict(value)
        for name in times:
            ns = found[name]
            if ns is not None:
                found[name] = iso(ns)
        for name in nested:
            found[name] = to_json_form(found[name])
        return twin(**found)

    return convert


def to_json_form(value: Any) -> Any:
    """Return the JSON twin of a struct, or of the structs in a list, tuple or dict."""
    if isinstance(value, msgspec.Struct):
        convert = _converter(type(value))
        return value if convert is None else convert(value)
    if isinstance(value, list | tuple):
        return type(value)([to_json_form(item) for item in value])
    if isinstance(value, dict):
        return {key: to_json_form(item) for key, item in value.items()}
    return value


_encoder = msgspec.json.Encoder()


def to_json(value: Any) -> bytes:
    """Return a value's JSON form as bytes."""
    return _encoder.encode(to_json_form(value))


# ---------------------------------------------------------------- and back


def from_builtins[T](value: Any, cls: type[T]) -> T:
    """Return plain data (as JSON gives it) as ``cls``; times may be ISO text or integers.

    Raises msgspec.ValidationError naming the field, or InvalidRequestError for a bad time.
    """
    plain = _with_integer_times(value)
    made = msgspec.convert(plain, cls)
    _check_decimals(plain, made, "$")
    return made


def _check_decimals(given: Any, made: Any, where: str) -> None:
    """Refuse what Python takes for a number and people do not: ``1_0``, blanks, digits of other scripts."""
    if isinstance(made, Decimal):
        if isinstance(given, str) and not _DECIMAL.fullmatch(given):
            raise msgspec.ValidationError(f"Invalid decimal string - at `{where}`")
    elif isinstance(made, msgspec.Struct) and isinstance(given, dict):
        for name in made.__struct_fields__:
            if name in given:
                _check_decimals(given[name], getattr(made, name), f"{where}.{name}")
    elif isinstance(made, dict) and isinstance(given, dict):
        for name, item in made.items():
            _check_decimals(given.get(name), item, f"{where}.{name}")
    elif isinstance(made, list | tuple) and isinstance(given, list):
        for number, (item, one) in enumerate(zip(given, made, strict=False)):
            _check_decimals(item, one, f"{where}[{number}]")


def from_json[T](data: bytes | str, cls: type[T]) -> T:
    """Return JSON as ``cls``; times may be ISO text or integers.

    Raises msgspec.DecodeError (malformed), msgspec.ValidationError, or InvalidRequestError (a bad time).
    """
    return from_builtins(msgspec.json.decode(data), cls)


def _with_integer_times(value: Any, depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        raise InvalidRequestError(
            "the data is nested too deeply",
            rule=f"at most {MAX_DEPTH} levels",
            fix="nothing of ours needs more",
        )
    if isinstance(value, dict):
        return {
            key: parse_iso(item)
            if isinstance(item, str) and isinstance(key, str) and is_time(key)
            else _with_integer_times(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_with_integer_times(item, depth + 1) for item in value]
    return value
