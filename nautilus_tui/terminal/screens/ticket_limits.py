"""How the effect of an order on the gate's limits looks: used → after / limit, and a bar.

Functions from a preview to lines. They must not ask anything, change the ticket, or know of Textual.
Trouble is told by colour and by a sign; what is not known is a dash; a limit that is switched off
says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from data.limits import LimitEffect
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.preview import RULES, Preview
from nautilus_tui.terminal.screens.ticket_form import wrapped
from nautilus_tui.terminal.ticket import Ticket
from nautilus_tui.terminal.widgets.lines import Part

#: From this share of a limit on, it is pointed out.
NEAR = Decimal("0.8")
#: What stands for a limit's name where there is little room.
SHORT = {"order_notional": "notional", "position_size": "position", "order_rate": "rate"}
#: A bar of fewer cells tells nothing.
_LEAST_BAR = 6
#: From this width on a limit is called by its full name.
_FULL_NAMES = 50
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Row:
    """One limit as it is written."""

    rule: str
    used: str
    after: str
    limit: str
    share: Decimal | None  #: after ÷ limit, at least 0; None: not known, or no limit
    share_used: Decimal
    passes: bool | None  #: None: not known yet

    @property
    def figures(self) -> tuple[str, str, str]:
        """What stands in the columns."""
        return self.used, self.after, self.limit


def limits(
    ticket: Ticket, preview: Preview, width: int, room: int, glyphs: Glyphs, *, old: bool
) -> list[list[Part]]:
    """Return the effect on every limit, a limit a line; in one line where ``room`` lines do not hold them.

    ``old``: what was answered is not about the ticket as it is now; it is toned down.
    """
    if ticket.modifies is not None:
        return wrapped("limits: the gate judges a change when it is sent", "dim", width)
    if preview.problem is not None:
        said = wrapped(f"limits not known: {preview.problem.detail}", "warn", width, f" {glyphs.warn} ")
        return said[: max(1, room)]
    known = {effect.rule: effect for effect in preview.effects}
    rules = (*RULES, *(rule for rule in known if rule not in RULES))
    if room < len(rules):
        return [summary([known.get(rule) or rule for rule in rules], glyphs, old=old)]
    rows = _rows([known.get(rule) or rule for rule in rules], width, glyphs)
    columns = [max(len(row.figures[i]) for row in rows) for i in range(3)]
    names = {rule: rule if width >= _FULL_NAMES else SHORT.get(rule, rule) for rule in rules}
    label = max(len(name) for name in names.values())
    return [_line(row, names[row.rule], label, columns, width, glyphs, old=old) for row in rows]


def summary(effects: list[LimitEffect | str], glyphs: Glyphs, *, old: bool) -> list[Part]:
    """Return all limits in one line, those that do not pass first: name and how much would be used."""
    parts: list[Part] = [(" ", "")]
    rows = [row_of(effect, short=True) for effect in effects]
    for index, row in enumerate(sorted(rows, key=lambda row: row.passes is not False)):
        parts.append((f" {glyphs.dot} " if index else "", "faint"))
        parts.append((f"{SHORT.get(row.rule, row.rule)} ", "label"))
        said = row.limit if row.limit == OFF else percent(row.share)
        parts.append((said, _style(row, old=old)))
        parts.append((f" {glyphs.warn}" if row.passes is False else "", _style(row, old=old)))
    return parts


OFF = "off"


def row_of(effect: LimitEffect | str, *, short: bool) -> Row:
    """Return a limit's row: of its effect, or of its name while nothing is known of it."""
    if isinstance(effect, str):
        return Row(effect, figures.DASH, figures.DASH, figures.DASH, None, Decimal(0), None)
    used, after, limit = (amount(v, effect, short=short) for v in (effect.used, effect.after, effect.limit))
    if effect.limit is None:
        return Row(effect.rule, used, after, OFF, None, Decimal(0), effect.passes)
    return Row(
        effect.rule,
        used,
        after,
        limit,
        share_of(effect.after, effect.limit),
        share_of(effect.used, effect.limit) or Decimal(0),
        effect.passes,
    )


def share_of(value: Decimal | None, limit: Decimal) -> Decimal | None:
    """Return how much of a limit a value uses, from 0 up; None for a value that is not known."""
    if value is None:
        return None
    if limit <= 0:
        return Decimal(1 if value > limit else 0)
    return max(value / limit, Decimal(0))


def percent(share: Decimal | None) -> str:
    """Write a share in per cent. Only what is a limit exactly is 100 %: rounding hides no breach."""
    if share is None:
        return figures.DASH
    if share > Decimal("9.99"):
        return ">999%"
    rounded = int((share * _HUNDRED).quantize(Decimal(1), ROUND_HALF_EVEN))
    if share > 1:
        rounded = max(rounded, 101)
    elif share < 1:
        rounded = min(rounded, 99)
    return f"{rounded}%"


def amount(value: Decimal | None, effect: LimitEffect, *, short: bool) -> str:
    """Write a figure of a limit: counts whole, money to the cent only where the limit is small."""
    if value is None:
        return figures.DASH
    if effect.unit == "orders":
        return figures.quantity(value)
    if short:
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
    elif row.share >= NEAR:
        added = "warn"
    return [(drawn[:split], "faint" if old else used), (drawn[split:], "faint" if old else added)]


def warning(effect: LimitEffect) -> str:
    """Say in full what the gate would not let pass, or could not judge."""
    if effect.limit is None or effect.after is None:
        return f"{effect.rule}: it cannot be judged now, and what cannot be judged is denied"
    unit = effect.unit
    if unit == "orders":
        return (
            f"{effect.rule}: {effect.after:f} orders, the limit is {effect.limit:f}: expect it to be denied"
        )
    return (
        f"{effect.rule}: {figures.money(effect.after)} {unit}, "
        f"the limit is {figures.money(effect.limit)}: expect it to be denied"
    )


def _rows(effects: list[LimitEffect | str], width: int, glyphs: Glyphs) -> list[Row]:
    """Return the rows in full figures where a bar still has room beside them, else in short ones."""
    rows = [row_of(effect, short=False) for effect in effects]
    names = [row.rule if width >= _FULL_NAMES else SHORT.get(row.rule, row.rule) for row in rows]
    taken = max(map(len, names)) + sum(max(len(row.figures[i]) for row in rows) for i in range(3))
    if width - taken - _FIXED >= _LEAST_BAR:
        return rows
    return [row_of(effect, short=True) for effect in effects]


#: Cells of a line that are neither name, figures nor bar: spaces, arrow, slash, per cent and sign.
_FIXED = 1 + 1 + 3 + 3 + 1 + 1 + 5 + 2


def _line(
    row: Row, name: str, label: int, columns: list[int], width: int, glyphs: Glyphs, *, old: bool
) -> list[Part]:
    style = _style(row, old=old)
    used, after, limit = (text.rjust(size) for text, size in zip(row.figures, columns, strict=True))
    parts: list[Part] = [(f" {name:<{label}} ", "label"), (f"{used} → ", "dim")]
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
    return "warn" if row.share is not None and row.share >= NEAR else ""
