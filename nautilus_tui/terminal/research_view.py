"""What is looked at in the Research workspace: plain state, written by its actions, read by its panes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class ResearchView:
    """The selection in the Research workspace."""

    text: str = ""  #: what is searched for
    company: str | None = None  #: ticker or CIK of the company looked at
    accession: str | None = None  #: the filing that is read
