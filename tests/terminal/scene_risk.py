"""A fixed afternoon of risk: limits near and over their bounds, a breach with its actions, alerts, forecasts.

Hand-made, the same in every run; on the simulated venue, so all of it is synthetic.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec

from data.analytics import (
    Component,
    ExposureAnswer,
    ExposureRow,
    RiskMeasures,
    StressAnswer,
    StressOutcome,
    StressShock,
    VarRow,
)
from data.kill import EngineKill, KillOrder, KillState, KillStatus
from data.limits import (
    Alert,
    AlertSeverity,
    AutoAdjust,
    Breach,
    BreachAction,
    BreachForecast,
    Driver,
    ForecastScore,
    Limit,
    LimitChange,
    LimitLevel,
    LimitStatus,
    LimitType,
    MonitorHealth,
    Unit,
)
from nautilus_tui.terminal.mirror import Mirror
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.risk import (
    AllLimits,
    Breaches,
    ExposuresOf,
    LimitChanges,
    LimitCheck,
    Measures,
    Monitoring,
    Scores,
    StressOf,
)
from tests.terminal.scene import ENGINE, NOW, SECOND

D = Decimal
MINUTE = 60 * SECOND

#: type, scope, unit, hard, value, subject; a value of None cannot be told
TABLE: tuple[tuple[LimitType, str, Unit, str, str | None, str | None], ...] = (
    ("position_size", "instrument:AAPL.SIM", "shares", "500", "560", None),
    ("gross_exposure", "portfolio", "ratio", "2", "1.456", None),
    ("leverage", "portfolio", "ratio", "2", "1.456", None),
    ("concentration", "portfolio", "ratio", "0.35", "0.2645", "ES.SIM"),
    ("daily_loss", "portfolio", "notional", "50000", "12410", None),
    ("drawdown", "engine:paper-1", "ratio", "0.08", "0.0214", None),
    ("var", "portfolio", "ratio", "0.03", "0.0234", None),
    ("net_exposure", "portfolio", "notional", "1500000", "418220", None),
    ("short_exposure", "engine:paper-1", "notional", "800000", "531225", None),
    ("sector_exposure", "sector:Technology", "ratio", "0.4", "0.105", None),
    ("order_notional", "engine:paper-1", "notional", "1000000", "0", None),
    ("order_rate", "engine:paper-1", "orders", "100", "3", None),
    ("turnover", "strategy:mean-reversion", "ratio", "6", "1.84", None),
    ("volatility", "portfolio", "ratio", "0.25", "0.141", None),
    ("correlation", "portfolio", "ratio", "0.7", None, None),
    ("long_exposure", "portfolio", "ratio", "1.8", "0.92", None),
)
REASON = "2 of 3 held instruments have fewer than 60 daily and 100 5-minute returns"


def limit(row: int, **changes: Any) -> Limit:
    """A limit of the table as it was set."""
    limit_type, scope, unit, hard, _, _ = TABLE[row]
    made = Limit(
        id=f"{limit_type}:{scope}:{unit}",
        limit_type=limit_type,
        scope=scope,
        hard=D(hard),
        unit=unit,
        effective=D(hard),
        window_s=1 if limit_type == "order_rate" else None,
        hard_actions=("notify", "deny_increase", "flatten")
        if limit_type == "daily_loss"
        else ("notify", "deny_increase"),
        enabled=limit_type != "long_exposure",
        origin="engine" if limit_type in ("order_notional", "order_rate") else "user",
        ts_created=NOW - 86_400 * SECOND,
        ts_updated=NOW - 7200 * SECOND,
        updated_by="ada",
    )
    return msgspec.structs.replace(made, **changes) if changes else made


def limits(now: int = NOW) -> list[LimitStatus]:
    """Every limit; gross exposure is tightened while volatility is high."""
    found = []
    for row, (limit_type, _, _, _, value, subject) in enumerate(TABLE):
        changes: dict[str, Any] = {}
        if limit_type == "gross_exposure":
            changes = {
                "auto_adjust": AutoAdjust(target_vol=D("0.12")),
                "effective": D("1.6"),
                "adjusted": "volatility 15.0 % is above 12.0 %: 2 × 0.80",
            }
        found.append(status(limit(row, **changes), None if value is None else D(value), subject, now))
    return found


def status(of: Limit, value: Decimal | None, subject: str | None = None, now: int = NOW) -> LimitStatus:
    """How much of a limit is used."""
    use = None if value is None else value / of.effective
    level: LimitLevel = "off" if not of.enabled else "unknown"
    if use is not None and of.enabled:
        level = "breached" if use > 1 else "warn" if use >= of.warn else "ok"
    return LimitStatus(
        limit=of,
        value=value,
        use=use,
        headroom=None if value is None else of.effective - value,
        level=level,
        subject=subject,
        reason=REASON if value is None else None,
        breach_id="B-000017" if level == "breached" else None,
        synthetic=True,
        ts=now - 1_200_000_000,
    )


def breaches(now: int = NOW) -> list[Breach]:
    """One that is open, and two that are over."""
    first = Breach(
        id="B-000017",
        limit_id=limit(0).id,
        limit_type="position_size",
        scope="instrument:AAPL.SIM",
        unit="shares",
        status="detected",
        severity="minor",
        value=D(560),
        worst=D(575),
        limit=D(500),
        use=D("1.12"),
        checks=38,
        actions=(
            BreachAction(
                action="notify",
                status="done",
                detail="log; mailto risk@desk answered 250",
                ts_requested=now - 190 * SECOND,
                ts_done=now - 189 * SECOND,
            ),
            BreachAction(
                action="deny_increase",
                engine=ENGINE,
                status="done",
                detail="paper-1 reports reduce_only, limits version 12",
                ts_requested=now - 190 * SECOND,
                ts_done=now - 190 * SECOND + 42_000_000,
            ),
        ),
        escalated_to="trader",
        synthetic=True,
        ts_detected=now - 190 * SECOND,
        ts=now - SECOND,
    )
    over = msgspec.structs.replace(
        first,
        id="B-000016",
        limit_id=limit(4).id,
        limit_type="daily_loss",
        scope="portfolio",
        unit="notional",
        status="resolved",
        severity="major",
        value=D(41000),
        worst=D(68400),
        limit=D(50000),
        use=D("0.82"),
        actions=(
            BreachAction(
                action="notify", status="done", ts_requested=now - 95 * MINUTE, ts_done=now - 95 * MINUTE
            ),
            BreachAction(
                action="flatten",
                engine=ENGINE,
                status="failed",
                detail="ES.SIM was not closed: the venue rejected the order",
                ts_requested=now - 95 * MINUTE,
            ),
        ),
        acknowledged_by="grace",
        note="hedged by hand",
        ts_detected=now - 96 * MINUTE,
        ts_acknowledged=now - 93 * MINUTE,
        ts_resolved=now - 71 * MINUTE,
        ts=now - 71 * MINUTE,
    )
    return [first, over]


def alerts(now: int = NOW) -> list[Alert]:
    """Three that are open, one that was seen."""
    made = (
        (
            "A-000041",
            "limit.breach",
            "minor",
            "position_size AAPL.SIM at 112 %",
            "560 of 500 shares",
            "B-000017",
            190,
        ),
        (
            "A-000040",
            "limit.warn",
            "warning",
            "gross_exposure portfolio at 91 %",
            "1.46 of 1.60",
            limit(1).id,
            612,
        ),
        (
            "A-000039",
            "limit.adjusted",
            "info",
            "gross_exposure portfolio tightened to 1.60",
            "volatility 15.0 % is above 12.0 %: 2 × 0.80",
            limit(1).id,
            615,
        ),
        (
            "A-000035",
            "limit.breach",
            "major",
            "daily_loss portfolio at 137 %",
            "68,400 of 50,000",
            "B-000016",
            5760,
        ),
    )
    found = []
    for id, kind, severity, title, detail, subject, ago in made:
        seen = id == "A-000035"
        found.append(
            Alert(
                id=id,
                kind=kind,
                severity=_severity(severity),
                title=title,
                detail=detail,
                subject=subject,
                status="acknowledged" if seen else "open",
                told=("log: written",) if severity == "info" else ("trader: told by mail",),
                acknowledged_by="grace" if seen else None,
                ts_raised=now - ago * SECOND,
                ts_acknowledged=now - 93 * MINUTE if seen else None,
                ts=now - ago * SECOND,
                synthetic=True,
            )
        )
    return found


def _severity(text: str) -> AlertSeverity:
    return msgspec.convert(text, AlertSeverity)


def forecasts(now: int = NOW) -> list[BreachForecast]:
    """Of four limits; of one too little is known."""
    drivers = (
        Driver(name="use drift /h", value=0.041, effect=0.19),
        Driver(name="use vol √h", value=0.067, effect=0.11),
    )
    rows: tuple[tuple[int, float | None, float | None, float | None, float | None], ...] = (
        (1, 0.004, 0.064, 0.312, 171.0),
        (3, 0.0002, 0.011, 0.083, 410.0),
        (4, 0.0, 0.0001, 0.021, None),
        (13, None, None, None, None),
    )
    return [
        BreachForecast(
            limit_id=limit(row).id,
            model="analytic first passage",
            p5=p5,
            p30=p30,
            p240=p240,
            minutes_to_breach=minutes,
            drivers=drivers if row == 1 else drivers[:1] if p240 is not None else (),
            samples=2 if p240 is None else 481,
            reason="2 samples of use, 20 are needed" if p240 is None else None,
            synthetic=True,
            ts=now - 2 * SECOND,
        )
        for row, p5, p30, p240, minutes in rows
    ]


def scores() -> list[ForecastScore]:
    """Held-out days of recorded prices, and too few of this daemon's own."""
    plain = ForecastScore(
        model="analytic first passage",
        minutes=240,
        place="records",
        sample="211 held-out days of 40 instruments",
        forecasts=52_310,
        breached=3_120,
        brier=0.041,
        base_brier=0.060,
    )
    here = msgspec.structs.replace(
        plain,
        place="here",
        sample="this daemon's limits",
        forecasts=12,
        breached=0,
        brier=None,
        base_brier=None,
        reason="12 forecasts have come due, 200 are needed",
    )
    return [plain, here]


