"""Which web pages may talk to the daemon, and under which names it answers.

A browser says in ``Origin`` which page makes it ask. A page of another origin is refused unless it
is in the list of those allowed; whoever is no browser sends no such header and is not concerned.
``Host`` is looked at where there is no TLS: a page that has its own name pointed at this machine (DNS
rebinding) is of the same origin as what it asks, but cannot hide the name. This module must not
know of tokens, routes or sockets.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping

from data.problems import ForbiddenError

#: What pages may send: the methods and headers that the API has.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
HEADERS = ("accept", "authorization", "content-type", "idempotency-key")
#: How long a browser may keep the answer to its preflight, in seconds.
_MAX_AGE_S = 600
_PORT = re.compile(r"[0-9]{1,5}")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Origins:
    """Judges ``Origin`` and ``Host``.

    Args:
        allowed: origins, as browsers write them (``https://desk.example:8443``), that may ask besides
            the daemon's own.
        hosts: names, besides those of this machine, that the daemon is reached under without TLS.
    """

    def __init__(self, allowed: Iterable[str] = (), hosts: Iterable[str] = ()) -> None:
        self._allowed = frozenset(origin.lower().rstrip("/") for origin in allowed)
        self._hosts = frozenset(host.lower().strip("[]") for host in hosts)

    def check(self, *, origin: str | None, host: str | None, scheme: str, unix: bool) -> None:
        """Check one request or handshake.

        Args:
            origin, host: its headers.
            scheme: ``http`` or ``https``.
            unix: it came over the unix socket.

        Raises:
            ForbiddenError: a page that may not, or a name that is not the daemon's.
        """
        if host is not None and scheme != "https" and not self._is_ours(host, unix=unix):
            raise ForbiddenError(
                f"this daemon is not {_shown(host)}",
                rule="without TLS the Host header names this machine, or one of allowed_hosts",
                fix="use 127.0.0.1 or localhost, or add the name to [daemon] allowed_hosts",
            )
        if origin is not None and not self.may(origin, host=host, scheme=scheme, unix=unix):
            raise ForbiddenError(
                f"pages of {_shown(origin)} may not ask this daemon",
                rule="a page's origin is the daemon's own, or one of allowed_origins",
                fix="add the origin to [daemon] allowed_origins, if you trust it with what it asks",
            )

    def may(self, origin: str, *, host: str | None, scheme: str, unix: bool) -> bool:
        """Tell whether pages of an origin may ask. On the unix socket none is the daemon's own: no
        browser gets there by itself, and who is there is let in without a token.
        """
        given = origin.lower()
        if given in self._allowed:
            return True
        return not unix and host is not None and _same(given, scheme, host.lower())

    def crossing(self, origin: str | None) -> list[tuple[bytes, bytes]]:
        """Return the headers that let a page of an allowed origin read an answer. Cookies are nothing
        to this API, so credentials are never allowed.
        """
        if origin is None or origin.lower() not in self._allowed:
            return []
        return [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"origin")]

    def preflight(self, origin: str, wanted: Mapping[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        """Return the headers that answer a preflight of an allowed origin.

        Raises:
            ForbiddenError: it asks for a method or a header that the API does not have.
        """
        method = wanted.get(b"access-control-request-method", b"").decode("latin-1")
        named = wanted.get(b"access-control-request-headers", b"").decode("latin-1").split(",")
        strange = sorted({name.strip().lower() for name in named} - {"", *HEADERS})
        if method not in METHODS or strange:
            what = f"the header {_shown(strange[0])}" if strange else f"the method {_shown(method)}"
            raise ForbiddenError(
                f"{what} is not for pages",
                rule=f"methods are {', '.join(METHODS)}; headers are {', '.join(HEADERS)}",
            )
        return [
            *self.crossing(origin),
            (b"access-control-allow-methods", ", ".join(METHODS).encode()),
            (b"access-control-allow-headers", ", ".join(HEADERS).encode()),
            (b"access-control-max-age", str(_MAX_AGE_S).encode()),
        ]

    def _is_ours(self, host: str, *, unix: bool) -> bool:
        name, port = _split(host.lower(), "http")
        if port is None:
            return False
        if name in self._hosts or name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            # Programs put any word there when they talk to a socket; a page's name has a dot.
            return unix and "." not in name


def _split(host: str, scheme: str) -> tuple[str, int | None]:
    """Return the name and the port of a Host header; None where the port is no number."""
    if host.startswith("["):
        name, _, after = host[1:].partition("]")
    else:
        name, colon, port = host.partition(":")
        after = colon + port
    if not after:
        return name, _DEFAULT_PORTS.get(scheme)
    port = after[1:]
    return name, int(port) if after[0] == ":" and _PORT.fullmatch(port) else None


def _same(origin: str, scheme: str, host: str) -> bool:
    """Tell whether an origin is that of a request with this scheme and Host."""
    theirs, separator, authority = origin.partition("://")
    one, other = _split(authority, scheme), _split(host, scheme)
    return bool(separator) and theirs == scheme and one == other and one[1] is not None


def _shown(text: str) -> str:
    return repr(text[:80])
