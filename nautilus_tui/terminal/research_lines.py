"""What can be said of companies on the ``:`` line: statements and how they are read.

It must not know of Textual, of the mirror or of how a statement is carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nautilus_tui.terminal.words import Reader


@dataclass(frozen=True, slots=True)
class ResearchLine:
    """``research`` or ``research NVIDIA``: go to the workspace, and search there."""

    query: str = ""

    def text(self) -> str:
        """Return the line that says this."""
        return f"research {self.query}".rstrip()


def read_research(reader: Reader) -> ResearchLine:
    """Read what follows ``research``."""
    words = []
    while reader.peek() is not None:
        words.append(reader.take("text").text)
    return ResearchLine(" ".join(words))


#: Verbs of this area: how each reads its words, and how it is written in help.
RESEARCH_VERBS: dict[str, tuple[Callable[[Reader], ResearchLine], str]] = {
    "research": (read_research, "research NVIDIA"),
}
