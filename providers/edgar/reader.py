"""The reader: the text of a filing's document, its primary one unless another is named.

This module must not know how a text is made of a document.
"""

from __future__ import annotations

import asyncio

from data.companies import Company, FilingDocument
from data.forms import day_of
from data.problems import ProviderError, ProviderNotFoundError
from providers.edgar import form_types, submissions, texts
from providers.edgar.submissions import Row
from providers.edgar.wire import LABEL, EdgarWire, FolderItem, accession_of

_READABLE = (".htm", ".html", ".txt", ".xml")


async def document(wire: EdgarWire, company: Company, accession: str, name: str | None) -> FilingDocument:
    """Return the text of a document.

    Args:
        wire: where to ask.
        company: whose filing it is.
        accession: the filing's number.
        name: the document's file name; None: the primary document.

    Raises:
        ProviderBadRequestError: that is no accession number or no file name.
        ProviderNotFoundError: there is no such filing or document.
        ProviderError: it cannot be had.
    """
    number = accession_of(accession)
    row = await _listed(wire, company, number)
    chosen = submissions.plain_document(name) if name else await _primary(wire, company, number, row)
    answer = await wire.archive(company.cik, number, chosen)
    text, sections, truncated = await asyncio.to_thread(texts.readable, answer.value.content, chosen)
    form = "" if row is None else row.form
    return FilingDocument(
        cik=company.cik,
        accession=number,
        form=form,
        title=_title(row, chosen),
        url=wire.document_url(company.cik, number, chosen),
        text=text,
        sections=sections,
        truncated=truncated,
        **answer.stamp(day_of(answer.fetched_at))._asdict(),
    )


async def _listed(wire: EdgarWire, company: Company, accession: str) -> Row | None:
    """Return a filing as its company lists it; None: not listed, or the list cannot be had.

    The document is in the filing's folder all the same, which is asked next and raises what is wrong.
    """
    try:
        return await submissions.find(wire, company.cik, accession)
    except ProviderError:
        return None


def _title(row: Row | None, name: str) -> str:
    if row is None or name != row.document:
        return name
    form_title = form_types.lookup(row.form).title
    return row.title if row.title and row.title.upper() not in (row.form, f"FORM {row.form}") else form_title


async def _primary(wire: EdgarWire, company: Company, accession: str, row: Row | None) -> str:
    """Return the name of the primary document: as listed, or the first that can be read.

    Filings of the first years have none of their own: the whole submission is all there is.
    """
    if row is not None and row.document:
        return row.document
    try:
        items = (await wire.index(company.cik, accession)).value
    except ProviderNotFoundError as error:
        if row is not None:
            return f"{accession}.txt"
        raise ProviderNotFoundError(
            f"{LABEL} has no filing {accession} of {company.name or company.cik}",
            rule="a filing is named by the company that filed it and its number",
            fix="take the number from the company's list of filings",
            accession=accession,
        ) from error
    return next((item.name for item in items if _is_document(item, accession)), f"{accession}.txt")


def _is_document(item: FolderItem, accession: str) -> bool:
    name = item.name.lower()
    return name.endswith(_READABLE) and "-index" not in name and not name.startswith(accession)
