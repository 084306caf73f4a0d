"""Settings: the shipped file is made from the code, and every error names its place and its rule."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_tui.config.apply import daemon_settings, engine_spec, stream_limits, terminal_settings
from nautilus_tui.config.document import key_lines
from nautilus_tui.config.listing import differences, schema, toml
from nautilus_tui.config.load import ConfigError, Fault, load, parse
from nautilus_tui.config.settings import Config, Section

SHIPPED = Path(__file__).parents[2] / "config.toml"


def sections_of(section: Section, path: str = "") -> Iterator[tuple[str, Section]]:
    """Yield the sections below one, each with its path in the file."""
    for name in section.__struct_fields__:
        value = getattr(section, name)
        if isinstance(value, Section):
            yield f"{path}{name}", value
            yield from sections_of(value, f"{path}{name}.")


KEYS = [
    (path, type(section).__name__, name)
    for path, section in sections_of(Config())
    for name in section.__struct_fields__
    if not isinstance(getattr(section, name), Section)
]


def fault_of(text: str) -> Fault:
    with pytest.raises(ConfigError) as caught:
        parse(text.encode(), "my.toml")
    return caught.value.faults[0]


def test_the_shipped_file_is_the_defaults() -> None:
    assert SHIPPED.read_text() == toml(Config()), "run: nautilus-tui config show --defaults > config.toml"
    assert parse(SHIPPED.read_bytes(), "config.toml") == Config()


def test_every_key_has_a_one_line_comment_and_stands_in_the_schema() -> None:
    lines = SHIPPED.read_text().splitlines()
    properties = schema()["$defs"]
    for section, kind, name in KEYS:
        at = next(
            i for i, line in enumerate(lines) if line.startswith(f"{name} = ") and f"[{section}]" in lines[:i]
        )
        assert lines[at - 1].startswith("# ")
        assert len(lines[at - 1]) > 20
        assert properties[kind]["properties"][name]["description"]


def test_a_file_lies_over_the_defaults_and_a_missing_one_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert load(path) == Config()
    path.write_text('[engine]\nleverage = 5\n[risk]\norder_notional = "250000.50"\norder_rate = "0"\n')
    config = load(path)
    assert config.engine.leverage == 5
    assert config.engine.default == "paper-1"
    assert differences(config) == {
        "engine.leverage": 5,
        "risk.order_notional": Decimal("250000.50"),
        "risk.order_rate": "0",
    }


def test_settings_reach_the_parts() -> None:
    text = "[engine]\nmax_cpu_percent = 0\n[streams]\nflush_ms = 8\n"
    text += '[risk]\norder_notional = 0\norder_rate = "7/2"\n'
    config = parse(text.encode(), "c")
    spec = engine_spec(config, "r1")
    assert (spec.engine, spec.speed, spec.max_cpu_percent, spec.instruments) == ("r1", "50", None, None)
    assert spec.limits.order_notional is None
    assert str(spec.limits.order_rate) == "7/2"
    assert stream_limits(config).flush_s == 0.008
    assert daemon_settings(config).engine.engine == "paper-1"


def test_the_engine_a_part_starts_with_is_the_one_in_the_code() -> None:
    from engines.spec import EngineSpec
    from nautilus_tui.daemon.settings import DaemonSettings
    from nautilus_tui.daemon.streams.limits import StreamLimits
    from nautilus_tui.terminal.settings import TerminalSettings

    assert engine_spec(Config()) == EngineSpec(engine="paper-1")
    assert daemon_settings(Config()) == DaemonSettings()
    assert stream_limits(Config()) == StreamLimits()
    assert terminal_settings(Config()) == TerminalSettings(engine="paper-1")


@pytest.mark.parametrize(
    ("text", "line", "key", "message", "rule", "fix"),
    [
        (
            "[engine]\nleverag = 5\n",
            2,
            "engine.leverag",
            "no such setting",
            "leverage",
            "did you mean leverage?",
        ),
        ("\n[terminl]\n", 2, "terminl", "no such section", "terminal", "did you mean terminal?"),
        ("[engine]\n\nleverage = 500", 3, "engine.leverage", "500", "from 1 to 200", None),
        ('daemon.log_level = "loud"', 1, "daemon.log_level", "'loud'", "debug, info, warning, error", None),
        ('[risk]\norder_rate = "fast"', 2, "risk.order_rate", "'fast'", "ORDERS/SECONDS", None),
        ("[risk]\norder_notional = -1", 2, "risk.order_notional", "-1", "at least 0", None),
        ("[risk]\norder_notional = nan", 2, "risk.order_notional", "nan", "at least 0", None),
        ("engine = 5", 1, "engine", "section", "[engine]", None),
        (
            '[simulator]\ninstruments = [\n "AAPL.SIM",\n "x" ]',
            2,
            "simulator.instruments",
            "'x'",
            "in [1]",
            None,
        ),
        ('[terminal]\nkeys = { "order.buy" = "" }', 2, "terminal.keys", "''", "text", None),
        ("[engine]\nleverage = = 3", 2, None, "column 12", "TOML", "config show --defaults"),
        ('[engine]\nfeed = "sim', 2, None, "", "TOML", "config show --defaults"),
    ],
)
def test_an_error_names_file_line_key_rule_and_fix(
    text: str, line: int, key: str | None, message: str, rule: str, fix: str | None
) -> None:
    fault = fault_of(text)
    assert (fault.file, fault.line, fault.key) == ("my.toml", line, key)
    assert message in fault.message
    assert rule in fault.rule
    assert fix is None or fix in (fault.fix or "")
    assert str(fault).startswith(f"my.toml:{line}: ")


def test_all_errors_are_found_in_order() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(b'[risk]\nx = 1\n[engine]\nleverage = "a"\n[daemon]\ny = 2\n', "f")
    assert [fault.line for fault in caught.value.faults] == [2, 4, 6]
    assert "(and 2 more)" in caught.value.detail


def test_a_file_that_is_not_utf8_or_not_readable_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(b"[engine]\n# \xff\n", "f")
    assert caught.value.faults[0].line == 2
    with pytest.raises(ConfigError):
        load(tmp_path)


SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)


def written(value: Any) -> str:
    """A value as TOML; None is not one and becomes a bare word, which is a syntax error."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(k)} = {written(v)}" for k, v in value.items()) + "}"
    return str(value)


