"""From a key press to an action, and not from pasted text.

A printable key that would send something waits a moment for the keyboard to be quiet: where a
terminal does not bracket pastes, a paste is a burst of keys. It must not do I/O.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import events
from textual.screen import ModalScreen, Screen

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
            self._withheld(event.key, character)
            return
        event.stop()
        event.prevent_default()
        if action.command is None or not event.is_printable:
            app.perform(action.id)
        else:
            self._when_quiet(event, burst, action.title, app.screen, partial(app.perform, action.id))

    def _withheld(self, key: str, character: str | None) -> None:
        """Say why a key does nothing that means something for other roles."""
        situation = self._app.situation()
        action = self._app.keymap.withheld(situation, key, character)
        reason = None if action is None else action.refused(situation)
        if action is not None and reason is not None:
            self._app.tell(f"{action.title}: {reason}; this terminal is read-only", "warning")

    def came(self, event: events.Key) -> None:
        """Take note of a key that has come and waits for its turn: it may be one of a paste."""
        self._bursts.note(event.key, event.time)

    def note(self, event: events.Key) -> None:
        """Take note of a key that a dialogue took, so that a paste among its keys is told."""
        self._bursts.note(event.key, event.time)

    def deliberately(self, event: events.Key, title: str, do: Callable[[], None]) -> None:
        """Do what a printable key means in a dialogue, unless it came in one piece with others."""
        burst = self._bursts.note(event.key, event.time)
        self._when_quiet(event, burst, title, self._app.screen, do)

    def _when_quiet(
        self, event: events.Key, burst: bool, title: str, screen: Screen[Any], do: Callable[[], None]
    ) -> None:
        def later() -> None:
            if self._bursts.followed(event.time):
                self._refuse(title)
            elif self._app.screen is screen:
                do()

        if burst:
            self._refuse(title)
        else:
            # Behind all that has come by then: if the loop was held up, a paste's other keys are among it.
            self._app.set_timer(QUIET_S, lambda: self._app.call_later(later) and None)

    def _refuse(self, title: str) -> None:
        self._app.tell(f"{title}: ignored, it came in one piece with other keys, as pastes do", "warning")
