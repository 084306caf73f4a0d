"""What FRED is to the core, and what its error bodies mean.

FRED's errors come as JSON in two shapes, and as XML where no format was asked for; what is wrong is
told apart by the message only. This module must not know what is asked.
"""

from __future__ import annotations

import re
from typing import NoReturn
from urllib.parse import urlsplit

import msgspec

from data.problems import (
    BadPayloadError,
    NotConfiguredError,
    ProviderBadRequestError,
    ProviderDownError,
    ProviderError,
    ProviderNotFoundError,
    ProviderRateLimitedError,
)
from providers.core.exchange import Body
from providers.core.secrets import redact
from providers.core.spec import Credential, ProviderSpec
from providers.settings import ProviderSettings

ADDRESS = "https://api.stlouisfed.org"
#: FRED counts 120 a minute and refuses more than two within a second.
_SPACING_S = 0.55
#: FRED does not say how long to wait after too many requests.
_WAIT_S = 2.0
_MOST = 400  #: characters of a message that are repeated
_XML = re.compile(rb"""<error\b[^>]*?\bmessage=(["'])(.*?)\1""", re.DOTALL)

CREDENTIAL = Credential(
    variable="FRED_API_KEY",
    place="query",
    field="api_key",
    fix="get a free key at https://fredaccount.stlouisfed.org/apikeys and set FRED_API_KEY",
    sandbox="sandbox0sandbox0sandbox0sandbox0",
)


def spec(settings: ProviderSettings) -> ProviderSpec:
    """Return what the core has to know; the twin needs no pace."""
    return ProviderSpec(
        name="fred",
        label="FRED",
        credential=CREDENTIAL,
        spacing_s=0.0 if settings.profile == "demo" else _SPACING_S,
        pace="2/s",
        deadline_s=settings.deadline_s,
        max_bytes=32_000_000,
    )


def base(address: str) -> str:
    """Return the address under which the endpoints are, whether or not it ends in ``/fred`` already.

    Raises ProviderBadRequestError if it is no address of the web.
    """
    parts = urlsplit(address.strip())
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ProviderBadRequestError(
            f"FRED's address {address!r} is none",
            rule="the address begins with http:// or https://",
            fix=f"set it to {ADDRESS}",
        )
    trimmed = address.strip().rstrip("/")
    return trimmed if trimmed.endswith("/fred") else f"{trimmed}/fred"


# ---------------------------------------------------------------- errors


class _Error(msgspec.Struct):
    """Both shapes: of version 1, and of version 2."""

    error_code: int | None = None
    error_message: str | None = None
    code: int | None = None
    message: str | None = None


def judge(body: Body) -> None:
    """Return if a body may be what was asked for.

    Raises:
        NotConfiguredError: the key is missing, malformed or, with ``refused`` set, not known to FRED.
        ProviderNotFoundError: there is no such series; with ``reason`` set to ``alfred`` the series
            may exist without an archive of its vintages, or its archive begins later.
        ProviderBadRequestError: FRED refuses the request as it is.
        ProviderRateLimitedError: too many requests.
        ProviderDownError: FRED fails or is locked.
        BadPayloadError: it is nothing that FRED says.
    """
    head = body.content[:4096].lstrip()
    code, message = _message(body, head)
    status = body.status if body.status >= 400 else code or body.status
    if status >= 500 or status == 423:
        what = "is locked" if status == 423 else f"fails with {status}"
        raise ProviderDownError(
            f"FRED {what}{': ' + message if message else ''}",
            rule="FRED answers",
            fix="ask again later",
            retry_after=1.0,
        )
    if message is not None:
        _refuse(status, message, body)
    if body.status != 200:
        if body.status == 429:
            _refuse(429, "Too Many Requests", body)
        raise BadPayloadError(
            f"FRED answered {body.status} with {body.text[:120]!r}",
            rule="FRED explains its errors in JSON",
            fix="check FRED's address in the settings, and that nothing stands in between",
        )
    if head[:1] == b"<":
        raise BadPayloadError(
            f"FRED answered a page instead of data: {body.text[:120]!r}",
            rule="FRED answers in JSON",
            fix="check FRED's address in the settings, and that nothing stands in between",
        )


def _message(body: Body, head: bytes) -> tuple[int | None, str | None]:
    """Return the code and the message of an error body; of anything else None and None."""
    if head[:1] == b"<":
        found = _XML.search(head)
        return None, None if found is None else _plain(found[2].decode("utf-8", "replace"))
    if body.status == 200 and not head.startswith((b'{"error_', b'{"code"', b'{"message"')):
        return None, None
    try:
        error = msgspec.json.decode(body.content, type=_Error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, None
    message = error.error_message if error.error_message is not None else error.message
    code = error.error_code if error.error_code is not None else error.code
    return code, None if message is None else _plain(message)


def _plain(message: str) -> str:
    """Return a message without credentials and with single blanks, which FRED doubles between sentences."""
    return redact(" ".join(message.split()))[:_MOST]


def _refuse(status: int, message: str, body: Body) -> NoReturn:
    """Raise what a message stands for."""
    said = message.lower()
    if status == 429 or "too many requests" in said or "rate limit" in said:
        raise ProviderRateLimitedError(
            f"FRED: {message}",
            rule="FRED allows 2 requests a second and 120 a minute",
            fix="ask again in a moment",
            retry_after=_seconds(body.retry_after),
        )
    if "variable api_key" in said:
        refused = "api_key" if "registered" in said else ""
        raise NotConfiguredError(
            f"FRED does not accept FRED_API_KEY: {message}",
            rule="FRED wants a registered key of 32 lower-case letters and digits",
            fix=CREDENTIAL.fix,
            variable=CREDENTIAL.variable,
            refused=refused,
        )
    if "alfred" in said:
        raise ProviderNotFoundError(
            f"FRED: {message}", rule="an archive of vintages was asked", reason="alfred"
        )
    if "vintage dates" in said and "exceeds" in said:
        raise ProviderBadRequestError(
            f"FRED: {message}",
            rule="FRED answers for at most 2000 vintages at a time",
            fix="ask for a shorter real-time period",
            reason="vintages",
        )
    if status == 404 or "does not exist" in said:
        raise ProviderNotFoundError(
            f"FRED: {message}", rule="only what FRED has can be asked for", fix="search for it by words"
        )
    raise ProviderBadRequestError(
        f"FRED refuses the request ({status}): {message}", rule="FRED's API has rules of its own"
    )


def _seconds(header: str) -> float:
    """Return a Retry-After header in seconds, or what is usual."""
    return max(1.0, float(header)) if header.strip().isdecimal() and len(header) < 6 else _WAIT_S


def key_is_refused(error: ProviderError) -> bool:
    """Say whether FRED says that it does not know the key, which it says of good keys under load too."""
    return error.extra.get("refused") == "api_key"


def archive_is_missing(error: ProviderError) -> bool:
    """Say whether an error may mean that there are no vintages, though there may be the series."""
    return error.extra.get("reason") == "alfred"
