"""Who may do what: access tokens as they are stored, and who holds the order authority.

This module must not know how a credential travels or where any of this is kept.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from data.facts import Record

#: What a peer may do, in order of power.
Role = Literal["viewer", "trader", "risk", "admin"]
#: Roles in order of power: each may do what those before it may do.
ROLES: tuple[Role, ...] = ("viewer", "trader", "risk", "admin")


class TokenRow(msgspec.Struct, frozen=True, kw_only=True):
    """An access token as it is stored: never the secret, only its SHA-256."""

    name: str
    digest: str
    role: Role
    ts_created: int
    ts_expires: int | None = None
    ts_revoked: int | None = None


def digest(secret: str) -> str:
    """Return what is stored of a token. It has 256 random bits, so a plain hash cannot be reversed.

    Whatever text a peer presents has one, characters that cannot be written included.
    """
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


class OrderAuthority(Record, frozen=True, kw_only=True, tag="order_authority"):
    """Who alone may send orders now. ``holder`` None: it is free, whoever has the role may send.

    What only takes risk away (cancelling, closing, flattening, the kill switch) never needs it.
    """

    holder: str | None  #: a principal's name: ``local`` or that of a token
    via: str | None = None  #: how the holder came: ``unix``, ``tcp``
    before: str | None = None  #: who held it until then
    by: str | None = None  #: who changed it: the new holder, the old one, or who released it
    reason: str | None = None
    required: bool = False  #: while it is free nobody may send
    ts: int  #: since when
