"""Doing what concerns the order authority: taking it, releasing it, telling of hand-overs. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from data.access import OrderAuthority
from data.commands import ReleaseAuthority, TakeAuthority
from nautilus_tui.terminal.authority_words import handed_over, what_taking_means
from nautilus_tui.terminal.messages import CommandAnswered
from nautilus_tui.terminal.statements import AuthorityLine
from nautilus_tui.terminal.ticket import mint_command_id

if TYPE_CHECKING:
    from nautilus_tui.terminal.app import Terminal

Handler = Callable[[], None]


class AuthorityDesk:
    """Takes and gives back."""

    def __init__(self, app: Terminal) -> None:
        self._app = app
        self._told: OrderAuthority | None = None  #: the latest that was said, or that one began with

    def handlers(self) -> dict[str, Handler]:
        """Return the method of each action."""
        return {
            "authority.take": lambda: self.say(AuthorityLine("take")),
            "authority.release": lambda: self.say(AuthorityLine("release")),
        }

    def say(self, line: AuthorityLine) -> None:
        """Do what an ``authority`` line says; taking asks first."""
        reason = line.reason or None
        if line.verb == "release":
            self._app.inquiry.execute(ReleaseAuthority(reason=reason), mint_command_id())
            return
        self._app.confirm(
            "Take the order authority",
            lambda: what_taking_means(self._app.mirror, self._app.view),
            "take it",
            TakeAuthority(reason=reason),
        )

    def heard(self) -> None:
        """Say a hand-over once: whoever holds it now, nobody is to learn it by being refused."""
        now, told = self._app.mirror.authority, self._told
        self._told = now
        if now is None or told is None or (now.holder, now.ts) == (told.holder, told.ts):
            return
        if now.by is None and told.holder is None:  # nobody ever had it: only the daemon began anew
            return
        actor = self._app.view.actor
        mine = actor is not None and actor in (now.holder, now.by)
        self._app.tell(handed_over(now, actor), "information" if mine else "warning")

    def answered(self, message: CommandAnswered) -> bool:
        """Take the answer to a hand-over of one's own, which the stream has told; false for any other.

        What was sent by others before and is not answered yet is said: it may still be accepted.
        """
        outcome = message.outcome
        if not isinstance(message.command, TakeAuthority | ReleaseAuthority) or outcome is None:
            return False
        if outcome.problem is not None:
            return False
        if "unanswered" in outcome.data:
            self._app.tell(outcome.detail or outcome.data["unanswered"], "warning")
        return True
