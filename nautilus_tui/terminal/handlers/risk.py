"""Doing what concerns risk: limits, what is looked at, restrictions, the monitor, reports. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast, get_args

from data.commands import AnyCommand
from data.limits import GATED, AutoAdjust, LimitStatus, Restriction
from data.reports import TYPES
from data.risk_commands import (
    DecideLimitChange,
    DeleteLimit,
    MakeReport,
    RestrictEngine,
    SetLimit,
    SetMonitor,
)
from nautilus_tui.terminal.kill_words import KillChoice
from nautilus_tui.terminal.limit_words import amount, edit_line, limit_words, percent
from nautilus_tui.terminal.messages import CommandAnswered
from nautilus_tui.terminal.places import PANES
from nautilus_tui.terminal.risk_lines import (
    REPORT_FORMATS,
    AckLine,
    KillLine,
    LimitLine,
    LimitSetLine,
    MonitorLine,
    ReportLine,
    RestrictLine,
    RiskLine,
    StressLine,
    UnlockLine,
)
from nautilus_tui.terminal.risk_view import CONFIDENCES, EXPOSURE_GROUPS, HORIZONS
from nautilus_tui.terminal.screens.picker import Entry, Picker
from nautilus_tui.terminal.ticket import mint_command_id
from nautilus_tui.terminal.widgets.lines import Line

if TYPE_CHECKING:
    from nautilus_tui.terminal.app import Terminal

Handler = Callable[[], None]
RowHandler = Callable[[str], None]

RESTRICTION_WORDS: dict[Restriction, str] = {
    "none": "everything within the limits passes",
    "reduce_only": "only what reduces a position passes",
    "halted": "nothing passes but cancels",
}
#: After these, what is known of limits is asked for again.
_CHANGES_LIMITS = (SetLimit, DeleteLimit, DecideLimitChange)


class RiskDesk:
    """The hands of whoever watches over risk."""

    def __init__(self, app: Terminal) -> None:
        self._app = app

    def handlers(self) -> dict[str, Handler]:
        """Return the method of each action."""
        return {
            "limit.new": lambda: self._app.looking.command("limit set "),
            "limit.edit": self.edit_limit,
            "limit.delete": self.delete_limit,
            "limit.check": self.check_limit,
            "engine.restrict": self.restrict,
            "engine.restrict_here": self.restrict,
            "risk.report": self.report,
            "risk.monitor": self.monitor,
            "risk.refresh": self.refresh,
            "risk.confidence": self.turn_confidence,
            "risk.horizon": self.turn_horizon,
            "stress.own": lambda: self._app.looking.command("stress "),
            "stress.none": lambda: self._say_stress(StressLine()),
            "exposures.group": self.turn_group,
        }

    def highlighted(self) -> dict[str, RowHandler]:
        """Return what the cursor of each table selects."""
        return {"limits": self.look_at_limit, "breaches": self.look_at_breach}

    def selected(self) -> dict[str, RowHandler]:
        """Return what enter does in each table."""
        return {"limits": self._open_limit, "breaches": self._open_breach}

    # ------------------------------------------------------------ looking

    def look_at_limit(self, limit_id: str) -> None:
        """Look at a limit."""
        if self._app.view.risk.look_at_limit(limit_id):
            self._app.selection_changed()

    def look_at_breach(self, breach_id: str) -> None:
        """Look at a breach."""
        if self._app.view.risk.look_at_breach(breach_id):
            self._app.selection_changed()

    def _open_limit(self, limit_id: str) -> None:
        self._app.view.risk.steered = True
        self.look_at_limit(limit_id)
        self._app.looking.focus("limit_detail")

    def _open_breach(self, breach_id: str) -> None:
        self.look_at_breach(breach_id)
        self._app.looking.focus("limit_detail")

    def arrived_at(self, pane: str) -> None:
        """Remember which pane is in front where there is room for one beside the limits."""
        risk = self._app.view.risk
        if PANES.get(pane) == "risk" and pane != "limits" and pane != risk.front:
            risk.front = pane
            self._app.changed()

    def turn_confidence(self) -> None:
        """Measure at the next confidence."""
        risk = self._app.view.risk
        risk.confidence = CONFIDENCES[(CONFIDENCES.index(risk.confidence) + 1) % len(CONFIDENCES)]
        self._app.selection_changed()

    def turn_horizon(self) -> None:
        """Measure over the next horizon."""
        risk = self._app.view.risk
        risk.horizon = HORIZONS[(HORIZONS.index(risk.horizon) + 1) % len(HORIZONS)]
        self._app.selection_changed()

    def turn_group(self) -> None:
        """Put exposures together in the next way."""
        risk = self._app.view.risk
        risk.group = EXPOSURE_GROUPS[(EXPOSURE_GROUPS.index(risk.group) + 1) % len(EXPOSURE_GROUPS)]
        self._app.changed()

    def refresh(self) -> None:
        """Ask for every figure again."""
        self._app.mirror.facts.ask_again("risk")
        self._app.selection_changed()

    # ------------------------------------------------------------ limits

    def edit_limit(self) -> None:
        """Put the line that would set the limit as it is on the command line, to be changed."""
        status = self._app.situation().limit
        self._app.view.risk.steered = True
        if status is not None:
            self._app.looking.command(edit_line(status.limit))

    def check_limit(self) -> None:
        """Have the limit checked anew; the answer stands in its detail."""
        status = self._app.situation().limit
        if status is None:
            return
        risk = self._app.view.risk
        risk.steered = True
        risk.checked = status.limit.id
        risk.subject = "limit"
        self._app.looking.reveal("limit_detail")
        risk.front = "limit_detail"
        self._app.mirror.facts.ask_again("risk")
        self._app.selection_changed()

    def delete_limit(self, limit_id: str | None = None) -> None:
        """Delete a limit, after saying what it holds back now."""
        found = self._app.situation().limit
        self._app.view.risk.steered = True
        status = found if limit_id is None else self._app.mirror.risk.limits.get(limit_id)
        name = limit_id or ("" if status is None else status.limit.id)
        if not name:
            return
        words = name if status is None else limit_words(status.limit)

        def describe() -> Sequence[Line]:
            return deleted(self._app.mirror.risk.limits.get(name), name)

        self._app.confirm(f"Delete limit · {words}", describe, "delete it", DeleteLimit(limit_id=name))

    def _set(self, line: LimitSetLine) -> None:
        known = next(
            (
                s.limit.auto_adjust
                for s in self._app.mirror.risk.limits.values()
                if (s.limit.limit_type, s.limit.scope) == (line.limit_type, line.scope)
                and line.unit in (None, s.limit.unit)
            ),
            None,
        )
        auto = known
        if line.target_vol is not None:
            floor = line.floor if line.floor is not None else None if known is None else known.floor
            auto = (
                AutoAdjust(target_vol=line.target_vol)
                if floor is None
                else AutoAdjust(target_vol=line.target_vol, floor=floor)
            )
        elif line.floor is not None:
            if known is None:
                self._app.tell("a floor belongs to auto: limit set … auto 15% floor 25%", "warning")
                return
            auto = AutoAdjust(target_vol=known.target_vol, floor=line.floor)
        command = SetLimit(
            limit_type=line.limit_type,
            scope=line.scope,
            hard=line.hard,
            unit=line.unit,
            warn=line.warn,
            window_s=line.window_s,
            confidence=line.confidence,
            horizon_days=line.horizon_days,
            method=line.method,
            auto_adjust=None if line.fixed else auto,
            remove_auto_adjust=line.fixed,
            enabled=line.enabled,
        )
        self._send(command)

    # ------------------------------------------------------------ engines, monitor, reports

    def restrict(self) -> None:
        """Pick an engine where there are several, then what its gate passes."""
        engines = sorted(self._app.mirror.engines)
        here = self._app.view.engine
        if self._app.workspace == "engines" and here is not None:
            engines = [here]
        if len(engines) == 1:
            self._pick_restriction(engines[0])
            return

        def picked(engine: str | None) -> None:
            if engine is not None:
                self._pick_restriction(engine)

        entries = [Entry(name, name, self._app.mirror.engines[name].restriction) for name in engines]
        self._app.push_screen(Picker("Restrict which engine", entries, current=here), picked)

    def _pick_restriction(self, engine: str) -> None:
        current = self._app.mirror.engines[engine].restriction
        entries = [
            Entry(
                name,
                name.replace("_", " "),
                "as it is" if name == current else "",
                detail=RESTRICTION_WORDS[name],
            )
            for name in get_args(Restriction)
        ]

        def picked(restriction: str | None) -> None:
            if restriction is not None and restriction != current:
                self._send(RestrictEngine(engine=engine, restriction=cast("Restriction", restriction)))

        self._app.push_screen(Picker(f"Restrict {engine}", entries, current=current), picked)

    def monitor(self, running: bool | None = None) -> None:
        """Start or stop the monitor, after saying what goes on without it."""
        if running is None:
            self._app.looking.command("monitor ")
            return

        def describe() -> Sequence[Line]:
            if running:
                return [[(" Limits are looked at again every few seconds and on every fill.", "")]]
            return [
                [(" Nobody looks at limits across engines, losses and drawdowns;", "warn")],
                [(" no breach is found and no action is taken.", "warn")],
                [],
                [(" The gates in the engines go on judging every order.", "")],
            ]

        verb = "Start" if running else "Stop"
        self._app.confirm(
            f"{verb} the risk monitor", describe, f"{verb.lower()} it", SetMonitor(running=running)
        )

    def report(self) -> None:
        """Pick a type of report, then its format."""

        def picked_type(report: str | None) -> None:
            if report is None:
                return

            def picked_format(form: str | None) -> None:
                if form is not None:
                    self._make(report, form)

            self._app.push_screen(
                Picker(report, [Entry(f, f.upper()) for f in REPORT_FORMATS]), picked_format
            )

        entries = [Entry(name, name.replace("_", " ")) for name in TYPES]
        self._app.push_screen(Picker("Report", entries), picked_type)

    def _make(self, report: str, form: str) -> None:
        self._send(MakeReport(report_type=report, report_format=form))
        self._app.tell(f"making {report}.{form}")

    # ------------------------------------------------------------ saying and being answered

    def say(self, line: RiskLine) -> None:
        """Do what a line about risk says."""
        match line:
            case LimitSetLine():
                self._set(line)
            case LimitLine(verb="delete"):
                self.delete_limit(line.id)
            case LimitLine(verb="check"):
                self.look_at_limit(line.id)
                self._app.looking.workspace("risk")
                self.check_limit()
            case LimitLine():
                self._send(DecideLimitChange(change_id=line.id, approve=line.verb == "approve"))
            case AckLine():
                self._app.alarms.acknowledge(line)
            case RestrictLine():
                reason = line.reason or None
                self._send(RestrictEngine(engine=line.engine, restriction=line.restriction, reason=reason))
            case ReportLine():
                self._make(line.report_type, line.report_format)
            case KillLine():
                self._app.killing.open(KillChoice(line.engine, line.flatten, line.drill, line.reason))
            case UnlockLine():
                self._app.killing.unlock()
            case MonitorLine():
                self.monitor(line.running)
            case StressLine():
                self._say_stress(line)

    def _say_stress(self, line: StressLine) -> None:
        self._app.view.risk.shocks = line.shocks
        if line.shocks:
            self._app.looking.workspace("risk")
            self._app.looking.focus("stress")
        self._app.selection_changed()

    def _send(self, command: AnyCommand) -> None:
        self._app.inquiry.execute(command, mint_command_id())

    def answered(self, message: CommandAnswered) -> None:
        """Learn anew what a command has changed."""
        if not isinstance(message.command, _CHANGES_LIMITS):
            return
        problem = message.problem or (message.outcome.problem if message.outcome is not None else None)
        if isinstance(message.command, DeleteLimit) and problem is None and _is_done(message):
            self._app.mirror.risk.forget_limit(message.command.limit_id)
        self._app.mirror.facts.ask_again("risk")


def _is_done(message: CommandAnswered) -> bool:
    """Say whether a limit is gone: a deletion that waits for a second person is not done yet."""
    outcome = message.outcome
    return outcome is not None and outcome.outcome == "done" and "change_id" not in outcome.data


def deleted(status: LimitStatus | None, limit_id: str) -> list[Line]:
    """Say what deleting a limit means as things stand."""
    if status is None:
        return [[(f" {limit_id} is deleted.", "")]]
    limit = status.limit
    used = amount(status.value, limit.limit_type, limit.unit)
    lines: list[Line] = [
        [
            (f" {limit_words(limit)}", "bright"),
            (f"  {used} of {amount(limit.effective, limit.limit_type, limit.unit)}", ""),
        ],
        [(f" {percent(status.use)} of it is used now.", "")],
        [],
    ]
    if limit.limit_type in GATED:
        lines.append(
            [(" Orders are no longer denied by it,", "warn"), (" and the monitor looks at it no more.", "")]
        )
    else:
        lines.append([(" The monitor looks at it no more.", "")])
    lines.append([(" In live, and where the settings say so, a second person has to agree.", "dim")])
    return lines
