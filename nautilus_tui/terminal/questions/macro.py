"""Questions of the Macro workspace."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from data.fundamentals import Due
from data.macro import FactorHistory, MacroFactor, MacroRegime, ReleaseDate, Series, YieldCurve
from nautilus_tui.terminal.questions.question import Question, QuestionKind

if TYPE_CHECKING:
    from nautilus_tui.client.api import ApiClient


@dataclass(frozen=True, slots=True)
class Factors(Question[list[MacroFactor]]):
    """Every macro factor, as of a date or now."""

    kind: ClassVar[QuestionKind] = "macro"
    as_of: dt.date | None = None

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return "macro factors"

    async def put_to(self, client: ApiClient) -> list[MacroFactor]:
        """Ask it."""
        return await client.macro_factors(as_of=self.as_of)


@dataclass(frozen=True, slots=True)
class Regime(Question[MacroRegime]):
    """The regime and the recession probability, as of a date or now."""

    kind: ClassVar[QuestionKind] = "macro"
    as_of: dt.date | None = None

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return "macro regime"

    async def put_to(self, client: ApiClient) -> MacroRegime:
        """Ask it."""
        return await client.macro_regime(as_of=self.as_of)


@dataclass(frozen=True, slots=True)
class History(Question[FactorHistory]):
    """A factor over the years, as of a date or now."""

    kind: ClassVar[QuestionKind] = "macro"
    fresh_s: ClassVar[float] = 900.0
    factor: str = ""
    years: int = 10
    as_of: dt.date | None = None

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return f"history of {self.factor}"

    async def put_to(self, client: ApiClient) -> FactorHistory:
        """Ask it."""
        return await client.factor_history(self.factor, years=self.years, as_of=self.as_of)


@dataclass(frozen=True, slots=True)
class OneSeries(Question[Series]):
    """A series by its id, as of a date or now."""

    kind: ClassVar[QuestionKind] = "macro"
    fresh_s: ClassVar[float] = 900.0
    series: str = ""
    as_of: dt.date | None = None

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return f"series {self.series}"

    async def put_to(self, client: ApiClient) -> Series:
        """Ask it."""
        return await client.series(self.series, as_of=self.as_of)


@dataclass(frozen=True, slots=True)
class YieldCurves(Question[list[YieldCurve]]):
    """The yield curve now, a month ago and a year ago; of a date, that date takes the place of now."""

    kind: ClassVar[QuestionKind] = "macro"
    as_of: dt.date | None = None

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return "yield curve"

    async def put_to(self, client: ApiClient) -> list[YieldCurve]:
        """Ask it."""
        return await client.yield_curves(as_of=self.as_of)


@dataclass(frozen=True, slots=True)
class Releases(Question[list[ReleaseDate]]):
    """The calendar of releases."""

    kind: ClassVar[QuestionKind] = "macro"
    fresh_s: ClassVar[float] = 900.0
    days_ahead: int = 14

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return "calendar of releases"

    async def put_to(self, client: ApiClient) -> list[ReleaseDate]:
        """Ask it."""
        return await client.economic_calendar(days_ahead=self.days_ahead)


@dataclass(frozen=True, slots=True)
class WhatIsDue(Question[Due]):
    """What is due for what is held and watched."""

    kind: ClassVar[QuestionKind] = "macro"
    fresh_s: ClassVar[float] = 120.0

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return "what is due"

    async def put_to(self, client: ApiClient) -> Due:
        """Ask it."""
        return await client.due()
