"""What an engine leaves in the run folder so that any daemon can find it: pid, birth, spec, last words.

A pid alone proves nothing, because pids are used again; with the process's birth time it does. This
module must not know how engines are started or spoken to.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil

from data.problems import ProblemDocument
from engines.spec import EngineSpec

_PID = ".pid.json"
_LAST = ".last.json"


class PidRecord(msgspec.Struct, frozen=True):
    """A process that runs, or ran, an engine."""

    pid: int
    born: float  #: seconds since the epoch, as the kernel tells it
    spec: EngineSpec


class PidFile:
    """The pid file and the last words of one engine."""

    def __init__(self, run: Path, engine: str) -> None:
        self._path = run / f"engine-{engine}{_PID}"
        self._last = run / f"engine-{engine}{_LAST}"
        self._failure = run / f"engine-{engine}.failure.json"

    def write(self, spec: EngineSpec, born: float) -> None:
        """Say that this process runs the engine."""
        self._failure.unlink(missing_ok=True)
        _write(self._path, PidRecord(os.getpid(), born, spec))

    def write_failure(self, problem: ProblemDocument) -> None:
        """Leave word of why the engine could not go on."""
        _write(self._failure, problem)

    def remove(self) -> None:
        """Say that the engine stopped as it should; what it was asked to be is still told by `known`."""
        with suppress(FileNotFoundError):
            os.replace(self._path, self._last)

    def read(self) -> PidRecord | None:
        """Return what the file says, or None if there is none or it is no pid file."""
        return _read(self._path)

    def read_last(self) -> PidRecord | None:
        """Return who ran the engine last, whether it stopped as it should or not."""
        return self.read() or _read(self._last)

    def read_failure(self) -> ProblemDocument | None:
        """Return the engine's last words, if it left any."""
        try:
            return msgspec.json.decode(self._failure.read_bytes(), type=ProblemDocument)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None


def find(run: Path) -> Iterator[PidRecord]:
    """Yield the record of every engine in the run folder whose process is still the one it names."""
    for path in sorted(run.glob(f"engine-*{_PID}")):
        record = PidFile(run, path.name.removeprefix("engine-").removesuffix(_PID)).read()
        if record is not None and is_alive(record):
            yield record


def known(run: Path) -> Iterator[PidRecord]:
    """Yield who runs or last ran each engine of the run folder, dead or alive."""
    names = {path.name for pattern in (_PID, _LAST) for path in run.glob(f"engine-*{pattern}")}
    engines = {name.removeprefix("engine-").removesuffix(_PID).removesuffix(_LAST) for name in names}
    for engine in sorted(engines):
        record = PidFile(run, engine).read_last()
        if record is not None:
            yield record


def is_alive(record: PidRecord) -> bool:
    """Return whether the very process that wrote the record still runs."""
    try:
        process = psutil.Process(record.pid)
        same = abs(float(process.create_time()) - record.born) < 1.0
        return same and str(process.status()) != str(psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _read(path: Path) -> PidRecord | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=PidRecord)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def _write(path: Path, value: msgspec.Struct) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(msgspec.json.encode(value))
    os.replace(part, path)
