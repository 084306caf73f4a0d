"""From a key press to an action, and not from pasted text.

A printable key that would send something waits a moment for the keyboard to be quiet: where a
terminal does not bracket pastes, a paste is a burst of keys. It must not do I/O.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import events
from textual.screen import ModalScreen

from nautilus_tui.terminal.actions import Action
from nautilus_tui.terminal.burst import QUIET_S, Bursts

if TYPE_CHECKING:
    from nautilus_tui.terminal.app import Terminal


class Keyboard:
    """Finds and does what keys mean."""

    def __init__(self, app: Terminal) -> None:
        self._app = app
        self._bursts = Bursts()

    def press(self, event: events.Key) -> None:
        """Do what a key means where the focus is."""
        app = self._app
        if isinstance(app.screen, ModalScreen):
            return
        burst = self._bursts.note(event.key, event.time)
        character = event.character if event.is_printable else None
        action = app.keymap.find(app.situation(), event.key, character)
        if action is None:
            return
        event.stop()
        event.prevent_default()
        if action.command is None or not event.is_printable:
            app.perform(action.id)
        elif burst:
            self._refuse(action)
        else:
            app.set_timer(QUIET_S, partial(self._perform_if_quiet, action, event.time))

    def _perform_if_quiet(self, action: Action, at: float) -> None:
        if self._bursts.followed(at):
            self._refuse(action)
        elif not isinstance(self._app.screen, ModalScreen):
            self._app.perform(action.id)

    def _refuse(self, action: Action) -> None:
        self._app.tell(
            f"{action.title}: ignored, it came in one piece with other keys, as pastes do", "warning"
        )
