"""The portfolio as the daemon knows it: positions at their latest marks, and accounts.

Of an engine that stopped the last marks count on, and that they are old is said: what it held it still
holds. What is not known is None and named among the problems. This module must not know what the
portfolio is judged by.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final, NamedTuple

from data import topics
from data.breach_store import KeptMarks
from data.bus import Bus
from data.problems import NotFoundError
from data.records import AccountUpdate, EngineStatus, Fill, Instrument, PositionUpdate, Quote
from engines.supervisor import Supervisor
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.risk.traded import DAY_NS, Traded
from risk.portfolio import EngineMoney, Holding, Portfolio

#: A mark or an equity older than this is said to be old.
STALE_NS: Final = 15 * 1_000_000_000
CURRENCY: Final = "USD"
_UP: Final = frozenset({"running", "degraded"})


class _Price(NamedTuple):
    mark: Decimal | None
    rate: Decimal | None
    ts: int


class PortfolioWatch:
    """Puts the portfolio together from what was told last.

    Args:
        bus: The latest marks and quotes.
        present: Open positions, accounts and the latest fills.
        supervisor: The engines and what they trade.
        peak: An engine's highest equity, if it is known.
        clock: UTC ns.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        present: Present,
        supervisor: Supervisor,
        peak: Callable[[str], Decimal | None] = lambda _: None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._bus = bus
        self._present = present
        self._supervisor = supervisor
        self._peak = peak
        self._clock = clock
        self.kept = KeptMarks()  #: what engines told the daemon before this one
        self._sheets: dict[str, tuple[list[Instrument], dict[str, Instrument]]] = {}

    def snapshot(self, engine: str | None = None) -> Portfolio:
        """Return what all engines hold, or one, as it is known at this moment."""
        now = self._clock()
        named = [engine] if engine is not None else self.engines()
        holdings: list[Holding] = []
        money: list[EngineMoney] = []
        problems: list[str] = []
        for name in named:
            books = _Books(self, name, now)
            found = books.holdings()
            holdings += found
            money += books.money()
            problems += books.problems
        currency = money[0].currency if money else CURRENCY
        for one in money:
            if one.currency != currency:
                problems.append(f"{one.engine}: its account is in {one.currency}, not in {currency}")
        return Portfolio(
            holdings=tuple(holdings),
            money=tuple(money),
            currency=currency,
            problems=tuple(problems),
            synthetic=any(one.synthetic for one in holdings) or any(one.synthetic for one in money),
            ts=now,
        )

    def engines(self) -> list[str]:
        """Return the engines there is anything to tell of, by name."""
        known = {status.id for status in self._supervisor.statuses()}
        return sorted(known | set(self._present.engines()))

    def running(self) -> frozenset[str]:
        """Return the engines that run."""
        return frozenset(one.id for one in self._supervisor.statuses() if one.state in _UP)

    def instruments(self, engine: str) -> dict[str, Instrument]:
        """Return what an engine trades, by id; empty while it is not known."""
        try:
            listed = self._supervisor.instruments(engine)
        except NotFoundError:
            return {}
        kept = self._sheets.get(engine)
        if kept is None or kept[0] != listed:
            kept = self._sheets[engine] = (listed, {one.id: one for one in listed})
        return kept[1]

    def rates(self, engine: str) -> dict[str, Decimal]:
        """Return account currency for one unit of each currency, as the engine's marks tell."""
        found = {
            one.currency: one.rate for one in self._marks(engine, PositionUpdate) if one.rate is not None
        }
        for account in self._records(topics.account(engine), AccountUpdate):
            found[account.currency] = Decimal(1)
        return found

    def money_of(self, traded: Iterable[Traded]) -> dict[Traded, Decimal | None]:
        """Return each amount in its engine's account currency; None where the rate is not known."""
        found: dict[Traded, Decimal | None] = {}
        rates: dict[str, dict[str, Decimal]] = {}
        for one in traded:
            instrument = self.instruments(one.engine).get(one.instrument)
            if one.engine not in rates:
                rates[one.engine] = self.rates(one.engine)
            rate = None if instrument is None else rates[one.engine].get(instrument.currency)
            found[one] = (
                None if instrument is None or rate is None else one.amount * instrument.multiplier * rate
            )
        return found

    def last_marks(self) -> KeptMarks:
        """Return the latest marks there are of what is held, those of engines that do not run included."""
        positions, accounts = [], []
        for engine in self.engines():
            positions += self._marks(engine, PositionUpdate)
            accounts += self._marks(engine, AccountUpdate)
        return KeptMarks(positions=tuple(positions), accounts=tuple(accounts))

    def _marks[R: (PositionUpdate, AccountUpdate)](self, engine: str, kind: type[R]) -> list[R]:
        """Return an engine's latest marks; those that were kept if it told none to this daemon."""
        told = [event.record for event in self._bus.latest(topics.marks(engine))]
        if told:
            return [one for one in told if isinstance(one, kind)]
        kept = (*self.kept.positions, *self.kept.accounts)
        return [one for one in kept if isinstance(one, kind) and one.engine == engine]

    def _records[R: (PositionUpdate, AccountUpdate)](self, topic: str, kind: type[R]) -> list[R]:
        return [record for record in self._present.snapshot(topic) if isinstance(record, kind)]

    def quote(self, instrument: str, engine: str) -> Quote | None:
        """Return the latest quote that an engine told of an instrument."""
        for event in self._bus.latest(topics.quotes(instrument)):
            if isinstance(event.record, Quote) and event.record.engine == engine:
                return event.record
        return None

    def status(self, engine: str) -> EngineStatus | None:
        """Return an engine's state; None if the supervisor does not know it."""
        try:
            return self._supervisor.status_of(engine)
        except NotFoundError:
            return None

    def replays(self, engine: str) -> bool:
        """Return whether an engine replays a market of the past."""
        status = self.status(engine)
        return status is not None and status.feed == "replay"

    def strategies(self, engine: str) -> dict[str, str]:
        """Return the strategy of each position that the latest fills tell of, by position id."""
        fills = [one for one in self._present.snapshot(topics.fills(engine)) if isinstance(one, Fill)]
        return {
            fill.position_id: fill.strategy
            for fill in fills
            if fill.position_id is not None and fill.strategy is not None
        }

    def strategies_of(self, engine: str) -> dict[str, str | None]:
        """Return the strategy of each open position, by position id."""
        known = self.strategies(engine)
        return {
            one.position_id: known.get(one.position_id) or _named_strategy(one)
            for one in self._records(topics.positions(engine), PositionUpdate)
        }

    def peak(self, engine: str) -> Decimal | None:
        """Return an engine's highest equity, if it is known."""
        return self._peak(engine)


