"""What is said of the order authority: who holds it, what a hand-over was, what it keeps from being sent.

Functions from what is known to words. They know nothing of Textual.
"""

from __future__ import annotations

from data.access import OrderAuthority, Role
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.mirror import Mirror
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Line, Part

HOW = ":authority take"
#: Roles where there is little room.
_SHORT: dict[Role, str] = {"viewer": "read", "trader": "trade", "risk": "risk", "admin": "admin"}
_LONGEST = (24, 8)


def status_parts(mirror: Mirror, view: View, glyphs: Glyphs, *, short: bool) -> list[Part]:
    """Return one's role and who holds the order authority, for the status line."""
    if view.role is None:
        return []
    role = _SHORT[view.role] if short else "read-only" if view.role == "viewer" else view.role
    parts: list[Part] = [(role, "warn" if view.role == "viewer" else "")]
    held = mirror.authority
    if held is not None:
        who, style = _holder(held, view)
        longest = _LONGEST[short]
        shown = who if len(who) <= longest else who[: longest - 1] + glyphs.ellipsis
        parts += [(glyphs.dot if short else f" {glyphs.dot} ", "dim"), (shown, style)]
    return parts


def _holder(held: OrderAuthority, view: View) -> tuple[str, str]:
    if held.holder is None:
        return ("nobody", "warn") if held.required else ("free", "dim")
    return ("you", "label") if held.holder == view.actor else (held.holder, "warn")


def refusal(mirror: Mirror, view: View, key: str) -> str | None:
    """Return why the daemon would refuse an order now, and what helps; None: the authority lets it pass.

    ``key`` takes the authority; empty: none does.
    """
    held = mirror.authority
    if held is None or (held.holder is None and not held.required):
        return None
    if held.holder is not None and held.holder == view.actor:
        return None
    who = held.holder or "nobody"
    return f"order authority: {who}. The daemon refuses this order until you take it ({key or HOW})"


def handed_over(now: OrderAuthority, actor: str | None) -> str:
    """Return what a hand-over was, in one sentence."""
    by, before = (_named(name, actor) for name in (now.by, now.before))
    if now.holder is not None:
        said = f"{_named(now.holder, actor)} took the order authority"
        said += f" from {before}" if now.before is not None else ""
    elif now.before is None or now.before == now.by:
        said = f"{by} released the order authority"
    else:
        said = f"{by} released the order authority of {before}"
    said = f"{said}: {now.reason}" if now.reason else said
    if now.holder is None and now.required:
        said += ". Nobody can send orders until it is taken"
    return said


def _named(name: str | None, actor: str | None) -> str:
    return "you" if name is not None and name == actor else name or "somebody"


def what_taking_means(mirror: Mirror, view: View) -> list[Line]:
    """Say what happens when it is taken, as things stand."""
    held = mirror.authority
    now: Line = [(" Nobody holds it: every trader sends orders.", "")]
    if held is None:
        now = [(" Who holds it is not known yet.", "warn")]
    elif held.holder is not None:
        since = f" since {figures.clock(held.ts)}Z"
        now = [(" ", ""), (held.holder, "warn"), (f" holds it{since} and is told that it is yours.", "")]
    elif held.required:
        now = [(" Nobody holds it: nobody can send orders.", "warn")]
    return [
        now,
        [(" From then on only you send and change orders, from any terminal or", "")],
        [(f" program that is {view.actor or 'you'}. Others still cancel, close, flatten and kill.", "")],
    ]
