"""Pages of a list: the conditions of a query, and cursors that say where the next page begins.

This module must not know what is listed.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Annotated, Any

import msgspec

from data.problems import InvalidRequestError, StoreFailedError

_Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Page[T](msgspec.Struct, frozen=True):
    """One page of a list; ``next`` is the cursor of the page after it, None on the last."""

    items: list[T]
    next: str | None = None


class Where:
    """The conditions of a query and their values."""

    def __init__(self) -> None:
        self._conditions: list[str] = []
        self.values: list[Any] = []

    @property
    def sql(self) -> str:
        """The WHERE clause, with a leading blank; empty without conditions."""
        return f" WHERE {' AND '.join(self._conditions)}" if self._conditions else ""

    def equal(self, column: str, value: object | None) -> None:
        """Keep the rows with this value; None keeps all."""
        if value is not None:
            self._conditions.append(f"{column} = ?")
            self.values.append(value)

    def among(self, column: str, values: Collection[str] | None) -> None:
        """Keep the rows with one of these values; None keeps all."""
        if values is not None:
            self._conditions.append(f"{column} IN (SELECT unnest(?::VARCHAR[]))")
            self.values.append(sorted(values))

    def before(self, keys: str, cursor: str | None) -> None:
        """Keep the rows that come after a cursor in descending order of the keys."""
        if cursor is not None:
            values = keys_of(cursor, keys.split(", "))
            self._conditions.append(f"({keys}) < ({', '.join('?' * len(values))})")
            self.values.extend(values)


async def read_page[T](
    read: Callable[[str, Sequence[Any]], Awaitable[list[tuple[Any, ...]]]],
    table: str,
    keys: str,
    where: Where,
    limit: int,
    cursor: str | None,
    decoder: msgspec.json.Decoder[T],
    fix: str = "restore the store from a backup",
) -> Page[T]:
    """Return a page of a table's bodies in descending order of its keys; ``read`` asks the store.

    ``fix`` says what helps where a body is not as it was written.

    Raises
    ------
    InvalidRequestError
        If the cursor is not one of this list.
    StoreFailedError
        If a body cannot be read.

    """
    where.before(keys, cursor)
    order = ", ".join(f"{key} DESC" for key in keys.split(", "))
    rows = await read(
        f"SELECT body, {keys} FROM {table}{where.sql} ORDER BY {order} LIMIT {int(limit) + 1}",
        where.values,
    )
    items = []
    for body, *values in rows[:limit]:
        try:
            items.append(decoder.decode(body))
        except msgspec.MsgspecError as error:
            place = ", ".join(f"{name} {value}" for name, value in zip(keys.split(", "), values, strict=True))
            raise StoreFailedError(
                f"the row of {table} with {place} is not as it was written",
                rule="what is listed is what was stored",
                fix=fix,
            ) from error
    return Page(items, cursor_after(rows[limit - 1][1:]) if len(rows) > limit else None)


def cursor_after(keys: Sequence[Any]) -> str:
    """Return the cursor of the page that begins after a row with these keys."""
    return base64.urlsafe_b64encode(msgspec.json.encode(list(keys))).decode().rstrip("=")


def keys_of(cursor: str, names: Sequence[str]) -> list[Any]:
    """Return the keys that a cursor was made of; raises InvalidRequestError if it is not of these."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        keys = msgspec.json.decode(text, type=list[_Whole | str])
    except (ValueError, msgspec.MsgspecError) as error:
        raise bad_cursor(cursor) from error
    if [isinstance(key, int) for key in keys] != [_is_number(name) for name in names]:
        raise bad_cursor(cursor)
    return keys


def _is_number(key: str) -> bool:
    """Tell whether a table's key is a time or a count; the others are names."""
    return key == "seq" or key.startswith("ts")


def bad_cursor(cursor: str) -> InvalidRequestError:
    """Return the error for a cursor that no page of a list gave."""
    return InvalidRequestError(
        f"cursor {cursor!r} is not a cursor of this list",
        rule="a cursor is the `next` of the page before",
        fix="leave cursor out to begin at the newest",
        field="cursor",
        value=cursor,
    )
