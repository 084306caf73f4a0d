"""Every shape of an answer, all of them HTTP 200: what it stands for, and that it is not kept."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from data.problems import (
    BadPayloadError,
    NotConfiguredError,
    NotEntitledError,
    ProviderBadRequestError,
    ProviderDownError,
    ProviderError,
    ProviderNotFoundError,
    ProviderRateLimitedError,
    QuotaExhaustedError,
)
from providers.alpha_vantage import shapes
from providers.alpha_vantage.client import AlphaVantage
from providers.core.exchange import Body
from tests.providers.alpha_vantage.conftest import CSV, KEY, body, refusal
from tests.providers.replay import Replay

Clients = Callable[..., AlphaVantage]


def kept(folder: Path) -> int:
    """Return how many answers are in the cache's file."""
    with closing(sqlite3.connect(folder / "answers.sqlite")) as db:
        return int(db.execute("SELECT count(*) FROM answers").fetchone()[0])


def files(folder: Path) -> dict[str, bytes]:
    """Return all that is in files."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def judged(content: bytes, url: str = "http://av/query?function=OVERVIEW&symbol=IBM") -> None:
    shapes.judge(Body(content, "application/json", 200, url))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("information_daily_quota_echoes_key", QuotaExhaustedError),
        ("information_premium_endpoint", NotEntitledError),
        ("information_premium_legacy_2022", NotEntitledError),
        ("information_outputsize_full_premium", NotEntitledError),
        ("information_demo_key", NotConfiguredError),
        ("note_5_per_minute_legacy", ProviderRateLimitedError),
        ("error_message_bad_key", NotConfiguredError),
        ("error_message_invalid_call", ProviderNotFoundError),
        ("empty_global_quote", ProviderNotFoundError),
        ("empty_object", ProviderNotFoundError),
    ],
)
async def test_a_refusal_is_a_typed_error_asked_once_and_never_kept(
    vantage: AlphaVantage, server: Replay, tmp_path: Path, name: str, expected: type[ProviderError]
) -> None:
    server.routes["/query"] = refusal(name)
    with pytest.raises(expected) as caught:
        await vantage.quote("IBM")
    assert type(caught.value) is expected
    assert caught.value.rule
    assert caught.value.fix
    assert len(server.requests) == 1
    assert kept(tmp_path) == 0


@pytest.mark.parametrize("name", ["information_premium_endpoint", "empty_object", "error_message_bad_key"])
async def test_what_was_refused_once_is_had_when_it_is_there(
    vantage: AlphaVantage, server: Replay, name: str
) -> None:
    server.routes["/query"] = [refusal(name), body("fundamental__OVERVIEW.json")]
    with pytest.raises(ProviderError):
        await vantage.overview("IBM")
    assert (await vantage.overview("IBM")).symbol == "IBM"


async def test_a_burst_is_waited_for_and_does_not_use_the_day_up(
    vantage: AlphaVantage, server: Replay
) -> None:
    """Its text names the day's limit too."""
    server.routes["/query"] = [
        refusal("information_burst_1_per_second"),
        body("time_series__GLOBAL_QUOTE.csv"),
        body("fundamental__OVERVIEW.json"),
    ]
    quote = await vantage.quote("IBM")
    assert str(quote.price) == "219.3000"
    assert len(server.requests) == 2
    health = vantage.http.health()
    assert health.quota_used == 2
    assert (await vantage.overview("IBM")).name == "International Business Machines"


def test_a_burst_is_told_from_the_day_although_it_names_both() -> None:
    said = refusal("information_burst_1_per_second")
    assert b"per day" in said
    with pytest.raises(ProviderRateLimitedError) as caught:
        judged(said)
    assert caught.value.retry_after == shapes.BURST_S


