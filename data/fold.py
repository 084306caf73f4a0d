"""The fold: how journalled records become rows, inside one transaction of the state store.

An order, position or account update is a whole state and replaces the one before; a fill is added
once. Entries at or below an engine's cursor were folded before and are ignored, so a journal may be
told again from any earlier point. This module must not know who asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from data.audit import GENESIS, AuditDraft, chained
from data.database import Table, Transaction
from data.problems import StoreFailedError
from data.records import AccountUpdate, AuditEntry, Fill, JournalRecord, OrderUpdate, PositionUpdate

_VERSION = 1
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS meta (key VARCHAR PRIMARY KEY, value VARCHAR NOT NULL)",
    """CREATE TABLE IF NOT EXISTS orders (engine VARCHAR, client_order_id VARCHAR,
       instrument VARCHAR NOT NULL, status VARCHAR NOT NULL, ts_init BIGINT NOT NULL, seq BIGINT NOT NULL,
       body VARCHAR NOT NULL, PRIMARY KEY (engine, client_order_id))""",
    """CREATE TABLE IF NOT EXISTS fills (engine VARCHAR, trade_id VARCHAR, client_order_id VARCHAR,
       instrument VARCHAR NOT NULL, ts BIGINT NOT NULL, seq BIGINT NOT NULL, body VARCHAR NOT NULL,
       PRIMARY KEY (engine, trade_id, client_order_id))""",
    """CREATE TABLE IF NOT EXISTS positions (engine VARCHAR, position_id VARCHAR, instrument VARCHAR NOT NULL,
       is_open BOOLEAN NOT NULL, ts_opened BIGINT NOT NULL, seq BIGINT NOT NULL, body VARCHAR NOT NULL,
       PRIMARY KEY (engine, position_id))""",
    """CREATE TABLE IF NOT EXISTS accounts (engine VARCHAR, account_id VARCHAR, seq BIGINT NOT NULL,
       body VARCHAR NOT NULL, PRIMARY KEY (engine, account_id))""",
    "CREATE TABLE IF NOT EXISTS journal_cursor (engine VARCHAR PRIMARY KEY, seq BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS engine_specs (engine VARCHAR PRIMARY KEY, body VARCHAR NOT NULL)",
    """CREATE TABLE IF NOT EXISTS commands (id VARCHAR PRIMARY KEY, command VARCHAR NOT NULL,
       digest VARCHAR NOT NULL, ts BIGINT NOT NULL, outcome VARCHAR)""",
    """CREATE TABLE IF NOT EXISTS audit (seq BIGINT NOT NULL, command VARCHAR NOT NULL,
       outcome VARCHAR NOT NULL, body VARCHAR NOT NULL)""",
)

_T, _N, _B = "VARCHAR", "BIGINT", "BOOLEAN"
ORDERS = Table("orders", (_T, _T, _T, _T, _N, _N, _T))
COMMANDS = Table("commands", (_T, _T, _T, _N, _T))
AUDIT = Table("audit", (_N, _T, _T, _T))
_FILLS = Table("fills", (_T, _T, _T, _T, _N, _N, _T))
_POSITIONS = Table("positions", (_T, _T, _T, _B, _N, _N, _T))
_ACCOUNTS = Table("accounts", (_T, _T, _N, _T))

_encode = msgspec.json.Encoder().encode


class Folded(msgspec.Struct, frozen=True, kw_only=True):
    """What a journalled batch added. ``missing`` names journal entries that were never seen, if any."""

    records: tuple[JournalRecord, ...]
    missing: tuple[int, int] | None = None


def cursor_key(engine: str) -> str:
    return f"cursor:{engine}"


def _text(record: msgspec.Struct) -> str:
    return _encode(record).decode()


def prepare(tx: Transaction) -> None:
    """Make the tables, check the layout's version and load what the writer carries."""
    for statement in _SCHEMA:
        tx.run(statement)
    rows = tx.run("SELECT value FROM meta WHERE key = 'version'")
    if not rows:
        tx.run("INSERT INTO meta VALUES ('version', ?)", [str(_VERSION)])
    elif int(rows[0][0]) > _VERSION:
        raise StoreFailedError(
            f"the store has layout {rows[0][0]}, this version knows layouts up to {_VERSION}",
            fix="use the version that wrote it, or a later one",
        )
    for engine, seq in tx.run("SELECT engine, seq FROM journal_cursor"):
        tx.carry(cursor_key(engine), seq)


