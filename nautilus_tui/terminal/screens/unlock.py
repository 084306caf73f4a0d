"""The dialogue that releases the kill switch: its phrase is typed, letter by letter.

Nothing pasted counts. It must not do I/O.
"""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input

from data.kill import UNLOCK_PHRASE, KillStatus
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.screens.line_input import LineInput
from nautilus_tui.terminal.screens.ticket_form import keys_line
from nautilus_tui.terminal.widgets.lines import Line, Lines


class PhraseInput(LineInput):
    """A field that takes keys and nothing else."""

    class Pasted(Message):
        """Something was pasted, and not taken."""

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.post_message(self.Pasted())


class Unlock(ModalScreen[str | None]):
    """Answers the phrase once it is typed, None when it was left."""

    DEFAULT_CSS = """
    Unlock { align: center middle; }
    Unlock > Vertical {
        width: 72; max-width: 96%; height: auto; border: heavy $error; border-title-color: $error;
        background: $background; padding: 0 1;
    }
    """

    def __init__(self, status: KillStatus | None) -> None:
        super().__init__()
        self._status = status

    def compose(self) -> ComposeResult:
        """Lay out what is released and the field."""
        with Vertical() as box:
            box.border_title = "RELEASE THE KILL SWITCH"
            yield Lines(id="unlock_said")
            yield PhraseInput(placeholder=UNLOCK_PHRASE, select_on_focus=False)
            yield Lines(id="unlock_keys")

    def on_mount(self) -> None:
        """Say what releasing means."""
        said = self._said()
        lines = self.query_one("#unlock_said", Lines)
        lines.styles.height = len(said)
        lines.set_lines(said)
        keys = self.query_one("#unlock_keys", Lines)
        keys.styles.height = 2
        self._hint("")
        self.query_one(PhraseInput).focus()

    def _said(self) -> list[Line]:
        order = None if self._status is None else self._status.order
        lines: list[Line] = [[]]
        if order is not None:
            what = order.engine or "Every engine"
            lines.append([(f" {what} was killed by {order.by} at {figures.clock(order.ts)}Z.", "bright")])
        if self._status is not None and not self._status.verified:
            lines.append(
                [(" It was NOT verified that nothing works any more. Look at the venue first.", "error")]
            )
        lines += [
            [(" Orders pass again within the limits.", "")],
            [(" Engines that were stopped stay so until somebody starts them.", "")],
            [],
            [(" Type ", "label"), (UNLOCK_PHRASE, "bright bold"), (" and press enter:", "label")],
        ]
        return lines

    def _hint(self, wrong: str) -> None:
        left = [(wrong, "error")] if wrong else []
        keys = keys_line([("enter", "release"), ("esc", "leave it latched")])
        self.query_one("#unlock_keys", Lines).set_lines([[(" ", ""), *left], keys])

    @on(Input.Submitted)
    def entered(self, event: Input.Submitted) -> None:
        """Release when the phrase stands there, letter for letter."""
        event.stop()
        if event.value == UNLOCK_PHRASE:
            self.dismiss(event.value)
        else:
            self._hint("that is not the phrase")

    @on(PhraseInput.Pasted)
    def pasted(self) -> None:
        """Say that nothing pasted counts."""
        self._hint("it is typed, not pasted")

    def on_key(self, event: events.Key) -> None:
        """Leave by escape."""
        if event.key == "escape":
            event.stop()
            self.dismiss(None)
