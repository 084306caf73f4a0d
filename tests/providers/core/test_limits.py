"""Paces and quotas hold over processes and restarts, seen from the other end of the wire."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from data.problems import ProviderDownError, ProviderRateLimitedError, QuotaExhaustedError, StoreFailedError
from providers.core.http import ProviderHttp
from providers.core.ledger import Ledger
from providers.core.sandbox import Asked, Reply, asgi
from tests.providers.core.asking import client, files, judge, read, sample
from tests.providers.core.raw import http, raw_server

PROCESSES = 2
#: What each process asks at once: so much that a provider is busy with it for half a minute or more.
EACH = {"fred": 30, "alpha_vantage": 100, "edgar": 120}
KEYS = {
    "FRED_API_KEY": "f" * 32,
    "ALPHA_VANTAGE_API_KEY": "ALPHAVANTAGEKEY1",
    "SEC_USER_AGENT": "Sample Name sample@example.com",
}


def most_in_a_second(times: list[float]) -> int:
    """Return how many of the times lie in the fullest second."""
    ordered = sorted(times)
    return max(sum(1 for other in ordered if start <= other < start + 1) for start in ordered)


async def _start(*arguments: str, **more: Any) -> asyncio.subprocess.Process:
    import os

    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, env={**os.environ, **KEYS}, stdout=asyncio.subprocess.PIPE, **more
    )


async def test_500_requests_at_once_from_several_processes_keep_every_pace(tmp_path: Path) -> None:
    server = await _start("tests.providers.core.arrivals", stdin=asyncio.subprocess.PIPE)
    assert server.stdout is not None
    url = f"http://127.0.0.1:{int(await server.stdout.readline())}"
    crowds = [
        await _start("tests.providers.core.crowd", str(tmp_path), url, f"p{n}", json.dumps(EACH))
        for n in range(PROCESSES)
    ]
    ended = [json.loads((await crowd.communicate())[0]) for crowd in crowds]
    told, _ = await server.communicate(b"")
    times = json.loads(told)
    for provider in ("fred", "edgar"):
        assert (
            sum(one[provider]["answered"] for one in ended)
            == PROCESSES * EACH[provider]
            == len(times[provider])
        )
    assert most_in_a_second(times["fred"]) <= 2
    assert most_in_a_second(times["edgar"]) <= 8
    assert most_in_a_second(times["alpha_vantage"]) <= 1
    assert len(times["alpha_vantage"]) == 25, "the day's requests of a free key"
    assert sum(one["alpha_vantage"].get("QuotaExhausted", 0) for one in ended) == (
        PROCESSES * EACH["alpha_vantage"] - 25
    )
    once = json.dumps(dict.fromkeys(EACH, 1))
    again = await _start("tests.providers.core.crowd", str(tmp_path), "http://127.0.0.1:1", "restarted", once)
    after = json.loads((await again.communicate())[0])
    assert after["alpha_vantage"] == {"QuotaExhausted": 1}, "a restart does not give the day back"


async def test_the_days_count_is_kept_by_key_and_ends_with_the_day(tmp_path: Path) -> None:
    spec = sample(daily_quota=3, quota_timezone="America/New_York")
    async with raw_server() as server:
        server.answer = http(b'{"value": 1}')
        for restart in range(2):
            with files(tmp_path) as (ledger, cache):
                http_ = client(ledger, cache, spec)
                for n in range(3):
                    question = http_.get(f"{server.url}/{restart}-{n}", read=read, fresh_s=0)
                    if restart == 0:
                        assert (await question).value == 1
                        continue
                    with pytest.raises(QuotaExhaustedError) as caught:
                        await question
                    assert caught.value.extra["reset"].endswith(":00:00.000000000Z")
                health = http_.health()
                assert (health.quota_used, health.quota_limit) == (3, 3)
                await http_.close()
        assert server.asked == 3
        with files(tmp_path) as (ledger, cache):
            other = client(ledger, cache, spec, credential="another-key-9876543210")
            assert (await other.get(f"{server.url}/other", read=read, fresh_s=0)).value == 1
            await other.close()
        with sqlite3.connect(tmp_path / "limits.sqlite") as yesterday:
            yesterday.execute("UPDATE quota SET day = '2001-01-01'")
        with files(tmp_path) as (ledger, cache):
            http_ = client(ledger, cache, spec)
            assert (await http_.get(f"{server.url}/today", read=read, fresh_s=0)).value == 1
            await http_.close()


async def test_a_provider_that_says_the_day_is_used_up_is_believed_till_the_day_ends(tmp_path: Path) -> None:
    spec = sample(daily_quota=25)
    async with raw_server() as server:
        server.answer = http(b"{}", status="402 Payment Required")
        with files(tmp_path) as (ledger, cache):
            http_ = client(ledger, cache, spec)
            for _ in range(3):
                with pytest.raises(QuotaExhaustedError):
                    await http_.get(f"{server.url}/a", read=read, fresh_s=0)
            assert server.asked == 1
            await http_.close()


async def test_a_turn_that_comes_too_late_is_refused_at_once(tmp_path: Path) -> None:
    spec = sample(spacing_s=100.0)
    with files(tmp_path) as (ledger, _):
        await ledger.take(spec, "key", 0.0)
        ledger.sent(spec)
        with pytest.raises(ProviderRateLimitedError) as caught:
            await ledger.take(spec, "key", 1.0)
        assert caught.value.extra["until"]


async def test_nobody_has_a_turn_while_another_is_leaving(tmp_path: Path) -> None:
    spec = sample(spacing_s=0.01)
    with files(tmp_path) as (one, _), files(tmp_path) as (other, _):
        await one.take(spec, "key", 0.0)
        with pytest.raises(ProviderRateLimitedError):
            await other.take(spec, "key", 0.0)
        waiting = asyncio.create_task(other.take(spec, "key", 30.0))
        one.sent(spec)
        await waiting
        with sqlite3.connect(tmp_path / "limits.sqlite") as later:  # whoever had the turn has died
            later.execute("UPDATE pace SET leaving_until = leaving_until - 20, last = last - 20")
        await one.take(spec, "key", 0.0)


async def test_a_clock_that_was_set_back_does_not_stop_everything(tmp_path: Path) -> None:
    spec = sample(spacing_s=1.0)
    with files(tmp_path) as (ledger, _):
        await ledger.take(spec, "key", 0.0)
        with sqlite3.connect(tmp_path / "limits.sqlite") as elsewhen:
            elsewhen.execute("UPDATE pace SET last = last + 864000, leaving_until = leaving_until + 864000")
        await ledger.take(spec, "key", 0.0)


def test_a_record_of_requests_that_cannot_be_written_stops_the_asking(tmp_path: Path) -> None:
    (tmp_path / "limits.sqlite").mkdir()
    with pytest.raises(StoreFailedError, match="cannot be used"):
        Ledger(tmp_path / "limits.sqlite")


async def test_a_question_that_never_left_does_not_use_the_day_up(tmp_path: Path) -> None:
    spec = sample(daily_quota=3)
    with files(tmp_path) as (ledger, cache):
        http_ = client(ledger, cache, spec)
        with pytest.raises(ProviderDownError):
            await http_.get("http://127.0.0.1:1/nobody", read=read, fresh_s=0)
        assert http_.health().quota_used == 0
        async with raw_server() as server:
            server.answer = http(b"{}", status="500 Failed")
            with pytest.raises(ProviderDownError):
                await http_.get(f"{server.url}/somebody", read=read, fresh_s=0)
        assert http_.health().quota_used == 1
        await http_.close()


async def test_a_twin_has_a_pace_of_its_own(tmp_path: Path) -> None:
    def twin(_: Asked) -> Reply:
        return Reply.json({"value": 7})

    with files(tmp_path) as (ledger, cache):
        ledger.hold_back(sample(), 600)
        http_ = ProviderHttp(sample(), judge, ledger=ledger, cache=cache, sandbox=asgi(twin))
        assert (await http_.get("https://sample.example/fact", read=read, fresh_s=0)).value == 7
        await http_.close()
