"""Companies found by name, ticker or CIK; without a search, those looked at and those traded here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from textual.message import Message

from data.companies import Company
from nautilus_tui.terminal.figures import DASH
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.provenance import entitle, why_empty
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.research import CompaniesLike, OneCompany
from nautilus_tui.terminal.research_view import symbol_asked
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.document import plain
from nautilus_tui.terminal.widgets.table import Cell, Column, LiveTable, Row

COLUMNS = (
    Column("ticker", "Ticker", "left", least=6, most=14),
    Column("name", "Company", "left", least=12, grow=True),
    Column("cik", "CIK", least=7, drop=1),
    Column("exchange", "Exch", "left", least=4, most=8, drop=2),
)
EMPTY = "Type / and part of a name, a ticker or a CIK: AAPL, nvidia, 1067983."


class Companies(LiveTable):
    """Companies to choose from."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"research", "connection", "instruments"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Companies"

    class Searched(Message):
        """A text was typed to look for."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(COLUMNS, id=id, empty=EMPTY)
        self._text = ""

    @property
    def filter(self) -> str:
        """What is looked for; companies are searched where they are listed, not among these rows."""
        return self._text

    @filter.setter
    def filter(self, text: str) -> None:
        self._text = text
        self.post_message(self.Searched(text.strip()))

    def wants(self, mirror: Mirror, view: View) -> Iterator[Question[Any]]:
        """Want what the search finds."""
        if view.research.text:
            yield CompaniesLike(view.research.text)

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show what was found, or where one has been."""
        self.comfortable = view.density == "comfortable"
        glyphs, text = glyphs_of(self.app), view.research.text
        self._text = text if text != self._text.strip() else self._text
        if not text:
            self.empty = EMPTY
            known = list(_known_rows(mirror, view, glyphs))
            self.set_rows(known)
            count = f"{len(known)} looked at or traded"
            entitle(self, "Companies", None, None, view.now_ns, glyphs, count=count)
        else:
            answer = mirror.facts.answer(CompaniesLike(text))
            found = answer.value or []
            self.empty = why_empty(
                answer, f"companies like “{text}”", connected=mirror.connection.state == "connected"
            )
            rows = {who_is(c): company_row(c, view.research.company, glyphs) for c in reversed(found)}
            self.set_rows(list(reversed(rows.values())))
            title = f"Companies {glyphs.dot} “{plain(text)}”"
            entitle(
                self, title, found[0] if found else None, answer, view.now_ns, glyphs, count=str(len(found))
            )
        if self.cursor_key is None and self.rows:
            self.move_to(self.rows[0].key, announce=False)


def company_row(company: Company, current: str | None, glyphs: Glyphs) -> Row:
    """Return one line of the companies; its key is what opens it: a ticker, or the CIK."""
    tickers, key = company.tickers, who_is(company)
    more = f" +{len(tickers) - 1}" if len(tickers) > 1 else ""
    here = current in (key, str(company.cik)) or current in tickers
    return Row(
        key,
        (
            Cell(tickers[0] if tickers else DASH, "accent" if here else "bright", key, more),
            Cell(plain(company.name), "", company.name),
            Cell(str(company.cik), "dim", company.cik),
            Cell(", ".join(dict.fromkeys(company.exchanges)), "dim"),
        ),
    )


def who_is(company: Company) -> str:
    """Return what a company is opened by: its first ticker, or its CIK."""
    return company.tickers[0] if company.tickers else str(company.cik)


def _known_rows(mirror: Mirror, view: View, glyphs: Glyphs) -> Iterator[Row]:
    """Yield the companies looked at, the latest first, then the stocks of the engine."""
    seen: set[str] = set()
    for who in dict.fromkeys(reversed(view.research.trail.places)):
        company = mirror.facts.answer(OneCompany(who)).value
        row = (
            _named(who, "", view, glyphs)
            if company is None
            else company_row(company, view.research.company, glyphs)
        )
        row = row._replace(key=who)
        seen |= {who, *(company.tickers if company is not None else ())}
        yield row
    for rules in mirror.instruments.get(view.engine or "", {}).values():
        symbol = symbol_asked(rules.id)
        if rules.asset_class == "equity" and symbol not in seen:
            yield _named(symbol, rules.name, view, glyphs)


def _named(who: str, name: str, view: View, glyphs: Glyphs) -> Row:
    here = who == view.research.company
    unknown = Cell(glyphs.dash, "faint")
    return Row(
        who,
        (Cell(who, "accent" if here else "bright", who), Cell(plain(name), "dim", name), unknown, unknown),
    )
