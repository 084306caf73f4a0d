"""Bars against a plain reckoning, over every way in which they can be stored."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.history import History
from data.problems import InvalidRequestError, NotFoundError
from data.records import Bar
from data.segments import Origin
from data.timeframes import DAY, SECOND, WEEK, nearest, timeframe
from tests.data.market import START, quote, trade, writer

MINUTE = 60 * SECOND
LATER = START + 1000 * DAY


def history(root: Path, now: int = LATER) -> History:
    return History(root, clock=lambda: now)


def bar(ts: int, prices: Sequence[str] = ("1.1", "1.3", "1.0", "1.2"), **changes: object) -> Bar:
    facts: dict[str, object] = dict(zip(("open", "high", "low", "close"), map(Decimal, prices), strict=True))
    facts |= {
        "instrument": "GBPUSD.SIM",
        "timeframe": "1m",
        "side": "bid",
        "ts": ts,
        "synthetic": False,
        "source": "import",
        "engine": None,
    }
    return Bar(**(facts | changes))  # type: ignore[arg-type]  # the facts of a bar


def test_timeframes() -> None:
    assert [timeframe(text).width // SECOND for text in ("5s", "15m", "4h", "1d", "2w")] == [
        5,
        900,
        14_400,
        86_400,
        1_209_600,
    ]
    monday = 4 * DAY
    assert timeframe("1w").floor(monday + 6 * DAY + 5) == monday
    assert timeframe("1w").floor(monday - 1) == monday - WEEK
    assert timeframe("5m").divides(timeframe("1h"))
    assert not timeframe("7m").divides(timeframe("1h"))
    assert nearest(59 * SECOND).text == "1m"
    for wrong in ("", "0s", "1", "m", "1M", "1.5h", "-1m", "1 m", "1y", "9999999s"):
        with pytest.raises(InvalidRequestError, match="not a timeframe"):
            timeframe(wrong)


ticks = st.lists(
    st.tuples(st.integers(0, 400), st.integers(1, 10_000), st.integers(0, 50), st.integers(1, 99)),
    min_size=1,
    max_size=60,
)


@given(
    ticks=ticks,
    period=st.sampled_from(["1s", "5s", "30s", "1m", "7m", "1h", "1d", "1w"]),
    cuts=st.sets(st.integers(0, 12), max_size=6),
    limit=st.integers(1, 80),
)
@settings(max_examples=80, deadline=None)
def test_bars_of_ticks_are_what_reckoning_says(
    ticks: list[tuple[int, int, int, int]], period: str, cuts: set[int], limit: int
) -> None:
    ticks = sorted(ticks, key=lambda tick: tick[0])
    with TemporaryDirectory() as folder:
        root = Path(folder)
        book = writer(root)
        store = history(root)
        for at, (second, bid, spread, size) in enumerate(ticks):
            ts = START + second * 7 * SECOND
            book.quote("AAPL.SIM", bid, bid + spread, 1, 1, ts, ts)
            book.trade("AAPL.SIM", bid, size, 1, str(at), ts, ts)
            if at in cuts:
                book.close()
                store.compact()
        book.flush()
        width = timeframe(period)
        groups: dict[int, list[tuple[int, int, int, int]]] = {}
        for tick in ticks:
            groups.setdefault(width.floor(START + tick[0] * 7 * SECOND), []).append(tick)
        for side, price in (
            ("last", lambda tick: Decimal(tick[1]) / 100),
            ("ask", lambda tick: Decimal(tick[1] + tick[2]) / 100),
            ("mid", lambda tick: Decimal(2 * tick[1] + tick[2]) / 200),
        ):
            found = store.bars("AAPL.SIM", period, side=side, limit=limit)  # type: ignore[arg-type]  # a side
            expected = [
                (
                    start,
                    price(some[0]),
                    max(map(price, some)),
                    min(map(price, some)),
                    price(some[-1]),
                    Decimal(sum(tick[3] for tick in some)),
                    len(some),
                )
                for start, some in groups.items()
            ][-limit:]
            assert [(b.ts, b.open, b.high, b.low, b.close, b.volume, b.count) for b in found] == expected
            assert all(b.closed and b.synthetic and b.engine == "paper-1" for b in found)
        book.close()


def test_the_bar_of_the_present_period_is_not_closed(tmp_path: Path) -> None:
    book = writer(tmp_path)
    for number in range(700):
        quote(book, number)
    book.flush()
    now = START + 699 * 100_000_000
    bars = history(tmp_path, now).bars("AAPL.SIM", "30s", side="bid")
    assert [one.closed for one in bars] == [True] * (len(bars) - 1) + [False]
    quote(book, 700)
    book.flush()
    again = history(tmp_path, now).bars("AAPL.SIM", "30s", side="bid")
    assert again[-1].count == bars[-1].count + 1
    assert again[:-1] == bars[:-1]
    book.close()


def test_mid_exists_where_both_sides_do(tmp_path: Path) -> None:
    store = history(tmp_path)
    base = START // MINUTE * MINUTE
    store.write_bars([bar(base + n * MINUTE) for n in (0, 1, 2)])
    assert store.bars("GBPUSD.SIM", "1m")[0].side == "bid"
    with pytest.raises(NotFoundError, match="1m bid bars"):
        store.bars("GBPUSD.SIM", "1m", side="mid")
    store.write_bars([bar(base + n * MINUTE, ("1.2", "1.4", "1.15", "1.3"), side="ask") for n in (1, 2, 3)])
    mid = store.bars("GBPUSD.SIM", "1m", side="mid")
    assert [one.ts for one in mid] == [base + MINUTE, base + 2 * MINUTE]
    assert (mid[0].open, mid[0].high, mid[0].low, mid[0].close) == (
        Decimal("1.15"),
        Decimal("1.35"),
        Decimal("1.075"),
        Decimal("1.25"),
    )
    assert mid[0].volume is None
    assert len(store.bars("GBPUSD.SIM", "1h", side="mid")) in (1, 2)
    with pytest.raises(NotFoundError, match="30s bars"):
        store.bars("GBPUSD.SIM", "30s")
    with pytest.raises(NotFoundError, match="last"):
        store.bars("GBPUSD.SIM", "1m", side="last")


def test_stored_bars_count_before_derived_ones_and_ticks_fill_in(tmp_path: Path) -> None:
    store = history(tmp_path)
    base = START // DAY * DAY
    facts = {"instrument": "AAPL.SIM", "source": "simulated", "engine": "paper-1", "synthetic": True}
    store.write_bars([bar(base + n * MINUTE, **facts) for n in range(3)])
    book = writer(tmp_path)
    for second in range(0, 600, 10):  # ticks from the first minute on: those of stored minutes do not count
        ts = base + second * SECOND
        book.quote("AAPL.SIM", 500, 501, 1, 1, ts, ts)
    book.close()
    bars = store.bars("AAPL.SIM", "1m", side="bid", limit=100)
    assert [str(one.close) for one in bars] == ["1.20"] * 3 + ["5.00"] * 7
    hour = store.bars("AAPL.SIM", "1h", side="bid")
    assert [(one.open, one.high, one.low, one.close) for one in hour] == [
        (Decimal("1.1"), Decimal(5), Decimal(1), Decimal(5))
    ]
    assert hour[0].count == 0  # the count of some of its minutes is not known
    store.write_bars([bar(base, ("2", "2", "2", "2"), timeframe="1h", **facts)])
    assert [one.close for one in store.bars("AAPL.SIM", "1h", side="bid")] == [2]
    assert [one.close for one in store.bars("AAPL.SIM", "1d", side="bid")] == [2]
    assert len(store.bars("AAPL.SIM", "30s", side="bid")) == 20  # finer than any stored bar: from ticks


def test_real_bars_count_before_synthetic_ones(tmp_path: Path) -> None:
    store = history(tmp_path)
    base = START // MINUTE * MINUTE
    store.write_bars([bar(base, ("9", "9", "9", "9"), synthetic=True, source="simulated"), bar(base)])
    (found,) = store.bars("GBPUSD.SIM", "1m")
    assert (found.close, found.synthetic, found.source) == (Decimal("1.2"), False, "import")
    (found,) = store.bars("GBPUSD.SIM", "1m", source="simulated")
    assert found.synthetic


def test_what_is_partly_synthetic_is_synthetic(tmp_path: Path) -> None:
    store = history(tmp_path)
    base = START // DAY * DAY
    store.write_bars([bar(base), bar(base + MINUTE, synthetic=True, source="simulated")])
    assert [one.synthetic for one in store.bars("GBPUSD.SIM", "1m")] == [False, True]
    assert [one.synthetic for one in store.bars("GBPUSD.SIM", "5m")] == [True]


def test_limits_reach_back_over_stretches_without_data(tmp_path: Path) -> None:
    store = history(tmp_path)
    base = START // DAY * DAY
    days = [base + n * DAY for n in (0, 1, 2, 300, 301, 700)]
    store.write_bars([bar(day + n * MINUTE) for day in days for n in range(3)])
    every = store.bars("GBPUSD.SIM", "1m", limit=100)
    assert len(every) == 18
    for limit in range(1, 19):
        assert store.bars("GBPUSD.SIM", "1m", limit=limit) == every[-limit:]
    assert [one.ts for one in store.bars("GBPUSD.SIM", "1d", limit=4)] == days[-4:]
    window = store.bars("GBPUSD.SIM", "1m", start=days[1] + 1, end=days[3] + 2 * MINUTE)
    assert [one.ts for one in window] == [
        *(days[1] + n * MINUTE for n in (1, 2)),
        *(days[2] + n * MINUTE for n in range(3)),
        *(days[3] + n * MINUTE for n in range(2)),
    ]
    assert store.bars("GBPUSD.SIM", "1m", start=days[2] + DAY, end=days[3]) == []
    assert store.bars("GBPUSD.SIM", "1m", end=days[0]) == []
    with pytest.raises(InvalidRequestError):
        store.bars("GBPUSD.SIM", "1m", limit=0)


def test_the_side_is_the_current_one_that_reaches_back_furthest(tmp_path: Path) -> None:
    store = history(tmp_path)
    book = writer(tmp_path)
    for number in range(20):
        quote(book, number)
        if number > 10:
            trade(book, number)
    book.close()
    assert store.bars("AAPL.SIM", "1s")[0].side == "mid"
    facts = {"instrument": "AAPL.SIM", "timeframe": "1d", "side": "last"}
    store.write_bars([bar(START // DAY * DAY - n * DAY, **facts) for n in range(300, 310)])
    assert store.bars("AAPL.SIM", "1d")[0].side == "last"  # trades are current and go back to the daily bars
    assert store.bars("AAPL.SIM", "1h")[0].side == "mid"


def test_volume_of_trades_fills_bars_of_quotes(tmp_path: Path) -> None:
    book = writer(tmp_path)
    for number in range(40):
        quote(book, number)
        if number < 10:
            trade(book, number)
    book.close()
    bars = history(tmp_path).bars("AAPL.SIM", "1s", side="mid")
    assert [one.volume for one in bars] == [Decimal(sum(1 + n % 9 for n in range(10))), None, None, None]


def test_enormous_numbers_stay_exact(tmp_path: Path) -> None:
    store = history(tmp_path)
    base = START // MINUTE * MINUTE
    volumes = [Decimal("999999999999999999"), Decimal("0.000000000000000001"), Decimal(10**17)]
    store.write_bars(
        [
            bar(base + n * MINUTE, ("0.00000001", "123456789.5", "-37.63", "0"), volume=volume)
            for n, volume in enumerate(volumes)
        ]
    )
    found = store.bars("GBPUSD.SIM", "1m")
    assert [one.volume for one in found] == volumes
    assert found[0].low == Decimal("-37.63")
    assert found[0].high == Decimal("123456789.5")
    (day,) = store.bars("GBPUSD.SIM", "1d")
    assert day.volume == Decimal("1099999999999999999.000000000000000001")
    assert day.open == Decimal("0.00000001")


def test_one_sided_quotes_make_bars_of_their_side(tmp_path: Path) -> None:
    import numpy as np

    from data.rows import Number, Rows, Series

    store = history(tmp_path)
    none = np.array([False, True, True])
    price = np.array([0, 101, 102])
    rows = Rows(
        "quotes",
        START + np.arange(3) * SECOND,
        {
            "bid": Number(price, 2, none),
            "ask": Number(price + 5, 2, ~none),
            "bid_size": Number(price, 0),
            "ask_size": Number(price, 0),
        },
        {"lag": np.zeros(3, np.int64)},
    )
    series = Series(kind="quotes", instrument="X.Y", source="test", synthetic=True)
    assert store.add([(series, rows)]) == 3
    assert [one.open for one in store.bars("X.Y", "1s", side="bid")] == [Decimal("1.01"), Decimal("1.02")]
    assert len(store.bars("X.Y", "1s", side="ask")) == 1
    assert store.bars("X.Y", "1s", side="mid") == []
    assert [one.bid for one in store.quotes("X.Y")] == [None, Decimal("1.01"), Decimal("1.02")]
    assert Origin(engine="e", source="s", synthetic=False).engine == "e"


def test_one_bar_spans_files_and_live_rows(tmp_path: Path) -> None:
    store = History(tmp_path, clock=lambda: START)
    book = writer(tmp_path)
    for number in range(30):
        quote(book, number, step=SECOND)
        trade(book, number, step=SECOND)
        if number in (9, 19):
            book.close()
            store.compact()
    book.flush()
    whole = [(10_000 + (n * 7919) % 200) for n in range(30)]
    (hour,) = store.bars("AAPL.SIM", "1h", side="bid")
    assert (hour.count, hour.open, hour.close) == (30, Decimal(whole[0]) / 100, Decimal(whole[-1]) / 100)
    assert (hour.high, hour.low) == (Decimal(max(whole)) / 100, Decimal(min(whole)) / 100)
    (hour,) = store.bars("AAPL.SIM", "1h", side="last")
    assert hour.volume == sum(1 + n % 9 for n in range(30))
    assert len(store.bars("AAPL.SIM", "7s", side="bid")) in (5, 6)
    book.close()


@pytest.mark.parametrize("days", [10, 399, 1000])
def test_years_of_daily_bars_come_back_as_they_were(tmp_path: Path, days: int) -> None:
    """Beyond 2^53 ns, which is 104 days, a nanosecond more or less is nothing to a float."""
    store = history(tmp_path)
    first = START - START % DAY - days * DAY
    prices = [f"{100 + (at * 7) % 13}" for at in range(days)]
    written = [
        bar(first + at * DAY, (price, price, price, price), timeframe="1d") for at, price in enumerate(prices)
    ]
    store.write_bars(written)
    found = store.bars("GBPUSD.SIM", "1d", limit=2000)
    assert [one.ts for one in found] == [one.ts for one in written]
    assert [one.close for one in found] == [Decimal(price) for price in prices]
    closes = store.closes("GBPUSD.SIM", "1d", limit=2000)
    assert closes.times.tolist() == [one.ts for one in written]
    assert closes.values.tolist() == [float(price) for price in prices]
