"""The simulated market: correlated prices with a volatility of their own, quotes, depth and trades.

The path is a function of the seed and the step number alone: one step is one quote update of one
instrument and lasts ``STEP_NS`` of the market's own time; whoever publishes it stamps the wall clock.
Each block of steps draws from a generator seeded by (seed, block number), so a checkpoint is a few
arrays and a position. Prices are whole numbers of ticks and sizes whole numbers of lots: exact.
This module must not know of clocks, of NautilusTrader, or of who listens.

Sources of the formulas: factor model r = sigma * (B f + d e) with unit variance per listing; log
volatility and the pull towards the start price are Ornstein-Uhlenbeck processes, exact discretisation
x' = x exp(-k t) + s sqrt(1 - exp(-2 k t)) z.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from data.problems import ConflictError
from engines.market.universe import FACTORS, Listing

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: Market time of one step. At 50 ticks a second the simulated clock runs about as fast as the wall's.
STEP_NS: Final = 20_000_000
#: Price levels on each side of the book.
LEVELS: Final = 5

_BLOCK: Final = 1024
_STEP_S: Final = STEP_NS / 1e9
_BLOCK_S: Final = _BLOCK * _STEP_S
_TRADE_SHARE: Final = 0.3  # of the steps: a trade at the standing quote comes before the new quote
_VOL_HALF_LIFE_S: Final = 1800.0
_VOL_SHARED: Final = 0.30  # standard deviation of log volatility, common to all …
_VOL_OWN: Final = 0.25  # … and of each listing
_PULL_HALF_LIFE_S: Final = 60 * 86_400.0
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Steps:
    """A run of consecutive steps, one row each. Prices in ticks, sizes in lots."""

    first: int  #: step number of the first row, counted from 0
    listing: Ints  #: index into the model's listings
    bid: Ints
    ask: Ints
    bid_sizes: Ints  #: (n, LEVELS), best first
    ask_sizes: Ints
    gap: Ints  #: ticks between levels
    trade_size: Ints  #: 0: no trade in this step
    trade_price: Ints
    buyer: Flags  #: whether the buyer was the aggressor

    def __len__(self) -> int:
        return len(self.listing)


@dataclass(slots=True)
class Standing:
    """The market as it stands: the latest quote of every listing."""

    bid: Ints
    ask: Ints
    bid_sizes: Ints
    ask_sizes: Ints
    gap: Ints

    def copy(self) -> Standing:
        """Return an independent copy."""
        return Standing(
            self.bid.copy(), self.ask.copy(), self.bid_sizes.copy(), self.ask_sizes.copy(), self.gap.copy()
        )

    def apply(self, steps: Steps) -> None:
        """Take over the quotes of ``steps``; where one listing has several, the last one counts."""
        self.bid[steps.listing] = steps.bid
        self.ask[steps.listing] = steps.ask
        self.bid_sizes[steps.listing] = steps.bid_sizes
        self.ask_sizes[steps.listing] = steps.ask_sizes
        self.gap[steps.listing] = steps.gap


class _Saved(msgspec.Struct, frozen=True, array_like=True):
    """A checkpoint: the state at the start of a block, and how much of the block has been taken."""

    format: int
    seed: int
    symbols: tuple[str, ...]
    block: int
    offset: int
    log_price: bytes
    shared_vol: float
    own_vol: bytes
    bid: bytes
    ask: bytes
    bid_sizes: bytes
    ask_sizes: bytes
    gap: bytes


class Parameters:
    """The listings' parameters as arrays, in the order of the listings."""

    def __init__(self, listings: Sequence[Listing]) -> None:
        self.tick = np.array([float(x.tick) for x in listings])
        self.start = np.log(np.array([float(x.start_price) for x in listings]))
        self.sigma = np.array([x.annual_volatility / x.session.seconds_per_year**0.5 for x in listings])
        self.spread = np.array([x.spread_ticks for x in listings])
        self.depth = np.array([x.depth_lots for x in listings])
        activity = np.array([x.activity for x in listings])
        self.share = activity / activity.sum()
        self.loadings = np.zeros((len(FACTORS), len(listings)))
        for column, listing in enumerate(listings):
            for factor, loading in listing.loadings:
                self.loadings[FACTORS.index(factor), column] = loading
        self.own = np.sqrt(1.0 - (self.loadings**2).sum(axis=0))


