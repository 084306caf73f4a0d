"""TLS as the daemon speaks it: no old version, no weak cipher, and no key that others can read."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from data.problems import InvalidRequestError
from nautilus_tui.daemon.listening import tcp_socket
from nautilus_tui.daemon.settings import DaemonSettings
from nautilus_tui.daemon.tls import server_context
from tests.client.certificate import make_certificate, needs_openssl

pytestmark = needs_openssl


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def handshake(pair: tuple[Path, Path], client: ssl.SSLContext) -> tuple[str | None, str]:
    """Shake hands over a real socket; return version and cipher, or raise what the client meets."""
    server = server_context(*pair)
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            with server.wrap_socket(theirs, server_side=True) as secure:
                secure.recv(1)
        except (ssl.SSLError, OSError):  # the client is told by an alert
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        ours.settimeout(30)
        with client.wrap_socket(ours, server_hostname="127.0.0.1") as secure:
            cipher = secure.cipher()
            assert cipher is not None
            return secure.version(), cipher[0]
    finally:
        ours.close()
        thread.join(30)


def trusting(pair: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(pair[0]))
    context.set_ciphers("ALL:@SECLEVEL=0")  # whatever it can: what is left is the server's choice
    return context


def test_current_versions_are_spoken(pair: tuple[Path, Path]) -> None:
    for version, name in (ssl.TLSVersion.TLSv1_3, "TLSv1.3"), (ssl.TLSVersion.TLSv1_2, "TLSv1.2"):
        client = trusting(pair)
        client.maximum_version = version
        spoken, cipher = handshake(pair, client)
        assert spoken == name
        assert "GCM" in cipher or "CHACHA20" in cipher


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_refused(pair: tuple[Path, Path], version: ssl.TLSVersion) -> None:
    client = trusting(pair)
    client.minimum_version, client.maximum_version = ssl.TLSVersion.TLSv1, version
    with pytest.raises(ssl.SSLError, match=r"(?i)version|protocol"):
        handshake(pair, client)


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"])
def test_weak_ciphers_are_refused(pair: tuple[Path, Path], cipher: str) -> None:
    client = trusting(pair)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(f"{cipher}:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match=r"(?i)handshake"):
        handshake(pair, client)


@pytest.mark.parametrize(("mode", "fits"), [(0o600, True), (0o640, True), (0o644, False), (0o660, False)])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int, fits: bool) -> None:
    certificate, key = make_certificate(tmp_path / "own")
    key.chmod(mode)
    settings = DaemonSettings(tls_certificate=certificate, tls_key=key)
    if fits:
        sock, tls = tcp_socket("127.0.0.1", 0, settings)
        sock.close()
        assert tls
        return
    with pytest.raises(InvalidRequestError) as caught:
        tcp_socket("127.0.0.1", 0, settings)
    assert caught.value.fix == f"chmod 600 {key}"


def test_files_that_do_not_serve_are_told_at_once(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    other = make_certificate(tmp_path / "other")
    locked = make_certificate(tmp_path / "locked", password="secret")
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no certificate")
    nonsense.chmod(0o600)
    for certificate, key in (
        (pair[0], other[1]),
        locked,
        (nonsense, pair[1]),
        (pair[0], nonsense),
        (tmp_path / "none.pem", pair[1]),
        (pair[0], tmp_path / "none.pem"),
    ):
        with pytest.raises(InvalidRequestError) as caught:
            tcp_socket("127.0.0.1", 0, DaemonSettings(tls_certificate=certificate, tls_key=key))
        assert "PEM" in (caught.value.rule or "")
        assert "secret" not in str(caught.value.document())
