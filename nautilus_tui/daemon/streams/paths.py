"""The WebSocket addresses and what each subscribes to by itself. Must not know of sockets."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

from data.problems import InvalidRequestError, NotFoundError, ProblemError, UpgradeRequiredError
from data.topics import HEALTH, check_topic

_FIXED: dict[str, tuple[str, ...]] = {
    "/ws": (),
    "/ws/engine/status": ("engines.*.status",),
    "/ws/trades/updates": ("orders.*", "fills.*", "positions.*", "account.*"),
    "/ws/system/health": (HEALTH,),
}
_MARKET_DATA = "/ws/market-data/"
#: All of them, as people are told.
ADDRESSES = (*_FIXED, _MARKET_DATA + "{symbol}")
_LISTED = ", ".join(ADDRESSES)


def subscriptions_of(target: str) -> tuple[str, tuple[str, ...]]:
    """Return an address's path and the patterns a connection to it reads without asking.

    ``/ws/market-data/{symbol}`` takes an instrument id (``AAPL.SIM``) or a bare symbol, which is
    read at every venue. Raises NotFoundError, or InvalidRequestError for a token in the address:
    addresses are logged and remembered, tokens must not be.
    """
    try:
        parts = urlsplit(target)
    except ValueError as error:
        raise InvalidRequestError(
            f"not an address: {error}",
            rule="an address is as RFC 3986 has it",
            fix=f"use one of {_LISTED}",
        ) from error
    path = unquote(parts.path)
    secrets = {"token", "access_token", "authorization"} & {name.lower() for name in parse_qs(parts.query)}
    if secrets:
        raise InvalidRequestError(
            "a token in the address",
            rule="tokens come in the Authorization header or in the first message",
            fix="send Authorization: Bearer …, and revoke this token: it may have been logged",
        )
    fixed = _FIXED.get(path.rstrip("/"))
    if fixed is not None:
        return path, fixed
    symbol = path.removeprefix(_MARKET_DATA)
    if symbol and symbol != path and "/" not in symbol:
        return path, _market_data(symbol)
    raise NotFoundError(
        f"no stream at {path[:200]}",
        rule="a stream has an address of its own, or is subscribed to at /ws",
        fix=f"use one of {_LISTED}",
    )


def require_no_stream(path: str) -> None:
    """Raise UpgradeRequiredError where a stream is: what was sent there asks for no WebSocket."""
    if not path.startswith("/ws"):
        return
    try:
        subscriptions_of(path)
    except ProblemError:
        return
    raise UpgradeRequiredError(
        f"{path} is a stream",
        rule="streams are read over WebSocket (RFC 6455)",
        fix="connect with a WebSocket client: Upgrade: websocket, Connection: Upgrade",
    )


def _market_data(symbol: str) -> tuple[str, ...]:
    instrument = check_topic(symbol)
    if "." not in instrument:
        instrument += ".*"
    return (f"quotes.{instrument}", f"trades.{instrument}", f"book.{instrument}", f"bars.*.{instrument}")
