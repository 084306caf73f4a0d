"""The kill switch in one engine as a state machine without an engine: what is known, what is next.

armed → blocking → cancelling → flattening → verified → latched. It goes on only by what is seen: orders
that work, positions that are held. This module must not know how orders are cancelled or sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

import msgspec

from data.kill import EngineKill, KillOrder

#: What to do next: cancel what works, close what is held, or nothing, because it is done.
Next = Literal["cancel", "close", "nothing"]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What is there at one look. The switch's own closing orders are counted apart."""

    working: int
    closing: int
    positions: Mapping[str, Decimal]  #: what is held, by instrument; nothing that is zero


class KillSteps:
    """How far the kill switch has come in one engine."""

    def __init__(self, engine: str) -> None:
        self.progress = EngineKill(engine=engine, state="armed")
        self.flatten = False

    @property
    def pulled(self) -> bool:
        """Whether orders are blocked."""
        return self.progress.state != "armed"

    @property
    def done(self) -> bool:
        """Whether everything that was asked is verified."""
        return self.progress.state == "latched"

    def pull(self, order: KillOrder, ts: int) -> None:
        """Take an order: the first blocks, a later one may ask for more; all of it is looked at anew."""
        self.flatten = self.flatten or order.flatten
        self._change(
            state="blocking",
            ts_blocked=self.progress.ts_blocked or ts,
            ts_cancelled=None,
            ts_flattened=None,
            ts_verified=None,
            problem=None,
        )

    def look(self, seen: Seen, ts: int) -> Next:
        """Take a look at what is there and return what is to be done about it."""
        if not self.pulled:
            return "nothing"
        self._change(orders_left=seen.working + seen.closing, positions_left=len(seen.positions))
        self._change(positions=dict(seen.positions))
        if seen.working:
            self._change(state="cancelling", ts_cancelled=None, ts_verified=None)
            return "cancel"
        if self.progress.ts_cancelled is None:
            self._change(state="cancelling", ts_cancelled=ts)
        if self.flatten and (seen.positions or seen.closing):
            self._change(state="flattening", ts_flattened=None, ts_verified=None)
            return "close"
        if seen.closing:  # flattening was asked by nobody, so nothing of the kind may work
            self._change(state="cancelling", ts_verified=None)
            return "cancel"
        if self.flatten and self.progress.ts_flattened is None:
            self._change(ts_flattened=ts)
        self._change(state="verified" if not self.done else "latched", problem=None)
        if self.progress.ts_verified is None:
            self._change(ts_verified=ts)
        return "nothing"

    def latch(self) -> None:
        """Come to rest, once verified."""
        if self.progress.state == "verified":
            self._change(state="latched")

    def count(self, *, cancelled: int = 0, flattened: int = 0) -> None:
        """Add what events have confirmed."""
        self._change(
            cancelled=self.progress.cancelled + cancelled, flattened=self.progress.flattened + flattened
        )

    def fail(self, problem: str | None) -> None:
        """Say what holds it up, or that nothing does any more."""
        self._change(problem=problem)

    def release(self) -> None:
        """Arm the switch anew."""
        self.progress = EngineKill(engine=self.progress.engine, state="armed")
        self.flatten = False

    def _change(self, **fields: object) -> None:
        self.progress = msgspec.structs.replace(self.progress, **fields)
