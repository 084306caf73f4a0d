"""FRED's client against a server on loopback, and against its twin with a clock that stands."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from data import forms
from providers.core.cache import Cache
from providers.core.http import ProviderHttp
from providers.core.ledger import Ledger
from providers.fred.client import Fred
from providers.fred.spec import judge, spec
from providers.settings import ProviderSettings

KEY = "0123456789abcdef0123456789abcdef"
TODAY = dt.date(2026, 11, 27)
Connect = Callable[..., Fred]


def noon(date: dt.date) -> int:
    """Return noon of a day in UTC ns."""
    return int(dt.datetime.combine(date, dt.time(18), dt.UTC).timestamp()) * forms.NANOS


@pytest.fixture
async def connect(tmp_path: Path) -> AsyncIterator[Connect]:
    """Return a function that opens a client of a server's address, which asks as fast as it can."""
    ledger, cache = Ledger(tmp_path / "limits.sqlite"), Cache(tmp_path / "answers.sqlite")
    opened: list[Fred] = []

    def open_client(
        url: str,
        *,
        attempts: int = 1,
        today: dt.date = TODAY,
        now: int | None = None,
        credential: str | None = KEY,
    ) -> Fred:
        settings = ProviderSettings(fred_url=url, deadline_s=5.0)
        quick = dataclasses.replace(spec(settings), spacing_s=0.0, attempts=attempts)
        stands = noon(today) if now is None else now
        http = ProviderHttp(
            quick, judge, ledger=ledger, cache=cache, credential=credential, clock=lambda: stands
        )
        opened.append(Fred(http, settings, key_retry_s=0.01))
        return opened[-1]

    yield open_client
    for client in opened:
        await client.http.close()
    ledger.close()
    cache.close()


@pytest.fixture
async def twin(tmp_path: Path) -> AsyncIterator[Fred]:
    """Return a client of the sandbox twin on a day that stands."""
    ledger, cache = Ledger(tmp_path / "twin-limits.sqlite"), Cache(tmp_path / "twin-answers.sqlite")
    settings = ProviderSettings(profile="demo")
    client = Fred.open(settings, ledger=ledger, cache=cache, clock=lambda: noon(TODAY))
    yield client
    await client.http.close()
    ledger.close()
    cache.close()
