"""From a command to its audit entry: who sent it, whence, what it said with secrets redacted, how it ended.

The chain itself is in ``data.audit``. This module must not know what commands do.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import msgspec

from data.audit import AuditDraft
from data.command import Command
from data.problems import ProblemDocument
from nautilus_tui.daemon.principal import Principal
from providers.core.secrets import redact

REDACTED = "[redacted]"
#: A command's text is kept up to this many characters.
MAX_BODY = 16_384
_SECRET = re.compile(
    r"(^|_)(secret|password|passphrase|api_?key|private_?key|token)($|_(value|secret)$)", re.I
)


def command_name(command: Command) -> str:
    """Return a command's public name, e.g. ``order.submit``."""
    return str(command.__struct_config__.tag)


def redacted(value: Any) -> Any:
    """Return plain data with the values of secret fields replaced."""
    if isinstance(value, dict):
        return {
            key: REDACTED if isinstance(key, str) and _SECRET.search(key) and item else redacted(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return value


class Auditor:
    """Drafts the audit entries of one command."""

    def __init__(
        self,
        command: Command,
        command_id: str,
        principal: Principal,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._clock = clock
        body = redact(msgspec.json.encode(redacted(msgspec.to_builtins(command))).decode())
        if len(body) > MAX_BODY:
            body = f"{body[:MAX_BODY]}… ({len(body)} characters)"
        self._facts = {
            "command_id": redact(command_id),
            "command": command_name(command),
            "actor": principal.name,
            "via": principal.via,
            "role": principal.role,
            "body": body,
        }

    def draft(
        self, outcome: str, problem: ProblemDocument | None = None, detail: str | None = None
    ) -> AuditDraft:
        """Return the entry that says the command has ``outcome``."""
        said = detail if problem is None else f"{problem.type}: {problem.detail}"
        told = None if said is None else redact(said)
        return AuditDraft(outcome=outcome, detail=told, ts=self._clock(), **self._facts)
