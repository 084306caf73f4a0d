"""How busy a process is, as a share of one core: unknown until there is enough time to tell it from.

The kernel counts a process's time in steps of ten milliseconds: over an instant one step would be
several cores. This module must not know which process it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable

#: The shortest time that a share is taken of, in seconds: one step of the kernel's is 2 % of it.
LEAST_S = 0.5


class Busy:
    """Measures one process from call to call, whoever calls and however often.

    Args:
        spent: processor time that the process has used, in seconds.
        clock: monotonic, in seconds.
    """

    def __init__(self, spent: Callable[[], float], clock: Callable[[], float] = time.monotonic) -> None:
        self._spent = spent
        self._clock = clock
        self._percent: float | None = None
        self._at, self._spent_then = clock(), spent()

    def percent(self) -> float | None:
        """Return the use over the last half second or more, in percent of one core; None: not known yet."""
        passed = self._clock() - self._at
        if passed >= LEAST_S:
            spent = self._spent()
            self._percent = 100 * (spent - self._spent_then) / passed
            self._at, self._spent_then = self._at + passed, spent
        return self._percent
