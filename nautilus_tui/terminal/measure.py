"""What the terminal costs, measured on the running application: processor, bytes written, time to paint.

The application runs as it does on a terminal, with a driver that counts what it would write. It
must not know what is shown: callers bring the records.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from rich.console import Console
from textual import events
from textual.app import App, ComposeResult
from textual.driver import Driver
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot
from textual.widgets import DataTable

from data.commands import AnyCommand, Outcome, PreviewOrder
from data.limits import LimitEffect
from data.problems import UnavailableError
from data.records import Bar, EngineLog, EngineStatus, Instrument
from nautilus_tui.terminal.app import Terminal
from nautilus_tui.terminal.mirror import Connection, Mirror
from nautilus_tui.terminal.panes.watchlist import Watchlist
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.settings import TerminalSettings
from nautilus_tui.terminal.theme import DEFAULT_THEME, register_themes, variables
from nautilus_tui.terminal.thrift import thrifty
from nautilus_tui.terminal.widgets.table import Cell, Column, LiveTable, Row

if TYPE_CHECKING:
    from nautilus_tui.client.stream import StreamEvent

#: Rows of text: one list of cells a row.
Grid = Sequence[Sequence[str]]


@dataclass(slots=True)
class Meter:
    """Counts what is written to the terminal."""

    size: int = 0
    writes: int = 0
    heard: Callable[[float], None] | None = field(default=None)  #: told the time of each write

    def reset(self) -> None:
        """Begin anew."""
        self.size = self.writes = 0


class Cost(NamedTuple):
    """What some seconds of running cost."""

    cpu_percent: float  #: of one core
    bytes_per_s: float
    writes_per_s: float
    seconds: float


def counting_driver(meter: Meter) -> type[Driver]:
    """Return a driver that writes nowhere and counts; the application believes it has a terminal."""

    class Counting(HeadlessDriver):
        @property
        def is_headless(self) -> bool:
            return False

        def write(self, data: str) -> None:
            meter.size += len(data.encode())
            meter.writes += 1
            if meter.heard is not None:
                meter.heard(time.perf_counter())

        def flush(self) -> None:
            """Nothing is held back."""

    return Counting


class OwnTable(App[None]):
    """Our table alone on a screen."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        register_themes(cast("App[object]", self))
        self.theme = DEFAULT_THEME
        self.table = LiveTable([Column(f"c{i}", f"Column {i}", glow=i == 1) for i in range(columns)])

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Answer the variables of our own."""
        return variables()

    def compose(self) -> ComposeResult:
        """Show the table."""
        yield self.table

    def show(self, grid: Grid) -> None:
        """Change every row."""
        self.table.set_rows(
            [Row(f"r{i}", tuple(Cell(text, "up") for text in texts)) for i, texts in enumerate(grid)]
        )


class PeerTable(App[None]):
    """Textual's own table, updated the way its documentation says."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.table: DataTable[str] = DataTable(cursor_type="row")
        self._columns = columns
        self._keys: list[Any] = []

    def compose(self) -> ComposeResult:
        """Show the table."""
        yield self.table

    def show(self, grid: Grid) -> None:
        """Change every cell."""
        if not self._keys:
            self._keys = list(self.table.add_columns(*(f"Column {i}" for i in range(self._columns))))
            for i, texts in enumerate(grid):
                self.table.add_row(*texts, key=f"r{i}")
            return
        for i, texts in enumerate(grid):
            for key, text in zip(self._keys, texts, strict=True):
                self.table.update_cell(f"r{i}", key, text)


def table_cost(
    app: OwnTable | PeerTable, grids: Sequence[Grid], *, rate: float, seconds: float, size: tuple[int, int]
) -> Cost:
    """Measure a table that shows one grid after the other, ``rate`` times a second."""
    meter = Meter()

    async def body(pilot: Pilot[None]) -> Cost:
        app.show(grids[0])
        await pilot.pause()
        return await _cost(meter, lambda i: app.show(grids[i % len(grids)]), rate, seconds)

    return _run(app, meter, size, body, thrift=isinstance(app, OwnTable))


def screen_cost(
    prepare: Callable[[Mirror], None],
    step: Callable[[Mirror, int], None],
    *,
    rate: float,
    seconds: float,
    size: tuple[int, int],
    fps: int,
    thrift: bool = True,
) -> Cost:
    """Measure the Trade workspace while ``step`` writes news into its mirror ``rate`` times a second.

    Without ``thrift`` everything is written that Textual would write.
    """
    meter = Meter()
    app = Terminal(_Still(), TerminalSettings(max_fps=fps))

    async def body(pilot: Pilot[int]) -> Cost:
        await _prepare(app, prepare, pilot)
        return await _cost(meter, lambda i: step(app.mirror, i), rate, seconds)

    return _run(app, meter, size, body, thrift=thrift)


