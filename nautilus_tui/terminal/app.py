"""The terminal itself: one Textual application that looks at the daemon and commands it.

Inside it flows one way: the stream and the answers come as messages, are written into the mirror,
and a frame tick of at most 15 a second lets those panes redraw whose facts changed. Actions come
from the registry by key, palette or command line, and go out through the inquiry. It must not do
I/O itself, nor know a rule of the business.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from textual import events, on
from textual.app import App, ComposeResult
from textual.widgets import ContentSwitcher
from textual.worker import Worker, WorkerState

from data.commands import AnyCommand, RefreshProviders
from data.problems import InvalidRequestError
from nautilus_tui.terminal.actions import BY_ID, SEND_KEYS
from nautilus_tui.terminal.answers import about, told
from nautilus_tui.terminal.frames import Frames
from nautilus_tui.terminal.glyphs import ASCII, UNICODE, glyphs_for
from nautilus_tui.terminal.handlers.alarms import AlarmDesk
from nautilus_tui.terminal.handlers.authority import AuthorityDesk
from nautilus_tui.terminal.handlers.engines import EngineRoom
from nautilus_tui.terminal.handlers.furnishing import Furnishing
from nautilus_tui.terminal.handlers.keyboard import Keyboard
from nautilus_tui.terminal.handlers.killing import KillDesk
from nautilus_tui.terminal.handlers.layout import Layout
from nautilus_tui.terminal.handlers.looking import Looking
from nautilus_tui.terminal.handlers.macro import MacroDesk
from nautilus_tui.terminal.handlers.research import ResearchDesk
from nautilus_tui.terminal.handlers.risk import RiskDesk
from nautilus_tui.terminal.handlers.saying import Saying
from nautilus_tui.terminal.handlers.selecting import Selecting
from nautilus_tui.terminal.handlers.standing import Standing
from nautilus_tui.terminal.handlers.trading import Trading
from nautilus_tui.terminal.handlers.typeahead import Passed, TypeAhead
from nautilus_tui.terminal.keymap import Keymap
from nautilus_tui.terminal.link import DaemonLink, Link
from nautilus_tui.terminal.messages import CommandAnswered
from nautilus_tui.terminal.mirror import Mirror
from nautilus_tui.terminal.pane_classes import pane_key_ids
from nautilus_tui.terminal.panes.header import Header
from nautilus_tui.terminal.panes.logstrip import LogStrip
from nautilus_tui.terminal.panes.orders import Orders
from nautilus_tui.terminal.places import PLACES
from nautilus_tui.terminal.reception import Reception
from nautilus_tui.terminal.screens.banner import Banner
from nautilus_tui.terminal.screens.command_bar import CommandBar
from nautilus_tui.terminal.screens.confirm import Confirm, Describe
from nautilus_tui.terminal.screens.hints import Hints
from nautilus_tui.terminal.screens.ticket_pane import TicketPane
from nautilus_tui.terminal.settings import (
    Remembered,
    TerminalSettings,
    first_theme,
    first_view,
    recall,
    remember,
)
from nautilus_tui.terminal.situation import Situation
from nautilus_tui.terminal.theme import register_themes, variables
from nautilus_tui.terminal.thrift import thrifty
from nautilus_tui.terminal.ticket import mint_command_id
from nautilus_tui.terminal.widgets.table import LiveTable
from nautilus_tui.terminal.workspaces.engines import EnginesWorkspace
from nautilus_tui.terminal.workspaces.trade import Trade

if TYPE_CHECKING:
    from nautilus_tui.client import Address

#: Classes of the screen by its size, in columns and in lines.
WIDTHS: list[tuple[int, str]] = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]
HEIGHTS: list[tuple[int, str]] = [(0, "-short"), (30, "-tall"), (50, "-high")]


class Terminal(App[int], inherit_bindings=False):
    """The application."""

    TITLE = "Nautilus TUI"
    CSS_PATH = Path(__file__).with_name("terminal.tcss")
    ENABLE_COMMAND_PALETTE = False
    ESCAPE_TO_MINIMIZE = False
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS

    def __init__(
        self,
        link: Link,
        settings: TerminalSettings | None = None,
        *,
        state_file: Path | None = None,
        clock: Callable[[], int] = time.time_ns,
        no_color: bool = False,
    ) -> None:
        """Take the line to the daemon.

        Raises:
            InvalidRequestError: the settings' keys are wrong.
        """
        self.settings = settings or TerminalSettings()
        self.keymap = Keymap(self.settings.keys, pane_key_ids())
        self.glyphs = ASCII if self.settings.ascii else UNICODE
        self.remembered = recall(state_file)
        self.mirror = Mirror()
        self.view = first_view(self.settings, self.remembered)
        self._theme_wanted = first_theme(self.settings, self.remembered, no_color=no_color)
        # Textual leaves colours out altogether only where it would use the terminal's own.
        super().__init__(ansi_color=True if no_color else None)
        self.driver_class = thrifty(self.driver_class, ascii_only=self.settings.ascii)
        self.set_keymap(self.keymap.pane_keys)
        register_themes(cast("App[object]", self))
        self._state_file = state_file
        self._clock = clock
        self._link = link
        self.frames = Frames(self)
        self.keyboard = Keyboard(self)
        self._typed = TypeAhead(self, super().on_event)
        self.standing = Standing(self)
        self.furnishing = Furnishing(self)
        self.reception = Reception(link, self)
        self.inquiry = self.reception.inquiry
        self.trading = Trading(self)
        self.engine_room = EngineRoom(self)
        self.looking = Looking(self)
        self.macro = MacroDesk(self)
        self.research = ResearchDesk(self)
        self.risk = RiskDesk(self)
        self.alarms = AlarmDesk(self)
        self.killing = KillDesk(self)
        self.authority = AuthorityDesk(self)
        self.selecting = Selecting(self)
        self.saying = Saying(self)
        self.layout_sizes = Layout(self)
        self._handlers = {
            **self.trading.handlers(),
            **self.engine_room.handlers(),
            **self.looking.handlers(),
            **self.macro.handlers(),
            **self.research.handlers(),
            **self.risk.handlers(),
            **self.alarms.handlers(),
            **self.killing.handlers(),
            **self.authority.handlers(),
            **self.layout_sizes.handlers(),
        }

    # ------------------------------------------------------------ the screen

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return our own CSS variables for themes that do not have them."""
        return variables()

    def compose(self) -> ComposeResult:
        """Lay out what is always there and the workspaces seen first; the others come after them."""
        yield Header(id="header")
        yield Banner(id="banner")
        with ContentSwitcher(initial=PLACES[0].id, id="workspaces"):
            yield Trade(self.blocked, self.inquiry.preview)
            yield EnginesWorkspace()
        yield LogStrip(id="logstrip")
        yield Hints(id="hints")
        yield CommandBar(self.saying.complete, self.saying.history, id="command")
        yield self.reception

    def on_mount(self) -> None:
        """Show the shell at once; listening begins behind it."""
        self.theme = self._theme_wanted if self._theme_wanted in self.available_themes else "dark"
        if not self.settings.glow:
            for table in self.query(LiveTable):
                table.glows.duration = 0.0
        self.looking.focus(PLACES[0].first)
        self.frame()
        self.set_interval(1 / min(15, max(1, self.settings.max_fps)), self.frame)
        self.call_after_refresh(self.furnishing.bring)
        self.call_after_refresh(gc.enable)

    def now_ns(self) -> int:
        """Return the time now, UTC nanoseconds."""
        return self._clock()

    @property
    def workspace(self) -> str:
        """The workspace shown."""
        return self.standing.workspace

    @property
    def pane(self) -> str | None:
        """The pane that has the focus."""
        return self.standing.pane

    @property
    def trade(self) -> Trade:
        """Workspace Trade."""
        return self.screen_stack[0].query_one(Trade)

    @property
    def ticket_pane(self) -> TicketPane:
        """The ticket's pane."""
        return self.screen_stack[0].query_one(TicketPane)

    @property
    def orders(self) -> Orders:
        """The orders' pane."""
        return self.screen_stack[0].query_one(Orders)

    @property
    def command_bar(self) -> CommandBar:
        """The command line."""
        return self.screen_stack[0].query_one(CommandBar)

    # ------------------------------------------------------------ frames

    def changed(self) -> None:
        """Redraw every pane with the next frame: the view changed."""
        self.frames.whole = True

    def frame(self) -> None:
        """Let the panes redraw whose facts changed; while the screen is taken down nothing is drawn."""
        if self.is_running:
            self.frames.paint()

    # ------------------------------------------------------------ actions

    def situation(self) -> Situation:
        """Return what the user is in the middle of."""
        return self.standing.situation()

    def blocked(self) -> str | None:
        """Return why no order at all can be sent now: the role, or no connection."""
        return BY_ID["order.buy"].refused(Situation(self.view, self.mirror))

    async def on_event(self, event: events.Event) -> None:
        """Hand keys out one after the other, everything else as it comes."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            if isinstance(event, events.Key):
                self.keyboard.came(event)
            await self._typed.take(event)
        else:
            await super().on_event(event)

    @on(Passed)
    async def key_passed(self, event: Passed) -> None:
        """A key was everywhere it goes."""
        event.stop()
        await self._typed.passed(event.number)

    def on_key(self, event: events.Key) -> None:
        """Do what a key means where the focus is; keys a pane or dialog took do not come here."""
        self.keyboard.press(event)

    def perform(self, action_id: str) -> None:
        """Do an action, or say why it cannot be done."""
        reason = BY_ID[action_id].disabled(self.situation())
        if reason is not None and action_id == "ticket.send":
            return  # the ticket says it where it is looked for
        if reason is not None:
            self.tell(f"{BY_ID[action_id].title}: {reason}", "warning")
        else:
            self._handlers[action_id]()

    def confirm(self, title: str, describe: Describe, verb: str, command: AnyCommand) -> None:
        """Send a dangerous command after saying exactly what it will do and getting the chord."""
        command_id = mint_command_id()

        def answered(yes: bool | None) -> None:
            if not yes:
                return
            reason = self.blocked()
            if reason is not None:
                self.tell(f"{title}: {reason}", "error")
            else:
                self.inquiry.execute(command, command_id)

        self.push_screen(
            Confirm(title, describe, self.keymap.keys["ticket.send"] or SEND_KEYS, verb), answered
        )

    def tell(self, message: str, severity: str = "information") -> None:
        """Say something in passing."""
        level = cast("Callable[..., None]", self.notify)
        level(message, severity=severity, timeout=6 if severity == "information" else 10, markup=False)

    def pane_bindings(self) -> list[tuple[tuple[str, ...], str]]:
        """Return the keys that the focused pane handles itself, with what they do."""
        found: dict[str, list[str]] = {}
        focused = self.screen_stack[0].focused
        for key, active in self.screen_stack[0].active_bindings.items():
            if active.node is focused and active.binding.id is not None:
                found.setdefault(active.binding.description, []).append(
                    self.get_key_display(active.binding) or key
                )
        return [(tuple(keys), title) for title, keys in found.items()]

    # ------------------------------------------------------------ selections

    def selection_changed(self) -> None:
        """Redraw, and ask for what is selected where the cursor rests."""
        self.selecting.changed()

    @on(LiveTable.RowHighlighted)
    def row_highlighted(self, event: LiveTable.RowHighlighted) -> None:
        """The cursor of a table selects what its row is about."""
        self.selecting.highlighted(event)

    @on(LiveTable.RowSelected)
    def row_selected(self, event: LiveTable.RowSelected) -> None:
        """Enter goes to what a row is about."""
        self.selecting.selected(event)

    def on_resize(self) -> None:
        """Each size of screen has the panes' sizes that were given to it."""
        if not self.query(".-maximised"):
            self.call_after_refresh(self.layout_sizes.apply)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Remember which pane had the focus, and show its hints."""
        self.standing.focused(self.pane)
        self.risk.arrived_at(self.pane or "")
        self.changed()

    # ------------------------------------------------------------ command line

    @on(CommandBar.Said)
    def command_said(self, event: CommandBar.Said) -> None:
        """Do what was typed."""
        self.saying.say(event.line)

    @on(CommandBar.Narrowed)
    def filter_narrowed(self, event: CommandBar.Narrowed) -> None:
        """Filter the table."""
        self.looking.narrow(event.text)

    @on(CommandBar.Left)
    def line_left(self, event: CommandBar.Left) -> None:
        """Go back to the panes."""
        self.looking.line_left(kept=event.kept, filtering=event.mode == "filter")

    # ------------------------------------------------------------ answers

    @on(CommandAnswered)
    def command_answered(self, message: CommandAnswered) -> None:
        """Show how a command ended, in the ticket that waits for it or in passing."""
        if message.outcome is not None:
            self.mirror.apply_records(message.outcome.orders)
            if message.outcome.engine is not None:
                self.mirror.apply_records([message.outcome.engine])
        if isinstance(message.command, RefreshProviders):
            self.mirror.facts.ask_again()
        self.risk.answered(message)
        if any(desk.answered(message) for desk in (self.trading, self.killing, self.authority)):
            return
        problem = message.problem or (message.outcome.problem if message.outcome is not None else None)
        title = about(message.command)
        if problem is None:
            detail = message.outcome.detail if message.outcome is not None else None
            self.tell(f"{title}: {detail or 'done'}")
        else:
            self.tell(f"{title}: {told(problem)}", "error")

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker that broke is said so; the screen goes on."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.log.error(event.worker.error)
            self.tell(f"{type(event.worker.error).__name__}: {event.worker.error}", "error")

    # ------------------------------------------------------------ leaving

    def use_theme(self, theme: str) -> None:
        """Use a theme and remember it."""
        self.theme = theme
        self.remembered.theme, self.remembered.theme_over = theme, self.settings.theme
        self.changed()

    def detach(self) -> None:
        """Leave; engines and daemon go on."""
        self.exit(0)

    async def on_unmount(self) -> None:
        """Close the line and write what is remembered."""
        await self._link.close()
        self._remember()

    def _remember(self) -> None:
        view = self.view
        state = Remembered(
            theme=self.remembered.theme,
            theme_over=self.remembered.theme_over,
            engine=view.engine,
            instrument=view.instrument,
            timeframe=view.timeframe,
            lines=self.saying.history.lines,
            widths=self.remembered.widths,
        )
        try:
            remember(self._state_file, state)
        except InvalidRequestError as error:
            self.log.warning(error.detail)


def run(
    address: Address,
    settings: TerminalSettings | None = None,
    *,
    home: Path | None = None,
    no_color: bool = False,
    link: Link | None = None,
) -> int:
    """Open the terminal on a daemon and return the exit code when it is left.

    ``home`` is where the terminal remembers things between two openings; ``link`` is used instead of
    a plain one to ``address``.

    Raises:
        InvalidRequestError: the settings' keys are wrong.
    """
    # Collecting garbage while the classes of a user interface are made costs a tenth of the start.
    gc.disable()
    if glyphs_for(os.environ) is ASCII:
        settings = replace(settings or TerminalSettings(), ascii=True)
    state_file = None if home is None else home / "terminal.json"
    app = Terminal(link or DaemonLink(address), settings, state_file=state_file, no_color=no_color)
    code = app.run()
    return app.return_code or code or 0
