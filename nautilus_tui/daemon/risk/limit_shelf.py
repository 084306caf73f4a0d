"""What is kept about limits, in memory and on disk: the same at every moment, one change after the other.

A change is written first and counts when it is on disk. This module must not know which changes may be made.
"""

from __future__ import annotations

import asyncio
import difflib
import logging
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

from data.limit_store import EngineRestriction, LimitStore, Writing
from data.limits import GATED, GateBook, Limit, LimitChange
from data.problems import NotFoundError

_ENGINE: Final = "engine:"

logger = logging.getLogger(__name__)


class LimitShelf:
    """The limits, the changes that wait and the restrictions of engines that count now."""

    def __init__(self, store: LimitStore) -> None:
        self._store = store
        self.version = 0  #: of all of it; grows with every change that engines go by
        self.limits: dict[str, Limit] = {}
        self.pending: dict[str, LimitChange] = {}
        self.restrictions: dict[str, EngineRestriction] = {}
        self._gone: dict[str, int] = {}
        self._callbacks: list[Callable[[], None]] = []
        self._writing: set[asyncio.Future[None]] = set()

    async def load(self) -> None:
        """Go on with what was kept."""
        kept = await self._store.load()
        self.version = kept.version
        self.limits = {one.id: one for one in kept.limits}
        self.pending = {one.id: one for one in kept.pending}
        self.restrictions = {one.engine: one for one in kept.restrictions}
        self._gone = dict(kept.gone)

    async def close(self) -> None:
        """Wait for what is being written."""
        await asyncio.gather(*self._writing, return_exceptions=True)  # told as they failed

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call when what engines and the monitor go by has changed."""
        self._callbacks.append(callback)

    # ------------------------------------------------------------ what there is

    def limit(self, id_: str) -> Limit:
        """Return one limit; raises NotFoundError and says what comes near."""
        found = self.limits.get(id_)
        if found is not None:
            return found
        near = difflib.get_close_matches(id_, self.limits, n=3, cutoff=0.5)
        raise NotFoundError(
            f"there is no limit {id_[:120]!r}",
            rule="a limit's id is <type>:<scope>:<unit>",
            fix=f"did you mean {' or '.join(near)}?" if near else "see nautilus-tui limit list",
            field="limit_id",
            value=id_[:120],
        )

    async def change(self, id_: str) -> LimitChange:
        """Return a change, waiting or decided; raises NotFoundError."""
        return self.pending.get(id_) or await self._store.change(id_)

    def sorted(self) -> tuple[Limit, ...]:
        """Return every limit, by id."""
        return tuple(self.limits[id_] for id_ in sorted(self.limits))

    def next_version(self, id_: str) -> int:
        """Return the version that a limit has after its next change, also when it was deleted before."""
        known = self.limits.get(id_)
        return 1 + (self._gone.get(id_, 0) if known is None else known.version)

    def missing(self, seeds: Iterable[Limit]) -> tuple[Limit, ...]:
        """Return those that were never there: what was deleted does not come back by itself."""
        return tuple(one for one in seeds if one.id not in self.limits and one.id not in self._gone)

    def book_of(self, engine: str, peak: Decimal | None, ts: int) -> GateBook:
        """Return all that an engine's gate goes by."""
        restricted = self.restrictions.get(engine)
        return GateBook(
            engine=engine,
            version=self.version,
            limits=tuple(one for one in self.sorted() if gates(one, engine)),
            restriction="none" if restricted is None else restricted.restriction,
            restriction_reason=None if restricted is None else restricted.reason,
            peak_equity=peak,
            ts=ts,
        )

    # ------------------------------------------------------------ changes

    async def write(
        self,
        *,
        limits: tuple[Limit, ...] = (),
        deleted: tuple[Limit, ...] = (),
        changes: tuple[LimitChange, ...] = (),
        restrictions: tuple[EngineRestriction, ...] = (),
    ) -> None:
        """Keep a change; it counts when this returns. Nobody else may be writing.

        Raises:
            StoreFailedError: Nothing changed.
        """
        counts = bool(limits or deleted or restrictions)
        writing = Writing(
            version=self.version + counts,
            limits=limits,
            deleted=deleted,
            changes=changes,
            restrictions=restrictions,
        )
        await self._store.write(writing)
        self._take(writing)

    def put_soon(self, limits: tuple[Limit, ...]) -> None:
        """Have limits count at once and write them as soon as can be: an engine waits for them."""
        self._write_soon(Writing(version=self.version + 1, limits=limits))

    def catch_up(self, ahead: GateBook) -> None:
        """Take over what an engine goes by and the store does not know, and never fall behind its version."""
        later = tuple(one for one in ahead.limits if one.version >= self.next_version(one.id))
        known = self.restrictions.get(ahead.engine)
        lost = ahead.restriction != "none" and (known is None or known.ts < ahead.ts)
        said = EngineRestriction(
            engine=ahead.engine,
            restriction=ahead.restriction,
            reason=ahead.restriction_reason,
            by="engine",
            ts=ahead.ts,
        )
        version = max(self.version, ahead.version) + 1
        self._write_soon(Writing(version=version, limits=later, restrictions=(said,) if lost else ()))

    def _write_soon(self, writing: Writing) -> None:
        self._take(writing)
        queued = self._store.write(writing)
        self._writing.add(queued)
        queued.add_done_callback(self._on_written)

    def _on_written(self, queued: asyncio.Future[None]) -> None:
        self._writing.discard(queued)
        error = None if queued.cancelled() else queued.exception()
        if error is not None:  # the store's health says so too; the engine keeps what it was sent
            logger.error("limits that an engine goes by could not be stored: %s", error)

    def _take(self, writing: Writing) -> None:
        self.version = max(self.version, writing.version)
        for limit in writing.limits:
            self.limits[limit.id] = limit
            self._gone.pop(limit.id, None)
        for limit in writing.deleted:
            del self.limits[limit.id]
            self._gone[limit.id] = limit.version
        for one in writing.restrictions:
            self.restrictions[one.engine] = one
        for change in writing.changes:
            if change.status == "pending":
                self.pending[change.id] = change
            else:
                self.pending.pop(change.id, None)
        if writing.limits or writing.deleted or writing.restrictions:
            for callback in self._callbacks:
                callback()


def touches(scope: str, engine: str) -> bool:
    """Tell whether limits of a scope concern an engine."""
    return not scope.startswith(_ENGINE) or scope == f"{_ENGINE}{engine}"


def gates(limit: Limit, engine: str) -> bool:
    """Tell whether an engine's gate goes by a limit; the monitor judges those that no order can break."""
    return limit.limit_type in GATED and touches(limit.scope, engine)
