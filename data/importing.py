"""Importing files of ticks and bars: a plan that is guessed and shown, a run that reports every bad row.

``plan`` looks at a file and says how it would be read; whatever is wrong with the guess can be given.
``run`` reads it, checks each row, leaves out what is there already, and stores the rest as one commit:
an import that fails or is interrupted has stored nothing. Importing a file twice stores nothing twice.
This module must not know who asks.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from data import columns as column_guess
from data import parsing, tabular, times
from data.history import History
from data.manifest import Imported
from data.once import Comparison, Sorter
from data.parsing import BadRow, Layout, Reading
from data.problems import InvalidRequestError
from data.records import PriceSide
from data.rows import Kind, Rows, Series, joined
from data.tabular import Shape
from data.timeframes import nearest, timeframe
from data.times import TimeFormat

_SAMPLE_ROWS: Final = 2_000
#: So many bad rows are listed with line and reason; all of them are counted.
_LISTED: Final = 200
#: Is told how many rows were read, and how far the file was read in the unit of `tabular.Batch.done`.
Watch = Callable[[int, int], None]
_TO_DAY: Final = 86_400_000_000_000


class ImportPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How a file will be read. Everything here was guessed or given; ``notes`` says what to look at."""

    path: str
    instrument: str
    kind: Kind
    timeframe: str | None = None  #: of bars
    side: PriceSide | None = None  #: of bars; None for bars that have both sides, and for ticks
    columns: dict[str, str]  #: field to column
    shape: Shape
    time_format: TimeFormat
    symbol: str | None = None  #: rows of this symbol only
    sample: list[tuple[str, ...]] = []  #: the first rows, as they are written
    notes: tuple[str, ...] = ()


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or with ``dry_run`` would do."""

    plan: ImportPlan
    rows_read: int  #: rows of data in the file
    imported: int  #: rows stored; with ``dry_run``: that would be
    already_there: int = 0  #: rows that the history holds already
    duplicates: int = 0  #: rows that repeat another row of the file
    other_symbols: int = 0  #: rows of symbols that were not asked for
    out_of_order: int = 0  #: rows that were earlier than the row before; they are sorted in
    bad: int = 0  #: rows that are wrong and were left out
    reasons: dict[str, int] = {}  #: how many rows for each reason
    bad_rows: tuple[BadRow, ...] = ()  #: the first of them, with line numbers
    first: int | None = None  #: ns UTC of the first and last good row
    last: int | None = None
    imported_before: bool = False  #: this very file was imported this way before
    dry_run: bool = False
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


def plan(
    path: Path,
    instrument: str,
    *,
    kind: Kind | None = None,
    period: str | None = None,
    side: PriceSide | None = None,
    columns: Mapping[str, str] | None = None,
    timezone: str | None = None,
) -> ImportPlan:
    """Return how a file would be read; nothing is stored.

    Args:
        path: A CSV file, plain, gzip or zip, or a Parquet file.
        instrument: Id that the rows are stored under; its symbol chooses rows of files with several.
        kind: bars, quotes or trades; None: guessed.
        period: The timeframe of bars; None: from the usual distance between rows.
        side: The price that bars are made of; None: from the names of file and columns, else ``last``.
        columns: Field to column name, for what was guessed wrongly; see ``data.columns.FIELDS``.
        timezone: Of times that name none; None: UTC, or what is known of the format.

    Raises:
        NotFoundError: There is no such file.
        InvalidRequestError: The file or what was given about it makes no sense; says why.
        StoreFailedError: The file cannot be read.
    """
    if not instrument.strip() or len(instrument) > 64 or re.search(r"[\s/\\\0*>]", instrument):
        raise InvalidRequestError(
            f"{instrument!r} cannot name an instrument",
            rule="SYMBOL.VENUE, without blanks, slashes, * or >",
            field="instrument",
            value=instrument,
        )
    shape = tabular.shape_of(path)
    sample = _sample(path, shape)
    found = column_guess.mapping(shape.names, sample, shape.header, kind, columns or {})
    notes = list(found.remarks)
    symbol, sample = _symbol(path, shape, found.columns, sample, instrument, notes)
    place = {name: at for at, name in enumerate(shape.names)}
    written = [_time_text(row, found.columns, place) for row in sample]
    if timezone is None:
        timezone = _usual_timezone(shape, sample, written, notes)
    how, remark = times.guess(written, timezone)
    if how is None:
        raise InvalidRequestError(
            f"times such as {written[0]!r} cannot be read",
            rule="ISO, day or month first, YYYYMMDD HHMMSS, or epoch in s, ms, us or ns",
            field="columns",
            value=written[0],
        )
    notes += [remark] if remark else []
    if found.kind == "bars":
        period = timeframe(period).text if period else _period(written, how, notes)
        side = side or found.side or _side(path, found.columns, notes)
        if "open" not in found.columns and "bid_open" not in found.columns:
            notes.append("one price a row: open, high, low and close of a bar are all that price")
    elif period is not None or side is not None:
        raise InvalidRequestError(
            f"{found.kind} have no {'timeframe' if period else 'side'}",
            rule="timeframe and side are for bars",
        )
    return ImportPlan(
        path=str(path),
        instrument=instrument,
        kind=found.kind,
        timeframe=period,
        side=side,
        columns=found.columns,
        shape=shape,
        time_format=how,
        symbol=symbol,
        sample=[tuple(row) for row in sample[:5]],
        notes=tuple(notes),
    )


def run(
    plan: ImportPlan, history: History, *, dry_run: bool = False, watch: Watch | None = None
) -> ImportReport:
    """Carry a plan out and report; with ``dry_run`` only report. ``watch`` is told as the file is read.

    Raises:
        NotFoundError: The file is gone.
        StoreFailedError: The file cannot be read to its end, or the disk refused; nothing was stored.
        ConflictError: Another process is writing the history.
    """
    began = time.perf_counter()
    path = Path(plan.path)
    key = _key(plan, tabular.content_hash(path))
    before = history.import_of(key)
    reading = _read(plan, path, watch)
    notes = list(plan.notes)
    sorter = Sorter(reading)
    series = [(one, sorter.distinct(rows)) for one, rows in _by_series(plan, reading.rows)]
    out_of_order = sorter.out_of_order
    compare = Comparison(reading)
    if dry_run:
        imported = 0
        for one, rows in series:
            if len(rows):
                stored = history.rows(one, int(rows.ts[0]), int(rows.ts[-1]) + 1)
                imported += len(compare(one, rows, stored))
    else:
        fact = Imported(key=key, name=path.name, rows=0, ts=history.clock())
        imported = history.add(series, None if before else fact, new=compare)
    if before is not None:
        notes.append(f"this file was imported before: {before.rows} rows")
    if reading.rounded:
        notes.append(f"{reading.rounded} floating-point numbers were rounded to 15 digits")
    if plan.timeframe is not None:
        notes += _off_grid(plan.timeframe, [rows for _, rows in series])
    if reading.kept == 0 and reading.read:
        notes.append("no row could be imported")
    listed = sorted(reading.bad, key=lambda row: row.line)[:_LISTED]
    ends = [(int(rows.ts[0]), int(rows.ts[-1])) for _, rows in series if len(rows)]
    return ImportReport(
        plan=plan,
        rows_read=reading.read,
        imported=imported,
        already_there=compare.already,
        duplicates=sorter.duplicates,
        other_symbols=reading.other_symbols,
        out_of_order=out_of_order,
        bad=reading.bad_count,
        reasons=dict(reading.reasons.most_common()),
        bad_rows=tuple(listed),
        first=min((first for first, _ in ends), default=None),
        last=max((last for _, last in ends), default=None),
        imported_before=before is not None,
        dry_run=dry_run,
        notes=tuple(notes),
        seconds=time.perf_counter() - began,
    )


def import_file(
    history: History,
    path: Path,
    instrument: str,
    *,
    kind: Kind | None = None,
    period: str | None = None,
    side: PriceSide | None = None,
    columns: Mapping[str, str] | None = None,
    timezone: str | None = None,
    dry_run: bool = False,
) -> ImportReport:
    """Plan an import and run it; see ``plan`` and ``run``."""
    how = plan(path, instrument, kind=kind, period=period, side=side, columns=columns, timezone=timezone)
    return run(how, history, dry_run=dry_run)


def _read(plan: ImportPlan, path: Path, watch: Watch | None) -> Reading:
    layout = Layout.of(
        plan.kind,
        plan.columns,
        plan.shape.names,
        times.reader(plan.time_format),
        None if plan.symbol is None else _plain_symbol(plan.symbol),
        plan.shape.decimal_comma,
    )
    reading = Reading(_LISTED)
    for batch in tabular.batches(path, plan.shape):
        parsing.read(batch, layout, reading)
        if watch is not None:
            watch(reading.read, batch.done)
    return reading


def _by_series(plan: ImportPlan, rows: Mapping[PriceSide | None, list[Rows]]) -> list[tuple[Series, Rows]]:
    found = []
    for side, some in rows.items():
        if some:
            one = Series(
                kind=plan.kind,
                instrument=plan.instrument,
                timeframe=plan.timeframe,
                side=(side or plan.side) if plan.kind == "bars" else None,
                source="import",
                synthetic=False,
            )
            found.append((one, joined(some)))
    return found


def _sample(path: Path, shape: Shape) -> list[Sequence[str]]:
    found: list[Sequence[str]] = []
    for batch in tabular.batches(path, shape, _SAMPLE_ROWS):
        found += batch.rows
        break
    if not found:
        raise InvalidRequestError(f"{path.name} has a header and no rows", field="path", value=path.name)
    return found


def _symbol(
    path: Path,
    shape: Shape,
    columns: Mapping[str, str],
    sample: list[Sequence[str]],
    instrument: str,
    notes: list[str],
) -> tuple[str | None, list[Sequence[str]]]:
    """Choose the rows of a file with several symbols by the instrument's own symbol."""
    if "symbol" not in columns:
        return None, sample
    at = shape.names.index(columns["symbol"])
    asked = _plain_symbol(instrument.rpartition(".")[0] or instrument)
    symbols: Counter[str] = Counter()
    chosen: list[Sequence[str]] = []
    for batch in tabular.batches(path, shape):
        for row in batch.rows:
            if at < len(row):
                symbols[row[at].strip()] += 1
                if len(chosen) < _SAMPLE_ROWS and _plain_symbol(row[at]) == asked:
                    chosen.append(row)
    match = next((symbol for symbol in symbols if _plain_symbol(symbol) == asked), None)
    if match is not None:
        if len(symbols) > 1:
            notes.append(f"{symbols[match]} of {symbols.total()} rows are of {match}")
        return match, chosen
    if len(symbols) == 1:
        notes.append(f"the file says {next(iter(symbols))}, stored as {instrument}")
        return None, sample
    raise InvalidRequestError(
        f"the file has no rows of {asked}",
        rule="of a file with several symbols the rows of the instrument's symbol are imported",
        fix=f"it holds {', '.join(sorted(symbols)[:20])}",
        field="instrument",
        value=instrument,
    )


