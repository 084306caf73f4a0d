"""A desk at which everything about companies is answered, and the ways there."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from nautilus_tui.terminal.panes.research.filings import Filings
from nautilus_tui.terminal.panes.research.reader import Reader
from nautilus_tui.terminal.places import PANES
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.settings import TerminalSettings
from nautilus_tui.terminal.widgets.table import LiveTable
from tests.terminal import scene
from tests.terminal import scene_research as told
from tests.terminal.desk import Desk, until

SIZES = [(80, 24), (120, 40), (200, 60)]
TENK = told.filing(9)
RESEARCH_PANES = [pane for pane, place in PANES.items() if place == "research"]


def desk(**changes: object) -> Desk:
    """A desk at which everything of the scene is answered."""
    app = Desk(settings=TerminalSettings(timeframe="5m", engine=scene.ENGINE, glow=False, **changes))  # type: ignore[arg-type]  # settings by name
    app.line.facts.update(told.answers())
    app.mirror.facts.put_health(told.vendor())
    return app


async def settle(app: Desk, pilot: Pilot[int]) -> None:
    """Let everything that is wanted be answered, and drawn."""
    await app.settled(pilot)
    app.changed()
    app.frame()
    await pilot.pause()


async def open_research(app: Desk, pilot: Pilot[int]) -> None:
    await until(pilot, lambda: app.line.watched)
    await pilot.press("3")
    await settle(app, pilot)


async def resize(app: Desk, pilot: Pilot[int], size: tuple[int, int]) -> None:
    """Give the terminal another size, and let it be drawn in it."""
    await pilot.resize_terminal(*size)
    await settle(app, pilot)
    assert tuple(app.size) == size


async def type_line(app: Desk, pilot: Pilot[int], text: str) -> None:
    app.looking.command(text)
    await pilot.press("enter")
    await settle(app, pilot)


def seen(table: LiveTable) -> str:
    return "\n".join(table.render_line(y).text for y in range(table.size.height))


def cells(table: LiveTable, key: str) -> str:
    return " ".join(f"{c.text}{c.tail}" for c in next(r for r in table.rows if r.key == key).cells)


def said(text: str) -> str:
    """Return text without the breaks of its lines."""
    return " ".join(text.split())


def in_front(app: Desk, pane: str) -> bool:
    """Say whether a pane has the focus and is seen."""
    return app.pane == pane and bool(app.query_one(f"#{pane}").region.area)


def asked(app: Desk, kind: type[Question[Any]]) -> list[Any]:
    return [question for question in app.line.asked if isinstance(question, kind)]


async def read_annual_report(app: Desk, pilot: Pilot[int]) -> Reader:
    await open_research(app, pilot)
    app.query_one(Filings).move_to(TENK.accession)
    await pilot.press("enter")
    await settle(app, pilot)
    return app.query_one(Reader)
