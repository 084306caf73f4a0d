"""Bars that the stream missed: the chart asks for them again, says so meanwhile, and says if it could not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
from textual.pilot import Pilot

from data.problems import ProblemError, StoreFailedError
from data.records import Bar
from nautilus_tui.client.envelopes import Envelope
from nautilus_tui.client.stream import Batch
from nautilus_tui.terminal.mirror import Mirror
from nautilus_tui.terminal.panes.chart import ChartPane
from tests.terminal import scene
from tests.terminal.desk import Desk, Line, until

KEY = (scene.ENGINE, "AAPL.SIM", "5m")
GAP = Envelope(
    type="gap", topic="bars.5m.AAPL.SIM", seq=9, ts=0, id=None, data={"reason": "too_old", "seq_asked": 2}
)


class Holding(Line):
    """A line whose history answers when, and with what, the test lets it."""

    def __init__(self, past: Sequence[Bar]) -> None:
        super().__init__()
        self.past: Sequence[Bar] | ProblemError = past
        self.answering = asyncio.Event()
        self.answering.set()
        self.asked_bars = 0

    async def bars(self, engine: str, instrument: str, timeframe: str) -> Sequence[Bar]:
        self.asked_bars += 1
        await self.answering.wait()
        if isinstance(self.past, ProblemError):
            raise self.past
        return self.past


async def begun(desk: Desk, line: Holding, pilot: Pilot[int]) -> ChartPane:
    """Wait until the chart shows what the history tells at the beginning."""
    chart = desk.query_one(ChartPane)
    await until(pilot, lambda: line.asked_bars and desk.mirror.connection.state == "connected")
    await desk.settled(pilot)
    await until(pilot, lambda: chart.subtitle == "SIM")
    return chart


async def test_a_gap_is_filled_from_the_history_and_the_chart_says_so_meanwhile() -> None:
    whole = scene.bars(timeframe="5m")
    holed = [*whole[:-30], *whole[-10:]]
    line = Holding(holed)
    desk = Desk(line)
    desk.mirror.bars[KEY] = list(holed)
    async with desk.run_test(size=(120, 40)) as pilot:
        chart = await begun(desk, line, pilot)
        line.answering.clear()
        line.past = whole
        line.events.put_nowait(Batch([GAP]))
        await until(pilot, lambda: "fetching bars" in str(chart.subtitle))
        assert list(desk.mirror.series(*KEY)) == holed
        line.answering.set()
        await until(pilot, lambda: chart.subtitle == "SIM")
        assert list(desk.mirror.series(*KEY)) == whole


async def test_bars_that_could_not_be_fetched_again_are_said_to_be_missing() -> None:
    line = Holding(scene.bars(timeframe="5m"))
    desk = Desk(line)
    async with desk.run_test(size=(120, 40)) as pilot:
        chart = await begun(desk, line, pilot)
        line.past = StoreFailedError("the history cannot be read")
        line.events.put_nowait(Batch([GAP]))
        await until(pilot, lambda: "bars may be missing" in str(chart.subtitle))
        assert any("the history cannot be read" in note.message for note in desk._notifications)


def test_a_bar_last_heard_of_while_it_formed_gives_way_to_how_it_closed() -> None:
    mirror, bars = Mirror(), [msgspec.structs.replace(bar, closed=True) for bar in scene.bars(count=5)]
    half, after = msgspec.structs.replace(bars[2], closed=False, close=bars[2].open), bars[-1]
    mirror.apply_records([half, after])
    mirror.put_bars(*KEY, bars)
    assert list(mirror.series(*KEY)) == bars
