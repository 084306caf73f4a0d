"""A real daemon in a process of its own, and plain HTTP to it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec

from data.paths import Home
from tests.daemon.serve import Told

REPO = Path(__file__).parents[2]


class DaemonProcess:
    """One daemon process over a home, told of providers if that is given, with more in its environment."""

    def __init__(
        self, root: Path, told: Told | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self.home = Home(root)
        self._errors = (root.parent / f"{root.name}.stderr").open("ab")
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.daemon.serve",
                str(root),
                msgspec.json.encode(told or Told()).decode(),
            ],
            cwd=REPO,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        assert self.process.stdout is not None
        self.ready = self.process.stdout.readline()
        assert "ready" in self.ready, self.errors()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", self.ready)
        assert found is not None
        self.port = int(found[1])
        self.http = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(self.home.daemon_socket)),
            base_url="http://daemon",
            timeout=120,
        )
        self.tcp = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=120, trust_env=False)

    def errors(self) -> str:
        """Return what the process wrote to its standard error."""
        return Path(self._errors.name).read_text()

    def get(self, path: str, **params: Any) -> Any:
        """Return a question's answer; fails on an error."""
        response = self.http.get(path, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, body: object = None, key: str | None = None, **params: Any) -> httpx.Response:
        """Send a change."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.http.post(path, json=body or {}, headers=headers, params=params)

    def token(self, name: str, role: str) -> dict[str, str]:
        """Create a token and return the header that carries it."""
        answer = self.post("/api/v1/tokens", {"name": name, "role": role}).json()
        return {"Authorization": f"Bearer {answer['data']['token']}"}

    def kill(self) -> None:
        """End the process without any warning."""
        self.process.send_signal(signal.SIGKILL)
        self._close()

    def stop(self) -> int:
        """Ask the process to stop and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=120)
        self._close()
        return code

    def stop_all(self) -> None:
        """Stop the engines, then the daemon; whatever state a test has left it in."""
        if self.process.poll() is None:
            self.post("/api/v1/system/stop", {"engines": True})
            self.process.wait(timeout=120)
        self._close()

    def _close(self) -> None:
        self.process.wait(timeout=120)
        self.http.close()
        self.tcp.close()
        self._errors.close()
        assert self.process.stdout is not None
        self.said = self.ready + self.process.stdout.read()
        self.process.stdout.close()


def signal_engine(home: Home, engine: str, number: signal.Signals) -> None:
    """Send a signal to an engine's process."""
    import json

    facts = json.loads((home.run / f"engine-{engine}.pid.json").read_text())
    os.kill(int(facts["pid"]), number)
