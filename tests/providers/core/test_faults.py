"""Whatever a provider does wrong is a typed error, and the last good value is told with its age."""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from data.forms import NANOS
from data.problems import (
    BadPayloadError,
    ProviderBadRequestError,
    ProviderDownError,
    ProviderError,
    ProviderNotFoundError,
    ProviderRateLimitedError,
)
from providers.core.http import HOUR
from tests.providers.core.asking import client, files, read, sample
from tests.providers.core.raw import bomb, http, raw_server

GOOD = http(b'{"value": 42}', "Content-Type: application/json")
HTML = http(b"<html><title>Sorry</title></html>", "Content-Type: text/html")
FAULTS: dict[str, tuple[bytes | None, type[ProviderError]]] = {
    "time-out": (None, ProviderDownError),
    "429": (http(b"{}", "Retry-After: 60", status="429 Too Many Requests"), ProviderRateLimitedError),
    "500": (http(b"{}", status="500 Internal Server Error"), ProviderDownError),
    "503 with HTML": (http(b"<html>", status="503 Service Unavailable"), ProviderDownError),
    "HTML instead of JSON": (HTML, BadPayloadError),
    "empty": (http(b""), BadPayloadError),
    "truncated": (http(b'{"value": 4', length=1000), BadPayloadError),
    "truncated JSON": (http(b'{"value": 4'), BadPayloadError),
    "truncated gzip": (http(gzip.compress(b'{"value": 42}')[:-9], "Content-Encoding: gzip"), BadPayloadError),
    "not gzip": (http(b'{"value": 42}', "Content-Encoding: gzip"), BadPayloadError),
    "gzip bomb": (http(bomb(50), "Content-Encoding: gzip"), BadPayloadError),
    "larger than allowed": (http(bytes(1_000_001)), BadPayloadError),
    "another encoding": (http(b"x", "Content-Encoding: br"), BadPayloadError),
    "wrong schema": (http(b'{"value": "forty-two"}'), BadPayloadError),
    "not an object": (http(b"[]"), BadPayloadError),
    "not UTF-8": (http(b'{"value": "\xff\xfe"}'), BadPayloadError),
    "redirect": (http(b"", "Location: http://127.0.0.1:1/", status="302 Found"), BadPayloadError),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", ProviderDownError),
    "closed at once": (b"", ProviderDownError),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_a_typed_error(fault: str, tmp_path: Path) -> None:
    answer, expected = FAULTS[fault]
    async with raw_server() as server:
        with files(tmp_path) as (ledger, cache):
            http_ = client(ledger, cache, deadline_s=0.5)
            server.answer = answer
            with pytest.raises(expected) as caught:
                await http_.get(f"{server.url}/fact", read=read, fresh_s=HOUR)
            await http_.close()
    assert type(caught.value) is expected
    document = caught.value.document()
    assert document.type.startswith("provider-")
    assert document.extra["error"] == expected.name
    assert document.detail


@pytest.mark.parametrize("fault", FAULTS)
async def test_after_a_fault_the_last_good_value_is_told_with_its_age(fault: str, tmp_path: Path) -> None:
    answer, expected = FAULTS[fault]
    now = [1_700_000_000 * NANOS]
    async with raw_server() as server:
        with files(tmp_path) as (ledger, cache):
            http_ = client(ledger, cache, deadline_s=0.5, clock=lambda: now[0])
            server.answer = GOOD
            first = await http_.get(f"{server.url}/fact", read=read, fresh_s=HOUR)
            assert (first.value, first.problem, first.fetched_at) == (42, None, now[0])
            now[0] += 2 * 3600 * NANOS
            server.answer = answer
            again = await http_.get(f"{server.url}/fact", read=read, fresh_s=HOUR)
            await http_.close()
    assert again.value == 42
    assert again.fetched_at == first.fetched_at
    assert isinstance(again.problem, expected)


async def test_a_slow_drip_is_cut_off_at_the_deadline(tmp_path: Path) -> None:
    async with raw_server() as server:
        with files(tmp_path) as (ledger, cache):
            http_ = client(ledger, cache, deadline_s=0.5)
            server.answer, server.drip = http(b"{", length=100_000), True
            with pytest.raises(ProviderDownError, match=r"within 0\.5 s"):
                await http_.get(f"{server.url}/fact", read=read, fresh_s=HOUR)
            await http_.close()


async def test_who_waited_to_the_deadline_is_not_made_to_wait_again(tmp_path: Path) -> None:
    async with raw_server() as server:
        with files(tmp_path) as (ledger, cache):
            http_ = client(ledger, cache, deadline_s=0.3, attempts=3)
            with pytest.raises(ProviderDownError, match=r"within 0\.3 s"):
                await http_.get(f"{server.url}/fact", read=read, fresh_s=HOUR)
            await http_.close()
        assert server.asked == 1


async def test_nobody_listening_is_a_provider_that_is_down(tmp_path: Path) -> None:
    with files(tmp_path) as (ledger, cache):
        http_ = client(ledger, cache)
        with pytest.raises(ProviderDownError, match="cannot be reached"):
            await http_.get("http://127.0.0.1:1/fact", read=read, fresh_s=HOUR)
        await http_.close()


@pytest.mark.parametrize(
    ("status", "expected"), [("404 Not Found", ProviderNotFoundError), ("400 Bad", ProviderBadRequestError)]
)
async def test_a_last_good_value_does_not_stand_in_for_a_plain_no(
    status: str, expected: type[ProviderError], tmp_path: Path
) -> None:
    async with raw_server() as server:
        with files(tmp_path) as (ledger, cache):
            http_ = client(ledger, cache)
            server.answer = GOOD
            await http_.get(f"{server.url}/fact", read=read, fresh_s=0)
            server.answer = http(b"{}", status=status)
            with pytest.raises(expected):
                await http_.get(f"{server.url}/fact", read=read, fresh_s=0)
            await http_.close()


async def test_what_fails_for_a_moment_is_asked_again(tmp_path: Path) -> None:
    async with raw_server() as server:
        with files(tmp_path) as (ledger, cache):
            http_ = client(ledger, cache, attempts=3, deadline_s=0.5)
            server.answer = http(b"{}", status="500 Internal Server Error")
            with pytest.raises(ProviderDownError):
                await http_.get(f"{server.url}/fact", read=read, fresh_s=0)
            assert server.asked == 3
            server.answer = http(b"{}", status="404 Not Found")
            with pytest.raises(ProviderNotFoundError):
                await http_.get(f"{server.url}/fact", read=read, fresh_s=0)
            assert server.asked == 4, "a plain no is not asked again"
            await http_.close()


async def test_a_provider_that_fails_is_left_alone_for_a_while(tmp_path: Path) -> None:
    async with raw_server() as server:
        with files(tmp_path) as (ledger, cache):
            http_ = client(ledger, cache)
            server.answer = http(b"{}", status="500 Internal Server Error")
            for _ in range(5):
                with pytest.raises(ProviderDownError):
                    await http_.get(f"{server.url}/fact", read=read, fresh_s=0)
            asked = server.asked
            with pytest.raises(ProviderDownError, match="left alone"):
                await http_.get(f"{server.url}/fact", read=read, fresh_s=0)
            assert server.asked == asked == 5
            health = http_.health()
            assert (health.state, health.breaker) == ("down", "open")
            assert health.ts_retry is not None
            await http_.close()


async def test_a_plain_no_does_not_open_the_breaker(tmp_path: Path) -> None:
    async with raw_server() as server:
        with files(tmp_path) as (ledger, cache):
            http_ = client(ledger, cache)
            server.answer = http(b"{}", status="404 Not Found")
            for _ in range(8):
                with pytest.raises(ProviderNotFoundError):
                    await http_.get(f"{server.url}/fact", read=read, fresh_s=0)
            assert server.asked == 8
            health = http_.health()
            assert (health.breaker, health.state, health.errors) == ("closed", "ok", 0)
            await http_.close()


async def test_who_asks_too_much_is_not_asked_again_before_the_time_it_says(tmp_path: Path) -> None:
    async with raw_server() as server:
        with files(tmp_path) as (ledger, cache):
            http_ = client(ledger, cache, attempts=3)
            server.answer = http(b"{}", "Retry-After: 600", status="429 Too Many Requests")
            for _ in range(3):
                with pytest.raises(ProviderRateLimitedError) as caught:
                    await http_.get(f"{server.url}/fact", read=read, fresh_s=0)
                assert caught.value.extra["until"]
            assert server.asked == 1
            await http_.close()
        with files(tmp_path) as (ledger, cache):  # another process of the home knows it too
            other = client(ledger, cache)
            with pytest.raises(ProviderRateLimitedError):
                await other.get(f"{server.url}/fact", read=read, fresh_s=0)
            assert server.asked == 1
            await other.close()


_BOMBED = """
import asyncio, json, resource, sys
from pathlib import Path
from data.problems import BadPayloadError
from tests.providers.core.asking import client, files, read

async def main() -> None:
    with files(Path(sys.argv[2])) as (ledger, cache):
        http = client(ledger, cache, deadline_s=30.0)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            await http.get(sys.argv[1], read=read, fresh_s=0)
        except BadPayloadError as error:
            after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            print(json.dumps({"error": error.name, "grown_kb": after - before}))
        await http.close()

asyncio.run(main())
"""


async def test_a_gzip_bomb_does_not_take_memory(tmp_path: Path) -> None:
    async with raw_server() as server:
        server.answer = http(bomb(2000), "Content-Encoding: gzip")  # 2 GB
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _BOMBED, f"{server.url}/bomb", str(tmp_path), stdout=subprocess.PIPE
        )
        told, _ = await process.communicate()
    found = json.loads(told)
    assert found["error"] == "BadPayload"
    assert found["grown_kb"] < 50_000


