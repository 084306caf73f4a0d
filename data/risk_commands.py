"""Commands about risk: limits, breaches and alerts, the monitor, the kill switch, reports.

This module must not know how a command is carried or carried out.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import msgspec

from data.access import Role
from data.command import Command
from data.limits import ActionName, AutoAdjust, LimitType, Restriction, Unit
from data.words import Words


class SetLimit(Command, frozen=True, kw_only=True, tag="limit.set"):
    """Set a limit, new or in place of the one of the same type, scope and unit; fields left out stay."""

    role: ClassVar[Role] = "risk"
    title: ClassVar[str] = "Set limit"

    limit_type: LimitType
    scope: str = "portfolio"
    hard: Decimal
    unit: Unit | None = None  #: None: the type's first
    warn: Decimal | None = None
    window_s: int | None = None
    confidence: Decimal | None = None
    horizon_days: int | None = None
    method: str | None = None
    warn_actions: tuple[ActionName, ...] | None = None
    hard_actions: tuple[ActionName, ...] | None = None
    auto_adjust: AutoAdjust | None = None
    remove_auto_adjust: bool = False
    enabled: bool | None = None
    create_only: bool = False  #: refuse if there is one already


class DeleteLimit(Command, frozen=True, kw_only=True, tag="limit.delete"):
    """Delete a limit."""

    role: ClassVar[Role] = "risk"
    title: ClassVar[str] = "Delete limit"
    dangerous: ClassVar[bool] = True

    limit_id: str


class DecideLimitChange(Command, frozen=True, kw_only=True, tag="limit.decide"):
    """Approve or reject a change of a limit that another person asked for."""

    role: ClassVar[Role] = "risk"
    title: ClassVar[str] = "Approve or reject a limit change"
    of_sender: ClassVar[bool] = True

    change_id: str
    approve: bool


class RestrictEngine(Command, frozen=True, kw_only=True, tag="engine.restrict"):
    """Let an engine's gate pass only what reduces, or nothing, or everything within the limits again."""

    role: ClassVar[Role] = "risk"
    title: ClassVar[str] = "Restrict engine"

    engine: str
    restriction: Restriction
    reason: Words | None = None


class AcknowledgeBreach(Command, frozen=True, kw_only=True, tag="breach.acknowledge"):
    """Say that a breach has been seen; stops its escalation. With ``mitigating``, that something is done."""

    title: ClassVar[str] = "Acknowledge breach"

    breach_id: str
    note: Words | None = None
    mitigating: bool = False


class AcknowledgeAlert(Command, frozen=True, kw_only=True, tag="alert.acknowledge"):
    """Say that an alert has been seen."""

    title: ClassVar[str] = "Acknowledge alert"

    alert_id: str


class SetMonitor(Command, frozen=True, kw_only=True, tag="monitor.set"):
    """Start or stop the risk monitor; the gates in the engines go on without it."""

    role: ClassVar[Role] = "risk"
    title: ClassVar[str] = "Start or stop the risk monitor"
    dangerous: ClassVar[bool] = True

    running: bool


class Kill(Command, frozen=True, kw_only=True, tag="kill"):
    """Pull the kill switch: block every order, cancel all, flatten if asked, verify, stay latched."""

    title: ClassVar[str] = "Kill switch"
    dangerous: ClassVar[bool] = True

    engine: str | None = None  #: None: all engines
    flatten: bool = False
    drill: bool = False
    reason: str | None = None  #: made to fit what `Words` are: a kill is never refused for it


class Unlock(Command, frozen=True, kw_only=True, tag="unlock"):
    """Release the kill switch. ``phrase`` must be typed."""

    role: ClassVar[Role] = "risk"
    title: ClassVar[str] = "Release kill switch"
    dangerous: ClassVar[bool] = True

    phrase: str


class MakeReport(Command, frozen=True, kw_only=True, tag="report.make"):
    """Write a report into the home's folder of reports; who may only look asks for one instead."""

    title: ClassVar[str] = "Make report"

    report_type: str
    report_format: str
    parameters: dict[str, str] = msgspec.field(default_factory=dict)


#: Commands about risk; the daemon hands each to the part that knows how.
RiskCommand = (
    SetLimit
    | DeleteLimit
    | DecideLimitChange
    | RestrictEngine
    | AcknowledgeBreach
    | AcknowledgeAlert
    | SetMonitor
    | Kill
    | Unlock
    | MakeReport
)
