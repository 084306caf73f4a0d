"""The text of filings' documents: HTML, inline XBRL, XML, plain text, and tables."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.problems import BadPayloadError, ProviderBadRequestError, ProviderNotFoundError
from providers.edgar import tables, texts
from tests.providers.edgar.conftest import Open
from tests.providers.replay import Replay, Route, recorded

TICKERS: dict[str, Route] = {
    "/files/company_tickers.json": b'{"0":{"cik_str":1,"ticker":"A","title":"Alpha"}}'
}
NUMBER = "0000000001-26-000001"
FOLDER = "/Archives/edgar/data/1/000000000126000001"
FILE = "/submissions/CIK0000000001.json"
DENIED: Route = (403, "application/xml", b"<Error><Code>AccessDenied</Code></Error>")


def listed(document: str | None, form: str = "10-K", title: str = "10-K") -> dict[str, Route]:
    recent = {
        "accessionNumber": [NUMBER],
        "filingDate": ["2026-01-02"],
        "form": [form],
        "primaryDocument": [document],
        "primaryDocDescription": [title],
    }
    body = {"cik": "1", "name": "Alpha", "filings": {"recent": recent, "files": []}}
    return {**TICKERS, FILE: json.dumps(body).encode(), "*": DENIED}


def page(body: str) -> bytes:
    return f"<html><head><title>t</title></head><body>{body}</body></html>".encode()


# ---------------------------------------------------------------- which document


async def test_the_primary_document_is_read(edgar_at: Open) -> None:
    content = page("<h1>Report</h1><p>All is well.</p>")
    routes = {**listed("a.htm"), f"{FOLDER}/a.htm": (200, "text/html", content)}
    with Replay(routes) as server:
        found = await edgar_at(server).document("A", NUMBER.replace("-", ""))
    assert found.text == "Report\n\nAll is well."
    assert found.sections == (("Report", 0),)
    assert (found.form, found.title, found.truncated) == ("10-K", "Annual report", False)
    assert found.url.endswith(f"{FOLDER}/a.htm")
    assert (found.source, found.synthetic, found.stale) == ("edgar", False, None)


async def test_trap_9_the_document_of_an_ownership_form_is_its_xml_not_the_page_made_of_it(
    edgar_at: Open,
) -> None:
    xml = recorded("edgar/forms/form4_snowflake.xml")
    routes = {
        **listed("xslF345X03/form4.xml", "4", "FORM 4"),
        f"{FOLDER}/xslF345X03/form4.xml": (200, "text/html", page("a page")),
        f"{FOLDER}/form4.xml": (200, "application/xml", xml),
    }
    with Replay(routes) as server:
        edgar = edgar_at(server)
        found = await edgar.document("A", NUMBER)
        named = await edgar.document("A", NUMBER, document="xslF345X03/form4.xml")
        assert not server.asked(f"{FOLDER}/xslF345X03/form4.xml")
    assert "Issuer Trading Symbol: SNOW" in found.text
    assert "Rpt Owner Name: Scarpelli Michael" in found.text
    assert "Transaction Price Per Share: 8.88" in found.text
    assert found.title == "Insider's trade"
    assert named.text == found.text


async def test_another_document_is_read_by_its_name(edgar_at: Open) -> None:
    routes = {**listed("a.htm"), f"{FOLDER}/ex99.txt": (200, "text/plain", b"Exhibit 99\r\n\r\n\r\nNews.")}
    with Replay(routes) as server:
        found = await edgar_at(server).document("A", NUMBER, document="ex99.txt")
    assert found.text == "Exhibit 99\n\nNews."
    assert found.title == "ex99.txt"


async def test_a_filing_without_a_primary_document_is_read_whole(edgar_at: Open) -> None:
    submission = (
        b"<SEC-DOCUMENT>x\n<DOCUMENT>\n<TYPE>10-K\n<TEXT>\n<PAGE>\nOld report.\n</TEXT>\n</DOCUMENT>\n"
    )
    routes = {**listed(""), f"{FOLDER}/{NUMBER}.txt": (200, "text/plain", submission)}
    with Replay(routes) as server:
        found = await edgar_at(server).document("A", NUMBER)
    assert found.text == "Old report."


async def test_a_filing_that_is_not_listed_is_read_from_its_folder(edgar_at: Open) -> None:
    items = [
        {"name": f"{NUMBER}-index.html"},
        {"name": "logo.jpg"},
        {"name": "b.htm"},
        {"name": f"{NUMBER}.txt"},
    ]
    other = f"{FOLDER[:-1]}2"
    routes = {
        **listed("a.htm"),
        f"{other}/index.json": json.dumps({"directory": {"item": items}}).encode(),
        f"{other}/b.htm": (200, "text/html", page("<p>Other.</p>")),
    }
    with Replay(routes) as server:
        found = await edgar_at(server).document("A", "0000000001-26-000002")
    assert (found.text, found.form, found.title) == ("Other.", "", "b.htm")


async def test_an_old_filing_is_listed_in_a_further_page(edgar_at: Open) -> None:
    number = "0000000001-99-000007"
    arrays = {"accessionNumber": [number], "filingDate": ["1999-03-01"], "form": ["10-K405"]}
    old = {"name": "CIK0000000001-submissions-001.json", "filingCount": 1, "filingFrom": "1999-03-01"}
    young = {**old, "name": "CIK0000000001-submissions-002.json", "filingFrom": "2015-01-01"}
    body = {"cik": "1", "filings": {"recent": {}, "files": [old | {"filingTo": "1999-03-01"}, young]}}
    routes: dict[str, Route] = {
        **TICKERS,
        FILE: json.dumps(body).encode(),
        f"/submissions/{old['name']}": json.dumps(arrays | {"primaryDocument": ["old.txt"]}).encode(),
        "/Archives/edgar/data/1/000000000199000007/old.txt": (200, "text/plain", b"Of 1999."),
        "*": DENIED,
    }
    with Replay(routes) as server:
        found = await edgar_at(server).document("A", number)
        assert not server.asked(f"/submissions/{young['name']}")
    assert (found.form, found.text) == ("10-K405", "Of 1999.")


async def test_a_document_can_be_read_when_the_list_cannot_be_had(edgar_at: Open) -> None:
    routes: dict[str, Route] = {
        **TICKERS,
        FILE: b"nonsense",
        f"{FOLDER}/b.txt": (200, "text/plain", b"Here."),
    }
    with Replay(routes) as server:
        found = await edgar_at(server).document("A", NUMBER, document="b.txt")
    assert (found.text, found.form) == ("Here.", "")


async def test_an_unknown_filing_is_not_found(edgar_at: Open) -> None:
    with (
        Replay(listed("a.htm")) as server,
        pytest.raises(ProviderNotFoundError, match="0000000001-26-000009"),
    ):
        await edgar_at(server).document("A", "0000000001-26-000009")


@pytest.mark.parametrize(
    ("accession", "document"), [("26-1", None), (NUMBER, "../x.htm"), (NUMBER, "/x.htm")]
)
async def test_a_wrong_number_or_name_is_a_bad_request(
    edgar_at: Open, accession: str, document: str | None
) -> None:
    with Replay(listed("a.htm")) as server, pytest.raises(ProviderBadRequestError):
        await edgar_at(server).document("A", accession, document=document)


async def test_a_picture_is_no_text(edgar_at: Open) -> None:
    routes = {**listed("a.htm"), f"{FOLDER}/logo.gif": (200, "image/gif", b"GIF89a\x00\x01")}
    with Replay(routes) as server, pytest.raises(ProviderBadRequestError, match="is not text"):
        await edgar_at(server).document("A", NUMBER, document="logo.gif")


async def test_what_was_filed_is_asked_for_once(edgar_at: Open) -> None:
    routes = {**listed("a.htm"), f"{FOLDER}/a.htm": (200, "text/html", page("x"))}
    with Replay(routes) as server:
        edgar = edgar_at(server)
        await edgar.document("A", NUMBER)
        await edgar.document("A", NUMBER)
        assert len(server.asked(f"{FOLDER}/a.htm")) == 1


# ---------------------------------------------------------------- texts


def test_the_header_of_inline_xbrl_and_hidden_parts_are_left_out() -> None:
    content = (
        b"<?xml version='1.0' encoding='ASCII'?>\n<!-- generated -->\n"
        b'<html xmlns:ix="http://www.xbrl.org/2013/inlineXBRL"><body><div style="display: none"><ix:header>'
        b"<ix:hidden>0000320193</ix:hidden></ix:header></div><ix:header>secret</ix:header>tail "
        b'<p>Net sales of <ix:nonfraction name="x">383,285</ix:nonfraction> million</p>'
        b"<script>alert(1)</script><style>p{}</style></body></html>"
    )
    text, _, truncated = texts.readable(content, "a.htm")
    assert text == "tail\n\nNet sales of 383,285 million"
    assert not truncated


def test_old_pages_that_close_no_font_are_read_to_the_end() -> None:
    content = b"<html><body>" + b"<p><FONT SIZE=2>line" * 6000 + b"<p>the end</body></html>"
    text, _, truncated = texts.readable(content, "a.htm")
    assert text.count("line") == 6000
    assert text.endswith("the end")
    assert not truncated


def test_a_page_nested_too_deeply_says_that_some_is_missing() -> None:
    text, _, truncated = texts.readable(b"<html><p>start</p>" + b"<div>" * 5000 + b"end", "a.htm")
    assert "start" in text
    assert truncated
    assert "end" not in text


def test_a_page_nested_deeply_is_read_without_its_layout() -> None:
    text, _, truncated = texts.readable(b"<html><p>start</p>" + b"<div>" * 1500 + b"end", "a.htm")
    assert "start" in text
    assert text.endswith("end")
    assert not truncated


def test_a_long_text_is_cut_at_a_line_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "MAX_CHARACTERS", 25)
    text, _, truncated = texts.readable(b"0123456789\n" * 5, "a.txt")
    assert (text, truncated) == ("0123456789\n0123456789\n", True)


def test_old_encodings_are_read() -> None:
    text, _, _ = texts.readable(b"<html><body>Soci\xe9t\xe9 \x93G\xe9n\xe9rale\x94</body></html>", "a.htm")
    assert text == "Société “Générale”"


def test_the_recorded_index_page_is_readable_and_its_tables_are_aligned() -> None:
    text, sections, _ = texts.readable(
        recorded("edgar/archives/0001045810-26-000024-index.html"), "index.html"
    )
    lines = text.split("\n")
    header = next(line for line in lines if line.startswith("Seq"))
    first = next(line for line in lines if line.startswith("1 "))
    assert header.index("Document") == first.index("nvda-20260302.htm")
    assert any(title.startswith("Item 5.02") for title, _ in sections)


def test_the_recorded_submission_is_read_as_its_first_document() -> None:
    text, _, _ = texts.readable(recorded("edgar/archives/0000320193-22-000061.txt"), "x.txt")
    assert text.startswith("Ownership Document")
    assert "Rpt Owner Name: Adams Katherine L." in text


def test_a_table_stands_apart_and_one_around_it_only_places_it() -> None:
    inner = "<table><tr><td>Sales</td><td>1</td></tr><tr><td>Net</td><td>22</td></tr></table>"
    text, _, _ = texts.readable(
        page(f"<table><tr><td><p>Before.</p>{inner}<p>After.</p></td></tr></table>"), "a.htm"
    )
    assert text == "Before.\n\nSales   1\nNet    22\n\nAfter."


def test_headings_are_found_where_they_stand_and_not_in_the_table_of_contents() -> None:
    items = ["Item 1.", "Item 1A.", "Item 2.", "Item 7."]
    contents = "".join(f"<tr><td>{item}</td><td>Name</td><td>{n}</td></tr>" for n, item in enumerate(items))
    body = "".join(f"<p><b>{item}</b></p><p>Title of {item}</p><p>Text.</p>" for item in items)
    text, sections, _ = texts.readable(page(f"<p>PART I</p><table>{contents}</table>{body}"), "a.htm")
    lines = text.split("\n")
    assert [title for title, _ in sections if title.startswith("Item")] == [
        f"{one} Title of {one}" for one in items
    ]
    assert all(title.startswith(lines[place].strip()) for title, place in sections)


def test_sentences_that_begin_like_headings_are_none() -> None:
    words = "Item 5 of our report of last year told, at some length, what the board thinks " * 3
    _, sections, _ = texts.readable(page(f"<p>{words}</p>"), "a.htm")
    assert sections == ()


def test_xml_that_declares_entities_is_not_read() -> None:
    with pytest.raises(BadPayloadError):
        texts.readable(b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "a.xml")


@given(st.binary(max_size=400), st.sampled_from(["a.htm", "a.xml", "a.txt", "a"]))
def test_any_document_is_text_or_refused_with_a_typed_error(content: bytes, name: str) -> None:
    try:
        text, sections, _ = texts.readable(content, name)
    except (BadPayloadError, ProviderBadRequestError):
        return
    count = len(text.split("\n"))
    assert all(0 <= place < count for _, place in sections)


# ---------------------------------------------------------------- tables


def test_currency_signs_and_brackets_are_joined_and_numbers_stand_below_one_another() -> None:
    rows: list[Sequence[tuple[str, int]]] = [
        [("", 1), ("2025", 3), ("", 1), ("2024", 3)],
        [("Net sales", 1), ("$", 1), ("307,003", 1), ("", 1), ("", 1), ("$", 1), ("294,866", 1), ("", 1)],
        [("Loss", 1), ("(1,003", 2), (")", 1), ("", 1), ("20", 2), ("", 1)],
        [("Margin", 1), ("", 1), ("1.5", 1), ("%", 1), ("", 1), ("", 1), ("—", 1), ("", 1)],
    ]
    assert tables.lines(rows) == [
        "               2025      2024",
        "Net sales  $307,003  $294,866",
        "Loss        (1,003)        20",
        "Margin         1.5%         —",
    ]


def test_a_title_over_several_columns_does_not_widen_one() -> None:
    rows: list[Sequence[tuple[str, int]]] = [
        [("", 1), ("Years ended on the last Saturday of September", 2)],
        [("Sales", 1), ("1", 1), ("2", 1)],
    ]
    assert tables.lines(rows)[1] == "Sales  1  2"


def test_a_table_that_places_paragraphs_is_told_as_paragraphs() -> None:
    words = "word " * 80
    assert tables.lines([[("•", 1), (words.strip(), 1)]]) == [f"• {words.strip()}"]


CELLS = st.lists(
    st.lists(
        st.tuples(st.sampled_from(["", "$", "(", ")", "1,234", "x y", "%", "long " * 20]), st.integers(0, 4))
    ),
    max_size=6,
)


@given(CELLS)
def test_no_text_of_a_table_is_lost(rows: list[list[tuple[str, int]]]) -> None:
    told = "".join("".join(tables.lines(rows)).split())
    given_text = "".join("".join(text.split()) for row in rows for text, _ in row)
    assert sorted(told) == sorted(given_text)
