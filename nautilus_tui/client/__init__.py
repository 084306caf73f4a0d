"""The public client of the daemon's API: what the terminal and the command line use, and any program may.

``ApiClient`` asks and commands, ``StreamClient`` listens. Nothing in here may know of the terminal,
of the daemon's own modules or of NautilusTrader: only the wire and the vocabulary in ``data``.
The parts are imported when first used, because a command line that only asks need not load streams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nautilus_tui.client.address import Address
    from nautilus_tui.client.api import ApiClient
    from nautilus_tui.client.envelopes import Envelope
    from nautilus_tui.client.problems import NotReachableError, WireError
    from nautilus_tui.client.stream import Batch, ConnectionChanged, StreamClient

__all__ = [
    "Address",
    "ApiClient",
    "Batch",
    "ConnectionChanged",
    "Envelope",
    "NotReachableError",
    "StreamClient",
    "WireError",
]

_HOMES = {
    "Address": "address",
    "ApiClient": "api",
    "NotReachableError": "problems",
    "WireError": "problems",
    "Batch": "stream",
    "ConnectionChanged": "stream",
    "Envelope": "envelopes",
    "StreamClient": "stream",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
