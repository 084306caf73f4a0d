"""New ids, minted by whoever is about to send: they are what makes sending twice harmless.

This module must not know what is sent.
"""

from __future__ import annotations

import secrets
import time
import uuid

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_EPOCH_2020_S = 1_577_836_800


def mint_order_id() -> str:
    """Return a new client order id: ``O-``, six signs of time (so that ids sort) and four of chance."""
    seconds = int(time.time()) - _EPOCH_2020_S
    signs = "".join(_ALPHABET[(seconds >> shift) & 31] for shift in range(25, -1, -5))
    return f"O-{signs}{''.join(secrets.choice(_ALPHABET) for _ in range(4))}"


def mint_command_id() -> str:
    """Return a new command id: sent twice under one id, a command is carried out once."""
    return uuid.uuid4().hex
