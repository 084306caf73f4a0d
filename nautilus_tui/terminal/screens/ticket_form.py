"""How a ticket looks: its fields, what it amounts to, what stands in its way, what was answered.

Functions from ticket and assessment to lines. They must not change the ticket, and know nothing of
keys or of Textual.
"""

from __future__ import annotations

import textwrap
from decimal import Decimal

from data.limits import Denial
from data.records import OrderStatus, OrderUpdate
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.assessment import LABELS, Assessment, Facts
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.limit_words import amount, scope_words
from nautilus_tui.terminal.ticket import Choice, Entry, Ticket, is_choice
from nautilus_tui.terminal.widgets.lines import Line, Part, spread, width_of

#: From this width fields stand side by side.
TWO_COLUMNS = 44
WORDS = {
    "market": "MARKET",
    "limit": "LIMIT",
    "stop_market": "STOP",
    "stop_limit": "STOP LIMIT",
    "trailing_stop": "TRAIL STOP",
    "market_if_touched": "MKT TOUCH",
    "limit_if_touched": "LMT TOUCH",
    "bracket": "BRACKET",
    "oco": "OCO",
    "units": "units",
    "notional": "notional",
    "equity": "% of equity",
    "risk": "risk",
    "yes": "yes",
    "no": "no",
}
STATUS_STYLES: dict[OrderStatus, str] = {
    "sent": "dim",
    "denied": "error",
    "accepted": "accent",
    "partially_filled": "accent",
    "filled": "good",
    "cancelled": "dim",
    "rejected": "error",
    "expired": "dim",
    "unknown": "warn",
}


def ticket_title(ticket: Ticket, glyphs: Glyphs) -> str:
    """Return what the ticket is about, for its border."""
    what = "MODIFY" if ticket.modifies is not None else ticket.side.upper()
    return f"Ticket {glyphs.dot} {what} {ticket.instrument}"


def size_label(ticket: Ticket, facts: Facts | None) -> str:
    """Return what the size is counted in."""
    currency = "" if facts is None else f" {facts.instrument.currency}"
    account = "" if facts is None or facts.account_currency is None else f" {facts.account_currency}"
    return {"units": "Qty", "notional": f"Value{currency}", "equity": "% equity", "risk": f"Risk{account}"}[
        ticket.size_mode
    ]


def field_part(
    ticket: Ticket,
    name: Entry | Choice,
    result: Assessment | None,
    facts: Facts | None,
    *,
    focused: bool,
    fresh: bool,
) -> list[Part]:
    """Return one field: label, then what is typed or chosen; the one under the cursor stands out."""
    label = size_label(ticket, facts) if name == "size" else LABELS[name]
    if name == "price" and ticket.kind == "bracket" and not ticket.text("price"):
        label = "Entry"
    parts: list[Part] = [(f"{label:<11} ", "label")]
    if is_choice(name):
        text = WORDS.get(ticket.chosen(name), ticket.chosen(name).upper())
        return [*parts, (f"‹{text}›", "accent on-cursor") if focused else (f" {text} ", "bright")]
    text = ticket.text(name)
    wrong = result is not None and name in result.errors
    if not text and not focused:
        optional = name == "price" and ticket.kind == "bracket"
        return [*parts, (" market " if optional else " required ", "dim" if optional else "warn")]
    if focused:
        style = "bright under on-cursor" if fresh and text else "bright on-cursor"
        return [*parts, (f" {text}", style), ("▏" if not fresh or not text else " ", "accent on-cursor")]
    staged = " ·touch" if name in ticket.staged else ""
    return [*parts, (f" {text}", "error" if wrong else "bright"), (staged, "faint")]


def fields(
    ticket: Ticket,
    result: Assessment | None,
    facts: Facts | None,
    width: int,
    cursor: Entry | Choice | None,
    *,
    fresh: bool,
) -> list[list[Part]]:
    """Return the fields as lines, two to a line where there is room."""
    cells = [
        field_part(ticket, name, result, facts, focused=name == cursor, fresh=fresh) for name in ticket.names
    ]
    if width < TWO_COLUMNS:
        return [[(" ", ""), *cell] for cell in cells]
    half = (width - 1) // 2
    lines: list[list[Part]] = []
    for index in range(0, len(cells), 2):
        left = cells[index]
        pad = max(1, half - width_of(left))
        right = cells[index + 1] if index + 1 < len(cells) else []
        lines.append([(" ", ""), *left, (" " * pad, ""), *right])
    return lines


def amounts(ticket: Ticket, result: Assessment, facts: Facts, width: int) -> list[list[Part]]:
    """Return what the order comes to: notes on rounding, size, notional, margin, position."""
    lines: list[list[Part]] = [[(f" {note}", "warn")] for note in result.notes.values()]
    rules = facts.instrument
    if ticket.size_mode != "units" and result.qty is not None:
        lines.append(
            [(" = ", "label"), (figures.quantity(result.qty), "bright"), (f" {rules.symbol}", "dim")]
        )
    decimals = 2
    left: list[Part] = [(" Notional ", "label"), (figures.money(result.notional, decimals=decimals), "")]
    left.append((f" {rules.currency}", "dim"))
    right: list[Part] = []
    if result.margin_change is not None:
        share = _share(result.margin_change, facts)
        right = [
            ("Margin ", "label"),
            (figures.signed_money(result.margin_change), ""),
            (share, "dim"),
            (" ", ""),
        ]
    lines.extend(_beside(left, right, width))
    if result.position_after is not None:
        before, after = (
            figures.signed_quantity(facts.position),
            figures.signed_quantity(result.position_after),
        )
        move: list[Part] = [(" Position ", "label"), (f"{before} → ", "dim"), (after, "")]
        lines.extend(_beside(move, _quote(facts), width))
    elif facts.quote is not None:
        lines.append([(" ", ""), *_quote(facts)])
    return lines


