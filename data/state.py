"""The state store: what the daemon knows and must not forget, in ``state.duckdb``.

Orders, fills, positions and accounts as the engines' journals tell them (latest state, with the
journal sequence number they stand at), commands with their outcomes, the audit chain, tokens and
engine settings. Records are kept whole as JSON, in which decimals are strings and come back exactly,
beside the columns that are searched.

How journalled records become rows is in ``data.fold``. This module must not know who calls it or
what a command does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import msgspec

from data.audit import AuditDraft, ChainReport, Head
from data.audit_store import LOG_NAME, AuditTrail
from data.authority_store import AuthorityStore
from data.authority_store import prepare as prepare_authority
from data.breach_store import BreachStore
from data.breach_store import prepare as prepare_breaches
from data.database import Database, Transaction
from data.equity_store import EquityStore
from data.equity_store import prepare as prepare_equity
from data.fold import COMMANDS, ORDERS, Folded, add_orders, append_audit, cursor_key, prepare, put_orders
from data.inboxes import Inboxes
from data.knowledge import Knowledge
from data.knowledge import prepare as prepare_knowledge
from data.limit_store import LimitStore
from data.limit_store import prepare as prepare_limits
from data.paging import Page, Where, read_page
from data.problems import ConflictError, NotFoundError
from data.records import (
    AccountUpdate,
    AuditEntry,
    Fill,
    JournalRecord,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
)
from data.token_store import TokenStore
from data.token_store import prepare as prepare_tokens
from data.use_store import UseStore
from data.use_store import prepare as prepare_use
from data.use_summary import UseSummary

_COMMAND = "SELECT id, command, digest, ts, outcome FROM commands WHERE id = ?"

_orders = msgspec.json.Decoder(OrderUpdate)
_fills = msgspec.json.Decoder(Fill)
_positions = msgspec.json.Decoder(PositionUpdate)
_accounts = msgspec.json.Decoder(AccountUpdate)


class CommandRow(msgspec.Struct, frozen=True, kw_only=True):
    """A command that came through the door; ``outcome`` is JSON, None while it is not known."""

    id: str
    command: str
    digest: str
    ts: int
    outcome: str | None


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """What was known when a command came: the earlier one of its id, and its audit entry if it may go on.

    An earlier command with an entry is one whose outcome was never learnt: the daemon died meanwhile.
    """

    earlier: CommandRow | None = None
    entry: AuditEntry | None = None


class State:
    """The open store. Every method that changes something returns once the change is on disk."""

    def __init__(self, path: Path) -> None:
        self._db = Database(path)
        self._inboxes = Inboxes(self._db)
        self.trail = AuditTrail(self._db, path.with_name(LOG_NAME))  #: who commanded what
        self.knowledge = Knowledge(self._db)  #: of the world: factors, figures, filings
        self.equity = EquityStore(self._db)  #: what engines' accounts were worth
        self.use = UseStore(self._db)  #: how much of each limit was used
        self.use_summary = UseSummary(self._db)  #: the same, summed up over time
        self.limits = LimitStore(self._db)  #: limits, changes that wait, restrictions of engines
        self.breaches = BreachStore(self._db)  #: breaches, alerts, what the monitor set
        self.tokens = TokenStore(self._db)  #: access tokens, hashed
        self.authority = AuthorityStore(self._db)  #: who holds the order authority

    @property
    def path(self) -> Path:
        """The file."""
        return self._db.path

    @property
    def failure(self) -> str | None:
        """Why the last write failed; None while writes succeed."""
        return self._db.failure

    def open(self) -> None:
        """Open the file and bring it to the present layout.

        Raises:
            StoreHeldError: another process, the daemon, has it open.
            StoreFailedError: it cannot be read, or a later version wrote it.
        """
        self._db.open(self._prepare)

    async def probe(self) -> None:
        """Write something that changes nothing, to know that the store can be written.

        Raises:
            StoreFailedError: it cannot.
        """
        await self._db.write(_touch)

    def close(self) -> None:
        """Finish what waits to be written and close the file."""
        self._inboxes.fold_now()
        self._db.close(self.trail.last_word)
        self.trail.log.close()

    def _prepare(self, tx: Transaction) -> None:
        _prepare(tx)
        self.trail.prepare(tx)

    # ------------------------------------------------------------ journals

    def last_seq(self, engine: str) -> int:
        """Return the last journal sequence number of an engine that is stored; 0: none."""
        return int(self._db.carried(cursor_key(engine), 0))

    def fold(self, engine: str, records: Sequence[JournalRecord]) -> asyncio.Future[Folded]:
        """Store a journalled batch in a transaction that also moves the engine's cursor.

        Batches that come close behind each other share a transaction; a question that is asked
        after this returned sees them all, awaited or not.

        Raises:
            InvalidRequestError: a record is of another engine.
            StoreFailedError: when awaited: nothing was stored.
        """
        return self._inboxes.put(engine, records)

    async def _read(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self._inboxes.fold_now()
        return await self._db.read(sql, values)

    async def orders(
        self,
        *,
        engine: str | None = None,
        statuses: Collection[str] | None = None,
        instrument: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[OrderUpdate]:
        """Return orders, newest first.

        Raises:
            InvalidRequestError: the cursor is not one of ours.
        """
        where = Where()
        where.equal("engine", engine)
        where.equal("instrument", instrument)
        where.among("status", statuses)
        return await read_page(
            self._read, "orders", "ts_init, engine, client_order_id", where, limit, cursor, _orders
        )

    async def order(self, client_order_id: str, engine: str | None = None) -> OrderUpdate:
        """Return one order.

        Raises:
            NotFoundError: no engine has such an order.
            ConflictError: several engines have one of that id and none was named.
        """
        where = Where()
        where.equal("client_order_id", client_order_id)
        where.equal("engine", engine)
        rows = await self._read(f"SELECT body FROM orders{where.sql}", where.values)
        if not rows:
            raise NotFoundError(f"no order {client_order_id}", client_order_id=client_order_id)
        if len(rows) > 1:
            raise ConflictError(
                f"{len(rows)} engines have an order {client_order_id}", fix="name the engine: ?engine="
            )
        return _orders.decode(rows[0][0])

    async def orders_named(self, engine: str, ids: Collection[str]) -> list[OrderUpdate]:
        """Return those of the named orders that are known, in the order of their ids."""
        rows = await self._read(
            "SELECT body FROM orders WHERE engine = ? AND client_order_id IN (SELECT unnest(?::VARCHAR[]))"
            " ORDER BY client_order_id",
            [engine, list(ids)],
        )
        return [_orders.decode(body) for (body,) in rows]

    async def fills(
        self,
        *,
        engine: str | None = None,
        instrument: str | None = None,
        client_order_id: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Fill]:
        """Return fills, newest first; raises InvalidRequestError for a foreign cursor."""
        where = Where()
        where.equal("engine", engine)
        where.equal("instrument", instrument)
        where.equal("client_order_id", client_order_id)
        return await read_page(self._read, "fills", "ts, engine, seq, trade_id", where, limit, cursor, _fills)

    async def count_fills(self) -> int:
        """Return how many fills are stored."""
        return int((await self._read("SELECT count(*) FROM fills"))[0][0])

    async def positions(
        self,
        *,
        engine: str | None = None,
        instrument: str | None = None,
        closed: bool = False,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[PositionUpdate]:
        """Return positions, latest opened first; ``closed`` includes those that are flat again."""
        where = Where()
        where.equal("engine", engine)
        where.equal("instrument", instrument)
        where.equal("is_open", None if closed else True)
        return await read_page(
            self._read, "positions", "ts_opened, engine, position_id", where, limit, cursor, _positions
        )

    async def position(self, position_id: str, engine: str | None = None) -> PositionUpdate:
        """Return one position; raises NotFoundError, or ConflictError if several engines have one."""
        where = Where()
        where.equal("position_id", position_id)
        where.equal("engine", engine)
        rows = await self._read(f"SELECT body FROM positions{where.sql}", where.values)
        if not rows:
            raise NotFoundError(f"no position {position_id}", position_id=position_id)
        if len(rows) > 1:
            raise ConflictError(
                f"{len(rows)} engines have a position {position_id}", fix="name the engine: ?engine="
            )
        return _positions.decode(rows[0][0])

    async def accounts(self, engine: str | None = None) -> list[AccountUpdate]:
        """Return the accounts of one engine, or of all."""
        where = Where()
        where.equal("engine", engine)
        sql = f"SELECT body FROM accounts{where.sql} ORDER BY engine, account_id"
        return [_accounts.decode(body) for (body,) in await self._read(sql, where.values)]

    # ------------------------------------------------------------ orders that the journal does not know (yet)

    async def lose(self, engine: str, reason: str, ts: int) -> list[OrderUpdate]:
        """Mark orders that were sent to an engine and are not in its journal as unknown; return them."""
        return await self._move_unjournalled(engine, ("sent",), "unknown", reason, ts, None)

    async def deny_unjournalled(
        self,
        engine: str,
        ids: Collection[str] | None,
        reason: str,
        ts: int,
        *,
        lost_before: int | None = None,
    ) -> list[OrderUpdate]:
        """Mark sent or unknown orders as denied because the engine's journal does not have them; return them.

        ``lost_before`` limits it to unknown orders that were lost before that time: an order on its
        way is not touched. Should the journal tell of one later after all, the journal is right.
        """
        statuses = ("sent", "unknown") if lost_before is None else ("unknown",)
        return await self._move_unjournalled(engine, statuses, "denied", reason, ts, ids, lost_before)

    async def doubt(self, engine: str, ids: Collection[str], reason: str, ts: int) -> list[OrderUpdate]:
        """Mark named orders that got no answer as unknown, unless the journal has them; return them."""
        return await self._move_unjournalled(engine, ("sent",), "unknown", reason, ts, ids)

    async def _move_unjournalled(
        self,
        engine: str,
        statuses: Sequence[str],
        to: OrderStatus,
        reason: str,
        ts: int,
        ids: Collection[str] | None,
        lost_before: int | None = None,
    ) -> list[OrderUpdate]:
        def job(tx: Transaction) -> list[OrderUpdate]:
            rows = tx.run(
                "SELECT body FROM orders WHERE engine = ? AND seq = 0"
                " AND status IN (SELECT unnest(?::VARCHAR[])) ORDER BY client_order_id",
                [engine, list(statuses)],
            )
            moved = [
                msgspec.structs.replace(order, status=to, reason=reason, ts=ts)
                for order in (_orders.decode(body) for (body,) in rows)
                if (ids is None or order.client_order_id in ids)
                and (lost_before is None or order.ts <= lost_before)
            ]
            put_orders(tx, moved)
            return moved

        self._inboxes.fold_now()  # what the journal says counts, and comes first
        return await self._db.write(job)

    # ------------------------------------------------------------ commands and audit

    async def begin_command(
        self, row: CommandRow, draft: AuditDraft, sent: Sequence[OrderUpdate] = (), ids: Collection[str] = ()
    ) -> Begun:
        """Note that a command is about to be carried out, before it is: command, audit entry, orders sent.

        ``ids`` are the client order ids it will use. Nothing is written when a command of that id came
        before with an outcome, or with another body.

        Raises:
            ConflictError: an order id is taken by an order that this command did not send.
        """

        def job(tx: Transaction) -> Begun:
            earlier = _earlier(tx, row.id)
            if earlier and (earlier.outcome is not None or earlier.digest != row.digest):
                return Begun(earlier=earlier)
            if earlier is None:
                _require_free(tx, ids)
                tx.append(COMMANDS, [(row.id, row.command, row.digest, row.ts, None)])
                add_orders(tx, sent)
            return Begun(earlier=earlier, entry=append_audit(tx, draft))

        return await self._db.write(job)

    async def end_command(self, command_id: str, outcome: str, draft: AuditDraft) -> AuditEntry:
        """Note how a command ended (JSON), for good and in the audit chain."""

        def job(tx: Transaction) -> AuditEntry:
            tx.run_apart("UPDATE commands SET outcome = ? WHERE id = ?", [outcome, command_id])
            return append_audit(tx, draft)

        return await self._db.write(job)

    async def command(self, command_id: str) -> CommandRow | None:
        """Return a command that came through the door before."""
        return _command(await self._read(_COMMAND, [command_id]))

    async def append_audit(self, draft: AuditDraft) -> AuditEntry:
        """Add an entry to the audit chain, e.g. of a command that was refused."""
        return await self._db.write(lambda tx: append_audit(tx, draft))

    async def audit(
        self, *, command: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> Page[AuditEntry]:
        """Return audited commands, newest first; raises InvalidRequestError for a foreign cursor."""
        return await self.trail.page(command=command, limit=limit, cursor=cursor)

    async def verify_audit(self, expected: Head | None = None) -> ChainReport:
        """Check the whole audit chain, and that it reaches a head that was kept elsewhere."""
        return await self.trail.verify(expected)

    # ------------------------------------------------------------ engine settings

    async def put_engine_spec(self, engine: str, body: str) -> None:
        """Keep an engine's settings (JSON) for its next start."""
        await self._db.write(
            lambda tx: tx.run(
                "INSERT INTO engine_specs VALUES (?, ?)"
                " ON CONFLICT (engine) DO UPDATE SET body = excluded.body",
                [engine, body],
            )
        )

    async def engine_specs(self) -> dict[str, str]:
        """Return the kept settings (JSON) by engine."""
        rows = await self._read("SELECT engine, body FROM engine_specs ORDER BY engine")
        return dict(rows)


