"""Refusals at a gateway, made lines of its log: the audit chain is the daemon's, and only it writes there.

This module must not know how requests travel.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from nautilus_tui.daemon.refusals import CountedRefusals

if TYPE_CHECKING:
    from data.audit import AuditDraft

logger = logging.getLogger(__name__)


class LoggedRefusals(CountedRefusals):
    """Writes refusals into the log."""

    def close(self) -> None:
        """Write what was counted so far."""
        self._write_counts()

    def _write(self, draft: AuditDraft) -> None:
        logger.warning(
            "%s: %s",
            draft.command,
            draft.detail,
            extra={"actor": draft.actor, "role": draft.role, "facts": draft.body},
        )
