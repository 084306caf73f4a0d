"""Files of rows and columns as text: CSV, plain or compressed, and Parquet, each row with its line.

Numbers stay as they are written, so that nothing is lost to floating point. Parquet columns of
floats are written as the shortest decimal that names them, rounded to 15 digits where more are noise.
This module must not know what columns mean.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, cast

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from data.arrays import numbers
from data.problems import InvalidRequestError, NotFoundError, StoreFailedError
from data.times import looks_like_time

_SAMPLE_LINES: Final = 40
_SAMPLE_BYTES: Final = 1 << 18
_UNITS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
#: Rows are handed on in batches of this many.
BATCH: Final = 50_000


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """How a file is laid out."""

    kind: str  #: ``csv`` or ``parquet``
    delimiter: str = ","
    decimal_comma: bool = False
    skip_lines: int = 0  #: lines before the header or the first row
    header: bool = True
    names: tuple[str, ...] = ()  #: of the columns; ``#1``, ``#2`` … where there is no header
    encoding: str = "utf-8"


class Batch(msgspec.Struct):
    """Rows as text. ``lines`` are line numbers of a text file, row numbers of a Parquet file; from 1."""

    rows: Sequence[Sequence[str]]
    lines: Sequence[int]
    rounded: int = 0  #: floats that were rounded to 15 digits
    done: int = 0  #: how far the file was read: bytes of a text file, rows of a Parquet file


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        NotFoundError: There is no such file.
        StoreFailedError: It cannot be read.
    """
    with _readable(path), open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def shape_of(path: Path) -> Shape:
    """Look at the beginning of a file and return how it is laid out.

    Raises:
        NotFoundError: There is no such file.
        InvalidRequestError: It is empty, or not a table.
        StoreFailedError: It cannot be read.
    """
    with _readable(path):
        if _is_parquet(path):
            with pq.ParquetFile(path) as file:
                return Shape(kind="parquet", names=tuple(file.schema_arrow.names))
        with _opened(path) as (raw, _):
            head = raw.read(_SAMPLE_BYTES)
    encoding = _encoding(head)
    lines = head.decode(encoding, "replace").lstrip("\ufeff").splitlines()[:_SAMPLE_LINES]
    if len(head) == _SAMPLE_BYTES and len(lines) > 1:
        lines = lines[:-1]
    filled = [line for line in lines if line.strip() and not line.startswith("#")]
    if not filled or "\0" in filled[0]:
        raise InvalidRequestError(f"{path.name} holds no rows of text", field="path", value=path.name)
    delimiter = _delimiter(filled)
    rows = list(csv.reader(filled, delimiter=delimiter, skipinitialspace=delimiter != "\t"))
    width = max(len(row) for row in rows)
    preamble = next((at for at, row in enumerate(rows) if len(row) * 2 > width), 0)
    first = rows[preamble]
    header = not any(_is_number(cell) or looks_like_time(cell) for cell in first if cell.strip())
    return Shape(
        kind="csv",
        delimiter=delimiter,
        decimal_comma=_decimal_comma(rows[preamble + header :], delimiter),
        skip_lines=next(at for at, line in enumerate(lines, 1) if line == filled[preamble]) - 1,
        header=header,
        names=tuple(_names(first)) if header else tuple(f"#{n}" for n in range(1, width + 1)),
        encoding=encoding,
    )


def length(path: Path, shape: Shape) -> int:
    """Return how much of a file there is to read, in the unit of `Batch.done`.

    Raises:
        NotFoundError, StoreFailedError: it cannot be read.
    """
    with _readable(path):
        if shape.kind == "parquet":
            with pq.ParquetFile(path) as file:
                return int(file.metadata.num_rows)
        return path.stat().st_size


def batches(path: Path, shape: Shape, size: int = BATCH) -> Iterator[Batch]:
    """Yield all rows of a file.

    Raises:
        StoreFailedError: The file cannot be read to its end; names the place.
    """
    with _readable(path):
        yield from (
            _parquet_batches(path, size) if shape.kind == "parquet" else _csv_batches(path, shape, size)
        )


