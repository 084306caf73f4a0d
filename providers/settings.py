"""What the providers can be told: a frozen struct with the defaults.

This module must not know where settings come from.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Profile = Literal["standard", "demo"]


class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the providers are, and whether their sandbox twins stand in for all of them."""

    profile: Profile = "standard"  #: ``demo``: sandbox twins, everything they tell is synthetic
    deadline_s: float = 30.0  #: for one whole answer
    fred_url: str = "https://api.stlouisfed.org"
    alpha_vantage_url: str = "https://www.alphavantage.co"
    alpha_vantage_daily_quota: int = 25
    alpha_vantage_spacing_s: float = 1.1
    edgar_data_url: str = "https://data.sec.gov"
    edgar_www_url: str = "https://www.sec.gov"
    edgar_efts_url: str = "https://efts.sec.gov"
