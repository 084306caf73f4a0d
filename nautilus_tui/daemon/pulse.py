"""Is the daemon well enough to be left running? Asked before every kick of the service manager's watchdog.

That the question is answered shows that the event loop turns; the rest is looked up: the store takes
a write, and what was published has left in a frame. This module must not know who asks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from data.problems import StoreFailedError

#: Frames leave within milliseconds; an event that waits this long waits for something that hangs.
_UNSENT_S = 5.0


class Pulse:
    """Finds what a restart would mend.

    Args:
        write: writes something that changes nothing; raises StoreFailedError.
        unsent_s: how long the oldest event has waited for its frame, in seconds.
    """

    def __init__(self, write: Callable[[], Awaitable[None]], unsent_s: Callable[[], float]) -> None:
        self._write = write
        self._unsent_s = unsent_s

    async def trouble(self) -> str | None:
        """Return what is wrong, or None; may take as long as the store takes."""
        try:
            await self._write()
        except StoreFailedError as error:
            return error.detail
        unsent = self._unsent_s()
        return f"events have waited {unsent:.0f} s for their frame" if unsent > _UNSENT_S else None
