"""Settings read anew while a daemon or a gateway runs: what can change does, what cannot is told.

All or nothing: a file with an error anywhere, or a certificate that does not serve, changes nothing.
This module must not know where settings are kept, whose they are or what one is used for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import msgspec

from data.problems import ProblemError, UnavailableError

#: What the settings are called in the settings file, where that is not `daemon.<name>`.
_NAMES = {
    "bounds": "what requests may cost in [daemon]",
    "compaction_minutes": "history.compaction_minutes",
    "daemon": "--daemon",
    "engine": "[engine], [simulator] and [risk] of a new engine",
    "escalation": "[risk.escalation]",
    "monitor_seconds": "risk.monitor_seconds",
    "prefix": "streams.redis_prefix",
    "providers": "[providers]",
    "redis_prefix": "streams.redis_prefix",
    "redis_url": "streams.redis_url",
    "reports": "reports.schedule",
    "reports_kept": "reports.keep",
    "streams.flush_max_s": "streams.flush_ms",
    "streams.flush_s": "streams.flush_ms",
    "two_person": "risk.two_person",
    "watch": "providers.edgar.watch",
}

_STREAMS = "streams."
#: What of the streams can change while they are served, for connections that are new.
LIMITS_OF_STREAMS = ("streams.max_connections", "streams.max_subscriptions", "streams.inbound_rate")

logger = logging.getLogger(__name__)

type Change[S] = Callable[[S], object]


class Reloaded(msgspec.Struct, frozen=True):
    """What a reload did, in the settings file's words."""

    changed: tuple[str, ...]  #: in force from now on
    restart: tuple[str, ...]  #: differ from what is in force, and need a new start

    def __str__(self) -> str:
        parts = [f"changed: {', '.join(self.changed)}"] if self.changed else []
        parts += [f"restart needed for: {', '.join(self.restart)}"] if self.restart else []
        return "; ".join(parts) or "nothing has changed"


class Reload[S: msgspec.Struct]:
    """Brings whoever serves to what its settings say now.

    Args:
        settings: what is in force; one of them is ``streams``, which are settings again.
        read: gives the settings as they are written now, raises ProblemError; None: there is nothing to read.
    """

    def __init__(self, settings: S, read: Callable[[], S] | None = None) -> None:
        self.settings = settings  #: what is in force
        self._read = read
        self._changes: dict[str, Change[S]] = {}
        self._checks: list[Change[S]] = []
        self._renewals: list[Change[S]] = []
        self._turn = asyncio.Lock()

    def on(self, *names: str, change: Change[S]) -> None:
        """Call ``change`` with the new settings when one of these differs; it must not fail."""
        for name in names:
            self._changes[name] = change

    def each_time(self, *, check: Change[S], renew: Change[S]) -> None:
        """Look at files that settings name: ``check`` raises ProblemError before anything is changed."""
        self._checks.append(check)
        self._renewals.append(renew)

    async def carry_out(self) -> Reloaded:
        """Read the settings and bring what can change to them.

        Raises:
            ProblemError: they are not valid, and nothing was changed; it names file, line and rule.
            UnavailableError: it was not started with a settings file.
        """
        if self._read is None:
            raise UnavailableError("this process was started without a settings file")
        async with self._turn:
            try:
                new = await asyncio.to_thread(self._read)
                for check in self._checks:
                    check(new)
            except ProblemError as error:
                logger.warning(
                    "the settings stay as they are: %s",
                    error.detail,
                    extra={"problem": error.type, "rule": error.rule, "fix": error.fix},
                )
                raise
            return self._bring_to(new)

    def _bring_to(self, new: S) -> Reloaded:
        wanted, now = _flat(new), _flat(self.settings)
        differ = [name for name in wanted if wanted[name] != now[name]]
        can = [name for name in differ if name in self._changes]
        self.settings = _with(self.settings, {name: wanted[name] for name in can})
        for change in dict.fromkeys(self._changes[name] for name in can):
            change(self.settings)
        for renew in self._renewals:
            renew(self.settings)
        done = Reloaded(_named(can), _named([name for name in differ if name not in self._changes]))
        logger.info("settings read", extra={"changed": done.changed, "restart_needed": done.restart})
        return done


def _flat(settings: msgspec.Struct) -> dict[str, Any]:
    """Return all settings by name, those of the streams one by one."""
    found = msgspec.structs.asdict(settings)
    streams = msgspec.structs.asdict(found.pop("streams"))
    return found | {f"{_STREAMS}{name}": value for name, value in streams.items()}


def _with[S: msgspec.Struct](settings: S, values: dict[str, Any]) -> S:
    """Return settings with other values, by the names that `_flat` gives."""
    replace = msgspec.structs.replace
    streams = {n.removeprefix(_STREAMS): v for n, v in values.items() if n.startswith(_STREAMS)}
    own = {n: v for n, v in values.items() if not n.startswith(_STREAMS)}
    before = msgspec.structs.asdict(settings)["streams"]
    return replace(settings, streams=replace(before, **streams), **own)


def _named(names: list[str]) -> tuple[str, ...]:
    """Return names as the settings file has them."""
    given = (_NAMES.get(one, one if one.startswith(_STREAMS) else f"daemon.{one}") for one in names)
    return tuple(dict.fromkeys(given))
