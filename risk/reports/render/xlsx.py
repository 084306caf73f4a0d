"""A report as a workbook: a sheet about it, then one for each table, numbers as numbers with their formats.

Text is always written as text: nothing in a report is a formula. This module must not know what a number
means.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import TYPE_CHECKING, Any, Final

from risk.reports.document import Cell, Column, Number, Paragraph, Report, Table, Unknown, writable
from risk.reports.render.tones import tone
from risk.reports.render.view import DASH, Footnotes, marks, moment, period, shown

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

_SHEET_NAME: Final = 31  #: UTF-16 units that the format allows
_CELL: Final = 32_767
_NO_NAME = re.compile(r"[\[\]:*?/\\']")
_WIDEST, _PAD = 60, 2
_TONES: Final = {"bad": "#B42318", "poor": "#9A5B00", "good": "#1B6E3C"}


def render(report: Report) -> bytes:
    """Return a report as a workbook."""
    import xlsxwriter  # loaded by the first report of its kind

    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(out, options) as workbook:
        made = dt.datetime.fromtimestamp(report.as_of // 1_000_000_000, dt.UTC).replace(tzinfo=None)
        workbook.set_properties({"title": writable(report.title), "created": made, "author": "Nautilus TUI"})
        book = _Book(workbook)
        tables = report.tables()
        about = workbook.add_worksheet("Report")
        names = [book.write(table) for _, table in tables]
        book.about(about, report, [(table, name) for (_, table), name in zip(tables, names, strict=True)])
    return out.getvalue()


class _Book:
    """The workbook with the formats it uses, each made once."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._formats: dict[tuple[tuple[str, Any], ...], Format] = {}
        self._names: set[str] = {"report"}

    def _format(self, **properties: Any) -> Format:
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self._workbook.add_format(properties)
        return self._formats[key]

    def about(self, sheet: Worksheet, report: Report, tables: list[tuple[Table, str]]) -> None:
        """Write what the report is, what it says in words, and where its tables are."""
        facts = [
            ("Report", report.title),
            ("As of", moment(report.as_of)),
            ("Period", period(report) or DASH),
            ("Portfolio", report.portfolio),
            ("Currency", report.currency),
            ("Environment", " ".join(marks(report))),
            *(("Source", one) for one in report.sources),
            *(("Note", one) for one in report.notes),
        ]
        bold, wrapped = self._format(bold=True, valign="top"), self._format(text_wrap=True, valign="top")
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 90)
        row = 0
        for name, value in facts:
            sheet.write_string(row, 0, name, bold)
            sheet.write_string(row, 1, _text(value), wrapped)
            row += 1
        for section in report.sections:
            for block in section.blocks:
                if isinstance(block, Paragraph):
                    sheet.write_string(row, 0, _text(section.title), bold)
                    sheet.write_string(row, 1, _text(block.text), wrapped)
                    row += 1
        row += 1
        for table, name in tables:
            sheet.write_url(row, 0, f"internal:'{name}'!A1", string=name)
            sheet.write_string(row, 1, _text(table.title), wrapped)
            row += 1

    def write(self, table: Table) -> str:
        """Write a table on a sheet of its own and return the sheet's name."""
        name = self._name(table.title)
        sheet = self._workbook.add_worksheet(name)
        notes = Footnotes()
        heading = self._format(bold=True, bottom=1, text_wrap=True, valign="bottom")
        right = self._format(bold=True, bottom=1, text_wrap=True, valign="bottom", align="right")
        for place, column in enumerate(table.columns):
            to_right = column.kind not in ("text", "status")
            sheet.write_string(0, place, _text(column.heading), right if to_right else heading)
            sheet.set_column(place, place, _width(table, place))
        for at, row in enumerate(table.rows, 1):
            last = table.total and at == len(table.rows)
            for place, (cell, column) in enumerate(zip(row, table.columns, strict=True)):
                self._cell(sheet, at, place, cell, column, notes, bold=last)
        sheet.freeze_panes(1, 1)
        if table.rows:
            sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
        below = len(table.rows) + 2
        told = [*([] if table.rows else [table.empty]), *([table.note] if table.note else [])]
        told += [f"[{number}] {reason}" for number, reason in notes.lines()]
        for text in told:
            sheet.write_string(below, 0, _text(text))
            below += 1
        return name

    def _cell(
        self,
        sheet: Worksheet,
        row: int,
        place: int,
        cell: Cell,
        column: Column,
        notes: Footnotes,
        *,
        bold: bool,
    ) -> None:
        if isinstance(cell, Number):
            self._number(sheet, row, place, cell, bold=bold)
        elif isinstance(cell, Unknown):
            mark = f"{DASH} [{notes.number(cell.reason)}]"
            sheet.write_string(row, place, mark, self._format(align="right"))
        else:
            tint = _TONES.get(tone(cell)) if column.kind == "status" else None
            style = {"font_color": tint} if tint else {}
            sheet.write_string(row, place, _text(cell), self._format(bold=bold, valign="top", **style))

    def _number(self, sheet: Worksheet, row: int, place: int, cell: Number, *, bold: bool) -> None:
        if isinstance(cell.value, dt.date):
            day = dt.datetime.combine(cell.value, dt.time())
            sheet.write_datetime(row, place, day, self._format(num_format="yyyy-mm-dd", bold=bold))
        elif cell.kind == "time":
            seconds, rest = divmod(int(cell.value), 1_000_000_000)
            when = dt.datetime.fromtimestamp(seconds, dt.UTC).replace(tzinfo=None)
            when = when.replace(microsecond=rest // 1_000_000 * 1000)
            style = self._format(num_format="yyyy-mm-dd hh:mm:ss", bold=bold)
            sheet.write_datetime(row, place, when, style)
        else:
            style = self._format(num_format=_number_format(cell), bold=bold)
            sheet.write_number(row, place, float(cell.value), style)

    def _name(self, title: str) -> str:
        """Return a name for a sheet that no other has."""
        base = _NO_NAME.sub(" ", writable(title)).replace("\n", " ").strip() or "Table"
        name, count = _cut(base, _SHEET_NAME), 1
        while name.lower() in self._names:
            count += 1
            tail = f" {count}"
            name = _cut(base, _SHEET_NAME - len(tail)) + tail
        self._names.add(name.lower())
        return name


def _cut(text: str, units: int) -> str:
    """Return as much of a text as so many UTF-16 units hold, no character halved."""
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore").strip()


def _number_format(cell: Number) -> str:
    digits = "0" + ("." + "0" * cell.decimals if cell.decimals else "")
    return rf"{digits}\ %" if cell.kind == "percent" else f"#,##{digits}"


def _width(table: Table, place: int) -> float:
    heading = max(len(word) for word in table.columns[place].heading.split(" "))
    cells = (len(shown(row[place])) for row in table.rows)
    return float(min(max(heading, *cells, 8) + _PAD, _WIDEST) if table.rows else max(heading, 8) + _PAD)


def _text(text: str) -> str:
    """Return text as a cell can hold it."""
    plain = writable(text)
    return plain if len(plain) <= _CELL else plain[: _CELL - 1] + "…"
