"""What a gateway can be told: a frozen struct with the defaults.

This module must not know where settings come from (files, flags) or what they lead to.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from nautilus_tui.client.address import Address
from nautilus_tui.daemon.peers import Bounds
from nautilus_tui.daemon.streams.limits import StreamLimits


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway's settings. Times are in seconds."""

    redis_url: str  #: may hold a password: never printed
    prefix: str  #: what the daemon's keys in Redis begin with
    log_level: str = "info"
    log_format: Literal["text", "json"] = "text"
    daemon: Address | None = None  #: where commands of clients are carried to; None: nowhere
    tls_certificate: Path | None = None  #: needed, with the key, to listen beyond loopback
    tls_key: Path | None = None
    login_attempts_per_minute: Annotated[int, msgspec.Meta(ge=1)] = 10
    requests_per_second: Annotated[int, msgspec.Meta(ge=1)] = 200  #: of one token
    shutdown_seconds: Annotated[float, msgspec.Meta(gt=0)] = 3.0
    trusted_seconds: Annotated[float, msgspec.Meta(gt=0)] = 60.0  #: tokens, without news of the daemon
    allowed_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    bounds: Bounds = Bounds()  #: what a peer may cost before anyone knows who it is
    streams: StreamLimits = StreamLimits()

    def __repr__(self) -> str:
        return f"GatewaySettings(prefix={self.prefix!r}, daemon={self.daemon})"
