"""The economy kept up to date: factors and regime asked for, told to everyone and stored.

This module must not know when that is done.
"""

from __future__ import annotations

import asyncio

from data.bus import Bus
from data.macro import MacroFactor, MacroRegime
from nautilus_tui.daemon.research.desk import Providers
from nautilus_tui.daemon.research.keeper import Keeper


class MacroWatch:
    """Asks, tells and stores; one refresh at a time."""

    def __init__(self, providers: Providers, keeper: Keeper, bus: Bus) -> None:
        self._providers = providers
        self._keeper = keeper
        self._bus = bus
        self._turn = asyncio.Lock()

    async def refresh(self, *, anew: bool) -> tuple[list[MacroFactor], MacroRegime]:
        """Ask for factors and regime, and tell and store them.

        ``anew``: even where kept answers are fresh. Raises ProviderError, if nothing at all is known.
        """
        async with self._turn:
            desk = await self._providers.desk()
            desk.fred.http.require_configured()
            factors = await desk.fred.factors(refresh=anew)
            self._bus.publish_records(factors)
            self._keeper.factors(factors)
            regime = await desk.fred.regime()
            self._bus.publish_records((regime,))
            self._keeper.regime(regime)
            return factors, regime
