"""How commands about risk are carried out, once they are through the door: each by the part that knows how.

This module must not know who sent a command, through what, or what carrying it out takes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from data.command import Command
from data.commands import Outcome
from data.problems import UnavailableError
from data.risk_commands import RiskCommand
from nautilus_tui.daemon.principal import Principal

#: Carries out a command of the kinds it is for: (command, outcome if done, who sent it, seconds it may take).
#: Returns the outcome once it is confirmed; raises ProblemError.
type Carrier = Callable[[Any, Outcome, Principal, float], Awaitable[Outcome]]


class RiskExecutors:
    """Hands commands about risk to the parts that carry them out."""

    def __init__(self) -> None:
        self._carriers: dict[type[Command], Carrier] = {}

    def on(self, carrier: Carrier, *kinds: type[Command]) -> None:
        """Have commands of these kinds carried out by ``carrier``."""
        for kind in kinds:
            self._carriers[kind] = carrier

    async def execute(
        self, command: RiskCommand, done: Outcome, principal: Principal, timeout: float
    ) -> Outcome:
        """Carry a command out and return its outcome once it is confirmed; raises ProblemError."""
        carrier = self._carriers.get(type(command))
        if carrier is None:
            raise UnavailableError(f"{command.title} is not available")
        return await carrier(command, done, principal, timeout)
