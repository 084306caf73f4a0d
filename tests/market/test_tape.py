"""The tape: merged by time, every price from the history, nothing dropped in silence."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.problems import InvalidRequestError
from data.records import Instrument
from engines.market.inference import infer_instrument
from engines.market.tape import (
    ASSUMED_SIZE,
    QUOTE,
    TRADE,
    BarRows,
    QuoteRows,
    Source,
    Tape,
    TapeTicks,
    TradeRows,
)
from tests.market.records import bar_rows, gbpusd_rows, nanoseconds, whole

GBPUSD = infer_instrument("GBPUSD.SIM", [Decimal("1.57608")])
SHARE = infer_instrument("ZZZ.XNYS", [Decimal("10.25")])


def ints(values: list[int]) -> np.ndarray:
    return np.array(values, np.int64)


def tape(instruments: tuple[Instrument, ...], *sources: Source) -> Tape:
    return Tape(instruments, sources, 0, 0)


def played(the_tape: Tape) -> list[TapeTicks]:
    return list(the_tape)


def quotes(instrument: str, rows: list[tuple[int, int, int]]) -> QuoteRows:
    ts, bid, ask = (ints(list(column)) for column in zip(*rows, strict=True))
    return QuoteRows(instrument, ts, bid, ask, 5)


runs = st.lists(st.lists(st.integers(0, 1000), min_size=1, max_size=20), max_size=6)


@settings(max_examples=100)
@given(streams=st.lists(runs, min_size=1, max_size=4))
def test_streams_are_merged_by_time_and_complete(streams: list[list[list[int]]]) -> None:
    instruments = tuple(infer_instrument(f"AAA{i}.X", [Decimal("1.23456")]) for i in range(len(streams)))
    sources = []
    expected: list[tuple[int, int, int]] = []
    for number, stream in enumerate(streams):
        flat = sorted(ts for run in stream for ts in run)
        rows, at, serial = [], 0, 0
        for run in stream:
            chunk = flat[at : at + len(run)]
            at += len(run)
            marked = [(ts, serial + i, serial + i) for i, ts in enumerate(chunk)]
            serial += len(chunk)
            expected += [(ts, number, bid) for ts, bid, _ in marked]
            rows.append(quotes(instruments[number].id, marked))
        sources.append(Source(instruments[number].id, rows))
    merged = tape(instruments, *sources)
    found = [
        (ts, instrument, price)
        for run in played(merged)
        for ts, instrument, price in zip(
            run.ts.tolist(), run.instrument.tolist(), run.price.tolist(), strict=True
        )
    ]
    assert [row[0] for row in found] == sorted(row[0] for row in expected)
    assert sorted(found) == sorted(expected)
    assert found == sorted(found)  # equal times: in the order of the sources, then of the rows
    assert merged.notes.total == 0


def test_bid_and_ask_bars_become_quotes_at_prices_of_the_file() -> None:
    bids, asks = gbpusd_rows("bid", 3000), gbpusd_rows("ask", 3000)
    the_tape = tape((GBPUSD,), Source(GBPUSD.id, [bar_rows(bids, "bid")], [bar_rows(asks, "ask")]))
    by_minute_bid = {nanoseconds(row["timestamp"]): row for row in bids}
    by_minute_ask = {nanoseconds(row["timestamp"]): row for row in asks}
    both = by_minute_bid.keys() & by_minute_ask.keys()
    count = 0
    for run in played(the_tape):
        assert (run.kind == QUOTE).all()
        for ts, bid, ask in zip(run.ts.tolist(), run.price.tolist(), run.ask.tolist(), strict=True):
            minute = ts - ts % 60_000_000_000
            assert minute in both
            assert bid in {whole(by_minute_bid[minute][name]) for name in ("open", "high", "low", "close")}
            assert ask in {whole(by_minute_ask[minute][name]) for name in ("open", "high", "low", "close")}
            assert bid <= ask
            count += 1
    notes = the_tape.notes
    assert count + notes.crossed == 4 * len(both)
    assert notes.unpaired == len(by_minute_bid) + len(by_minute_ask) - 2 * len(both)


bars = st.tuples(*[st.integers(1, 10_000)] * 4).map(
    lambda p: (p[0], max(p), min(p), p[3])  # open, high, low, close
)


@given(st.lists(bars, min_size=1, max_size=20))
def test_one_sided_bars_become_trades_open_extremes_close(rows: list[tuple[int, int, int, int]]) -> None:
    period = 60
    o, h, low, c = (ints(list(column)) for column in zip(*rows, strict=True))
    ts = ints([i * period for i in range(len(rows))])
    the_tape = tape((SHARE,), Source(SHARE.id, [BarRows(SHARE.id, "last", period, ts, o, h, low, c, 2)]))
    prices = [p for run in played(the_tape) for p in run.price.tolist()]
    times = [t for run in played(tape_again(the_tape)) for t in run.ts.tolist()]
    assert all(run.kind[0] == TRADE for run in played(tape_again(the_tape)))
    assert times == sorted(times)
    for i, (opened, high, lowest, closed) in enumerate(rows):
        four = prices[4 * i : 4 * i + 4]
        assert four[0] == opened
        assert four[3] == closed
        nearer_first = [high, lowest] if high - opened <= opened - lowest else [lowest, high]
        assert four[1:3] == nearer_first


def tape_again(the_tape: Tape) -> Tape:
    return tape(the_tape.instruments, *the_tape.sources)


def test_sizes_that_are_not_known_are_assumed_large() -> None:
    run = played(tape((GBPUSD,), Source(GBPUSD.id, [quotes(GBPUSD.id, [(1, 10, 11)])])))[0]
    assert run.size.tolist() == [ASSUMED_SIZE]
    assert run.ask_size.tolist() == [ASSUMED_SIZE]


def test_what_no_venue_could_send_is_left_out_and_counted() -> None:
    sizes = ints([5, 0, -1])
    trades = TradeRows(SHARE.id, ints([1, 2, 3]), ints([10, 11, 12]), 2, sizes, 0)
    crossed = quotes(GBPUSD.id, [(1, 12, 11), (2, 11, 11), (3, 10, 11)])
    the_tape = tape((SHARE, GBPUSD), Source(SHARE.id, [trades]), Source(GBPUSD.id, [crossed]))
    runs_played = played(the_tape)
    assert sum(len(run) for run in runs_played) == 3
    assert the_tape.notes.crossed == 1
    assert the_tape.notes.sizeless_trades == 2
    assert the_tape.notes.text() == "1 crossed quotes, 2 trades without a size"


def test_time_never_runs_backwards() -> None:
    the_tape = tape(
        (GBPUSD,),
        Source(
            GBPUSD.id,
            [
                quotes(GBPUSD.id, [(5, 1, 2), (9, 1, 2)]),
                quotes(GBPUSD.id, [(7, 1, 2), (12, 1, 2)]),
                quotes(GBPUSD.id, [(1, 1, 2), (2, 1, 2)]),
            ],
        ),
    )
    times = [ts for run in played(the_tape) for ts in run.ts.tolist()]
    assert len(times) + the_tape.notes.backwards == 6
    assert all(a <= b for a, b in pairwise(times))


def test_prices_finer_than_the_instrument_are_refused() -> None:
    fine = QuoteRows(SHARE.id, ints([1]), ints([123456]), ints([123457]), 5)
    with pytest.raises(InvalidRequestError, match="5 decimals"):
        played(tape((SHARE,), Source(SHARE.id, [fine])))
