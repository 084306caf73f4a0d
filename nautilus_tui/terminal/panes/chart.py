"""The chart of the selected instrument: candles, volume, moving averages, a crosshair to read them by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size

from data.records import Bar
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.indicators import DAY_NS, ema, sma, vwap
from nautilus_tui.terminal.mirror import BarsState, Kind, Mirror
from nautilus_tui.terminal.panes.positions import sign_style
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import TIMEFRAME_SECONDS, View
from nautilus_tui.terminal.widgets.candles import Candle, Chart, Mark, Overlay, capacity, draw
from nautilus_tui.terminal.widgets.lines import Lines, Part, spread, width_of

#: Averages are computed over this many candles more than are seen.
LOOK_BACK = 300
PITCHES = (1, 2, 3)
#: News alone redraws the chart this often; what the reader does redraws it at once.
CALM_NS = 200_000_000


#: What is said beside bars of which some may be missing.
_DOUBTS: Mapping[BarsState, str] = {"known": "", "asked": "fetching bars", "unknown": "bars may be missing"}


class ChartPane(Lines, can_focus=True):
    """Candles of the selected instrument and timeframe."""

    watches: ClassVar[frozenset[Kind]] = frozenset(
        {"bars", "quotes", "instruments", "orders", "positions", "connection"}
    )
    shows_ages: ClassVar[bool] = False
    TITLE = "Chart"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "crosshair(-1)", "Earlier bar", show=False, id="chart.earlier"),
        Binding("right,l", "crosshair(1)", "Later bar", show=False, id="chart.later"),
        Binding("pageup", "crosshair(-20)", "20 bars earlier", show=False, id="chart.page_earlier"),
        Binding("pagedown", "crosshair(20)", "20 bars later", show=False, id="chart.page_later"),
        Binding("end", "latest", "Latest bar", show=False, id="chart.latest"),
        Binding("plus,equals_sign", "zoom(1)", "Zoom in", show=False, id="chart.zoom_in"),
        Binding("minus", "zoom(-1)", "Zoom out", show=False, id="chart.zoom_out"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._seen: tuple[Mirror, View] | None = None
        self._choice: tuple[object, ...] = ()
        self._sources: list[Bar] = []
        self._candles: list[Candle] = []
        self._pitch = PITCHES[0]
        self._drawn_ns = 0
        self._late = False  #: news came since, and is to be drawn a little later
        self._crosshair: int | None = None  #: start of the bar it is on, UTC nanoseconds

    def on_resize(self, event: events.Resize) -> None:
        """Draw the chart for the new size."""
        super().on_resize(event)
        self._again()

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the bars of the selected instrument."""
        self._seen = (mirror, view)
        if not self.room.area:
            return
        subject = (view.engine, view.instrument, view.timeframe)
        choice = (*subject, view.overlays)
        if choice != self._choice:
            self._choice, self._crosshair = choice, None
        elif 0 < view.now_ns - self._drawn_ns < CALM_NS:
            if not self._late:
                self._late = True
                self.set_timer(CALM_NS / 1e9, self._again)
            return
        self._drawn_ns, self._late = view.now_ns, False
        bars = mirror.series(*subject)
        self._convert(bars)
        self._name_it(bars, view, mirror.series_state(*subject))
        if not self._candles or view.engine is None or view.instrument is None:
            self.set_lines([[], [(f"  {_why_empty(mirror, view)}", "dim")]])
            return
        self.set_lines(self._draw(mirror, view, view.engine, view.instrument, self.room))

    def _again(self) -> None:
        self._drawn_ns = 0
        if self._seen is not None:
            self.refresh_from(*self._seen)

    def _convert(self, bars: Sequence[Bar]) -> None:
        """Keep the candles of bars that are the same; most often only the last one is not."""
        same = min(len(bars), len(self._sources))
        while same and bars[same - 1] is not self._sources[same - 1]:
            same -= 1
        if same and bars[0] is not self._sources[0]:
            same = 0
        del self._candles[same:]
        self._candles += [_candle(bar) for bar in bars[same:]]
        self._sources = list(bars)

    def _name_it(self, bars: Sequence[Bar], view: View, state: BarsState) -> None:
        glyphs = glyphs_of(self.app)
        words = [view.instrument or "no instrument", view.timeframe]
        if bars and bars[-1].side != "last":
            words.append(bars[-1].side)
        self.title = f" {glyphs.dot} ".join(words)
        sim = "SIM" if bars and bars[-1].synthetic else ""
        doubt = _DOUBTS[state] if bars else ""
        self.subtitle = f" {glyphs.dot} ".join(word for word in (doubt, sim) if word)

    def _draw(self, mirror: Mirror, view: View, engine: str, instrument: str, size: Size) -> list[list[Part]]:
        glyphs = glyphs_of(self.app)
        precision = mirror.precision(engine, instrument)
        rules = mirror.instrument(engine, instrument)
        row = mirror.watch_row(engine, instrument)
        seconds = TIMEFRAME_SECONDS.get(view.timeframe, 60)
        count = capacity(self._candles, precision, self._pitch, size.width)
        end = self._end(count)
        start = max(0, end - count)
        overlays = _overlays(self._candles, start, end, view.overlays, seconds)
        at_right = end == len(self._candles)
        last = row.quote.last if row.quote is not None else None
        index = self._crosshair_index()
        chart = Chart(
            candles=self._candles[start:end],
            overlays=overlays,
            marks=_marks(mirror, view, glyphs.cursor),
            precision=precision,
            tick=float(rules.tick_size) if rules is not None else 10.0**-precision,
            bar_seconds=seconds,
            pitch=self._pitch,
            last=float(last) if last is not None and at_right else None,
            last_style=sign_style(row.change),
            crosshair=None if index is None else index - start,
            glyphs=glyphs,
        )
        shown = end - 1 if index is None else index
        readout = _readout(
            self._candles, shown, overlays, shown - start, precision, size.width, index is not None
        )
        return [readout, *draw(chart, size.width, size.height - 1)]

    # ------------------------------------------------------------ crosshair

    def _crosshair_index(self) -> int | None:
        if self._crosshair is None:
            return None
        return next((i for i, c in enumerate(self._candles) if c.ts == self._crosshair), None)

    def _end(self, count: int) -> int:
        """Return the index after the last candle shown: the crosshair stays in sight."""
        index = self._crosshair_index()
        total = len(self._candles)
        if index is None or index >= total - count:
            return total
        return index + count

    def action_crosshair(self, by: int) -> None:
        """Move the crosshair along the bars."""
        if not self._candles:
            return
        at = self._crosshair_index()
        at = len(self._candles) - 1 if at is None else at + by
        self._crosshair = self._candles[max(0, min(len(self._candles) - 1, at))].ts
        self._again()

    def action_latest(self) -> None:
        """Put the crosshair away and show the latest bars."""
        self._crosshair = None
        self._again()

    def action_zoom(self, by: int) -> None:
        """Set candles further apart, or nearer."""
        at = PITCHES.index(self._pitch) + by
        self._pitch = PITCHES[max(0, min(len(PITCHES) - 1, at))]
        self._again()


