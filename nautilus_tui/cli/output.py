"""What leaves the process: results on stdout, talk on stderr, and the exit code. Nobody else prints.

Text is somebody's: a reason, a note, a log line. No terminal obeys it, because control characters in
it are written as escapes here, and none of it passes for a line of ours, because it goes on indented
behind a line break. Who stops reading ends the run quietly, as a signal would; what cannot be written
for another reason is an error. This module must not know of any particular command.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TextIO

import typer

from data.commands import Outcome
from data.problems import ProblemDocument, ProblemError
from data.records import OrderUpdate
from data.words import shown
from nautilus_tui.cli.remedies import remedied

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Table
    from rich.text import Text

_WIDTH_WITHOUT_TERMINAL = 200
#: What JSON may hold as it is and a terminal obeys nevertheless; it stands in texts only.
_OBEYED_IN_JSON = re.compile("[\x7f-\x9f]")
_BEYOND_ASCII = re.compile("[^\x00-\x7f]")


class ExitCode(IntEnum):
    """What the process ends with."""

    DONE = 0
    FAILED = 1  #: anything that is none of the others
    USAGE = 2
    DENIED = 3  #: denied or rejected; the reason is in the answer
    UNKNOWN = 4  #: sent, and no answer came
    NOT_REACHABLE = 5
    PROVIDER = 6  #: a provider of facts failed; ``error`` in the answer is the error's name
    INTERRUPTED = 130
    UNREAD = 141  #: who read the answer stopped reading


_BY_TYPE = {
    "invalid-request": ExitCode.USAGE,
    "bad-config": ExitCode.USAGE,
    "denied": ExitCode.DENIED,
    "rejected": ExitCode.DENIED,
    "forbidden": ExitCode.DENIED,
    "order-authority": ExitCode.DENIED,
    "unauthorized": ExitCode.DENIED,
    "conflict": ExitCode.DENIED,
    "rate-limited": ExitCode.DENIED,
    "outcome-unknown": ExitCode.UNKNOWN,
    "not-reachable": ExitCode.NOT_REACHABLE,
    "not-trusted": ExitCode.NOT_REACHABLE,
}
#: Problems of a command that are our failure, not a refusal.
_FAILURES = frozenset({"internal", "engine-failed", "journal-failed", "store-failed"})


def code_of_problem(problem_type: str) -> ExitCode:
    """Return the exit code of a question that could not be answered."""
    if problem_type.startswith("provider-"):
        return ExitCode.PROVIDER
    return _BY_TYPE.get(problem_type, ExitCode.FAILED)


def code_of_outcome(outcome: Outcome) -> ExitCode:
    """Return the exit code of a command: that of its problem, and whatever else was refused is denied."""
    statuses = {order.status for order in outcome.orders}
    if outcome.outcome == "unknown" or (outcome.outcome == "done" and "unknown" in statuses):
        return ExitCode.UNKNOWN
    if outcome.problem is not None:
        code = code_of_problem(outcome.problem.type)
        return code if code is not ExitCode.FAILED or outcome.problem.type in _FAILURES else ExitCode.DENIED
    if outcome.outcome != "done":
        return ExitCode.FAILED
    return ExitCode.DENIED if statuses & {"denied", "rejected"} else ExitCode.DONE


class UnwrittenError(ProblemError):
    """An answer could not be written; what was asked for may have been done."""

    type, title, status = "unwritten", "Answer not written", 500


def of_system(error: OSError) -> ProblemError:
    """Return what the system refused, of a file mostly, in our words for errors."""
    what = f"{error.filename}: " if error.filename else ""
    return ProblemError(
        f"{what}{error.strerror or error}",
        rule="what a command reads and writes is there and open to its user",
        fix="check the name, its owner and the room that is left",
    )


def plain(text: str) -> str:
    """Return text with control characters as escapes, and what comes behind line breaks indented."""
    return "\n    ".join(_escaped(part) for part in text.split("\n"))


def _escaped(text: str) -> str:
    return shown(text, len(text))


def show_json(value: Any) -> None:
    """Print a value as JSON on stdout: times as ISO 8601, decimals as text."""
    import msgspec

    from data import forms

    _print_json(msgspec.json.format(forms.to_json(_timed(value))))


def show_json_line(value: Any) -> None:
    """Print a value as JSON on one line, for output that goes on."""
    from data import forms

    _print_json(forms.to_json(value))


def _timed(value: Any) -> Any:
    """Return plain values, as some questions are answered with, with times as text; others as they are."""
    from data import forms

    if isinstance(value, list):
        return [_timed(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: forms.iso(one) if type(one) is int and forms.is_time(str(name)) else _timed(one)
        for name, one in value.items()
    }


def _print_json(content: bytes) -> None:
    text = _OBEYED_IN_JSON.sub(lambda one: f"\\u{ord(one[0]):04x}", content.decode())
    if sys.stdout is not None and "utf" not in (sys.stdout.encoding or "utf").lower():
        text = _BEYOND_ASCII.sub(_in_utf_16, text)
    write(f"{text}\n")


def _in_utf_16(found: re.Match[str]) -> str:
    """Return characters as JSON escapes them, which is by their units in UTF-16."""
    units = found[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def write(text: str) -> None:
    """Write text on stdout as it is, at once; characters that its encoding lacks as escapes.

    Raises:
        typer.Exit: nobody reads it any more.
        UnwrittenError: it cannot be written.
    """
    with _to_stdout() as out:
        encoding = getattr(out, "encoding", None) or "utf-8"
        out.write(text.encode(encoding, "backslashreplace").decode(encoding))
        out.flush()


def write_bytes(content: bytes) -> None:
    """Write a file's bytes on stdout; raises as ``write`` does."""
    with _to_stdout() as out:
        out.buffer.write(content)
        out.buffer.flush()


