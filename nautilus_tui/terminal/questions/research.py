"""Questions of the Research workspace: companies, what they file, what is known of their stock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from data.companies import (
    Company,
    CompanyFacts,
    FilingDocument,
    FilingList,
    HoldingsReport,
    InsiderReport,
    SearchResult,
    View,
)
from data.fundamentals import CompanyOverview, EarningsReport, StockQuote
from nautilus_tui.terminal.questions.question import Question

if TYPE_CHECKING:
    from nautilus_tui.client.api import ApiClient

#: So many filings are listed at once.
FILINGS = 200
#: From so many ownership filings transactions are read.
OWNERSHIP_FILINGS = 30
#: So many companies are offered for a text.
MATCHES = 40
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class CompaniesLike(Question[list[Company]]):
    """Companies whose name or ticker matches a text."""

    fresh_s: ClassVar[float] = _DAY_S
    text: str = ""

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return f"companies like {self.text}"

    async def put_to(self, client: ApiClient) -> list[Company]:
        """Ask it."""
        return await client.companies(self.text, limit=MATCHES)


@dataclass(frozen=True, slots=True)
class OneCompany(Question[Company]):
    """All that a company's own file tells of it; ``who`` is a ticker or a CIK."""

    fresh_s: ClassVar[float] = 3600.0
    who: str = ""

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return f"company {self.who}"

    async def put_to(self, client: ApiClient) -> Company:
        """Ask it."""
        return await client.company(self.who)


@dataclass(frozen=True, slots=True)
class FilingsOf(Question[FilingList]):
    """The latest filings of a company, of some forms or of all."""

    fresh_s: ClassVar[float] = 600.0
    who: str = ""
    forms: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return f"filings of {self.who}"

    async def put_to(self, client: ApiClient) -> FilingList:
        """Ask it."""
        return await client.filings(self.who, forms=self.forms, limit=FILINGS)


@dataclass(frozen=True, slots=True)
class DocumentOf(Question[FilingDocument]):
    """The text of a filing's document; no name means its primary one. What was filed never changes."""

    fresh_s: ClassVar[float] = 30 * _DAY_S
    kept: ClassVar[int] = 8
    who: str = ""
    accession: str = ""
    document: str | None = None

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return f"text of filing {self.accession}"

    async def put_to(self, client: ApiClient) -> FilingDocument:
        """Ask it."""
        return await client.filing_document(self.who, self.accession, document=self.document)


@dataclass(frozen=True, slots=True)
class FactsOf(Question[CompanyFacts]):
    """The usual figures of a company, and those of one metric that is not among them."""

    fresh_s: ClassVar[float] = 3600.0
    who: str = ""
    view: View = "restated"
    metric: str | None = None

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return f"figures of {self.who}" if self.metric is None else f"{self.metric} of {self.who}"

    async def put_to(self, client: ApiClient) -> CompanyFacts:
        """Ask it."""
        return await client.facts(self.who, metric=self.metric, view=self.view)


@dataclass(frozen=True, slots=True)
class InsidersOf(Question[InsiderReport]):
    """What a company's insiders traded."""

    fresh_s: ClassVar[float] = 900.0
    who: str = ""

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return f"insiders of {self.who}"

    async def put_to(self, client: ApiClient) -> InsiderReport:
        """Ask it."""
        return await client.insiders(self.who, limit=OWNERSHIP_FILINGS)


@dataclass(frozen=True, slots=True)
class HoldingsOf(Question[HoldingsReport]):
    """What a manager reported to hold."""

    fresh_s: ClassVar[float] = 3600.0
    who: str = ""

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return f"holdings of {self.who}"

    async def put_to(self, client: ApiClient) -> HoldingsReport:
        """Ask it."""
        return await client.holdings(self.who)


@dataclass(frozen=True, slots=True)
class FilingsSaying(Question[SearchResult]):
    """Filings in whose text something is said."""

    fresh_s: ClassVar[float] = 900.0
    text: str = ""
    forms: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return f"filings that say “{self.text}”"

    async def put_to(self, client: ApiClient) -> SearchResult:
        """Ask it."""
        return await client.edgar_search(self.text, forms=self.forms, limit=100)


@dataclass(frozen=True, slots=True)
class QuoteOf(Question[StockQuote]):
    """The vendor's latest trading day of a symbol."""

    fresh_s: ClassVar[float] = 3600.0
    retry_s: ClassVar[float] = 600.0
    symbol: str = ""

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return f"quote of {self.symbol}"

    async def put_to(self, client: ApiClient) -> StockQuote:
        """Ask it."""
        return await client.stock_quote(self.symbol)


@dataclass(frozen=True, slots=True)
class OverviewOf(Question[CompanyOverview]):
    """What a company is and its key figures, as the vendor has them."""

    fresh_s: ClassVar[float] = _DAY_S
    retry_s: ClassVar[float] = 600.0
    symbol: str = ""

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return f"overview of {self.symbol}"

    async def put_to(self, client: ApiClient) -> CompanyOverview:
        """Ask it."""
        return await client.overview(self.symbol)


@dataclass(frozen=True, slots=True)
class EarningsOf(Question[EarningsReport]):
    """Earnings a share, expected and reported."""

    fresh_s: ClassVar[float] = _DAY_S
    retry_s: ClassVar[float] = 600.0
    symbol: str = ""

    @property
    def words(self) -> str:
        """What is asked, in words."""
        return f"earnings of {self.symbol}"

    async def put_to(self, client: ApiClient) -> EarningsReport:
        """Ask it."""
        return await client.earnings(self.symbol)
