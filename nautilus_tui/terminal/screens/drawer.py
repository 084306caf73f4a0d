"""The drawer of alerts and breaches, over whatever is looked at: what is open, since when, who has seen it.

It acknowledges and goes to what a row is about; it must not do I/O or know what acknowledging means.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Literal

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from nautilus_tui.terminal.alarm_rows import COLUMNS, Alarm, alarms, count_open
from nautilus_tui.terminal.mirror import Mirror
from nautilus_tui.terminal.screens.ticket_form import keys_line
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.widgets.lines import Lines
from nautilus_tui.terminal.widgets.table import LiveTable

Deed = Literal["acknowledge", "mitigate", "approve", "reject"]
_TICK_S = 0.25
_DETAIL, _LEAST = 4, 14
_EMPTY = "No alert is open and no limit is breached."
_DEEDS: dict[str, Deed] = {"a": "acknowledge", "m": "mitigate", "y": "approve", "x": "reject"}


class AlarmTable(LiveTable):
    """The rows."""

    TITLE = "Alerts"


class Drawer(ModalScreen[Alarm | None]):
    """Answers the row that is gone to, None when it was left."""

    DEFAULT_CSS = """
    Drawer { align: center bottom; }
    Drawer > Vertical {
        width: 100%; height: 14; background: $background; border-top: heavy $accent;
    }
    Drawer #alarms { height: 1fr; }
    """

    def __init__(
        self,
        mirror: Mirror,
        clock: Callable[[], int],
        act: Callable[[events.Key, Deed | None, Alarm | None], None],
        refused: Callable[[Deed, Alarm], str | None],
    ) -> None:
        """``act`` hears of every key and does its deed, if it has one, unless it was pasted.

        ``refused`` says why a deed cannot be done.
        """
        super().__init__()
        self._mirror = mirror
        self._clock = clock
        self._act = act
        self._refused = refused
        self._alarms: dict[str, Alarm] = {}

    @property
    def table(self) -> AlarmTable:
        """The table."""
        return self.query_one(AlarmTable)

    @property
    def chosen(self) -> Alarm | None:
        """The row under the cursor."""
        return self._alarms.get(self.table.cursor_key or "")

    def compose(self) -> ComposeResult:
        """Lay out the table, the words of the chosen row, and the keys."""
        with Vertical():
            yield AlarmTable(COLUMNS, id="alarms", empty=_EMPTY)
            yield Lines(id="alarm_detail")
            yield Lines(id="alarm_keys", base="on-bar")

    def on_mount(self) -> None:
        """Show it, and keep it true."""
        self.query_one("#alarm_detail", Lines).styles.height = _DETAIL
        self.query_one("#alarm_keys", Lines).styles.height = 1
        self.table.focus()
        self.show()
        self.set_interval(_TICK_S, self.show)

    def show(self) -> None:
        """Write what there is now."""
        glyphs = glyphs_of(self.app)
        found = alarms(self._mirror, self._clock(), glyphs)
        self._alarms = {alarm.key: alarm for alarm in found}
        table = self.table
        table.set_rows([alarm.row for alarm in found])
        if table.cursor_key is None and found:
            table.move_to(found[0].key, announce=False)
        breaches = len(self._mirror.risk.open_breaches())
        table.subtitle = f"{count_open(self._mirror)} open {glyphs.dot} {breaches} breached"
        # As high as its rows, but never over what is looked at.
        rows = len(found) + _DETAIL + 4
        self.query_one(Vertical).styles.height = max(_LEAST, min(rows, round(self.size.height * 0.6)))
        self._tell()

    @on(LiveTable.RowHighlighted)
    def highlighted(self, event: LiveTable.RowHighlighted) -> None:
        """Say all of the row under the cursor."""
        event.stop()
        self._tell()

    @on(LiveTable.RowSelected)
    def selected(self, event: LiveTable.RowSelected) -> None:
        """Go to what the row is about."""
        event.stop()
        self.dismiss(self._alarms.get(event.key))

    def _tell(self) -> None:
        alarm = self.chosen
        width = max(20, self.size.width - 3)
        lines = textwrap.wrap("" if alarm is None else alarm.detail, width)[: _DETAIL - 1]
        self.query_one("#alarm_detail", Lines).set_lines([[], *([(f" {line}", "")] for line in lines)])
        words = {"a": "acknowledge", "m": "mitigating", "y": "approve", "x": "reject"}
        keys = [
            (key, words[key])
            for key, deed in _DEEDS.items()
            if alarm is not None and self._refused(deed, alarm) is None
        ]
        go = [("enter", "go there")] if alarm is not None and alarm.kind != "problem" else []
        self.query_one("#alarm_keys", Lines).set_lines([keys_line([*keys, *go, ("esc", "close")])])

    def on_key(self, event: events.Key) -> None:
        """Do a deed by its letter, leave by escape; the table moves its own cursor."""
        deed = _DEEDS.get(event.key)
        if event.key in ("escape", "exclamation_mark", "A"):
            event.stop()
            self.dismiss(None)
        else:
            self._act(event, deed, self.chosen)
