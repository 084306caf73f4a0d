"""Benches of the history: recording, ingest, bytes on disk, bars of a symbol-day, beside PostgreSQL.

PostgreSQL is asked over ``psql`` at ``PGHOST`` (localhost) in the database ``PGDATABASE`` (test); where
there is none the rows say so and have no peer. Both get the same rows. This module must not know of
processes or screens.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np

from data.history import History
from data.rows import Number, Rows, Series
from data.segments import Origin, SegmentWriter
from data.timeframes import DAY
from nautilus_tui.bench.rows import BenchRow, row

_SYMBOLS = ("AAPL.SIM", "EURUSD.SIM", "ES.SIM", "BTCUSD.SIM", "CL.SIM")
_PER_DAY = 1_000_000  #: quotes of one symbol and day
_RECORDED = 300_000
_FIRST_DAY = 20_000 * DAY
_PATIENCE_S = 900


class _NoPeerError(Exception):
    """There is no PostgreSQL to measure against; the message says why."""


def run(scale: int = 1) -> list[BenchRow]:
    """Measure the store; ``scale`` is the number of days of five million quotes each."""
    with tempfile.TemporaryDirectory(prefix="nautilus-bench-") as folder:
        root = Path(folder)
        history = History(root / "history")
        seconds = _ingest(history, scale)
        quotes = scale * _PER_DAY * len(_SYMBOLS)
        size = sum(holding.size for holding in history.catalogue())
        bars_ms = _bars(history)
        try:
            with _postgres(root, history) as ask:
                copied, heap, asked_ms = ask
            missing = ""
            peers = (quotes / copied, heap / quotes, asked_ms)
        except _NoPeerError as error:
            missing, peers = f"; no peer: {error}", None
        recorded, compacted = _recorder(root / "recorder")
    return [
        row(
            "history ingest, columnar batches",
            quotes / seconds,
            "quotes/s",
            better="more",
            limit=1e6,
            goal="≥ 1 M quotes/s",
            peer=("PostgreSQL COPY of the same rows as CSV", peers[0]) if peers else None,
            detail=f"{quotes:,} quotes, written, synced, read back and compared{missing}",
        ),
        row(
            "bytes per quote on disk",
            size / quotes,
            "bytes",
            better="less",
            limit=8,
            goal="≤ 8 bytes",
            peer=("PostgreSQL heap, without its index", peers[1]) if peers else None,
            detail=f"event time in ns, receipt lag, bid, ask and sizes exact{missing}",
        ),
        row(
            f"1-minute bars of one symbol-day out of {quotes / 1e6:g} M quotes",
            bars_ms,
            "ms",
            better="less",
            limit=30,
            goal="≤ 30 ms",
            peer=("PostgreSQL with an index on instrument and time", peers[2]) if peers else None,
            detail=f"{_PER_DAY:,} quotes read, 1,440 bars as records, median of 9{missing}",
        ),
        row(
            "recorder in the engine, tick by tick",
            _RECORDED / recorded,
            "quotes/s",
            better="more",
            detail="one call a quote, a flush every 1,000, checksummed frames on disk",
        ),
        row(
            "compaction of recorded segments",
            _RECORDED / compacted,
            "quotes/s",
            better="more",
            detail="segments read, partitions written, read back, compared, segments deleted",
        ),
    ]


def _ingest(history: History, days: int) -> float:
    """Store the market and return the seconds that storing took, without making it up."""
    spent = 0.0
    for day in range(days):
        for number, symbol in enumerate(_SYMBOLS):
            series = Series(
                kind="quotes", instrument=symbol, source="simulated", engine="bench", synthetic=True
            )
            rows = _market(day, number)
            began = time.perf_counter()
            history.add([(series, rows)])
            spent += time.perf_counter() - began
    return spent


def _market(day: int, seed: int) -> Rows:
    """Return a symbol-day of quotes: a price that walks, a spread of one to three ticks."""
    random = np.random.default_rng((seed, day))
    gaps = random.exponential(1.0, _PER_DAY)
    ts = _FIRST_DAY + day * DAY + (np.cumsum(gaps) / gaps.sum() * (DAY - 1)).astype(np.int64)
    walk = np.cumsum(random.integers(-1, 2, _PER_DAY) * (random.random(_PER_DAY) < 0.5))
    bid = 100_000 * (seed + 1) + walk
    sizes = [random.integers(1, 20, _PER_DAY) * 100 for _ in range(2)]
    return Rows(
        "quotes",
        ts,
        {
            "bid": Number(bid, 2),
            "ask": Number(bid + random.integers(1, 4, _PER_DAY), 2),
            "bid_size": Number(sizes[0], 0),
            "ask_size": Number(sizes[1], 0),
        },
        {"lag": random.gamma(2.0, 20_000, _PER_DAY).astype(np.int64)},
    )


def _bars(history: History) -> float:
    def ask() -> None:
        start = _FIRST_DAY
        found = history.bars(_SYMBOLS[1], "1m", start=start, end=start + DAY, side="bid", limit=1440)
        assert len(found) == 1440

    return _median_ms(ask)


def _median_ms(ask: Callable[[], object]) -> float:
    ask()
    times = []
    for _ in range(9):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times)


def _recorder(root: Path) -> tuple[float, float]:
    """Return the seconds of recording and of compacting what was recorded."""
    origin = Origin(engine="bench", source="simulated", synthetic=True)
    writer = SegmentWriter(root / "segments" / "bench", origin)
    writer.instrument("AAPL.SIM", 2, 0)
    rows = _market(0, 0).take(slice(0, _RECORDED))
    bids, asks = rows.numbers["bid"].wholes.tolist(), rows.numbers["ask"].wholes.tolist()
    times = rows.ts.tolist()
    began = time.perf_counter()
    for number, (ts, bid, ask) in enumerate(zip(times, bids, asks, strict=True), 1):
        writer.quote("AAPL.SIM", bid, ask, 100, 200, ts, ts + 20_000)
        if number % 1000 == 0:
            writer.flush()
    writer.close()
    recorded = time.perf_counter() - began
    report = History(root).compact()
    assert report.rows == _RECORDED
    return recorded, report.seconds


# ---------------------------------------------------------------- the peer


@contextmanager
def _postgres(root: Path, history: History) -> Iterator[tuple[float, float, float]]:
    """Yield seconds of COPY, bytes of the heap, and ms of the bars query in a table of its own."""
    table = f"nautilus_bench_{os.getpid()}"
    _psql("SELECT 1")
    text = root / "quotes.csv"
    files = ", ".join(f"'{path}'" for path in history.paths("quotes"))
    with duckdb.connect() as base:
        base.execute(
            "SET enable_progress_bar = false;"
            " COPY (SELECT instrument, epoch_ns(ts), epoch_ns(ts) + lag, bid, ask, bid_size, ask_size,"
            f" synthetic, source, engine FROM read_parquet([{files}])) TO '{text}' (FORMAT csv, HEADER false)"
        )
    try:
        _psql(
            f"CREATE TABLE {table} (instrument text, ts bigint, ts_recv bigint, bid numeric(18,5),"
            " ask numeric(18,5), bid_size numeric(18,5), ask_size numeric(18,5), synthetic boolean,"
            " source text, engine text)"
        )
        began = time.perf_counter()
        _psql(f"\\copy {table} FROM '{text}' CSV")
        copied = time.perf_counter() - began
        heap = float(_psql(f"SELECT pg_relation_size('{table}')"))
        _psql(f"CREATE INDEX ON {table} (instrument, ts)", f"ANALYZE {table}")
        yield copied, heap, _postgres_bars(table)
    finally:
        _psql(f"DROP TABLE IF EXISTS {table}")


def _postgres_bars(table: str) -> float:
    """Return the ms that PostgreSQL itself reports for the same bars, without psql's start."""
    minute = "ts / 60000000000"
    query = (
        f"SELECT {minute}, (array_agg(bid ORDER BY ts))[1], max(bid), min(bid),"
        f" (array_agg(bid ORDER BY ts DESC))[1], count(*) FROM {table}"
        f" WHERE instrument = '{_SYMBOLS[1]}' AND ts >= {_FIRST_DAY} AND ts < {_FIRST_DAY + DAY} GROUP BY 1"
    )
    times = []
    for _ in range(3):
        said = _psql("SET max_parallel_workers_per_gather = 2", f"EXPLAIN (ANALYZE, TIMING OFF) {query}")
        took = next(line for line in said.splitlines() if line.startswith("Execution Time"))
        times.append(float(took.split()[2]))
    return statistics.median(times)


def _psql(*commands: str) -> str:
    program = shutil.which("psql")
    if program is None:
        raise _NoPeerError("psql is not installed")
    settings = {"PGHOST": "localhost", "PGDATABASE": "test", "PGCONNECT_TIMEOUT": "3"}
    asked = [part for command in commands for part in ("-c", command)]
    done = subprocess.run(
        [program, "-X", "-A", "-t", "-q", "-w", "-v", "ON_ERROR_STOP=1", *asked],
        env=settings | dict(os.environ),
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    if done.returncode:
        raise _NoPeerError((done.stderr.strip().splitlines() or ["psql failed"])[0])
    return done.stdout.strip()
