"""``filings``, ``facts``, ``insiders``, ``holdings``, ``search``, ``read``, ``company``, ``providers``.

This module must not know how any of it is fetched.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from data.asked import span
from data.companies import (
    Company,
    CompanyFact,
    CompanyFacts,
    FilingDocument,
    FilingList,
    HoldingsReport,
    InsiderReport,
    SearchResult,
)
from data.facts import ProviderHealth
from nautilus_tui.cli import output, words
from nautilus_tui.cli.asking import AsOfOption, ask, forms_of, show
from nautilus_tui.cli.session import LimitOption, session_of

Who = Annotated[
    str,
    typer.Argument(
        parser=words.name_of("ticker"), metavar="TICKER", help="A ticker in any spelling, or a CIK."
    ),
]
FormOption = Annotated[
    list[str] | None, typer.Option("--form", "-f", help="Only these forms, e.g. 10-K.", show_default=False)
]
StartOption = Annotated[
    Any,
    typer.Option("--start", parser=words.day, metavar="DATE", help="Filed on or after.", show_default=False),
]
EndOption = Annotated[
    Any,
    typer.Option("--end", parser=words.day, metavar="DATE", help="Filed on or before.", show_default=False),
]


def filings(
    context: typer.Context,
    who: Who,
    form: FormOption = None,
    start: StartOption = None,
    end: EndOption = None,
    limit: LimitOption = 40,
    as_of: AsOfOption = None,
) -> None:
    """Show a company's filings, latest first."""
    session = session_of(context)
    span(start, end)
    asked: dict[str, Any] = {
        "forms": forms_of(form),
        "start": start,
        "end": end,
        "limit": limit,
        "as_of": as_of,
    }
    found: FilingList = ask(
        session,
        lambda api: api.filings(who, **asked),
        lambda desk: desk.edgar.filings(who, **asked),
    )
    show(session, found, lambda: _filings(found), *found.problems)


def _filings(found: FilingList) -> Any:
    if not found.filings:
        return f"{found.name}: no such filings"
    table = output.columns("Filed", "Form", "Period", "Accession", "What", last_wraps=True)
    for one in found.filings:
        what = one.form_title + (f" · {', '.join(one.items)}" if one.items else "")
        table.add_row(str(one.filed), one.form, str(one.period or "—"), one.accession, what)
    return table


def facts(
    context: typer.Context,
    who: Who,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            "-m",
            parser=words.name_of("metric"),
            metavar="NAME",
            help="E.g. revenue; all if left out.",
            show_default=False,
        ),
    ] = None,
    period: Annotated[
        Literal["annual", "quarter", "ytd", "instant"] | None,
        typer.Option("--period", "-p", help="Length of the periods.", show_default=False),
    ] = None,
    view: Annotated[
        Literal["restated", "first-filed", "first_filed"],
        typer.Option("--view", help="As last restated, or as first filed."),
    ] = "restated",
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, max=10_000, show_default=False)] = None,
    as_of: AsOfOption = None,
) -> None:
    """Show what a company reported, latest period first: one figure per metric and period."""
    session = session_of(context)
    asked: dict[str, Any] = {
        "metric": metric,
        "period": period,
        "view": view.replace("-", "_"),
        "limit": limit,
        "as_of": as_of,
    }
    found: CompanyFacts = ask(
        session, lambda api: api.facts(who, **asked), lambda desk: desk.edgar.facts(who, **asked)
    )
    show(session, found, lambda: _facts(found))


def _facts(found: CompanyFacts) -> Any:
    if not found.facts:
        return f"{found.name}: no such facts"
    right = ("Value", "Growth")
    table = output.columns("Metric", "Period", "End", *right, "Unit", "Note", "Filed", "Form", right=right)
    for one in found.facts:
        note = " ".join(filter(None, ("restated" if one.restated else "", one.derived)))
        table.add_row(
            one.metric,
            _period(one),
            str(one.end),
            words.big(one.value),
            words.percent(one.growth),
            one.unit,
            note,
            str(one.filed),
            one.form,
        )
    return table


def _period(fact: CompanyFact) -> str:
    """Return a period's name; the year so far is told apart from its last quarter by its months."""
    quarter = fact.fiscal_quarter
    if not quarter:
        return f"FY{fact.fiscal_year}"
    return f"FY{fact.fiscal_year} " + (f"{3 * quarter}M" if fact.period == "ytd" else f"Q{quarter}")


def insiders(context: typer.Context, who: Who, limit: LimitOption = 20, as_of: AsOfOption = None) -> None:
    """Show what insiders did with a company's shares, from its latest Forms 3, 4 and 5."""
    session = session_of(context)
    found: InsiderReport = ask(
        session,
        lambda api: api.insiders(who, limit=limit, as_of=as_of),
        lambda desk: desk.edgar.insiders(who, limit=limit, as_of=as_of),
    )
    show(session, found, lambda: _insiders(found), *found.problems)


