"""Renderers: a document in, bytes out, one module for each format. No renderer computes a number.

`render` is the way in; it loads the library of a format when that format is asked for.
"""

from __future__ import annotations

from data.reports import ReportFormat
from risk.reports.document import Report


def render(report: Report, form: ReportFormat) -> bytes:
    """Return a report as the bytes of a file.

    Raises:
        ReportFailedError: The library of the format could not write it.
    """
    match form:
        case "json":
            from risk.reports.render import json_

            return json_.render(report)
        case "csv":
            from risk.reports.render import csv_

            return csv_.render(report)
        case "xlsx":
            from risk.reports.render import xlsx

            return xlsx.render(report)
        case "html":
            from risk.reports.render import html_

            return html_.render(report)
        case "pdf":
            from risk.reports.render import pdf

            return pdf.render(report)
