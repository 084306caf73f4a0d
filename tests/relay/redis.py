"""A Redis of a test's own, which may be killed and started again: empty, for it keeps nothing on disk."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

PATIENCE_S = 60.0
PROGRAM = shutil.which("redis-server") or shutil.which("valkey-server")

needs_redis = pytest.mark.skipif(PROGRAM is None, reason="redis-server is not installed")


class RedisServer:
    """One Redis process on a free port of loopback.

    Args:
        folder: where it may write.
        password: that clients must give; empty: none.
        tls: certificate and key to serve with; None: without TLS.
    """

    def __init__(self, folder: Path, password: str = "", tls: tuple[Path, Path] | None = None) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.password = password
        self._tls = tls
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Its address, the password included."""
        where = f"{f':{self.password}@' if self.password else ''}127.0.0.1:{self.port}/0"
        return f"rediss://{where}?ssl_ca_certs={self._tls[0]}" if self._tls else f"redis://{where}"

    def start(self) -> None:
        """Start the process, empty, on the same port as before; returns when it answers."""
        assert PROGRAM is not None
        assert self._process is None
        arguments = ["--tls-port" if self._tls else "--port", str(self.port), "--bind", "127.0.0.1"]
        if self._tls:
            arguments += ["--port", "0", "--tls-auth-clients", "no"]
            arguments += ["--tls-cert-file", str(self._tls[0]), "--tls-key-file", str(self._tls[1])]
        arguments += ["--save", "", "--appendonly", "no"]
        arguments += ["--dir", str(self._folder), "--daemonize", "no"]
        if self.password:
            arguments += ["--requirepass", self.password]
        self._process = subprocess.Popen(
            [PROGRAM, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as talk:
                if self._tls:
                    return  # it listens: what it says takes a handshake
                talk.sendall(b"PING\r\n")
                if talk.recv(64).startswith((b"+PONG", b"-NOAUTH")):
                    return
            assert self._process.poll() is None, "redis-server ended at once"
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.01)

    def kill(self) -> None:
        """End the process without any warning; what it knew is gone."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE_S)
        self._process = None

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """Let it answer nothing, without ending it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it, whatever state it is in."""
        if self._process is not None:
            self.thaw()
            self.kill()


@contextmanager
def redis_server(
    folder: Path, password: str = "", tls: tuple[Path, Path] | None = None
) -> Iterator[RedisServer]:
    """Run a Redis of one's own."""
    server = RedisServer(folder, password, tls)
    try:
        yield server
    finally:
        server.close()
