"""The kill switch: latches on the disk, then reaches every engine over its own socket. Needs no daemon.

An engine blocks and says so within its bound, or it hangs: it is then ended with SIGKILL and its books
are put in order over the second path, a process that restores them from the journal, cancels, closes and
verifies. Engines that do not run but left orders or positions in their journals go that way, too. This
module must not know of HTTP, screens or NautilusTrader, and must be quick to import.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

from data.kill import KILL_STATES, EngineKill, KillOrder, KillState, KillStatus
from data.paths import Home
from data.problems import ConflictError, NotFoundError, ProblemError, from_document
from engines import link, pidfile
from engines.killed import Left, end_process, follow, left_in_journal, put_in_order
from engines.latch import Latch, Latched, check_phrase
from engines.link import KillNow, Release, Reply
from engines.pidfile import PidRecord

#: An engine that has not said within this that it blocks hangs.
BLOCK_S = 2.0
#: How long to wait for everything to be verified; the engines go on beyond it.
PATIENCE_S = 60.0
#: How long an engine may take to say that it is released.
RELEASE_S = 5.0

OnProgress = Callable[[KillStatus], None]


class KillSwitch:
    """The kill switch of one home.

    Args:
        home: its folder.
        patience_s: how long to wait for engines to be verified.
        block_s: how long an engine may take to say that it blocks.
    """

    def __init__(self, home: Home, *, patience_s: float = PATIENCE_S, block_s: float = BLOCK_S) -> None:
        self._home = home
        self._latch = Latch(home)
        self._patience_s = patience_s
        self._block_s = block_s

    def status(self) -> KillStatus:
        """Return how the switch stands, as the latch and its log tell it."""
        latched = self._latch.read()
        if latched is not None:
            return status_of(latched)
        last = self._latch.last_noted()
        if last is not None and last.what == "released":
            return last.status
        return KillStatus(state="armed", ts=time.time_ns())

    async def pull(self, order: KillOrder, on_progress: OnProgress = lambda _: None) -> KillStatus:
        """Latch, block, cancel, close if asked, verify; return how it went.

        What goes wrong on the way is not raised: it is in the status, and the rest goes on.

        Raises
        ------
        NotFoundError
            If the order names an engine that this home does not have; nothing was changed.
        ConflictError
            If a drill is asked for where something is latched or trades live; nothing was changed.

        """
        records = self._concerned(order)
        if order.drill:
            self._require_drillable(records)
        pull = _Pull(self._home, self._latch, order, records, on_progress, self._block_s)
        await pull.latch()
        if not order.drill:
            # An engine that looked for the latch before it was there has left its pid file by now.
            pull.concern(self._concerned(order))
        try:
            async with asyncio.timeout(self._patience_s):
                await pull.all()
        except TimeoutError:
            pull.out_of_time(self._patience_s)
        status = await pull.ended()
        if order.drill and status.verified:
            left = await asyncio.to_thread(self._latch.release, order)
            return await self._let_go(left, f"{order.by} (drill)", status)
        return status

    async def release(self, phrase: str, by: str) -> KillStatus:
        """Take the latch off and let every engine judge orders again.

        Raises
        ------
        ForbiddenError
            If the phrase is not the one; nothing was changed.
        ConflictError
            If nothing is latched.
        UnavailableError
            If the latch cannot be taken off; that it is off cannot be noted is in the status.

        """
        check_phrase(phrase)
        before = self.status()
        await asyncio.to_thread(self._latch.release)
        return await self._let_go(None, by, before)

    # ------------------------------------------------------------ whom it concerns

    def _concerned(self, order: KillOrder) -> dict[str, PidRecord | None]:
        """Return the engines that an order means, with who runs or last ran them, if that is known."""
        found: dict[str, PidRecord | None] = {
            path.stem: None for path in sorted(self._home.journals.glob("*.journal"))
        }
        found |= {record.spec.engine: record for record in pidfile.known(self._home.run)}
        if order.engine is None:
            return found
        if order.engine not in found:
            raise NotFoundError(
                f"there is no engine {order.engine} in {self._home.root}",
                rule=f"engines known: {', '.join(sorted(found)) or 'none'}",
                fix="nautilus-tui kill, without --engine, is for all of them",
            )
        return {order.engine: found[order.engine]}

    def _require_drillable(self, records: dict[str, PidRecord | None]) -> None:
        live = [name for name, record in records.items() if record and record.spec.trading_mode != "paper"]
        if live:
            raise ConflictError(
                f"a drill is not for {', '.join(live)}: it trades live", rule="drills are for paper engines"
            )
        if self._latch.read() is not None:
            raise ConflictError(
                "no drill while the kill switch is latched",
                rule="a drill releases itself and must not release a real kill",
                fix="nautilus-tui unlock first",
            )

    # ------------------------------------------------------------ letting go

    async def _let_go(self, left: Latched | None, by: str, before: KillStatus) -> KillStatus:
        """Tell the engines that are held no longer; those that a latch still holds stay as they are."""
        free = [r for r in pidfile.find(self._home.run) if left is None or not left.holds(r.spec.engine)]
        problems = [found for found in await asyncio.gather(*map(self._released, free)) if found]
        now = time.time_ns()
        status = msgspec.structs.replace(
            before,
            state="armed",
            problem="; ".join(problems) or None,
            released_by=by,
            ts_released=now,
            ts=now,
        )
        try:
            await asyncio.to_thread(self._latch.note, "released", status)
        except ProblemError as error:  # it is released all the same
            said = error.detail if status.problem is None else f"{status.problem}; {error.detail}"
            status = msgspec.structs.replace(status, problem=said)
        return status

    async def _released(self, record: PidRecord) -> str | None:
        """Release one engine; return what went wrong."""
        engine = record.spec.engine
        try:
            async with asyncio.timeout(RELEASE_S):
                reader, writer = await asyncio.open_unix_connection(self._home.engine_socket(engine))
                try:
                    writer.write(link.encode(Release(f"release-{time.time_ns()}")))
                    reply = await _reply(reader)
                finally:
                    writer.close()
            if reply.problem is not None:
                raise from_document(reply.problem)
        except (OSError, asyncio.IncompleteReadError, ProblemError) as error:
            said = error.detail if isinstance(error, ProblemError) else reason_of(error)
            return f"{engine} did not say that it is released ({said}); restart it"
        return None


async def _reply(reader: asyncio.StreamReader) -> Reply:
    while True:
        for message in await link.read_from_engine(reader):
            if isinstance(message, Reply):
                return message


class _Pull:
    """One pull of the switch, over all engines it concerns."""

    def __init__(
        self,
        home: Home,
        latch: Latch,
        order: KillOrder,
        records: dict[str, PidRecord | None],
        on_progress: OnProgress,
        block_s: float,
    ) -> None:
        self._home = home
        self._latch = latch
        self._order = order
        self._on_progress = on_progress
        self._block_s = block_s
        self._before_end: dict[str, EngineKill] = {}  #: what engines had done when they were ended
        self._others: tuple[EngineKill, ...] = ()  #: of kills before, that this one does not concern
        self._problem: str | None = None
        self._ts_latched: int | None = None
        self._kept: str | None = None  #: the state that was last put beside the latch
        self._keeping: asyncio.Task[None] | None = None
        self.concern(records)

    def concern(self, records: dict[str, PidRecord | None]) -> None:
        """Take engines, with who runs or last ran them."""
        self._records = records
        self._engines = {engine: EngineKill(engine=engine, state="armed") for engine in records}

    async def latch(self) -> None:
        """Put the latch on the disk. If that fails the rest is done all the same."""
        try:
            latched = await asyncio.to_thread(self._latch.add, self._order)
        except ProblemError as error:
            self._problem = f"NOT LATCHED: {error.detail}"
        else:
            self._ts_latched = time.time_ns()
            self._others = latched.status.engines if latched.status is not None else ()
            await self._keep_up(self._latch.note, "pulled", self.status())
        self._told()

    async def all(self) -> None:
        """Do everything for every engine, at the same time."""
        await asyncio.gather(*(self._engine(name, record) for name, record in self._records.items()))

    async def _engine(self, engine: str, record: PidRecord | None) -> None:
        if record is None or not pidfile.is_alive(record):
            await self._not_running(engine, record)
            return
        try:
            reader, writer = await asyncio.open_unix_connection(self._home.engine_socket(engine))
        except OSError as error:
            wrong: str | None = f"cannot be reached ({reason_of(error)})"
        else:
            writer.write(link.encode(KillNow(self._order)))
            wrong = await follow(reader, writer, self._take, self._block_s)
        if wrong is None:
            return
        self._change(engine, hung=True, problem=f"{wrong}: ended with SIGKILL")
        if not await end_process(record):
            self._change(engine, problem=f"{wrong}, and process {record.pid} does not end on SIGKILL")
            return
        await self._not_running(engine, record)

    async def _not_running(self, engine: str, record: PidRecord | None) -> None:
        """See to the books of an engine whose process is gone: the latch keeps it from starting."""
        known = self._before_end[engine] = self._engines[engine]
        self._change(engine, state="blocking", ts_blocked=known.ts_blocked or time.time_ns())
        try:
            left = await asyncio.to_thread(left_in_journal, self._home, engine)
            if not left.nothing(flat=self._order.flatten):
                left = await self._put_in_order(engine, record, left)
        except ProblemError as error:
            self._change(engine, problem=error.detail)
            return
        self._change(engine, orders_left=left.orders, positions=left.positions)
        self._change(engine, positions_left=len(left.positions))
        if left.nothing(flat=self._order.flatten):
            now = time.time_ns()
            known = self._engines[engine]
            self._change(
                engine,
                state="latched",
                ts_cancelled=known.ts_cancelled or now,
                ts_flattened=(known.ts_flattened or now) if self._order.flatten else None,
                ts_verified=known.ts_verified or now,
                problem=None,
            )

    async def _put_in_order(self, engine: str, record: PidRecord | None, left: Left) -> Left:
        """Have the books put in order by a process of their own, and look at the journal again."""
        if record is None:
            self._change(
                engine,
                problem=f"it does not run and its settings are not known; {left.sentence()} stay in its "
                "journal and come back with its next start",
            )
            return left
        self._change(engine, orders_left=left.orders, positions=left.positions)
        await put_in_order(self._home, record.spec, self._order, self._take)
        return await asyncio.to_thread(left_in_journal, self._home, engine)

    # ------------------------------------------------------------ what is known

    def _take(self, progress: EngineKill) -> None:
        """Take what an engine, or the process that puts its books in order, says of itself."""
        known = self._engines[progress.engine]
        ended = self._before_end.get(progress.engine)
        self._engines[progress.engine] = msgspec.structs.replace(
            progress,
            hung=known.hung,
            ts_blocked=known.ts_blocked or progress.ts_blocked,
            cancelled=progress.cancelled + (ended.cancelled if ended else 0),
            flattened=progress.flattened + (ended.flattened if ended else 0),
        )
        self._told()

    def _change(self, engine: str, **fields: object) -> None:
        self._engines[engine] = msgspec.structs.replace(self._engines[engine], **fields)
        self._told()

    def _told(self) -> None:
        status = self.status()
        self._on_progress(status)
        if self._ts_latched is not None and status.state != self._kept and self._keeping is None:
            self._kept = status.state
            self._keeping = asyncio.get_running_loop().create_task(self._keep(status))

    async def _keep(self, status: KillStatus) -> None:
        """Put beside the latch how it stands, so that others see it."""
        await self._keep_up(self._latch.tell, status)
        self._keeping = None

    async def _keep_up(self, write: Callable[..., None], *what: object) -> None:
        """Write what is told of the kill; that it cannot be written holds nothing up."""
        try:
            await asyncio.to_thread(write, *what)
        except ProblemError as error:
            self._problem = self._problem or error.detail

    def out_of_time(self, seconds: float) -> None:
        """Say of every engine that is not done that it was waited for long enough."""
        for known in list(self._engines.values()):
            if known.state != "latched":
                said = f": {known.problem}" if known.problem else ""
                self._change(
                    known.engine, problem=f"not verified within {seconds:g} s; it goes on trying{said}"
                )

    def status(self) -> KillStatus:
        """Return how it stands over all engines."""
        engines = tuple(self._engines[name] for name in sorted(self._engines))
        problems = [f"{known.engine}: {known.problem}" for known in engines if known.problem]
        if self._problem is not None:
            problems.insert(0, self._problem)
        return KillStatus(
            state=_least(engines),
            order=self._order,
            engines=(*engines, *(o for o in self._others if o.engine not in self._engines)),
            verified=self._problem is None and all(known.state == "latched" for known in engines),
            problem="; ".join(problems) or None,
            ts_latched=self._ts_latched,
            ts=time.time_ns(),
        )

    async def ended(self) -> KillStatus:
        """Keep how it went beside the latch and in the log, and return it."""
        if self._keeping is not None:
            await self._keeping
        status = self.status()
        await self._keep_up(self._latch.tell, status)
        await self._keep_up(self._latch.note, "ended", status)
        if self._problem is not None:
            status = self.status()
        self._on_progress(status)
        return status


def status_of(latched: Latched) -> KillStatus:
    """Return what a latch tells of the switch."""
    order = latched.orders[-1] if latched.orders else None
    if latched.status is not None and order is not None and latched.status.order == order:
        return latched.status
    problem = latched.damage or (None if latched.orders else "the latch before was damaged")
    return KillStatus(
        state="blocking" if problem is None else "latched",
        order=order,
        engines=latched.status.engines if latched.status is not None else (),
        problem=(
            f"the latch cannot be read, so every engine is held: {problem}"
            if problem is not None
            else "how it went is not told: whoever pulled the switch is at it, or died; pull it again"
        ),
        ts_latched=order.ts if order is not None else None,
        ts=time.time_ns(),
    )


def _least(engines: tuple[EngineKill, ...]) -> KillState:
    """Return the state that all engines have reached; ``blocking`` from the latch on."""
    states = [max(KILL_STATES.index(known.state), 1) for known in engines]
    return KILL_STATES[min(states, default=len(KILL_STATES) - 1)]


def reason_of(error: BaseException) -> str:
    """Return what an error of the operating system says, or its name."""
    return getattr(error, "strerror", None) or type(error).__name__
