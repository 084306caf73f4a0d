"""The public client of the daemon's API: what the terminal and the command line use, and any program may.

``ApiClient`` asks and commands, ``StreamClient`` listens, ``Address`` says where; the records, commands
and problems that a program meets are here too. ``README.md`` beside this file has examples of all of it.
Nothing in here may know of the terminal, of the daemon's own modules or of NautilusTrader: only the
wire and the vocabulary in ``data``. Nothing in here prints or configures logging.
The parts are imported when first used, because a command line that only asks need not load streams.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data.access import OrderAuthority
    from data.audit import ChainReport
    from data.commands import (
        AnyCommand,
        CancelAll,
        CancelOrder,
        ClosePosition,
        Flatten,
        ModifyOrder,
        Outcome,
        PreviewOrder,
        ReleaseAuthority,
        SendBroadcast,
        StartEngine,
        StopEngine,
        SubmitOrder,
        TakeAuthority,
    )
    from data.limits import Alert, Breach, LimitEffect, LimitStatus
    from data.paging import Page
    from data.paths import Home
    from data.problems import (
        ConflictError,
        DeniedError,
        ForbiddenError,
        InvalidRequestError,
        NotFoundError,
        OutcomeUnknownError,
        ProblemDocument,
        ProblemError,
        RateLimitedError,
        UnauthorizedError,
        UnavailableError,
    )
    from data.records import (
        AccountUpdate,
        AuditEntry,
        Bar,
        Book,
        Broadcast,
        EngineLog,
        EngineStatus,
        Fill,
        Instrument,
        OrderUpdate,
        PositionUpdate,
        Quote,
        SystemHealth,
        Trade,
    )
    from nautilus_tui.client.address import TOKEN_VARIABLE, Address
    from nautilus_tui.client.api import ApiClient, Table
    from nautilus_tui.client.envelopes import Envelope, Snapshot
    from nautilus_tui.client.ids import mint_command_id, mint_order_id
    from nautilus_tui.client.problems import NotReachableError, NotTrustedError, WireError
    from nautilus_tui.client.resuming import Position
    from nautilus_tui.client.stream import Batch, ConnectionChanged, StreamClient, StreamEvent

__all__ = [
    "TOKEN_VARIABLE",
    "AccountUpdate",
    "Address",
    "Alert",
    "AnyCommand",
    "ApiClient",
    "AuditEntry",
    "Bar",
    "Batch",
    "Book",
    "Breach",
    "Broadcast",
    "CancelAll",
    "CancelOrder",
    "ChainReport",
    "ClosePosition",
    "ConflictError",
    "ConnectionChanged",
    "DeniedError",
    "EngineLog",
    "EngineStatus",
    "Envelope",
    "Fill",
    "Flatten",
    "ForbiddenError",
    "Home",
    "Instrument",
    "InvalidRequestError",
    "LimitEffect",
    "LimitStatus",
    "ModifyOrder",
    "NotFoundError",
    "NotReachableError",
    "NotTrustedError",
    "OrderAuthority",
    "OrderUpdate",
    "Outcome",
    "OutcomeUnknownError",
    "Page",
    "Position",
    "PositionUpdate",
    "PreviewOrder",
    "ProblemDocument",
    "ProblemError",
    "Quote",
    "RateLimitedError",
    "ReleaseAuthority",
    "SendBroadcast",
    "Snapshot",
    "StartEngine",
    "StopEngine",
    "StreamClient",
    "StreamEvent",
    "SubmitOrder",
    "SystemHealth",
    "Table",
    "TakeAuthority",
    "Trade",
    "UnauthorizedError",
    "UnavailableError",
    "WireError",
    "mint_command_id",
    "mint_order_id",
]

#: Where each is defined.
_ROOMS = {
    "data.access": ("OrderAuthority",),
    "data.audit": ("ChainReport",),
    "data.commands": (
        "AnyCommand",
        "CancelAll",
        "CancelOrder",
        "ClosePosition",
        "Flatten",
        "ModifyOrder",
        "Outcome",
        "PreviewOrder",
        "ReleaseAuthority",
        "SendBroadcast",
        "StartEngine",
        "StopEngine",
        "SubmitOrder",
        "TakeAuthority",
    ),
    "data.limits": ("Alert", "Breach", "LimitEffect", "LimitStatus"),
    "data.paging": ("Page",),
    "data.paths": ("Home",),
    "data.problems": (
        "ConflictError",
        "DeniedError",
        "ForbiddenError",
        "InvalidRequestError",
        "NotFoundError",
        "OutcomeUnknownError",
        "ProblemDocument",
        "ProblemError",
        "RateLimitedError",
        "UnauthorizedError",
        "UnavailableError",
    ),
    "data.records": (
        "AccountUpdate",
        "AuditEntry",
        "Bar",
        "Book",
        "Broadcast",
        "EngineLog",
        "EngineStatus",
        "Fill",
        "Instrument",
        "OrderUpdate",
        "PositionUpdate",
        "Quote",
        "SystemHealth",
        "Trade",
    ),
    "nautilus_tui.client.address": ("TOKEN_VARIABLE", "Address"),
    "nautilus_tui.client.api": ("ApiClient", "Table"),
    "nautilus_tui.client.envelopes": ("Envelope", "Snapshot"),
    "nautilus_tui.client.ids": ("mint_command_id", "mint_order_id"),
    "nautilus_tui.client.problems": ("NotReachableError", "NotTrustedError", "WireError"),
    "nautilus_tui.client.resuming": ("Position",),
    "nautilus_tui.client.stream": ("Batch", "ConnectionChanged", "StreamClient", "StreamEvent"),
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
