"""The manifest: which partition files count, and which segments and imports they were made from.

It is a journal of changes in ``history/manifest.journal``: a change is one batch, so it counts wholly
or not at all. Files that no change names do not count. Readers follow the journal; one writer at a
time holds ``history/manifest.lock``. This module must not know what rows look like.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from data import journal, partitions
from data.journal import Journal
from data.partitions import Part
from data.problems import ConflictError, NotFoundError, StoreFailedError
from data.rows import KINDS

_NAME = "manifest.journal"
#: The journal is written anew when it holds this many times more facts than still count.
_SLACK = 4


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was imported; ``key`` is a hash of its content and of how it was read."""

    key: str
    name: str
    rows: int
    ts: int


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one commit does. Adding and dropping happen together."""

    add: tuple[Part, ...] = ()
    drop: tuple[str, ...] = ()  #: paths of parts
    absorb: tuple[str, ...] = ()  #: segments whose rows are in ``add``: they do not count any more
    forget: tuple[str, ...] = ()  #: absorbed segments that are deleted
    imported: tuple[Imported, ...] = ()
    fresh: bool = False  #: nothing before this counts


class State(msgspec.Struct):
    """What counts now."""

    parts: dict[str, Part] = {}
    absorbed: set[str] = set()
    imports: dict[str, Imported] = {}

    def apply(self, change: Change) -> None:
        if change.fresh:
            self.parts.clear()
            self.absorbed.clear()
            self.imports.clear()
        for path in change.drop:
            self.parts.pop(path, None)
        self.parts.update((part.path, part) for part in change.add)
        self.absorbed.update(change.absorb)
        self.absorbed.difference_update(change.forget)
        self.imports.update((one.key, one) for one in change.imported)


class Manifest:
    """The manifest of the history in ``root``. Reading needs no lock."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / _NAME
        # One attribute, replaced at once: several threads may ask.
        self._known: tuple[tuple[int, int, int] | None, State] = (None, State())

    def state(self) -> State:
        """Return what counts now. The answer is shared: do not change it.

        Raises:
            StoreFailedError: The manifest cannot be read.
        """
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return State()
        seen = (found.st_ino, found.st_size, found.st_mtime_ns)
        last, state = self._known
        if seen != last:
            state = State()
            try:
                for _, entry in journal.read(self.path):
                    state.apply(_decode(entry))
            except NotFoundError:
                return State()
            self._known = seen, state
        return state

    @contextmanager
    def writing(self, timeout: float = 60.0) -> Iterator[Writer]:
        """Hold the history for writing, put it in order, and yield the way to change it.

        Raises:
            ConflictError: Another writer did not finish within ``timeout`` seconds.
            JournalFailedError: The manifest cannot be opened.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.root / "manifest.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(fd, timeout)
            with Journal(self.path) as book:
                writer = Writer(self, book)
                writer.put_in_order()
                yield writer
                writer.shorten()
        finally:
            os.close(fd)


class Writer:
    """Changes the manifest; made by ``Manifest.writing``."""

    def __init__(self, manifest: Manifest, book: Journal) -> None:
        self._root = manifest.root
        self._book = book
        self.state = State()
        self.facts = 0
        self.adopted: list[str] = []  #: files whose rows only a damaged manifest had forgotten
        self.missing: tuple[str, ...] = ()  #: files that count but are not there
        for _, entry in book.read():
            self._count(_decode(entry))

    def commit(self, change: Change) -> None:
        """Make a change count. When this returns it will be found after any crash.

        Raises:
            JournalFailedError: It could not be written; nothing changed.
        """
        self._book.append([msgspec.msgpack.encode(change)])
        self._count(change)

    def delete_dropped(self, change: Change, sources: Callable[[str], Path]) -> None:
        """Delete the files that a committed change made superfluous."""
        for path in change.drop:
            _delete(self._root / path)
        for name in change.absorb:
            _delete(sources(name))
        if change.absorb:
            self.commit(Change(forget=change.absorb))

    def put_in_order(self) -> None:
        """Finish what a crash interrupted: delete what does not count, adopt what a damaged manifest lost.

        After a crash before a commit, files that were made are there and so is what they were made
        from: the files go. If the manifest was damaged, files may be there whose sources are gone:
        their rows are nowhere else, so they are adopted.
        """
        left = Change(absorb=tuple(sorted(self.state.absorbed)))
        self.delete_dropped(left, lambda name: self._root / "segments" / name)
        damaged = not self._book.report.clean
        adopted: list[Part] = []
        for kind in KINDS:
            for path in sorted((self._root / kind).glob("date=*/*")):
                relative = str(path.relative_to(self._root))
                if relative in self.state.parts:
                    continue
                part = partitions.described(self._root, path) if damaged else None
                if part is not None and self._sources_are_gone(part):
                    adopted.append(part)
                elif damaged and part is None:
                    _put_aside(path, self._root / "aside")
                else:
                    _delete(path)
        missing = tuple(path for path in self.state.parts if not (self._root / path).exists())
        if missing:  # someone deleted them; what is left must go on, and whoever writes is told
            self.missing = missing
            self.commit(Change(drop=missing))
        if adopted:
            self.adopted = [part.path for part in adopted]
            absorbed = tuple(
                {name for part in adopted for name in part.inputs if self._segment(name).exists()}
            )
            change = Change(add=tuple(adopted), absorb=absorbed)
            self.commit(change)
            self.delete_dropped(change, self._segment)

    def shorten(self) -> None:
        """Write the manifest anew if most of it does not count any more."""
        alive = len(self.state.parts) + len(self.state.imports)
        if self.facts < 256 or self.facts < _SLACK * alive:
            return
        fresh = self._root / f".{_NAME}.fresh"
        _delete(fresh)
        with Journal(fresh) as book:
            book.append([msgspec.msgpack.encode(self._everything())])
        os.rename(fresh, self._root / _NAME)

    def _everything(self) -> Change:
        return Change(
            fresh=True,
            add=tuple(self.state.parts.values()),
            absorb=tuple(sorted(self.state.absorbed)),
            imported=tuple(self.state.imports.values()),
        )

    def _segment(self, name: str) -> Path:
        return self._root / "segments" / name

    def _sources_are_gone(self, part: Part) -> bool:
        # Parts made by merging name other parts; parts made by an import name a file we do not keep.
        exist = [self._segment(name).exists() or name in self.state.parts for name in part.inputs]
        return not exist or not all(exist)

    def _count(self, change: Change) -> None:
        self.state.apply(change)
        self.facts += 1 + len(change.add) + len(change.drop) + len(change.absorb) + len(change.imported)


def _decode(entry: bytes) -> Change:
    try:
        return msgspec.msgpack.decode(entry, type=Change)
    except msgspec.DecodeError as error:
        raise StoreFailedError(f"the manifest holds something unknown: {error}") from error


def _delete(path: Path) -> None:
    with suppress(FileNotFoundError):
        path.unlink()


def _put_aside(path: Path, folder: Path) -> None:
    """Keep a file that nobody can vouch for where it does not count."""
    folder.mkdir(exist_ok=True)
    os.rename(path, folder / path.name)


def _lock(fd: int, timeout: float) -> None:
    """Wait for the lock. The wait is short and rare, and flock has no wait with an end."""
    until = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                raise ConflictError(
                    "the history is being written by another process",
                    rule="one writer at a time",
                    fix="wait until the import or compaction is done",
                ) from error
            time.sleep(0.02)
        else:
            return
