"""One HTTP exchange, bounded in time and memory: what came, or a typed error that says why not.

Bodies are decompressed here, piece by piece up to the bound, because a small compressed body may
stand for a huge one. This module must not know of paces, caches or what a body says.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import httpx

from data.problems import BadPayloadError, ProviderDownError
from providers.core.secrets import redact

ACCEPT_ENCODING = "gzip, deflate"
_EITHER = zlib.MAX_WBITS | 32  #: zlib finds out whether it is gzip or zlib


@dataclass(frozen=True, slots=True)
class Body:
    """What a provider answered."""

    content: bytes
    content_type: str
    status: int
    url: str  #: without credentials
    retry_after: str = ""  #: the header, if there was one

    @property
    def text(self) -> str:
        """The start of the body as text without credentials, for messages."""
        return redact(" ".join(self.content[:400].decode("utf-8", "replace").split()))


async def exchange(
    client: httpx.AsyncClient,
    label: str,
    url: str,
    params: Mapping[str, str],
    headers: Mapping[str, str],
    *,
    deadline_s: float,
    max_bytes: int,
    sent: Callable[[], Awaitable[None]],
) -> Body:
    """Ask once and return what came, whatever its status; ``sent`` is called when the question has left.

    Raises:
        ProviderDownError: no connection, nothing that is HTTP, or no whole answer in time.
        BadPayloadError: the body ends early, is larger than allowed or cannot be decompressed.
    """
    shown = redact(str(httpx.URL(url, params=dict(params))))
    answering = False

    async def trace(event: str, _: object) -> None:
        nonlocal answering
        if event == "http11.send_request_headers.complete":
            await sent()
        elif event == "http11.receive_response_headers.complete":
            answering = True

    try:
        async with (
            asyncio.timeout(deadline_s),
            client.stream(
                "GET", url, params=dict(params), headers=dict(headers), extensions={"trace": trace}
            ) as response,
        ):
            content = await _content(response, label, max_bytes)
            return Body(
                content,
                response.headers.get("content-type", ""),
                response.status_code,
                shown,
                response.headers.get("retry-after", ""),
            )
    except (TimeoutError, httpx.TimeoutException) as error:
        raise ProviderDownError(
            f"{label} gave no whole answer within {deadline_s:g} s",
            rule="an answer comes whole and in time",
            fix="ask again later",
            url=shown,  # who waited that long is told, and not made to wait as long again
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _broken(error, label, shown, answering=answering) from error


def _broken(
    error: httpx.HTTPError | httpx.InvalidURL, label: str, shown: str, *, answering: bool
) -> ProviderDownError | BadPayloadError:
    """Return what a connection that failed means, before or after the answer had begun."""
    if not isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
        return ProviderDownError(
            f"{label} cannot be reached: {redact(str(error)) or type(error).__name__}",
            rule="the provider's address answers",
            fix="check the connection and the provider's address in the settings",
            retry_after=0.5,
            url=shown,
        )
    if not answering:
        return ProviderDownError(
            f"{label} hung up without an answer, or what answers there is no web server",
            rule="the provider's address answers in HTTP",
            fix="ask again later; check the provider's address in the settings",
            retry_after=0.5,
            url=shown,
        )
    return BadPayloadError(
        f"{label} broke off in the middle of its answer",
        rule="an answer comes whole",
        fix="ask again later",
        retry_after=0.5,
        url=shown,
    )


async def _content(response: httpx.Response, label: str, max_bytes: int) -> bytes:
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        unpack = None
    elif encoding in ("gzip", "x-gzip", "deflate"):
        unpack = zlib.decompressobj(_EITHER)
    else:
        raise BadPayloadError(f"{label} answered in the encoding {encoding[:40]!r}, which was not asked for")
    parts = bytearray()
    async for piece in response.aiter_raw():
        if unpack is None:
            parts += piece
        else:
            try:
                parts += unpack.decompress(piece, max_bytes - len(parts) + 1)
            except zlib.error as error:
                raise BadPayloadError(
                    f"{label} answered what cannot be decompressed", retry_after=0.5
                ) from error
        if len(parts) > max_bytes:
            raise BadPayloadError(
                f"{label} answered more than {max_bytes:,} bytes",
                rule=f"this answer has at most {max_bytes:,} bytes",
                fix="nothing of it was used",
            )
    if unpack is not None and not unpack.eof:
        raise BadPayloadError(f"{label} broke off in the middle of its answer", retry_after=0.5)
    return bytes(parts)
