"""Intraday answers under given labels, and when the bars of a series begin."""

from __future__ import annotations

import datetime as dt
import json

from data.fundamentals import PriceSeries


def intraday(labels: list[str], *, interval: str = "5min", zone: str = "US/Eastern") -> bytes:
    """Return an intraday answer with bars under these labels."""
    rows = {
        label: {"1. open": "1.0", "2. high": "2.0", "3. low": "0.5", "4. close": "1.5", "5. volume": "10"}
        for label in labels
    }
    meta = {
        "1. Information": f"Intraday ({interval})",
        "2. Symbol": "IBM",
        "3. Last Refreshed": max(labels),
        "4. Interval": interval,
        "5. Output Size": "Compact",
        "6. Time Zone": zone,
    }
    return json.dumps({"Meta Data": meta, f"Time Series ({interval})": rows}).encode()


def starts(series: PriceSeries) -> list[str]:
    """Return when bars begin, in UTC."""
    return [
        dt.datetime.fromtimestamp(bar.ts // 1_000_000_000, dt.UTC).strftime("%Y-%m-%d %H:%M")
        for bar in series.bars
    ]
