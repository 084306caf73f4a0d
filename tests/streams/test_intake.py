"""What clients send is parsed in order, a slice at a time, with turns for others in between."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from nautilus_tui.daemon.streams.intake import SLICE, Intake


class Client:
    """A talker whose transport hands over what it has while it is read."""

    def __init__(self, chunks: list[bytes], excess: set[int]) -> None:
        self.intake = Intake(self)
        self.chunks = chunks
        self.excess = excess  #: numbers of slices after which it talks too fast
        self.heard: list[bytes] = []
        self.turns: list[int] = []  #: the loop's turn in which each slice was parsed
        self.turn = 0
        self.reading = True
        self.done = asyncio.Event()

    def parse(self, data: bytes) -> None:
        assert not self.intake.waits
        self.heard.append(data)
        self.turns.append(self.turn)

    def over(self) -> bool:
        return len(self.heard) in self.excess

    def stop_reading(self) -> None:
        self.reading = False

    def read_on(self) -> None:
        assert not self.intake.waits
        self.reading = True

    async def talk(self) -> None:
        while self.chunks or self.intake.waits:
            self.turn += 1
            if self.reading and self.chunks:
                self.intake.take(self.chunks.pop(0))
                if self.chunks and len(self.chunks) % 3 == 0:
                    self.intake.take(self.chunks.pop(0))  # a transport may have read once more
            await asyncio.sleep(0)


@given(
    st.lists(st.integers(1, 5 * SLICE).map(lambda size: bytes(n % 251 for n in range(size))), max_size=8),
    st.sets(st.integers(1, 20), max_size=1),
)
def test_every_byte_is_parsed_once_in_order_and_others_have_their_turn(
    chunks: list[bytes], excess: set[int]
) -> None:
    async def run() -> None:
        client = Client(list(chunks), excess)
        await client.talk()
        assert b"".join(client.heard) == b"".join(chunks)
        assert all(0 < len(data) <= SLICE for data in client.heard)
        for turn in set(client.turns):  # one slice that waited, and two that came
            at_once = [
                len(data) for data, when in zip(client.heard, client.turns, strict=True) if when == turn
            ]
            assert sum(at_once) <= 3 * SLICE
        assert client.reading

    asyncio.run(run())


async def test_one_that_talks_too_fast_waits() -> None:
    client = Client([b"x" * 2 * SLICE], {1})
    client.intake.take(client.chunks.pop())
    assert client.intake.waits
    assert not client.reading
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(client.heard) == 1  # turns of the loop are not enough
    client.intake.end()
    assert not client.intake.waits
