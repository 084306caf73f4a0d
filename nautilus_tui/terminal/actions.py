"""The registry of actions: everything the terminal can do, declared once.

Key bindings, palette entries, ``:`` names, the help screen and the footer's hints are all made from
:data:`ACTIONS`; role, danger and title of what changes something come from the command it sends.
Read-only roles are stripped here, in one place. This module must not know of Textual or of how an
action is carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from data.commands import (
    ROLES,
    CancelAll,
    CancelOrder,
    ClosePosition,
    Command,
    Flatten,
    ModifyOrder,
    RestartEngine,
    Role,
    SetFeed,
    StartEngine,
    StopEngine,
    SubmitOrder,
)
from data.records import WORKING_STATUSES
from nautilus_tui.terminal.situation import Scope, Situation

Check = Callable[[Situation], str | None]

#: The chord that sends an order or confirms a danger. ``alt+enter`` reaches us only from terminals
#: that report modifiers (elsewhere it is a plain enter, which sends nothing); ``ctrl+o`` from all.
SEND_KEYS: Final = ("ctrl+o", "alt+enter")
#: Keys that tmux, screen or flow control take for themselves.
TAKEN_KEYS: Final = frozenset({"ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q", "ctrl+z"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that can be done."""

    id: str
    keys: tuple[str, ...]
    name: str  #: what to type after ``:``
    scope: Scope = "anywhere"
    command: type[Command] | None = None  #: what it sends, if it changes anything
    label: str = ""  #: its title where the command's does not say it
    hint: str = ""  #: one word for the footer; empty: not shown there
    check: Check | None = None

    @property
    def title(self) -> str:
        """What it does, in words."""
        return self.label or (self.command.title if self.command is not None else self.id)

    @property
    def role(self) -> Role:
        """The least role that may do it."""
        return self.command.role if self.command is not None else "viewer"

    @property
    def dangerous(self) -> bool:
        """Whether it asks for confirmation, saying what exactly will happen."""
        return self.command is not None and self.command.dangerous

    def refused(self, situation: Situation) -> str | None:
        """Return why nothing of this kind can be done at all: the role, or no connection."""
        if self.command is None:
            return None
        return _may(situation, self.role) or _connected(situation)

    def disabled(self, situation: Situation) -> str | None:
        """Return why it cannot be done now, None when it can."""
        reason = self.refused(situation)
        if reason is None and self.check is not None:
            reason = self.check(situation)
        return reason


# ---------------------------------------------------------------- reasons


def _may(situation: Situation, role: Role) -> str | None:
    have = situation.view.role
    if have is not None and ROLES.index(have) < ROLES.index(role):
        return f"needs the role {role}; you are {have}"
    return None


def _connected(situation: Situation) -> str | None:
    state = situation.mirror.connection.state
    if state == "connected":
        return None
    return "not connected yet" if state == "connecting" else "disconnected from the daemon"


def _engine_named(situation: Situation) -> str | None:
    return None if situation.view.engine else "no engine is selected"


def _engine_runs(situation: Situation) -> str | None:
    engine = situation.engine
    if engine is None:
        return "no engine is selected"
    if engine.state not in ("running", "degraded"):
        return f"{engine.id} is {engine.state}"
    return None


def _engine_stopped(situation: Situation) -> str | None:
    engine = situation.engine
    if engine is not None and engine.state in ("running", "degraded", "starting", "stopping"):
        return f"{engine.id} is {engine.state}"
    return None


def _engine_up(situation: Situation) -> str | None:
    engine = situation.engine
    if engine is None:
        return "no engine is selected"
    return f"{engine.id} is stopped" if engine.state in ("stopped", "stopping") else None


def _can_order(situation: Situation) -> str | None:
    reason = _engine_runs(situation)
    if reason is not None:
        return reason
    if situation.view.instrument is None:
        return "no instrument is selected"
    if situation.instrument is None:
        return f"the rules of {situation.view.instrument} are not known yet"
    return None


def _order_there(situation: Situation) -> str | None:
    return None if situation.order is not None else "no order is under the cursor"


def _one_order_logged(situation: Situation) -> str | None:
    return None if situation.view.log_order is not None else "lines of all orders are shown"


