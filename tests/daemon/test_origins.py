"""Web pages of strangers get nothing done, neither by HTTP nor by a stream, nor by another name."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect, unix_connect

from data.problems import ForbiddenError
from nautilus_tui.daemon.origins import HEADERS, METHODS, Origins
from tests.daemon.process import DaemonProcess
from tests.daemon.serve import Told

DESK = "https://desk.example:8443"


# ---------------------------------------------------------------- the rules


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "unix", "allowed"),
    [
        (None, "127.0.0.1:8787", "http", False, True),
        (None, "localhost", "http", False, True),
        (None, "app.localhost:8787", "http", False, True),
        (None, "[::1]:8787", "http", False, True),
        (None, "box.lan:8787", "http", False, True),
        (None, None, "http", False, True),
        (None, "daemon", "http", True, True),
        (None, "evil.example", "https", False, True),  # a browser has checked the certificate
        (None, "evil.example:8787", "http", False, False),
        (None, "evil.example:8787", "http", True, False),
        (None, "localhost.evil.example", "http", False, False),
        (None, "192.0.2.1:8787", "http", False, False),
        (None, "localhost:80:80", "http", False, False),
        (None, "", "http", False, False),
        ("http://127.0.0.1:8787", "127.0.0.1:8787", "http", False, True),
        ("http://localhost", "localhost:80", "http", False, True),
        ("https://[2001:db8::1]:8443", "[2001:db8::1]:8443", "https", False, True),
        ("https://127.0.0.1:8787", "127.0.0.1:8787", "http", False, False),
        ("http://127.0.0.1:8788", "127.0.0.1:8787", "http", False, False),
        ("http://localhost:8787", "127.0.0.1:8787", "http", False, False),
        ("http://evil.example", "127.0.0.1:8787", "http", False, False),
        ("null", "127.0.0.1:8787", "http", False, False),
        ("", "127.0.0.1:8787", "http", False, False),
        (DESK, "127.0.0.1:8787", "http", False, True),
        (DESK.upper(), "127.0.0.1:8787", "http", False, True),
        (f"{DESK}.evil.example", "127.0.0.1:8787", "http", False, False),
        (DESK, "daemon", "http", True, True),
        ("http://daemon", "daemon", "http", True, False),  # nobody's own origin is on a socket
    ],
)
def test_which_pages_may_ask(
    origin: str | None, host: str | None, scheme: str, unix: bool, allowed: bool
) -> None:
    origins = Origins([DESK], ["box.lan"])
    if allowed:
        origins.check(origin=origin, host=host, scheme=scheme, unix=unix)
    else:
        with pytest.raises(ForbiddenError):
            origins.check(origin=origin, host=host, scheme=scheme, unix=unix)


_NAME = st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8}){1,2}", fullmatch=True)
_PORT = st.integers(1, 65535)


@given(_NAME, _NAME, _PORT, _PORT)
def test_own_is_what_has_the_same_scheme_name_and_port(one: str, other: str, port: int, at: int) -> None:
    origins = Origins()
    same = (one, port) == (other, at)
    given_ = {"host": f"{other}:{at}", "unix": False}
    assert origins.may(f"https://{one}:{port}", scheme="https", **given_) == same  # type: ignore[arg-type]  # str and bool
    assert not origins.may(f"http://{one}:{port}", scheme="https", **given_)  # type: ignore[arg-type]


@given(st.text(), st.text())
def test_no_text_breaks_it(origin: str, host: str) -> None:
    assert isinstance(Origins().may(origin, host=host, scheme="http", unix=False), bool)
    assert Origins().crossing(origin) == []


# ---------------------------------------------------------------- a daemon


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    running = DaemonProcess(tmp_path_factory.mktemp("origins") / "home", Told(allowed_origins=(DESK,)))
    try:
        yield running
    finally:
        running.stop_all()


@pytest.fixture(scope="module")
def token(daemon: DaemonProcess) -> dict[str, str]:
    return daemon.token("page", "admin")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_page_of_a_stranger_is_refused_with_a_token_too(
    daemon: DaemonProcess, token: dict[str, str], method: str
) -> None:
    strange = {"Origin": "https://evil.example"}
    for client, headers in (daemon.tcp, token | strange), (daemon.http, strange):
        answer = client.request(method, "/api/v1/tokens", headers=headers)
        assert answer.status_code == 403
        assert answer.json()["type"] == "forbidden"
        assert "allowed_origins" in answer.json()["fix"]
        assert "access-control-allow-origin" not in answer.headers


def test_a_page_that_is_allowed_reads_its_answers(daemon: DaemonProcess, token: dict[str, str]) -> None:
    for path, status in ("/api/v1/tokens", 200), ("/api/v1/nothing", 404):
        answer = daemon.tcp.get(path, headers=token | {"Origin": DESK})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == DESK
        assert "origin" in answer.headers["vary"].lower()
        assert "access-control-allow-credentials" not in answer.headers
    without = daemon.tcp.get("/api/v1/tokens", headers={"Origin": DESK})
    assert without.status_code == 401, "an origin is no credential"
    assert without.headers["access-control-allow-origin"] == DESK, "the page is told so"
    own = daemon.tcp.get("/health", headers=token | {"Origin": f"http://127.0.0.1:{daemon.port}"})
    assert own.status_code == 200


def preflight(daemon: DaemonProcess, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return daemon.tcp.options("/api/v1/orders", headers=named)


def test_a_preflight_is_answered_for_allowed_origins_only(daemon: DaemonProcess) -> None:
    asked = {"Access_Control_Request_Method": "POST"}
    said = preflight(
        daemon, Origin=DESK, **asked, Access_Control_Request_Headers="Authorization, content-type"
    )
    assert said.status_code == 204
    assert said.headers["access-control-allow-origin"] == DESK
    assert said.headers["access-control-allow-methods"].split(", ") == list(METHODS)
    assert said.headers["access-control-allow-headers"].split(", ") == list(HEADERS)
    assert "*" not in str(said.headers.multi_items())
    assert "access-control-allow-credentials" not in said.headers
    for refused in (
        preflight(daemon, Origin="https://evil.example", **asked),
        preflight(daemon, Origin="null", **asked),
        preflight(daemon, Origin=DESK, Access_Control_Request_Method="TRACE"),
        preflight(daemon, Origin=DESK, **asked, Access_Control_Request_Headers="X-Other"),
    ):
        assert refused.status_code == 403
        assert "access-control-allow-methods" not in refused.headers
    assert preflight(daemon, **asked).status_code == 401, "without an origin it is a request like any other"


def test_methods_and_headers_are_those_the_api_has(daemon: DaemonProcess) -> None:
    document = daemon.get("/api/v1/openapi.json")
    used = {method.upper() for ways in document["paths"].values() for method in ways}
    assert used == set(METHODS)


def test_a_name_that_is_pointed_here_is_refused(daemon: DaemonProcess, token: dict[str, str]) -> None:
    """DNS rebinding: the page is of the same origin as what it asks, under its own name."""
    evil = f"evil.example:{daemon.port}"
    page = {"Host": evil, "Origin": f"http://{evil}"}
    for client, headers in (daemon.tcp, token | page), (daemon.http, page), (daemon.tcp, {"Host": evil}):
        answer = client.get("/health", headers=headers)
        assert answer.status_code == 403
        assert "allowed_hosts" in answer.json()["rule"]


def test_a_stream_of_a_stranger_is_refused(daemon: DaemonProcess, token: dict[str, str]) -> None:
    at, path = f"ws://127.0.0.1:{daemon.port}/ws", str(daemon.home.daemon_socket)
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}):
        with pytest.raises(InvalidStatus) as refused:
            connect(at, additional_headers=token | headers, proxy=None)
        assert refused.value.response.status_code == 403
        with pytest.raises(InvalidStatus) as refused:
            unix_connect(path, "ws://daemon/ws", additional_headers=headers)
        assert refused.value.response.status_code == 403
    with pytest.raises(InvalidStatus) as refused:
        unix_connect(path, "ws://evil.example/ws")
    assert refused.value.response.status_code == 403
    for origin in (DESK, f"http://127.0.0.1:{daemon.port}"):
        with connect(at, additional_headers=token | {"Origin": origin}, proxy=None) as talk:
            assert "connection_established" in str(talk.recv(timeout=30))
    with unix_connect(path, "ws://daemon/ws", additional_headers={"Origin": DESK}) as talk:
        assert "connection_established" in str(talk.recv(timeout=30))
