"""The sandbox twin of EDGAR: its three hosts, paths, shapes and refusals as one ASGI application.

Everything it tells is invented; the client marks it as synthetic. What can be asked for depends on a
clock, so that new filings appear as days pass. This module must not know of the client.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import date

from data.forms import day_of
from providers.core.sandbox import Asgi, Asked, Reply, asgi
from providers.edgar import sandbox_documents, sandbox_feed, sandbox_lists, sandbox_reports
from providers.edgar.sandbox_companies import BY_CIK, Filed, Registrant, filings

_XML = "application/xml"
_HTML = "text/html"
_SUBMISSIONS = re.compile(r"/submissions/CIK(\d{10})(?:-submissions-(\d{3}))?\.json")
_FACTS = re.compile(r"/api/xbrl/companyfacts/CIK(\d{10})\.json")
_ARCHIVE = re.compile(r"/Archives/edgar/data/(\d+)/(\d{18})/(.+)")


def application(clock: Callable[[], int] = time.time_ns) -> Asgi:
    """Return the twin.

    Args:
        clock: UTC ns; what is filed later is not there yet.
    """

    def answer(asked: Asked) -> Reply:
        if "@" not in asked.headers.get("user-agent", ""):
            return _threshold()
        return _answer(asked, clock())

    return asgi(answer)


def _answer(asked: Asked, now: int) -> Reply:
    today = day_of(now)
    if asked.path == "/files/company_tickers.json":
        return Reply.json(sandbox_lists.tickers())
    if (found := _SUBMISSIONS.fullmatch(asked.path)) is not None:
        registrant = BY_CIK.get(int(found[1]))
        body = (
            None if registrant is None else sandbox_lists.submissions(registrant, today, int(found[2] or 0))
        )
        return _no_such_key(asked.path) if body is None else Reply.json(body)
    if (found := _FACTS.fullmatch(asked.path)) is not None:
        registrant = BY_CIK.get(int(found[1]))
        body = None if registrant is None else sandbox_reports.company_facts(registrant, today)
        return _no_such_key(asked.path) if body is None else Reply.json(body)
    if asked.path == "/LATEST/search-index":
        return sandbox_feed.search(asked.query, today)
    if asked.path == "/cgi-bin/browse-edgar" and asked.query.get("action") == "getcurrent":
        return sandbox_feed.current(asked.query, now) or _unavailable()
    if (found := _ARCHIVE.fullmatch(asked.path)) is not None:
        return _file(int(found[1]), found[2], found[3], today)
    return _access_denied()


def _file(cik: int, folder: str, name: str, today: date) -> Reply:
    """Answer with a file of a filing, which lies under the CIK of each of its filers."""
    registrant = BY_CIK.get(cik)
    filed = None if registrant is None else _filed(registrant, folder, today)
    if filed is None:
        return _access_denied()
    found = sandbox_documents.file(filed, name)
    return _access_denied() if found is None else Reply(*found)


def _filed(registrant: Registrant, folder: str, today: date) -> Filed | None:
    accession = f"{folder[:10]}-{folder[10:12]}-{folder[12:]}"
    return next((filed for filed in filings(registrant, today) if filed.accession == accession), None)


# ---------------------------------------------------------------- refusals


def _no_such_key(path: str) -> Reply:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
        f"<Message>The specified key does not exist.</Message><Key>{path.lstrip('/')}</Key></Error>"
    )
    return Reply(text.encode(), _XML, 404)


def _access_denied() -> Reply:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    )
    return Reply(text.encode(), _XML, 403)


def _threshold() -> Reply:
    text = (
        "<!DOCTYPE html>\n<html><head><title>SEC.gov | Request Rate Threshold Exceeded</title></head>"
        "<body><h1>Your Request Originates from an Undeclared Automated Tool</h1></body></html>"
    )
    return Reply(text.encode(), _HTML, 403)


def _unavailable() -> Reply:
    text = (
        "<!DOCTYPE html>\n<html><head><title>SEC.gov | File Unavailable</title></head>"
        "<body><h1>This page is temporarily unavailable.</h1></body></html>"
    )
    return Reply(text.encode(), _HTML, 503)
