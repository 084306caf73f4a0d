"""What a peer may cost a daemon: bytes, time, connections and wrong tokens, tried on raw sockets."""

from __future__ import annotations

import json
import re
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.daemon.process import DaemonProcess
from tests.daemon.serve import Told

CONNECTIONS = 30


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    told = Told(request_seconds=1.0, connections_per_peer=CONNECTIONS)
    running = DaemonProcess(tmp_path_factory.mktemp("limits") / "home", told)
    try:
        yield running
        assert "Traceback" not in running.errors()
        assert "Invalid HTTP request" not in running.errors(), "a line for each would fill the disk"
    finally:
        running.stop_all()


@pytest.fixture(scope="module")
def bearer(daemon: DaemonProcess) -> str:
    return daemon.token("peer", "admin")["Authorization"]


def raw(daemon: DaemonProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", daemon.port), timeout=30)


def local(daemon: DaemonProcess) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(30)
    sock.connect(str(daemon.home.daemon_socket))
    return sock


def head(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


def rest(sock: socket.socket) -> bytes:
    """Return everything that comes until the daemon hangs up."""
    said = b""
    with suppress(ConnectionError):
        while piece := sock.recv(65536):
            said += piece
    return said


def answer(sock: socket.socket) -> bytes:
    """Return one whole answer."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += sock.recv(65536)
    start, _, body = said.partition(b"\r\n\r\n")
    found = re.search(rb"(?i)content-length: (\d+)", start)
    assert found is not None, start
    while len(body) < int(found[1]):
        piece = sock.recv(65536)
        assert piece, said
        body += piece
    return start + b"\r\n\r\n" + body


def problem(said: bytes) -> tuple[int, dict[str, Any]]:
    """Return the status and the document of an answer."""
    start, _, body = said.partition(b"\r\n\r\n")
    assert b"application/problem+json" in start, said[:300]
    document = json.loads(body)
    assert document["rule"], document
    assert document["fix"], document
    return int(start.split()[1]), document


def trickle(sock: socket.socket, what: bytes) -> bytes:
    """Send a byte at a time, as slowly as the daemon stays silent, until it has had enough."""
    for byte in what:
        try:
            sock.sendall(bytes([byte]))
        except ConnectionError:
            break
        if select.select([sock], [], [], 0.1)[0]:
            break
    return rest(sock)


def alive(daemon: DaemonProcess, bearer: str) -> bool:
    return daemon.tcp.get("/health", headers={"Authorization": bearer}).status_code == 200


# ---------------------------------------------------------------- time


def test_headers_that_come_by_the_byte(daemon: DaemonProcess) -> None:
    for connected in raw, local:
        with connected(daemon) as sock:
            status, document = problem(trickle(sock, head("GET /health", "X-Long: " + "x" * 500)))
            assert (status, document["type"]) == (408, "too-slow")


def test_a_body_that_comes_by_the_byte(daemon: DaemonProcess, bearer: str) -> None:
    with raw(daemon) as sock:
        sock.sendall(head("POST /api/v1/commands", f"Authorization: {bearer}", "Content-Length: 5000"))
        status, document = problem(trickle(sock, b"x" * 5000))
        assert (status, document["type"]) == (408, "too-slow")
    with raw(daemon) as sock:  # who is not known is told so at once, and not listened to for longer
        sock.sendall(head("POST /api/v1/commands", "Content-Length: 5000"))
        assert problem(answer(sock))[0] == 401
        assert trickle(sock, b"x" * 5000) == b""
    assert alive(daemon, bearer)


def test_who_asks_nothing_is_not_kept_and_who_asked_is(daemon: DaemonProcess, bearer: str) -> None:
    with raw(daemon) as asked, raw(daemon) as silent:
        asked.sendall(head("GET /health", f"Authorization: {bearer}"))
        assert b" 200 " in answer(asked)
        assert rest(silent) == b"", "cut without a word, for none was asked"
        asked.sendall(head("GET /health", f"Authorization: {bearer}"))
        assert b" 200 " in answer(asked), "a connection that is kept alive has its own time"


def test_an_answer_that_nobody_reads_is_given_up(daemon: DaemonProcess, bearer: str) -> None:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(30)
        sock.connect(("127.0.0.1", daemon.port))
        # Several megabytes of answers, asked for at once: nothing is left for the daemon to read, so
        # closing its socket alone would send nothing before what the client does not take.
        sock.sendall(40 * head("GET /api/v1/openapi.json", f"Authorization: {bearer}"))
        poll = select.poll()
        poll.register(sock, select.POLLHUP | select.POLLERR)
        assert poll.poll(30_000), "the daemon has not hung up"
    assert alive(daemon, bearer)


# ---------------------------------------------------------------- bytes


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_that_is_too_large(daemon: DaemonProcess, bearer: str, chunked: bool) -> None:
    length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 100000000"
    with raw(daemon) as sock:
        sock.sendall(head("POST /api/v1/commands", f"Authorization: {bearer}", length))
        piece = b"10000\r\n" + b"x" * 65536 + b"\r\n" if chunked else b"x" * 65536
        said, sent = b"", 0
        with suppress(ConnectionError):
            while sent < 100_000_000:  # goes on whatever it is told
                sock.sendall(piece)
                sent += len(piece)
                if select.select([sock], [], [], 0)[0]:
                    said += sock.recv(65536)
        said += rest(sock)
        assert sent < 10_000_000, "the daemon hung up on who did not stop"
        status, document = problem(said)
        assert (status, document["type"]) == (413, "too-large")
    assert alive(daemon, bearer)


def test_headers_that_are_too_many_or_too_large(daemon: DaemonProcess, bearer: str) -> None:
    with raw(daemon) as sock:
        sock.sendall(head("GET /health", f"Authorization: {bearer}", "X-Long: " + "x" * 20_000))
        status, document = problem(answer(sock))
        assert (status, document["type"]) == (400, "invalid-request")
        assert "16384 bytes" in document["rule"]
    with raw(daemon) as sock:  # by pieces it need not come to its end
        with suppress(ConnectionError):
            sock.sendall(head("GET /health", "X-Long: " + "x" * 10_000)[:-4])
            while not select.select([sock], [], [], 0.05)[0]:
                sock.sendall(b"x" * 1000)
        assert problem(rest(sock))[0] == 400
    many = {f"X-{number}": "y" for number in range(101)}
    refused = daemon.tcp.get("/health", headers=many | {"Authorization": bearer})
    assert refused.status_code == 400
    assert refused.json()["rule"] == "at most 100 headers, with 16384 bytes"
    with pytest.raises(InvalidStatus) as turned_away:
        connect(
            f"ws://127.0.0.1:{daemon.port}/ws",
            additional_headers={f"X-{number}": "y" for number in range(200)} | {"Authorization": bearer},
            proxy=None,
        )
    assert turned_away.value.response.status_code == 400
    assert alive(daemon, bearer)


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /health HTTP/1.1\r\n\r\n",
        b"POST /api/v1/commands HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/commands HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    ],
)
def test_what_is_no_request(daemon: DaemonProcess, bearer: str, request_: bytes) -> None:
    with raw(daemon) as sock:
        sock.sendall(request_)
        status, document = problem(rest(sock))
        assert (status, document["type"]) == (400, "invalid-request")
    assert alive(daemon, bearer)


def test_a_body_that_breaks_off_in_the_middle_of_its_form(daemon: DaemonProcess, bearer: str) -> None:
    with raw(daemon) as sock:
        sock.sendall(
            head("POST /api/v1/commands", f"Authorization: {bearer}", "Transfer-Encoding: chunked")
            + b"4\r\n[[[[\r\n"
            + b"no length\r\n"
        )
        status, document = problem(rest(sock))
        assert (status, document["type"]) == (400, "invalid-request")
    assert alive(daemon, bearer)


# ---------------------------------------------------------------- connections


def test_an_address_has_so_many_connections_and_gets_them_back(daemon: DaemonProcess, bearer: str) -> None:
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(raw(daemon))
        with raw(daemon) as sock:
            status, document = problem(rest(sock))
            assert (status, document["type"]) == (503, "unavailable")
            assert document["rule"] == f"at most {CONNECTIONS} connections of one address"
        with local(daemon) as sock:  # the socket of the daemon's own user is another matter
            sock.sendall(head("GET /health"))
            assert b" 200 " in sock.recv(65536)
    served = False
    while not served:  # as soon as the daemon has heard that those are gone
        with raw(daemon) as sock, suppress(ConnectionError):
            sock.sendall(head("GET /health", f"Authorization: {bearer}"))
            served = b" 200 " in sock.recv(65536)
    at = f"ws://127.0.0.1:{daemon.port}/ws"
    with ExitStack() as stack:  # streams have a bound of their own
        for _ in range(CONNECTIONS + 5):
            talk = stack.enter_context(connect(at, additional_headers={"Authorization": bearer}, proxy=None))
            assert "connection_established" in str(talk.recv(timeout=30))


# ---------------------------------------------------------------- requests that contradict themselves


@pytest.mark.parametrize("upgrade", [(), ("Upgrade: websocket", "Connection: Upgrade")])
def test_two_tokens_are_refused_whichever_is_right(
    daemon: DaemonProcess, bearer: str, upgrade: tuple[str, ...]
) -> None:
    for tokens in ("Bearer wrong", bearer), (bearer, "Bearer wrong"):
        with raw(daemon) as sock:
            handshake = ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: bmF1dGlsdXMtdHVpLWJuYw==", *upgrade)
            sock.sendall(head("GET /ws", *handshake, *(f"Authorization: {token}" for token in tokens)))
            status, document = problem(answer(sock))
            assert (status, document["detail"]) == (400, "the header Authorization is given 2 times")


def test_a_stream_wants_an_upgrade(daemon: DaemonProcess, bearer: str) -> None:
    for path, status in ("/ws", 426), ("/ws/market-data/AAPL.SIM", 426), ("/ws/none", 404), ("//[", 404):
        with raw(daemon) as sock:
            sock.sendall(head(f"GET {path}", f"Authorization: {bearer}"))
            said = answer(sock)
            assert problem(said)[0] == status
            assert (b"upgrade: websocket" in said.lower()) == (status == 426)
    with raw(daemon) as sock:
        upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
        sock.sendall(head("GET //[", *upgrade, "Sec-WebSocket-Key: bmF1dGlsdXMtdHVpLWJuYw=="))
        assert problem(answer(sock))[0] == 400


# ---------------------------------------------------------------- wrong tokens


def test_streams_and_requests_share_the_attempts_of_an_address(daemon: DaemonProcess, bearer: str) -> None:
    at, wrong = f"ws://127.0.0.1:{daemon.port}/ws", {"Authorization": "Bearer wrong"}
    statuses = []
    for number in range(12):
        if number % 3 == 0:
            statuses.append(daemon.tcp.get("/health", headers=wrong).status_code)
        elif number % 3 == 1:
            with pytest.raises(InvalidStatus) as refused:
                connect(at, additional_headers=wrong, proxy=None)
            statuses.append(refused.value.response.status_code)
        else:
            with connect(at, proxy=None) as talk:
                talk.send(json.dumps({"type": "authenticate", "token": "wrong"}))
                read = json.loads(talk.recv(timeout=30))
                said = read[0] if isinstance(read, list) else read
                statuses.append(said["data"]["status"])
    assert statuses == [401] * 10 + [429] * 2
    with pytest.raises(InvalidStatus) as refused:
        connect(at, additional_headers=wrong, proxy=None)
    assert int(refused.value.response.headers["Retry-After"]) > 0
    assert alive(daemon, bearer), "this machine's programs are not locked out by one another"
    with connect(at, additional_headers={"Authorization": bearer}, proxy=None) as talk:
        assert "connection_established" in str(talk.recv(timeout=30))
    assert daemon.http.get("/health").status_code == 200
