"""Doing what was said on the ``:`` line: from statement to the same methods that keys call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.limits import PORTFOLIO
from nautilus_tui.terminal.actions import BY_ID, BY_NAME, Action, actions_for
from nautilus_tui.terminal.command_line import Completion, History, complete, parse
from nautilus_tui.terminal.questions.risk import LimitChanges, StressOf
from nautilus_tui.terminal.research_lines import ResearchLine
from nautilus_tui.terminal.risk_lines import (
    AckLine,
    KillLine,
    LimitLine,
    LimitSetLine,
    MonitorLine,
    ReportLine,
    RestrictLine,
    StressLine,
    UnlockLine,
)
from nautilus_tui.terminal.statements import (
    ActionLine,
    AuthorityLine,
    BracketLine,
    CancelAllLine,
    CancelLine,
    CloseLine,
    EngineLine,
    FeedLine,
    FlattenLine,
    MacroLine,
    ModifyLine,
    OcoLine,
    OrderLine,
    Statement,
    SymbolLine,
    ThemeLine,
    TimeframeLine,
)
from nautilus_tui.terminal.theme import PALETTES
from nautilus_tui.terminal.view import TIMEFRAMES
from nautilus_tui.terminal.words import CommandLineError, Known

if TYPE_CHECKING:
    from nautilus_tui.terminal.app import Terminal

#: The action whose role, connection and reasons a statement shares.
_LIKE: dict[type[Statement], str] = {
    OrderLine: "order.buy",
    BracketLine: "order.buy",
    OcoLine: "order.buy",
    ModifyLine: "order.modify",
    CancelLine: "order.cancel",
    CancelAllLine: "order.cancel_all",
    CloseLine: "position.close",
    FlattenLine: "position.flatten",
    EngineLine: "engine.start",
    FeedLine: "feed.pause",
    LimitSetLine: "limit.new",
    LimitLine: "limit.delete",
    AckLine: "breach.ack",
    RestrictLine: "engine.restrict",
    ReportLine: "risk.report",
    KillLine: "risk.kill",
    UnlockLine: "risk.unlock",
    MonitorLine: "risk.monitor",
}
#: Statements that name what they are about, so that what is under the cursor does not matter.
_NAMED = (
    *(OrderLine, BracketLine, OcoLine, ModifyLine, CancelLine, CloseLine, EngineLine),
    *(LimitSetLine, LimitLine, AckLine, RestrictLine),
)


class Saying:
    """The command line's meaning."""

    def __init__(self, app: Terminal) -> None:
        self._app = app
        self.history = History(app.remembered.lines)

    def known(self) -> Known:
        """Return the names that mean something now."""
        mirror, engine = self._app.mirror, self._app.view.engine
        here = engine or ""
        return Known(
            instruments=tuple(mirror.instrument_ids(here)),
            orders=tuple(o.client_order_id for o in mirror.working_orders(here)),
            positions=tuple(row.position.instrument for row in mirror.position_rows(here)),
            engines=tuple(sorted(mirror.engines)),
            timeframes=TIMEFRAMES,
            themes=tuple(PALETTES),
            factors=tuple(mirror.facts.factors),
            series=tuple(sorted({i for f in mirror.facts.factors.values() for i in f.inputs})),
            companies=self._app.research.known_companies(),
            metrics=self._app.research.known_metrics(),
            limits=tuple(sorted(mirror.risk.limits)),
            scopes=self._scopes(),
            changes=tuple(
                c.id for c in mirror.facts.answer(LimitChanges()).value or () if c.status == "pending"
            ),
            acknowledgeable=(
                *(breach.id for breach in mirror.risk.open_breaches()),
                *(alert.id for alert in mirror.risk.open_alerts()),
            ),
            factors_shocked=self._factors_shocked(),
            actions=tuple(a.name for a in actions_for(self._app.view.role)),
        )

    def _scopes(self) -> tuple[str, ...]:
        """Return the scopes a limit can have, as far as their names are known."""
        mirror, engine = self._app.mirror, self._app.view.engine or ""
        rules = mirror.instruments.get(engine, {})
        sectors = {rule.sector for rule in rules.values() if rule.sector}
        named = {status.limit.scope for status in mirror.risk.limits.values()} - {PORTFOLIO}
        found = (
            *(f"engine:{name}" for name in sorted(mirror.engines)),
            *(f"instrument:{name}" for name in mirror.instrument_ids(engine)),
            *(f"sector:{name}" for name in sorted(sectors)),
        )
        return (*found, *sorted(named - set(found)))

    def _factors_shocked(self) -> tuple[str, ...]:
        """Return the factors that the known scenarios shock."""
        answer = self._app.mirror.facts.answer(StressOf()).value
        outcomes = () if answer is None else answer.outcomes
        return tuple(sorted({shock.factor for outcome in outcomes for shock in outcome.shocks}))

    def complete(self, line: str) -> list[Completion]:
        """Return how a line can go on."""
        return complete(line, self.known())

    def say(self, line: str) -> None:
        """Do what a line says, or say what is wrong with it and leave it to be corrected."""
        bar = self._app.command_bar
        try:
            statement = parse(line, self.known())
        except CommandLineError as error:
            bar.refuse(error.message, error.at)
            return
        reason = self._refused(statement)
        if reason is not None:
            bar.refuse(reason, len(line))
            return
        self.history.add(line.lstrip(": "))
        bar.put_away()
        self._app.looking.line_left(kept=True, filtering=False)
        self.do(statement)

    def _refused(self, statement: Statement) -> str | None:
        situation = self._app.situation()
        if isinstance(statement, ActionLine):
            return BY_NAME[statement.name].disabled(situation)
        if isinstance(statement, AuthorityLine):
            return BY_ID[f"authority.{statement.verb}"].disabled(situation)
        like: Action | None = BY_ID.get(_LIKE.get(type(statement), ""))
        if like is None:
            return None
        return like.refused(situation) if isinstance(statement, _NAMED) else like.disabled(situation)

    def do(self, statement: Statement) -> None:
        """Carry a statement out."""
        app = self._app
        match statement:
            case OrderLine() | BracketLine() | OcoLine():
                app.trading.stage(statement)
            case ModifyLine():
                app.trading.stage_modification(statement)
            case CancelLine(order):
                if app.view.engine is not None:
                    app.trading.cancel_order(app.view.engine, order)
            case CancelAllLine(instrument):
                app.trading.cancel_all(instrument)
            case CloseLine(instrument):
                app.trading.close_position(instrument)
            case FlattenLine(instrument):
                app.trading.flatten(instrument)
            case EngineLine():
                app.engine_room.say(statement)
            case FeedLine():
                app.engine_room.say_feed(statement)
            case TimeframeLine(timeframe):
                app.looking.select_timeframe(timeframe)
            case ThemeLine(theme):
                app.use_theme(theme)
            case SymbolLine(instrument):
                app.looking.select_instrument(instrument)
            case MacroLine():
                app.macro.say(statement)
            case ResearchLine():
                app.research.say(statement)
            case (
                LimitSetLine()
                | LimitLine()
                | AckLine()
                | RestrictLine()
                | ReportLine()
                | KillLine()
                | UnlockLine()
                | MonitorLine()
                | StressLine()
            ):
                app.risk.say(statement)
            case AuthorityLine():
                app.authority.say(statement)
            case ActionLine(name):
                app.perform(BY_NAME[name].id)
