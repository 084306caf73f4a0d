"""Facts of a book with a year of days behind it, put together by the same code as the daemon's."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from functools import cache

import msgspec
import numpy as np

from data.equity_store import EquitySample, VarDay
from data.limits import Breach, BreachAction, Limit, LimitChange, LimitStatus, LimitType, Unit
from data.records import Fill, OrderUpdate
from data.reports import ReportType
from data.series import EquitySeries, combined
from data.use_store import MINUTE_NS
from data.use_summary import UseHistory, UseOverTime, UsePoint
from nautilus_tui.daemon.risk import answers
from nautilus_tui.daemon.risk.accounts import Account
from nautilus_tui.daemon.risk.computing import Asked
from risk import execution, factors
from risk.attribution import Terms
from risk.frames import DAY_NS, ReturnsFrame
from risk.measures.book import held, measure_book, totals
from risk.measures.regulatory import capital_figures, followed
from risk.portfolio import EngineMoney, Holding, Portfolio
from risk.reports.facts import DAYS_BACK, ReportFacts
from risk.track import track

NOW = 1_790_000_000 * 1_000_000_000
DAYS = 400
NAMES = ("AAPL.SIM", "MSFT.SIM", "SPY.SIM", "EURUSD.SIM", "GOLD.SIM")
SECTORS = {"AAPL.SIM": "Technology", "MSFT.SIM": "Technology", "SPY.SIM": None}
HELD = {"AAPL.SIM": ("1200", "187.53"), "MSFT.SIM": ("-300", "412.10"), "SPY.SIM": ("850", "551.205")}


def frame(names: tuple[str, ...] = NAMES, count: int = DAYS) -> ReturnsFrame:
    """Return correlated returns with fat tails."""
    random = np.random.default_rng(20)
    market = random.standard_t(4, count) * 0.008
    own = random.standard_normal((count, len(names))) * 0.006
    load = np.linspace(1.2, -0.3, len(names))
    times = NOW // DAY_NS * DAY_NS - np.arange(count, 0, -1) * DAY_NS
    return ReturnsFrame(
        instruments=names,
        basis="1d",
        periods_per_year=252.0,
        periods_per_day=1.0,
        times=times.astype(np.int64),
        values=market[:, None] * load + own,
        missing={"NEW.SIM": "3 returns of daily bars, 60 are needed"},
        notes=("2 returns are left out: not all instruments have them",),
        synthetic=True,
    )


def portfolio() -> Portfolio:
    """Return three positions of two engines and one that has no price."""
    rows = [
        Holding(
            engine="paper-1" if name != "SPY.SIM" else "paper-2",
            instrument=name,
            qty=Decimal(qty),
            mark=Decimal(mark),
            currency="USD",
            rate=Decimal(1),
            asset_class="index" if name == "SPY.SIM" else "equity",
            sector=SECTORS[name],
            strategy="manual",
            synthetic=True,
            ts=NOW,
        )
        for name, (qty, mark) in HELD.items()
    ]
    money = [
        EngineMoney(
            engine=engine,
            currency="USD",
            equity=Decimal(equity),
            day_pnl=Decimal(gained),
            peak_equity=Decimal("1010000"),
            synthetic=True,
            ts=NOW,
        )
        for engine, equity, gained in (
            ("paper-1", "1003456.78", "-1234.56"),
            ("paper-2", "498765.43", "310.5"),
        )
    ]
    return Portfolio(holdings=tuple(rows), money=tuple(money), synthetic=True, ts=NOW)


def without_price(found: Portfolio) -> Portfolio:
    """Return the same with one more position of which no price is known."""
    strange = Holding(
        engine="paper-1",
        instrument="NEW.SIM",
        qty=Decimal(5),
        mark=None,
        currency="JPY",
        rate=None,
        asset_class="equity",
        ts=NOW,
    )
    return msgspec.structs.replace(
        found, holdings=(*found.holdings, strange), problems=("NEW.SIM of paper-1 has no price",)
    )


def equity(days: int = 300, width: int = DAY_NS) -> EquitySeries:
    """Return daily closes that wander."""
    random = np.random.default_rng(4)
    values = 1_500_000.0 * np.cumprod(1 + random.standard_t(5, days) * 0.004)
    return combined(
        [
            EquitySample(
                engine="paper-1",
                ts=NOW - (days - 1 - place) * width,
                equity=Decimal(str(round(float(value), 2))),
                currency="USD",
                synthetic=True,
            )
            for place, value in enumerate(values)
        ],
        width,
    )


def fills() -> list[Fill]:
    """Return round trips and openings, newest first."""
    found = []
    for place in range(60):
        name = ("AAPL.SIM", "MSFT.SIM", "SPY.SIM")[place % 3]
        price = Decimal(HELD[name][1]) * (Decimal(1000 + (place * 37) % 40 - 20) / 1000)
        found.append(
            Fill(
                engine="paper-1" if name != "SPY.SIM" else "paper-2",
                trade_id=f"T-{place}",
                client_order_id=f"O-{place}",
                venue_order_id=f"V-{place}",
                instrument=name,
                side="buy" if (place // 3) % 2 == 0 else "sell",
                qty=Decimal(100 + place % 3),
                price=price.quantize(Decimal("0.01")),
                commission=Decimal("1.25"),
                commission_currency="USD",
                liquidity="taker" if place % 4 else "maker",
                strategy=("manual", "=HYPERLINK(evil)", "manual")[place % 3],
                ts=NOW - (60 - place) * DAY_NS // 3,
                synthetic=True,
            )
        )
    return found[::-1]


def orders(filled: list[Fill]) -> list[execution.OrderFacts]:
    """Return an order for each fill, with quotes around most of them."""
    found = []
    for place, fill in enumerate(filled):
        order = OrderUpdate(
            engine=fill.engine,
            client_order_id=fill.client_order_id,
            instrument=fill.instrument,
            side=fill.side,
            order_type="market",
            qty=fill.qty,
            filled_qty=fill.qty,
            avg_price=fill.price,
            tif="gtc",
            status="filled",
            strategy=fill.strategy,
            ts_init=fill.ts - 40_000_000,
            ts=fill.ts,
            seq=place,
            synthetic=True,
        )
        half = Decimal("0.02")
        mid = fill.price - (half if fill.side == "buy" else -half) * (place % 3)
        touch = execution.Touch(bid=mid - half, ask=mid + half, ts=fill.ts - 50_000_000)
        found.append(
            execution.OrderFacts(
                order=order,
                fills=(fill,),
                currency="USD",
                rate=Decimal(1),
                arrival=None if place % 7 == 0 else touch,
                after=touch,
                end=touch,
                vwap=fill.price + Decimal("0.01"),
                volume=fill.qty * (3 + place * 9),
                ts_ack=fill.ts - 20_000_000,
                reasons={"arrival": "no quote is recorded before it"} if place % 7 == 0 else {},
            )
        )
    return found


def limit(kind: LimitType, scope: str, unit: Unit, hard: str) -> Limit:
    """Return a limit as it was set."""
    return Limit(
        id=f"{kind}:{scope}:{unit}",
        limit_type=kind,
        scope=scope,
        hard=Decimal(hard),
        unit=unit,
        effective=Decimal(hard),
        ts_created=NOW - DAY_NS,
        ts_updated=NOW - DAY_NS,
        updated_by="ada",
    )


def statuses() -> tuple[LimitStatus, ...]:
    """Return limits at every level."""
    rows = [
        (limit("position_size", "instrument:AAPL.SIM", "shares", "1500"), "1200", "warn", None),
        (limit("gross_exposure", "portfolio", "notional", "800000"), "817190.25", "breached", None),
        (limit("leverage", "engine:paper-1", "ratio", "2"), "0.3447", "ok", None),
        (limit("order_rate", "engine:paper-1", "orders", "100"), "3", "ok", None),
        (limit("var", "portfolio", "ratio", "0.02"), None, "unknown", "fewer than 100 returns are known"),
    ]
    found = []
    for one, value, level, reason in rows:
        amount = None if value is None else Decimal(value)
        found.append(
            LimitStatus(
                limit=one,
                value=amount,
                use=None if amount is None else amount / one.effective,
                headroom=None if amount is None else one.effective - amount,
                level=level,  # type: ignore[arg-type]
                subject="AAPL.SIM" if one.limit_type == "position_size" else None,
                reason=reason,
                synthetic=True,
                ts=NOW,
            )
        )
    return tuple(found)


def breaches() -> tuple[Breach, ...]:
    """Return breaches at every stage of their lives."""
    stages = ("detected", "acknowledged", "mitigating", "escalated", "resolved")
    severities = ("minor", "major", "critical", "emergency", "minor")
    found = []
    for place, (status, severity) in enumerate(zip(stages, severities, strict=True)):
        detected = NOW - (5 - place) * 3_700 * 1_000_000_000
        one = statuses()[place % 2].limit
        worst = one.hard * (Decimal("1.1") + Decimal("0.3") * place)
        found.append(
            Breach(
                id=f"B-{place}",
                limit_id=one.id,
                limit_type=one.limit_type,
                scope=one.scope,
                unit=one.unit,
                status=status,  # type: ignore[arg-type]
                severity=severity,  # type: ignore[arg-type]
                value=worst - 1,
                worst=worst,
                limit=one.hard,
                use=worst / one.hard,
                checks=4 + place,
                actions=(
                    BreachAction(action="notify", status="done", ts_requested=detected, ts_done=detected + 5),
                    BreachAction(
                        action="deny_increase",
                        engine="paper-1",
                        status="failed",
                        detail="the engine does not run <b>",
                        ts_requested=detected,
                    ),
                ),
                escalated_to="risk manager" if status == "escalated" else None,
                acknowledged_by="ada" if place in (1, 2, 4) else None,
                note="seen to; @ada",
                synthetic=True,
                ts_detected=detected,
                ts_acknowledged=detected + 90 * 1_000_000_000 if place in (1, 2, 4) else None,
                ts_escalated=detected + 600 * 1_000_000_000 if status == "escalated" else None,
                ts_resolved=detected + 1_800 * 1_000_000_000 if status == "resolved" else None,
                ts=NOW,
            )
        )
    return tuple(found)


def use() -> UseHistory:
    """Return ten hours of two limits."""
    limits, points = [], []
    for place, status in enumerate(statuses()[:2]):
        shares = [0.5 + 0.4 * math.sin(minute / 60 + place) + 0.12 * place for minute in range(600)]
        limits.append(
            UseOverTime(
                limit_id=status.limit.id,
                minutes=600,
                mean=sum(shares) / 600,
                p95=sorted(shares)[569],
                highest=max(shares),
                latest=shares[-1],
                warned=sum(share >= 0.8 for share in shares) / 600,
                over=sum(share >= 1 for share in shares) / 600,
            )
        )
        for minute in range(0, 600 - 200 * place, 3):
            ts = (NOW // MINUTE_NS - 600 + minute) * MINUTE_NS
            points.append(UsePoint(limit_id=status.limit.id, ts=ts, highest=max(shares[minute : minute + 3])))
    return UseHistory(limits=tuple(limits), points=tuple(points), width=3)


def var_days(days: EquitySeries) -> tuple[VarDay, ...]:
    """Return what VaR was at the end of each of the latest 40 days."""
    return tuple(
        VarDay(
            book="portfolio",
            day=dt.datetime.fromtimestamp(ts // 1_000_000_000, dt.UTC).date(),
            var_99=float(value) * 0.008,
            es_975_10d=float(value) * 0.03,
            equity=value,
            currency="USD",
            basis="1d",
            synthetic=True,
        )
        for ts, value in list(zip(days.times, days.equity, strict=True))[-40:]
    )


@cache
def facts(kind: ReportType) -> ReportFacts:
    """Return everything that any report is made from, over the period of a type."""
    book, returns, days = without_price(portfolio()), frame(), equity()
    back = DAYS_BACK[kind]
    since = 0 if back is None else NOW - back * DAY_NS
    of, history = held(book, returns), var_days(days)
    figures = capital_figures(of, returns, book.equity, totals(book).gross, history, followed(history, days))
    exposed = factors.exposures(
        book,
        beta=factors.betas_at(dict.fromkeys(("paper-1", "paper-2"), returns), "SPY.SIM"),
        half_spreads={("paper-1", "AAPL.SIM"): Decimal("0.01")},
    )
    terms = {name: Terms("USD", Decimal(1), SECTORS.get(name)) for name in HELD}
    marks = {(one.engine, one.instrument): one.mark for one in book.holdings if one.mark is not None}
    engines = ("paper-1", "paper-2")
    account = Account("portfolio", engines, book, terms, {(one, "USD"): Decimal(1) for one in engines}, marks)
    some = equity(max(back or 300, 2) + 1)
    minutes = EquitySeries()
    found = track(some, minutes)
    asked = Asked(benchmark=None, risk_free=0.0, rolling=None, since=since, ts=NOW)
    return ReportFacts(
        portfolio_id="portfolio",
        as_of=NOW,
        start=since or None,
        environment="PAPER",
        portfolio=book,
        limits=statuses(),
        breaches=breaches(),
        changes=(
            LimitChange(
                id="C-1",
                limit_id=statuses()[0].limit.id,
                before=statuses()[0].limit,
                after=None,
                reason="it would be deleted",
                status="pending",
                asked_by="bob",
                ts_asked=NOW - 1,
            ),
        ),
        use=use(),
        risk=measure_book(book, returns, capital=figures),
        exposures=exposed,
        stress=factors.stress(exposed),
        performance=answers.performance(account, fills(), some, minutes, found, asked, None),
        execution=execution.summary("portfolio", orders(fills()), ts=NOW),
        frame=returns,
        days=days,
        var_days=history,
        sources=("Positions and accounts of paper-1 and paper-2.", "Daily bars of the history."),
    )


def nothing() -> ReportFacts:
    """Return the facts of a home in which nothing has happened yet."""
    return ReportFacts(
        portfolio_id="portfolio",
        as_of=NOW,
        environment="NO ENGINE",
        portfolio=Portfolio(holdings=(), money=(), ts=NOW),
    )
