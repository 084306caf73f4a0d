"""The document model and what must hold of any document, whatever is written in it."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree, html

from risk.reports.document import (
    Chart,
    Column,
    Figure,
    Figures,
    Number,
    Paragraph,
    Report,
    Section,
    Unknown,
    number,
    table,
    writable,
)
from risk.reports.render import render
from risk.reports.render.svg import axis, draw
from tests.risk.reports import readers

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
FEW = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
#: What Typst, HTML, CSV and spreadsheets give a meaning to, and letters that the fonts have.
MARKUP = st.text(
    st.sampled_from("#$*_`~<>@=-+/\\\"'[](){}&;:|%,.!?^0aZ éß–≤"), min_size=1, max_size=30
).filter(lambda text: bool(readers.compact(text)))
ANY = st.text(st.characters(codec="utf-8", exclude_categories=()), max_size=30) | MARKUP


def document(text: str, value: Decimal = Decimal("1.5")) -> Report:
    data = table(
        "data",
        text,
        (Column("name", text), Column("size", "Size", "money", "USD"), Column("gone", "Gone", "number")),
        [(text, value, Unknown(text)), ("plain", -value, None)],
        note=text,
    )
    return Report(
        type="daily_risk",
        title=text,
        as_of=1_790_000_000_000_000_001,
        portfolio=text,
        currency="USD",
        environment="SIM",
        synthetic=False,
        notes=(text,),
        sources=(text,),
        sections=(
            Section(
                "one",
                text,
                (
                    Paragraph(text),
                    Figures(key="figures", title=text, items=(Figure(text, text, text),)),
                    data,
                    Chart(key="chart", title=text, kind="bars", table="data", x="name", y=("size",)),
                ),
            ),
        ),
    )


@given(ANY)
@QUICK
@example("</title><script>alert(1)</script>")
@example("\x00\x1b\ud800\r\n\t=1+1")
@example("0" * 20 + "\U00010000" * 5)
@example("0" * 30 + "\U00010000")
def test_any_text_reads_back_from_html_csv_json_and_workbooks(text: str) -> None:
    made, plain = document(text), writable(text)
    page = html.document_fromstring(render(made, "html").decode())
    assert not page.xpath("//script")
    names = [cell.text_content() for cell in page.xpath("//table[@id='data']//tbody/tr/td[1]")]
    assert readers.compact(names[0]) == readers.compact(plain)
    rows = list(csv.DictReader(io.StringIO(render(made, "csv").decode("utf-8-sig"), newline="")))
    (cell,) = [
        row["value"] for row in rows if (row["table"], row["row"], row["column"]) == ("data", "1", "name")
    ]
    assert cell.removeprefix("'") == plain or cell == plain
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    blocks = json.loads(render(made, "json"))["sections"][0]["blocks"]
    assert blocks[2]["rows"][0][0] == plain
    assert blocks[2]["rows"][0][2] == {"value": None, "reason": plain}
    page_ = readers.sheets(render(made, "xlsx")).worksheets[2]
    kept = page_.cell(2, 1).value or ""
    assert re.sub(r"_x[0-9A-F]{4}_", "", str(kept)) == re.sub(r"_x[0-9A-F]{4}_", "", plain)


@given(MARKUP)
@FEW
@example('#import "@preview/x:1.0.0": *')
@example('") + read("/etc/passwd") + ("')
@example("$x$ `raw` <label> @ref \\ // comment /* open")
def test_any_markup_is_printed_as_it_stands(text: str) -> None:
    printed = readers.compact("".join(readers.text_of_pdf(render(document(text), "pdf"))))
    assert printed.count(readers.compact(text)) >= 6


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=6))
@QUICK
def test_the_same_number_stands_in_every_format(value: Decimal) -> None:
    made = document("a name", value)
    shown = readers.numbers(made)[readers.Place("data", 0, "size")].shown
    assert Decimal(shown.replace(",", "").replace("−", "-")) == value.quantize(
        Decimal("0.01"), ROUND_HALF_EVEN
    )
    assert not re.fullmatch(r"−0\.?0*", shown)
    place = readers.Place("data", 0, "size")
    assert Decimal(readers.read_json(render(made, "json"))[place][0]) == value
    assert Decimal(readers.read_csv(render(made, "csv"))[place][0]) == value
    assert readers.read_html(render(made, "html"), made)[place] == (f"{value:f}", shown)
    assert math.isclose(readers.read_xlsx(render(made, "xlsx"), made)[place][0], float(value), rel_tol=1e-15)


@pytest.mark.parametrize(
    ("cell", "shown", "exact"),
    [
        (number(Decimal("-1234567.895"), "money", ""), "−1,234,567.90", "-1234567.895"),
        (number(0.02345, "percent", ""), "2.34 %", "0.02345"),  # half to even, of the float itself
        (number(-1e-9, "ratio", ""), "0.000", "-1e-09"),
        (number(12, "count", ""), "12", "12"),
        (number(Decimal("187.530"), "price", ""), "187.53", "187.530"),
        (
            number(1_790_000_000_123_456_789, "time", ""),
            "2026-09-21 14:13:20",
            "2026-09-21T14:13:20.123456789Z",
        ),
    ],
)
def test_a_number_is_kept_exactly_and_shown_rounded(cell: Number, shown: str, exact: str) -> None:
    assert (cell.shown, cell.exact) == (shown, exact)


def test_what_is_not_finite_is_not_known() -> None:
    assert number(math.inf, "ratio", "") == Unknown("it came out as inf")
    assert number(None, "ratio", "too little") == Unknown("too little")


def test_prices_of_a_column_have_the_same_decimals() -> None:
    made = table("t", "T", (Column("p", "P", "price"),), [(Decimal("1.5"),), (Decimal("2.125"),), (None,)])
    assert [cell.shown for (cell,) in made.rows if isinstance(cell, Number)] == ["1.500", "2.125"]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="table t"):
        table("t", "T", (Column("a", "A"),), [("x", "y")])


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
@QUICK
def test_an_axis_spans_its_values_in_round_steps(one: float, other: float) -> None:
    found = axis(min(one, other), max(one, other))
    assert found.low <= min(one, other) + 1e-6 * abs(found.step)
    assert found.high >= max(one, other) - 1e-6 * abs(found.step)
    assert 2 <= len(found.ticks) <= 12
    assert found.low < found.high


def test_charts_are_well_formed_whatever_is_missing_in_them() -> None:
    times = table(
        "t",
        "T",
        (Column("time", "Time", "time"), Column("a", "A <&>", "percent"), Column("b", "B", "percent")),
        [(place * 10**12, None if place in (3, 4) else -0.01 * place, 0.02) for place in range(9)],
    )
    for kind in ("lines", "exceptions", "bars", "heat"):
        drawn = draw(Chart(key="c", title="<&>", kind=kind, table="t", x="time", y=("a", "b")), times)
        root = etree.fromstring(drawn.encode())
        assert root.tag.endswith("svg")
    lines = draw(Chart(key="c", title="", kind="lines", table="t", x="time", y=("a",)), times)
    assert lines.count('class="line a"') == 2, "a gap is a gap"
    hits = draw(Chart(key="c", title="", kind="exceptions", table="t", x="time", y=("a", "b")), times)
    assert hits.count('class="dot bad"') == 4, "losses of 5 to 8 % are beyond 2 %"