def change(now: int = NOW) -> LimitChange:
    """A looser leverage that waits for a second person."""
    return LimitChange(
        id="C-000003",
        limit_id=limit(2).id,
        before=limit(2),
        after=limit(2, hard=D(3), effective=D(3)),
        reason="it loosens a limit",
        status="pending",
        asked_by="ada",
        ts_asked=now - 340 * SECOND,
    )


def measures(*, known: bool = True) -> RiskMeasures:
    """Value at risk by every method; or too little data for any."""
    rows = (
        ("historical", 0.0219, 0.0301),
        ("normal", 0.0198, 0.0227),
        ("student", 0.0234, 0.0331),
        ("cornish_fisher", 0.0226, 0.0318),
        ("filtered", 0.0241, 0.0339),
        ("monte_carlo", 0.0201, 0.0230),
        ("evt", 0.0244, 0.0352),
    )
    equity = D("1004312.55")
    return RiskMeasures(
        portfolio_id="portfolio",
        currency="USD",
        equity=equity,
        gross=D("1462280"),
        net=D("418220"),
        leverage=1.456,
        basis="1d" if known else None,
        returns=756 if known else 0,
        periods_per_year=252.0 if known else None,
        ts_first=NOW - 1095 * 86_400 * SECOND,
        ts_last=NOW,
        volatility=0.141 if known else None,
        correlation=0.38 if known else None,
        measures=tuple(
            VarRow(
                method=method,
                confidence=0.99,
                horizon=1,
                var=var if known else None,
                es=es if known else None,
                var_money=(equity * D(str(var))).quantize(D(1)) if known else None,
                es_money=(equity * D(str(es))).quantize(D(1)) if known else None,
                n=756 if known else 0,
                reason=None if known else "AAPL.SIM has 12 daily returns, 60 are needed",
            )
            for method, var, es in rows
        ),
        component_method="historical" if known else None,
        components=tuple(
            Component(
                engine=ENGINE,
                instrument=name,
                qty=D(1),
                value=D(value),
                weight=float(value) / float(equity),
                marginal_var=0.02,
                component_var=D(part),
                component_es=D(part),
                share=float(part) / 21994,
            )
            for name, value, part in (
                ("ES.SIM", "-531225", "14210"),
                ("NVDA.SIM", "180754", "9120"),
                ("AAPL.SIM", "105011", "-1336"),
            )
        )
        if known
        else (),
        capital=(),
        covered=1.0 if known else 0.0,
        missing={} if known else {"AAPL.SIM": "12 daily returns, 60 are needed"},
        synthetic=True,
        ts=NOW - 8 * SECOND,
    )


