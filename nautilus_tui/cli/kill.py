"""``kill`` and ``unlock``: the kill switch, which needs neither daemon nor terminal.

A kill goes straight to the engines' sockets, whether or not a daemon runs; a daemon hears of it from the
latch. This module must not know how an engine is reached.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import uuid
from decimal import Decimal
from typing import Annotated

import typer

from data.kill import UNLOCK_PHRASE, EngineKill, KillOrder, KillStatus
from data.words import fitted
from nautilus_tui.cli import background, output
from nautilus_tui.cli.session import Session, session_of

_RELEASE = f"nautilus-tui unlock, and type: {UNLOCK_PHRASE}"


def kill(
    context: typer.Context,
    engine: Annotated[
        str | None,
        typer.Option("--engine", "-e", help="Only this engine; all if left out.", show_default=False),
    ] = None,
    flatten: Annotated[bool, typer.Option("--flatten", help="Close every position, too.")] = False,
    drill: Annotated[
        bool, typer.Option("--drill", help="Paper only: all of it for real, then released again.")
    ] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="Kept with the latch.")] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", help="Seconds to wait until all is verified.", min=1)
    ] = 60.0,
    status: Annotated[
        bool, typer.Option("--status", help="Show how the switch stands; change nothing.")
    ] = False,
) -> None:
    """Pull the kill switch: block every order at once, cancel all, verify, and stay latched.

    No daemon is needed and nothing is asked. Exit code 0 says that every engine is verified.
    """
    session = session_of(context, own=("reason",))  # a kill is never refused for its words
    if reason is not None:  # bytes that are no UTF-8 are kept as escapes
        reason = reason.encode(errors="backslashreplace").decode()
    if status:
        _show_status(session)
        return
    if session.url:
        _kill_there(session, engine, flatten, drill, reason, timeout)
        return
    from engines.killswitch import KillSwitch

    order = KillOrder(
        id=f"kill-{uuid.uuid4().hex[:12]}",
        engine=engine,
        flatten=flatten,
        drill=drill,
        by=_user(),
        via="cli",
        reason=fitted(reason),
        ts=time.time_ns(),
    )
    teller = _Teller(quiet=session.json)
    found = asyncio.run(KillSwitch(session.home, patience_s=timeout).pull(order, teller.take))
    if session.json:
        output.show_json(found)
    else:
        teller.end(found)
    raise typer.Exit(output.ExitCode.DONE if found.verified else output.ExitCode.FAILED)


def unlock(
    context: typer.Context,
    phrase: Annotated[
        str | None,
        typer.Option("--phrase", help="The phrase; asked for, or read from input, if left out."),
    ] = None,
    direct: Annotated[
        bool, typer.Option("--direct", help="Release it here even if a daemon runs, e.g. one that hangs.")
    ] = False,
) -> None:
    """Release the kill switch by its phrase; engines that run take orders again, others may be started."""
    session = session_of(context)
    said = phrase if phrase is not None else _asked()
    if session.url or (not direct and background.answers(session.home)):
        from data.risk_commands import Unlock

        outcome = session.carry_out(Unlock(phrase=said), timeout=30)
        if session.json:
            output.show_json(output.outcome_facts(outcome))
        else:
            output.line(outcome.detail or "released")
        return
    from engines.killswitch import KillSwitch

    found = asyncio.run(KillSwitch(session.home).release(said, _user()))
    if session.json:
        output.show_json(found)
    else:
        output.line(f"released by {found.released_by}: orders are judged by the limits again")
        if found.problem:
            output.say(f"! {found.problem}")
    raise typer.Exit(output.ExitCode.FAILED if found.problem else output.ExitCode.DONE)


def _asked() -> str:
    """Return what is typed, or what comes on the input."""
    if sys.stdin.isatty():
        output.say(f"The kill switch is released by its phrase: {UNLOCK_PHRASE}")
        output.say("type it: ", end="")
    return sys.stdin.readline().rstrip("\r\n")


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"


def _kill_there(
    session: Session, engine: str | None, flatten: bool, drill: bool, reason: str | None, timeout: float
) -> None:
    """Have a daemon elsewhere pull its switch."""
    from data.risk_commands import Kill

    command = Kill(engine=engine, flatten=flatten, drill=drill, reason=reason)
    outcome = session.carry_out(command, timeout=timeout)
    if session.json:
        output.show_json(output.outcome_facts(outcome))
    else:
        output.line(outcome.detail or "killed")


def _show_status(session: Session) -> None:
    from engines.killswitch import KillSwitch

    found = KillSwitch(session.home).status()
    if session.json:
        output.show_json(found)
        return
    output.line(f"kill switch: {found.state}")
    if found.order is not None and found.state != "armed":
        order = found.order
        output.line(f"pulled by {order.by} ({order.via}) {_clock(order.ts)}, {_scope(order)}")
        for known in found.engines:
            output.line(f"{known.engine}  {known.state}: {_left(known)}")
        output.line(f"release it with {_RELEASE}")
    if found.problem:
        output.line(f"! {found.problem}")


class _Teller:
    """Tells a person of each step once, as it happens."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._said: set[tuple[str, str]] = set()
        self._begun = time.time_ns()

    def take(self, status: KillStatus) -> None:
        """Take how it stands now and say what is new."""
        if self._quiet:
            return
        if status.ts_latched is not None:
            self._once("", "latched", f"latched on the disk {_clock(status.ts_latched)}")
        for known in status.engines:
            self._take_engine(known)

    def _take_engine(self, known: EngineKill) -> None:
        name = known.engine
        if known.hung:
            self._once(
                name, "hung", f"{name}  does not answer: ended with SIGKILL, its books are put in order"
            )
        if known.ts_blocked is not None:
            self._once(
                name, "blocked", f"{name}  BLOCKED after {(known.ts_blocked - self._begun) / 1e6:.0f} ms"
            )
        if known.ts_cancelled is not None:
            self._once(name, "cancelled", f"{name}  {_count(known.cancelled, 'order')} cancelled")
        if known.ts_flattened is not None:
            self._once(name, "flattened", f"{name}  {_count(known.flattened, 'position')} closed")
        if known.ts_verified is not None:
            self._once(name, "verified", f"{name}  verified: {_left(known)}")
        if known.problem is not None:
            self._once(name, known.problem, f"{name}  ! {known.problem}")

    def _once(self, engine: str, what: str, text: str) -> None:
        if (engine, what) not in self._said:
            self._said.add((engine, what))
            output.line(text)

    def end(self, status: KillStatus) -> None:
        """Say how it ended and what comes next."""
        if not status.engines:
            output.line("no engine of this home has ever run")
        if status.state == "armed":
            took = (status.ts - self._begun) / 1e6
            output.line(f"DRILL done in {took:.0f} ms and released: orders are judged by the limits again")
            return
        held = "every engine" if status.order is None else status.order.engine or "every engine"
        output.line(f"LATCHED: {held} neither starts nor sends an order until {_RELEASE}")
        if not status.verified:
            output.say(f"NOT VERIFIED: {status.problem}")
            output.say("  rule: a kill holds when it is latched on the disk and every engine is verified")
            output.say("  fix:  look at kill --status and the engines' processes; is --home the right one?")


def _scope(order: KillOrder) -> str:
    return f"{order.engine or 'all engines'}{', flatten' if order.flatten else ''}"


def _left(known: EngineKill) -> str:
    if known.orders_left is None or known.positions_left is None:
        return f"not known{f' ({known.problem})' if known.problem else ''}"
    held = ", ".join(f"{name} {_plain(qty)}" for name, qty in sorted(known.positions.items()))
    return f"{known.orders_left} working, {known.positions_left} held{f' ({held})' if held else ''}"


def _plain(qty: Decimal) -> str:
    return f"{qty.normalize():f}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _clock(ts: int) -> str:
    from nautilus_tui.cli import words

    return words.clock(ts)
