"""The sandbox twin's documents: reports as inline XBRL, releases and letters as HTML, all invented.

A filing is a folder: its documents, a list of them, and the whole submission as it was sent. This
module must not know how it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from html import escape

import msgspec

from providers.edgar import sandbox_reports
from providers.edgar.form_types import lookup
from providers.edgar.sandbox_companies import BY_CIK, Filed, Registrant
from providers.edgar.sandbox_figures import Figures, figures, quarters

_INVENTED = (
    "This document was made up by a sandbox. No company wrote it, no figure in it was ever reported, and "
    "nothing in it says anything about the world."
)
_ANNOUNCED = "announced results of the quarter ended"
_STRUCTURED = ("3", "4", "5", "13F-HR")
_TYPES = {
    "htm": "text/html",
    "xml": "application/xml",
    "txt": "text/plain",
    "json": "application/json; charset=utf-8",
}


def file(filed: Filed, name: str) -> tuple[bytes, str] | None:
    """Return a file of a filing's folder and its content type; None: there is none of this name."""
    kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    documents = documents_of(filed)
    if name == "index.json":
        return _index(filed, documents), kind
    if name == f"{filed.accession}.txt":
        return _submission(filed, documents), kind
    if name == filed.document and name not in documents:  # the page that a style sheet makes
        return _page(filed.form, [f"<p>{escape(lookup(filed.form).title)}</p>"]), "text/html"
    return (documents[name], kind) if name in documents else None


def documents_of(filed: Filed) -> dict[str, bytes]:
    """Return a filing's documents by name, the primary one first."""
    registrant = BY_CIK[filed.cik]
    if filed.form.partition("/")[0] in _STRUCTURED:
        return sandbox_reports.files(registrant, filed)
    name = filed.document.rpartition("/")[2]
    if name.endswith(".xml"):
        return {name: _ownership_schedule(registrant, filed)}
    return {name: _document(registrant, filed)}


def words_of(filed: Filed) -> str:
    """Return what a filing's document says in words, without its figures."""
    registrant, base = BY_CIK[filed.cik], filed.form.partition("/")[0]
    known = lookup(filed.form)
    said = [filed.form, known.title, known.about, registrant.name, _INVENTED]
    if base in ("10-K", "10-Q"):
        items = _annual_items(registrant) if base == "10-K" else _quarterly_items(registrant)
        said += [text for item in items for text in item]
    elif base == "8-K":
        said.append(_ANNOUNCED)
    if base in ("10-K", "10-Q", "8-K") and filed.period is not None:
        said += [name for name, *_ in _LINES]
    return " ".join(said)


def _index(filed: Filed, documents: dict[str, bytes]) -> bytes:
    sizes = {name: str(len(content)) for name, content in documents.items()}
    sizes[f"{filed.accession}.txt"] = ""
    items = [
        {"last-modified": f"{filed.filed} 00:00:00", "name": name, "type": "text.gif", "size": size}
        for name, size in sizes.items()
    ]
    folder = f"/Archives/edgar/data/{filed.cik}/{filed.accession.replace('-', '')}"
    return msgspec.json.encode({"directory": {"item": items, "name": folder, "parent-dir": folder}})


