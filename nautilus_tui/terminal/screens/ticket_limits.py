"""How the effect of an order on the gate's limits looks: used → after / limit, and a bar, worst first.

Functions from a preview to lines. They must not ask anything, change the ticket, or know of Textual.
Trouble is told by colour and by a sign; what is not known is a dash; a limit that is switched off
says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from data.limits import LimitEffect
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.limit_words import amount, percent, scope_parts, short_name
from nautilus_tui.terminal.preview import RULES, Preview
from nautilus_tui.terminal.screens.ticket_form import wrapped
from nautilus_tui.terminal.widgets.lines import Part
from nautilus_tui.terminal.widgets.rows import fit

#: A bar of fewer cells tells nothing.
_LEAST_BAR = 6
#: A name of fewer cells tells nothing either.
_LEAST_NAME = 8
#: From this width on a limit is called by its full name.
_FULL_NAMES = 50
_WARN = Decimal("0.8")
OFF = "off"


@dataclass(frozen=True, slots=True)
class Row:
    """One limit as it is written."""

    name: str
    used: str
    after: str
    limit: str
    share: Decimal | None  #: after ÷ limit, at least 0; None: not known, or no limit
    share_used: Decimal
    passes: bool | None  #: None: not known yet
    warn: Decimal = _WARN

    @property
    def figures(self) -> tuple[str, str, str]:
        """What stands in the columns."""
        return self.used, self.after, self.limit

    @property
    def rank(self) -> tuple[bool, Decimal]:
        """What it is ordered by: what does not pass first, then the fullest."""
        share = Decimal(0) if self.share is None else self.share
        return self.passes is not False, -share


def limits(preview: Preview, width: int, room: int, glyphs: Glyphs, *, old: bool) -> list[list[Part]]:
    """Return the effect on every limit, worst first, a limit a line.

    What ``room`` lines do not hold is summed up in the last of them; one line says all of them in
    short. ``old``: what was answered is not about the ticket as it is now; it is toned down.
    """
    if preview.problem is not None:
        said = wrapped(f"limits not known: {preview.problem.detail}", "warn", width, f" {glyphs.warn} ")
        return said[: max(1, room)]
    effects: Sequence[LimitEffect | str] = preview.effects or RULES
    if room < min(2, len(effects)):
        return [summary(effects, glyphs, old=old)]
    rows = _rows(effects, width)
    left_out = rows[room - 1 :] if len(rows) > room else []
    rows = rows[: len(rows) - len(left_out)]
    columns = [max(len(row.figures[i]) for row in rows) for i in range(3)]
    label = min(max(len(row.name) for row in rows), max(_LEAST_NAME, _room_for_names(width, columns)))
    lines = [_line(row, label, columns, width, glyphs, old=old) for row in rows]
    return [*lines, _rest(left_out, old=old)] if left_out else lines


def summary(effects: Sequence[LimitEffect | str], glyphs: Glyphs, *, old: bool) -> list[Part]:
    """Return all limits in one line, those that do not pass first: name and how much would be used."""
    parts: list[Part] = [(" ", "")]
    rows = sorted((row_of(effect, short=True) for effect in effects), key=lambda row: row.rank)
    for index, row in enumerate(rows):
        parts.append((f" {glyphs.dot} " if index else "", "faint"))
        parts.append((f"{short_name(row.name)} ", "label"))
        said = row.limit if row.limit == OFF else percent(row.share)
        parts.append((said, _style(row, old=old)))
        parts.append((f" {glyphs.warn}" if row.passes is False else "", _style(row, old=old)))
    return parts


def _rest(rows: Sequence[Row], *, old: bool) -> list[Part]:
    """Say how many limits are not listed, and how full the fullest of them is."""
    denied = sum(row.passes is False for row in rows)
    fullest = max((row.share for row in rows if row.share is not None), default=None)
    parts: list[Part] = [(f" and {len(rows)} more, ", "label")]
    if denied:
        return [*parts, (f"{denied} of them would not pass", "stale" if old else "error")]
    return [*parts, (f"at most {percent(fullest)}", "stale" if old else "dim")]


def row_of(effect: LimitEffect | str, *, short: bool, name: str = "") -> Row:
    """Return a limit's row: of its effect, or of its name while nothing is known of it."""
    if isinstance(effect, str):
        return Row(name or effect, figures.DASH, figures.DASH, figures.DASH, None, Decimal(0), None)
    used, after, limit = (
        _amount(value, effect, short=short) for value in (effect.used, effect.after, effect.limit)
    )
    name = name or effect.rule
    if effect.limit is None:
        return Row(name, used, after, OFF, None, Decimal(0), effect.passes)
    share, before = share_of(effect.after, effect.limit), share_of(effect.used, effect.limit)
    return Row(name, used, after, limit, share, before or Decimal(0), effect.passes, effect.warn)


def share_of(value: Decimal | None, limit: Decimal) -> Decimal | None:
    """Return how much of a limit a value uses, from 0 up; None for a value that is not known.

    Of a limit of nothing, anything is beyond all measure.
    """
    if value is None:
        return None
    if limit <= 0:
        return Decimal("Infinity") if value > limit else Decimal(0)
    return max(value / limit, Decimal(0))


