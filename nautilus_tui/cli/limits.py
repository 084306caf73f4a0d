"""``limit …`` and ``engine restrict``: what engines' gates and the monitor hold orders and positions to.

This module must not know how limits are judged or brought to engines.
"""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast, get_args

import typer

from data.commands import PreviewOrder
from data.limits import (
    ACTIONS,
    UNIT_NAMES,
    UNITS,
    ActionName,
    AutoAdjust,
    Limit,
    LimitStatus,
    LimitType,
    Unit,
    unit_called,
)
from data.problems import InvalidRequestError
from data.risk_commands import DecideLimitChange, DeleteLimit, RestrictEngine, SetLimit
from nautilus_tui.cli import limit_tables, output, words
from nautilus_tui.cli.sending import resolve
from nautilus_tui.cli.session import EngineOption, Session, session_of

if TYPE_CHECKING:
    from data.commands import Outcome
    from nautilus_tui.client import ApiClient

#: Of limits that were not checked since they changed, so many are looked at for a list.
_LOOKED_AT = 20
#: What was checked longer ago than this is said to be old.
_OLD_NS = 60 * 1_000_000_000

app = typer.Typer(no_args_is_help=True, help="Limits: set, look at, check, approve.")

_TYPES: tuple[str, ...] = get_args(LimitType)


def _type(text: str) -> str:
    name = text.lower().replace("-", "_")
    if name not in _TYPES:
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(_TYPES)}")
    return name


def _unit(text: str) -> str:
    unit = unit_called(text)
    if unit is None:
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(UNIT_NAMES)}, or a currency")
    return unit


def _amount(text: str) -> Decimal:
    """Read a number; one with ``%`` is a hundredth, an ``x`` behind it says that it is a multiple."""
    if text.endswith("%"):
        return words.amount(text[:-1].rstrip()) / 100
    return words.amount(text.removesuffix("x"))


#: What people write for no actions at all; an empty text is mostly a variable that is not set.
_NO_ACTION = "none"


def _actions(text: str) -> str:
    names = [name.strip().lower().replace("-", "_") for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in (*ACTIONS, _NO_ACTION)]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(ACTIONS)}, or none")
    return ",".join(name for name in names if name != _NO_ACTION) or ",".join(names[:1])


Type = Annotated[
    str, typer.Argument(metavar="TYPE", parser=_type, help=f"One of {', '.join(_TYPES)}.", show_default=False)
]
Scope = Annotated[
    str,
    typer.Option("--scope", "-s", help="portfolio, engine:ID, strategy:ID, instrument:ID or sector:NAME."),
]
UnitOption = Annotated[
    str | None,
    typer.Option(
        "--unit",
        "-u",
        parser=_unit,
        metavar="UNIT",
        help="shares, notional (or a currency), ratio or orders; left out: the type's own.",
        show_default=False,
    ),
]
Which = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="The limit's id, or its type with --scope and --unit.", show_default=False
    ),
]
ChangeId = Annotated[str, typer.Argument(metavar="ID", help="The change's id.", show_default=False)]
Actions = Annotated[
    str | None,
    typer.Option(
        parser=_actions,
        metavar="ACTIONS",
        help=f"With commas between: {', '.join(ACTIONS)}.",
        show_default=False,
    ),
]


def _id(which: str, scope: str, unit: str | None) -> str:
    """Return the id of the limit that is meant."""
    if ":" in which:
        return which
    kind = cast(LimitType, _type(which))
    return f"{kind}:{scope}:{unit or UNITS[kind][0]}"


# ---------------------------------------------------------------- changes


