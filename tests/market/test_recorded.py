"""A tape made of a real history: what is chosen, and that nothing but the history is on it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from data.history import History
from data.problems import NotFoundError
from data.records import PriceSide
from data.rows import Number, Rows, Series
from engines.market.recorded import recorded_tape
from engines.market.tape import ASSUMED_SIZE, QUOTE, TRADE, Tape, TapeTicks
from tests.market.records import bar_rows, gbpusd_rows, nanoseconds, whole

MINUTE = 60_000_000_000
T0 = nanoseconds("2024-01-02T10:00:00+00:00")


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def bars_series(
    instrument: str, side: PriceSide, timeframe: str = "1m", *, synthetic: bool = False
) -> Series:
    source = "simulated" if synthetic else "import"
    return Series(
        kind="bars", instrument=instrument, timeframe=timeframe, side=side, source=source, synthetic=synthetic
    )


def bars(ts: np.ndarray, *prices: np.ndarray, scale: int) -> Rows:
    names = ("open", "high", "low", "close")
    numbers = {name: Number(column, scale) for name, column in zip(names, prices, strict=True)}
    nothing = np.zeros(len(ts), np.int64)
    numbers["volume"] = Number(nothing, 0, np.zeros(len(ts), np.bool_))
    return Rows("bars", ts, numbers, {"count": nothing})


def flat_bars(count: int, price: int = 150, scale: int = 2) -> Rows:
    column = np.full(count, price, np.int64)
    return bars(T0 + MINUTE * np.arange(count), column, column + 2, column - 2, column, scale=scale)


def quote_rows(
    ts: np.ndarray,
    bid: np.ndarray,
    ask: np.ndarray,
    sizes: np.ndarray | None,
    known: np.ndarray | None = None,
) -> Rows:
    count = len(ts)
    unknown = np.zeros(count, np.bool_)
    size = Number(np.zeros(count, np.int64), 0, unknown) if sizes is None else Number(sizes, 0)
    numbers = {"bid": Number(bid, 5, known), "ask": Number(ask, 5), "bid_size": size, "ask_size": size}
    return Rows("quotes", ts, numbers, {"lag": np.zeros(count, np.int64)})


def quotes_series(instrument: str, *, engine: str | None = None, synthetic: bool = False) -> Series:
    source = "simulated" if synthetic else "import"
    return Series(kind="quotes", instrument=instrument, source=source, engine=engine, synthetic=synthetic)


def played(tape: Tape) -> list[TapeTicks]:
    return list(tape)


def column(tape: Tape, name: str) -> list[int]:
    return [value for run in played(tape) for value in getattr(run, name).tolist()]


def count(tape: Tape) -> int:
    return sum(len(run) for run in played(tape))


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


def test_bid_and_ask_bars_of_real_data_are_paired(history: History) -> None:
    rows = {side: gbpusd_rows(side, 1500) for side in ("bid", "ask")}
    for side in ("bid", "ask"):
        taken = bar_rows(rows[side], side)
        stored = bars(taken.ts, taken.open, taken.high, taken.low, taken.close, scale=5)
        history.add([(bars_series("GBPUSD.SIM", side), stored)])  # type: ignore[arg-type]
    tape = recorded_tape(history)
    (instrument,) = tape.instruments
    assert (instrument.id, instrument.price_precision, instrument.synthetic) == ("GBPUSD.SIM", 5, False)
    assert tape.sizes_known == frozenset()
    runs = played(tape)
    total = sum(len(run) for run in runs)
    assert total + tape.notes.crossed == 4 * 1500 - 2 * tape.notes.unpaired
    assert all((run.kind == QUOTE).all() for run in runs)
    bids = {whole(row[name]) for row in rows["bid"] for name in ("open", "high", "low", "close")}
    asks = {whole(row[name]) for row in rows["ask"] for name in ("open", "high", "low", "close")}
    assert {p for run in runs for p in run.price.tolist()} <= bids
    assert {p for run in runs for p in run.ask.tolist()} <= asks
    assert runs[0].ts[0] == tape.ts_start
    assert runs[-1].ts[-1] == tape.ts_end


def test_observed_data_comes_before_synthetic(history: History) -> None:
    history.add([(bars_series("AAPL.SIM", "mid", synthetic=True), flat_bars(5))])
    assert count(recorded_tape(history)) == 20  # there is nothing else
    assert recorded_tape(history).instruments[0].synthetic
    history.add([(bars_series("MSFT.SIM", "last"), flat_bars(3))])
    tape = recorded_tape(history)
    assert [instrument.id for instrument in tape.instruments] == ["MSFT.SIM"]
    assert count(recorded_tape(history, ["AAPL.SIM", "MSFT.SIM"])) == 32


def test_quotes_come_before_bars_and_bring_their_trades(history: History) -> None:
    ts = T0 + ints(0, 1000, 2000)
    history.add([(bars_series("EURUSD.X", "mid"), flat_bars(5))])
    history.add([(quotes_series("EURUSD.X"), quote_rows(ts, ints(1, 2, 3), ints(2, 3, 4), ints(7, 8, 9)))])
    numbers = {"price": Number(ints(2), 5), "size": Number(ints(5), 0)}
    integers = {"lag": ints(0), "aggressor": ints(1)}
    trades = Rows(
        "trades", T0 + ints(1500), numbers, integers, {"trade_id": pa.array(["t1"], pa.large_string())}
    )
    series = Series(kind="trades", instrument="EURUSD.X", source="import", synthetic=False)
    history.add([(series, trades)])
    tape = recorded_tape(history)
    assert column(tape, "kind") == [QUOTE, QUOTE, TRADE, QUOTE]
    assert column(tape, "size") == [7, 8, 5, 9]
    assert tape.ticks_total == 4
    assert tape.sizes_known == {"EURUSD.X"}


def test_unknown_sizes_are_assumed_and_one_sided_quotes_counted(history: History) -> None:
    ts = T0 + ints(0, 1000, 2000)
    known = np.array([True, False, True])
    history.add([(quotes_series("EURUSD.X"), quote_rows(ts, ints(1, 0, 3), ints(2, 3, 4), None, known))])
    tape = recorded_tape(history)
    assert column(tape, "price") == [1, 3]
    assert tape.notes.one_sided == 1
    assert column(tape, "size") == [ASSUMED_SIZE] * 2
    assert tape.sizes_known == frozenset()


def test_the_shortest_bars_and_the_traded_side_are_preferred(history: History) -> None:
    history.add([(bars_series("ABC.X", "bid"), flat_bars(3, 100))])
    history.add([(bars_series("ABC.X", "last"), flat_bars(3, 200))])
    history.add([(bars_series("ABC.X", "last", "1h"), flat_bars(1, 300))])
    runs = played(recorded_tape(history))
    assert {p for run in runs for p in run.price.tolist()} == {198, 200, 202}


def test_a_stretch_of_time(history: History) -> None:
    history.add([(bars_series("ABC.X", "last"), flat_bars(10))])
    start, end = T0 + 2 * MINUTE, T0 + 5 * MINUTE
    tape = recorded_tape(history, start=start, end=end)
    times = [ts for run in played(tape) for ts in run.ts.tolist()]
    assert len(times) == 12
    assert start <= times[0]
    assert times[-1] < end
    assert (tape.ts_start, tape.ts_end) == (times[0], times[-1])
    assert tape.ticks_total == 0  # not known without reading


def test_several_instruments_are_merged(history: History) -> None:
    for name in ("ABC.X", "DEF.X"):
        history.add([(bars_series(name, "last"), flat_bars(50))])
    tape = recorded_tape(history)
    times = [ts for run in played(tape) for ts in run.ts.tolist()]
    assert len(times) == tape.ticks_total == 400
    assert times == sorted(times)


def test_prices_with_different_decimals_fit_one_instrument(history: History) -> None:
    series = bars_series("ABC.X", "last")
    history.add([(series, flat_bars(1, 150, 2))])
    later = bars(T0 + MINUTE * ints(60 * 24 * 40), *[ints(12345)] * 4, scale=4)  # in another file
    history.add([(series, later)])
    tape = recorded_tape(history)
    assert tape.instruments[0].tick_size == Decimal("0.0001")
    assert {p for run in played(tape) for p in run.price.tolist()} == {15000, 15200, 14800, 12345}


@pytest.mark.parametrize("names", [None, ["NOPE.X"]])
def test_an_empty_history_says_so(history: History, names: list[str] | None) -> None:
    with pytest.raises(NotFoundError, match="nothing to replay"):
        recorded_tape(history, names)
