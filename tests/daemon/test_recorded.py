"""The market at a moment, from recorded ticks; by hand."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from data.history import History
from nautilus_tui.daemon.risk.recorded import MINUTE_NS, Tape, Traded, retried
from risk.execution import Touch
from tests.data.market import START, writer

SECOND = 1_000_000_000
HOUR = 3_600 * SECOND


@pytest.fixture
def tape(tmp_path: Path) -> Callable[..., Tape]:
    """Quotes at 0 and 100 s; trades at 5, 15 and 4000 s."""
    book = writer(tmp_path)
    for seconds, bid, ask in ((0, 10_000, 10_004), (100, 10_020, 10_022)):
        ts = START + seconds * SECOND
        book.quote("AAPL.SIM", bid, ask, 1, 1, ts, ts)
    for seconds, price, size in ((5, 10_001, 30), (15, 10_003, 10), (4_000, 10_100, 5)):
        ts = START + seconds * SECOND
        book.trade("AAPL.SIM", price, size, 1, f"T{seconds}", ts, ts)
    book.close()
    history = History(tmp_path)
    made = retried(history, lambda holdings: Tape(history, holdings, "AAPL.SIM", "paper-1"))

    def prepared(*moments: int) -> Tape:
        made.prepare(moments)
        return made

    return prepared


def at(seconds: float) -> int:
    return START + int(seconds * SECOND)


def test_the_touch_is_the_latest_quote_of_the_minute_before(tape: Callable[..., Tape]) -> None:
    moments = [at(0), at(30), at(60), at(61), at(100), at(-1)]
    found = tape(*moments)
    first = Touch(bid=Decimal("100.00"), ask=Decimal("100.04"), ts=at(0))
    assert found.at(at(0)) == first
    assert found.at(at(30)) == first
    assert found.at(at(60)) == first
    assert found.at(at(61)) is None  # a minute is over
    assert found.at(at(-1)) is None
    later = found.at(at(100))
    assert later is not None
    assert later.mid == Decimal("100.21")


def test_the_touch_after_is_the_first_one_of_the_minute_after(tape: Callable[..., Tape]) -> None:
    found = tape(at(0), at(39), at(40), at(100))
    assert found.after(at(39)) is None
    second = found.after(at(40))
    assert second is not None
    assert second.ts == at(100)
    assert found.after(at(100)) is None


def test_what_was_traded_in_an_interval(tape: Callable[..., Tape]) -> None:
    found = tape()
    # (30 × 100.01 + 10 × 100.03) / 40
    assert found.traded(at(5), at(15)) == Traded(Decimal("100.015000"), Decimal(40))
    assert found.traded(at(5.5), at(14)) is None
    whole = found.traded(at(0), at(0) + 2 * HOUR)
    assert whole is not None
    assert whole.volume == 45
    assert whole.vwap == (Decimal(30 * 10_001 + 10 * 10_003 + 5 * 10_100) / 4_500).quantize(
        Decimal("0.000001")
    )


def test_another_engines_market_is_another(tmp_path: Path, tape: Callable[..., Tape]) -> None:
    history = History(tmp_path)
    other = retried(history, lambda holdings: Tape(history, holdings, "AAPL.SIM", "paper-2"))
    other.prepare([at(0)])
    assert other.at(at(0)) is None
    assert other.traded(at(0), at(0) + MINUTE_NS) is None
