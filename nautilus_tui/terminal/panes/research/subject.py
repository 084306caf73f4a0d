"""Who is looked at: the company as far as it is known, and the symbol its stock is asked for under.

What every pane of the Research workspace asks the mirror first. It must not know of widgets.
"""

from __future__ import annotations

from typing import Any

from data.companies import Company
from data.problems import ProblemDocument
from nautilus_tui.terminal.mirror import Mirror
from nautilus_tui.terminal.panes.provenance import why_empty
from nautilus_tui.terminal.questions.question import Answer
from nautilus_tui.terminal.questions.research import OneCompany
from nautilus_tui.terminal.view import View

#: Shown where no company is looked at.
NOBODY = "No company is looked at. s finds one by name, ticker or CIK; so does :research NVIDIA."


def company_of(mirror: Mirror, view: View) -> Company | None:
    """Return the company looked at, None while it is not known."""
    who = view.research.company
    return None if who is None else mirror.facts.answer(OneCompany(who)).value


def symbol_of(mirror: Mirror, view: View) -> str | None:
    """Return the symbol of the company's stock: the ticker asked for, else its first one."""
    who = view.research.company
    if who is None:
        return None
    company = company_of(mirror, view)
    if not who.isdigit():
        spelt = who.replace(".", "-").replace(" ", "-")
        return spelt if company is None or spelt in company.tickers or not company.tickers else who
    return company.tickers[0] if company is not None and company.tickers else None


def name_of(mirror: Mirror, view: View) -> str:
    """Return how the company is called in titles: its ticker, else its name, else what was asked."""
    who = view.research.company
    if who is None:
        return ""
    company = company_of(mirror, view)
    if company is None:
        return who
    return symbol_of(mirror, view) or company.name


def absent(mirror: Mirror, view: View, answer: Answer[Any] | None, words: str) -> str:
    """Return why a pane has nothing to show of the company looked at."""
    if view.research.company is None or answer is None:
        return NOBODY
    return why_empty(answer, words, connected=mirror.connection.state == "connected")


def problem_name(problem: ProblemDocument) -> str:
    """Return the typed error's name, e.g. ``NotConfigured``."""
    return problem.extra.get("error") or problem.title


def vendor_asked(mirror: Mirror, view: View, symbol: str) -> bool:
    """Say whether the vendor is asked about a stock.

    Where its requests are counted by the day it is asked only when the reader says so; a twin, or a
    vendor that is not configured and answers nothing anyway, costs nothing.
    """
    health = mirror.facts.providers.get("alpha_vantage")
    free = health is not None and (health.synthetic or not health.configured or health.quota_limit is None)
    return free or symbol in view.research.asked
