"""What a manager reported to hold at the end of a quarter, the largest holding first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from data.companies import Holding, HoldingsReport
from nautilus_tui.terminal.figures import DASH, bar, quantity
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.magnitude import Scale, amount, scale_of
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.provenance import entitle
from nautilus_tui.terminal.panes.research.subject import absent
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.research import HoldingsOf
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.document import plain
from nautilus_tui.terminal.widgets.lines import Part
from nautilus_tui.terminal.widgets.ribbon import RibbonTable
from nautilus_tui.terminal.widgets.table import Cell, Column, Row

_BAR = 8

COLUMNS = (
    Column("issuer", "Issuer", "left", least=22, grow=True),
    Column("class", "Class", "left", least=4, most=10, drop=4),
    Column("put_call", "P/C", "left", width=4, drop=3),
    Column("value", "Value", least=8),
    Column("share", "Share", "left", width=6 + _BAR),
    Column("quantity", "Quantity", least=8, drop=1),
    Column("kind", "", "left", width=3, drop=2),
    Column("cusip", "CUSIP", "left", width=9, drop=5),
)


class Holdings(RibbonTable):
    """Holdings of the company looked at, or of a manager that was named."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"research", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Holdings"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(COLUMNS, id=id)

    def wants(self, mirror: Mirror, view: View) -> Iterator[Question[Any]]:
        """Want the latest report."""
        who = view.research.manager or view.research.company
        if who is not None and self.region.area:
            yield HoldingsOf(who)

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the holdings."""
        self.comfortable = view.density == "comfortable"
        glyphs, who = glyphs_of(self.app), view.research.manager or view.research.company
        answer = None if who is None else mirror.facts.answer(HoldingsOf(who))
        report = None if answer is None else answer.value
        self.empty = absent(mirror, view, answer, f"holdings of {who}")
        if (
            answer is not None
            and answer.problem is not None
            and "NotFound" in answer.problem.extra.get("error", "")
        ):
            self.empty = (
                f"{who} files no 13F reports, as managers of 100 million dollars or more do. "
                "Those of another: :holdings 1067983"
            )
        held = report.holdings if report is not None else ()
        scale = scale_of([h.value for h in held])
        self.set_rows([holding_row(h, scale, glyphs) for h in held])
        title = f"Holdings {glyphs.dot} {plain(report.name)}" if report is not None else "Holdings"
        entitle(self, title, report, answer, view.now_ns, glyphs, count=str(len(held)))
        self.set_ribbon(*told(report, scale, glyphs))
        if self.cursor_key is None and self.rows:
            self.move_to(self.rows[0].key, announce=False)


def holding_row(holding: Holding, scale: Scale, glyphs: Glyphs) -> Row:
    """Return one line: what is held, what it is worth and what part of all it is."""
    share = holding.share
    shown = DASH if share is None else f"{share * 100:5.1f}%"
    drawn = "" if share is None else bar(share, _BAR, glyphs.bar)
    option = holding.put_call
    rows = f" ×{holding.rows}" if holding.rows > 1 else ""
    return Row(
        f"{holding.cusip}{option}{holding.quantity_type}",
        (
            Cell(plain(holding.issuer), "bright", holding.issuer, rows),
            Cell(plain(holding.title), "dim"),
            Cell(option, "sell" if option == "Put" else "buy" if option == "Call" else "", option),
            Cell(scale.write(holding.value), "", holding.value),
            Cell(f"{shown:>6}", "", share, f" {drawn}".rstrip()),
            Cell(quantity(holding.quantity), "", holding.quantity),
            Cell(holding.quantity_type, "dim"),
            Cell(holding.cusip, "dim"),
        ),
    )


def told(report: HoldingsReport | None, scale: Scale, glyphs: Glyphs) -> tuple[list[Part], list[Part]]:
    """Return the report in words: total, quarter, when it was filed, in which unit it states values."""
    if report is None:
        return [], []
    sign = f"USD {scale.sign}" if scale.sign else "USD"
    parts: list[Part] = [
        (" total ", "label"),
        (f"{amount(report.total)} USD", "bright"),
        (f"  values in {sign}", "dim"),
    ]
    period = DASH if report.period is None else str(report.period)
    parts += [(f"  {report.form} of {period}, filed {report.filed}", "dim")]
    if report.value_unit == "thousands":
        parts.append(("  stated in thousands", "dim"))
    if report.amendment:
        parts.append((f"  {plain(report.amendment).lower()}", "warn"))
    right: list[Part] = []
    differs = report.stated_total is not None and report.stated_total != report.total
    if report.problems:
        right = [(f"{glyphs.warn} {plain(report.problems[0])} ", "warn")]
    elif differs:
        right = [(f"{glyphs.warn} its cover states {amount(report.stated_total)} ", "warn")]
    return parts, right
