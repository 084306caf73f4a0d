"""What a stream connection may cost. This module must not know how the limits are kept."""

from __future__ import annotations

import msgspec


class StreamLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds and intervals of the streams, with the defaults that are promised to clients."""

    flush_s: float = 0.005  #: frames are written at this interval, the first after a lull at once …
    flush_max_s: float = 0.010  #: … and at most this far apart when writing them takes its time
    heartbeat_s: float = 15.0
    heartbeats_missed: int = 2  #: a connection is dead when it answered none of so many
    auth_s: float = 5.0  #: how long a connection without a header may take to authenticate
    close_s: float = 5.0  #: how long a closing handshake may take before the connection is cut
    max_subscriptions: int = 500
    subscription_bytes: int = 67_108_864  #: of the names in all distinct subscription sets together
    inbound_rate: int = 50  #: messages a second from a client, and as many at once
    inbound_excess: int = 500  #: messages over the rate, in a row, after which a connection is closed
    max_message: int = 65_536  #: bytes of one message from a client
    max_commands: int = 16  #: commands of one connection in flight
    max_connections: int = 10_000
    lossless_bound: int = 4096  #: events of lossless topics that may wait for a slow reader
    frame_bytes: int = 262_144  #: a frame is closed when it would grow past this
    write_high: int = 131_072  #: unsent bytes at which a reader counts as slow …
    write_low: int = 32_768  #: … and below which it is given what it missed
