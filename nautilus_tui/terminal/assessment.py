"""What a ticket amounts to: the order it would send, what it ties up, and why it cannot be sent.

Pure: everything it knows is in the ticket and in :class:`Facts`. Every reason names the rule and
what would satisfy it. It must not know of Textual, of the network, or invent a figure: what is not
known is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from data.commands import AnyCommand, ModifyOrder, SubmitBracket, SubmitOco, SubmitOrder
from data.records import Instrument, Quote, Side
from nautilus_tui.terminal import sizing
from nautilus_tui.terminal.statements import number
from nautilus_tui.terminal.ticket import PRICES, Choice, Entry, Ticket

#: A marketable limit further than this through the touch is taken for a slip of the finger.
COLLAR = Decimal("0.10")
#: Beyond this it is pointed out.
NOTICE = Decimal("0.01")
#: How fields are called on screen.
LABELS: dict[Entry | Choice, str] = {
    "kind": "Type",
    "size_mode": "Size by",
    "tif": "TIF",
    "reduce": "Reduce only",
    "size": "Qty",
    "price": "Price",
    "trigger": "Trigger",
    "trail": "Trail by",
    "distance": "Stop dist",
    "take_profit": "Take profit",
    "stop_loss": "Stop loss",
    "expire": "Expires",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of the market and the account at this moment."""

    instrument: Instrument
    quote: Quote | None
    now_ns: int
    stale_after_ns: int
    equity: Decimal | None = None
    margin_used: Decimal | None = None
    account_currency: str | None = None
    rate: Decimal | None = None  #: account currency per unit of the instrument's currency
    position: Decimal = Decimal(0)  #: signed

    @property
    def quote_age_ns(self) -> int | None:
        """Nanoseconds since the quote was received, None where there is none."""
        return None if self.quote is None else max(0, self.now_ns - self.quote.ts_recv)

    @property
    def stale(self) -> str | None:
        """Return why the quote must not price an order, None when it may."""
        age = self.quote_age_ns
        if age is None:
            return f"no quote of {self.instrument.id} has arrived"
        if age > self.stale_after_ns:
            return f"the quote is {age / 1e9:.1f} s old, more than {self.stale_after_ns / 1e9:g} s"
        return None


@dataclass(slots=True)
class Assessment:
    """The result. ``problems`` block sending, ``warnings`` do not; both are in reading order."""

    qty: Decimal | None = None
    reckoned_at: Decimal | None = None  #: the price that notional and margin are reckoned at
    notional: Decimal | None = None  #: in the instrument's currency
    margin_change: Decimal | None = None  #: initial margin after less before, instrument's currency
    position_after: Decimal | None = None
    sent: dict[Entry, Decimal] = field(default_factory=dict)  #: numbers as they would be sent
    notes: dict[Entry, str] = field(default_factory=dict)  #: what happened to an entry: rounding
    errors: dict[Entry, str] = field(default_factory=dict)  #: what is wrong with an entry
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    command: AnyCommand | None = None  #: what a send would send; None while there are problems


def assess(ticket: Ticket, facts: Facts) -> Assessment:
    """Reckon what the ticket amounts to now."""
    result = Assessment()
    if ticket.modifies is not None:
        _modification(ticket, facts, result)
        return result
    ts_expire = _expiry(ticket, facts, result)
    for name in PRICES[ticket.kind]:
        _price(ticket, name, facts, result)
    if ticket.size_mode == "risk" and ticket.kind != "bracket":
        _amount(ticket, "distance", result)
    _relations(ticket, facts, result)
    _quote_needed(ticket, facts, result)
    result.reckoned_at = _reckoned_at(ticket, facts, result)
    _size(ticket, facts, result)
    _effect(ticket, facts, result)
    problems = [f"{LABELS[name]}: {text}" for name, text in result.errors.items()]
    result.problems = [*problems, *result.problems]
    if not result.problems:
        result.command = _command(ticket, result, ts_expire)
    return result


# ---------------------------------------------------------------- entries


def _price(ticket: Ticket, name: Entry, facts: Facts, result: Assessment) -> None:
    """Check one price and put it on the tick grid, away from the market's favour, saying so."""
    if name == "trail":
        _amount(ticket, name, result)
        value = result.sent.get(name)
        if value is None:
            return
        rounded = sizing.price_to_tick(value, facts.instrument, up=True)
    else:
        typed = ticket.value(name)
        if typed is None:
            optional = ticket.kind == "bracket" and name == "price"
            if ticket.text(name) or not optional:
                result.errors[name] = "not a number" if ticket.text(name) else "is required"
            return
        value, side, rules = typed, ticket.side, facts.instrument
        leaving: Side = "sell" if side == "buy" else "buy"
        if name == "take_profit":
            rounded = sizing.limit_to_tick(value, leaving, rules)
        elif name == "stop_loss":
            rounded = sizing.stop_to_tick(value, leaving, rules)
        elif name == "trigger" and ticket.kind.endswith("if_touched"):
            rounded = sizing.touch_to_tick(value, side, rules)
        elif name == "trigger":
            rounded = sizing.stop_to_tick(value, side, rules)
        else:
            rounded = sizing.limit_to_tick(value, side, rules)
    if rounded <= 0 and facts.instrument.asset_class not in ("future", "commodity", "rate"):
        result.errors[name] = "must be more than zero"
        return
    if rounded != value:
        result.notes[name] = (
            f"{number(value)} → {number(rounded)} (tick {number(facts.instrument.tick_size)})"
        )
    result.sent[name] = rounded


