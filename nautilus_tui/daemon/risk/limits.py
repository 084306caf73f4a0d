"""The limits, the one truth about them: set, deleted, adjusted, approved, kept, and brought to the engines.

A change is on disk before anybody goes by it, and counts as in force at an engine when that engine has it on
its own disk. What loosens a limit waits for a second person where that is the rule. This module must not
know how a limit is judged, or through what a change was asked for.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from msgspec.structs import replace

from data.limit_store import EngineRestriction, LimitStore
from data.limits import GateBook, Limit, LimitChange, Restriction
from data.paging import Page
from data.problems import ConflictError, ForbiddenError
from data.risk_commands import SetLimit
from engines.spec import EngineSpec
from nautilus_tui.daemon.risk.deliveries import Deliveries, Delivery, Engines
from nautilus_tui.daemon.risk.limit_drafts import drafted, held_down, id_of, says_the_same
from nautilus_tui.daemon.risk.limit_shelf import LimitShelf, gates, touches
from risk.limits import check_limit, seed_limits
from risk.loosening import loosened

type TwoPerson = Literal["live", "always", "never"]


class LimitSet(NamedTuple):
    """What came of a change: the limit as it counts now, where, and the change that waits, if it does."""

    limit: Limit | None  #: None: there is none any more
    deliveries: tuple[Delivery, ...] = ()
    pending: LimitChange | None = None
    changed: bool = True


def _nobody(*_: object) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Whom the book tells besides the engines: of what a person should know, and for the record."""

    adjusted: Callable[[Limit], None] = _nobody  #: auto-adjustment moved a limit
    decided: Callable[[LimitChange], None] = _nobody  #: a change waits, was approved or rejected
    behind: Callable[[str, str | None], None] = _nobody  #: an engine has not the latest, and why
    recovered: Callable[[str, GateBook], None] = _nobody  #: an engine knew more than the store