def _plain_symbol(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def _time_text(row: Sequence[str], columns: Mapping[str, str], place: Mapping[str, int]) -> str:
    texts = [row[at] if at < len(row) else "" for at in (place[columns["time"]],)]
    if "clock" in columns:
        at = place[columns["clock"]]
        texts.append(row[at] if at < len(row) else "")
    return " ".join(text.strip() for text in texts)


def _usual_timezone(
    shape: Shape, sample: Sequence[Sequence[str]], written: Sequence[str], notes: list[str]
) -> str:
    """Return the zone of a format that is known never to name it, else UTC."""
    compact = all(re.fullmatch(r"\d{8} \d{6}(\d{3})?", text) for text in written[:50])
    if compact and not shape.header:  # histdata.com
        notes.append("times are taken for EST without daylight saving, as histdata.com writes them")
        return "EST"
    if any(name.lower() == "local time" for name in shape.names):
        notes.append("the column is named local time: times without an offset are taken for UTC")
    return "UTC"


def _period(written: Sequence[str], how: TimeFormat, notes: list[str]) -> str:
    read = times.reader(how)
    stamps = set()
    for text in written:
        try:
            stamps.add(read(text))
        except ValueError:
            continue  # the run reports it with its line
    steps = np.diff(np.array(sorted(stamps), np.int64))
    if len(steps) == 0:
        raise InvalidRequestError(
            "the timeframe cannot be told from one row", fix="say the timeframe", field="timeframe"
        )
    sizes, often = np.unique(steps, return_counts=True)
    middle = int(sizes[np.argmax(often)])  # the usual distance; of equally usual ones the shortest
    found = nearest(middle)
    if not 0.9 < middle / found.width < 1.1:
        raise InvalidRequestError(
            f"rows are {middle / 1e9:g} s apart, which is no usual timeframe",
            fix="say the timeframe",
            field="timeframe",
        )
    others = int((steps != middle).sum())
    notes.append(f"timeframe {found.text} from the distance of rows ({len(steps) - others} of {len(steps)})")
    return found.text


def _side(path: Path, columns: Mapping[str, str], notes: list[str]) -> PriceSide | None:
    if "bid_close" in columns:
        return None
    words = {*re.split(r"[^a-z]+", path.name.lower())}
    words |= {word for name in columns.values() for word in re.split(r"[^a-z]+", name.lower())}
    sides: list[PriceSide] = [side for side in ("bid", "ask", "mid") if side in words]
    if len(sides) == 1:
        notes.append(f"side {sides[0]} from the names of file or columns")
        return sides[0]
    notes.append("no side is named: taken for prices of trades (last)")
    return "last"


def _off_grid(period: str, found: Sequence[Rows]) -> list[str]:
    width = timeframe(period)
    off = sum(int(((rows.ts - width.origin) % min(width.width, _TO_DAY) != 0).sum()) for rows in found)
    return [f"{off} bars do not begin on a full {period} in UTC"] if off else []


def _key(plan: ImportPlan, content: str) -> str:
    """Return what identifies an import: the file's content and how it is read, not its name."""
    how = msgspec.json.encode(
        [
            plan.instrument,
            plan.kind,
            plan.timeframe,
            plan.side,
            sorted(plan.columns.items()),
            plan.time_format,
        ]
    )
    return hashlib.sha256(content.encode() + how).hexdigest()
