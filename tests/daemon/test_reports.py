"""Reports of a real daemon over the API and the command line, and those that a real scheduler writes."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import hashlib
import io
import json
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pypdf
import pytest
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from lxml import html

from data.bus import Bus
from data.commands import AnyCommand, Outcome
from data.problems import InvalidRequestError, NotFoundError, ProblemError
from data.reports import TYPES, ReportType, report_plan
from data.risk_commands import MakeReport
from data.state import State
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.risk.alerts import AlertBook
from nautilus_tui.daemon.risk.reporting import MOST, ReportDesk
from risk.reports.facts import ReportFacts
from tests.daemon.process import REPO, DaemonProcess
from tests.risk.reports import world

ENGINE = "paper-1"
SYMBOL = "AAPL.SIM"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    process = DaemonProcess(tmp_path_factory.mktemp("reports") / "home")
    try:
        started = process.post("/api/v1/nautilus/engine/start", {"instance_id": ENGINE, "seed": 11})
        assert started.status_code == 200, started.text
        order = {"instrument": SYMBOL, "side": "buy", "qty": "137"}
        bought = process.post("/api/v1/orders", order, "first", wait="final")
        assert bought.json()["orders"][0]["status"] == "filled", bought.text
        yield process
    finally:
        process.stop_all()


def asked(daemon: DaemonProcess, kind: str, form: str) -> bytes:
    response = daemon.http.get(f"/api/v1/risk/reports/{kind}", params={"format": form})
    assert response.status_code == 200, response.text
    told = response.headers["content-disposition"]
    assert re.fullmatch(rf'attachment; filename="{kind}-portfolio-\d{{8}}T\d{{6}}Z\.{form}"', told)
    assert response.headers["x-report-synthetic"] == "yes"
    kinds = {
        "json": "application/json",
        "csv": "text/csv; charset=utf-8",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "html": "text/html; charset=utf-8",
        "pdf": "application/pdf",
    }
    assert response.headers["content-type"] == kinds[form]
    return response.content


def test_what_is_held_stands_in_all_five_formats(daemon: DaemonProcess) -> None:
    document = json.loads(asked(daemon, "daily_risk", "json"))
    assert (document["environment"], document["synthetic"], document["currency"]) == ("SIM", True, "USD")
    blocks = [block for section in document["sections"] for block in section["blocks"]]
    (positions,) = [one for one in blocks if one.get("key") == "positions"]
    assert [row[0] for row in positions["rows"]] == [SYMBOL]
    assert Decimal(positions["rows"][0][3]["value"]) == 137

    rows = list(csv.DictReader(io.StringIO(asked(daemon, "daily_risk", "csv").decode("utf-8-sig"))))
    (held,) = [row for row in rows if (row["table"], row["column"]) == ("positions", "qty")]
    assert Decimal(held["value"]) == 137

    book = openpyxl.load_workbook(io.BytesIO(asked(daemon, "daily_risk", "xlsx")))
    assert book["Positions"]["D2"].value == 137

    page = html.document_fromstring(asked(daemon, "daily_risk", "html").decode())
    assert page.xpath("//table[@id='positions']//data/@value")[0] == "137"

    file = pypdf.PdfReader(io.BytesIO(asked(daemon, "daily_risk", "pdf")))
    text = " ".join(page.extract_text() for page in file.pages)
    assert re.search(rf"{re.escape(SYMBOL)}\s+{ENGINE}\s+\S+\s+137\b", text.replace("\u200b", "")), text
    assert "SIM · SYNTHETIC" in text


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_is_made_of_what_the_daemon_knows(daemon: DaemonProcess, kind: ReportType) -> None:
    document = json.loads(asked(daemon, kind, "json"))
    assert document["type"] == kind
    assert document["sections"]
    assert document["sources"][0] == f"Positions and accounts: engines {ENGINE}, at their latest marks."


def test_of_one_engine(daemon: DaemonProcess) -> None:
    document = daemon.get("/api/v1/risk/reports/concentration", portfolio=ENGINE)
    assert document["portfolio"] == ENGINE


@pytest.mark.parametrize(
    ("path", "params", "status", "fix"),
    [
        ("dayly_risk", {}, 404, "did you mean daily_risk?"),
        ("daily_risk", {"format": "pfd"}, 400, "did you mean pdf?"),
        ("daily_risk", {"portfolio": "paper-9"}, 404, "one of portfolio, paper-1"),
    ],
)
def test_what_there_is_not_is_answered_with_the_nearest(
    daemon: DaemonProcess, path: str, params: dict[str, str], status: int, fix: str
) -> None:
    response = daemon.http.get(f"/api/v1/risk/reports/{path}", params=params)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["fix"] == fix


def test_one_that_is_kept_goes_through_the_door_and_is_listed(daemon: DaemonProcess) -> None:
    body = {"command": "report.make", "report_type": "stress_test", "report_format": "xlsx"}
    response = daemon.post("/api/v1/commands", body, "keep-1")
    assert response.status_code == 200, response.text
    told = response.json()["data"]
    path = Path(told["path"])
    assert path.parent == daemon.home.reports
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert hashlib.sha256(path.read_bytes()).hexdigest() == told["sha256"]
    assert daemon.post("/api/v1/commands", body, "keep-1").json()["data"] == told, "once per id"
    (listed,) = daemon.get("/api/v1/risk/reports")["items"]
    assert listed["name"] == path.name
    assert (listed["sha256"], listed["synthetic"], listed["scheduled"]) == (told["sha256"], True, False)
    entries = daemon.get("/api/v1/audit", command="report.make")["items"]
    assert {one["outcome"] for one in entries} >= {"done"}
    bad = daemon.post("/api/v1/commands", body | {"report_format": "docx"}, "keep-2")
    assert bad.status_code == 400, bad.text


def test_the_command_line_writes_the_file_and_says_which(daemon: DaemonProcess, tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "nautilus_tui.cli.main", "--home", str(daemon.home.root), *arguments]
        return subprocess.run(command, cwd=REPO, capture_output=True, timeout=60, check=False)

    out = tmp_path / "risk.html"
    done = run("--json", "risk", "report", "daily-risk", "--format", "html", "--out", str(out))
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout)
    assert told["path"] == str(out)
    assert told["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert told["synthetic"] is True
    wrong = run("risk", "report", "daily_risk", "--format", "html", "--out", str(tmp_path / "no" / "x"))
    assert wrong.returncode == 2
    assert b"cannot be written" in wrong.stderr


# ---------------------------------------------------------------- by the clock


class Scheduled:
    """A desk over a folder, its store and a real scheduler; the facts are those of the tests' world."""

    def __init__(self, folder: Path, state: State, *when: str, kept: int = 2) -> None:
        self.now = world.NOW
        self.failing: ProblemError | None = None
        bus = Bus("test", lambda _: [])
        self.alerts = AlertBook(state.breaches, bus, Present(), lambda: self.now)
        self.desk = ReportDesk(
            folder,
            self._gather,
            self._execute,
            self.alerts,
            plans=[report_plan(text) for text in when],
            kept=kept,
        )
        self.scheduler = AsyncIOScheduler(timezone="UTC")
        self.desk.plan(self.scheduler)
        self.ended: asyncio.Queue[Any] = asyncio.Queue()
        self.scheduler.add_listener(self.ended.put_nowait, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
        self.scheduler.start()

    async def _gather(self, kind: ReportType, portfolio_id: str) -> ReportFacts:
        if self.failing is not None:
            raise self.failing
        self.now += 1_000_000_000
        facts = world.facts(kind)
        return msgspec.structs.replace(facts, as_of=self.now)

    async def _execute(self, command: AnyCommand, principal: Principal) -> Outcome:
        assert isinstance(command, MakeReport)
        done = Outcome(command_id="c", command="report.make", outcome="done")
        try:
            return await self.desk.carry_out(command, done, principal, 10.0)
        except ProblemError as error:
            return Outcome(command_id="c", command="report.make", outcome="failed", problem=error.document())

    async def fire(self) -> None:
        """Make every job due now and wait until each has run."""
        jobs = self.scheduler.get_jobs()
        for job in jobs:
            job.modify(next_run_time=dt.datetime.now(dt.UTC))
        for _ in jobs:
            event = await asyncio.wait_for(self.ended.get(), 120)
            assert event.exception is None, event.traceback


async def test_reports_are_written_when_their_time_comes_and_the_latest_are_kept(
    tmp_path: Path, state: State
) -> None:
    folder = tmp_path / "reports"
    plan = Scheduled(folder, state, "limit_utilization csv 30 22 * * mon-fri")
    (job,) = plan.scheduler.get_jobs()
    friday, second = dt.datetime(2026, 11, 27, 22, 30, tzinfo=dt.UTC), dt.timedelta(seconds=1)
    assert job.trigger.get_next_fire_time(None, friday + second) == friday + dt.timedelta(days=3)
    asked = MakeReport(report_type="limit_utilization", report_format="csv")
    by_hand = Principal(name="ada", role="viewer", via="unix")
    await plan._execute(asked, by_hand)
    for _ in range(3):
        await plan.fire()
    written = await plan.desk.written()
    assert [one.scheduled for one in written] == [True, True, False], "what was asked for is not tidied away"
    assert len(list(folder.glob("*.csv"))) == 3
    assert len({one.sha256 for one in written}) == 3
    assert all(hashlib.sha256((folder / one.name).read_bytes()).hexdigest() == one.sha256 for one in written)
    (folder / written[0].name).unlink()
    assert len(await plan.desk.written()) == 2
    plan.scheduler.shutdown(wait=False)
    await plan.alerts.close()


async def test_nobody_fills_the_disk_by_asking(tmp_path: Path, state: State) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    for place in range(MOST):
        (folder / f"{place}.csv").touch()
    plan = Scheduled(folder, state, "limit_utilization csv 30 22 * * mon-fri")
    asked = MakeReport(report_type="limit_utilization", report_format="csv")
    refused = await plan._execute(asked, Principal(name="ada", role="viewer", via="unix"))
    assert refused.problem is not None
    assert refused.problem.type == "conflict"
    await plan.fire()
    (written,) = await plan.desk.written()
    assert written.scheduled
    plan.scheduler.shutdown(wait=False)
    await plan.alerts.close()


async def test_a_report_that_cannot_be_written_raises_one_alert_until_one_can(
    tmp_path: Path, state: State
) -> None:
    plan = Scheduled(tmp_path / "reports", state, "correlation json * * * * *")
    plan.failing = NotFoundError("there is no portfolio")
    await plan.fire()
    await plan.fire()
    (alert,) = plan.alerts.open()
    assert (alert.kind, alert.detail) == ("report", "there is no portfolio")
    plan.failing = None
    await plan.fire()
    assert not plan.alerts.open()
    plan.scheduler.shutdown(wait=False)
    await plan.alerts.close()


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("daily_risk pdf 30 22 * *", "is no schedule"),
        ("daily pdf 30 22 * * *", "there is no report 'daily'"),
        ("daily_risk doc 30 22 * * *", "is not written as 'doc'"),
        ("daily_risk pdf 60 22 * * *", "minute '60'"),
        ("daily_risk pdf 30 24 * * *", "hour '24'"),
        ("daily_risk pdf 30 22 0 * *", "day of the month '0'"),
        ("daily_risk pdf 30 22 * 13 *", "month '13'"),
        ("daily_risk pdf 30 22 * * 1-5", "day of the week '1-5'"),
        ("daily_risk pdf 30 22 * * fri-mon", "day of the week 'fri-mon'"),
        ("daily_risk pdf 5/2 22 * * *", "minute '5/2'"),
    ],
)
def test_a_time_that_is_none_is_refused_with_its_field(text: str, field: str) -> None:
    with pytest.raises(InvalidRequestError, match=re.escape(field)):
        report_plan(text)


@pytest.mark.parametrize(
    "when", ["* * * * *", "*/15 8-17 * * mon-fri", "0,30 6 1 jan,7 *", "10-50/20 0 31 12 sun"]
)
def test_a_time_that_is_taken_is_one_that_the_scheduler_takes(when: str) -> None:
    from apscheduler.triggers.cron import CronTrigger

    plan = report_plan(f"daily_risk pdf {when}")
    minute, hour, day, month, weekday = plan.when.split()
    CronTrigger(minute=minute, hour=hour, day=day, month=month, day_of_week=weekday, timezone="UTC")
