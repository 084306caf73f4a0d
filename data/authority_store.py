"""Who holds the order authority, so that the next daemon knows it too.

One row, replaced with each hand-over; the audit chain has the history. The table lies in the state store
and is written by its one writer. This module must not know what the authority allows.
"""

from __future__ import annotations

import msgspec

from data.access import OrderAuthority
from data.database import Database, Transaction

_decoder = msgspec.json.Decoder(OrderAuthority)


class AuthorityStore:
    """The latest hand-over."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def put(self, authority: OrderAuthority) -> None:
        """Keep a hand-over; returns once it is on disk. Raises StoreFailedError."""
        body = msgspec.json.encode(authority).decode()
        await self._db.write(
            lambda tx: tx.run(
                "INSERT INTO order_authority VALUES (1, ?)"
                " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                [body],
            )
        )

    async def last(self) -> OrderAuthority | None:
        """Return the latest hand-over; None: there was none yet."""
        rows = await self._db.read("SELECT body FROM order_authority")
        return _decoder.decode(rows[0][0]) if rows else None


def prepare(tx: Transaction) -> None:
    """Make the table."""
    tx.run("CREATE TABLE IF NOT EXISTS order_authority (id INTEGER PRIMARY KEY, body VARCHAR NOT NULL)")
