"""Where what a pane shows comes from and how old it is, and what to say where there is nothing to show.

Every pane of facts tells its source, its age, whether it is synthetic, whether it is the last good
value and as of when it was known, all in the same words. It must not know what the facts are about.
"""

from __future__ import annotations

import datetime as dt
import textwrap
from typing import Any

from data.facts import Fact
from data.problems import ProblemDocument
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.answers import told
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.questions.question import Answer
from nautilus_tui.terminal.widgets.lines import Line
from nautilus_tui.terminal.widgets.titled import Titled

#: How providers are called on the screen.
NAMES = {"fred": "FRED", "alpha_vantage": "Alpha Vantage", "edgar": "EDGAR"}
SYNTHETIC = "SYNTHETIC"
#: Cells of a title line beside its words, and the least that a title is cut to before its marks.
_EDGES, _LEAST_TITLE = 4, 8
DEMO = "nautilus-tui --profile demo"
_SHOWS_IT = f"{DEMO} shows all of this on synthetic data."


def error_name(problem: ProblemDocument) -> str:
    """Return the name of a problem that programs and people look at: ``ProviderDown``, ``NotConfigured``."""
    return problem.extra.get("error") or problem.title


def source_name(source: str) -> str:
    """Return a source as it is called on the screen."""
    plain, twin = source.removesuffix("-sandbox"), source.endswith("-sandbox")
    return NAMES.get(plain.replace("-", "_"), plain) + (" sandbox" if twin else "")


def provenance(fact: Fact | None, answer: Answer[Any] | None, now_ns: int, glyphs: Glyphs) -> str:
    """Return source and age of a fact in words, with why it is the last good one where it is.

    ``answer`` is what came of asking for it, where it was asked for.
    """
    stale = None if fact is None else fact.stale
    if answer is not None and answer.problem is not None:
        stale = error_name(answer.problem)
    words: list[str] = []
    if fact is not None:
        words += ["last good value"] if stale else []
        words += [source_name(fact.source), figures.age((now_ns - fact.fetched_at) / 1e6)]
    if stale:
        words.append(f"{glyphs.warn} {stale}")
    elif answer is not None and answer.asking:
        words.append("asking")
    return f" {glyphs.dot} ".join(words)


def entitle(
    pane: Titled,
    title: str,
    fact: Fact | None,
    answer: Answer[Any] | None,
    now_ns: int,
    glyphs: Glyphs,
    *,
    as_of: dt.date | None = None,
    count: str = "",
    more: str = "",
) -> None:
    """Write a pane's title line: what it shows, as of when, from where and how old.

    ``more`` comes after what must be seen: it is the first to be cut.

    Synthetic facts and facts of another day colour the whole line, so that they cannot be taken for
    what they are not.
    """
    synthetic = fact is not None and fact.synthetic
    marks = ([f"AS OF {as_of}"] if as_of is not None else []) + ([SYNTHETIC] if synthetic else [])
    room = pane.content_size.width - _EDGES - sum(len(mark) + 3 for mark in marks)
    if pane.content_size.width and len(title) > max(_LEAST_TITLE, room):
        title = title[: max(_LEAST_TITLE, room) - 1] + glyphs.ellipsis
    words = [title, *marks]
    pane.title = f" {glyphs.dot} ".join((*words, more) if more else words)
    pane.title_style = "replay" if as_of is not None else "sim" if synthetic else ""
    told_ = provenance(fact, answer, now_ns, glyphs)
    pane.subtitle = f" {glyphs.dot} ".join(w for w in (count, told_) if w)


def why_empty(answer: Answer[Any], words: str, *, connected: bool = True) -> str:
    """Return why a pane has nothing to show, and what helps."""
    if not connected:
        return f"No daemon is connected, so there is no {words}. The status line says when it is tried again."
    if answer.problem is not None:
        text = f"{error_name(answer.problem)}: {_said(answer.problem)}"
        unset = error_name(answer.problem) == "NotConfigured"
        return f"{text} {_SHOWS_IT}" if unset and DEMO not in text else text
    if answer.state == "there":
        return f"There is nothing in the {words}."
    return f"Asking for the {words} …"


def _said(problem: ProblemDocument) -> str:
    title, said = f"{problem.title}: ", told(problem)
    text = said.removeprefix(title)
    return text if text.endswith((".", "!")) else f"{text}."


def message(text: str, width: int, style: str = "dim") -> list[Line]:
    """Return a message as lines for a pane of this width, after a blank one."""
    room = max(8, width - 3)
    lines: list[str] = []
    for line in textwrap.wrap(text, room, break_long_words=False):
        # An address that is longer than a line is broken, but begins on one of its own.
        lines += [line[at : at + room] for at in range(0, len(line), room)]
    return [[], *([(f"  {line}", style)] for line in lines)]
