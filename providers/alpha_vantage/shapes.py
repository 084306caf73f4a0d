"""What a body of Alpha Vantage is: every answer, errors included, comes as HTTP 200.

The text at the top level tells a refusal from data. Burst, day and premium texts name each other's
limits, so the order in which they are looked for matters: moment before day, day before premium.
The day's refusal repeats the key. This module must not know what was asked, beyond the address.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import msgspec

from data.problems import (
    BadPayloadError,
    NotConfiguredError,
    NotEntitledError,
    ProviderBadRequestError,
    ProviderDownError,
    ProviderNotFoundError,
    ProviderRateLimitedError,
    QuotaExhaustedError,
)
from providers.core.exchange import Body
from providers.core.secrets import REDACTED, redact

QUOTA_TIMEZONE = "America/New_York"
KEY_FIX = "get a free key at https://www.alphavantage.co/support/#api-key and set ALPHA_VANTAGE_API_KEY"
#: After a burst the next request may be sent; the old limit was one of the minute.
BURST_S, MINUTE_S = 1.5, 60.0

_ECHO = re.compile(r"(?i)(api ?key(?: as)?[ :=]+)(?!is\b|on\b|at\b|for\b|and\b|or\b)(\S+)")
_BURST = re.compile(r"per second|more sparingly")
_PER_MINUTE = re.compile(r"(calls|requests) per minute|call (frequency|volume)")
_PER_DAY = re.compile(r"(calls|requests) per day|daily (rate )?limit")
_DEMO = re.compile(r"demo\W{1,3} ?api key|demo purposes only")
_PREMIUM = re.compile(r"is a premium (endpoint|feature)|premium (endpoint|feature|plan)")
_BAD_KEY = re.compile(r"apikey is invalid|invalid api ?key|apikey .*missing")
_TELLING = ("Information", "Note", "Error Message", "message", "Message", "error")

_decode = msgspec.json.Decoder(float_hook=str).decode


def judge(body: Body) -> None:
    """Raise what an answer stands for if it is not data.

    Raises:
        ProviderRateLimitedError: too many at a time; asking again in a moment helps.
        QuotaExhaustedError: the day's requests are used up.
        NotEntitledError: the key may not ask this, or what came is artificial sample data.
        NotConfiguredError: the key is missing or refused.
        ProviderNotFoundError: the symbol is not known.
        ProviderBadRequestError: any other refusal.
        ProviderDownError: an HTTP status that says so.
        BadPayloadError: neither JSON nor CSV.
    """
    start = body.content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"{":
        _refusal(body)
    _status(body)
    if not start:
        raise bad("answered nothing", "an answer has a body")
    if start == b"<":
        raise bad("answered a web page", "an answer is JSON or CSV")


def record(body: Body) -> dict[str, Any]:
    """Return a JSON answer; numbers with a fraction are text. Raises BadPayloadError."""
    try:
        value = _decode(body.content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad("answered JSON that cannot be read", "an answer is whole JSON") from error
    if not isinstance(value, dict):
        raise bad("answered JSON that is no record", "the outermost part of an answer is a record")
    return value


def is_table(body: Body) -> bool:
    """Say whether an answer is CSV, whatever its headers say."""
    return body.content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"[", b"<")


def table(body: Body, *columns: str) -> list[dict[str, str]]:
    """Return the rows of a CSV answer under its column names, as `plain` spells them.

    Args:
        body: the answer.
        columns: names that have to be there.

    Raises:
        BadPayloadError: it is something else, a column is missing or a row is broken off.
    """
    if not is_table(body):
        raise bad("answered no CSV", "this question is answered in CSV")
    try:
        rows = list(csv.reader(io.StringIO(body.content.decode("utf-8-sig")), strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise bad("answered CSV that cannot be read", "an answer is CSV in UTF-8") from error
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    names = [plain(name) for name in rows[0]] if rows else []
    missing = [name for name in columns if name not in names]
    if missing:
        raise bad(f"answered CSV without {', '.join(missing)}", f"the table has {', '.join(columns)}")
    for row in rows[1:]:
        if len(row) != len(names):
            raise bad("answered a broken row of CSV", "every row has as many cells as the first")
    return [dict(zip(names, row, strict=True)) for row in rows[1:]]


def plain(name: str) -> str:
    """Return a field's name without its number: ``5. adjusted close`` is ``adjusted_close``."""
    return re.sub(r"\W+", "_", re.sub(r"^\s*\d+[a-z]?\.\s*", "", name).strip()).lower()


def fields(value: object, what: str) -> dict[str, object]:
    """Return a record of an answer under plain names; raises BadPayloadError if it is none."""
    if not isinstance(value, Mapping):
        raise bad(f"answered {what} that is no record", f"{what} is a record")
    return {plain(str(name)): held for name, held in value.items()}


def rows(value: object, what: str, *columns: str) -> list[dict[str, object]]:
    """Return the records of a list under plain names; raises BadPayloadError if it is none."""
    if not isinstance(value, list):
        raise bad(f"answered {what} that is no list", f"{what} is a list")
    found = [fields(one, what) for one in value]
    for row in found:
        missing = [name for name in columns if name not in row]
        if missing:
            raise bad(f"answered {what} without {', '.join(missing)}", f"{what} has {', '.join(columns)}")
    return found


