"""Where everything lives at run time: one home folder, and the names of the files in it.

Every process asks here and nowhere else for a path. This module must not know what is in the files
or who writes them; it only names them and makes the folders private.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from data.problems import InvalidRequestError, UnavailableError

HOME_VARIABLE: Final = "NAUTILUS_TUI_HOME"

#: The kernel's limit for a socket's path, less the closing zero; the smaller of Linux and macOS.
SOCKET_PATH_BYTES: Final = 103
#: Engine ids are file names, topic levels and arguments: kept short and plain.
ENGINE_ID_LENGTH: Final = 32
_ENGINE_ID = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{ENGINE_ID_LENGTH - 1}}}")
_LONGEST_SOCKET_NAME: Final = len("engine-") + ENGINE_ID_LENGTH + len(".sock")


def engine_id(text: str) -> str:
    """Return ``text`` if it can name an engine.

    Raises:
        InvalidRequestError: it is empty, too long, or has other characters than a-z 0-9 -.
    """
    if not _ENGINE_ID.fullmatch(text):
        raise InvalidRequestError(
            f"{text!r} cannot name an engine",
            rule=f"an engine id is 1 to {ENGINE_ID_LENGTH} of a-z 0-9 -, starting with a letter or digit",
            fix="use an id such as paper-1",
            value=text,
        )
    return text


@dataclass(frozen=True, slots=True)
class Home:
    """One home folder. Making the object touches nothing; ``ensure`` makes the folders."""

    root: Path

    @classmethod
    def resolve(cls, option: str | os.PathLike[str] | None = None, *, profile: str | None = None) -> Home:
        """Return the home named by ``option``, else by the environment, else the user's data folder.

        Without a name, a demo has a home of its own: nothing synthetic comes to lie beside what is real.
        """
        named = option or os.environ.get(HOME_VARIABLE)
        if named:
            return cls(Path(named).expanduser().absolute())
        import platformdirs  # imported only where it is needed: engines are always told their home

        root = Path(platformdirs.user_data_path("nautilus-tui", appauthor=False))
        return cls(root / "demo" if profile == "demo" else root)

    @property
    def run(self) -> Path:
        """Pids and, where the path is short enough, sockets."""
        return self.root / "run"

    @property
    def sockets(self) -> Path:
        """The folder of the sockets: ``run``, or a short folder derived from the home's path.

        A socket's path is limited to about a hundred bytes. The short folder does not depend on the
        environment (``TMPDIR``, ``XDG_RUNTIME_DIR``), because every process that shares a home must
        come to the same answer, whoever started it.
        """
        if len(os.fsencode(self.run)) + 1 + _LONGEST_SOCKET_NAME <= SOCKET_PATH_BYTES:
            return self.run
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path("/tmp") / f"nautilus-tui-{os.getuid()}" / digest

    @property
    def journals(self) -> Path:
        """Engines' journals of order, position and account events."""
        return self.root / "journals"

    @property
    def history(self) -> Path:
        """Market data: Parquet partitions and live segments."""
        return self.root / "history"

    @property
    def logs(self) -> Path:
        """Logs of the daemon, the engines and the terminal."""
        return self.root / "logs"

    @property
    def providers(self) -> Path:
        """Providers' limits and kept answers, shared by all processes of the home."""
        return self.root / "providers"

    @property
    def state_db(self) -> Path:
        """The daemon's database; it alone writes it."""
        return self.root / "state.duckdb"

    @property
    def audit_log(self) -> Path:
        """What was commanded, a second time, beside the daemon's database."""
        return self.root / "audit.jsonl"

    @property
    def config_file(self) -> Path:
        """The user's settings over the shipped defaults."""
        return self.root / "config.toml"

    @property
    def daemon_socket(self) -> Path:
        """Where the daemon serves its API."""
        return self.sockets / "daemon.sock"

    @property
    def daemon_log(self) -> Path:
        """Where a daemon started in the background writes what it has to say."""
        return self.logs / "daemon.log"

    def engine_socket(self, engine: str) -> Path:
        """Where an engine serves its link."""
        return self.sockets / f"engine-{engine_id(engine)}.sock"

    def journal(self, engine: str) -> Path:
        """An engine's journal."""
        return self.journals / f"{engine_id(engine)}.journal"

    def segments(self, engine: str) -> Path:
        """An engine's recorded ticks that are not compacted yet."""
        return self.history / "segments" / engine_id(engine)

    def engine_log(self, engine: str) -> Path:
        """An engine's log."""
        return self.logs / f"engine-{engine_id(engine)}.log"

    def market_checkpoint(self, engine: str) -> Path:
        """Where an engine's simulated market keeps its state between runs."""
        return self.run / f"market-{engine_id(engine)}.checkpoint"

    def replay_checkpoint(self, engine: str) -> Path:
        """Where an engine keeps how far it has replayed the history."""
        return self.run / f"replay-{engine_id(engine)}.checkpoint"

    @property
    def limits(self) -> Path:
        """What engines' gates go by, each kept by its engine."""
        return self.root / "limits"

    def gate_book(self, engine: str) -> Path:
        """What an engine's gate goes by, kept by the engine itself."""
        return self.limits / f"{engine_id(engine)}.json"

    @property
    def kill_latch(self) -> Path:
        """The kill switch's latch: while it is there, no engine of the home starts or sends an order."""
        return self.root / "kill.json"

    @property
    def reports(self) -> Path:
        """Reports that were written."""
        return self.root / "reports"

    def ensure(self) -> Home:
        """Make the folders, readable by their owner only, and return the home.

        Raises:
            UnavailableError: a folder cannot be made, or the sockets' folder belongs to someone else.
        """
        try:
            for folder in (
                self.root,
                self.run,
                self.journals,
                self.history,
                self.logs,
                self.providers,
                self.reports,
                self.limits,
            ):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.sockets != self.run:
                for folder in (self.sockets.parent, self.sockets):
                    folder.mkdir(mode=0o700, exist_ok=True)
                    _require_private(folder)
        except OSError as error:
            raise UnavailableError(
                f"cannot make the home folder {self.root}: {error.strerror}",
                rule="the home folder must be writable",
                fix="give another folder with --home",
            ) from error
        return self


def _require_private(folder: Path) -> None:
    """Refuse a socket folder in a shared place that another user made or can enter."""
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise UnavailableError(
            f"{folder} is not a private folder of this user",
            rule="sockets live in a folder that only their owner can enter",
            fix=f"remove {folder}, or give a shorter home folder with --home",
        )
