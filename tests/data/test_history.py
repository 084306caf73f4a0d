"""The history: nothing lost and nothing doubled, whatever dies and whoever reads meanwhile."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from data import journal, partitions, segments
from data.history import History
from data.manifest import Change, Manifest
from data.problems import ConflictError, InvalidRequestError, NotFoundError, StoreFailedError
from data.records import Bar
from data.segments import Origin
from data.timeframes import DAY
from tests.data.crashing import NOW
from tests.data.market import PAPER, ROOT, START, STEP, quote, trade, writer


def history(root: Path) -> History:
    return History(root, clock=lambda: NOW)


def record(root: Path, first: int, count: int, *, step: int = STEP, finish: bool = True) -> None:
    """Record quotes of two instruments and trades of one."""
    book = writer(root)
    for number in range(first, first + count):
        quote(book, number, step=step)
        quote(book, number, "EURUSD.SIM", step=step)
        if number % 3 == 0:
            trade(book, number, step=step)
    if finish:
        book.close()
    else:
        book.flush()
        book.rotate = lambda: None  # type: ignore[method-assign]  # left open: its writer lives on
        _OPEN.append(book)


_OPEN: list[object] = []


def everything(root: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows by series."""
    store = history(root)
    found = {}
    for holding in store.catalogue():
        rows = store.rows(holding.series)
        assert rows is not None
        assert len(rows) == holding.rows
        names = [*rows.numbers, *rows.integers, *rows.texts]
        found[f"{holding.series.kind} {holding.series.instrument}"] = rows.keys(names)
    return found


def test_an_empty_history_says_so(tmp_path: Path) -> None:
    store = history(tmp_path / "history")
    assert store.catalogue() == []
    assert store.compact().rows == 0
    assert store.quotes("AAPL.SIM") == []
    with pytest.raises(NotFoundError, match="no history of AAPL"):
        store.bars("AAPL.SIM", "1m")


def test_compaction_changes_where_rows_are_and_nothing_else(tmp_path: Path) -> None:
    record(tmp_path, 0, 200)
    record(tmp_path, 200, 100, finish=False)
    before = everything(tmp_path)
    assert {name: len(rows) for name, rows in before.items()} == {
        "quotes AAPL.SIM": 300,
        "quotes EURUSD.SIM": 300,
        "trades AAPL.SIM": 100,
    }
    report = history(tmp_path).compact()
    assert report.segments == 1
    assert report.rows == 467
    assert report.parts_written == 3
    assert everything(tmp_path) == before
    live = {one.series.kind: one.live_rows for one in history(tmp_path).catalogue()}
    assert live == {"quotes": 100, "trades": 33}
    assert [path.suffix for path in segments.waiting(tmp_path / "segments")] == [".open"]


def test_records_come_back_exactly(tmp_path: Path) -> None:
    record(tmp_path, 0, 10)
    for _ in range(2):
        store = history(tmp_path)
        (first, second) = store.quotes("EURUSD.SIM", limit=2)
        assert second.bid == Decimal("0.10000") + Decimal((9 * 7919) % 200) / 100_000
        assert second.ask_size == 200
        assert (second.ts, second.ts_recv) == (START + 9 * STEP, START + 9 * STEP + 1500)
        assert (second.synthetic, second.source, second.engine) == (True, "simulated", "paper-1")
        assert first.ts == START + 8 * STEP
        (last,) = store.trades("AAPL.SIM", limit=1)
        assert (last.trade_id, last.price, last.size, last.aggressor) == (
            "T9",
            Decimal("100.09"),
            Decimal(1),
            "none",
        )
        assert [one.ts for one in store.quotes("AAPL.SIM", start=START + STEP, end=START + 3 * STEP)] == [
            START + STEP,
            START + 2 * STEP,
        ]
        store.compact()


def test_days_are_partitions_and_finished_ones_become_one_file(tmp_path: Path) -> None:
    hour = DAY // 24
    for first in range(0, 48, 8):
        record(tmp_path, first, 8, step=hour)
        history(tmp_path).compact()
    files = sorted(path.relative_to(tmp_path) for path in (tmp_path / "quotes").rglob("*.parquet"))
    assert len({path.parent for path in files}) == 3
    assert all(path.parent.name.startswith("date=2026-0") for path in files)
    assert len(files) == 2 * 3
    rows = everything(tmp_path)
    assert len(rows["quotes AAPL.SIM"]) == 48


