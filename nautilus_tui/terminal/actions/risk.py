"""Actions on limits, breaches and alerts, and the kill switch, each with why it cannot be done now."""

from __future__ import annotations

from typing import Final

from data.risk_commands import (
    AcknowledgeBreach,
    DeleteLimit,
    Kill,
    MakeReport,
    RestrictEngine,
    SetLimit,
    SetMonitor,
    Unlock,
)
from nautilus_tui.terminal.actions.action import Action, connected
from nautilus_tui.terminal.situation import Situation


def _limit_there(situation: Situation) -> str | None:
    return None if situation.limit is not None else "no limit is under the cursor"


def _breach_open(situation: Situation) -> str | None:
    breach = situation.breach
    if breach is None:
        return "no breach is under the cursor"
    if breach.status == "resolved":
        return f"{breach.id} is over"
    return None


def _breach_unseen(situation: Situation) -> str | None:
    breach = situation.breach
    if breach is not None and breach.status in ("acknowledged", "mitigating"):
        return f"{breach.id} is {breach.status} already"
    return _breach_open(situation)


def _breach_unmitigated(situation: Situation) -> str | None:
    breach = situation.breach
    if breach is not None and breach.status == "mitigating":
        return f"{breach.id} is mitigating already"
    return _breach_open(situation)


def _engine_known(situation: Situation) -> str | None:
    return None if situation.mirror.engines else "no engine is known"


def _not_killed(situation: Situation) -> str | None:
    kill = situation.mirror.risk.kill
    if kill is not None and kill.state not in ("armed", "latched"):
        return None  # the dialogue shows how far it has come
    return _engine_known(situation)


def _killed(situation: Situation) -> str | None:
    kill = situation.mirror.risk.kill
    if kill is None or kill.state == "armed":
        return "the kill switch is armed: nothing is locked"
    return None  # also of one that could not be verified: it holds until it is released


def _shocked(situation: Situation) -> str | None:
    return None if situation.view.risk.shocks else "no stress of one's own is set"


RISK: Final = (
    Action(
        id="risk.kill",
        keys=("K",),
        name="kill-switch",
        command=Kill,
        label="Kill switch: block, cancel all, flatten",
        hint="KILL",
        otherwise="nautilus-tui kill in a shell needs no daemon",
        check=_not_killed,
    ),
    Action(
        id="risk.unlock",
        keys=("U",),
        name="release-kill-switch",
        command=Unlock,
        label="Release the kill switch by its phrase",
        otherwise="nautilus-tui unlock in a shell needs no daemon",
        check=_killed,
    ),
    Action(id="risk.alerts", keys=("!", "A"), name="alerts", label="Open alerts and breaches"),
    Action(
        id="limit.new",
        keys=("n",),
        name="limit-new",
        scope="risk",
        command=SetLimit,
        label="Set a new limit",
        hint="new",
    ),
    Action(
        id="limit.edit",
        keys=("m",),
        name="limit-edit",
        scope="limits",
        command=SetLimit,
        label="Change the limit under the cursor",
        hint="change",
        check=_limit_there,
    ),
    Action(
        id="limit.delete",
        keys=("x",),
        name="limit-delete",
        scope="limits",
        command=DeleteLimit,
        hint="delete",
        check=_limit_there,
    ),
    Action(
        id="limit.check",
        keys=("c",),
        name="limit-check",
        scope="limits",
        label="Check the limit now, without consequence",
        hint="check",
        check=lambda situation: _limit_there(situation) or connected(situation),
    ),
    Action(
        id="breach.ack",
        keys=("a",),
        name="breach-ack",
        scope="breaches",
        command=AcknowledgeBreach,
        hint="ack",
        check=_breach_unseen,
    ),
    Action(
        id="breach.mitigate",
        keys=("m",),
        name="breach-mitigate",
        scope="breaches",
        command=AcknowledgeBreach,
        label="Say that something is done about it",
        hint="mitigating",
        check=_breach_unmitigated,
    ),
    Action(
        id="engine.restrict",
        keys=("R",),
        name="engine-restrict",
        scope="risk",
        command=RestrictEngine,
        hint="restrict",
        check=_engine_known,
    ),
    Action(
        id="engine.restrict_here",
        keys=("R",),
        name="restrict-engine",
        scope="engines",
        command=RestrictEngine,
        hint="restrict",
        check=_engine_known,
    ),
    Action(
        id="risk.report",
        keys=("P",),
        name="make-report",
        scope="risk",
        command=MakeReport,
        hint="report",
    ),
    Action(
        id="risk.monitor",
        keys=("M",),
        name="risk-monitor",
        scope="risk",
        command=SetMonitor,
    ),
    Action(
        id="risk.refresh",
        keys=("r",),
        name="risk-refresh",
        scope="risk",
        label="Ask for every figure here again",
        hint="refresh",
        check=connected,
    ),
    Action(
        id="risk.confidence",
        keys=("t",),
        name="risk-confidence",
        scope="risk",
        label="Value at risk at the next confidence",
    ),
    Action(
        id="risk.horizon",
        keys=("]",),
        name="risk-horizon",
        scope="risk",
        label="Value at risk over the next horizon",
    ),
    Action(
        id="stress.own",
        keys=("s",),
        name="stress-own",
        scope="stress",
        label="A stress of one's own: shocks by factor",
        hint="shock",
    ),
    Action(
        id="stress.none",
        keys=("escape",),
        name="stress-none",
        scope="stress",
        label="The known scenarios alone again",
        check=_shocked,
    ),
    Action(
        id="exposures.group",
        keys=("v",),
        name="exposures-group",
        scope="risk",
        label="Exposures by instrument, or by sector",
        hint="sector",
    ),
)
