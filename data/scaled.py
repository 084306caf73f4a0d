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

from data.arrays import bitmap, one_chunk

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
    words = np.empty((count, 2), np.uint64)
    if wholes.dtype == object:
        words[:, 0] = [int(one) & _WORD for one in wholes]
        words[:, 1] = [(int(one) >> 64) & _WORD for one in wholes]
        precision = WIDE
    else:
        words[:, 0] = wholes.view(np.uint64)
        words[:, 1] = (wholes >> 63).view(np.uint64)
        precision = NARROW if count == 0 or int(np.abs(wholes).max()) < _NARROW_LIMIT else WIDE
    mask = None if valid is None or bool(valid.all()) else bitmap(valid)
    return pa.Array.from_buffers(pa.decimal128(precision, scale), count, [mask, pa.py_buffer(words)])


def wholes_of(source: pa.Array | pa.ChunkedArray) -> tuple[Wholes, int, NDArray[np.bool_] | None]:
    """Return a decimal column's whole numbers (0 where null), its scale, and validity (None: all valid)."""
    array = one_chunk(source)
    scale, count = int(array.type.scale), len(array)
    mask, data = array.buffers()
    if count == 0:
        return np.empty(0, np.int64), scale, None
    valid: NDArray[np.bool_] | None = None
    if array.null_count:
        bits = np.unpackbits(np.frombuffer(mask, np.uint8), bitorder="little")
        valid = bits[array.offset : array.offset + count].astype(np.bool_)
    words = np.frombuffer(data, np.int64).reshape(-1, 2)[array.offset : array.offset + count]
    if valid is not None:
        words = np.where(valid[:, None], words, 0)
    if bool((words[:, 1] == words[:, 0] >> 63).all()):
        return words[:, 0].copy(), scale, valid
    exact = [(high << 64) | (low & _WORD) for low, high in words.tolist()]
    return np.array(exact, object), scale, valid


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
    if wholes.dtype != object and int(np.abs(wholes).max()) * factor >= _NARROW_LIMIT:
        wholes = wholes.astype(object)
    result: Wholes = wholes * factor
    return result


def common(parts: list[tuple[Wholes, int]]) -> tuple[list[Wholes], int]:
    """Return columns at the one scale that holds all of them, and that scale."""
    scale = max((scale for _, scale in parts), default=0)
    at_scale = [rescaled(wholes, its, scale) for wholes, its in parts]
    if any(wholes.dtype == object for wholes in at_scale):
        at_scale = [wholes.astype(object) for wholes in at_scale]
    return at_scale, scale


def trimmed(wholes: Wholes, scale: int) -> tuple[Wholes, int]:
    """Return the same numbers at the smallest scale that holds them: trailing zeros cost bytes."""
    while scale > 0 and len(wholes) and not (wholes % 10).any():
        wholes, scale = wholes // 10, scale - 1
    return narrowed(wholes), scale


def decimals(wholes: Wholes, scale: int) -> list[Decimal]:
    """Return Python decimals with ``scale`` places."""
    return [Decimal(int(whole)).scaleb(-scale, context=_EXACT) for whole in wholes.tolist()]


def whole(value: Decimal, scale: int) -> int:
    """Return a decimal as a whole number at ``scale``; the scale must hold it."""
    return int(value.scaleb(scale, context=_EXACT))


def scale_of(value: Decimal) -> int:
    """Return the decimal places that a number needs; trailing zeros count as written."""
    exponent = value.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
