"""A company's filings, or those in whose text something is said: what they are, when, and which are new."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from data.companies import Filing, FilingHit, FilingList
from nautilus_tui.terminal.figures import DASH, memory
from nautilus_tui.terminal.forms import GROUPS, group_of, items_said
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.provenance import entitle, why_empty
from nautilus_tui.terminal.panes.research.subject import absent, company_of, name_of
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.research import FilingsOf, FilingsSaying
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.document import plain
from nautilus_tui.terminal.widgets.lines import Part
from nautilus_tui.terminal.widgets.ribbon import RibbonTable, chips
from nautilus_tui.terminal.widgets.table import Cell, Column, Row

COLUMNS = (
    Column("new", "", "left", width=1),
    Column("form", "Form", "left", least=6, most=16),
    Column("filed", "Filed", "left", width=10),
    Column("period", "Period", "left", width=10, drop=2),
    Column("what", "What it is", "left", least=30, grow=True),
    Column("size", "Size", width=6, drop=3),
)


class Filings(RibbonTable):
    """Filings to read."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"research", "filings", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Filings"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "group(-1)", "Forms before", show=False, id="filings.forms_before"),
        Binding("right,l", "group(1)", "Next forms", show=False, id="filings.forms_next"),
    ]

    class Grouped(Message):
        """Other forms are wanted."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(COLUMNS, id=id)

    def action_group(self, by: int) -> None:
        """Want the next group of forms, or the one before."""
        self.post_message(self.Grouped(by))

    def wants(self, mirror: Mirror, view: View) -> Iterator[Question[Any]]:
        """Want the filings of the company, or those that say something."""
        research = view.research
        if not self.region.area:
            return
        if research.phrase:
            yield FilingsSaying(research.phrase, research.forms)
        elif research.company is not None:
            yield FilingsOf(research.company, research.forms)

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the filings."""
        self.comfortable = view.density == "comfortable"
        if view.research.phrase:
            self._show_found(mirror, view)
        else:
            self._show_own(mirror, view)
        if self.cursor_key is None and self.rows:
            self.move_to(self.rows[0].key, announce=False)

    def _show(self, rows: list[Row]) -> None:
        """Show rows; the column of sizes gives way where none is told."""
        untold = all(row.cells[-1].value is None for row in rows)
        columns = COLUMNS[:-1] if untold else COLUMNS
        cursor, changed = self.cursor_key, bool(rows) and columns != self.columns
        if changed:
            self.set_columns(columns)
        self.set_rows([Row(row.key, row.cells[: len(columns)]) for row in rows])
        if cursor is not None and changed:
            self.move_to(cursor, announce=False)

    # ------------------------------------------------------------ of one company

    def _show_own(self, mirror: Mirror, view: View) -> None:
        research, glyphs = view.research, glyphs_of(self.app)
        answer = None
        if research.company is not None:
            answer = mirror.facts.answer(FilingsOf(research.company, research.forms))
        listed = answer.value if answer is not None else None
        new = _new_ones(mirror, view)
        filings = list(listed.filings) if listed is not None else []
        known = {f.accession for f in filings}
        filings = [f for f in new.values() if f.accession not in known] + filings
        self.empty = absent(mirror, view, answer, _words(research.forms, research.company))
        reading = research.reading.accession if research.reading is not None else None
        self._show(
            [filing_row(f, glyphs, new=f.accession in new, read=f.accession == reading) for f in filings]
        )
        title = f"Filings {glyphs.dot} {name_of(mirror, view)}" if research.company else "Filings"
        entitle(self, title, listed, answer, view.now_ns, glyphs, count=str(len(filings)))
        self._say_forms(research.forms, _incomplete(listed, glyphs))

    def _say_forms(self, forms: tuple[str, ...], remark: list[Part]) -> None:
        group = group_of(forms)
        chosen = GROUPS.index(group) if group is not None else None
        left = chips([g.name for g in GROUPS], chosen)
        if group is None:
            left += [(f" {', '.join(forms)} ", "accent bold under")]
        self.set_ribbon([*remark, *left], () if remark else [("h l other forms ", "faint")])

    # ------------------------------------------------------------ that say something

    def _show_found(self, mirror: Mirror, view: View) -> None:
        research, glyphs = view.research, glyphs_of(self.app)
        answer = mirror.facts.answer(FilingsSaying(research.phrase, research.forms))
        found = answer.value
        hits = found.filings if found is not None else ()
        connected = mirror.connection.state == "connected"
        self.empty = why_empty(answer, f"filings that say “{research.phrase}”", connected=connected)
        rows = {f"{hit.accession}/{hit.document}": hit_row(hit, glyphs) for hit in hits}
        self._show(list(rows.values()))
        total = found.filings_total if found is not None else None
        count = f"{len(rows)}" if total is None else f"{len(rows)} of {total:,}"
        title = f"Filings that say “{plain(research.phrase)}”"
        entitle(self, title, found, answer, view.now_ns, glyphs, count=count)
        remark: list[Part] = []
        if found is not None and found.problems:
            remark = [(f"  {glyphs.warn} {plain(found.problems[0])}", "warn")]
        self._say_forms(research.forms, remark)


