"""Alerts, breaches and who is told of them, over a real store, a real bus and a real HTTP receiver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from data import topics
from data.bus import Bus, Event
from data.limits import Breach, Limit, LimitStatus
from data.problems import ConflictError, NotFoundError
from data.state import State
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.risk.alerts import AlertBook
from nautilus_tui.daemon.risk.breaches import BreachBook
from nautilus_tui.daemon.risk.escalation import Escalation
from nautilus_tui.daemon.risk.notify import Notifier, Told, variable_of
from nautilus_tui.daemon.settings import EscalationStep
from providers.core.secrets import redact
from risk.evaluate import Value, status_of
from risk.portfolio import Portfolio
from tests.daemon.receiver import Receiver, receiving

SECOND = 1_000_000_000
LIMIT = Limit(
    id="gross_exposure:portfolio:notional",
    limit_type="gross_exposure",
    scope="portfolio",
    hard=Decimal(1000),
    effective=Decimal(1000),
    unit="notional",
    ts_created=0,
    ts_updated=0,
    updated_by="t",
)


class Clock:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.now = 1_700_000_000 * SECOND

    def __call__(self) -> int:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += round(seconds * SECOND)


class Desk:
    """A store, a bus and the books over them; opened again, they go on."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self.clock = clock

    async def open(self) -> Desk:
        self.state = State(self._path)
        self.state.open()
        self.bus, self.present = Bus("t"), Present()
        self.told: list[Event] = []
        self.bus.subscribe(self.told.extend)
        self.alerts = AlertBook(self.state.breaches, self.bus, self.present, self.clock)
        self.breaches = BreachBook(self.state.breaches, self.bus, self.present, self.clock)
        await self.alerts.load()
        await self.breaches.load()
        return self

    async def close(self) -> None:
        await self.alerts.close()
        await self.breaches.close()
        self.state.close()

    def over(self, value: str | None) -> Breach | None:
        """Check the limit at a value; return the breach that is open then."""
        self.breaches.check([status(value)])
        return self.breaches.of_limit(LIMIT.id)


def status(value: str | None, limit: Limit = LIMIT) -> LimitStatus:
    known = Value(None if value is None else Decimal(value), None, None if value else "no price")
    return status_of(limit, known, Portfolio(holdings=(), money=(), ts=1))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    one = await Desk(tmp_path / "state.duckdb", Clock()).open()
    yield one
    await one.close()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


# ---------------------------------------------------------------- alerts


async def test_raised_again_an_alert_is_brought_up_to_date(desk: Desk) -> None:
    raised: list[str] = []
    desk.alerts.on_raise(lambda alert: raised.append(alert.severity))
    first = desk.alerts.raise_("limit.warn", "warning", "near", "85 %", "a")
    assert desk.alerts.raise_("limit.warn", "warning", "near", "85 %", "a") == first
    again = desk.alerts.raise_("limit.warn", "warning", "near", "90 %", "a")
    assert (again.id, again.detail, again.ts_raised) == (first.id, "90 %", first.ts_raised)
    other = desk.alerts.raise_("limit.warn", "warning", "near", "85 %", "b")
    assert other.id != first.id
    assert raised == ["warning", "warning"]
    await desk.alerts.close()  # it is told when it is on the disk
    assert len(desk.told) == 3, "what is the same is not told again"


async def test_an_alert_that_becomes_more_severe_wants_to_be_seen_again(desk: Desk) -> None:
    alert = desk.alerts.raise_("limit.breach", "minor", "over", "110 %", "a")
    desk.alerts.acknowledge(alert.id, "ann")
    with pytest.raises(ConflictError):
        desk.alerts.acknowledge(alert.id, "bob")
    same = desk.alerts.raise_("limit.breach", "minor", "over", "111 %", "a")
    assert (same.status, same.acknowledged_by) == ("acknowledged", "ann")
    worse = desk.alerts.raise_("limit.breach", "critical", "over", "160 %", "a")
    assert (worse.id, worse.status, worse.acknowledged_by) == (alert.id, "open", None)
    assert desk.alerts.resolve("limit.breach", "a") is not None
    assert desk.alerts.resolve("limit.breach", "a") is None
    with pytest.raises(NotFoundError):
        desk.alerts.acknowledge(alert.id, "ann")


