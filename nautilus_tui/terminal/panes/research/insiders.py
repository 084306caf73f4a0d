"""What a company's insiders did with its shares: who, what, how many, at what price, what is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from data.companies import InsiderReport, InsiderTransaction
from nautilus_tui.terminal.figures import DASH, price, quantity, signed_quantity
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.magnitude import amount
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.provenance import entitle
from nautilus_tui.terminal.panes.research.subject import absent, name_of
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.research import InsidersOf
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.document import plain
from nautilus_tui.terminal.widgets.lines import Part
from nautilus_tui.terminal.widgets.ribbon import RibbonTable
from nautilus_tui.terminal.widgets.table import Cell, Column, Row

COLUMNS = (
    Column("date", "Date", "left", width=10),
    Column("owner", "Owner", "left", least=14, most=20),
    Column("relationship", "Is", "left", least=8, most=24, drop=4),
    Column("action", "Did", "left", least=22, grow=True),
    Column("shares", "Shares", least=8),
    Column("price", "Price", least=7, drop=3),
    Column("value", "Value", least=6, drop=1),
    Column("after", "After", least=7, drop=2),
)
#: Codes of trades in the open market: they say what an insider thinks, grants and taxes do not.
_MARKET = ("P", "S")


class Insiders(RibbonTable):
    """Transactions of insiders, the latest first."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"research", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Insiders"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(COLUMNS, id=id)

    def wants(self, mirror: Mirror, view: View) -> Iterator[Question[Any]]:
        """Want the transactions of the company's insiders."""
        if view.research.company is not None and self.region.area:
            yield InsidersOf(view.research.company)

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the transactions."""
        self.comfortable = view.density == "comfortable"
        research, glyphs = view.research, glyphs_of(self.app)
        answer = None if research.company is None else mirror.facts.answer(InsidersOf(research.company))
        report = None if answer is None else answer.value
        self.empty = absent(mirror, view, answer, f"insiders' transactions of {research.company}")
        found = report.transactions if report is not None else ()
        self.set_rows([transaction_row(t, i, glyphs) for i, t in enumerate(found)])
        title = f"Insiders {glyphs.dot} {name_of(mirror, view)}" if research.company else "Insiders"
        entitle(self, title, report, answer, view.now_ns, glyphs, count=str(len(found)))
        self.set_ribbon(*summary(report, glyphs))
        if self.cursor_key is None and self.rows:
            self.move_to(self.rows[0].key, announce=False)


def transaction_row(done: InsiderTransaction, number: int, glyphs: Glyphs) -> Row:
    """Return one line: direction by glyph and colour, the code with its words."""
    bought = done.acquired
    market = done.code in _MARKET
    style = ("buy" if bought else "sell") if market and bought is not None else ""
    sign = " " if bought is None else glyphs.up if bought else glyphs.down
    held = done.date is None
    action = plain(done.action) or ("holds" if held else "")
    code = f" {done.code}" if done.code else ""
    owner = plain(done.owners[0]) if done.owners else DASH
    more = f" +{len(done.owners) - 1}" if len(done.owners) > 1 else ""
    note = " derivative" if done.derivative else ""
    amends = " amended" if done.amends else ""
    signed = None if done.shares is None or bought is None else done.shares if bought else -done.shares
    return Row(
        f"{done.accession}#{number}",
        (
            Cell(str(done.date or done.filed), "dim" if held else "", (done.date or done.filed).toordinal()),
            Cell(owner, "bright", owner, more),
            Cell(plain(done.relationship), "dim"),
            Cell(f"{sign} {action}", style or "dim", action, f"{code}{note}{amends}"),
            Cell(quantity(done.shares) if signed is None else signed_quantity(signed), style, signed),
            Cell(price(done.price, 2), "", done.price),
            Cell(amount(done.value), style, done.value),
            Cell(quantity(done.shares_after), "dim", done.shares_after),
        ),
    )


def summary(report: InsiderReport | None, glyphs: Glyphs) -> tuple[list[Part], list[Part]]:
    """Return what was bought and sold in the open market, net, and what could not be read."""
    if report is None:
        return [], []
    bought = [t for t in report.transactions if t.code == "P" and t.acquired is not False]
    sold = [t for t in report.transactions if t.code == "S" and t.acquired is not True]
    parts: list[Part] = [(" open market ", "label")]
    for sign, style, verb, some in (
        (glyphs.up, "buy", "bought", bought),
        (glyphs.down, "sell", "sold", sold),
    ):
        parts += [(f" {sign} {len(some)} {verb} ", style), (f"{_told(some)} ", "bright")]
    bought_value, sold_value = _value(bought), _value(sold)
    if bought_value is not None and sold_value is not None and (bought or sold):
        net = bought_value - sold_value
        sign = "+" if net > 0 else ""
        parts += [
            ("  net ", "label"),
            (f"{sign}{amount(net)}", "buy" if net > 0 else "sell" if net < 0 else "flat"),
        ]
    right: list[Part] = [(f"of {report.filings} filings ", "dim")]
    if report.problems:
        right = [(f"{glyphs.warn} {len(report.problems)} not read: {plain(report.problems[0])} ", "warn")]
    return parts, right


def _value(some: Sequence[InsiderTransaction]) -> Decimal | None:
    """Return the value of transactions; None where one of them does not tell its own."""
    known = [t.value for t in some if t.value is not None]
    return sum(known, Decimal(0)) if len(known) == len(some) else None


def _told(some: Sequence[InsiderTransaction]) -> str:
    """Return the value of transactions in words, with how many of them do not tell it."""
    known = [t.value for t in some if t.value is not None]
    silent = len(some) - len(known)
    if silent and not known:
        return "value untold"
    text = amount(sum(known, Decimal(0)))
    return f"{text} ({silent} untold)" if silent else text
