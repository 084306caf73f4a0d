"""How far long work has come, told as it goes: backtests, backfills of the history, deployments.

Progress is what has been processed, never time that has passed. This module must not know who
does the work.
"""

from __future__ import annotations

from typing import Literal

from data.facts import Record

WorkState = Literal["waiting", "running", "done", "failed", "stopped"]


class BackfillProgress(Record, frozen=True, kw_only=True, tag="backfill_progress"):
    """How far the history has been filled from a file or a provider."""

    id: str  #: the command's
    source: str  #: ``file``, or the provider's name
    instrument: str
    kind: str | None = None  #: ``bars``, ``quotes``, ``trades``; None: not known yet
    timeframe: str | None = None
    state: WorkState
    rows_read: int = 0
    rows_stored: int = 0  #: 0 until the work is done: a backfill is stored whole or not at all
    done: int = 0  #: of ``total``, in ``unit``
    total: int | None = None  #: None: not known yet
    unit: Literal["bytes", "rows", "days"] = "bytes"
    problem: str | None = None
    ts: int


class BacktestProgress(Record, frozen=True, kw_only=True, tag="backtest_progress"):
    """How far a backtest has come through its data."""

    id: str
    strategy: str
    state: WorkState
    events_done: int = 0
    events_total: int | None = None
    ts_market: int = 0  #: market time reached; 0: none yet
    problem: str | None = None
    ts: int


class StrategyUpdate(Record, frozen=True, kw_only=True, tag="strategy_update"):
    """A strategy's version or deployment changed its state."""

    strategy: str
    version: str  #: commit hash
    deployment_id: str | None = None
    engine: str | None = None
    stage: str  #: of the pipeline, or of the deployment
    state: WorkState
    detail: str | None = None
    by: str | None = None
    ts: int
