"""A floor shared by the tests of a module: the forkserver takes a second to warm up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from data.paths import Home
from tests.engines.floor import Floor, open_floor


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def floor(tmp_path_factory) -> AsyncIterator[Floor]:
    home = Home(Path(tmp_path_factory.mktemp("home"))).ensure()
    async with open_floor(home) as opened:
        yield opened