def test_an_unfinished_day_is_merged_when_it_has_many_files(tmp_path: Path) -> None:
    store = History(tmp_path, clock=lambda: START)
    merged = 0
    for first in range(0, 80, 10):
        record(tmp_path, first, 10)
        merged += store.compact().parts_merged
    assert merged == 3 * 8
    assert len(list((tmp_path / "trades").rglob("*.parquet"))) == 1
    assert len(everything(tmp_path)["quotes AAPL.SIM"]) == 80


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A history with partitions to merge and segments to absorb, one of them damaged."""
    root = tmp_path / "template" / "history"
    for first in (0, 10):
        record(root, first, 10)
        History(root, clock=lambda: START).compact()
    record(root, 20, 10)
    record(root, 30, 10)
    torn = segments.waiting(root / "segments")[-1]
    torn.write_bytes(torn.read_bytes() + b"NTSG torn")
    return root.parent


def crashes(action: str, template: Path, folder: Path) -> list[Path]:
    """Return the homes in which the action was killed before each of its steps."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.data.crashing", action, str(template), str(folder)],
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # it forks: the fewer threads the better
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [path for path in folder.iterdir() if path.name != "whole"]


def test_killed_at_any_step_a_compaction_loses_and_doubles_nothing(tmp_path: Path, template: Path) -> None:
    expected = everything(template / "history")
    assert len(expected["quotes AAPL.SIM"]) == 40
    homes = crashes("compact", template, tmp_path / "crashes")
    assert len(homes) > 30
    for home in homes:
        root = home / "history"
        assert everything(root) == expected, home.name
        history(root).compact()
        assert everything(root) == expected, home.name
        assert segments.waiting(root / "segments") == []
        named = {part.path for part in Manifest(root).state().parts.values()}
        there = {str(p.relative_to(root)) for kind in ("quotes", "trades") for p in root.glob(f"{kind}/*/*")}
        assert there == named, home.name


def test_killed_at_any_step_an_import_is_all_or_nothing(tmp_path: Path) -> None:
    home = tmp_path / "template"
    (home / "history").mkdir(parents=True)
    days = [f"2020-{month:02d}-01 00:00:00,1.1,1.2,1.0,1.15" for month in range(1, 5)]
    (home / "bars.csv").write_text(
        "\n".join(
            ["time,open,high,low,close", *days, *(f"2020-04-01 00:0{n}:00,1,1,1,1" for n in range(1, 6))]
        )
    )
    for crash in crashes("import", home, tmp_path / "crashes"):
        store = history(crash / "history")
        assert sum(one.rows for one in store.catalogue()) in (0, 9)
        from tests.data.crashing import import_bars

        import_bars(crash / "history")
        assert sum(one.rows for one in store.catalogue()) == 9


def test_a_damaged_manifest_adopts_files_whose_rows_are_nowhere_else(tmp_path: Path) -> None:
    for first in (0, 50):
        record(tmp_path, first, 50)
        History(tmp_path, clock=lambda: START).compact()
    record(tmp_path, 100, 50)
    expected = everything(tmp_path)
    manifest = tmp_path / "manifest.journal"
    content = bytearray(manifest.read_bytes())
    content[60] ^= 1
    manifest.write_bytes(content)
    report = history(tmp_path).compact()
    assert len(report.adopted) == 6
    assert everything(tmp_path) == expected


def test_a_deleted_file_is_struck_off_and_told(tmp_path: Path) -> None:
    record(tmp_path, 0, 30)
    store = history(tmp_path)
    store.compact()
    lost = next((tmp_path / "trades").rglob("*.parquet"))
    lost.unlink()
    with pytest.raises(StoreFailedError, match="missing"):
        store.trades("AAPL.SIM")
    assert store.compact().missing == [str(lost.relative_to(tmp_path))]
    assert store.trades("AAPL.SIM") == []