@given(place=st.sampled_from(KEYS), value=VALUES, above=st.integers(0, 5))
def test_any_value_of_any_key_is_taken_or_refused_by_name(
    place: tuple[str, str, str], value: Any, above: int
) -> None:
    section, _, name = place
    text = "\n" * above + f"[{section}]\n{name} = {written(value)}\n"
    try:
        config = parse(text.encode(), "f")
    except ConfigError as error:
        fault = error.faults[0]
        assert fault.line == above + 2
        assert fault.key in (None, f"{section}.{name}")
        assert fault.rule
    else:
        assert not set(differences(config)) - {f"{section}.{name}"}
        assert parse(toml(config).encode(), "again") == config


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_settings_or_an_error(raw: bytes) -> None:
    faults: list[Fault] = []
    try:
        parse(raw, "f")
    except ConfigError as error:
        faults = error.faults
    assert all(fault.file == "f" and fault.rule for fault in faults)


BARE = st.text("abz_-09", min_size=1, max_size=4)


@given(st.lists(st.tuples(st.lists(BARE, min_size=1, max_size=3), VALUES), max_size=5), st.booleans())
def test_the_scanner_finds_every_key_that_tomllib_finds(
    pairs: list[tuple[list[str], Any]], comments: bool
) -> None:
    text = "".join(
        f"{'.'.join(path)} = {written(value)}{' # a = 1' if comments else ''}\n" for path, value in pairs
    )
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = key_lines(text)

    def paths(value: Any, at: tuple[str, ...]) -> set[tuple[str, ...]]:
        if not isinstance(value, dict):
            return {at}
        return {at} | {found for key, inner in value.items() for found in paths(inner, (*at, key))}

    assert paths(document, ()) - {()} <= set(lines)
    for index, (path, _) in enumerate(pairs):
        assert lines[tuple(path)] <= index + 1
