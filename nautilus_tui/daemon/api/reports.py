"""Routes of reports: one made now in any format, and those that were written.

This module must not know what is in a report.
"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response
from litestar.params import Parameter, PathParameter

from data.paging import Page
from data.reports import CONTENT_TYPES, WrittenReport, report_format, report_type
from nautilus_tui.daemon.api.answers import Answer, AnyRequest, answer, context_of
from nautilus_tui.daemon.api.describe import route
from nautilus_tui.daemon.risk.accounts import PORTFOLIO

_TAG = "Risk"
ReportName = Annotated[str, PathParameter(description="the report's type, e.g. daily_risk")]
FormatName = Annotated[str, Parameter(description="json, csv, xlsx, html or pdf")]
Book = Annotated[str, Parameter(description="portfolio, or one engine")]


@route("GET", "/api/v1/risk/reports", returns=Page[WrittenReport], tag=_TAG)
async def list_reports(request: AnyRequest) -> Answer:
    """Return the reports that lie in the home's folder, the latest first."""
    return answer(request, Page(await context_of(request).risk.reports.written()))


@route(
    "GET",
    "/api/v1/risk/reports/{report_type:str}",
    returns=dict[str, Any],
    tag=_TAG,
    content=tuple(CONTENT_TYPES.values()),
    headers={
        "Content-Disposition": "the name that the file should have",
        "X-Report-Synthetic": "yes if anything in it is from a simulated market or a made-up world, else no",
    },
)
async def get_report(
    request: AnyRequest,
    report_type: ReportName,
    format: FormatName = "json",
    portfolio: Book = PORTFOLIO,
) -> Answer:
    """Return a report as it stands now: JSON, or a file in the format asked for.

    A report that lacks facts is still a report, and says what is missing and why.
    """
    made = await context_of(request).risk.reports.make(
        _type_of(report_type), report_format(format), portfolio
    )
    return Response(
        made.content,
        media_type=made.content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{made.name}"',
            "X-Content-Type-Options": "nosniff",
            "X-Report-Synthetic": "yes" if made.synthetic else "no",
        },
    )


_type_of = report_type
HANDLERS = [list_reports, get_report]
