"""``engine …``: starting, stopping and looking at engines.

This module must not know how an engine is run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer

from data.commands import ConfigureEngine, RestartEngine, SetFeed, StartEngine, StopEngine
from data.problems import ProblemError
from data.records import EngineLog, EngineStatus, LogLevel
from nautilus_tui.cli import output, words
from nautilus_tui.cli.session import LimitOption, Session, session_of

if TYPE_CHECKING:
    from nautilus_tui.client import StreamClient

app = typer.Typer(no_args_is_help=True, help="Start, stop and look at engines.")

Engine = Annotated[
    str | None, typer.Argument(help="Engine id; the default one if left out.", show_default=False)
]
Timeout = Annotated[float, typer.Option("--timeout", help="Seconds to wait at most.", min=1, max=120)]
_START_S = 60.0
#: Lines that may come while there is no stream.
_BETWEEN = 1000


def _start(
    context: typer.Context,
    engine: Engine = None,
    feed: Annotated[
        Literal["simulated", "replay"] | None, typer.Option("--feed", help="Where prices come from.")
    ] = None,
    speed: Annotated[
        str | None,
        typer.Option("--speed", help="replay: times real time or max; simulated: quotes a second or max."),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of the simulated market.")] = None,
    instrument: Annotated[
        list[str] | None, typer.Option("--instrument", "-i", help="Only these instruments; repeatable.")
    ] = None,
    replay_start: Annotated[str | None, typer.Option("--from", help="Replay from this time.")] = None,
    replay_end: Annotated[str | None, typer.Option("--to", help="Replay up to this time.")] = None,
    paused: Annotated[bool, typer.Option("--paused", help="Begin paused.")] = False,
    mode: Annotated[Literal["paper", "live"], typer.Option("--mode", help="What is traded.")] = "paper",
    confirm_live: Annotated[
        bool, typer.Option("--confirm-live-trading", help="Needed with --mode live.")
    ] = False,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"] | None, typer.Option("--log-level")
    ] = None,
    max_memory: Annotated[int | None, typer.Option("--max-memory", help="Megabytes.", min=128)] = None,
    max_cpu: Annotated[int | None, typer.Option("--max-cpu", help="Percent of one core.", min=5)] = None,
    risk: Annotated[
        bool | None, typer.Option("--risk/--no-risk", help="NautilusTrader's own checks.")
    ] = None,
    max_position: Annotated[
        Decimal | None, typer.Option("--max-position", parser=words.amount, metavar="AMOUNT")
    ] = None,
    max_notional: Annotated[
        Decimal | None, typer.Option("--max-notional", parser=words.amount, metavar="AMOUNT")
    ] = None,
    max_rate: Annotated[str | None, typer.Option("--max-rate", help="ORDERS/SECONDS, e.g. 100/1.")] = None,
    configure: Annotated[
        bool, typer.Option("--configure", help="Keep the settings for the next start; start nothing.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Return when it runs; it always does.")] = True,
    timeout: Timeout = _START_S,
) -> None:
    """Start an engine and return when it runs. What is left out is as at its last start, or as configured."""
    session = session_of(context)
    command = (ConfigureEngine if configure else StartEngine)(
        engine=session.engine(engine),
        trading_mode=mode,
        confirm_live_trading=confirm_live,
        feed=feed,
        speed=speed,
        seed=seed,
        instruments=tuple(instrument) if instrument else None,
        replay_start=replay_start,
        replay_end=replay_end,
        paused=paused,
        log_level=log_level,
        max_memory_mb=max_memory,
        max_cpu_percent=max_cpu,
        risk_enabled=risk,
        max_position_size=max_position,
        max_order_notional=max_notional,
        max_order_rate=max_rate,
    )
    _report(session, session.carry_out(command, timeout=timeout).engine, "settings kept")


app.command("start")(_start)


@app.command("stop")
def stop(
    context: typer.Context,
    engine: Engine = None,
    emergency: Annotated[
        bool, typer.Option("--emergency", help="Cancel every order and close every position first.")
    ] = False,
    timeout: Timeout = _START_S,
) -> None:
    """Stop an engine; positions and working orders are kept and come back with its next start."""
    session = session_of(context)
    command = StopEngine(engine=session.engine(engine), emergency=emergency)
    _report(session, session.carry_out(command, timeout=timeout).engine, "stopped")


@app.command("restart")
def restart(context: typer.Context, engine: Engine = None, timeout: Timeout = _START_S) -> None:
    """Stop an engine and start it with its last settings."""
    session = session_of(context)
    outcome = session.carry_out(RestartEngine(engine=session.engine(engine)), timeout=timeout)
    _report(session, outcome.engine, "restarted")


@app.command("feed")
def feed(
    context: typer.Context,
    engine: Annotated[str, typer.Argument(help="Engine id.")],
    action: Annotated[Literal["pause", "resume", "step", "speed"], typer.Argument(help="What to do.")],
    speed: Annotated[str | None, typer.Argument(help="For speed: a number, or max.")] = None,
) -> None:
    """Pause, resume, step or change the speed of an engine's feed."""
    session = session_of(context)
    outcome = session.carry_out(SetFeed(engine=engine, action=action, speed=speed))
    if session.json:
        output.show_json(output.outcome_facts(outcome))
    else:
        output.show(outcome.detail or f"{engine}: {action} {speed or ''}".rstrip())


