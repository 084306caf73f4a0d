"""Small markets that the tests of the history record, and where recorded data lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.segments import Origin, SegmentWriter

ROOT = Path(__file__).resolve().parents[2]
RECORDS = ROOT.parent / "shared" / "records" / "market"
START = 1_780_000_000_000_000_000
STEP = 100_000_000
PAPER = Origin(engine="paper-1", source="simulated", synthetic=True)


def recorded(name: str) -> Path:
    """Return a recorded file; skips the test where there is none."""
    path = RECORDS / name
    if not path.exists():
        pytest.skip(f"no recorded data {name}")
    return path


def writer(root: Path, origin: Origin = PAPER, **options: object) -> SegmentWriter:
    """Return a writer that knows two instruments."""
    book = SegmentWriter(root / "segments" / origin.engine, origin, **options)  # type: ignore[arg-type]  # any option
    book.instrument("AAPL.SIM", 2, 0)
    book.instrument("EURUSD.SIM", 5, 0)
    return book


def quote(book: SegmentWriter, number: int, instrument: str = "AAPL.SIM", step: int = STEP) -> None:
    """Record the quote of this number: its values follow from the number alone."""
    ts = START + number * step
    bid = 10_000 + (number * 7919) % 200
    book.quote(instrument, bid, bid + 1 + number % 3, 100 + number % 5, 200, ts, ts + 1500)


def trade(book: SegmentWriter, number: int, instrument: str = "AAPL.SIM", step: int = STEP) -> None:
    """Record the trade of this number."""
    ts = START + number * step
    book.trade(instrument, 10_000 + number % 200, 1 + number % 9, number % 3, f"T{number}", ts, ts + 900)
