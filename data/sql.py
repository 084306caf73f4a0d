"""The SQL console: one read-only query over the history, with limits on memory, time and rows.

Each query gets its own in-memory DuckDB with views ``quotes``, ``trades`` and ``bars`` over the
partition files that count and over what is still in segments. Before the query runs, the database
may read nothing but those files, its settings are locked, and only a single SELECT (or EXPLAIN of
one) is accepted. This module must not know who asks.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from threading import Timer
from typing import Any, Final

import duckdb
import msgspec
import pyarrow as pa

from data import partitions
from data.console import SqlResult, Value
from data.problems import InvalidRequestError, StoreFailedError, UnavailableError
from data.rows import KINDS, Kind, Rows, Series

_MEMORY: Final = "512MB"
_THREADS: Final = 2
_LONGEST: Final = 100_000

#: Columns of the views, and their types when there are no files to tell them.
COLUMNS: Final[dict[Kind, dict[str, str]]] = {
    "quotes": {
        "instrument": "VARCHAR",
        "ts": "TIMESTAMP_NS",
        "ts_recv": "TIMESTAMP_NS",
        "bid": "DECIMAL(18,6)",
        "ask": "DECIMAL(18,6)",
        "bid_size": "DECIMAL(18,6)",
        "ask_size": "DECIMAL(18,6)",
        "synthetic": "BOOLEAN",
        "source": "VARCHAR",
        "engine": "VARCHAR",
    },
    "trades": {
        "instrument": "VARCHAR",
        "ts": "TIMESTAMP_NS",
        "ts_recv": "TIMESTAMP_NS",
        "price": "DECIMAL(18,6)",
        "size": "DECIMAL(18,6)",
        "aggressor": "VARCHAR",
        "trade_id": "VARCHAR",
        "synthetic": "BOOLEAN",
        "source": "VARCHAR",
        "engine": "VARCHAR",
    },
    "bars": {
        "instrument": "VARCHAR",
        "timeframe": "VARCHAR",
        "side": "VARCHAR",
        "ts": "TIMESTAMP_NS",
        "open": "DECIMAL(18,6)",
        "high": "DECIMAL(18,6)",
        "low": "DECIMAL(18,6)",
        "close": "DECIMAL(18,6)",
        "volume": "DECIMAL(18,6)",
        "count": "BIGINT",
        "synthetic": "BOOLEAN",
        "source": "VARCHAR",
        "engine": "VARCHAR",
    },
}


def query(
    text: str,
    root: Path,
    files: Mapping[Kind, Sequence[Path]],
    live: Mapping[Kind, Sequence[tuple[Series, Rows]]],
    *,
    limit: int = 1000,
    timeout: float = 10.0,
    relations: Mapping[str, pa.Table] | None = None,
) -> SqlResult:
    """Run one query and return at most ``limit`` rows.

    Args:
        text: One SELECT, or anything DuckDB makes into one (FROM, WITH, DESCRIBE, SHOW, SUMMARIZE).
        root: The history's folder: nothing outside its partitions can be read.
        files: Partition files of each kind.
        live: Rows that are in no partition yet.
        limit: Rows at most, 1 to 100 000.
        timeout: Seconds after which the query is stopped.
        relations: Further tables by name, for instance the daemon's own.

    Raises:
        InvalidRequestError: It is no single read-only query, does not parse, or asks for what is not there.
        UnavailableError: It took too long or too much memory.
        StoreFailedError: A file could not be read.
        FileNotFoundError: A file was replaced meanwhile: ask again.
    """
    if not 1 <= limit <= _LONGEST:
        raise InvalidRequestError(f"limit {limit}", rule=f"1 to {_LONGEST}", field="limit", value=str(limit))
    began = time.perf_counter()
    with duckdb.connect(":memory:") as base:
        statement = _checked(base, text)
        _prepare(base, root, files, live, relations or {})
        stopper = Timer(timeout, base.interrupt)
        stopper.start()
        try:
            columns, types = _described(base, statement) if statement else ((), ())
            found = base.execute(_exact(statement, types, limit + 1) if statement else text)
            if not statement:
                columns = tuple(column[0] for column in found.description)
                types = tuple(str(column[1]) for column in found.description)
            rows = found.fetchmany(limit + 1)
        except duckdb.InterruptException as error:
            raise UnavailableError(
                f"the query was stopped after {timeout:g} s",
                rule=f"a query runs at most {timeout:g} s",
                fix="narrow it down, for instance by time or instrument",
            ) from error
        except duckdb.OutOfMemoryException as error:
            raise UnavailableError(
                f"the query needed more than {_MEMORY} of memory", fix="narrow it down or aggregate"
            ) from error
        except duckdb.Error as error:
            raise _refused(error) from error
        finally:
            stopper.cancel()
    return SqlResult(
        columns=columns,
        types=types,
        rows=[tuple(_plain(value) for value in row) for row in rows[:limit]],
        truncated=len(rows) > limit,
        seconds=time.perf_counter() - began,
    )


def _checked(base: duckdb.DuckDBPyConnection, text: str) -> str:
    """Return the query if it is one SELECT, empty if it is an EXPLAIN of one."""
    try:
        statements = base.extract_statements(text)
    except duckdb.Error as error:
        raise InvalidRequestError(f"the query does not parse: {_first_line(error)}", field="query") from error
    if len(statements) != 1:
        raise InvalidRequestError(
            f"{len(statements)} statements", rule="one query at a time", field="query", value=text[:80]
        )
    kind = statements[0].type
    if kind == duckdb.StatementType.SELECT:
        return text.strip().rstrip(";")
    if kind == duckdb.StatementType.EXPLAIN:
        words = text.strip().split(None, 2)
        rest = (
            words[2] if len(words) > 2 and words[1].lower() == "analyze" else text.strip().split(None, 1)[-1]
        )
        if _checked(base, rest):
            return ""
    raise InvalidRequestError(
        f"a {kind.name} statement changes something",
        rule="the console is read-only: SELECT, FROM, WITH, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN",
        field="query",
        value=text[:80],
    )


def _described(base: duckdb.DuckDBPyConnection, statement: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = base.execute(f"DESCRIBE SELECT * FROM ({statement}\n)").fetchall()
    return tuple(row[0] for row in found), tuple(row[1] for row in found)


def _exact(statement: str, types: Sequence[str], limit: int) -> str:
    """Return the query with nanosecond times as text: Python's own times end at microseconds."""
    names = [f"c{number}" for number in range(len(types))]
    chosen = (
        f"replace({name}::VARCHAR, ' ', 'T') || 'Z'" if type_ == "TIMESTAMP_NS" else name
        for name, type_ in zip(names, types, strict=True)
    )
    return f"SELECT {', '.join(chosen)} FROM ({statement}\n) AS t({', '.join(names)}) LIMIT {limit}"