def _submission(filed: Filed, documents: dict[str, bytes]) -> bytes:
    """Return the submission in SGML: a header, then each document; XML has a blank line before it."""
    registrant = BY_CIK[filed.cik]
    day = f"{filed.filed:%Y%m%d}"
    header = [
        f"<SEC-DOCUMENT>{filed.accession}.txt : {day}",
        f"<SEC-HEADER>{filed.accession}.hdr.sgml : {day}",
        f"<ACCEPTANCE-DATETIME>{day}0000{filed.number % 60:02d}",
        f"ACCESSION NUMBER:\t\t{filed.accession}",
        f"CONFORMED SUBMISSION TYPE:\t{filed.form}",
        f"PUBLIC DOCUMENT COUNT:\t\t{len(documents)}",
        "" if filed.period is None else f"CONFORMED PERIOD OF REPORT:\t{filed.period:%Y%m%d}",
        f"FILED AS OF DATE:\t\t{day}",
        f"\nFILER:\n\n\tCOMPANY DATA:\n\t\tCOMPANY CONFORMED NAME:\t\t\t{registrant.name}",
        f"\t\tCENTRAL INDEX KEY:\t\t\t{registrant.cik:010d}",
        "</SEC-HEADER>",
    ]
    parts = [line for line in header if line]
    for sequence, (name, content) in enumerate(documents.items(), start=1):
        kind = filed.form if sequence == 1 else "INFORMATION TABLE"
        text = content.decode()
        if name.endswith(".xml"):
            text = f"<XML>\n\n{text}\n</XML>"
        parts.append(f"<DOCUMENT>\n<TYPE>{kind}\n<SEQUENCE>{sequence}\n<FILENAME>{name}")
        parts.append(f"<TEXT>\n{text}\n</TEXT>\n</DOCUMENT>")
    return "\n".join([*parts, "</SEC-DOCUMENT>\n"]).encode()


# ---------------------------------------------------------------- documents


def _document(registrant: Registrant, filed: Filed) -> bytes:
    base = filed.form.partition("/")[0]
    title = f"{lookup(filed.form).title} of {registrant.name}"
    head = [
        f"<p>UNITED STATES<br/>SANDBOX COMMISSION</p><h1>FORM {escape(filed.form)}</h1><p>{escape(title)}</p>"
    ]
    if filed.period is not None:
        head.append(f"<p>For the period ended {filed.period:%B %d, %Y}</p>")
    head.append(f"<p><b>{_INVENTED}</b></p>")
    if base in ("10-K", "10-Q") and filed.period is not None:
        return _page(title, [*head, *_report(registrant, filed, filed.period)], hidden=_hidden(registrant))
    if base == "8-K" and filed.period is not None:
        return _page(title, [*head, *_release(registrant, filed.period)])
    return _page(title, [*head, f"<p>{escape(registrant.name)}: {escape(lookup(filed.form).about)}</p>"])


def _page(title: str, parts: Sequence[str], *, hidden: str = "") -> bytes:
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:ix="http://www.xbrl.org/2013/inlineXBRL">'
        f"<head><title>{escape(title)}</title></head><body>{hidden}{''.join(parts)}</body></html>"
    ).encode()


def _hidden(registrant: Registrant) -> str:
    """Return the header of inline XBRL, which is for programs only."""
    return (
        '<div style="display:none"><ix:header><ix:hidden><ix:nonNumeric name="dei:EntityCentralIndexKey" '
        f'contextRef="c-1">{registrant.cik:010d}</ix:nonNumeric></ix:hidden></ix:header></div>'
    )


def _report(registrant: Registrant, filed: Filed, end: date) -> list[str]:
    """Return an annual or quarterly report: a table of contents, then its items."""
    annual = filed.form.startswith("10-K")
    past = [one for one in quarters(registrant, end) if one.end <= end]
    now, before = (past[-4:], past[-8:-4]) if annual else (past[-1:], past[-5:-4])
    items = _annual_items(registrant) if annual else _quarterly_items(registrant)
    body: list[str] = ["<p>TABLE OF CONTENTS</p><table>"]
    body += [f"<tr><td>{number}.</td><td>{name}</td></tr>" for number, name, _ in items]
    body.append("</table>")
    for number, name, text in items:
        body.append(f'<p><span style="font-weight:700">{number}.&#160;&#160;{name}</span></p>')
        body.append(f"<p>{escape(text)}</p>")
        if "Financial Statements" in name:
            body.append(_statements(now, before))
    return body