def _amount(ticket: Ticket, name: Entry, result: Assessment) -> None:
    value = ticket.value(name)
    if value is None:
        result.errors[name] = "not a number" if ticket.text(name) else "is required"
    elif value <= 0:
        result.errors[name] = "must be more than zero"
    else:
        result.sent[name] = value


def _expiry(ticket: Ticket, facts: Facts, result: Assessment) -> int | None:
    if ticket.tif != "gtd":
        return None
    text = ticket.text("expire").strip()
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        result.errors["expire"] = "type a UTC time: 2026-12-31T15:00" if text else "is required"
        return None
    when = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    if not 1971 <= when.year < 2200:
        result.errors["expire"] = "is not in this century or the next"
        return None
    ts_expire = int(when.timestamp()) * 1_000_000_000
    if ts_expire <= facts.now_ns:
        result.errors["expire"] = "is in the past"
        return None
    return ts_expire


# ---------------------------------------------------------------- rules


def _relations(ticket: Ticket, facts: Facts, result: Assessment) -> None:
    """Check how the prices stand to each other and to the market."""
    buy, sent = ticket.side == "buy", result.sent
    sign = 1 if buy else -1
    price, trigger = sent.get("price"), sent.get("trigger")
    at = sizing.touch(facts.quote, ticket.side) if facts.stale is None else None
    if ticket.kind == "bracket":
        entry = price if price is not None else at
        profit, loss = sent.get("take_profit"), sent.get("stop_loss")
        if profit is not None and loss is not None and entry is not None:
            low, high = (loss, profit) if buy else (profit, loss)
            if not low < entry < high:
                rule = "stop loss < entry < take profit" if buy else "take profit < entry < stop loss"
                result.problems.append(f"a {ticket.side} bracket needs {rule}; the entry is {number(entry)}")
    elif ticket.kind == "oco" and price is not None and trigger is not None and (price - trigger) * sign >= 0:
        rule = "below" if buy else "above"
        result.problems.append(f"the limit of a {ticket.side} OCO must be {rule} its stop")
    _trigger_side(ticket, trigger, at, result)
    if price is not None and at is not None and at > 0 and ticket.kind in ("limit", "bracket", "oco"):
        through = (price - at) / at if buy else (at - price) / at
        if through > COLLAR:
            result.problems.append(
                f"the limit is {through:.0%} through the touch {number(at)}: "
                "type a nearer price, or use market"
            )
        elif through > NOTICE:
            result.warnings.append(
                f"the limit is {through:.1%} through the touch {number(at)}: fills at once"
            )


def _trigger_side(ticket: Ticket, trigger: Decimal | None, at: Decimal | None, result: Assessment) -> None:
    if trigger is None or at is None:
        return
    buy = ticket.side == "buy"
    touched = ticket.kind.endswith("if_touched")
    # A stop waits for the market to go against it, an if-touched order for it to come its way.
    above = buy != touched
    if (trigger <= at) if above else (trigger >= at):
        what = "trigger" if ticket.kind != "oco" else "stop"
        name = "ask" if buy else "bid"
        side = "above" if above else "below"
        result.problems.append(f"the {what} of this {ticket.side} must be {side} the {name} {number(at)}")


def _quote_needed(ticket: Ticket, facts: Facts, result: Assessment) -> None:
    """Block an order that takes its price or its size from a stale quote; otherwise only say so."""
    stale = facts.stale
    if stale is None:
        return
    from_quote = ticket.kind in ("market", "trailing_stop") or "price" in ticket.staged
    from_quote = from_quote or (ticket.kind == "bracket" and "price" not in result.sent)
    if from_quote:
        result.problems.append(f"{stale}: an order is not priced from it; type a price, or wait")
    else:
        result.warnings.append(stale)


def _reckoned_at(ticket: Ticket, facts: Facts, result: Assessment) -> Decimal | None:
    for name in PRICES[ticket.kind]:
        if name in ("price", "trigger") and name in result.sent:
            return result.sent["price"] if "price" in result.sent else result.sent[name]
    return sizing.touch(facts.quote, ticket.side)


def _size(ticket: Ticket, facts: Facts, result: Assessment) -> None:
    _amount(ticket, "size", result)
    wanted = result.sent.get("size")
    if wanted is None:
        return
    distance = result.sent.get("distance")
    if ticket.kind == "bracket" and "stop_loss" in result.sent and result.reckoned_at is not None:
        distance = abs(result.reckoned_at - result.sent["stop_loss"])
    wish = sizing.Wish(
        mode=ticket.size_mode,
        value=wanted,
        price=result.reckoned_at,
        distance=distance,
        equity=facts.equity,
        rate=facts.rate,
    )
    qty = sizing.units(wish, facts.instrument)
    if isinstance(qty, str):
        result.errors["size"] = qty
        return
    if ticket.size_mode == "units" and qty != wanted:
        result.notes["size"] = f"{number(wanted)} → {number(qty)} (lot {number(facts.instrument.lot_size)})"
    _bounds(qty, facts.instrument, result)
    result.qty = qty


