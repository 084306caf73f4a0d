"""What is known of a company: who it is, what its stock costs, its key figures and its earnings.

Each part has its own source, age and problem. It must not know how any of it is learnt.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from textual import events

from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.provenance import entitle, message
from nautilus_tui.terminal.panes.research.overview_parts import (
    about_lines,
    company_lines,
    earnings_lines,
    figure_lines,
    part_title,
    problem_lines,
    quote_lines,
)
from nautilus_tui.terminal.panes.research.subject import absent, name_of, symbol_of, vendor_asked
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.macro import WhatIsDue
from nautilus_tui.terminal.questions.question import Answer
from nautilus_tui.terminal.questions.research import EarningsOf, OneCompany, OverviewOf, QuoteOf
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Line
from nautilus_tui.terminal.widgets.scrolled import ScrolledLines


class Overview(ScrolledLines):
    """The company looked at."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"research", "macro", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Company"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._seen: tuple[Mirror, View] | None = None
        self._who: str | None = None

    def on_resize(self, event: events.Resize) -> None:
        """Write for the new width."""
        super().on_resize(event)
        if self._seen is not None:
            self.refresh_from(*self._seen)

    def wants(self, mirror: Mirror, view: View) -> Iterator[Question[Any]]:
        """Want the company, and what the vendor knows of its stock once its symbol is known."""
        who = view.research.company
        if who is None:
            return
        yield OneCompany(who)
        symbol = symbol_of(mirror, view)
        known = mirror.facts.answer(OneCompany(who)).state in ("there", "stale")
        if symbol is not None and known and self.region.area:
            yield WhatIsDue()
            if vendor_asked(mirror, view, symbol):
                yield OverviewOf(symbol)
                yield QuoteOf(symbol)
                yield EarningsOf(symbol)

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show what is known of the company looked at, part by part."""
        self._seen = (mirror, view)
        glyphs, width = glyphs_of(self.app), self.room.width
        who = view.research.company
        anew, self._who = who != self._who, who
        answer = None if who is None else mirror.facts.answer(OneCompany(who))
        company = None if answer is None else answer.value
        title = f"Company {glyphs.dot} {name_of(mirror, view)}" if who else "Company"
        entitle(self, title, company, answer, view.now_ns, glyphs)
        if who is None or answer is None or company is None:
            self.set_text(message(absent(mirror, view, answer, f"company {who}"), width), anew=anew)
            return
        lines: list[Line] = [*company_lines(company, width, glyphs)]
        symbol = symbol_of(mirror, view)
        if (
            symbol is not None
            and not vendor_asked(mirror, view, symbol)
            and not _vendor_known(mirror, symbol)
        ):
            lines += [[], *message(_unasked(mirror), width)[1:]]
        elif symbol is None:
            lines += [[], *message("It has no ticker, so there is nothing of its stock.", width)[1:]]
        else:
            lines += self._stock(mirror, view, symbol, width)
        self.set_text(lines, anew=anew)

    def _stock(self, mirror: Mirror, view: View, symbol: str, width: int) -> list[Line]:
        facts, glyphs, now = mirror.facts, glyphs_of(self.app), view.now_ns
        quote, overview = facts.answer(QuoteOf(symbol)), facts.answer(OverviewOf(symbol))
        earnings, due = facts.answer(EarningsOf(symbol)), facts.answer(WhatIsDue())
        connected = mirror.connection.state == "connected"
        said: set[str] = set()

        def part(title: str, fact: Any, answer: Answer[Any], words: str, lines: list[Line]) -> list[Line]:
            body = (
                lines if fact is not None else problem_lines(answer, words, width, said, connected=connected)
            )
            return [[], part_title(title, fact, answer, now, width, glyphs), *body]

        price = quote.value
        reports = [i for i in (due.value.items if due.value else ()) if i.kind == "earnings"]
        expected = next((i.date for i in reports if i.reference == symbol), None)
        figures = overview.value
        found = earnings.value
        lines = part(
            "Price", price, quote, "price", quote_lines(price, figures, width, glyphs) if price else []
        )
        lines += part(
            "Figures", figures, overview, "figures", figure_lines(figures, width, glyphs) if figures else []
        )
        told = earnings_lines(found, expected, width, glyphs) if found else []
        lines += part("Earnings", found, earnings, "earnings", told)
        if figures is not None and figures.description:
            lines += [[], part_title("About", figures, overview, now, width, glyphs)]
            lines += about_lines(figures, width)
        return lines


def _vendor_known(mirror: Mirror, symbol: str) -> bool:
    """Say whether anything was asked of the vendor about this stock before."""
    asked = (OverviewOf(symbol), QuoteOf(symbol), EarningsOf(symbol))
    return any(mirror.facts.answer(question).state != "none" for question in asked)


def _unasked(mirror: Mirror) -> str:
    """Return why the vendor was not asked yet, and how to."""
    health = mirror.facts.providers.get("alpha_vantage")
    left = ""
    if health is not None and health.quota_limit is not None and health.quota_used is not None:
        left = f"; {max(0, health.quota_limit - health.quota_used)} of {health.quota_limit} are left today"
    return (
        "a asks Alpha Vantage for price, key figures and earnings. "
        f"That takes three of its requests of the day{left}."
    )
