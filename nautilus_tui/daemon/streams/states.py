"""Bringing a reader to the present: snapshots, replays after a reconnect, and gaps told as such.

This module must not know of connections or of how envelopes are written.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal

import msgspec

from data import topics
from data.bus import Bus, Event
from data.facts import Record
from nautilus_tui.daemon.streams.wire import Format

REUSE_S = 1.0

#: Why a topic does not go on where it was left: the daemon started anew, what is missing is too old to be
#: remembered or was lost on its way to whoever serves the stream, or the number was never given yet.
GapReason = Literal["epoch", "too_old", "missed", "ahead"]


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Why a topic does not go on where it was left; a snapshot of it follows."""

    reason: GapReason
    seq_asked: int  #: after which number events are missing
    seq: int
    epoch: str


class States:
    """Makes the envelopes that precede a topic's deltas."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._known: dict[tuple[str, str], tuple[int, float, bytes]] = {}

    def snapshot(self, form: Format, topic: str) -> bytes:
        """Return a topic's state as an envelope; made once for many who ask for the same state."""
        now = time.monotonic()
        seq = self._bus.seq(topic)
        known = self._known.get((topic, form.name))
        if known is not None and known[0] == seq and now - known[1] < REUSE_S:
            return known[2]
        state = self._bus.state(topic)
        encoded = form.message("snapshot", {"records": state.records}, topic=topic, seq=seq)
        if seq:  # a topic that never had an event may be anyone's invention: not worth remembering
            self._known[topic, form.name] = (seq, now, encoded)
        return encoded

    def before(self, form: Format, event: Event, told: Sequence[Event]) -> bytes:
        """Return the state of a topic before its first event: what a store knew, else nothing.

        Args:
            told: everything that is handed over with the event. The store has it already; on this
                topic it comes as events, and is not to be told twice.
        """
        records: tuple[Record, ...] = ()
        if event.key is None and self._bus.stored:
            news = [one.record for one in told if one.topic == event.topic]
            records = tuple(one for one in self._bus.state(event.topic).records if one not in news)
        return form.message("snapshot", {"records": records}, topic=event.topic, seq=event.seq - 1)

    def nothing(self, form: Format, topic: str) -> bytes:
        """Return the state of a topic before it had any event and where no store knows of it."""
        return form.message("snapshot", {"records": ()}, topic=topic, seq=0)

    def resumed(self, form: Format, topic: str, asked: int, epoch: str | None) -> list[bytes]:
        """Return what came on a topic after ``asked``; else a gap and a snapshot. Where nothing ever came,
        it begins as any topic does, with a snapshot.

        A conflated topic is resumed with a snapshot: its present is all there is. Who names no epoch is
        taken at its number, and would not be told if that is of a life in which it meant something else.
        """
        if topics.delivery_of(topic) == "conflated":
            return [self.snapshot(form, topic)]
        same = epoch is None or epoch == self._bus.epoch
        missed = self._bus.since(topic, asked) if same else None
        if missed is not None and not self._bus.seq(topic):
            return [self.snapshot(form, topic)]
        if missed is not None:
            return [form.event(event) for event in missed]
        if not same:
            return self.gap(form, topic, asked, "epoch")
        return self.gap(form, topic, asked, "ahead" if asked > self._bus.seq(topic) else "too_old")

    def gap(self, form: Format, topic: str, after: int, reason: GapReason) -> list[bytes]:
        """Return that events after ``after`` are missing, and the state to go on from.

        Of a conflated topic nothing can be missing, and it is the state alone; unless bars that closed
        were too many to be remembered for a reader, which are not replaced by newer ones.
        """
        snapshot = self.snapshot(form, topic)
        if topics.delivery_of(topic) == "conflated" and reason != "too_old":
            return [snapshot]
        seq = self._bus.seq(topic)
        gap = Gap(reason=reason, seq_asked=after, seq=seq, epoch=self._bus.epoch)
        return [form.message("gap", gap, topic=topic, seq=seq), snapshot]

    def forget(self) -> None:
        """Free the snapshots made so far."""
        self._known.clear()
