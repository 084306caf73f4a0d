"""Segments against torn files, flipped bits, full disks and dead writers."""

from __future__ import annotations

import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data import segments
from data.arrays import numbers
from data.problems import InvalidRequestError, StoreFailedError
from data.segments import Origin
from tests.data.market import PAPER, ROOT, START, quote, trade, writer


def values(path: Path, column: str = "ts") -> list[int]:
    return [
        number for frame in segments.read(path).frames for number in numbers(frame.table[column]).tolist()
    ]


def three_batches(root: Path) -> tuple[Path, list[int]]:
    """Write a segment of three frames and return it with its size after each."""
    book = writer(root)
    sizes = [0]
    for batch in range(3):
        for number in range(4):
            quote(book, batch * 4 + number)
        book.flush()
        (path,) = segments.waiting(root / "segments")
        sizes.append(path.stat().st_size)
    book.close()
    (path,) = segments.waiting(root / "segments")
    return path, sizes


def test_what_is_flushed_is_read_while_the_segment_grows(tmp_path: Path) -> None:
    book = writer(tmp_path)
    assert book.flush() == 0
    assert segments.waiting(tmp_path / "segments") == []
    quote(book, 0)
    trade(book, 1)
    assert book.waiting == 2
    assert book.flush(sync=True) == 2
    (path,) = segments.waiting(tmp_path / "segments")
    assert path.suffix == ".open"
    assert segments.is_being_written(path)
    reading = segments.read(path)
    assert [frame.kind for frame in reading.frames] == ["quotes", "trades"]
    assert all(frame.origin == PAPER for frame in reading.frames)
    quote(book, 2)
    book.flush()
    assert [frame.table.num_rows for frame in segments.read(path, reading.end).frames] == [1]
    book.close()
    (path,) = segments.waiting(tmp_path / "segments")
    assert path.suffix == ".seg"
    assert not segments.is_being_written(path)
    assert book.rows == 3


def test_segments_rotate_by_size_and_by_age(tmp_path: Path) -> None:
    now = [START]
    book = writer(tmp_path, rotate_bytes=1, clock=lambda: now[0])
    quote(book, 0)
    book.flush()
    quote(book, 1)
    book.flush()
    by_age = writer(
        tmp_path, Origin(engine="b", source="s", synthetic=False), rotate_s=5, clock=lambda: now[0]
    )
    quote(by_age, 0)
    by_age.flush()
    now[0] += 4_000_000_000
    by_age.flush()
    found = [path.parent.name + path.suffix for path in segments.waiting(tmp_path / "segments")]
    assert sorted(found) == ["b.open", "paper-1.seg", "paper-1.seg"]
    now[0] += 2_000_000_000
    by_age.flush()
    assert all(path.suffix == ".seg" for path in segments.waiting(tmp_path / "segments"))


def test_a_torn_tail_costs_the_torn_batch_only(tmp_path: Path) -> None:
    path, sizes = three_batches(tmp_path)
    content = path.read_bytes()
    for cut in range(len(content) + 1):
        path.write_bytes(content[:cut])
        whole = sum(size <= cut for size in sizes[1:])
        reading = segments.read(path)
        assert len(reading.frames) == whole
        assert reading.end == sizes[whole]
        assert reading.damaged_bytes == cut - sizes[whole]


