"""What route handlers work with: the parts of the daemon, in one struct.

This module must not know of routes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.state import State
from engines.supervisor import Supervisor
from nautilus_tui.daemon.auth import Authenticator
from nautilus_tui.daemon.authority import Authority
from nautilus_tui.daemon.console import SqlConsole
from nautilus_tui.daemon.door import Door
from nautilus_tui.daemon.health import HealthWatch
from nautilus_tui.daemon.logs import EngineLogs
from nautilus_tui.daemon.market import Market
from nautilus_tui.daemon.refusals import Refusals
from nautilus_tui.daemon.research.parts import Research
from nautilus_tui.daemon.risk.parts import Risk
from nautilus_tui.daemon.streams.hub import StreamHub

if TYPE_CHECKING:
    from data.history import History


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of the daemon that questions are answered from, and the door."""

    state: State
    market: Market
    history: Callable[[], History]  #: opens it; call it in a thread
    console: SqlConsole
    supervisor: Supervisor
    door: Door
    authenticator: Authenticator
    refusals: Refusals
    authority: Authority
    health: HealthWatch
    logs: EngineLogs
    hub: StreamHub
    research: Research
    risk: Risk
    clock: Callable[[], int]
