"""What an action is, and what keeps one from being done.

Role, danger and title of what changes something come from the command it sends. It must not know of
Textual, of which actions there are, or of how one is carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from data.access import ROLES, Role
from data.command import Command
from nautilus_tui.terminal.places import ANYWHERE
from nautilus_tui.terminal.situation import Situation

Check = Callable[[Situation], str | None]

#: The chord that sends an order or confirms a danger. ``alt+enter`` reaches us only from terminals
#: that report modifiers (elsewhere it is a plain enter, which sends nothing); ``ctrl+o`` from all.
SEND_KEYS: Final = ("ctrl+o", "alt+enter")
#: Keys that tmux, screen or flow control take for themselves.
TAKEN_KEYS: Final = frozenset({"ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q", "ctrl+z"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that can be done."""

    id: str
    keys: tuple[str, ...]
    name: str  #: what to type after ``:``
    scope: str = ANYWHERE  #: everywhere, in a workspace, or in one pane that has the focus
    command: type[Command] | None = None  #: what it sends, if it changes anything
    label: str = ""  #: its title where the command's does not say it
    hint: str = ""  #: one word for the footer; empty: not shown there
    otherwise: str = ""  #: what helps where there is no connection
    check: Check | None = None

    @property
    def title(self) -> str:
        """What it does, in words."""
        return self.label or (self.command.title if self.command is not None else self.id)

    @property
    def role(self) -> Role:
        """The least role that may do it."""
        return self.command.role if self.command is not None else "viewer"

    @property
    def dangerous(self) -> bool:
        """Whether it asks for confirmation, saying what exactly will happen."""
        return self.command is not None and self.command.dangerous

    def refused(self, situation: Situation) -> str | None:
        """Return why nothing of this kind can be done at all: the role, or no connection."""
        if self.command is None:
            return None
        lost = connected(situation)
        if lost is not None and self.otherwise:
            lost = f"{lost}; {self.otherwise}"
        return may(situation, self.role) or lost

    def disabled(self, situation: Situation) -> str | None:
        """Return why it cannot be done now, None when it can."""
        reason = self.refused(situation)
        if reason is None and self.check is not None:
            reason = self.check(situation)
        return reason


def may(situation: Situation, role: Role) -> str | None:
    """Return why a role is not enough for something."""
    have = situation.view.role
    if have is not None and ROLES.index(have) < ROLES.index(role):
        return f"needs the role {role}; you are {have}"
    return None


def connected(situation: Situation) -> str | None:
    """Return why nothing can be sent: there is no connection."""
    state = situation.mirror.connection.state
    if state == "connected":
        return None
    return "not connected yet" if state == "connecting" else "disconnected from the daemon"


def engine_runs(situation: Situation) -> str | None:
    """Return why nothing can be asked of the selected engine."""
    engine = situation.engine
    if engine is None:
        return "no engine is selected"
    if engine.state not in ("running", "degraded"):
        return f"{engine.id} is {engine.state}"
    return None
