"""A report as CSV in long form: one line for each cell, which reads back without ambiguity.

The columns are those of ``HEADER``; UTF-8 with a byte-order mark, so that spreadsheets know it. ``value``
is exact (percentages are fractions), ``shown`` is for people. A text that a spreadsheet could take for a
formula gets an apostrophe in front, and so does one that begins with an apostrophe: taking one away gives
back what it was.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from data import forms
from risk.reports.document import Cell, Column, Number, Paragraph, Report, Table, Unknown, writable

HEADER: Final = ("section", "table", "row", "label", "column", "value", "unit", "kind", "shown", "note")
#: Also in full width, which some spreadsheets read as the plain ones.
_RISKY: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "'")


def render(report: Report) -> bytes:
    """Return a report as CSV in UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows(_about(report))
    for section in report.sections:
        texts = [one for one in section.blocks if isinstance(one, Paragraph)]
        for place, one in enumerate(texts, 1):
            parts = (section.title, "text", str(place), "", "text", one.text)
            writer.writerow([*(guarded(part) for part in parts), "", "text", "", ""])
    for section, table in report.tables():
        writer.writerows(_lines(section.title, table))
    return out.getvalue().encode("utf-8-sig")


def guarded(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    plain = writable(text)
    return f"'{plain}" if plain.startswith(_RISKY) else plain


def _about(report: Report) -> Iterator[list[str]]:
    facts = [
        ("type", report.type),
        ("title", report.title),
        ("as_of", forms.iso(report.as_of)),
        ("start", "" if report.start is None else forms.iso(report.start)),
        ("portfolio", report.portfolio),
        ("currency", report.currency),
        ("environment", report.environment),
        ("synthetic", "yes" if report.synthetic else "no"),
        *(("note", one) for one in report.notes),
        *(("source", one) for one in report.sources),
    ]
    for place, (name, value) in enumerate(facts, 1):
        yield ["Report", "about", str(place), name, "value", guarded(value), "", "text", "", ""]


def _lines(section: str, table: Table) -> Iterator[list[str]]:
    heading = guarded(section)
    for place, row in enumerate(table.rows, 1):
        label = guarded(_label(row[0]))
        for cell, column in zip(row, table.columns, strict=True):
            yield [heading, table.key, str(place), label, column.key, *_cell(cell, column)]


def _label(cell: Cell) -> str:
    if isinstance(cell, Number):
        return cell.exact
    return "" if isinstance(cell, Unknown) else cell


def _cell(cell: Cell, column: Column) -> list[str]:
    if isinstance(cell, Number):
        return [cell.exact, guarded(cell.unit or ""), cell.kind, cell.shown, ""]
    if isinstance(cell, Unknown):
        return ["", guarded(column.unit or ""), "unknown", "", guarded(cell.reason)]
    return [guarded(cell), "", "text", "", ""]
