"""The providers, opened when they are first needed: their libraries would make every daemon start late.

This module must not know what providers are asked for.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from data.facts import ProviderHealth
from providers.settings import ProviderSettings

if TYPE_CHECKING:
    from providers.desk import Desk

ProviderName = Literal["fred", "alpha_vantage", "edgar"]
PROVIDERS: tuple[ProviderName, ...] = get_args(ProviderName)


class Providers:
    """Opens the desk once, in a thread, for whoever asks first.

    Args:
        folder: where limits and kept answers live.
        settings: where the providers are.
    """

    def __init__(self, folder: Path, settings: ProviderSettings) -> None:
        self.settings = settings
        self._folder = folder
        self._opening = asyncio.Lock()
        self._desk: Desk | None = None

    @property
    def opened(self) -> Desk | None:
        """The desk if it is open already."""
        return self._desk

    async def desk(self) -> Desk:
        """Return the desk; raises StoreFailedError if its files cannot be used."""
        if self._desk is None:
            async with self._opening:
                if self._desk is None:
                    self._desk = await asyncio.to_thread(_open, self._folder, self.settings)
        return self._desk

    def source(self, provider: ProviderName) -> str:
        """Return under which name a provider's facts go: its own, or its twin's."""
        return f"{provider}-sandbox" if self.settings.profile == "demo" else provider

    async def health(self) -> list[ProviderHealth]:
        """Return how each provider is; asks none."""
        desk = await self.desk()
        return await asyncio.to_thread(desk.health)

    async def close(self) -> None:
        """Close connections and files. Idempotent."""
        async with self._opening:
            if self._desk is not None:
                await self._desk.close()
                self._desk = None


def _open(folder: Path, settings: ProviderSettings) -> Desk:
    from providers.desk import Desk

    return Desk(folder, settings)
