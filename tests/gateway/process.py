"""Real gateways, publishers and crowds of readers, each in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import httpx
import msgspec

from nautilus_tui.client.address import TOKEN_VARIABLE, Address
from nautilus_tui.relay.address import VARIABLE
from tests.gateway.readers import Report

REPO = Path(__file__).parents[2]
PATIENCE_S = 300.0


def until[T](ask: Callable[[], T], true: Callable[[T], object], what: str) -> T:
    """Ask until the answer is as wanted, and return it."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = ask()
        if true(answer):
            return answer
        assert time.monotonic() < deadline, f"{what}: {answer}"
        time.sleep(0.05)


class _Process:
    def __init__(self, arguments: list[str], environment: dict[str, str], errors: Path) -> None:
        self._errors = errors.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=REPO,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def said(self) -> str:
        """Return the next line of its standard output."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def asked(self, line: str = "") -> str:
        """Write a line to its standard input and return what it answers."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.said()

    def errors(self) -> str:
        """Return what it wrote to its standard error."""
        return Path(self._errors.name).read_text()

    def kill(self) -> None:
        """End it without any warning."""
        self.process.send_signal(signal.SIGKILL)
        self._close()

    def stop(self) -> int:
        """Ask it to stop, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._close()

    def _close(self) -> int:
        code = self.process.wait(PATIENCE_S)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self._errors.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._errors.closed:
            self.process.kill()
            self._close()


class GatewayProcess(_Process):
    """One gateway as it is started by hand.

    Args:
        folder: its home and its log.
        redis: the address of Redis, password included; it travels in the environment.
        port: to listen at; 0: any.
        more: further options.
    """

    def __init__(self, folder: Path, redis: str, *more: str, port: int = 0, prefix: str = "t") -> None:
        self.home = folder / "home"
        folder.mkdir(exist_ok=True)
        options = ["--home", str(self.home), "gateway", "--listen", f"127.0.0.1:{port}"]
        super().__init__(
            ["nautilus_tui.cli.main", *options, "--prefix", prefix, *more],
            {VARIABLE: redis},
            folder / "gateway.log",
        )
        self.ready = self.said()
        found = re.search(r"https?://127\.0\.0\.1:(\d+)", self.ready)
        assert found is not None, self.errors()
        self.url = found[0]
        self.port = int(found[1])

    def address(self, token: str | None) -> Address:
        """Return where it is."""
        return Address.remote(self.url, token)

    def get(
        self, path: str, token: str | None, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Ask it something."""
        credential = {} if token is None else {"Authorization": f"Bearer {token}"}
        return httpx.request(
            method, self.url + path, headers={**credential, **(headers or {})}, timeout=20, trust_env=False
        )

    def follow(self, token: str) -> dict[str, Any]:
        """Wait until it is ready and hears of everything; return its health."""
        answer = until(
            lambda: self.get("/health", token),
            lambda answer: answer.status_code == 200 and answer.json()["status"] == "ok",
            "the gateway does not follow",
        )
        health: dict[str, Any] = answer.json()
        return health


class PublisherProcess(_Process):
    """A bus that is published through Redis, at a rate, with one token in use."""

    def __init__(self, folder: Path, redis: str, rate: int) -> None:
        super().__init__(["tests.gateway.publisher", str(rate)], {VARIABLE: redis}, folder / "publisher.log")
        self.token = self.said().strip()
        assert self.token, self.errors()

    def seqs(self, line: str = "") -> dict[str, int]:
        """Return the number of every lossless topic at this moment."""
        found: dict[str, int] = msgspec.json.decode(self.asked(line))
        return found

    def finish(self) -> dict[str, int]:
        """Publish nothing more, and return the last numbers."""
        return self.seqs("finish")


class Crowd(_Process):
    """Many readers."""

    def __init__(self, folder: Path, count: int, token: str, *urls: str) -> None:
        super().__init__(
            ["tests.gateway.readers", str(count), ",".join(urls)],
            {TOKEN_VARIABLE: token},
            folder / "readers.log",
        )

    def report(self) -> Report:
        """Return how they stand."""
        line = self.asked()
        assert line, self.errors()
        return msgspec.json.decode(line, type=Report)

    def past(self, seqs: dict[str, int], what: str) -> Report:
        """Wait until every reader has read up to these numbers."""
        return until(
            self.report,
            lambda report: all(report.least.get(topic, -1) >= seq for topic, seq in seqs.items()),
            what,
        )