async def test_alerts_and_breaches_survive_a_restart(desk: Desk) -> None:
    kept = desk.alerts.raise_("kill", "emergency", "t", "d", "k")
    over = desk.alerts.raise_("limit.warn", "warning", "t", "d", "w")
    desk.alerts.resolve("limit.warn", "w")
    breach = desk.over("1600")
    assert breach is not None
    await desk.breaches.acknowledge(breach.id, "ann", note="on it", mitigating=False)
    await desk.close()
    await desk.open()
    assert [one.id for one in desk.alerts.open()] == [kept.id]
    (open_one,) = desk.breaches.open()
    assert (open_one.id, open_one.acknowledged_by, open_one.note) == (breach.id, "ann", "on it")
    assert {record.id for record in desk.present.snapshot(topics.ALERTS)} == {kept.id, over.id}  # type: ignore[attr-defined]
    after = desk.over("1700")
    assert after is not None
    assert (after.id, after.status, after.ts_detected) == (breach.id, "acknowledged", breach.ts_detected)
    assert [one.id for one in (await desk.breaches.page(every=True)).items] == [breach.id]


# ---------------------------------------------------------------- breaches


async def test_a_breach_is_one_row_however_often_it_is_checked(desk: Desk) -> None:
    for number in range(50):
        desk.clock.pass_(1)
        desk.over(str(1100 + number))
    page = await desk.breaches.page()
    assert len(page.items) == 1
    await desk.breaches.close()
    (open_one,) = desk.breaches.open()
    assert (open_one.checks, open_one.value, open_one.worst) == (50, Decimal(1149), Decimal(1149))
    told = [one for one in desk.told if one.topic == topics.BREACHES]
    assert 8 <= len(told) <= 12, "a moving value is told every few seconds, not at every check"
    desk.over("500")
    assert desk.breaches.open() == []
    assert [one.status for one in (await desk.breaches.page(every=True)).items] == ["resolved"]
    desk.over("2500")
    assert [one.severity for one in (await desk.breaches.page(every=True)).items] == ["emergency", "minor"]


async def test_a_value_that_is_not_known_neither_begins_nor_ends_a_breach(desk: Desk) -> None:
    assert desk.over(None) is None
    breach = desk.over("1100")
    assert desk.over(None) == breach


async def test_of_a_limit_that_is_deleted_the_breach_is_over(desk: Desk) -> None:
    desk.over("1100")
    (over,) = desk.breaches.check([]).over
    assert (over.status, over.note) == ("resolved", "the limit was deleted")


async def test_pages_of_breaches_follow_each_other(desk: Desk) -> None:
    for number in range(5):
        desk.clock.pass_(1)
        desk.breaches.check([status("1100", replace(LIMIT, id=f"l{number}"))])
    first = await desk.breaches.page(every=True, limit=2)
    second = await desk.breaches.page(every=True, limit=2, cursor=first.next)
    last = await desk.breaches.page(every=True, limit=2, cursor=second.next)
    assert [one.limit_id for page in (first, second, last) for one in page.items] == [
        f"l{n}" for n in (4, 3, 2, 1, 0)
    ]
    assert last.next is None
    assert [one.limit_id for one in (await desk.breaches.page()).items] == ["l4"]


# ---------------------------------------------------------------- telling people