def test_a_file_that_is_damaged_is_a_typed_error(tmp_path: Path) -> None:
    record(tmp_path, 0, 30)
    store = history(tmp_path)
    store.compact()
    file = next((tmp_path / "trades").rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(StoreFailedError, match="could not be read"):
        store.trades("AAPL.SIM")


def test_strange_files_in_partitions_do_not_count_and_are_not_adopted(tmp_path: Path) -> None:
    record(tmp_path, 0, 30)
    store = history(tmp_path)
    store.compact()
    before = everything(tmp_path)
    place = next((tmp_path / "trades").glob("date=*"))
    (place / "x.parquet").write_bytes(b"PAR1 but no more")
    assert partitions.described(tmp_path, place / "x.parquet") is None
    manifest = tmp_path / "manifest.journal"
    manifest.write_bytes(manifest.read_bytes() + b"torn")
    assert store.compact().adopted == []
    assert (tmp_path / "aside" / "x.parquet").exists()
    assert everything(tmp_path) == before


def test_a_second_writer_waits_its_turn(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    fd = os.open(tmp_path / "manifest.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(fd, fcntl.LOCK_EX)
    with pytest.raises(ConflictError), manifest.writing(timeout=0.05):
        pass
    os.close(fd)
    with manifest.writing(timeout=0.05) as book:
        book.commit(Change())


def test_a_manifest_of_something_else_is_a_typed_error(tmp_path: Path) -> None:
    with journal.Journal(tmp_path / "manifest.journal") as book:
        book.append([b"\xc1 no message"])
    with pytest.raises(StoreFailedError, match="unknown"):
        history(tmp_path).catalogue()


def test_a_long_manifest_is_written_anew(tmp_path: Path) -> None:
    store = history(tmp_path)
    record(tmp_path, 0, 10)
    store.compact()
    manifest = Manifest(tmp_path)
    with manifest.writing() as book:
        for _ in range(300):
            book.commit(Change(drop=("no such file",)))
    before = everything(tmp_path)
    size = (tmp_path / "manifest.journal").stat().st_size
    with manifest.writing():
        pass
    assert (tmp_path / "manifest.journal").stat().st_size <= size
    assert (tmp_path / "manifest.journal").stat().st_size < 4_000
    assert everything(tmp_path) == before
    assert history(tmp_path).compact().adopted == []


def test_readers_see_every_row_once_while_others_record_and_compact(tmp_path: Path) -> None:
    rounds, each = 12, 40
    done = threading.Event()
    wrong: list[str] = []

    def read() -> None:
        store = history(tmp_path)
        seen = 0
        while not done.is_set():
            quotes = store.quotes("AAPL.SIM", limit=100_000)
            stamps = [one.ts for one in quotes]
            if stamps != [START + n * STEP for n in range(len(stamps))]:
                wrong.append(f"{len(stamps)} rows, {len(set(stamps))} of them different")
            if len(stamps) < seen or len(stamps) % each:
                wrong.append(f"{len(stamps)} after {seen}")
            seen = len(stamps)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    store = History(tmp_path, clock=lambda: START)
    for number in range(rounds):
        record(tmp_path, number * each, each)
        store.compact()
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert len(everything(tmp_path)["quotes AAPL.SIM"]) == rounds * each


def test_a_stream_is_in_order_in_batches_and_survives_compaction(tmp_path: Path) -> None:
    hour = DAY // 24
    record(tmp_path, 0, 60, step=hour)
    store = history(tmp_path)
    store.compact()
    record(tmp_path, 60, 40, step=hour)
    series = store.catalogue()[0].series
    stream = store.stream(series, batch_rows=3)
    first = next(stream)
    assert len(first) == 3
    store.compact()
    stamps = first.ts.tolist() + [ts for rows in stream for ts in rows.ts.tolist()]
    assert stamps == [START + n * hour for n in range(100)]
    some = store.stream(series, START + 5 * hour, START + 50 * hour, batch_rows=1000)
    assert [ts for rows in some for ts in rows.ts.tolist()] == [START + n * hour for n in range(5, 50)]
    assert list(store.stream(series, START - DAY, START)) == []


_DEAD_RECORDER = """
import os, signal, sys
from pathlib import Path
from tests.data.market import quote, writer
book = writer(Path(sys.argv[1]))
for n in range(30):
    quote(book, n)
book.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_recorder_left_is_compacted(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _DEAD_RECORDER, str(tmp_path)], cwd=ROOT, check=False)
    (left,) = segments.waiting(tmp_path / "segments")
    assert left.suffix == ".open"
    torn = left.read_bytes()
    left.write_bytes(torn + torn[:100])
    before = everything(tmp_path)
    assert len(before["quotes AAPL.SIM"]) == 30
    report = history(tmp_path).compact()
    assert report.rows == 30
    assert list(report.damaged.values()) == [100]
    assert left.with_suffix(".damaged").exists()
    assert everything(tmp_path) == before


def test_compaction_uses_no_more_disk_than_it_has(tmp_path: Path) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a file system here")
    try:
        record(place, 0, 500)
        before = everything(place)
        free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
        (place / "ballast").write_bytes(b"x" * (free - 8192))
        with pytest.raises((StoreFailedError, OSError)):
            history(place).compact()
        assert everything(place) == before
        (place / "ballast").unlink()
        assert history(place).compact().rows == 1167
        assert everything(place) == before
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def bar(number: int, **changes: object) -> Bar:
    facts: dict[str, object] = {
        "instrument": "AAPL.SIM",
        "timeframe": "1m",
        "open": Decimal("1.10"),
        "high": Decimal("1.5"),
        "low": Decimal(1),
        "close": Decimal("1.25"),
        "volume": Decimal(number),
        "count": number,
        "ts": START // 60_000_000_000 * 60_000_000_000 + number * 60_000_000_000,
        "synthetic": True,
        "source": "simulated",
        "engine": "paper-1",
    }
    return Bar(**(facts | changes))  # type: ignore[arg-type]  # the facts of a bar


def test_written_bars_replace_those_of_the_same_time(tmp_path: Path) -> None:
    store = history(tmp_path)
    assert store.write_bars([bar(n) for n in range(100)]) == 100
    assert store.write_bars([bar(n) for n in range(50, 120)]) == 20
    assert store.write_bars([bar(7, close=Decimal("1.3")), bar(7, close=Decimal("1.4"))]) == 1
    assert store.write_bars([]) == 0
    assert store.bars("AAPL.SIM", "1m", limit=1000) == [
        bar(n, close=Decimal("1.4")) if n == 7 else bar(n) for n in range(120)
    ]
    assert len(list((tmp_path / "bars").rglob("*.parquet"))) == 1  # a month
    with pytest.raises(InvalidRequestError):
        store.write_bars([bar(1, timeframe="1 minute")])


def test_two_engines_are_never_mixed(tmp_path: Path) -> None:
    other = writer(tmp_path, Origin(engine="paper-2", source="simulated", synthetic=True))
    for number in range(10):
        quote(other, number + 100)
    other.close()
    record(tmp_path, 0, 10)
    store = history(tmp_path)
    assert {one.engine for one in store.quotes("AAPL.SIM")} == {"paper-2"}  # recorded last
    assert {one.engine for one in store.quotes("AAPL.SIM", engine="paper-1")} == {"paper-1"}
    assert {one.engine for one in store.bars("AAPL.SIM", "1s", engine="paper-1")} == {"paper-1"}
    assert store.quotes("AAPL.SIM", engine="paper-3") == []
    assert {one.series.engine for one in store.catalogue()} == {"paper-1", "paper-2"}


def test_no_pandas_in_a_process_that_records_and_reads(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from data.history import History
from tests.data.market import quote, trade, writer
root = Path({str(tmp_path)!r})
book = writer(root)
for n in range(10):
    quote(book, n); trade(book, n)
book.close()
store = History(root)
store.compact()
assert store.bars("AAPL.SIM", "1s") and store.quotes("AAPL.SIM") and store.trades("AAPL.SIM")
assert store.sql("select count(*) from quotes").rows == [(10,)]
assert not {{"pandas", "polars"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_paths_name_the_files_that_count(tmp_path: Path) -> None:
    record(tmp_path, 0, 10)
    store = history(tmp_path)
    store.compact()
    assert {path.parent.parent.name for path in store.paths("trades")} == {"trades"}
    assert store.paths("bars") == []
    assert store.import_of("none") is None
    assert PAPER.synthetic
