"""Runs a daemon over the home given as argument, on its unix socket and a free TCP port."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from data.paths import Home
from nautilus_tui.daemon.app import Daemon


async def main() -> None:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    await Daemon(Home(Path(sys.argv[1]))).serve(("127.0.0.1", 0), lambda line: print(line, flush=True))


if __name__ == "__main__":
    asyncio.run(main())