def _order_works(situation: Situation) -> str | None:
    order = situation.order
    if order is None:
        return "no order is under the cursor"
    if order.status not in WORKING_STATUSES:
        return f"{order.client_order_id} is {order.status.replace('_', ' ')}"
    return _engine_runs(situation)


def _orders_chosen(situation: Situation) -> str | None:
    if situation.chosen_orders:
        return _engine_runs(situation)
    return _order_works(situation) or "none of the marked orders is working"


def _any_working(situation: Situation) -> str | None:
    return _engine_runs(situation) or (None if situation.working else "no order is working")


def _any_exposure(situation: Situation) -> str | None:
    reason = _engine_runs(situation)
    if reason is None and not situation.working and not situation.open_positions:
        return "no order is working and no position is open"
    return reason


def _position_open(situation: Situation) -> str | None:
    position = situation.position
    if position is None or position.qty == 0:
        return "no open position is under the cursor"
    return _engine_runs(situation)


def _ticket_ready(situation: Situation) -> str | None:
    return situation.ticket_sendable


def _ticket_open(situation: Situation) -> str | None:
    return None if situation.ticket_open else "no ticket is open"


# ---------------------------------------------------------------- the registry

ACTIONS: Final[tuple[Action, ...]] = (
    # trading
    Action(
        id="order.buy",
        keys=("b",),
        name="ticket-buy",
        scope="trade",
        command=SubmitOrder,
        label="Open a buy ticket",
        hint="buy",
        check=_can_order,
    ),
    Action(
        id="order.sell",
        keys=("s",),
        name="ticket-sell",
        scope="trade",
        command=SubmitOrder,
        label="Open a sell ticket",
        hint="sell",
        check=_can_order,
    ),
    Action(
        id="ticket.send",
        keys=SEND_KEYS,
        name="send",
        scope="ticket",
        command=SubmitOrder,
        label="Send the ticket's order",
        hint="send",
        check=_ticket_ready,
    ),
    Action(
        id="ticket.close",
        keys=("escape",),
        name="ticket-close",
        scope="ticket",
        label="Close the ticket",
        hint="close",
        check=_ticket_open,
    ),
    Action(
        id="order.modify",
        keys=("m",),
        name="ticket-modify",
        scope="orders",
        command=ModifyOrder,
        hint="modify",
        check=_order_works,
    ),
    Action(
        id="order.cancel",
        keys=("x", "c"),
        name="cancel-order",
        scope="orders",
        command=CancelOrder,
        hint="cancel",
        check=_orders_chosen,
    ),
    Action(
        id="order.cancel_all",
        keys=("X",),
        name="cancel-all",
        scope="trade",
        command=CancelAll,
        check=_any_working,
    ),
    Action(
        id="position.close",
        keys=("x", "c"),
        name="close-position",
        scope="positions",
        command=ClosePosition,
        hint="close",
        check=_position_open,
    ),
    Action(
        id="position.reverse",
        keys=("r",),
        name="reverse",
        scope="positions",
        command=SubmitOrder,
        label="Open a ticket that reverses the position",
        hint="reverse",
        check=_position_open,
    ),
    Action(
        id="position.flatten",
        keys=("f",),
        name="flatten-all",
        command=Flatten,
        hint="flatten",
        check=_any_exposure,
    ),
    # looking
    Action(
        id="chart.timeframe_next",
        keys=("]", "t"),
        name="timeframe-next",
        scope="trade",
        label="Longer timeframe",
    ),
    Action(
        id="chart.timeframe_previous",
        keys=("[",),
        name="timeframe-previous",
        scope="trade",
        label="Shorter timeframe",
    ),
    Action(
        id="chart.overlays",
        keys=("o",),
        name="overlays",
        scope="chart",
        label="Show or hide the chart's overlays",
    ),
    Action(
        id="instrument.pick",
        keys=("i",),
        name="instruments",
        scope="trade",
        label="Pick an instrument",
        hint="symbol",
    ),
    Action(
        id="orders.scope",
        keys=("a",),
        name="orders-scope",
        scope="orders",
        label="Orders shown: today, working, all",
        hint="which",
    ),
    Action(
        id="order.logs",
        keys=("l",),
        name="order-logs",
        scope="orders",
        label="The order's events among the engine's log lines",
        hint="log",
        check=_order_there,
    ),
    Action(
        id="logs.level",
        keys=("l",),
        name="log-level",
        scope="engines",
        label="Lowest log level shown",
        hint="level",
    ),
    Action(
        id="logs.all",
        keys=("escape",),
        name="log-all",
        scope="logs",
        label="Log lines of all orders again",
        hint="all",
        check=_one_order_logged,
    ),
    # engines
    Action(id="engine.pick", keys=("e",), name="engines-pick", label="Pick an engine"),
    Action(
        id="engine.start",
        keys=("s",),
        name="engine-start",
        scope="engines",
        command=StartEngine,
        hint="start",
        check=_engine_stopped,
    ),
    Action(
        id="engine.stop",
        keys=("x",),
        name="engine-stop",
        scope="engines",
        command=StopEngine,
        hint="stop",
        check=_engine_up,
    ),
    Action(
        id="engine.restart",
        keys=("r",),
        name="engine-restart",
        scope="engines",
        command=RestartEngine,
        hint="restart",
        check=_engine_up,
    ),
    Action(
        id="engine.kill",
        keys=("K",),
        name="engine-kill",
        command=StopEngine,
        label="Emergency stop: cancel all, flatten, stop the engine",
        check=_engine_runs,
    ),
    Action(
        id="feed.pause",
        keys=("p",),
        name="feed-pause",
        command=SetFeed,
        label="Pause or resume the feed",
        check=_engine_runs,
    ),
    Action(
        id="feed.step",
        keys=(".",),
        name="feed-step",
        command=SetFeed,
        label="Step the paused feed",
        check=_engine_runs,
    ),
    # getting about
    Action(id="workspace.trade", keys=("1",), name="trade", label="Workspace Trade"),
    Action(id="workspace.engines", keys=("6",), name="engines", label="Workspace Engines"),
    Action(id="app.command", keys=(":",), name="command", label="Type a command", hint="cmd"),
    Action(id="app.palette", keys=("ctrl+p",), name="palette", label="Everything that can be done now"),
    Action(id="app.help", keys=("?",), name="help", label="Keys that work here", hint="help"),
    Action(id="pane.jump", keys=("g",), name="jump", label="Jump to a pane by its letter", hint="go"),
    Action(id="pane.filter", keys=("/",), name="filter", label="Filter the table"),
    Action(id="layout.wider", keys=(">",), name="wider", label="Widen the pane"),
    Action(id="layout.narrower", keys=("<",), name="narrower", label="Narrow the pane"),
    Action(id="layout.taller", keys=("}",), name="taller", label="Heighten the pane"),
    Action(id="layout.shorter", keys=("{",), name="shorter", label="Lower the pane"),
    Action(id="layout.reset", keys=("ctrl+r",), name="reset-layout", label="Panes as they were at first"),
    Action(id="pane.maximise", keys=("z",), name="maximise", label="Maximise the pane, or put it back"),
    Action(id="app.theme", keys=("T",), name="themes", label="Pick a theme"),
    Action(id="app.density", keys=("D",), name="density", label="Compact or comfortable rows"),
    Action(id="app.quit", keys=("q",), name="quit", label="Detach: engines trade on", hint="detach"),
)

BY_ID: Final[dict[str, Action]] = {action.id: action for action in ACTIONS}
BY_NAME: Final[dict[str, Action]] = {action.name: action for action in ACTIONS}


def actions_for(role: Role | None) -> tuple[Action, ...]:
    """Return what a role may do at all: the one place where read-only strips what changes things.

    An unknown role (not connected yet) keeps everything; each action then says why it cannot be done.
    """
    if role is None:
        return ACTIONS
    return tuple(a for a in ACTIONS if ROLES.index(role) >= ROLES.index(a.role))


def here(situation: Situation) -> list[Action]:
    """Return the actions that apply here, those of the focused pane first."""
    order: dict[str | None, int] = {situation.pane: 0, situation.workspace: 1}
    found = [a for a in actions_for(situation.view.role) if situation.applies(a.scope)]
    return sorted(found, key=lambda a: order.get(a.scope, 2))


def hints(situation: Situation) -> list[Action]:
    """Return the actions for the footer: those with a hint that work now, the pane's own first."""
    found = [a for a in here(situation) if a.hint and a.disabled(situation) is None]
    if not situation.typing:
        return found
    return [a for a in found if any(len(key) > 1 for key in a.keys)]
