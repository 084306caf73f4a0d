"""The gate of one engine with all that it judges by: limits and their file, exposure, accounts, prices.

This module must not know of the link or of who sends limits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nautilus_trader.system.kernel import NautilusKernel

from data.facts import Record
from data.limits import GateBook
from data.problems import ProblemError, UnavailableError
from data.records import AccountUpdate, Instrument
from engines.gatebook import GateFile
from engines.link import Reply, SetLimits
from engines.node.bookkeeper import Bookkeeper
from engines.node.exposures import Exposures
from engines.node.feed import Feed
from engines.node.gate import Gate
from engines.node.judged import Staleness, Worth
from engines.node.marks import Marker
from engines.spec import EngineSpec
from risk.gate import Judge


class Gatekeeper:
    """Puts the gate together and keeps what it judges by up to date."""

    def __init__(
        self,
        *,
        spec: EngineSpec,
        file: Path,
        kernel: NautilusKernel,
        books: Bookkeeper,
        marker: Marker,
        instruments: dict[str, Instrument],
        feed: Feed,
        marks: Callable[[], Sequence[Record]],
    ) -> None:
        self._kernel = kernel
        self._file = GateFile(file)
        self.exposures = Exposures(
            cache=kernel.cache,
            books=books,
            marker=marker,
            instruments=instruments,
            currency=spec.base_currency,
            stale=Staleness(spec.stale_quote_s, feed).of,
        )
        self._worth = Worth(spec.base_currency, marks)
        judge = Judge(
            engine=spec.engine,
            currency=spec.base_currency,
            book=self.exposures.book,
            money=self._worth.now,
            enabled=spec.risk_enabled,
        )
        self.gate = Gate(
            kernel=kernel, books=books, exposures=self.exposures, judge=judge, enabled=spec.risk_enabled
        )
        try:
            self.go_by(self._file.read())
        except UnavailableError as error:
            self.gate.go_without(error)

    def go_by(self, book: GateBook) -> None:
        """Judge by a book that is on the disk."""
        self._worth.note_peak(book.peak_equity)
        self.gate.go_by(book)

    def take_limits(self, message: SetLimits) -> Reply:
        """Put limits on the disk, judge by them from now on, and return the answer."""
        try:
            self._file.write(message.book)
        except ProblemError as error:
            return Reply(message.id, False, (), error.document())
        self.go_by(message.book)
        return Reply(message.id, True)

    def attach(self, openings: Mapping[str, AccountUpdate], now_ns: int) -> None:
        """Take over the restored books and follow the node from now on; ``now_ns`` is the market's time."""
        self._worth.opened(openings)
        self.exposures.attach(self._kernel.msgbus, now_ns)

    def marked(self, marks: Sequence[Record], now_ns: int) -> None:
        """Take positions and accounts as they were just marked, and value all else at the prices of now."""
        self._worth.take(marks)
        self.exposures.refresh(now_ns)
