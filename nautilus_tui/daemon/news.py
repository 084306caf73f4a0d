"""What happens, for the daemon's log: commands and how they ended, refusals, engines' changes of state.

A log line is for whoever runs the server; the audit chain is the proof. This module must not know
how a log looks or where it goes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from data.bus import Bus, Event
from data.records import AuditEntry, EngineStatus

#: Commands of which there are so many that only those which fail are worth a line.
_MANY = "order."
_BAD_STATES = frozenset({"error", "degraded"})

logger = logging.getLogger(__name__)


class News:
    """Logs what is published and matters to whoever runs the server."""

    def __init__(self, bus: Bus) -> None:
        self._states: dict[str, str] = {}
        self.close: Callable[[], None] = bus.subscribe(self._published)  #: ends it

    def _published(self, events: Sequence[Event]) -> None:
        for event in events:
            record = event.record
            if isinstance(record, EngineStatus):
                if self._states.get(record.id) != record.state:
                    self._engine(record)
            elif isinstance(record, AuditEntry) and record.outcome != "started":
                _command(record)

    def _engine(self, status: EngineStatus) -> None:
        before, self._states[status.id] = self._states.get(status.id), status.state
        level = logging.WARNING if status.state in _BAD_STATES else logging.INFO
        facts = {"engine": status.id, "state": status.state, "before": before, "engine_pid": status.pid}
        if status.reason:
            facts["reason"] = status.reason
        logger.log(level, "engine %s is %s", status.id, status.state, extra=facts)


def _command(entry: AuditEntry) -> None:
    if entry.outcome == "done":
        level = logging.DEBUG if entry.command.startswith(_MANY) else logging.INFO
    else:
        level = logging.WARNING
    if not logger.isEnabledFor(level):
        return
    facts = {
        "command": entry.command,
        "outcome": entry.outcome,
        "actor": entry.actor,
        "via": entry.via,
        "role": entry.role,
        "command_id": entry.command_id,
        "audit_seq": entry.seq,
    }
    if entry.detail:
        facts["detail"] = entry.detail
    logger.log(level, "%s by %s: %s", entry.command, entry.actor, entry.outcome, extra=facts)