def told(text: str) -> str:
    """Return what the provider said in words: one line, not long, without a key."""
    return _ECHO.sub(rf"\1{REDACTED}", redact(" ".join(text.split())))[:300]


def bad(what: str, rule: str) -> BadPayloadError:
    """Return the error for an answer that is not what it should be: what Alpha Vantage did, and the rule."""
    return BadPayloadError(f"Alpha Vantage {what}", rule=rule, fix="nothing of it was used; ask again later")


def _refusal(body: Body) -> None:
    """Raise what the top level of a JSON answer says; nothing of data below it is looked at."""
    try:
        answer = record(body)
    except BadPayloadError:
        _status(body)
        raise
    for name in _TELLING:
        said = answer.get(name)
        if isinstance(said, str) and said.strip():
            if name.lower() == "message" and "data" in answer:
                raise _not_entitled(said, "artificial")
            _classify(name, said, body)


def _classify(name: str, said: str, body: Body) -> NoReturn:
    low = " ".join(said.split()).lower()
    if _BURST.search(low):
        raise _limited("wants at most one request a second from this key", BURST_S)
    if _PER_MINUTE.search(low):
        raise _limited("wants fewer requests a minute from this key", MINUTE_S)
    if _PER_DAY.search(low):
        raise _used_up()
    if "artificial" in low:
        raise _not_entitled(said, "artificial")
    if _DEMO.search(low):
        raise _no_key("answers nothing but its examples to the demo key")
    if _BAD_KEY.search(low):
        raise _no_key("does not accept the key")
    if _PREMIUM.search(low):
        raise _not_entitled(said, "outputsize" if "outputsize" in low else "endpoint")
    if name == "Note":
        raise _limited("asks to be asked less often", MINUTE_S)
    raise _refused(said, body)


def _limited(what: str, seconds: float) -> ProviderRateLimitedError:
    return ProviderRateLimitedError(
        f"Alpha Vantage {what}",
        rule="a free key has one request a second",
        fix="wait a moment, or have a paid key",
        retry_after=seconds,
    )


def _used_up() -> QuotaExhaustedError:
    here = dt.datetime.now(ZoneInfo(QUOTA_TIMEZONE))
    midnight = dt.datetime.combine(here.date() + dt.timedelta(days=1), dt.time(), here.tzinfo)
    reset = midnight.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
    return QuotaExhaustedError(
        "Alpha Vantage says that the day's requests of this key are used up",
        rule="a key has a number of requests a day; a free one has 25",
        fix=f"ask again after {reset}, or have a paid key",
        reset=reset,
    )


def _not_entitled(said: str, part: str) -> NotEntitledError:
    what = {
        "artificial": "answered artificial sample data, because the key may not have the real",
        "outputsize": "gives the whole history (outputsize=full) to paid keys only",
        "endpoint": "gives this to paid keys only",
    }[part]
    return NotEntitledError(
        f"Alpha Vantage {what}",
        rule="some functions want a premium plan",
        fix="ask for less, or have a premium key: https://www.alphavantage.co/premium/",
        part=part,
        told=told(said),
    )


def _no_key(what: str) -> NotConfiguredError:
    return NotConfiguredError(
        f"Alpha Vantage {what}",
        rule="Alpha Vantage wants a key of one's own",
        fix=KEY_FIX,
        variable="ALPHA_VANTAGE_API_KEY",
    )


def _refused(said: str, body: Body) -> ProviderNotFoundError | ProviderBadRequestError:
    asked = dict(parse_qsl(urlsplit(body.url).query))
    symbol, function = asked.get("symbol"), asked.get("function", "this")
    if symbol and "invalid api call" in said.lower():
        return ProviderNotFoundError(
            f"Alpha Vantage has no {function} of {symbol}",
            rule="the symbol is one that Alpha Vantage knows",
            fix="search for the symbol; share classes have a dash (BRK-B), foreign ones a suffix (TSCO.LON)",
            symbol=symbol,
        )
    return ProviderBadRequestError(
        f"Alpha Vantage refuses {function}: {told(said)}",
        rule="the function and its parameters are ones that Alpha Vantage knows",
        fix="see what it said",
    )


def _status(body: Body) -> None:
    status = body.status
    if status == HTTPStatus.OK:
        return
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = body.retry_after.strip()
        raise _limited("asks to be asked less often", float(wait) if wait.isdecimal() else MINUTE_S)
    if status == HTTPStatus.UNAUTHORIZED:
        raise _no_key("does not accept the key")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ProviderDownError(
            f"Alpha Vantage answered HTTP {status}",
            rule="an answer comes with HTTP 200",
            fix="ask again later",
            retry_after=1.0,
        )
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
        raise ProviderBadRequestError(
            f"Alpha Vantage refuses the request: HTTP {status}",
            rule="the function and its parameters are ones that Alpha Vantage knows",
            fix="check what was asked",
        )
    raise ProviderDownError(
        f"Alpha Vantage answered HTTP {status}",
        rule="an answer comes with HTTP 200",
        fix="check the provider's address in the settings",
    )
