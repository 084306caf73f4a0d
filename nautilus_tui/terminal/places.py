"""Where one can be: the workspaces with their keys, and the panes of each with their letters.

One table: the key bindings, the bottom line, jump mode, filters and the first focus of a workspace
are all made from it. It must not know of Textual or of what a pane shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple


class Spot(NamedTuple):
    """A pane of a workspace: its id, the letter that jumps to it, whether ``/`` filters it."""

    id: str
    letter: str
    filters: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A workspace."""

    id: str
    key: str
    title: str
    said: str  #: how its action is said on the ``:`` line
    panes: tuple[Spot, ...]  #: the first of them has the focus first
    start: str = ""  #: the pane that has the focus first, where it is not the first of them
    filtered: str = ""  #: the pane that ``/`` filters where the focused one has nothing to filter
    logstrip: bool = False  #: whether the engine's latest log line stands under it

    @property
    def first(self) -> str:
        """The pane that has the focus first."""
        return self.start or self.panes[0].id


PLACES: Final[tuple[Place, ...]] = (
    Place(
        id="trade",
        key="1",
        title="Trade",
        said="trade",
        panes=(
            Spot("watchlist", "a", True),
            Spot("chart", "s"),
            Spot("book", "d"),
            Spot("ticket", "f"),
            Spot("positions", "g", True),
            Spot("orders", "h", True),
        ),
        filtered="watchlist",
        logstrip=True,
    ),
    Place(
        id="macro",
        key="2",
        title="Macro",
        said="workspace-macro",
        panes=(
            Spot("factors", "a", True),
            Spot("factor_chart", "s"),
            Spot("curve", "d"),
            Spot("regime", "f"),
            Spot("calendar", "g", True),
        ),
        filtered="factors",
    ),
    Place(
        id="research",
        key="3",
        title="Research",
        said="workspace-research",
        panes=(
            Spot("companies", "a", True),
            Spot("overview", "s"),
            Spot("filings", "d", True),
            Spot("reader", "f", True),
            Spot("facts", "g", True),
            Spot("insiders", "h", True),
            Spot("holdings", "j", True),
        ),
        start="filings",
        filtered="companies",
    ),
    Place(
        id="risk",
        key="4",
        title="Risk",
        said="workspace-risk",
        panes=(
            Spot("limits", "a", True),
            Spot("breaches", "s", True),
            Spot("limit_detail", "d"),
            Spot("forecast", "f", True),
            Spot("var", "g"),
            Spot("stress", "h"),
            Spot("exposures", "j", True),
        ),
        filtered="limits",
    ),
    Place(
        id="engines",
        key="6",
        title="Engines",
        said="engines",
        panes=(Spot("engine_table", "a", True), Spot("logs", "s", True)),
        filtered="logs",
    ),
)

BY_PLACE: Final[dict[str, Place]] = {place.id: place for place in PLACES}
#: The workspace each pane is in.
PANES: Final[dict[str, str]] = {spot.id: place.id for place in PLACES for spot in place.panes}
SPOTS: Final[dict[str, Spot]] = {spot.id: spot for place in PLACES for spot in place.panes}

#: Where an action applies: ``anywhere``, in a workspace, or in one pane that has the focus.
ANYWHERE: Final = "anywhere"
SCOPES: Final = frozenset({ANYWHERE, *BY_PLACE, *PANES})


def overlap(one: str, other: str) -> bool:
    """Say whether two scopes can apply at the same moment."""
    if one == other or ANYWHERE in (one, other):
        return True
    return PANES.get(one) == other or PANES.get(other) == one
