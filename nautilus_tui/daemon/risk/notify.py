"""Telling people: a message to whoever has a role, over whatever service they chose.

Where to is a URL of Apprise (mail, chat, SMS, a program of one's own), several with blanks between, from
the environment or the OS keyring and never from a file of settings, because it holds credentials. A
message counts as sent when the service took it, not before. This module must not know what is told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final, NamedTuple

from data.problems import ProblemError
from providers.core.secrets import find, redact
from providers.core.spec import Credential

VARIABLE: Final = "NAUTILUS_TUI_NOTIFY_"
#: A service has so long to take a message.
TIMEOUT_S: Final = 30.0

logger = logging.getLogger(__name__)


class Told(NamedTuple):
    """How telling a role went."""

    role: str
    sent: bool
    detail: str

    def __str__(self) -> str:
        return f"{self.role}: {self.detail}"


def variable_of(role: str) -> str:
    """Return the name under which a role's addresses are kept, e.g. ``NAUTILUS_TUI_NOTIFY_RISK_MANAGER``."""
    return VARIABLE + role.upper().replace(" ", "_").replace("-", "_")


class Notifier:
    """Sends messages.

    Args:
        environment: Where addresses are looked for first; None: the process's own, then the keyring.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = environment

    def is_configured(self, role: str) -> bool:
        """Tell whether there is an address for a role; may ask the keyring, so call it in a thread."""
        return bool(self._urls(role))

    async def tell(self, role: str, title: str, body: str) -> Told:
        """Send a message and return whether it was taken; never raises."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await asyncio.to_thread(self._send, role, title, body)
        except TimeoutError:
            return Told(role, False, f"unknown, the service did not answer within {TIMEOUT_S:.0f} s")
        except (ProblemError, OSError, ValueError) as error:
            logger.warning("%s could not be told: %s", role, error)
            return Told(role, False, f"failed, {redact(str(error))}")

    def _send(self, role: str, title: str, body: str) -> Told:
        urls = self._urls(role)
        if not urls:
            return Told(role, False, f"not configured, set {variable_of(role)}")
        from apprise import Apprise, NotifyFormat, NotifyType  # loaded by whoever first has to be told

        strange = refused = 0
        for url in urls:
            redact.learn(url)
            service = Apprise()
            if not service.add(url):
                strange += 1
            elif not service.notify(
                body=body, title=title, notify_type=NotifyType.WARNING, body_format=NotifyFormat.TEXT
            ):
                refused += 1
        if not strange and not refused:
            return Told(role, True, "sent")
        said = [f"{refused} of {len(urls)} services did not take it"] if refused else []
        if strange:
            said.append(f"{strange} of {len(urls)} in {variable_of(role)} are no address that Apprise knows")
        return Told(role, False, f"failed, {'; '.join(said)}")

    def _urls(self, role: str) -> list[str]:
        name = variable_of(role)
        address = Credential(variable=name, place="header", field="", fix=f"set {name}", sandbox="")
        found = find(address, self._environment)
        return (found or "").split()
