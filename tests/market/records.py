"""Reads the market records that lie beside the repository, without the code under test."""

from __future__ import annotations

import csv
import gzip
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from engines.market.tape import BarRows

RECORDS = Path(__file__).resolve().parents[2].parent / "shared" / "records" / "market" / "nautilus"
SCALE = 5


def gbpusd_rows(side: str, limit: int | None = None) -> list[dict[str, str]]:
    """Return the rows of the GBPUSD minute bars of one side as they are in the file."""
    path = RECORDS / f"fxcm__gbpusd-m1-{side}-2012.csv.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    with gzip.open(path, "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    return rows if limit is None else rows[:limit]


def nanoseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000


def whole(text: str) -> int:
    return int(Decimal(text).scaleb(SCALE))


def bar_rows(rows: list[dict[str, str]], side: str, instrument: str = "GBPUSD.SIM") -> BarRows:
    """Return rows of the file as the tape takes them."""

    def column(name: str) -> np.ndarray:
        return np.array([whole(row[name]) for row in rows], np.int64)

    return BarRows(
        instrument,
        "bid" if side == "bid" else "ask",
        60_000_000_000,
        np.array([nanoseconds(row["timestamp"]) for row in rows], np.int64),
        column("open"),
        column("high"),
        column("low"),
        column("close"),
        SCALE,
    )
