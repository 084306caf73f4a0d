"""What a limit must look like: whatever is asked for keeps every rule, or is refused with the reason."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.bus import Bus
from data.limits import ACTIONS, UNITS, AutoAdjust, LimitType, Unit
from data.paths import Home
from data.problems import NotFoundError, ProblemError
from data.risk_commands import RestrictEngine, SetLimit
from data.state import State
from engines.spec import EngineSpec
from engines.supervisor import Supervisor
from nautilus_tui.daemon import limit_rules, rules
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.risk.limit_drafts import drafted
from nautilus_tui.daemon.sink import Sink
from nautilus_tui.daemon.watch import OrderWatch
from risk.limits import check_limit
from tests.daemon.records import no_journal


def supervisor_in(folder: Path) -> Supervisor:
    """A supervisor that knows two engines, of which none runs."""
    present = Present()
    sink = Sink(State(folder / "state.duckdb"), Bus("e", present.snapshot), present, OrderWatch(), no_journal)
    specs = [EngineSpec(engine="paper-1"), EngineSpec(engine="replay-1")]
    return Supervisor(Home(folder), sink, specs)


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    return supervisor_in(tmp_path)


def limit(**fields: Any) -> SetLimit:
    given_: dict[str, Any] = {"limit_type": "position_size", "hard": Decimal(500)}
    return SetLimit(**(given_ | fields))


@pytest.mark.parametrize(
    ("command", "field", "says"),
    [
        (limit(hard=Decimal(0)), "hard", "greater than zero"),
        (limit(hard=Decimal(-5)), "hard", "greater than zero"),
        (limit(hard=Decimal("1e18")), "hard", "1e18"),
        (limit(hard=Decimal("NaN")), "hard", "finite"),
        (limit(warn=Decimal("1.01")), "warn", "at most 1"),
        (limit(warn=Decimal(0)), "warn", "greater than zero"),
        (limit(unit="ratio"), "unit", "notional or shares"),
        (limit(limit_type="order_rate", unit="notional"), "unit", "orders"),
        (limit(limit_type="order_rate", hard=Decimal("1.5")), "hard", "whole"),
        (limit(limit_type="order_rate", window_s=0), "window_s", "from 1"),
        (limit(window_s=5), "window_s", "order_rate only"),
        (limit(scope="everything"), "scope", "portfolio"),
        (limit(scope="engine:"), "scope", "engine:ID"),
        (limit(scope="strategy:a\tb"), "scope", "printable"),
        (limit(scope="strategy:" + "s" * 65), "scope", "64"),
        (limit(confidence=Decimal("0.95")), "confidence", "var only"),
        (limit(limit_type="var", confidence=Decimal(1)), "confidence", "below 1"),
        (limit(limit_type="var", horizon_days=23), "horizon_days", "22"),
        (limit(limit_type="var", method="guess"), "method", "historical"),
        (limit(hard_actions=("notify", "notify")), "hard_actions", "once"),
        (limit(auto_adjust=AutoAdjust(target_vol=Decimal(0))), "target_vol", "above zero"),
        (limit(auto_adjust=AutoAdjust(target_vol=Decimal(1), floor=Decimal(2))), "floor", "at most 1"),
        (
            limit(auto_adjust=AutoAdjust(target_vol=Decimal(1)), remove_auto_adjust=True),
            "remove_auto_adjust",
            "not both",
        ),
        (RestrictEngine(engine="paper-1", restriction="halted", reason=" "), "reason", "characters"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_field_value_and_rule(
    supervisor: Supervisor, command: SetLimit | RestrictEngine, field: str, says: str
) -> None:
    with pytest.raises(ProblemError) as refused:
        rules.check(command, supervisor)
    assert refused.value.extra["field"] == field
    assert "value" in refused.value.extra
    assert says in (refused.value.rule or "")


@pytest.mark.parametrize(
    ("scope", "near"),
    [
        ("engine:paper1", "engine:paper-1"),
        ("engine:replay", "engine:replay-1"),
        ("instrument:APPL.SIM", "instrument:AAPL.SIM"),
        ("instrument:aapl.sim", "instrument:AAPL.SIM"),
        ("instrument:QQQQQQ.SIM", None),
    ],
)
def test_a_scope_over_what_there_is_not_is_refused_and_what_comes_near_is_said(
    supervisor: Supervisor, scope: str, near: str | None
) -> None:
    with pytest.raises(NotFoundError) as refused:
        rules.check(limit(scope=scope), supervisor)
    assert refused.value.extra == {"field": "scope", "value": scope}
    assert refused.value.fix
    if near is not None:
        assert near in refused.value.fix


@pytest.mark.parametrize(
    "scope", ["portfolio", "engine:paper-1", "instrument:AAPL.SIM", "strategy:GATEWAY-001"]
)
def test_a_scope_over_what_there_is_passes(supervisor: Supervisor, scope: str) -> None:
    rules.check(limit(scope=scope), supervisor)


def test_an_engine_to_restrict_must_be_there(supervisor: Supervisor) -> None:
    rules.check(RestrictEngine(engine="paper-1", restriction="halted"), supervisor)
    with pytest.raises(NotFoundError):
        rules.check(RestrictEngine(engine="paper-9", restriction="halted"), supervisor)


@pytest.mark.parametrize(
    ("word", "unit"),
    [
        ("units", "shares"),
        ("Contracts", "shares"),
        ("money", "notional"),
        ("USD", "notional"),
        ("x", "ratio"),
    ],
)
def test_units_have_more_than_one_name(word: str, unit: Unit) -> None:
    assert limit_rules.unit_named(word) == unit
    with pytest.raises(ProblemError):
        limit_rules.unit_named(f"{word}?")


numbers = st.one_of(
    st.decimals(allow_nan=True, allow_infinity=True),
    st.sampled_from(
        [Decimal(0), Decimal("0.8"), Decimal(1), Decimal(100), Decimal("1e-18"), Decimal("1e17")]
    ),
)
commands = st.builds(
    SetLimit,
    limit_type=st.sampled_from(get_args(LimitType)),
    scope=st.sampled_from(["portfolio", "engine:paper-1", "engine:x", "instrument:AAPL.SIM", "sector:", "a"])
    | st.text(max_size=20),
    hard=numbers,
    unit=st.none() | st.sampled_from(get_args(Unit)),
    warn=st.none() | numbers,
    window_s=st.none() | st.integers(-1, 100_000),
    confidence=st.none() | numbers,
    horizon_days=st.none() | st.integers(-1, 30),
    method=st.none() | st.sampled_from(["historical", "guess"]),
    warn_actions=st.none() | st.lists(st.sampled_from(ACTIONS), max_size=3).map(tuple),
    hard_actions=st.none() | st.lists(st.sampled_from(ACTIONS), max_size=3).map(tuple),
    auto_adjust=st.none() | st.builds(AutoAdjust, target_vol=numbers, floor=numbers),
    remove_auto_adjust=st.booleans(),
    enabled=st.none() | st.booleans(),
)


def refused_with(command: SetLimit) -> ProblemError | None:
    try:
        rules.check(command, _SUPERVISOR)
    except ProblemError as error:
        return error
    return None


@settings(max_examples=300, deadline=None)
@given(commands)
def test_whatever_is_asked_keeps_every_rule_or_is_refused_with_the_reason(command: SetLimit) -> None:
    refusal = refused_with(command)
    if refusal is not None:
        assert refusal.status in (400, 404)
        assert refusal.rule
        assert refusal.extra["field"]
        assert "value" in refusal.extra
        return
    made = drafted(command, None, "ann", 1)
    check_limit(made)
    assert made.unit in UNITS[made.limit_type]
    assert made.hard > 0
    assert 0 < made.warn <= 1
    assert made.effective == made.hard
    assert (made.window_s is not None) == (made.limit_type == "order_rate")
    assert made.id == f"{made.limit_type}:{made.scope}:{made.unit}"


_FOLDER = TemporaryDirectory()
_SUPERVISOR = supervisor_in(Path(_FOLDER.name))
