"""The mirror: what it keeps, in whatever order and however often it is told."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from data.records import AccountUpdate, Bar, OrderUpdate
from nautilus_tui.terminal.mirror import MAX_LOGS, Mirror
from tests.terminal import scene

D = Decimal
ENGINE = scene.ENGINE


@dataclass(frozen=True)
class Told:
    """One message of the stream."""

    topic: str
    seq: int
    data: object
    type: str = "event"


def stages(count: int) -> list[OrderUpdate]:
    """An order on its way from sent to filled."""
    sent = next(o for o in scene.orders() if o.order_type == "limit")
    made = []
    for i in range(count):
        status = "sent" if i == 0 else "filled" if i == count - 1 else "partially_filled"
        made.append(
            msgspec.structs.replace(sent, seq=i + 1, ts=scene.NOW + i, status=status, filled_qty=D(i * 10))
        )
    return made


@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=6))
def test_an_order_ends_in_its_latest_state_in_whatever_order_it_is_told(
    order: list[int], again: list[int]
) -> None:
    mirror, told = Mirror(), stages(6)
    mirror.apply_records(told[i] for i in [*order, *again])
    assert mirror.order(ENGINE, told[0].client_order_id) == told[-1]


@given(st.lists(st.integers(1, 12), min_size=1, max_size=40))
def test_a_sequence_number_seen_twice_is_the_same_event(seqs: list[int]) -> None:
    mirror, fill = Mirror(), scene.fills()[0]
    for seq in seqs:
        mirror.apply([Told(f"fills.{ENGINE}", seq, msgspec.structs.replace(fill, trade_id=f"T{seq}"))])
    newest, kept = 0, []
    for seq in seqs:
        if seq > newest:
            newest = seq
            kept.append(f"T{seq}")
    assert list(mirror.fills[ENGINE]) == kept


def test_a_new_epoch_begins_new_sequence_numbers() -> None:
    mirror, fill = Mirror(), scene.fills()[0]
    mirror.put_epoch("one")
    mirror.apply([Told(f"fills.{ENGINE}", 9, fill)])
    mirror.put_epoch("two")
    mirror.apply([Told(f"fills.{ENGINE}", 1, msgspec.structs.replace(fill, trade_id="other"))])
    assert set(mirror.fills[ENGINE]) == {fill.trade_id, "other"}


@given(st.permutations(range(12)))
def test_bars_stand_in_the_order_of_time(order: list[int]) -> None:
    mirror, bars = Mirror(), scene.bars(count=12)
    mirror.apply_records(bars[i] for i in order)
    assert list(mirror.series(ENGINE, "AAPL.SIM", "5m")) == bars


def test_bars_of_the_stream_win_over_those_of_the_history() -> None:
    mirror, bars = Mirror(), scene.bars(count=5)
    live = msgspec.structs.replace(bars[-1], close=D("1.00"))
    mirror.apply_records([live])
    mirror.put_bars(ENGINE, "AAPL.SIM", "5m", bars)
    assert list(mirror.series(ENGINE, "AAPL.SIM", "5m")) == [*bars[:-1], live]


def test_a_mark_of_another_quantity_belongs_to_the_position_as_it_was() -> None:
    mirror = Mirror()
    journalled, mark = scene.positions()[:2]
    mirror.apply_records([journalled, mark])
    assert mirror.position_rows(ENGINE)[0].unrealized == D("244.00")
    mirror.apply_records([msgspec.structs.replace(journalled, qty=D(300), seq=21)])
    row = mirror.position_rows(ENGINE)[0]
    assert row.position.qty == 300
    assert row.unrealized is None


def test_a_change_of_balances_keeps_the_latest_valuation() -> None:
    mirror = Mirror()
    valued = scene.account()
    bare = AccountUpdate(
        engine=ENGINE,
        account_id="SIM-001",
        currency="USD",
        balances=valued.balances,
        ts=scene.NOW + 1,
        seq=30,
        synthetic=True,
    )
    mirror.apply_records([valued, bare])
    assert mirror.accounts[ENGINE].seq == 30
    assert mirror.equity(ENGINE) == valued.equity


def test_feed_age_is_that_of_the_newest_sign_of_life() -> None:
    mirror = scene.mirror()
    assert mirror.feed_age_ms(ENGINE, scene.NOW) == 0
    assert mirror.feed_age_ms(ENGINE, scene.NOW + 3 * scene.SECOND) == 3000
    assert mirror.feed_age_ms("unknown", scene.NOW) is None


def test_change_needs_a_reference() -> None:
    mirror = Mirror()
    quote = next(scene.quotes())
    mirror.apply_records([msgspec.structs.replace(quote, reference=None)])
    row = mirror.watch_row(ENGINE, quote.instrument)
    assert (row.change, row.change_pct) == (None, None)
    assert row.precision == 2


def test_what_changed_is_named_and_forgotten_when_a_frame_was_painted() -> None:
    mirror = Mirror()
    quote = next(scene.quotes())
    mirror.apply_records([quote])
    assert mirror.dirty == {"quotes": {(ENGINE, "AAPL.SIM")}}
    version = mirror.version
    mirror.clear_dirty()
    assert not mirror.dirty
    assert mirror.version == version


def test_logs_are_bounded() -> None:
    mirror = Mirror()
    line = scene.logs()[0]
    for i in range(MAX_LOGS + 10):
        mirror.apply_records([msgspec.structs.replace(line, ts=i)])
    assert len(mirror.logs) == MAX_LOGS
    assert mirror.logs_seen == MAX_LOGS + 10
    assert mirror.logs[-1].ts == MAX_LOGS + 9


def test_an_orders_states_are_kept_as_they_came() -> None:
    mirror, told = Mirror(), stages(4)
    mirror.apply_records([*told, told[-1]])
    assert mirror.order_history[(ENGINE, told[0].client_order_id)] == told


def test_bars_without_an_engine_are_nobodys() -> None:
    mirror = Mirror()
    bar: Bar = msgspec.structs.replace(scene.bars(count=1)[0], engine=None)
    mirror.apply_records([bar])
    assert not mirror.series(ENGINE, "AAPL.SIM", "5m")
