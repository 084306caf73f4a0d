"""The history: every tick and bar that was recorded or imported, in Parquet partitions and live segments.

One object per process; several processes may read while one writes. Questions are answered from what
is compacted and from what is still in segments, so they are as current as the recorder's last flush.
This module must not know of processes, of HTTP or of who asks.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pyarrow as pa

from data import compaction, derive, partitions
from data.closes import Closes
from data.compaction import CompactionReport
from data.live import LiveTail
from data.manifest import Change, Imported, Manifest, State
from data.partitions import Part
from data.problems import InvalidRequestError, StoreFailedError
from data.records import Bar, PriceSide, Quote, Trade
from data.rows import KINDS, Kind, Rows, Series, joined
from data.rows_of import bars_to_rows, quotes_of, trades_of
from data.timeframes import timeframe

if TYPE_CHECKING:
    from data.console import SqlResult

_RETRIES = 8


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """One series that the history holds: what, how much, from when to when, and whose."""

    series: Series
    rows: int
    first: int  #: ns UTC
    last: int
    size: int  #: bytes in partitions
    live_rows: int = 0  #: of ``rows``: those still in segments


@dataclass(frozen=True, slots=True)
class Holdings:
    """What counts at one moment: partition files and live rows of every series."""

    parts: dict[Series, list[Part]]
    live: dict[Series, list[Rows]]

    def series(self) -> list[Series]:
        """Return all series there are."""
        return list(dict.fromkeys([*self.parts, *self.live]))


class History:
    """The history in a folder (``Home.history``). Its methods block on the disk; call them in a thread.

    Args:
        root: The folder; it need not exist yet.
        clock: ns UTC; decides which bar is still forming.
    """

    def __init__(self, root: Path, *, clock: Callable[[], int] = time.time_ns) -> None:
        self.root = root
        self.clock = clock
        self._manifest = Manifest(root)
        self._live = LiveTail(root / "segments")

    # ------------------------------------------------------------ what there is

    def holdings(self) -> Holdings:
        """Return what counts now: no row missing, none twice, whoever compacts meanwhile.

        Raises:
            StoreFailedError: The history cannot be read.
        """
        for _ in range(_RETRIES):
            try:
                live = self._live.read()
                state = self._manifest.state()
            except FileNotFoundError:
                continue
            # A segment that is gone by now may have been absorbed before we read the manifest.
            if all(path.exists() for path in live):
                return _holdings(
                    state, {f"{path.parent.name}/{path.name}": found for path, found in live.items()}
                )
        raise StoreFailedError("the history changes faster than it can be read", fix="try again")

    def catalogue(self) -> list[Holding]:
        """Return every series held, by instrument, kind and timeframe.

        Raises:
            StoreFailedError: The history cannot be read.
        """
        holdings = self.holdings()
        found = []
        for series in holdings.series():
            parts, live = holdings.parts.get(series, []), holdings.live.get(series, [])
            firsts = [part.first for part in parts] + [int(rows.ts.min()) for rows in live]
            lasts = [part.last for part in parts] + [int(rows.ts.max()) for rows in live]
            live_rows = sum(len(rows) for rows in live)
            found.append(
                Holding(
                    series=series,
                    rows=sum(part.rows for part in parts) + live_rows,
                    first=min(firsts),
                    last=max(lasts),
                    size=sum(part.size for part in parts),
                    live_rows=live_rows,
                )
            )
        return sorted(found, key=lambda one: _order(one.series))

    def paths(self, kind: Kind) -> list[Path]:
        """Return the partition files of a kind that count now."""
        return [
            self.root / part.path
            for part in self._manifest.state().parts.values()
            if part.series.kind == kind
        ]

    # ------------------------------------------------------------ reading

    def rows(self, series: Series, start: int | None = None, end: int | None = None) -> Rows | None:
        """Return a series' rows with ``start <= ts < end`` in order of time; None if there are none.

        Raises:
            StoreFailedError: The history cannot be read.
        """
        return self._retried(lambda holdings: read_series(self.root, holdings, series, start, end))

    def stream(
        self, series: Series, start: int | None = None, end: int | None = None, batch_rows: int = 65_536
    ) -> Iterator[Rows]:
        """Yield a series in order of time, one period in memory at a time, ``batch_rows`` at most a batch.

        What is recorded while the iteration runs is not part of it.

        Raises:
            StoreFailedError: The history cannot be read.
        """
        holdings = self.holdings()
        for begin, stop in derive.stretches(derive.spans(holdings, [series]), start, end):
            # Compaction may replace files while we go: each stretch is read from what counts then.
            rows = self.rows(series, begin, stop)
            if rows is not None:
                yield from (rows.take(slice(at, at + batch_rows)) for at in range(0, len(rows), batch_rows))

    def bars(
        self,
        instrument: str,
        period: str,
        *,
        start: int | None = None,
        end: int | None = None,
        limit: int = 500,
        side: PriceSide | None = None,
        engine: str | None = None,
        source: str | None = None,
    ) -> list[Bar]:
        """Return the last ``limit`` bars with ``start <= ts < end``, oldest first.

        Bars come from stored bars of this or a shorter timeframe and from ticks; a stored bar counts
        before one that is derived for the same period. The bar of the present period is not closed.

        Args:
            instrument: Its id.
            period: A timeframe such as ``15s``, ``1m``, ``4h``, ``1d``, ``1w``.
            start, end: ns UTC; None: all there is.
            limit: How many bars at most, at least 1.
            side: Which price; None: the side that reaches back furthest.
            engine: Whose recordings; None: the engine that recorded last. Imports count always.
            source: Only this source, e.g. ``import``.

        Raises:
            NotFoundError: There is nothing this timeframe and side can be made of; says what there is.
            InvalidRequestError: No such timeframe, or a limit below 1.
            StoreFailedError: The history cannot be read.
        """
        ask = _question(instrument, period, start, end, limit, side, engine, source)
        return self._retried(
            lambda holdings: derive.bars(ask, holdings, self._reader(holdings), self.clock())
        )

    def closes(
        self,
        instrument: str,
        period: str,
        *,
        end: int | None = None,
        limit: int = 500,
        engine: str | None = None,
    ) -> Closes:
        """Return the closing prices of the last closed bars with ``ts < end``, as floats for statistics.

        The bars are those of ``bars``, which also says what is raised.
        """
        ask = _question(instrument, period, None, end, limit, None, engine, None)
        return self._retried(
            lambda holdings: derive.closes(ask, holdings, self._reader(holdings), self.clock())
        )

    def _reader(self, holdings: Holdings) -> derive.Read:
        def read(
            one: Series, low: int | None, high: int | None, columns: Collection[str] | None
        ) -> Rows | None:
            return read_series(self.root, holdings, one, low, high, columns)

        return read

    def quotes(
        self,
        instrument: str,
        *,
        start: int | None = None,
        end: int | None = None,
        limit: int = 1000,
        engine: str | None = None,
    ) -> list[Quote]:
        """Return the last ``limit`` quotes with ``start <= ts < end``, oldest first."""
        return [
            record
            for series, rows in self._last_rows("quotes", instrument, start, end, limit, engine)
            for record in quotes_of(series, rows)
        ]

    def trades(
        self,
        instrument: str,
        *,
        start: int | None = None,
        end: int | None = None,
        limit: int = 1000,
        engine: str | None = None,
    ) -> list[Trade]:
        """Return the last ``limit`` trades with ``start <= ts < end``, oldest first."""
        return [
            record
            for series, rows in self._last_rows("trades", instrument, start, end, limit, engine)
            for record in trades_of(series, rows)
        ]

    def sql(
        self,
        text: str,
        *,
        limit: int = 1000,
        timeout: float = 10.0,
        relations: Mapping[str, pa.Table] | None = None,
    ) -> SqlResult:
        """Run one read-only query over the views ``quotes``, ``trades``, ``bars``; see ``data.sql``.

        Raises:
            InvalidRequestError: It is no single read-only query, does not parse, or names what is not there.
            UnavailableError: It took too long or too much memory.
            StoreFailedError: The history cannot be read.
        """
        # DuckDB and pandas-free Arrow are loaded by who asks in SQL, not by every reader.
        from data import sql

        def ask(holdings: Holdings) -> SqlResult:
            files: dict[Kind, list[Path]] = {kind: [] for kind in KINDS}
            live: dict[Kind, list[tuple[Series, Rows]]] = {kind: [] for kind in KINDS}
            for series, parts in holdings.parts.items():
                files[series.kind] += [self.root / part.path for part in parts]
            for series, rows in holdings.live.items():
                live[series.kind].append((series, joined(rows)))
            return sql.query(text, self.root, files, live, limit=limit, timeout=timeout, relations=relations)

        return self._retried(ask)

    # ------------------------------------------------------------ writing

    def compact(self) -> CompactionReport:
        """Move closed segments into partitions; see ``data.compaction``.

        Raises:
            StoreFailedError: The disk refused; nothing is lost.
            ConflictError: Another process is writing.
        """
        return compaction.compact(self._manifest, self.clock())

    def write_bars(self, bars: Sequence[Bar]) -> int:
        """Store bars, for instance a simulated market's own past; return how many are new or changed.

        A bar replaces the stored one of the same series and time.

        Raises:
            StoreFailedError: The disk refused; nothing was stored.
            ConflictError: Another process is writing.
        """
        groups: dict[Series, list[Bar]] = defaultdict(list)
        for bar in bars:
            timeframe(bar.timeframe)
            groups[_series_of(bar)].append(bar)
        changed = 0
        with self._manifest.writing() as writer:
            add: list[Part] = []
            drop: list[str] = []
            for series, some in groups.items():
                fresh = bars_to_rows(some)
                old = [part for part in writer.state.parts.values() if part.series == series]
                touched = _touched(series, fresh, old)
                stored = [partitions.read(self.root, part) for part in touched]
                merged, new = derive.replaced(stored, fresh)
                changed += new
                if new:
                    add += partitions.write(self.root, series, merged, [part.path for part in touched])
                    drop += [part.path for part in touched]
            change = Change(add=tuple(add), drop=tuple(drop))
            if add:
                writer.commit(change)
                writer.delete_dropped(change, lambda name: self.root / "segments" / name)
        return changed

    def add(
        self,
        rows: Sequence[tuple[Series, Rows]],
        imported: Imported | None = None,
        *,
        new: Callable[[Series, Rows, Rows | None], Rows] | None = None,
    ) -> int:
        """Store rows at once, as one commit, and return how many.

        Args:
            rows: By series.
            imported: The import they came from; remembered.
            new: Given a series, its rows and what is stored for the same time, returns the rows to add.

        Raises:
            StoreFailedError: The disk refused; nothing was stored.
            ConflictError: Another process is writing.
        """
        with self._manifest.writing() as writer:
            held = _holdings(writer.state, {})
            inputs = () if imported is None else (imported.key,)
            parts: list[Part] = []
            for series, some in rows:
                if new is not None and len(some):
                    first, last = int(some.ts.min()), int(some.ts.max()) + 1
                    some = new(series, some, read_series(self.root, held, series, first, last))
                if len(some):
                    parts += partitions.write(self.root, series, some, inputs)
            if imported is not None:
                imported = msgspec.structs.replace(imported, rows=sum(part.rows for part in parts))
            writer.commit(Change(add=tuple(parts), imported=() if imported is None else (imported,)))
        return sum(part.rows for part in parts)

    def import_of(self, key: str) -> Imported | None:
        """Return the import of this key; None if there was none."""
        return self._manifest.state().imports.get(key)

    # ------------------------------------------------------------ within

    def _retried[T](self, ask: Callable[[Holdings], T]) -> T:
        """Answer from what counts now; again if compaction replaced a file under the question."""
        for _ in range(_RETRIES):
            try:
                return ask(self.holdings())
            except FileNotFoundError as error:
                gone = error
        raise StoreFailedError(
            f"a file of the history is missing: {gone.filename or gone}",
            fix="run nautilus-tui compact, which strikes it off and says what was lost",
        ) from gone

    def _last_rows(
        self, kind: Kind, instrument: str, start: int | None, end: int | None, limit: int, engine: str | None
    ) -> list[tuple[Series, Rows]]:
        def ask(holdings: Holdings) -> list[tuple[Series, Rows]]:
            chosen = derive.chosen(holdings, kind, instrument, engine, None)
            found = []
            for series in chosen:
                rows = read_last(self.root, holdings, series, start, end, limit)
                if rows is not None and len(rows):
                    found.append((series, rows))
            return _last(found, limit)

        return self._retried(ask)


def _question(
    instrument: str,
    period: str,
    start: int | None,
    end: int | None,
    limit: int,
    side: PriceSide | None,
    engine: str | None,
    source: str | None,
) -> derive.Question:
    to = timeframe(period)
    if limit < 1:
        raise InvalidRequestError(f"limit {limit}", rule="at least 1", field="limit", value=str(limit))
    return derive.Question(instrument, to, start, end, limit, side, engine, source)


def read_series(
    root: Path,
    holdings: Holdings,
    series: Series,
    start: int | None,
    end: int | None,
    columns: Collection[str] | None = None,
) -> Rows | None:
    """Return a series' rows of ``[start, end)`` in order of time; None if there are none."""
    found = [
        partitions.read(root, part, start, end, columns)
        for part in sorted(holdings.parts.get(series, []), key=lambda part: part.first)
        if _overlaps(part.first, part.last, start, end)
    ]
    for rows in holdings.live.get(series, []):
        found.append((rows if columns is None else rows.only(columns)).in_order().between(start, end))
    found = [rows for rows in found if len(rows)]
    return joined(found).in_order() if found else None


