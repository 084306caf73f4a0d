"""What the core has to know of a provider: its name, its pace, its quota and its credential.

This module must not know how any of it is enforced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a provider wants to know who asks, and where it wants it."""

    variable: str  #: the environment variable; also the name in the OS keyring
    place: Literal["query", "header"]
    field: str  #: the parameter or header
    fix: str  #: what to do to get one
    sandbox: str  #: what its twin is given


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """A provider as the core sees it."""

    name: str
    label: str  #: its name for people
    credential: Credential
    spacing_s: float  #: least time between two requests, over all processes of the home
    pace: str  #: the same in words
    daily_quota: int | None = None  #: requests a day of one key
    quota_timezone: str = "UTC"  #: where the quota's day ends at midnight
    deadline_s: float = 30.0  #: for one whole answer
    max_bytes: int = 16_000_000  #: of one answer, decompressed
    attempts: int = 3
    headers: Mapping[str, str] | None = None
