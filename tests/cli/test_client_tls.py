"""Beyond loopback rules: a daemon with a certificate serves REST and streams over TLS only."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from data.problems import InvalidRequestError
from nautilus_tui.client import Address, ApiClient, ConnectionChanged, NotReachableError, StreamClient
from tests.cli.driving import CommandLine, running_daemon
from tests.client.certificate import make_certificate, needs_openssl

pytestmark = needs_openssl


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that is its own authority, and its key."""
    return make_certificate(tmp_path)


async def test_a_daemon_with_a_certificate(
    cli: CommandLine, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = certificate
    cli.home.ensure()
    cli.home.config_file.write_text(f'[daemon]\ntls_certificate = "{cert}"\ntls_key = "{key}"\n')
    with running_daemon(cli.home) as daemon:
        assert daemon.url is not None
        assert daemon.url.startswith("https://")
        made = await asyncio.to_thread(cli, "token", "create", "far", "--role", "viewer")
        address = Address.remote(daemon.url, made.out.strip())
        async with ApiClient(address) as stranger:
            with pytest.raises(NotReachableError):
                await stranger.health()
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        assert isinstance(address.trust, ssl.SSLContext)
        async with ApiClient(address) as client:
            assert (await client.health()).ready
        wss = Address.remote(daemon.url.replace("https", "wss"), made.out.strip())
        async with StreamClient(wss, ["system.health"]) as stream, asyncio.timeout(120):
            async for event in stream:
                if isinstance(event, ConnectionChanged) and event.state == "connected":
                    break
        assert (await asyncio.to_thread(cli, "stop")).code == 0


@pytest.mark.parametrize(
    "url",
    ["ftp://host:1", "https://", "https://user:secret@host", "https://host:99999", "http://h/x?token=1"],
)
def test_what_is_no_address_is_refused_without_repeating_secrets(url: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        Address.remote(url, "t")
    assert "secret" not in str(caught.value)


def test_addresses_in_all_their_forms() -> None:
    assert Address.remote("wss://box:8443").http_url == "https://box:8443"
    assert Address.remote("http://[::1]:80").ws_url == "ws://[::1]:80"
    assert Address.remote("box").http_url == "https://box"
    assert Address.remote("https://box/", "t").headers == {"Authorization": "Bearer t"}
