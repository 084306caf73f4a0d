"""The journal against real faults: torn files, flipped bits, a full disk, a read-only disk, kill -9."""

from __future__ import annotations

import itertools
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data import journal
from data.journal import Journal
from data.problems import ConflictError, InvalidRequestError, JournalFailedError, NotFoundError

BATCHES = [[b"one"], [b"two", b"", b"three" * 9], [b"four"], [b"\0" * 40, b"NTJF" * 3]]
ALL = [entry for batch in BATCHES for entry in batch]


def write(path: Path, batches: list[list[bytes]] = BATCHES) -> list[int]:
    """Write batches and return the file's size before the first and after each."""
    with Journal(path) as book:
        sizes = [book.size]
        for batch in batches:
            book.append(batch)
            sizes.append(book.size)
    return sizes


def entries(path: Path, after: int = 0) -> list[tuple[int, bytes]]:
    return list(journal.read(path, after))


def test_batches_come_back_numbered_from_one(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.journal"
    write(path)
    assert entries(path) == list(enumerate(ALL, 1))
    assert entries(path, after=4) == list(enumerate(ALL, 1))[4:]
    with Journal(path) as book:
        assert book.report.clean
        assert book.report.entries == book.last_seq == len(ALL)
        assert book.append([b"more", b"and more"]) == len(ALL) + 2
        assert book.append([]) == len(ALL) + 2
        for after in range(len(ALL) + 3):
            assert list(book.read(after)) == [*enumerate([*ALL, b"more", b"and more"], 1)][after:]
    assert (path.stat().st_mode & 0o777) == 0o600


def test_reader_in_another_place_sees_what_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    with Journal(path) as book:
        assert entries(path) == []
        book.append([b"x"])
        assert entries(path) == [(1, b"x")]
        book.append([b"y"])
        assert entries(path, after=1) == [(2, b"y")]


def test_one_writer_only(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    with Journal(path), pytest.raises(ConflictError):
        Journal(path)
    Journal(path).close()


def test_missing_journal_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        entries(tmp_path / "none")
    with pytest.raises(NotFoundError):
        journal.verify(tmp_path / "none")


def test_truncated_at_every_byte_keeps_whole_batches(tmp_path: Path) -> None:
    whole = tmp_path / "whole.journal"
    sizes = write(whole)
    content = whole.read_bytes()
    for cut in range(len(content) + 1):
        path = tmp_path / f"{cut}" / "cut.journal"
        path.parent.mkdir()
        path.write_bytes(content[:cut])
        good = max((n for n, size in enumerate(sizes) if size <= cut), default=0)
        kept = [entry for batch in BATCHES[:good] for entry in batch]
        with Journal(path) as book:
            report = book.report
            assert [entry for _, entry in book.read()] == kept
            assert book.last_seq == len(kept)
            assert book.append([b"after"]) == len(kept) + 1
        assert entries(path) == list(enumerate([*kept, b"after"], 1))
        base = sizes[good] if cut >= sizes[0] else 0
        assert report.torn_bytes == cut - base
        if report.torn_bytes:
            assert report.torn_path is not None
            assert Path(report.torn_path).read_bytes() == content[base:cut]
            assert report.reason
        shutil.rmtree(path.parent)


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_flipped_bit_is_found_and_the_good_prefix_kept(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "flip.journal"
    for old in tmp_path.iterdir():
        old.unlink()
    sizes = write(path)
    content = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << (bit % 8)
    path.write_bytes(content)
    assert not journal.verify(path).clean
    with Journal(path) as book:
        good = max((n for n, size in enumerate(sizes) if size <= bit // 8), default=0)
        if bit // 8 < sizes[0]:  # the file's header: rebuilt, for the frames behind it still verify
            assert book.report.header_repaired
            good = len(BATCHES)
        kept = [entry for batch in BATCHES[:good] for entry in batch]
        assert [entry for _, entry in book.read()] == kept
        assert book.report.clean is False
        # Numbers of intact frames behind the damage were given out once: they are not given out again.
        last_is_damaged = good == len(BATCHES) - 1
        assert book.last_seq == (len(kept) if last_is_damaged else len(ALL))
        next_seq = book.append([b"after"])
    assert entries(path)[-1] == (next_seq, b"after")
    assert [entry for _, entry in entries(path)] == [*kept, b"after"]
    assert journal.verify(path).clean


def test_swapped_frames_are_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    sizes = write(path, [[b"aaa"], [b"bbb"], [b"ccc"]])
    content = path.read_bytes()
    frames = [content[a:b] for a, b in itertools.pairwise(sizes)]
    path.write_bytes(content[: sizes[0]] + frames[0] + frames[2] + frames[1])
    report = journal.verify(path)
    assert report.last_seq == 1
    assert report.lost_to_seq == 3
    assert "behind" in str(report.reason)


def test_a_file_that_is_no_journal_is_put_aside_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    path.write_bytes(b"this is something else altogether, a letter perhaps")
    with Journal(path) as book:
        assert book.report.header_repaired
        assert book.append([b"x"]) == 1
        torn = book.report.torn_path
    assert torn is not None
    assert Path(torn).read_bytes().startswith(b"this is something else")
    assert entries(path) == [(1, b"x")]


def test_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    write(path)
    content = path.read_bytes()
    head = content[:6] + (9).to_bytes(2, "little")
    newer = head + journal._checksum(head, b"") + content[16:]
    path.write_bytes(newer)
    with pytest.raises(ConflictError, match="version 9"):
        Journal(path)
    assert path.read_bytes() == newer


def test_too_large_a_batch_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    with Journal(tmp_path / "a.journal") as book:
        with pytest.raises(InvalidRequestError):
            book.append([b"x" * (journal.MAX_BATCH_BYTES + 1)])
        assert book.append([b"y"]) == 1


def test_closed_journal_takes_nothing(tmp_path: Path) -> None:
    book = Journal(tmp_path / "a.journal")
    book.close()
    book.close()
    with pytest.raises(JournalFailedError, match="closed"):
        book.append([b"x"])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 128 KiB; skipped where we may not mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("may not mount a file system here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_full_disk_latches_and_keeps_what_was_written(small_disk: Path) -> None:
    path = small_disk / "a.journal"
    book = Journal(path)

    def fill() -> None:
        while True:
            book.append([b"x" * 5000])

    with pytest.raises(JournalFailedError, match="No space"):
        fill()
    good = book.last_seq
    assert good > 10
    assert book.failure
    with pytest.raises(JournalFailedError, match="failed earlier"):
        book.append([b"small"])
    book.close()
    assert len(entries(path)) == good
    (small_disk / "more").write_bytes(b"")
    with Journal(path) as again:
        assert again.last_seq == good


def test_read_only_disk_is_a_typed_error(small_disk: Path) -> None:
    write(small_disk / "a.journal")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(JournalFailedError, match="Read-only"):
        Journal(small_disk / "a.journal")
    with pytest.raises(JournalFailedError):
        Journal(small_disk / "b.journal")
    assert len(entries(small_disk / "a.journal")) == len(ALL)


def test_disk_full_while_the_torn_tail_is_moved_changes_nothing(small_disk: Path) -> None:
    path = small_disk / "a.journal"
    write(path, [[b"x" * 60_000], [b"y" * 60_000]])
    content = path.read_bytes()[:-1]
    path.write_bytes(content)
    with pytest.raises(JournalFailedError, match="No space"):
        Journal(path)
    assert path.read_bytes() == content


def test_file_size_limit_latches(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    book = Journal(path)
    book.append([b"kept"])
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (book.size + 20, old[1]))
    try:
        with pytest.raises(JournalFailedError, match="too large"):
            book.append([b"more than fits in twenty bytes"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    with pytest.raises(JournalFailedError):
        book.append([b"now it would fit, but the journal has failed"])
    book.close()
    assert journal.verify(path).clean
    assert entries(path) == [(1, b"kept")]


def test_lost_descriptor_latches(tmp_path: Path) -> None:
    book = Journal(tmp_path / "a.journal")
    read_only = os.open(book.path, os.O_RDONLY)
    os.dup2(read_only, book._fd)
    os.close(read_only)
    with pytest.raises(JournalFailedError, match="Bad file descriptor"):
        book.append([b"x"])
    with pytest.raises(JournalFailedError, match="failed earlier"):
        book.append([b"x"])
    book.close()


_WRITER = """
import sys
from pathlib import Path
from data.journal import Journal
book = Journal(Path(sys.argv[1]))
n = book.last_seq
while True:
    batch = [b"%d:" % (n + i + 1) + b"z" * 3000 for i in range(3)]
    n = book.append(batch)
    sys.stdout.write(f"{n}\\n")
    sys.stdout.flush()
"""


def test_kill_in_the_middle_of_appending_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    for _ in range(6):
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        for _ in range(25):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read()
        writer.stdout.close()
        writer.wait()
        acknowledged = int(rest.split(b"\n")[-2]) if b"\n" in rest else 0
        found = entries(path)
        assert [seq for seq, _ in found] == list(range(1, len(found) + 1))
        assert all(entry.startswith(b"%d:" % seq) for seq, entry in found)
        assert len(found) % 3 == 0  # whole batches only
        assert len(found) >= acknowledged
