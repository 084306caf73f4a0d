"""A store; and one with its audit log, made once, and a copy of it for each test to do harm to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from data.state import State
from tests.daemon.kept import ENTRIES, Kept


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """A store that is open and empty."""
    opened = State(tmp_path / "state.duckdb")
    opened.open()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """What a daemon left, for reading only."""
    made = Kept(tmp_path_factory.mktemp("kept"))
    made.add(ENTRIES)
    return made


@pytest.fixture
def mine(kept: Kept, tmp_path: Path) -> Kept:
    """The same, for this test alone."""
    return kept.copy(tmp_path / "home")
