"""Returns that tests measure: drawn with a seed, or what the market really did."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import polars as pl

from risk.measures.sample import Floats

RECORDS = Path(__file__).parents[3] / "shared" / "records" / "market" / "pypi"
INDEX_FILE = RECORDS / "arch__sp500.csv.gz"
STOCKS_FILE = RECORDS / "bokeh_sampledata__stocks.csv.gz"


def drawn(seed: int = 7, count: int = 600, degrees: float = 4.0) -> Floats:
    """Return daily returns with heavy tails and about 16 % volatility."""
    generator = np.random.default_rng(seed)
    return 0.0004 + 0.007 * generator.standard_t(degrees, count)


def index() -> pl.DataFrame:
    """Return the S&P 500's closes, 1999 to 2018."""
    table = pl.read_csv(gzip.decompress(INDEX_FILE.read_bytes()))
    return table.with_columns(pl.col("Date").str.to_date("%m/%d/%Y"))


def index_returns() -> Floats:
    """Return the S&P 500's daily returns, 1999 to 2018."""
    close = index()["Adj Close"].to_numpy()
    returns: Floats = close[1:] / close[:-1] - 1.0
    return returns


def stock_returns() -> Floats:
    """Return daily returns of five stocks, 2012 to 2013: a row a day, a column a stock."""
    table = pl.read_csv(gzip.decompress(STOCKS_FILE.read_bytes()), infer_schema_length=None)
    wide = table.pivot("Ticker", index="Date", values="Adj Close").drop_nulls().sort("Date").drop("Date")
    prices = wide.to_numpy()
    returns: Floats = prices[1:] / prices[:-1] - 1.0
    return returns
