"""An import is told as it goes, by what was read; a reader that comes later is told how it ended."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from data import tabular, topics
from data.work import BackfillProgress
from nautilus_tui.client import Address, Batch, StreamClient
from tests.daemon.process import DaemonProcess

#: Two batches of rows and a bit.
ROWS = 2 * tabular.BATCH + 1_000


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    found = DaemonProcess(tmp_path_factory.mktemp("imports") / "home")
    yield found
    found.stop_all()


def quotes(path: Path, rows: int) -> Path:
    lines = ["time,bid,ask"]
    lines += [
        f"2024-01-02T10:{n // 60000 % 60:02}:{n // 1000 % 60:02}.{n % 1000:03}Z,1.1,1.2" for n in range(rows)
    ]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


async def heard(daemon: DaemonProcess, id_: str, command: dict[str, Any]) -> list[BackfillProgress]:
    """Import a file and return what was told of it, to its end."""
    told: list[BackfillProgress] = []
    address = Address.local(daemon.home)
    async with asyncio.timeout(60), StreamClient(address, [topics.BACKFILL]) as stream:
        sending: asyncio.Task[httpx.Response] | None = None
        async for event in stream:
            if not isinstance(event, Batch):
                continue
            for envelope in event.envelopes:
                if envelope.type == "snapshot":
                    sending = asyncio.create_task(
                        asyncio.to_thread(daemon.post, "/api/v1/history/import", command, id_)
                    )
                elif envelope.type == "backfill_progress":
                    told.append(envelope.data)
            if told and told[-1].state in ("done", "failed"):
                break
        assert sending is not None
        await sending
    return told


async def test_progress_is_what_was_read(daemon: DaemonProcess, tmp_path: Path) -> None:
    path = quotes(tmp_path / "eurusd.csv.gz", ROWS)
    told = await heard(daemon, "imp-1", {"path": str(path), "instrument": "EURUSD.SIM"})
    assert {one.id for one in told} == {"imp-1"}
    assert [one.rows_read for one in told if one.state == "running"] == [
        0,
        tabular.BATCH,
        2 * tabular.BATCH,
        ROWS,
    ]
    assert {one.total for one in told} == {path.stat().st_size}
    done = [one.done for one in told]
    assert done == sorted(done)
    assert done[0] == 0
    last = told[-1]
    assert (last.state, last.done, last.rows_read, last.rows_stored) == ("done", last.total, ROWS, ROWS)
    assert all(one.rows_stored == 0 for one in told[:-1])
    again = await heard(daemon, "imp-2", {"path": str(path), "instrument": "EURUSD.SIM", "dry_run": True})
    assert again[-1].rows_stored == 0


async def test_a_failure_is_told_with_its_reason(daemon: DaemonProcess, tmp_path: Path) -> None:
    path = quotes(tmp_path / "torn.csv.gz", ROWS)
    path.write_bytes(path.read_bytes()[:-2000])
    told = await heard(daemon, "imp-3", {"path": str(path), "instrument": "GBPUSD.SIM"})
    assert told[-1].state == "failed"
    assert "torn.csv.gz cannot be read" in (told[-1].problem or "")
    assert told[-1].rows_stored == 0
