"""Where a daemon may listen: beyond this machine only with TLS."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import stat
import subprocess
from pathlib import Path

import httpx
import pytest

from data.paths import Home
from data.problems import ConflictError, InvalidRequestError, UnavailableError
from nautilus_tui.daemon.app import Daemon
from nautilus_tui.daemon.listening import tcp_socket, unix_socket, url_of
from nautilus_tui.daemon.lock import DaemonLock
from nautilus_tui.daemon.settings import DaemonSettings


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_beyond_this_machine_needs_tls(host: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        tcp_socket(host, 0, DaemonSettings())
    assert "TLS" in caught.value.detail


def test_loopback_is_free() -> None:
    sock, tls = tcp_socket("127.0.0.1", 0, DaemonSettings())
    with sock:
        assert not tls
        assert url_of(sock, tls) == f"http://127.0.0.1:{sock.getsockname()[1]}"
        sock.listen()
        with pytest.raises(UnavailableError):
            tcp_socket("127.0.0.1", sock.getsockname()[1], DaemonSettings())


def test_no_address_is_said_so() -> None:
    with pytest.raises(InvalidRequestError):
        tcp_socket("no such host", 0, DaemonSettings())


def test_a_socket_left_behind_is_replaced_and_private(tmp_path: Path) -> None:
    path = tmp_path / "d.sock"
    for _ in range(2):
        with unix_socket(path) as sock:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert sock.family == socket.AF_UNIX
    with pytest.raises(UnavailableError):
        unix_socket(tmp_path / "none" / "d.sock")


def test_one_lock_a_home(tmp_path: Path) -> None:
    home = Home(tmp_path).ensure()
    first, second = DaemonLock(home), DaemonLock(home)
    first.acquire()
    with pytest.raises(ConflictError, match="running"):
        second.acquire()
    first.release()
    first.release()
    second.acquire()
    second.release()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="a certificate is made with openssl")
async def test_tls_serves_tokens_over_tcp_and_the_unix_socket_stays_plain(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    make = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    make += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    await asyncio.to_thread(subprocess.run, make, check=True, capture_output=True)
    home = Home(tmp_path / "home")
    daemon = Daemon(home, DaemonSettings(tls_certificate=certificate, tls_key=key, requests_per_second=1))
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(daemon.serve(("127.0.0.1", 0), ready.set_result))
    await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
    url = (await ready).split(" and ")[1]
    assert url.startswith("https://")
    trusted = ssl.create_default_context(cafile=str(certificate))
    unix = httpx.AsyncHTTPTransport(uds=str(home.daemon_socket))
    async with (
        httpx.AsyncClient(transport=unix, base_url="http://d") as local,
        httpx.AsyncClient(verify=trusted, base_url=url, trust_env=False) as remote,
    ):
        made = await local.post("/api/v1/tokens", json={"name": "far", "role": "viewer"})
        token = made.json()["data"]["token"]
        assert (await remote.get("/health")).status_code == 401
        answer = await remote.get("/health", headers={"Authorization": f"Bearer {token}"})
        assert answer.json()["alive"] is True
        header = {"Authorization": f"Bearer {token}"}
        hurried = [(await remote.get("/health", headers=header)).json() for _ in range(10)]
        assert any("requests a second" in said.get("rule", "") for said in hurried)
        for _ in range(daemon.settings.login_attempts_per_minute):
            await remote.get("/health", headers={"Authorization": "Bearer guess"})
        locked = await remote.get("/health", headers={"Authorization": "Bearer guess"})
        assert locked.status_code == 429
        assert "failed attempts" in locked.json()["detail"]
        assert int(locked.headers["Retry-After"]) > 0
    daemon.stop()
    await serving
