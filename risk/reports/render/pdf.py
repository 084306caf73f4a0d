"""A report as PDF, set by Typst on A4; the fonts come with it, and nothing is fetched.

The report goes in as data, never as part of the program that sets it, so that no text can be taken for
markup. The file carries its numbers as an attachment too: the CSV of the same report, the data of its
charts included. This module must not know what a report is about.
"""

from __future__ import annotations

import tempfile
from importlib.resources import files
from typing import Any, Final

import msgspec

from data.problems import ProblemError
from risk.reports.document import Report
from risk.reports.render import csv_
from risk.reports.render.view import view

#: The style sheet of drawings on paper.
STYLE: Final = """<style>
text { font-family: "Libertinus Serif"; font-size: 11px; fill: #1a1d21 }
.note { fill: #5c6570; font-size: 10px }
.on { fill: #ffffff } .grid { stroke: #d5dae0; stroke-width: .6 } .axis { stroke: #5c6570; stroke-width: .9 }
.mark { stroke: #b42318; stroke-width: .9; stroke-dasharray: 4 3 }
.a { fill: #1f5fa8 } .b { fill: #b5651d } .c { fill: #4b7f52 } .d { fill: #7b4f9e } .e { fill: #5c6570 }
.good { fill: #4b7f52 } .poor { fill: #c98a1b } .bad { fill: #b42318 }
.hot { fill: #b5651d } .cold { fill: #1f5fa8 } .none { fill: none; stroke: #d5dae0 }
.area { opacity: .13 } .line { fill: none; stroke-width: 1.4 }
.line.a { stroke: #1f5fa8 } .line.b { stroke: #b5651d } .line.c { stroke: #4b7f52 }
.line.d { stroke: #7b4f9e } .line.e { stroke: #5c6570 }
</style>"""


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
        "report": msgspec.json.encode(_styled(view(report))).decode(),
        "csv": csv_.render(report).decode(),
    }
    with tempfile.TemporaryDirectory() as nothing:  # the only folder that the program may read
        try:
            return typst.Compiler(source, root=nothing, sys_inputs=inputs).compile(**options)
        except typst.TypstError as error:
            raise ReportFailedError(f"the PDF could not be set: {error}", fix="another format") from error


def _styled(told: dict[str, Any]) -> dict[str, Any]:
    for section in told["sections"]:
        for block in section["blocks"]:
            if block["is"] == "chart":
                block["svg"] = block["svg"].replace("</title>", f"</title>{STYLE}", 1)
    return told
