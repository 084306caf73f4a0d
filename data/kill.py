"""The kill switch as a state machine, told: what it has done of what it must do, and to which engines.

armed → blocking → cancelling → flattening → verified → latched. This module must not know how an
engine is reached.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

import msgspec

from data.facts import Record

KillState = Literal["armed", "blocking", "cancelling", "flattening", "verified", "latched"]
KILL_STATES: Final[tuple[KillState, ...]] = (
    "armed",
    "blocking",
    "cancelling",
    "flattening",
    "verified",
    "latched",
)
#: What must be typed to release the kill switch.
UNLOCK_PHRASE: Final = "unlock trading"


class KillOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of the kill switch."""

    id: str
    engine: str | None = None  #: None: every engine of the home
    flatten: bool = False
    drill: bool = False  #: paper only: everything is done, then the switch is released by itself
    by: str
    via: str  #: ``cli``, ``unix``, ``tcp``, ``terminal`` …
    reason: str | None = None
    ts: int


class EngineKill(msgspec.Struct, frozen=True, kw_only=True):
    """How far it has come with one engine. Times are UTC ns; None: not yet, or not needed."""

    engine: str
    state: KillState
    hung: bool = False  #: did not answer within its bound and was killed with SIGKILL
    cancelled: int = 0  #: orders cancelled, each by its event
    flattened: int = 0  #: positions closed, each by its event
    orders_left: int | None = None  #: working orders at the last look; 0 once verified
    positions_left: int | None = None
    positions: dict[str, Decimal] = {}  #: what is still held
    ts_blocked: int | None = None
    ts_cancelled: int | None = None
    ts_flattened: int | None = None
    ts_verified: int | None = None
    problem: str | None = None  #: what could not be done, and what to do


class KillStatus(Record, frozen=True, kw_only=True, tag="kill_status"):
    """The kill switch. ``armed`` with no order: nothing has happened."""

    state: KillState
    order: KillOrder | None = None
    engines: tuple[EngineKill, ...] = ()
    verified: bool = False  #: every engine was: nothing works, and nothing is held if flattening was asked
    problem: str | None = None
    released_by: str | None = None
    ts_latched: int | None = None
    ts_released: int | None = None
    ts: int
