"""The order authority: one principal at a time may hold it, and then nobody else sends orders.

A hand-over is told to everyone on the topic ``system.authority``. This module must not know of HTTP
or of how orders are carried out.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from data import topics
from data.access import OrderAuthority
from data.bus import Bus
from data.commands import ReleaseAuthority, TakeAuthority
from data.problems import ForbiddenError
from nautilus_tui.daemon.principal import Principal


class Authority:
    """Who holds the order authority, and its hand-over."""

    def __init__(self, bus: Bus, clock: Callable[[], int] = time.time_ns) -> None:
        self._bus = bus
        self._clock = clock
        self.now = OrderAuthority(holder=None, ts=clock())

    def take(self, command: TakeAuthority, principal: Principal) -> OrderAuthority:
        """Give it to whoever asks; who held it before is told with everyone else."""
        return self._tell(
            OrderAuthority(
                holder=principal.name,
                via=principal.via,
                before=self.now.holder,
                by=principal.name,
                reason=command.reason,
                ts=self._clock(),
            )
        )

    def release(self, command: ReleaseAuthority, principal: Principal) -> OrderAuthority:
        """Make it free.

        Raises:
            ForbiddenError: another holds it, and the principal's role is below risk.
        """
        if self.now.holder not in (None, principal.name) and not principal.may("risk"):
            raise ForbiddenError(
                f"{self.now.holder} holds the order authority",
                rule="its holder releases it, or the role risk and above",
                fix="take it instead: nautilus-tui authority take",
            )
        return self._tell(
            OrderAuthority(
                holder=None,
                before=self.now.holder,
                by=principal.name,
                reason=command.reason,
                ts=self._clock(),
            )
        )

    def _tell(self, changed: OrderAuthority) -> OrderAuthority:
        self.now = changed
        self._bus.publish(topics.AUTHORITY, changed)
        return changed
