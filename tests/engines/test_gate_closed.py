"""The gate fails closed, in a real engine: no or damaged limits, no price, no rate, no equity, old prices.

The engine runs in this process, so that its feed, its file and its books can be taken away from it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from data.commands import CancelOrder, EngineCommand, PreviewOrder, SubmitOrder
from data.durable import draft_of
from data.limits import GateBook, Limit, LimitType, Unit
from data.paths import Home
from data.problems import DeniedError, UnavailableError, from_document
from engines.connection import Connection
from engines.forkserver import bind
from engines.gatebook import GateFile
from engines.link import Reply, Stop
from engines.node.engine import Engine
from engines.spec import EngineSpec
from risk.limits import limit_id
from tests.engines.floor import KeepingSink

P = "paper-1"
D = Decimal
AAPL = "AAPL.SIM"


def limit(kind: LimitType, hard: str, unit: Unit, scope: str = "portfolio") -> Limit:
    return Limit(
        id=limit_id(kind, scope, unit),
        limit_type=kind,
        scope=scope,
        hard=D(hard),
        effective=D(hard),
        unit=unit,
        ts_created=0,
        ts_updated=0,
        updated_by="ann",
    )


def book(*limits: Limit, version: int = 1) -> GateBook:
    return GateBook(engine=P, version=version, limits=limits, ts=time.time_ns())


WIDE = limit("order_notional", "1000000", "notional")


class Here:
    """An engine in this process, and the link to it."""

    def __init__(self, engine: Engine, sink: KeepingSink, connection: Connection) -> None:
        self.engine = engine
        self.sink = sink
        self.connection = connection
        self._number = 0

    async def send(
        self, side: str = "buy", qty: str = "1", instrument: str = AAPL, **fields: object
    ) -> Reply:
        self._number += 1
        name = str(fields.pop("name", f"T-{self._number}"))
        order = SubmitOrder(
            engine=P,
            client_order_id=name,
            instrument=instrument,
            side=side,
            qty=D(qty),
            **fields,  # type: ignore[arg-type]
        )
        return await self.do(order)

    async def do(self, command: EngineCommand) -> Reply:
        return await self.connection.execute(command, 15)

    async def denied(self, **fields: object) -> DeniedError:
        with pytest.raises(DeniedError) as caught:
            await self.send(**fields)  # type: ignore[arg-type]
        return caught.value


@asynccontextmanager
async def running(home: Home, make: type[Engine] = Engine, **fields: object) -> AsyncIterator[Here]:
    """Run an engine that nobody sends limits to: it goes by its own file."""
    spec = EngineSpec(engine=P, history_minutes=0, record=False, **({"speed": "400"} | fields))  # type: ignore[arg-type]
    engine = make(spec, home, bind(home.engine_socket(P)))
    task = asyncio.create_task(engine.run())
    sink = KeepingSink()
    running = asyncio.Event()
    connection = Connection(P, sink, lambda status: running.set() if status.state == "running" else None)
    try:
        await connection.open(home.engine_socket(P))
        async with asyncio.timeout(60):
            await running.wait()
        await sink.quoted(P, AAPL)
        yield Here(engine, sink, connection)
    finally:
        await connection.close()
        engine.ask_to_stop(Stop("the test is over"))
        await task


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").ensure()


async def test_without_a_limits_file_only_what_reduces_and_cancels_pass(home: Home) -> None:
    GateFile(home.gate_book(P)).write(book(WIDE))
    async with running(home) as here:
        await here.send(qty="10")
        resting = await here.send(order_type="limit", price=D("50.00"))
    home.gate_book(P).unlink()
    async with running(home) as here:
        denial = await here.denied(name="A")
        assert denial.rule == "limits"
        assert "no limits file" in denial.detail
        (effect,) = (await here.do(PreviewOrder(engine=P, instrument=AAPL, side="buy", qty=D(1)))).effects
        assert (effect.rule, effect.passes) == ("limits", False)
        cancel = CancelOrder(engine=P, client_order_id=resting.orders[0].client_order_id)
        assert (await here.do(cancel)).orders[0].status == "cancelled"
        assert (await here.send("sell", "10", name="B", reduce_only=True)).ok
        await here.connection.set_limits(book(WIDE), 5)
        assert (await here.send(name="C")).ok
        assert GateFile(home.gate_book(P)).read().limits == (WIDE,)


@pytest.mark.parametrize("damage", ["content", "checksum", "cut", "empty", "other"])
async def test_a_damaged_limits_file_is_no_limits(home: Home, damage: str) -> None:
    file = GateFile(home.gate_book(P))
    file.write(book(limit("order_notional", "1000", "notional")))
    path = home.gate_book(P)
    text = path.read_bytes()
    changed = {
        "content": text.replace(b'"1000"', b'"9000"'),
        "checksum": text.replace(text[11:13], b"00" if text[11:13] != b"00" else b"11", 1),
        "cut": text[:-20],
        "empty": b"",
        "other": b"[]",
    }[damage]
    assert changed != text
    path.write_bytes(changed)
    with pytest.raises(UnavailableError, match="damaged"):
        file.read()
    if damage != "content":
        return
    async with running(home) as here:
        denial = await here.denied()
        assert (denial.rule, "damaged" in denial.detail) == ("limits", True)


class WithoutMicrosoft(Engine):
    """An engine whose market never opens for one instrument: it has no price."""

    async def _assemble(self) -> None:
        await super()._assemble()
        self._feed._is_open = lambda units, now: units.text != "MSFT.SIM"  # type: ignore[attr-defined]


async def test_without_a_price_nothing_is_judged_in_money(home: Home) -> None:
    shares = limit("position_size", "5", "shares", "instrument:MSFT.SIM")
    GateFile(home.gate_book(P)).write(book(WIDE, shares))
    async with running(home, make=WithoutMicrosoft) as here:
        denial = await here.denied(instrument="MSFT.SIM")
        assert (denial.rule, "no price for MSFT.SIM" in denial.detail) == ("price", True)
        assert here.sink.orders(P)["T-1"].denial is not None
        asked = PreviewOrder(engine=P, instrument="MSFT.SIM", side="buy", qty=D(1))
        effects = {effect.rule: effect for effect in (await here.do(asked)).effects}
        assert (effects["order_notional"].after, effects["order_notional"].passes) == (None, False)
        assert "no price" in str(effects["order_notional"].reason)
        assert (effects["position_size"].after, effects["position_size"].passes) == (1, True)
        assert (await here.send()).ok


async def test_without_an_exchange_rate_nothing_is_judged_in_money(home: Home) -> None:
    GateFile(home.gate_book(P)).write(book(WIDE))
    euros: dict[str, object] = {"base_currency": "EUR", "starting_balances": ("1000000 EUR",)}
    async with running(home, instruments=(AAPL,), **euros) as here:
        denial = await here.denied()
        assert (denial.rule, "exchange rate from USD to EUR" in denial.detail) == ("rate", True)
        await here.connection.set_limits(book(limit("position_size", "5", "shares")), 5)
        assert (await here.send()).ok, "units need no rate"


async def test_without_equity_ratios_are_denied(home: Home) -> None:
    GateFile(home.gate_book(P)).write(book(WIDE, limit("concentration", "100", "ratio")))
    async with running(home) as here:
        assert (await here.send(instrument="MSFT.SIM", name="held")).ok
    async with running(home, make=WithoutMicrosoft) as here:
        denial = await here.denied()
        assert (denial.rule, denial.extra["limit_id"]) == ("equity", "concentration:portfolio:ratio")
        await here.connection.set_limits(book(limit("gross_exposure", "9000000", "notional")), 5)
        denial = await here.denied()
        assert (denial.rule, "MSFT.SIM" in denial.detail) == ("price", True), "the sum is not known"
        await here.connection.set_limits(book(WIDE), 5)
        assert (await here.send()).ok, "what needs neither is judged"


async def test_a_price_grows_old_when_the_feed_hangs_and_not_while_it_is_paused(home: Home) -> None:
    GateFile(home.gate_book(P)).write(book(WIDE))
    async with running(home, stale_quote_s=0.4, speed="max") as here:
        feed = here.engine._feed
        assert (await here.send()).ok
        feed.control("pause")
        await asyncio.sleep(0.6)
        assert (await here.send()).ok, "a market that stands still has no newer price"
        feed.control("resume")
        await asyncio.sleep(0.1)
        assert feed._pump_task is not None
        feed._pump_task.cancel()  # it hangs: it plays and says nothing
        await asyncio.wait([feed._pump_task])
        newest = here.engine._node.cache.quote_tick(here.engine._keeper.exposures._ids[AAPL])
        await asyncio.sleep(max(0, newest.ts_init + 450_000_000 - time.time_ns()) / 1e9)
        denial = await here.denied()
        assert denial.rule == "stale_quote"
        assert "s old, more than 0.4 s" in denial.detail
        assert (await here.send("sell", "1", reduce_only=True)).orders[0].status != "denied"
        feed.failure = "no line"
        denial = await here.denied()
        assert (denial.rule, "no line" in denial.detail) == ("stale_quote", True)


async def test_limits_that_cannot_be_written_are_refused_and_those_before_hold(home: Home) -> None:
    GateFile(home.gate_book(P)).write(book(limit("position_size", "5", "shares")))
    async with running(home) as here:
        home.limits.chmod(0o500)
        try:
            if os.access(home.limits, os.W_OK):
                blocker = draft_of(home.gate_book(P))
                blocker.mkdir()  # root may write anywhere, but not a file where a folder is
            with pytest.raises(UnavailableError, match="cannot be written"):
                await here.connection.set_limits(book(WIDE, version=2), 5)
        finally:
            home.limits.chmod(0o700)
        denial = await here.denied(qty="6")
        assert denial.rule == "position_size"
        assert (await here.send(qty="5")).ok


def test_what_is_written_is_read_and_the_file_is_replaced_whole(home: Home) -> None:
    file = GateFile(home.gate_book(P))
    for version in (1, 2):
        file.write(book(WIDE, version=version))
        assert file.read().version == version
    assert [path.name for path in home.limits.iterdir()] == [f"{P}.json"]
    document = msgspec.json.decode(home.gate_book(P).read_bytes())
    assert set(document) == {"sha256", "book"}
    assert from_document(DeniedError("no", rule="a").document()).rule == "a"
