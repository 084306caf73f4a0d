"""Real daemons that publish through a real Redis with a password, killed and started again."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import unix_connect

from data import topics
from data.problems import InvalidRequestError
from data.records import Broadcast, SystemHealth
from nautilus_tui.config.load import ConfigError, parse
from nautilus_tui.relay.address import VARIABLE, RedisAddress, redis_url
from tests.client.certificate import make_certificate, needs_openssl
from tests.daemon.process import DaemonProcess
from tests.relay.redis import PROGRAM, RedisServer, needs_redis, redis_server
from tests.relay.world import Reader, Source, following, same, until
from tests.streams import samples

PASSWORD = "pa55-w0rd-canary"


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[RedisServer]:
    """Run a Redis that wants a password."""
    if PROGRAM is None:
        pytest.skip("redis-server is not installed")
    with redis_server(tmp_path, PASSWORD) as server:
        yield server


def everything(folder: Path) -> list[bytes]:
    """Return the contents of every file below a folder."""
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


async def problems(daemon: DaemonProcess) -> list[str]:
    health: dict[str, Any] = await asyncio.to_thread(daemon.get, "/api/v1/system/health")
    return [str(problem) for problem in health["problems"]]


async def until_problem(daemon: DaemonProcess, part: str) -> None:
    async with asyncio.timeout(60):
        while not any(part in one for one in await problems(daemon)):  # noqa: ASYNC110 - of a process
            await asyncio.sleep(0.05)


async def test_daemons_publish_are_killed_and_come_back_and_show_no_password(
    locked: RedisServer, tmp_path: Path
) -> None:
    environment = {VARIABLE: locked.url}
    daemon = await asyncio.to_thread(DaemonProcess, tmp_path / "home", environment=environment)
    daemons = [daemon]
    try:
        async with following(locked.url, "nautilus") as reader:
            await until(lambda: reader.mirror.seq(topics.HEALTH))
            health = reader.mirror.state(topics.HEALTH).records[0]
            assert isinstance(health, SystemHealth)
            await asyncio.to_thread(daemon.token, "ann", "viewer")
            await until(lambda: [row.name for row in reader.tokens[-1]] == ["ann"])
            audited = reader.records[topics.AUDIT]
            await until(lambda: audited)
            await asyncio.to_thread(daemon.post, "/api/v1/websocket/broadcast", {"message": "hello"})
            await until(lambda: reader.records[topics.BROADCAST])
            (message,) = reader.mirror.state(topics.BROADCAST).records
            assert isinstance(message, Broadcast)
            assert message.message == "hello"
            async with unix_connect(str(daemon.home.daemon_socket), "ws://daemon/ws") as client:
                met = await client.recv()
                while "hello" not in str(met):  # who comes later is told of it first of all
                    met = await asyncio.wait_for(client.recv(), 60)

            other = await asyncio.to_thread(DaemonProcess, tmp_path / "other", environment=environment)
            daemons.append(other)
            await until_problem(other, f"{tmp_path / 'home'} publishes under 'nautilus'")
            assert not any("relay" in problem for problem in await problems(daemon))
            await asyncio.to_thread(other.stop_all)

            epoch = reader.mirror.epoch
            await asyncio.to_thread(daemon.kill)
            daemon = await asyncio.to_thread(DaemonProcess, tmp_path / "home", environment=environment)
            daemons.append(daemon)
            await until(lambda: reader.renewals == 1)
            await until(lambda: reader.mirror.epoch != epoch and reader.mirror.seq(topics.HEALTH))
            entries = reader.mirror.state(topics.AUDIT).records
            assert len(entries) >= 2  # what the store knows is told anew

            locked.kill()
            await until_problem(daemon, "relay: Redis at redis://127.0.0.1")
            locked.start()
            seq = reader.mirror.seq(topics.HEALTH)
            await until(lambda: reader.mirror.seq(topics.HEALTH) > seq)
            assert reader.gaps == []
            said = [*(await problems(daemon)), repr(reader.follower.status()), repr(reader.follower.address)]
    finally:
        for each in daemons:
            if each.process.poll() is None:
                await asyncio.to_thread(each.stop_all)
    written = await asyncio.to_thread(everything, tmp_path)
    assert any(b"Redis at" in text for text in written)
    assert not any(PASSWORD.encode() in text for text in written)
    assert not any(PASSWORD in text for text in (*said, *(each.said for each in daemons)))


async def test_a_wrong_password_is_told_without_it(
    locked: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = locked.url.replace(PASSWORD, "wr0ng-canary")
    source = Source()
    reader = Reader(wrong)
    async with source.publishing(wrong) as publisher, reader.running():
        await until(publisher.problems)
        await until(lambda: "Redis at" in (reader.follower.status().problem or ""))
        said = [*publisher.problems(), repr(publisher.problem), repr(reader.follower.status()), caplog.text]
    assert "WRONGPASS" in said[0] or "invalid" in said[0]
    assert not any("canary" in text for text in said)


@needs_openssl
@needs_redis
async def test_redis_is_reached_over_tls_and_only_if_its_certificate_is_trusted(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with redis_server(tmp_path, PASSWORD, certificate) as server:
        source = Source()
        source.tell([samples.order(1)])
        untrusted = server.url.partition("?")[0]
        async with source.publishing(server.url), following(server.url) as reader:
            await until(lambda: same(reader.mirror, source.bus))
            stranger = Reader(untrusted)
            async with stranger.running():
                await until(lambda: "certificate" in (stranger.follower.status().problem or ""))
            assert PASSWORD not in (stranger.follower.status().problem or "")


@pytest.mark.parametrize(
    "url",
    [
        "redis://:canary/with/slash@host:6379/0",
        "redis://:canary@host:no-port",
        "http://:canary@host",
        "redis://user:canary@host:6379?no_such=1",
        "redis://:canary@",
        "canary",
    ],
)
def test_an_address_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        RedisAddress(url).connect()
    assert "canary" not in "".join(traceback.format_exception(refused.value))
    assert "canary" not in str(refused.value.document())


def test_an_address_shows_itself_without_its_credentials() -> None:
    address = RedisAddress("rediss://ann:c%40nary@box:7000/2")
    assert str(address) == "rediss://box:7000/2"
    assert address.clean("c@nary, c%40nary and rediss://ann:c%40nary@box:7000/2 failed") == (
        "[redacted], [redacted] and rediss://box:7000/2 failed"
    )
    client = address.connect()
    assert type(client.connection_pool.make_connection()).__name__ == "SSLConnection"


def test_the_environment_wins_and_a_file_holds_no_password() -> None:
    assert redis_url("redis://file", {VARIABLE: " redis://:x@environment "}) == "redis://:x@environment"
    assert redis_url("redis://file", {}) == "redis://file"
    assert redis_url("", {}) == ""
    good = parse(b'[streams]\nredis_url = "rediss://box:7000/2"\nredis_prefix = "desk-1"\n', "c.toml")
    assert (good.streams.redis_url, good.streams.redis_prefix) == ("rediss://box:7000/2", "desk-1")
    with pytest.raises(ConfigError) as refused:
        parse(b'[streams]\nredis_url = "redis://ann:canary@box:7000/2"\n', "c.toml")
    assert "NAUTILUS_TUI_REDIS_URL" in str(refused.value.rule)
    assert "canary" not in f"{refused.value}{refused.value.faults}"


def test_a_follower_loads_no_store_no_engine_and_no_screen() -> None:
    code = (
        "import sys\n"
        "from nautilus_tui.relay import follower, mirror, publisher\n"
        "follower.Follower('redis://box', 'p', mirror.Mirror(), print).address.connect()\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "bad = loaded & {'duckdb', 'engines', 'risk', 'nautilus_trader', 'textual', 'numpy',"
        " 'polars', 'pyarrow', 'litestar'}\n"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
