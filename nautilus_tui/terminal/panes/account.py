"""The account of the selected engine: equity, profit and loss, margin, and money by currency."""

from __future__ import annotations

from typing import ClassVar

from textual import events

from data.records import AccountUpdate
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.mirror import TRAIL_NS, Kind, Mirror
from nautilus_tui.terminal.panes.positions import sign_style
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.curve import curve
from nautilus_tui.terminal.widgets.lines import Lines, Part, spread

#: The curve of equity is at most this many lines high.
MOST_CURVE = 10


class Account(Lines, can_focus=True):
    """What the account is worth and where it went."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"account", "connection"})
    shows_ages: ClassVar[bool] = False
    TITLE = "Account"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._seen: tuple[Mirror, View] | None = None
        self._drawn: tuple[int, int, int, int] | None = None
        self._equity: list[list[Part]] = []

    def on_resize(self, event: events.Resize) -> None:
        """Draw the account for the new width."""
        super().on_resize(event)
        if self._seen is not None:
            self.refresh_from(*self._seen)

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the account of the selected engine."""
        self._seen = (mirror, view)
        account = mirror.accounts.get(view.engine or "")
        if account is None:
            self.set_lines([[], [(" No account yet: the engine has not reported one.", "dim")]])
            return
        self.subtitle = account.account_id
        width, height = self.room
        lines = account_lines(account, max(0, width))
        trail = mirror.equities.get(account.engine, ())
        self.set_lines([*lines, *self._curve(list(trail), width, height - len(lines))])

    def _curve(self, trail: list[tuple[int, float]], width: int, height: int) -> list[list[Part]]:
        """Draw equity over time under the figures; drawn anew when a slot has passed."""
        key = (trail[0][0], trail[-1][0], width, height) if trail else None
        if key is None or key != self._drawn:
            self._drawn = key
            self._equity = equity_lines(trail, width, min(height, MOST_CURVE))
        return self._equity


def account_lines(account: AccountUpdate, width: int) -> list[list[Part]]:
    """Return an account as lines of label and figure."""
    unit = f" {account.currency} "

    def line(label: str, figure: str, style: str, unit: str = unit) -> list[Part]:
        return spread([(f" {label}", "label")], [(figure, style), (unit, "dim")], width)

    lines = [
        line("Equity", figures.money(account.equity), "bright"),
        line("Day", figures.signed_money(account.day_pnl), sign_style(account.day_pnl)),
        line("Unrealised", figures.signed_money(account.unrealized_pnl), sign_style(account.unrealized_pnl)),
        line("Realised", figures.signed_money(account.realized_pnl), sign_style(account.realized_pnl)),
        line("Margin used", figures.money(account.margin_used), ""),
    ]
    for balance in account.balances:
        lines.append(line("Free", figures.money(balance.free), "", f" {balance.currency} "))
        if balance.locked:
            lines.append(line("Locked", figures.money(balance.locked), "", f" {balance.currency} "))
    return lines


def equity_lines(trail: list[tuple[int, float]], width: int, height: int) -> list[list[Part]]:
    """Return the curve of equity with its range and when it begins; nothing where there is no room."""
    values = [value for _, value in trail]
    drawn = curve(values, width - 2, height - 2)
    if not drawn:
        return []
    style = "up" if values[-1] >= values[0] else "down"
    since = figures.clock(trail[0][0] * TRAIL_NS)[:5]
    title: list[Part] = [(f" Equity since {since}", "label")]
    span = f"range {figures.compact(max(values) - min(values))} "
    return [[], spread(title, [(span, "dim")], width), *([(f" {line}", style)] for line in drawn)]
