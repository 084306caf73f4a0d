"""The history, opened when it is first asked: its libraries would make every daemon start late.

This module must not know what the history is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data.history import History


def history_in(folder: Path) -> Callable[[], History]:
    """Return what gives the history in a folder, one and the same to everyone; call it in a thread."""
    opening = Lock()
    opened: list[History] = []

    def history() -> History:
        with opening:
            if not opened:
                from data.history import History

                opened.append(History(folder))
            return opened[0]

    return history
