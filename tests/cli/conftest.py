"""A home without a daemon, and one where a real daemon runs a real paper engine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.paths import Home
from tests.cli.driving import CommandLine, running_daemon


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CommandLine]:
    """The command line on a home of its own, without a daemon."""
    home = Home(tmp_path / "home")
    yield CommandLine(home)
    if home.sockets != home.run:
        shutil.rmtree(home.sockets, ignore_errors=True)


@pytest.fixture(scope="module")  # an engine that trades on beside all later tests costs more than its start
def trading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """The command line on a home with a daemon and the engine ``paper-1`` running."""
    home = Home(tmp_path_factory.mktemp("trading")).ensure()
    home.config_file.write_text('[simulator]\nrate = "200"\nhistory_minutes = 120\n')
    with running_daemon(home) as cli:
        started = cli("--json", "engine", "start", "paper-1", "--wait")
        assert started.code == 0, started.err + started.out
        yield cli
    if home.sockets != home.run:
        shutil.rmtree(home.sockets, ignore_errors=True)
