"""Doing what only looks: selections, workspaces, panes, pickers, help, the command line. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.widget import Widget
from textual.widgets import ContentSwitcher

from nautilus_tui.terminal.actions import here
from nautilus_tui.terminal.command_line import VERBS
from nautilus_tui.terminal.panes.engines import Engines
from nautilus_tui.terminal.panes.logs import Logs
from nautilus_tui.terminal.panes.logstrip import LEVELS
from nautilus_tui.terminal.places import BY_PLACE, PANES, PLACES, SPOTS
from nautilus_tui.terminal.screens.help import Help, HelpLine
from nautilus_tui.terminal.screens.jump import Jump
from nautilus_tui.terminal.screens.picker import Entry, Picker
from nautilus_tui.terminal.theme import PALETTES
from nautilus_tui.terminal.view import TIMEFRAMES, OrderScope
from nautilus_tui.terminal.widgets.table import LiveTable
from nautilus_tui.terminal.widgets.textview import TextView

if TYPE_CHECKING:
    from nautilus_tui.terminal.app import Terminal

Handler = Callable[[], None]
_SCOPES: tuple[OrderScope, ...] = ("today", "working", "all")


class Looking:
    """Eyes and feet."""

    def __init__(self, app: Terminal) -> None:
        self._app = app
        self._filtered: str | None = None

    def handlers(self) -> dict[str, Handler]:
        """Return the method of each action."""
        return {
            "chart.timeframe_next": lambda: self.timeframe_by(1),
            "chart.timeframe_previous": lambda: self.timeframe_by(-1),
            "chart.overlays": self.overlays,
            "instrument.pick": self.pick_instrument,
            "orders.scope": self.orders_scope,
            "order.logs": self.order_logs,
            "logs.level": self.log_level,
            "logs.all": self.all_logs,
            **{f"workspace.{place.id}": partial(self.workspace, place.id) for place in PLACES},
            "app.command": self.command,
            "app.palette": self.palette,
            "app.help": self.help,
            "pane.jump": self.jump,
            "pane.filter": self.filter,
            "pane.maximise": self.maximise,
            "app.theme": self.pick_theme,
            "app.density": self.density,
            "app.quit": self._app.detach,
        }

    # ------------------------------------------------------------ selections

    def select_engine(self, engine: str) -> None:
        """Look at another engine."""
        view = self._app.view
        if engine == view.engine:
            return
        view.engine = engine
        view.log_order = None
        known = self._app.mirror.instrument_ids(engine)
        if view.instrument not in known:
            view.instrument = known[0] if known else None
        self._app.selection_changed()

    def select_instrument(self, instrument: str) -> None:
        """Look at another instrument."""
        if instrument != self._app.view.instrument:
            self._app.view.instrument = instrument
            self._app.selection_changed()

    def select_timeframe(self, timeframe: str) -> None:
        """Chart another timeframe."""
        if timeframe != self._app.view.timeframe:
            self._app.view.timeframe = timeframe
            self._app.selection_changed()

    def timeframe_by(self, by: int) -> None:
        """Chart the next or the previous timeframe."""
        at = TIMEFRAMES.index(self._app.view.timeframe) if self._app.view.timeframe in TIMEFRAMES else 0
        self.select_timeframe(TIMEFRAMES[(at + by) % len(TIMEFRAMES)])

    def overlays(self) -> None:
        """Show or hide the chart's overlays."""
        self._app.view.overlays = () if self._app.view.overlays else self._app.settings.overlays
        self._app.changed()

    def pick_instrument(self) -> None:
        """Pick an instrument by typing."""
        engine = self._app.view.engine
        if engine is None:
            self._app.tell("no engine is selected", "warning")
            return
        known = self._app.mirror.instruments.get(engine, {})
        entries = []
        for name in self._app.mirror.instrument_ids(engine):
            rules = known.get(name)
            words = ("", "") if rules is None else (rules.asset_class, rules.name)
            entries.append(Entry(name, name, words[0], detail=words[1]))

        def picked(instrument: str | None) -> None:
            if instrument is not None:
                self.select_instrument(instrument)

        self._app.push_screen(Picker("Instrument", entries, current=self._app.view.instrument), picked)

    # ------------------------------------------------------------ orders and logs

    def orders_scope(self) -> None:
        """Show today's, the working, or all orders."""
        view = self._app.view
        view.order_scope = _SCOPES[(_SCOPES.index(view.order_scope) + 1) % len(_SCOPES)]
        self._app.changed()

    def order_logs(self) -> None:
        """Show the log lines of the order under the cursor, joined with its events."""
        order = self._app.situation().order
        if order is not None:
            self._app.view.log_order = order.client_order_id
            self.workspace("engines")
            self.focus("logs")
            self._app.changed()

    def all_logs(self) -> None:
        """Show the log lines of all orders again."""
        self._app.view.log_order = None
        self._app.changed()

    def log_level(self) -> None:
        """Raise the lowest level shown; after the highest, begin anew."""
        levels = [str(level) for level in LEVELS]
        at = levels.index(self._app.view.log_level) if self._app.view.log_level in levels else 0
        self._app.view.log_level = levels[(at + 1) % len(levels)]
        self._app.changed()

    # ------------------------------------------------------------ panes

    def workspace(self, workspace: str) -> None:
        """Go to another workspace."""
        app = self._app
        if app.workspace == workspace or not app.furnishing.there(workspace):
            return
        self.unmaximise()
        app.query_one("#workspaces", ContentSwitcher).current = workspace
        # The log is on the screen already where the engines are.
        app.query_one("#logstrip").display = BY_PLACE[workspace].logstrip
        app.changed()
        app.frame()
        if app.view.engine is not None:
            app.screen_stack[0].query_one(Engines).move_to(app.view.engine, announce=False)
        if workspace == "research":
            app.research.arrive()
        elif workspace == "trade" and app.ticket_pane.ticket is not None:
            self.focus("ticket")
        else:
            self.focus(BY_PLACE[workspace].first)

    def focus(self, pane: str) -> None:
        """Put the focus on a pane of the current workspace."""
        screen = self._app.screen_stack[0]
        if not screen.query(f"#{pane}"):
            return  # its workspace is still being made
        widget = screen.query_one(f"#{pane}")
        if PANES.get(pane) == "research":
            self._app.research.reveal(pane)
        self._reveal(widget)
        screen.set_focus(widget)

    def reveal(self, pane: str) -> None:
        """Bring a pane into sight without going there."""
        for widget in self._app.screen_stack[0].query(f"#{pane}"):
            self._reveal(widget)

    def _reveal(self, widget: Widget) -> None:
        """Bring a pane to the top of its deck; the others of the workspace make room where there is none."""
        if widget.has_class("deck"):
            workspace = next(node for node in widget.ancestors if node.has_class("workspace"))
            for other in workspace.query(".deck"):
                other.set_class(other is widget, "-shown")

    def jump(self) -> None:
        """Label every pane and go to the one whose letter is pressed."""
        screen = self._app.screen_stack[0]
        spots = BY_PLACE[self._app.workspace].panes
        panes = {spot.letter: screen.query_one(f"#{spot.id}") for spot in spots}
        # A pane under others of its deck can be gone to, one that has no place now cannot.
        shown = {
            letter: pane
            for letter, pane in panes.items()
            if (pane.display and pane.region.area) or pane.has_class("deck") or pane.has_class("turns")
        }

        def jumped(pane: str | None) -> None:
            if pane is not None:
                self.focus(pane)

        self._app.push_screen(Jump(shown), jumped)

    def maximise(self) -> None:
        """Give the focused pane the whole workspace, or put it back."""
        if not self.unmaximise() and self._app.pane is not None:
            self._app.layout_sizes.clear()
            focused = self._app.screen_stack[0].query_one(f"#{self._app.pane}")
            chain = [focused, *focused.ancestors]
            for node in chain:
                if node.has_class("workspace"):
                    break
                node.add_class("-maximised")
                if node.parent is not None:
                    for sibling in node.parent.children:
                        if sibling is not node:
                            sibling.add_class("-given-way")

    def unmaximise(self) -> bool:
        """Put a maximised pane back; say whether there was one."""
        found = self._app.screen_stack[0].query(".-maximised")
        there = bool(found)
        found.remove_class("-maximised")
        self._app.screen_stack[0].query(".-given-way").remove_class("-given-way")
        if there:
            self._app.layout_sizes.apply()
        return there

    def filter(self, pane: str | None = None) -> None:
        """Filter a table: the one named, the focused one, or the workspace's first."""
        pane = pane or self._app.pane
        if pane is None or not SPOTS[pane].filters:
            pane = BY_PLACE[self._app.workspace].filtered
        if PANES[pane] == "research":
            self._app.research.reveal(pane)
        self._filtered = pane
        table = self._app.screen_stack[0].query_one(f"#{pane}")
        known = table.filter if isinstance(table, LiveTable | Logs | TextView) else ""
        self._app.command_bar.open("filter", known)

    def narrow(self, text: str) -> None:
        """Show only rows with this text in the table being filtered."""
        if self._filtered is not None:
            table = self._app.screen_stack[0].query_one(f"#{self._filtered}")
            if isinstance(table, LiveTable | Logs | TextView):
                table.filter = text

    def line_left(self, *, kept: bool, filtering: bool) -> None:
        """Give the focus back after the command or filter line."""
        if filtering and not kept:
            self.narrow("")
        pane = self._filtered if filtering else None
        self._filtered = None if filtering else self._filtered
        self.focus(pane or self._app.standing.last_pane)

    # ------------------------------------------------------------ dialogs

    def command(self, text: str = "") -> None:
        """Open the command line."""
        self._app.command_bar.open("command", text)

    def palette(self) -> None:
        """List what can be done now, and why the rest cannot."""
        situation = self._app.situation()
        keymap = self._app.keymap
        entries = [
            Entry(a.id, a.title, keymap.shown(a.id), a.disabled(situation), f":{a.name}")
            for a in sorted(here(situation), key=lambda a: a.disabled(situation) is not None)
            if a.id != "app.palette"
        ]

        def picked(action_id: str | None) -> None:
            if action_id is not None:
                self._app.perform(action_id)

        self._app.push_screen(Picker("Do", entries), picked)

    def help(self) -> None:
        """List the keys of the focused pane first, then those of the workspace and of all."""
        situation = self._app.situation()
        places = (situation.pane, situation.workspace)
        groups = {place: f"In {place.replace('_', ' ')}" for place in places if place is not None}
        lines = [HelpLine("Moving", " ".join(keys), title) for keys, title in self._app.pane_bindings()]
        for action in here(situation):
            group = next((words for place, words in groups.items() if place == action.scope), "Anywhere")
            keys = self._app.keymap.shown(action.id)
            lines.append(HelpLine(group, keys, action.title, action.name, action.disabled(situation)))
        lines.sort(key=lambda line: line.group == "Moving")
        role = situation.view.role
        if role is None or role != "viewer":
            lines += [HelpLine("Said on the command line", verb, says) for verb, (_, says) in VERBS.items()]
        self._app.push_screen(Help(f"Keys · {situation.pane or situation.workspace}", lines))

    def pick_theme(self) -> None:
        """Pick a theme; it is remembered."""
        entries = [Entry(name, name, "dark" if p.dark else "light") for name, p in PALETTES.items()]

        def picked(theme: str | None) -> None:
            if theme is not None:
                self._app.use_theme(theme)

        self._app.push_screen(Picker("Theme", entries, current=self._app.theme), picked)

    def density(self) -> None:
        """Rows closer together or further apart."""
        view = self._app.view
        view.density = "comfortable" if view.density == "compact" else "compact"
        self._app.changed()