async def test_a_message_counts_as_sent_when_the_service_took_it(receiver: Receiver) -> None:
    notifier = Notifier(
        {
            variable_of("trader"): f"{receiver.url('one')} {receiver.url('two')}",
            variable_of("head of risk"): f"{receiver.url('one')} {receiver.url('broken')}",
            variable_of("CRO"): f"nonsense://secret-token {receiver.url('three')}",
        }
    )
    assert variable_of("head of risk") == "NAUTILUS_TUI_NOTIFY_HEAD_OF_RISK"
    told = await notifier.tell("trader", "a title", "a body")
    assert told == Told("trader", True, "sent")
    (message,) = receiver.wait("two")
    assert (message["title"], message["message"]) == ("a title", "a body")
    half = await notifier.tell("head of risk", "t", "b")
    assert (half.sent, half.detail) == (False, "failed, 1 of 2 services did not take it")
    none = await notifier.tell("CRO", "t", "b")
    assert not none.sent
    assert none.detail == "failed, 1 of 2 in NAUTILUS_TUI_NOTIFY_CRO are no address that Apprise knows"
    assert receiver.wait("three"), "the other address is told all the same"
    assert "secret-token" not in none.detail
    assert "secret-token" not in redact("it said nonsense://secret-token")
    nobody = await notifier.tell("risk manager", "t", "b")
    assert str(nobody) == "risk manager: not configured, set NAUTILUS_TUI_NOTIFY_RISK_MANAGER"
    assert notifier.is_configured("trader")
    assert not notifier.is_configured("risk manager")


class Climb:
    """An escalation over a desk, with what it told."""

    def __init__(
        self, desk: Desk, follows: Callable[[Breach], bool] = lambda _: True, *, last_s: float = 0.1
    ) -> None:
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self.noted: list[Told] = []
        self.escalation = Escalation(
            [
                EscalationStep("trader", 0),
                EscalationStep("risk manager", 0.05),
                EscalationStep("CRO", last_s),
            ],
            book=desk.breaches,
            tell=self._tell,
            follows=follows,
            note=lambda _, told: self.noted.append(told),
        )

    async def _tell(self, role: str, _: Breach) -> Told:
        self.told.put_nowait(role)
        return Told(role, True, "sent")

    async def next(self) -> str:
        return await asyncio.wait_for(self.told.get(), 60)


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk by the true time."""
    import time

    one = Desk(tmp_path / "state.duckdb", Clock())
    one.clock = time.time_ns  # type: ignore[assignment]  # the true time
    yield await one.open()
    await one.close()


async def test_the_chain_is_climbed_until_its_end(live: Desk) -> None:
    climb = Climb(live)
    climb.escalation.start()
    breach = live.over("1100")
    assert breach is not None
    climb.escalation.wake()
    assert [await climb.next() for _ in range(3)] == ["trader", "risk manager", "CRO"]
    await climb.escalation.close()
    after = live.breaches.get(breach.id)
    assert after is not None
    assert (after.status, after.escalated_to) == ("escalated", "CRO")
    assert after.ts_escalated is not None
    assert climb.told.empty()


async def test_who_acknowledges_stops_the_climb_and_nobody_is_told_twice(live: Desk) -> None:
    breach = live.over("1100")
    assert breach is not None
    first = Climb(live, last_s=3600)
    first.escalation.start()
    assert await first.next() == "trader"
    await first.escalation.close()  # the daemon dies
    await live.close()
    await live.open()
    second = Climb(live, last_s=3600)
    second.escalation.start()
    assert await second.next() == "risk manager", "a step that was told is not told again"
    await live.breaches.acknowledge(breach.id, "ann", note=None, mitigating=False)
    second.escalation.wake()
    other = live.breaches.check([status("1200"), status("1300", replace(LIMIT, id="other"))]).begun
    second.escalation.wake()
    assert [await second.next() for _ in range(2)] == ["trader", "risk manager"]
    await second.escalation.close()
    ended = {one.id: (one.status, one.escalated_to) for one in live.breaches.open()}
    assert ended == {
        breach.id: ("acknowledged", "risk manager"),
        other[0].id: ("escalated", "risk manager"),
    }


async def test_of_a_breach_that_nobody_is_to_be_notified_of_nobody_is_told(live: Desk) -> None:
    quiet = Climb(live, follows=lambda breach: breach.limit_id != LIMIT.id)
    live.breaches.check([status("1100"), status("1100", replace(LIMIT, id="loud"))])
    quiet.escalation.start()
    assert [await quiet.next() for _ in range(3)] == ["trader", "risk manager", "CRO"]
    await quiet.escalation.close()
    assert {one.limit_id: one.escalated_to for one in live.breaches.open()} == {LIMIT.id: None, "loud": "CRO"}
