"""Time series as they come, JSON or CSV: labels and fields, oldest first, and what is said of them.

The order of the rows and the numbers in the names are no promises, so both are ignored. This module
must not know what a label means.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from providers.alpha_vantage import shapes, values
from providers.alpha_vantage.reading import of_symbol
from providers.core.exchange import Body

_PRICES = ("open", "high", "low", "close")
#: Prices that were scaled keep this many digits after the point.
_DIGITS = 8
#: What CSV leaves out; every series of stocks has it.
DEFAULT_ZONE = "US/Eastern"


@dataclass(frozen=True, slots=True)
class Row:
    """One period under the label it came with."""

    label: str
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal | None
    volume: Decimal | None
    adjusted_close: Decimal | None
    dividend: Decimal | None
    split: Decimal | None

    def adjusted(self) -> Row:
        """Return the row in today's terms: all prices scaled by adjusted close over close.

        Only the close comes adjusted; the volume stays as it was traded. Prices are None where the
        factor is not known.
        """
        with localcontext() as context:
            context.prec = 80
            factor = self.adjusted_close / self.close if self.adjusted_close and self.close else None

            def scaled(price: Decimal | None) -> Decimal | None:
                if price is None or factor is None:
                    return None
                return round(price * factor, _DIGITS).normalize() + 0  # without an exponent

            return Row(
                self.label,
                scaled(self.open),
                scaled(self.high),
                scaled(self.low),
                self.adjusted_close,
                self.volume,
                self.adjusted_close,
                self.dividend,
                self.split,
            )


@dataclass(frozen=True, slots=True)
class Told:
    """A series as it came."""

    rows: tuple[Row, ...]  #: oldest first
    timezone: str
    interval: str  #: empty: not told
    refreshed: dt.date | None  #: the day up to which it goes


def read(body: Body, symbol: str) -> Told:
    """Read a series; raises BadPayloadError. No row is no error: the symbol may have none."""
    if shapes.is_table(body):
        table = shapes.table(body, "timestamp", *_PRICES)
        return _told([(row["timestamp"], row) for row in table], {})
    answer = shapes.record(body)
    meta = shapes.fields(answer.get("Meta Data", {}), "Meta Data")
    of_symbol(meta.get("symbol"), symbol)
    return _told(_labelled(answer), meta)


def _labelled(answer: Mapping[str, object]) -> list[tuple[str, Mapping[str, object]]]:
    names = [name for name in answer if "Time Series" in name]
    if not names and not answer:
        return []
    if len(names) != 1:
        raise shapes.bad("answered no series", "an answer has one Time Series")
    found = answer[names[0]]
    if not isinstance(found, Mapping):
        raise shapes.bad("answered a series that is no record", "it has a row a label")
    rows: list[tuple[str, Mapping[str, object]]] = [
        (str(label), shapes.fields(row, "a row of a series")) for label, row in found.items()
    ]
    for _, row in rows:
        if any(name not in row for name in _PRICES):
            raise shapes.bad("answered a row without a price", f"a row has {', '.join(_PRICES)}")
    return rows


def _told(
    labelled: list[tuple[str, Mapping[str, object]]] | list[tuple[str, dict[str, str]]],
    meta: Mapping[str, object],
) -> Told:
    rows = sorted((_row(label, fields) for label, fields in labelled), key=lambda row: row.label)
    for earlier, later in itertools.pairwise(rows):
        if earlier.label == later.label:
            raise shapes.bad(f"answered two rows of {later.label}", "a period has one row")
    refreshed = values.text(meta.get("last_refreshed")) or (rows[-1].label if rows else "")
    return Told(
        rows=tuple(rows),
        timezone=values.text(meta.get("time_zone")) or DEFAULT_ZONE,
        interval=values.text(meta.get("interval")),
        refreshed=values.date(refreshed[:10], "Last Refreshed"),
    )


def _row(label: str, fields: Mapping[str, object]) -> Row:
    return Row(
        label=label.strip(),
        open=values.some(fields["open"], "open"),
        high=values.some(fields["high"], "high"),
        low=values.some(fields["low"], "low"),
        close=values.some(fields["close"], "close"),
        volume=values.number(fields.get("volume"), "volume"),
        adjusted_close=values.some(fields.get("adjusted_close"), "adjusted close"),
        dividend=values.number(fields.get("dividend_amount"), "dividend amount"),
        split=values.number(fields.get("split_coefficient"), "split coefficient"),
    )
