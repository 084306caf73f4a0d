"""A report as a document: sections of paragraphs, figures, tables and charts, each number in it once.

A number is kept as it was computed, with the form it is shown in; every format is written from the same
numbers. What is not known is an `Unknown` with its reason: it is shown as a dash with a footnote.
This module must not know of formats, or where numbers come from.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final, Literal

import msgspec

from data import forms
from data.reports import ReportType

#: money, price, quantity: amounts; percent: a fraction shown times 100; time: UTC ns; date: a day.
NumberKind = Literal[
    "money", "price", "quantity", "percent", "ratio", "number", "count", "bps", "time", "date"
]
#: status: a word of a known meaning, such as ``breached``, that may be shown in a colour.
ColumnKind = NumberKind | Literal["text", "status"]
ChartKind = Literal["lines", "bars", "exceptions", "heat"]
type Plain = Decimal | int | float | dt.date

MINUS: Final = "−"
_MOST_DECIMALS: Final = 8
_DECIMALS: Final[dict[str, int | None]] = {
    "money": 2,
    "price": None,
    "quantity": None,
    "percent": 2,
    "ratio": 3,
    "number": 4,
    "count": 0,
    "bps": 2,
    "time": 0,
    "date": 0,
}
_WIDE: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
#: Control characters, surrogates and what Unicode says are no characters: no format can hold them all.
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def writable(text: str) -> str:
    """Return text with what cannot be written in every format replaced, and white space made plain."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").replace("\u2028", "\n")
    return _UNWRITABLE.sub("\ufffd", lines.replace("\u2029", "\n"))


class Number(msgspec.Struct, frozen=True):
    """A number as it was computed, and the form it is shown in."""

    value: Plain
    kind: NumberKind
    decimals: int
    unit: str | None = None

    @property
    def shown(self) -> str:
        """The form for people: rounded half to even, thousands apart, a real minus, never a minus zero."""
        if isinstance(self.value, dt.date):
            return self.value.isoformat()
        if self.kind == "time":
            return forms.iso(int(self.value))[:19].replace("T", " ")
        text = format(self._rounded(), ",f")
        if self.kind == "percent":
            text += " %"
        return text.replace("-", MINUS)

    @property
    def exact(self) -> str:
        """The value itself, in plain digits; times and dates as ISO 8601."""
        if isinstance(self.value, dt.date):
            return self.value.isoformat()
        if self.kind == "time":
            return forms.iso(int(self.value))
        return f"{self.value:f}" if isinstance(self.value, Decimal) else repr(self.value)

    def _rounded(self) -> Decimal:
        assert not isinstance(self.value, dt.date)
        exact = Decimal(self.value)
        if self.kind == "percent":
            exact = _WIDE.scaleb(exact, 2)
        rounded = _WIDE.quantize(exact, Decimal(1).scaleb(-self.decimals))
        return rounded if rounded else abs(rounded)


class Unknown(msgspec.Struct, frozen=True):
    """A number that cannot be told, and why."""

    reason: str


type Cell = Number | Unknown | str
#: What a table is made from: a value of its column's kind, None for what is not known, or a whole cell.
type Raw = Plain | Cell | None


class Column(msgspec.Struct, frozen=True):
    """A column: what is in it and how it is shown. Without decimals it has as many as it needs."""

    key: str
    title: str
    kind: ColumnKind = "text"
    unit: str | None = None
    decimals: int | None = None
    reason: str = "not known"  #: of what is None in it

    @property
    def heading(self) -> str:
        """The title with its unit."""
        return f"{self.title}, {self.unit}" if self.unit else self.title


class Paragraph(msgspec.Struct, frozen=True):
    """Text."""

    text: str


class Figure(msgspec.Struct, frozen=True):
    """One labelled number or word."""

    label: str
    cell: Cell
    note: str | None = None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Labelled numbers of different kinds, side by side."""

    key: str
    title: str
    items: tuple[Figure, ...]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows under columns. One that is not ``printed`` is data of a chart: held by every format, not read."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str | None = None
    empty: str = "There is nothing to show."  #: said in place of no rows
    total: bool = False  #: the last row is the sum of those above
    printed: bool = True

    def place(self, key: str) -> int:
        """Return where a column is; raises KeyError."""
        for place, column in enumerate(self.columns):
            if column.key == key:
                return place
        raise KeyError(key)


class Mark(msgspec.Struct, frozen=True):
    """A line across a chart at a value."""

    label: str
    value: float


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of columns of one of the report's tables.

    lines: ``y`` over ``x``; bars: one bar a row, ``x`` its label; exceptions: the first of ``y`` are
    outcomes, the second the loss that was foretold; heat: ``x`` labels the rows, all ``y`` are cells.
    """

    key: str
    title: str
    kind: ChartKind
    table: str  #: the table's key
    x: str
    y: tuple[str, ...]
    marks: tuple[Mark, ...] = ()
    status: str | None = None  #: bars: the column that says how they stand
    caption: str = ""


