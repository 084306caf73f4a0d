"""What is held, by instrument or by sector: long, short, net, gross, and the share of equity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from data.analytics import ExposureAnswer, ExposureRow
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.limit_words import amount
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.pane import instrument_cell
from nautilus_tui.terminal.panes.positions import sign_style
from nautilus_tui.terminal.panes.provenance import why_empty
from nautilus_tui.terminal.panes.risk.telling import entitle
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.risk import ExposuresOf
from nautilus_tui.terminal.risk_view import ExposureGroup
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.table import Cell, Column, LiveTable, Row

BAR = 8
COLUMNS = (
    Column("name", "", "left", least=8, most=18),
    Column("long", "Long", least=5, most=13, drop=2),
    Column("short", "Short", least=5, most=13, drop=2),
    Column("net", "Net", least=6, most=13, glow=True),
    Column("gross", "Gross", least=6, most=13, drop=4),
    Column("share", "Eq %", width=5),
    Column("bar", "", "left", width=BAR, drop=5),
)
UNKNOWN = "not known"


class Sum(NamedTuple):
    """Positions taken together; what has no price is counted, not left out."""

    name: str
    long: Decimal
    short: Decimal  #: positive
    unpriced: int

    @property
    def net(self) -> Decimal:
        """Long less short."""
        return self.long - self.short

    @property
    def gross(self) -> Decimal:
        """Long and short."""
        return self.long + self.short


class Exposures(LiveTable):
    """The largest first."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"risk", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Exposures"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(COLUMNS, id=id, classes=classes)

    def wants(self, mirror: Mirror, view: View) -> Iterator[Question[Any]]:
        """Want the exposures while they are in sight."""
        if self.region.area:
            yield ExposuresOf()

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the exposures."""
        self.comfortable = view.density == "comfortable"
        glyphs = glyphs_of(self.app)
        answer = mirror.facts.answer(ExposuresOf())
        found = answer.value
        connected = mirror.connection.state == "connected"
        group = view.risk.group
        self.empty = (
            "No position is open."
            if found is not None
            else why_empty(answer, "exposures", connected=connected)
        )
        self.set_rows([] if found is None else exposure_rows(found, group, glyphs))
        told = ""
        if found is not None:
            leverage = figures.DASH if found.leverage is None else f"{found.leverage:.2f}×"
            silent = sum(row.value is None for row in found.rows)
            words = [f"{glyphs.warn}{silent} without a price"] if silent else []
            words += [f"gross {amount(found.gross, '', 'notional', short=True)} {leverage}"]
            words.append(f"{figures.age((view.now_ns - found.ts) / 1e6)} ago")
            told = f" {glyphs.dot} ".join(words)
        synthetic = found is not None and found.synthetic
        entitle(self, f"Exposures by {group}", glyphs, synthetic=synthetic, told=told)


def exposure_rows(found: ExposureAnswer, group: ExposureGroup, glyphs: Glyphs) -> list[Row]:
    """Return a row for each instrument or sector, and one for all together."""
    sums = summed(found.rows, group)
    largest = max((one.gross for one in sums), default=Decimal(0))
    rows = [exposure_row(one, found.equity, largest, group, glyphs) for one in sums]
    if len(sums) > 1:
        nothing = Decimal(0)
        whole = Sum(
            "all",
            sum((one.long for one in sums), nothing),
            sum((one.short for one in sums), nothing),
            sum(one.unpriced for one in sums),
        )
        rows.append(exposure_row(whole, found.equity, Decimal(0), "sector", glyphs))
    return rows


def summed(rows: Sequence[ExposureRow], group: ExposureGroup) -> list[Sum]:
    """Return positions put together by instrument or sector, the largest first."""
    found: dict[str, Sum] = {}
    for row in rows:
        name = row.instrument if group == "instrument" else row.sector or UNKNOWN
        before = found.get(name, Sum(name, Decimal(0), Decimal(0), 0))
        value = row.value
        found[name] = Sum(
            name,
            before.long + (value if value is not None and value > 0 else 0),
            before.short - (value if value is not None and value < 0 else 0),
            before.unpriced + (value is None),
        )
    return sorted(found.values(), key=lambda one: (-one.gross, one.name))


def exposure_row(
    one: Sum, equity: Decimal | None, largest: Decimal, group: ExposureGroup, glyphs: Glyphs
) -> Row:
    """Return one line."""
    name = instrument_cell(one.name) if group == "instrument" else Cell(one.name, "bright", one.name)
    if one.unpriced:
        name = name._replace(tail=f"{name.tail} {glyphs.warn}", style="warn")
    share = None if not equity else one.gross / equity * 100
    return Row(
        one.name,
        (
            name,
            Cell(_money(one.long), "", one.long),
            Cell(_money(one.short), "", one.short),
            Cell(figures.signed_money(one.net, decimals=0), sign_style(one.net), one.net),
            Cell(_money(one.gross), "", one.gross),
            Cell(figures.DASH if share is None else figures.money(share, decimals=1), "", share),
            Cell(
                figures.bar(float(one.gross / largest), BAR, glyphs.bar) if largest else "",
                "up-bar" if one.net >= 0 else "down-bar",
            ),
        ),
    )


def _money(value: Decimal) -> str:
    return figures.money(value, decimals=0) if value else ""
