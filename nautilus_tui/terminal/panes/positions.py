"""Open positions of the selected engine, marked to the latest price."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from data.limits import LimitStatus
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.limit_words import LEVEL_SIGNS, percent, use_bar
from nautilus_tui.terminal.mirror import Kind, Mirror, PositionRow
from nautilus_tui.terminal.panes.pane import instrument_cell
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.table import Cell, Column, LiveTable, Row

BAR = 5
COLUMNS = (
    Column("symbol", "Symbol", "left", least=6, most=18),
    Column("qty", "Qty", least=5, most=12),
    Column("average", "Avg", least=6, drop=2),
    Column("mark", "Mark", least=6, drop=1, glow=True),
    Column("unrealized", "uP&L", least=7, most=16, glow=True),
    Column("limit", "Limit", "left", width=BAR + 5, drop=4),
    Column("currency", "", "left", width=3, drop=5),
    Column("day", "Day%", least=5, drop=3),
    Column("realized", "rP&L", least=6, most=16, drop=4),
    Column("since", "Opened", "left", width=8, drop=6),
)
#: Shown where there are none.
EMPTY = "No open positions. b buys and s sells the selected instrument."


class Positions(LiveTable):
    """Open positions with their profit and loss."""

    watches: ClassVar[frozenset[Kind]] = frozenset(
        {"positions", "instruments", "account", "connection", "limits"}
    )
    shows_ages: ClassVar[bool] = False
    TITLE = "Positions"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(
            COLUMNS, id=id, empty="No open positions. b buys and s sells the selected instrument."
        )

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the open positions of the selected engine."""
        self.comfortable = view.density == "comfortable"
        glyphs = glyphs_of(self.app)
        rows = [] if view.engine is None else mirror.position_rows(view.engine)
        self.set_rows([position_row(row, mirror.risk.position_limit(row.position), glyphs) for row in rows])
        account = mirror.accounts.get(view.engine or "")
        if rows and account is not None and account.unrealized_pnl is not None:
            pnl = figures.signed_money(account.unrealized_pnl)
            self.subtitle = f"{len(rows)} {glyphs.dot} {pnl} {account.currency}"
        else:
            self.subtitle = f"{len(rows)}"


def position_row(row: PositionRow, limit: LimitStatus | None, glyphs: Glyphs) -> Row:
    """Return one line of the positions."""
    position = row.position
    return Row(
        position.position_id,
        (
            instrument_cell(position.instrument),
            Cell(figures.signed_quantity(position.qty), sign_style(position.qty), position.qty),
            Cell(average_price(position.avg_open, row.precision), "", position.avg_open),
            Cell(figures.price(row.mark, row.precision), "", row.mark),
            Cell(figures.signed_money(row.unrealized), sign_style(row.unrealized), row.unrealized),
            limit_cell(limit, glyphs),
            Cell(position.currency, "dim", position.currency),
            Cell(figures.signed_percent(row.change_pct), sign_style(row.change_pct), row.change_pct),
            Cell(figures.signed_money(position.realized_pnl), "dim", position.realized_pnl),
            Cell(figures.clock(position.ts_opened), "dim", position.ts_opened),
        ),
    )


def limit_cell(limit: LimitStatus | None, glyphs: Glyphs) -> Cell:
    """Return how much of its fullest limit a position uses; nothing where none is known of it."""
    if limit is None or limit.use is None:
        return Cell("")
    _, style, _ = LEVEL_SIGNS[limit.level]
    return Cell(f"{use_bar(limit.use, BAR, glyphs)}{percent(limit.use):>5}", style or "dim", limit.use)


def average_price(value: Decimal, precision: int) -> str:
    """Write an average of fills; one that lies between ticks has one decimal more."""
    between = value != value.quantize(Decimal(1).scaleb(-precision))
    return figures.price(value, precision + 1 if between else precision)


def sign_style(value: Decimal | None) -> str:
    """Return the style of a signed figure; its sign says the same."""
    if value is None or value == 0:
        return "flat"
    return "up" if value > 0 else "down"
