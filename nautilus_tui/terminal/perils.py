"""What was learnt of risk: limits and their use, forecasts, breaches, alerts, the kill switch.

A part of the mirror. A limit that was deleted is told nowhere on the stream: the list that was asked
for says which there are. It must not know of Textual, of I/O or of how anything is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from decimal import Decimal
from typing import Any, Literal

from data.kill import KillStatus
from data.limits import PORTFOLIO, Alert, AlertSeverity, Breach, BreachForecast, LimitLevel, LimitStatus
from data.records import PositionUpdate
from nautilus_tui.terminal.questions.risk import AllLimits, Breaches

PerilKind = Literal["limits", "breaches", "alerts", "forecasts", "kill"]
Mark = Callable[[PerilKind, Hashable], None]

#: From the least to the worst.
SEVERITIES: tuple[AlertSeverity, ...] = ("info", "warning", "minor", "major", "critical", "emergency")
#: Levels in the order of how much they want to be looked at.
LEVELS: tuple[LimitLevel, ...] = ("breached", "unknown", "warn", "ok", "off")
#: Ended breaches and alerts that are kept.
MAX_ENDED = 300
#: The monitor looks at every limit every few seconds.
_GONE_NS = 60_000_000_000


class Perils:
    """Records of risk by what they are about."""

    def __init__(self, mark: Mark) -> None:
        self._mark = mark
        self.limits: dict[str, LimitStatus] = {}
        self.forecasts: dict[str, BreachForecast] = {}
        self.breaches: dict[str, Breach] = {}
        self.alerts: dict[str, Alert] = {}
        self.kill: KillStatus | None = None  #: None: nothing was told of it

    def appliers(self) -> dict[type, Callable[[Any], None]]:
        """Return the method for each record of the stream."""
        return {
            LimitStatus: self.put_limit,
            BreachForecast: self.put_forecast,
            Breach: self.put_breach,
            Alert: self.put_alert,
            KillStatus: self.put_kill,
        }

    # ------------------------------------------------------------ writing

    def put_limit(self, status: LimitStatus) -> None:
        """Take in how much of a limit is used, unless a later look is known."""
        known = self.limits.get(status.limit.id)
        if known is None or (status.ts, status.limit.version) >= (known.ts, known.limit.version):
            self.limits[status.limit.id] = status
            self._mark("limits", status.limit.id)

    def take_answer(self, question: object, value: Any) -> None:
        """Take in what was asked for: the list of limits says which there are, breaches fill the past."""
        if isinstance(question, AllLimits):
            named = {status.limit.id for status in value}
            for gone in [limit_id for limit_id in self.limits if limit_id not in named]:
                self.forget_limit(gone)
            for status in value:
                self.put_limit(status)
        elif isinstance(question, Breaches):
            for breach in value:
                self.put_breach(breach)

    def forget_limit(self, limit_id: str) -> None:
        """Forget a limit that was deleted."""
        if self.limits.pop(limit_id, None) is not None:
            self.forecasts.pop(limit_id, None)
            self._mark("limits", limit_id)
            self._mark("forecasts", limit_id)

    def begin_anew(self, topic: str) -> None:
        """Forget what a snapshot of a topic tells whole."""
        if topic == "risk.limits" and self.limits:
            self.limits.clear()
            self._mark("limits", "")
        elif topic == "risk.forecast" and self.forecasts:
            self.forecasts.clear()
            self._mark("forecasts", "")
        elif topic == "risk.breaches":
            # What is open is told anew; what was and is not told has ended while nobody listened.
            self.breaches = {i: one for i, one in self.breaches.items() if one.status == "resolved"}
            self._mark("breaches", "")
        elif topic == "risk.alerts":
            self.alerts = {i: one for i, one in self.alerts.items() if one.status != "open"}
            self._mark("alerts", "")

    def put_forecast(self, forecast: BreachForecast) -> None:
        """Take in a forecast, unless a later one is known."""
        known = self.forecasts.get(forecast.limit_id)
        if known is None or forecast.ts >= known.ts:
            self.forecasts[forecast.limit_id] = forecast
            self._mark("forecasts", forecast.limit_id)

    def put_breach(self, breach: Breach) -> None:
        """Take in a breach as it stands, unless it is known further on."""
        known = self.breaches.get(breach.id)
        if known is None or breach.ts >= known.ts:
            self.breaches[breach.id] = breach
            _let_go(self.breaches, lambda one: one.status == "resolved", lambda one: one.ts)
            self._mark("breaches", breach.id)

    def put_alert(self, alert: Alert) -> None:
        """Take in an alert as it stands, unless it is known further on."""
        known = self.alerts.get(alert.id)
        if known is None or alert.ts >= known.ts:
            self.alerts[alert.id] = alert
            _let_go(self.alerts, lambda one: one.status != "open", lambda one: one.ts)
            self._mark("alerts", alert.id)

    def put_kill(self, status: KillStatus) -> None:
        """Take in how the kill switch stands, unless it is known later."""
        if self.kill is None or status.ts >= self.kill.ts:
            self.kill = status
            self._mark("kill", status.state)

    # ------------------------------------------------------------ looking

    def by_use(self) -> list[LimitStatus]:
        """Return the limits, those nearest to trouble first."""
        return sorted(
            self.limits.values(),
            key=lambda s: (
                LEVELS.index(s.level) if s.level in ("breached", "off") else 1,
                -(s.use if s.use is not None else _UNKNOWN_RANK if s.level == "unknown" else Decimal(0)),
                s.limit.id,
            ),
        )

    def open_breaches(self) -> list[Breach]:
        """Return the breaches that are not over, the worst first."""
        found = [breach for breach in self.breaches.values() if breach.status != "resolved"]
        return sorted(found, key=lambda b: (-severity_rank(b.severity), -b.use, b.id))

    def all_breaches(self) -> list[Breach]:
        """Return the breaches, open ones first, then the latest of those that are over."""
        over = [breach for breach in self.breaches.values() if breach.status == "resolved"]
        return [*self.open_breaches(), *sorted(over, key=lambda b: (-(b.ts_resolved or b.ts), b.id))]

    def open_alerts(self) -> list[Alert]:
        """Return the alerts nobody acknowledged yet, the worst first, then the latest."""
        found = [alert for alert in self.alerts.values() if alert.status == "open"]
        return sorted(found, key=lambda a: (-severity_rank(a.severity), -a.ts_raised, a.id))

    def seen_alerts(self) -> list[Alert]:
        """Return the alerts that were acknowledged or are over, the latest first."""
        found = [alert for alert in self.alerts.values() if alert.status != "open"]
        return sorted(found, key=lambda a: (-a.ts, a.id))

    def forecast_of(self, limit_id: str) -> BreachForecast | None:
        """Return the forecast of a limit, if one was told."""
        return self.forecasts.get(limit_id)

    def chance(self, status: LimitStatus) -> Decimal | None:
        """Return the probability that a limit is breached within 240 minutes; None: it cannot be told."""
        forecast = self.forecasts.get(status.limit.id)
        if forecast is not None:
            return None if forecast.p240 is None else Decimal(repr(forecast.p240))
        return status.forecast

    def position_limit(self, position: PositionUpdate) -> LimitStatus | None:
        """Return the fullest limit of position size that tells of a position.

        One that has not been looked at while others were is gone: it was deleted elsewhere.
        """
        newest = max((status.ts for status in self.limits.values()), default=0)
        found = [
            status
            for status in self.limits.values()
            if status.limit.limit_type == "position_size"
            and status.use is not None
            and status.level != "off"
            and newest - status.ts < _GONE_NS
            and (
                status.limit.scope == f"instrument:{position.instrument}"
                or (
                    status.subject == position.instrument
                    and status.limit.scope in (PORTFOLIO, f"engine:{position.engine}")
                )
            )
        ]
        return max(found, key=lambda status: status.use or Decimal(0), default=None)

    def killed(self, engine: str | None) -> bool:
        """Say whether the kill switch holds an engine, or, of None, any."""
        kill = self.kill
        if kill is None or kill.state == "armed" or kill.order is None:
            return False
        return kill.order.engine is None or engine is None or kill.order.engine == engine


#: What is not known stands where a limit used to nine tenths would.
_UNKNOWN_RANK = Decimal("0.9")


def severity_rank(severity: AlertSeverity) -> int:
    """Return how bad a severity is, from 0."""
    return SEVERITIES.index(severity)


def _let_go[T](found: dict[str, T], over: Callable[[T], bool], since: Callable[[T], int]) -> None:
    """Forget the oldest of what is over, beyond what is kept."""
    if len(found) <= MAX_ENDED:
        return
    ended = sorted((key for key, one in found.items() if over(one)), key=lambda key: since(found[key]))
    for key in ended[: len(found) - MAX_ENDED]:
        del found[key]