class MarketModel:
    """A market of ``listings`` that goes on for ever, the same for the same seed.

    Parameters
    ----------
    listings
        What is traded; at least one.
    seed
        Chooses the path. The path also depends on which listings there are.

    """

    def __init__(self, listings: Sequence[Listing], seed: int) -> None:
        if not listings:
            raise ValueError("a market needs at least one listing")
        self.listings = tuple(listings)
        self.seed = seed
        self._parameters = Parameters(self.listings)
        self._cumulative_share = np.cumsum(self._parameters.share)
        self._block = 0
        self._offset = 0
        self._log_price = self._parameters.start.copy()
        self._shared_vol = 0.0
        self._own_vol = np.zeros(len(self.listings))
        self._base = self._opening()  # standing at the start of the block
        self._standing = self._base.copy()
        self._steps: Steps | None = None
        self._saved = self._state()

    @property
    def step(self) -> int:
        """How many steps have been taken."""
        return self._block * _BLOCK + self._offset

    @property
    def standing(self) -> Standing:
        """The latest quote of every listing. Treat it as read-only."""
        return self._standing

    def take(self, limit: int) -> Steps:
        """Return the next steps: at least one, at most ``limit``, and no further than the block's end."""
        if self._steps is None:
            self._steps = self._draw()
        stop = min(_BLOCK, self._offset + max(1, limit))
        steps = _slice(self._steps, self._offset, stop)
        self._standing.apply(steps)
        self._offset = stop
        if stop == _BLOCK:
            self._block += 1
            self._offset = 0
            self._steps = None
            self._base = self._standing.copy()
            self._saved = self._state()
        return steps

    def checkpoint(self) -> bytes:
        """Return the state; ``restore`` on it continues as if nothing had happened."""
        return msgspec.msgpack.encode(msgspec.structs.replace(self._saved, offset=self._offset))

    @classmethod
    def restore(cls, listings: Sequence[Listing], seed: int, checkpoint: bytes) -> MarketModel:
        """Return the model as it was when ``checkpoint`` was taken.

        Raises
        ------
        ConflictError
            If the checkpoint is damaged, or is of another seed or other listings.

        """
        try:
            saved = msgspec.msgpack.decode(checkpoint, type=_Saved)
        except msgspec.MsgspecError as error:
            raise ConflictError(f"the market's checkpoint cannot be read: {error}") from error
        symbols = tuple(listing.symbol for listing in listings)
        if (saved.format, saved.seed, saved.symbols) != (_FORMAT, seed, symbols):
            raise ConflictError(
                "the market's checkpoint is of another market",
                rule="format, seed and listings must be those of the checkpoint",
                fix="start with the same seed and instruments, or accept a market that starts anew",
            )
        return cls(listings, seed)._resume(saved)

    def _resume(self, saved: _Saved) -> MarketModel:
        n = len(self.listings)
        self._block = saved.block
        self._log_price = _floats(saved.log_price, n)
        self._shared_vol = saved.shared_vol
        self._own_vol = _floats(saved.own_vol, n)
        self._base = Standing(
            _ints(saved.bid, n),
            _ints(saved.ask, n),
            _ints(saved.bid_sizes, n * LEVELS).reshape(n, LEVELS),
            _ints(saved.ask_sizes, n * LEVELS).reshape(n, LEVELS),
            _ints(saved.gap, n),
        )
        self._standing = self._base.copy()
        self._saved = self._state()
        if saved.offset:
            self.take(saved.offset)
        return self

    def _state(self) -> _Saved:
        base = self._base
        return _Saved(
            _FORMAT,
            self.seed,
            tuple(listing.symbol for listing in self.listings),
            self._block,
            0,
            self._log_price.tobytes(),
            self._shared_vol,
            self._own_vol.tobytes(),
            base.bid.tobytes(),
            base.ask.tobytes(),
            base.bid_sizes.tobytes(),
            base.ask_sizes.tobytes(),
            base.gap.tobytes(),
        )

    def _opening(self) -> Standing:
        """Return the first quotes: typical spreads and sizes around the start prices."""
        p = self._parameters
        spread = np.maximum(1, np.rint(p.spread)).astype(np.int64)
        bid = _best_bid(np.exp(p.start) / p.tick, spread)
        sizes = np.rint(p.depth[:, None] * (1.0 + 0.5 * np.arange(LEVELS))).astype(np.int64)
        return Standing(bid, bid + spread, sizes, sizes.copy(), np.maximum(1, spread // 2))

    def _draw(self) -> Steps:
        """Draw the steps of the current block and move the state to the block's end."""
        p = self._parameters
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, self._block])))
        listing = np.searchsorted(
            self._cumulative_share, rng.random(_BLOCK) * self._cumulative_share[-1], "right"
        )
        listing = listing.astype(np.int64)
        volatility = self._move_volatility(rng)
        path = self._move_prices(rng, volatility)
        rows = np.arange(_BLOCK)
        mid = np.exp(path[rows, listing]) / p.tick[listing]
        noise = rng.standard_normal((_BLOCK, 2))
        spread = np.rint(p.spread[listing] * volatility[listing] * np.exp(0.25 * noise[:, 0]))
        spread = np.maximum(1, spread).astype(np.int64)
        bid = _best_bid(mid, spread)
        sizes = self._draw_sizes(rng, listing, volatility)
        gap = np.maximum(1, spread // 2)
        return self._with_trades(rng, listing, bid, bid + spread, sizes, gap, noise[:, 1])

    def _move_volatility(self, rng: np.random.Generator) -> Floats:
        """Move log volatility over one block; return each listing's volatility relative to its average."""
        keep = 0.5 ** (_BLOCK_S / _VOL_HALF_LIFE_S)
        shock = (1.0 - keep * keep) ** 0.5
        draws = rng.standard_normal(len(self.listings) + 1)
        self._shared_vol = keep * self._shared_vol + _VOL_SHARED * shock * float(draws[0])
        self._own_vol = keep * self._own_vol + _VOL_OWN * shock * draws[1:]
        # less half the variance, so that the average of the relative volatility is one
        level = self._shared_vol + self._own_vol - (_VOL_SHARED**2 + _VOL_OWN**2) / 2
        return np.asarray(np.exp(level), dtype=np.float64)

    def _move_prices(self, rng: np.random.Generator, volatility: Floats) -> Floats:
        """Return the log prices of all listings after each step, and keep the last."""
        p = self._parameters
        shared = rng.standard_normal((_BLOCK, len(FACTORS))) @ p.loadings
        own = rng.standard_normal((_BLOCK, len(self.listings))) * p.own
        returns = (shared + own) * (p.sigma * volatility * _STEP_S**0.5)
        pull = 1.0 - 0.5 ** (_BLOCK_S / _PULL_HALF_LIFE_S)
        origin = self._log_price + pull * (p.start - self._log_price)
        path = origin + np.cumsum(returns, axis=0)
        self._log_price = path[-1].copy()
        return np.asarray(path, dtype=np.float64)

    def _draw_sizes(self, rng: np.random.Generator, listing: Ints, volatility: Floats) -> Ints:
        """Return sizes (steps, 2, LEVELS): thinner when volatile, thicker away from the touch."""
        typical = (self._parameters.depth / volatility)[listing][:, None, None]
        further = 1.0 + 0.5 * np.arange(LEVELS)
        draws = rng.standard_normal((_BLOCK, 2, LEVELS), dtype=np.float32)
        return np.asarray(1 + (typical * further * np.exp(0.5 * draws)).astype(np.int64), dtype=np.int64)

    def _with_trades(
        self,
        rng: np.random.Generator,
        listing: Ints,
        bid: Ints,
        ask: Ints,
        sizes: Ints,
        gap: Ints,
        noise: Floats,
    ) -> Steps:
        """Add trades: each at the quote that stands when its step begins, for no more than its size."""
        before = _previous_of_same(listing)
        first = before < 0
        base = self._base

        def standing(column: Ints, at_start: Ints) -> Ints:
            return np.where(first, at_start[listing], column[before])

        old_bid, old_ask = standing(bid, base.bid), standing(ask, base.ask)
        draws = rng.random((_BLOCK, 2))
        direction = np.sign(bid + ask - old_bid - old_ask)
        buyer = draws[:, 1] < 0.5 + 0.25 * direction  # trades lean the way the price moves
        shown = np.where(
            buyer,
            standing(sizes[:, 1, 0], base.ask_sizes[:, 0]),
            standing(sizes[:, 0, 0], base.bid_sizes[:, 0]),
        )
        wanted = 1 + (0.15 * self._parameters.depth[listing] * np.exp(0.9 * noise)).astype(np.int64)
        traded = draws[:, 0] < _TRADE_SHARE
        return Steps(
            first=self._block * _BLOCK,
            listing=listing,
            bid=bid,
            ask=ask,
            bid_sizes=sizes[:, 0],
            ask_sizes=sizes[:, 1],
            gap=gap,
            trade_size=np.where(traded, np.minimum(wanted, shown), 0),
            trade_price=np.where(buyer, old_ask, old_bid),
            buyer=buyer,
        )


def _best_bid(mid: Floats, spread: Ints) -> Ints:
    """Return the bid, in ticks and at least one, of a quote ``spread`` wide around ``mid``."""
    return np.maximum(1, np.floor(mid - spread / 2 + 0.5)).astype(np.int64)


def _previous_of_same(listing: Ints) -> Ints:
    """Return for each row the latest earlier row of the same listing, or -1."""
    order = np.argsort(listing, kind="stable")
    same = listing[order[1:]] == listing[order[:-1]]
    before = np.full(len(listing), -1, dtype=np.int64)
    before[order[1:][same]] = order[:-1][same]
    return before


def _slice(steps: Steps, start: int, stop: int) -> Steps:
    return Steps(
        steps.first + start,
        steps.listing[start:stop],
        steps.bid[start:stop],
        steps.ask[start:stop],
        steps.bid_sizes[start:stop],
        steps.ask_sizes[start:stop],
        steps.gap[start:stop],
        steps.trade_size[start:stop],
        steps.trade_price[start:stop],
        steps.buyer[start:stop],
    )


def _floats(data: bytes, count: int) -> Floats:
    _require(len(data), count)
    return np.frombuffer(data, dtype=np.float64).copy()


def _ints(data: bytes, count: int) -> Ints:
    _require(len(data), count)
    return np.frombuffer(data, dtype=np.int64).copy()


def _require(size: int, count: int) -> None:
    if size != count * 8:
        raise ConflictError(f"the market's checkpoint is damaged: {size} bytes where {count * 8} belong")
