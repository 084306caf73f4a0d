"""What the daemon can be told: a frozen struct with the defaults.

This module must not know where settings come from (files, flags) or what they lead to.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from data.reports import ReportPlan
from engines.spec import EngineSpec
from nautilus_tui.daemon.streams.limits import StreamLimits
from providers.settings import ProviderSettings


class EscalationStep(msgspec.Struct, frozen=True):
    """Who is told of a breach that nobody acknowledged, so long after it was found."""

    role: str
    after_s: float


class DaemonSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The daemon's settings. Times are in seconds unless a name says otherwise."""

    listen: str = ""  #: HOST:PORT of the port; told here so that a change is noticed
    log_level: str = "info"
    log_format: Literal["text", "json"] = "text"
    tls_certificate: Path | None = None  #: needed, with the key, to listen beyond loopback
    tls_key: Path | None = None
    max_request_bytes: Annotated[int, msgspec.Meta(ge=1024)] = 1_000_000
    max_header_bytes: Annotated[int, msgspec.Meta(ge=1024)] = 16_384  #: of a request's line and headers
    max_headers: Annotated[int, msgspec.Meta(ge=16)] = 100
    request_seconds: Annotated[float, msgspec.Meta(gt=0)] = 30.0  #: in which a request has to be sent
    connections_per_peer: Annotated[int, msgspec.Meta(ge=1)] = 4096  #: HTTP connections of one address
    allowed_origins: tuple[str, ...] = ()  #: web pages that may ask, besides the daemon's own origin
    allowed_hosts: tuple[str, ...] = ()  #: names of the daemon without TLS, besides this machine's
    requests_per_second: Annotated[int, msgspec.Meta(ge=1)] = 200  #: of one token, over TCP
    login_attempts_per_minute: Annotated[int, msgspec.Meta(ge=1)] = 10
    compaction_minutes: Annotated[int, msgspec.Meta(ge=1)] = 10
    health_seconds: Annotated[float, msgspec.Meta(gt=0)] = 2.0
    shutdown_seconds: Annotated[float, msgspec.Meta(gt=0)] = 3.0
    streams: StreamLimits = StreamLimits()
    redis_url: str = ""  #: where every event is published; the environment's wins
    redis_prefix: str = "nautilus"
    engine: EngineSpec = EngineSpec(engine="paper-1")  #: what a new engine starts with, apart from its id
    providers: ProviderSettings = ProviderSettings()
    order_authority: Literal["optional", "required"] = "optional"  #: whether somebody has to hold it
    two_person: Literal["live", "always", "never"] = "live"  #: where loosening a limit needs a second person
    watch: tuple[str, ...] = ()  #: tickers whose new filings are told, besides those of what is held
    filings_minutes: Annotated[int, msgspec.Meta(ge=1)] = 10  #: how often new filings are looked for
    monitor_seconds: Annotated[float, msgspec.Meta(gt=0)] = 5.0  #: how often all limits are checked
    escalation: tuple[EscalationStep, ...] = (
        EscalationStep("trader", 0.0),
        EscalationStep("risk manager", 300.0),
        EscalationStep("head of risk", 900.0),
        EscalationStep("CRO", 1800.0),
    )
    reports: tuple[ReportPlan, ...] = ()  #: that are written by the clock
    reports_kept: Annotated[int, msgspec.Meta(ge=1)] = 90  #: of each scheduled type and format
