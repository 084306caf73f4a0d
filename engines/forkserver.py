"""The warm forkserver: a process that has NautilusTrader imported already and forks engines on request.

It belongs to one daemon and dies with it; the engines it forked are sessions of their own and trade
on. Requests and answers are lines of JSON on a socket it inherits. This module must not know what an
engine does; it imports NautilusTrader only inside the process that it is for.
"""

from __future__ import annotations

import gc
import importlib
import os
import selectors
import signal
import socket
import sys
from pathlib import Path

import msgspec

from data.paths import Home
from engines.spec import EngineSpec


class Spawn(msgspec.Struct, frozen=True, tag="spawn"):
    """Fork an engine that serves its link on ``socket``."""

    spec: EngineSpec
    home: str


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """Everything is imported; engines start at once from now on."""

    pid: int
    threads: int


class Spawned(msgspec.Struct, frozen=True, tag="spawned"):
    """The engine's process is there and its socket listens."""

    engine: str
    pid: int


class NotSpawned(msgspec.Struct, frozen=True, tag="not_spawned"):
    """The engine could not be forked."""

    engine: str
    reason: str


class Exited(msgspec.Struct, frozen=True, tag="exited"):
    """A forked engine is gone; ``status`` is its exit code, negative for a signal."""

    pid: int
    status: int


Answer = Ready | Spawned | NotSpawned | Exited
decode_answer = msgspec.json.Decoder(Answer).decode
_decode_request = msgspec.json.Decoder(Spawn).decode


def encode(message: Spawn | Answer) -> bytes:
    """Return a message as a line."""
    return msgspec.json.encode(message) + b"\n"


def bind(path: Path) -> socket.socket:
    """Return a listening unix socket that only this user can reach; it replaces a dead one."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(old)
    listener.listen(16)
    return listener


class Forkserver:
    """The loop: requests in, forks and exits out."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._rest = b""
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        os.set_blocking(self._wake_read, False)

    def serve(self) -> None:
        """Serve until the daemon is gone."""
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-c in the terminal is not meant for engines
        threads = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1
        self._send(Ready(os.getpid(), threads))
        selector = selectors.DefaultSelector()
        selector.register(self._control, selectors.EVENT_READ)
        selector.register(self._wake_read, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is self._control:
                    if not self._take_requests():
                        return
                else:
                    os.read(self._wake_read, 512)
                    self._reap()

    def _take_requests(self) -> bool:
        chunk = self._control.recv(1 << 16)
        if not chunk:
            return False
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._spawn(_decode_request(line))
        return True

    def _spawn(self, request: Spawn) -> None:
        spec, home = request.spec, Home(Path(request.home))
        try:
            listener = bind(home.engine_socket(spec.engine))
            pid = os.fork()
        except OSError as error:
            self._send(NotSpawned(spec.engine, str(error)))
            return
        if pid == 0:
            self._become_engine(spec, home, listener)
        listener.close()
        self._send(Spawned(spec.engine, pid))

    def _become_engine(self, spec: EngineSpec, home: Home, listener: socket.socket) -> None:
        from engines.node.main import run_forked

        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        self._control.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
        run_forked(spec, home, listener)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._send(Exited(pid, os.waitstatus_to_exitcode(status)))

    def _send(self, answer: Answer) -> None:
        try:
            self._control.sendall(encode(answer))
        except BrokenPipeError:
            raise SystemExit(0) from None  # the daemon is gone and so is our purpose


def main() -> None:
    """Import everything, then serve on the inherited socket whose number is the only argument."""

    importlib.import_module("engines.node.main")
    gc.collect()
    gc.freeze()  # what is imported never becomes garbage: children need not touch its pages
    Forkserver(socket.socket(fileno=int(sys.argv[1]))).serve()


if __name__ == "__main__":
    main()