def _share(margin: Decimal, facts: Facts) -> str:
    if facts.equity is None or facts.rate is None or not facts.equity:
        return ""
    return f" ({figures.signed_percent(margin * facts.rate / facts.equity * 100)}%)"


def _quote(facts: Facts) -> list[Part]:
    quote, age = facts.quote, facts.quote_age_ns
    if quote is None or age is None:
        return [("no quote ", "warn")]
    precision = facts.instrument.price_precision
    style = "stale" if facts.stale is not None else ""
    words = f"{figures.price(quote.bid, precision)} / {figures.price(quote.ask, precision)}"
    late = facts.stale is not None
    return [(words, style), (f" {figures.age(age / 1e6)}{'!' if late else ''} ", "warn" if late else "dim")]


def _beside(left: list[Part], right: list[Part], width: int) -> list[list[Part]]:
    if not right:
        return [left]
    if width_of(left) + width_of(right) + 1 <= width:
        return [spread(left, right, width)]
    return [left, [(" ", ""), *right]]


def wrapped(text: str, style: str, width: int, first: str = " ") -> list[list[Part]]:
    """Return a sentence as lines, the following ones indented."""
    lines = textwrap.wrap(text, max(10, width - len(first) - 1)) or [""]
    return [[(first if i == 0 else " " * len(first), style), (line, style)] for i, line in enumerate(lines)]


def obstacles(result: Assessment, width: int) -> list[list[Part]]:
    """Return what blocks sending, then what only has to be pointed out."""
    lines: list[list[Part]] = []
    for problem in result.problems:
        lines.extend(wrapped(problem, "error", width, " ✗ "))
    for warning in result.warnings:
        lines.extend(wrapped(warning, "warn", width, " ! "))
    return lines


def verdict(
    ticket: Ticket, orders: list[OrderUpdate], denial: Denial | None, precision: int, width: int
) -> list[list[Part]]:
    """Return what became of what was sent: nothing is called done before it is confirmed.

    Of an order that the gate denied, rule, figures and what would pass are said once.
    """
    if ticket.phase == "sent":
        return wrapped("sent; waiting for the answer. The ticket is locked.", "accent", width, " … ")
    lines: list[list[Part]] = []
    for order in orders:
        lines.append(_order(order, precision))
        if denial is not None and order.status == "denied":
            continue
        if order.reason and order.status not in ("filled", "accepted", "partially_filled"):
            lines.extend(wrapped(order.reason, STATUS_STYLES[order.status], width, "   "))
    problem = ticket.problem
    if ticket.unknown:
        detail = problem.detail if problem is not None else "no answer came"
        lines.extend(wrapped(f"OUTCOME UNKNOWN: {detail}", "warn", width, " ? "))
        lines.extend(
            wrapped("It may be working. Asked again under the same id it stays one order.", "", width)
        )
    elif denial is not None:
        lines.extend(_denied(denial, width))
    elif ticket.settled is not None:
        lines.extend(wrapped("the answer was lost; this is what the engine's stream tells", "dim", width))
    elif problem is not None:
        lines.extend(wrapped(f"{problem.title.upper()}: {problem.detail}", "error", width, " ✗ "))
        if problem.rule:
            lines.extend(wrapped(f"rule: {problem.rule}", "dim", width, "   "))
        if problem.fix:
            lines.extend(wrapped(f"fix: {problem.fix}", "", width, "   "))
    elif not orders:
        lines.extend(wrapped("done", "good", width, " ✓ "))
    return lines


def _denied(denial: Denial, width: int) -> list[list[Part]]:
    """Return which rule denied an order, what it came to, the limit, and the most that would pass."""
    scope = "" if denial.scope is None else f" {scope_words(denial.scope)}"
    lines: list[list[Part]] = [[("   ", ""), (f"{denial.rule}{scope}", "error")]]
    if denial.value is not None and denial.limit is not None:
        unit = denial.unit or "notional"
        value, limit = (amount(figure, denial.rule, unit) for figure in (denial.value, denial.limit))
        if value == limit:
            value, limit = f"{denial.value:f}", f"{denial.limit:f}"
        lines[0].append((f"  {value} / {limit}" + ("" if unit == "ratio" else f" {unit}"), "bright"))
    lines.extend(wrapped(denial.detail, "", width, "   "))
    if denial.max_quantity is not None:
        most = figures.quantity(denial.max_quantity)
        lines.append([("   largest quantity that passes ", "label"), (most, "bright")])
    return lines


def _order(order: OrderUpdate, precision: int) -> list[Part]:
    word = "working" if order.status == "accepted" else order.status.replace("_", " ")
    parts: list[Part] = [(f" {word.upper()} ", STATUS_STYLES[order.status])]
    if order.filled_qty and order.avg_price is not None:
        filled = figures.quantity(order.filled_qty)
        if order.filled_qty != order.qty:
            filled += f" of {figures.quantity(order.qty)}"
        parts.append((f"{filled} @ {figures.price(order.avg_price, precision)} ", "bright"))
    elif order.price is not None or order.trigger_price is not None:
        at = order.trigger_price if order.trigger_price is not None else order.price
        parts.append((f"{figures.quantity(order.qty)} @ {figures.price(at, precision)} ", "bright"))
    return [*parts, (order.client_order_id, "dim")]


def keys_line(words: list[tuple[str, str]]) -> Line:
    """Return key hints as one line."""
    parts: list[Part] = [(" ", "")]
    for key, word in words:
        parts += [(key, "accent"), (f" {word}  ", "dim")]
    return parts
