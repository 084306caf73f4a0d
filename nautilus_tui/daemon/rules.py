"""What a command must look like before it is carried out: every field by its rule, nothing changed yet.

Order rules (ticks, lots, which type needs which price) are the engine's own, asked here with its
instruments, so that a bad order is refused before it is sent. This module must not know who sent
the command or what carrying it out means.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from data import forms
from data.access import check_token
from data.commands import (
    AnyCommand,
    CancelAll,
    CancelOrder,
    ClosePosition,
    CreateToken,
    Flatten,
    ImportHistory,
    ModifyOrder,
    PreviewOrder,
    RefreshProviders,
    RestartEngine,
    RevokeToken,
    SetFeed,
    StartEngine,
    StopEngine,
    SubmitBracket,
    SubmitOco,
    SubmitOrder,
    UnwatchCompany,
    WatchCompany,
)
from data.paths import engine_id
from data.problems import InvalidRequestError, NotFoundError, UnavailableError
from data.records import EngineStatus, Instrument
from data.reports import report_format, report_type
from data.risk_commands import DecideLimitChange, DeleteLimit, MakeReport, RestrictEngine, SetLimit, Unlock
from data.words import check_texts, shown
from engines import rules
from engines.latch import check_phrase
from engines.rules import check_id as check_id
from engines.supervisor import Supervisor
from nautilus_tui.daemon import limit_rules
from nautilus_tui.daemon.research.desk import PROVIDERS

#: Commands whose ``client_order_id`` is that of an order there is.
_OF_AN_ORDER = ModifyOrder | CancelOrder | PreviewOrder
#: States in which an engine takes commands.
READY_STATES = frozenset({"running", "degraded"})
_TICKER = re.compile(r"[A-Za-z0-9][A-Za-z0-9./ -]{0,15}")
#: Fields that name an engine or an instrument.
_NAMES = frozenset({"engine", "instance_id", "instrument"})
#: Numbers are below ten to this power and have at most this many decimals.
_MAX_POWER = 18
#: What the store and the link between processes hold.
_LARGEST = 2**63 - 1
#: The moment from which a date counts as given; whether it lies ahead is judged by the engine's market time.
_ANY_TIME = 0


def check(command: AnyCommand, supervisor: Supervisor) -> None:
    """Check a command against everything that is known now.

    Raises:
        InvalidRequestError: a field breaks its rule; names field, value and rule.
        DeniedError: an order breaks a rule of its instrument or type.
        NotFoundError: it names an engine or instrument that does not exist.
        UnavailableError: it names an engine that does not run.
    """
    check_numbers(command)
    check_named(command)
    named = getattr(command, "client_order_id", None)
    if named is not None:
        check_id("client_order_id", named, new=not isinstance(command, _OF_AN_ORDER))
    match command:
        case SubmitOrder():
            rules.check_order(_instrument(command, supervisor), command, _ANY_TIME)
        case SubmitBracket():
            rules.check_bracket(_instrument(command, supervisor), command, _ANY_TIME)
        case SubmitOco():
            rules.check_oco(_instrument(command, supervisor), command, _ANY_TIME)
        case ClosePosition() | PreviewOrder():
            _instrument(command, supervisor)
        case ModifyOrder():
            _check_modification(command)
            _running(command.engine, supervisor)
        case CancelAll() | Flatten() if command.instrument is not None:
            _instrument(command, supervisor)
        case CancelOrder() | CancelAll() | Flatten():
            _running(command.engine, supervisor)
        case SetFeed():
            _check_feed(command)
            _running(command.engine, supervisor)
        case StartEngine():
            _check_start(command)
        case StopEngine() | RestartEngine():
            supervisor.status_of(command.engine)
        case RefreshProviders() | WatchCompany() | UnwatchCompany():
            _check_research(command)
        case Unlock():
            check_phrase(command.phrase)
        case CreateToken() | RevokeToken() | ImportHistory():
            _check_names(command)
        case MakeReport():
            report_type(command.report_type)
            report_format(command.report_format)
        case SetLimit() | DeleteLimit() | DecideLimitChange() | RestrictEngine():
            limit_rules.check(command, supervisor)
    check_texts(command)


def check_numbers(given: msgspec.Struct) -> None:
    """Check that the numbers of a command, or of what asks for one, can be kept and reckoned with.

    Raises:
        InvalidRequestError: one cannot; names field, value and rule.
    """
    for name in given.__struct_fields__:
        value = getattr(given, name)
        if isinstance(value, int) and not -_LARGEST <= value <= _LARGEST:
            raise _invalid(name, str(value)[:80], "a whole number of at most 63 bits")
        if not isinstance(value, Decimal):
            continue
        exponent = value.as_tuple().exponent
        if isinstance(exponent, str) or exponent < -_MAX_POWER or value.adjusted() >= _MAX_POWER:
            rule = f"a finite number below 1e{_MAX_POWER} with at most {_MAX_POWER} decimals"
            raise _invalid(name, str(value)[:80], rule)


def check_named(given: msgspec.Struct) -> None:
    """Check that what a command, or what asks for one, names by an id has one: none is not an empty one.

    Raises:
        InvalidRequestError: a name is empty; names field, value and rule.
    """
    for name in _NAMES & set(given.__struct_fields__):
        value = getattr(given, name)
        if isinstance(value, str) and not value.strip():
            raise _invalid(name, shown(value), "not empty")


def _check_modification(command: ModifyOrder) -> None:
    changes = {name: getattr(command, name) for name in ("qty", "price", "trigger_price")}
    if all(value is None for value in changes.values()):
        raise InvalidRequestError(
            "nothing to modify",
            rule="a modification changes qty, price or trigger_price",
            fix="give at least one of them",
            field="qty",
        )
    for name, value in changes.items():
        if value is not None and value <= 0:
            raise _invalid(name, f"{value:f}", "greater than zero")


def _check_feed(command: SetFeed) -> None:
    if command.action == "speed" and not command.speed:
        raise InvalidRequestError(
            "no speed is given", rule="action speed needs a speed", fix="for example 10 or max", field="speed"
        )


def _check_start(command: StartEngine) -> None:
    engine_id(command.engine)
    if command.trading_mode == "live":
        confirmed = "" if command.confirm_live_trading else " and confirm_live_trading is not given"
        raise InvalidRequestError(
            f"engine {command.engine} does not trade live: no live venue is configured{confirmed}",
            rule="an engine trades live only at a configured live venue and with confirm_live_trading",
            fix="use trading_mode paper",
            field="trading_mode",
            value="live",
        )
    for name in ("max_position_size", "max_order_notional"):
        value = getattr(command, name)
        if value is not None and value <= 0:
            raise _invalid(name, f"{value:f}", "greater than zero")


def _check_names(command: CreateToken | RevokeToken | ImportHistory) -> None:
    match command:
        case CreateToken() | RevokeToken():
            check_token(command.name, command.expires_days if isinstance(command, CreateToken) else None)
        case ImportHistory():
            if not command.path.startswith("/") or "\0" in command.path:
                raise _invalid("path", command.path[:80], "the full path of a file, from the root")


def _check_research(command: RefreshProviders | WatchCompany | UnwatchCompany) -> None:
    match command:
        case RefreshProviders():
            if command.provider is not None and command.provider not in PROVIDERS:
                raise _invalid("provider", command.provider[:80], f"one of {', '.join(PROVIDERS)}")
        case WatchCompany() | UnwatchCompany():
            if not _TICKER.fullmatch(command.ticker):
                raise _invalid("ticker", command.ticker[:80], "a ticker, e.g. AAPL or BRK-B, or a CIK")


def _invalid(field: str, value: str, rule: str) -> InvalidRequestError:
    return InvalidRequestError(f"{field} is {value!r}", rule=f"{field} is {rule}", field=field, value=value)


# ---------------------------------------------------------------- what it names


def _running(engine: str, supervisor: Supervisor) -> EngineStatus:
    status = supervisor.status_of(engine)
    if status.state not in READY_STATES:
        why = f": {status.reason}" if status.reason else ""
        raise UnavailableError(
            f"engine {engine} is {status.state}{why}",
            rule="only a running engine takes commands",
            fix=f"nautilus-tui engine start {engine} --wait",
            engine=engine,
            state=status.state,
        )
    return status


def _instrument(
    command: SubmitOrder | SubmitBracket | SubmitOco | ClosePosition | PreviewOrder | CancelAll | Flatten,
    supervisor: Supervisor,
) -> Instrument:
    _running(command.engine, supervisor)
    traded = supervisor.instruments(command.engine)
    named = command.instrument or ""
    for instrument in traded:
        if instrument.id == named:
            return instrument
    raise NotFoundError(
        f"engine {command.engine} does not trade {named!r}",
        rule="an order names one of the engine's instruments",
        fix=_nearest(named, [instrument.id for instrument in traded]),
        field="instrument",
        value=named[:80],
    )


def _nearest(name: str, known: Sequence[str]) -> str:
    found = difflib.get_close_matches(name.upper(), known, n=3, cutoff=0.4)
    return f"did you mean {' or '.join(found)}?" if found else "see the engine's instruments"


def decode(body: bytes) -> AnyCommand:
    """Return the command that a JSON body holds.

    Raises:
        InvalidRequestError: it is no JSON, no known command, or a field is missing or of another kind.
    """
    plain = decoded(body)
    try:
        return forms.from_builtins(plain, AnyCommand)  # type: ignore[arg-type]  # a union, which mypy takes for no type
    except msgspec.ValidationError as error:
        named = plain.get("command") if isinstance(plain, dict) else None
        raise described(error, _BY_NAME.get(named) if isinstance(named, str) else None, plain) from error


def decoded(body: bytes) -> Any:
    """Return what a JSON body holds.

    Raises:
        InvalidRequestError: it is no JSON, is not UTF-8, or is nested without end.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        detail = f"the body is not JSON: {error}"
        raise InvalidRequestError(detail, rule="a body is one JSON object", field="body") from error


