"""The ``:`` line and the ``/`` line at the bottom of the screen: typing, completion, history, errors.

What is typed is said in messages; what it means is the application's to say. It must not know the
mirror or do I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from nautilus_tui.terminal.command_line import Completion, History
from nautilus_tui.terminal.screens.line_input import LineInput
from nautilus_tui.terminal.widgets.lines import Line, Lines

Mode = Literal["command", "filter"]
Complete = Callable[[str], Sequence[Completion]]


class CommandBar(Vertical):
    """One line to type in, with a line above it for completions and errors."""

    DEFAULT_CSS = """
    CommandBar { display: none; dock: bottom; height: 2; background: $bar; }
    CommandBar Lines { height: 1; background: $bar; }
    """

    class Said(Message):
        """A command was typed and entered."""

        def __init__(self, line: str) -> None:
            super().__init__()
            self.line = line

    class Narrowed(Message):
        """The filter's text changed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """The line was closed; ``kept`` says whether a filter stays."""

        def __init__(self, mode: Mode, *, kept: bool) -> None:
            super().__init__()
            self.mode = mode
            self.kept = kept

    def __init__(self, complete: Complete, history: History, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._complete = complete
        self.history = history
        self.mode: Mode = "command"
        self._walk = -1  # which completion tab has put into the line
        self._typed = ""

    def compose(self) -> ComposeResult:
        """Lay out the remark and the field."""
        yield Lines(base="on-bar")
        yield LineInput(select_on_focus=False)

    @property
    def field(self) -> LineInput:
        """The field typed in."""
        return self.query_one(LineInput)

    def open(self, mode: Mode, text: str = "") -> None:
        """Show the line with a text in it."""
        self.mode = mode
        self.display = True
        self._walk = -1
        self.field.value = (":" if mode == "command" else "/") + text
        self.field.cursor_position = len(self.field.value)
        self.field.focus()
        self._offer()

    def put_away(self) -> None:
        """Hide the line; whoever does this sees to the focus."""
        self.display = False

    def close(self, *, kept: bool) -> None:
        """Hide the line and say so."""
        self.put_away()
        self.post_message(self.Left(self.mode, kept=kept))

    def refuse(self, message: str, at: int) -> None:
        """Say what is wrong with the line and put the cursor there."""
        self.query_one(Lines).set_lines([[(f" {message}", "error")]])
        self.field.cursor_position = min(at, len(self.field.value))

    def _remark(self, line: Line) -> None:
        self.query_one(Lines).set_lines([line])

    def _offer(self) -> None:
        if self.mode == "filter":
            self._remark([(" enter keeps the filter · esc clears it", "dim")])
            return
        found = self._complete(self.field.value)
        words = [(f" {c.word} ", "accent" if i == self._walk else "dim") for i, c in enumerate(found)]
        self._remark([(" tab ", "faint"), *words] if words else [(" enter does it · esc leaves", "dim")])

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        """Offer what can follow, or narrow the table."""
        event.stop()
        if not self.display:
            return
        sign = ":" if self.mode == "command" else "/"
        if not event.value.startswith(sign):
            self.close(kept=False)
        elif self.mode == "filter":
            self.post_message(self.Narrowed(event.value[1:]))
        elif self._walk < 0:
            self._offer()

    @on(Input.Submitted)
    def entered(self, event: Input.Submitted) -> None:
        """Say what was typed."""
        event.stop()
        if self.mode == "filter":
            self.close(kept=True)
        elif event.value.strip(": ") == "":
            self.close(kept=False)
        else:
            self.post_message(self.Said(event.value))

    def on_key(self, event: events.Key) -> None:
        """Complete with tab, walk the history with up and down, leave with escape."""
        if event.key == "escape":
            self.close(kept=False)
        elif self.mode == "filter" or event.key not in ("tab", "shift+tab", "up", "down"):
            if event.key not in ("tab", "shift+tab"):
                self._walk = -1
                return
        elif event.key in ("up", "down"):
            walk = self.history.older(self.field.value[1:]) if event.key == "up" else self.history.newer()
            self._put(":" + walk)
            self._walk = -1
            self._offer()
        else:
            self._tab(1 if event.key == "tab" else -1)
        event.stop()
        event.prevent_default()

    def _put(self, text: str) -> None:
        with self.prevent(Input.Changed):
            self.field.value = text
        self.field.cursor_position = len(text)

    def _tab(self, by: int) -> None:
        """Put the next completion into the line; the only one is taken with a space after it."""
        if self._walk < 0:
            self._typed = self.field.value
        found = self._complete(self._typed)
        if not found:
            return
        if len(found) == 1:
            self._put(found[0].line + " ")
            self._walk = -1
            self._offer()
            return
        self._walk = (self._walk + by) % len(found)
        self._put(found[self._walk].line)
        words = [(f" {c.word} ", "accent" if i == self._walk else "dim") for i, c in enumerate(found)]
        self._remark([(" tab ", "faint"), *words])
