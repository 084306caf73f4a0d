"""Routes of the audit chain: what was commanded, by whom, how it ended, and whether it was changed since.

This module must not know how the chain is made or kept.
"""

from __future__ import annotations

from typing import Annotated

from litestar.params import Parameter, QueryParameter
from litestar.response import Stream

from data.audit import ChainReport, read_head
from data.audit_file import CONTENT_TYPE
from data.paging import Page
from data.records import AuditEntry
from nautilus_tui.daemon.api.answers import Answer, AnyRequest, answer, context_of
from nautilus_tui.daemon.api.asked import moments
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
async def verify_audit(
    request: AnyRequest,
    head: Annotated[
        str | None, Parameter(description="SEQ:HASH as it was noted elsewhere: the chain has to reach it")
    ] = None,
) -> Answer:
    """Check the whole audit chain and the log beside it, and return what was found and where."""
    expected = None if head is None else read_head(head)
    return answer(request, await context_of(request).state.verify_audit(expected))


@route("GET", "/api/v1/audit/export", returns=str, tag=_TAG, role="risk", content=(CONTENT_TYPE,))
async def export_audit(
    request: AnyRequest,
    start: Annotated[
        str | None, QueryParameter(name="from", description="date or time of the first entry, ISO 8601")
    ] = None,
    end: Annotated[
        str | None, QueryParameter(name="to", description="date or time before which the last entry is")
    ] = None,
) -> Stream:
    """Return the audit chain as JSON Lines: what it follows, an entry a line, and how many there are."""
    since, until = moments(**{"from": start, "to": end})
    pieces = await context_of(request).state.trail.export(since, until)
    return Stream(
        pieces,
        media_type=CONTENT_TYPE,
        headers={
            "Content-Type": CONTENT_TYPE,  # a stream takes its route's media type, not the one it is given
            "Content-Disposition": 'attachment; filename="audit.jsonl"',
            "X-Content-Type-Options": "nosniff",
        },
    )


HANDLERS = [list_audit, verify_audit, export_audit]