type Block = Paragraph | Figures | Table | Chart


class Section(msgspec.Struct, frozen=True):
    """A part of the report under its heading."""

    key: str
    title: str
    blocks: tuple[Block, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A whole report."""

    type: ReportType
    title: str
    as_of: int  #: UTC ns
    start: int | None = None  #: of the period it is about
    portfolio: str
    currency: str
    environment: str  #: ``SIM``, ``PAPER``, ``LIVE``; several with ``+`` between; ``NO ENGINE``
    synthetic: bool
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def tables(self) -> list[tuple[Section, Table]]:
        """Return every table with its section, figures as tables of two columns among them."""
        return [
            (section, block if isinstance(block, Table) else as_table(block))
            for section in self.sections
            for block in section.blocks
            if isinstance(block, Table | Figures)
        ]

    def table(self, key: str) -> Table:
        """Return a table by its key; raises KeyError."""
        for _, one in self.tables():
            if one.key == key:
                return one
        raise KeyError(key)


def as_table(figures: Figures) -> Table:
    """Return figures in the form of a table: a row for each."""
    return Table(
        key=figures.key,
        title=figures.title,
        columns=(Column("figure", "Figure"), Column("value", "Value", "number"), Column("note", "Note")),
        rows=tuple((one.label, one.cell, one.note or "") for one in figures.items),
    )


# ---------------------------------------------------------------- making it


def number(
    value: Plain | None,
    kind: NumberKind,
    reason: str,
    *,
    unit: str | None = None,
    decimals: int | None = None,
) -> Cell:
    """Return a number as a cell; without one, or for one that is not finite, that it is unknown.

    Args:
        value: The number; times in UTC ns, percentages as fractions.
        kind: What it is.
        reason: Why it is not known, if it is not.
        unit: Such as a currency.
        decimals: That are shown; None: as is usual for the kind, or as many as the number has.
    """
    if value is None:
        return Unknown(reason)
    if not isinstance(value, dt.date) and not math.isfinite(value):
        return Unknown(f"it came out as {value}")
    if isinstance(value, float):
        value = float(value)  # of a subclass, such as NumPy's, whose own form is not plain digits
    shown = _DECIMALS[kind] if decimals is None else decimals
    return Number(value, kind, _own_decimals(value) if shown is None else shown, unit)


def table(
    key: str,
    title: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Raw]],
    *,
    note: str | None = None,
    empty: str = "There is nothing to show.",
    total: bool = False,
    printed: bool = True,
) -> Table:
    """Return a table of values: each becomes a cell of its column's kind, with the column's decimals.

    Raises:
        ValueError: A row is not as long as there are columns.
    """
    raw = [tuple(row) for row in rows]
    if any(len(row) != len(columns) for row in raw):
        raise ValueError(f"table {key}: a row is not {len(columns)} cells long")
    widths = [_column_decimals(column, [row[place] for row in raw]) for place, column in enumerate(columns)]
    return Table(
        key=key,
        title=title,
        columns=tuple(columns),
        rows=tuple(
            tuple(
                _cell(value, column, width) for value, column, width in zip(row, columns, widths, strict=True)
            )
            for row in raw
        ),
        note=note,
        empty=empty,
        total=total,
        printed=printed,
    )


def _column_decimals(column: Column, values: Sequence[Raw]) -> int:
    usual = _DECIMALS.get(column.kind) if column.decimals is None else column.decimals
    if usual is not None:
        return usual
    return max((_own_decimals(one) for one in values if isinstance(one, Decimal | int | float)), default=0)


def _own_decimals(value: Plain) -> int:
    """Return how many decimals a number has, at most so many that it can still be read."""
    if isinstance(value, int | dt.date):
        return 0
    exponent = (
        Decimal(repr(float(value)) if isinstance(value, float) else value)
        .normalize(_WIDE)
        .as_tuple()
        .exponent
    )
    return min(max(-exponent, 0), _MOST_DECIMALS) if isinstance(exponent, int) else 0


def _cell(value: Raw, column: Column, decimals: int) -> Cell:
    if isinstance(value, Number | Unknown | str):
        return value
    if column.kind == "text" or column.kind == "status":
        return Unknown(column.reason) if value is None else str(value)
    return number(value, column.kind, column.reason, unit=column.unit, decimals=decimals)