def _insiders(found: InsiderReport) -> Any:
    right = ("Shares", "Price", "Value", "After")
    table = output.columns("Date", "Code", *right, "Owner", "Action", "Security", right=right)
    for one in found.transactions:
        table.add_row(
            str(one.date or "—"),
            one.code or "—",
            words.number(one.shares),
            words.number(one.price),
            words.big(one.value),
            words.number(one.shares_after),
            ", ".join(one.owners),
            one.action,
            one.security,
        )
    return table


def holdings(
    context: typer.Context,
    who: Annotated[
        str,
        typer.Argument(parser=words.name_of("cik"), metavar="CIK", help="A manager's CIK, or its ticker."),
    ],
    period: Annotated[
        Any,
        typer.Option(
            "--period", parser=words.day, metavar="DATE", help="A quarter's end.", show_default=False
        ),
    ] = None,
    as_of: AsOfOption = None,
) -> None:
    """Show what a manager holds, from its Form 13F: largest first, in US dollars."""
    session = session_of(context)
    found: HoldingsReport = ask(
        session,
        lambda api: api.holdings(who, period=period, as_of=as_of),
        lambda desk: desk.edgar.holdings(who, period=period, as_of=as_of),
    )
    show(session, found, lambda: _holdings(found), *found.problems)


def _holdings(found: HoldingsReport) -> Any:
    right = ("Value", "Share", "Quantity")
    table = output.columns("Issuer", "Class", *right, "Kind", "CUSIP", right=right)
    table.title = f"{found.name}: {found.period or 'period unknown'}, {words.big(found.total)} USD"
    for one in found.holdings:
        share = "—" if one.share is None else f"{one.share * 100:.2f} %"
        table.add_row(
            one.issuer,
            one.title,
            words.big(one.value),
            share,
            words.number(one.quantity),
            one.put_call or one.quantity_type,
            one.cusip,
        )
    return table


def search(
    context: typer.Context,
    text: Annotated[
        str,
        typer.Argument(
            parser=words.name_of("text"), metavar="TEXT", help="A name, a ticker, or words of a filing."
        ),
    ],
    form: FormOption = None,
    start: StartOption = None,
    end: EndOption = None,
    limit: LimitOption = 20,
) -> None:
    """Search companies by name and ticker, and the text of filings since 2001."""
    session = session_of(context)
    span(start, end)
    asked: dict[str, Any] = {"forms": forms_of(form), "start": start, "end": end, "limit": limit}
    found: SearchResult = ask(
        session,
        lambda api: api.edgar_search(text, **asked),
        lambda desk: desk.edgar.search(text, **asked),
    )
    show(session, found, lambda: _found(found), *found.problems)


def _found(found: SearchResult) -> Any:
    table = output.columns("Kind", "CIK / form", "Ticker / filed", "Name", "Reference", last_wraps=True)
    for company_ in found.companies:
        table.add_row("company", str(company_.cik), " ".join(company_.tickers), company_.name, "")
    for hit in found.filings:
        table.add_row("filing", hit.form, str(hit.filed or "—"), ", ".join(hit.names), hit.accession)
    return table


def read_document(
    context: typer.Context,
    who: Who,
    accession: Annotated[
        str,
        typer.Argument(
            parser=words.name_of("accession"), metavar="ACCESSION", help="The filing's accession number."
        ),
    ],
    document: Annotated[
        str | None,
        typer.Option(
            "--document",
            parser=words.name_of("document"),
            metavar="FILE",
            help="Another file of the filing.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Print the text of a filing's document."""
    session = session_of(context)
    found: FilingDocument = ask(
        session,
        lambda api: api.filing_document(who, accession, document=document),
        lambda desk: desk.edgar.document(who, accession, document=document),
    )
    show(session, found, lambda: found.text.splitlines())


def company(context: typer.Context, who: Who) -> None:
    """Show who a company is."""
    session = session_of(context)
    found: Company = ask(session, lambda api: api.company(who), lambda desk: desk.edgar.company(who))
    show(session, found, lambda: _company(found))


def _company(found: Company) -> list[str]:
    lines = [
        f"{found.name} · CIK {found.cik:010d} · {' '.join(found.tickers)} · {' '.join(found.exchanges)}",
        f"{found.industry or 'industry not told'} · fiscal year ends {found.fiscal_year_end or 'unknown'}",
    ]
    if found.former_names:
        lines.append(f"formerly {', '.join(found.former_names)}")
    return lines


def health(context: typer.Context) -> None:
    """Show how the providers are and what is left of their quotas; nothing is asked of them."""
    session = session_of(context)

    async def of_providers(desk: Any) -> list[ProviderHealth]:
        found: list[ProviderHealth] = desk.health()
        return found

    found = ask(session, lambda api: api.provider_health(), of_providers)
    session.show(found, lambda: _health(found))


def _health(found: list[ProviderHealth]) -> Any:
    right = ("Requests", "Errors", "Quota")
    table = output.columns("Provider", "State", "Pace", *right, "Note", right=right, last_wraps=True)
    for one in found:
        quota = "—" if one.quota_limit is None else f"{one.quota_used} / {one.quota_limit}"
        note = one.reason or ("SYNTHETIC" if one.synthetic else "")
        table.add_row(one.label, one.state, one.pace, str(one.requests), str(one.errors), quota, note)
    return table
