"""Access tokens: by name, hashed, with role, expiry and revocation; never a secret.

A name stands for one token for ever: what the audit chain says of it is said of nobody else. The table lies
in the state store and is written by its one writer. This module must not know how a token is made or
presented.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from data.access import TokenInfo, TokenRow, info_of
from data.database import Database, Transaction
from data.problems import ConflictError, NotFoundError

_SCHEMA = """CREATE TABLE IF NOT EXISTS tokens (name VARCHAR PRIMARY KEY, digest VARCHAR NOT NULL,
    role VARCHAR NOT NULL, ts_created BIGINT NOT NULL, ts_expires BIGINT, ts_revoked BIGINT)"""
_TOKENS = "SELECT name, digest, role, ts_created, ts_expires, ts_revoked FROM tokens"


class TokenStore:
    """The tokens there are and were."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def add(self, token: TokenRow) -> None:
        """Store a token under a name that none had before.

        Raises:
            ConflictError: one has or had that name.
        """

        def job(tx: Transaction) -> None:
            rows = tx.run(f"{_TOKENS} WHERE name = ?", [token.name])
            if rows:
                raise _taken(info_of(_token(rows[0]), token.ts_created))
            tx.run("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?)", list(msgspec.structs.astuple(token)))

        await self._db.write(job)

    async def revoke(self, name: str, ts: int) -> TokenRow:
        """Mark a token as revoked; raises NotFoundError."""

        def job(tx: Transaction) -> TokenRow:
            rows = tx.run(f"{_TOKENS} WHERE name = ?", [name])
            if not rows or rows[0][5] is not None:
                raise NotFoundError(
                    f"no token named {name} is in use",
                    rule="a token that was created and is not revoked yet can be",
                    fix="see which there are: nautilus-tui token list",
                    name=name,
                )
            tx.run("UPDATE tokens SET ts_revoked = ? WHERE name = ?", [ts, name])
            return msgspec.structs.replace(_token(rows[0]), ts_revoked=ts)

        return await self._db.write(job)

    async def all(self) -> list[TokenRow]:
        """Return all tokens, by name."""
        return [_token(row) for row in await self._db.read(f"{_TOKENS} ORDER BY name")]


def prepare(tx: Transaction) -> None:
    """Make the table."""
    tx.run(_SCHEMA)


def _token(row: Sequence[Any]) -> TokenRow:
    name, digest, role, created, expires, revoked = row
    return TokenRow(
        name=name, digest=digest, role=role, ts_created=created, ts_expires=expires, ts_revoked=revoked
    )


def _taken(token: TokenInfo) -> ConflictError:
    stands = {"valid": "exists", "expired": "existed, and has expired", "revoked": "existed, and was revoked"}
    return ConflictError(
        f"a token named {token.name} {stands[token.status]}",
        rule="a name stands for one token for ever, so that the audit log says who did what",
        fix="choose another name" if token.status != "valid" else "choose another name, and revoke this one",
        name=token.name,
    )
