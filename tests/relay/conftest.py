"""A Redis of its own for each test of the relay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.relay.redis import PROGRAM, RedisServer, redis_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """Run a Redis of the test's own; skips where there is none."""
    if PROGRAM is None:
        pytest.skip("redis-server is not installed")
    with redis_server(tmp_path) as running:
        yield running
