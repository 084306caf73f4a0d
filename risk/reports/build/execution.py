"""Execution quality: what orders cost against the market, how fast they were, by venue and by size."""

from __future__ import annotations

from data.analytics import ExecutionAnswer
from risk.reports.build import common
from risk.reports.build.summaries import execution_figures
from risk.reports.document import Block, Chart, Column, Section, Table, table
from risk.reports.facts import ReportFacts

_ORDERS = 40  #: that are read; costliest first
_NO_MID = "no quote is recorded at its arrival, or it was not filled"


def sections(facts: ReportFacts) -> tuple[Section, ...]:
    """Return the report's sections."""
    found = facts.execution
    if found is None:
        return (Section("summary", "Summary", (common.missing(facts, "execution", "Execution"),)),)
    return (
        Section(
            "summary",
            "Summary",
            (
                common.figures("summary", "Summary", execution_figures(found)),
                *common.told(facts, [f"Grade: {found.grade_rule}", *found.notes]),
            ),
        ),
        Section("venues", "Venues", (_venues(found),)),
        Section("impact", "Market impact", (_impact(found),)),
        Section("orders", "Orders", _orders(found)),
        Section("unknown", "What cannot be told", (_unknown(found),)),
    )


def _venues(found: ExecutionAnswer) -> Table:
    none = "no order there tells"
    rows = [
        (
            one.venue,
            one.orders,
            one.filled_orders,
            one.rejected,
            one.fill_rate,
            one.slippage_arrival_bps,
            one.shortfall_bps,
            one.median_ack_ms,
            one.median_first_fill_ms,
            one.maker_share,
            one.grade,
        )
        for one in found.venues
    ]
    return table(
        "venues",
        "By venue",
        (
            Column("venue", "Venue"),
            Column("orders", "Orders", "count"),
            Column("filled", "Filled", "count"),
            Column("rejected", "Rejected", "count"),
            Column("fill_rate", "Fill rate", "percent", decimals=1, reason=none),
            Column("slippage", "Slippage", "bps", "bp", reason=none),
            Column("shortfall", "Shortfall", "bps", "bp", reason=none),
            Column("ack", "Ack", "number", "ms", 1, reason=none),
            Column("first_fill", "First fill", "number", "ms", 1, reason=none),
            Column("maker", "Maker", "percent", decimals=1, reason="no fill says"),
            Column("grade", "Grade", "status", reason=none),
        ),
        rows,
        note="Positive slippage and shortfall are costs, weighted by value; times are medians.",
        empty="There were no orders.",
    )


def _impact(found: ExecutionAnswer) -> Table:
    return table(
        "impact",
        "By participation",
        (
            Column("participation", "Participation"),
            Column("orders", "Orders", "count"),
            Column("slippage", "Slippage", "bps", "bp", reason="no order of these tells"),
            Column("impact", "Impact", "bps", "bp", reason="no order of these tells"),
        ),
        [(one.participation, one.orders, one.slippage_arrival_bps, one.impact_bps) for one in found.impact],
        note="Participation: the own share of the traded quantity. Impact: the mid after the last fill "
        "against the mid at arrival, in the order's direction.",
        empty="No traded quantity is recorded beside the orders.",
    )


def _orders(found: ExecutionAnswer) -> tuple[Block, ...]:
    ranked = sorted(
        found.rows,
        key=lambda one: (one.slippage_arrival_bps is None, -(one.slippage_arrival_bps or 0.0), -one.ts_init),
    )
    rows = [
        (
            one.client_order_id,
            one.ts_init,
            one.instrument,
            one.side,
            one.order_type.replace("_", " "),
            one.status,
            one.filled_qty,
            one.avg_price,
            one.slippage_arrival_bps,
            one.shortfall,
            one.grade,
        )
        for one in ranked[:_ORDERS]
    ]
    listed = table(
        "orders",
        f"The {_ORDERS} costliest of {len(found.rows):,} orders"
        if len(found.rows) > _ORDERS
        else "Orders, costliest first",
        (
            Column("order", "Order"),
            Column("time", "Made, UTC", "time"),
            Column("instrument", "Instrument"),
            Column("side", "Side"),
            Column("type", "Type"),
            Column("status", "Status", "status"),
            Column("filled", "Filled", "quantity"),
            Column("price", "Average", "price", reason="not filled"),
            Column("slippage", "Slippage", "bps", "bp", reason=_NO_MID),
            Column("shortfall", "Shortfall", "money", reason=_NO_MID),
            Column("grade", "Grade", "status", reason=_NO_MID),
        ),
        rows,
        empty="There were no orders.",
    )
    if not any(one.slippage_arrival_bps is not None for one in ranked):
        return (listed,)
    chart = Chart(
        key="slippage_chart",
        title="Slippage to the arrival mid, bp",
        kind="bars",
        table="orders",
        x="order",
        y=("slippage",),
        caption="Positive is a cost.",
    )
    return chart, listed


def _unknown(found: ExecutionAnswer) -> Table:
    rows = sorted(found.unknown.items(), key=lambda one: (-one[1], one[0]))
    return table(
        "unknown",
        "Why figures are missing",
        (Column("reason", "Reason"), Column("orders", "Orders", "count")),
        rows,
        empty="Every figure of every order is known.",
    )
