"""A gate over a made-up desk: prices, positions and working orders as a test sets them."""

from __future__ import annotations

from decimal import Decimal
from itertools import count

from data.limits import Denial, GateBook, Limit, LimitEffect, LimitType, Restriction, Unit
from data.records import Side
from risk.exposure import Line, Quoted, Terms, Unknown
from risk.exposure_book import ExposureBook
from risk.gate import Judge, Money, Proposal
from risk.limits import limit_id

D = Decimal
ENGINE = "e"
NOW = 1_700_000_000_000_000_000
#: Instruments: two of technology, one of energy, one without a sector, an equity whose sector is unknown.
TERMS = {
    "A": Terms(id="A", sector="Tech", needs_sector=True),
    "B": Terms(id="B", sector="Tech", needs_sector=True),
    "C": Terms(id="C", sector="Energy", needs_sector=True),
    "FX": Terms(id="FX", lot=D(1000), min_qty=D(1000)),
    "U": Terms(id="U", needs_sector=True),
}
MONEY = Money(equity=D(50_000), day_pnl=D(0), peak=D(50_000))


def limit(
    kind: LimitType, hard: str, unit: Unit, scope: str = "portfolio", window_s: int | None = None
) -> Limit:
    return Limit(
        id=limit_id(kind, scope, unit),
        limit_type=kind,
        scope=scope,
        hard=D(hard),
        effective=D(hard),
        unit=unit,
        window_s=window_s,
        ts_created=NOW,
        ts_updated=NOW,
        updated_by="ann",
    )


class Gate:
    """The judge with its books. Every price is 100 unless it is set."""

    def __init__(self, *limits: Limit, money: Money = MONEY) -> None:
        self.quotes: dict[str, Quoted] = {}
        self.money = money
        self.now = NOW
        self._numbers = count(1)
        self.book = ExposureBook(TERMS, self.quoted)
        self.judge = Judge(engine=ENGINE, currency="USD", book=self.book, money=lambda: self.money)
        self.set(*limits)

    def quoted(self, instrument: str) -> Quoted:
        return self.quotes.get(instrument, Quoted(D(100), D(100), D(1)))

    def no_price(self, instrument: str) -> None:
        unknown = Unknown("price", f"no price for {instrument}")
        self.quotes[instrument] = Quoted(None, None, D(1), unknown)

    def set(self, *limits: Limit, restriction: Restriction = "none") -> None:
        book = GateBook(
            engine=ENGINE, version=1, limits=limits, restriction=restriction, restriction_reason="why", ts=NOW
        )
        self.judge.go_by(book)

    def hold(self, instrument: str, qty: int | str, strategy: str = "S") -> None:
        self.book.hold(strategy, instrument, D(qty))

    def line(
        self,
        side: Side,
        qty: int | str | Decimal,
        instrument: str = "A",
        *,
        exit: bool = False,
        **fields: object,
    ) -> Line:
        amount = D(qty)
        line = Line(
            id=f"O-{next(self._numbers)}",
            instrument=instrument,
            strategy="S",
            side=side,
            qty=amount,
            acts=D(0) if exit else amount,
        )
        return line._replace(**fields)

    def ask(self, *lines: Line, drop: tuple[str, ...] = (), filled: int = 0) -> Denial | None:
        return self.judge.judge(self.proposal(*lines, drop=drop, filled=filled), self.now)

    def proposal(self, *lines: Line, drop: tuple[str, ...] = (), filled: int = 0) -> Proposal:
        return Proposal(lines=lines, drop=frozenset(drop), filled=D(filled))

    def send(self, *lines: Line) -> Denial | None:
        """Judge and, if it passes, let it work."""
        denial = self.ask(*lines)
        if denial is None:
            self.judge.count(self.proposal(*lines), self.now)
            for line in lines:
                self.book.put(line)
        return denial

    def effects(self, *lines: Line, drop: tuple[str, ...] = ()) -> dict[str, LimitEffect]:
        found = self.judge.effects(self.proposal(*lines, drop=drop), self.now)
        return {effect.limit_id or effect.rule: effect for effect in found}
