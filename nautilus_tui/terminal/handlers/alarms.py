"""Doing what concerns breaches, alerts and changes that wait: where they stand, or in the drawer. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual import events

from data.commands import AnyCommand
from data.risk_commands import AcknowledgeAlert, AcknowledgeBreach, DecideLimitChange
from nautilus_tui.terminal.actions.action import connected, may
from nautilus_tui.terminal.alarm_rows import Alarm
from nautilus_tui.terminal.questions.risk import LimitChanges
from nautilus_tui.terminal.risk_lines import AckLine
from nautilus_tui.terminal.screens.drawer import Deed, Drawer
from nautilus_tui.terminal.ticket import mint_command_id
from nautilus_tui.terminal.widgets.table import LiveTable

if TYPE_CHECKING:
    from nautilus_tui.terminal.app import Terminal

Handler = Callable[[], None]


class AlarmDesk:
    """Sees to what wants attention."""

    def __init__(self, app: Terminal) -> None:
        self._app = app

    def handlers(self) -> dict[str, Handler]:
        """Return the method of each action."""
        return {
            "risk.alerts": self.drawer,
            "breach.ack": lambda: self.about_breach(mitigating=False),
            "breach.mitigate": lambda: self.about_breach(mitigating=True),
        }

    def about_breach(self, *, mitigating: bool) -> None:
        breach = self._app.situation().breach
        if breach is not None:
            self._send(AcknowledgeBreach(breach_id=breach.id, mitigating=mitigating))

    def drawer(self) -> None:
        """Open the drawer of alerts and breaches."""
        app = self._app
        app.reception.wonder([LimitChanges()])

        def left(alarm: Alarm | None) -> None:
            if alarm is not None:
                self._go(alarm)

        app.push_screen(Drawer(app.mirror, app.now_ns, self._act, self._act_refused), left)

    def _go(self, alarm: Alarm) -> None:
        """Go to what a row of the drawer is about."""
        risk = self._app.mirror.risk
        subject = alarm.alert.subject if alarm.alert is not None else None
        if alarm.breach is not None or subject in risk.breaches:
            self._app.view.risk.look_at_breach(alarm.breach.id if alarm.breach else subject or "")
            self._show("breaches")
        elif alarm.change is not None or subject in risk.limits:
            self._app.view.risk.steered = True
            self._app.view.risk.look_at_limit(alarm.change.limit_id if alarm.change else subject or "")
            self._show("limits")
        elif subject in self._app.mirror.engines:
            self._app.looking.select_engine(subject or "")
            self._app.looking.workspace("engines")

    def _show(self, pane: str) -> None:
        """Go to a table of the workspace with its cursor on what is looked at."""
        risk = self._app.view.risk
        self._app.looking.workspace("risk")
        self._app.looking.focus(pane)
        key = risk.limit if pane == "limits" else risk.breach
        for table in self._app.screen_stack[0].query(f"#{pane}").results(LiveTable):
            table.move_to(key or "", announce=False)
        self._app.selection_changed()

    def _act_refused(self, deed: Deed, alarm: Alarm) -> str | None:
        """Return why a deed cannot be done about a row of the drawer."""
        situation = self._app.situation()
        lost = connected(situation)
        if lost is not None:
            return lost
        if deed in ("approve", "reject"):
            return may(situation, DecideLimitChange.role) if alarm.change is not None else "it is no change"
        if alarm.breach is not None:
            done = ("mitigating",) if deed == "mitigate" else ("acknowledged", "mitigating")
            seen = alarm.breach.status in done
            return "it was acknowledged" if seen else may(situation, AcknowledgeBreach.role)
        if deed == "acknowledge" and alarm.alert is not None and alarm.open:
            return may(situation, AcknowledgeAlert.role)
        return "nothing to acknowledge"

    def _act(self, key: events.Key, deed: Deed | None, alarm: Alarm | None) -> None:
        """Do a deed about a row of the drawer, unless its key was pasted."""
        if deed is None or alarm is None:
            self._app.keyboard.note(key)
        else:
            self._app.keyboard.deliberately(key, deed, partial(self._do, deed, alarm))

    def _do(self, deed: Deed, alarm: Alarm) -> None:
        reason = self._act_refused(deed, alarm)
        if reason is not None:
            self._app.tell(f"{deed}: {reason}", "warning")
        elif alarm.change is not None:
            self._send(DecideLimitChange(change_id=alarm.change.id, approve=deed == "approve"))
        elif alarm.breach is not None:
            self._send(AcknowledgeBreach(breach_id=alarm.breach.id, mitigating=deed == "mitigate"))
        elif alarm.alert is not None:
            self._send(AcknowledgeAlert(alert_id=alarm.alert.id))

    def acknowledge(self, line: AckLine) -> None:
        """Acknowledge the breach or alert that a line names."""
        if line.id in self._app.mirror.risk.alerts:
            self._send(AcknowledgeAlert(alert_id=line.id))
        else:
            note = line.note or None
            self._send(AcknowledgeBreach(breach_id=line.id, note=note, mitigating=line.mitigating))

    def _send(self, command: AnyCommand) -> None:
        self._app.inquiry.execute(command, mint_command_id())
