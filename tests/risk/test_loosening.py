"""Which changes of a limit loosen it: by hand term by term, and antisymmetric whatever changes together."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from data.limits import ACTIONS, AutoAdjust, Limit
from risk.loosening import direction, loosened

LIMIT = Limit(
    id="position_size:portfolio:notional",
    limit_type="position_size",
    scope="portfolio",
    hard=Decimal(1000),
    unit="notional",
    effective=Decimal(1000),
    auto_adjust=AutoAdjust(target_vol=Decimal("0.15"), floor=Decimal("0.5")),
    ts_created=1,
    ts_updated=1,
    updated_by="ann",
)
RATE = replace(LIMIT, limit_type="order_rate", unit="orders", window_s=10, auto_adjust=None)
VAR = replace(LIMIT, limit_type="var", unit="ratio", auto_adjust=None)

REVERSED = {"looser": "tighter", "tighter": "looser", "mixed": "mixed", "same": "same"}


@pytest.mark.parametrize(
    ("limit", "changes", "goes"),
    [
        (LIMIT, {}, "same"),
        (LIMIT, {"hard": Decimal(1001)}, "looser"),
        (LIMIT, {"hard": Decimal("999.99")}, "tighter"),
        (LIMIT, {"hard": Decimal("1000.00")}, "same"),
        (LIMIT, {"warn": Decimal("0.9")}, "looser"),
        (LIMIT, {"warn": Decimal("0.7")}, "tighter"),
        (LIMIT, {"enabled": False}, "looser"),
        (LIMIT, {"enabled": False, "hard": Decimal(1)}, "looser"),
        (LIMIT, {"hard_actions": ("notify",)}, "looser"),
        (LIMIT, {"hard_actions": ("notify", "deny_increase", "flatten")}, "tighter"),
        (LIMIT, {"hard_actions": ("notify", "halt")}, "tighter"),
        (LIMIT, {"hard_actions": ("deny_increase", "flatten")}, "mixed"),
        (LIMIT, {"hard_actions": ("deny_increase", "notify")}, "same"),
        (LIMIT, {"warn_actions": ()}, "looser"),
        (LIMIT, {"auto_adjust": None}, "looser"),
        (LIMIT, {"auto_adjust": AutoAdjust(target_vol=Decimal("0.2"), floor=Decimal("0.5"))}, "looser"),
        (LIMIT, {"auto_adjust": AutoAdjust(target_vol=Decimal("0.1"), floor=Decimal("0.5"))}, "tighter"),
        (LIMIT, {"auto_adjust": AutoAdjust(target_vol=Decimal("0.15"), floor=Decimal("0.6"))}, "looser"),
        (LIMIT, {"auto_adjust": AutoAdjust(target_vol=Decimal("0.1"), floor=Decimal("0.6"))}, "mixed"),
        (LIMIT, {"hard": Decimal(900), "warn": Decimal("0.9")}, "mixed"),
        (RATE, {"window_s": 5}, "looser"),
        (RATE, {"window_s": 20}, "tighter"),
        (RATE, {"window_s": 20, "hard": Decimal(2000)}, "mixed"),
        (VAR, {"confidence": Decimal("0.95")}, "looser"),
        (VAR, {"horizon_days": 10}, "tighter"),
        (VAR, {"method": "normal"}, "mixed"),
        (LIMIT, {"confidence": Decimal("0.95")}, "same"),
    ],
)
def test_which_way_a_change_goes(limit: Limit, changes: dict[str, Any], goes: str) -> None:
    after = replace(limit, **changes)
    assert direction(limit, after) == goes
    assert direction(after, limit) == REVERSED[goes]
    assert bool(loosened(limit, after)) == (goes in ("looser", "mixed"))


def test_deleting_loosens_unless_it_was_switched_off() -> None:
    assert loosened(LIMIT, None)
    assert loosened(replace(LIMIT, enabled=False), None) == ()


def test_what_is_loosened_is_said_with_both_values() -> None:
    said = loosened(LIMIT, replace(LIMIT, hard=Decimal(2000), auto_adjust=None))
    assert any("1000" in words and "2000" in words for words in said)
    assert any("volatility" in words for words in said)


amounts = st.integers(1, 4).map(Decimal)
shares = st.sampled_from([Decimal("0.25"), Decimal("0.5"), Decimal(1)])
actions = st.lists(st.sampled_from(ACTIONS), unique=True).map(tuple)
terms = st.fixed_dictionaries(
    {
        "hard": amounts,
        "warn": shares,
        "window_s": st.sampled_from([1, 5, 60]),
        "confidence": shares,
        "horizon_days": st.integers(1, 3),
        "method": st.sampled_from(["historical", "normal"]),
        "warn_actions": actions,
        "hard_actions": actions,
        "auto_adjust": st.none() | st.builds(AutoAdjust, target_vol=shares, floor=shares),
        "enabled": st.booleans(),
    }
)


@given(st.sampled_from([LIMIT, RATE, VAR]), terms, terms)
def test_a_change_that_loosens_is_none_that_tightens(
    limit: Limit, one: dict[str, Any], other: dict[str, Any]
) -> None:
    before, after = replace(limit, **one), replace(limit, **other)
    there, back = direction(before, after), direction(after, before)
    assert back == REVERSED[there]
    assert bool(loosened(before, after)) == (there in ("looser", "mixed"))
    if there == "tighter":
        assert loosened(before, after) == ()
        assert loosened(after, before)


@given(terms, terms, terms)
def test_two_changes_that_only_tighten_are_one_that_tightens(
    one: dict[str, Any], two: dict[str, Any], three: dict[str, Any]
) -> None:
    a, b, c = (replace(LIMIT, **each, method="historical") for each in _without_method(one, two, three))
    if direction(a, b) in ("tighter", "same") and direction(b, c) in ("tighter", "same"):
        assert direction(a, c) in ("tighter", "same")


def _without_method(*given_terms: dict[str, Any]) -> list[dict[str, Any]]:
    return [{name: value for name, value in each.items() if name != "method"} for each in given_terms]