async def test_an_answer_that_could_not_be_read_is_not_kept(tmp_path: Path) -> None:
    async with raw_server() as server:
        with files(tmp_path) as (ledger, cache):
            http_ = client(ledger, cache)
            server.answer = http(b'{"value": "no number"}')
            with pytest.raises(BadPayloadError):
                await http_.get(f"{server.url}/fact", read=read, fresh_s=HOUR)
            server.answer = GOOD
            assert (await http_.get(f"{server.url}/fact", read=read, fresh_s=HOUR)).value == 42
            await http_.close()


async def test_a_fresh_answer_spares_a_request_until_it_is_expired(tmp_path: Path) -> None:
    async with raw_server() as server:
        with files(tmp_path) as (ledger, cache):
            http_ = client(ledger, cache)
            server.answer = GOOD
            for _ in range(3):
                await http_.get(f"{server.url}/fact", {"a": "1"}, read=read, fresh_s=HOUR)
            assert server.asked == 1
            assert http_.health().cache_hits == 2
            await http_.get(f"{server.url}/fact", {"a": "2"}, read=read, fresh_s=HOUR)
            assert server.asked == 2
            assert http_.expire() == 2
            await http_.get(f"{server.url}/fact", {"a": "1"}, read=read, fresh_s=HOUR)
            await http_.get(f"{server.url}/fact", {"a": "1"}, read=read, fresh_s=HOUR, refresh=True)
            assert server.asked == 4
            await http_.close()


async def test_who_asks_the_same_at_the_same_time_shares_one_request(tmp_path: Path) -> None:
    async with raw_server() as server:
        with files(tmp_path) as (ledger, cache):
            http_ = client(ledger, cache, sample(spacing_s=0.01))
            server.answer = GOOD
            questions = [http_.get(f"{server.url}/fact", read=read, fresh_s=HOUR) for _ in range(20)]
            answers = await asyncio.gather(*questions)
            assert {answer.value for answer in answers} == {42}
            assert server.asked == 1
            await http_.close()


async def test_one_who_leaves_does_not_take_the_answer_from_the_others(tmp_path: Path) -> None:
    async with raw_server() as server:
        with files(tmp_path) as (ledger, cache):
            http_ = client(ledger, cache, sample(spacing_s=0.01))
            server.answer = GOOD
            first = asyncio.create_task(http_.get(f"{server.url}/fact", read=read, fresh_s=HOUR))
            second = asyncio.create_task(http_.get(f"{server.url}/fact", read=read, fresh_s=HOUR))
            await asyncio.sleep(0)
            first.cancel()
            assert (await second).value == 42
            assert server.asked == 1
            await http_.close()
