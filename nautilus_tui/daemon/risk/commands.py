"""How commands about risk are carried out, once they are through the door.

This module must not know who sent a command or through what.
"""

from __future__ import annotations

from data.commands import (
    AcknowledgeAlert,
    AcknowledgeBreach,
    DecideLimitChange,
    DeleteLimit,
    Kill,
    MakeReport,
    Outcome,
    RestrictEngine,
    SetLimit,
    SetMonitor,
    Unlock,
)
from data.problems import UnavailableError
from nautilus_tui.daemon.principal import Principal

RiskCommand = (
    SetLimit
    | DeleteLimit
    | DecideLimitChange
    | RestrictEngine
    | AcknowledgeBreach
    | AcknowledgeAlert
    | SetMonitor
    | Kill
    | Unlock
    | MakeReport
)


class RiskExecutors:
    """Carries out commands about risk with the parts that know how."""

    async def execute(
        self, command: RiskCommand, done: Outcome, principal: Principal, timeout: float
    ) -> Outcome:
        """Carry a command out and return its outcome once it is confirmed; raises ProblemError."""
        raise UnavailableError(f"{command.title} is not available")
