"""What the user is looking at: the selection every pane is drawn for.

Plain state, written by the application's actions, read by panes. It must not know of Textual,
of the network or of how anything is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from data.access import Role
from nautilus_tui.terminal.macro_view import MacroView
from nautilus_tui.terminal.research_view import ResearchView
from nautilus_tui.terminal.risk_view import RiskView

#: Timeframes a chart offers, in the order ``[`` and ``]`` walk them.
TIMEFRAMES: tuple[str, ...] = ("5s", "15s", "1m", "5m", "15m", "1h", "1d")
#: Seconds in one bar of each timeframe.
TIMEFRAME_SECONDS: dict[str, int] = {
    "5s": 5,
    "15s": 15,
    "1m": 60,
    "5m": 300,
    "15m": 900,
    "1h": 3600,
    "1d": 86400,
}
#: Overlays a chart offers: name and period (VWAP has none).
OVERLAYS: tuple[str, ...] = ("SMA20", "EMA50", "VWAP")

OrderScope = Literal["working", "today", "all"]
Density = Literal["compact", "comfortable"]


@dataclass(slots=True)
class View:
    """The selection and the reader's preferences.

    ``now_ns`` is the time of the current frame, set by the application before panes refresh, so
    that every age on the screen is measured from one moment (and tests can freeze it).
    """

    engine: str | None = None
    instrument: str | None = None
    timeframe: str = "1m"
    overlays: tuple[str, ...] = OVERLAYS
    order_scope: OrderScope = "today"
    log_engine: str | None = None  #: None: the selected engine
    log_level: str = "info"  #: lowest level shown
    log_order: str | None = None  #: show only lines and events of this order
    density: Density = "compact"
    role: Role | None = None
    actor: str | None = None  #: who one is to the daemon: ``local``, or a token's name
    stale_after_ms: int = 5000  #: a quote older than this is dimmed
    now_ns: int = 0
    watched: tuple[str, ...] = field(default=())  #: instruments of the watchlist; empty: all
    macro: MacroView = field(default_factory=MacroView)
    research: ResearchView = field(default_factory=ResearchView)
    risk: RiskView = field(default_factory=RiskView)