@contextmanager
def _to_stdout() -> Iterator[TextIO]:
    try:
        if sys.stdout is None:  # it was closed before we began
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        yield sys.stdout
    except OSError as error:
        _let_go(sys.stdout)
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(ExitCode.UNREAD) from None
        raise UnwrittenError(
            f"the answer cannot be written: {error.strerror}",
            rule="stdout takes what is answered",
            fix="make room there, or send it elsewhere; what was asked for may have been done",
        ) from None


def _let_go(stream: TextIO | None) -> None:
    """Have what a stream still holds go nowhere: the interpreter's own last flush must not fail too."""
    with suppress(AttributeError, OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[union-attr]


def console() -> Console:
    """Return what prints for people on stdout; colours only where they are wanted."""
    from rich.console import Console

    class Plain(Console):
        """A console for which text that is no ``Text`` yet, as cells of tables are, holds no controls."""

        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(_escaped(text), **options)

    seen = sys.stdout is not None and sys.stdout.isatty()
    width = None if seen or "COLUMNS" in os.environ else _WIDTH_WITHOUT_TERMINAL
    # Text from elsewhere may have brackets and colons in it: it is never markup.
    return Plain(highlight=False, markup=False, emoji=False, width=width)


def show(*parts: RenderableType | list[str]) -> None:
    """Print for people on stdout; text is not wrapped. A list is lines, one below the other."""
    from rich.table import Table
    from rich.text import Text

    out = console()
    for part in parts:
        if isinstance(part, Table):
            _make_room(part, out)
        lines = [part] if isinstance(part, str) else part
        with out.capture() as drawn:
            if isinstance(lines, list):
                for line in lines:
                    out.print(Text(plain(line)), soft_wrap=True)
            else:
                out.print(part, soft_wrap=isinstance(part, Text))
        write(drawn.get())


def _make_room(table: Table, out: Console) -> None:
    """Leave out columns from the right until the table fits: what is shown is shown whole."""
    wide = out.options.update(width=_WIDTH_WITHOUT_TERMINAL)
    left_out: list[str] = []
    while len(table.columns) > 2 and _width(table, out, wide) > out.width:
        left_out.insert(0, str(table.columns.pop().header))
    if left_out:
        say(f"no room for {', '.join(left_out)}; a wider terminal or --json shows all")


def _width(table: Table, out: Console, options: ConsoleOptions) -> int:
    """Return how wide a table has to be; a last column that wraps needs its longest word only."""
    measured = table.__rich_measure__(out, options)
    wraps = not table.columns[-1].no_wrap
    return measured.minimum if wraps else measured.maximum


def line(text: str) -> None:
    """Print a plain line on stdout, at once and without loading what draws tables."""
    write(f"{plain(text)}\n")


def say(text: str, end: str = "\n") -> None:
    """Print a remark on stderr; where nobody takes it, the run goes on."""
    try:
        if sys.stderr is not None:
            sys.stderr.write(plain(text) + end)
            sys.stderr.flush()
    except OSError:
        _let_go(sys.stderr)


def say_problem(problem: ProblemDocument) -> None:
    """Print what went wrong, the rule and the fix on stderr, a line each."""
    told = remedied(problem)
    say(f"{told.title}: {told.detail}")
    if told.rule and told.rule not in told.detail:
        say(f"  rule: {told.rule}")
    say(f"  fix:  {told.fix}")


def end_with_problem(error: ProblemError, *, as_json: bool) -> ExitCode:
    """Report an error in the form asked for and return the exit code."""
    document = error.document()
    if as_json and not isinstance(error, UnwrittenError):
        named = {"error": document.extra["error"]} if "error" in document.extra else {}
        show_json({**named, "problem": remedied(document)})
    else:
        say_problem(document)
    return code_of_problem(document.type)


def order_facts(
    order: OrderUpdate | None, client_order_id: str, outcome: Outcome, *, new: bool
) -> dict[str, Any]:
    """Return what JSON tells about a command for one order: the order, and how the command ended.

    A new order that was refused before it left has no record; its status is then ``denied``.
    """
    from data import forms

    if order is not None:
        facts: dict[str, Any] = _builtins(forms.to_json_form(order))
    elif new and outcome.outcome == "refused":
        facts = {"client_order_id": client_order_id, "status": "denied", "filled_qty": "0", "avg_price": None}
    else:
        facts = {"client_order_id": client_order_id, "status": "unknown"}
    facts |= {"command_id": outcome.command_id, "outcome": outcome.outcome}
    if outcome.problem is not None:
        facts |= {"problem": _builtins(remedied(outcome.problem)), "reason": outcome.problem.detail}
    denied = denial_facts(outcome)
    if denied and facts["status"] != "denied":
        facts["order_status"] = facts["status"]  # a change was denied: the order is as it was
    return facts | denied


def denial_facts(outcome: Outcome) -> dict[str, Any]:
    """Return what JSON tells about a denial: the rule, the value, the limit, and what would pass."""
    problem = outcome.problem
    if problem is None or problem.type != "denied":
        return {}
    facts = {name: problem.extra.get(name) for name in ("value", "limit", "max_quantity")}
    return {"status": "denied", "rule": problem.extra.get("rule", problem.rule), **facts}


def outcome_facts(outcome: Outcome) -> dict[str, Any]:
    """Return what JSON tells about any other command."""
    from data import forms

    facts: dict[str, Any] = _builtins(forms.to_json_form(outcome))
    if outcome.problem is not None:
        facts["problem"] = _builtins(remedied(outcome.problem))
    return {name: value for name, value in facts.items() if value not in (None, [], {})}


def _builtins(value: Any) -> Any:
    import msgspec

    return msgspec.to_builtins(value)


def tinted(text: str, style: str | None) -> Text:
    """Return text in a colour or weight; None leaves it as it is."""
    from rich.text import Text

    return Text(plain(text), style=style or "")


def assembled(*parts: str | tuple[str, str]) -> Text:
    """Return a line of several pieces, those in a colour or weight with its name."""
    from rich.text import Text

    return Text.assemble(
        *(plain(part) if isinstance(part, str) else (plain(part[0]), part[1]) for part in parts)
    )


def columns(*names: str, right: Sequence[str] = (), last_wraps: bool = False) -> Any:
    """Return an empty table in our style: no boxes, headings dim, numbers to the right.

    Where the screen is too narrow, only a last column that may wrap gives way first.
    """
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim", show_edge=False)
    for index, name in enumerate(names):
        keep = not (last_wraps and index == len(names) - 1)
        table.add_column(name, justify="right" if name in right else "left", no_wrap=keep)
    return table
