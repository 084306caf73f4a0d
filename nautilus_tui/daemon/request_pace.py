"""How often one token may ask over HTTP, at a daemon or a gateway. Must not know what is asked."""

from __future__ import annotations

from data.problems import RateLimitedError
from nautilus_tui.daemon.streams.session import Pace


class RequestPace:
    """Counts the requests of each token, as many as there are; ``rate`` is of one token, a second."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._paces: dict[str, Pace] = {}

    def change(self, rate: int) -> None:
        """Go by another rate from now on."""
        self._rate = rate
        self._paces.clear()

    def take(self, name: str) -> None:
        """Count one request of the token of that name; raises RateLimitedError."""
        if not self._paces.setdefault(name, Pace(self._rate)).take():
            raise RateLimitedError(
                f"{name} asks more than {self._rate} times a second",
                rule=f"at most {self._rate} requests a second with one token",
                fix="ask less often, or subscribe to the streams",
                token=name,
                seconds="1",
            )
