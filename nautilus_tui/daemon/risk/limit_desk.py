"""Commands about limits: carried out by the book, and told as outcomes that say where a change is in force.

Whoever should know besides is told here too: by an alert, and in the audit. This module must not know how
limits are kept or brought to engines.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from data import forms
from data.audit import AuditDraft
from data.commands import Outcome, StartEngine
from data.limits import GateBook, Limit, LimitChange
from data.problems import EngineFailedError, OutcomeUnknownError, StoreFailedError
from data.risk_commands import DecideLimitChange, DeleteLimit, RestrictEngine, SetLimit
from engines.spec import EngineSpec
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.risk.alerts import AlertBook
from nautilus_tui.daemon.risk.deliveries import Delivery
from nautilus_tui.daemon.risk.limits import LimitBook, LimitSet, Told

type LimitCommand = SetLimit | DeleteLimit | DecideLimitChange | RestrictEngine

#: Which of an engine's limits a field of a start command names.
_NAMED: Final = {
    "max_position_size": "position_size",
    "max_order_notional": "order_notional",
    "max_order_rate": "order_rate",
}

logger = logging.getLogger(__name__)


class LimitDesk:
    """Carries out commands about limits."""

    def __init__(self, book: LimitBook) -> None:
        self._book = book

    async def carry_out(
        self, command: LimitCommand, done: Outcome, principal: Principal, timeout: float
    ) -> Outcome:
        """Carry a command out and return its outcome once every engine that runs has confirmed it.

        Raises:
            OutcomeUnknownError: It is kept, and an engine that runs did not answer.
            EngineFailedError: It is kept, and an engine that runs could not take it.
            ProblemError: It was not carried out.
        """
        match command:
            case SetLimit():
                return told_set(done, await self._book.set(command, principal.name))
            case DeleteLimit():
                found = await self._book.delete(command.limit_id, principal.name)
                return told_set(done, found, command.limit_id)
            case DecideLimitChange():
                change, found = await self._book.decide(
                    command.change_id, principal.name, approve=command.approve
                )
                outcome = replace(done, data={"change": _text(change)})
                if not command.approve:
                    return replace(outcome, detail=f"{change.limit_id} stays as it is")
                return told_set(outcome, found, change.limit_id)
            case RestrictEngine():
                return await self._restrict(command, done, principal)

    async def _restrict(self, command: RestrictEngine, done: Outcome, principal: Principal) -> Outcome:
        reason = command.reason
        if command.restriction != "none" and reason is None:
            reason = f"restricted by {principal.name}"
        delivery = await self._book.restrict(
            command.engine,
            command.restriction,
            None if command.restriction == "none" else reason,
            principal.name,
        )
        _require_confirmed(f"restriction {command.restriction} of {command.engine}", [delivery])
        where = _where([delivery])
        return replace(
            done,
            detail=f"{command.engine}: {command.restriction}; {where}",
            data={
                "engine": command.engine,
                "restriction": command.restriction,
                "reason": reason or "",
                "engines": _states([delivery]),
            },
        )

    async def begin_engine(self, command: StartEngine, spec: EngineSpec, principal: Principal) -> str | None:
        """Take over the limits that an engine is started or configured with; return what waits, if anything.

        Raises:
            ForbiddenError: It would loosen a limit, and whoever starts it may not.
            OutcomeUnknownError, EngineFailedError: As `carry_out`.
        """
        named = [kind for field, kind in _NAMED.items() if getattr(command, field) is not None]
        found = await self._book.begin_engine(
            spec, named, principal.name, may_loosen=principal.may(SetLimit.role)
        )
        for one in found:
            _require_confirmed(_name(one, ""), one.deliveries)
        waiting = [one.pending for one in found if one.pending is not None]
        if not waiting:
            return None
        return "; ".join(f"{one.limit_id} waits for approval as {one.id}" for one in waiting)


def told_set(done: Outcome, found: LimitSet, limit_id: str | None = None) -> Outcome:
    """Return the outcome of a change of a limit; raises if an engine that runs has not confirmed it."""
    if found.pending is not None:
        pending = found.pending
        data = done.data | {"change": _text(pending)}
        if found.limit is not None:
            data["limit"] = _text(found.limit)
        detail = f"not in force: change {pending.id} waits for another person, because {pending.reason}"
        return replace(done, detail=detail, data=data)
    name = _name(found, limit_id or "")
    _require_confirmed(name, found.deliveries)
    data = done.data | {"engines": _states(found.deliveries), "changed": "true" if found.changed else "false"}
    if found.limit is None:
        said, data["limit_id"] = f"{name} is deleted", name
    else:
        limit = found.limit
        said, data["limit"] = f"{name} is {limit.hard:f}, version {limit.version}", _text(limit)
        if not limit.enabled:
            said += ", switched off"
    return replace(done, detail=f"{said}; {_where(found.deliveries)}", data=data)


def _name(found: LimitSet, otherwise: str) -> str:
    return otherwise if found.limit is None else found.limit.id


def _where(deliveries: Sequence[Delivery]) -> str:
    here = [one.engine for one in deliveries if one.state == "in_force"]
    later = [one.detail or one.engine for one in deliveries if one.state == "at_next_start"]
    said = [f"in force at {', '.join(here)}"] if here else []
    return "; ".join([*said, *later]) or "in force in the daemon; no engine's gate goes by it"


def _states(deliveries: Sequence[Delivery]) -> str:
    return msgspec.json.encode({one.engine: one.state for one in deliveries}).decode()


def _require_confirmed(name: str, deliveries: Sequence[Delivery]) -> None:
    """Raise if an engine that runs has not the change yet: it is kept, but not in force everywhere."""
    missing = [one for one in deliveries if one.state in ("unknown", "failed")]
    if not missing:
        return
    unknown = any(one.state == "unknown" for one in missing)
    why = "; ".join(f"{one.engine}: {one.detail}" for one in missing)
    here = ", ".join(one.engine for one in deliveries if one.state == "in_force") or "no engine"
    kind = OutcomeUnknownError if unknown else EngineFailedError
    raise kind(
        f"{name} is kept by the daemon and in force at {here}, but not confirmed: {why}",
        rule="a limit is in force at an engine when the engine has it on its disk",
        fix="the daemon tells it again until it has it; nautilus-tui engine list shows how the engine is",
        kept="true",
        engines=_states(deliveries),
    )


def _text(record: Limit | LimitChange) -> str:
    return forms.to_json(record).decode()


# ---------------------------------------------------------------- who else is told


class LimitNews:
    """Tells people, and the audit, what happens to limits without a command or wants a second person.

    Args:
        alerts: Raises and ends alerts.
        note: Adds an entry to the audit chain and publishes it.
        clock: UTC ns.
    """

    def __init__(
        self,
        alerts: AlertBook,
        note: Callable[[AuditDraft], Awaitable[None]],
        clock: Callable[[], int],
    ) -> None:
        self._alerts = alerts
        self._note = note
        self._clock = clock
        self._noting: set[asyncio.Task[None]] = set()

    def told(self) -> Told:
        """Return what a book of limits calls."""
        return Told(
            adjusted=self.adjusted, decided=self.decided, behind=self.behind, recovered=self.recovered
        )

    async def close(self) -> None:
        """Wait for what is being noted."""
        await asyncio.gather(*self._noting)

    def adjusted(self, limit: Limit) -> None:
        """Tell that volatility moved a limit, or that all of it counts again."""
        if limit.adjusted is None:
            said = f"all of {limit.hard:f} counts again"
            self._alerts.resolve("limit.adjusted", limit.id, said)
        else:
            said = limit.adjusted
            title = f"{limit.id} is tightened to {limit.effective:f} of {limit.hard:f}"
            self._alerts.raise_("limit.adjusted", "info", title, said, limit.id)
        body = {
            "limit_id": limit.id,
            "hard": f"{limit.hard:f}",
            "effective": f"{limit.effective:f}",
            "version": limit.version,
        }
        draft = AuditDraft(
            command_id=f"{limit.id}@{limit.version}"[:120],
            command="limit.adjust",
            actor="risk monitor",
            via="daemon",
            role="risk",
            body=msgspec.json.encode(body).decode(),
            outcome="done",
            detail=said,
            ts=self._clock(),
        )
        task = asyncio.get_running_loop().create_task(self._keep(draft))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _keep(self, draft: AuditDraft) -> None:
        try:
            await self._note(draft)
        except StoreFailedError as error:  # the store's health says so too
            logger.error("the audit of %s could not be stored: %s", draft.command_id, error.detail)

    def decided(self, change: LimitChange) -> None:
        """Tell that a change waits for a second person, or no longer does."""
        if change.status == "pending":
            title = f"A change of {change.limit_id} waits for a second person"
            detail = f"{change.asked_by} asked for {change.id}: {change.reason}"
            self._alerts.raise_("limit.change", "warning", title, detail, change.id)
        else:
            self._alerts.resolve("limit.change", change.id, f"{change.status} by {change.decided_by}")

    def behind(self, engine: str, reason: str | None) -> None:
        """Tell that an engine that runs has not the latest limits, or that it has them now."""
        if reason is None:
            self._alerts.resolve("limit.behind", engine, "it goes by the latest limits")
        else:
            title = f"{engine} may not go by the latest limits"
            self._alerts.raise_("limit.behind", "critical", title, reason, engine)

    def recovered(self, engine: str, ahead: GateBook) -> None:
        """Tell that an engine went by limits that the daemon's store did not know."""
        title = f"limits were taken over from {engine}"
        detail = (
            f"{engine} went by version {ahead.version}, which is later than the daemon's store; "
            "look at nautilus-tui limit list"
        )
        self._alerts.raise_("limit.recovered", "major", title, detail, engine)
