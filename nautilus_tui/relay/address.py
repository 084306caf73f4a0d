"""Where Redis is: from an address that may hold a password, which nothing here ever shows.

This module must not know what Redis is used for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from data.problems import InvalidRequestError

if TYPE_CHECKING:
    from redis.asyncio import Redis

#: An address in the environment wins over one in the settings file, because it may hold a password.
VARIABLE = "NAUTILUS_TUI_REDIS_URL"
#: What may follow a ``?``.
_OPTIONS = ("client_name", "db", "ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_keyfile")
_RULE = (
    "an address is redis://[[user]:password@]host[:port][/database], rediss:// with TLS, or unix://path; "
    f"options after ? are {', '.join(_OPTIONS)}"
)
_TIMEOUT_S = 5.0
_USERINFO = re.compile(r"(?<=://)[^/\s]*@")


def redis_url(setting: str = "", environment: Mapping[str, str] | None = None) -> str:
    """Return the address in use: the environment's, else the setting; empty: none."""
    given = (os.environ if environment is None else environment).get(VARIABLE, "").strip()
    return given or setting.strip()


class RedisAddress:
    """An address of Redis that shows itself without its credentials.

    Raises InvalidRequestError, which repeats nothing of the address, when it cannot be one.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise _not_an_address() from None  # the cause's text may hold a part of a password
        if parts.scheme not in ("redis", "rediss", "unix") or not (parts.hostname or parts.scheme == "unix"):
            raise _not_an_address()
        if not parse_qs(parts.query).keys() <= set(_OPTIONS):
            raise _not_an_address()
        self._secrets = {text for text in (parts.password, unquote(parts.password or "")) if text}
        where = parts.path if parts.scheme == "unix" else f"{parts.hostname}:{port or 6379}{parts.path}"
        self.shown = f"{parts.scheme}://{where}"

    def __repr__(self) -> str:
        return f"RedisAddress({self.shown!r})"

    def __str__(self) -> str:
        return self.shown

    def clean(self, text: object) -> str:
        """Return what somebody else says, without the credentials in it."""
        said = _USERINFO.sub("", str(text).replace(self._url, self.shown))
        for secret in self._secrets:
            said = said.replace(secret, "[redacted]")
        return said

    def connect(self) -> Redis:
        """Return a client; it connects when it is first used, and tries nothing twice by itself.

        Raises InvalidRequestError when the address has options that are not known.
        """
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        try:
            return Redis.from_url(
                self._url,
                socket_timeout=_TIMEOUT_S,
                socket_connect_timeout=_TIMEOUT_S,
                retry=Retry(NoBackoff(), 0),
                decode_responses=False,
            )
        except (ValueError, TypeError):
            raise _not_an_address() from None


def _not_an_address() -> InvalidRequestError:
    return InvalidRequestError(
        "the address of Redis is not valid", rule=_RULE, fix=f"set {VARIABLE} or [streams] redis_url"
    )
