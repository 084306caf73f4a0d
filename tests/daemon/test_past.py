"""A simulated market has a past, whether or not it has traded before the past was written."""

from __future__ import annotations

from pathlib import Path

import msgspec

from data.history import History
from engines.spec import EngineSpec
from nautilus_tui.daemon.past import write_past
from tests.data.market import PAPER, START, STEP, quote, writer

SPEC = EngineSpec(engine=PAPER.engine, instruments=("AAPL.SIM", "ES.SIM"), history_minutes=30)
MINUTE = 60 * 1_000_000_000


def bars(store: History) -> dict[str, tuple[int, int]]:
    return {
        holding.series.instrument: (holding.rows, holding.last)
        for holding in store.catalogue()
        if holding.series.kind == "bars"
    }


def test_a_market_that_trades_already_still_gets_the_past_that_ends_where_it_began(tmp_path: Path) -> None:
    book = writer(tmp_path)
    for number in range(100):
        quote(book, number)
    book.flush()
    store = History(tmp_path)
    assert write_past(store, SPEC, START + 100 * STEP) == 60
    told = bars(store)
    assert set(told) == {"AAPL.SIM", "ES.SIM"}
    assert {rows for rows, _ in told.values()} == {30}
    assert max(last for _, last in told.values()) <= START
    book.close()


def test_the_past_is_written_once(tmp_path: Path) -> None:
    store = History(tmp_path)
    assert write_past(store, SPEC, START) == 60
    before = bars(store)
    assert write_past(store, SPEC, START + 30 * MINUTE) == 0
    assert bars(store) == before


def test_what_replays_has_its_past_already(tmp_path: Path) -> None:
    store = History(tmp_path)
    assert write_past(store, msgspec.structs.replace(SPEC, feed="replay"), START) == 0
    assert write_past(store, msgspec.structs.replace(SPEC, history_minutes=0), START) == 0
    assert store.catalogue() == []
