"""The parts of a company's overview as lines: who it is, price, key figures, earnings, what it does.

Functions of the facts they are given; it must not know of widgets or of what is asked.
"""

from __future__ import annotations

import datetime as dt
import textwrap
from decimal import Decimal
from typing import Any

from data.companies import Company
from data.facts import Fact
from data.fundamentals import CompanyOverview, Earnings, EarningsReport, StockQuote
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.magnitude import amount
from nautilus_tui.terminal.panes.positions import sign_style
from nautilus_tui.terminal.panes.provenance import error_name, provenance, why_empty
from nautilus_tui.terminal.questions.question import Answer
from nautilus_tui.terminal.widgets.document import plain
from nautilus_tui.terminal.widgets.lines import Line, Part, spread, width_of

#: Quarters of earnings that are listed.
QUARTERS = 8
_RANGE = 12


def part_title(
    title: str, fact: Fact | None, answer: Answer[Any], now_ns: int, width: int, glyphs: Glyphs
) -> list[Part]:
    """Return the line over a part: what it is, and where from, how old."""
    told = provenance(fact, answer, now_ns, glyphs)
    warns = answer.problem is not None or (fact is not None and fact.stale is not None)
    style = "warn" if warns else "sim" if fact is not None and fact.synthetic else "dim"
    left: list[Part] = [(f" {title} ", "label")]
    right: list[Part] = [(f" {told} ", style)] if told else []
    rule = max(0, width - width_of(left) - width_of(right))
    return [*left, (glyphs.rule * rule, "rule"), *right]


def problem_lines(
    answer: Answer[Any], words: str, width: int, said: set[str], *, connected: bool
) -> list[Line]:
    """Return why a part has nothing to show; what was said of another part is not said again."""
    text = why_empty(answer, words, connected=connected)
    if answer.problem is not None:
        key = f"{error_name(answer.problem)}{answer.problem.fix}"
        if key in said:
            text = f"{error_name(answer.problem)}, as above."
        said.add(key)
    style = "warn" if answer.problem is not None else "dim"
    return [[(f" {line}", style)] for line in textwrap.wrap(text, max(8, width - 2))]


def company_lines(company: Company, width: int, glyphs: Glyphs) -> list[Line]:
    """Return who a company is, as the regulator has it."""
    dot = f" {glyphs.dot} "
    exchanges = ", ".join(dict.fromkeys(company.exchanges))
    first = dot.join(w for w in (", ".join(company.tickers), exchanges, f"CIK {company.cik}") if w)
    industry = plain(company.industry) + (f" (SIC {company.sic})" if company.sic else "")
    second = dot.join(w for w in (industry, company.state) if w.strip())
    third = []
    if company.fiscal_year_end:
        third.append(f"fiscal year ends {_month_day(company.fiscal_year_end)}")
    if company.filings is not None:
        third.append(f"{company.filings:,} filings")
    lines: list[Line] = [[(f" {plain(company.name)}", "title")]]
    for text, style in ((first, "bright"), (second, ""), (dot.join(third), "dim")):
        lines += [[(f" {line}", style)] for line in textwrap.wrap(text, max(8, width - 2))]
    if company.former_names:
        names = "formerly " + ", ".join(plain(n) for n in company.former_names)
        lines += [[(f" {line}", "dim")] for line in textwrap.wrap(names, max(8, width - 2))[:2]]
    return lines


def _month_day(text: str) -> str:
    """Write ``09-26`` as ``26 Sep``; what is not that stays as it is."""
    try:
        return dt.datetime.strptime(f"2000-{text}", "%Y-%m-%d").strftime("%-d %b")
    except ValueError:
        return plain(text)


def quote_lines(
    quote: StockQuote, overview: CompanyOverview | None, width: int, glyphs: Glyphs
) -> list[Line]:
    """Return the latest price, its change, and where it stands in the year."""
    sign = glyphs.flat if not quote.change else glyphs.up if quote.change > 0 else glyphs.down
    style = sign_style(quote.change)
    currency = quote.currency or (overview.currency if overview is not None else "")
    left: list[Part] = [
        (f" {figures.price(quote.price, 2)}", "title"),
        (f" {currency}  ", "dim"),
        (
            f"{sign} {figures.signed_money(quote.change)}  {figures.signed_percent(quote.change_percent)}%",
            style,
        ),
    ]
    day = figures.DASH if quote.day is None else str(quote.day)
    lines: list[Line] = [spread(left, [(f"{day} ", "dim")], width)]
    volume = f" volume {figures.compact(quote.volume)}  open {figures.price(quote.open, 2)}"
    lines.append([(f"{volume}  {figures.price(quote.low, 2)}–{figures.price(quote.high, 2)}", "dim")])
    return lines


