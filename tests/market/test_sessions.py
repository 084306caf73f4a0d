"""Trading hours follow the venue's clock, through daylight saving and weekends."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.market.sessions import DAY_NS, FUTURES, FX, US_EQUITY, UTC_DAY, Session, session_span
from engines.market.universe import UNIVERSE, calendar, instrument


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("session", "now", "is_open", "closes"),
    [
        (US_EQUITY, "2026-11-23T15:00", True, "2026-11-23T21:00"),
        (US_EQUITY, "2026-11-23T14:29", False, "2026-11-23T21:00"),  # before the opening
        (US_EQUITY, "2026-11-23T21:00", False, "2026-11-24T21:00"),  # the close itself is closed
        (US_EQUITY, "2026-11-21T12:00", False, "2026-11-23T21:00"),  # Saturday
        (US_EQUITY, "2026-07-06T13:30", True, "2026-07-06T20:00"),  # summer time
        (FX, "2026-11-22T22:00", True, "2026-11-23T22:00"),  # Sunday 17:00 in New York
        (FX, "2026-11-20T22:00", False, "2026-11-23T22:00"),  # Friday evening
        (FX, "2026-11-24T03:00", True, "2026-11-24T22:00"),
        (FUTURES, "2026-11-24T22:30", False, "2026-11-25T22:00"),  # the daily break
        (FUTURES, "2026-11-24T23:00", True, "2026-11-25T22:00"),
        (UTC_DAY, "2026-11-22T23:59", True, "2026-11-23T00:00"),
    ],
)
def test_known_hours(session: Session, now: str, is_open: bool, closes: str) -> None:
    span = session_span(session, ns(now))
    assert span.contains(ns(now)) is is_open
    assert span.closes_ns == ns(closes)


@given(
    now=st.integers(ns("2000-01-03T00:00"), ns("2035-01-01T00:00")),
    session=st.sampled_from([US_EQUITY, FX, FUTURES, UTC_DAY]),
)
def test_a_session_always_closes_later_and_within_a_week(now: int, session: Session) -> None:
    span = session_span(session, now)
    assert now < span.closes_ns <= now + 5 * DAY_NS
    assert span.opens_ns < span.closes_ns <= span.opens_ns + DAY_NS + DAY_NS // 24
    at_close = session_span(session, span.closes_ns)
    assert at_close.opens_ns >= span.closes_ns


def test_the_simulated_venue_is_always_open_and_says_so() -> None:
    sunday_night = ns("2026-11-22T03:00")
    around_the_clock, honoured = calendar(), calendar(always_open=False)
    assert all(around_the_clock.is_open(x.id, sunday_night) for x in UNIVERSE)
    assert not honoured.is_open("AAPL.SIM", sunday_night)
    assert honoured.is_open("BTCUSD.SIM", sunday_night)
    assert around_the_clock.session_close_ns("AAPL.SIM", sunday_night) == ns("2026-11-23T00:00")
    assert "simulated" in around_the_clock.text("AAPL.SIM")
    assert "New_York" in around_the_clock.text("AAPL.SIM")
    assert honoured.text("AAPL.SIM") == US_EQUITY.text


def test_an_unknown_instrument_trades_by_the_utc_day() -> None:
    hours = calendar(always_open=False)
    assert hours.session_close_ns("XYZ.ABC", ns("2026-11-22T03:00")) == ns("2026-11-23T00:00")


def test_the_universe_is_wide_and_sound() -> None:
    assert len(UNIVERSE) >= 24
    assert {x.asset_class for x in UNIVERSE} == {"equity", "fx", "future", "crypto"}
    assert len({x.id for x in UNIVERSE}) == len(UNIVERSE)
    for listing in UNIVERSE:
        record = instrument(listing)
        assert record.synthetic
        assert record.source == "simulated"
        assert record.tick_size == round(record.tick_size, record.price_precision)
        assert f"{record.tick_size:f}" == f"{record.tick_size:.{record.price_precision}f}"
        assert listing.min_qty % listing.lot == 0
        assert sum(loading**2 for _, loading in listing.loadings) < 1
        # the account is in dollars: a price in another currency needs a listed rate
        assert listing.currency == "USD" or f"USD{listing.currency}.SIM" in {x.id for x in UNIVERSE}
