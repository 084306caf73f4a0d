"""Credentials: from the environment or the OS keyring, and out of everything that is written or shown.

Nothing in here stores a credential or prints one. This module must not know what one is used for.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Mapping

from data.access import TOKEN_PREFIX
from data.problems import NotConfiguredError
from providers.core.spec import Credential

SERVICE = "nautilus-tui"  #: under which the OS keyring has our credentials
REDACTED = "[redacted]"
#: Credentials by the name of their parameter, whoever's they are.
_PARAMETER = re.compile(r"(?i)\b(api_?key|token)(=|%3D)([^&\s\"'<>]+)")
#: Tokens of our own daemon: nobody needs to know one to recognise it.
_TOKEN = re.compile(rf"{TOKEN_PREFIX}[A-Za-z0-9_-]{{8,}}")
#: A text shorter than this is no secret: removing it would only garble what is said.
_LEAST = 6


def find(credential: Credential, environment: Mapping[str, str] | None = None) -> str | None:
    """Return a credential from the environment, else from the OS keyring; None if neither has it."""
    given = (os.environ if environment is None else environment).get(credential.variable, "").strip()
    return given or _from_keyring(credential.variable)


def _from_keyring(name: str) -> str | None:
    import keyring  # slow to load, and most have the environment
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(SERVICE, name)
    except KeyringError:  # no keyring on this machine, or it is locked: then it has nothing for us
        return None


def require(credential: Credential, label: str, value: str | None) -> str:
    """Return a credential that can be sent.

    Raises:
        NotConfiguredError: it is not set, or has characters that a header or address cannot carry.
    """
    if value is None:
        raise NotConfiguredError(
            f"{label}: {credential.variable} is not set",
            rule=f"{label} wants to know who asks",
            fix=f"{credential.fix}, or look around with synthetic data: nautilus-tui --profile demo",
            variable=credential.variable,
        )
    if not value.isprintable() or not value.isascii():
        raise NotConfiguredError(
            f"{label}: {credential.variable} has characters that cannot be sent",
            rule="a credential is printable ASCII",
            fix=credential.fix,
            variable=credential.variable,
        )
    return value


def digest(value: str) -> str:
    """Return what stands for a credential where its use is counted."""
    return hashlib.sha256(value.encode()).hexdigest()[:16]


class Redactor:
    """Takes credentials out of texts."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def learn(self, secret: str | None) -> None:
        """Take this out of every text from now on."""
        if secret is not None and len(secret) >= _LEAST:
            self._known.add(secret)

    def __call__(self, text: str) -> str:
        """Return a text without credentials."""
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, REDACTED)
        return _TOKEN.sub(REDACTED, _PARAMETER.sub(rf"\1\2{REDACTED}", text))


#: The process's own: whatever finds a credential teaches it.
redact = Redactor()


class RedactingFilter(logging.Filter):
    """Takes credentials out of log records, their arguments and their tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite a record; keep it."""
        message = record.getMessage()
        cleaned = redact(message)
        if cleaned != message:
            record.msg, record.args = cleaned, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True


def keep_out_of_logs() -> None:
    """Keep credentials out of this process's log: filter what is written, hush who logs addresses.

    That something is tried again is no news either: health counts errors, and the last one is told.
    """
    for handler in logging.getLogger().handlers:
        if not any(isinstance(one, RedactingFilter) for one in handler.filters):
            handler.addFilter(RedactingFilter())
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("stamina").setLevel(logging.ERROR)