def _words(forms: tuple[str, ...], who: str | None) -> str:
    group = group_of(forms)
    if not forms:
        return f"filings of {who}"
    return f"{group.about if group is not None else ', '.join(forms)} among the filings of {who}"


def _new_ones(mirror: Mirror, view: View) -> dict[str, Filing]:
    """Return the company's filings that came on the stream, latest first, of the forms wanted."""
    company, forms = company_of(mirror, view), view.research.forms
    if company is None:
        return {}
    found = [f for f in mirror.facts.filings if f.cik == company.cik and (not forms or f.form in forms)]
    return {f.accession: f for f in sorted(found, key=lambda f: (f.filed, f.accession), reverse=True)}


def _incomplete(listed: FilingList | None, glyphs: Glyphs) -> list[Part]:
    """Return what a list does not hold that was asked for."""
    if listed is None or listed.complete:
        return []
    why = "; ".join(plain(p) for p in listed.problems) or "older ones were not looked at"
    return [(f"  {glyphs.warn} incomplete: {why}", "warn")]


def filing_row(filing: Filing, glyphs: Glyphs, *, new: bool, read: bool) -> Row:
    """Return one line of the filings."""
    what = plain(filing.form_title)
    said = items_said(filing.items)
    title = plain(filing.title)
    form = filing.form.casefold()
    same = title.casefold() in (what.casefold(), form, f"form {form}")
    tail = "" if same else title
    if said:
        what = f"{said[0].upper()}{said[1:]}"
    return Row(
        filing.accession,
        (
            Cell(glyphs.on if new else glyphs.play if read else "", "accent" if new else "dim"),
            _form_cell(filing.form, amendment=filing.amendment),
            Cell(str(filing.filed), "", _ordinal(filing.filed)),
            Cell(DASH if filing.period is None else str(filing.period), "dim", _ordinal(filing.period)),
            Cell(what, "accent" if new else "", what, f"  {tail}" if tail else ""),
            Cell(_size(filing.size), "dim", filing.size),
        ),
    )


def hit_row(hit: FilingHit, glyphs: Glyphs) -> Row:
    """Return one line of the filings found by their text."""
    names = ", ".join(plain(name) for name in hit.names)
    return Row(
        f"{hit.accession}/{hit.document}",
        (
            Cell(""),
            _form_cell(hit.form, amendment=hit.form.endswith("/A")),
            Cell(DASH if hit.filed is None else str(hit.filed), "", _ordinal(hit.filed)),
            Cell(DASH if hit.period is None else str(hit.period), "dim", _ordinal(hit.period)),
            Cell(names, "", names, f"  {plain(hit.description)}" if hit.description else ""),
            Cell("", "dim"),
        ),
    )


def _form_cell(form: str, *, amendment: bool) -> Cell:
    """Return a form; the word that long names begin with is shortened."""
    return Cell(form.replace("SCHEDULE ", "SCH "), "warn" if amendment else "bright", form)


def _ordinal(day: dt.date | None) -> int | None:
    return None if day is None else day.toordinal()


def _size(size: int | None) -> str:
    if size is None:
        return DASH
    return memory(size) if size >= 2**20 else f"{max(1, size // 1024)} kB"
