"""Runs a daemon over the home given as argument, on its unix socket and a free TCP port.

A second argument has what it is told of providers, as JSON.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Literal

import msgspec

from data.paths import Home
from data.reports import ReportPlan
from nautilus_tui.daemon.app import Daemon
from nautilus_tui.daemon.settings import DaemonSettings, EscalationStep
from providers.settings import ProviderSettings


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a daemon is told of providers, who has to agree to what, and how limits are watched."""

    providers: ProviderSettings = ProviderSettings()
    watch: tuple[str, ...] = ()
    two_person: Literal["live", "always", "never"] = "live"
    order_authority: Literal["optional", "required"] = "optional"
    monitor_seconds: float = 5.0
    escalation: tuple[EscalationStep, ...] = DaemonSettings().escalation
    reports: tuple[ReportPlan, ...] = ()
    reports_kept: int = 90
    requests_per_second: int = DaemonSettings().requests_per_second
    login_attempts_per_minute: int = DaemonSettings().login_attempts_per_minute
    allowed_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    request_seconds: float = DaemonSettings().request_seconds
    connections_per_peer: int = DaemonSettings().connections_per_peer


async def main() -> None:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    told = msgspec.json.decode(sys.argv[2] if len(sys.argv) > 2 else "{}", type=Told)
    settings = DaemonSettings(**msgspec.structs.asdict(told))
    daemon = Daemon(Home(Path(sys.argv[1])), settings)
    await daemon.serve(("127.0.0.1", 0), lambda line: print(line, flush=True))


if __name__ == "__main__":
    asyncio.run(main())
