"""The simulated market: the same for the same seed, exact in ticks, correlated as declared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.problems import ConflictError
from engines.market.model import LEVELS, MarketModel, Steps
from engines.market.universe import LISTINGS, UNIVERSE, Listing

FEW = tuple(LISTINGS[f"{symbol}.SIM"] for symbol in ("AAPL", "EURUSD", "ZN", "XRPUSD"))


def run(model: MarketModel, steps: int, pieces: Sequence[int] = (256,)) -> list[Steps]:
    """Take ``steps`` steps in pieces of the given sizes, over and over."""
    taken: list[Steps] = []
    done = 0
    while done < steps:
        piece = model.take(min(pieces[len(taken) % len(pieces)], steps - done))
        taken.append(piece)
        done += len(piece)
    return taken


def column(taken: list[Steps], name: str) -> np.ndarray:
    return np.concatenate([getattr(piece, name) for piece in taken])


COLUMNS = ("listing", "bid", "ask", "bid_sizes", "ask_sizes", "gap", "trade_size", "trade_price", "buyer")


def same(left: list[Steps], right: list[Steps]) -> bool:
    return all(np.array_equal(column(left, name), column(right, name)) for name in COLUMNS)


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 2**63),
    pieces=st.lists(st.integers(1, 2000), min_size=1, max_size=5),
)
def test_the_path_depends_on_seed_and_step_alone(seed: int, pieces: list[int]) -> None:
    assert same(run(MarketModel(FEW, seed), 3000), run(MarketModel(FEW, seed), 3000, pieces))


def test_another_seed_is_another_path() -> None:
    assert not same(run(MarketModel(FEW, 1), 500), run(MarketModel(FEW, 2), 500))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), before=st.integers(0, 3000), after=st.integers(1, 1500))
def test_a_restored_market_goes_on_as_if_uninterrupted(seed: int, before: int, after: int) -> None:
    whole = MarketModel(FEW, seed)
    run(whole, before)
    restored = MarketModel.restore(FEW, seed, whole.checkpoint())
    assert restored.step == whole.step == before
    assert np.array_equal(restored.standing.bid, whole.standing.bid)
    assert same(run(restored, after), run(whole, after))


def test_a_checkpoint_of_another_market_is_refused() -> None:
    checkpoint = MarketModel(FEW, 1).checkpoint()
    with pytest.raises(ConflictError):
        MarketModel.restore(FEW, 2, checkpoint)
    with pytest.raises(ConflictError):
        MarketModel.restore(FEW[:2], 1, checkpoint)


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(0, 400))
def test_a_torn_checkpoint_is_refused(cut: int) -> None:
    checkpoint = MarketModel(FEW, 1).checkpoint()
    with pytest.raises(ConflictError):
        MarketModel.restore(FEW, 1, checkpoint[: min(cut, len(checkpoint) - 1)])


@pytest.fixture(scope="module")
def whole_market() -> list[Steps]:
    return run(MarketModel(UNIVERSE, 7), 60_000)


def test_every_quote_is_sound(whole_market: list[Steps]) -> None:
    bid, ask = column(whole_market, "bid"), column(whole_market, "ask")
    assert bid.min() >= 1
    assert (bid < ask).all()
    for name in ("bid_sizes", "ask_sizes"):
        sizes = column(whole_market, name)
        assert sizes.shape == (60_000, LEVELS)
        assert sizes.min() >= 1
    assert column(whole_market, "gap").min() >= 1


def test_every_trade_is_at_the_quote_that_stood_and_within_its_size(whole_market: list[Steps]) -> None:
    model = MarketModel(UNIVERSE, 7)
    standing = model.standing.copy()
    trades = 0
    for piece in whole_market[:40]:
        for row in range(len(piece)):
            listing = piece.listing[row]
            size = piece.trade_size[row]
            assert size >= 0
            if size:
                trades += 1
                buyer = piece.buyer[row]
                price = standing.ask[listing] if buyer else standing.bid[listing]
                shown = standing.ask_sizes[listing, 0] if buyer else standing.bid_sizes[listing, 0]
                assert piece.trade_price[row] == price
                assert size <= shown
            one = np.s_[row : row + 1]
            standing.bid[listing] = piece.bid[one][0]
            standing.ask[listing] = piece.ask[one][0]
            standing.bid_sizes[listing] = piece.bid_sizes[row]
            standing.ask_sizes[listing] = piece.ask_sizes[row]
    assert trades > 1000


def test_every_listing_trades(whole_market: list[Steps]) -> None:
    assert set(column(whole_market, "listing").tolist()) == set(range(len(UNIVERSE)))


def test_prices_stay_near_where_they_began(whole_market: list[Steps]) -> None:
    model = MarketModel(UNIVERSE, 7)
    run(model, 60_000)  # twenty minutes of market time
    for index, listing in enumerate(UNIVERSE):
        mid = (model.standing.bid[index] + model.standing.ask[index]) / 2 * float(listing.tick)
        assert mid == pytest.approx(float(listing.start_price), rel=0.2)


def returns_of(symbols: tuple[str, str], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the two listings' log returns over equal stretches of steps."""
    listings: tuple[Listing, ...] = tuple(LISTINGS[f"{symbol}.SIM"] for symbol in symbols)
    model = MarketModel(listings, seed)
    prices = []
    for _ in range(300):
        run(model, 512, (512,))
        prices.append(np.log(model.standing.bid + model.standing.ask))
    moves = np.diff(np.array(prices), axis=0)
    return moves[:, 0], moves[:, 1]


@pytest.mark.parametrize(
    ("symbols", "sign"),
    [
        (("SPY", "ES"), 1),
        (("SPY", "QQQ"), 1),
        (("EURUSD", "GBPUSD"), 1),
        (("EURUSD", "USDCHF"), -1),
        (("GC", "SI"), 1),
        (("BTCUSD", "ETHUSD"), 1),
    ],
)
def test_correlations_have_the_declared_sign(symbols: tuple[str, str], sign: int) -> None:
    left, right = returns_of(symbols, seed=11)
    assert sign * np.corrcoef(left, right)[0, 1] > 0.3


def test_volatility_is_of_the_declared_size() -> None:
    listing = LISTINGS["TSLA.SIM"]
    moves, _ = returns_of(("TSLA", "SPY"), seed=5)
    seconds = 512 * 0.02
    declared = listing.annual_volatility * (seconds / listing.session.seconds_per_year) ** 0.5
    assert moves.std() == pytest.approx(declared, rel=0.5)


def test_a_market_needs_a_listing() -> None:
    with pytest.raises(ValueError, match="listing"):
        MarketModel((), 1)
