"""Reports, on demand and by the clock: facts are gathered, a document is built, a file is written.

Libraries that write a format are loaded by the first report of it, in a thread. Files lie in the home's
folder of reports, what is known of each beside it. This module must not know what is in a report, or of HTTP.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from data import forms
from data.commands import AnyCommand, Outcome
from data.durable import replace_whole
from data.problems import ConflictError, InvalidRequestError, StoreFailedError
from data.reports import (
    CONTENT_TYPES,
    Rendered,
    ReportFormat,
    ReportPlan,
    ReportType,
    WrittenReport,
    report_format,
    report_type,
)
from data.risk_commands import MakeReport
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.risk.accounts import PORTFOLIO
from nautilus_tui.daemon.risk.alerts import AlertBook
from nautilus_tui.daemon.schedule import SCHEDULE

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    from risk.reports.facts import ReportFacts

#: The folder, in that of the reports, of what is known of each.
_FACTS: Final = ".facts"
#: Reports that may lie in the folder before no more are kept on demand: nobody fills the disk by asking.
MOST: Final = 1000
#: What `MakeReport` may be told besides type and format.
PARAMETERS: Final = ("portfolio",)

type Gather = Callable[[ReportType, str], Awaitable[ReportFacts]]
type Execute = Callable[[AnyCommand, Principal], Awaitable[Outcome]]

logger = logging.getLogger(__name__)


class ReportDesk:
    """Makes reports.

    Args:
        folder: Where files are written.
        gather: Gathers the facts of a type for a book; raises ProblemError.
        execute: The door, for what the clock asks.
        alerts: Who is told when a scheduled report is not written.
        plans: What is written by the clock.
        kept: How many files of each scheduled type and format are kept.
    """

    def __init__(
        self,
        folder: Path,
        gather: Gather,
        execute: Execute,
        alerts: AlertBook,
        *,
        plans: Sequence[ReportPlan] = (),
        kept: int = 90,
    ) -> None:
        self._folder = folder
        self._gather = gather
        self._execute = execute
        self._alerts = alerts
        self._plans = tuple(plans)
        self._kept = kept
        self._turn = asyncio.Lock()  # one at a time: they are made of the same facts, and of processor time

    async def make(self, kind: ReportType, form: ReportFormat, portfolio_id: str = PORTFOLIO) -> Rendered:
        """Return a report of a book as it stands.

        Raises:
            NotFoundError: There is no such book.
            ReportFailedError: The format's library could not write it.
        """
        async with self._turn:
            facts = await self._gather(kind, portfolio_id)
            return await asyncio.to_thread(_rendered, kind, form, facts)

    async def carry_out(
        self, command: MakeReport, done: Outcome, principal: Principal, timeout: float
    ) -> Outcome:
        """Write a report into the folder and return its outcome once it is on disk; raises ProblemError."""
        kind, form = report_type(command.report_type), report_format(command.report_format)
        strange = sorted(command.parameters.keys() - set(PARAMETERS))
        if strange:
            raise InvalidRequestError(
                f"a report has no parameter {strange[0][:80]!r}",
                rule=f"parameters are {', '.join(PARAMETERS)}",
                field=f"parameters.{strange[0][:80]}",
            )
        book = command.parameters.get("portfolio", PORTFOLIO)
        made = await self.make(kind, form, book)
        scheduled = principal.via == SCHEDULE.via
        written = await asyncio.to_thread(self._write, made, kind, form, book, scheduled)
        path = self._folder / written.name
        return msgspec.structs.replace(
            done,
            detail=f"{path}",
            data={
                "path": str(path),
                "name": written.name,
                "sha256": written.sha256,
                "bytes": str(written.bytes),
                "synthetic": "yes" if written.synthetic else "no",
            },
        )

    async def written(self) -> list[WrittenReport]:
        """Return the reports that lie in the folder, the latest first."""
        return await asyncio.to_thread(self._read)

    def plan(self, scheduler: AsyncIOScheduler) -> None:
        """Add what is written by the clock to the daemon's schedule."""
        if not self._plans:
            return
        from apscheduler.triggers.cron import CronTrigger  # loaded with the scheduler

        for one in self._plans:
            minute, hour, day, month, weekday = one.when.split()
            trigger = CronTrigger(
                minute=minute, hour=hour, day=day, month=month, day_of_week=weekday, timezone="UTC"
            )
            scheduler.add_job(
                self.write_by_the_clock,
                trigger,
                args=[one],
                id=f"report {one.report_type} {one.report_format} {one.when}",
                max_instances=1,
                coalesce=True,
                misfire_grace_time=3600,
                replace_existing=True,
            )

    async def write_by_the_clock(self, plan: ReportPlan) -> None:
        """Write a planned report through the door; if that fails, an alert says so until one succeeds."""
        command = MakeReport(report_type=plan.report_type, report_format=plan.report_format)
        outcome = await self._execute(command, SCHEDULE)
        subject = f"{plan.report_type} {plan.report_format}"
        if outcome.problem is None:
            self._alerts.resolve("report", subject, "written")
            return
        logger.warning("scheduled report %s: %s", subject, outcome.problem.detail)
        self._alerts.raise_(
            "report", "warning", f"Report {subject} was not written", outcome.problem.detail, subject
        )

    # ------------------------------------------------------------ files, in a thread

    def _write(
        self, made: Rendered, kind: ReportType, form: ReportFormat, book: str, scheduled: bool
    ) -> WrittenReport:
        facts = self._folder / _FACTS
        try:
            facts.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not scheduled:
                self._require_room()
            name = _free(self._folder, made.name)
            written = WrittenReport(
                name=name,
                report_type=kind,
                report_format=form,
                portfolio_id=book,
                bytes=len(made.content),
                sha256=hashlib.sha256(made.content).hexdigest(),
                synthetic=made.synthetic,
                scheduled=scheduled,
                ts=made.ts,
            )
            replace_whole(self._folder / name, made.content, mode=0o600)
            replace_whole(facts / f"{name}.json", msgspec.json.encode(written), mode=0o600)
            if scheduled:
                self._tidy(kind, form)
        except OSError as error:
            raise StoreFailedError(
                f"the report cannot be written to {self._folder}: {error.strerror}",
                rule="the folder of reports must be writable",
                fix="make room, or give the daemon's user the right to write there",
            ) from error
        return written

    def _require_room(self) -> None:
        count = sum(not path.name.startswith(".") for path in self._folder.iterdir())
        if count >= MOST:
            raise ConflictError(
                f"{count:,} reports lie in {self._folder}",
                rule=f"on demand no more than {MOST:,} are kept there",
                fix="remove some, or write the report elsewhere with --out",
            )

    def _read(self) -> list[WrittenReport]:
        found = []
        for path in (self._folder / _FACTS).glob("*.json"):
            try:
                one = msgspec.json.decode(path.read_bytes(), type=WrittenReport)
            except (OSError, msgspec.DecodeError) as error:
                logger.warning("%s cannot be read: %s", path, error)
                continue
            if (self._folder / one.name).is_file():  # whoever removed it wanted it gone
                found.append(one)
        return sorted(found, key=lambda one: (-one.ts, one.name))

    def _tidy(self, kind: ReportType, form: ReportFormat) -> None:
        """Remove scheduled reports of a type and format beyond the number that is kept."""
        same = [
            one
            for one in self._read()
            if one.scheduled and one.report_type == kind and one.report_format == form
        ]
        for one in same[self._kept :]:
            (self._folder / one.name).unlink(missing_ok=True)
            (self._folder / _FACTS / f"{one.name}.json").unlink(missing_ok=True)


def _rendered(kind: ReportType, form: ReportFormat, facts: ReportFacts) -> Rendered:
    from risk.reports.build import build
    from risk.reports.render import render

    report = build(kind, facts)
    stamp = forms.iso(facts.as_of)[:19].replace("-", "").replace(":", "")
    return Rendered(
        name=f"{kind}-{facts.portfolio_id}-{stamp}Z.{form}",
        content_type=CONTENT_TYPES[form],
        content=render(report, form),
        synthetic=report.synthetic,
        ts=facts.as_of,
    )


def _free(folder: Path, name: str) -> str:
    """Return a name that no file has yet."""
    stem, _, ending = name.rpartition(".")
    found, count = name, 1
    while (folder / found).exists():
        count += 1
        found = f"{stem}-{count}.{ending}"
    return found
