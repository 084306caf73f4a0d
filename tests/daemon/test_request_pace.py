"""How often a token may ask: each on its own, and none is remembered once it asks no longer."""

from __future__ import annotations

import pytest

from data.problems import RateLimitedError
from nautilus_tui.daemon.request_pace import RequestPace


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_token_has_a_pace_of_its_own() -> None:
    pace = RequestPace(2)
    for name in ("ann", "ann", "bob", "bob"):
        pace.take(name)
    with pytest.raises(RateLimitedError) as refused:
        pace.take("ann")
    assert refused.value.extra == {"token": "ann", "seconds": "1"}


def test_who_asks_no_longer_is_forgotten_and_who_used_it_up_is_not() -> None:
    clock = Clock()
    pace = RequestPace(4, clock=clock)
    for number in range(1000):
        pace.take(f"token {number}")
    clock.now = 0.9
    for _ in range(4):
        pace.take("ann")
    clock.now = 1.1  # the names are gone through: what ann used up just now is remembered
    with pytest.raises(RateLimitedError):
        pace.take("ann")
    clock.now = 2.2
    pace.take("bob")
    assert len(pace) == 2
    for _ in range(4):
        pace.take("ann")
    with pytest.raises(RateLimitedError):
        pace.take("ann")
