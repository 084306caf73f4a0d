"""The named figures of a company and the tags under which companies report them.

Tags of one figure stand in the order in which they are preferred; which of them is the same figure
under another name is found out from what a company reports. This module must not know how facts are
fetched, or which of several values counts.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["flow", "average", "instant"]
#: A tag in its taxonomy.
Tag = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Metric:
    """A named figure.

    Attributes:
        name: ours.
        label: in plain words.
        kind: ``flow``, money that adds up over time; ``average``, of a time but not adding up, such as
            earnings per share; ``instant``, at a date.
        us: tags of ``us-gaap``, preferred ones first.
        ifrs: tags of ``ifrs-full``, likewise.
        unit: ``money``, ``shares`` or ``per_share``.
        dei: tags of the cover page.
        aliases: other words for it.
    """

    name: str
    label: str
    kind: Kind
    us: tuple[str, ...]
    ifrs: tuple[str, ...]
    unit: Literal["money", "shares", "per_share"] = "money"
    dei: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def tags(self) -> tuple[Tag, ...]:
        """All tags, preferred ones first."""
        return (
            *(("us-gaap", tag) for tag in self.us),
            *(("ifrs-full", tag) for tag in self.ifrs),
            *(("dei", tag) for tag in self.dei),
        )

    def takes(self, unit: str) -> bool:
        """Say whether a unit is one that this figure is told in."""
        return _UNITS[self.unit].fullmatch(unit) is not None


_UNITS = {
    "money": re.compile(r"[A-Z]{3}"),
    "shares": re.compile(r"shares"),
    "per_share": re.compile(r"[A-Z]{3}/shares"),
}

FREE_CASH_FLOW = Metric(
    "free_cash_flow", "Free cash flow: operating cash flow less capital expenditure", "flow", (), (),
    aliases=("fcf",),
)  # fmt: skip

METRICS: tuple[Metric, ...] = (
    Metric(
        "revenue", "Revenue", "flow",
        ("Revenues", "RevenueFromContractWithCustomerExcludingAssessedTax", "SalesRevenueNet",
         "RevenueFromContractWithCustomerIncludingAssessedTax", "RevenuesNetOfInterestExpense",
         "SalesRevenueGoodsNet", "SalesRevenueServicesNet", "RegulatedAndUnregulatedOperatingRevenue",
         "HealthCareOrganizationRevenue", "RealEstateRevenueNet", "OilAndGasRevenue",
         "InterestAndDividendIncomeOperating"),
        ("Revenue", "RevenueFromContractsWithCustomers", "RevenueFromSaleOfGoods",
         "RevenueFromInterest"),
        aliases=("sales", "revenues", "turnover"),
    ),
    Metric(
        "cost_of_revenue", "Cost of revenue", "flow",
        ("CostOfRevenue", "CostOfGoodsAndServicesSold", "CostOfGoodsSold", "CostOfServices"),
        ("CostOfSales",), aliases=("cogs",),
    ),
    Metric("gross_profit", "Gross profit", "flow", ("GrossProfit",), ("GrossProfit",)),
    Metric(
        "rnd", "Research and development", "flow",
        ("ResearchAndDevelopmentExpense",
         "ResearchAndDevelopmentExpenseExcludingAcquiredInProcessCost"),
        ("ResearchAndDevelopmentExpense",), aliases=("research_and_development",),
    ),
    Metric(
        "sga", "Selling, general and administrative", "flow",
        ("SellingGeneralAndAdministrativeExpense",), ("SellingGeneralAndAdministrativeExpense",),
    ),
    Metric("operating_expenses", "Operating expenses", "flow",
           ("OperatingExpenses", "CostsAndExpenses"), ("OperatingExpense",)),
    Metric("operating_income", "Operating income", "flow",
           ("OperatingIncomeLoss",), ("ProfitLossFromOperatingActivities",)),
    Metric(
        "interest_expense", "Interest expense", "flow",
        ("InterestExpense", "InterestExpenseNonoperating", "InterestExpenseDebt"),
        ("InterestExpense", "FinanceCosts"),
    ),
    Metric(
        "income_before_tax", "Income before tax", "flow",
        ("IncomeLossFromContinuingOperationsBeforeIncomeTaxesExtraordinaryItemsNoncontrollingInterest",
         "IncomeLossFromContinuingOperationsBeforeIncomeTaxesMinorityInterestAndIncomeLossFromEquityMethod"
         "Investments"),
        ("ProfitLossBeforeTax",), aliases=("pretax_income",),
    ),
    Metric("income_tax", "Income tax", "flow",
           ("IncomeTaxExpenseBenefit",), ("IncomeTaxExpenseContinuingOperations",)),
    Metric(
        "net_income", "Net income", "flow",
        ("NetIncomeLoss", "ProfitLoss", "NetIncomeLossAvailableToCommonStockholdersBasic"),
        ("ProfitLossAttributableToOwnersOfParent", "ProfitLoss"),
        aliases=("earnings", "profit"),
    ),
    Metric(
        "eps_basic", "Earnings per share, basic", "average",
        ("EarningsPerShareBasic", "EarningsPerShareBasicAndDiluted"),
        ("BasicEarningsLossPerShare",), "per_share",
    ),
    Metric(
        "eps_diluted", "Earnings per share, diluted", "average",
        ("EarningsPerShareDiluted", "EarningsPerShareBasicAndDiluted"),
        ("DilutedEarningsLossPerShare",), "per_share", aliases=("eps",),
    ),
    Metric(
        "dividends_per_share", "Dividends declared per share", "average",
        ("CommonStockDividendsPerShareDeclared", "CommonStockDividendsPerShareCashPaid"),
        ("DividendsRecognisedAsDistributionsToOwnersPerShare",), "per_share", aliases=("dps",),
    ),
    Metric(
        "shares_basic", "Average shares, basic", "average",
        ("WeightedAverageNumberOfSharesOutstandingBasic",
         "WeightedAverageNumberOfShareOutstandingBasicAndDiluted"),
        ("WeightedAverageShares",), "shares",
    ),
    Metric(
        "shares_diluted", "Average shares, diluted", "average",
        ("WeightedAverageNumberOfDilutedSharesOutstanding",
         "WeightedAverageNumberOfShareOutstandingBasicAndDiluted"),
        ("AdjustedWeightedAverageShares",), "shares",
    ),
    Metric(
        "shares_outstanding", "Shares outstanding", "instant", ("CommonStockSharesOutstanding",),
        ("NumberOfSharesOutstanding",), "shares", ("EntityCommonStockSharesOutstanding",),
        aliases=("shares",),
    ),
    Metric(
        "cash", "Cash and cash equivalents", "instant",
        ("CashAndCashEquivalentsAtCarryingValue", "CashAndDueFromBanks",
         "CashCashEquivalentsRestrictedCashAndRestrictedCashEquivalents", "Cash"),
        ("CashAndCashEquivalents", "Cash"),
    ),
    Metric(
        "receivables", "Receivables", "instant",
        ("AccountsReceivableNetCurrent", "ReceivablesNetCurrent",
         "AccountsNotesAndLoansReceivableNetCurrent"),
        ("TradeAndOtherCurrentReceivables", "CurrentTradeReceivables"),
    ),
    Metric("inventory", "Inventory", "instant", ("InventoryNet",), ("Inventories",),
           aliases=("inventories",)),
    Metric("current_assets", "Current assets", "instant", ("AssetsCurrent",), ("CurrentAssets",)),
    Metric(
        "property", "Property, plant and equipment", "instant", ("PropertyPlantAndEquipmentNet",),
        ("PropertyPlantAndEquipment",), aliases=("ppe",),
    ),
    Metric("goodwill", "Goodwill", "instant", ("Goodwill",), ("Goodwill",)),
    Metric("assets", "Total assets", "instant", ("Assets",), ("Assets",), aliases=("total_assets",)),
    Metric(
        "payables", "Accounts payable", "instant",
        ("AccountsPayableCurrent", "AccountsPayableTradeCurrent"),
        ("TradeAndOtherCurrentPayables",),
    ),
    Metric("current_liabilities", "Current liabilities", "instant",
           ("LiabilitiesCurrent",), ("CurrentLiabilities",)),
    Metric(
        "short_term_debt", "Short-term borrowings", "instant",
        ("ShortTermBorrowings", "DebtCurrent", "CommercialPaper"),
        ("CurrentBorrowings", "ShorttermBorrowings"),
    ),
    Metric(
        "long_term_debt", "Long-term debt without what is due within a year", "instant",
        ("LongTermDebtNoncurrent", "LongTermDebtAndCapitalLeaseObligations"),
        ("LongtermBorrowings", "NoncurrentPortionOfNoncurrentBorrowings"),
    ),
    Metric(
        "debt", "Debt as its tag says: with short-term borrowings where they are reported in one",
        "instant",
        ("DebtLongtermAndShorttermCombinedAmount", "LongTermDebt",
         "LongTermDebtAndCapitalLeaseObligationsIncludingCurrentMaturities", "DebtInstrumentCarryingAmount"),
        ("Borrowings",), aliases=("total_debt",),
    ),
    Metric("liabilities", "Total liabilities", "instant", ("Liabilities",), ("Liabilities",),
           aliases=("total_liabilities",)),
    Metric("retained_earnings", "Retained earnings", "instant",
           ("RetainedEarningsAccumulatedDeficit",), ("RetainedEarnings",)),
    Metric(
        "equity", "Shareholders' equity", "instant",
        ("StockholdersEquity",
         "StockholdersEquityIncludingPortionAttributableToNoncontrollingInterest"),
        ("EquityAttributableToOwnersOfParent", "Equity"), aliases=("book_value",),
    ),
    Metric(
        "operating_cash_flow", "Cash from operations", "flow",
        ("NetCashProvidedByUsedInOperatingActivities",
         "NetCashProvidedByUsedInOperatingActivitiesContinuingOperations"),
        ("CashFlowsFromUsedInOperatingActivities", "CashFlowsFromUsedInOperations"), aliases=("ocf",),
    ),
    Metric(
        "capex", "Capital expenditure", "flow",
        ("PaymentsToAcquirePropertyPlantAndEquipment", "PaymentsToAcquireProductiveAssets",
         "PaymentsForCapitalImprovements"),
        ("PurchaseOfPropertyPlantAndEquipmentClassifiedAsInvestingActivities",),
        aliases=("capital_expenditure",),
    ),
    FREE_CASH_FLOW,
    Metric(
        "investing_cash_flow", "Cash from investing", "flow",
        ("NetCashProvidedByUsedInInvestingActivities",
         "NetCashProvidedByUsedInInvestingActivitiesContinuingOperations"),
        ("CashFlowsFromUsedInInvestingActivities",),
    ),
    Metric(
        "financing_cash_flow", "Cash from financing", "flow",
        ("NetCashProvidedByUsedInFinancingActivities",
         "NetCashProvidedByUsedInFinancingActivitiesContinuingOperations"),
        ("CashFlowsFromUsedInFinancingActivities",),
    ),
    Metric(
        "depreciation", "Depreciation and amortization", "flow",
        ("DepreciationDepletionAndAmortization", "DepreciationAmortizationAndAccretionNet",
         "DepreciationAndAmortization"),
        ("AdjustmentsForDepreciationAndAmortisationExpense", "DepreciationAndAmortisationExpense"),
    ),
    Metric(
        "stock_compensation", "Stock-based compensation", "flow", ("ShareBasedCompensation",),
        ("AdjustmentsForSharebasedPayments",), aliases=("sbc",),
    ),
    Metric(
        "dividends", "Dividends paid", "flow",
        ("PaymentsOfDividends", "PaymentsOfDividendsCommonStock"),
        ("DividendsPaidClassifiedAsFinancingActivities", "DividendsPaid"),
    ),
    Metric(
        "buybacks", "Shares bought back", "flow", ("PaymentsForRepurchaseOfCommonStock",),
        ("PaymentsToAcquireOrRedeemEntitysShares",), aliases=("repurchases",),
    ),
)  # fmt: skip

_BY_NAME = {name: metric for metric in METRICS for name in (metric.name, *metric.aliases)}
_KIND_OF = {tag: metric.kind for metric in METRICS for tag in metric.tags}


def named(text: str) -> Metric | None:
    """Return the metric of a name in any spelling: ``Net income``, ``net-income``, ``eps``."""
    return _BY_NAME.get(re.sub(r"[\s\-]+", "_", text.strip()).lower())


def adds_up(tag: Tag) -> bool:
    """Say whether it is known that values of a tag add up over time; of most tags it is not."""
    return _KIND_OF.get(tag) == "flow"


def nearest(text: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of some names of metrics and tags that look most like a text."""
    own = {name.lower(): name for name in names}
    own |= {
        tag.lower(): name for name in names for tag in [name.rpartition(":")[2]] if tag.lower() not in own
    }
    own |= {word: metric.name for word, metric in _BY_NAME.items() if metric.name in names}
    found = difflib.get_close_matches(text.strip().lower().replace(" ", "_"), list(own), n=5, cutoff=0.5)
    return tuple(dict.fromkeys(own[name] for name in found))[:3]
