"""What the commands that serve in the foreground share: log, address and the word that they are ready.

This module must not know what is served.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

import typer

from data.problems import InvalidRequestError, ProblemError
from nautilus_tui.cli import background, output
from nautilus_tui.cli.session import Session

if TYPE_CHECKING:
    from nautilus_tui.daemon.log_lines import LogFormat

#: What a process that stops may take beyond the time for requests: to tidy up, and to end.
TIDY_S = 1.5

LogFormatOption = Annotated[
    Literal["text", "json"] | None,
    typer.Option("--log-format", help="Form of the log on stderr.", show_default=False),
]
#: A file descriptor at which somebody waits for the word that it is ready.
ReadyFdOption = Annotated[int | None, typer.Option("--ready-fd", hidden=True)]


@contextmanager
def logging_to_stderr(session: Session, wanted: LogFormat | None) -> Iterator[None]:
    """Log as the settings say, in the form ``wanted`` if that is given; a failed start is a line of it too.

    Raises:
        ProblemError: what was raised within, when the log is text.
        typer.Exit: the same, told in the log, when it is JSON.
    """
    from nautilus_tui.daemon.log_lines import set_up_logging

    form = wanted or "text"
    try:
        own = session.config.daemon
        form = wanted or own.log_format
        set_up_logging(own.log_level, form)
        yield
    except ProblemError as error:
        if form != "json":
            raise
        set_up_logging("info", form)  # also where the settings could not be read
        _log_problem(error)
        raise typer.Exit(output.code_of_problem(error.type)) from error


def _log_problem(error: ProblemError) -> None:
    document = error.document()
    facts = {"problem": document.type, "rule": document.rule, "fix": document.fix}
    logging.getLogger(__name__).critical(document.detail, extra={k: v for k, v in facts.items() if v})


class Announce(Protocol):
    """Says a line; ``ready`` False: requests are answered, but only with the reason why not yet."""

    def __call__(self, line: str, ready: bool = True) -> None: ...


def announcer(session: Session, ready_fd: int | None) -> Announce:
    """Return what says once that requests are answered: on stdout, and to whoever waits at ``ready_fd``."""

    def announce(line: str, ready: bool = True) -> None:
        if session.json:
            output.show_json_line({"ready": ready, "pid": os.getpid(), "detail": line})
        else:
            output.line(line)
        if ready_fd is not None:
            os.write(ready_fd, background.READY)
            os.close(ready_fd)

    return announce


def host_and_port(text: str) -> tuple[str, int] | None:
    """Return an address to listen at; None: none is given. Raises InvalidRequestError."""
    if not text:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise InvalidRequestError(
            f"{text!r} is not HOST:PORT",
            rule="--listen HOST:PORT",
            fix="for example 127.0.0.1:8787",
            value=text,
        )
    return host.strip("[]"), int(port)
