"""What every command starts from: the home, the daemon's address, the settings and the form of answers.

This module must not know of any particular command.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from data.paths import Home
from data.problems import InvalidRequestError, OutcomeUnknownError
from nautilus_tui.cli import output
from nautilus_tui.client.ids import mint_command_id

if TYPE_CHECKING:
    from rich.console import RenderableType

    from data.commands import AnyCommand, Outcome
    from nautilus_tui.client import Address, ApiClient
    from nautilus_tui.config.settings import Config

EngineOption = Annotated[str | None, typer.Option("--engine", "-e", help="Engine id.", show_default=False)]
InstrumentOption = Annotated[
    str | None, typer.Option("--instrument", "-i", help="Only of this instrument.", show_default=False)
]
LimitOption = Annotated[int, typer.Option("--limit", "-n", help="At most so many.", min=1, max=10_000)]


@dataclass
class Session:
    """One run of the command line."""

    home: Home
    json: bool = False
    url: str | None = None
    profile: Literal["standard", "demo"] | None = None  #: instead of the settings' own

    @cached_property
    def config(self) -> Config:
        """The settings; raises ConfigError."""
        return self.reread()

    def reread(self) -> Config:
        """Return the settings as they are written now; raises ConfigError."""
        from msgspec.structs import replace

        from nautilus_tui.config.load import load

        config = load(self.home.config_file)
        if self.profile is None:
            return config
        return replace(config, providers=replace(config.providers, profile=self.profile))

    @property
    def address(self) -> Address:
        """Where the daemon is."""
        return self.addresses[0]

    @cached_property
    def addresses(self) -> tuple[Address, ...]:
        """Where streams are read, in turn: at the daemon, and at the gateways named behind it."""
        from nautilus_tui.client.address import TOKEN_VARIABLE, Address

        if self.url:
            return Address.several(self.url, os.environ.get(TOKEN_VARIABLE))
        return (Address.local(self.home),)

    def engine(self, named: str | None) -> str:
        """Return the engine a command means: the default one where none is named."""
        return self.config.engine.default if named is None else named

    def ask[T](self, question: Callable[[ApiClient], Awaitable[T]]) -> T:
        """Run one conversation with the daemon; raises ProblemError."""
        from nautilus_tui.client.api import ApiClient

        async def conversation() -> T:
            async with ApiClient(self.address) as api:
                return await question(api)

        return asyncio.run(conversation())

    def show(self, value: Any, human: Callable[[], RenderableType | list[str]]) -> None:
        """Print a result: the value as JSON, or what ``human`` makes of it."""
        if self.json:
            output.show_json(value)
        else:
            output.show(human())

    def carry_out(
        self, command: AnyCommand, *, timeout: float = 10.0, until_answered: bool = False
    ) -> Outcome:
        """Send a command that is not about orders; on anything but success report it and exit.

        ``until_answered`` is for commands that may take long: they are asked after, under the same
        id, until the daemon knows how they ended.
        """

        async def conversation(api: ApiClient) -> Outcome:
            key = mint_command_id()
            while True:
                try:
                    return await api.execute(command, command_id=key, timeout=timeout)
                except OutcomeUnknownError:
                    if not until_answered:
                        raise

        outcome = self.ask(conversation)
        self.settle(outcome)
        return outcome

    def settle(self, outcome: Outcome) -> None:
        """Report a command that was not a success, and exit with the code of how it ended."""
        code = output.code_of_outcome(outcome)
        if code is not output.ExitCode.DONE:
            if self.json:
                output.show_json(output.outcome_facts(outcome))
            if outcome.problem is not None and not self.json:
                output.say_problem(outcome.problem)
            raise typer.Exit(code)


def session_of(context: typer.Context, *, own: Collection[str] = ()) -> Session:
    """Return the session of a command, whose texts are checked but for its ``own``, which it judges itself.

    Raises:
        InvalidRequestError: a text is empty, or no text.
    """
    session = context.find_object(Session)
    if session is None:
        raise RuntimeError("the command was called without the program's own options")
    check_given(context, own)
    return session


def check_given(context: typer.Context, own: Collection[str] = ()) -> None:
    """Check what was given to a command: an empty text is mostly that of a variable which is not set.

    Taken for one that was left out, it would be another question, or an order at another daemon.

    Raises:
        InvalidRequestError: a text is empty, or no text.
    """
    for name, value in context.params.items():
        for text in value if isinstance(value, list | tuple) else (value,):
            if name not in own and isinstance(text, str | Path):
                _check_text(name, str(text))


def _check_text(name: str, text: str) -> None:
    if not text.strip():
        raise InvalidRequestError(
            f"{name} is {text!r}",
            rule=f"{name} is not empty",
            fix="say what is meant, or leave it out where it may be: is a variable not set?",
            field=name,
            value=text,
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        value = os.fsencode(text).decode(errors="backslashreplace")
        raise InvalidRequestError(
            f"{name} is not UTF-8: {value}",
            rule=f"{name} is text in UTF-8",
            fix="write it in UTF-8, or rename the file",
            field=name,
            value=value,
        ) from None
