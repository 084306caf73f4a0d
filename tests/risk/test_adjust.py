"""Limits that tighten with volatility: never above their base, never compounding, tighter when wilder."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from data.limits import AutoAdjust, Limit
from risk.adjust import LEAST_CHANGE, adjusted, due, share_of

D = Decimal
RULE = AutoAdjust(target_vol=D("0.2"), floor=D("0.25"))
LIMIT = Limit(
    id="position_size:portfolio:notional",
    limit_type="position_size",
    scope="portfolio",
    hard=D(1000),
    effective=D(1000),
    unit="notional",
    auto_adjust=RULE,
    ts_created=0,
    ts_updated=0,
    updated_by="t",
)
_VOL = st.decimals("0", "5", places=4)
_RULES = st.builds(
    AutoAdjust, target_vol=st.decimals("0.01", "1", places=3), floor=st.decimals("0.01", "1", places=2)
)
_HARD = st.decimals("0.01", "1000000", places=2)


def with_rule(rule: AutoAdjust, hard: Decimal) -> Limit:
    return replace(LIMIT, auto_adjust=rule, hard=hard, effective=hard)


def test_by_hand() -> None:
    assert adjusted(LIMIT, D("0.4")).effective == D(500)
    assert adjusted(LIMIT, D("0.25")).effective == D(800)
    assert adjusted(LIMIT, D("0.2")) == (D(1000), None)
    assert adjusted(LIMIT, D("0.1")) == (D(1000), None)
    assert adjusted(LIMIT, D("0")) == (D(1000), None)
    assert adjusted(LIMIT, D("4")).effective == D(250)
    assert adjusted(LIMIT, D("0.4")).reason == (
        "volatility 40.0 % a year is above the target 20.0 %: 50.0 % of 1000 count"
    )
    assert adjusted(replace(LIMIT, auto_adjust=None), D("4")) == (D(1000), None)


def test_what_moves_a_limit_by_less_than_a_hundredth_of_its_base_is_left_alone() -> None:
    tight = replace(LIMIT, effective=D(500))
    assert due(tight, D("0.4")) is None
    assert due(tight, D("0.405")) is None  # 493.8
    moved = due(tight, D("0.41"))
    assert moved is not None
    assert moved.effective == D("487.8")
    assert due(LIMIT, D("0.1")) is None
    back = due(replace(LIMIT, effective=D(995)), D("0.1"))  # all of it comes back, however little is missing
    assert back is not None
    assert back.effective == D(1000)


@given(_RULES, _HARD, _VOL)
def test_never_above_the_base_nor_below_the_floor(rule: AutoAdjust, hard: Decimal, vol: Decimal) -> None:
    found = adjusted(with_rule(rule, hard), vol)
    assert hard * rule.floor <= found.effective <= hard
    assert (found.reason is None) == (found.effective == hard)


@given(_RULES, _HARD, st.lists(_VOL, min_size=1, max_size=30))
def test_it_never_compounds(rule: AutoAdjust, hard: Decimal, vols: list[Decimal]) -> None:
    limit = with_rule(rule, hard)
    for vol in vols:
        now = due(limit, vol)
        wanted = adjusted(with_rule(rule, hard), vol).effective
        if now is not None:
            assert now.effective == wanted
            limit = replace(limit, effective=now.effective, adjusted=now.reason)
        assert abs(limit.effective - wanted) < max(LEAST_CHANGE * hard, D("1E-20"))
        assert limit.hard == hard
        assert due(limit, vol) is None  # asked again, nothing moves


@given(_RULES, _VOL, _VOL)
def test_wilder_is_never_looser(rule: AutoAdjust, one: Decimal, other: Decimal) -> None:
    calm, wild = sorted((one, other))
    assert share_of(rule, wild) <= share_of(rule, calm)
