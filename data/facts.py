"""Where a fact comes from, as of when, and how the providers of facts are: the base of what they tell.

Every fact that a provider told carries its source, the date as of which it was known and the time
at which it was fetched, down to the single observation. This module must not know any provider.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

ProviderState = Literal["ok", "degraded", "down", "not_configured", "unknown"]


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", gc=False):
    """Base of all records; ``type`` on the wire is the struct's tag.

    A record cannot hold itself, so the garbage collector need not look at the many that are kept.
    """


class Fact(Record, frozen=True, kw_only=True):
    """Base of everything a provider told, or that was computed from what one told."""

    source: str  #: ``fred``, ``alpha_vantage``, ``edgar``; their twins' names end in ``-sandbox``
    as_of: dt.date  #: the date on which this was the latest that was known
    fetched_at: int  #: UTC ns; of something computed: the oldest of what it was computed from
    synthetic: bool  #: it comes from a sandbox twin and says nothing about the world
    stale: str | None = None  #: why the last good value is shown, e.g. ``ProviderDown``


class ProviderHealth(Record, frozen=True, kw_only=True, tag="provider_health"):
    """How a provider is, from what was asked of it anyway: health spends no quota. None: not known yet."""

    provider: str
    label: str  #: its name for people
    state: ProviderState
    configured: bool
    synthetic: bool  #: its sandbox twin answers
    reason: str | None = None  #: what is wrong, and what to do
    error: str | None = None  #: the name of the latest error, if nothing was answered since
    breaker: Literal["closed", "open"] = "closed"  #: open: nothing is asked until ``ts_retry``
    ts_retry: int | None = None
    requests: int = 0  #: since the daemon began
    errors: int = 0
    cache_hits: int = 0
    ts_success: int | None = None
    ts_error: int | None = None
    pace: str = ""  #: what the provider allows, in words, e.g. ``2/s``
    quota_limit: int | None = None  #: requests a day; None: not limited by the day
    quota_used: int | None = None
    ts_quota_reset: int | None = None
    ts: int


class FeedHealth(Record, frozen=True, kw_only=True, tag="feed_health"):
    """How an engine's market data is."""

    engine: str
    feed: str  #: where it comes from: ``simulated``, ``replay`` …
    state: ProviderState
    synthetic: bool
    detail: str = ""  #: e.g. ``paused``
    age_ms: float | None = None  #: of the latest price; None: there is none yet
    ts: int


class DataHealth(Record, frozen=True, kw_only=True, tag="data_health"):
    """How every source of data is: the providers of facts and the engines' feeds."""

    state: ProviderState  #: the worst of those that are configured
    problems: tuple[str, ...] = ()
    providers: tuple[ProviderHealth, ...]
    feeds: tuple[FeedHealth, ...]
    ts: int
