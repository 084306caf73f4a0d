"""A small daemon's bus: publishes lossless and conflated events through Redis at a rate.

    python -m tests.gateway.publisher EVENTS_PER_SECOND

Prints an access token. Each line on standard input is answered with the numbers of the lossless topics;
after ``finish`` nothing more is published. At the end of input it stops as a daemon does.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys

import msgspec

from data.access import TokenRow, digest
from nautilus_tui.relay.address import VARIABLE
from tests.relay.world import Source
from tests.streams import samples

TICK_S = 0.5  #: few frames a second, for a machine that has other things to do
ENGINES = ("paper-1", "paper-2")


async def main() -> None:
    source = Source(epoch=secrets.token_hex(4))
    token = "ntui_" + secrets.token_urlsafe(32)
    source.tokens = [TokenRow(name="crowd", digest=digest(token), role="viewer", ts_created=1)]
    print(token, flush=True)
    each = max(1, round(int(sys.argv[1]) * TICK_S / len(ENGINES)))
    finished = False

    async def publish() -> None:
        number = 0
        while not finished:
            for engine in ENGINES:
                source.tell(samples.order(number + n, engine, f"O-{n}") for n in range(1, each + 1))
            source.tell([samples.quote(number)])
            number += each
            await asyncio.sleep(TICK_S)

    async with source.publishing(os.environ[VARIABLE]):
        task = asyncio.create_task(publish())
        lines = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
        )
        while line := await lines.readline():
            if line.strip() == b"finish":
                finished = True
                await task
            seqs = {f"orders.{engine}": source.bus.seq(f"orders.{engine}") for engine in ENGINES}
            print(msgspec.json.encode(seqs).decode(), flush=True)
        finished = True
        await task


if __name__ == "__main__":
    asyncio.run(main())
