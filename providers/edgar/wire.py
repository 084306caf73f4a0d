"""What EDGAR is on the wire: its hosts and paths, its pace, and what its refusals mean.

Bodies are read here into JSON structs, XML trees, text or bytes; anything that is not what was asked
for is a BadPayloadError. This module must not know what a filing says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote, urlsplit

import msgspec
from lxml import etree

from data.problems import (
    BadPayloadError,
    ProviderBadRequestError,
    ProviderDownError,
    ProviderNotFoundError,
    ProviderRateLimitedError,
)
from providers.core.exchange import Body
from providers.core.http import FOREVER, Answer, ProviderHttp
from providers.core.spec import Credential, ProviderSpec
from providers.settings import ProviderSettings

LABEL = "EDGAR"
#: Who is blocked stays so until the rate was low for ten minutes, and every further request prolongs it.
BLOCK_S = 600.0
#: Between two requests. The regulator allows ten a second from all machines of a user; eight are never
#: exceeded in any second, even if the network bunches what left at this distance.
SPACING_S = 0.15
#: Documents can be larger than other answers.
DOCUMENT_BYTES = 64_000_000

_CREDENTIAL = Credential(
    variable="SEC_USER_AGENT",
    place="header",
    field="User-Agent",
    fix="set SEC_USER_AGENT to who you are and how to reach you, e.g. 'Company Name contact@example.com'",
    sandbox="Nautilus sandbox sandbox@example.com",
)
_TITLE = re.compile(rb"<title>\s*([^<]*?)\s*</title>", re.IGNORECASE)
#: Titles of the page of who is blocked; an agent that is not declared gets either.
_BLOCKED = (b"Request Rate Threshold Exceeded", b"Undeclared Automated Tool")
_UNAVAILABLE = b"File Unavailable"
_CODE = re.compile(rb"<Code>\s*(\w+)\s*</Code>")
_ACCESSION = re.compile(r"(\d{10})-?(\d{2})-?(\d{6})")
_HEAD = 4096


def spec(settings: ProviderSettings) -> ProviderSpec:
    """Return what the core has to know."""
    return ProviderSpec(
        name="edgar",
        label=LABEL,
        credential=_CREDENTIAL,
        spacing_s=0.0 if settings.profile == "demo" else SPACING_S,
        pace="8/s",
        deadline_s=settings.deadline_s,
    )


# ---------------------------------------------------------------- what an answer stands for


def judge(body: Body) -> None:
    """Raise the error that an answer stands for.

    A missing object is 404 or, in the archives, 403 with XML; a block is a page of HTML with 403 or
    even 200, told by its title only.

    Raises:
        ProviderRateLimitedError: blocked, or the agent is not accepted: the page is the same.
        ProviderNotFoundError: it is not there.
        ProviderBadRequestError: the request is refused.
        ProviderDownError: the provider fails.
        BadPayloadError: another status that says nothing.
    """
    title = page_title(body)
    if any(words in title for words in _BLOCKED) or body.status == 429:
        raise _blocked(body)
    if body.status == 200 or is_end_of_feed(body):
        return
    code = _CODE.search(body.content[:_HEAD])
    if body.status == 404 or (body.status == 403 and code is not None):
        raise ProviderNotFoundError(
            f"{LABEL} has nothing at {body.url}",
            rule="what is asked for was filed with the regulator",
            fix="check the company, the accession number and the document's name",
            url=body.url,
        )
    if body.status == 403:
        raise _blocked(body)
    if body.status >= 500:
        raise ProviderDownError(
            f"{LABEL} fails with status {body.status}: {title.decode('utf-8', 'replace') or body.text[:120]}",
            rule="the provider answers with status 200",
            fix="ask again later",
            retry_after=1.0,
            url=body.url,
        )
    if 400 <= body.status < 500:
        raise ProviderBadRequestError(
            f"{LABEL} refuses the request with status {body.status}: {body.text[:200]}",
            rule="the provider understands the request",
            fix="check the request and the provider's address in the settings",
            url=body.url,
        )
    raise BadPayloadError(
        f"{LABEL} answered with status {body.status}, which stands for nothing here",
        rule="the provider answers with status 200",
        fix="check the provider's address in the settings",
        url=body.url,
    )


def page_title(body: Body) -> bytes:
    """Return the title of a page of HTML; empty if it is none."""
    if not is_html(body):
        return b""
    found = _TITLE.search(body.content[:_HEAD])
    return b"" if found is None else found[1]


def is_html(body: Body) -> bool:
    """Say whether a body is a page of HTML, whatever its header says."""
    start = body.content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html")) or (
        "text/html" in body.content_type and start.startswith(b"<") and not start.startswith(b"<?xml")
    )


def is_end_of_feed(body: Body) -> bool:
    """Say whether this is the page that the live feed has past its end, where a page would be empty."""
    if _UNAVAILABLE not in page_title(body):
        return False
    asked = urlsplit(body.url)
    start = re.search(r"(?:^|&)start=(\d+)", asked.query)
    return asked.path.endswith("/browse-edgar") and start is not None and int(start[1]) > 0


def _blocked(body: Body) -> ProviderRateLimitedError:
    undeclared = b"undeclared" in body.content.lower()
    what = "does not accept who asks" if undeclared else "blocks requests, which came too fast"
    return ProviderRateLimitedError(
        f"{LABEL} {what} (status {body.status}): nothing is asked for {BLOCK_S / 60:.0f} minutes",
        rule="at most 10 requests a second over all machines of a user, who says in SEC_USER_AGENT who it is",
        fix="wait without asking; check that SEC_USER_AGENT says 'Company Name contact@example.com', because "
        "an agent that is not declared gets the same page",
        retry_after=BLOCK_S,
        url=body.url,
    )


# ---------------------------------------------------------------- how a body is read


def json_of[T](kind: type[T], label: str) -> Callable[[Body], T]:
    """Return the reader of JSON of a type; it raises BadPayloadError. ``label`` names it in messages."""

    def read(body: Body) -> T:
        if body.content.lstrip()[:1] == b"<":
            raise _not(label, "JSON", body)
        try:
            return msgspec.json.decode(body.content, type=kind)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise _not(label, f"what it should be: {error}", body) from error

    return read


def xml_of(label: str) -> Callable[[Body], etree._Element]:
    """Return the reader of XML; it raises BadPayloadError. ``label`` names it in messages."""

    def read(body: Body) -> etree._Element:
        if is_html(body):
            raise _not(label, "XML", body)
        return parse_xml(body.content, label)

    return read


def parse_xml(content: bytes, label: str) -> etree._Element:
    """Return the root of an XML document from outside: no entities, no network, bounded depth.

    Blank lines before the declaration, which pieces of a submission have, are passed over.

    Raises:
        BadPayloadError: it is not well-formed, or declares entities.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_pis=True,
        remove_comments=True,  # one in the middle of a value would cut it short
    )
    try:
        root = etree.fromstring(content.strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadPayloadError(
            f"{LABEL}: {label} is not well-formed XML: {error}",
            rule="an XML document is well-formed",
            fix="nothing of it was used",
        ) from error
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and next(dtd.iterentities(), None) is not None:
        raise BadPayloadError(
            f"{LABEL}: {label} declares entities",
            rule="an XML document of the regulator declares no entities",
            fix="nothing of it was used",
        )
    return root


def text_of(content: bytes) -> str:
    """Return a document as text: UTF-8, or what EDGAR's older documents are in."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _not(label: str, what: str, body: Body) -> BadPayloadError:
    return BadPayloadError(
        f"{LABEL}: {label} is not {what}",
        rule="an answer is what was asked for",
        fix="nothing of it was used; ask again later",
        url=body.url,
    )


def accession_of(text: str) -> str:
    """Return an accession number as it is written, ``0000320193-22-000061``, given with or without dashes.

    Raises:
        ProviderBadRequestError: it is none.
    """
    found = _ACCESSION.fullmatch(text.strip())
    if found is None:
        raise ProviderBadRequestError(
            f"{text[:40]!r} is not an accession number",
            rule="an accession number has 10, 2 and 6 digits",
            fix="write it like 0000320193-22-000061",
        )
    return "-".join(found.groups())


# ---------------------------------------------------------------- the folder of a filing


class FolderItem(msgspec.Struct, frozen=True):
    """A file in a filing's folder."""

    name: str
    type: str = ""
    size: str = ""


class _Directory(msgspec.Struct, frozen=True):
    item: list[FolderItem] = []
    name: str = ""


class _Index(msgspec.Struct, frozen=True):
    directory: _Directory


# ---------------------------------------------------------------- questions


class EdgarWire:
    """Questions by address. All methods raise ProviderError; ``fresh_s`` is in seconds."""

    def __init__(self, http: ProviderHttp, settings: ProviderSettings) -> None:
        self.http = http
        self.data = settings.edgar_data_url.rstrip("/")
        self.www = settings.edgar_www_url.rstrip("/")
        self.efts = settings.edgar_efts_url.rstrip("/")

    async def get_json[T](
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        *,
        type: type[T],
        label: str,
        fresh_s: float,
        max_bytes: int | None = None,
    ) -> Answer[T]:
        """Return JSON as a struct."""
        return await self.http.get(
            url, params, read=json_of(type, label), fresh_s=fresh_s, max_bytes=max_bytes
        )

    async def get_text(self, url: str, *, fresh_s: float, max_bytes: int | None = None) -> Answer[str]:
        """Return a document as text."""
        return await self.http.get(
            url, read=lambda body: text_of(body.content), fresh_s=fresh_s, max_bytes=max_bytes
        )

    async def archive(self, cik: int, accession: str, filename: str) -> Answer[Body]:
        """Return a file of a filing as it is; what was filed never changes.

        Raises:
            ProviderBadRequestError: that is no accession number or no file name.
            ProviderError: it cannot be had.
        """
        url = self.document_url(cik, accession, filename)
        return await self.http.get(url, read=_same, fresh_s=FOREVER, max_bytes=DOCUMENT_BYTES)

    async def submission_text(self, cik: int, accession: str) -> Answer[str]:
        """Return the whole submission as it was sent: header and all documents in SGML."""
        number = accession_of(accession)
        try:
            url = self.document_url(cik, number, f"{number}.txt")
            return await self.get_text(url, fresh_s=FOREVER, max_bytes=DOCUMENT_BYTES)
        except ProviderNotFoundError:  # the oldest lie beside the folders instead of in one
            url = f"{self.www}/Archives/edgar/data/{cik}/{number}.txt"
            return await self.get_text(url, fresh_s=FOREVER, max_bytes=DOCUMENT_BYTES)

    async def index(self, cik: int, accession: str) -> Answer[list[FolderItem]]:
        """Return the files of a filing's folder."""
        read = json_of(_Index, "the list of a filing's files")
        url = self.document_url(cik, accession, "index.json")
        return await self.http.get(url, read=lambda body: read(body).directory.item, fresh_s=FOREVER)

    def document_url(self, cik: int, accession: str, filename: str) -> str:
        """Return the address of a file in a filing's folder; raises ProviderBadRequestError.

        The CIK has no zeros in front here, unlike on the data host.
        """
        parts = filename.split("/")
        if any(part in ("", ".", "..") for part in parts) or not filename.isprintable() or "\\" in filename:
            raise ProviderBadRequestError(
                f"{filename[:60]!r} is not the name of a document",
                rule="a document lies in its filing's folder",
                fix="take a name from the filing's list of files",
            )
        folder = accession_of(accession).replace("-", "")
        return f"{self.www}/Archives/edgar/data/{cik}/{folder}/{quote(filename)}"

    def data_url(self, path: str, cik: int) -> str:
        """Return an address on the data host, where a CIK has ten digits: ``…/{path}/CIK0000320193.json``."""
        return f"{self.data}/{path}/CIK{cik:010d}.json"


def _same(body: Body) -> Body:
    return body
