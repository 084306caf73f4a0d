"""A terminal attached from another machine: over TLS, with a token, through a restart of the daemon."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

from data.access import TokenRow, digest
from data.paths import Home
from data.state import State
from tests.cli.driving import CommandLine, running_daemon
from tests.cli.screen import opened
from tests.client.certificate import make_certificate, needs_openssl

pytestmark = needs_openssl

EXPIRED = "e" * 43


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


async def keep_an_expired_token(home: Home) -> None:
    state = State(home.state_db)
    state.open()
    now = time.time_ns()
    token = TokenRow(name="old", digest=digest(EXPIRED), role="viewer", ts_created=now, ts_expires=now + 1)
    await state.tokens.add(token)
    state.close()


def test_a_terminal_of_another_machine(tmp_path: Path) -> None:
    cert, key = make_certificate(tmp_path)
    home = Home(tmp_path / "home").ensure()
    home.config_file.write_text(
        f'[daemon]\ntls_certificate = "{cert}"\ntls_key = "{key}"\n[simulator]\nhistory_minutes = 10\n'
    )
    asyncio.run(keep_an_expired_token(home))
    port = free_port()
    url = f"wss://127.0.0.1:{port}"
    there = CommandLine(Home(tmp_path / "there"))
    trusting = {"SSL_CERT_FILE": str(cert)}

    def refused(token: str, environment: dict[str, str]) -> tuple[int, str]:
        with opened(there, "attach", url, NAUTILUS_TUI_TOKEN=token, **environment) as screen:
            code = screen.end()
            return code, screen.written.decode()

    with running_daemon(home, f"127.0.0.1:{port}") as cli:
        assert cli("engine", "start", "paper-1", "--wait").code == 0
        token = cli("token", "create", "far", "--role", "viewer").out.strip()
        revoked = cli("token", "create", "gone", "--role", "viewer").out.strip()
        assert cli("token", "revoke", "gone").code == 0
        for given, why in (
            ("wrong", "the token is not valid"),
            (EXPIRED, "expired"),
            (revoked, "the token gone was revoked"),
        ):
            code, said = refused(given, trusting)
            assert code == 3, said
            assert "Not authenticated" in said
            assert why in said
        code, said = refused(token, {"SSL_CERT_FILE": ""})
        assert code == 5
        assert "is not trusted: self-signed certificate" in said
        assert "SSL_CERT_FILE=" in said

        with opened(there, "attach", url, NAUTILUS_TUI_TOKEN=token, **trusting) as screen:
            screen.read_until("Watchlist")
            screen.read_until("read-only")
            assert cli("stop").code == 0
            screen.read_until("Disconnected")
            with running_daemon(home, f"127.0.0.1:{port}") as again:
                assert again("order", "buy", "AAPL.SIM", "7", "--wait").code == 0
                screen.read_until("MKT")  # the orders pane has nothing else of that name
                assert again("token", "revoke", "far").code == 0
                screen.read_until("revoked")
                screen.press("q")
                assert screen.end() == 0
    assert not (tmp_path / "there" / "state.duckdb").exists()
