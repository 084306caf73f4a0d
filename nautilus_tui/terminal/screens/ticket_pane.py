"""The ticket on the Trade workspace: typing into a ticket, and showing what it amounts to.

Every printable key is the ticket's own while it has the focus, so nothing typed or pasted here is
ever an action; sending is the application's and needs the chord. It must not do I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import ClassVar

from textual import events

from data.commands import PreviewOrder
from data.limits import Denial
from data.records import OrderUpdate
from nautilus_tui.terminal.assessment import Assessment, Facts, assess
from nautilus_tui.terminal.authority_words import refusal
from nautilus_tui.terminal.limit_words import RESTRICTIONS
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.preview import Preview, question_of
from nautilus_tui.terminal.screens import ticket_form as form
from nautilus_tui.terminal.screens.ticket_limits import largest, limits, row_of, warning
from nautilus_tui.terminal.sizing import conversion
from nautilus_tui.terminal.statements import number
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.ticket import Choice, Entry, Ticket, is_choice, plain_decimal
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Line, Lines, Part

_TYPED = frozenset("0123456789.-")
_DATE = _TYPED | frozenset(":Tt ")
_LONGEST = 20


class TicketPane(Lines, can_focus=True):
    """One ticket, or nothing."""

    watches: ClassVar[frozenset[Kind]] = frozenset(
        (
            *("quotes", "orders", "positions", "account", "instruments"),
            *("connection", "engines", "kill", "authority"),
        )
    )
    shows_ages: ClassVar[bool] = True
    TITLE = "Ticket"

    def __init__(
        self,
        *,
        id: str | None = None,
        blocked: Callable[[], str | None] | None = None,
        ask: Callable[[PreviewOrder | None], None] | None = None,
    ) -> None:
        """Take two optional questions.

        ``blocked`` tells why nothing can be sent at all now (disconnected, role); ``ask`` has the
        gate asked about an order, or about none any more: the answer is put into ``preview``.
        """
        super().__init__(id=id)
        self.ticket: Ticket | None = None
        self.assessment: Assessment | None = None
        self.hints: tuple[str, str] = ("ctrl+o", "esc")
        self.take_key = "ctrl+l"
        self.authority_key = "ctrl+t"
        self.preview = Preview()
        self._blocked = blocked
        self._ask = ask
        self._facts: Facts | None = None
        self._cursor = 0
        self._fresh = True  # the field was just entered: typing replaces what is in it
        self._seen: tuple[Mirror, View] | None = None

    # ------------------------------------------------------------ opening and showing

    def show(self, ticket: Ticket | None, mirror: Mirror, view: View) -> None:
        """Show another ticket, or none, with the cursor on its size."""
        self.ticket = ticket
        self.display = ticket is not None
        self._fresh = True
        if ticket is not None:
            self._cursor = ticket.names.index("size")
        self.refresh_from(mirror, view)

    @property
    def typing(self) -> bool:
        """Whether printable keys are the ticket's own: until what was sent is answered."""
        return self.ticket is not None and self.ticket.phase != "answered"

    @property
    def sendable(self) -> str | None:
        """Return why the order cannot be sent now, None when the chord would send it."""
        ticket, result = self.ticket, self.assessment
        if ticket is None:
            return "no ticket is open"
        reason = self._blocked() if self._blocked is not None else None
        if reason is not None:
            return reason
        if ticket.phase == "sent":
            return "the order was sent and is not answered yet"
        if ticket.unknown:
            return None
        if ticket.phase == "answered":
            return "enter edits it again" if ticket.refused else "it was answered; open a new ticket"
        if result is None:
            return "the instrument's rules are not known yet"
        return result.problems[0] if result.problems else None

    @property
    def largest(self) -> Decimal | None:
        """The largest quantity that would pass, where what is asked for does not; None: not known."""
        ticket, preview = self.ticket, self.preview
        if ticket is None:
            return None
        if ticket.phase == "editing":
            found = largest(preview.effects) if preview.answered == preview.question else None
        elif ticket.refused and self._seen is not None:
            denial = denial_of(ticket, self._seen[0])
            found = None if denial is None else denial.max_quantity
        else:
            return None
        return found if found is not None and found > 0 else None

    @property
    def no_largest(self) -> str | None:
        """Return why no largest quantity can be taken, None when it can."""
        if self.ticket is None:
            return "no ticket is open"
        return None if self.largest is not None else "no limit says which quantity would pass"

    def take_largest(self) -> None:
        """Set the quantity to the largest that would pass; a denied order is edited again for that."""
        ticket, found = self.ticket, self.largest
        if ticket is None or found is None:
            return
        ticket.renew()
        ticket.choose("size_mode", "units")
        ticket.enter("size", number(found))
        self._cursor = ticket.names.index("size")
        self._fresh = True
        self._redraw()

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Reckon the ticket anew at the latest prices and draw it."""
        self._seen = (mirror, view)
        ticket = self.ticket
        if ticket is None:
            self.assessment = None
            self._consider()
            return
        ticket.settle(orders_of(ticket, mirror))
        self._facts = facts_of(mirror, view, ticket)
        self.assessment = None if self._facts is None else assess(ticket, self._facts)
        self._consider()
        glyphs = glyphs_of(self.app)
        self.title = form.ticket_title(ticket, glyphs)
        self.subtitle = ticket.client_order_id
        self.title_style = ticket.side
        width = self.content_size.width or 40
        self.set_lines(self._drawn(ticket, mirror, view, width))

    def _consider(self) -> None:
        """Have the gate asked about the order when it is another than before."""
        question = question_of(self.ticket, self.assessment)
        if self.preview.ask(question) and self._ask is not None:
            self._ask(question)

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new width."""
        super().on_resize(event)
        self._redraw()

    def on_focus(self) -> None:
        """Show the cursor."""
        super().on_focus()
        self._fresh = True
        self._redraw()

    def on_blur(self) -> None:
        """Hide the cursor."""
        super().on_blur()
        self._redraw()

    def _redraw(self) -> None:
        if self._seen is not None:
            self.refresh_from(*self._seen)

    @property
    def field(self) -> Entry | Choice | None:
        """The field under the cursor."""
        if self.ticket is None or self.ticket.phase != "editing":
            return None
        names = self.ticket.names
        return names[min(self._cursor, len(names) - 1)]

    def _drawn(self, ticket: Ticket, mirror: Mirror, view: View, width: int) -> list[Line]:
        result, facts = self.assessment, self._facts
        cursor = self.field if self.has_focus else None
        lines: list[Line] = [*form.fields(ticket, result, facts, width, cursor, fresh=self._fresh)]
        reason = self._blocked() if self._blocked is not None else None
        held = refusal(mirror, view, self.authority_key) if reason is None else None
        if ticket.phase == "editing":
            if result is None or facts is None:
                lines.extend(form.wrapped("the instrument's rules are not known yet", "warn", width, " ! "))
            else:
                lines.extend(form.amounts(ticket, result, facts, width))
                obstacles = [*form.obstacles(result, width), *self._warnings(width)]
                obstacles += restricted(ticket, mirror, width)
                if held is not None:
                    obstacles += form.wrapped(held, "warn", width, " ! ")
                lines.extend(self._limits(facts, width, len(lines) + len(obstacles) + 1))
                lines.extend(obstacles)
        else:
            precision = 2 if facts is None else facts.instrument.price_precision
            made, denial = orders_of(ticket, mirror), denial_of(ticket, mirror)
            lines.extend(form.verdict(ticket, made, denial, precision, width))
        if reason is not None:
            lines.extend(form.wrapped(f"cannot be sent: {reason}", "warn", width, " ! "))
        lines.append(self._keys(ticket))
        return lines

    def _limits(self, facts: Facts, width: int, others: int) -> list[list[Part]]:
        """Return what the order does to the limits, in the lines that ``others`` leave."""
        old = self.preview.old(facts.now_ns, facts.stale_after_ns)
        room = self.room.height - others
        return limits(self.preview, width, room, glyphs_of(self.app), old=old)

    def _warnings(self, width: int) -> list[list[Part]]:
        """Return what the gate would deny: pointed out, not forbidden, for the gate decides."""
        found = sorted(self.preview.warnings(), key=lambda effect: row_of(effect, short=True).rank)
        lines = [line for effect in found[:1] for line in form.wrapped(warning(effect), "warn", width, " ! ")]
        if len(found) > 1:
            others = "another limit" if len(found) == 2 else f"{len(found) - 1} other limits"
            lines += form.wrapped(f"{others} would not let it pass either", "warn", width, " ! ")
        return lines

    def _keys(self, ticket: Ticket) -> Line:
        send, close = self.hints
        if not self.has_focus:
            return form.keys_line([("g", "go to the ticket")])
        if ticket.phase == "sent":
            return form.keys_line([(close, "close")])
        if ticket.unknown:
            return form.keys_line([(send, "ask again"), (close, "close")])
        if ticket.phase == "answered":
            again = [("enter", "edit again"), *self._take()] if ticket.refused else []
            return form.keys_line([*again, (close, "close")])
        words = [*self._take(), (close, "close"), ("tab", "next"), ("↑↓", "change")]
        return form.keys_line([(send, "send"), *words] if self.sendable is None else words)

    def _take(self) -> list[tuple[str, str]]:
        found = self.largest
        return [] if found is None else [(self.take_key, f"take {number(found)}")]

    # ------------------------------------------------------------ typing

    def on_key(self, event: events.Key) -> None:
        """Type, choose and move; printable keys end here whatever they are."""
        ticket = self.ticket
        if ticket is None or not (self.typing or event.key == "enter"):
            return
        if event.is_printable or event.key in _OWN_KEYS:
            event.stop()
            event.prevent_default()
        else:
            return
        if event.key == "enter" and ticket.renew():
            self._fresh = True
        elif ticket.phase == "editing":
            self._edit(ticket, event)
        self._redraw()

    def _edit(self, ticket: Ticket, event: events.Key) -> None:
        name, key = self.field, event.key
        if key in ("tab", "enter"):
            self._move(ticket, 1)
        elif key == "shift+tab":
            self._move(ticket, -1)
        elif name is None:
            return
        elif is_choice(name):
            self._choose(ticket, name, event)
        else:
            self._type(ticket, name, event)

    def _move(self, ticket: Ticket, by: int) -> None:
        self._cursor = (min(self._cursor, len(ticket.names) - 1) + by) % len(ticket.names)
        self._fresh = True

    def _choose(self, ticket: Ticket, name: Choice, event: events.Key) -> None:
        if event.key in ("right", "down", "space"):
            ticket.step(name, 1)
        elif event.key in ("left", "up"):
            ticket.step(name, -1)
        elif event.character and event.is_printable:
            ticket.choose(name, _by_letter(ticket.choices(name), ticket.chosen(name), event.character))
        self._cursor = ticket.names.index(name)
        if self._seen is not None:
            mirror, _ = self._seen
            ticket.restage(mirror.quote(ticket.engine, ticket.instrument))

    def _type(self, ticket: Ticket, name: Entry, event: events.Key) -> None:
        text, character = ticket.text(name), event.character or ""
        if event.key in ("up", "down"):
            self._nudge(ticket, name, 1 if event.key == "up" else -1)
            return
        if event.key == "backspace":
            text = "" if self._fresh else text[:-1]
        elif event.key in ("delete", "ctrl+u"):
            text = ""
        elif character and character in (_DATE if name == "expire" else _TYPED):
            text = ("" if self._fresh else text) + character
        else:
            return
        self._fresh = False
        ticket.enter(name, text[:_LONGEST])

    def _nudge(self, ticket: Ticket, name: Entry, by: int) -> None:
        """Move a number by a tick or a lot, never to zero or below."""
        if self._facts is None or name == "expire":
            return
        rules = self._facts.instrument
        value = ticket.value(name)
        if name == "size":
            step = rules.lot_size if ticket.size_mode == "units" else Decimal(1)
            least = step
        else:
            step = least = rules.tick_size
        if value is None and name in ("price", "trigger", "take_profit", "stop_loss"):
            quote = self._facts.quote
            value = None if quote is None else (quote.ask if ticket.side == "buy" else quote.bid)
        moved = (value or Decimal(0)) + step * by
        ticket.enter(name, number(max(moved, least)))
        self._fresh = True

    def on_paste(self, event: events.Paste) -> None:
        """Take a pasted number into a typed field; anything else in the text is dropped."""
        event.stop()
        ticket, name = self.ticket, self.field
        if ticket is None or name is None or is_choice(name):
            return
        lines = event.text.strip().splitlines()
        text = lines[0].strip()[:_LONGEST] if lines else ""
        if text and all(c in (_DATE if name == "expire" else _TYPED) for c in text):
            ticket.enter(name, text)
            self._fresh = False
            self._redraw()


