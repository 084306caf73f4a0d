"""Streams: what happened, told to every reader over WebSocket, once encoded and many times written.

`StreamHub` fans the bus out, `make_ws_protocol` makes the protocol class uvicorn serves it with.
"""

from __future__ import annotations

from nautilus_tui.daemon.streams.binding import make_ws_protocol
from nautilus_tui.daemon.streams.hub import StreamHub
from nautilus_tui.daemon.streams.limits import StreamLimits

__all__ = ["StreamHub", "StreamLimits", "make_ws_protocol"]
