"""Telling typed keys from pasted ones where the terminal does not say which is which.

Bracketed pastes come as one event and never reach actions. Without brackets a paste is a burst of
different keys in one piece, which no hand types. Pure: times come from outside, in seconds.
"""

from __future__ import annotations

#: Different keys closer together than this came in one piece.
BURST_S = 0.002
#: An action that sends something by one printable key waits this long for the keyboard to be quiet.
QUIET_S = 0.04
_REMEMBERED_S = 1.0


class Bursts:
    """The latest key presses."""

    def __init__(self) -> None:
        self._presses: list[tuple[float, str]] = []

    def note(self, key: str, at: float) -> bool:
        """Note a press and say whether it came in one piece with a different key."""
        self._presses = [(t, k) for t, k in self._presses if at - t < _REMEMBERED_S]
        burst = any(abs(at - t) < BURST_S and k != key for t, k in self._presses)
        self._presses.append((at, key))
        return burst

    def followed(self, at: float) -> bool:
        """Say whether a press at ``at`` was followed by another in one piece."""
        return any(0 < t - at < BURST_S for t, _ in self._presses)
