"""Returns of what is held, from the history: read in a thread, kept for a minute.

Bars of an instrument are those recorded by the engine that holds it, and what was imported; of an engine
that replays they end where its replay stands, because what lies behind is its future. This module must
not know what the returns are for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from data.problems import NotFoundError

if TYPE_CHECKING:
    from data.closes import Closes
    from data.history import History
    from risk.frames import Basis, ReturnsFrame

KEPT_NS: Final = 60 * 1_000_000_000
#: Bars of each kind that are looked at, at most: four years of days, ten days of 5-minute bars.
DAILY: Final = 1001
FINE: Final = 2881

type _Key = tuple[str, str | None, str]


class ReturnsSource:
    """Gives frames of returns.

    Args:
        history: Opens the history; called in a thread.
        holders: The engines that hold each instrument now.
        replayed_until: The market time a replaying engine has come to (ns UTC); None: it does not replay.
        clock: UTC ns.
    """

    def __init__(
        self,
        history: Callable[[], History],
        *,
        holders: Callable[[], Mapping[str, Collection[str]]],
        replayed_until: Callable[[str], int | None],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._history = history
        self._holders = holders
        self._replayed_until = replayed_until
        self._clock = clock
        self._closes: dict[_Key, tuple[int, Closes | None]] = {}
        self._frames: dict[tuple[tuple[str, ...], str | None, Basis | None], tuple[int, ReturnsFrame]] = {}
        self._reading = asyncio.Lock()

    async def frame(
        self, instruments: Sequence[str], *, engine: str | None = None, basis: Basis | None = None
    ) -> ReturnsFrame:
        """Return the returns of instruments over their common times; see ``risk.frames``.

        What cannot be told is named in the frame's ``missing``. With ``engine`` only that engine's
        recordings and imports count; without, those of whoever holds the instrument. ``basis`` asks for
        daily or 5-minute returns only.

        Raises:
            StoreFailedError: The history cannot be read.
        """
        wanted = tuple(sorted(set(instruments)))
        async with self._reading:  # asked by several at once, it is read once
            now = self._clock()
            kept = self._frames.get((wanted, engine, basis))
            if kept is not None and now - kept[0] < KEPT_NS:
                return kept[1]
            owners = self._owners(wanted, engine)
            ends = {owner: self._replayed_until(owner) for owner in owners.values() if owner is not None}
            frame = await asyncio.to_thread(self._make, wanted, owners, ends, now, basis)
            self._frames = {key: one for key, one in self._frames.items() if now - one[0] < KEPT_NS} | {
                (wanted, engine, basis): (now, frame)
            }
            return frame

    def _owners(self, wanted: Sequence[str], engine: str | None) -> dict[str, str | None]:
        """Return whose recordings count of each instrument; None: those of whoever recorded last."""
        if engine is not None:
            return dict.fromkeys(wanted, engine)
        holders = self._holders()
        owners: dict[str, str | None] = {}
        for name in wanted:
            mine = holders.get(name, ())
            owners[name] = next(iter(mine)) if len(mine) == 1 else None
        return owners

    def _make(
        self,
        wanted: tuple[str, ...],
        owners: dict[str, str | None],
        ends: dict[str, int | None],
        now: int,
        basis: Basis | None,
    ) -> ReturnsFrame:
        from risk.frames import FEWEST, returns_frame  # NumPy is loaded by who measures, in a thread

        self._closes = {key: one for key, one in self._closes.items() if now - one[0] < KEPT_NS}

        def read(period: str, limit: int) -> dict[str, Closes]:
            found = {}
            for name in wanted:
                owner = owners[name]
                end = None if owner is None else ends[owner]
                closes = self._read(name, owner, period, limit, end, now)
                if closes is not None:
                    found[name] = closes
            return found

        if basis == "5m":
            return returns_frame(wanted, {}, read("5m", FINE))
        daily = read("1d", DAILY)
        enough = len(daily) == len(wanted) and all(len(one.times) > FEWEST["1d"] for one in daily.values())
        return returns_frame(wanted, daily, {} if enough or basis == "1d" else read("5m", FINE))

    def _read(
        self, name: str, owner: str | None, period: str, limit: int, end: int | None, now: int
    ) -> Closes | None:
        key = (name, owner, period)
        kept = self._closes.get(key)
        if kept is not None:
            return kept[1]
        found: Closes | None = None
        try:
            before = None if end is None else end + 1
            found = self._history().closes(name, period, limit=limit, engine=owner, end=before)
        except NotFoundError:
            found = None
        if found is not None and end is not None:  # the bar in which a replay stands ends in its future
            found = found._replace(times=found.times[:-1], values=found.values[:-1])
        self._closes[key] = (now, found)
        return found
