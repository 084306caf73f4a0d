"""Numbers and texts to Arrow columns and back, through buffers.

``pyarrow.array``, ``pyarrow.scalar`` and ``Array.to_numpy`` import pandas when they are first called,
which costs seconds and fifty megabytes in a process that has no other use for it. These do not.
This module must not know what the columns mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def integers(values: NDArray[Any], to: pa.DataType | None = None) -> pa.Array:
    """Return a column of int64, or of ``to``, an integer or timestamp type."""
    kind: pa.DataType = to or pa.int64()
    dtype = np.dtype(f"i{kind.bit_width // 8}")
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values, dtype))])


def flags(values: NDArray[np.bool_]) -> pa.Array:
    """Return a boolean column."""
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, bitmap(values)])


def bitmap(values: NDArray[np.bool_]) -> pa.Buffer:
    """Return booleans as Arrow's validity bits."""
    return pa.py_buffer(np.packbits(values, bitorder="little"))


def texts(values: Sequence[str | None]) -> pa.Array:
    """Return a text column; None is null."""
    encoded = [b"" if value is None else value.encode() for value in values]
    ends = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(one) for one in encoded], out=ends[1:])
    valid = np.fromiter((value is not None for value in values), np.bool_, len(encoded))
    mask = None if bool(valid.all()) else bitmap(valid)
    buffers = [mask, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.large_string(), len(encoded), buffers)


def constant(value: str | None, count: int) -> pa.Array:
    """Return a dictionary column that says the same in each row."""
    codes = np.zeros(count, np.int32)
    if value is not None:
        return pa.DictionaryArray.from_arrays(integers(codes, pa.int32()), texts([value]))
    nulls = pa.Array.from_buffers(pa.int32(), count, [bitmap(np.zeros(count, np.bool_)), pa.py_buffer(codes)])
    return pa.DictionaryArray.from_arrays(nulls, texts([""]))


def numbers(column: pa.Array | pa.ChunkedArray) -> NDArray[Any]:
    """Return an integer or timestamp column without nulls as whole numbers."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    dtype = np.dtype(f"i{column.type.bit_width // 8}")
    views = [
        np.frombuffer(chunk.buffers()[1], dtype)[chunk.offset : chunk.offset + len(chunk)]
        for chunk in chunks
        if len(chunk)
    ]
    if not views:
        return np.empty(0, dtype)
    return views[0] if len(views) == 1 else np.concatenate(views)


def one_chunk(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column as one array."""
    if isinstance(column, pa.ChunkedArray):
        return pa.concat_arrays(column.chunks) if column.num_chunks else pa.nulls(0, column.type)
    return column
