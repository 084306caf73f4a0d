"""Clients of EDGAR over a server on loopback, and over the twin."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from providers.core.cache import Cache
from providers.core.ledger import Ledger
from providers.edgar import wire
from providers.edgar.client import Edgar
from providers.settings import ProviderSettings
from tests.providers.replay import Replay

AGENT = "Test House tests@example.com"
#: 2026-11-28, noon in UTC.
NOW = 1_795_867_200_000_000_000

Open = Callable[[Replay], Edgar]


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[Ledger, Cache]]:
    """A record of requests and a cache of their own."""
    ledger, cache = Ledger(tmp_path / "limits.sqlite"), Cache(tmp_path / "answers.sqlite")
    yield ledger, cache
    ledger.close()
    cache.close()


@pytest.fixture
async def edgar_at(
    stores: tuple[Ledger, Cache], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[[Replay], Edgar]]:
    """Open clients of a server on loopback, which needs no distance between requests."""
    monkeypatch.setenv("SEC_USER_AGENT", AGENT)
    monkeypatch.setattr(wire, "SPACING_S", 0.0)
    ledger, cache = stores
    async with AsyncExitStack() as stack:

        def open_at(server: Replay) -> Edgar:
            settings = ProviderSettings(
                edgar_data_url=server.url, edgar_www_url=server.url, edgar_efts_url=server.url
            )
            client = Edgar.open(settings, ledger=ledger, cache=cache)
            stack.push_async_callback(client.http.close)
            return client

        yield open_at


@pytest.fixture
async def twin(stores: tuple[Ledger, Cache]) -> AsyncIterator[Edgar]:
    """A client of the twin on a fixed day."""
    ledger, cache = stores
    settings = ProviderSettings(profile="demo")
    client = Edgar.open(settings, ledger=ledger, cache=cache, clock=lambda: NOW)
    yield client
    await client.http.close()