def _annual_items(registrant: Registrant) -> list[tuple[str, str, str]]:
    name, industry = registrant.name, registrant.industry or "business"
    return [
        ("Item 1", "Business", f"{name} works in the industry the regulator calls {industry}."),
        ("Item 1A", "Risk Factors", "Demand may fall, costs may rise, and competitors may do better."),
        ("Item 1B", "Unresolved Staff Comments", "None."),
        ("Item 2", "Properties", "Offices and sites are leased or owned."),
        ("Item 3", "Legal Proceedings", "There are none of importance."),
        ("Item 5", "Market for Common Equity", f"Shares trade on {registrant.exchange}."),
        ("Item 7", "Management’s Discussion and Analysis", "The figures are compared with the year before."),
        ("Item 7A", "Market Risk", "Interest and exchange rates move results."),
        ("Item 8", "Financial Statements", "In millions of US dollars, except per share."),
        ("Item 9A", "Controls and Procedures", "Controls are effective."),
        ("Item 15", "Exhibits", "None."),
    ]  # fmt: skip


def _quarterly_items(registrant: Registrant) -> list[tuple[str, str, str]]:
    return [
        ("Item 1", "Financial Statements", "In millions of US dollars, except per share. Unaudited."),
        ("Item 2", "Management’s Discussion and Analysis", f"{registrant.name} compares with last year."),
        ("Item 3", "Market Risk", "Nothing of importance changed."),
        ("Item 4", "Controls and Procedures", "Controls are effective."),
    ]  # fmt: skip


def _release(registrant: Registrant, day: date) -> list[str]:
    past = [one for one in quarters(registrant, day) if one.end < day]
    return [
        "<p><b>Item 2.02 Results of Operations and Financial Condition.</b></p>",
        f"<p>{escape(registrant.name)} {_ANNOUNCED} {past[-1].end:%B %d, %Y}.</p>",
        _statements(past[-1:], past[-5:-4]),
        "<p><b>Item 9.01 Financial Statements and Exhibits.</b></p><p>None.</p>",
    ]


def _statements(now: Sequence[Figures], before: Sequence[Figures]) -> str:
    """Return a table of figures of a period beside those of the year before."""
    rows = [(name, tell(now, field), tell(before, field)) for name, field, tell in _LINES]
    heads = "".join(f"<th>{part[-1].end:%b %d, %Y}</th>" for part in (now, before) if part)
    body = "".join(
        f"<tr><td>{name}</td>{''.join(f'<td>{value}</td>' for value in values if value)}</tr>"
        for name, *values in rows
    )
    return f"<table><tr><th></th>{heads}</tr>{body}</table>"


def _sum(parts: Sequence[Figures], field: str) -> str:
    return f"{sum(getattr(part, field) for part in parts) // 1_000_000:,}" if parts else ""


def _last(parts: Sequence[Figures], field: str) -> str:
    return f"{getattr(parts[-1], field) // 1_000_000:,}" if parts else ""


#: The lines of the statements: what they are called, the figure, and how periods make one.
_LINES: tuple[tuple[str, str, Callable[[Sequence[Figures], str], str]], ...] = (
    ("Revenue", "revenue", _sum),
    ("Cost of revenue", "cost", _sum),
    ("Operating income", "operating", _sum),
    ("Net income", "net", _sum),
    ("Total assets", "assets", _last),
    ("Total liabilities", "liabilities", _last),
    ("Equity", "equity", _last),
)


def _ownership_schedule(registrant: Registrant, filed: Filed) -> bytes:
    """Return a Schedule 13G as the XML that it is filed in since the form was renamed."""
    latest = figures(registrant, quarters(registrant, filed.filed)[-1].end)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<edgarSubmission xmlns="http://www.sec.gov/edgar/schedule13g"><headerData><submissionType>'
        f"{escape(filed.form)}</submissionType></headerData><formData><coverPageHeader><issuerInfo><issuerCik>"
        f"{registrant.cik:010d}</issuerCik><issuerName>{escape(registrant.name)}</issuerName></issuerInfo>"
        "</coverPageHeader><coverPageHeaderReportingPersonDetails><reportingPersonName>Sandbox Index Funds"
        f"</reportingPersonName><aggregateAmountOwned>{latest.diluted // 12}</aggregateAmountOwned>"
        "<classPercent>8.3</classPercent></coverPageHeaderReportingPersonDetails></formData></edgarSubmission>\n"
    ).encode()
