"""Facts from providers: asked of the daemon while one runs, else of the providers themselves.

Either way the home's paces, quotas and kept answers are the same files, and so are the answers. This
module must not know what is asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data import asked
from data.facts import Fact
from data.problems import ConflictError
from nautilus_tui.cli import background, output, words
from nautilus_tui.cli.session import Session

if TYPE_CHECKING:
    from nautilus_tui.client import ApiClient
    from providers.desk import Desk

AsOfOption = Annotated[
    Any,
    typer.Option(
        "--as-of",
        parser=words.known_day,
        metavar="DATE",
        help="As it was known on that day.",
        show_default=False,
    ),
]


def ask[T](
    session: Session,
    of_daemon: Callable[[ApiClient], Awaitable[T]],
    of_providers: Callable[[Desk], Awaitable[T]],
) -> T:
    """Return what the daemon answers, or, where none runs on this machine, the providers.

    Raises:
        ConflictError: the daemon that runs asks others than the profile that was named.
        ProblemError: what went wrong.
    """
    if session.url or background.answers(session.home):
        return session.ask(lambda api: _of_daemon(session, api, of_daemon))
    return asyncio.run(_of_providers(session, of_providers))


async def _of_daemon[T](session: Session, api: ApiClient, question: Callable[[ApiClient], Awaitable[T]]) -> T:
    if session.profile is not None:
        wants = session.profile == "demo"
        if any(health.synthetic != wants for health in await api.provider_health()):
            raise ConflictError(
                f"the daemon of this home does not run with the profile {session.profile}",
                rule="what is synthetic is never mixed with what is real",
                fix="leave --profile out, or give another home with --home",
            )
    return await question(api)


async def _of_providers[T](session: Session, question: Callable[[Desk], Awaitable[T]]) -> T:
    from nautilus_tui.config.apply import provider_settings
    from providers.core.secrets import keep_out_of_logs
    from providers.desk import Desk

    keep_out_of_logs()
    async with Desk(session.home.ensure().providers, provider_settings(session.config)) as desk:
        return await question(desk)


def show(session: Session, found: Fact, human: Callable[[], Any], *problems: str) -> None:
    """Print a fact: as JSON, or for people with where it comes from and what is wrong with it."""
    if session.json:
        output.show_json(found)
    else:
        output.show(human())
        output.say(provenance(found))
    for problem in problems:
        output.say(f"! {problem}")


def show_all(session: Session, found: list[Any], human: Callable[[], Any]) -> None:
    """Print facts of one kind."""
    if session.json:
        output.show_json(found)
        return
    output.show(human())
    if found and isinstance(found[0], Fact):
        output.say(provenance(found[0]))


def provenance_of(found: Fact) -> dict[str, Any]:
    """Return where a fact comes from as JSON has it, for an object around several."""
    import msgspec

    from data import forms

    told = msgspec.to_builtins(forms.to_json_form(found))
    return {name: told[name] for name in Fact.__struct_fields__}


def provenance(found: Fact) -> str:
    """Return where a fact comes from, as of when and how old it is."""
    age = max(0, time.time_ns() - found.fetched_at) / 1e9
    said = f"{found.source} · as of {found.as_of} · fetched {_age(age)} ago"
    if found.stale:
        said += f" · LAST GOOD VALUE: {found.stale}"
    return said + (" · SYNTHETIC" if found.synthetic else "")


def _age(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def forms_of(given: list[str] | None) -> tuple[str, ...]:
    """Return the forms that were asked for, repeated or with commas between."""
    return asked.forms_of(part for text in given or () for part in text.split(","))
