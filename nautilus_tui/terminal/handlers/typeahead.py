"""Keys in the order they were typed: each one meets the screen that the one before it left.

A key travels from the focused widget up to the application, and only there opens a line or moves
the focus. Over a slow line many keys come in one piece, and those behind a ``:`` would be taken by
the pane that had the focus before it. So the next key is handed out when all that came of the one
before it is done. It must not know what keys mean.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from textual import events
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

if TYPE_CHECKING:
    from nautilus_tui.terminal.app import Terminal

Typed = events.Key | events.Paste
#: A key is followed up the tree this often: behind it, behind what it said, behind what that said.
_ROUNDS = 3
#: What follows a key is lost where its widget is taken down; that is looked after this often.
_LOOK_S = 0.05
#: Looks until a key counts as done, whatever became of what followed it.
_LOOKS = 40


class Passed(Message):
    """Follows a key from widget to widget; where it arrives, the key was before."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class TypeAhead:
    """Keeps keys back while one is on its way."""

    def __init__(self, app: Terminal, deliver: Callable[[Typed], Awaitable[None]]) -> None:
        self._app = app
        self._deliver = deliver
        self._waiting: deque[Typed] = deque()
        self._number = 0  #: of the key handed out last
        self._on_its_way = False
        self._rounds = 0
        self._followed: Widget | None = None
        self._screen: Widget | None = None  #: what it was typed at
        self._look: Timer | None = None
        self._looks = 0

    async def take(self, event: Typed) -> None:
        """Hand a key out, or keep it until those before it are done."""
        if self._on_its_way:
            self._waiting.append(event)
            if self._look is None:
                self._look = self._app.set_interval(_LOOK_S, self._look_after)
        else:
            await self._send(event)

    async def passed(self, number: int) -> None:
        """What followed a key has arrived: follow it again, or hand out the next."""
        if not self._on_its_way or number != self._number or not self._app.screen_stack:
            return
        self._rounds -= 1
        if self._rounds > 0:
            self._app.call_later(self._follow)
        elif self._app.screen is not self._screen:
            # A screen that was just opened takes its focus when it is first drawn.
            self._followed = self._app.screen
            self._app.screen.call_after_refresh(self._done, number)
        else:
            self._app.call_later(self._done, number)

    async def _send(self, event: Typed) -> None:
        self._on_its_way = True
        self._number += 1
        self._rounds, self._looks, self._screen = _ROUNDS, 0, self._app.screen
        await self._deliver(event)
        self._follow()

    def _follow(self) -> None:
        if self._app.screen_stack:
            self._followed = self._app.focused or self._app.screen
            self._followed.post_message(Passed(self._number))

    async def _done(self, number: int) -> None:
        if number != self._number:
            return
        self._on_its_way = False
        if self._waiting and self._app.screen_stack:
            await self._send(self._waiting.popleft())
        elif self._look is not None:
            self._look.stop()
            self._look = None

    async def _look_after(self) -> None:
        self._looks += 1
        lost = self._followed is None or not self._followed.is_attached
        if lost or self._looks >= _LOOKS:
            await self._done(self._number)
