"""One engine process from start to stop: node, gate, books, market, link, and the state they are in.

A restart — asked for or after a crash — begins with the journal, so that an engine comes back with
its positions, balances and working orders. This module must not know who started the process.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Sequence

from data.commands import Flatten, SetFeed
from data.journal import Journal
from data.kill import EngineKill, KillOrder
from data.paths import Home
from data.problems import (
    EngineFailedError,
    JournalFailedError,
    ProblemError,
    StoreFailedError,
)
from data.records import EngineLog, EngineState, EngineStatus, JournalRecord
from data.segments import Origin, SegmentWriter
from engines import link
from engines.latch import Latch
from engines.link import KillProgress, Release, Reply, Request, SetLimits, Stop, Welcome
from engines.node import assembly, restore
from engines.node.accounts import Accounts
from engines.node.bookkeeper import Bookkeeper
from engines.node.feed import Feed
from engines.node.gatekeeper import Gatekeeper
from engines.node.gateway import Desk, Gateway
from engines.node.kill import Killer
from engines.node.logs import LogPipe
from engines.node.market import Market, utc_date
from engines.node.marks import Marker
from engines.node.server import Server
from engines.node.simulated import SimulatedDataClient
from engines.node.telemetry import Telemetry
from engines.spec import EngineSpec, parse_speed

#: How often conflated records go out.
CONFLATION_S = 0.05
MARKS_S = 0.25
#: How long the kill switch may take with books that were restored for it.
RECOVERY_S = 60.0
#: A simulated feed that is silent this long is no longer a feed.
SILENT_FEED_S = 10.0


class Engine:
    """Runs one node until it is asked to stop."""

    def __init__(
        self, spec: EngineSpec, home: Home, listener: socket.socket, *, recover: KillOrder | None = None
    ) -> None:
        self._spec = spec
        self._home = home
        self._listener = listener
        self._recover = recover
        self._state: EngineState = "starting"
        self._reason: str | None = None
        self._telemetry = Telemetry()
        self._stop_asked = asyncio.Event()
        self._stop_message = Stop("asked to stop")
        self._tasks: list[asyncio.Task[None]] = []
        self._log_pipe = LogPipe(spec.engine, home.engine_log(spec.engine), self._on_logs)
        self._server: Server | None = None
        self._synthetic = spec.synthetic

    async def run(self) -> None:
        """Start, trade, stop."""
        self._log_pipe.open()
        try:
            await self._assemble()
            await self._server_opened()
            await self._start_node()
            try:
                if self._recover is not None:
                    await self._recovered()
                await self._stop_asked.wait()
            finally:
                await self._stop()
        finally:
            self._log_pipe.drain()

    def ask_to_stop(self, message: Stop) -> None:
        """Begin to stop; `run` returns when it is done."""
        self._stop_message = message
        self._stop_asked.set()

    # ------------------------------------------------------------ start

    async def _assemble(self) -> None:
        spec, home = self._spec, self._home
        self._journal = Journal(home.journal(spec.engine))
        self._node = assembly.make_node(spec, asyncio.get_running_loop())
        self._feed: Feed = await assembly.add_feed(self._node, spec, home)
        self._instruments = {found.id: found for found in self._feed.instruments}
        # A replay of what was simulated is as made up as the simulation itself.
        self._synthetic = any(found.synthetic for found in self._feed.instruments)
        self._venues = assembly.add_venues(self._node, spec, self._feed.instruments)
        self._books = Bookkeeper(
            engine=spec.engine,
            synthetic=self._synthetic,
            journal=self._journal,
            kernel=self._node.kernel,
            listener=self._on_journalled,
            on_failure=self._on_journal_failure,
        )
        self._marker = Marker(spec.engine, self._synthetic, self._node.cache, self._books, spec.base_currency)
        self._accounts = Accounts(self._marker, self._books)
        self._keeper = Gatekeeper(
            spec=spec,
            file=home.gate_book(spec.engine),
            kernel=self._node.kernel,
            books=self._books,
            marker=self._marker,
            instruments=self._instruments,
            feed=self._feed,
            marks=self._marks,
        )
        self._gate = self._keeper.gate
        for venue in self._venues.values():
            venue.admit = self._gate.stands
        self._gateway = Gateway()
        self._node.trader.add_strategy(self._gateway)
        self._market = self._make_market()
        self._desk = Desk(
            gateway=self._gateway,
            books=self._books,
            gate=self._gate,
            instruments=self._instruments,
            reply=self._on_reply,
            control_feed=self._control_feed,
            market_time=self._market_time,
            day_end=self._feed.session_close_ns,
        )

        self._killer = Killer(
            engine=spec.engine,
            latch=Latch(home),
            gate=self._gate,
            books=self._books,
            marker=self._marker,
            gateway=self._gateway,
            instruments=self._instruments,
            tell=self._on_kill_progress,
            on_change=self._tell_state,
        )
        if self._recover is not None:
            self._killer.pull(self._recover)

    def _make_market(self) -> Market:
        spec, home = self._spec, self._home
        self._recorder: SegmentWriter | None = None
        if spec.record and spec.feed != "replay":  # what is replayed is in the history already
            origin = Origin(engine=spec.engine, source=spec.feed, synthetic=self._synthetic)
            self._recorder = SegmentWriter(home.segments(spec.engine), origin)
        return Market(
            engine=spec.engine,
            source=spec.feed,
            synthetic=self._synthetic,
            instruments=self._instruments,
            recorder=self._recorder,
            day_file=home.run / f"day-{spec.engine}.json",
            today=utc_date(self._market_time()),
            session_open=self._feed.calendar.is_open,
            sizes_known=self._feed.sizes_known,
        )

    async def _server_opened(self) -> None:
        self._server = Server(
            listener=self._listener,
            journal=self._journal,
            welcome=self._welcome,
            greet=lambda: [*self._market.everything(time.time_ns()), *self._marks()],
            execute=self._execute,
            stop=self.ask_to_stop,
            kill=lambda message: self._killer.pull(message.order),
            release=self._release,
            set_limits=self._set_limits,
        )
        await self._server.open()

    async def _start_node(self) -> None:
        node = self._node
        restored = restore.replay(self._journal, node.kernel, self._books)
        self._accounts.restored(restored)
        self._gate.install()
        self._books.attach()
        self._keeper.attach(self._accounts.openings, self._market_time())
        self._market.attach(node.kernel.msgbus)
        loop = asyncio.get_running_loop()
        self._tasks.append(loop.create_task(self._run_node(), name="node"))
        while not node.trader.is_running:
            await asyncio.sleep(0.005)
            if self._tasks[0].done():
                self._tasks[0].result()
                raise RuntimeError("the node stopped while it started; its log says why")
        exchanges = {venue: client.exchange for venue, client in self._venues.items()}
        restore.hand_back(node.kernel, exchanges, restored)
        self._gateway.log.info(
            f"Books restored: {restored.orders} orders, {restored.working} working, "
            f"{restored.refused} refused, journal at {self._journal.last_seq}"
        )
        self._report_journal()
        self._keep_first_account()
        await self._killer.begin()
        self._feed.begin()
        self._gate.closed = None
        self._killer.market_begins()
        self._change_state("running", None)
        if isinstance(self._feed, SimulatedDataClient) and not self._feed.resumed:
            # Drawn after the engine has said that it runs: it takes as long as the whole start.
            await asyncio.sleep(0)
            self._market.begin_with(self._feed.day_so_far(time.time_ns()))
        for job in (self._conflate(), self._mark(), self._beat(), self._telemetry.watch_loop()):
            self._tasks.append(loop.create_task(job))

    def _report_journal(self) -> None:
        """Say loudly what was wrong with the journal: what is behind damage is not in the books."""
        report = self._journal.report
        if not report.clean:
            self._gateway.log.error(
                f"Journal damaged: {report.torn_bytes} bytes behind entry {report.last_seq} are not good "
                f"({report.reason}); they are kept in {report.torn_path}"
            )

    async def _run_node(self) -> None:
        await self._node.run_async()

    def _keep_first_account(self) -> None:
        """Journal the opening balances of a new engine, so that books and journal begin together."""
        if self._accounts:
            return
        for account in self._node.cache.accounts():
            self._node.portfolio.update_account(account.last_event)

    # ------------------------------------------------------------ events of the parts

    def _execute(self, request: Request) -> None:
        self._desk.execute(request)

    def _on_journalled(self, records: Sequence[JournalRecord]) -> None:
        self._accounts.note(records)
        if self._server is not None:
            self._server.journalled(records)
        self._killer.on_records(records)
        self._desk.on_records(records)

    def _on_kill_progress(self, order_id: str, progress: EngineKill) -> None:
        if self._server is not None:
            self._server.kill_progress(KillProgress(order_id, progress))

    def _release(self, message: Release) -> None:
        try:
            self._killer.release()
        except ProblemError as error:
            self._on_reply(Reply(message.id, False, (), error.document()))
        else:
            self._on_reply(Reply(message.id, True))

    def _set_limits(self, message: SetLimits) -> None:
        """Let the gate go by new limits once they are on the disk, then answer."""
        self._on_reply(self._keeper.take_limits(message))
        self._tell_state()

    async def _recovered(self) -> None:
        """Wait until the kill switch is done with the restored books, then stop.

        Raises
        ------
        EngineFailedError
            If it is not done within its bound; says what is left.

        """
        try:
            async with asyncio.timeout(RECOVERY_S):
                await self._killer.done.wait()
        except TimeoutError:
            left = self._killer.progress
            raise EngineFailedError(
                f"the kill switch is not done: {left.orders_left} orders work and {left.positions_left} "
                f"positions are held ({left.problem or 'no reason is known'})"
            ) from None
        self.ask_to_stop(Stop("the kill switch is done with its books"))

    def _on_reply(self, reply: Reply) -> None:
        if self._server is not None:
            self._server.reply(reply)

    def _on_logs(self, lines: Sequence[EngineLog]) -> None:
        if self._server is not None:
            self._server.logs(lines)

    def _on_journal_failure(self, error: JournalFailedError) -> None:
        self._gate.closed = f"the journal cannot be written: {error.detail}"
        self._change_state("degraded", self._gate.closed)
        self._desk.fail_all(error)
        self._killer.on_journal_failure(error.detail)

    def _control_feed(self, command: SetFeed) -> None:
        speed = None if command.speed is None else parse_speed(command.speed)
        self._feed.control(command.action, speed)

    def _market_time(self) -> int:
        if self._spec.feed == "replay":
            progress = self._feed.progress(self._spec.engine)
            return progress.ts_market or progress.ts_start
        return time.time_ns()

    # ------------------------------------------------------------ what is told, and when

    async def _conflate(self) -> None:
        while True:
            await asyncio.sleep(CONFLATION_S)
            assert self._server is not None
            self._server.conflated(self._market.drain(time.time_ns()))

    async def _mark(self) -> None:
        while True:
            await asyncio.sleep(MARKS_S)
            assert self._server is not None
            marks = self._marks()
            self._keeper.marked(marks, self._market_time())
            self._server.conflated([*marks, self._feed.progress(self._spec.engine)])

    def _marks(self) -> list[link.ConflatedRecord]:
        now = time.time_ns()
        positions = self._marker.positions(now)
        return [*positions, *self._accounts.marked(positions, now)]

    async def _beat(self) -> None:
        while True:
            self._judge_feed()
            self._flush_recorder()
            self._market.keep_day()
            self._tell_state()
            await asyncio.sleep(link.HEARTBEAT_S)

    def _flush_recorder(self) -> None:
        if self._recorder is None:
            return
        try:
            self._recorder.flush()
        except StoreFailedError as error:
            self._change_state("degraded", error.detail)

    def _judge_feed(self) -> None:
        if self._books.failure is not None:
            return
        silent = self._feed_age_ms()
        playing = self._feed.state == "playing" and self._spec.feed == "simulated"
        if self._feed.failure is not None:
            self._change_state("degraded", f"the feed failed: {self._feed.failure}")
        elif playing and silent is not None and silent > SILENT_FEED_S * 1000:
            self._change_state("degraded", f"no tick for {silent / 1000:.0f} s")
        elif self._state == "degraded":
            self._change_state("running", None)

    def _feed_age_ms(self) -> float | None:
        last = self._feed.last_tick_ns
        return None if not last else max(0.0, (time.time_ns() - last) / 1e6)

    def _change_state(self, state: EngineState, reason: str | None) -> None:
        if (state, reason) != (self._state, self._reason):
            self._state, self._reason = state, reason
            self._tell_state()

    def _tell_state(self) -> None:
        if self._server is not None:
            self._server.heartbeat(self._measured())

    def _measured(self) -> EngineStatus:
        spec, cache, telemetry = self._spec, self._node.cache, self._telemetry
        now = time.time_ns()
        return EngineStatus(
            id=spec.engine,
            state=self._state,
            reason=self._reason,
            environment=spec.environment,
            feed=spec.feed,
            feed_detail=self._feed.state,
            pid=os.getpid(),
            ts_started=telemetry.started_ns,
            uptime_s=(now - telemetry.started_ns) / 1e9,
            rss_bytes=telemetry.rss_bytes(),
            cpu_percent=telemetry.cpu_percent(),
            loop_lag_ms=telemetry.take_lag_ms(),
            feed_age_ms=self._feed_age_ms(),
            tick_rate=telemetry.tick_rate(self._market.ticks),
            ticks=self._market.ticks,
            instruments=len(self._instruments),
            orders_working=cache.orders_open_count(),
            positions_open=cache.positions_open_count(),
            journal_seq=self._journal.last_seq,
            max_memory_mb=spec.max_memory_mb,
            max_cpu_percent=spec.max_cpu_percent,
            risk_enabled=spec.risk_enabled,
            gate=self._gate.shut,
            restriction=self._gate.restriction,
            limits_version=self._gate.limits_version,
            ts=now,
            synthetic=self._synthetic,
        )

    def _welcome(self) -> Welcome:
        return Welcome(
            link.PROTOCOL_VERSION,
            self._spec,
            os.getpid(),
            tuple(self._instruments.values()),
            self._journal.last_seq,
            self._measured(),
            tuple(self._log_pipe.recent),
        )

    # ------------------------------------------------------------ stop

    async def _stop(self) -> None:
        self._change_state("stopping", self._stop_message.reason)
        if self._stop_message.emergency:
            await self._flatten()
        self._gate.closed = "the engine is stopping"
        await self._node.stop_async()
        self._books.flush()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._recorder is not None:
            self._recorder.close()
        self._market.keep_day()
        self._log_pipe.drain()
        self._change_state("stopped", self._stop_message.reason)
        if self._server is not None:
            await self._server.close()
        self._journal.close()

    async def _flatten(self) -> None:
        """Cancel and close everything, as far as it goes within the stop's bound."""
        done: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        name = f"EMERGENCY-{time.time_ns()}"
        command = Flatten(engine=self._spec.engine, client_order_id=name)

        def on_reply(reply: Reply) -> None:
            if reply.command_id == name and not done.done():
                done.set_result(reply)
            else:
                self._on_reply(reply)

        self._desk.reply_through(on_reply)
        self._desk.execute(Request(name, command))
        try:
            async with asyncio.timeout(5.0):
                reply = await done
            if not reply.ok:
                self._gateway.log.error(f"Emergency flatten incomplete: {reply.problem}")
        except TimeoutError:
            self._gateway.log.error("Emergency flatten was not confirmed within 5 s")
        finally:
            self._desk.reply_through(self._on_reply)