def figure_lines(overview: CompanyOverview, width: int, glyphs: Glyphs) -> list[Line]:
    """Return the key figures in two columns, then what is wider."""
    yield_ = overview.dividend_yield
    pairs = (
        ("Market cap", amount(overview.market_cap), "P/E", _plain_number(overview.pe)),
        ("EPS", _plain_number(overview.eps), "Beta", _plain_number(overview.beta)),
        (
            "Dividend",
            figures.DASH if yield_ is None else f"{yield_ * 100:.2f}%",
            "Quarter",
            figures.DASH if overview.latest_quarter is None else f"{overview.latest_quarter:%Y-%m}",
        ),
    )
    half = max(14, width // 2)
    lines: list[Line] = []
    for label, value, other, second in pairs:
        lines.append(
            [
                *spread([(f" {label}", "label")], [(value, "bright")], half - 2),
                ("  ", ""),
                *spread([(f" {other}", "label")], [(f"{second} ", "bright")], width - half),
            ]
        )
    lines.append(_year_line(overview, width, glyphs))
    kind = f" {glyphs.dot} ".join(plain(w).capitalize() for w in (overview.sector, overview.industry) if w)
    if kind:
        lines += [[(f" {line}", "dim")] for line in textwrap.wrap(kind, max(8, width - 2))]
    return lines


def _year_line(overview: CompanyOverview, width: int, glyphs: Glyphs) -> list[Part]:
    low, high = figures.price(overview.low_52w, 2), figures.price(overview.high_52w, 2)
    return spread(
        [(" 52 weeks", "label")],
        [(low, "bright"), (f" {glyphs.rule} ", "rule"), (f"{high} ", "bright")],
        width,
    )


def _plain_number(value: Decimal | None) -> str:
    return figures.DASH if value is None else f"{value:,.2f}"


def earnings_lines(
    report: EarningsReport, expected: dt.date | None, width: int, glyphs: Glyphs
) -> list[Line]:
    """Return the last quarters: what was reported, what was expected, and by how much it surprised."""
    lines: list[Line] = []
    if expected is not None:
        lines.append([(" next report ", "label"), (f"{expected}", "bright")])
    wide = width >= 46
    header = (
        f" {'Quarter':<8}" + (f"{'Reported':<11}" if wide else "") + f"{'EPS':>7}{'Est':>7}{'Surprise':>11}"
    )
    lines.append([(header, "label")])
    for quarter in report.quarterly[:QUARTERS]:
        lines.append(_quarter_line(quarter, glyphs, wide=wide))
    if not report.quarterly:
        lines.append([(" no quarter is known", "dim")])
    return lines


def _quarter_line(quarter: Earnings, glyphs: Glyphs, *, wide: bool) -> list[Part]:
    told = figures.DASH if quarter.reported is None else str(quarter.reported)
    surprise = quarter.surprise_percent
    sign = (
        " "
        if surprise is None
        else glyphs.flat
        if not surprise
        else glyphs.up
        if surprise > 0
        else glyphs.down
    )
    percent = figures.DASH if surprise is None else f"{figures.signed_percent(surprise, decimals=1)}%"
    style = "bright" if quarter.eps is not None else "dim"
    return [
        (f" {quarter.fiscal_end:%Y-%m} ", "dim"),
        (f"{told:<11}" if wide else "", "dim"),
        (f"{_plain_number(quarter.eps):>7}", style),
        (f"{_plain_number(quarter.estimate):>7}", "dim"),
        (f"  {sign} {percent:>7}", sign_style(surprise)),
    ]


def about_lines(overview: CompanyOverview, width: int) -> list[Line]:
    """Return what the company does, in the vendor's words."""
    return [
        [(f" {line}", "")] for line in textwrap.wrap(plain(overview.description), max(8, min(100, width - 2)))
    ]
