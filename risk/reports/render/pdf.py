"""A report as PDF, set by Typst on A4; the fonts come with it, and nothing is fetched.

The report goes in as data, never as part of the program that sets it, so that no text can be taken for
markup. The file carries its numbers as an attachment too: the CSV of the same report, the data of its
charts included. This module must not know what a report is about.
"""

from __future__ import annotations

import tempfile
from importlib.resources import files
from typing import Any

import msgspec

from data.problems import ProblemError
from risk.reports.document import Report
from risk.reports.render import csv_
from risk.reports.render.view import view


class ReportFailedError(ProblemError):
    """A report could not be written in the format asked for."""

    type, title, status = "report-failed", "Report not written", 500


def render(report: Report) -> bytes:
    """Return a report as PDF.

    Raises:
        ReportFailedError: Typst refused to set it.
    """
    made = _compile(report, format="pdf", timestamp=report.as_of // 1_000_000_000)
    assert isinstance(made, bytes)
    return made


def pictures(report: Report, ppi: float = 110.0) -> list[bytes]:
    """Return a report's pages as PNG; raises ReportFailedError."""
    made = _compile(report, format="png", ppi=ppi)
    return [made] if isinstance(made, bytes) else made


def _compile(report: Report, **options: Any) -> Any:
    import typst  # loaded by the first report of its kind

    source = (files("risk.reports.render") / "templates" / "report.typ").read_bytes()
    inputs = {
        "report": msgspec.json.encode(view(report)).decode(),
        "csv": csv_.render(report).decode(),
    }
    with tempfile.TemporaryDirectory() as nothing:  # the only folder that the program may read
        try:
            return typst.Compiler(source, root=nothing, sys_inputs=inputs).compile(**options)
        except typst.TypstError as error:
            raise ReportFailedError(f"the PDF could not be set: {error}", fix="another format") from error