def fold(tx: Transaction, engine: str, records: Sequence[JournalRecord]) -> Folded:
    cursor = tx.carried(cursor_key(engine), 0)
    by_seq = {record.seq: record for record in records if record.seq > cursor}
    if not by_seq:
        return Folded(records=())
    fresh = [by_seq[seq] for seq in sorted(by_seq)]
    orders: dict[str, OrderUpdate] = {}
    positions: dict[str, PositionUpdate] = {}
    accounts: dict[str, AccountUpdate] = {}
    fills: dict[tuple[str, str], Fill] = {}
    for record in fresh:
        match record:
            case OrderUpdate():
                orders[record.client_order_id] = record
            case PositionUpdate():
                positions[record.position_id] = record
            case AccountUpdate():
                accounts[record.account_id] = record
            case Fill():
                fills.setdefault((record.trade_id, record.client_order_id), record)
    put_orders(tx, list(orders.values()))
    _put_positions(tx, list(positions.values()))
    _put_accounts(tx, list(accounts.values()))
    added = _add_fills(tx, list(fills.values()))
    tx.run(
        "INSERT INTO journal_cursor VALUES (?, ?) ON CONFLICT (engine) DO UPDATE SET seq = excluded.seq",
        [engine, fresh[-1].seq],
    )
    tx.carry(cursor_key(engine), fresh[-1].seq)
    told = tuple(
        record for record in fresh if not isinstance(record, Fill) or _is_added(record, fills, added)
    )
    return Folded(records=told, missing=_first_hole(cursor, list(by_seq)))


def _first_hole(cursor: int, seqs: Sequence[int]) -> tuple[int, int] | None:
    before = cursor
    for seq in sorted(seqs):
        if seq > before + 1:
            return before + 1, seq - 1
        before = seq
    return None


def _is_added(fill: Fill, first: dict[tuple[str, str], Fill], added: set[tuple[str, str]]) -> bool:
    key = (fill.trade_id, fill.client_order_id)
    return key in added and first[key] is fill


def put_orders(tx: Transaction, orders: Sequence[OrderUpdate]) -> None:
    """Store the latest states of orders."""
    rule = (
        "ON CONFLICT (engine, client_order_id) DO UPDATE SET instrument = excluded.instrument,"
        " status = excluded.status, ts_init = excluded.ts_init, seq = excluded.seq, body = excluded.body"
    )
    tx.insert(ORDERS, _order_rows(orders), rule)


def add_orders(tx: Transaction, orders: Sequence[OrderUpdate]) -> None:
    """Store orders that are known to be new, which is cheaper."""
    tx.append(ORDERS, _order_rows(orders))


def _order_rows(orders: Sequence[OrderUpdate]) -> list[tuple[Any, ...]]:
    return [(o.engine, o.client_order_id, o.instrument, o.status, o.ts_init, o.seq, _text(o)) for o in orders]


def _put_positions(tx: Transaction, positions: Sequence[PositionUpdate]) -> None:
    rows = [
        (p.engine, p.position_id, p.instrument, p.qty != 0, p.ts_opened, p.seq, _text(p)) for p in positions
    ]
    rule = (
        "ON CONFLICT (engine, position_id) DO UPDATE SET instrument = excluded.instrument,"
        " is_open = excluded.is_open, ts_opened = excluded.ts_opened, seq = excluded.seq,"
        " body = excluded.body"
    )
    tx.insert(_POSITIONS, rows, rule)


def _put_accounts(tx: Transaction, accounts: Sequence[AccountUpdate]) -> None:
    rows = [(a.engine, a.account_id, a.seq, _text(a)) for a in accounts]
    rule = "ON CONFLICT (engine, account_id) DO UPDATE SET seq = excluded.seq, body = excluded.body"
    tx.insert(_ACCOUNTS, rows, rule)


def _add_fills(tx: Transaction, fills: Sequence[Fill]) -> set[tuple[str, str]]:
    """Add fills that are not there yet and return their keys."""
    rows = [(f.engine, f.trade_id, f.client_order_id, f.instrument, f.ts, f.seq, _text(f)) for f in fills]
    rule = "ON CONFLICT DO NOTHING RETURNING trade_id, client_order_id"
    return {(trade, order) for trade, order in tx.insert(_FILLS, rows, rule)}


def append_audit(tx: Transaction, draft: AuditDraft) -> AuditEntry:
    """Add an entry to the end of the audit chain."""
    seq, previous = tx.carried("audit", (0, GENESIS))
    entry = chained(draft, seq + 1, previous)
    tx.append(AUDIT, [(entry.seq, entry.command, entry.outcome, _text(entry))])
    tx.carry("audit", (entry.seq, entry.hash))
    tx.follow(entry)
    return entry
