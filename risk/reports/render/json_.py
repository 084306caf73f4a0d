"""A report as JSON: every number exactly, beside the form it is shown in.

Decimals are strings, times ISO 8601, percentages fractions; what is unknown is null with its reason.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec

from data import forms
from risk.reports.document import (
    Block,
    Cell,
    Chart,
    Column,
    Figures,
    Number,
    Paragraph,
    Report,
    Table,
    Unknown,
    writable,
)


def render(report: Report) -> bytes:
    """Return a report as JSON in UTF-8."""
    return msgspec.json.format(msgspec.json.encode(plain(report)))


def plain(report: Report) -> dict[str, Any]:
    """Return a report as JSON-able values."""
    return {
        "type": report.type,
        "title": writable(report.title),
        "as_of": forms.iso(report.as_of),
        "start": None if report.start is None else forms.iso(report.start),
        "portfolio": writable(report.portfolio),
        "currency": writable(report.currency),
        "environment": writable(report.environment),
        "synthetic": report.synthetic,
        "notes": [writable(one) for one in report.notes],
        "sources": [writable(one) for one in report.sources],
        "sections": [
            {
                "key": section.key,
                "title": writable(section.title),
                "blocks": [_block(block) for block in section.blocks],
            }
            for section in report.sections
        ],
    }


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Paragraph(text=text):
            return {"block": "paragraph", "text": writable(text)}
        case Figures():
            return {
                "block": "figures",
                "key": block.key,
                "title": writable(block.title),
                "items": [
                    {"label": writable(one.label), "note": one.note and writable(one.note)}
                    | _described(one.cell)
                    for one in block.items
                ],
            }
        case Table():
            return {
                "block": "table",
                "key": block.key,
                "title": writable(block.title),
                "note": block.note and writable(block.note),
                "columns": [_column(one) for one in block.columns],
                "rows": [[_cell(cell) for cell in row] for row in block.rows],
            }
        case Chart():
            return {
                "block": "chart",
                "key": block.key,
                "title": writable(block.title),
                "kind": block.kind,
                "table": block.table,
                "x": block.x,
                "y": list(block.y),
                "marks": [{"label": writable(one.label), "value": one.value} for one in block.marks],
                "caption": writable(block.caption),
            }


def _column(column: Column) -> dict[str, Any]:
    return {
        "key": column.key,
        "title": writable(column.title),
        "kind": column.kind,
        "unit": column.unit and writable(column.unit),
    }


def _cell(cell: Cell) -> Any:
    if isinstance(cell, Number):
        return {"value": _value(cell), "shown": cell.shown}
    return {"value": None, "reason": writable(cell.reason)} if isinstance(cell, Unknown) else writable(cell)


def _described(cell: Cell) -> dict[str, Any]:
    if isinstance(cell, Number):
        return {"value": _value(cell), "shown": cell.shown, "kind": cell.kind, "unit": cell.unit}
    if isinstance(cell, Unknown):
        return {"value": None, "reason": writable(cell.reason)}
    return {"value": writable(cell), "kind": "text"}


def _value(number: Number) -> str | int | float:
    if number.kind == "time" or isinstance(number.value, Decimal | dt.date):
        return number.exact
    return number.value
