"""What any process that serves does: tell its service manager, log in lines, end in time."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.problems import StoreFailedError
from nautilus_tui.daemon.log_lines import JsonLines, TextLines
from nautilus_tui.daemon.pulse import Pulse
from nautilus_tui.daemon.service import ServiceManager
from providers.core.secrets import redact

SECRET = 'tell"nobody\\this'


# ---------------------------------------------------------------- the service manager


@pytest.fixture(params=["path", "abstract"])
def ear(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A manager's socket and the name that is told of it."""
    name = str(tmp_path / "n") if request.param == "path" else f"@nautilus-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(name.replace("@", "\0", 1))
        sock.settimeout(60)
        yield sock, name


def lines(sock: socket.socket) -> list[str]:
    return sock.recv(4096).decode().splitlines()


def test_what_a_manager_is_told(ear: tuple[socket.socket, str]) -> None:
    sock, name = ear
    environment = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "4000000", "WATCHDOG_PID": str(os.getpid())}
    manager = ServiceManager.take_from(environment)
    assert environment == {}  # what is started by us must not speak for us
    assert manager.watchdog_s == 4.0
    manager.ready("ready at\nhome")
    assert lines(sock) == ["READY=1", f"MAINPID={os.getpid()}", "STATUS=ready at home"]
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    manager.reloading()
    said = dict(line.split("=") for line in lines(sock))
    assert said["RELOADING"] == "1"
    assert before <= int(said["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    manager.status("busy")
    manager.status("busy")
    manager.stopping()
    assert (lines(sock), lines(sock)) == (["STATUS=busy"], ["STOPPING=1"])


@pytest.mark.parametrize(
    ("environment", "listens", "watchdog"),
    [
        ({}, False, None),
        ({"WATCHDOG_USEC": "1000000"}, False, None),
        ({"NOTIFY_SOCKET": "vsock:2:1234", "WATCHDOG_USEC": "1000000"}, False, None),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "1000000"}, True, 1.0),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}, True, None),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "soon"}, True, None),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "0"}, True, None),
    ],
)
def test_a_manager_is_believed_as_far_as_it_makes_sense(
    environment: dict[str, str], listens: bool, watchdog: float | None
) -> None:
    manager = ServiceManager.take_from(environment)
    assert (manager.listens, manager.watchdog_s) == (listens, watchdog)


def test_a_manager_that_is_gone_is_said_once_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    manager = ServiceManager("/nowhere/at/all")
    manager.ready()
    manager.kick()
    assert [record.message for record in caplog.records] == [
        "the service manager was not told: No such file or directory"
    ]


async def test_the_watchdog_is_kicked_only_while_all_is_well(ear: tuple[socket.socket, str]) -> None:
    sock, name = ear
    trouble: str | None = None
    manager = ServiceManager(name, watchdog_s=0.1)

    async def ask() -> str | None:
        return trouble

    async def heard() -> list[str]:
        return await asyncio.to_thread(lines, sock)

    manager.status("fine")
    watching = asyncio.create_task(manager.watch(ask))
    assert await heard() == ["STATUS=fine"]
    assert (await heard(), await heard()) == (["WATCHDOG=1"], ["WATCHDOG=1"])
    trouble = "the store is full"
    while (said := await heard()) == ["WATCHDOG=1"]:
        continue
    assert said == ["STATUS=not well: the store is full"]
    trouble = None
    assert [await heard(), await heard()] == [["WATCHDOG=1"], ["STATUS=fine"]]
    watching.cancel()


async def test_a_question_that_hangs_is_no_kick(ear: tuple[socket.socket, str]) -> None:
    sock, name = ear

    async def hang() -> None:
        await asyncio.Event().wait()

    watching = asyncio.create_task(ServiceManager(name, watchdog_s=0.1).watch(hang))
    assert await asyncio.to_thread(lines, sock) == [
        "STATUS=not well: no answer within 0.05 s to whether all is well"
    ]
    watching.cancel()


async def test_what_a_restart_would_mend_is_found() -> None:
    async def writes() -> None:
        return None

    async def fails() -> None:
        raise StoreFailedError("the disk is full")

    assert await Pulse(writes, lambda: 0.01).trouble() is None
    assert await Pulse(fails, lambda: 0.0).trouble() == "the disk is full"
    assert "events have waited 9 s" in (await Pulse(writes, lambda: 9.0).trouble() or "")


