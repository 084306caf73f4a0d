"""How words of a known meaning are to be taken, for whoever shows them in a colour.

This module must not know of colours.
"""

from __future__ import annotations

from typing import Final

_BAD: Final = frozenset(
    ["breached", "critical", "emergency", "red", "rejected", "failed", "escalated", "halted", "F"]
)
_POOR: Final = frozenset(
    {"warn", "warning", "major", "minor", "yellow", "pending", "unknown", "detected", "D"}
)
_GOOD: Final = frozenset(["ok", "green", "resolved", "approved", "done", "A", "B"])


def tone(word: str) -> str:
    """Return how a word is to be taken: ``good``, ``poor``, ``bad``, or nothing."""
    return "bad" if word in _BAD else "poor" if word in _POOR else "good" if word in _GOOD else ""
