"""What a command about limits must look like: every field by its rule, and names that exist.

A limit over a name that nothing has would never hold anything; what is mistyped is refused and what comes
near is said. This module must not know which limits there are.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from typing import Final, Protocol

import msgspec

from data.limits import UNIT_NAMES, UNITS, VAR_METHODS, Limit, Unit, unit_called
from data.problems import InvalidRequestError, NotFoundError
from data.records import EngineStatus, Instrument
from data.risk_commands import DecideLimitChange, DeleteLimit, RestrictEngine, SetLimit
from engines.market.universe import VENUE, chosen
from nautilus_tui.daemon.risk.limit_drafts import drafted
from risk.limits import check_limit
from risk.scopes import Scope, scope_of

type LimitCommand = SetLimit | DeleteLimit | DecideLimitChange | RestrictEngine

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NAME_LENGTH: Final = 64
_REASON_LENGTH: Final = 500
_OF_VAR: Final = ("confidence", "horizon_days", "method")


class Engines(Protocol):
    """What is asked of the engines."""

    def statuses(self) -> list[EngineStatus]:
        """Return the state of every engine known."""

    def status_of(self, engine: str) -> EngineStatus:
        """Return the state of one engine; raises NotFoundError."""

    def instruments(self, engine: str) -> list[Instrument]:
        """Return what an engine trades."""


def unit_named(text: str) -> Unit:
    """Return the unit that a word means; a currency's code means money.

    Raises:
        InvalidRequestError: It is no unit.
    """
    unit = unit_called(text)
    if unit is None:
        raise InvalidRequestError(
            f"unit is {text[:40]!r}",
            rule=f"unit is one of {', '.join(UNIT_NAMES)}, or a currency, which means notional",
            fix="leave it out for the type's own",
            field="unit",
            value=text[:40],
        )
    return unit


def check(command: LimitCommand, engines: Engines) -> None:
    """Check a command about limits against everything that is known now.

    Raises:
        InvalidRequestError: A field breaks its rule; names field, value and rule.
        NotFoundError: It names an engine, instrument or sector that there is not.
    """
    match command:
        case SetLimit():
            _check_set(command, engines)
        case RestrictEngine():
            engines.status_of(command.engine)
            if command.reason is not None and not 1 <= len(command.reason.strip()) <= _REASON_LENGTH:
                raise _invalid("reason", command.reason[:80], f"1 to {_REASON_LENGTH} characters")
        case DeleteLimit() | DecideLimitChange():
            return


def _check_set(command: SetLimit, engines: Engines) -> None:
    unit = command.unit
    if unit is not None and unit not in UNITS[command.limit_type]:
        raise _invalid("unit", unit, f"of {command.limit_type}: {' or '.join(UNITS[command.limit_type])}")
    scope = scope_of(command.scope)
    if len(scope.name) > _NAME_LENGTH or _CONTROL.search(scope.name) or scope.name != scope.name.strip():
        raise _invalid("scope", command.scope[:80], f"a name of 1 to {_NAME_LENGTH} printable characters")
    if command.auto_adjust is not None and command.remove_auto_adjust:
        raise InvalidRequestError(
            "auto_adjust is given and to be removed",
            rule="auto-adjustment is set or removed, not both",
            fix="leave one of the two out",
            field="remove_auto_adjust",
            value="true",
        )
    limit = drafted(command, None, "", 0)
    check_limit(limit)
    _check_var(limit)
    _check_exists(scope, engines)


def _check_var(limit: Limit) -> None:
    if limit.limit_type == "var":
        if limit.method not in VAR_METHODS:
            raise _invalid("method", limit.method[:40], f"one of {', '.join(VAR_METHODS)}")
        return
    defaults = {field.name: field.default for field in msgspec.structs.fields(Limit)}
    for field in _OF_VAR:
        value = getattr(limit, field)
        if value != defaults[field]:
            raise _invalid(field, str(value)[:40], "of limits on var only")


def _check_exists(scope: Scope, engines: Engines) -> None:
    match scope.kind:
        case "engine":
            known = [one.id for one in engines.statuses()]
            if scope.name not in known:
                raise _not_found(scope, "no engine has that name", known, "see nautilus-tui engine list")
        case "instrument":
            traded = {one.id for one in _instruments(engines)}
            simulated = {listing.id for listing in chosen(None)}
            # While no engine has said what it trades, only the simulated venue's listings are known.
            judged = traded or scope.name.upper().endswith(f".{VENUE}")
            if judged and scope.name not in traded | simulated:
                raise _not_found(
                    scope, "no engine trades it", traded | simulated, "see nautilus-tui instruments"
                )
        case "sector":
            sectors = {one.sector for one in _instruments(engines) if one.sector is not None}
            if sectors and scope.name not in sectors:
                raise _not_found(
                    scope, "no instrument is in it", sectors, f"one of {', '.join(sorted(sectors))}"
                )
        case "portfolio" | "strategy":
            return


def _instruments(engines: Engines) -> Iterable[Instrument]:
    return (one for status in engines.statuses() for one in engines.instruments(status.id))


def _not_found(scope: Scope, why: str, known: Collection[str], otherwise: str) -> NotFoundError:
    by_fold = {name.casefold(): name for name in known}
    wanted = scope.name.casefold()
    begins = sorted(name for name in by_fold if name.startswith(wanted) or wanted.startswith(name))
    near = (begins or difflib.get_close_matches(wanted, by_fold, n=3, cutoff=0.6))[:3]
    named = " or ".join(f"{scope.kind}:{by_fold[one]}" for one in near)
    return NotFoundError(
        f"scope is {scope.kind}:{scope.name}: {why}",
        rule=f"scope is over {'an' if scope.kind[0] in 'aei' else 'a'} {scope.kind} that there is",
        fix=f"did you mean {named}?" if near else otherwise,
        field="scope",
        value=f"{scope.kind}:{scope.name}",
    )


def _invalid(field: str, value: str, rule: str) -> InvalidRequestError:
    return InvalidRequestError(f"{field} is {value!r}", rule=f"{field} is {rule}", field=field, value=value)
