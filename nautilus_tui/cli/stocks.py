"""``stock …``: quotes, prices, overviews and earnings from Alpha Vantage.

This module must not know how any of it is fetched.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from data.fundamentals import CompanyOverview, EarningsReport, PriceSeries, StockQuote, SymbolMatch
from nautilus_tui.cli import output, words
from nautilus_tui.cli.asking import ask, show, show_all
from nautilus_tui.cli.session import session_of

app = typer.Typer(no_args_is_help=True, help="Stocks from Alpha Vantage: quote, prices, overview, earnings.")

Symbol = Annotated[
    str, typer.Argument(parser=words.name_of("symbol"), metavar="SYMBOL", help="E.g. IBM, BRK-B, TSCO.LON.")
]


@app.command("quote")
def quote(context: typer.Context, symbol: Symbol) -> None:
    """Show the latest trading day of a symbol."""
    session = session_of(context)
    found: StockQuote = ask(
        session, lambda api: api.stock_quote(symbol), lambda desk: desk.alpha_vantage.quote(symbol)
    )
    show(session, found, lambda: _quote(found))


def _quote(found: StockQuote) -> Any:
    right = ("Price", "Change", "Change %", "Open", "High", "Low", "Volume")
    table = output.columns("Symbol", "Day", *right, right=right)
    table.add_row(
        found.symbol,
        str(found.day or "—"),
        words.number(found.price),
        words.number(found.change, sign=True),
        words.number(found.change_percent, 2, sign=True),
        words.number(found.open),
        words.number(found.high),
        words.number(found.low),
        words.number(found.volume),
    )
    return table


@app.command("prices")
def prices(
    context: typer.Context,
    symbol: Symbol,
    interval: Annotated[
        Literal["daily", "weekly", "monthly", "1min", "5min", "15min", "30min", "60min"],
        typer.Option("--interval", "-t", help="Length of a period."),
    ] = "daily",
    full: Annotated[bool, typer.Option("--full", help="All there is; a paid key's right.")] = False,
    adjusted: Annotated[bool, typer.Option("--adjusted", help="For splits and dividends; the same.")] = False,
) -> None:
    """Show prices of a symbol, oldest first."""
    session = session_of(context)

    async def asked(of: Any) -> PriceSeries:
        if interval == "weekly":
            found: PriceSeries = await of.weekly(symbol)
        elif interval == "monthly":
            found = await of.monthly(symbol)
        elif interval == "daily":
            found = await of.daily(symbol, full=full, adjusted=adjusted)
        else:
            found = await of.intraday(symbol, interval)
        return found

    series = ask(session, asked, lambda desk: asked(desk.alpha_vantage))
    show(session, series, lambda: _prices(series), *([series.degraded] if series.degraded else []))


def _prices(found: PriceSeries) -> Any:
    right = ("Open", "High", "Low", "Close", "Volume")
    table = output.columns("Time" if found.interval.endswith("min") else "Date", *right, right=right)
    table.title = f"{found.symbol}, {found.interval}, {'adjusted' if found.adjusted else 'as traded'}"
    for bar in found.bars:
        at = words.clock(bar.ts) if found.interval.endswith("min") else str(bar.date)
        table.add_row(at, *words.prices(bar.open, bar.high, bar.low, bar.close), words.number(bar.volume))
    return table


@app.command("overview")
def overview(context: typer.Context, symbol: Symbol) -> None:
    """Show what a company is and its key figures."""
    session = session_of(context)
    found: CompanyOverview = ask(
        session, lambda api: api.overview(symbol), lambda desk: desk.alpha_vantage.overview(symbol)
    )
    show(session, found, lambda: _overview(found))


def _overview(found: CompanyOverview) -> list[str]:
    return [
        f"{found.name} · {found.exchange} · {found.sector} · {found.industry} · {found.country}",
        f"market cap {words.big(found.market_cap)} {found.currency}, P/E {words.number(found.pe)}, "
        f"EPS {words.number(found.eps)}, beta {words.number(found.beta)}, "
        f"52 weeks {words.number(found.low_52w)} to {words.number(found.high_52w)}",
        found.description,
    ]


@app.command("earnings")
def earnings(context: typer.Context, symbol: Symbol) -> None:
    """Show quarterly earnings: estimated, reported, surprise."""
    session = session_of(context)
    found: EarningsReport = ask(
        session, lambda api: api.earnings(symbol), lambda desk: desk.alpha_vantage.earnings(symbol)
    )
    show(session, found, lambda: _earnings(found))


def _earnings(found: EarningsReport) -> Any:
    right = ("EPS", "Estimate", "Surprise", "Surprise %")
    table = output.columns("Quarter", "Reported", *right, right=right)
    for one in found.quarterly:
        table.add_row(
            str(one.fiscal_end),
            str(one.reported or "—"),
            words.number(one.eps),
            words.number(one.estimate),
            words.number(one.surprise, sign=True),
            words.number(one.surprise_percent, 1, sign=True),
        )
    return table


@app.command("search")
def search(
    context: typer.Context,
    keywords: Annotated[str, typer.Argument(parser=words.name_of("keywords"), metavar="KEYWORDS")],
) -> None:
    """Search for symbols; it costs one of the day's requests."""
    session = session_of(context)
    found: list[SymbolMatch] = ask(
        session, lambda api: api.stock_search(keywords), lambda desk: desk.alpha_vantage.search(keywords)
    )
    show_all(session, found, lambda: _matches(found))


def _matches(found: list[SymbolMatch]) -> Any:
    table = output.columns("Symbol", "Name", "Kind", "Region", "Currency")
    for one in found:
        table.add_row(one.symbol, one.name, one.kind, one.region, one.currency)
    return table