def _prepare(
    base: duckdb.DuckDBPyConnection,
    root: Path,
    files: Mapping[Kind, Sequence[Path]],
    live: Mapping[Kind, Sequence[tuple[Series, Rows]]],
    relations: Mapping[str, pa.Table],
) -> None:
    try:
        base.execute(f"SET memory_limit='{_MEMORY}'; SET threads={_THREADS}; SET TimeZone='UTC'")
        base.execute("SET temp_directory=''; SET autoinstall_known_extensions=false")
        base.execute("SET python_enable_replacements=false; SET enable_progress_bar=false")
        allowed = ", ".join(_quoted(str(root / kind) + "/") for kind in KINDS)
        base.execute(f"SET allowed_directories=[{allowed}]; SET enable_external_access=false")
        for kind in KINDS:
            _view(base, kind, files.get(kind, ()), live.get(kind, ()))
        for name, table in relations.items():
            base.register(name, table)
        base.execute("SET lock_configuration=true")
    except duckdb.Error as error:
        if _is_missing(error):
            raise FileNotFoundError(_first_line(error)) from error
        raise StoreFailedError(f"the history could not be read: {_first_line(error)}") from error


def _view(
    base: duckdb.DuckDBPyConnection,
    kind: Kind,
    files: Sequence[Path],
    live: Sequence[tuple[Series, Rows]],
) -> None:
    columns = COLUMNS[kind]
    sources = [
        "SELECT " + ", ".join(f"NULL::{type_} AS {name}" for name, type_ in columns.items()) + " WHERE false"
    ]
    selected = ", ".join(_select(name, type_) for name, type_ in columns.items())
    if files:
        names = ", ".join(_quoted(str(path)) for path in files)
        sources.append(
            f"SELECT {selected} FROM read_parquet([{names}], union_by_name=true, hive_partitioning=false)"
        )
    for number, (series, rows) in enumerate(live):
        base.register(f"live_{kind}_{number}", partitions.table_of(series, rows))
        sources.append(f"SELECT {selected} FROM live_{kind}_{number}")
    if len(sources) > 1:  # the empty one would only widen the decimals
        sources = sources[1:]
    base.execute(f"CREATE VIEW {kind} AS " + " UNION ALL ".join(sources))


def _select(name: str, type_: str) -> str:
    if name == "ts_recv":
        return "make_timestamp_ns(epoch_ns(ts) + lag) AS ts_recv"
    if type_.startswith("DECIMAL"):
        return f'"{name}"'
    return f'"{name}"::{type_} AS "{name}"'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _refused(error: duckdb.Error) -> Exception:
    if _is_missing(error):
        return FileNotFoundError(_first_line(error))
    if isinstance(error, duckdb.PermissionException):
        rule = "the console reads the history and nothing else"
        return InvalidRequestError(_first_line(error), rule=rule, field="query")
    if isinstance(error, duckdb.IOException) or ".parquet'" in str(error):
        return StoreFailedError(f"the history could not be read: {_first_line(error)}")
    return InvalidRequestError(_first_line(error), field="query")


def _is_missing(error: duckdb.Error) -> bool:
    return isinstance(error, duckdb.IOException) and (
        "No files found" in str(error) or "No such file" in str(error)
    )


def _first_line(error: duckdb.Error) -> str:
    return str(error).strip().split("\n", 1)[0]


def _plain(value: Any) -> Value:
    """Return a value as JSON can hold it, exactly."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime.datetime) and value.tzinfo is None:
        return value.isoformat() + "Z"  # all times of the history are UTC
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, (list, tuple, dict)):
        return msgspec.json.encode(value, enc_hook=_plain).decode()
    return str(value)
