"""What follows from a check of the limits: alerts, breaches' actions, who is told, what is lifted again.

This module must not know how limits are checked or how often.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from decimal import Decimal
from typing import Any, Final

from data.limits import (
    IN_PERCENT,
    Alert,
    Breach,
    BreachAction,
    Limit,
    LimitStatus,
    Restriction,
)
from nautilus_tui.daemon.risk.actions import CONFIRM_S, ActionRunner, Cause
from nautilus_tui.daemon.risk.alerts import SEVERITIES, AlertBook
from nautilus_tui.daemon.risk.breaches import BreachBook, Changes
from nautilus_tui.daemon.risk.escalation import Escalation
from nautilus_tui.daemon.risk.holds import RANKS, HoldBook
from nautilus_tui.daemon.risk.notify import Notifier, Told
from nautilus_tui.daemon.settings import EscalationStep
from risk import breaches as life

WARN: Final = "limit.warn"
BREACH: Final = "limit.breach"
UNKNOWN: Final = "limit.unknown"
#: A limit that cannot be judged for so long is an alert.
UNKNOWN_NS: Final = 15 * 1_000_000_000
#: A warning is over when the use is so far below where it warns.
_BELOW: Final = Decimal("0.02")
_SHOWN: Final = 5

logger = logging.getLogger(__name__)


class Responses:
    """Has done what a check of the limits asks for.

    Args:
        alerts, breaches, runner, holds, notifier: Who does it.
        chain: Who is told of a breach, and when.
        clock: UTC ns.
    """

    def __init__(
        self,
        *,
        alerts: AlertBook,
        breaches: BreachBook,
        runner: ActionRunner,
        holds: HoldBook,
        notifier: Notifier,
        chain: Sequence[EscalationStep],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._alerts = alerts
        self._breaches = breaches
        self._runner = runner
        self._holds = holds
        self._notifier = notifier
        self._first = min(chain, key=lambda step: step.after_s).role if chain else "trader"
        self._clock = clock
        self._limits: dict[str, Limit] = {}
        self._warned: dict[str, dict[tuple[str, str | None], BreachAction]] = {}
        self._unknown_since: dict[str, int] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._lifting: set[str] = set()
        self.escalation = Escalation(
            chain,
            book=breaches,
            tell=self._tell_of_breach,
            follows=lambda breach: "notify" in self._actions(breach),
            note=self._note_told,
            clock=clock,
        )
        alerts.on_raise(self._on_alert)

    def start(self, limits: Sequence[Limit]) -> None:
        """Begin to climb the chain, also of breaches that were open before."""
        self._limits = {limit.id: limit for limit in limits}
        self.escalation.start()

    async def close(self) -> None:
        """End what is under way."""
        await self.escalation.close()
        await self._runner.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ------------------------------------------------------------ after a check

    def respond(self, statuses: Sequence[LimitStatus], changes: Changes) -> None:
        """Do what follows from a check of all limits."""
        self._limits = {status.limit.id: status.limit for status in statuses}
        for breach in changes.begun + changes.worse:
            self._raise_breach(breach)
        for breach in changes.worse:
            if "notify" in self._actions(breach):
                self._begin(self._tell_it_is_worse(breach))
        for breach in changes.over:
            self._end_breach(breach)
        self._warn(statuses)
        self._say_what_is_unknown(statuses)
        for breach in self._breaches.open():
            self._see_to(breach)
        for hold in self._holds.holds():
            self._review(hold.engine)
        if changes.begun or changes.over:
            self.escalation.wake()

    def _raise_breach(self, breach: Breach) -> None:
        limit = self._limits[breach.limit_id]
        alert = self._alerts.raise_(
            BREACH,
            breach.severity,
            f"{_name(limit)} is over its limit, {breach.severity}",
            f"{_amount(breach.value, limit)} of {_amount(breach.limit, limit)}"
            + (f", most of it {breach.subject}" if breach.subject else "")
            + f"; breach {breach.id}",
            breach.limit_id,
            breach.synthetic,
        )
        self._alerts.resolve(WARN, breach.limit_id, "it became a breach")
        if "warn" in limit.hard_actions:
            self._breaches.act(
                breach.id,
                BreachAction(
                    action="warn",
                    status="done",
                    detail=f"alert {alert.id}",
                    ts_requested=alert.ts_raised,
                    ts_done=alert.ts_raised,
                ),
            )

    def _end_breach(self, breach: Breach) -> None:
        self._alerts.resolve(BREACH, breach.limit_id, breach.note or "back within the limit")

    def _see_to(self, breach: Breach) -> None:
        limit = self._limits.get(breach.limit_id)
        if limit is None:
            return
        cause = Cause(
            breach.id,
            limit,
            limit.hard_actions,
            f"breach {breach.id} of {limit.id}",
            lambda action, engine: self._done_about(breach.id, action, engine),
            lambda action: self._breaches.act(breach.id, action),
            lambda: self._breaches.get(breach.id) is not None,
        )
        self._runner.ensure(cause)

    def _done_about(self, id_: str, action: Any, engine: str | None) -> BreachAction | None:
        breach = self._breaches.get(id_)
        return None if breach is None else life.action_of(breach, action, engine)

    def _actions(self, breach: Breach) -> tuple[str, ...]:
        limit = self._limits.get(breach.limit_id)
        return () if limit is None else limit.hard_actions

    # ------------------------------------------------------------ near a limit

    def _warn(self, statuses: Sequence[LimitStatus]) -> None:
        for status in statuses:
            limit, use = status.limit, status.use
            if status.level == "warn" and use is not None and self._breaches.of_limit(limit.id) is None:
                self._raise_warning(status, use)
                continue
            over = status.level == "off" or (use is not None and use < limit.warn - _BELOW)
            if over and (alert := self._alerts.resolve(WARN, limit.id)) is not None:
                self._warned.pop(alert.id, None)
        for alert in self._alerts.open():
            if alert.kind == WARN and alert.subject not in self._limits:
                self._alerts.resolve(WARN, alert.subject, "the limit was deleted")
                self._warned.pop(alert.id, None)

    def _raise_warning(self, status: LimitStatus, use: Decimal) -> None:
        limit = status.limit
        alert = self._alerts.raise_(
            WARN,
            "warning",
            f"{_name(limit)} is near its limit",
            f"{int(use * 100)} % of {_amount(limit.effective, limit)} are used"
            + (f", most of it by {status.subject}" if status.subject else ""),
            limit.id,
            status.synthetic,
        )
        done = self._warned.setdefault(alert.id, {})
        cause = Cause(
            alert.id,
            limit,
            limit.warn_actions,
            f"{limit.id} is near its limit",
            lambda action, engine: done.get((action, engine)),
            lambda action: self._note_warned(alert.id, action),
            lambda: self._alerts.open_one(WARN, limit.id) is not None,
        )
        self._runner.ensure(cause)

    def _note_warned(self, alert_id: str, action: BreachAction) -> None:
        self._warned.setdefault(alert_id, {})[(action.action, action.engine)] = action
        if action.status != "requested":
            on = f" on {action.engine}" if action.engine else ""
            self._alerts.note_told(alert_id, f"{action.action}{on}: {action.status}, {action.detail}")

    # ------------------------------------------------------------ what is not known

    def _say_what_is_unknown(self, statuses: Sequence[LimitStatus]) -> None:
        now = self._clock()
        unknown = {one.limit.id: one for one in statuses if one.level == "unknown"}
        self._unknown_since = {id_: self._unknown_since.get(id_, now) for id_ in unknown}
        lasting = [unknown[id_] for id_, since in self._unknown_since.items() if now - since >= UNKNOWN_NS]
        if not lasting:
            if not unknown:
                self._alerts.resolve(UNKNOWN, None, "every limit can be judged again")
            return
        lines = [f"{one.limit.id}: {one.reason}" for one in lasting[:_SHOWN]]
        more = f" and {len(lasting) - _SHOWN} more" if len(lasting) > _SHOWN else ""
        self._alerts.raise_(
            UNKNOWN,
            "warning",
            f"{len(lasting)} {'limit' if len(lasting) == 1 else 'limits'} cannot be judged",
            "; ".join(lines) + more,
            None,
            any(one.synthetic for one in lasting),
        )

    # ------------------------------------------------------------ restrictions that are over

    def _review(self, engine: str) -> None:
        """Lift what the monitor set on an engine as far as no breach and no warning asks for it."""
        if engine not in self._lifting:
            self._lifting.add(engine)
            self._begin(self._lift(engine))

    async def _lift(self, engine: str) -> None:
        try:
            ended = await self._holds.lift(engine, self._wanted, "what it was set for is over", CONFIRM_S)
            if ended is not None and ended.status != "done":
                logger.info("the restriction of %s is not lifted yet: %s", engine, ended.detail)
        finally:
            self._lifting.discard(engine)

    def _wanted(self, engine: str) -> Restriction:
        """Return the restriction of an engine that open breaches and warnings ask for."""
        wanted: Restriction = "none"
        for breach in self._breaches.open():
            limit = self._limits.get(breach.limit_id)
            asked = any(one.engine == engine for one in breach.actions)
            # One that has just begun has asked for nothing yet, and will; over a limit is near it, too.
            if limit is not None and (asked or engine in self._runner.engines_of(limit)):
                wanted = _stricter(wanted, _asked((*limit.warn_actions, *limit.hard_actions)))
        for alert in self._alerts.open():
            limit = self._limits.get(alert.subject or "") if alert.kind == WARN else None
            if limit is not None and engine in self._runner.engines_of(limit):
                wanted = _stricter(wanted, _asked(limit.warn_actions))
        return wanted

    # ------------------------------------------------------------ telling people

    async def _tell_of_breach(self, role: str, breach: Breach) -> Told:
        if role == self._first:
            self._note_notify(breach, "requested", None)
        return await self._notifier.tell(role, *self._message(breach))

    async def _tell_it_is_worse(self, breach: Breach) -> None:
        """Tell the first of the chain again, also when the breach was acknowledged before."""
        told = await self._notifier.tell(self._first, *self._message(breach))
        alert = self._alerts.open_one(BREACH, breach.limit_id)
        if alert is not None:
            self._alerts.note_told(alert.id, f"{told.role}, when it became {breach.severity}: {told.detail}")

    def _message(self, breach: Breach) -> tuple[str, str]:
        """Return title and text of what people are told of a breach."""
        limit = self._limits.get(breach.limit_id)
        title = f"Nautilus TUI: {breach.limit_type} {breach.scope} over its limit, {breach.severity}"
        body = (
            f"value {breach.value:f}, limit {breach.limit:f} ({breach.use * 100:.0f} %)\n"
            f"breach {breach.id}, found {_clock(breach.ts_detected)}"
            + (f"\nmost of it {breach.subject}" if breach.subject else "")
            + ("\nSYNTHETIC: computed from a simulated market" if breach.synthetic else "")
            + ("" if limit is None else f"\nactions: {', '.join(limit.hard_actions)}")
            + f"\nacknowledge: nautilus-tui breaches ack {breach.id}"
        )
        return title, body

    def _note_told(self, breach: Breach, told: Told) -> None:
        alert = self._alerts.open_one(BREACH, breach.limit_id)
        if alert is not None:
            self._alerts.note_told(alert.id, str(told))
        if told.role == self._first:
            self._note_notify(breach, _result(told), told.detail)

    def _note_notify(self, breach: Breach, status: Any, detail: str | None) -> None:
        known = self._done_about(breach.id, "notify", None)
        now = self._clock()
        self._breaches.act(
            breach.id,
            BreachAction(
                action="notify",
                status=status,
                detail=detail,
                ts_requested=now if known is None else known.ts_requested,
                ts_done=now if status == "done" else None,
            ),
        )

    def _on_alert(self, alert: Alert) -> None:
        """Tell the first of the chain of what no breach tells: warnings that say so, and what is severe."""
        limit = self._limits.get(alert.subject or "") if alert.kind == WARN else None
        wanted = limit is not None and "notify" in limit.warn_actions
        severe = alert.kind != BREACH and SEVERITIES.index(alert.severity) >= SEVERITIES.index("major")
        if wanted or severe:
            self._begin(self._tell_of_alert(alert))

    async def _tell_of_alert(self, alert: Alert) -> None:
        mark = "\nSYNTHETIC: computed from a simulated market" if alert.synthetic else ""
        told = await self._notifier.tell(self._first, f"Nautilus TUI: {alert.title}", alert.detail + mark)
        self._alerts.note_told(alert.id, str(told))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a response of the monitor failed", exc_info=error)


def _asked(actions: Sequence[str]) -> Restriction:
    """Return the restriction that actions come to."""
    if "halt" in actions:
        return "halted"
    return "reduce_only" if "deny_increase" in actions else "none"


def _stricter(one: Restriction, other: Restriction) -> Restriction:
    return max(one, other, key=RANKS.index)


def _result(told: Told) -> str:
    if told.sent:
        return "done"
    return "unknown" if told.detail.startswith("unknown") else "failed"


def _name(limit: Limit) -> str:
    return f"{limit.limit_type.replace('_', ' ')} of {limit.scope}"


def _amount(value: Decimal, limit: Limit) -> str:
    """Return a value in its limit's unit, for people."""
    match limit.unit:
        case "ratio":
            return f"{value * 100:.2f} %" if limit.limit_type in IN_PERCENT else f"{value:.2f}"
        case "notional":
            return f"{value:,.2f}"
        case _:
            return f"{value:,f} {limit.unit}"


def _clock(ts: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(ts // 1_000_000_000))