class _Books:
    """One engine's part of a snapshot."""

    def __init__(self, watch: PortfolioWatch, engine: str, now: int) -> None:
        self._watch = watch
        self._engine = engine
        self._now = now
        self.problems: list[str] = []

    def holdings(self) -> list[Holding]:
        watch, engine = self._watch, self._engine
        positions = watch._records(topics.positions(engine), PositionUpdate)
        if not positions:
            return []
        marks = {one.position_id: one for one in watch._marks(engine, PositionUpdate)}
        sheet, rates, strategies = watch.instruments(engine), watch.rates(engine), watch.strategies(engine)
        found = []
        for position in positions:
            price = self._price(position, marks.get(position.position_id), rates)
            instrument = sheet.get(position.instrument)
            found.append(
                Holding(
                    engine=engine,
                    instrument=position.instrument,
                    qty=position.qty,
                    mark=price.mark,
                    multiplier=position.multiplier,
                    currency=position.currency,
                    rate=price.rate,
                    asset_class="unknown" if instrument is None else instrument.asset_class,
                    sector=None if instrument is None else instrument.sector,
                    strategy=strategies.get(position.position_id) or _named_strategy(position),
                    synthetic=position.synthetic,
                    ts=price.ts,
                )
            )
        self._say_what_is_missing(found)
        return found

    def _price(
        self, position: PositionUpdate, mark: PositionUpdate | None, rates: dict[str, Decimal]
    ) -> _Price:
        """Return what a position is worth a unit: at its mark, else where it could be closed."""
        rate = rates.get(position.currency)
        if mark is not None and mark.mark is not None:
            return _Price(mark.mark, mark.rate if mark.rate is not None else rate, mark.ts)
        quote = self._watch.quote(position.instrument, self._engine)
        if quote is not None:
            closing = quote.bid if position.qty > 0 else quote.ask
            return _Price(closing if closing is not None else quote.last, rate, quote.ts_recv)
        return _Price(position.mark, rate, position.ts)

    def _say_what_is_missing(self, holdings: list[Holding]) -> None:
        engine, status = self._engine, self._watch.status(self._engine)
        unpriced = sorted({one.instrument for one in holdings if one.mark is None})
        unrated = sorted({one.currency for one in holdings if one.mark is not None and one.rate is None})
        if unpriced:
            self.problems.append(f"{engine}: no price for {_few(unpriced)}")
        if unrated:
            self.problems.append(f"{engine}: no exchange rate for {_few(unrated)}")
        if status is None or status.state not in _UP:
            state = "not running" if status is None else status.state
            self.problems.append(
                f"{engine} is {state}: its {len(holdings)} positions count at their last marks"
            )
            return
        old = [one for one in holdings if one.mark is not None and self._now - one.ts > STALE_NS]
        if old:
            oldest = (self._now - min(one.ts for one in old)) // 1_000_000_000
            self.problems.append(
                f"{engine}: marks of {_few(sorted({one.instrument for one in old}))} are up to {oldest} s old"
            )

    def money(self) -> list[EngineMoney]:
        """Return what the engine's accounts are worth together; one of each currency."""
        watch, engine = self._watch, self._engine
        marks = {one.account_id: one for one in watch._marks(engine, AccountUpdate)}
        accounts = watch._records(topics.account(engine), AccountUpdate)
        latest = [marks.get(one.account_id, one) for one in accounts] or list(marks.values())
        if not latest:
            return []
        by_currency: dict[str, list[AccountUpdate]] = {}
        for account in latest:
            by_currency.setdefault(account.currency, []).append(account)
        found = []
        for currency, own in by_currency.items():
            equity = _sum([self._equity(one) for one in own])
            if equity is None:
                self.problems.append(f"{engine}: its equity in {currency} is not known")
            peak = watch.peak(engine) if len(by_currency) == 1 else None
            if peak is not None and equity is not None:
                peak = max(peak, equity)
            found.append(
                EngineMoney(
                    engine=engine,
                    currency=currency,
                    equity=equity,
                    day_pnl=_sum([one.day_pnl for one in own]) if self._is_of_today(own) else None,
                    peak_equity=peak,
                    synthetic=any(one.synthetic for one in own),
                    ts=min(one.ts for one in own),
                )
            )
        return found

    def _is_of_today(self, accounts: list[AccountUpdate]) -> bool:
        return all(one.ts // DAY_NS == self._now // DAY_NS for one in accounts)

    def _equity(self, account: AccountUpdate) -> Decimal | None:
        """Return an account's equity; without a mark it is its cash, if nothing is held."""
        if account.equity is not None:
            return account.equity
        if self._watch._records(topics.positions(self._engine), PositionUpdate):
            return None
        return next((one.total for one in account.balances if one.currency == account.currency), None)


def _named_strategy(position: PositionUpdate) -> str | None:
    """Return the strategy that a netting position is named after: ``<instrument>-<strategy>``."""
    lead = f"{position.instrument}-"
    return position.position_id.removeprefix(lead) if position.position_id.startswith(lead) else None


def _sum(values: list[Decimal | None]) -> Decimal | None:
    """Return the sum; None if a part is not known or there are none."""
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(values) else None


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
