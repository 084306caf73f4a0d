"""Where a daemon may listen: beyond this machine only with TLS."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from data.paths import Home
from data.problems import ConflictError, InvalidRequestError, UnavailableError
from nautilus_tui.daemon.app import Daemon
from nautilus_tui.daemon.listening import tcp_socket, unix_socket, url_of
from nautilus_tui.daemon.lock import DaemonLock, lock_path
from nautilus_tui.daemon.settings import DaemonSettings
from tests.client.certificate import make_certificate, needs_openssl


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


@needs_openssl
async def test_tls_serves_tokens_over_tcp_and_the_unix_socket_stays_plain(tmp_path: Path) -> None:
    certificate, key = await asyncio.to_thread(make_certificate, tmp_path)
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


# ---------------------------------------------------------------- starts that cannot be


def test_a_port_that_is_taken_names_who_has_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UnavailableError) as caught:
            tcp_socket("127.0.0.1", taken.getsockname()[1], DaemonSettings())
    assert f"process {os.getpid()} (" in caught.value.detail
    assert caught.value.extra["pid"] == str(os.getpid())


def test_a_socket_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        unix_socket(tmp_path / ("x" * 107))
    assert "at most 107 bytes" in (caught.value.rule or "")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnavailableError, match="cannot listen at"):
        unix_socket(tmp_path / "folder")


@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_names_and_the_other_family_are_addresses_too(host: str) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        if host == "::1":
            pytest.skip("this machine has no IPv6")
    sock, _ = tcp_socket(host, 0, DaemonSettings())
    with sock:
        sock.listen()
        with socket.create_connection((host, sock.getsockname()[1]), timeout=10):
            pass
        assert url_of(sock, True).startswith("https://")


def test_a_lock_that_cannot_be_had_is_told_and_a_dead_daemons_is_no_lock(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").ensure()
    lock_path(home).write_text(f"{os.getppid()}\n")  # of a daemon that was killed; its number lives on
    lock = DaemonLock(home)
    lock.acquire()
    assert lock_path(home).read_text() == f"{os.getpid()}\n"
    lock.release()
    lock_path(home).unlink()
    lock_path(home).mkdir()
    with pytest.raises(UnavailableError, match="cannot lock"):
        lock.acquire()


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_start_without_room_on_the_disk_is_a_word_and_not_a_traceback(tmp_path: Path, form: str) -> None:
    home = Home(tmp_path / "home").ensure()
    command = [sys.executable, "-m", "nautilus_tui.cli.main", "--home", str(home.root)]
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *command, "daemon", "--log-format", form],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[1:]
    if form == "json":
        (said,) = map(json.loads, last)
        assert (said["level"], said["problem"]) == ("critical", "unavailable")
    else:
        assert "cannot lock" in last[0]


def test_a_home_that_cannot_be_is_a_word_and_not_a_traceback() -> None:
    command = [sys.executable, "-m", "nautilus_tui.cli.main", "--home", "/proc/none", "daemon"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "cannot make the home folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_daemon_writes_is_for_its_user_alone_whoever_may_enter_the_home(tmp_path: Path) -> None:
    root = tmp_path / "home"
    root.mkdir()
    root.chmod(0o755)
    command = [sys.executable, "-m", "nautilus_tui.cli.main", "--home", str(root), "daemon"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, umask=0o022) as daemon:
        try:
            assert daemon.stdout is not None
            assert b"ready" in daemon.stdout.readline()
            found = {path: stat.S_IMODE(path.stat().st_mode) for path in root.rglob("*")}
        finally:
            daemon.terminate()
    assert Home(root).state_db in found
    assert {path.name: oct(mode) for path, mode in found.items() if mode & 0o077} == {}
