"""Questions of the Risk workspace: which limits there are, breaches of the past, figures of the portfolio."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from data.analytics import ExposureAnswer, RiskMeasures, StressAnswer
from data.limits import Breach, ForecastScore, Limit, LimitChange, LimitStatus, MonitorHealth
from nautilus_tui.terminal.questions.question import Question, QuestionKind

if TYPE_CHECKING:
    from nautilus_tui.client.api import ApiClient


@dataclass(frozen=True, slots=True)
class AllLimits(Question[list[LimitStatus]]):
    """Every limit with its use: says which there are, for one that was deleted is told nowhere.

    One that the monitor has not looked at yet is among them, with that as the reason.
    """

    kind: ClassVar[QuestionKind] = "risk"
    fresh_s: ClassVar[float] = 15.0
    retry_s: ClassVar[float] = 10.0

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return "limits"

    async def put_to(self, client: ApiClient) -> list[LimitStatus]:
        """Ask it."""
        looked_at = {status.limit.id: status for status in await client.limit_statuses()}
        return [looked_at.get(limit.id) or not_looked_at(limit) for limit in await client.limits()]


def not_looked_at(limit: Limit) -> LimitStatus:
    """Return what is known of a limit that the monitor has not looked at yet."""
    return LimitStatus(
        limit=limit,
        value=None,
        use=None,
        headroom=None,
        level="unknown" if limit.enabled else "off",
        reason="the monitor has not looked at it yet",
        synthetic=False,
        ts=limit.ts_updated,
    )


@dataclass(frozen=True, slots=True)
class Breaches(Question[list[Breach]]):
    """The latest breaches, open or over."""

    kind: ClassVar[QuestionKind] = "risk"
    fresh_s: ClassVar[float] = 60.0

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return "breaches"

    async def put_to(self, client: ApiClient) -> list[Breach]:
        """Ask it."""
        return (await client.breaches(every=True)).items


@dataclass(frozen=True, slots=True)
class LimitCheck(Question[LimitStatus]):
    """A limit checked anew, by the code that checks it anyway."""

    kind: ClassVar[QuestionKind] = "risk"
    fresh_s: ClassVar[float] = 86_400.0  #: once, until it is asked for again
    limit_id: str = ""

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return f"check of {self.limit_id}"

    async def put_to(self, client: ApiClient) -> LimitStatus:
        """Ask it."""
        return await client.check_limit(self.limit_id)


@dataclass(frozen=True, slots=True)
class LimitChanges(Question[list[LimitChange]]):
    """Changes of limits that wait for a second person."""

    kind: ClassVar[QuestionKind] = "risk"
    fresh_s: ClassVar[float] = 20.0

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return "changes of limits"

    async def put_to(self, client: ApiClient) -> list[LimitChange]:
        """Ask it."""
        return await client.limit_changes()


@dataclass(frozen=True, slots=True)
class Measures(Question[RiskMeasures]):
    """Value at risk of all that is held, at a confidence and over a horizon in days."""

    kind: ClassVar[QuestionKind] = "risk"
    fresh_s: ClassVar[float] = 30.0
    retry_s: ClassVar[float] = 30.0
    confidence: Decimal = Decimal("0.99")
    horizon: int = 1

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return "risk measures"

    async def put_to(self, client: ApiClient) -> RiskMeasures:
        """Ask it."""
        return await client.risk_measures(confidence=float(self.confidence), horizon=self.horizon)


@dataclass(frozen=True, slots=True)
class StressOf(Question[StressAnswer]):
    """What is held under the known scenarios, or under shocks of one's own, such as ``equity=-20%``."""

    kind: ClassVar[QuestionKind] = "risk"
    fresh_s: ClassVar[float] = 30.0
    retry_s: ClassVar[float] = 30.0
    shocks: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return "stress scenarios"

    async def put_to(self, client: ApiClient) -> StressAnswer:
        """Ask it."""
        return await client.stress(shocks=self.shocks)


@dataclass(frozen=True, slots=True)
class ExposuresOf(Question[ExposureAnswer]):
    """What is held, by position."""

    kind: ClassVar[QuestionKind] = "risk"
    fresh_s: ClassVar[float] = 5.0

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return "exposures"

    async def put_to(self, client: ApiClient) -> ExposureAnswer:
        """Ask it."""
        return await client.exposures()


@dataclass(frozen=True, slots=True)
class Scores(Question[list[ForecastScore]]):
    """How forecasts have done, here and on recorded prices."""

    kind: ClassVar[QuestionKind] = "risk"
    fresh_s: ClassVar[float] = 120.0

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return "scores of forecasts"

    async def put_to(self, client: ApiClient) -> list[ForecastScore]:
        """Ask it."""
        return await client.forecast_scores()


@dataclass(frozen=True, slots=True)
class Monitoring(Question[MonitorHealth]):
    """Whether limits are being looked at."""

    kind: ClassVar[QuestionKind] = "risk"
    fresh_s: ClassVar[float] = 10.0
    retry_s: ClassVar[float] = 10.0

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return "monitor"

    async def put_to(self, client: ApiClient) -> MonitorHealth:
        """Ask it."""
        return await client.monitor_health()
