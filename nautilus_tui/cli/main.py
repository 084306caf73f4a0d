"""The program ``nautilus-tui``: its own options, and the end of every run.

This module must not know what commands do.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import typer

from data.paths import HOME_VARIABLE, Home
from data.problems import InvalidRequestError, ProblemError
from nautilus_tui.cli import output
from nautilus_tui.cli.commands import Commands
from nautilus_tui.cli.credentials import take_credentials
from nautilus_tui.cli.session import Session, check_given

_ABOUT = "A terminal trading workstation for NautilusTrader. Without a command it opens the terminal."
_CODES = (
    "Exit codes: 0 done, 1 failed, 2 usage, 3 denied or rejected, 4 outcome unknown, 5 not reachable, "
    "6 a provider failed. "
    "--json is also taken after a command."
)

app = typer.Typer(
    cls=Commands,
    help=_ABOUT,
    epilog=_CODES,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        output.line(f"nautilus-tui {version('nautilus-tui')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    home: Annotated[
        str | None,
        typer.Option("--home", envvar=HOME_VARIABLE, metavar="DIR", help="Home folder.", show_default=False),
    ] = None,
    profile: Annotated[
        Literal["standard", "demo"] | None,
        typer.Option(
            "--profile",
            envvar="NAUTILUS_TUI_PROFILE",
            help="demo: macro, filings and fundamentals from sandbox twins, SYNTHETIC, in a home of its own.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print results as JSON.")] = False,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            envvar="NAUTILUS_TUI_URL",
            metavar="URL",
            help="A remote daemon; behind a comma each, gateways to listen at when it is away.",
            show_default=False,
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version.")
    ] = False,
) -> None:
    check_given(context)
    session = Session(home=Home.resolve(home, profile=profile), json=as_json, url=url, profile=profile)
    context.obj = session
    if context.invoked_subcommand is None:
        from nautilus_tui.cli import system

        system.open_workstation(session)


def with_options_first(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with ``--json`` in front of the command, wherever it stood."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    rest = [argument for argument in arguments[:end] if argument != "--json"]
    wanted = ["--json"] if len(rest) < end else []
    return [*wanted, *rest, *arguments[end:]]


def main() -> None:
    """Run the program and end the process with its exit code."""
    arguments = with_options_first(sys.argv[1:])
    # httpx loads what its own program prints with, if it can: a good part of a question's time for nothing.
    modules: dict[str, Any] = sys.modules
    modules.setdefault("httpx._main", None)
    try:
        sys.exit(_run(arguments))
    except ProblemError as error:
        sys.exit(output.end_with_problem(error, as_json="--json" in arguments[:1]))
    except KeyboardInterrupt:
        sys.exit(output.ExitCode.INTERRUPTED)
    except typer.Exit as end:
        sys.exit(end.exit_code)


def _run(arguments: list[str]) -> int:
    """Run the command and return its exit code.

    Raises:
        ProblemError: what went wrong; what is wrong on the command line itself is one too.
    """
    try:
        take_credentials()
        return app(args=arguments, prog_name="nautilus-tui", standalone_mode=False) or output.ExitCode.DONE
    except typer.TyperException as error:
        raise _usage(error) from None
    except OSError as error:
        raise output.of_system(error) from error


def _usage(error: Any) -> ProblemError:
    """Return what the framework found wrong on the command line, in our words for errors."""
    context = getattr(error, "ctx", None)
    if context is None:
        return InvalidRequestError(" ".join(error.format_message().split()))
    asked = context.command_path
    if error.message == context.get_help():  # how the framework says that a group was given no command
        inner = ", ".join(context.command.list_commands(context))
        return InvalidRequestError(
            f"{asked} is not all of a command",
            rule=f"one of these follows: {inner}",
            fix=f"{asked} --help tells what each does",
        )
    return InvalidRequestError(
        " ".join(error.format_message().split()),
        rule=" ".join(context.get_usage().removeprefix("Usage: ").split()),
        fix=f"{asked} --help tells all of it",
    )


if __name__ == "__main__":
    main()