@app.command("set")
def set_limit(
    context: typer.Context,
    limit_type: Type,
    hard: Annotated[
        Decimal,
        typer.Option("--hard", parser=_amount, metavar="AMOUNT", help="The limit, in its unit; 20% is 0.2."),
    ],
    scope: Scope = "portfolio",
    unit: UnitOption = None,
    warn: Annotated[
        Decimal | None, typer.Option(parser=_amount, metavar="SHARE", help="Share of it from which it warns.")
    ] = None,
    window: Annotated[int | None, typer.Option(help="order_rate: seconds.", min=1)] = None,
    confidence: Annotated[
        Decimal | None, typer.Option(parser=_amount, metavar="SHARE", help="var: 0.99.")
    ] = None,
    horizon: Annotated[int | None, typer.Option(help="var: days.", min=1)] = None,
    method: Annotated[str | None, typer.Option(help="var: historical, normal, …", show_default=False)] = None,
    warn_actions: Actions = None,
    hard_actions: Actions = None,
    target_vol: Annotated[
        Decimal | None,
        typer.Option(
            parser=_amount, metavar="SHARE", help="Tighten when volatility in a year is above this."
        ),
    ] = None,
    floor: Annotated[
        Decimal | None,
        typer.Option(parser=_amount, metavar="SHARE", help="Least share that is left when it tightens."),
    ] = None,
    no_auto_adjust: Annotated[
        bool, typer.Option("--no-auto-adjust", help="Tighten with volatility no longer.")
    ] = False,
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="Whether it counts.")] = None,
    new: Annotated[bool, typer.Option("--new", help="Refuse if there is one already.")] = False,
) -> None:
    """Set a limit, new or in place of the one of its type, scope and unit; what is left out stays."""
    session = session_of(context)
    command = SetLimit(
        limit_type=cast(LimitType, limit_type),
        scope=scope,
        hard=hard,
        unit=cast(Unit | None, unit),
        warn=warn,
        window_s=window,
        confidence=confidence,
        horizon_days=horizon,
        method=method,
        warn_actions=_split(warn_actions),
        hard_actions=_split(hard_actions),
        auto_adjust=_auto_adjust(target_vol, floor),
        remove_auto_adjust=no_auto_adjust,
        enabled=enabled,
        create_only=new,
    )
    _report(session, session.carry_out(command, timeout=20.0))


def _split(actions: str | None) -> tuple[ActionName, ...] | None:
    if actions is None:
        return None
    return () if actions == _NO_ACTION else cast(tuple[ActionName, ...], tuple(actions.split(",")))


def _auto_adjust(target_vol: Decimal | None, floor: Decimal | None) -> AutoAdjust | None:
    if target_vol is None:
        if floor is not None:
            raise InvalidRequestError(
                "--floor is given without --target-vol",
                rule="a limit that tightens with volatility has a target",
                fix="add --target-vol, e.g. 0.15",
            )
        return None
    return (
        AutoAdjust(target_vol=target_vol) if floor is None else AutoAdjust(target_vol=target_vol, floor=floor)
    )


@app.command("delete")
def delete(context: typer.Context, limit: Which, scope: Scope = "portfolio", unit: UnitOption = None) -> None:
    """Delete a limit."""
    session = session_of(context)
    _report(session, session.carry_out(DeleteLimit(limit_id=_id(limit, scope, unit)), timeout=20.0))


@app.command("approve")
def approve(context: typer.Context, change: ChangeId) -> None:
    """Approve a change that another person asked for; it is in force then."""
    session = session_of(context)
    _report(session, session.carry_out(DecideLimitChange(change_id=change, approve=True), timeout=20.0))


@app.command("reject")
def reject(context: typer.Context, change: ChangeId) -> None:
    """Reject a change, or take one's own back; the limit stays as it is."""
    session = session_of(context)
    _report(session, session.carry_out(DecideLimitChange(change_id=change, approve=False)))


def restrict(
    context: typer.Context,
    engine: Annotated[str, typer.Argument(help="Engine id.", show_default=False)],
    restriction: Annotated[
        Literal["none", "reduce_only", "halted"],
        typer.Argument(help="reduce_only: only what reduces passes; halted: nothing; none: as limits allow."),
    ],
    reason: Annotated[str | None, typer.Option("--reason", help="Why.", show_default=False)] = None,
) -> None:
    """Let an engine's gate pass only what reduces, or nothing, or what its limits allow again."""
    session = session_of(context)
    command = RestrictEngine(engine=engine, restriction=restriction, reason=reason)
    _report(session, session.carry_out(command, timeout=20.0))


def _report(session: Session, outcome: Outcome) -> None:
    """Tell what was set and where it is in force; as JSON flat, the limit first."""
    import msgspec

    facts: dict[str, Any] = {
        name: msgspec.json.decode(text) if name in ("limit", "change", "engines") else text
        for name, text in outcome.data.items()
    }
    if not session.json:
        output.show(outcome.detail or "done")
        return
    flat = facts.pop("limit", {})
    if "changed" in facts:
        facts["changed"] = facts["changed"] == "true"
    waits = isinstance(facts.get("change"), dict) and facts["change"]["status"] == "pending"
    ending = {"outcome": "pending" if waits else outcome.outcome, "command_id": outcome.command_id}
    output.show_json({**flat, **facts, **ending, "detail": outcome.detail})


# ---------------------------------------------------------------- questions


