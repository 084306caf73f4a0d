"""The calendar: releases of the days ahead, or what is due for what is held and watched."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, NamedTuple
from zoneinfo import ZoneInfo

from data.facts import Fact
from data.fundamentals import Due, DueItem
from data.macro import Importance, ReleaseDate
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.macro_view import CalendarScope
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.provenance import entitle, why_empty
from nautilus_tui.terminal.questions import Answer, Question
from nautilus_tui.terminal.questions.macro import Releases, WhatIsDue
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.table import Cell, Column, LiveTable, Row

#: Where American agencies tell the time.
EASTERN = ZoneInfo("America/New_York")
_NANOS = 1_000_000_000
_DAY = 86_400
#: What is due within this is about to happen.
SOON_S = _DAY

COLUMNS = (
    Column("importance", "", "left", width=1),
    Column("when", "In", "right", width=8),
    Column("day", "Date", "left", width=10),
    Column("eastern", "ET", "left", width=5, drop=2),
    Column("utc", "UTC", "left", width=6, drop=3),
    Column("what", "What", "left", least=20, grow=True),
    Column("about", "About", "left", least=6, most=30, drop=4),
)
#: What is said of each scope in the title.
SCOPES: dict[CalendarScope, str] = {
    "main": "what matters",
    "all": "all releases",
    "due": "due for what is held",
}
#: Importance as a sign and a style, and as a number to sort by.
WEIGHTS: dict[Importance, tuple[str, str, int]] = {
    "high": ("on", "warn", 0),
    "medium": ("busy", "accent", 1),
    "low": ("off", "dim", 2),
}


class Entry(NamedTuple):
    """One line of the calendar, whatever it came from."""

    key: str
    importance: Importance
    date: dt.date
    ts: int | None
    what: str
    about: tuple[str, ...]
    kind: str  #: ``release``, ``earnings`` or ``filing``
    reference: str  #: a series, an accession or a symbol to go to
    fact: Fact


class Calendar(LiveTable):
    """What is to come."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"macro", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Calendar"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(COLUMNS, id=id, classes=classes)

    def wants(self, mirror: Mirror, view: View) -> list[Question[Any]]:
        """Return what is to be asked."""
        return [asked(view)]

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the releases to come, or what is due for what is held."""
        self.comfortable = view.density == "comfortable"
        glyphs = glyphs_of(self.app)
        found = entries(mirror, view)
        answer = answer_of(mirror, view)
        due = view.macro.scope == "due"
        connected = mirror.connection.state == "connected"
        self.empty = (
            "Nothing is due for what is held or watched. c shows the releases."
            if due and answer.state == "there"
            else why_empty(answer, "calendar of releases", connected=connected)
        )
        rows = [entry_row(entry, view.now_ns, glyphs) for entry in found]
        said = enumerate(problems(answer))
        rows += [Row(f"problem:{i}", (Cell(glyphs.warn, "warn"), Cell(text, "warn"))) for i, text in said]
        self.set_rows(rows)
        entitle(
            self,
            "Calendar" if view.macro.as_of is None else "Calendar of today, not as of then",
            min((e.fact for e in found), key=lambda f: f.fetched_at, default=None),
            answer,
            view.now_ns,
            glyphs,
            count=f"{len(found)}" if found else "",
            more=SCOPES[view.macro.scope],
        )


def asked(view: View) -> Question[Any]:
    """Return the question whose answer is shown."""
    return WhatIsDue() if view.macro.scope == "due" else Releases()


def answer_of(mirror: Mirror, view: View) -> Answer[Any]:
    """Return what came of asking for the calendar of the view."""
    return mirror.facts.answer(asked(view))


def problems(answer: Answer[Any]) -> tuple[str, ...]:
    """Return what could not be found out."""
    return answer.value.problems if isinstance(answer.value, Due) else ()


def entries(mirror: Mirror, view: View) -> list[Entry]:
    """Return the lines of the calendar, earliest first."""
    value = answer_of(mirror, view).value
    if isinstance(value, Due):
        found = [_due(item, index) for index, item in enumerate(value.items)]
    else:
        wanted = ("high", "medium", "low") if view.macro.scope == "all" else ("high", "medium")
        found = [_release(release) for release in value or () if release.importance in wanted]
    return sorted(found, key=lambda e: (e.date, e.ts or 0, WEIGHTS[e.importance][2], e.what))


def _release(release: ReleaseDate) -> Entry:
    return Entry(
        f"release:{release.release_id}:{release.date}",
        release.importance,
        release.date,
        release.ts_release,
        release.name,
        release.series,
        "release",
        release.series[0] if release.series else "",
        release,
    )


def _due(item: DueItem, index: int) -> Entry:
    return Entry(
        f"{item.kind}:{item.reference}:{item.date}:{index}",
        item.importance,
        item.date,
        item.ts_due,
        item.title,
        item.instruments or ("all",),
        item.kind,
        item.reference,
        item,
    )


def entry_row(entry: Entry, now_ns: int, glyphs: Glyphs) -> Row:
    """Return one line of the calendar."""
    sign, style, weight = WEIGHTS[entry.importance]
    words, left = countdown(entry, now_ns)
    past = left is not None and left < 0
    soon = left is not None and 0 <= left < SOON_S
    at = None if entry.ts is None else dt.datetime.fromtimestamp(entry.ts // _NANOS, dt.UTC)
    rest = "dim" if past else ""
    return Row(
        entry.key,
        (
            Cell(getattr(glyphs, sign), "dim" if past else style, weight),
            Cell(words, "accent" if soon else "dim" if past else "", left),
            Cell(f"{entry.date:%a %d %b}", rest or "bright", entry.date.toordinal()),
            Cell(figures.DASH if at is None else f"{at.astimezone(EASTERN):%H:%M}", rest, entry.ts),
            Cell(figures.DASH if at is None else f"{at:%H:%M}Z", "dim", entry.ts),
            Cell(entry.what, rest or ("bright" if entry.importance == "high" else "")),
            Cell(" ".join(entry.about), "dim"),
        ),
    )


def countdown(entry: Entry, now_ns: int) -> tuple[str, float | None]:
    """Return how long it is until then, in words and in seconds; by the day where the time is not known."""
    if entry.ts is not None:
        left = (entry.ts - now_ns) / _NANOS
        if left < 0:
            return f"{figures.age(-left * 1000)} ago", left
        return figures.duration(left), left
    today = dt.datetime.fromtimestamp(now_ns // _NANOS, EASTERN).date()
    days = (entry.date - today).days
    word = "today" if days == 0 else f"{days}d" if days > 0 else f"{-days}d ago"
    return word, float(days * _DAY)