_BY_NAME = {str(one.__struct_config__.tag): one for one in get_args(AnyCommand)}
_AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


def described(
    error: msgspec.ValidationError, kind: type[msgspec.Struct] | None = None, plain: object = None
) -> InvalidRequestError:
    """Return a validation error as one of ours, which names the field and the rule; ``kind`` is what was
    read, and knows which values a field may have; ``plain`` is what it was read from.
    """
    text = str(error)
    found = _AT.search(text)
    field = found["path"] if found else ""
    given = plain if isinstance(plain, dict) else {}
    rule = _AT.sub("", text)
    missing = re.search(r"missing required field `([^`]+)`", rule)
    unknown = re.search(r"Invalid (?:enum )?value '([^']*)'", rule)
    strange = re.search(r"unknown field `([^`]+)`", rule)
    named = missing[1] if missing else strange[1] if strange else field or "body"
    extra = {"value": shown(unknown[1])} if unknown else {}
    if not extra and field in given:
        extra = {"value": shown(str(given[field]))}
    detail = f"{shown(named)}: {shown(rule, 300)}"
    values = _values(kind, field)
    if values:
        rule = f"{field} is one of {', '.join(values)}"
    elif named == "command" and unknown:
        rule = f"command is one of {', '.join(sorted(_BY_NAME))}"
    elif strange and not field and kind is not None:
        rule = f"the fields are {', '.join(kind.__struct_fields__)}"
    elif missing and not field:
        rule = f"{named} is given"
    elif field in given:
        rule = f"{field}: {rule}"
    return InvalidRequestError(
        detail, rule=shown(rule, 2000), fix="see /api/v1/docs", field=shown(named), **extra
    )


def _values(kind: type[msgspec.Struct] | None, field: str) -> tuple[str, ...]:
    """Return the values that a field may have, if they are few and named."""
    hint = None if kind is None else get_type_hints(kind).get(field)
    for one in (hint, *get_args(hint)):
        if get_origin(one) is Literal:
            return tuple(str(value) for value in get_args(one))
    return ()
