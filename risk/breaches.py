"""The life of a breach: detected → acknowledged → mitigating → resolved, or escalated on the way.

One breach is one stretch of time over a limit. It is over when the value is back at 98 % of the limit or
less, or has been at the limit or below for a minute: a value that flickers at its limit stays one breach.
Severity goes by the worst: minor from 100 %, major from 125 %, critical from 150 %, emergency from 200 %.
This module is pure; it must not know who checks, who is told or what is done.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, NamedTuple, get_args

import msgspec

from data.limits import ActionName, Breach, BreachAction, LimitStatus, Severity
from data.problems import ConflictError

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
#: From which share of the limit on a breach has a severity.
_FROM: Final[tuple[tuple[Decimal, Severity], ...]] = (
    (Decimal(2), "emergency"),
    (Decimal("1.5"), "critical"),
    (Decimal("1.25"), "major"),
)
#: At this share of the limit or less a breach is over at once.
BACK_SHARE: Final = Decimal("0.98")
#: So long at the limit or below, a breach is over as well.
BACK_NS: Final = 60 * 1_000_000_000
_USE: Final = Decimal("0.000001")


class Checked(NamedTuple):
    """A breach after a check, and since when the value has been back within the limit (UTC ns)."""

    breach: Breach
    back_since: int | None


def severity_of(value: Decimal, limit: Decimal) -> Severity:
    """Return how severe a value above its limit is; above a limit of zero there is no share to tell."""
    if limit <= 0:
        return "emergency"
    share = value / limit
    return next((severity for least, severity in _FROM if share >= least), "minor")


def detected(id_: str, status: LimitStatus, ts: int) -> Breach:
    """Return the breach that a status begins; its value must be known and above the limit."""
    limit, value = status.limit, status.value
    if value is None:
        raise ValueError("a value that is not known breaches nothing")
    return Breach(
        id=id_,
        limit_id=limit.id,
        limit_type=limit.limit_type,
        scope=limit.scope,
        unit=limit.unit,
        status="detected",
        severity=severity_of(value, limit.effective),
        value=value,
        worst=value,
        limit=limit.effective,
        use=_use(value, limit.effective),
        subject=status.subject,
        synthetic=status.synthetic,
        ts_detected=ts,
        ts=ts,
    )


def checked(breach: Breach, status: LimitStatus, back_since: int | None, ts: int) -> Checked:
    """Return an open breach after another check of its limit.

    While the value is not known nothing changes, and the time within the limit begins anew. A limit that
    is switched off is breached no longer.
    """
    value, bound = status.value, status.limit.effective
    if not status.limit.enabled:
        return Checked(resolved(breach, ts, "the limit was switched off"), None)
    if value is None:
        return Checked(breach, None)
    seen = msgspec.structs.replace(
        breach,
        value=value,
        limit=bound,
        use=_use(value, bound),
        subject=status.subject,
        synthetic=breach.synthetic or status.synthetic,
        ts=ts,
    )
    if value > bound:
        severity = max(breach.severity, severity_of(value, bound), key=SEVERITIES.index)
        worst = max(breach.worst, value)
        return Checked(
            msgspec.structs.replace(seen, severity=severity, worst=worst, checks=breach.checks + 1), None
        )
    since = ts if back_since is None else back_since
    if value <= BACK_SHARE * bound or ts - since >= BACK_NS:
        return Checked(resolved(seen, ts), None)
    return Checked(seen, since)


def resolved(breach: Breach, ts: int, note: str | None = None) -> Breach:
    """Return a breach that is over."""
    return msgspec.structs.replace(breach, status="resolved", ts_resolved=ts, ts=ts, note=note or breach.note)


def acknowledged(
    breach: Breach, by: str, ts: int, *, note: str | None = None, mitigating: bool = False
) -> Breach:
    """Return a breach that somebody has seen, or, with ``mitigating``, does something about.

    Raises:
        ConflictError: It is over, or this was said already.
    """
    if breach.status == "resolved":
        raise ConflictError(f"breach {breach.id} is resolved", rule="what is over needs no acknowledgement")
    status = "mitigating" if mitigating else "acknowledged"
    if breach.status == status or (breach.status == "mitigating" and not note):
        raise ConflictError(
            f"breach {breach.id} is {breach.status} by {breach.acknowledged_by}",
            rule="a breach goes from detected to acknowledged to mitigating",
            fix="nothing is left to say",
        )
    return msgspec.structs.replace(
        breach,
        status="mitigating" if breach.status == "mitigating" else status,
        acknowledged_by=by,
        note=note or breach.note,
        ts_acknowledged=breach.ts_acknowledged or ts,
        ts=ts,
    )


def escalated(breach: Breach, to: str, ts: int, *, first: bool) -> Breach:
    """Return a breach of which a step of the chain was told; with the first step it is not escalated yet."""
    if breach.status not in ("detected", "escalated"):
        return breach
    if first:
        return msgspec.structs.replace(breach, escalated_to=to, ts=ts)
    return msgspec.structs.replace(breach, status="escalated", escalated_to=to, ts_escalated=ts, ts=ts)


def with_action(breach: Breach, action: BreachAction, ts: int) -> Breach:
    """Return a breach with something done about it: new, or the same action with another result."""
    kept = [
        action if (one.action, one.engine) == (action.action, action.engine) else one
        for one in breach.actions
    ]
    known = any((one.action, one.engine) == (action.action, action.engine) for one in breach.actions)
    return msgspec.structs.replace(
        breach, actions=tuple(kept if known else [*kept, action]), ts=max(breach.ts, ts)
    )


def action_of(breach: Breach, action: ActionName, engine: str | None) -> BreachAction | None:
    """Return what was done, if it was."""
    return next((one for one in breach.actions if (one.action, one.engine) == (action, engine)), None)


def _use(value: Decimal, limit: Decimal) -> Decimal:
    if limit <= 0:
        return Decimal("Infinity")
    return (value / limit).quantize(_USE, ROUND_HALF_EVEN)