@app.command("list")
def list_engines(context: typer.Context) -> None:
    """List engines with state, load and feed."""
    session = session_of(context)
    engines = session.ask(lambda api: api.engines())
    session.show(engines, lambda: table(engines))


@app.command("logs")
def logs(
    context: typer.Context,
    engine: Engine = None,
    limit: LimitOption = 100,
    level: Annotated[LogLevel | None, typer.Option("--level", help="Least level shown.")] = None,
    order: Annotated[str | None, typer.Option("--order", help="Only lines about this order.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until interrupted.")] = False,
) -> None:
    """Show an engine's log. With --json and --follow, one object a line."""
    session = session_of(context)
    named = session.engine(engine)

    def lines(most: int) -> list[EngineLog]:
        asked = session.ask(
            lambda api: api.engine_logs(named, limit=most, level=level, client_order_id=order)
        )
        return list(asked.items)

    held = lines(limit)
    if session.json and not follow:
        output.show_json(held)
        return
    for line in held:
        _show_line(session, line)
    if follow:
        levels: tuple[LogLevel, ...] = get_args(LogLevel)
        wanted = levels[levels.index(level) if level else 0 :]
        last = held[-1] if held else None
        asyncio.run(_follow(session, named, last, lines, lambda one: _concerns(one, wanted, order)))


def _concerns(line: EngineLog, levels: Sequence[str], order: str | None) -> bool:
    return line.level in levels and (order is None or line.client_order_id == order)


async def _follow(
    session: Session,
    engine: str,
    last: EngineLog | None,
    lines: Callable[[int], list[EngineLog]],
    concerns: Callable[[EngineLog], bool],
) -> None:
    """Show what is logged behind the ``last`` line that was shown, across lost connections.

    ``lines`` asks for the newest: some come while there is no stream. Those the stream brings once more.
    """
    from nautilus_tui.client.stream import Batch, StreamClient

    again: list[EngineLog] = []
    stream: StreamClient
    async with StreamClient(session.addresses, [f"engines.{engine}.log"]) as stream:
        async for event in stream:
            if not isinstance(event, Batch):
                if event.problem is not None:
                    output.say(event.problem)
                continue
            for envelope in event.envelopes:
                if envelope.type == "subscription_confirmed":
                    again = await _newest(lines)
                    for one in _behind(last, again):
                        _show_line(session, one)
                        last = one
                line = envelope.data
                if not isinstance(line, EngineLog) or not concerns(line) or line in again:
                    continue
                again = []  # the stream is ahead of what was asked for: from here on all is new
                _show_line(session, line)
                last = line


async def _newest(lines: Callable[[int], list[EngineLog]]) -> list[EngineLog]:
    """Return the newest lines; where they cannot be had, the stream goes on without."""
    try:
        return await asyncio.to_thread(lines, _BETWEEN)
    except ProblemError as error:
        output.say(f"lines of the last moments may be missing: {error.detail}")
        return []


def _behind(last: EngineLog | None, lines: list[EngineLog]) -> list[EngineLog]:
    """Return those of the newest lines that came behind one."""
    if last is None:
        return lines
    if last in lines:
        return lines[lines.index(last) + 1 :]
    return [one for one in lines if one.ts > last.ts]


def _show_line(session: Session, line: EngineLog) -> None:
    if session.json:
        output.show_json_line(line)
        return
    colour = {"warning": "yellow", "error": "red", "critical": "bold red", "debug": "dim"}.get(line.level, "")
    said = output.assembled(
        (words.clock(line.ts), "dim"),
        " ",
        (f"{line.level.upper():<8}", colour),
        (line.component, "dim"),
        f" {line.message}",
    )
    output.show(said)


def _report(session: Session, engine: EngineStatus | None, otherwise: str) -> None:
    session.show(
        engine if engine is not None else {"detail": otherwise},
        lambda: otherwise if engine is None else table([engine]),
    )


def table(engines: list[EngineStatus]) -> Any:
    """Return engines as a table."""
    if not engines:
        return "no engines; nautilus-tui engine start"
    right = ("PID", "Memory", "CPU", "Lag", "Ticks/s", "Orders", "Positions", "Restarts")
    names = "Id Env State PID Memory CPU Lag Feed Ticks/s Orders Positions Restarts Reason"
    shown = output.columns(*names.split(), right=right, last_wraps=True)
    for one in engines:
        shown.add_row(
            one.id,
            one.environment,
            _state(one.state),
            words.text(one.pid),
            words.megabytes(one.rss_bytes),
            "—" if one.cpu_percent is None else f"{one.cpu_percent:.0f} %",
            "—" if one.loop_lag_ms is None else f"{one.loop_lag_ms:.1f} ms",
            " ".join(filter(None, (one.feed, one.feed_detail))),
            words.number(one.tick_rate, 0),
            words.text(one.orders_working),
            words.text(one.positions_open),
            str(one.restarts),
            one.reason or "",
        )
    return shown


def _state(state: str) -> Any:
    colour = {"running": "green", "degraded": "yellow", "error": "red", "stopped": "dim"}.get(state)
    return output.tinted(state, colour)
