"""The kill switch in words: what pulling it will do, how far it has come, what it has left locked.

Functions from what is known to lines. They must not do anything, and know nothing of keys or widgets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data.kill import EngineKill, KillState, KillStatus
from data.records import EngineStatus
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.mirror import Mirror
from nautilus_tui.terminal.widgets.lines import Line, Part, width_of

#: Engines that can have orders; of the others the latch alone matters.
_ALIVE = ("running", "degraded", "starting", "stopping")
#: So many positions are named; of more, the rest is counted.
_NAMED = 8
_STEPS: tuple[tuple[KillState, str], ...] = (
    ("blocking", "block"),
    ("cancelling", "cancel"),
    ("flattening", "flatten"),
    ("verified", "verify"),
)


@dataclass(frozen=True, slots=True)
class KillChoice:
    """What the kill switch is to do."""

    engine: str | None = None  #: None: every engine
    flatten: bool = False
    drill: bool = False
    reason: str = ""


def engines_of(choice: KillChoice, mirror: Mirror) -> list[EngineStatus]:
    """Return the engines that a choice is about."""
    return [
        mirror.engines[name]
        for name in sorted(mirror.engines)
        if choice.engine is None or name == choice.engine
    ]


def why_not(choice: KillChoice, mirror: Mirror) -> str | None:
    """Return why a choice cannot be carried out at all."""
    if choice.drill:
        live = [engine.id for engine in engines_of(choice, mirror) if engine.environment == "LIVE"]
        if live:
            return f"a drill is for paper only, and {', '.join(live)} trades live"
    return None


def consequences(choice: KillChoice, mirror: Mirror) -> list[Line]:
    """Return exactly what pulling the switch does, as things stand now."""
    engines = engines_of(choice, mirror)
    lines: list[Line] = [[(" Every order is blocked at once, in the engines' own processes:", "label")]]
    for engine in engines:
        lines.append(_engine_line(engine, mirror))
    if not engines:
        lines.append([("   no engine is known; the latch keeps any from starting", "warn")])
    alive = [engine for engine in engines if engine.state in _ALIVE]
    working = sum(len(mirror.working_orders(engine.id)) for engine in alive)
    orders = "1 working order is" if working == 1 else f"{working} working orders are"
    lines += [[], [(f" Then {orders} cancelled", "bright"), (", stops and exits among them.", "")]]
    lines += _positions(choice, alive, mirror)
    lines.append([])
    if choice.drill:
        lines.append([(" DRILL: all of this is done for real, on paper; then it is released.", "sim")])
    else:
        lines.append([(" It stays latched, over restarts too: no order passes, no engine starts", "")])
        lines.append(
            [(" until someone releases it by typing its phrase (", ""), (":unlock", "accent"), (").", "")]
        )
    if choice.reason:
        lines.append([(f" Reason: {choice.reason}", "dim")])
    return lines


def _engine_line(engine: EngineStatus, mirror: Mirror) -> list[Part]:
    working = len(mirror.working_orders(engine.id))
    held = len(mirror.position_rows(engine.id))
    style = "" if engine.state in _ALIVE else "dim"
    return [
        ("   ", ""),
        (f" {engine.environment:^6} ", f"env-{engine.environment.lower()}"),
        (f" {engine.id:<14}", "bright" if style == "" else "dim"),
        (f" {engine.state:<9}", style),
        (f" {working} working, {held} held", style),
    ]


def _positions(choice: KillChoice, alive: Sequence[EngineStatus], mirror: Mirror) -> list[Line]:
    rows = [row for engine in alive for row in mirror.position_rows(engine.id)]
    if not rows:
        return [[(" No position is open.", "dim")]]
    count = "1 position" if len(rows) == 1 else f"{len(rows)} positions"
    if not choice.flatten:
        verb = "stays" if len(rows) == 1 else "stay"
        return [[(f" {count} {verb} open", "warn"), (", without any order that protects them.", "")]]
    verb = "is" if len(rows) == 1 else "are"
    lines: list[Line] = [[(f" Then {count} {verb} closed at market:", "bright")]]
    for row in rows[:_NAMED]:
        position = row.position
        selling = position.qty > 0
        lines.append(
            [
                ("   SELL " if selling else "   BUY  ", "sell" if selling else "buy"),
                (f"{figures.quantity(abs(position.qty))} {position.instrument}", ""),
                (f"  {position.engine}", "dim"),
            ]
        )
    if len(rows) > _NAMED:
        lines.append([(f"   and {len(rows) - _NAMED} more", "dim")])
    return lines


# ---------------------------------------------------------------- progress


def progress(status: KillStatus, glyphs: Glyphs) -> list[Line]:
    """Return how far the switch has come with each engine, each step with the time it took."""
    order = status.order
    lines: list[Line] = []
    if order is not None:
        drill = " DRILL" if order.drill else ""
        word = "RELEASED" if status.state == "armed" else status.state.upper()
        flatten = ", flatten" if order.flatten else ""
        lines.append(
            [
                (f" {word}{drill}", "error" if status.state != "armed" else "good"),
                (f"  {order.engine or 'all engines'}{flatten}", "bright"),
                (f"  by {order.by} at {figures.clock(order.ts)}Z", "dim"),
            ]
        )
        if order.reason:
            lines.append([(f" Reason: {order.reason}", "dim")])
    lines.append([])
    for engine in status.engines:
        lines += _engine_progress(
            engine, 0 if order is None else order.ts, glyphs, flatten=bool(order and order.flatten)
        )
    if not status.engines:
        lines.append([(" No engine runs: the latch keeps any from starting.", "dim")])
    lines.append([])
    if status.problem is not None:
        lines.append([(f" {glyphs.warn} {status.problem}", "error")])
    lines.append(_end(status))
    return lines


def _engine_progress(engine: EngineKill, begun: int, glyphs: Glyphs, *, flatten: bool) -> list[Line]:
    parts: list[Part] = [(f" {engine.engine:<12}", "bright")]
    times = (engine.ts_blocked, engine.ts_cancelled, engine.ts_flattened, engine.ts_verified)
    for (state, word), ts in zip(_STEPS, times, strict=True):
        if state == "flattening" and not flatten:
            continue
        if ts is not None:
            took = figures.age((ts - begun) / 1e6) if begun and ts >= begun else ""
            parts += [
                (f" {glyphs.on} {word}", "good"),
                (f" {_milliseconds(ts - begun)}" if begun else took, "dim"),
            ]
        elif engine.state == state:
            parts.append((f" {glyphs.busy} {word}", "accent"))
        else:
            parts.append((f" {glyphs.off} {word}", "dim"))
    lines: list[Line] = [parts]
    said = [f"{engine.cancelled} cancelled"]
    if flatten:
        said.append(f"{engine.flattened} closed")
    said.append(f"{_told(engine.orders_left)} working and {_told(engine.positions_left)} held now")
    lines.append([(" " * 14 + ", ".join(said), "dim")])
    if engine.hung:
        lines.append([(" " * 14 + "did not answer and was killed (SIGKILL)", "warn")])
    held = [f"{figures.signed_quantity(qty)} {name}" for name, qty in engine.positions.items()]
    if held:
        lines.append([(" " * 14 + "holds " + ", ".join(held[:4]) + (" …" if len(held) > 4 else ""), "warn")])
    if engine.problem is not None:
        lines.append([(f" {' ' * 13}{glyphs.warn} {engine.problem}", "error")])
    return lines


def _told(count: int | None) -> str:
    return "?" if count is None else str(count)


def _milliseconds(span_ns: int) -> str:
    """Write a span: whole milliseconds up to ten seconds, seconds after."""
    if span_ns < 10_000_000_000:
        return f"{span_ns / 1e6:.0f}ms" if span_ns >= 9_500_000 else f"{span_ns / 1e6:.1f}ms"
    return f"{span_ns / 1e9:.1f}s"


def _end(status: KillStatus) -> Line:
    if status.state == "latched":
        if status.verified:
            return [
                (" Verified: nothing works any more. Latched. ", "good"),
                (":unlock releases it", "accent"),
            ]
        return [(" Latched, but NOT verified: look at the venue yourself. ", "error"), (":unlock", "accent")]
    if status.state == "armed":
        by = f" by {status.released_by}" if status.released_by else ""
        return [(f" Released{by}: orders pass again.", "good")]
    return [(" It goes on whether or not this is looked at.", "dim")]


def banner(status: KillStatus | None, now_ns: int, width: int, glyphs: Glyphs) -> list[Part] | None:
    """Return the line that stands on every workspace while the switch is pulled, None while it is armed."""
    if status is None or status.state == "armed" or status.order is None:
        return None
    order = status.order
    what = order.engine or "every engine"
    since = status.ts_latched or order.ts
    word = "DRILL" if order.drill else "KILLED" if status.state == "latched" else "KILLING"
    parts: list[Part] = [
        (f" {word} ", "env-live"),
        (f" {what} by {order.by} since {figures.clock(since)}Z", "bright"),
        (f" ({figures.age((now_ns - since) / 1e6)})", "dim"),
    ]
    if status.state != "latched":
        return [*parts, (f"  {status.state} {glyphs.ellipsis}  K shows how far", "warn")]
    if not status.verified:
        parts.append((f"  {glyphs.warn} NOT VERIFIED", "error"))
    parts.append(("  :unlock", "accent"))
    rest = " releases it by its phrase"
    return [*parts, (rest if width_of(parts) + len(rest) <= width else "", "dim")]
