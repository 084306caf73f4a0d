"""What is looked at in the Risk workspace: plain state, written by its actions, read by its panes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

#: How exposures are put together.
ExposureGroup = Literal["instrument", "sector"]
EXPOSURE_GROUPS: tuple[ExposureGroup, ...] = ("instrument", "sector")
#: What the detail is about: the row that the cursor came to last.
Subject = Literal["limit", "breach"]
#: Confidences and horizons in days that value at risk is told at, in the order they are walked.
CONFIDENCES: tuple[Decimal, ...] = (Decimal("0.99"), Decimal("0.95"), Decimal("0.995"), Decimal("0.90"))
HORIZONS: tuple[int, ...] = (1, 5, 10, 22)


@dataclass(slots=True)
class RiskView:
    """The selection in the Risk workspace."""

    limit: str | None = None  #: id of the limit that is looked at
    breach: str | None = None  #: id of the breach that is looked at
    subject: Subject = "limit"
    steered: bool = False  #: a limit was chosen; until then the one nearest to trouble is looked at
    checked: str | None = None  #: id of the limit that is checked anew
    front: str = "limit_detail"  #: the pane that is seen where there is room for one beside the limits
    group: ExposureGroup = "instrument"
    confidence: Decimal = CONFIDENCES[0]
    horizon: int = HORIZONS[0]
    shocks: tuple[str, ...] = ()  #: a stress of one's own, a shock each: ``equity=-20%``

    def look_at_limit(self, limit_id: str) -> bool:
        """Look at a limit; say whether that is another than before."""
        before = (self.limit, self.subject)
        self.limit, self.subject = limit_id, "limit"
        return before != (self.limit, self.subject)

    def look_at_breach(self, breach_id: str) -> bool:
        """Look at a breach; say whether that is another than before."""
        before = (self.breach, self.subject)
        self.breach, self.subject = breach_id, "breach"
        return before != (self.breach, self.subject)
