"""Whether a change of a limit tightens or loosens it, term by term.

Each term of a limit points one way: what lets more pass, or later, or does less about it, is looser. A change
that tightens one term and loosens another does both, and counts as one that loosens. This module must not
know who has to agree to a change.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final, Literal

from data.limits import ActionName, Limit

type Direction = Literal["same", "tighter", "looser", "mixed"]

_ONE: Final = Decimal(1)


def direction(before: Limit, after: Limit) -> Direction:
    """Return which way a change goes.

    It is antisymmetric: what is tighter one way is looser the other, and mixed is mixed both ways.
    """
    signs = {sign for sign, _ in _terms(before, after)}
    if not signs:
        return "same"
    return "mixed" if len(signs) > 1 else "looser" if signs == {1} else "tighter"


def loosened(before: Limit, after: Limit | None) -> tuple[str, ...]:
    """Return in words what a change loosens; empty if it loosens nothing. None: the limit is deleted."""
    if after is None:
        return ("it would be deleted",) if before.enabled else ()
    return tuple(words for sign, words in _terms(before, after) if sign > 0)


def _terms(before: Limit, after: Limit) -> list[tuple[int, str]]:
    """Return the terms that differ: 1 looser, −1 tighter, with what the change says."""
    if not before.enabled and not after.enabled:
        return []  # neither lets anything not pass
    if before.enabled != after.enabled:
        return [(1, "it would be switched off") if before.enabled else (-1, "it is switched on")]
    found: list[tuple[int, str]] = []

    def differ(sign: int, words: str) -> None:
        if sign:
            found.append((sign, words))

    differ(_sign(after.hard, before.hard), f"hard from {before.hard:f} to {after.hard:f}")
    differ(_sign(after.warn, before.warn), f"warn from {before.warn:f} to {after.warn:f}")
    if before.limit_type == "order_rate":
        was, will = before.window_s or 1, after.window_s or 1
        differ(_sign(was, will), f"window from {was} s to {will} s")
    if before.limit_type == "var":
        _var(before, after, differ)
    _actions("warn_actions", before.warn_actions, after.warn_actions, differ)
    _actions("hard_actions", before.hard_actions, after.hard_actions, differ)
    _auto_adjust(before, after, differ)
    return found


type _Differ = Callable[[int, str], None]


def _var(before: Limit, after: Limit, differ: _Differ) -> None:
    """A lower confidence or fewer days measure less, which is looser; two methods cannot be ordered."""
    confidence = f"confidence from {before.confidence:f} to {after.confidence:f}"
    differ(_sign(before.confidence, after.confidence), confidence)
    days = f"horizon from {before.horizon_days} to {after.horizon_days} days"
    differ(_sign(before.horizon_days, after.horizon_days), days)
    if before.method != after.method:
        words = f"method from {before.method} to {after.method}"
        differ(1, words)
        differ(-1, words)


def _actions(
    name: str, before: tuple[ActionName, ...], after: tuple[ActionName, ...], differ: _Differ
) -> None:
    """Fewer actions are looser; to halt does all that deny_increase does."""
    was, will = _done(before), _done(after)
    words = f"{name} from {','.join(before) or 'none'} to {','.join(after) or 'none'}"
    differ(1 if was - will else 0, words)
    differ(-1 if will - was else 0, words)


def _done(actions: tuple[ActionName, ...]) -> frozenset[ActionName]:
    more: tuple[ActionName, ...] = ("deny_increase",) if "halt" in actions else ()
    return frozenset((*actions, *more))


def _auto_adjust(before: Limit, after: Limit, differ: _Differ) -> None:
    was, will = before.auto_adjust, after.auto_adjust
    if was is None or will is None:
        if was is not None:
            differ(1, "it would no longer tighten with volatility")
        if will is not None:
            differ(-1, "it tightens with volatility")
        return
    target = f"target volatility from {was.target_vol:f} to {will.target_vol:f}"
    differ(_sign(will.target_vol, was.target_vol), target)
    floor = f"floor from {was.floor:f} to {will.floor:f}"
    differ(_sign(min(will.floor, _ONE), min(was.floor, _ONE)), floor)


def _sign(one: Decimal | int, other: Decimal | int) -> int:
    return (one > other) - (one < other)
