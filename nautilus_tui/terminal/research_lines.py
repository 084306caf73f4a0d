"""What can be said of companies on the ``:`` line: statements and how they are read.

It must not know of Textual, of the mirror or of how a statement is carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from nautilus_tui.terminal.forms import GROUPS
from nautilus_tui.terminal.words import CommandLineError, Reader

ResearchVerb = Literal["research", "filings", "facts", "insiders", "holdings", "search"]


@dataclass(frozen=True, slots=True)
class ResearchLine:
    """``research NVIDIA``, ``filings NVDA 10-K``, ``facts AAPL revenue``, ``search data center``."""

    verb: ResearchVerb = "research"
    query: str = ""  #: a company by ticker, CIK or name; of ``search``: the words looked for
    detail: str = ""  #: forms or a metric

    def text(self) -> str:
        """Return the line that says this."""
        return " ".join(word for word in (self.verb, self.query, self.detail) if word)


def _rest(reader: Reader) -> str:
    words = []
    while reader.peek() is not None:
        words.append(reader.take("text").text)
    return " ".join(words)


def _who(reader: Reader) -> str:
    """Return a company as it is named: a ticker or a CIK, any there may be."""
    return reader.take("company (a ticker like AAPL, or a CIK)", reader.known.companies).text.upper()


def read_research(reader: Reader) -> ResearchLine:
    """Read what follows ``research``: nothing, a ticker, a CIK or part of a name."""
    reader.wanted.extend(reader.known.companies)
    return ResearchLine("research", _rest(reader))


def read_filings(reader: Reader) -> ResearchLine:
    """Read a company and the forms that are wanted of it."""
    who = _who(reader)
    reader.wanted.extend(group.name for group in GROUPS)
    return ResearchLine("filings", who, _rest(reader).upper())


def read_facts(reader: Reader) -> ResearchLine:
    """Read a company and the metric that is charted."""
    who = _who(reader)
    reader.wanted.extend(reader.known.metrics)
    more = reader.peek() is not None
    return ResearchLine("facts", who, reader.take("metric").text if more else "")


def read_insiders(reader: Reader) -> ResearchLine:
    """Read the company whose insiders are looked at."""
    return ResearchLine("insiders", _who(reader))


def read_holdings(reader: Reader) -> ResearchLine:
    """Read the manager whose holdings are looked at."""
    return ResearchLine("holdings", _who(reader))


def read_search(reader: Reader) -> ResearchLine:
    """Read the words that are looked for in the text of filings."""
    words = _rest(reader)
    if not words:
        raise CommandLineError("say what to look for in the text of filings", reader.end)
    return ResearchLine("search", words)


#: Verbs of this area: how each reads its words, and how it is written in help.
RESEARCH_VERBS: dict[str, tuple[Callable[[Reader], ResearchLine], str]] = {
    "research": (read_research, "research NVIDIA"),
    "filings": (read_filings, "filings NVDA 10-K"),
    "facts": (read_facts, "facts AAPL revenue"),
    "insiders": (read_insiders, "insiders AAPL"),
    "holdings": (read_holdings, "holdings 1067983"),
    "search": (read_search, "search data center demand"),
}
