"""Doing what concerns the kill switch: its dialogue, its command, its release. It must not do I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from data.commands import AnyCommand
from data.risk_commands import Kill, Unlock
from nautilus_tui.terminal.actions import BY_ID, SEND_KEYS
from nautilus_tui.terminal.kill_words import KillChoice
from nautilus_tui.terminal.messages import CommandAnswered
from nautilus_tui.terminal.screens.kill import KillSwitch
from nautilus_tui.terminal.screens.unlock import Unlock as Release
from nautilus_tui.terminal.ticket import mint_command_id

if TYPE_CHECKING:
    from nautilus_tui.terminal.app import Terminal

Handler = Callable[[], None]


class KillDesk:
    """The hand on the switch."""

    def __init__(self, app: Terminal) -> None:
        self._app = app

    def handlers(self) -> dict[str, Handler]:
        """Return the method of each action."""
        return {"risk.kill": self.open, "risk.unlock": self.unlock}

    def open(self, choice: KillChoice | None = None) -> None:
        """Open the kill switch's dialogue, or show how far it has come."""
        app = self._app
        chords = app.keymap.keys["ticket.send"] or SEND_KEYS
        app.push_screen(KillSwitch(choice or KillChoice(), app.mirror, chords, self._pull, self._refused))

    def _refused(self) -> str | None:
        return BY_ID["risk.kill"].refused(self._app.situation())

    def _pull(self, choice: KillChoice) -> None:
        self._send(
            Kill(
                engine=choice.engine,
                flatten=choice.flatten,
                drill=choice.drill,
                reason=choice.reason or None,
            )
        )

    def unlock(self) -> None:
        """Ask for the phrase, then release the kill switch."""

        def typed(phrase: str | None) -> None:
            if phrase is not None:
                self._send(Unlock(phrase=phrase))

        self._app.push_screen(Release(self._app.mirror.risk.kill), typed)

    def answered(self, message: CommandAnswered) -> bool:
        """Give an answer to the dialogue that waits for it; false when none does."""
        if not isinstance(message.command, Kill) or not isinstance(self._app.screen, KillSwitch):
            return False
        problem = message.problem or (message.outcome.problem if message.outcome is not None else None)
        self._app.screen.answered(problem)
        return True

    def _send(self, command: AnyCommand) -> None:
        self._app.inquiry.execute(command, mint_command_id())
