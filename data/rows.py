"""Rows of one series in memory: times and whole numbers in numpy arrays, exact and compact.

A series is all ticks or bars of one instrument from one origin; its rows are what a partition file
holds. This module must not know of files.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.arrays import integers as whole_numbers
from data.arrays import one_chunk
from data.records import PriceSide
from data.scaled import Wholes, common, trimmed

Kind = Literal["quotes", "trades", "bars"]
KINDS: Final[tuple[Kind, ...]] = ("quotes", "trades", "bars")

#: Decimal columns of each kind; those in ``OPTIONAL`` may be unknown.
NUMBERS: Final[dict[Kind, tuple[str, ...]]] = {
    "quotes": ("bid", "ask", "bid_size", "ask_size"),
    "trades": ("price", "size"),
    "bars": ("open", "high", "low", "close", "volume"),
}
OPTIONAL: Final = frozenset({"bid", "ask", "bid_size", "ask_size", "size", "volume"})
#: Integer columns: ``lag`` is receipt less event time in ns, ``aggressor`` an index into
#: ``segments.AGGRESSORS``, ``count`` the ticks in a bar (0: not known).
INTEGERS: Final[dict[Kind, tuple[str, ...]]] = {
    "quotes": ("lag",),
    "trades": ("lag", "aggressor"),
    "bars": ("count",),
}
TEXTS: Final[dict[Kind, tuple[str, ...]]] = {"quotes": (), "trades": ("trade_id",), "bars": ()}


class Series(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What rows belong together. ``timeframe`` and ``side`` are for bars only."""

    kind: Kind
    instrument: str
    timeframe: str | None = None
    side: PriceSide | None = None
    source: str
    engine: str | None = None
    synthetic: bool


class Number(NamedTuple):
    """A decimal column: whole numbers × 10^-scale; ``valid`` None: all known."""

    wholes: Wholes
    scale: int
    valid: NDArray[np.bool_] | None = None


@dataclass(slots=True)
class Rows:
    """Columns of equal length; ``ts`` is ns UTC (the start of the period for bars)."""

    kind: Kind
    ts: NDArray[np.int64]
    numbers: dict[str, Number]
    integers: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    texts: dict[str, pa.Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ts)

    def take(self, which: NDArray[Any] | slice) -> Rows:
        """Return the rows that an index array, mask or slice names."""
        numbers = {
            name: Number(one.wholes[which], one.scale, None if one.valid is None else one.valid[which])
            for name, one in self.numbers.items()
        }
        integers = {name: column[which] for name, column in self.integers.items()}
        return Rows(self.kind, self.ts[which], numbers, integers, self._take_texts(which))

    def _take_texts(self, which: NDArray[Any] | slice) -> dict[str, pa.Array]:
        if not self.texts:
            return {}
        if isinstance(which, slice):
            start, stop, _ = which.indices(len(self))
            return {name: column.slice(start, max(stop - start, 0)) for name, column in self.texts.items()}
        index = np.flatnonzero(which) if which.dtype == np.bool_ else which
        return {name: column.take(whole_numbers(index)) for name, column in self.texts.items()}

    def only(self, names: Container[str]) -> Rows:
        """Return the rows with times and the named decimal columns, and nothing else."""
        return Rows(self.kind, self.ts, {name: one for name, one in self.numbers.items() if name in names})

    def between(self, start: int | None, end: int | None) -> Rows:
        """Return rows with ``start <= ts < end``; the rows must be in order."""
        first = 0 if start is None else int(np.searchsorted(self.ts, start, "left"))
        last = len(self) if end is None else int(np.searchsorted(self.ts, end, "left"))
        return self if first == 0 and last == len(self) else self.take(slice(first, last))

    def in_order(self) -> Rows:
        """Return the rows by time; equal times keep their order."""
        if len(self) < 2 or bool((self.ts[1:] >= self.ts[:-1]).all()):
            return self
        return self.take(np.argsort(self.ts, kind="stable"))

    def trimmed(self) -> Rows:
        """Return the same rows with each decimal column at its smallest scale."""
        numbers = {
            name: Number(*trimmed(one.wholes, one.scale), one.valid) for name, one in self.numbers.items()
        }
        return Rows(self.kind, self.ts, numbers, self.integers, self.texts)

    def equals(self, other: Rows) -> bool:
        """True if both hold the same values in the same order, whatever their scales."""
        if self.kind != other.kind or not np.array_equal(self.ts, other.ts):
            return False
        for name, mine in self.numbers.items():
            theirs = other.numbers[name]
            (left, right), _ = common([mine[:2], theirs[:2]])
            known, known_too = _known(mine), _known(theirs)
            if not np.array_equal(known, known_too) or not np.array_equal(left[known], right[known]):
                return False
        same = all(np.array_equal(column, other.integers[name]) for name, column in self.integers.items())
        return same and all(_same_texts(column, other.texts[name]) for name, column in self.texts.items())

    def keys(self, names: Sequence[str]) -> list[tuple[Any, ...]]:
        """Return for each row a tuple of its time and the named columns, comparable across scales."""
        columns: list[list[Any]] = [self.ts.tolist()]
        for name in names:
            if name in self.texts:
                columns.append(self.texts[name].to_pylist())
            elif name in self.integers:
                columns.append(self.integers[name].tolist())
            else:
                columns.append(_comparable(self.numbers[name]))
        return list(zip(*columns, strict=True))


def joined(parts: Sequence[Rows]) -> Rows:
    """Return rows one behind the other, their scales made common. There must be at least one part."""
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    numbers: dict[str, Number] = {}
    for name in first.numbers:
        columns, scale = common([part.numbers[name][:2] for part in parts])
        unknown = any(part.numbers[name].valid is not None for part in parts)
        valid = np.concatenate([_known(part.numbers[name]) for part in parts]) if unknown else None
        numbers[name] = Number(np.concatenate(columns), scale, valid)
    integers = {name: np.concatenate([part.integers[name] for part in parts]) for name in first.integers}
    texts = {name: pa.concat_arrays([part.texts[name] for part in parts]) for name in first.texts}
    return Rows(first.kind, np.concatenate([part.ts for part in parts]), numbers, integers, texts)


def _known(number: Number) -> NDArray[np.bool_]:
    return np.ones(len(number.wholes), np.bool_) if number.valid is None else number.valid


def _same_texts(left: pa.Array, right: pa.Array) -> bool:
    return bool(one_chunk(left).equals(one_chunk(right)))


def _comparable(number: Number) -> list[Any]:
    factor = 10 ** (24 - number.scale)
    values = [int(whole) * factor for whole in number.wholes.tolist()]
    if number.valid is None:
        return values
    return [value if ok else None for value, ok in zip(values, number.valid.tolist(), strict=True)]