def _prepare(tx: Transaction) -> None:
    prepare(tx)
    prepare_knowledge(tx)
    prepare_equity(tx)
    prepare_use(tx)
    prepare_breaches(tx)
    prepare_limits(tx)
    prepare_tokens(tx)
    prepare_authority(tx)


def _touch(tx: Transaction) -> None:
    tx.run("UPDATE meta SET value = value WHERE key = 'version'")


def _command(rows: Sequence[tuple[Any, ...]]) -> CommandRow | None:
    if not rows:
        return None
    id_, command, digest, ts, outcome = rows[0]
    return CommandRow(id=id_, command=command, digest=digest, ts=ts, outcome=outcome)


def _earlier(tx: Transaction, command_id: str) -> CommandRow | None:
    """Return the earlier command of an id, also one of the same moment."""
    beside = [row for row in tx.appended(COMMANDS) if row[0] == command_id]
    return _command(beside or tx.run_apart(_COMMAND, [command_id]))


def _require_free(tx: Transaction, ids: Collection[str]) -> None:
    if not ids:
        return
    sql = "SELECT client_order_id FROM orders WHERE client_order_id IN (SELECT unnest(?::VARCHAR[]))"
    taken = [row[1] for row in tx.appended(ORDERS) if row[1] in ids]
    taken += [id_ for (id_,) in tx.run_apart(sql, [list(ids)])]
    if taken:
        raise ConflictError(
            f"order id {taken[0]} is taken by another order",
            rule="an order id names one order for ever",
            fix="use a new id",
            client_order_id=taken[0],
        )