_OWN_KEYS = frozenset(
    {"tab", "shift+tab", "enter", "up", "down", "left", "right", "space", "backspace", "delete", "ctrl+u"}
)


def _by_letter(options: Sequence[str], current: str, letter: str) -> str:
    """Return the first option of a letter; pressed again, the next one of it."""
    found = [option for option in options if _initial(option) == letter.lower()]
    if not found:
        return current
    return found[(found.index(current) + 1) % len(found)] if current in found else found[0]


def _initial(option: str) -> str:
    return {"equity": "%", "limit_if_touched": "i"}.get(option, option[0])


def facts_of(mirror: Mirror, view: View, ticket: Ticket) -> Facts | None:
    """Gather what is known for a ticket; None while the instrument's rules are not."""
    rules = mirror.instrument(ticket.engine, ticket.instrument)
    if rules is None:
        return None
    account = mirror.accounts.get(ticket.engine)
    position = mirror.position_of(ticket.engine, ticket.instrument)
    pairs = {
        i.symbol: quote
        for i in mirror.instruments.get(ticket.engine, {}).values()
        if i.asset_class == "fx" and (quote := mirror.quote(ticket.engine, i.id)) is not None
    }
    return Facts(
        instrument=rules,
        quote=mirror.quote(ticket.engine, ticket.instrument),
        now_ns=view.now_ns,
        stale_after_ns=view.stale_after_ms * 1_000_000,
        equity=None if account is None else account.equity,
        margin_used=None if account is None else account.margin_used,
        account_currency=None if account is None else account.currency,
        rate=None if account is None else conversion(rules.currency, account.currency, pairs),
        position=Decimal(0) if position is None else position.position.qty,
    )