def _outcome(
    name: str, pnl: str | None, factor: str, unit: str, size: float, left_out: dict[str, str] | None = None
) -> StressOutcome:
    return StressOutcome(
        scenario=name,
        description=name,
        start=dt.date(2008, 9, 1) if name == "2008" else None,
        shocks=(StressShock(factor=factor, unit=unit, size=size, source="recorded"),),
        pnl=None if pnl is None else D(pnl),
        of_equity=None if pnl is None else float(D(pnl)) / 1004312.55,
        by_factor={},
        by_position={},
        items=(),
        left_out=left_out or {},
    )


def stress(*outcomes: StressOutcome) -> StressAnswer:
    """The known scenarios, or those given."""
    return StressAnswer(
        portfolio_id="portfolio",
        currency="USD",
        equity=D("1004312.55"),
        outcomes=outcomes
        or (
            _outcome("2008", "-214300", "equity", "relative", -0.55),
            _outcome("COVID-2020", "-188020", "equity", "relative", -0.34),
            _outcome("rates +200 bp", "-41777", "rates", "basis_points", 200),
            _outcome("volatility ×2", "-12850", "vol", "multiple", 2),
            _outcome("liquidity", "-3120", "spread", "multiple", 5, {"BTCUSD.SIM": "no spread is known"}),
            _outcome("dollar +10 %", "18440", "usd", "relative", 0.1),
            _outcome(
                "oil −40 %", None, "oil", "relative", -0.4, {"all": "nothing that is held moves with it"}
            ),
        ),
        synthetic=True,
        ts=NOW - 8 * SECOND,
    )


