"""Routes of the audit chain: what was commanded, by whom, how it ended, and whether it was changed since.

This module must not know how the chain is made or kept.
"""

from __future__ import annotations

from typing import Annotated

from litestar.params import Parameter

from data.audit import ChainReport
from data.paging import Page
from data.records import AuditEntry
from nautilus_tui.daemon.api.answers import Answer, AnyRequest, answer, context_of
from nautilus_tui.daemon.api.describe import route
from nautilus_tui.daemon.api.parameters import Cursor, Limit

_TAG = "Access and audit"


@route("GET", "/api/v1/audit", returns=Page[AuditEntry], tag=_TAG, role="risk")
async def list_audit(
    request: AnyRequest,
    command: Annotated[str | None, Parameter(description="one kind of command, e.g. order.submit")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Answer:
    """Return what was commanded, by whom, and how it ended; newest first."""
    page = await context_of(request).state.audit(command=command, limit=limit, cursor=cursor)
    return answer(request, page)


@route("GET", "/api/v1/audit/verify", returns=ChainReport, tag=_TAG, role="risk")
async def verify_audit(request: AnyRequest) -> Answer:
    """Check the whole audit chain and return where it is broken, if it is."""
    return answer(request, await context_of(request).state.verify_audit())


HANDLERS = [list_audit, verify_audit]