async def test_the_day_is_used_up_until_midnight_in_new_york(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = refusal("information_daily_quota_echoes_key")
    with pytest.raises(QuotaExhaustedError) as caught:
        await vantage.quote("IBM")
    assert caught.value.extra["reset"].endswith(("04:00:00.000000000Z", "05:00:00.000000000Z"))
    health = vantage.http.health()
    assert (health.quota_used, health.quota_limit) == (25, 25)
    with pytest.raises(QuotaExhaustedError):
        await vantage.overview("IBM")
    assert len(server.requests) == 1


async def test_the_quota_is_kept_across_a_restart(clients: Clients, server: Replay) -> None:
    server.routes["/query"] = body("fundamental__OVERVIEW.json")
    before = clients(alpha_vantage_daily_quota=2)
    await before.overview("IBM")
    server.routes["/query"] = body("time_series__GLOBAL_QUOTE.csv")
    await before.quote("IBM")
    after = clients(alpha_vantage_daily_quota=2)
    assert after.http.health().quota_used == 2
    with pytest.raises(QuotaExhaustedError):
        await after.earnings("IBM")
    assert len(server.requests) == 2
    assert (await after.quote("IBM")).symbol == "IBM"  # what was kept needs no request


async def test_the_day_that_the_provider_says_is_gone_is_gone_after_a_restart(
    clients: Clients, server: Replay
) -> None:
    server.routes["/query"] = refusal("information_daily_quota_echoes_key")
    with pytest.raises(QuotaExhaustedError):
        await clients().quote("IBM")
    with pytest.raises(QuotaExhaustedError):
        await clients().earnings("IBM")
    assert len(server.requests) == 1


@pytest.mark.parametrize("spelled", [KEY, KEY.lower(), "short"])
async def test_the_key_that_is_echoed_appears_nowhere(
    clients: Clients,
    server: Replay,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    spelled: str,
) -> None:
    if spelled == "short":
        monkeypatch.setenv("ALPHA_VANTAGE_API_KEY", spelled)
    caplog.set_level(logging.DEBUG)
    server.routes["/query"] = refusal("information_daily_quota_echoes_key").replace(b"DEMO", spelled.encode())
    vantage = clients()
    with pytest.raises(QuotaExhaustedError) as caught:
        await vantage.quote("IBM")
    document = caught.value.document()
    said = f"{document!r} {caught.value!r} {vantage.http.health()!r}"
    assert spelled not in said
    ours = [record for record in caplog.records if record.name.split(".")[0] == "providers"]
    assert not [record for record in ours if spelled in record.getMessage()]
    assert not [name for name, content in files(tmp_path).items() if spelled.encode() in content]


@pytest.mark.parametrize(
    "said",
    [
        f"Strange new words about your API key as {KEY.lower()}. No more.",
        "Strange new words about your API key: s3cret!",
    ],
)
def test_a_refusal_that_is_not_known_is_told_without_the_key(said: str) -> None:
    with pytest.raises(ProviderBadRequestError) as caught:
        judged(b'{"Information": "%s"}' % said.encode())
    assert "Strange new words" in caught.value.detail
    assert KEY.lower() not in caught.value.detail
    assert "s3cret" not in caught.value.detail


@pytest.mark.parametrize("name", ["time_series__REALTIME_BULK_QUOTES.json", "options__REALTIME_OPTIONS.json"])
async def test_artificial_data_is_never_shown_or_kept(
    vantage: AlphaVantage, server: Replay, tmp_path: Path, name: str
) -> None:
    server.routes["/query"] = body(name)
    with pytest.raises(NotEntitledError, match="artificial"):
        await vantage.quote("MSFT")
    assert kept(tmp_path) == 0


async def test_no_match_is_an_empty_list(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = b'{"bestMatches": []}'
    assert await vantage.search("zzzz") == []
    server.routes["/query"] = refusal("empty_object")
    assert await vantage.search("yyyy") == []


async def test_information_below_the_top_is_legitimate(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = (
        b'{"Meta Data": {"1. Information": "Daily Prices", "2. Symbol": "IBM", "5. Time Zone": "US/Eastern"},'
        b' "Time Series (Daily)": {"2026-05-15": {"1. open": "1", "2. high": "2", "3. low": "1",'
        b' "4. close": "2", "5. volume": "3"}}}'
    )
    assert len((await vantage.daily("IBM")).bars) == 1


@pytest.mark.parametrize("name", ["information_daily_quota_echoes_key", "error_message_bad_key"])
async def test_an_error_is_json_although_csv_was_asked(
    vantage: AlphaVantage, server: Replay, name: str
) -> None:
    server.routes["/query"] = (200, CSV, refusal(name))
    with pytest.raises((QuotaExhaustedError, NotConfiguredError)):
        await vantage.earnings_calendar()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \r\n",
        b"<html><body>Maintenance</body></html>",
        b'{"Global Quote": {"01. symbol": "IBM", "05. pri',
        b"[1, 2]",
        b'{"Global Quote": [1]}',
        b'{"Global Quote": "IBM"}',
        b'{"Global Quote": {"01. symbol": "IBM", "05. price": "a lot"}}',
        b'{"Global Quote": {"01. symbol": "IBM", "05. price": {"x": 1}}}',
        b'{"Global Quote": {"01. symbol": "IBM", "05. price": "1", "07. latest trading day": "2026-99-99"}}',
        b'{"Global Quote": {"01. symbol": "MSFT", "05. price": "1"}}',
        b'{"Global Quote": {"01. symbol": 7, "05. price": "1"}}',
        b'{"something": "else"}',
        b"\xff\xfe\x00",
        b"symbol,open\r\nIBM,1",
        b"symbol,open,high,low,price,latestDay\r\nIBM,1,2",
        b'symbol,open,high,low,price,latestDay\r\n"IBM,1,2',
        b"{" * 100_000,
    ],
)
async def test_nonsense_is_a_bad_payload_and_never_kept(
    vantage: AlphaVantage, server: Replay, tmp_path: Path, content: bytes
) -> None:
    server.routes["/query"] = content
    with pytest.raises(BadPayloadError):
        await vantage.quote("IBM")
    assert kept(tmp_path) == 0
    assert len(server.requests) == 1  # a request is too dear to be repeated in vain


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (302, ProviderDownError),
        (400, ProviderBadRequestError),
        (401, NotConfiguredError),
        (403, ProviderDownError),
        (404, ProviderDownError),
        (429, ProviderRateLimitedError),
    ],
)
async def test_other_statuses_are_typed_errors(
    vantage: AlphaVantage, server: Replay, status: int, expected: type[ProviderError]
) -> None:
    server.routes["/query"] = (status, "text/html", b"<html>no</html>")
    with pytest.raises(expected):
        await vantage.quote("IBM")


