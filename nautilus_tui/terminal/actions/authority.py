"""Actions on the order authority, each with why it cannot be done now."""

from __future__ import annotations

from typing import Final

from data.access import ROLES
from data.commands import ReleaseAuthority, TakeAuthority
from nautilus_tui.terminal.actions.action import Action
from nautilus_tui.terminal.situation import Situation


def _not_mine(situation: Situation) -> str | None:
    held, actor = situation.mirror.authority, situation.view.actor
    return "you hold it already" if held is not None and actor is not None and held.holder == actor else None


def _to_release(situation: Situation) -> str | None:
    held, view = situation.mirror.authority, situation.view
    if held is None:
        return "who holds it is not known yet"
    if held.holder is None:
        return "it is free already"
    above = view.role is None or ROLES.index(view.role) >= ROLES.index("risk")
    if held.holder != view.actor and not above:
        return f"{held.holder} holds it; take it instead"
    return None


AUTHORITY: Final = (
    Action(
        id="authority.take",
        keys=("ctrl+t", "H"),
        name="authority-take",
        command=TakeAuthority,
        check=_not_mine,
    ),
    Action(
        id="authority.release",
        keys=("L",),
        name="authority-release",
        command=ReleaseAuthority,
        check=_to_release,
    ),
)