def restricted(ticket: Ticket, mirror: Mirror, width: int) -> list[list[Part]]:
    """Say what of a ticket's engine is locked, whatever the order."""
    engine = mirror.engines.get(ticket.engine)
    if mirror.risk.killed(ticket.engine):
        said = f"{ticket.engine} is KILLED: nothing passes until :unlock"
    elif engine is None or engine.restriction == "none":
        return []
    else:
        passes = "nothing passes" if engine.restriction == "halted" else "only what reduces passes"
        said = f"{ticket.engine} is {RESTRICTIONS[engine.restriction]}: {passes}"
    return form.wrapped(said, "warn", width, " ! ")


def denial_of(ticket: Ticket, mirror: Mirror) -> Denial | None:
    """Return why the gate denied what was sent: as the order tells it, else as the answer does."""
    if ticket.phase != "answered":
        return None
    told = (order.denial for order in orders_of(ticket, mirror) if order.denial is not None)
    found = next(told, None)
    if found is not None or ticket.problem is None or "rule" not in ticket.problem.extra:
        return found
    extra = ticket.problem.extra
    value, limit, most = (plain_decimal(extra.get(name, "")) for name in ("value", "limit", "max_quantity"))
    return Denial(
        rule=extra["rule"],
        detail=ticket.problem.detail,
        limit_id=extra.get("limit_id"),
        scope=extra.get("scope"),
        value=value,
        limit=limit,
        max_quantity=most,
    )


def orders_of(ticket: Ticket, mirror: Mirror) -> list[OrderUpdate]:
    """Return the orders a ticket made, as they stand: from the stream, else from the answer."""
    names = {o.client_order_id: o for o in (ticket.outcome.orders if ticket.outcome is not None else ())}
    stem = ticket.client_order_id
    for suffix in ("", "-TP", "-SL", "-A", "-B"):
        known = mirror.order(ticket.engine, stem + suffix)
        if known is not None:
            answered = names.get(known.client_order_id)
            names[known.client_order_id] = known if answered is None or known.ts >= answered.ts else answered
    return list(names.values())
