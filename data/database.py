"""One DuckDB file, one writer thread: jobs queue up, are grouped into transactions and awaited.

A group of waiting jobs costs one commit. When one job of a group fails, the group is rolled back and
each job is run again alone, so that an error reaches only the one who caused it; a job may therefore
run twice and must change nothing but the database. This module must not know what is stored.
"""

from __future__ import annotations

import asyncio
import queue
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

import duckdb

from data.problems import ProblemError, StoreFailedError, StoreHeldError

#: Jobs that share one commit at most.
GROUP_LIMIT = 256


type Row = tuple[Any, ...]


class Table(NamedTuple):
    """A table and the types of its columns."""

    name: str
    types: tuple[str, ...]


class Follower(Protocol):
    """Who is told what was committed, before those who wait for it are."""

    def ready(self) -> None:
        """Raise OSError where nothing more can be taken: then nothing is committed that is to be told."""

    def follow(self, told: Sequence[Any]) -> None:
        """Take what was committed; raises OSError where it is not on the disk yet."""


class Transaction:
    """What a write job works with: SQL, and facts that the writer carries from commit to commit.

    ``carried`` values are seen by later jobs of the same group and are kept only if the group commits.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, kept: dict[str, Any]) -> None:
        self._connection = connection
        self._kept = kept
        self.changed: dict[str, Any] = {}
        self._appended: dict[Table, list[Row]] = {}
        self.told: list[Any] = []

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Execute one statement, which sees everything that was appended, and return its rows."""
        self.flush()
        return self.run_apart(sql, parameters)

    def run_apart(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Execute one statement that what was appended in this transaction does not matter to."""
        return self._connection.execute(sql, list(parameters)).fetchall()

    def insert(self, table: Table, rows: Sequence[Row], rule: str = "") -> list[Row]:
        """Insert rows in one statement, given as one list per column, which DuckDB takes at any size."""
        if not rows:
            return []
        columns = ", ".join(f"unnest(${n}::{type_}[])" for n, type_ in enumerate(table.types, 1))
        values = [list(column) for column in zip(*rows, strict=True)]
        return self.run(f"INSERT INTO {table.name} SELECT {columns} {rule}", values)

    def append(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert rows that conflict with none, together with those of the jobs beside this one."""
        self._appended.setdefault(table, []).extend(rows)

    def appended(self, table: Table) -> list[Row]:
        """Return the rows that were appended and are not yet seen by ``run_apart``."""
        return self._appended.get(table, [])

    def follow(self, fact: Any) -> None:
        """Tell the database's follower of this once it is committed."""
        self.told.append(fact)

    def flush(self) -> None:
        """Insert what was appended."""
        appended, self._appended = self._appended, {}
        for table, rows in appended.items():
            self.insert(table, rows)

    def carried(self, key: str, default: Any) -> Any:
        """Return a carried fact."""
        return self.changed.get(key, self._kept.get(key, default))

    def carry(self, key: str, value: Any) -> None:
        """Carry a fact on from this transaction, if it commits."""
        self.changed[key] = value


type Job[T] = Callable[[Transaction], T]


class Database:
    """An open DuckDB file with its writer thread and a pool of readers."""

    def __init__(self, path: Path, *, readers: int = 2) -> None:
        self.path = path
        self.failure: str | None = None  #: why the last commit failed; None when it succeeded
        self.follower: Follower | None = None
        self._kept: dict[str, Any] = {}
        self._jobs: queue.SimpleQueue[tuple[Job[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._thread: threading.Thread | None = None
        self._newest: Future[Any] | None = None
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="store-read")
        self._local = threading.local()

    def open(self, prepare: Job[None]) -> None:
        """Open the file, run ``prepare`` in the first transaction, start the writer.

        Raises:
            StoreHeldError: another process holds the file.
            StoreFailedError: the file cannot be opened or is not a store.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = duckdb.connect(
                str(self.path), config={"threads": "2", "memory_limit": "512MB"}
            )
        except duckdb.Error as error:
            raise open_error(self.path, error) from error
        try:
            self._commit([(prepare, Future())], alone=True)
        except BaseException:
            self._connection.close()
            self._connection = None
            raise
        self._thread = threading.Thread(target=self._write_forever, name="store-write", daemon=True)
        self._thread.start()

    def close(self, last_word: Job[None] | None = None) -> None:
        """Finish the jobs that wait, run ``last_word`` behind them, then close the file. Idempotent."""
        if self._connection is None:
            return
        self._jobs.put(None)
        if self._thread is not None:
            self._thread.join()
        if last_word is not None:
            with suppress(StoreFailedError):  # ``failure`` tells; what was there before is there still
                self._commit([(last_word, Future())], alone=True)
        self._readers.shutdown(wait=True)
        self._connection.close()
        self._connection = None

    def carried(self, key: str, default: Any) -> Any:
        """Return a fact as of the last commit; callable from any thread."""
        return self._kept.get(key, default)

    def write[T](self, job: Job[T]) -> asyncio.Future[T]:
        """Queue a job for the writer's next transaction; await the result to know that it is committed.

        The job is queued when this returns: a later ``read`` sees what it does.

        Raises:
            StoreFailedError: the store is closed; when awaited: it could not commit.
            Exception: when awaited: whatever the job raised; its changes were rolled back.
        """
        if self._connection is None:
            raise StoreFailedError("the store is not open", rule="the store is open while the daemon runs")
        future: Future[T] = Future()
        self._jobs.put((job, future))
        self._newest = future
        return asyncio.wrap_future(future)

    async def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query, after everything that was queued before it is committed."""
        if self._connection is None:
            raise StoreFailedError("the store is not open", rule="the store is open while the daemon runs")
        loop = asyncio.get_running_loop()
        newest = self._newest
        if newest is not None and not newest.done():
            written = loop.create_future()
            newest.add_done_callback(lambda _: loop.call_soon_threadsafe(_release, written))
            await written
        return await loop.run_in_executor(self._readers, self._fetch, sql, list(parameters))

    # ------------------------------------------------------------ threads

    def _fetch(self, sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        cursor = getattr(self._local, "cursor", None)
        if cursor is None:
            cursor = cast("duckdb.DuckDBPyConnection", self._connection).cursor()
            self._local.cursor = cursor
        try:
            return cast("list[tuple[Any, ...]]", cursor.execute(sql, parameters).fetchall())
        except duckdb.Error as error:
            raise read_error(self.path, error) from error

    def _write_forever(self) -> None:
        closing = False
        while not closing:
            first = self._jobs.get()
            if first is None:
                return
            group = [first] if first[1].set_running_or_notify_cancel() else []
            while len(group) < GROUP_LIMIT and not self._jobs.empty():
                entry = self._jobs.get()
                if entry is None:
                    closing = True
                    break
                if entry[1].set_running_or_notify_cancel():
                    group.append(entry)
            if group:
                self._commit_group(group)

    def _commit_group(self, group: list[tuple[Job[Any], Future[Any]]]) -> None:
        if len(group) > 1 and self._committed(group):
            return
        for entry in group:
            try:
                self._commit([entry])
            except Exception as error:  # noqa: BLE001 - handed to the one who awaits the job
                entry[1].set_exception(error)

    def _committed(self, group: list[tuple[Job[Any], Future[Any]]]) -> bool:
        try:
            self._commit(group)
        except Exception:  # noqa: BLE001 - running each alone finds the culprit and tells it
            return False
        return True

    def _commit(self, group: list[tuple[Job[Any], Future[Any]]], *, alone: bool = False) -> None:
        connection = cast("duckdb.DuckDBPyConnection", self._connection)
        transaction = Transaction(connection, self._kept)
        try:
            connection.execute("BEGIN TRANSACTION")
            results = [job(transaction) for job, _ in group]
            transaction.flush()
            if transaction.told and self.follower is not None:
                self.follower.ready()
            connection.execute("COMMIT")
        except OSError as error:
            self._roll_back(connection)
            raise self._not_written(error.strerror or str(error)) from error
        except duckdb.Error as error:
            self._roll_back(connection)
            raise self._not_written(_first_line(error)) from error
        except BaseException:
            self._roll_back(connection)
            raise
        self._kept.update(transaction.changed)
        self.failure = self._tell(transaction.told)
        if not alone:
            for (_, future), result in zip(group, results, strict=True):
                future.set_result(result)

    def _tell(self, told: Sequence[Any]) -> str | None:
        """Tell the follower what was committed; return why that failed. The next commit tries again first."""
        if not told or self.follower is None:
            return None
        try:
            self.follower.follow(told)
        except OSError as error:
            return f"{type(self.follower).__name__}: {error.strerror or error}"
        return None

    def _not_written(self, why: str) -> StoreFailedError:
        self.failure = why
        return StoreFailedError(
            f"the store could not write: {why}",
            rule="what is reported as done is on disk",
            fix=_mend(why) or "free disk space or repair the file, then try again",
            path=str(self.path),
        )

    @staticmethod
    def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
        try:
            connection.execute("ROLLBACK")
        except duckdb.Error:  # a failed COMMIT has ended the transaction already
            return


def _release(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def read_error(path: Path, error: duckdb.Error) -> StoreFailedError:
    """Return the problem of a store that did not answer."""
    why = _first_line(error)
    return StoreFailedError(f"the store could not read: {why}", fix=_mend(why), path=str(path))


def _mend(why: str) -> str | None:
    """Return what helps where the file's own checksums say that it is damaged; None: that is not why."""
    if re.search(r"corrupt|checksum|invalidated", why, re.I):
        return "the file is damaged: stop the daemon and restore it from a backup"
    return None


def open_error(path: Path, error: duckdb.Error) -> ProblemError:
    """Return the problem of a store that did not open."""
    text = str(error)
    if re.search(r"\block\b", text, re.I):  # not "block", which a damaged file's message has in it
        holder = re.search(r"PID (\d+)", text)
        pid = holder.group(1) if holder else "unknown"
        return StoreHeldError(
            f"{path.name} is held by process {pid}",
            rule="one process, the daemon, opens the store",
            fix="ask the daemon through its API, or stop it first",
            pid=pid,
            path=str(path),
        )
    return StoreFailedError(
        f"{path.name} could not be opened: {_first_line(error)}",
        fix="restore the file from a backup, or move it away: engines replay their journals into a new one",
        path=str(path),
    )