@app.command("list")
def list_limits(
    context: typer.Context,
    scope: Annotated[
        str | None, typer.Option("--scope", "-s", help="Only of this scope.", show_default=False)
    ] = None,
    limit_type: Annotated[
        str | None,
        typer.Option(
            "--type", "-t", parser=_type, metavar="TYPE", help="Only of this type.", show_default=False
        ),
    ] = None,
) -> None:
    """List limits: what is used of each, what counts now, and what follows."""
    session = session_of(context)

    async def conversation(api: ApiClient) -> list[LimitStatus]:
        limits = await api.limits(scope=scope, limit_type=limit_type)
        known = {one.limit.id: one for one in await api.limit_statuses()}
        found = [_checked(limit, known.get(limit.id)) for limit in limits]
        late = [one.limit.id for one in found if one.ts == 0][:_LOOKED_AT]
        now = {id_: await api.check_limit(id_) for id_ in late}
        return [now.get(one.limit.id, one) for one in found]

    found = session.ask(conversation)
    session.show([limit_tables.flat(one) for one in found], lambda: limit_tables.table(found))
    oldest = min((one.ts for one in found if one.ts), default=None)
    if oldest is not None and time.time_ns() - oldest > _OLD_NS:
        output.say(f"! values are as of {words.clock(oldest)} UTC: limits are not being checked; see monitor")


def _checked(limit: Limit, known: LimitStatus | None) -> LimitStatus:
    """Return how a limit stood at the last check; unknown if it came or changed since."""
    if known is not None and known.limit.version == limit.version:
        return known
    return LimitStatus(
        limit=limit,
        value=None,
        use=None,
        headroom=None,
        level="unknown" if limit.enabled else "off",
        reason="not checked yet",
        synthetic=False if known is None else known.synthetic,
        ts=0,
    )


@app.command("show")
def show(context: typer.Context, limit: Which, scope: Scope = "portfolio", unit: UnitOption = None) -> None:
    """Show one limit with all its terms, and what is used of it now."""
    session = session_of(context)
    status = session.ask(lambda api: api.check_limit(_id(limit, scope, unit)))
    session.show(limit_tables.flat(status), lambda: limit_tables.sheet(status))


@app.command("check")
def check(
    context: typer.Context,
    limit: Which,
    scope: Scope = "portfolio",
    unit: UnitOption = None,
    instrument: Annotated[
        str | None, typer.Option("--instrument", "-i", help="An order's instrument.", show_default=False)
    ] = None,
    side: Annotated[
        Literal["buy", "sell"] | None, typer.Option("--side", help="Its side.", show_default=False)
    ] = None,
    qty: Annotated[
        Decimal | None,
        typer.Option("--qty", parser=words.amount, metavar="QTY", help="Its quantity.", show_default=False),
    ] = None,
    price: Annotated[
        Decimal | None,
        typer.Option(
            "--price",
            "-p",
            parser=words.amount,
            metavar="PRICE",
            help="Left out: at the touch.",
            show_default=False,
        ),
    ] = None,
    reduce_only: Annotated[bool, typer.Option("--reduce-only", help="It only reduces.")] = False,
    engine: EngineOption = None,
) -> None:
    """Check a limit now, or what an order would do to it; nothing is sent. Exits with 3 if it is denied."""
    session = session_of(context)
    id_ = _id(limit, scope, unit)
    if instrument is None and side is None and qty is None:
        status = session.ask(lambda api: api.check_limit(id_))
        session.show(limit_tables.flat(status), lambda: limit_tables.table([status]))
        return
    if instrument is None or side is None or qty is None:
        raise InvalidRequestError(
            "the order is not whole",
            rule="an order to check has --instrument, --side and --qty",
            fix="give all three, or none",
        )
    kind, _, named = id_.removesuffix(f":{id_.rpartition(':')[2]}").partition(":")[2].partition(":")
    at = engine or (named if kind == "engine" else None)
    order = PreviewOrder(
        engine=session.engine(at),
        instrument=resolve(session, session.engine(at), instrument),
        side=side,
        qty=qty,
        price=price,
        reduce_only=reduce_only,
    )
    effect = session.ask(lambda api: api.check_order(id_, order, at=at))
    session.show(effect, lambda: limit_tables.effect(effect))
    if not effect.passes:
        raise typer.Exit(output.ExitCode.DENIED)


@app.command("changes")
def changes(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", "-a", help="Those that were decided too.")] = False,
) -> None:
    """List changes that loosen a limit and wait for a second person."""
    session = session_of(context)
    found = session.ask(lambda api: api.limit_changes(None if every else "pending"))
    session.show(found, lambda: limit_tables.changes(found))
