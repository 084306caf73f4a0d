"""All providers of a home, opened together: one ledger, one cache, one client each.

A client is made when it is first asked, because each loads a good deal. This is the only module that
knows all providers. It must not know who asks.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from data.facts import ProviderHealth
from providers.core.cache import Cache
from providers.core.http import ProviderHttp
from providers.core.ledger import Ledger
from providers.settings import ProviderSettings

if TYPE_CHECKING:
    from providers.alpha_vantage.client import AlphaVantage
    from providers.edgar.client import Edgar
    from providers.fred.client import Fred


class Desk:
    """The providers, as an async context manager.

    Args:
        folder: where limits and kept answers live, shared by all processes of a home.
        settings: where the providers are.
    """

    def __init__(self, folder: Path, settings: ProviderSettings | None = None) -> None:
        """Open the files; raises StoreFailedError. Nothing is asked of anyone."""
        self.settings = settings or ProviderSettings()
        self._ledger = Ledger(folder / "limits.sqlite")
        self._cache = Cache(folder / "answers.sqlite")
        self._opened: list[ProviderHttp] = []

    @cached_property
    def fred(self) -> Fred:
        """FRED."""
        from providers.fred.client import Fred

        client = Fred.open(self.settings, ledger=self._ledger, cache=self._cache)
        self._opened.append(client.http)
        return client

    @cached_property
    def alpha_vantage(self) -> AlphaVantage:
        """Alpha Vantage."""
        from providers.alpha_vantage.client import AlphaVantage

        client = AlphaVantage.open(self.settings, ledger=self._ledger, cache=self._cache)
        self._opened.append(client.http)
        return client

    @cached_property
    def edgar(self) -> Edgar:
        """EDGAR."""
        from providers.edgar.client import Edgar

        client = Edgar.open(self.settings, ledger=self._ledger, cache=self._cache)
        self._opened.append(client.http)
        return client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close connections and files."""
        for http in self._opened:
            await http.close()
        self._ledger.close()
        self._cache.close()

    def _all(self) -> tuple[ProviderHttp, ...]:
        return (self.fred.http, self.alpha_vantage.http, self.edgar.http)

    def health(self) -> list[ProviderHealth]:
        """Return how each provider is, without asking any."""
        return [http.health() for http in self._all()]

    def expire(self, provider: str | None = None) -> int:
        """Let no kept answer of a provider, or of all, count as fresh; return how many there are."""
        return sum(http.expire() for http in self._all() if provider in (None, http.spec.name))
