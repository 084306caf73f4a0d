"""An address as levels, with names kept whole: a slash that belongs to a name parts nothing.

``EUR/USD.SIM`` travels as ``EUR%2FUSD.SIM``. Servers hand on decoded addresses, in which it would be two
levels. This module must not know what is at an address.
"""

from __future__ import annotations

from urllib.parse import unquote


def levels(raw: bytes) -> str:
    """Return an address as it was sent with every escape decoded but that of a slash, and of the percent
    sign, so that both can be told from what stands for itself. Each name's meaning is its ``unquote``.
    """
    return "/".join(
        unquote(level).replace("%", "%25").replace("/", "%2F") for level in raw.decode("latin-1").split("/")
    )
