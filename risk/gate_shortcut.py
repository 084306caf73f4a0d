"""The quick way through the gate: is it plain that one new order passes every limit?

Limits that look at the same amount are taken together, and the tightest of them is compared. Whatever is
not plain — something unknown, a pair, a change, a limit that is near — is left to the full judgement. This
module must not deny anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from data.limits import LimitType
from data.records import Side
from risk.exposure import DOWN, GROSS, LONG, SHORT, TURN, UP, Line
from risk.exposure_book import ALL, ExposureBook, sector_key
from risk.gate_case import Money, Rule
from risk.rate import RateWindow

_ZERO: Final = Decimal(0)
#: Beside the places of values: an order by itself, and a position in units.
_NOTIONAL, _SHARES = 6, 7
_PLACES: Final[dict[LimitType, int]] = {
    "gross_exposure": GROSS,
    "leverage": GROSS,
    "long_exposure": LONG,
    "short_exposure": SHORT,
    "turnover": TURN,
}
_LOSSES: Final = frozenset({"daily_loss", "drawdown"})


class _Check(msgspec.Struct):
    """One amount, and the tightest limits that look at it."""

    place: int  #: in the values
    key: str  #: whose sum it is; empty key and ``alone``: the instrument's, or the order's, alone
    own: bool  #: whether it is of what the strategy has
    alone: bool
    amount: Decimal | None = None  #: tightest limit in money or shares
    ratio: Decimal | None = None  #: tightest share of equity


class Shortcut:
    """The limits of one instrument, strategy and side."""

    def __init__(self, rules: Sequence[Rule], windows: dict[str, RateWindow], side: Side) -> None:
        self.side = side
        self.windows: list[RateWindow] = []
        self._losses: list[Rule] = []
        self._plain = True
        self._money: Money | None = None
        self._bounds: list[tuple[bool, bool, int, str, Decimal]] = []  #: the checks for this money
        self._needs_money = False
        found: dict[tuple[int, str, bool, bool], _Check] = {}
        for rule in rules:
            limit = rule.limit
            self._needs_money = self._needs_money or rule.needs_money
            if limit.limit_type == "order_rate":
                self.windows.append(windows[limit.id])
            elif limit.limit_type in _LOSSES:
                self._losses.append(rule)
            elif rule.sector_unknown:
                self._plain = False
            else:
                self._add(rule, found)
        self._checks = list(found.values())
        own = (rule.key for rule in rules if rule.key.startswith("strategy:"))
        self._own = next(own, None)

    def _add(self, rule: Rule, found: dict[tuple[int, str, bool, bool], _Check]) -> None:
        limit, kind, key = rule.limit, rule.limit.limit_type, rule.key
        buys = self.side == "buy"
        if kind == ("short_exposure" if buys else "long_exposure"):
            return  # an order of this side does not raise it
        own, alone = key.startswith("strategy:"), key.startswith("instrument:")
        place = _PLACES.get(kind, UP if buys else DOWN)
        if kind == "order_notional":
            place, own, alone = _NOTIONAL, False, True
        elif kind in ("position_size", "concentration"):
            place = _SHARES if limit.unit == "shares" else LONG if buys else SHORT
            alone = True
        elif kind == "sector_exposure":
            if rule.terms.sector is None:
                self._plain = self._plain and not rule.terms.needs_sector
                return
            place, key = GROSS, sector_key(key, rule.terms.sector)
        if alone:
            key = ""
        check = found.setdefault((place, key, own, alone), _Check(place, key, own, alone))
        if limit.unit == "ratio":
            check.ratio = limit.effective if check.ratio is None else min(check.ratio, limit.effective)
        else:
            check.amount = limit.effective if check.amount is None else min(check.amount, limit.effective)

    def passes(self, book: ExposureBook, line: Line, money: Callable[[], Money], now_ns: int) -> bool:
        """Return whether an order plainly passes; False says nothing."""
        if not self._plain or line.group is not None or line.reduce_only or line.acts != line.qty:
            return False
        for window in self.windows:
            if window.count(now_ns) >= window.orders:
                return False
        if self._needs_money and not self._use(money()):
            return False
        instrument = line.instrument
        book.touch(instrument)
        quoted = book.prices(instrument)
        if quoted.unknown is not None or quoted.stale is not None:
            return False
        whole = _moved(book, ALL, line, self.side)
        own = whole if self._own is None else _moved(book, self._own, line, self.side)
        if whole is None or own is None:
            return False
        every = book.every_sum()
        for mine, alone, place, key, bound in self._bounds:
            before, after = own if mine else whole
            if alone:
                if after[place] > bound:
                    return False
                continue
            sums = every[key]
            if sums.unknown or sums.values[place] + after[place] - before[place] > bound:
                return False
        return True

    def _use(self, money: Money) -> bool:
        """Work the bounds out for what the accounts are worth; False: it is not known, or a loss is met."""
        if money is self._money:
            return True
        if money.equity is None or money.equity <= 0:
            return False
        for rule in self._losses:
            day = rule.limit.limit_type == "daily_loss"
            base = money.equity if day else money.peak
            lost = money.day_pnl if day else None if money.peak is None else money.equity - money.peak
            if lost is None or base is None or base <= 0:
                return False
            bound = rule.limit.effective * base if rule.limit.unit == "ratio" else rule.limit.effective
            if -lost >= bound:
                return False
        self._bind(money.equity)
        self._money = money
        return True

    def _bind(self, equity: Decimal) -> None:
        self._bounds = []
        for check in self._checks:
            bound = check.amount
            if check.ratio is not None:
                share = check.ratio * equity
                bound = share if bound is None or share < bound else bound
            assert bound is not None
            self._bounds.append((check.own, check.alone, check.place, check.key, bound))

    def bind_amounts(self) -> None:
        """Work the bounds out where no limit is a share of equity."""
        if not self._needs_money:
            self._bind(_ZERO)


def _moved(
    book: ExposureBook, key: str, line: Line, side: Side
) -> tuple[tuple[Decimal, ...], tuple[Decimal, ...]] | None:
    """Return an instrument's values before and after, the order's own and the position behind them."""
    before = book.worst(key, line.instrument)
    if before is None or before.unknown is not None:
        return None
    after = book.with_line(before, line)
    if after.unknown is not None:
        return None
    units = after.high if side == "buy" else -after.low
    return before.values, (*after.values, after.values[TURN] - before.values[TURN], units)
