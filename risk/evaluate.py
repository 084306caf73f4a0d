"""How much of every limit is used by a portfolio as it stands, in the limit's own unit.

Values, with V the signed value of a position in the account's currency (quantity × mark × multiplier ×
rate), over the positions that the limit's scope takes in, and E the equity of the engine that the scope
names, else of the portfolio; a ``ratio`` is the amount ÷ E where nothing else is said:

- order_notional: the largest working order, open quantity × price × multiplier × rate;
- order_rate: orders and modifications sent within the limit's window;
- position_size: the largest |ΣV| of an instrument; in ``shares`` its largest |quantity|;
- gross_exposure: Σ|V|; net_exposure: |ΣV|; long_exposure: ΣV of V > 0; short_exposure: −ΣV of V < 0;
- leverage: Σ|V| ÷ E; concentration: the largest |ΣV| of an instrument ÷ E;
- sector_exposure: Σ|V| of the sector; over a wider scope the largest sector's;
- daily_loss: max(0, −(equity − equity at the start of the UTC day));
- drawdown: 1 − E ÷ peak of E; in ``notional`` peak − E;
- var: loss over the limit's days at its confidence by its method, of the present book on past returns;
- volatility: standard deviation of the present book's profit in a year ÷ E;
- correlation: mean correlation of all pairs of instruments held;
- turnover: Σ|quantity × price × multiplier × rate| of today's fills ÷ E.

A value above the limit is a breach, one from ``warn`` × limit on warns. What is not known is None with the
reason. This module must not know who asks, and when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from data.limits import Limit, LimitLevel, LimitStatus, LimitType
from risk.portfolio import Portfolio
from risk.scopes import Scope, ScopeBook, Scopes, by_scope, scope_of

if TYPE_CHECKING:
    from risk.book_figures import BookFigures
    from risk.frames import ReturnsFrame

_RATIO: Final = Decimal("1E-10")
_USE: Final = Decimal("0.000001")
_ZERO: Final = Decimal(0)
_SECOND_NS: Final = 1_000_000_000
#: Types that are measured on past returns.
STATISTICAL: Final[frozenset[LimitType]] = frozenset({"var", "volatility", "correlation"})


class Working(msgspec.Struct, frozen=True, kw_only=True):
    """A working order and what its open quantity is worth; None: no price or rate."""

    engine: str
    instrument: str
    strategy: str | None = None
    sector: str | None = None
    notional: Decimal | None


class Dealt(msgspec.Struct, frozen=True, kw_only=True):
    """What was traded today of an instrument, both sides; None: no rate."""

    engine: str
    instrument: str
    strategy: str | None = None
    sector: str | None = None
    amount: Decimal | None


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """An order or a modification that was sent."""

    engine: str
    instrument: str
    strategy: str | None = None
    sector: str | None = None
    ts: int  #: UTC ns


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What limits are judged by besides the portfolio. None: not known."""

    working: tuple[Working, ...] = ()
    dealt: tuple[Dealt, ...] | None = None
    sent: tuple[Sent, ...] = ()
    sent_since: int | None = None  #: from when on ``sent`` is complete, UTC ns
    returns: ReturnsFrame | None = None
    no_returns: str = "the returns of what is held are not known yet"


class Value(NamedTuple):
    """The value of a limit, or why there is none; ``calm``: there is nothing that it could limit."""

    value: Decimal | None
    subject: str | None = None
    reason: str | None = None
    calm: bool = False


def evaluate(
    portfolio: Portfolio, limits: Iterable[Limit], figures: Figures | None = None
) -> list[LimitStatus]:
    """Return how much of each limit is used, in their order; a limit that is switched off is told too.

    Raises:
        InvalidRequestError: A limit's scope is none.
    """
    chosen = list(limits)
    desk = _Desk(portfolio, chosen, figures or Figures())
    return [status_of(limit, desk.value(limit), portfolio) for limit in chosen]


def volatilities(portfolio: Portfolio, scopes: Iterable[str], returns: ReturnsFrame) -> dict[str, Decimal]:
    """Return the annual volatility of what each scope holds, as a fraction of its gross value.

    Of an instrument it is that of its returns, held or not. Scopes of which it is not known are left out.
    """
    from risk.book_figures import BookFigures, volatility_of

    chosen = {text: scope_of(text) for text in set(scopes)}
    desk = Scopes(portfolio)
    books = {scope: desk.book(scope) for scope in chosen.values()}
    figures = BookFigures({scope: book for scope, book in books.items() if book.missing is None}, returns)
    found: dict[str, Decimal] = {}
    for text, scope in chosen.items():
        if scope.kind == "instrument":
            own = volatility_of(scope.name, returns)
        else:
            book = books[scope]
            gross = book.long + book.short
            deviation = figures.deviation(scope).value if book.missing is None and gross else None
            own = None if deviation is None else (deviation / gross).quantize(_RATIO, ROUND_HALF_EVEN)
        if own is not None:
            found[text] = own
    return found


