"""A token's secret is told once and is nowhere afterwards: in no store, no log and no error."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from data.access import digest
from data.paths import Home
from tests.cli.driving import CommandLine


class Debugging:
    """A daemon that logs all it can, in a process of its own."""

    def __init__(self, home: Home) -> None:
        self.cli = CommandLine(home)
        self.log = home.root / "daemon.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.cli.command("daemon", "--listen", "127.0.0.1:0"),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        found = re.search(r"http://(127\.0\.0\.1:\d+)", self.process.stdout.readline())
        assert found, self.log.read_text()
        self.at = found[1]

    def end(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()


def everywhere(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_secret_is_nowhere_on_disk_also_after_a_crash(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").ensure()
    home.config_file.write_text('[daemon]\nlog_level = "debug"\nlog_format = "json"\n')
    offline = CommandLine(home)("token", "create", "before", "--role", "admin")
    assert offline.code == 0, offline.err
    daemon = Debugging(home)
    online = daemon.cli("token", "create", "during", "--expires-days", "2")
    assert online.code == 0, online.err
    secrets = [offline.out.strip(), online.out.strip()]
    assert all(re.fullmatch(r"ntui_[A-Za-z0-9_-]{43}", secret) for secret in secrets)
    told = [misuse(daemon, secret) for secret in secrets]
    for name in ("before", "during"):
        mistaken = daemon.cli("token", "revoke", secrets[0])  # the secret where its name belongs
        assert mistaken.code == 2, mistaken
        told.append(mistaken.err + mistaken.out)
        assert daemon.cli("token", "revoke", name).code == 0
    during = everywhere(home.root)
    daemon.end(signal.SIGKILL)
    crashed = everywhere(home.root)
    again = Debugging(home)
    again.end(signal.SIGTERM)
    listed = CommandLine(home)("--json", "token", "list")
    audited = CommandLine(home)("--json", "audit", "verify")
    assert [one["name"] for one in listed.json] == ["before", "during"]
    assert [one["status"] for one in listed.json] == ["revoked", "revoked"]
    told += [listed.out, audited.out]
    for moment in (during, crashed, everywhere(home.root)):
        assert any("daemon.log" in path.name and content for path, content in moment.items())
        for secret in secrets:
            bare = secret.removeprefix("ntui_").encode()
            assert [path for path, content in moment.items() if bare in content] == []
    assert not any(secret.removeprefix("ntui_") in text for secret in secrets for text in told)
    kept = b"".join(everywhere(home.root).values())
    assert digest(secrets[0]).encode() in kept, "what is kept of a token is its hash"
    assert os.stat(home.state_db).st_mode & 0o077 == 0 or os.stat(home.root).st_mode & 0o077 == 0


def misuse(daemon: Debugging, secret: str) -> str:
    """Present a token in every wrong way, and return what was answered."""
    bearer = {"Authorization": f"Bearer {secret}"}
    said = []
    with httpx.Client(base_url=f"http://{daemon.at}", trust_env=False) as http:
        for answer in (
            http.get(f"/health?token={secret}", headers=bearer),
            http.get(f"/api/v1/{secret}", headers=bearer),
            http.delete(f"/api/v1/tokens/{secret}", headers=bearer),
            http.get("/health", headers={"Authorization": secret}),
            http.get("/health", headers={"Authorization": f"Basic {secret}"}),
            http.post("/api/v1/commands", headers=bearer, json={"command": "token.revoke", "name": secret}),
            http.post("/api/v1/commands", headers=bearer, json={"command": secret}),
            http.post(
                "/api/v1/commands", headers=bearer | {"Idempotency-Key": secret}, json={"command": "kill"}
            ),
            http.post("/api/v1/orders", headers=bearer, json={secret: secret}),
        ):
            said.append(answer.text)
            assert answer.status_code != 500, answer.text
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://{daemon.at}/ws?token={secret}", additional_headers=bearer, proxy=None)
    said.append(str(refused.value.response.body))
    return "".join(said)