def read_last(
    root: Path, holdings: Holdings, series: Series, start: int | None, end: int | None, limit: int
) -> Rows | None:
    """Return the last ``limit`` rows of ``[start, end)``, reading no more files than that takes."""
    live = read_series(root, Holdings({}, holdings.live), series, start, end)
    found = [] if live is None else [live]
    count = 0 if live is None else len(live)
    parts = [p for p in holdings.parts.get(series, []) if _overlaps(p.first, p.last, start, end)]
    reached: int | None = None
    for part in sorted(parts, key=lambda part: part.last, reverse=True):
        if count >= limit and reached is not None and part.last < reached:
            break
        rows = partitions.read(root, part, start, end)
        found.append(rows)
        count += len(rows)
        reached = min(part.first, reached if reached is not None else part.first)
    found = [rows for rows in found if len(rows)]
    return joined(found[::-1]).in_order().take(slice(-limit, None)) if found else None


def _holdings(state: State, live: Mapping[str, Mapping[Series, list[Rows]]]) -> Holdings:
    parts: dict[Series, list[Part]] = defaultdict(list)
    for part in state.parts.values():
        parts[part.series].append(part)
    rows: dict[Series, list[Rows]] = defaultdict(list)
    for name, found in live.items():
        if name not in state.absorbed:
            for series, some in found.items():
                rows[series] += some
    return Holdings(dict(parts), dict(rows))


