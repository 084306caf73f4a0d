"""The registry of actions: everything the terminal can do, declared once, a module for each area.

Key bindings, palette entries, ``:`` names, the help screen and the footer's hints are all made from
:data:`ACTIONS`; role, danger and title of what changes something come from the command it sends.
Read-only roles are stripped here, in one place. This package must not know of Textual or of how an
action is carried out.
"""

from __future__ import annotations

from typing import Final

from data.access import ROLES, Role
from nautilus_tui.terminal.actions.action import SEND_KEYS, TAKEN_KEYS, Action, Check
from nautilus_tui.terminal.actions.authority import AUTHORITY
from nautilus_tui.terminal.actions.engines import ENGINES
from nautilus_tui.terminal.actions.looking import LOOKING
from nautilus_tui.terminal.actions.macro import MACRO
from nautilus_tui.terminal.actions.research import RESEARCH
from nautilus_tui.terminal.actions.risk import RISK
from nautilus_tui.terminal.actions.shell import SHELL
from nautilus_tui.terminal.actions.trading import TRADING
from nautilus_tui.terminal.situation import Situation

__all__ = [
    "ACTIONS",
    "BY_ID",
    "BY_NAME",
    "SEND_KEYS",
    "TAKEN_KEYS",
    "Action",
    "Check",
    "actions_for",
    "here",
    "hints",
]

ACTIONS: Final[tuple[Action, ...]] = (
    *TRADING,
    *LOOKING,
    *MACRO,
    *RESEARCH,
    *RISK,
    *AUTHORITY,
    *ENGINES,
    *SHELL,
)

BY_ID: Final[dict[str, Action]] = {action.id: action for action in ACTIONS}
BY_NAME: Final[dict[str, Action]] = {action.name: action for action in ACTIONS}


def actions_for(role: Role | None) -> tuple[Action, ...]:
    """Return what a role may do at all: the one place where read-only strips what changes things.

    An unknown role (not connected yet) keeps everything; each action then says why it cannot be done.
    """
    if role is None:
        return ACTIONS
    return tuple(a for a in ACTIONS if ROLES.index(role) >= ROLES.index(a.role))


def here(situation: Situation) -> list[Action]:
    """Return the actions that apply here, those of the focused pane first."""
    order: dict[str | None, int] = {situation.pane: 0, situation.workspace: 1}
    found = [a for a in actions_for(situation.view.role) if situation.applies(a.scope)]
    return sorted(found, key=lambda a: order.get(a.scope, 2))


def hints(situation: Situation) -> list[Action]:
    """Return the actions for the footer: those with a hint that work now, the pane's own first."""
    found = [a for a in here(situation) if a.hint and a.disabled(situation) is None]
    if not situation.typing:
        return found
    return [a for a in found if any(len(key) > 1 for key in a.keys)]
