"""``config …``: settings shown, checked, described, and brought to a daemon that runs.

This module must not know what a setting is used for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data.problems import NotFoundError
from nautilus_tui.cli import output
from nautilus_tui.cli.session import session_of

app = typer.Typer(no_args_is_help=True, help="Settings: show, validate, reload, schema, path.")


@app.command("show")
def show(
    context: typer.Context,
    defaults: Annotated[bool, typer.Option("--defaults", help="The shipped defaults, as a file.")] = False,
) -> None:
    """Show every setting as it is in force, as a file with comments."""
    from nautilus_tui.config.listing import toml
    from nautilus_tui.config.settings import Config

    session = session_of(context)
    config = Config() if defaults else session.config
    if session.json:
        output.show_json(config)
    else:
        for line in toml(config).splitlines():
            output.line(line)


@app.command("validate")
def validate(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="File to check; your own if left out.")] = None,
) -> None:
    """Check a settings file and report every error in it."""
    from nautilus_tui.config.load import ConfigError, load

    session = session_of(context)
    path = file or session.home.config_file
    if file is not None and not file.exists():
        raise NotFoundError(
            f"there is no file {file}",
            rule="a file that is named is there",
            fix="check the name; without one your own settings are checked",
            path=str(file),
        )
    faults = []
    try:
        load(path)
    except ConfigError as error:
        faults = error.faults
    if session.json:
        output.show_json({"file": str(path), "exists": path.exists(), "valid": not faults, "faults": faults})
    elif not faults:
        output.show(f"{path}: {'valid' if path.exists() else 'not there; the defaults are in force'}")
    for fault in [] if session.json else faults:
        output.say(str(fault))
        output.say(f"  rule: {fault.rule}")
        if fault.fix:
            output.say(f"  fix:  {fault.fix}")
    if faults:
        raise typer.Exit(output.ExitCode.USAGE)


@app.command("reload")
def reload(context: typer.Context) -> None:
    """Have the daemon read the settings anew; says what has changed and what needs a restart."""
    from data.commands import ReloadSettings

    session = session_of(context)
    outcome = session.carry_out(ReloadSettings())
    session.show(output.outcome_facts(outcome), lambda: outcome.detail or "")


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of the settings."""
    from nautilus_tui.config.listing import schema as described

    output.show_json(described())


@app.command("path")
def path(context: typer.Context) -> None:
    """Print where your own settings file is, or would be."""
    session = session_of(context)
    if session.json:
        output.show_json({"path": session.home.config_file, "exists": session.home.config_file.exists()})
    else:
        output.line(str(session.home.config_file))
