"""Which companies are meant by what is held, and which releases move it."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.macro import Importance, ReleaseDate
from data.records import AssetClass
from nautilus_tui.daemon.research.due import moved_by
from nautilus_tui.daemon.research.held import HeldInstrument, spelt


def held(symbol: str, asset_class: AssetClass | None) -> HeldInstrument:
    return HeldInstrument(id=f"{symbol}.SIM", symbol=symbol, asset_class=asset_class)


@pytest.mark.parametrize(
    ("symbol", "asset_class", "ticker"),
    [
        ("AAPL", "equity", "AAPL"),
        ("BRK.B", "equity", "BRK-B"),
        ("BRK B", "equity", "BRK-B"),
        ("BF/B", None, "BF-B"),
        ("AAPL", None, "AAPL"),
        ("EURUSD", None, None),
        ("EURUSD", "fx", None),
        ("ESZ6", "future", None),
        ("SPX", "index", None),
        ("BTCUSD", "crypto", None),
    ],
)
def test_only_shares_have_a_ticker(symbol: str, asset_class: AssetClass | None, ticker: str | None) -> None:
    assert held(symbol, asset_class).ticker == ticker


@given(st.text("abcXYZ./ -", max_size=12))
def test_a_ticker_is_spelt_one_way(text: str) -> None:
    once = spelt(text)
    assert spelt(once) == once
    assert spelt(once.replace("-", ".")) == once
    assert once == once.upper()
    assert not set("./ ") & set(once)


def release(importance: Importance, *series: str) -> ReleaseDate:
    day = dt.date(2026, 11, 20)
    return ReleaseDate(
        source="fred",
        as_of=day,
        fetched_at=1,
        synthetic=False,
        release_id=1,
        name="R",
        date=day,
        importance=importance,
        series=series,
    )


PAIR, SHARE = held("EURUSD", "fx"), held("AAPL", "equity")


def test_an_important_release_is_about_everything() -> None:
    assert moved_by(release("high", "UNRATE"), [PAIR, SHARE]) == ()
    assert moved_by(release("high"), []) == ()


def test_a_lesser_release_is_about_what_it_moves() -> None:
    assert moved_by(release("low", "DEXUSEU"), [PAIR, SHARE]) == ("EURUSD.SIM",)
    assert moved_by(release("medium", "VIXCLS"), [PAIR, SHARE]) == ("AAPL.SIM",)


def test_a_release_that_moves_nothing_held_is_of_no_interest() -> None:
    assert moved_by(release("medium", "HOUST"), [PAIR]) is None
    assert moved_by(release("low", "HOUST"), []) is None
    assert moved_by(release("medium", "HOUST"), []) == ()