def _amount(value: Decimal | None, effect: LimitEffect, *, short: bool) -> str:
    """Write a figure of a limit: counts whole, money to the cent only where the limit is small."""
    unit = effect.unit
    if unit in ("orders", "ratio", "shares"):
        return amount(value, effect.rule, unit, short=short)
    if value is None or short:
        return figures.compact(value)
    small = effect.limit is not None and abs(effect.limit) < 1000
    return figures.money(value, decimals=2 if small else 0)


def bar(row: Row, width: int, glyphs: Glyphs, *, old: bool) -> list[Part]:
    """Draw how far a limit is filled: what is used already, then what the order adds."""
    if row.share is None:
        return [(" " * width, "")]
    drawn = figures.bar(float(min(row.share, Decimal(1))), width, glyphs.bar)
    split = int(min(row.share_used, row.share, Decimal(1)) * width)
    used, added = "accent-bar", "accent"
    if row.passes is False:
        used, added = "down-bar", "down"
    elif row.share >= row.warn:
        added = "warn"
    return [(drawn[:split], "faint" if old else used), (drawn[split:], "faint" if old else added)]


def warning(effect: LimitEffect) -> str:
    """Say in full what the gate would not let pass, or could not judge."""
    told = effect.scope.partition(":")[0] in ("sector", "strategy")
    name = f"{effect.rule} {scope_parts(effect.scope)[0]}" if told else effect.rule
    if effect.limit is None or effect.after is None:
        why = effect.reason or "it cannot be judged now"
        return f"{name}: {why}, and what cannot be judged is denied"
    if effect.unit in ("orders", "ratio", "shares"):
        after, limit = (_amount(value, effect, short=False) for value in (effect.after, effect.limit))
    else:
        after, limit = figures.money(effect.after), figures.money(effect.limit)
    if after == limit:
        after, limit = f"{effect.after:f}", f"{effect.limit:f}"
    unit = "" if effect.unit == "ratio" else f" {effect.unit}"
    return f"{name}: {after}{unit}, the limit is {limit}: expect it to be denied"


def largest(effects: Sequence[LimitEffect]) -> Decimal | None:
    """Return the largest quantity that every limit would let pass; None: it is not known.

    Only asked where something does not pass: nothing at all is 0.
    """
    stopping = [effect for effect in effects if not effect.passes]
    known = [effect.max_quantity for effect in effects if effect.max_quantity is not None]
    if not stopping or any(effect.max_quantity is None for effect in stopping):
        return None
    return min(known)


def _rows(effects: Sequence[LimitEffect | str], width: int) -> list[Row]:
    """Return the rows, worst first: full names and figures where a bar has room beside them, else short."""
    for full_names, short in ((True, False), (True, True), (False, False), (False, True)):
        names = _names(effects, full=full_names and width >= _FULL_NAMES)
        rows = [row_of(effect, short=short, name=name) for effect, name in zip(effects, names, strict=True)]
        columns = [max(len(row.figures[i]) for row in rows) for i in range(3)]
        if max(map(len, names)) <= _room_for_names(width, columns):
            break
    return sorted(rows, key=lambda row: row.rank)


def _names(effects: Sequence[LimitEffect | str], *, full: bool) -> list[str]:
    """Return what limits are called: with their scope where there are several of one type."""
    rules = [effect if isinstance(effect, str) else effect.rule for effect in effects]
    often = Counter(rules)
    names = []
    for effect, rule in zip(effects, rules, strict=True):
        name = rule if full else short_name(rule)
        if not isinstance(effect, str) and often[rule] > 1:
            scope = scope_parts(effect.scope)[0]
            # The venue says nothing new on a ticket; where there is little room it goes.
            short = scope.rpartition(".")[0] if effect.scope.startswith("instrument:") else scope
            name = f"{name} {scope if full else short or scope}"
        names.append(name)
    return names


#: Cells of a line that are neither name, figures nor bar: spaces, arrow, slash, per cent and sign.
_FIXED = 1 + 1 + 3 + 3 + 1 + 1 + 5 + 2


def _room_for_names(width: int, columns: Sequence[int]) -> int:
    """Return how long a name can be at most beside figures and a bar; it is cut before they are."""
    return width - sum(columns) - _FIXED - _LEAST_BAR


def _line(
    row: Row, label: int, columns: Sequence[int], width: int, glyphs: Glyphs, *, old: bool
) -> list[Part]:
    style = _style(row, old=old)
    used, after, limit = (text.rjust(size) for text, size in zip(row.figures, columns, strict=True))
    parts: list[Part] = [
        (f" {fit(row.name, label, 'left', glyphs.ellipsis)} ", "label"),
        (f"{used} → ", "dim"),
    ]
    parts += [(after, style or "bright"), (f" / {limit} ", "dim")]
    room = max(0, width - label - sum(columns) - _FIXED)
    parts += bar(row, room, glyphs, old=old)
    said = "" if row.limit == OFF else percent(row.share)
    parts.append((" " * (6 - len(said)), ""))
    return [*parts, (said, style), (f" {glyphs.warn}" if row.passes is False else "  ", style)]


def _style(row: Row, *, old: bool) -> str:
    """Return the style of a row's figures: trouble, nearly, as usual, or not of now."""
    if old or row.passes is None:
        return "stale"
    if not row.passes:
        return "error"
    return "warn" if row.share is not None and row.share >= row.warn else ""
