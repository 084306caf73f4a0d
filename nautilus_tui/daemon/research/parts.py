"""The parts that deal with facts, made together: what routes, commands and the schedule work with.

This module must not know of HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from data.bus import Bus
from data.knowledge import Knowledge
from data.state import State
from engines.supervisor import Supervisor
from nautilus_tui.daemon.health import HealthWatch
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.research.commands import ResearchExecutors
from nautilus_tui.daemon.research.desk import Providers
from nautilus_tui.daemon.research.due import DueList
from nautilus_tui.daemon.research.filings import FilingWatch
from nautilus_tui.daemon.research.health import DataHealthWatch
from nautilus_tui.daemon.research.held import Held
from nautilus_tui.daemon.research.jobs import ResearchJobs
from nautilus_tui.daemon.research.keeper import Keeper
from nautilus_tui.daemon.research.macro import MacroWatch
from nautilus_tui.daemon.settings import DaemonSettings


class Research:
    """The parts, tied together. Nothing is opened before it is needed."""

    def __init__(
        self,
        folder: Path,
        settings: DaemonSettings,
        *,
        state: State,
        supervisor: Supervisor,
        present: Present,
        bus: Bus,
        health: HealthWatch,
        clock: Callable[[], int],
    ) -> None:
        self.knowledge: Knowledge = state.knowledge
        self.providers = Providers(folder, settings.providers)
        self.keeper = Keeper(self.knowledge)
        held = Held(state, supervisor)
        self.macro = MacroWatch(self.providers, self.keeper, bus)
        self.filings = FilingWatch(
            providers=self.providers,
            knowledge=self.knowledge,
            held=held,
            bus=bus,
            present=present,
            always=settings.watch,
            clock=clock,
        )
        self.due = DueList(
            providers=self.providers, knowledge=self.knowledge, held=held, filings=self.filings, clock=clock
        )
        self.health = DataHealthWatch(
            providers=self.providers, supervisor=supervisor, health=health, bus=bus, clock=clock
        )
        self.executors = ResearchExecutors(self.providers, self.macro, self.filings)
        self.jobs = ResearchJobs(
            providers=self.providers,
            macro=self.macro,
            filings=self.filings,
            due=self.due,
            health=self.health,
            filings_minutes=settings.filings_minutes,
            clock=clock,
        )

    async def close(self) -> None:
        """End what is being fetched, store what was answered, close the providers."""
        await self.executors.close()
        await self.keeper.settled()
        await self.providers.close()
