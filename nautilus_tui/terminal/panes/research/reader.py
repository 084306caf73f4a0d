"""The reader: the text of the filing that was opened, or why there is none yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from data.companies import FilingDocument
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.provenance import entitle, message, why_empty
from nautilus_tui.terminal.panes.research.subject import name_of
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.research import DocumentOf
from nautilus_tui.terminal.research_view import Reading
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.document import Document, plain
from nautilus_tui.terminal.widgets.textview import TextView

EMPTY = "No filing is open. enter on a filing reads it here; esc goes back to the list."


class Reader(TextView):
    """A filing's document."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"research", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Reader"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: FilingDocument | None = None
        self._seen: tuple[Mirror, View] | None = None

    def moved(self) -> None:
        """Say where one is."""
        if self._seen is not None and self._shown is not None and self.document is not None:
            self._entitle(self._shown, *self._seen)

    def wants(self, mirror: Mirror, view: View) -> Iterator[Question[Any]]:
        """Want the text that is read."""
        if view.research.reading is not None:
            yield document_asked(view.research.reading)

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the text, or what it waits for."""
        self._seen = (mirror, view)
        reading, glyphs = view.research.reading, glyphs_of(self.app)
        if reading is None:
            self._shown = None
            entitle(self, "Reader", None, None, view.now_ns, glyphs)
            self.say(message(EMPTY, self.content_size.width))
            return
        answer = mirror.facts.answer(document_asked(reading))
        found = answer.value
        dot = f" {glyphs.dot} "
        if found is None:
            self._shown = None
            title = dot.join(w for w in (reading.title or reading.accession, name_of(mirror, view)) if w)
            entitle(self, title, None, answer, view.now_ns, glyphs)
            connected = mirror.connection.state == "connected"
            words = f"text of {reading.title or reading.accession}"
            style = "warn" if answer.problem is not None else "dim"
            self.say(message(why_empty(answer, words, connected=connected), self.content_size.width, style))
            return
        if found is not self._shown:
            self._shown = found
            self.open(Document(found.text, found.sections), url=found.url, truncated=found.truncated)
        self._entitle(found, mirror, view)

    def _entitle(self, found: FilingDocument, mirror: Mirror, view: View) -> None:
        reading, glyphs = view.research.reading, glyphs_of(self.app)
        if reading is None:
            return
        answer = mirror.facts.answer(document_asked(reading))
        words = dict.fromkeys(w for w in (reading.title or found.form, plain(found.title)) if w)
        title = f" {glyphs.dot} ".join(words)
        entitle(self, title, found, answer, view.now_ns, glyphs, count=self.whereabouts())


def document_asked(reading: Reading) -> DocumentOf:
    """Return the question for the document that is read."""
    return DocumentOf(reading.who, reading.accession, reading.document)
