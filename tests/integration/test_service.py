"""The daemon under a stand-in for a service manager: ready, watched, stopped and started again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path

from websockets.asyncio.client import unix_connect
from websockets.exceptions import ConnectionClosed

from data.commands import Outcome, StartEngine, SubmitOrder
from data.paths import Home
from data.problems import OutcomeUnknownError, ProblemError
from data.records import FINAL_STATUSES, WORKING_STATUSES
from nautilus_tui.client import ApiClient
from tests.integration.manager import Manager, managed

ENGINE = "paper-1"
#: What a stop may take, whatever hangs: its own seconds, and as many again for a machine that is busy.
STOP_S = 12.0
SETTLED = FINAL_STATUSES | WORKING_STATUSES


def order(key: str, *, price: str | None = None) -> SubmitOrder:
    return SubmitOrder(
        engine=ENGINE,
        client_order_id=key,
        instrument="AAPL.SIM",
        side="buy",
        qty=Decimal(1),
        order_type="market" if price is None else "limit",
        price=None if price is None else Decimal(price),
        tif="gtc",
    )


async def answered[T](question: Callable[[], Awaitable[T]], test: Callable[[T], bool]) -> T:
    """Ask until the answer is the one that another process brings about."""
    async with asyncio.timeout(120):
        while True:
            found = await question()
            if test(found):
                return found
            await asyncio.sleep(0.02)


async def begin(manager: Manager) -> int:
    """Start an engine with an order that is filled and one that rests; return its process id."""
    async with manager.client() as api:
        await api.execute(StartEngine(engine=ENGINE, speed="200"), timeout=60)
        await answered(lambda: api.quotes(ENGINE), lambda found: "AAPL.SIM" in {q.instrument for q in found})
        for one in (order("S-filled"), order("S-rests", price="1")):
            assert (await api.execute(one, command_id=one.client_order_id, timeout=60)).outcome == "done"
        pid = (await api.engine(ENGINE)).pid
    assert pid is not None
    return pid


async def running(manager: Manager) -> int:
    """Return the process id of the engine, once the daemon has it running."""
    async with manager.client() as api:
        status = await answered(lambda: api.engine(ENGINE), lambda found: found.state == "running")
    assert status.pid is not None
    return status.pid


async def states(api: ApiClient) -> dict[str, str]:
    found = (await api.orders(limit=1000)).items
    assert len({one.client_order_id for one in found}) == len(found)
    return {one.client_order_id: one.status for one in found}


async def attempt(api: ApiClient, one: SubmitOrder) -> Outcome | ProblemError:
    try:
        return await api.execute(one, command_id=one.client_order_id, timeout=30)
    except ProblemError as error:
        return error


async def test_a_daemon_that_hangs_is_killed_and_the_next_goes_on_with_its_engine(tmp_path: Path) -> None:
    async with managed(tmp_path / "home", watchdog_s=3.0, abstract=True) as manager:
        pid = await begin(manager)
        await manager.until(lambda: manager.kicks() >= 3)
        assert manager.process is not None
        hung = manager.process
        hung.send_signal(signal.SIGSTOP)
        await hung.wait()
        await manager.until(lambda: manager.starts == 2 and "READY" in manager.facts())
        assert (hung.returncode, manager.kills) == (-signal.SIGKILL, 1)
        assert await running(manager) == pid
        assert f"engine {ENGINE} is adopted engine={ENGINE} engine_pid={pid}" in manager.written()
        await manager.until(lambda: manager.kicks() >= 1)
        async with manager.client() as api:
            after = order("S-after")
            assert (await api.execute(after, command_id="S-after")).outcome == "done"
            assert (await api.execute(after, command_id="S-after")).outcome == "done"
            found = await states(api)
        assert set(found) == {"S-filled", "S-rests", "S-after"}
        assert (found["S-filled"], found["S-rests"]) == ("filled", "accepted")


class Stalled:
    """A stream reader over the unix socket that subscribes to everything and then reads nothing."""

    def __init__(self, path: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.connect(str(path))
        self.sock.sendall(
            b"GET /ws HTTP/1.1\r\nHost: d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert self.sock.recv(12) == b"HTTP/1.1 101"
        body = json.dumps({"type": "subscribe", "id": "s", "topics": [">"]}).encode()
        self.sock.sendall(bytes((0x81, 0x80 | len(body), 0, 0, 0, 0)) + body)


@contextmanager
def half_a_request(manager: Manager) -> Iterator[None]:
    """A client that sends a request's beginning and never its end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as slow:
        slow.connect(str(manager.home.daemon_socket))
        slow.sendall(b"POST /api/v1/tokens HTTP/1.1\r\nHost: d\r\nContent-Length: 100\r\n\r\n{")
        yield


@contextmanager
def a_long_question(manager: Manager) -> Iterator[None]:
    """A client that asks the SQL console for more than it can count in this test's time."""
    sql = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3"
    body = json.dumps({"query": sql}).encode()
    head = f"POST /api/v1/sql HTTP/1.1\r\nHost: d\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.connect(str(manager.home.daemon_socket))
        asking.sendall(head.encode() + body)
        yield


