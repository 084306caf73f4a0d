"""Questions to the provider, answered in the vocabulary."""

from __future__ import annotations

from typing import Self

from providers.core.cache import Cache
from providers.core.http import ProviderHttp
from providers.core.ledger import Ledger
from providers.settings import ProviderSettings


class Edgar:
    """The client."""

    def __init__(self, http: ProviderHttp, settings: ProviderSettings) -> None:
        self.http = http
        self._settings = settings

    @classmethod
    def open(cls, settings: ProviderSettings, *, ledger: Ledger, cache: Cache) -> Self:
        """Return a client of the provider, or of its twin in the demo profile."""
        raise NotImplementedError
