"""Runs one action on copies of a history and kills the process before its n-th step, for every n.

Used as ``python -m tests.data.crashing <action> <template> <folder>``: makes ``<folder>/<n>`` for each
step at which it was killed, and ``<folder>/whole`` for the run that was not. A step is anything that
changes the disk for good: a rename, a link, a deletion, a sync, an append to the manifest.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data import importing, journal
from data.history import History
from tests.data.market import START

NOW = START + 10 * 86_400_000_000_000


def compact(root: Path) -> None:
    History(root, clock=lambda: NOW).compact()


def import_bars(root: Path) -> None:
    importing.import_file(History(root, clock=lambda: NOW), root.parent / "bars.csv", "GBPUSD.SIM")


ACTIONS: dict[str, Callable[[Path], None]] = {"compact": compact, "import": import_bars}


def _counted(step: Callable[..., Any], left: list[int]) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return step(*args, **options)

    return call


def main(action: str, template: Path, folder: Path) -> None:
    """Kill the action before its first, second, … step until it gets through."""
    number = 0
    while True:
        place = folder / str(number)
        shutil.copytree(template, place)
        child = os.fork()
        if child == 0:
            left = [number]
            for module, name in (
                (os, "rename"),
                (os, "link"),
                (os, "fsync"),
                (os, "ftruncate"),
                (Path, "unlink"),
            ):
                setattr(module, name, _counted(getattr(module, name), left))
            journal.Journal._write = _counted(journal.Journal._write, left)  # type: ignore[method-assign]
            ACTIONS[action](place / "history")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, f"{action} failed at {number}"
            place.rename(folder / "whole")
            return
        number += 1


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
