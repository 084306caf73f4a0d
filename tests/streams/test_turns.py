"""What clients send is heard whole and in order, a slice at a time, and who takes long waits for itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from itertools import pairwise
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from nautilus_tui.daemon.streams.turns import SLICE, Reception, Turns


class Client:
    """A speaker whose transport hands over what it has while it is read; every byte ends a frame."""

    def __init__(self, chunks: list[bytes], every: int, act: Callable[[Client], None]) -> None:
        self.chunks = chunks
        self.every = every  #: bytes a frame
        self.act = act  #: on each frame
        self.turns = Turns(self, Reception())
        self.reading, self.full, self.told = True, False, False
        self.too_early = False  #: it was read from while it did not read
        self.parsed, self.heard = b"", b""
        self.at: list[float] = []  #: loop time at which frames were heard

    @property
    def transport(self) -> asyncio.Transport:
        return cast(asyncio.Transport, self)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.too_early = self.too_early or self.full
        self.reading = True

    def is_closing(self) -> bool:
        return False

    def blocked(self) -> bool:
        return self.told

    def reads(self) -> bool:
        return not self.full

    def hurries(self) -> bool:
        return False

    def parse(self, data: bytes) -> list[Frame]:
        assert 0 < len(data) <= SLICE
        assert self.heard == self.parsed[: len(self.heard)]
        self.parsed += data
        whole = len(self.parsed) // self.every * self.every
        begun = (len(self.parsed) - len(data)) // self.every * self.every
        return [
            Frame(Opcode.BINARY, self.parsed[at : at + self.every]) for at in range(begun, whole, self.every)
        ]

    def hear(self, frame: Frame) -> None:
        self.heard += bytes(frame.data)
        self.at.append(asyncio.get_running_loop().time())
        self.act(self)

    def read_again(self) -> None:
        """It reads what it was sent: its transport says so, if it had said that it does not."""
        self.full = self.told = False
        self.turns.resume()

    async def talk(self) -> None:
        sent = b"".join(self.chunks)
        while self.chunks or len(self.heard) < len(sent) // self.every * self.every or not self.reading:
            if self.reading and self.chunks:
                self.turns.take(self.chunks.pop(0))
                if len(self.chunks) % 3 == 1:
                    self.turns.take(self.chunks.pop(0))  # a transport may have read once more
            elif self.full and not self.told:
                self.told = True  # a transport that is full may say so later
            elif self.told:
                self.read_again()
            await asyncio.sleep(0)
        assert not self.too_early
        assert self.parsed == sent
        assert self.heard == sent[: len(self.heard)]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(1, 4 * SLICE).map(lambda size: bytes(n % 251 for n in range(size))), max_size=6),
    st.sampled_from([1, 6, 100, 3000]),
    st.sets(st.integers(1, 60)),
)
def test_all_is_heard_once_and_in_order_whenever_it_reads(
    chunks: list[bytes], every: int, fills: set[int]
) -> None:
    def act(client: Client) -> None:
        client.full = len(client.at) in fills

    asyncio.run(Client(list(chunks), every, act).talk())


async def test_who_takes_long_waits_four_times_as_long() -> None:
    def work(_: Client) -> None:
        until = time.thread_time() + 0.002
        while time.thread_time() < until:
            pass

    client = Client([b"x" * 30], 10, work)
    await client.talk()
    assert all(later - earlier >= 0.008 for earlier, later in pairwise(client.at))
