"""Documents of filings as text for reading: HTML, inline XBRL, XML and plain text.

Hidden parts are left out, tables are aligned, and headings are found with the lines they stand on.
This module must not know of companies or of the wire.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml import etree, html

from data.problems import BadPayloadError, ProviderBadRequestError
from providers.edgar import tables
from providers.edgar.wire import LABEL, parse_xml, text_of

#: A longer text is cut.
MAX_CHARACTERS = 2_000_000
#: Stands before a heading until its line is known; no document has it.
_MARK = "\u2063"
_HIDDEN = "//*[contains(translate(@style, ' ', ''), 'display:none')]"
#: Tags that only dress text. Old pages open them and never close them, and would be nested too deeply.
_DRESS = re.compile(rb"</?(?:font|b|i|u|em|strong|small|big|tt|center)(?:\s[^>]*)?>", re.IGNORECASE)
_INLINE = ("span", "a", "sup", "sub")
_HEADINGS = ("h1", "h2", "h3", "h4")
_ITEM = re.compile(
    r"(?:PART\s+[IVX]+\b|ITEM\s+\d{1,2}(?:\.\d\d|[A-C])?\b|SIGNATURES?$|EXHIBIT\s+INDEX$)", re.IGNORECASE
)
_BARE = re.compile(r"ITEM\s+\d{1,2}(?:\.\d\d|[A-C])?[.:]?", re.IGNORECASE)
_HEADING_LENGTH = 160
#: So many headings with nothing between them are a table of contents.
_CONTENTS = 4
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SGML = re.compile(r"</?(?:PAGE|TABLE|CAPTION|S|C|FN|TEXT|PDF)>", re.IGNORECASE)
_DOCUMENT = re.compile(rb"<TEXT>(.*?)(?:</TEXT>|\Z)", re.IGNORECASE | re.DOTALL)
_WRAPPING = re.compile(rb"\A\s*<(?:XML|XBRL)>|</(?:XML|XBRL)>\s*\Z", re.IGNORECASE)


def readable(content: bytes, name: str) -> tuple[str, tuple[tuple[str, int], ...], bool]:
    """Return a document's text, its headings with their lines from 0, and whether it was cut.

    Args:
        content: the document.
        name: its file name.

    Raises:
        ProviderBadRequestError: it is a picture or the like, and no text.
        BadPayloadError: it cannot be read.
    """
    if b"\x00" in content[:4096] or content.startswith(
        (b"%PDF", b"\x89PNG", b"GIF8", b"\xff\xd8", b"PK\x03")
    ):
        raise ProviderBadRequestError(
            f"{LABEL}: {name} is not text",
            rule="the reader shows text, HTML and XML",
            fix="open its address in a browser",
        )
    text, truncated = _text(content, name)
    if len(text) > MAX_CHARACTERS:
        truncated = True
        text = text[: text.rfind("\n", 0, MAX_CHARACTERS) + 1 or MAX_CHARACTERS]
    lines = [line.rstrip() for line in text.split("\n")]
    found = tuple(_sections(lines))
    return "\n".join(line.replace(_MARK, "") for line in lines), found, truncated


def _text(content: bytes, name: str) -> tuple[str, bool]:
    """Return a document's text and whether some of it is missing."""
    start = content[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<sec-document", b"-----begin privacy", b"<document")):
        found = _DOCUMENT.search(content)
        if found is not None:  # the first document of a whole submission
            return _text(_WRAPPING.sub(b"", found[1]), f"the document in {name}")
    if b"<html" in start or name.lower().endswith((".htm", ".html")):
        return _of_html(content)
    if start.startswith(b"<?xml") or name.lower().endswith(".xml"):
        return "\n".join(_of_xml(parse_xml(content, name))), False
    return _tidied(_SGML.sub("", text_of(content)).replace("\r\n", "\n")), False


# ---------------------------------------------------------------- HTML


def _of_html(content: bytes) -> tuple[str, bool]:
    try:
        content.decode()
        encoding = "utf-8"
    except UnicodeDecodeError:
        encoding = "cp1252"
    parser = html.HTMLParser(
        encoding=encoding, no_network=True, remove_comments=True, remove_pis=True, huge_tree=True
    )
    try:
        root = html.document_fromstring(_DRESS.sub(b"", content), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise BadPayloadError(
            f"{LABEL}: a document cannot be read: {error}",
            rule="a document is a page of HTML",
            fix="open its address in a browser",
        ) from error
    _simplify(root)
    for table in reversed(list(root.iter("table"))):  # the inner ones first
        _flatten(table)
    try:
        text = Inscriptis(root, ParserConfig(css=CSS_PROFILES["strict"])).get_text()
    except RecursionError:  # nested deeper than Python goes: the text without its layout
        text = "\n".join(root.itertext())
    limits = etree.ErrorTypes.ERR_RESOURCE_LIMIT
    return _tidied(text), any(entry.type == limits for entry in parser.error_log)


def _simplify(root: html.HtmlElement) -> None:
    """Leave out what is hidden and the tags that only mark figures or links; mark headings."""
    for element in [*root.iter("ix:header", "script", "style", "noscript"), *root.xpath(_HIDDEN)]:
        if element.getparent() is not None:
            element.drop_tree()
    for heading in root.iter(*_HEADINGS):
        heading.text = f"{_MARK}{heading.text or ''}"
    facts = {element.tag for element in root.iter() if isinstance(element.tag, str) and ":" in element.tag}
    etree.strip_tags(root, *_INLINE, *facts)


def _flatten(table: html.HtmlElement) -> None:
    """Put a table's aligned lines in its place; one around other tables only places them on the page."""
    if next(table.iter("pre"), None) is not None:
        for part in table.iter("table", "tbody", "tr", "td", "th"):
            part.tag = "div"
        return
    rows = [
        [(" ".join(cell.text_content().split()), _span(cell)) for cell in row.iterchildren("td", "th")]
        for row in table.iter("tr")
    ]
    tail = table.tail
    table.clear()
    table.tag = "pre"
    table.text = "\n".join(["", *tables.lines(rows), "", ""])
    table.tail = tail


def _span(cell: html.HtmlElement) -> int:
    span = cell.get("colspan", "1").strip()
    return int(span) if span.isascii() and span.isdigit() and len(span) < 5 else 1


# ---------------------------------------------------------------- XML and plain text


def _of_xml(root: etree._Element) -> Iterator[str]:
    """Yield an XML document as lines: names in words with their values, indented by depth."""
    pending: list[tuple[etree._Element, int]] = [(root, 0)]
    while pending:
        element, depth = pending.pop()
        children = [child for child in element if isinstance(child.tag, str) and (len(child) or child.text)]
        value = " ".join((element.text or "").split())
        if len(children) == 1 and etree.QName(children[0]).localname == "value" and not value:
            value, children = " ".join((children[0].text or "").split()), []
        if value or children:
            name = _WORDS.sub(" ", etree.QName(element).localname)
            yield f"{'  ' * depth}{name[:1].upper()}{name[1:]}{f': {value}' if value else ''}"
        pending.extend((child, depth + 1) for child in reversed(children))


def _tidied(text: str) -> str:
    """Return a text without blank lines at the ends and with at most one between others."""
    lines: list[str] = []
    for line in text.replace("\xa0", " ").replace("\f", "\n").split("\n"):
        stripped = line.rstrip()
        if stripped or (lines and lines[-1]):
            lines.append(stripped)
    return "\n".join(lines).strip("\n")


# ---------------------------------------------------------------- headings


def _sections(lines: list[str]) -> Iterator[tuple[str, int]]:
    """Yield headings and their lines, without those of a table of contents."""
    candidates = [place for place, line in enumerate(lines) if _is_heading(line)]
    runs: list[list[int]] = []
    for place in candidates:
        if runs and not any(lines[between].strip() for between in range(runs[-1][-1] + 1, place)):
            runs[-1].append(place)
        else:
            runs.append([place])
    last = {_number(lines[place]): place for place in candidates}
    for run in runs:
        for place in run:
            if len(run) < _CONTENTS or last[_number(lines[place])] == place:
                yield _title(lines, place), place


def _number(line: str) -> str:
    """Return what names a heading wherever it stands: ``ITEM 1A``, or all of it."""
    found = _BARE.match(line.strip())
    return " ".join((found[0].rstrip(".:") if found else line).upper().split())


def _is_heading(line: str) -> bool:
    text = line.strip()
    return text.startswith(_MARK) or (len(text) <= _HEADING_LENGTH and _ITEM.match(text) is not None)


def _title(lines: list[str], place: int) -> str:
    """Return a heading; where its line has the number only, with the line after it."""
    title = " ".join(lines[place].replace(_MARK, "").split())
    if _BARE.fullmatch(title):
        following = next((line.strip() for line in lines[place + 1 : place + 4] if line.strip()), "")
        if 0 < len(following) <= _HEADING_LENGTH:
            title = f"{title} {' '.join(following.split())}"
    return title