def _bounds(qty: Decimal, rules: Instrument, result: Assessment) -> None:
    if qty < rules.min_qty or qty <= 0:
        result.errors["size"] = f"{number(qty)} is below the least quantity {number(rules.min_qty)}"
    elif rules.max_qty is not None and qty > rules.max_qty:
        result.errors["size"] = f"{number(qty)} is above the greatest quantity {number(rules.max_qty)}"


def _effect(ticket: Ticket, facts: Facts, result: Assessment) -> None:
    qty, at, rules = result.qty, result.reckoned_at, facts.instrument
    if qty is None:
        return
    before = facts.position
    after = before + qty if ticket.side == "buy" else before - qty
    if ticket.reduce:
        if before == 0 or (before > 0) == (ticket.side == "buy"):
            result.problems.append("reduce only: there is no position that this order would reduce")
            return
        after = max(after, Decimal(0)) if before > 0 else min(after, Decimal(0))
    result.position_after = after
    if at is None:
        return
    result.notional = sizing.notional(qty, at, rules)
    result.margin_change = sizing.margin(after, at, rules) - sizing.margin(before, at, rules)
    if facts.equity is not None and facts.margin_used is not None and facts.rate is not None:
        free = facts.equity - facts.margin_used
        if result.margin_change * facts.rate > max(free, Decimal(0)):
            result.warnings.append("the margin needed is more than what is free: expect it to be denied")


# ---------------------------------------------------------------- commands


def _command(ticket: Ticket, result: Assessment, ts_expire: int | None) -> AnyCommand | None:
    if result.qty is None:
        return None
    sent = result.sent
    if ticket.kind == "bracket":
        price = sent.get("price")
        return SubmitBracket(
            engine=ticket.engine,
            client_order_id=ticket.client_order_id,
            instrument=ticket.instrument,
            side=ticket.side,
            qty=result.qty,
            order_type="market" if price is None else "limit",
            tif=ticket.tif,
            price=price,
            take_profit=sent["take_profit"],
            stop_loss=sent["stop_loss"],
            ts_expire=ts_expire,
        )
    if ticket.kind == "oco":
        return SubmitOco(
            engine=ticket.engine,
            client_order_id=ticket.client_order_id,
            instrument=ticket.instrument,
            side=ticket.side,
            qty=result.qty,
            limit_price=sent["price"],
            stop_price=sent["trigger"],
            tif=ticket.tif,
            ts_expire=ts_expire,
            reduce_only=ticket.reduce,
        )
    return SubmitOrder(
        engine=ticket.engine,
        client_order_id=ticket.client_order_id,
        instrument=ticket.instrument,
        side=ticket.side,
        qty=result.qty,
        order_type=ticket.kind,
        tif=ticket.tif,
        price=sent.get("price"),
        trigger_price=sent.get("trigger"),
        trailing_offset=sent.get("trail"),
        ts_expire=ts_expire,
        reduce_only=ticket.reduce,
    )


def _modification(ticket: Ticket, facts: Facts, result: Assessment) -> None:
    order = ticket.modifies
    if order is None:
        return
    changes: dict[str, Decimal] = {}
    current: dict[Entry, Decimal | None] = {"price": order.price, "trigger": order.trigger_price}
    for name, known in current.items():
        if name in ticket.names:
            _price(ticket, name, facts, result)
            if name in result.sent and result.sent[name] != known:
                changes["trigger_price" if name == "trigger" else name] = result.sent[name]
    _amount(ticket, "size", result)
    qty = result.sent.get("size")
    if qty is not None:
        result.qty = sizing.qty_to_lot(qty, facts.instrument)
        if result.qty != qty:
            lot = number(facts.instrument.lot_size)
            result.notes["size"] = f"{number(qty)} → {number(result.qty)} (lot {lot})"
        _bounds(result.qty, facts.instrument, result)
        if result.qty <= order.filled_qty:
            result.errors["size"] = f"{number(order.filled_qty)} are filled already; cancel the rest instead"
        elif result.qty != order.qty:
            changes["qty"] = result.qty
    _relations(ticket, facts, result)
    result.reckoned_at = _reckoned_at(ticket, facts, result)
    if result.qty is not None and result.reckoned_at is not None:
        result.notional = sizing.notional(result.qty, result.reckoned_at, facts.instrument)
    result.problems = [*(f"{LABELS[n]}: {text}" for n, text in result.errors.items()), *result.problems]
    if not changes and not result.problems:
        result.problems.append("nothing is changed yet")
    if not result.problems:
        result.command = ModifyOrder(
            engine=ticket.engine,
            client_order_id=ticket.client_order_id,
            qty=changes.get("qty"),
            price=changes.get("price"),
            trigger_price=changes.get("trigger_price"),
        )
