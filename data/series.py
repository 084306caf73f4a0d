"""Equity over time, of one engine or of several together, with what was brought in and taken out.

This module must not know where equity comes from or what is made of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from data.equity_store import EquitySample


class EquitySeries(msgspec.Struct, frozen=True, kw_only=True):
    """Equity at the end of periods, oldest first. ``flows`` is what came in (negative: went out) before."""

    times: tuple[int, ...] = ()  #: UTC ns
    equity: tuple[Decimal, ...] = ()
    flows: tuple[Decimal, ...] = ()
    engines: tuple[str, ...] = ()
    currency: str | None = None  #: None: nothing is known
    notes: tuple[str, ...] = ()
    synthetic: bool = False

    def __len__(self) -> int:
        return len(self.times)

    @property
    def peak(self) -> Decimal | None:
        """The highest equity of the series."""
        return max(self.equity, default=None)


def combined(samples: Iterable[EquitySample], width: int) -> EquitySeries:
    """Return samples as one series over periods of ``width`` ns; of several in one period the last counts.

    A period counts if all engines are known in it that were known before and will be known again: a sum
    over some of them would look like a loss. Engines in another currency than the first are left out.
    """
    by_period: dict[int, dict[str, EquitySample]] = defaultdict(dict)
    left_out: set[str] = set()
    currency: str | None = None
    spans: dict[str, tuple[int, int]] = {}
    for one in sorted(samples, key=lambda sample: (sample.ts, sample.engine)):
        currency = currency or one.currency
        if one.currency != currency:
            left_out.add(one.engine)
            continue
        period = one.ts // width
        by_period[period][one.engine] = one
        spans[one.engine] = spans.get(one.engine, (period, period))[0], period
    times: list[int] = []
    equity: list[Decimal] = []
    flows: list[Decimal] = []
    before: dict[str, EquitySample] = {}
    skipped = 0
    for period, found in sorted(by_period.items()):
        expected = {engine for engine, (first, last) in spans.items() if first <= period <= last}
        if found.keys() < expected:
            skipped += 1
            continue
        came = sum((one.equity for engine, one in found.items() if engine not in before), Decimal(0))
        went = sum((one.equity for engine, one in before.items() if engine not in found), Decimal(0))
        times.append(max(one.ts for one in found.values()))
        equity.append(sum((one.equity for one in found.values()), Decimal(0)))
        flows.append(came - went if times[1:] else Decimal(0))
        before = found
    notes = [f"{engine} is left out: its equity is not in {currency}" for engine in sorted(left_out)]
    if skipped:
        notes.append(f"{skipped:,} periods are left out: not every engine's equity is known in them")
    return EquitySeries(
        times=tuple(times),
        equity=tuple(equity),
        flows=tuple(flows),
        engines=tuple(sorted(spans)),
        currency=currency,
        notes=tuple(notes),
        synthetic=any(one.synthetic for found in by_period.values() for one in found.values()),
    )