async def test_a_server_that_fails_is_down(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = (503, "application/json", b'{"unexpected": 1}')
    with pytest.raises(ProviderDownError, match="503"):
        await vantage.quote("IBM")


async def test_the_last_good_value_stands_in_and_says_why(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = [
        body("time_series__GLOBAL_QUOTE.csv"),
        refusal("information_daily_quota_echoes_key"),
    ]
    good = await vantage.quote("IBM")
    assert good.stale is None
    vantage.http.expire()
    last = await vantage.quote("IBM")
    assert (last.price, last.fetched_at, last.stale) == (good.price, good.fetched_at, "QuotaExhausted")


async def test_a_refusal_never_hides_behind_the_last_good_value(
    vantage: AlphaVantage, server: Replay
) -> None:
    server.routes["/query"] = [body("time_series__GLOBAL_QUOTE.csv"), refusal("error_message_bad_key")]
    await vantage.quote("IBM")
    vantage.http.expire()
    with pytest.raises(NotConfiguredError):
        await vantage.quote("IBM")
    assert vantage.http.health().state == "not_configured"


async def test_without_a_key_nothing_is_asked(
    server: Replay, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALPHA_VANTAGE_API_KEY", " ")
    vantage = clients()
    if vantage.http.configured:
        pytest.skip("this machine's keyring has a key")
    with pytest.raises(NotConfiguredError, match="ALPHA_VANTAGE_API_KEY"):
        await vantage.quote("IBM")
    assert server.requests == []
    assert vantage.http.health().state == "not_configured"


async def test_the_key_goes_as_apikey_to_one_path_however_the_address_is_written(
    server: Replay, clients: Clients
) -> None:
    server.routes["/query"] = body("time_series__GLOBAL_QUOTE.csv")
    for address in (server.url, f"{server.url}/", f"{server.url}/query", f"{server.url}/query/"):
        vantage = clients(alpha_vantage_url=address)
        vantage.http.expire()
        await vantage.quote("IBM")
    assert {request.path for request in server.requests} == {"/query"}
    assert len(server.requests) == 4
    assert server.requests[0].query == {
        "function": "GLOBAL_QUOTE",
        "symbol": "IBM",
        "datatype": "json",
        "apikey": KEY,
    }
