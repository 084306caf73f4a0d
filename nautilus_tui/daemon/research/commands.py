"""How the commands about facts are carried out: refresh, watch, unwatch.

This module must not know who sent one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from data.commands import Outcome, RefreshProviders, UnwatchCompany, WatchCompany
from data.problems import NotConfiguredError, ProviderDownError, ProviderError
from nautilus_tui.daemon.research.desk import PROVIDERS, Providers
from nautilus_tui.daemon.research.filings import FilingWatch
from nautilus_tui.daemon.research.macro import MacroWatch

ResearchCommand = RefreshProviders | WatchCompany | UnwatchCompany
#: An answer leaves so much before whoever waits for it gives up.
_MARGIN_S = 1.0


class ResearchExecutors:
    """Carries out commands about facts."""

    def __init__(self, providers: Providers, macro: MacroWatch, filings: FilingWatch) -> None:
        self._providers = providers
        self._macro = macro
        self._filings = filings
        self._going: set[asyncio.Task[str]] = set()
        self._fetch: dict[str, Callable[[], Coroutine[Any, Any, str]]] = {
            "fred": self._fetch_macro,
            "edgar": self._fetch_filings,
        }

    async def close(self) -> None:
        """End what is still being fetched."""
        for task in self._going:
            task.cancel()
        await asyncio.gather(*self._going, return_exceptions=True)

    async def execute(self, command: ResearchCommand, done: Outcome, timeout: float) -> Outcome:
        """Carry a command out; raises ProblemError if it could not be."""
        match command:
            case RefreshProviders():
                return await self._refresh(command.provider, done, timeout)
            case WatchCompany():
                company = await self._filings.watch(command.ticker)
                data = {"cik": str(company.cik), "name": company.name, "tickers": ", ".join(company.tickers)}
                return msgspec.structs.replace(done, detail=f"{company.name} is watched", data=data)
            case UnwatchCompany():
                ticker = await self._filings.unwatch(command.ticker)
                return msgspec.structs.replace(done, detail=f"{ticker} is watched no longer")

    # ------------------------------------------------------------ refresh

    async def _refresh(self, provider: str | None, done: Outcome, timeout: float) -> Outcome:
        """Let kept answers count as old and ask for what is shown; say what came of each provider.

        One that was named and fails fails the command; of all, that none succeeds does.
        """
        desk = await self._providers.desk()
        clients = {
            http.spec.name: http for http in (desk.fred.http, desk.alpha_vantage.http, desk.edgar.http)
        }
        names = [provider] if provider is not None else [n for n in PROVIDERS if n in self._fetch]
        said: dict[str, str] = {}
        problems: list[ProviderError] = []
        fetches: dict[str, asyncio.Task[str]] = {}
        for name in names:
            try:
                clients[name].require_configured()
            except NotConfiguredError as error:
                problems.append(error)
                said[name] = f"{error.name}: {error.detail}"
                continue
            expired = await asyncio.to_thread(desk.expire, name)
            said[name] = f"{expired} kept answers will be asked for anew"
            if name in self._fetch:
                fetches[name] = self._start(self._fetch[name]())
        problems += await _await_all(fetches, said, max(timeout - _MARGIN_S, 0.1))
        if len(problems) == len(names):
            raise problems[0]
        return msgspec.structs.replace(
            done, detail="; ".join(f"{name}: {said[name]}" for name in names), data=said
        )

    def _start(self, work: Coroutine[Any, Any, str]) -> asyncio.Task[str]:
        task = asyncio.create_task(work)
        self._going.add(task)
        task.add_done_callback(self._landed)
        return task

    def _landed(self, task: asyncio.Task[str]) -> None:
        self._going.discard(task)
        if not task.cancelled():
            task.exception()  # told by whoever waited; health says it to everyone

    async def _fetch_macro(self) -> str:
        factors, regime = await self._macro.refresh(anew=True)
        good = [factor for factor in factors if factor.problem is None and factor.stale is None]
        if not good:
            reasons = {factor.problem or factor.stale for factor in factors}
            raise ProviderDownError(
                f"FRED: none of {len(factors)} factors could be had: {'; '.join(sorted(map(str, reasons)))}"[
                    :1000
                ],
                fix="see the health of FRED",
            )
        return f"{len(good)} of {len(factors)} factors, regime {regime.quadrant or regime.problem}"

    async def _fetch_filings(self) -> str:
        looked = await self._filings.look()
        if looked.problems and len(looked.problems) == looked.companies:
            raise next(iter(looked.problems.values()))
        failed = f", {len(looked.problems)} failed" if looked.problems else ""
        return f"{len(looked.news)} new filings of {looked.companies} companies{failed}"


async def _await_all(
    fetches: dict[str, asyncio.Task[str]], said: dict[str, str], timeout: float
) -> list[ProviderError]:
    """Wait for what is being fetched; add to ``said`` what came of each and return what failed."""
    if not fetches:
        return []
    await asyncio.wait(fetches.values(), timeout=timeout)
    problems = []
    for name, task in fetches.items():
        if not task.done():
            said[name] += "; still being fetched"
            continue
        if task.cancelled():
            said[name] += "; not fetched, because the daemon stops"
            continue
        error = task.exception()
        if isinstance(error, ProviderError):
            problems.append(error)
            said[name] = f"{error.name}: {error.detail}"
        elif error is not None:
            raise error
        else:
            said[name] = task.result()
    return problems
