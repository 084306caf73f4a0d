"""The XML documents of a filing: from its folder, or cut out of the submission as it was sent.

What an element holds is read here into numbers, dates and flags, by local names, because the same
forms come with and without namespaces. This module must not know what a form reports.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from lxml import etree

from data.problems import BadPayloadError, ProviderNotFoundError
from providers.core.http import Answer
from providers.edgar.wire import EdgarWire, parse_xml, text_of

_DOCUMENT = re.compile(r"<DOCUMENT>(.*?)</DOCUMENT>", re.DOTALL)
_HEADER = re.compile(r"^<(TYPE|FILENAME)>([^\r\n]*)", re.MULTILINE)
_XML = re.compile(r"<XML>(.*?)</XML>", re.DOTALL)
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T[\d:.]+)?(?:Z|[+-]\d{2}:?\d{2})?")
_AMERICAN_DAY = re.compile(r"(\d{2})-(\d{2})-(\d{4})")
#: No amount in a form has more digits before or after the point.
_MOST_DIGITS = 30


@dataclass(frozen=True, slots=True)
class Piece:
    """An XML document of a submission."""

    type: str  #: such as ``4`` or ``INFORMATION TABLE``
    filename: str
    content: bytes


def pieces(text: str) -> list[Piece]:
    """Return the XML documents of a submission, in their order."""
    found = []
    for document in _DOCUMENT.finditer(text):
        body = document[1]
        xml = _XML.search(body)
        if xml is not None:
            header = {name: value.strip() for name, value in _HEADER.findall(body[: xml.start()])}
            content = _undeclared(xml[1]).encode()
            found.append(Piece(header.get("TYPE", ""), header.get("FILENAME", ""), content))
    return found


def _undeclared(text: str) -> str:
    """Return XML without its declaration: the encoding named there is that of the file, not of this text."""
    return re.sub(r"\A\s*<\?xml[^>]*\?>", "", text).strip()


def source_name(document: str) -> str:
    """Return the name of the XML that a document is made of; lists name what a style sheet made of it.

    ``xslF345X05/form4.xml`` is a page of HTML, ``form4.xml`` the data.
    """
    folder, _, name = document.rpartition("/")
    return name if folder.startswith("xsl") else document


async def xml_document(
    wire: EdgarWire, cik: int, accession: str, document: str, root: str
) -> Answer[etree._Element]:
    """Return a document of a filing as XML.

    Args:
        wire: EDGAR.
        cik: in whose folder the filing lies.
        accession: its number.
        document: the document's name as the list of filings has it. If there is no such file, the first
            document of the submission with this root is taken.
        root: local name of its root element.

    Raises:
        ProviderNotFoundError: the filing has no such document.
        BadPayloadError: it is not what it should be.
        ProviderError: it cannot be had.
    """
    name = source_name(document)
    if name.lower().endswith(".xml"):
        try:
            answer = await wire.archive(cik, accession, name)
        except ProviderNotFoundError:
            pass  # it is in the submission all the same
        else:
            tree = parse_xml(answer.value.content, f"{name} of {accession}")
            if local(tree) != root:
                raise BadPayloadError(
                    f"EDGAR: {name} of {accession} is a {local(tree)[:60]} and not a {root}",
                    rule="a form is in the XML of its kind",
                    fix="nothing of it was used",
                )
            return _with(answer, tree)
    submission = await wire.submission_text(cik, accession)
    return _with(submission, from_submission(submission.value, accession, root))


def from_submission(text: str, accession: str, root: str) -> etree._Element:
    """Return the first document of a submission with a root; raises as `xml_document`."""
    for piece in pieces(text):
        if f"<{root}" in (head := text_of(piece.content[:4096])) or f":{root}" in head:
            tree = parse_xml(piece.content, f"{piece.filename or piece.type} of {accession}")
            if local(tree) == root:
                return tree
    raise ProviderNotFoundError(
        f"EDGAR: the filing {accession} has no {root} in XML",
        rule="ownership forms are XML since 2003, reports of holdings since 2013",
        fix="read the filing's text instead",
    )


def _with[A, B](answer: Answer[A], value: B) -> Answer[B]:
    return Answer(value, answer.fetched_at, answer.source, answer.synthetic, answer.problem)


# ---------------------------------------------------------------- what an element holds


def local(element: etree._Element) -> str:
    """Return an element's name without its namespace; empty for a comment."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: etree._Element | None, name: str) -> Iterator[etree._Element]:
    """Yield the children with a local name."""
    if element is not None:
        yield from (child for child in element if local(child) == name)


def at(element: etree._Element | None, path: str) -> etree._Element | None:
    """Return the first element on a path of local names, ``a/b``; None: there is none."""
    for name in path.split("/"):
        element = next(children(element, name), None)
    return element


def text_at(element: etree._Element | None, path: str) -> str:
    """Return the text on a path, or of its ``value``, with single blanks; empty: there is none."""
    found = at(element, path)
    if found is None:
        return ""
    inner = at(found, "value")
    return " ".join(((found if inner is None else inner).text or "").split())


def number_at(element: etree._Element | None, path: str) -> Decimal | None:
    """Return a number; None: there is none. Raises BadPayloadError."""
    return number(text_at(element, path), path)


def number(text: str, path: str) -> Decimal | None:
    """Return the number that a text is; None: it is empty. Raises BadPayloadError, which names the path."""
    if not text:
        return None
    try:
        amount = Decimal(text.replace(",", ""))
    except InvalidOperation as error:
        raise _malformed(path, text, "a number") from error
    if not amount.is_finite() or abs(amount.adjusted()) > _MOST_DIGITS:
        raise _malformed(path, text, "a number of ordinary size")
    return amount


def day_at(element: etree._Element | None, path: str) -> date | None:
    """Return a date: ``2022-01-03``, also with a zone, or ``01-03-2022``. Raises BadPayloadError.

    A zone does not move the date: it is that of the place where it was written.
    """
    text = text_at(element, path)
    if not text:
        return None
    american = _AMERICAN_DAY.fullmatch(text)
    found = _DAY.fullmatch(text)
    try:
        if american is not None:
            return date(int(american[3]), int(american[1]), int(american[2]))
        if found is not None:
            return date.fromisoformat(found[1])
    except ValueError as error:
        raise _malformed(path, text, "a date") from error
    raise _malformed(path, text, "a date")


def flag_at(element: etree._Element | None, path: str) -> bool | None:
    """Return a flag, ``1`` or ``true``; None: it is not there. Raises BadPayloadError."""
    text = text_at(element, path).lower()
    if text not in ("", "0", "1", "true", "false"):
        raise _malformed(path, text, "a flag")
    return None if not text else text in ("1", "true")


def _malformed(path: str, text: str, what: str) -> BadPayloadError:
    return BadPayloadError(
        f"EDGAR: {text[:60]!r} at {path} is not {what}",
        rule="a form holds what its schema says",
        fix="nothing of this filing was used; read its text instead",
    )
