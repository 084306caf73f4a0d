"""Actions of the Research workspace: which company is looked at, which of its filings, which figures."""

from __future__ import annotations

from typing import Final

from nautilus_tui.terminal.actions.action import Action, connected
from nautilus_tui.terminal.situation import Situation


def _instrument_chosen(situation: Situation) -> str | None:
    return None if situation.view.instrument is not None else "no instrument is selected"


def _company_chosen(situation: Situation) -> str | None:
    return None if situation.view.research.company is not None else "no company is looked at"


def _can_ask(situation: Situation) -> str | None:
    health = situation.mirror.facts.providers.get("alpha_vantage")
    if health is not None and (health.synthetic or not health.configured):
        return "it is asked by itself here: no request is counted"
    return _company_chosen(situation) or connected(situation)


def _been_before(situation: Situation) -> str | None:
    return None if situation.view.research.trail.before is not None else "this is the first company looked at"


def _been_ahead(situation: Situation) -> str | None:
    return None if situation.view.research.trail.ahead is not None else "this is the last company looked at"


def _searched(situation: Situation) -> str | None:
    return None if situation.view.research.text else "nothing is searched for"


def _phrase_looked_for(situation: Situation) -> str | None:
    research = situation.view.research
    return None if research.phrase or research.forms else "every filing of the company is listed"


def _charted(situation: Situation) -> str | None:
    return None if situation.view.research.metric is not None else "no metric is charted"


def _read(situation: Situation) -> str | None:
    return None if situation.view.research.reading is not None else "no filing is open"


RESEARCH: Final = (
    Action(
        id="research.instrument",
        keys=("R",),
        name="research-instrument",
        scope="trade",
        label="The company: its filings, figures and insiders",
        hint="research",
        check=_instrument_chosen,
    ),
    Action(
        id="research.find",
        keys=("s",),
        name="find-company",
        scope="research",
        label="Find a company by name, ticker or CIK",
        hint="find",
    ),
    Action(
        id="research.back",
        keys=("b", "alt+left"),
        name="company-back",
        scope="research",
        label="Back to the company before",
        hint="back",
        check=_been_before,
    ),
    Action(
        id="research.forward",
        keys=("B", "alt+right"),
        name="company-forward",
        scope="research",
        label="Forward again",
        check=_been_ahead,
    ),
    Action(
        id="research.stock",
        keys=("a",),
        name="ask-price",
        scope="research",
        label="Ask Alpha Vantage for price, key figures and earnings",
        hint="price",
        check=_can_ask,
    ),
    Action(
        id="research.refresh",
        keys=("r",),
        name="research-refresh",
        scope="research",
        label="Ask for everything here again",
        hint="refresh",
        check=connected,
    ),
    Action(
        id="companies.all",
        keys=("escape",),
        name="companies-all",
        scope="companies",
        label="Companies looked at and traded again",
        hint="all",
        check=_searched,
    ),
    Action(
        id="filings.forms",
        keys=("t",),
        name="filing-forms",
        scope="filings",
        label="Forms listed: all, 10-K, 10-Q, 8-K, insiders, holders …",
        hint="forms",
    ),
    Action(
        id="filings.all",
        keys=("escape",),
        name="filings-all",
        scope="filings",
        label="Every filing of the company again",
        hint="all",
        check=_phrase_looked_for,
    ),
    Action(
        id="facts.cadence",
        keys=("t",),
        name="figures-cadence",
        scope="facts",
        label="Figures of years, or of quarters",
        hint="quarters",
    ),
    Action(
        id="facts.view",
        keys=("v",),
        name="figures-view",
        scope="facts",
        label="Figures as restated, or as first filed",
        hint="restated",
    ),
    Action(
        id="facts.growth",
        keys=("w",),
        name="figures-growth",
        scope="facts",
        label="Growth on the year before under each figure",
        hint="growth",
    ),
    Action(
        id="facts.close",
        keys=("escape",),
        name="figures-chart-close",
        scope="facts",
        label="Close the metric's bars",
        check=_charted,
    ),
    Action(
        id="reader.close",
        keys=("escape",),
        name="reader-close",
        scope="reader",
        label="Back to the list of filings",
        hint="list",
    ),
    Action(
        id="reader.sections",
        keys=("o",),
        name="reader-sections",
        scope="reader",
        label="Pick a section of the document",
        hint="sections",
        check=_read,
    ),
)
