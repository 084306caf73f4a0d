"""A client of Alpha Vantage over a loopback server, with a key, and files of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from providers.alpha_vantage.client import AlphaVantage
from providers.core.cache import Cache
from providers.core.ledger import Ledger
from providers.settings import ProviderSettings
from tests.providers.replay import Replay, Request, recorded

KEY = "KZ4QWERTY77ABCDE"
JSON, CSV = "application/json", "application/x-download"
Given = bytes | tuple[int, str, bytes]


@pytest.fixture
def server() -> Iterator[Replay]:
    """A server without an answer yet."""
    with Replay() as replay:
        yield replay


@pytest.fixture
async def clients(
    server: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., AlphaVantage]]:
    """Makes clients of the server; all of them have the same files, as after a restart."""
    monkeypatch.setenv("ALPHA_VANTAGE_API_KEY", KEY)
    opened: list[tuple[AlphaVantage, Ledger, Cache]] = []

    def make(**settings: object) -> AlphaVantage:
        given = {"alpha_vantage_url": server.url, "alpha_vantage_spacing_s": 0.01, **settings}
        ledger, cache = Ledger(tmp_path / "limits.sqlite"), Cache(tmp_path / "answers.sqlite")
        client = AlphaVantage.open(ProviderSettings(**given), ledger=ledger, cache=cache)  # type: ignore[arg-type] # one of each field
        opened.append((client, ledger, cache))
        return client

    yield make
    for client, ledger, cache in opened:
        await client.http.close()
        ledger.close()
        cache.close()


@pytest.fixture
def vantage(clients: Callable[..., AlphaVantage]) -> AlphaVantage:
    """One client."""
    return clients()


def body(name: str) -> tuple[int, str, bytes]:
    """Return a recorded answer of the demo key."""
    return 200, CSV if name.endswith(".csv") else JSON, recorded(f"alpha_vantage/demo_2026/{name}")


def refusal(name: str) -> bytes:
    """Return a recorded refusal."""
    return recorded(f"alpha_vantage/errors/{name}.json")


def by_function(answers: dict[str, Given], otherwise: Given) -> Callable[[Request], Given]:
    """Return a route that answers by function, or by function and output size."""

    def route(request: Request) -> Given:
        function, size = request.query["function"], request.query.get("outputsize", "")
        return answers.get(f"{function} {size}", answers.get(function, otherwise))

    return route