def _candle(bar: Bar) -> Candle:
    volume = None if bar.volume is None else float(bar.volume)
    return Candle(bar.ts, float(bar.open), float(bar.high), float(bar.low), float(bar.close), volume)


def _overlays(
    candles: Sequence[Candle], start: int, end: int, names: Sequence[str], seconds: int
) -> list[Overlay]:
    """Compute the lines asked for, for the candles from ``start`` to ``end``."""
    # An EMA50 begun 300 bars earlier differs from one begun at the first bar by less than a dot.
    first = max(0, start - LOOK_BACK)
    closes = [c.close for c in candles[first:end]]
    overlays = []
    for name in names:
        if name.startswith("SMA"):
            overlays.append(Overlay(name, "line-0", sma(closes, int(name[3:]))[start - first :]))
        elif name.startswith("EMA"):
            overlays.append(Overlay(name, "line-1", ema(closes, int(name[3:]))[start - first :]))
        elif name == "VWAP":
            overlays.append(_vwap(candles, start, end, seconds))
    return overlays


def _vwap(candles: Sequence[Candle], start: int, end: int, seconds: int) -> Overlay:
    """Compute the VWAP from the start of the day ``start`` is in; a part of a day is named so."""
    first = start
    while first and candles[first - 1].ts // DAY_NS == candles[start].ts // DAY_NS:
        first -= 1
    part = candles[first:end]
    values = vwap(
        [(c.high + c.low + c.close) / 3 for c in part], [c.volume for c in part], [c.ts for c in part]
    )
    partial = first == 0 and candles[0].ts % DAY_NS >= seconds * 1_000_000_000
    name = f"VWAP from {figures.clock(candles[0].ts)[:5]}" if partial else "VWAP"
    return Overlay(name, "line-2", values[start - first :])