def status_of(limit: Limit, found: Value, portfolio: Portfolio) -> LimitStatus:
    """Return a limit's status for a value."""
    value, bound = found.value, limit.effective
    use = None if value is None or bound <= 0 else (value / bound).quantize(_USE, ROUND_HALF_EVEN)
    return LimitStatus(
        limit=limit,
        value=value,
        use=use,
        headroom=None if value is None else bound - value,
        level=level_of(limit, found),
        subject=found.subject,
        reason=found.reason,
        synthetic=portfolio.synthetic,
        ts=portfolio.ts,
    )


def level_of(limit: Limit, found: Value) -> LimitLevel:
    """Return what a value means: over the limit it is breached, at the limit it warns."""
    if not limit.enabled:
        return "off"
    if found.value is None:
        return "ok" if found.calm else "unknown"
    if found.value > limit.effective:
        return "breached"
    return "warn" if found.value >= limit.warn * limit.effective and found.value > 0 else "ok"


class _Desk:
    """Everything that is asked of one portfolio, each put together once."""

    def __init__(self, portfolio: Portfolio, limits: Sequence[Limit], figures: Figures) -> None:
        self._portfolio = portfolio
        self._figures = figures
        self._scope = {text: scope_of(text) for text in {limit.scope for limit in limits}}
        self._scopes = Scopes(portfolio)
        self._working = by_scope(figures.working)
        self._dealt = None if figures.dealt is None else by_scope(figures.dealt)
        self._sent = by_scope(figures.sent)
        self._statistics = self._prepared(limits)

    def _prepared(self, limits: Sequence[Limit]) -> BookFigures | None:
        if self._figures.returns is None:
            return None
        wanted = {self._scope[one.scope] for one in limits if one.limit_type in STATISTICAL}
        if not wanted:
            return None
        from risk.book_figures import BookFigures  # NumPy is loaded where something is measured

        books = {scope: self._scopes.book(scope) for scope in wanted}
        return BookFigures(
            {scope: book for scope, book in books.items() if book.missing is None}, self._figures.returns
        )

    def value(self, limit: Limit) -> Value:
        scope = self._scope[limit.scope]
        return _VALUES[limit.limit_type](self, limit, scope)

    # ------------------------------------------------------------ from positions

    def position_size(self, limit: Limit, scope: Scope) -> Value:
        book = self._scopes.book(scope)
        if limit.unit == "shares":
            return Value(*book.largest_quantity)
        return self._amount(limit, scope, book, *book.largest)

    def exposure(self, limit: Limit, scope: Scope) -> Value:
        book = self._scopes.book(scope)
        match limit.limit_type:
            case "net_exposure":
                amount = abs(book.long - book.short)
            case "long_exposure":
                amount = book.long
            case "short_exposure":
                amount = book.short
            case _:
                amount = book.long + book.short
        return self._amount(limit, scope, book, amount)

    def concentration(self, limit: Limit, scope: Scope) -> Value:
        book = self._scopes.book(scope)
        return self._amount(limit, scope, book, *book.largest)

    def sector_exposure(self, limit: Limit, scope: Scope) -> Value:
        book = self._scopes.book(scope)
        if scope.kind == "sector":
            everything = self._scopes.book(Scope("portfolio", ""))
            if everything.without_sector:
                return _unknown(f"the sector of {everything.without_sector[0]} is not known")
            return self._amount(limit, scope, book, book.long + book.short, scope.name)
        if book.without_sector:
            return _unknown(f"the sector of {book.without_sector[0]} is not known")
        return self._amount(limit, scope, book, *book.largest_sector)

    def _amount(
        self, limit: Limit, scope: Scope, book: ScopeBook, amount: Decimal, subject: str | None = None
    ) -> Value:
        if book.missing is not None:
            return _unknown(book.missing)
        return self._in_unit(limit, scope, amount, subject)

    def _in_unit(self, limit: Limit, scope: Scope, amount: Decimal, subject: str | None = None) -> Value:
        """Return an amount of money in the limit's unit."""
        if limit.unit != "ratio":
            return Value(amount, subject)
        if not amount:
            return Value(_ZERO, subject)
        money = self._scopes.money(scope)
        if money.equity is None:
            return _unknown(money.missing or "equity is not known")
        if money.equity <= 0:
            return _unknown("equity is not above zero")
        return Value((amount / money.equity).quantize(_RATIO, ROUND_HALF_EVEN), subject)

    # ------------------------------------------------------------ from accounts

    def daily_loss(self, limit: Limit, scope: Scope) -> Value:
        if scope.kind not in ("portfolio", "engine"):
            return _unknown("results are known of accounts, not of a strategy, an instrument or a sector")
        money = self._scopes.money(scope)
        if money.day_pnl is None:
            return _unknown(money.missing or "the day's result is not known")
        return self._in_unit(limit, scope, max(_ZERO, -money.day_pnl))

    def drawdown(self, limit: Limit, scope: Scope) -> Value:
        if scope.kind not in ("portfolio", "engine"):
            return _unknown("equity is known of accounts, not of a strategy, an instrument or a sector")
        money = self._scopes.money(scope)
        if money.equity is None:
            return _unknown(money.missing or "equity is not known")
        if money.peak is None:
            return _unknown("the highest equity is not known")
        lost = max(_ZERO, money.peak - money.equity)
        if limit.unit != "ratio":
            return Value(lost)
        if money.peak <= 0:
            return _unknown("equity was never above zero")
        return Value((lost / money.peak).quantize(_RATIO, ROUND_HALF_EVEN))

    # ------------------------------------------------------------ from orders and fills

    def order_notional(self, limit: Limit, scope: Scope) -> Value:
        found = self._working.get(scope, [])
        unpriced = next((one for one in found if one.notional is None), None)
        if unpriced is not None:
            return _unknown(f"no price for a working order of {unpriced.instrument}")
        largest = max(found, key=lambda one: one.notional or _ZERO, default=None)
        if largest is None:
            return Value(_ZERO)
        return self._in_unit(limit, scope, largest.notional or _ZERO, largest.instrument)

    def order_rate(self, limit: Limit, scope: Scope) -> Value:
        since, window = self._figures.sent_since, limit.window_s
        if window is None:
            return _unknown("the limit has no window")
        begin = self._portfolio.ts - window * _SECOND_NS
        if since is None or since > begin:
            return _unknown("orders have not been counted for the length of the window yet")
        count = sum(begin < one.ts <= self._portfolio.ts for one in self._sent.get(scope, []))
        return Value(Decimal(count))

    def turnover(self, limit: Limit, scope: Scope) -> Value:
        if self._dealt is None:
            return _unknown("the fills of today are not counted yet")
        found = self._dealt.get(scope, [])
        unknown = next((one for one in found if one.amount is None), None)
        if unknown is not None:
            return _unknown(f"no exchange rate for what was traded of {unknown.instrument}")
        return self._in_unit(limit, scope, sum((one.amount or _ZERO for one in found), _ZERO))

    # ------------------------------------------------------------ from past returns

    def statistic(self, limit: Limit, scope: Scope) -> Value:
        book = self._scopes.book(scope)
        if not book.holdings:
            if limit.limit_type == "correlation":
                return _no_pair()
            return Value(_ZERO)
        if book.missing is not None:
            return _unknown(book.missing)
        figures = self._statistics
        if figures is None:
            return _unknown(self._figures.no_returns)
        match limit.limit_type:
            case "correlation":
                value, reason = figures.correlation(scope)
                if value is None and reason is None:
                    return _no_pair()
                return Value(value, None, reason)
            case "var":
                value, reason = figures.var(scope, limit.method, float(limit.confidence), limit.horizon_days)
            case _:
                value, reason = figures.deviation(scope)
        return Value(None, None, reason) if value is None else self._in_unit(limit, scope, value)


def _unknown(reason: str) -> Value:
    return Value(None, None, reason)


def _no_pair() -> Value:
    return Value(None, None, "fewer than two instruments are held: there is no pair", True)


_VALUES: Final[dict[LimitType, Callable[[_Desk, Limit, Scope], Value]]] = {
    "order_notional": _Desk.order_notional,
    "order_rate": _Desk.order_rate,
    "position_size": _Desk.position_size,
    "gross_exposure": _Desk.exposure,
    "net_exposure": _Desk.exposure,
    "long_exposure": _Desk.exposure,
    "short_exposure": _Desk.exposure,
    "leverage": _Desk.exposure,
    "concentration": _Desk.concentration,
    "sector_exposure": _Desk.sector_exposure,
    "daily_loss": _Desk.daily_loss,
    "drawdown": _Desk.drawdown,
    "var": _Desk.statistic,
    "correlation": _Desk.statistic,
    "volatility": _Desk.statistic,
    "turnover": _Desk.turnover,
}
