"""Puts what was answered into the store; nobody waits for it.

This module must not know who asked or what a provider is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any

from data.companies import CompanyFacts, Filing
from data.knowledge import Knowledge
from data.macro import MacroFactor, MacroRegime
from data.problems import StoreFailedError

#: Answers that are remembered as stored, so that one that is asked again and again is written once.
_REMEMBERED = 4096

logger = logging.getLogger(__name__)


class Keeper:
    """Takes answers and stores them one after the other."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()
        self._stored: dict[tuple[object, ...], int] = {}

    def factors(self, factors: Sequence[MacroFactor]) -> None:
        """Take macro factors."""
        fresh = [f for f in factors if self._is_new(("factor", f.source, f.id, f.as_of), f.fetched_at)]
        if fresh:
            self._begin(self._knowledge.put_factors(fresh))

    def regime(self, regime: MacroRegime) -> None:
        """Take a macro regime."""
        if self._is_new(("regime", regime.source, regime.as_of), regime.fetched_at):
            self._begin(self._knowledge.put_regime(regime))

    def facts(self, facts: CompanyFacts, question: tuple[object, ...]) -> None:
        """Take a company's figures, as the answer to a question that is told apart by ``question``."""
        if facts.facts and self._is_new(("facts", facts.source, facts.cik, *question), facts.fetched_at):
            self._begin(self._knowledge.put_facts(facts.facts))

    def filings(self, filings: Sequence[Filing]) -> None:
        """Take filings."""
        fresh = [f for f in filings if self._is_new(("filing", f.source, f.cik, f.accession), 0)]
        if fresh:
            self._begin(self._knowledge.put_filings(fresh))

    async def settled(self) -> None:
        """Wait until everything that was taken is stored, or could not be."""
        while tasks := list(self._tasks):
            await asyncio.gather(*tasks)
            self._tasks.difference_update(tasks)

    def _is_new(self, key: tuple[object, ...], fetched_at: int) -> bool:
        if self._stored.get(key) == fetched_at:
            return False
        self._stored.pop(key, None)
        self._stored[key] = fetched_at
        if len(self._stored) > _REMEMBERED:
            del self._stored[next(iter(self._stored))]
        return True

    def _begin(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            async with self._turn:  # one at a time: orders wait in the same queue
                await work
        except StoreFailedError as error:  # the store's health says so too
            self._stored.clear()
            logger.error("what was answered could not be stored: %s", error.detail)
