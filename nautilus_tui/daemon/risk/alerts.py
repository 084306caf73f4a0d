"""Alerts: what a person should know, one of a kind about one thing, until it is acknowledged or over.

Raised again while it is open, an alert is brought up to date instead of standing there twice; if it has
become more severe, it wants to be seen again. It is told when it is on the disk; of a store that does not
take it the daemon's log and health tell. This module must not know what alerts are about.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from typing import Final, get_args

import msgspec

from data import topics
from data.breach_store import BreachStore
from data.bus import Bus
from data.limits import Alert, AlertSeverity
from data.paging import Page
from data.problems import ConflictError, NotFoundError
from nautilus_tui.daemon.present import Present

SEVERITIES: Final[tuple[AlertSeverity, ...]] = get_args(AlertSeverity)

logger = logging.getLogger(__name__)


class AlertBook:
    """The alerts.

    Args:
        store: Where they are kept.
        bus, present: Who is told.
        clock: UTC ns.
    """

    def __init__(
        self, store: BreachStore, bus: Bus, present: Present, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._store = store
        self._bus = bus
        self._present = present
        self._clock = clock
        self._open: dict[str, Alert] = {}
        self._of: dict[tuple[str, str | None], str] = {}  # ids of open ones by kind and subject
        self._raised: list[Callable[[Alert], None]] = []
        self._writing: set[asyncio.Future[None]] = set()
        self.problem: str | None = None  #: why alerts are not stored at present

    async def load(self) -> None:
        """Go on with the alerts that were open."""
        self._bus.declare(topics.ALERTS)
        recent = (await self._store.page_of_alerts(limit=100)).items
        found = {one.id: one for one in reversed(recent)}
        found |= {one.id: one for one in await self._store.open_alerts()}
        self._open = {id_: one for id_, one in found.items() if one.status != "resolved"}
        self._of = {(one.kind, one.subject): id_ for id_, one in self._open.items()}
        self._present.alerted(sorted(found.values(), key=lambda one: (one.ts_raised, one.id)))

    async def close(self) -> None:
        """Wait for what is being written."""
        while self._writing:
            await asyncio.wait(list(self._writing))
            await asyncio.sleep(0)

    def on_raise(self, callback: Callable[[Alert], None]) -> None:
        """Call with every alert that is new or has become more severe; whoever notifies listens here."""
        self._raised.append(callback)

    def raise_(
        self,
        kind: str,
        severity: AlertSeverity,
        title: str,
        detail: str,
        subject: str | None = None,
        synthetic: bool = False,
    ) -> Alert:
        """Raise an alert, or bring the open one of this kind about this subject up to date."""
        now = self._clock()
        known = self.open_one(kind, subject)
        if known is None:
            alert = Alert(
                id=f"al-{uuid.uuid4().hex[:12]}",
                kind=kind,
                severity=severity,
                title=title,
                detail=detail,
                subject=subject,
                status="open",
                ts_raised=now,
                ts=now,
                synthetic=synthetic,
            )
            self._put(alert)
            self._tell_of(alert)
            return alert
        if (known.severity, known.title, known.detail) == (severity, title, detail):
            return known
        alert = msgspec.structs.replace(known, severity=severity, title=title, detail=detail, ts=now)
        worse = SEVERITIES.index(severity) > SEVERITIES.index(known.severity)
        if worse:
            alert = msgspec.structs.replace(alert, status="open", acknowledged_by=None, ts_acknowledged=None)
        self._put(alert)
        if worse:
            self._tell_of(alert)
        return alert

    def acknowledge(self, id_: str, by: str) -> Alert:
        """Note that somebody has seen an alert.

        Raises:
            NotFoundError: No alert of this id is open.
            ConflictError: It is acknowledged already.
        """
        known = self._open.get(id_)
        if known is None:
            raise NotFoundError(
                f"no alert {id_} is open", fix="see nautilus-tui alerts", rule="an alert that is over is over"
            )
        if known.status == "acknowledged":
            raise ConflictError(
                f"alert {id_} was acknowledged by {known.acknowledged_by}", rule="once is enough"
            )
        now = self._clock()
        alert = msgspec.structs.replace(
            known, status="acknowledged", acknowledged_by=by, ts_acknowledged=now, ts=now
        )
        self._put(alert)
        return alert

    def resolve(self, kind: str, subject: str | None = None, detail: str | None = None) -> Alert | None:
        """Note that what an alert was about is over; None if none was open."""
        known = self.open_one(kind, subject)
        if known is None:
            return None
        now = self._clock()
        alert = msgspec.structs.replace(
            known, status="resolved", ts_resolved=now, ts=now, detail=detail or known.detail
        )
        self._put(alert)
        return alert

    def note_told(self, id_: str, said: str) -> None:
        """Add who was notified of an open alert, and how it went; what was said before is not said twice."""
        known = self._open.get(id_)
        if known is not None and said not in known.told:
            self._put(msgspec.structs.replace(known, told=(*known.told, said), ts=self._clock()))

    def open_one(self, kind: str, subject: str | None) -> Alert | None:
        """Return the open alert of a kind about a subject."""
        return self._open.get(self._of.get((kind, subject), ""))

    def open(self) -> list[Alert]:
        """Return the alerts that are not over, oldest first."""
        return list(self._open.values())

    async def page(
        self, *, every: bool = False, kind: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> Page[Alert]:
        """Return alerts, newest first: those that are not over, or all."""
        statuses = None if every else {"open", "acknowledged"}
        return await self._store.page_of_alerts(statuses=statuses, kind=kind, limit=limit, cursor=cursor)

    def _put(self, alert: Alert) -> None:
        if alert.status == "resolved":
            self._open.pop(alert.id, None)
            self._of.pop((alert.kind, alert.subject), None)
        else:
            self._open[alert.id] = alert
            self._of[alert.kind, alert.subject] = alert.id
        writing = self._store.put_alerts([alert])
        self._writing.add(writing)
        writing.add_done_callback(lambda written: self._tell(alert, written))

    def _tell(self, alert: Alert, writing: asyncio.Future[None]) -> None:
        """Tell of an alert that is on the disk; one that the store could not take must be told as well."""
        self._writing.discard(writing)
        self._present.alerted([alert])
        self._bus.publish_records((alert,))
        error = None if writing.cancelled() else writing.exception()
        self.problem = None if error is None else f"alerts are not stored: {error}"
        if error is not None:
            logger.error("an alert could not be stored: %s", error)

    def _tell_of(self, alert: Alert) -> None:
        for callback in self._raised:
            callback(alert)
