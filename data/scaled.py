"""Exact decimals in columns: whole numbers with one scale, instead of floats.

A price column is int64 values and a scale: value = whole × 10^-scale. On disk it is a DECIMAL with
up to 18 digits, stored as INT64, which compresses well; columns that need more digits (rare: huge
volumes with many decimals) are DECIMAL with up to 38 and Python integers in memory. This module must
not know what the numbers mean.
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.arrays import bitmap

#: Whole numbers: int64, or Python integers (dtype object) where int64 does not suffice.
Wholes = NDArray[Any]

NARROW: Final = 18  #: digits that fit INT64
WIDE: Final = 38  #: digits that fit DECIMAL at all
_NARROW_LIMIT: Final = 10**NARROW
_WORD: Final = (1 << 64) - 1
#: Wide enough for every column; raises rather than rounds.
_EXACT: Final = Context(prec=76, traps=[InvalidOperation, Inexact])


def column(wholes: Wholes, scale: int, valid: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return an Arrow decimal column of whole numbers; not-valid places are null."""
    count = len(wholes)
    mask = None if valid is None or bool(valid.all()) else bitmap(valid)
    if wholes.dtype != object and _largest(wholes) < _NARROW_LIMIT:
        data = pa.py_buffer(np.ascontiguousarray(wholes, np.int64))
        return pa.Array.from_buffers(pa.decimal64(NARROW, scale), count, [mask, data])
    words = np.empty((count, 2), np.uint64)
    words[:, 0] = [int(one) & _WORD for one in wholes]
    words[:, 1] = [(int(one) >> 64) & _WORD for one in wholes]
    return pa.Array.from_buffers(pa.decimal128(WIDE, scale), count, [mask, pa.py_buffer(words)])


def wholes_of(source: pa.Array | pa.ChunkedArray) -> tuple[Wholes, int, NDArray[np.bool_] | None]:
    """Return a decimal column's whole numbers (0 where null), its scale, and validity (None: all valid)."""
    kind = source.type
    chunks = source.chunks if isinstance(source, pa.ChunkedArray) else [source]
    words = [_words(chunk) for chunk in chunks if len(chunk)]
    if not words:
        return np.empty(0, np.int64), kind.scale, None
    valid: NDArray[np.bool_] | None = None
    if source.null_count:
        valid = np.concatenate([_validity(chunk) for chunk in chunks if len(chunk)])
        words = [np.where(valid[:, None], np.concatenate(words), 0)]
    if kind.precision <= NARROW or all(bool((part[:, 1] == part[:, 0] >> 63).all()) for part in words):
        low = [part[:, 0] for part in words]
        return low[0] if len(low) == 1 else np.concatenate(low), kind.scale, valid
    exact = [(high << 64) | (low & _WORD) for part in words for low, high in part.tolist()]
    return np.array(exact, object), kind.scale, valid


def _words(array: pa.Array) -> NDArray[np.int64]:
    """Return each number's words of 64 bits, the low one first; a narrow number has one."""
    per_number = array.type.bit_width // 64
    words = np.frombuffer(array.buffers()[1], np.int64).reshape(-1, per_number)
    return words[array.offset : array.offset + len(array)]


def _validity(array: pa.Array) -> NDArray[np.bool_]:
    if not array.null_count:
        return np.ones(len(array), np.bool_)
    bits = np.unpackbits(np.frombuffer(array.buffers()[0], np.uint8), bitorder="little")
    return bits[array.offset : array.offset + len(array)].astype(np.bool_)


def _largest(wholes: Wholes) -> int:
    return max(int(wholes.max()), -int(wholes.min())) if len(wholes) else 0


def narrowed(wholes: Wholes) -> Wholes:
    """Return int64 if all values fit 18 digits, else the values as they are."""
    if wholes.dtype != object:
        return wholes
    if all(abs(int(whole)) < _NARROW_LIMIT for whole in wholes):
        return wholes.astype(np.int64)
    return wholes


def rescaled(wholes: Wholes, scale: int, to: int) -> Wholes:
    """Return whole numbers at a larger scale; exact, whatever their size."""
    if to == scale or len(wholes) == 0:
        return wholes
    factor = 10 ** (to - scale)
    if wholes.dtype != object and _largest(wholes) * factor >= _NARROW_LIMIT:
        wholes = wholes.astype(object)
    result: Wholes = wholes * factor
    return result


def fits(wholes: Wholes, factor: int) -> bool:
    """True if all numbers times ``factor`` are within 18 digits."""
    return wholes.dtype != object and _largest(wholes) * factor < _NARROW_LIMIT


def common(parts: list[tuple[Wholes, int]]) -> tuple[list[Wholes], int]:
    """Return columns at the one scale that holds all of them, and that scale."""
    scale = max((scale for _, scale in parts), default=0)
    at_scale = [rescaled(wholes, its, scale) for wholes, its in parts]
    if any(wholes.dtype == object for wholes in at_scale):
        at_scale = [wholes.astype(object) for wholes in at_scale]
    return at_scale, scale


def trimmed(wholes: Wholes, scale: int) -> tuple[Wholes, int]:
    """Return the same numbers at the smallest scale that holds them: trailing zeros cost bytes."""
    # Looking at a few first spares a pass over columns that need all their places: nearly all do.
    while scale > 0 and len(wholes) and not (wholes[:64] % 10).any() and not (wholes % 10).any():
        wholes, scale = wholes // 10, scale - 1
    return narrowed(wholes), scale


def decimals(wholes: Wholes, scale: int) -> list[Decimal]:
    """Return Python decimals with ``scale`` places."""
    unit, times = Decimal(1).scaleb(-scale), _EXACT.multiply
    return [times(Decimal(whole), unit) for whole in wholes.tolist()]


def whole(value: Decimal, scale: int) -> int:
    """Return a decimal as a whole number at ``scale``; the scale must hold it."""
    return int(value.scaleb(scale, context=_EXACT))


def scale_of(value: Decimal) -> int:
    """Return the decimal places that a number needs; trailing zeros count as written."""
    exponent = value.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
