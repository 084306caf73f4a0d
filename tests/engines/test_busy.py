"""How busy a process is: what is told of it is true, or unknown."""

from __future__ import annotations

import time

import pytest

from engines.busy import LEAST_S, Busy
from engines.node.telemetry import Telemetry


class Process:
    """A process whose time is counted in steps of ten milliseconds."""

    def __init__(self) -> None:
        self.now = self.used = 0.0

    def busy(self) -> Busy:
        return Busy(lambda: self.used // 0.01 / 100, lambda: self.now)


def test_nothing_is_told_of_an_instant() -> None:
    process = Process()
    busy = process.busy()
    process.now, process.used = 0.0005, 0.01
    assert busy.percent() is None, "one step of the kernel's in half a millisecond would be 2,000 %"
    process.now = LEAST_S - 0.001
    assert busy.percent() is None


def test_asked_again_at_once_it_is_what_was_measured_last() -> None:
    process = Process()
    busy = process.busy()
    process.now, process.used = 1.0, 0.505
    assert busy.percent() == pytest.approx(50)
    process.now, process.used = 1.001, 0.515
    assert busy.percent() == pytest.approx(50)
    process.now = 2.0
    assert busy.percent() == pytest.approx(1)


def test_an_engine_that_just_began_does_not_know_how_busy_it_is() -> None:
    telemetry = Telemetry()
    until = time.process_time() + 0.03  # as it loads: more than one step of the kernel's
    while time.process_time() < until:
        pass
    assert telemetry.cpu_percent() is None
