"""What is held, over all engines, and which tickers that means to the world outside.

This module must not know of providers.
"""

from __future__ import annotations

import re

import msgspec

from data.problems import NotFoundError
from data.records import AssetClass, Instrument
from data.state import State
from engines.supervisor import Supervisor

_MANY = 10_000
#: What a share's symbol looks like; currency pairs and futures do not.
_TICKER = re.compile(r"[A-Z]{1,5}([./ -][A-Z]{1,2})?")


class HeldInstrument(msgspec.Struct, frozen=True, kw_only=True):
    """An instrument of which a position is open."""

    id: str
    symbol: str
    asset_class: AssetClass | None  #: None: its engine does not say

    @property
    def ticker(self) -> str | None:
        """The ticker of the company it is a share of, as the regulator writes it; None if it is none."""
        if self.asset_class not in ("equity", None) or not _TICKER.fullmatch(self.symbol):
            return None
        return spelt(self.symbol)


def spelt(ticker: str) -> str:
    """Return a ticker as the regulator writes it: capitals, and a dash before the share class."""
    return re.sub(r"[./ ]", "-", ticker.strip().upper())


class Held:
    """Looks at the open positions."""

    def __init__(self, state: State, supervisor: Supervisor) -> None:
        self._state = state
        self._supervisor = supervisor

    async def instruments(self) -> list[HeldInstrument]:
        """Return what is held, by instrument id."""
        positions = (await self._state.positions(limit=_MANY)).items
        known: dict[str, Instrument] = {}
        for engine in {position.engine for position in positions}:
            known |= {instrument.id: instrument for instrument in self._traded(engine)}
        return [self._held(id_, known.get(id_)) for id_ in sorted({p.instrument for p in positions})]

    def _traded(self, engine: str) -> list[Instrument]:
        try:
            return self._supervisor.instruments(engine)
        except NotFoundError:  # of an engine whose settings are gone only the positions are known
            return []

    def _held(self, id_: str, instrument: Instrument | None) -> HeldInstrument:
        if instrument is None:
            return HeldInstrument(id=id_, symbol=id_.rpartition(".")[0] or id_, asset_class=None)
        return HeldInstrument(id=id_, symbol=instrument.symbol, asset_class=instrument.asset_class)