async def test_a_stop_takes_seconds_whatever_hangs_and_loses_nothing(tmp_path: Path) -> None:
    async with managed(tmp_path / "home") as manager:
        pid = await begin(manager)
        path = manager.home.daemon_socket
        stalled = Stalled(path)
        async with manager.client() as api:
            await answered(api.connections, lambda found: len(found) == 1 and found[0]["sent"] > 100)
            os.kill(pid, signal.SIGSTOP)  # an engine that hangs: the order stays in flight
            flying = asyncio.create_task(attempt(api, order("S-flying")))
            await answered(lambda: states(api), lambda found: found.get("S-flying") == "sent")
            with half_a_request(manager), a_long_question(manager):
                await states(api)  # what was sent before is being worked on
                code, seconds = await manager.stop(signal.SIGTERM)
            answer = await flying
        os.kill(pid, signal.SIGCONT)
        stalled.sock.close()
        written = manager.written()
        assert code == 0, written
        assert seconds < STOP_S, written
        assert "STOPPING" in manager.facts()
        assert "Traceback" not in written
        # cut off is not refused: it may have reached the engine, and did
        assert isinstance(answer, OutcomeUnknownError), answer

        await manager.start()
        assert await running(manager) == pid
        async with manager.client() as api:
            await answered(lambda: states(api), lambda found: found["S-flying"] in SETTLED)
            again = await api.execute(order("S-flying"), command_id="S-flying")
            assert [one.client_order_id for one in again.orders] == ["S-flying"]
            found = await states(api)
        assert set(found) == {"S-filled", "S-rests", "S-flying"}


async def test_a_stop_while_a_provider_hangs_is_no_error(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        with suppress(ConnectionError):
            await writer.wait_closed()  # the daemon's end

    home = Home(tmp_path / "home").ensure()
    provider = await asyncio.start_server(hang, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{provider.sockets[0].getsockname()[1]}"
    home.config_file.write_text(f'[providers.fred]\nbase_url = "{url}"\n')
    async with managed(home.root, environment={"FRED_API_KEY": "f" * 32}) as manager:
        async with unix_connect(str(manager.home.daemon_socket), uri="ws://daemon/ws") as stream:
            async with asyncio.timeout(60):
                await asked.wait()
            code, seconds = await manager.stop(signal.SIGTERM)
            with suppress(ConnectionClosed):
                while True:
                    await stream.recv()
            assert stream.close_code == 1012
        written = manager.written()
        assert (code, seconds < STOP_S) == (0, True), written
        assert "Error" not in written
        assert "ERROR" not in written
    provider.close()


async def test_a_reload_is_told_to_the_manager_and_audited(tmp_path: Path) -> None:
    async with managed(tmp_path / "home", "--log-format", "json") as manager:
        assert manager.process is not None

        async def reloaded(settings: str) -> str:
            manager.home.config_file.write_text(settings)
            before = len(manager.said)
            assert manager.process is not None
            manager.process.send_signal(signal.SIGHUP)
            await manager.until(lambda: any("READY" in one for one in manager.said[before:]))
            reloading, ready = manager.said[before:]
            assert (reloading["RELOADING"], reloading["MONOTONIC_USEC"].isdigit()) == ("1", True)
            return ready["STATUS"]

        said = await reloaded('[daemon]\nlog_level = "debug"\nmax_request_bytes = 5000\n')
        assert said == (
            "settings read: changed: daemon.log_level; restart needed for: daemon.max_request_bytes"
        )
        said = await reloaded('[daemon]\nlog_level = "error"\nlisten = 5\n')
        assert f"settings not read: {manager.home.config_file}:3: daemon.listen" in said
        async with manager.client() as api:
            audited = (await api.audit()).items
        ended = [one for one in audited if one.command == "daemon.reload" and one.outcome != "started"]
        assert sorted(one.outcome for one in ended) == ["done", "failed"]
        assert {(one.actor, one.via) for one in ended} == {("service manager", "signal")}
        code, _ = await manager.stop(signal.SIGTERM)
        assert code == 0
        lines = [json.loads(line) for line in manager.written().splitlines()]
        messages = [line["message"] for line in lines]
        assert [one for one in messages if one in ("starting", "listening", "stopping", "stopped")] == [
            "starting",
            "listening",
            "stopping",
            "stopped",
        ]
        problem = next(line for line in lines if line.get("problem") == "bad-config")
        assert (problem["level"], "HOST:PORT" in problem["rule"]) == ("warning", True)


async def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    async with managed(tmp_path / "home") as manager:
        assert manager.process is not None
        with half_a_request(manager):
            manager.process.send_signal(signal.SIGTERM)
            await manager.until(lambda: "STOPPING" in manager.facts())
            while manager.process.returncode is None:  # one that comes too soon is the first, passed on
                manager.process.send_signal(signal.SIGINT)
                with suppress(TimeoutError):
                    await asyncio.wait_for(manager.process.wait(), 0.1)
        assert manager.process.returncode == 128 + signal.SIGINT
        assert "SIGINT again" in manager.written()