class LimitBook:
    """The limits of one home.

    Args:
        store: Where they are kept.
        engines: Who goes by them.
        peak: The highest equity of an engine; None: not known.
        at_engine: What an engine has on its own disk; None: nothing that can be read.
        two_person: Where loosening a limit needs a second person.
        told: Whom it tells.
        clock: UTC ns.
    """

    def __init__(
        self,
        store: LimitStore,
        engines: Engines,
        *,
        peak: Callable[[str], Decimal | None] = lambda _: None,
        at_engine: Callable[[str], GateBook | None] = lambda _: None,
        two_person: TwoPerson = "live",
        told: Told | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._store = store
        self._engines = engines
        self._peak = peak
        self._at_engine = at_engine
        self._two_person = two_person
        self._told = told or Told()
        self._clock = clock
        self._kept = LimitShelf(store)
        self._changing = asyncio.Lock()
        self._bringing: set[asyncio.Task[LimitSet]] = set()
        self._deliveries = Deliveries(engines, self._book_of, self._told.behind)

    async def load(self) -> None:
        """Go on with what was kept."""
        await self._kept.load()
        self._deliveries.open()

    async def close(self) -> None:
        """End what is under way."""
        await asyncio.gather(*self._bringing)
        await self._deliveries.close()
        await self._kept.close()

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call when the limits or restrictions that count have changed."""
        self._kept.on_change(callback)

    # ------------------------------------------------------------ what there is

    @property
    def version(self) -> int:
        """The version of the whole book; it grows with every change that counts."""
        return self._kept.version

    def limits(self) -> tuple[Limit, ...]:
        """Return every limit, by id."""
        return self._kept.sorted()

    def limit(self, id_: str) -> Limit:
        """Return one limit; raises NotFoundError and says what comes near."""
        return self._kept.limit(id_)

    def pending(self) -> tuple[LimitChange, ...]:
        """Return the changes that wait for a second person, oldest first."""
        return tuple(self._kept.pending.values())

    async def changes(
        self, *, status: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> Page[LimitChange]:
        """Return changes, newest first; raises InvalidRequestError for a foreign cursor."""
        return await self._store.page_of_changes(status=status, limit=limit, cursor=cursor)

    def restriction(self, engine: str) -> EngineRestriction | None:
        """Return what restricts an engine by the daemon's word; None: nothing was ever said."""
        return self._kept.restrictions.get(engine)

    def gate_book(self, spec: EngineSpec) -> GateBook:
        """Return all that an engine's gate goes by; an engine not met before brings its own limits along.

        An engine that goes by a later version than this book's knows of changes that the store has lost:
        what it goes by is taken over, so that a lost or older store loosens nothing.
        """
        ahead = self._at_engine(spec.engine)
        if ahead is not None and ahead.version > self.version:
            self._kept.catch_up(ahead)
            self._told.recovered(spec.engine, ahead)
        seeds = self._kept.missing(seed_limits(spec.limits, spec.engine, self._clock()))
        if seeds:
            self._kept.put_soon(seeds)
        return self._book_of(spec.engine)

    def _book_of(self, engine: str) -> GateBook:
        return self._kept.book_of(engine, self._peak(engine), self._clock())

    # ------------------------------------------------------------ changes

    async def set(self, command: SetLimit, by: str) -> LimitSet:
        """Set a limit, new or in place of the one there is; returns when it is kept and engines were told.

        Raises:
            InvalidRequestError: It breaks a rule.
            ConflictError: It was to be a new one and is there; or a change of it waits already.
            StoreFailedError: It could not be kept; nothing changed.
        """
        async with self._changing:
            before = self._kept.limits.get(id_of(command))
            if before is not None and command.create_only:
                raise ConflictError(
                    f"there is a limit {before.id} already",
                    rule="a limit is made once, then changed",
                    fix="change it: nautilus-tui limit set, or PUT /api/v1/risk/limits/{id}",
                    limit_id=before.id,
                )
            after = drafted(command, before, by, self._clock())
            check_limit(after)
            found = await self._replace(before, after, by)
        return await self._brought(found)

    async def delete(self, id_: str, by: str) -> LimitSet:
        """Delete a limit; returns when that is kept and engines were told.

        Raises:
            NotFoundError: There is none.
            ConflictError: A change of it waits already.
            StoreFailedError: It could not be kept; nothing changed.
        """
        async with self._changing:
            before = self.limit(id_)
            found = await self._replace(before, None, by)
        return await self._brought(found, before)

    async def adjust(self, limit_id: str, effective: Decimal, reason: str | None) -> Limit:
        """Have less of a limit count while volatility is high, or all of it again.

        ``effective`` is in the limit's unit and is taken as it is: at most what was set, however often
        it is adjusted. Returns when it is kept; engines that run are told without being waited for.

        Raises:
            NotFoundError: There is no such limit.
            ConflictError: It does not adjust itself, or would be above what was set.
        """
        async with self._changing:
            before = self.limit(limit_id)
            if before.auto_adjust is None or not 0 < effective <= before.hard:
                raise ConflictError(
                    f"limit {limit_id} cannot be adjusted to {effective:f}",
                    rule="a limit with auto-adjustment is adjusted to more than 0 and at most what was set",
                    limit_id=limit_id,
                    limit=f"{before.hard:f}",
                )
            why = None if effective == before.hard else reason
            if (effective, why) == (before.effective, before.adjusted):
                return before
            after = replace(
                before,
                effective=effective,
                adjusted=why,
                version=self._kept.next_version(limit_id),
                ts_updated=self._clock(),
                updated_by="auto-adjust",
            )
            await self._kept.write(limits=(after,))
        self._told.adjusted(after)
        bringing = asyncio.get_running_loop().create_task(self._brought(LimitSet(after)))
        self._bringing.add(bringing)
        bringing.add_done_callback(self._bringing.discard)
        return after

    async def restrict(
        self, engine: str, restriction: Restriction, reason: str | None, by: str = "monitor"
    ) -> Delivery:
        """Say what an engine's gate lets pass besides its limits; returns when the engine was told."""
        async with self._changing:
            known = self._kept.restrictions.get(engine)
            now = ("none", None) if known is None else (known.restriction, known.reason)
            if now != (restriction, reason):
                said = EngineRestriction(
                    engine=engine, restriction=restriction, reason=reason, by=by, ts=self._clock()
                )
                await self._kept.write(restrictions=(said,))
        (delivery,) = await self._deliveries.deliver([engine], self.version)
        return delivery

    async def _brought(self, found: LimitSet, gone: Limit | None = None) -> LimitSet:
        """Bring what a change did to the engines that go by it."""
        limit = found.limit or gone
        if limit is None or found.pending is not None:
            return found
        told = [one.id for one in self._engines.statuses() if gates(limit, one.id)]
        return found._replace(deliveries=await self._deliveries.deliver(told, self.version))

    # ------------------------------------------------------------ an engine's own settings

    async def begin_engine(
        self, spec: EngineSpec, named: Sequence[str], by: str, *, may_loosen: bool
    ) -> tuple[LimitSet, ...]:
        """Take over what an engine is started with: its first limits, and those that are ``named`` anew.

        Args:
            spec: What it is started with.
            named: The types of ``spec.limits`` that whoever starts it named now.
            by: Who that is.
            may_loosen: Whether that one may loosen a limit.

        Raises:
            ForbiddenError: It would loosen a limit and may not.
            ConflictError: A change of such a limit waits already.
        """
        wanted = seed_limits(spec.limits, spec.engine, self._clock())
        async with self._changing:
            seeds = self._kept.missing(wanted)
            if seeds:
                await self._kept.write(limits=tuple(replace(one, updated_by=by) for one in seeds))
            chosen = [one for one in wanted if one.limit_type in named]
            for limit in chosen:
                _require_may(self._kept.limits.get(limit.id), limit, may_loosen=may_loosen)
            found = [
                await self._replace(self._kept.limits.get(one.id), self._begun_with(one, by), by)
                for one in chosen
            ]
        return tuple([await self._brought(one) for one in found])

    def _begun_with(self, limit: Limit, by: str) -> Limit:
        before = self._kept.limits.get(limit.id)
        after = replace(limit, updated_by=by)
        return after if before is None else _as_begun(before, after)

    # ------------------------------------------------------------ two persons

    async def decide(self, change_id: str, by: str, *, approve: bool) -> tuple[LimitChange, LimitSet]:
        """Approve or reject a change that waits; who asked for it can only take it back.

        Raises:
            NotFoundError: There is no such change.
            ForbiddenError: The one who asked for it would approve it.
            ConflictError: It was decided, or the limit has changed since it was asked for.
        """
        async with self._changing:
            change = await self._kept.change(change_id)
            _require_waiting(change)
            decided = replace(
                change,
                status="approved" if approve else "rejected",
                decided_by=by,
                ts_decided=self._clock(),
            )
            now = self._kept.limits.get(change.limit_id)
            if approve:
                _require_second(change, by)
                if now is None or change.before is None or not says_the_same(now, change.before):
                    raise _changed_since(change)
                after = None if change.after is None else held_down(now, change.after)
                found = LimitSet(await self._put(now, after, decided))
            else:
                await self._kept.write(changes=(decided,))
                found = LimitSet(now, changed=False)
        self._told.decided(decided)
        return decided, await self._brought(found, change.before) if approve else found

    async def _replace(self, before: Limit | None, after: Limit | None, by: str) -> LimitSet:
        """Put a limit in the place of another, or have it wait for a second person."""
        if before is not None and after is not None and says_the_same(before, after):
            return LimitSet(before, changed=False)
        loose = () if before is None else loosened(before, after)
        if before is None or not loose or not self._needs_two(before.scope):
            return LimitSet(await self._put(before, after))
        waiting = next((one for one in self._kept.pending.values() if one.limit_id == before.id), None)
        if waiting is not None:
            raise ConflictError(
                f"change {waiting.id} of {before.id} waits already, asked for by {waiting.asked_by}",
                rule="one change of a limit waits at a time",
                fix=f"nautilus-tui limit approve {waiting.id}, or reject it",
                change_id=waiting.id,
                limit_id=before.id,
            )
        change = LimitChange(
            id=f"lc-{uuid.uuid4().hex[:10]}",
            limit_id=before.id,
            before=before,
            after=after,
            reason=f"it loosens the limit: {'; '.join(loose)}",
            status="pending",
            asked_by=by,
            ts_asked=self._clock(),
        )
        await self._kept.write(changes=(change,))
        self._told.decided(change)
        return LimitSet(before, pending=change, changed=False)

    def _needs_two(self, scope: str) -> bool:
        if self._two_person != "live":
            return self._two_person == "always"
        return any(one.environment == "LIVE" and touches(scope, one.id) for one in self._engines.statuses())

    async def _put(
        self, before: Limit | None, after: Limit | None, decided: LimitChange | None = None
    ) -> Limit | None:
        changes = () if decided is None else (decided,)
        if after is not None:
            after = replace(after, version=self._kept.next_version(after.id))
            await self._kept.write(limits=(after,), changes=changes)
        elif before is not None:
            gone = replace(before, version=before.version + 1, ts_updated=self._clock())
            await self._kept.write(deleted=(gone,), changes=changes)
        return after


def _as_begun(before: Limit, limit: Limit) -> Limit:
    """Return a limit with what an engine is started with laid over it."""
    changed = replace(
        before,
        hard=limit.hard,
        window_s=limit.window_s,
        enabled=True,
        origin="engine",
        ts_updated=limit.ts_updated,
        updated_by=limit.updated_by,
    )
    return held_down(before, changed)


def _require_may(before: Limit | None, limit: Limit, *, may_loosen: bool) -> None:
    loose = () if before is None else loosened(before, _as_begun(before, limit))
    if loose and not may_loosen:
        raise ForbiddenError(
            f"{limit.id} would be loosened: {'; '.join(loose)}",
            rule="role risk loosens limits; who starts an engine may tighten them",
            fix="start it without this, or ask someone with the role risk",
            limit_id=limit.id,
        )


def _require_waiting(change: LimitChange) -> None:
    if change.status != "pending":
        raise ConflictError(
            f"change {change.id} was {change.status} by {change.decided_by}",
            rule="a change is decided once",
            change_id=change.id,
        )


def _require_second(change: LimitChange, by: str) -> None:
    if by == change.asked_by:
        raise ForbiddenError(
            f"{by} asked for change {change.id} and cannot approve it",
            rule="what loosens a limit needs a second person",
            fix="another person with the role risk approves it",
            change_id=change.id,
        )


def _changed_since(change: LimitChange) -> ConflictError:
    return ConflictError(
        f"limit {change.limit_id} has changed since change {change.id} was asked for",
        rule="what was looked at is what is approved",
        fix="reject it and ask again",
        change_id=change.id,
    )
