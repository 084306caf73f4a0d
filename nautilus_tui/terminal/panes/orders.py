"""Orders of the selected engine: working ones first, each with its state and the reason for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from data.records import FINAL_STATUSES, OrderUpdate
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.mirror import Kind, Mirror, OrderRow
from nautilus_tui.terminal.panes.pane import instrument_cell
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import OrderScope, View
from nautilus_tui.terminal.widgets.table import Cell, Column, LiveTable, Row

DAY_NS = 86_400_000_000_000

COLUMNS = (
    Column("state", "State", "left", least=9, most=13),
    Column("side", "Side", "left", width=4),
    Column("qty", "Qty", least=4, most=12),
    Column("symbol", "Symbol", "left", least=6, most=18),
    Column("type", "Type", "left", least=4, most=7),
    Column("price", "Price", least=6, most=20),
    Column("tif", "TIF", "left", width=3, drop=4),
    Column("filled", "Filled", least=4, drop=3),
    Column("average", "Avg", least=6, drop=2, glow=True),
    Column("time", "Time", "left", width=8, drop=5),
    Column("id", "Order", "left", least=5, most=36, drop=6),
    Column("reason", "Reason", "left", least=14, drop=7, grow=True),
)
#: How order types are written where space is short.
TYPES = {
    "market": "MKT",
    "limit": "LMT",
    "stop_market": "STP",
    "stop_limit": "STP LMT",
    "trailing_stop": "TRAIL",
    "market_if_touched": "MIT",
    "limit_if_touched": "LIT",
}
#: How states are written, and in which style.
STATES = {
    "sent": ("sent", "dim"),
    "denied": ("denied", "error"),
    "accepted": ("working", "accent"),
    "partially_filled": ("part filled", "accent"),
    "filled": ("filled", ""),
    "cancelled": ("cancelled", "dim"),
    "rejected": ("rejected", "error"),
    "expired": ("expired", "dim"),
    "unknown": ("unknown", "warn"),
}


class Orders(LiveTable):
    """The orders of the selected engine within the view's scope."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"orders", "instruments", "connection"})
    shows_ages: ClassVar[bool] = False
    TITLE = "Orders"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(COLUMNS, id=id)

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the orders of the selected engine."""
        self.comfortable = view.density == "comfortable"
        glyphs = glyphs_of(self.app)
        engine = view.engine
        found = [] if engine is None else mirror.order_rows(engine, wanted(view.order_scope, view.now_ns))
        working = sum(row.order.status not in FINAL_STATUSES for row in found)
        self.title = f"Orders {glyphs.dot} {view.order_scope}"
        self.subtitle = f"{len(found)} {glyphs.dot} {working} working"
        self.empty = {
            "working": "No working orders. b buys and s sells the selected instrument.",
            "today": "No orders today. b buys and s sells the selected instrument.",
            "all": "No orders yet. b buys and s sells the selected instrument.",
        }[view.order_scope]
        self.set_rows([order_row(row, glyphs) for row in found])


def wanted(scope: OrderScope, now_ns: int) -> Callable[[OrderUpdate], bool]:
    """Return which orders a scope shows: today's include everything still working."""
    if scope == "all":
        return lambda order: True
    if scope == "working":
        return lambda order: order.status not in FINAL_STATUSES
    midnight = now_ns - now_ns % DAY_NS
    return lambda order: order.status not in FINAL_STATUSES or order.ts >= midnight


def order_row(row: OrderRow, glyphs: Glyphs) -> Row:
    """Return one line of the orders."""
    order = row.order
    name = instrument_cell(order.instrument)
    text, style = STATES[order.status]
    if order.pending is not None:
        text, style = ("cancelling" if order.pending == "cancel" else "modifying"), "warn"
    over = order.status in FINAL_STATUSES and order.status not in ("denied", "rejected")
    rest = "dim" if over else ""
    return Row(
        order.client_order_id,
        (
            Cell(text, style, text),
            Cell(order.side.upper(), rest or order.side, order.side),
            Cell(figures.quantity(order.qty), rest, order.qty),
            name._replace(style=rest or name.style),
            Cell(TYPES[order.order_type], rest, order.order_type),
            Cell(asked_price(order, row.precision, glyphs), rest, order.price or order.trigger_price),
            Cell(order.tif.upper(), "dim", order.tif),
            Cell(figures.quantity(order.filled_qty) if order.filled_qty else "", rest, order.filled_qty),
            Cell(
                figures.price(order.avg_price, row.precision) if order.avg_price is not None else "",
                "",
                order.avg_price,
            ),
            Cell(figures.clock(order.ts), "dim", order.ts),
            Cell(order.client_order_id, "dim", order.client_order_id),
            Cell(order.reason or "", "error" if order.status in ("denied", "rejected") else "dim"),
        ),
    )


def asked_price(order: OrderUpdate, precision: int, glyphs: Glyphs) -> str:
    """Write what an order asks for: its price, its trigger, or both with the trigger first."""
    if order.trailing_offset is not None:
        trigger = f"{figures.price(order.trigger_price, precision)} " if order.trigger_price else ""
        return f"{trigger}±{figures.price(order.trailing_offset, precision)}"
    if order.price is not None and order.trigger_price is not None:
        return f"{figures.price(order.trigger_price, precision)}/{figures.price(order.price, precision)}"
    value = order.price if order.price is not None else order.trigger_price
    return "" if value is None else figures.price(value, precision)
