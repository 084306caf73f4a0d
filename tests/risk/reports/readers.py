"""Reads reports back, each format with a reader that knows nothing of how it was written."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from typing import Any, NamedTuple

import openpyxl
import pypdf
from lxml import html

from risk.reports.document import Number, Report, Table


class Place(NamedTuple):
    """Where a number stands."""

    table: str
    row: int
    column: str


def numbers(report: Report) -> dict[Place, Number]:
    """Return every number of a document by its place."""
    found: dict[Place, Number] = {}
    for _, table in report.tables():
        for at, row in enumerate(table.rows):
            for cell, column in zip(row, table.columns, strict=True):
                if isinstance(cell, Number):
                    place = Place(table.key, at, column.key)
                    assert place not in found, f"{place} is there twice"
                    found[place] = cell
    return found


def read_json(content: bytes) -> dict[Place, tuple[Any, str]]:
    """Return values and shown forms."""
    found: dict[Place, tuple[Any, str]] = {}
    for section in json.loads(content)["sections"]:
        for block in section["blocks"]:
            if block["block"] == "table":
                for at, row in enumerate(block["rows"]):
                    for cell, column in zip(row, block["columns"], strict=True):
                        if isinstance(cell, dict) and cell["value"] is not None:
                            found[Place(block["key"], at, column["key"])] = cell["value"], cell["shown"]
            elif block["block"] == "figures":
                for at, item in enumerate(block["items"]):
                    if "shown" in item:
                        found[Place(block["key"], at, "value")] = item["value"], item["shown"]
    return found


def rows_of_csv(content: bytes) -> list[dict[str, str]]:
    """Return the lines by their columns' names."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def read_csv(content: bytes) -> dict[Place, tuple[str, str]]:
    """Return exact and shown forms."""
    return {
        Place(row["table"], int(row["row"]) - 1, row["column"]): (row["value"], row["shown"])
        for row in rows_of_csv(content)
        if row["kind"] not in ("text", "unknown")
    }


def sheets(content: bytes) -> Any:
    """Return the workbook."""
    return openpyxl.load_workbook(io.BytesIO(content))


def read_xlsx(content: bytes, report: Report) -> dict[Place, tuple[Any, str]]:
    """Return values and number formats; the sheets stand in the order of the tables."""
    found: dict[Place, tuple[Any, str]] = {}
    pages = sheets(content).worksheets[1:]
    for page, (_, table) in zip(pages, report.tables(), strict=True):
        for at in range(len(table.rows)):
            for place, column in enumerate(table.columns):
                cell = page.cell(at + 2, place + 1)
                assert cell.data_type != "f", "nothing in a report is a formula"
                if isinstance(cell.value, int | float | dt.datetime):
                    found[Place(table.key, at, column.key)] = cell.value, cell.number_format
    return found


def read_html(content: bytes, report: Report) -> dict[Place, tuple[str, str]]:
    """Return exact and shown forms."""
    page = html.document_fromstring(content.decode())
    found: dict[Place, tuple[str, str]] = {}
    for _, table in report.tables():
        (element,) = page.xpath("//*[@id=$id]", id=table.key) or [None]
        if element is None:
            assert not table.rows
            continue
        if element.tag == "dl":
            rows = [[None, item, None] for item in element.xpath("./div/dd")]
        else:
            rows = [list(row.xpath("./td")) for row in element.xpath(".//tbody/tr")]
        assert len(rows) == len(table.rows)
        for at, row in enumerate(rows):
            for cell, column in zip(row, table.columns, strict=True):
                data = [] if cell is None else cell.xpath("./data")
                if data:
                    found[Place(table.key, at, column.key)] = data[0].get("value"), data[0].text_content()
    return found


def compact(text: str) -> str:
    """Return text without white space, however a line was broken."""
    return re.sub(r"[\s\u200b\u00ad]+", "", text)


def text_of_pdf(content: bytes) -> list[str]:
    """Return the text of each page."""
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages]


def attachment(content: bytes) -> bytes:
    """Return the file that a PDF carries."""
    ((_, files),) = pypdf.PdfReader(io.BytesIO(content)).attachments.items()
    return files[0]


def printed(report: Report) -> list[Table]:
    """Return the tables that are read, not only drawn."""
    return [table for _, table in report.tables() if table.printed]
