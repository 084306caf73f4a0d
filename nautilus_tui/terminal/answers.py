"""What is said in passing when a command was answered: what it was, and what kept it from being done."""

from __future__ import annotations

from data.commands import AnyCommand, CancelOrder, RestartEngine, SetFeed, StartEngine, StopEngine
from data.problems import ProblemDocument
from data.risk_commands import DeleteLimit, MakeReport, RestrictEngine, SetLimit
from nautilus_tui.terminal.limit_words import scope_words


def about(command: AnyCommand) -> str:
    """Return what a command was, and about what."""
    match command:
        case SetFeed():
            return f"Feed of {command.engine}: {command.action} {command.speed or ''}".rstrip()
        case CancelOrder():
            return f"{command.title} {command.client_order_id}"
        case StartEngine() | StopEngine() | RestartEngine():
            return f"{command.title} {command.engine}"
        case SetLimit():
            return f"{command.title} {command.limit_type} {scope_words(command.scope)}"
        case DeleteLimit():
            return f"{command.title} {command.limit_id}"
        case RestrictEngine():
            return f"{command.title} {command.engine}: {command.restriction.replace('_', ' ')}"
        case MakeReport():
            return f"{command.title} {command.report_type}.{command.report_format}"
        case _:
            return command.title


def told(problem: ProblemDocument) -> str:
    """Return what was wrong, the rule it broke and what would fix it."""
    rule = f" ({problem.rule})" if problem.rule else ""
    fix = f" → {problem.fix}" if problem.fix else ""
    return f"{problem.title}: {problem.detail}{rule}{fix}"
