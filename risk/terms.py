"""What turns a quantity of an instrument into money. This module must not know where terms come from."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple


class Terms(NamedTuple):
    """Currency and multiplier of an instrument, and its sector if it has one."""

    currency: str
    multiplier: Decimal = Decimal(1)
    sector: str | None = None