def _marks(mirror: Mirror, view: View, sign: str) -> list[Mark]:
    """Return the working orders' and the open position's prices."""
    if view.engine is None:
        return []
    marks = []
    position = mirror.position_of(view.engine, view.instrument)
    if position is not None:
        marks.append(Mark(float(position.position.avg_open), "accent", "="))
    for order in mirror.working_orders(view.engine, view.instrument):
        price = order.price if order.price is not None else order.trigger_price
        if price is not None:
            marks.append(Mark(float(price), order.side, sign))
    return marks


def _readout(
    candles: Sequence[Candle],
    index: int,
    overlays: Sequence[Overlay],
    within: int,
    precision: int,
    width: int,
    dated: bool,
) -> list[Part]:
    """Write the figures of one bar and of the lines there, as much as fits."""
    candle = candles[index]
    before = candles[index - 1].close if index else candle.open
    when: list[Part] = [(f"{figures.day_and_time(candle.ts)}  ", "accent")] if dated else []
    range_: list[Part] = []
    for name, value in (("O", candle.open), ("H", candle.high), ("L", candle.low)):
        range_ += [(f"{name} ", "label"), (f"{value:.{precision}f}  ", "")]
    close: list[Part] = [("C ", "label"), (f"{candle.close:.{precision}f} ", "bright")]
    if before:
        percent = (candle.close / before - 1) * 100
        close.append((f"{percent:+.2f}%  ", "up" if percent > 0 else "down" if percent < 0 else "flat"))
    volume: list[Part] = []
    if candle.volume is not None:
        volume = [("V ", "label"), (f"{figures.compact(candle.volume)}  ", "")]
    names: list[Part] = [(f"{overlay.name} ", overlay.style) for overlay in overlays]
    values: list[Part] = []
    for overlay in overlays:
        level = overlay.values[within] if within < len(overlay.values) else None
        text = figures.DASH if level is None else f"{level:.{precision}f}"
        values += [(f"{overlay.name} ", overlay.style), (f"{text}  ", overlay.style)]
    start: list[Part] = [(" ", "")]
    for left, right in (
        ([*start, *when, *range_, *close, *volume], values),
        ([*start, *when, *range_, *close, *volume], names),
        ([*start, *when, *close, *volume], names),
        ([*start, *when, *close], names),
        ([*start, *when, *close], []),
    ):
        if width_of(left) + width_of(right) <= width:
            break
    return spread(left, right, width)


def _why_empty(mirror: Mirror, view: View) -> str:
    if view.instrument is None:
        return "No instrument is selected: move the cursor in the watchlist."
    if mirror.connection.state != "connected":
        return "No daemon is connected, so there are no bars."
    state = mirror.series_state(view.engine, view.instrument, view.timeframe)
    if state == "asked":
        return f"Fetching the {view.timeframe} bars of {view.instrument} from the history."
    if state == "unknown":
        return f"The {view.timeframe} bars of {view.instrument} could not be fetched. [ and ] ask again."
    return f"No {view.timeframe} bars of {view.instrument} yet. [ and ] change the timeframe."
