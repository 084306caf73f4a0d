"""Journalled batches on their way into the store: those close behind each other share a transaction.

This module must not know how records become rows, or who tells them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from data.database import Database
from data.fold import Folded, fold
from data.problems import InvalidRequestError, StoreFailedError
from data.records import JournalRecord

#: A batch waits this long for company, unless so many records wait already.
_WAIT_S = 0.025
_ENOUGH = 512


class _Inbox:
    """What waits of one engine, and who waits for it to be stored."""

    def __init__(self) -> None:
        self.records: list[JournalRecord] = []
        self.timer: asyncio.TimerHandle | None = None
        self._waiting: list[asyncio.Future[Folded]] = []

    def take(
        self, records: Sequence[JournalRecord], loop: asyncio.AbstractEventLoop
    ) -> asyncio.Future[Folded]:
        self.records += records
        waiting: asyncio.Future[Folded] = loop.create_future()
        self._waiting.append(waiting)
        return waiting

    def answer(self, done: asyncio.Future[Folded]) -> None:
        """Tell those who wait; what was folded is told to the first of them."""
        error = done.exception()
        if error is not None:
            self.refuse(error)
            return
        for number, waiting in enumerate(self._waiting):
            if not waiting.done():
                waiting.set_result(done.result() if number == 0 else Folded(records=()))

    def refuse(self, error: BaseException) -> None:
        """Tell those who wait that nothing was stored."""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_exception(error)


class Inboxes:
    """One inbox an engine, emptied into the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._inboxes: dict[str, _Inbox] = {}

    def put(self, engine: str, records: Sequence[JournalRecord]) -> asyncio.Future[Folded]:
        """Take a batch of an engine's journal; await the result to know that it is stored.

        Raises:
            InvalidRequestError: a record is of another engine.
            StoreFailedError: when awaited: nothing was stored.
        """
        foreign = next((record.engine for record in records if record.engine != engine), None)
        if foreign is not None:
            raise InvalidRequestError(f"the journal of {engine} tells of engine {foreign}")
        loop = asyncio.get_running_loop()
        inbox = self._inboxes.setdefault(engine, _Inbox())
        stored = inbox.take(records, loop)
        if len(inbox.records) >= _ENOUGH:
            self._fold(engine)
        elif inbox.timer is None:
            inbox.timer = loop.call_later(_WAIT_S, self._fold, engine)
        return stored

    def fold_now(self) -> None:
        """Queue everything that waits for the database's next transaction."""
        for engine in tuple(self._inboxes):
            self._fold(engine)

    def _fold(self, engine: str) -> None:
        inbox = self._inboxes.pop(engine, None)
        if inbox is None:
            return
        if inbox.timer is not None:
            inbox.timer.cancel()
        try:
            folded = self._database.write(lambda tx: fold(tx, engine, inbox.records))
        except StoreFailedError as error:
            inbox.refuse(error)
        else:
            folded.add_done_callback(inbox.answer)
