"""How often one token may ask over HTTP, at a daemon or a gateway. Must not know what is asked."""

from __future__ import annotations

import time
from collections.abc import Callable

from data.problems import RateLimitedError
from nautilus_tui.daemon.streams.session import Pace

#: A pace that nobody used for so long is full again, as one that was never there.
_FULL_AGAIN_S = 1.0


class RequestPace:
    """Counts the requests of each token that asked lately.

    Tokens come and go, and their names are not kept: every second those are forgotten that did not
    ask in the second before.

    Args:
        rate: requests of one token, a second.
        clock: monotonic, in seconds.
    """

    def __init__(self, rate: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._turned = clock()
        self._lately: dict[str, Pace] = {}  #: of those who asked since the turn
        self._before: dict[str, Pace] = {}  #: of those who asked between the last turn but one and it

    def __len__(self) -> int:
        """Return how many tokens are remembered."""
        return len(self._lately) + len(self._before)

    def change(self, rate: int) -> None:
        """Go by another rate from now on."""
        self._rate = rate
        self._lately, self._before = {}, {}

    def take(self, name: str) -> None:
        """Count one request of the token of that name; raises RateLimitedError."""
        now = self._clock()
        if now - self._turned >= _FULL_AGAIN_S:
            self._turned = now
            self._lately, self._before = {}, self._lately
        if name not in self._lately:
            before = self._before
            self._lately[name] = before.pop(name) if name in before else Pace(self._rate, self._clock)
        if not self._lately[name].take():
            raise RateLimitedError(
                f"{name} asks more than {self._rate} times a second",
                rule=f"at most {self._rate} requests a second with one token",
                fix="ask less often, or subscribe to the streams",
                token=name,
                seconds="1",
            )
