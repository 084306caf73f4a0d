"""Which module has which command, and loading it when it is asked for: a run pays for its own command only.

This module must not know what commands do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

import typer
from typer.core import TyperGroup

#: Every command in the order of the help: its module in this package, and its name there.
COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "attach": "system:attach",
        "daemon": "system:daemon",
        "gateway": "gateway:gateway",
        "status": "system:status",
        "stop": "system:stop",
        "positions": "positions:positions",
        "close": "positions:close",
        "flatten": "positions:flatten",
        "account": "account:account",
        "fills": "account:fills",
        "quote": "market:quote",
        "bars": "market:bars",
        "instruments": "market:instruments",
        "import": "history:import_file",
        "history": "history:catalogue",
        "compact": "history:compact",
        "sql": "history:sql",
        "filings": "research:filings",
        "facts": "research:facts",
        "insiders": "research:insiders",
        "holdings": "research:holdings",
        "search": "research:search",
        "read": "research:read_document",
        "company": "research:company",
        "providers": "research:health",
        "kill": "kill:kill",
        "unlock": "kill:unlock",
        "performance": "performances:performance",
        "execution": "executions:execution",
        "broadcast": "auditing:broadcast",
        "doctor": "doctor:doctor",
        "bench": "measuring:bench",
        "engine": "engines:app",
        "limit": "limits:app",
        "order": "orders:app",
        "macro": "macro:app",
        "stock": "stocks:app",
        "breaches": "breaches:app",
        "alerts": "breaches:alerts_app",
        "monitor": "breaches:monitor_app",
        "risk": "measures:risk_app",
        "config": "settings:app",
        "token": "access:app",
        "authority": "authority:app",
        "audit": "auditing:app",
    }
)
#: Commands of a group that are written elsewhere than the group.
_WITHIN: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "engine": {"restrict": "limits:restrict"},
        "risk": {"forecast": "forecast:app", "report": "reports:report"},
    }
)


class Commands(TyperGroup):
    """The program's commands, each loaded when it is run or described."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        by_name: Any = _ByName()  # only read: what the program has stands above
        self.commands = by_name

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names; loads none."""
        return list(COMMANDS)


class _ByName(Mapping[str, Any]):
    """Commands by their names."""

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        return command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


@cache
def command(name: str) -> Any:
    """Load a command, or a group with all that is in it."""
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.callback()(lambda: None)  # else the framework takes a single command for the program itself
    found = _loaded(COMMANDS[name])
    for inner, where in _WITHIN.get(name, {}).items():
        _add(found, inner, _loaded(where))
    _add(alone, name, found)
    made: Any = typer.main.get_command(alone)
    return made.commands[name]


def _loaded(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(import_module(f"nautilus_tui.cli.{module}"), name)


def _add(group: typer.Typer, name: str, found: Any) -> None:
    if isinstance(found, typer.Typer):
        group.add_typer(found, name=name)
    else:
        group.command(name)(found)