def _overlaps(first: int, last: int, start: int | None, end: int | None) -> bool:
    return (end is None or first < end) and (start is None or last >= start)


def _order(series: Series) -> tuple[str, str, int, str, str]:
    width = 0 if series.timeframe is None else timeframe(series.timeframe).width
    return series.instrument, series.kind, width, series.side or "", series.engine or ""


def _series_of(bar: Bar) -> Series:
    return Series(
        kind="bars",
        instrument=bar.instrument,
        timeframe=bar.timeframe,
        side=bar.side,
        source=bar.source,
        engine=bar.engine,
        synthetic=bar.synthetic,
    )


def _touched(series: Series, fresh: Rows, parts: Sequence[Part]) -> list[Part]:
    """Return the parts whose periods the rows fall into."""
    hit = set(partitions.periods(series, fresh.ts).tolist())
    return [
        part for part in parts if int(partitions.periods(series, np.array([part.first], np.int64))[0]) in hit
    ]


def _last(found: list[tuple[Series, Rows]], limit: int) -> list[tuple[Series, Rows]]:
    """Return the last ``limit`` rows over all series, by time; series are told apart row by row."""
    if len(found) < 2:
        return found
    places = sorted(
        (ts, number, at) for number, (_, rows) in enumerate(found) for at, ts in enumerate(rows.ts.tolist())
    )[-limit:]
    return [(found[number][0], found[number][1].take(slice(at, at + 1))) for _, number, at in places]
