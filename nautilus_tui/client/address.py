"""Where a daemon is: on this machine's unix socket, or at a URL with a token."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from data.paths import Home
from data.problems import InvalidRequestError

if TYPE_CHECKING:
    import ssl

#: The environment variable that holds the token; secrets are never arguments, which others can list.
TOKEN_VARIABLE = "NAUTILUS_TUI_TOKEN"

#: What an HTTP header can carry; empty is none.
_TOKEN = re.compile(r"[!-~]*")
_SECURE = {"http": False, "ws": False, "https": True, "wss": True}


@dataclass(frozen=True, slots=True)
class Address:
    """One daemon's address. Make it with ``local`` or ``remote``.

    There is none beyond this machine without TLS: who has one may send a token to it.

    Raises:
        InvalidRequestError: the host is not this machine, and there is no TLS.
    """

    socket: Path | None = None
    host: str = "localhost"
    port: int | None = None
    secure: bool = False
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.token is not None and not _TOKEN.fullmatch(self.token):
            raise InvalidRequestError(
                "the token has characters that no token has",  # which are a secret
                rule="a token is printable ASCII without spaces",
                fix=f"look at {TOKEN_VARIABLE}: is a line break or a placeholder in it?",
                field="token",
            )
        if self.socket is not None or self.secure or _is_this_machine(self.host):
            return
        raise InvalidRequestError(
            f"{self.http_url} is another machine and would be spoken to in clear text: tokens and orders "
            "could be read and changed on the way",
            rule="without TLS (http://, ws://) a daemon is at 127.0.0.0/8, ::1 or localhost only",
            fix=f"use https://{self._authority} or wss://{self._authority}; the daemon there needs "
            "tls_certificate and tls_key",
            field="url",
            value=self.http_url,
        )

    @classmethod
    def local(cls, home: Home) -> Address:
        """The daemon of a home folder on this machine; the socket's permissions are the credential."""
        return cls(socket=home.daemon_socket)

    @classmethod
    def remote(cls, url: str, token: str | None = None) -> Address:
        """The daemon at ``http(s)://host:port`` or ``ws(s)://host:port``.

        Raises:
            InvalidRequestError: the URL is not one of these, carries a credential or a path, or is
                without TLS that of another machine.
        """
        parts = urlsplit(url if "//" in url else f"//{url}", scheme="https")
        try:
            port = parts.port
        except ValueError:
            port = -1
        wrong = (
            parts.scheme not in _SECURE
            or not parts.hostname
            or port == -1
            or parts.username is not None
            or bool(parts.query or parts.fragment)
            or parts.path not in ("", "/", "/ws")
        )
        if wrong:
            raise InvalidRequestError(
                f"{parts.scheme}://{parts.hostname or ''} is not the address of a daemon",
                rule="an address is http(s)://HOST:PORT or ws(s)://HOST:PORT, without a credential in it",
                fix=f"for example https://trading.example:8443, with the token in {TOKEN_VARIABLE}",
            )
        return cls(host=parts.hostname or "", port=port, secure=_SECURE[parts.scheme], token=token)

    @classmethod
    def several(cls, urls: str, token: str | None = None) -> tuple[Address, ...]:
        """The addresses in a list of URLs between commas, all with the same token; raises as ``remote``."""
        return tuple(cls.remote(url.strip(), token) for url in urls.split(","))

    @property
    def _authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def http_url(self) -> str:
        """The base URL of requests; on a unix socket the host in it means nothing."""
        return f"http{'s' if self.secure else ''}://{self._authority}"

    @property
    def ws_url(self) -> str:
        """The base URL of streams."""
        return f"ws{'s' if self.secure else ''}://{self._authority}"

    @property
    def trust(self) -> ssl.SSLContext | None:
        """Whose certificates are believed: the system's, or those of ``SSL_CERT_FILE``; None without TLS."""
        if not self.secure:
            return None
        file = os.environ.get("SSL_CERT_FILE")
        try:
            changed = os.stat(file).st_mtime_ns if file else 0
        except OSError:
            changed = 0  # reading it says what is wrong
        return _trust(file, os.environ.get("SSL_CERT_DIR"), changed)

    @property
    def headers(self) -> dict[str, str]:
        """The headers that authenticate."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def __str__(self) -> str:
        return str(self.socket) if self.socket else self.http_url


def _is_this_machine(host: str) -> bool:
    """Tell whether a host is this machine by what it is called: what a name leads to may change."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=4)
def _trust(_file: str | None, _folder: str | None, _changed: int) -> ssl.SSLContext:
    """Return the certificates to believe; reading them takes long enough to do it once."""
    import ssl

    return ssl.create_default_context()
