"""The limit that a command asks for: what it says laid over the limit there is, or over what a new one has.

This module must not know whether the change may be made, or when it is in force.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from data.limits import UNITS, Limit, Unit
from data.risk_commands import SetLimit
from risk.limits import limit_id

_CARRIED = (
    "warn",
    "window_s",
    "confidence",
    "horizon_days",
    "method",
    "warn_actions",
    "hard_actions",
    "enabled",
)
_DEFAULT_WINDOW_S = 1


def unit_of(command: SetLimit) -> Unit:
    """Return the unit that a command means: the one it names, else its type's first."""
    return command.unit or UNITS[command.limit_type][0]


def id_of(command: SetLimit) -> str:
    """Return the id of the limit that a command sets."""
    return limit_id(command.limit_type, command.scope, unit_of(command))


def drafted(command: SetLimit, before: Limit | None, by: str, ts: int, version: int = 1) -> Limit:
    """Return the limit as it would be; unchecked. Fields that the command leaves out stay as they are.

    A limit that volatility holds down stays down until volatility is looked at again, but never above
    what is set now; without a rule to adjust it, all of what is set counts.
    """
    said: dict[str, Any] = {name: value for name in _CARRIED if (value := getattr(command, name)) is not None}
    if command.limit_type == "order_rate" and before is None:
        said.setdefault("window_s", _DEFAULT_WINDOW_S)
    if command.remove_auto_adjust:
        said["auto_adjust"] = None
    elif command.auto_adjust is not None:
        said["auto_adjust"] = command.auto_adjust
    if before is None:
        return Limit(
            id=id_of(command),
            limit_type=command.limit_type,
            scope=command.scope,
            unit=unit_of(command),
            hard=command.hard,
            effective=command.hard,
            version=version,
            ts_created=ts,
            ts_updated=ts,
            updated_by=by,
            **said,
        )
    changed = replace(before, hard=command.hard, version=version, ts_updated=ts, updated_by=by, **said)
    return held_down(before, replace(changed, origin="user"))


def held_down(before: Limit, changed: Limit) -> Limit:
    """Return a changed limit of which no more counts than volatility let count before the change."""
    if changed.auto_adjust is None or before.adjusted is None or before.effective >= changed.hard:
        return replace(changed, effective=changed.hard, adjusted=None)
    return replace(changed, effective=before.effective, adjusted=before.adjusted)


def says_the_same(one: Limit, other: Limit) -> bool:
    """Tell whether two limits differ in nothing but version, times and who set them."""
    return (
        replace(
            one,
            version=other.version,
            ts_created=other.ts_created,
            ts_updated=other.ts_updated,
            updated_by=other.updated_by,
            origin=other.origin,
            effective=other.effective,
            adjusted=other.adjusted,
        )
        == other
    )
