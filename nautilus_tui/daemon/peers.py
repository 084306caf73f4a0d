"""uvicorn's HTTP protocol, with the user behind a unix socket made known to the application.

A TCP peer appears as its address; a unix peer as ``("unix", uid)``, taken from the kernel. This
module must not know what anyone may do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

from nautilus_tui.daemon.streams.peers import uid_of

UNIX = "unix"


class PeerHttpProtocol(H11Protocol):
    """H11 with peer credentials."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Note who connected."""
        super().connection_made(transport)
        uid = uid_of(transport)
        if uid is not None:
            self.client = (UNIX, uid)


def peer_of(scope: Mapping[str, Any]) -> tuple[str, int | None]:
    """Return a request's peer: ``("unix", uid)``, or its address and None."""
    client = cast("tuple[str, int] | None", scope.get("client"))
    if client is None:
        return ("unknown", None)
    return (UNIX, client[1]) if client[0] == UNIX else (client[0], None)