# ---------------------------------------------------------------- the log


def written(formatter: logging.Formatter, *args: object, **more: object) -> str:
    """Return a record as it is written, in a log of its own."""
    log = logging.Logger("a.b")
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    log.addHandler(handler)
    log.info(*args, **more)  # type: ignore[arg-type]
    return out.getvalue()


@given(st.text(), st.dictionaries(st.from_regex(r"x_[a-z]{1,8}", fullmatch=True), st.text() | st.integers()))
def test_a_record_is_one_line_whatever_is_in_it(message: str, fields: dict[str, object]) -> None:
    line = written(JsonLines(), "%s", message, extra=fields)
    assert line.count("\n") == 1
    told = json.loads(line)
    assert list(told)[:4] == ["ts", "level", "logger", "message"]
    assert set(told) == {"ts", "level", "logger", "message", *fields}
    assert written(TextLines(), "%s", message, extra=fields).splitlines()[1:] == []


def test_no_credential_gets_into_a_line_and_the_line_stays_json() -> None:
    redact.learn(SECRET)
    fields = {
        "a": SECRET,
        "b": [SECRET],
        "c": {"d": f"?api_key={SECRET}&e=1"},
        "f": Decimal("1.5"),
        "level": 1,
    }
    try:
        raise ValueError(SECRET)
    except ValueError:
        line = written(JsonLines(), "said %s", SECRET, extra=fields, exc_info=True)
        text = written(TextLines(), "said %s", SECRET, extra=fields, exc_info=True)
    told = json.loads(line)
    assert (told["level"], told["field_level"], told["f"], told["a"]) == ("info", 1, "1.5", "[redacted]")
    assert told["exception"].startswith("Traceback")
    assert "nobody" not in line + text
    assert "ValueError: [redacted]" in text


# ---------------------------------------------------------------- room

ROOM = """
import resource, sys
from nautilus_tui.daemon.descriptors import make_room
soft, hard, wanted = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(make_room(wanted), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "room", "now", "said"),
    [
        (256, 4096, 3000, 3000, 4096, False),
        (2048, 4096, 1000, 1000, 2048, False),  # enough: left as it is
        (256, 1024, 5000, 512, 1024, True),
    ],
)
def test_open_files_are_allowed_as_far_as_they_may_be(
    soft: int, hard: int, wanted: int, room: int, now: int, said: bool
) -> None:
    command = [sys.executable, "-c", ROOM, str(soft), str(hard), str(wanted)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f"{room} {now}\n"
    assert (f"leaves room for {room} connections, {wanted} are allowed" in done.stderr) == said


# ---------------------------------------------------------------- the end

HUNG_UP = """
import asyncio
from nautilus_tui.daemon.ending import Ending
async def serve():
    stopped = asyncio.Event()
    Ending(30).hear(stopped.set, lambda: print("reloads", flush=True))
    print("hears", flush=True)
    await stopped.wait()
    print("stops", flush=True)
asyncio.run(serve())
"""


@pytest.mark.parametrize(("terminal", "does"), [(True, b"stops\n"), (False, b"reloads\n")])
def test_a_terminal_that_goes_away_takes_its_process_along(terminal: bool, does: bytes) -> None:
    mine, its = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", HUNG_UP],
        stdout=subprocess.PIPE,
        stderr=its if terminal else subprocess.DEVNULL,
    )
    os.close(its)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"hears\n"
        process.send_signal(signal.SIGHUP)
        assert process.stdout.readline() == does
        process.kill()
    os.close(mine)


HANGS = """
import asyncio, sys, time
from nautilus_tui.daemon.ending import Ending
async def serve():
    Ending(0.3).hear(lambda: None)
    print("hears", flush=True)
    {hang}
asyncio.run(serve())
"""


@pytest.mark.parametrize("hang", ["time.sleep(600)", "await asyncio.sleep(600)", "while True: pass"])
def test_a_process_that_hangs_ends_all_the_same(hang: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HANGS.format(hang=hang)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"hears\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 0
        assert b"not everything ended in time" in process.stderr.read()
