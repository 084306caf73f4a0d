"""What the user is in the middle of, as one value: it decides which actions apply and why some do not.

Built by the application for each question, read by the registry of actions. It must not know of
Textual or of how anything is carried out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from data.limits import Breach, LimitStatus
from data.records import WORKING_STATUSES, EngineStatus, Instrument, OrderUpdate, PositionUpdate, Quote
from nautilus_tui.terminal.mirror import Mirror
from nautilus_tui.terminal.places import ANYWHERE
from nautilus_tui.terminal.view import View


@dataclass(frozen=True, slots=True)
class Situation:
    """The selection, what is known about it, and the pane that has the focus."""

    view: View
    mirror: Mirror
    workspace: str = "trade"
    pane: str | None = None
    order: OrderUpdate | None = None  #: under the cursor of the orders pane
    marked: tuple[OrderUpdate, ...] = field(default=())  #: orders marked for one action on all
    position: PositionUpdate | None = None  #: under the cursor of the positions pane
    ticket_open: bool = False
    typing: bool = False  #: printable keys are text, not actions
    no_largest: str | None = "no ticket is open"  #: why no largest quantity can be taken; None: it can
    ticket_sendable: str | None = "no ticket is open"  #: why its order cannot be sent now; None: it can

    @property
    def engine(self) -> EngineStatus | None:
        """The selected engine."""
        return None if self.view.engine is None else self.mirror.engines.get(self.view.engine)

    @property
    def instrument(self) -> Instrument | None:
        """The selected instrument."""
        return self.mirror.instrument(self.view.engine, self.view.instrument)

    @property
    def quote(self) -> Quote | None:
        """The selected instrument's latest quote."""
        return self.mirror.quote(self.view.engine, self.view.instrument)

    @property
    def limit(self) -> LimitStatus | None:
        """The limit that is looked at."""
        return self.mirror.risk.limits.get(self.view.risk.limit or "")

    @property
    def breach(self) -> Breach | None:
        """The breach that is looked at."""
        return self.mirror.risk.breaches.get(self.view.risk.breach or "")

    @property
    def working(self) -> list[OrderUpdate]:
        """The selected engine's working orders."""
        return [] if self.view.engine is None else self.mirror.working_orders(self.view.engine)

    @property
    def open_positions(self) -> list[PositionUpdate]:
        """The selected engine's open positions."""
        if self.view.engine is None:
            return []
        return [row.position for row in self.mirror.position_rows(self.view.engine)]

    @property
    def chosen_orders(self) -> tuple[OrderUpdate, ...]:
        """The marked working orders, else the one under the cursor."""
        chosen = self.marked or (() if self.order is None else (self.order,))
        return tuple(o for o in chosen if o.status in WORKING_STATUSES)

    def applies(self, scope: str) -> bool:
        """Say whether something of this scope applies here."""
        return scope == ANYWHERE or scope in (self.workspace, self.pane)