def exposures() -> ExposureAnswer:
    """Five positions in four sectors; one has no price."""
    rows = (
        ("ES.SIM", "future", None, "-531225"),
        ("NVDA.SIM", "equity", "Technology", "180754"),
        ("EURUSD.SIM", "fx", None, "433684"),
        ("AAPL.SIM", "equity", "Technology", "105011"),
        ("XOM.SIM", "equity", "Energy", "52185"),
        ("SOLUSD.SIM", "crypto", None, None),
    )
    return ExposureAnswer(
        portfolio_id="portfolio",
        currency="USD",
        equity=D("1004312.55"),
        gross=D("1302859"),
        net=D("240409"),
        long=D("771634"),
        short=D("531225"),
        leverage=1.297,
        rows=tuple(
            ExposureRow(
                engine=ENGINE,
                instrument=name,
                strategy=None,
                asset_class=asset,
                sector=sector,
                currency="USD",
                qty=D(1),
                mark=None,
                value=None if value is None else D(value),
                weight=None if value is None else float(value) / 1004312.55,
                factor=None,
                beta=None,
                sensitivity=None,
                half_spread=None,
                reason="no price" if value is None else None,
                synthetic=True,
            )
            for name, asset, sector, value in rows
        ),
        sums={},
        synthetic=True,
        ts=NOW - SECOND,
    )


def kill(
    state: KillState = "latched", *, verified: bool = True, drill: bool = False, now: int = NOW
) -> KillStatus:
    """The kill switch, pulled two minutes ago for every engine, positions closed."""
    begun = now - 124 * SECOND
    later = {"cancelling": 1, "flattening": 2, "verified": 3, "latched": 4}.get(state, 0)
    stamps = [begun + ms * 1_000_000 for ms in (3, 41, 388, 1240)]
    done = [ts if index < later or index == 0 else None for index, ts in enumerate(stamps)]
    return KillStatus(
        state=state,
        order=KillOrder(
            id="K-1", flatten=True, drill=drill, by="ada", via="terminal", reason="fat finger", ts=begun
        ),
        engines=(
            EngineKill(
                engine=ENGINE,
                state=state,
                cancelled=4,
                flattened=3 if later >= 3 else 1,
                orders_left=0,
                positions_left=0 if later >= 3 else 2,
                positions={} if later >= 3 else {"ES.SIM": D(-2), "EURUSD.SIM": D(40000)},
                ts_blocked=done[0],
                ts_cancelled=done[1],
                ts_flattened=done[2],
                ts_verified=done[3],
            ),
            EngineKill(
                engine="replay-fx",
                state=state if later < 4 else "latched",
                hung=True,
                orders_left=0 if later >= 3 else None,
                positions_left=1 if later >= 3 else None,
                ts_blocked=begun + 5000 * 1_000_000,
                problem=None if verified else "EURUSD.SIM is still held: close it at the venue",
            ),
        ),
        verified=verified and state == "latched",
        ts_latched=begun + 1_300_000_000 if state == "latched" else None,
        ts=now - 120 * SECOND,
    )


def records(now: int = NOW) -> list[Any]:
    """Everything that the stream tells."""
    return [*limits(now), *breaches(now), *alerts(now), *forecasts(now)]


def fill(mirror: Mirror) -> None:
    """Put everything that the stream tells into a mirror."""
    mirror.apply_records(records())


def monitor(**changes: Any) -> MonitorHealth:
    """The monitor, looking."""
    plain = MonitorHealth(
        state="running",
        every_s=5.0,
        cycles=1204,
        failures=0,
        limits=16,
        warning=1,
        breached=1,
        unknown=1,
        open_breaches=1,
        open_alerts=3,
        ts=NOW,
    )
    return msgspec.structs.replace(plain, **changes) if changes else plain


def answers() -> dict[Question[Any], Any]:
    """What is answered when the workspace asks."""
    return {
        AllLimits(): limits(),
        Breaches(): breaches(),
        LimitChanges(): [change()],
        LimitCheck(limit(0).id): limits()[0],
        Measures(): measures(),
        StressOf(): stress(),
        Scores(): scores(),
        Monitoring(): monitor(),
        StressOf(("equity=-20%",)): stress(_outcome("user_defined", "-96120", "equity", "relative", -0.2)),
        ExposuresOf(): exposures(),
    }
