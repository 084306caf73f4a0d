"""A report as one HTML file that needs nothing from elsewhere, light or dark as the screen, and to print.

Every number is a ``data`` element with the exact value beside what is shown. This module must not know
what a report is about.
"""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import TYPE_CHECKING

from risk.reports.document import Report
from risk.reports.render.view import view

if TYPE_CHECKING:
    from jinja2 import Template


def render(report: Report) -> bytes:
    """Return a report as HTML in UTF-8."""
    return _template().render(report=view(report)).encode()


@functools.cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined  # loaded by the first report of its kind

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False
    )
    source = files("risk.reports.render") / "templates" / "report.html"
    return environment.from_string(source.read_text("utf-8"))
