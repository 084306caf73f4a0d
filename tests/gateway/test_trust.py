"""A gateway that hears nothing of its daemon trusts what it knows of tokens for a while, and no longer."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from data.access import TokenRow, digest
from nautilus_tui.gateway.app import Gateway
from nautilus_tui.gateway.settings import GatewaySettings
from tests.relay.redis import needs_redis, redis_server
from tests.relay.world import Source
from tests.streams import samples

pytestmark = needs_redis
TOKEN = {"Authorization": "Bearer secret"}


async def test_nobody_new_is_let_in_when_a_revocation_may_have_been_missed(tmp_path: Path) -> None:
    source = Source()
    source.tokens = [TokenRow(name="desk", digest=digest("secret"), role="viewer", ts_created=1)]
    source.tell([samples.order(1)])
    at: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    with redis_server(tmp_path) as redis:
        settings = GatewaySettings(redis_url=redis.url, prefix="t", trusted_seconds=2.5)
        gateway = Gateway(settings)
        serving = asyncio.create_task(gateway.serve(("127.0.0.1", 0), lambda line, _: at.set_result(line)))
        async with httpx.AsyncClient(headers=TOKEN, trust_env=False) as client, source.publishing(redis.url):
            found = re.search(r"http://[\d.]+:\d+", await at)
            assert found is not None
            url = found[0]

            async def health() -> httpx.Response:
                return await client.get(f"{url}/health")

            async def answered(status: int) -> None:
                async with asyncio.timeout(20):
                    while (await health()).status_code != status:  # noqa: ASYNC110 - another's answer
                        await asyncio.sleep(0.02)

            await answered(200)
            ws = url.replace("http", "ws") + "/ws"
            async with connect(ws, additional_headers=TOKEN, proxy=None) as before:
                await before.recv()
                redis.kill()
                await answered(503)
                problem = (await health()).json()
                assert "heard nothing of its daemon for" in problem["detail"]
                with pytest.raises(InvalidStatus) as refused:
                    await connect(ws, additional_headers=TOKEN, proxy=None)
                assert refused.value.response.status_code == 503
                await (await before.ping())  # who is in already is told nothing that it may not hear
                redis.start()
                await answered(200)
        gateway.stop()
        await serving
