"""Who may do what: access tokens as they are stored, and who holds the order authority.

This module must not know how a credential travels or where any of this is kept.
"""

from __future__ import annotations

import hashlib
import re
from typing import Literal

import msgspec

from data.facts import Record
from data.problems import InvalidRequestError

#: What a peer may do, in order of power.
Role = Literal["viewer", "trader", "risk", "admin"]
#: Roles in order of power: each may do what those before it may do.
ROLES: tuple[Role, ...] = ("viewer", "trader", "risk", "admin")


#: What tokens begin with, so that a leaked one is recognised by people and scanners.
TOKEN_PREFIX = "ntui_"
#: The longest life of a token that expires, in days.
MAX_EXPIRES_DAYS = 3650
#: Names of those who are at the door without a token: none may be mistaken for them.
RESERVED = frozenset({"local", "daemon", "monitor", "schedule"})
_TOKEN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


class TokenRow(msgspec.Struct, frozen=True, kw_only=True):
    """An access token as it is stored: never the secret, only its SHA-256."""

    name: str
    digest: str
    role: Role
    ts_created: int
    ts_expires: int | None = None
    ts_revoked: int | None = None


class TokenInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An access token as listed to people; the secret is not kept anywhere."""

    name: str
    role: Role
    status: Literal["valid", "expired", "revoked"]
    ts_created: int
    ts_expires: int | None = None
    ts_revoked: int | None = None


def info_of(token: TokenRow, now: int) -> TokenInfo:
    """Return a token as listed at a moment (UTC ns)."""
    status: Literal["valid", "expired", "revoked"] = "valid"
    if token.ts_revoked is not None:
        status = "revoked"
    elif token.ts_expires is not None and token.ts_expires <= now:
        status = "expired"
    return TokenInfo(
        name=token.name,
        role=token.role,
        status=status,
        ts_created=token.ts_created,
        ts_expires=token.ts_expires,
        ts_revoked=token.ts_revoked,
    )


def check_token(name: str, expires_days: int | None = None) -> None:
    """Check the name and the life (days) of a token; raises InvalidRequestError."""
    if name.startswith(TOKEN_PREFIX):
        raise InvalidRequestError(  # not repeated: it is told and written
            "the name looks like a token itself",
            rule=f"a token's name does not begin with {TOKEN_PREFIX}",
            fix="use the name it was created under: nautilus-tui token list",
            field="name",
        )
    if not _TOKEN_NAME.fullmatch(name):
        raise _invalid("name", name[:80], "1 to 64 of A-Z a-z 0-9 . _ @ -", "use a name such as desk-1")
    if name.lower() in RESERVED:
        rule = f"not one of {', '.join(sorted(RESERVED))}, who need no token"
        raise _invalid("name", name, rule, "use a name such as desk-1")
    if expires_days is not None and not 1 <= expires_days <= MAX_EXPIRES_DAYS:
        raise _invalid(
            "expires_days", str(expires_days), f"from 1 to {MAX_EXPIRES_DAYS} days", "leave it out for ever"
        )


def _invalid(field: str, value: str, rule: str, fix: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"{field} is {value!r}", rule=f"{field} is {rule}", fix=fix, field=field, value=value
    )


def digest(secret: str) -> str:
    """Return what is stored of a token. It has 256 random bits, so a plain hash cannot be reversed.

    Whatever text a peer presents has one, characters that cannot be written included.
    """
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


class OrderAuthority(Record, frozen=True, kw_only=True, tag="order_authority"):
    """Who alone may send orders now. ``holder`` None: it is free, whoever has the role may send.

    What only takes risk away (cancelling, closing, flattening, the kill switch) never needs it. It is
    about people and programs: strategies inside an engine trade on.
    """

    holder: str | None  #: a principal's name: ``local`` or that of a token
    via: str | None = None  #: how the holder came: ``unix``, ``tcp``
    before: str | None = None  #: who held it until then
    by: str | None = None  #: who changed it: the new holder, the old one, or who released it
    reason: str | None = None
    required: bool = False  #: while it is free nobody may send
    ts: int  #: since when