@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_bit_costs_its_batch_only(tmp_path: Path, data: st.DataObject) -> None:
    for old in tmp_path.rglob("*.seg"):
        old.unlink()
    path, sizes = three_batches(tmp_path)
    content = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << (bit % 8)
    hit = max(n for n in range(3) if sizes[n] <= bit // 8)
    good = [START + n * 100_000_000 for n in range(12) if n // 4 != hit]
    path.write_bytes(content)
    assert values(path) == good
    assert segments.read(path).damaged_bytes == sizes[hit + 1] - sizes[hit]


def test_numbers_that_are_no_integers_are_refused(tmp_path: Path) -> None:
    book = writer(tmp_path)
    with pytest.raises(struct.error):
        book.quote("AAPL.SIM", 1.5, 2, 1, 1, 1, 1)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(KeyError):
        book.quote("MSFT.SIM", 1, 2, 1, 1, 1, 1)
    assert book.waiting == 0


def test_a_changed_precision_holds_from_then_on(tmp_path: Path) -> None:
    book = writer(tmp_path)
    quote(book, 0)
    book.instrument("AAPL.SIM", 4, 0)
    quote(book, 1)
    book.close()
    (path,) = segments.waiting(tmp_path / "segments")
    assert values(path, "price_scale") == [2, 4]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("may not mount a file system here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_keeps_rows_in_memory_up_to_a_bound(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 40_000)
    book = writer(small_disk, keep_rows=5_000)
    for number in range(4_000):
        quote(book, number, step=number * 977 + 1)
    with pytest.raises(StoreFailedError, match="could not be recorded"):
        book.flush()
    assert book.waiting == 4_000
    assert book.dropped == 0
    for number in range(4_000, 6_000):
        quote(book, number, step=number * 977 + 1)
        trade(book, number)
    with pytest.raises(StoreFailedError):
        book.flush()
    assert book.dropped == 1_000
    assert book.waiting == 7_000
    for number in range(6_000, 10_000):
        trade(book, number)
    with pytest.raises(StoreFailedError):
        book.flush()
    assert book.dropped == 2_000
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    assert book.flush() == 10_000
    (path,) = segments.waiting(small_disk / "segments")
    assert segments.read(path).damaged_bytes == 0
    assert len(values(path)) == 10_000


def test_a_batch_is_a_finished_segment(tmp_path: Path) -> None:
    path, _ = three_batches(tmp_path)
    table = segments.read(path).frames[0].table
    made = segments.write_batch(tmp_path / "segments" / "bulk", "quotes", PAPER, table)
    assert values(made) == values(path)[:4]
    with pytest.raises(InvalidRequestError):
        segments.write_batch(tmp_path / "segments" / "bulk", "trades", PAPER, table)
    (tmp_path / "in the way").write_text("")
    with pytest.raises(StoreFailedError):
        segments.write_batch(tmp_path / "in the way", "quotes", PAPER, table)


def test_unreadable_segments_are_typed_errors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        segments.read(tmp_path / "none.seg")
    with pytest.raises(StoreFailedError):
        segments.read(tmp_path)
    assert segments.is_being_written(tmp_path / "gone.open")


_RECORDER = """
import sys
from pathlib import Path
from tests.data.market import quote, writer
book = writer(Path(sys.argv[1]))
n = 0
while True:
    for _ in range(50):
        quote(book, n); n += 1
    book.flush()
    sys.stdout.write(f"{n}\\n"); sys.stdout.flush()
"""


def test_a_killed_recorder_loses_nothing_it_had_flushed(tmp_path: Path) -> None:
    recorder = subprocess.Popen(
        [sys.executable, "-c", _RECORDER, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert recorder.stdout is not None
    for _ in range(20):
        recorder.stdout.readline()
    (path,) = segments.waiting(tmp_path / "segments")
    assert segments.is_being_written(path)
    recorder.send_signal(signal.SIGKILL)
    rest = recorder.stdout.read().split(b"\n")
    recorder.stdout.close()
    recorder.wait()
    assert not segments.is_being_written(path)
    found = values(path)
    assert len(found) % 50 == 0
    assert len(found) >= (int(rest[-2]) if len(rest) > 1 else 1000)
    assert found == [START + n * 100_000_000 for n in range(len(found))]


class _Finishing(type(Path())):  # type: ignore[misc]  # the class of this system's paths
    """A folder in which a segment is finished between two looks into it."""

    looks = 0

    def glob(self, *args: object, **kwargs: object) -> Iterator[Path]:  # type: ignore[override]
        yield from list(Path(self).glob(*args, **kwargs))  # type: ignore[arg-type]
        type(self).looks += 1
        for path in Path(self).glob("*/*.open"):
            path.rename(path.with_suffix(".seg"))


def test_a_segment_that_is_finished_while_it_is_looked_for_is_found(tmp_path: Path) -> None:
    book = writer(tmp_path)
    quote(book, 0)
    book.flush()
    folder = next(tmp_path.glob("**/*.open")).parents[1]
    found = segments.waiting(_Finishing(folder))
    assert _Finishing.looks == 2
    assert len({path.stem for path in found}) == 1
