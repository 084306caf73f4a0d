"""The class to give uvicorn: the protocol, bound to what it serves.

uvicorn makes the protocol with arguments of its own, so that everything else has to come with the class.
This module must not know what the protocol does with it.
"""

from __future__ import annotations

import asyncio

from nautilus_tui.daemon.origins import Origins
from nautilus_tui.daemon.refusals import Note, Record, noting, unnoted
from nautilus_tui.daemon.streams import session
from nautilus_tui.daemon.streams.handshake import Authenticate
from nautilus_tui.daemon.streams.hub import StreamHub
from nautilus_tui.daemon.streams.protocol import StreamProtocol
from nautilus_tui.daemon.streams.turns import Reception


def make_ws_protocol(
    hub: StreamHub,
    authenticate: Authenticate,
    execute: session.Execute,
    *,
    origins: Origins | None = None,
    note: Note = unnoted,
    record: Record | None = None,
) -> type[asyncio.Protocol]:
    """Return the class to give uvicorn as ``ws=`` (with ``backlog=BACKLOG``).

    Args:
        hub: what connections read from.
        authenticate: called with a token, or a unix peer's user id, or both.
        execute: carries out the commands that clients send.
        origins: which web pages may connect; without it those of the server's own origin.
        note: what takes note of refusals.
        record: what writes refused commands, each before its answer; without it they are noted as well.
    """
    return type(
        "BoundStreamProtocol",
        (StreamProtocol,),
        {
            "__slots__": (),
            "hub": hub,
            "authenticate": staticmethod(authenticate),
            "execute": staticmethod(execute),
            "note": staticmethod(note),
            "record": staticmethod(record or noting(note)),
            "origins": origins or Origins(),
            "reception": Reception(),
        },
    )
