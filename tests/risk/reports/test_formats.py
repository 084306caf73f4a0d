"""Every report in every format, written, read back by that format's own reader, and equal in its numbers."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
from decimal import Decimal
from functools import cache

import polars as pl
import pypdf
import pytest
from lxml import html

from data import forms
from data.reports import FORMATS, TITLES, TYPES, ReportFormat, ReportType
from risk.reports.build import build
from risk.reports.document import Chart, Figures, Number, Report, Table, Unknown
from risk.reports.render import render
from risk.reports.render.csv_ import guarded
from tests.risk.reports import readers, world
from tests.risk.reports.readers import compact

DRAWN = {"daily_risk", "weekly_summary", "monthly_summary", "stress_test", "limit_utilization"}
DRAWN |= {"breach_analysis", "var_backtest", "correlation", "concentration", "performance_attribution"}
DRAWN |= {"execution_quality"}


@cache
def report(kind: ReportType) -> Report:
    return build(kind, world.facts(kind))


@cache
def written(kind: ReportType, form: ReportFormat) -> bytes:
    return render(report(kind), form)


@pytest.mark.parametrize("kind", TYPES)
def test_a_report_has_numbers_charts_and_what_is_not_known(kind: ReportType) -> None:
    made = report(kind)
    assert len(readers.numbers(made)) > 20
    assert made.synthetic
    assert made.environment == "PAPER"
    blocks = [block for section in made.sections for block in section.blocks]
    keys = [block.key for block in blocks if isinstance(block, Table | Figures | Chart)]
    assert len(keys) == len(set(keys)), "a key stands for one thing"
    charts = [block for block in blocks if isinstance(block, Chart)]
    assert bool(charts) == (kind in DRAWN)
    for chart in charts:  # what is drawn is there
        table = made.table(chart.table)
        for key in (chart.x, *chart.y):
            table.place(key)
    cells = [cell for _, table in made.tables() for row in table.rows for cell in row]
    assert all(cell.reason for cell in cells if isinstance(cell, Unknown))


@pytest.mark.parametrize("kind", TYPES)
def test_json_holds_every_number_exactly(kind: ReportType) -> None:
    expected = readers.numbers(report(kind))
    found = readers.read_json(written(kind, "json"))
    assert found.keys() == expected.keys()
    for place, number in expected.items():
        value, shown = found[place]
        assert shown == number.shown
        if isinstance(number.value, Decimal):
            assert Decimal(value) == number.value, place
        elif isinstance(number.value, dt.date):
            assert dt.date.fromisoformat(value) == number.value
        elif number.kind == "time":
            assert forms.parse_iso(value) == number.value
        else:
            assert value == number.value, place


@pytest.mark.parametrize("kind", TYPES)
def test_csv_holds_every_number_exactly_and_opens_as_a_table(kind: ReportType) -> None:
    expected = readers.numbers(report(kind))
    found = readers.read_csv(written(kind, "csv"))
    assert found.keys() == expected.keys()
    for place, number in expected.items():
        exact, shown = found[place]
        assert shown == number.shown
        if number.kind == "time":
            assert forms.parse_iso(exact) == number.value
        elif isinstance(number.value, dt.date):
            assert dt.date.fromisoformat(exact) == number.value
        else:
            assert type(number.value)(exact) == number.value, place
    table = pl.read_csv(io.BytesIO(written(kind, "csv")), infer_schema=False)
    cells = sum(len(row) for _, one in report(kind).tables() for row in one.rows)
    about = table.filter(pl.col("table").is_in(["about", "text"])).height
    assert table.height == cells + about
    for row in readers.rows_of_csv(written(kind, "csv")):
        assert not any(text.startswith(("=", "+", "@")) for text in row.values())
        risky = [name for name, text in row.items() if text.startswith("-")]
        assert not risky or (risky == ["value"] and row["kind"] != "text") or "label" in risky


@pytest.mark.parametrize("kind", TYPES)
def test_a_workbook_holds_every_number_as_a_number(kind: ReportType) -> None:
    expected = readers.numbers(report(kind))
    found = readers.read_xlsx(written(kind, "xlsx"), report(kind))
    assert found.keys() == expected.keys()
    for place, number in expected.items():
        value, form = found[place]
        if isinstance(number.value, dt.date):
            assert value.date() == number.value
        elif number.kind == "time":
            assert abs(value.replace(tzinfo=dt.UTC).timestamp() * 1e9 - number.value) < 2e6
        else:
            assert math.isclose(value, number.value, rel_tol=1e-15, abs_tol=0.0), place
            decimals = len(form.partition(".")[2].rstrip("\\ %"))
            assert decimals == number.decimals
            assert form.endswith("%") == (number.kind == "percent")
    for page in readers.sheets(written(kind, "xlsx")).worksheets[1:]:
        assert page.freeze_panes == "B2"
        assert page.title
    about = readers.sheets(written(kind, "xlsx"))["Report"]
    told = {str(row[0].value): str(row[1].value) for row in about.iter_rows(max_row=6)}
    assert told["Report"] == TITLES[kind]
    assert told["Environment"] == "PAPER SYNTHETIC"


@pytest.mark.parametrize("kind", TYPES)
def test_html_holds_every_number_and_needs_nothing_from_elsewhere(kind: ReportType) -> None:
    expected = readers.numbers(report(kind))
    found = readers.read_html(written(kind, "html"), report(kind))
    assert found.keys() == expected.keys()
    for place, number in expected.items():
        exact, shown = found[place]
        assert exact == number.exact
        assert shown.replace("\u00a0", " ") == number.shown
    text = written(kind, "html").decode()
    assert not re.search(r"(src|href)\s*=|@import|url\(|<script", text)
    page = html.document_fromstring(text)
    charts = [b for s in report(kind).sections for b in s.blocks if isinstance(b, Chart)]
    assert len(page.xpath("//*[local-name()='svg']")) == len(charts)
    assert [mark.text for mark in page.xpath("//div[@class='marks']/b")] == ["PAPER", "SYNTHETIC"]


@pytest.mark.parametrize("kind", TYPES)
def test_a_pdf_shows_every_number_that_is_printed_and_carries_all(kind: ReportType) -> None:
    content = written(kind, "pdf")
    pages = readers.text_of_pdf(content)
    text = compact("".join(pages))
    for table in readers.printed(report(kind)):
        for row in table.rows:
            shown = [compact(cell.shown) for cell in row if isinstance(cell, Number)]
            pattern = ".{0,400}?".join(map(re.escape, shown))
            assert re.search(pattern, text, re.DOTALL), (table.key, shown)
    assert readers.attachment(content) == written(kind, "csv")
    file = pypdf.PdfReader(io.BytesIO(content))
    assert file.metadata is not None
    assert file.metadata.title == TITLES[kind]
    for number, (page, words) in enumerate(zip(file.pages, pages, strict=True), 1):
        assert (round(page.mediabox.width), round(page.mediabox.height)) == (595, 842), "A4"
        assert f"Page {number} of {len(pages)}" in words
        assert "PAPER · SYNTHETIC" in words
        assert "as of 2026-09-21 14:13:20 UTC" in words
    assert any(
        "/FontFile" in str(descriptor) or "/FontFile3" in str(descriptor) for descriptor in _fonts(file)
    ), "fonts are embedded"


def _fonts(file: pypdf.PdfReader) -> list[object]:
    found: list[object] = []
    for page in file.pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            inner = font.get_object().get("/DescendantFonts")
            if inner is not None:
                found.append(inner[0].get_object()["/FontDescriptor"].get_object())
    return found


@pytest.mark.parametrize("kind", TYPES)
def test_a_report_of_nothing_is_true_in_every_format(kind: ReportType) -> None:
    made = build(kind, world.nothing())
    assert not made.synthetic
    for form in FORMATS:
        assert render(made, form)
    text = "".join(readers.text_of_pdf(render(made, "pdf")))
    assert re.search("cannot be told|not been kept|No limit|no engine|No breach|There is no", text), text
    for number in readers.numbers(made).values():
        assert number.value == 0, "of nothing there is nothing but counts of zero"


def test_a_report_is_the_same_file_each_time() -> None:
    for form in ("json", "csv", "html", "pdf"):
        assert render(report("daily_risk"), form) == written("daily_risk", form)


def test_text_that_a_spreadsheet_would_run_is_told_as_text() -> None:
    rows = readers.rows_of_csv(written("performance_attribution", "csv"))
    assert [r["value"] for r in rows if r["table"] == "by_strategy" and r["column"] == "name"].count(
        "'=HYPERLINK(evil)"
    ) == 1
    assert guarded("'=x") == "''=x"
    book = readers.sheets(written("performance_attribution", "xlsx"))
    cells = [cell for page in book.worksheets for row in page.iter_rows() for cell in row]
    evil = [cell for cell in cells if str(cell.value).startswith("=HYPERLINK")]
    assert [cell.data_type for cell in evil] == ["s"]