def key_to_paint(
    prepare: Callable[[Mirror], None],
    step: Callable[[Mirror, int], None] | None,
    *,
    rate: float,
    presses: int,
    size: tuple[int, int],
) -> list[float]:
    """Measure the milliseconds from a cursor key in the watchlist to the write that shows it.

    Meanwhile ``step`` writes news into the mirror ``rate`` times a second.
    """
    meter = Meter()
    app = Terminal(_Still(), TerminalSettings())

    async def body(pilot: Pilot[int]) -> list[float]:
        await _prepare(app, prepare, pilot)
        table = app.query_one(Watchlist)
        table.focus()
        await pilot.pause()
        feeding = asyncio.create_task(_feed(app.mirror, step, rate)) if step is not None else None
        taken: list[float] = []
        for i in range(presses):
            down = (i // 10) % 2 == 0
            taken.append(await _press(app, table, meter, "down" if down else "up"))
            # Presses fall anywhere between two frames, as a hand's do.
            await asyncio.sleep(0.05 + 0.0137 * (i % 7))
        if feeding is not None:
            feeding.cancel()
        return taken

    return _run(app, meter, size, body)


async def _press(app: Terminal, table: LiveTable, meter: Meter, key: str) -> float:
    """Send a key and wait for the first write after the cursor has moved."""
    before = table.cursor_key
    painted: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def heard(at: float) -> None:
        if table.cursor_key != before and not painted.done():
            painted.set_result(at)

    meter.heard = heard
    start = time.perf_counter()
    app.post_message(events.Key(key, None))
    try:
        return (await asyncio.wait_for(painted, 5) - start) * 1000
    finally:
        meter.heard = None


async def _prepare(app: Terminal, prepare: Callable[[Mirror], None], pilot: Pilot[int]) -> None:
    prepare(app.mirror)
    app.mirror.put_connection(Connection("connected", app.now_ns()))
    app.view.engine = next(iter(app.mirror.engines), None)
    app.view.instrument = next(iter(app.mirror.instrument_ids(app.view.engine or "")), None)
    app.changed()
    await pilot.pause(0.3)


async def _feed(mirror: Mirror, step: Callable[[Mirror, int], None], rate: float) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    i = 0
    while True:
        step(mirror, i)
        i += 1
        due = max(due + 1 / rate, loop.time())
        await asyncio.sleep(due - loop.time())


async def _cost(meter: Meter, step: Callable[[int], None], rate: float, seconds: float) -> Cost:
    loop = asyncio.get_running_loop()
    meter.reset()
    start, cpu = loop.time(), time.process_time()
    for i in range(round(seconds * rate)):
        step(i + 1)
        await asyncio.sleep(max(0.0, start + (i + 1) / rate - loop.time()))
    wall = loop.time() - start
    return Cost((time.process_time() - cpu) / wall * 100, meter.size / wall, meter.writes / wall, wall)


def _run[T, R](
    app: App[T],
    meter: Meter,
    size: tuple[int, int],
    body: Callable[[Pilot[T]], Awaitable[R]],
    *,
    thrift: bool = True,
) -> R:
    """Run an application until ``body`` has its answer."""
    answers: list[R] = []

    async def pilot_body(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        answers.append(await body(pilot))
        app.exit()

    driver = counting_driver(meter)
    app.driver_class = thrifty(driver) if thrift else driver
    # The processor is what a terminal with all colours costs, whatever this one has.
    app.console = Console(
        file=io.StringIO(), force_terminal=True, color_system="truecolor", legacy_windows=False
    )
    asyncio.run(app.run_async(headless=False, size=size, mouse=False, auto_pilot=pilot_body))
    if not answers:
        raise UnavailableError("the application ended before it was measured")
    return answers[0]


class _Still:
    """A line to no daemon at all: nothing comes, nothing can be asked."""

    def __init__(self) -> None:
        self._news: asyncio.Queue[StreamEvent] = asyncio.Queue()

    target = "nowhere"

    async def listen(self) -> AsyncIterator[StreamEvent]:
        """Wait for news that never comes."""
        while True:
            yield await self._news.get()

    async def watch(self, topics: Collection[str]) -> None:
        """Nothing is listened to."""

    async def execute(self, command: AnyCommand, command_id: str) -> Outcome:
        """Nothing can be done."""
        raise UnavailableError("no daemon")

    async def preview(self, order: PreviewOrder) -> Sequence[LimitEffect]:
        """Nothing can be asked."""
        raise UnavailableError("no daemon")

    async def engines(self) -> Sequence[EngineStatus]:
        """None are known."""
        return ()

    async def instruments(self, engine: str) -> Sequence[Instrument]:
        """None are known."""
        return ()

    async def bars(self, engine: str, instrument: str, timeframe: str) -> Sequence[Bar]:
        """None are known."""
        return ()

    async def logs(self, engine: str) -> Sequence[EngineLog]:
        """None are known."""
        return ()

    async def ask[T](self, question: Question[T]) -> T:
        """Nothing can be asked."""
        raise UnavailableError("no daemon")

    async def close(self) -> None:
        """Nothing to end."""


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that ``share`` (0…1) of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values")
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]
