"""The life of a breach: severities by hand; whatever a value does, one breach at a time and its true end."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from data.limits import Breach, BreachAction, Limit, LimitStatus
from data.problems import ConflictError
from risk import breaches as life
from risk.evaluate import Value, status_of
from risk.portfolio import Portfolio

D = Decimal
SECOND = 1_000_000_000
LIMIT = Limit(
    id="gross_exposure:portfolio:notional",
    limit_type="gross_exposure",
    scope="portfolio",
    hard=D(1000),
    effective=D(1000),
    unit="notional",
    ts_created=0,
    ts_updated=0,
    updated_by="t",
)


def status(value: str | Decimal | None, limit: Limit = LIMIT) -> LimitStatus:
    empty = Portfolio(holdings=(), money=(), ts=1)
    return status_of(limit, Value(None if value is None else D(value)), empty)


def begun(value: str = "1100") -> Breach:
    return life.detected("br-1", status(value), 10)


@pytest.mark.parametrize(
    ("value", "severity"),
    [
        ("1000.01", "minor"),
        ("1249.99", "minor"),
        ("1250", "major"),
        ("1499.99", "major"),
        ("1500", "critical"),
        ("1999.99", "critical"),
        ("2000", "emergency"),
        ("90000", "emergency"),
    ],
)
def test_severity_goes_by_the_share_of_the_limit(value: str, severity: str) -> None:
    assert begun(value).severity == severity


def test_above_a_limit_of_nothing_everything_is_an_emergency() -> None:
    assert life.severity_of(D("0.01"), D(0)) == "emergency"


def test_a_breach_keeps_its_worst_and_its_severity_while_it_gets_better() -> None:
    breach, _ = life.checked(begun("1600"), status("1100"), None, 20)
    assert (breach.value, breach.worst, breach.severity, breach.checks) == (D(1100), D(1600), "critical", 2)
    assert breach.use == D("1.1")
    assert breach.ts_detected == 10


def test_a_value_that_is_clearly_back_ends_a_breach_at_once() -> None:
    breach, back = life.checked(begun(), status("980"), None, 20)
    assert (breach.status, breach.ts_resolved, back) == ("resolved", 20, None)
    assert breach.value == D(980)


def test_a_value_at_the_limit_ends_a_breach_after_a_minute() -> None:
    breach, back = life.checked(begun(), status("1000"), None, 20)
    assert (breach.status, back) == ("detected", 20)
    breach, back = life.checked(breach, status("999"), back, 20 + 59 * SECOND)
    assert (breach.status, back) == ("detected", 20)
    breach, back = life.checked(breach, status("999"), back, 20 + 60 * SECOND)
    assert (breach.status, back) == ("resolved", None)


def test_a_value_that_is_not_known_ends_nothing_and_the_minute_begins_anew() -> None:
    breach, back = life.checked(begun(), status("1000"), None, 20)
    same, back = life.checked(breach, status(None), back, 30)
    assert same == breach
    assert back is None
    breach, _ = life.checked(same, status("1000"), back, 20 + 60 * SECOND)
    assert breach.status == "detected"


def test_a_limit_that_is_raised_or_switched_off_is_breached_no_longer() -> None:
    raised = replace(LIMIT, hard=D(2000), effective=D(2000))
    assert life.checked(begun(), status("1100", raised), None, 20).breach.status == "resolved"
    off = life.checked(begun(), status("1100", replace(LIMIT, enabled=False)), None, 20).breach
    assert (off.status, off.note) == ("resolved", "the limit was switched off")


def test_a_breach_is_acknowledged_once_and_then_mitigated() -> None:
    seen = life.acknowledged(begun(), "ann", 20, note="on it")
    assert (seen.status, seen.acknowledged_by, seen.note, seen.ts_acknowledged) == (
        "acknowledged",
        "ann",
        "on it",
        20,
    )
    with pytest.raises(ConflictError):
        life.acknowledged(seen, "bob", 30)
    done = life.acknowledged(seen, "bob", 40, mitigating=True)
    assert (done.status, done.acknowledged_by, done.ts_acknowledged) == ("mitigating", "bob", 20)
    with pytest.raises(ConflictError):
        life.acknowledged(done, "bob", 50, mitigating=True)
    with pytest.raises(ConflictError):
        life.acknowledged(life.resolved(done, 60), "bob", 70)


def test_only_what_nobody_has_seen_is_escalated() -> None:
    told = life.escalated(begun(), "trader", 11, first=True)
    assert (told.status, told.escalated_to, told.ts_escalated) == ("detected", "trader", None)
    up = life.escalated(told, "risk manager", 20, first=False)
    assert (up.status, up.escalated_to, up.ts_escalated) == ("escalated", "risk manager", 20)
    seen = life.acknowledged(up, "ann", 30)
    assert life.escalated(seen, "CRO", 40, first=False) == seen


def test_an_action_is_one_however_often_its_result_is_told() -> None:
    asked = BreachAction(action="deny_increase", engine="paper-1", status="requested", ts_requested=1)
    breach = life.with_action(begun(), asked, 11)
    breach = life.with_action(breach, replace(asked, engine="paper-2"), 12)
    breach = life.with_action(breach, replace(asked, status="done", ts_done=13), 13)
    assert [(one.engine, one.status) for one in breach.actions] == [
        ("paper-1", "done"),
        ("paper-2", "requested"),
    ]
    found = life.action_of(breach, "deny_increase", "paper-1")
    assert found is not None
    assert found.ts_done == 13
    assert life.action_of(breach, "halt", "paper-1") is None


# ---------------------------------------------------------------- for any course of a value

_VALUES = st.lists(st.one_of(st.none(), st.decimals(0, 3000, places=1)), min_size=1, max_size=60)


@given(_VALUES, st.integers(1, 40))
def test_whatever_a_value_does_there_is_one_breach_at_a_time(values: list[Decimal | None], step: int) -> None:
    open_one: Breach | None = None
    back: int | None = None
    over_for: list[Decimal] = []
    ended = -1
    for number, value in enumerate(values):
        now = number * step * SECOND
        found = status(value)
        if open_one is None:
            if found.level == "breached":
                assert number > ended  # one that ended in this check does not begin in it again
                open_one, back, over_for = (
                    life.detected(f"br-{number}", found, now),
                    None,
                    [found.value or D(0)],
                )
            continue
        before = open_one
        open_one, back = life.checked(before, found, back, now)
        assert open_one.id == before.id
        assert open_one.ts_detected == before.ts_detected
        if value is not None and value > 1000:
            over_for.append(value)
            assert open_one.status != "resolved"
        assert open_one.worst == max(over_for)
        assert open_one.severity == life.severity_of(open_one.worst, D(1000))
        assert open_one.checks == len(over_for)
        if value is not None and value <= D(980):
            assert open_one.status == "resolved"
        if open_one.status == "resolved":
            assert value is not None
            assert value <= 1000
            open_one, ended = None, number


@given(st.lists(st.sampled_from(["999", "1001", "1000", "990"]), min_size=1, max_size=200))
def test_a_value_that_flickers_at_its_limit_stays_one_breach(values: list[str]) -> None:
    breach, back = begun("1001"), None
    for number, value in enumerate(values):  # every quarter of a second: 50 s at most
        checked = life.checked(breach, status(value), back, 10 + number * SECOND // 4)
        breach, back = checked
        assert breach.status == "detected"
    assert breach.checks == 1 + values.count("1001")
