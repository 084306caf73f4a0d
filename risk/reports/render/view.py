"""A document made ready to be read: shown forms, footnotes numbered, marks and words put together.

JSON-able values only, so that HTML and PDF are drawn from one thing. This module must not know of either.
"""

from __future__ import annotations

from typing import Any, Final

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
    Section,
    Table,
    Unknown,
    writable,
)
from risk.reports.render import svg
from risk.reports.render.tones import tone

DASH: Final = "–"
_NO_BREAK: Final = "\u00a0"
#: In print: points of a line, of a cell's margins, and of a character as a part of the font's size.
_LINE, _MARGINS, _CHARACTER = 493.0, 7.0, 0.5
_SIZES: Final = (6.2, 8.8)
_LONG: Final = 28  #: characters from which text is broken into lines
_SPARE: Final = 1.7  #: how much wider than its content a small table is drawn


class Footnotes:
    """Reasons in the order in which they are first needed, each told once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, reason: str) -> int:
        """Return the number of a reason."""
        return self._numbers.setdefault(writable(reason), len(self._numbers) + 1)

    def lines(self) -> list[tuple[int, str]]:
        """Return all of them."""
        return [(number, reason) for reason, number in self._numbers.items()]


def shown(cell: Cell) -> str:
    """Return what stands in a cell."""
    if isinstance(cell, Number):
        return cell.shown
    return DASH if isinstance(cell, Unknown) else writable(cell)


def moment(ts: int) -> str:
    """Return a time for people."""
    return f"{forms.iso(ts)[:19].replace('T', ' ')} UTC"


def period(report: Report) -> str | None:
    """Return the stretch of time that a report is about, for people."""
    return None if report.start is None else f"{moment(report.start)} to {moment(report.as_of)}"


def marks(report: Report) -> list[str]:
    """Return what must be seen at once: the environment, and that figures are not of the world."""
    return [report.environment, *(["SYNTHETIC"] if report.synthetic else [])]


def view(report: Report) -> dict[str, Any]:
    """Return a report ready to be read; charts are drawings."""
    return {
        "type": report.type,
        "title": writable(report.title),
        "as_of": moment(report.as_of),
        "as_of_exact": forms.iso(report.as_of),
        "period": period(report),
        "portfolio": writable(report.portfolio),
        "currency": writable(report.currency),
        "environment": writable(report.environment),
        "synthetic": report.synthetic,
        "notes": [writable(one) for one in report.notes],
        "sources": [writable(one) for one in report.sources],
        "sections": [_section(report, one) for one in report.sections],
    }


def _section(report: Report, section: Section) -> dict[str, Any]:
    notes = Footnotes()
    blocks = [_block(report, one, notes) for one in section.blocks]
    for block in blocks:
        if block.get("title") == writable(section.title):  # the section's heading says it
            block["title"] = ""
    blocks.sort(key=lambda block: block.get("printed") is False)  # data of charts after what is read
    return {
        "key": section.key,
        "title": writable(section.title),
        "blocks": blocks,
        "footnotes": [{"number": number, "text": text} for number, text in notes.lines()],
    }


def _block(report: Report, block: Block, notes: Footnotes) -> dict[str, Any]:
    match block:
        case Paragraph(text=text):
            return {"is": "paragraph", "text": writable(text)}
        case Figures():
            return _figures(block, notes)
        case Table():
            return _table(block, notes)
        case Chart():
            return {
                "is": "chart",
                "key": block.key,
                "title": writable(block.title),
                "alt": writable(block.title),
                "caption": writable(block.caption),
                "svg": svg.draw(block, report.table(block.table)),
            }


def _figures(block: Figures, notes: Footnotes) -> dict[str, Any]:
    return {
        "is": "figures",
        "key": block.key,
        "title": writable(block.title),
        "items": [
            {
                "label": writable(one.label),
                "unit": one.cell.unit if isinstance(one.cell, Number) else None,
                "note": writable(one.note or ""),
                **_cell(one.cell, None, notes),
            }
            for one in block.items
        ],
    }


def _table(block: Table, notes: Footnotes) -> dict[str, Any]:
    own = notes if block.printed else Footnotes()
    rows = [
        [_cell(cell, column, own) for cell, column in zip(row, block.columns, strict=True)]
        for row in block.rows
    ]
    widths = [_characters(block, place) for place in range(len(block.columns))]
    size, share = _print_size(widths)
    return {
        "is": "table",
        "key": block.key,
        "title": writable(block.title),
        "printed": block.printed,
        "columns": [
            {
                "key": column.key,
                "heading": _unbroken(writable(column.heading)),
                "right": _right(column),
                "long": column.kind == "text" and _longest(block, place) > _LONG,
                "width": widths[place],
            }
            for place, column in enumerate(block.columns)
        ],
        "rows": rows,
        "empty": writable(block.empty),
        "note": writable(block.note or ""),
        "total": block.total,
        "size": size,
        "share": share,
    }


def _right(column: Column) -> bool:
    return column.kind not in ("text", "status", "time", "date")


def _characters(block: Table, place: int) -> int:
    """Return how many characters a column should have room for; long text may be broken."""
    column, longest = block.columns[place], _longest(block, place)
    heading = max(len(word) for word in _unbroken(column.heading).split(" "))
    room = min(longest, _LONG) if column.kind == "text" else longest
    return max(heading, room + 1, 3)


def _print_size(widths: list[int]) -> tuple[float, float]:
    """Return the size of print in points that a table fits with, and its part of the line."""
    low, high = _SIZES
    size = min(high, max(low, (_LINE - _MARGINS * len(widths)) / (_CHARACTER * sum(widths))))
    needed = size * _CHARACTER * sum(widths) + _MARGINS * len(widths)
    return round(size, 2), round(min(1.0, needed * _SPARE / _LINE), 3)


def _unbroken(heading: str) -> str:
    """Return a heading whose last number or unit does not stand on a line of its own."""
    return heading.replace(" %", f"{_NO_BREAK}%").replace(", ", f",{_NO_BREAK}")


def _longest(block: Table, place: int) -> int:
    return max((len(shown(row[place])) for row in block.rows), default=0)


def _cell(cell: Cell, column: Column | None, notes: Footnotes) -> dict[str, Any]:
    told: dict[str, Any] = {"text": shown(cell), "exact": None, "footnote": None, "tone": ""}
    if isinstance(cell, Number):
        told["exact"], told["text"] = cell.exact, cell.shown.replace(" ", _NO_BREAK)
    elif isinstance(cell, Unknown):
        told["footnote"] = notes.number(cell.reason)
    elif column is None or column.kind == "status":
        told["tone"] = tone(cell)
    return told
