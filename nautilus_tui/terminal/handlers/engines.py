"""Doing what concerns engines and feeds. It must not do I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from data.commands import AnyCommand, RestartEngine, SetFeed, StartEngine, StopEngine
from nautilus_tui.terminal.screens.picker import Entry, Picker
from nautilus_tui.terminal.statements import EngineLine, FeedLine
from nautilus_tui.terminal.ticket import mint_command_id
from nautilus_tui.terminal.widgets.lines import Line

if TYPE_CHECKING:
    from nautilus_tui.terminal.app import Terminal

Handler = Callable[[], None]


class EngineRoom:
    """Starts, stops and paces engines."""

    def __init__(self, app: Terminal) -> None:
        self._app = app

    def handlers(self) -> dict[str, Handler]:
        """Return the method of each action."""
        return {
            "engine.pick": self.pick,
            "engine.start": self.start,
            "engine.stop": lambda: self._on_selected("stop"),
            "engine.restart": lambda: self._on_selected("restart"),
            "engine.kill": lambda: self._on_selected("kill"),
            "feed.pause": self.pause,
            "feed.step": lambda: self._feed(FeedLine("step")),
        }

    def pick(self) -> None:
        """Pick the engine that is looked at."""
        entries = [
            Entry(status.id, status.id, f"{status.environment} {status.state}", detail=status.feed)
            for status in sorted(self._app.mirror.engines.values(), key=lambda s: s.id)
        ]
        if not entries:
            self._app.tell("no engine is known; :engine start paper-1 starts one", "warning")
            return

        def picked(engine: str | None) -> None:
            if engine is not None:
                self._app.looking.select_engine(engine)

        self._app.push_screen(Picker("Engine", entries, current=self._app.view.engine), picked)

    def start(self) -> None:
        """Start the selected engine as it ran last; without one, ask for a name and settings."""
        engine = self._app.view.engine
        if engine is None:
            self._app.looking.command("engine start paper-1")
        else:
            self.say(EngineLine(verb="start", engine=engine))

    def _on_selected(self, verb: str) -> None:
        engine = self._app.view.engine
        if engine is None:
            return
        if verb == "stop":
            self.say(EngineLine(verb="stop", engine=engine))
        elif verb == "restart":
            self.say(EngineLine(verb="restart", engine=engine))
        else:
            self.say(EngineLine(verb="kill", engine=engine))

    def say(self, line: EngineLine) -> None:
        """Do what an ``engine`` line says; stopping asks first."""
        engine = line.engine
        if line.verb == "start":
            command: AnyCommand = StartEngine(
                engine=engine,
                feed=line.feed,
                speed=line.speed,
                seed=line.seed,
                replay_start=line.start,
                replay_end=line.end,
                paused=line.paused,
            )
            self._app.inquiry.execute(command, mint_command_id())
            self._app.tell(f"starting {engine}")
            self._app.looking.select_engine(engine)
            return

        def describe() -> Sequence[Line]:
            return self._stopped(line)

        if line.verb == "restart":
            command = RestartEngine(engine=engine)
            title, verb = f"Restart {engine}", "restart it"
        elif line.verb == "kill":
            command = StopEngine(engine=engine, emergency=True)
            title, verb = f"EMERGENCY STOP {engine}", "stop it now"
        else:
            command = StopEngine(engine=engine)
            title, verb = f"Stop {engine}", "stop it"
        self._app.confirm(title, describe, verb, command)

    def _stopped(self, line: EngineLine) -> list[Line]:
        """Say what stopping an engine means as things stand."""
        mirror = self._app.mirror
        if line.verb == "kill":
            lines = self._app.trading.flattened(line.engine)
            return [*lines, [], [(f" Then {line.engine} is stopped.", "")]]
        working = len(mirror.working_orders(line.engine))
        positions = len(mirror.position_rows(line.engine))
        kept = f" {working} working orders and {positions} open positions are kept in its journal"
        after = " and come back with it." if line.verb == "restart" else " and come back when it is started."
        lines = [[(kept, "")], [(after.strip().join((" ", "")), "")]]
        if line.verb == "stop" and (working or positions):
            lines.append([(" Until then nothing watches them.", "warn")])
        return lines

    # ------------------------------------------------------------ feeds

    def pause(self) -> None:
        """Pause the selected engine's feed, or let it go on."""
        status = self._app.situation().engine
        paused = status is not None and "paused" in (status.feed_detail or "")
        progress = self._app.mirror.feeds.get(self._app.view.engine or "")
        paused = paused or (progress is not None and progress.state == "paused")
        self._feed(FeedLine("resume" if paused else "pause"))

    def say_feed(self, line: FeedLine) -> None:
        """Do what a ``feed`` line says."""
        self._feed(line)

    def _feed(self, line: FeedLine) -> None:
        engine = self._app.view.engine
        if engine is not None:
            command = SetFeed(engine=engine, action=line.verb, speed=line.speed)
            self._app.inquiry.execute(command, mint_command_id())
