"""Who answers has to prove who it is: what is said when it cannot, to those who ask and those who listen."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from nautilus_tui.client import Address, ApiClient, ConnectionChanged, NotReachableError, NotTrustedError
from nautilus_tui.client.stream import StreamClient
from tests.client.certificate import make_certificate
from tests.client.conftest import Far


@pytest.fixture(autouse=True)
def trusting(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(far.authority))


async def refused(url: str) -> NotReachableError:
    with pytest.raises(NotReachableError) as caught:
        async with ApiClient(Address.remote(url, "token")) as api:
            await api.health()
    return caught.value


async def test_a_certificate_for_another_name(far: Far) -> None:
    problem = await refused(far.url.replace("127.0.0.1", "localhost"))
    assert isinstance(problem, NotTrustedError)
    assert "ostname mismatch" in problem.detail
    assert problem.fix is not None
    assert problem.fix.startswith("use the name that the certificate is for")


async def test_an_authority_whose_file_is_not_there(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    problem = await refused(far.url)
    assert isinstance(problem, NotTrustedError)
    assert problem.fix == "SSL_CERT_FILE names /nowhere/ca.pem, which is not there"


async def test_another_authority(far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(make_certificate(tmp_path)[0]))
    assert isinstance(await refused(far.url), NotTrustedError)


async def test_a_server_that_speaks_no_tls() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        problem = await refused(f"https://127.0.0.1:{port}")
    assert not isinstance(problem, NotTrustedError)
    assert "does not speak TLS as it should" in problem.detail


async def test_who_listens_is_told_too_and_connects_once_it_can(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await asyncio.to_thread(far.cli, "token", "create", "listener", "--role", "viewer")
    monkeypatch.delenv("SSL_CERT_FILE")
    told = ""
    async with (
        asyncio.timeout(60),
        StreamClient(Address.remote(far.url, made.out.strip()), ["system.health"]) as stream,
    ):
        async for event in stream:
            if isinstance(event, ConnectionChanged) and event.state == "connected":
                break
            if isinstance(event, ConnectionChanged) and event.problem:
                told = event.problem
                monkeypatch.setenv("SSL_CERT_FILE", str(far.authority))
    assert "is not trusted: self-signed certificate" in told
