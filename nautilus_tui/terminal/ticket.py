"""The order ticket as a state machine: editing → sent (locked) → answered.

Plain state without Textual, without I/O. The client order id and the command id are minted when the
ticket opens, so that however often a send is repeated it is one order; between send and answer
nothing can be sent or changed. What the entries amount to is reckoned in ``assessment``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Literal, TypeIs, get_args

from data.commands import AnyCommand, Outcome
from data.problems import ProblemDocument
from data.records import Instrument, OrderType, OrderUpdate, Quote, Side, TimeInForce
from nautilus_tui.client.ids import mint_command_id as mint_command_id
from nautilus_tui.client.ids import mint_order_id as mint_order_id
from nautilus_tui.terminal.sizing import touch
from nautilus_tui.terminal.statements import (
    BracketLine,
    ModifyLine,
    OcoLine,
    OrderLine,
    SizeMode,
    moment,
    number,
)

Kind = OrderType | Literal["bracket", "oco"]
Phase = Literal["editing", "sent", "answered"]
#: Entries that are typed; the others are chosen.
Entry = Literal["size", "price", "trigger", "trail", "distance", "take_profit", "stop_loss", "expire"]
Choice = Literal["kind", "size_mode", "tif", "reduce"]


def is_choice(name: Entry | Choice) -> TypeIs[Choice]:
    """Say whether a field is chosen rather than typed."""
    return name in get_args(Choice)


KINDS: tuple[Kind, ...] = (
    "market",
    "limit",
    "stop_market",
    "stop_limit",
    "trailing_stop",
    "market_if_touched",
    "limit_if_touched",
    "bracket",
    "oco",
)
SIZE_MODES: tuple[SizeMode, ...] = ("units", "notional", "equity", "risk")
#: The prices each kind needs, in the order they are asked for.
PRICES: dict[Kind, tuple[Entry, ...]] = {
    "market": (),
    "limit": ("price",),
    "stop_market": ("trigger",),
    "stop_limit": ("trigger", "price"),
    "trailing_stop": ("trail",),
    "market_if_touched": ("trigger",),
    "limit_if_touched": ("trigger", "price"),
    "bracket": ("price", "take_profit", "stop_loss"),
    "oco": ("price", "trigger"),
}
#: How long each kind may live. What rests for a trigger cannot be immediate; GTD needs a price to rest at.
TIFS: dict[Kind, tuple[TimeInForce, ...]] = {
    "market": ("day", "gtc", "ioc", "fok"),
    "limit": ("day", "gtc", "gtd", "ioc", "fok"),
    **dict.fromkeys(
        (
            "stop_market",
            "stop_limit",
            "trailing_stop",
            "market_if_touched",
            "limit_if_touched",
            "bracket",
            "oco",
        ),
        ("day", "gtc", "gtd"),
    ),
}
#: Sizes a ticket opens with, by asset class; the user's own presets, by class or instrument, go first.
PRESETS: dict[str, str] = {"equity": "100", "fx": "10000", "future": "1", "crypto": "0.1", "commodity": "1"}


@dataclass(slots=True)
class Ticket:
    """One order being made."""

    engine: str
    instrument: str
    side: Side
    kind: Kind = "limit"
    size_mode: SizeMode = "units"
    tif: TimeInForce = "day"
    reduce: bool = False
    entries: dict[Entry, str] = field(default_factory=dict)
    staged: set[Entry] = field(default_factory=set)  #: copied from a quote and not touched since
    modifies: OrderUpdate | None = None
    client_order_id: str = field(default_factory=mint_order_id)
    command_id: str = field(default_factory=mint_command_id)
    phase: Phase = "editing"
    command: AnyCommand | None = None  #: what was sent
    outcome: Outcome | None = None
    problem: ProblemDocument | None = None  #: when no outcome came, or one with a reason
    settled: Literal["alive", "dead"] | None = None  #: what the stream told after an unknown outcome

    # ------------------------------------------------------------ editing

    @property
    def names(self) -> tuple[Entry | Choice, ...]:
        """Return the fields this order needs, in the order the cursor walks them."""
        if self.modifies is not None:
            return ("size", *(n for n in PRICES[self.kind] if n in self.entries))
        more: tuple[Entry | Choice, ...] = PRICES[self.kind]
        if self.size_mode == "risk" and self.kind != "bracket":
            more = (*more, "distance")
        expire: tuple[Entry | Choice, ...] = ("expire",) if self.tif == "gtd" else ()
        reduce: tuple[Entry | Choice, ...] = () if self.kind == "bracket" else ("reduce",)
        return ("size_mode", "size", "kind", *more, "tif", *expire, *reduce)

    def choices(self, name: Choice) -> tuple[str, ...]:
        """Return what a field chosen from may be."""
        if name == "kind":
            return KINDS
        if name == "size_mode":
            return SIZE_MODES[:3] if self.kind == "oco" else SIZE_MODES
        if name == "tif":
            return TIFS[self.kind]
        return ("no", "yes")

    def chosen(self, name: Choice) -> str:
        """Return what is chosen."""
        if name == "reduce":
            return "yes" if self.reduce else "no"
        return str(getattr(self, name))

    def choose(self, name: Choice, value: str) -> None:
        """Choose, while editing; what it makes impossible elsewhere falls back to what is possible."""
        if self.phase != "editing" or self.modifies is not None or value not in self.choices(name):
            return
        if name == "reduce":
            self.reduce = value == "yes"
            return
        setattr(self, name, value)
        if self.tif not in TIFS[self.kind]:
            self.tif = "gtc"
        if self.size_mode not in self.choices("size_mode"):
            self.size_mode = "units"
        if self.kind == "bracket":
            self.reduce = False

    def step(self, name: Choice, by: int) -> None:
        """Choose the next or the previous possibility."""
        options = self.choices(name)
        self.choose(name, options[(options.index(self.chosen(name)) + by) % len(options)])

    def enter(self, name: Entry, text: str) -> None:
        """Type the whole text of a field. A price so typed is no longer priced from the quote."""
        if self.phase == "editing":
            self.entries[name] = text
            self.staged.discard(name)

    def text(self, name: Entry) -> str:
        """Return what is typed in a field."""
        return self.entries.get(name, "")

    def value(self, name: Entry) -> Decimal | None:
        """Return the number typed in a field, None while it is empty or not a number."""
        return plain_decimal(self.text(name))

    def restage(self, quote: Quote | None) -> None:
        """Copy the touch into a limit price that nobody has typed; triggers are never guessed."""
        if self.phase != "editing" or self.modifies is not None:
            return
        at = touch(quote, self.side)
        if self.kind in ("limit", "bracket") and at is not None:
            if not self.entries.get("price") or "price" in self.staged:
                self.entries["price"] = number(at)
                self.staged.add("price")
        elif "price" in self.staged:
            self.entries["price"] = ""
            self.staged.discard("price")

    # ------------------------------------------------------------ life

    def send(self, command: AnyCommand) -> bool:
        """Lock the ticket with what it sends. False, and nothing changes, unless it was being edited."""
        if self.phase != "editing":
            return False
        self.phase, self.command = "sent", command
        self.outcome = self.problem = None
        return True

    def answer(self, outcome: Outcome) -> None:
        """Take the answer to what was sent."""
        if self.phase == "sent":
            self.phase, self.outcome, self.problem = "answered", outcome, outcome.problem

    def fail(self, problem: ProblemDocument) -> None:
        """Take the news that no outcome came: refused before it was a command, not sent, or not answered."""
        if self.phase == "sent":
            self.phase, self.problem = "answered", problem

    @property
    def unknown(self) -> bool:
        """Whether it was sent and nobody knows what became of it."""
        if self.phase != "answered" or self.settled is not None:
            return False
        if self.outcome is not None:
            return self.outcome.outcome == "unknown"
        return self.problem is not None and self.problem.type == "outcome-unknown"

    @property
    def refused(self) -> bool:
        """Whether the answer is a plain no: nothing rests anywhere."""
        if self.settled is not None:
            return self.settled == "dead"
        return self.phase == "answered" and not self.unknown and self.problem is not None

    def settle(self, orders: Sequence[OrderUpdate]) -> None:
        """Take what the stream tells of the orders after an unknown outcome: it ends the not knowing."""
        told = [order.status for order in orders if order.status not in ("sent", "unknown")]
        if self.unknown and told:
            self.settled = "dead" if all(status in ("denied", "rejected") for status in told) else "alive"

    def ask_again(self) -> AnyCommand | None:
        """Lock again and return what was sent, to be sent under the same ids: it stays one order."""
        if not self.unknown or self.command is None:
            return None
        self.phase, self.outcome, self.problem = "sent", None, None
        return self.command

    def renew(self) -> bool:
        """Edit a refused order as a new one, under new ids. False for any other answer."""
        if not self.refused:
            return False
        self.phase, self.command, self.outcome = "editing", None, None
        self.problem = self.settled = None
        self.client_order_id, self.command_id = mint_order_id(), mint_command_id()
        return True


# ---------------------------------------------------------------- opening


def plain_decimal(text: str) -> Decimal | None:
    """Return the number a text is, None where it is none; commas and exponents are not taken."""
    text = text.strip()
    if not text or len(text) > 20 or not all(c in "0123456789.-" for c in text) or not text.isascii():
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def open_ticket(
    engine: str,
    instrument: Instrument,
    side: Side,
    quote: Quote | None,
    presets: Mapping[str, str] | None = None,
) -> Ticket:
    """Open a limit ticket staged at the touch, with the preset size of the instrument or its class."""
    own = presets or {}
    size = (
        own.get(instrument.id) or own.get(instrument.asset_class) or PRESETS.get(instrument.asset_class, "1")
    )
    value = plain_decimal(size)
    if value is None or value < instrument.min_qty:
        size = number(instrument.min_qty)
    ticket = Ticket(engine, instrument.id, side, entries={"size": size})
    ticket.restage(quote)
    return ticket


def reverse_ticket(engine: str, instrument: Instrument, qty: Decimal, quote: Quote | None) -> Ticket:
    """Open a market ticket that turns a position of ``qty`` (signed) into its opposite."""
    ticket = open_ticket(engine, instrument, "sell" if qty > 0 else "buy", quote)
    ticket.choose("kind", "market")
    ticket.enter("size", number(2 * abs(qty)))
    return ticket


def modify_ticket(order: OrderUpdate) -> Ticket:
    """Open a ticket that changes a working order."""
    ticket = Ticket(
        order.engine, order.instrument, order.side, order.order_type, tif=order.tif, modifies=order
    )
    ticket.client_order_id = order.client_order_id
    ticket.entries["size"] = number(order.qty)
    if order.price is not None:
        ticket.entries["price"] = number(order.price)
    if order.trigger_price is not None:
        ticket.entries["trigger"] = number(order.trigger_price)
    return ticket


def ticket_from_line(
    line: OrderLine | BracketLine | OcoLine, engine: str, instrument: Instrument, quote: Quote | None
) -> Ticket:
    """Open the ticket that a ``:buy``, ``:sell``, ``:bracket`` or ``:oco`` line describes."""
    ticket = open_ticket(engine, instrument, line.side, quote)
    prices: dict[Entry, Decimal | None]
    if isinstance(line, OrderLine):
        ticket.choose("kind", line.order_type)
        prices = {
            "price": line.price,
            "trigger": line.trigger,
            "trail": line.trail,
            "distance": line.distance,
        }
    elif isinstance(line, BracketLine):
        ticket.choose("kind", "bracket")
        prices = {"price": line.price, "take_profit": line.take_profit, "stop_loss": line.stop_loss}
        if line.price is None:
            ticket.enter("price", "")
    else:
        ticket.choose("kind", "oco")
        prices = {"price": line.limit, "trigger": line.stop}
    ticket.choose("size_mode", line.size.mode)
    ticket.enter("size", number(line.size.value))
    for name, value in prices.items():
        if value is not None:
            ticket.enter(name, number(value))
    ticket.choose("tif", line.tif or ("gtc" if ticket.kind in ("bracket", "oco") else "day"))
    if line.ts_expire is not None:
        ticket.enter("expire", moment(line.ts_expire))
    if not isinstance(line, BracketLine):
        ticket.choose("reduce", "yes" if line.reduce_only else "no")
    return ticket


def modify_from_line(line: ModifyLine, order: OrderUpdate) -> Ticket:
    """Open the ticket that a ``:modify`` line describes."""
    ticket = modify_ticket(order)
    changes: tuple[tuple[Entry, Decimal | None], ...] = (
        ("size", line.qty),
        ("price", line.price),
        ("trigger", line.trigger),
    )
    for name, value in changes:
        if value is not None:
            ticket.enter(name, number(value))
    return ticket
