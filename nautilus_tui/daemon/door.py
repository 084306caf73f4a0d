"""The one door: authorise → validate → audit → execute → audit the outcome, whoever sends the command.

A command's id makes it idempotent: sent twice, it is carried out once and both get the same answer;
sent twice at the same time, the second waits for the first. The same id with another body is a
conflict. What was refused before anything happened is not remembered and may be sent again. A
command runs to its end even when its sender goes away. This module must not know of HTTP.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Literal

import msgspec

from data.audit import AuditDraft
from data.bus import Bus
from data.commands import AnyCommand, ClosePosition, Outcome, SubmitBracket, SubmitOco, SubmitOrder
from data.problems import (
    ConflictError,
    DeniedError,
    ForbiddenError,
    OrderAuthorityError,
    OutcomeUnknownError,
    ProblemError,
    StoreFailedError,
)
from data.records import FINAL_STATUSES, AuditEntry, OrderUpdate
from data.risk_commands import Kill
from data.state import CommandRow, State
from data.words import fitted
from engines.rules import check_id
from engines.supervisor import Supervisor
from nautilus_tui.daemon import rules
from nautilus_tui.daemon.audit import Auditor, command_name
from nautilus_tui.daemon.authority import Authority
from nautilus_tui.daemon.order_facts import (
    default_id,
    no_longer_unknown,
    order_ids,
    order_problem,
    sent_orders,
)
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.sink import Sink
from nautilus_tui.daemon.watch import OrderWatch

Wait = Literal["ack", "final"]
#: Carries out one command that passed; returns its outcome or raises a ProblemError.
Execute = Callable[[AnyCommand, str, Principal, float], Awaitable[Outcome]]

DEFAULT_TIMEOUT_S = 10.0
MAX_TIMEOUT_S = 120.0
#: A store that took nothing is asked again after so long, in seconds.
_RETRY_S = 1.0
#: What an outcome's data may hold that is told once and never stored.
_TOLD_ONCE = frozenset({"token"})

logger = logging.getLogger(__name__)


class Door:
    """Lets commands through, once each."""

    def __init__(
        self,
        *,
        state: State,
        bus: Bus,
        present: Present,
        sink: Sink,
        watch: OrderWatch,
        supervisor: Supervisor,
        authority: Authority,
        execute: Execute,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._state = state
        self._bus = bus
        self._present = present
        self._sink = sink
        self._watch = watch
        self._supervisor = supervisor
        self._authority = authority
        self._execute = execute
        self._clock = clock
        self._flights: dict[str, tuple[str, asyncio.Task[Outcome]]] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self._unstored: dict[str, CommandRow] = {}  # ended, and not stored yet
        self._closing = asyncio.Event()

    async def execute(
        self,
        command: AnyCommand,
        principal: Principal,
        *,
        command_id: str | None = None,
        wait: Wait = "ack",
        timeout: float = DEFAULT_TIMEOUT_S,
    ) -> Outcome:
        """Let one command through and return how it ended, whatever way that was.

        ``timeout`` (seconds) bounds the answer. ``wait="final"`` waits within it until the orders
        concerned will not change again, and else tells them as they stand.
        """
        if isinstance(command, Kill):  # nothing that is said with it keeps it from being done
            command = msgspec.structs.replace(command, reason=fitted(command.reason))
        deadline = time.monotonic() + min(max(timeout, 0.0), MAX_TIMEOUT_S)
        id_ = command_id or default_id(command) or uuid.uuid4().hex
        auditor = Auditor(command, id_, principal, self._clock)
        try:
            _authorise(command, principal)
            check_id("client_order_id" if command_id is None else "Idempotency-Key", id_)
        except ProblemError as error:
            return await self._refused(command, id_, auditor, error)
        digest = digest_of(command, principal)
        # A kill is done again rather than looked up: a full disk must not keep it from being done.
        ended = None if isinstance(command, Kill) else self._unstored.get(id_)
        if ended is not None:
            outcome = await self._answered_before(command, ended, digest, auditor)
            return await self._settled(command, outcome, wait, deadline)
        flight = self._flights.get(id_)
        if flight is None:
            task = asyncio.create_task(self._carry_out(command, id_, digest, auditor, principal, deadline))
            flight = self._flights[id_] = (digest, task)
            task.add_done_callback(lambda _: self._flights.pop(id_, None))
        elif flight[0] != digest:
            return await self._refused(command, id_, auditor, _other_body(id_))
        outcome = await asyncio.shield(flight[1])
        return await self._settled(command, outcome, wait, deadline)

    def under_way(self) -> list[asyncio.Task[Outcome]]:
        """Return the commands that are being carried out."""
        return [task for _, task in self._flights.values()]

    async def close(self) -> None:
        """Wait for the commands that are being carried out."""
        while self._flights:
            await asyncio.gather(*(task for _, task in self._flights.values()), return_exceptions=True)
            await asyncio.sleep(0)  # those that ended are taken out by the loop, which a gather need not run
        self._closing.set()
        await asyncio.gather(*self._endings)

    # ------------------------------------------------------------ through the door

    async def _carry_out(
        self,
        command: AnyCommand,
        id_: str,
        digest: str,
        auditor: Auditor,
        principal: Principal,
        deadline: float,
    ) -> Outcome:
        if isinstance(command, Kill):
            return await self._at_once(command, id_, auditor, principal, deadline)
        with ExitStack() as under_way:
            return await self._carried_out(command, id_, digest, auditor, principal, deadline, under_way)

    async def _carried_out(
        self,
        command: AnyCommand,
        id_: str,
        digest: str,
        auditor: Auditor,
        principal: Principal,
        deadline: float,
        under_way: ExitStack,
    ) -> Outcome:
        name = command_name(command)
        row = CommandRow(id=id_, command=name, digest=digest, ts=self._clock(), outcome=None)
        try:
            self._authority.check(command, principal)
            under_way.enter_context(self._authority.passing(command, id_, principal))
            rules.check(command, self._supervisor)
            sent = self._sent_orders(command)
        except ProblemError as error:
            earlier = await self._state.command(id_)
            if earlier is None:
                return await self._refused(command, id_, auditor, error)
            if earlier.digest != digest or earlier.outcome is not None:
                return await self._answered_before(command, earlier, digest, auditor)
            if isinstance(error, OrderAuthorityError) and not _journalled(await self._orders_of(command)):
                return await self._refused(command, id_, auditor, error)  # it is not sent a second time
            sent = []  # begun by a daemon that died: what became of it is asked below
        try:
            begun = await self._state.begin_command(row, auditor.draft("started"), sent, order_ids(command))
        except ProblemError as error:
            return await self._refused(command, id_, auditor, error)
        if begun.entry is None:
            return await self._answered_before(command, begun.earlier or row, digest, auditor)
        self.audited(begun.entry)
        known: list[OrderUpdate] = []
        if begun.earlier is None:
            self._sink.told(sent)
        else:
            known = await self._orders_of(command)
        outcome = await self._outcome_of(command, id_, principal, deadline, known)
        kept = msgspec.structs.replace(
            outcome, data={key: value for key, value in outcome.data.items() if key not in _TOLD_ONCE}
        )
        draft = auditor.draft(outcome.outcome, outcome.problem, outcome.detail)
        # The answer does not wait for its own record: what it reports is on disk in the engine's journal
        # or in the store already, and whoever asks again under this id meanwhile is answered from here.
        self._unstored[id_] = row = msgspec.structs.replace(row, outcome=msgspec.json.encode(kept).decode())
        ending = asyncio.create_task(self._end(row, draft))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        return outcome

    async def _at_once(
        self, command: AnyCommand, id_: str, auditor: Auditor, principal: Principal, deadline: float
    ) -> Outcome:
        """Carry out what neither waits for the store nor fails with it; doing it twice changes nothing."""
        begun = asyncio.create_task(self._note(auditor.draft("started")))
        outcome = await self._outcome_of(command, id_, principal, deadline, [])
        await begun
        await self._note(auditor.draft(outcome.outcome, outcome.problem, outcome.detail))
        return outcome

    async def _note(self, draft: AuditDraft) -> None:
        try:
            self.audited(await self._state.append_audit(draft))
        except StoreFailedError as error:
            logger.error("the audit entry of %s could not be stored: %s", draft.command, error.detail)

    async def _end(self, row: CommandRow, draft: AuditDraft) -> None:
        """Store how a command ended; a store that takes nothing is asked again for as long as we live.

        Few can wait for it: what cannot be stored is not begun either.
        """
        told = False
        while True:
            try:
                entry = await self._state.end_command(row.id, row.outcome or "", draft)
            except StoreFailedError as error:  # the store's health says so too
                if not told:
                    logger.error("how command %s ended could not be stored yet: %s", row.id, error.detail)
                told = True
            else:
                del self._unstored[row.id]
                self.audited(entry)
                if told:
                    logger.info("how command %s ended is stored now", row.id)
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), _RETRY_S)
                return

    async def _outcome_of(
        self,
        command: AnyCommand,
        id_: str,
        principal: Principal,
        deadline: float,
        known: Sequence[OrderUpdate],
    ) -> Outcome:
        if _journalled(known):  # carried out by a daemon that died before it could say so
            return Outcome(command_id=id_, command=command_name(command), outcome="done", orders=tuple(known))
        try:
            return await self._execute(command, id_, principal, max(deadline - time.monotonic(), 0.1))
        except OutcomeUnknownError as error:
            await self._doubt(command, error)
            return await self._failed(command, id_, "unknown", error)
        except ProblemError as error:
            await self._deny(command, error)
            return await self._failed(
                command,
                id_,
                "refused" if isinstance(error, DeniedError | ForbiddenError) else "failed",
                error,
            )
        except Exception as error:
            logger.exception("command %s (%s) failed in an unforeseen way", id_, command_name(command))
            unforeseen = OutcomeUnknownError(
                f"the daemon failed: {type(error).__name__}",
                rule="what was begun may have happened",
                fix="see the daemon's log",
            )
            await self._doubt(command, unforeseen)
            return await self._failed(command, id_, "unknown", unforeseen)

    async def _failed(
        self,
        command: AnyCommand,
        id_: str,
        outcome: Literal["refused", "failed", "unknown"],
        error: ProblemError,
    ) -> Outcome:
        return Outcome(
            command_id=id_,
            command=command_name(command),
            outcome=outcome,
            problem=error.document(),
            orders=tuple(await self._orders_of(command)),
        )

    async def _refused(self, command: AnyCommand, id_: str, auditor: Auditor, error: ProblemError) -> Outcome:
        document = error.document()
        self.audited(await self._state.append_audit(auditor.draft("refused", document)))
        return Outcome(command_id=id_, command=command_name(command), outcome="refused", problem=document)

    async def _answered_before(
        self, command: AnyCommand, earlier: CommandRow, digest: str, auditor: Auditor
    ) -> Outcome:
        if earlier.digest != digest:
            return await self._refused(command, earlier.id, auditor, _other_body(earlier.id))
        outcome = msgspec.json.decode(earlier.outcome or "", type=Outcome)
        orders = {order.client_order_id: order for order in outcome.orders}
        latest = await self._state.orders_named(_engine(command), list(orders)) if orders else []
        orders |= {order.client_order_id: order for order in latest}
        outcome = msgspec.structs.replace(outcome, orders=tuple(orders.values()))
        if outcome.outcome == "unknown" and latest:
            outcome = no_longer_unknown(outcome, latest)
        return outcome

    def audited(self, entry: AuditEntry) -> None:
        """Tell of an audit entry that was written."""
        self._present.audited(entry)
        self._bus.publish_records((entry,))

    # ------------------------------------------------------------ orders

    def _sent_orders(self, command: AnyCommand) -> list[OrderUpdate]:
        """Return the orders of a command as they leave the house, before any answer."""
        if not isinstance(command, SubmitOrder | SubmitBracket | SubmitOco):
            return []
        synthetic = self._supervisor.status_of(command.engine).synthetic
        return sent_orders(command, self._clock(), synthetic)

    async def _orders_of(self, command: AnyCommand) -> list[OrderUpdate]:
        ids = order_ids(command)
        return await self._state.orders_named(_engine(command), ids) if ids else []

    async def _doubt(self, command: AnyCommand, error: ProblemError) -> None:
        ids = order_ids(command)
        if ids:
            self._sink.told(await self._state.doubt(_engine(command), ids, error.detail, self._clock()))

    async def _deny(self, command: AnyCommand, error: ProblemError) -> None:
        ids = order_ids(command)
        if ids:
            self._sink.told(
                await self._state.deny_unjournalled(_engine(command), ids, error.detail, self._clock())
            )

    async def _settled(self, command: AnyCommand, outcome: Outcome, wait: Wait, deadline: float) -> Outcome:
        """Wait for the orders of a command that was carried out to become final, if asked to."""
        if wait != "final" or outcome.outcome != "done" or not outcome.orders:
            return outcome
        keys = [(order.engine, order.client_order_id) for order in outcome.orders]
        with self._watch.final(keys) as futures:
            orders = self._latest(outcome)
            pending = [f for f, o in zip(futures, orders, strict=True) if o.status not in FINAL_STATUSES]
            if pending:
                await asyncio.wait(pending, timeout=max(deadline - time.monotonic(), 0.0))
                orders = self._latest(outcome)
        still = [order for order in orders if order.status not in FINAL_STATUSES]
        detail = (
            f"{still[0].client_order_id} is {still[0].status}, not final yet" if still else outcome.detail
        )
        problem = order_problem(orders) if isinstance(command, SubmitOrder | ClosePosition) else None
        if problem is not None:
            verdict: Literal["refused", "failed"] = (
                "refused" if problem.type == DeniedError.type else "failed"
            )
            return msgspec.structs.replace(outcome, outcome=verdict, problem=problem, orders=orders)
        return msgspec.structs.replace(outcome, orders=orders, detail=detail)

    def _latest(self, outcome: Outcome) -> tuple[OrderUpdate, ...]:
        """Return an outcome's orders as they stand; those long ended stand as they are."""
        return tuple(
            self._present.order(order.engine, order.client_order_id) or order for order in outcome.orders
        )


def _authorise(command: AnyCommand, principal: Principal) -> None:
    if not principal.may(command.role):
        raise ForbiddenError(
            f"{command.title or command_name(command)}: {principal.name} has the role {principal.role}",
            rule=f"{command_name(command)} needs the role {command.role}",
            fix=f"use a token of role {command.role}",
            role=principal.role,
        )


def _journalled(orders: Sequence[OrderUpdate]) -> bool:
    """Tell whether an engine's journal has any of these orders."""
    return any(order.seq for order in orders)


def digest_of(command: AnyCommand, principal: Principal) -> str:
    """Return what tells a command from every other that comes under its id."""
    sender = f"\n{principal.name}" if command.of_sender else ""
    return hashlib.sha256(msgspec.json.encode(command) + sender.encode()).hexdigest()


def _engine(command: AnyCommand) -> str:
    return str(getattr(command, "engine", ""))


def _other_body(id_: str) -> ConflictError:
    return ConflictError(
        f"the id {id_} was used for another command",
        rule="an id names one command for ever",
        fix="use a new id",
        command_id=id_,
    )