def _csv_batches(path: Path, shape: Shape, size: int) -> Iterator[Batch]:
    rows: list[list[str]] = []
    lines: list[int] = []
    with _opened(path) as (raw, file), io.TextIOWrapper(raw, shape.encoding, "replace", newline="") as text:
        for _ in range(shape.skip_lines):
            text.readline()
        reader = csv.reader(text, delimiter=shape.delimiter, skipinitialspace=shape.delimiter != "\t")
        begun = not shape.header
        while True:
            line = shape.skip_lines + reader.line_num + 1
            try:
                row = next(reader, None)
            except csv.Error as error:
                row = [f"unreadable: {error}"]
            if row is None:
                break
            if not row or (len(row) == 1 and not row[0].strip()) or row[0].startswith("#"):
                continue
            if not begun:
                begun = True
                continue
            rows.append(row)
            lines.append(line)
            if len(rows) == size:
                yield Batch(rows, lines, done=file.tell())
                rows, lines = [], []
    if rows:
        yield Batch(rows, lines, done=path.stat().st_size)


def _parquet_batches(path: Path, size: int) -> Iterator[Batch]:
    line = 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=size):
            columns, rounded = [], 0
            for column in batch.columns:
                texts, some = _texts(column)
                columns.append(texts)
                rounded += some
            rows = list(zip(*columns, strict=True))
            first, line = line + 1, line + len(rows)
            yield Batch(rows, range(first, line + 1), rounded, done=line)


def _texts(column: Any) -> tuple[list[str], int]:
    kind = column.type
    if pa.types.is_timestamp(kind) and column.null_count == 0:
        step = _UNITS[kind.unit]
        return [str(value * step) for value in numbers(column).tolist()], 0
    values = column.to_pylist()
    if not pa.types.is_floating(kind):
        return ["" if value is None else str(value) for value in values], 0
    texts = ["" if value is None else repr(value) for value in values]
    rounded = 0
    for at, text in enumerate(texts):
        if len(text.lstrip("-0.").replace(".", "").split("e")[0]) > 15:
            texts[at] = f"{values[at]:.15g}"
            rounded += 1
    return texts, rounded


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, IsADirectoryError) as error:
        raise NotFoundError(f"there is no file {path}", field="path", value=str(path)) from error
    except (OSError, EOFError, zipfile.BadZipFile, pa.ArrowException) as error:
        raise StoreFailedError(
            f"{path.name} cannot be read: {error}", fix="check the file; nothing was imported"
        ) from error


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Open a file, unpacked if it is packed; the second is the file, which knows how far it is read."""
    with open(path, "rb") as file:
        magic = file.read(4)
        file.seek(0)
        if magic[:2] == b"\x1f\x8b":
            with gzip.open(file) as unpacked:
                yield cast(IO[bytes], unpacked), file
        elif magic == b"PK\x03\x04":
            with zipfile.ZipFile(file) as archive:
                inside = [one for one in archive.infolist() if not one.is_dir()]
                if len(inside) != 1:
                    raise InvalidRequestError(
                        f"{path.name} holds {len(inside)} files",
                        rule="an archive holds one file",
                        field="path",
                    )
                with archive.open(inside[0]) as unpacked:
                    yield unpacked, file
        else:
            yield file, file


def _is_parquet(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(4) == b"PAR1"


def _encoding(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        # The sample may end within a character.
        head[: head.rfind(b"\n") + 1 or None].decode()
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def _delimiter(lines: Sequence[str]) -> str:
    """Return the sign that parts the most lines into the same number of cells."""
    best, found = 0.0, ","
    for sign in (";", "\t", "|", ","):
        counts = [line.count(sign) for line in lines]
        usual = max(set(counts), key=counts.count)
        share = counts.count(usual) / len(counts)
        if usual > 0 and share > best + 0.2:
            best, found = share, sign
    return found


def _decimal_comma(rows: Sequence[Sequence[str]], delimiter: str) -> bool:
    if delimiter == ",":
        return False
    cells = [cell for row in rows for cell in row]
    comma = sum(cell.count(",") == 1 and _is_number(cell.replace(",", ".")) for cell in cells)
    return comma > sum("." in cell and _is_number(cell) for cell in cells)


def _names(cells: Sequence[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for number, cell in enumerate(cells, 1):
        name = cell.strip() or f"#{number}"
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
