"""A provider to ask in tests: its specification, and the core's client of it over real files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from data.problems import (
    BadPayloadError,
    ProviderBadRequestError,
    ProviderDownError,
    ProviderNotFoundError,
    ProviderRateLimitedError,
    QuotaExhaustedError,
)
from providers.core.cache import Cache
from providers.core.exchange import Body
from providers.core.http import ProviderHttp
from providers.core.ledger import Ledger
from providers.core.spec import Credential, ProviderSpec

CREDENTIAL = Credential(
    variable="SAMPLE_API_KEY",
    place="query",
    field="api_key",
    fix="set SAMPLE_API_KEY",
    sandbox="sample-sandbox",
)


def sample(**changes: Any) -> ProviderSpec:
    """Return the specification of a provider that does not exist."""
    given: dict[str, Any] = {
        "name": "sample",
        "label": "Sample",
        "credential": CREDENTIAL,
        "spacing_s": 0.0,
        "pace": "as fast as it goes",
        "deadline_s": 2.0,
        "max_bytes": 1_000_000,
        "attempts": 1,
    }
    return ProviderSpec(**{**given, **changes})


def judge(body: Body) -> None:
    """Say what a status stands for, as most providers mean it."""
    if body.status == 429:
        raise ProviderRateLimitedError("too much", retry_after=float(body.retry_after or 1))
    if body.status == 402:
        raise QuotaExhaustedError("the day is used up")
    if body.status == 404:
        raise ProviderNotFoundError("not there")
    if body.status == 400:
        raise ProviderBadRequestError("not understood")
    if body.status >= 500:
        raise ProviderDownError(f"failed with {body.status}", retry_after=0.1)
    if body.status != 200:
        raise BadPayloadError(f"status {body.status}")


class Fact(msgspec.Struct):
    """What the sample provider answers."""

    value: int


def read(body: Body) -> int:
    """Return the fact of a body."""
    try:
        return msgspec.json.decode(body.content, type=Fact).value
    except msgspec.MsgspecError as error:
        raise BadPayloadError(f"not a fact: {error}") from error


@contextmanager
def files(folder: Path) -> Iterator[tuple[Ledger, Cache]]:
    """Open the files that all clients of a home share."""
    with (
        closing(Ledger(folder / "limits.sqlite")) as ledger,
        closing(Cache(folder / "answers.sqlite")) as cache,
    ):
        yield ledger, cache


def client(
    ledger: Ledger,
    cache: Cache,
    spec: ProviderSpec | None = None,
    *,
    credential: str | None = "sample-key-0123456789",
    clock: Callable[[], int] | None = None,
    **changes: Any,
) -> ProviderHttp:
    """Return a client of the sample provider."""
    more: dict[str, Any] = {} if clock is None else {"clock": clock}
    return ProviderHttp(
        spec or sample(**changes), judge, ledger=ledger, cache=cache, credential=credential, **more
    )
